using Vedette.Kql;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>activity_counts_metrics: events, identities, and identities never seen before, for each period.</summary>
internal sealed class ActivityCountsStep(PluginCall call) : ActivityStep(call)
{
    private ActivityTimeline _timeline = null!;

    protected override void Prepare(LocalTable input, KqlType type) => _timeline = Timeline(input, type, "Step");

    protected override IEnumerable<(object?[] Periods, object?[] Measures)> Measure(IReadOnlyList<ActivityEvent> events)
    {
        var seen = new HashSet<object>();
        var periods = ByPeriod(_timeline, events);
        for (var i = 0; i < periods.Length; i++)
        {
            if (periods[i] is not { } inside)
                continue;
            var ids = Ids(inside);
            var fresh = (long)ids.Count(seen.Add);
            yield return ([_timeline.Label(i)], [(long)inside.Count, (long)ids.Count, fresh, (long)seen.Count]);
        }
    }
}

/// <summary>activity_metrics: identities of each period, how many of them were not in the period before, and how many of those before came again.</summary>
internal sealed class ActivityMetricsStep(PluginCall call) : ActivityStep(call)
{
    private ActivityTimeline? _given;
    private Func<IReadOnlyList<ActivityEvent>, ActivityTimeline> _timeline = null!;

    protected override void Prepare(LocalTable input, KqlType type)
    {
        if (Call.Arguments.Any(a => a.Parameter == "Step"))
        {
            _given = Timeline(input, type, "Step");
            return;
        }

        // The short form has a window only: the analysis spans all rows.
        var window = Call.Value(input, "Window");
        _timeline = events => ActivityTimeline.Cut(Name, type, ActivityTimeline.Value(events[0].At, type), ActivityTimeline.Value(events[^1].At, type), window, aligned: true);
    }

    protected override IEnumerable<(object?[] Periods, object?[] Measures)> Measure(IReadOnlyList<ActivityEvent> events)
    {
        var timeline = _given ?? _timeline(events);
        var before = new HashSet<object>();
        foreach (var (inside, i) in ByPeriod(timeline, events).Select((p, i) => (p, i)))
        {
            var ids = Ids(inside);
            if (ids.Count > 0)
            {
                var returned = ids.Count(before.Contains);
                var retention = before.Count == 0 ? double.NaN : (double)returned / before.Count;
                yield return ([timeline.Label(i)], [(long)ids.Count, (long)(ids.Count - returned), retention, 1 - retention]);
            }

            before = ids;
        }
    }
}

/// <summary>activity_engagement: identities of each inner window in relation to those of the outer window that ends with it.</summary>
internal sealed class ActivityEngagementStep(PluginCall call) : ActivityStep(call)
{
    private Func<IReadOnlyList<ActivityEvent>, ActivityTimeline> _timeline = null!;
    private decimal _inner;
    private decimal _outer;

    protected override void Prepare(LocalTable input, KqlType type)
    {
        _inner = Window(input, "InnerActivityWindow");
        _outer = Window(input, "OuterActivityWindow");
        var inner = Call.Value(input, "InnerActivityWindow");
        var given = Call.Arguments.Any(a => a.Parameter == "Start") ? Timeline(input, type, "InnerActivityWindow") : null;
        _timeline = events => given
            ?? ActivityTimeline.Cut(Name, type, ActivityTimeline.Value(events[0].At, type), ActivityTimeline.Value(events[^1].At, type), inner, aligned: true);
    }

    protected override IEnumerable<(object?[] Periods, object?[] Measures)> Measure(IReadOnlyList<ActivityEvent> events)
    {
        var timeline = _timeline(events);
        var periods = ByPeriod(timeline, events);
        var outer = new SlidingIds(events);
        for (var i = 0; i < timeline.Count; i++)
        {
            var end = timeline.StartOf(i) + _inner;
            outer.MoveTo(end - _outer, end, timeline.End);
            if (outer.Distinct == 0)
                continue;
            var inside = (long)Ids(periods[i]).Count;
            yield return ([timeline.Label(i)], [inside, (long)outer.Distinct, (double)inside / outer.Distinct]);
        }
    }
}

/// <summary>sliding_window_counts: events and identities of the window that ends with each period.</summary>
internal sealed class SlidingWindowCountsStep(PluginCall call) : ActivityStep(call)
{
    private ActivityTimeline _timeline = null!;
    private decimal _lookback;

    protected override void Prepare(LocalTable input, KqlType type)
    {
        _timeline = Timeline(input, type, "Step");
        _lookback = Window(input, "LookBackWindow");
        // The window consists of whole periods.
        if (ActivityTimeline.Position(Call.Value(input, "Step")) is { } step)
            _lookback = Math.Max(1, Math.Floor(_lookback / step)) * step;
    }

    protected override IEnumerable<(object?[] Periods, object?[] Measures)> Measure(IReadOnlyList<ActivityEvent> events)
    {
        var window = new SlidingIds(events);
        for (var i = 0; i < _timeline.Count; i++)
        {
            var end = _timeline.EndOf(i);
            window.MoveTo(end == decimal.MaxValue ? decimal.MinValue : end - _lookback, end, _timeline.End);
            if (window.Count > 0)
                yield return ([_timeline.Label(i)], [(long)window.Count, (long)window.Distinct]);
        }
    }
}

/// <summary>The events of a window that moves forward over a group's events.</summary>
internal sealed class SlidingIds(IReadOnlyList<ActivityEvent> events)
{
    private readonly Dictionary<object, int> _ids = [];
    private int _first;
    private int _next;

    public int Count => _next - _first;

    public int Distinct => _ids.Count;

