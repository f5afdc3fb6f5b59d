using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>
/// scan: finds sequences of rows. Every step holds at most one match whose latest row is of that step. A row is tried on the steps from the last to the
/// first: it moves the match of the step before onto the step, or stays with the step's own match; the first step otherwise begins a match.
/// </summary>
/// <param name="node">The operator.</param>
/// <param name="partitions">How many columns at the front part the rows: each part is scanned by itself.</param>
/// <param name="computed">Parts of conditions and assignments that come as columns behind those of the input.</param>
/// <param name="now">What now() gives.</param>
internal sealed class SequenceScanStep(ScanRelation node, int partitions, IReadOnlyList<BoundScalar> computed, DateTime now) : ILocalStep
{
    private readonly Dictionary<BoundScalar, int> _computed = computed.Select((c, i) => (c, i)).ToDictionary(p => p.c, p => partitions + node.Input.Columns.Count + p.i);
    private readonly Dictionary<int, int> _positions = node.Input.Columns.Select((c, i) => (c.Id, i)).ToDictionary(p => p.Id, p => p.i + partitions);

    public string Name => "scan";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var rows = new List<object?[]>();
        var scanners = new Dictionary<string, Scanner>(StringComparer.Ordinal);
        var ids = new Counter();
        foreach (var row in input.Rows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var key = string.Join('\u001f', row.Take(partitions).Select((v, i) => LocalValues.ToText(v, input.Columns[i].Type)));
            if (!scanners.TryGetValue(key, out var scanner))
                scanners.Add(key, scanner = new Scanner(this, ids, rows));
            scanner.Take(row);
        }

        foreach (var scanner in scanners.Values)
            scanner.Finish();
        return new LocalTable([.. input.Columns.Take(partitions), .. node.Columns.Select(c => new LocalColumn(c.Name, c.Type))], rows);
    }

    private sealed class Counter
    {
        public long Next { get; set; }
    }

    /// <summary>A match on its way: what each step last saw.</summary>
    private sealed record Match(long Id, Dictionary<string, Dictionary<int, object?>> States)
    {
        public object?[]? Pending { get; set; }
    }

    private sealed class Scanner(SequenceScanStep scan, Counter ids, List<object?[]> results)
    {
        private readonly Match?[] _matches = new Match?[scan.Steps.Count];
        private object?[] _row = [];
        private Match? _match;

        public void Take(object?[] row)
        {
            _row = row;
            var evaluator = new LocalEvaluator(Column, State, scan.Now)
            {
                Special = (scalar, _) => scan._computed.TryGetValue(scalar, out var at) ? (true, _row[at]) : (false, null),
            };
            for (var k = scan.Steps.Count - 1; k >= 0; k--)
            {
                var step = scan.Steps[k];
                if (k > 0 && Before(k) is { } from && Holds(_matches[from]!))
                {
                    Flush(_matches[k]);
                    Flush(_matches[from]);
                    (_matches[k], _matches[from]) = (_matches[from], null);
                    Accept(k, _matches[k]!);
                }
                else if (_matches[k] is { } own && Holds(own))
                {
                    Accept(k, own);
                }
                else if (k == 0 && Holds(null))
                {
                    Flush(_matches[0]);
                    _matches[0] = new Match(ids.Next++, []);
                    Accept(0, _matches[0]!);
                }

                bool Holds(Match? match)
                {
                    _match = match;
                    return evaluator.IsTrue(step.Condition);
                }

                void Accept(int at, Match match)
                {
                    _match = match;
                    var values = scan.Node.Input.Columns.ToDictionary(c => c.Id, Column);
                    foreach (var (column, absent) in scan.Node.Declared)
                        values[column.Id] = absent is null ? LocalValues.To(null, KqlType.String, column.Type) : LocalValues.To(evaluator.Evaluate(absent), absent.Type, column.Type);
                    foreach (var assignment in step.Assignments)
                        values[assignment.Column.Id] = LocalValues.To(evaluator.Evaluate(assignment.Value), assignment.Value.Type, assignment.Column.Type);
                    match.States[step.Name] = values;
                    if (scan.Node.MatchId is { } id)
                        values[id.Id] = match.Id;
                    object?[] result = [.. _row.Take(scan.Partitions), .. scan.Node.Columns.Select(c => values.GetValueOrDefault(c.Id))];
                    if (step.Output == ScanOutput.All)
                        results.Add(result);
                    match.Pending = step.Output == ScanOutput.Last ? result : null;
                }
            }
        }

        public void Finish()
        {
            foreach (var match in _matches)
                Flush(match);
        }

        private void Flush(Match? match)
        {
            if (match?.Pending is { } row)
                results.Add(row);
            if (match is not null)
                match.Pending = null;
        }

        /// <summary>The step whose match a row may take over: the one before, or one further back when those between are optional.</summary>
        private int? Before(int k)
        {
            for (var i = k - 1; i >= 0; i--)
            {
                if (_matches[i] is not null)
                    return i;
                if (!scan.Steps[i].Optional)
                    return null;
            }

            return null;
        }

        private object? Column(KqlColumn column) => scan._positions.TryGetValue(column.Id, out var position) ? _row[position] : null;

        private object? State(BoundScanState state)
        {
            if (_match is not null && _match.States.TryGetValue(state.Step, out var values))
                return values.GetValueOrDefault(state.Column.Id);
            foreach (var (column, absent) in scan.Node.Declared)
            {
                if (column.Id == state.Column.Id && absent is not null)
                    return LocalValues.To(new LocalEvaluator(Column, _ => null, scan.Now).Evaluate(absent), absent.Type, column.Type);
            }

            return state.Type is KqlType.String or KqlType.Dynamic ? "" : null;
        }
    }

    private IReadOnlyList<ScanStep> Steps => node.Steps;

    private ScanRelation Node => node;

    private DateTime Now => now;

    private int Partitions => partitions;
}
