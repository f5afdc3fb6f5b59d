using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>
/// funnel_sequence: what comes right before and right after a sequence of states. (The service gives two more tables, by previous and by next state;
/// an answer of the API has one table, and both follow from it.)
/// </summary>
internal sealed class FunnelSequenceStep(PluginCall call) : ActivityStep(call)
{
    /// <summary>Identities that a row names at most.</summary>
    private const int MaxSamples = 128;

    private ActivityTimeline _timeline = null!;
    private decimal _window;
    private int _state;
    private KqlType _idType;
    private KqlType _stateType;
    private List<string> _sequence = [];

    protected override void Prepare(LocalTable input, KqlType type)
    {
        _timeline = Timeline(input, type, "Step");
        _window = Window(input, "MaxWindowSizeBetweenSteps");
        _state = Call.ColumnOf("StateColumn");
        _stateType = input.Columns[_state].Type;
        _idType = input.Columns[Call.ColumnOf("IdColumn")].Type;
        _sequence = FunnelCompletionStep.States(Call, input);
    }

    protected override IEnumerable<(object?[] Periods, object?[] Measures)> Measure(IReadOnlyList<ActivityEvent> events)
    {
        var found = new Dictionary<(int Period, string Before, string After), HashSet<object>>();
        foreach (var own in events.Where(e => _timeline.PeriodOf(e.At) >= 0).GroupBy(e => e.Id))
        {
            // Repetitions of a state are one stay in it.
            var stays = new List<(string State, decimal From, decimal To)>();
            foreach (var item in own)
            {
                var state = LocalValues.ToText(item.Row[_state], _stateType);
                if (stays.Count > 0 && stays[^1].State == state)
                    stays[^1] = stays[^1] with { To = item.At };
                else
                    stays.Add((state, item.At, item.At));
            }

            for (var i = 0; i + _sequence.Count <= stays.Count; i++)
            {
                if (!Enumerable.Range(0, _sequence.Count).All(k => stays[i + k].State == _sequence[k] && (k == 0 || Near(i + k))))
                    continue;
                var last = i + _sequence.Count - 1;
                var before = i > 0 && Near(i) ? stays[i - 1].State : "";
                var after = last + 1 < stays.Count && Near(last + 1) ? stays[last + 1].State : "";
                var key = (_timeline.PeriodOf(stays[i].From), before, after);
                if (!found.TryGetValue(key, out var ids))
                    found.Add(key, ids = []);
                ids.Add(own.Key);
            }

            bool Near(int stay) => stays[stay].From - stays[stay - 1].To <= _window;
        }

        return found.OrderBy(f => f.Key.Period).ThenByDescending(f => f.Value.Count).ThenBy(f => f.Key.Before, StringComparer.Ordinal).ThenBy(f => f.Key.After, StringComparer.Ordinal).Select(f => (
            (object?[])[_timeline.Label(f.Key.Period), LocalValues.To(f.Key.Before, KqlType.String, _stateType), LocalValues.To(f.Key.After, KqlType.String, _stateType)],
            (object?[])[(long)f.Value.Count, "[" + string.Join(",", f.Value.Take(MaxSamples).Select(v => LocalValues.ToJson(v, _idType))) + "]"]));
    }
}

/// <summary>funnel_sequence_completion: how many identities get how far in a sequence of states, within several spans from its first state.</summary>
internal sealed class FunnelCompletionStep(PluginCall call) : ActivityStep(call)
{
    private ActivityTimeline _timeline = null!;
    private List<decimal> _spans = [];
    private List<string> _sequence = [];
    private int _state;
    private KqlType _stateType;

    /// <summary>The states of the argument Sequence.</summary>
    /// <exception cref="HuntingException">There are none.</exception>
    public static List<string> States(PluginCall call, LocalTable input) =>
        LocalJson.Parse(call.Value(input, "Sequence") as string) is JsonArray { Count: > 0 } array
            ? [.. array.Select(LocalJson.Text)]
            : throw new HuntingException(HuntingFailure.Semantic, $"evaluate {call.Name}(): the sequence must be an array of states.");

    protected override void Prepare(LocalTable input, KqlType type)
    {
        _timeline = Timeline(input, type, "BinSize");
        _sequence = States(Call, input);
        _state = Call.ColumnOf("StateColumn");
        _stateType = input.Columns[_state].Type;
        if (LocalJson.Parse(Call.Value(input, "MaxSequencePeriods") as string) is not JsonArray { Count: > 0 } spans)
            throw new HuntingException(HuntingFailure.Semantic, $"evaluate {Name}(): the spans must be an array of timespans.");
        _spans = [.. spans.Select(s => ActivityTimeline.Position(LocalValues.To(LocalJson.Text(s), KqlType.String, KqlType.TimeSpan))
            ?? ActivityTimeline.Position(LocalJson.Real(s))
            ?? throw new HuntingException(HuntingFailure.Semantic, $"evaluate {Name}(): '{LocalJson.Text(s)}' is no timespan."))];
    }