    /// <summary>Moves to positions from <paramref name="from"/>, up to but not including <paramref name="to"/> and not beyond <paramref name="last"/>.</summary>
    public void MoveTo(decimal from, decimal to, decimal last)
    {
        for (; _next < events.Count && events[_next].At < to && events[_next].At <= last; _next++)
            _ids[events[_next].Id] = _ids.GetValueOrDefault(events[_next].Id) + 1;
        for (; _first < _next && events[_first].At < from; _first++)
        {
            var id = events[_first].Id;
            if (_ids[id] == 1)
                _ids.Remove(id);
            else
                _ids[id]--;
        }
    }
}

/// <summary>active_users_count: identities that appear, in a window that ends with an appearance, in enough different periods.</summary>
internal sealed class ActiveUsersCountStep(PluginCall call) : ActivityStep(call)
{
    private ActivityTimeline _timeline = null!;
    private decimal _lookback;
    private decimal _period;
    private decimal _enough;

    protected override void Prepare(LocalTable input, KqlType type)
    {
        _timeline = Timeline(input, type, "Step");
        _lookback = Window(input, "LookbackWindow");
        _period = Window(input, "Period");
        _enough = Window(input, "ActivePeriods");
    }

    protected override IEnumerable<(object?[] Periods, object?[] Measures)> Measure(IReadOnlyList<ActivityEvent> events)
    {
        var active = new HashSet<object>?[_timeline.Count];
        foreach (var own in events.GroupBy(e => e.Id))
        {
            var appearances = own.Select(e => e.At).ToList();
            var periods = new Dictionary<decimal, int>();
            for (int last = 0, first = 0; last < appearances.Count; last++)
            {
                var at = appearances[last];
                var period = Math.Floor(at / _period);
                periods[period] = periods.GetValueOrDefault(period) + 1;
                for (; appearances[first] <= at - _lookback; first++)
                {
                    var left = Math.Floor(appearances[first] / _period);
                    if (--periods[left] == 0)
                        periods.Remove(left);
                }

                if (periods.Count >= _enough && _timeline.PeriodOf(at) is >= 0 and var index)
                    (active[index] ??= []).Add(own.Key);
            }
        }

        for (var i = 0; i < active.Length; i++)
        {
            if (active[i] is { } ids)
                yield return ([_timeline.Label(i)], [(long)ids.Count]);
        }
    }
}

/// <summary>session_count: sessions that begin in each period. An appearance continues a session when the identity appeared within the window before.</summary>
internal sealed class SessionCountStep(PluginCall call) : ActivityStep(call)
{
    private ActivityTimeline _timeline = null!;
    private decimal _lookback;

    protected override void Prepare(LocalTable input, KqlType type)
    {
        _timeline = Timeline(input, type, "Bin", aligned: true);
        _lookback = Window(input, "LookBackWindow");
    }

    protected override IEnumerable<(object?[] Periods, object?[] Measures)> Measure(IReadOnlyList<ActivityEvent> events)
    {
        var last = new Dictionary<object, decimal>();
        var sessions = new long[_timeline.Count];
        var any = new bool[_timeline.Count];
        foreach (var item in events)
        {
            var begins = !last.TryGetValue(item.Id, out var before) || item.At - before >= _lookback;
            last[item.Id] = item.At;
            if (_timeline.PeriodOf(item.At) is not (>= 0 and var period))
                continue;
            any[period] = true;
            if (begins)
                sessions[period]++;
        }

        for (var i = 0; i < sessions.Length; i++)
        {
            if (any[i])
                yield return ([_timeline.Label(i)], [sessions[i]]);
        }
    }
}

/// <summary>new_activity_metrics: what became, in each later period, of the identities first seen in a period.</summary>
internal sealed class NewActivityMetricsStep(PluginCall call) : ActivityStep(call)
{
    private readonly HashSet<object> _known = [];
    private ActivityTimeline _timeline = null!;
    private int? _cohort;

    protected override void Prepare(LocalTable input, KqlType type)
    {
        _timeline = Timeline(input, type, "Window");
        if (Call.Arguments.FirstOrDefault(a => a.Parameter == "Cohort" && a.Column < 0 && a.Table is null) is { } cohort
            && ActivityTimeline.Position(cohort.Constant) is { } at)
            _cohort = _timeline.PeriodOf(at);
        foreach (var row in Call.Arguments.FirstOrDefault(a => a.Table is not null)?.Table!.Rows!.Rows ?? [])
        {
            // The identity is the column of its name, or the only one of the table.
            if (row[Call.Arguments.First(a => a.Table is not null).Column] is { } id)
                _known.Add(id);
        }
    }

    protected override bool IsDimension(PluginValue argument) => argument.Column >= 0 && argument.Table is null && argument.Parameter is "Dimension" or "Cohort";

    protected override IEnumerable<(object?[] Periods, object?[] Measures)> Measure(IReadOnlyList<ActivityEvent> events)
    {
        var periods = ByPeriod(_timeline, events).Select(p => Ids(p)).ToList();
        var seen = new HashSet<object>(_known);
        for (var from = 0; from < periods.Count; from++)
        {
            var cohort = periods[from].Where(id => !seen.Contains(id)).ToHashSet();
            seen.UnionWith(periods[from]);
            if (_cohort is { } only && only != from)
                continue;
            for (var to = from; to < periods.Count; to++)
            {
                var fresh = to == from ? cohort.Count : periods[to].Count(id => !seen.Contains(id));
                var retained = cohort.Count(periods[to].Contains);
                var rate = cohort.Count == 0 ? 0 : (double)retained / cohort.Count;
                yield return ([_timeline.Label(from), _timeline.Label(to)], [(long)fresh, (long)retained, (long)(cohort.Count - retained), rate, cohort.Count == 0 ? 0 : 1 - rate]);
            }
        }
    }
}
