using Vedette.Kql;
using Vedette.Kql.Bound;

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
    };

    public static Func<PluginCall, ILocalStep>? Find(string name) => Table.GetValueOrDefault(name);

    /// <summary>Names of all plug-ins in the table.</summary>
    public static IEnumerable<string> Names => Table.Keys;
}