    protected override IEnumerable<(object?[] Periods, object?[] Measures)> Measure(IReadOnlyList<ActivityEvent> events)
    {
        foreach (var (inside, period) in ByPeriod(_timeline, events).Select((p, i) => (p, i)))
        {
            if (inside is null)
                continue;
            var people = inside.GroupBy(e => e.Id).Select(g => g.Select(e => (State: LocalValues.ToText(e.Row[_state], _stateType), e.At)).ToList()).ToList();
            foreach (var span in _spans)
            {
                var depths = people.ConvertAll(p => Depth(p, span));
                for (var step = 0; step < _sequence.Count; step++)
                {
                    yield return (
                        [_timeline.Label(period), LocalValues.To(_sequence[step], KqlType.String, _stateType)],
                        [new TimeSpan((long)span), (long)depths.Count(d => d > step)]);
                }
            }
        }
    }

    /// <summary>How many states of the sequence follow one another within the span, from the best beginning.</summary>
    private int Depth(List<(string State, decimal At)> own, decimal span)
    {
        var best = 0;
        for (var first = 0; first < own.Count && best < _sequence.Count; first++)
        {
            if (own[first].State != _sequence[0])
                continue;
            var depth = 1;
            for (var i = first + 1; i < own.Count && depth < _sequence.Count && own[i].At - own[first].At <= span; i++)
            {
                if (own[i].State == _sequence[depth])
                    depth++;
            }

            best = Math.Max(best, depth);
        }

        return best;
    }
}

/// <summary>sequence_detect: every choice of rows that fulfil the steps' conditions one after another, near enough in time.</summary>
internal sealed class SequenceDetectStep(PluginCall call) : ILocalStep
{
    public string Name => "sequence_detect";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var time = call.ColumnOf("TimelineColumn");
        var (step, span) = (Window("MaxSeqeunceStepWindow"), Window("MaxSequenceSpan"));
        var dimensions = call.Arguments.Where(a => a is { Parameter: "Dimension", Column: >= 0 }).Select(a => a.Column).ToList();
        var conditions = call.Arguments.Skip(3).Where(a => a.Parameter != "Dimension").ToList();
        var groups = new Dictionary<RowKey, List<(decimal At, object?[] Row)>>();
        foreach (var row in input.Rows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (ActivityTimeline.Position(row[time]) is not { } at || !conditions.Exists(c => Holds(c, row)))
                continue;
            var key = RowKey.Of(row, dimensions);
            if (!groups.TryGetValue(key, out var own))
                groups.Add(key, own = []);
            own.Add((at, row));
        }

        var rows = new List<object?[]>();
        var path = new List<(decimal At, object?[] Row)>();
        foreach (var (key, own) in groups)
        {
            var sorted = own.OrderBy(o => o.At).ToList();
            var distinct = new HashSet<RowKey>();
            Extend(0);

            void Extend(int from)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (path.Count == conditions.Count)
                {
                    object?[] times = [.. path.Select(p => p.Row[time])];
                    if (distinct.Add(new RowKey(times)))
                        rows.Add([.. key.Values, .. times, new TimeSpan((long)(path[^1].At - path[0].At))]);
                    if (rows.Count > LocalStage.MaxRows)
                        throw new HuntingException(HuntingFailure.ExcessiveResources, $"evaluate {Name}(): more than {LocalStage.MaxRows} sequences were found.");
                    return;
                }

                for (var i = from; i < sorted.Count; i++)
                {
                    if (path.Count > 0 && (sorted[i].At - path[^1].At > step || sorted[i].At - path[0].At > span))
                        break;
                    if (!Holds(conditions[path.Count], sorted[i].Row))
                        continue;
                    path.Add(sorted[i]);
                    Extend(i + 1);
                    path.RemoveAt(path.Count - 1);
                }
            }
        }

        return new LocalTable([.. call.Columns.Select(c => new LocalColumn(c.Name, c.Type))], rows);

        decimal Window(string name) => ActivityTimeline.Position(call.Value(input, name)) is { } length && length >= 0
            ? length
            : throw new HuntingException(HuntingFailure.Semantic, $"evaluate {Name}(): the windows must not be negative.");
    }

    private static bool Holds(PluginValue condition, object?[] row) => (condition.Column >= 0 ? row[condition.Column] : condition.Constant) is true;
}
