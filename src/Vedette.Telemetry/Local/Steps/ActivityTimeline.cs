using System.Globalization;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>
/// The time axis of the plug-ins that follow identities over periods. Times of every type are decimal positions: ticks for datetimes and timespans,
/// the number itself for numbers.
/// </summary>
internal sealed class ActivityTimeline
{
    /// <summary>Periods that an analysis may have.</summary>
    private const int MaxPeriods = 100_000;

    private readonly KqlType _type;
    private readonly List<decimal> _starts = [];

    private ActivityTimeline(KqlType type, decimal start, decimal end)
    {
        _type = type;
        Start = start;
        End = end;
    }

    /// <summary>First position of the analysis.</summary>
    public decimal Start { get; }

    /// <summary>Last position of the analysis; it belongs to it.</summary>
    public decimal End { get; }

    /// <summary>How many periods there are.</summary>
    public int Count => _starts.Count;

    /// <summary>Cuts the span from start to end into periods.</summary>
    /// <param name="plugin">The plug-in, for error messages.</param>
    /// <param name="type">Type of the timeline column.</param>
    /// <param name="start">Start of the analysis.</param>
    /// <param name="end">End of the analysis.</param>
    /// <param name="step">Length of a period, or 'week', 'month', 'year'.</param>
    /// <param name="aligned">Whether periods begin at multiples of the step instead of at the start.</param>
    /// <exception cref="HuntingException">The step is not positive, or there are too many periods.</exception>
    public static ActivityTimeline Cut(string plugin, KqlType type, object? start, object? end, object? step, bool aligned = false)
    {
        var (from, to) = (Position(start), Position(end));
        if (from is null || to is null)
            throw Wrong(plugin, "the start and the end of the analysis must not be null");
        var timeline = new ActivityTimeline(type, from.Value, to.Value);
        if (step is string calendar)
        {
            if (type != KqlType.DateTime || calendar is not ("week" or "month" or "year"))
                throw Wrong(plugin, $"'{calendar}' is no step: a positive value, or 'week', 'month' or 'year' over a datetime column, is expected");
            var at = new DateTime((long)from.Value, DateTimeKind.Utc);
            at = calendar switch
            {
                "week" => at.Date.AddDays(-(int)at.DayOfWeek),
                "month" => new DateTime(at.Year, at.Month, 1, 0, 0, 0, DateTimeKind.Utc),
                _ => new DateTime(at.Year, 1, 1, 0, 0, 0, DateTimeKind.Utc),
            };
            for (; at.Ticks <= to.Value; at = calendar switch { "week" => at.AddDays(7), "month" => at.AddMonths(1), _ => at.AddYears(1) })
                timeline.Begin(plugin, at.Ticks);
            return timeline;
        }

        if (Position(step) is not { } size || size <= 0)
            throw Wrong(plugin, "the step must be positive");
        for (var at = aligned ? Math.Floor(from.Value / size) * size : from.Value; at <= to.Value; at += size)
            timeline.Begin(plugin, at);
        return timeline;
    }

    /// <summary>The position of a value; null for null and for what is no point of an axis.</summary>
    public static decimal? Position(object? value) => value switch
    {
        DateTime t => t.Ticks,
        TimeSpan t => t.Ticks,
        int i => i,
        long l => l,
        decimal m => m,
        double d => Math.Abs(d) < 1e18 ? (decimal)d : null,
        _ => null,
    };

    /// <summary>The period a position lies in, or -1 when it is not part of the analysis.</summary>
    public int PeriodOf(decimal position)
    {
        if (position < Start || position > End)
            return -1;
        var found = _starts.BinarySearch(position);
        return found >= 0 ? found : ~found - 1;
    }

    /// <summary>Where a period begins.</summary>
    public decimal StartOf(int period) => _starts[period];

    /// <summary>Where the period after this one begins.</summary>
    public decimal EndOf(int period) => period + 1 < _starts.Count ? _starts[period + 1] : period > 0 ? (2 * _starts[period]) - _starts[period - 1] : decimal.MaxValue;

    /// <summary>A period's start as a value of the timeline column.</summary>
    public object Label(int period) => Value(_starts[period], _type);

    /// <summary>A position as a value of a type.</summary>
    public static object Value(decimal position, KqlType type) => type switch
    {
        KqlType.DateTime => new DateTime((long)position, DateTimeKind.Utc),
        KqlType.TimeSpan => new TimeSpan((long)position),
        KqlType.Int => (int)position,
        KqlType.Long => (long)position,
        KqlType.Real => (double)position,
        _ => position,
    };

    private static HuntingException Wrong(string plugin, string message) =>
        new(HuntingFailure.Semantic, string.Create(CultureInfo.InvariantCulture, $"evaluate {plugin}(): {message}."));

    private void Begin(string plugin, decimal at)
    {
        if (_starts.Count == MaxPeriods)
            throw new HuntingException(HuntingFailure.ExcessiveResources, $"evaluate {plugin}(): the analysis has more than {MaxPeriods} periods.");
        _starts.Add(at);
    }
}
