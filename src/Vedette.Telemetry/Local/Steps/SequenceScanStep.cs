using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Sql;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>
/// scan: finds sequences of rows. Every step holds at most one match whose latest row is of that step. A row is tried on the steps from the last to the
/// first: it moves the match of the step before onto the step, or stays with the step's own match; the first step otherwise begins a match.
/// </summary>
/// <param name="node">The operator.</param>
/// <param name="partitions">How many columns at the front part the rows: each part is scanned by itself.</param>
/// <param name="groups">How many of these are columns of the group that a body runs over: matches are numbered within it.</param>
/// <param name="computed">Parts of conditions and assignments that come as columns behind those of the input.</param>
/// <param name="context">What the query is written for.</param>
/// <param name="engine">The engine, once the query runs: it computes what depends on the state and is not computed here.</param>
internal sealed class SequenceScanStep(ScanRelation node, int partitions, int groups, IReadOnlyList<BoundScalar> computed, SqlContext context, Func<StepEngine?> engine) : ILocalStep
{
    private readonly Dictionary<BoundScalar, int> _computed =
        computed.Select((c, i) => (c, i)).ToDictionary(p => p.c, p => partitions + node.Input.Columns.Count + p.i, (IEqualityComparer<BoundScalar>)ReferenceEqualityComparer.Instance);

    private readonly Dictionary<int, object?> _defaults = [];

    private readonly Dictionary<int, int> _positions = node.Input.Columns.Select((c, i) => (c.Id, i)).ToDictionary(p => p.Id, p => p.i + partitions);

