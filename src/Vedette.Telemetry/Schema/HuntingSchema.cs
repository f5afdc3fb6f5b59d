using System.Collections.Frozen;
using System.Text.Json;
using Vedette.Kql;

namespace Vedette.Telemetry.Schema;

/// <summary>One column of a hunting table.</summary>
/// <param name="Name">Name as the service spells it.</param>
/// <param name="Type">KQL type.</param>
/// <param name="Ordinal">Position in the table, from 0.</param>
/// <param name="Description">One sentence for people.</param>
public sealed record HuntingColumn(string Name, KqlType Type, int Ordinal, string Description);

/// <summary>One advanced hunting table.</summary>
public sealed class HuntingTable
{
    private readonly FrozenDictionary<string, int> _ordinals;

    internal HuntingTable(string name, string description, string category, bool runsContinuously, IReadOnlyList<HuntingColumn> columns)
    {
        Name = name;
        Description = description;
        Category = category;
        RunsContinuously = runsContinuously;
        Columns = columns;
        _ordinals = columns.ToFrozenDictionary(c => c.Name, c => c.Ordinal, StringComparer.Ordinal);
    }

    /// <summary>Name as the service spells it, for instance <c>DeviceProcessEvents</c>.</summary>
    public string Name { get; }

    /// <summary>One sentence for people.</summary>
    public string Description { get; }

    /// <summary>Product family: device, email, identity and so on.</summary>
    public string Category { get; }

    /// <summary>Whether the service lets custom detections over the table run continuously.</summary>
    public bool RunsContinuously { get; }

    /// <summary>Columns in the service's order.</summary>
    public IReadOnlyList<HuntingColumn> Columns { get; }

    /// <summary>Position of a column, by its exact name; -1 when the table has no such column.</summary>
    public int OrdinalOf(string column) => _ordinals.TryGetValue(column, out var ordinal) ? ordinal : -1;
}

/// <summary>
/// The tables of advanced hunting, read once from the embedded <c>hunting-tables.json</c>.
/// </summary>
public static class HuntingSchema
{
    private static readonly Lazy<FrozenDictionary<string, HuntingTable>> Lazy = new(Load);

    /// <summary>All tables by name (exact case).</summary>
    public static FrozenDictionary<string, HuntingTable> Tables => Lazy.Value;

    private static FrozenDictionary<string, HuntingTable> Load()
    {
        using var stream = typeof(HuntingSchema).Assembly.GetManifestResourceStream("hunting-tables.json")
            ?? throw new InvalidOperationException("The hunting schema is missing from the assembly.");
        using var document = JsonDocument.Parse(stream);
        var tables = new Dictionary<string, HuntingTable>(StringComparer.Ordinal);
        foreach (var table in document.RootElement.EnumerateObject())
        {
            var columns = table.Value.GetProperty("columns").EnumerateArray()
                .Select((column, ordinal) => new HuntingColumn(
                    column.GetProperty("name").GetString()!,
                    ParseType(column.GetProperty("type").GetString()!),
                    ordinal,
                    column.TryGetProperty("description", out var text) ? text.GetString()! : ""))
                .ToArray();
            tables.Add(table.Name, new HuntingTable(
                table.Name,
                Text(table.Value, "description"),
                Text(table.Value, "category"),
                table.Value.TryGetProperty("nrtDetection", out var continuous) && continuous.GetBoolean(),
                columns));
        }

        return tables.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static string Text(JsonElement element, string property) =>
        element.TryGetProperty(property, out var value) ? value.GetString() ?? "" : "";

    private static KqlType ParseType(string name) => name switch
    {
        "bool" => KqlType.Bool,
        "int" => KqlType.Int,
        "long" => KqlType.Long,
        "real" => KqlType.Real,
        "decimal" => KqlType.Decimal,
        "string" => KqlType.String,
        "datetime" => KqlType.DateTime,
        "timespan" => KqlType.TimeSpan,
        "guid" => KqlType.Guid,
        "dynamic" => KqlType.Dynamic,
        _ => throw new InvalidOperationException($"The hunting schema names an unknown type '{name}'."),
    };
}
