using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local.Patterns;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>An argument of a plug-in.</summary>
/// <param name="Column">Position of the column that holds it, or -1.</param>
/// <param name="Constant">Its value when it is no column; for an aggregate its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="Operands">For an aggregate: positions of its operands.</param>
internal sealed record PluginValue(int Column, object? Constant, KqlType Type, IReadOnlyList<int>? Operands)
{
    public string Text => LocalValues.ToText(Constant, Type);

    /// <summary>The parameter's name.</summary>
    public string? Parameter { get; init; }

    /// <summary>For an argument that is a table: its rows. <see cref="Column"/> is then the column of it that answers to the first column argument.</summary>
    public CollectStep? Table { get; init; }
}

/// <summary>A call of a plug-in.</summary>
/// <param name="Name">The plug-in.</param>
/// <param name="Width">Columns of the input relation; further ones hold computed arguments.</param>
/// <param name="Arguments">Arguments in order.</param>
/// <param name="Columns">Output columns that the language knows.</param>
/// <param name="Outputs">These, and those that operators above take by name.</param>
/// <param name="IsOpen">Whether more columns may appear.</param>
internal sealed record PluginCall(
    string Name, int Width, IReadOnlyList<PluginValue> Arguments, IReadOnlyList<KqlColumn> Columns, IReadOnlyList<KqlColumn> Outputs, bool IsOpen)
{
    /// <summary>Names of the input's columns.</summary>
    public IList<string> InputNames { get; init; } = [];

    /// <summary>An argument by its parameter's name or, for plain arguments, by position.</summary>
    public PluginValue? Argument(string name, int position) =>
        Arguments.FirstOrDefault(a => string.Equals(a.Parameter, name, StringComparison.OrdinalIgnoreCase))
        ?? (position >= 0 && position < Arguments.Count && !Known.Contains(Arguments[position].Parameter ?? "") ? Arguments[position] : null);

    /// <summary>Whether an argument is given, and not as '~', which stands for its default.</summary>
    public bool Has(string name) => Find(name) is { } argument && argument.Constant is not "~";

    /// <summary>The position of the column that an argument names.</summary>
    /// <exception cref="HuntingException">It is missing.</exception>
    public int ColumnOf(string name) => Find(name) is { Column: >= 0 } argument
        ? argument.Column
        : throw new HuntingException(HuntingFailure.Semantic, $"evaluate {Name}(): the argument {name} must be a column.");

    /// <summary>The value of an argument that is the same for all rows; null when it is absent.</summary>
    public object? Value(LocalTable input, string name) => Find(name) is not { } argument
        ? null
        : argument.Column < 0 ? argument.Constant : input.Rows.Count > 0 ? input.Rows[0][argument.Column] : null;

    /// <summary>An argument as a real; its default when it is absent or '~'.</summary>
    public double Real(LocalTable input, string name, double absent) =>
        Has(name) && LocalValues.To(Value(input, name), Find(name)!.Type, KqlType.Real) is double value ? value : absent;

    /// <summary>An argument as an integer; its default when it is absent or '~'.</summary>
    public long Long(LocalTable input, string name, long absent) =>
        Has(name) && LocalValues.To(Value(input, name), Find(name)!.Type, KqlType.Long) is long value ? value : absent;

    /// <summary>An argument by its parameter's name; null when it is left out.</summary>
    public PluginValue? Find(string name) => Arguments.FirstOrDefault(a => string.Equals(a.Parameter, name, StringComparison.OrdinalIgnoreCase));

    private static readonly HashSet<string> Known = new(StringComparer.OrdinalIgnoreCase) { "columnsConflict", "ignoredProperties", "column_prefix" };
}

/// <summary>The plug-ins that run in this process.</summary>
internal static class PluginSteps
{
    private static readonly Dictionary<string, Func<PluginCall, ILocalStep>> Table = new(StringComparer.Ordinal)
    {
        ["bag_unpack"] = c => new BagUnpackStep(c),
        ["pivot"] = c => new PivotStep(c),
        ["narrow"] = c => new NarrowStep(c),
        ["preview"] = c => new PreviewStep(c),
        ["rows_near"] = c => new RowsNearStep(c),
        ["rolling_percentile"] = c => new RollingPercentileStep(c),
        ["dcount_intersect"] = c => new DcountIntersectStep(c),
        ["schema_merge"] = c => new SchemaMergeStep(c),
        ["active_users_count"] = c => new ActiveUsersCountStep(c),
        ["activity_counts_metrics"] = c => new ActivityCountsStep(c),
        ["activity_engagement"] = c => new ActivityEngagementStep(c),
        ["activity_metrics"] = c => new ActivityMetricsStep(c),
        ["new_activity_metrics"] = c => new NewActivityMetricsStep(c),
        ["session_count"] = c => new SessionCountStep(c),
        ["sliding_window_counts"] = c => new SlidingWindowCountsStep(c),
        ["funnel_sequence"] = c => new FunnelSequenceStep(c),
        ["funnel_sequence_completion"] = c => new FunnelCompletionStep(c),
        ["sequence_detect"] = c => new SequenceDetectStep(c),
        ["autocluster"] = c => new AutoclusterStep(c),
        ["basket"] = c => new BasketStep(c),
        ["diffpatterns"] = c => new DiffPatternsStep(c),
        ["diffpatterns_text"] = c => new DiffPatternsTextStep(c),
    };

    public static Func<PluginCall, ILocalStep>? Find(string name) => Table.GetValueOrDefault(name);

    /// <summary>Names of all plug-ins in the table.</summary>
    public static IEnumerable<string> Names => Table.Keys;
}
