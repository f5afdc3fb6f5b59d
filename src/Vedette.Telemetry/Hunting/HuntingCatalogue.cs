using System.Text.Json;
using Vedette.Kql;
using Vedette.Telemetry.Schema;
using Vedette.Telemetry.Sql;

namespace Vedette.Telemetry.Hunting;

/// <summary>What names a hunting query may use, and where the engine keeps them.</summary>
public sealed class HuntingCatalogue
{
    private readonly Dictionary<string, SqlTable> _tables = new(StringComparer.Ordinal);
    private readonly Lazy<KqlSchema> _tolerant;

    /// <summary>Builds the catalogue for the settings.</summary>
    public HuntingCatalogue(TelemetryOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var retired = options.RetiredColumns ? ReadRetired() : [];
        foreach (var table in PhysicalTable.All.Values)
        {
            var columns = table.Columns
                .Where(static c => c.Name[0] != '_')
                .ToDictionary(static c => c.Name, static c => new SqlTableColumn(c.Name, c.KqlType, c.Nullable), StringComparer.Ordinal);
            if (options.TimeGenerated && table.TimeColumn is { } time) columns.TryAdd("TimeGenerated", columns[time]);
            foreach (var (old, name) in Aliases(table, retired)) columns.TryAdd(old, columns[name]);
            _tables.Add(table.Table.Name, new SqlTable(options.Database, table.Table.Name, columns, table.TimeColumn, table.DeviceColumn));
        }

        Schema = new KqlSchema(PhysicalTable.All.Values.Select(t => Definition(t, options.TimeGenerated, [])), HuntingFunctions.Schema, "hunting");
        _tolerant = new Lazy<KqlSchema>(() => new KqlSchema(
            PhysicalTable.All.Values.Select(t => Definition(t, options.TimeGenerated, Aliases(t, retired).Select(static a => a.Old))), HuntingFunctions.Schema, "hunting"));
        HasRetiredColumns = retired.Count > 0;
    }

    /// <summary>The documented tables and the hunting functions.</summary>
    public KqlSchema Schema { get; }

    /// <summary>The same with the columns that were renamed or retired, for queries that <see cref="Schema"/> does not bind.</summary>
    public KqlSchema TolerantSchema => _tolerant.Value;

    /// <summary>Whether <see cref="TolerantSchema"/> has more columns.</summary>
    public bool HasRetiredColumns { get; }

    /// <summary>Where a table lives; null when there is none of that name.</summary>
    public SqlTable? FindTable(string name) => _tables.GetValueOrDefault(name);

    private static KqlTable Definition(PhysicalTable table, bool timeGenerated, IEnumerable<string> aliases)
    {
        var columns = table.Table.Columns.Select(static c => new KqlColumnDefinition(c.Name, c.Type)).ToList();
        if (timeGenerated && table.TimeColumn is not null && table.Table.OrdinalOf("TimeGenerated") < 0)
            columns.Add(new KqlColumnDefinition("TimeGenerated", KqlType.DateTime));
        columns.AddRange(aliases.Select(static a => new KqlColumnDefinition(a, KqlType.String)));
        return new KqlTable(table.Table.Name, columns);
    }

    private static IEnumerable<(string Old, string Name)> Aliases(PhysicalTable table, Dictionary<string, Dictionary<string, string>> retired)
    {
        foreach (var scope in new[] { "*", table.Table.Name })
        {
            if (!retired.TryGetValue(scope, out var names)) continue;
            foreach (var (old, name) in names)
            {
                if (table.Table.OrdinalOf(old) < 0 && table.Table.OrdinalOf(name) is >= 0 and var ordinal
                    && table.Table.Columns[ordinal].Type == KqlType.String)
                    yield return (old, name);
            }
        }
    }

    private static Dictionary<string, Dictionary<string, string>> ReadRetired()
    {
        using var document = Read("retired-columns.json");
        return document.RootElement.EnumerateObject().ToDictionary(
            static table => table.Name,
            static table => table.Value.EnumerateObject().ToDictionary(static c => c.Name, static c => c.Value.GetString()!, StringComparer.Ordinal),
            StringComparer.Ordinal);
    }

    private static JsonDocument Read(string resource)
    {
        using var stream = typeof(HuntingCatalogue).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"{resource} is missing from the assembly.");
        return JsonDocument.Parse(stream);
    }
}
