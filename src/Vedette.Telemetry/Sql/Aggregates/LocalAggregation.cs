using System.Globalization;
using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Telemetry.Local;
using Vedette.Telemetry.Local.Functions;

namespace Vedette.Telemetry.Sql.Aggregates;

/// <summary>An aggregate that SQL can only prepare: it collects values, and this process makes the result out of them.</summary>
/// <param name="Before">What is done to each value first, or null.</param>
/// <param name="Collect">How SQL collects the values of a group, as a dynamic array.</param>
/// <param name="After">The result out of the array.</param>
internal sealed record LocalAggregation(LocalFunction? Before, Func<SqlValue, SqlValue> Collect, LocalFunction After)
{
    /// <summary>Values of a group that are collected at most.</summary>
    private const int MaxValues = 100_000;

    private static readonly Dictionary<string, LocalAggregation> Table = new(StringComparer.Ordinal)
    {
        // Rows are many, their schemas are few.
        ["buildschema"] = new(
            c => SchemaFunctions.Of(c.Json(0)),
            v => SqlJson.FromElements(string.Create(CultureInfo.InvariantCulture, $"arraySort(groupUniqArrayIf({MaxValues})({v.Text}, {v.Text} != ''))")),
            c => SchemaFunctions.Merge(c.Array(0) ?? new JsonArray())),
        ["tdigest_merge"] = new(
            null,
            v => SqlJson.FromElements(string.Create(CultureInfo.InvariantCulture, $"groupArrayIf({MaxValues})({v.Text}, {v.Text} != '')")),
            c => Digest.Merge((c.Array(0) ?? []).Select(Digest.Read)).Write()),
    };

    /// <summary>The aggregate of that name, or null when it is none of these.</summary>
    public static LocalAggregation? Find(string name) => Table.GetValueOrDefault(name);

    /// <summary>Names of all aggregates in the table.</summary>
    public static IReadOnlyCollection<string> Names => Table.Keys;
}