    public string Name => "scan";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken) => throw new InvalidOperationException($"{Name} may have to ask the engine.");

    public async ValueTask<LocalTable> RunAsync(LocalTable input, CancellationToken cancellationToken)
    {
        var values = new EngineValues(context, engine, scalar => scalar is BoundScanState or BoundColumnRef || _computed.ContainsKey(scalar));
        var parts = new Dictionary<RowKey, Scanner>();
        var keys = Enumerable.Range(0, partitions).ToList();
        for (var i = 0; i < input.Rows.Count; i++)
        {
            var key = RowKey.Of(input.Rows[i], keys);
            if (!parts.TryGetValue(key, out var part))
                parts.Add(key, part = new Scanner(this, values));
            part.Rows.Add((i, input.Rows[i]));
        }

        var constants = new LocalEvaluator(_ => null, _ => null, context.Now) { Engine = values };
        foreach (var (column, absent) in node.Declared)
        {
            var value = constants.EvaluateAsync(absent ?? new BoundLiteral(column.Type, null, default)).AsTask();
            await values.RunAsync(value, cancellationToken);
            _defaults[column.Id] = LocalValues.To(await value, absent?.Type ?? column.Type, column.Type);
        }

        // Parts wait for the engine together: one statement answers all of them.
        var budget = new RowBudget(Name);
        await values.RunAsync(Task.WhenAll(parts.Values.Select(part => part.ScanAsync(budget, cancellationToken)).ToList()), cancellationToken);
        return new LocalTable([.. input.Columns.Take(partitions), .. node.Columns.Select(c => new LocalColumn(c.Name, c.Type))], Ordered(parts.Values));
    }

    /// <summary>The results in the order of the rows that gave them, with matches counted in the order in which they began.</summary>
    private List<object?[]> Ordered(IReadOnlyCollection<Scanner> parts)
    {
        var rows = parts.SelectMany(p => p.Results).OrderBy(r => r.At).ToList();
        var at = node.MatchId is { } id ? partitions + node.Columns.ToList().FindIndex(c => c.Id == id.Id) : -1;
        if (at < 0)
            return rows.ConvertAll(r => r.Row);
        var numbers = new Dictionary<Match, long>(ReferenceEqualityComparer.Instance);
        // Each group of a body counts for itself.
        var grouping = Enumerable.Range(0, groups).ToList();
        foreach (var group in parts.GroupBy(p => RowKey.Of(p.Rows[0].Values, grouping)))
        {
            var next = 0L;
            foreach (var match in group.SelectMany(p => p.Begun).OrderBy(m => m.Began))
                numbers.Add(match, next++);
        }

        return rows.ConvertAll(r =>
        {
            r.Row[at] = numbers[r.Match];
            return r.Row;
        });
    }

    /// <summary>A match on its way: what each step last saw.</summary>
    private sealed class Match(int began)
    {
        /// <summary>The row that began it.</summary>
        public int Began { get; } = began;

        public Dictionary<string, Dictionary<int, object?>> States { get; } = new(StringComparer.Ordinal);

        public object?[]? Pending { get; set; }
    }

    /// <summary>Scans one part of the rows.</summary>
    private sealed class Scanner(SequenceScanStep scan, EngineValues engine)
    {
        private readonly Match?[] _matches = new Match?[scan.Steps.Count];
        private RowBudget _budget = null!;
        private int _at;
        private object?[] _row = [];
        private Match? _match;

        /// <summary>The part's rows, with their places in the input.</summary>
        public List<(int At, object?[] Values)> Rows { get; } = [];

        public List<(int At, Match Match, object?[] Row)> Results { get; } = [];

        public List<Match> Begun { get; } = [];

        public async Task ScanAsync(RowBudget budget, CancellationToken cancellationToken)
        {
            _budget = budget;
            var evaluator = new LocalEvaluator(Column, State, scan.Now) { Special = Special, Engine = engine, Ahead = Ahead };
            for (_at = 0; _at < Rows.Count; _at++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                _row = Rows[_at].Values;
                for (var k = scan.Steps.Count - 1; k >= 0; k--)
                    await TryAsync(k, evaluator);
            }

            foreach (var match in _matches)
                Flush(match, int.MaxValue);
        }

        private async ValueTask TryAsync(int k, LocalEvaluator evaluator)
        {
            var (step, at) = (scan.Steps[k], Rows[_at].At);
            if (k > 0 && Before(k) is { } from && await HoldsAsync(_matches[from]))
            {
                Flush(_matches[k], at);
                Flush(_matches[from], at);
                (_matches[k], _matches[from]) = (_matches[from], null);
                await AcceptAsync(step, _matches[k]!, evaluator);
            }
            else if (_matches[k] is { } own && await HoldsAsync(own))
            {
                await AcceptAsync(step, own, evaluator);
            }
            else if (k == 0 && await HoldsAsync(null))
            {
                Flush(_matches[0], at);
                _matches[0] = new Match(at);
                Begun.Add(_matches[0]!);
                await AcceptAsync(step, _matches[0]!, evaluator);
            }

            ValueTask<bool> HoldsAsync(Match? match)
            {
                _match = match;
                return evaluator.IsTrueAsync(step.Condition);
            }
        }

        private async ValueTask AcceptAsync(ScanStep step, Match match, LocalEvaluator evaluator)
        {
            _match = match;
            var values = scan.Node.Input.Columns.ToDictionary(c => c.Id, Column);
            foreach (var (column, value) in scan._defaults)
                values[column] = value;
            foreach (var assignment in step.Assignments)
                values[assignment.Column.Id] = LocalValues.To(await evaluator.EvaluateAsync(assignment.Value), assignment.Value.Type, assignment.Column.Type);
            match.States[step.Name] = values;
            object?[] result = [.. _row.Take(scan.Partitions), .. scan.Node.Columns.Select(c => values.GetValueOrDefault(c.Id))];
            if (step.Output == ScanOutput.All)
                Add(Rows[_at].At, match, result);
            match.Pending = step.Output == ScanOutput.Last ? result : null;
        }

        private void Add(int at, Match match, object?[] row)
        {
            _budget.Add(row);
            Results.Add((at, match, row));
        }

        private void Flush(Match? match, int at)
        {
            if (match?.Pending is { } row)
                Add(at, match, row);
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

        private (bool, object?) Special(BoundScalar scalar, LocalEvaluator evaluator) => scan._computed.TryGetValue(scalar, out var at) ? (true, _row[at]) : (false, null);

        /// <summary>What leaves would be for a row further on, were the state still the same then.</summary>
        private object?[]? Ahead(IReadOnlyList<BoundScalar> leaves, object?[] values, int rows)
        {
            if (_at + rows >= Rows.Count)
                return null;
            var row = Rows[_at + rows].Values;
            var next = (object?[])values.Clone();
            for (var i = 0; i < next.Length; i++)
            {
                if (scan._computed.TryGetValue(leaves[i], out var at) || (leaves[i] is BoundColumnRef reference && scan._positions.TryGetValue(reference.Column.Id, out at)))
                    next[i] = row[at];
            }

            return next;
        }

        private object? Column(KqlColumn column) => scan._positions.TryGetValue(column.Id, out var position) ? _row[position] : LocalValues.To(null, KqlType.String, column.Type);

        private object? State(BoundScanState state)
        {
            if (_match is not null && _match.States.TryGetValue(state.Step, out var values))
                return values.GetValueOrDefault(state.Column.Id);
            return scan._defaults.TryGetValue(state.Column.Id, out var absent) ? absent : LocalValues.To(null, KqlType.String, state.Type);
        }
    }

    private IReadOnlyList<ScanStep> Steps => node.Steps;

    private ScanRelation Node => node;

    private DateTime Now => context.Now;

    private int Partitions => partitions;
}
