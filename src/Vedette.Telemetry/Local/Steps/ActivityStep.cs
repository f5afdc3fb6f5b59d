using Vedette.Kql;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>An event of an identity: who, when, and the whole row.</summary>
internal readonly record struct ActivityEvent(object Id, decimal At, object?[] Row);

/// <summary>
/// The plug-ins that follow identities over periods. Rows are grouped by the dimensions; each group gives rows of a period's start, the dimensions and
/// the plug-in's measures.
/// </summary>
internal abstract class ActivityStep(PluginCall call) : ILocalStep
{
    public string Name => call.Name;

    public bool FindsColumns => false;

    protected PluginCall Call => call;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var id = call.ColumnOf("IdColumn");
        var time = call.ColumnOf("TimelineColumn");
        var dimensions = call.Arguments.Where(IsDimension).Select(a => a.Column).ToList();
        Prepare(input, input.Columns[time].Type);
        var groups = new Dictionary<RowKey, List<ActivityEvent>>();
        foreach (var row in input.Rows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (row[id] is not { } who || ActivityTimeline.Position(row[time]) is not { } at)
                continue;
            var key = RowKey.Of(row, dimensions);
            if (!groups.TryGetValue(key, out var events))
                groups.Add(key, events = []);
            events.Add(new ActivityEvent(who, at, row));
        }

        var rows = new List<object?[]>();
        foreach (var (key, events) in groups)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // Stable, so that rows of one time stay in the order they came in.
            foreach (var (periods, measures) in Measure([.. events.OrderBy(e => e.At)]))
            {
                rows.Add([.. periods, .. key.Values, .. measures]);
                if (rows.Count > LocalStage.MaxRows)
                    throw new Hunting.HuntingException(Hunting.HuntingFailure.ExcessiveResources, $"evaluate {Name}(): the result has more than {LocalStage.MaxRows} rows.");
            }
        }

        return new LocalTable([.. call.Columns.Select(c => new LocalColumn(c.Name, c.Type))], rows);
    }

    /// <summary>Reads the constant arguments.</summary>
    protected abstract void Prepare(LocalTable input, KqlType type);

    /// <summary>Rows for one group: the columns before and behind its dimensions.</summary>
    protected abstract IEnumerable<(object?[] Periods, object?[] Measures)> Measure(IReadOnlyList<ActivityEvent> events);

    /// <summary>Whether an argument is one of the dimensions.</summary>
    protected virtual bool IsDimension(PluginValue argument) => argument.Parameter == "Dimension" && argument.Column >= 0;

    /// <summary>Events of the analysis, by period.</summary>
    protected static List<ActivityEvent>?[] ByPeriod(ActivityTimeline timeline, IEnumerable<ActivityEvent> events)
    {
        var periods = new List<ActivityEvent>?[timeline.Count];
        foreach (var item in events)
        {
            if (timeline.PeriodOf(item.At) is >= 0 and var period)
                (periods[period] ??= []).Add(item);
        }

        return periods;
    }

    /// <summary>The distinct identities of events.</summary>
    protected static HashSet<object> Ids(IEnumerable<ActivityEvent>? events) => [.. (events ?? []).Select(e => e.Id)];

    /// <summary>The length of a window.</summary>
    /// <exception cref="Hunting.HuntingException">It is not positive.</exception>
    protected decimal Window(LocalTable input, string parameter) =>
        ActivityTimeline.Position(call.Value(input, parameter)) is { } length && length > 0
            ? length
            : throw new Hunting.HuntingException(Hunting.HuntingFailure.Semantic, $"evaluate {Name}(): {parameter} must be positive.");

    /// <summary>The analysis from Start to End.</summary>
    protected ActivityTimeline Timeline(LocalTable input, KqlType type, string step, bool aligned = false) =>
        ActivityTimeline.Cut(Name, type, call.Value(input, "Start"), call.Value(input, "End"), call.Value(input, step), aligned);
}
