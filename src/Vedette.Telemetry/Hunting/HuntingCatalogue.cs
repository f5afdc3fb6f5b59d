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
    private readonly Dictionary<string, string> _renamed;

    /// <summary>Builds the catalogue for the settings.</summary>
    public HuntingCatalogue(TelemetryOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var retired = options.RetiredColumns == RetiredColumns.Warn ? ReadRetired() : [];
        foreach (var table in PhysicalTable.All.Values)
        {
            var columns = table.Columns
                .Where(static c => c.Name[0] != '_')
                .ToDictionary(static c => c.Name, static c => new SqlTableColumn(c.Name, c.KqlType, c.Nullable, c.IsDictionary), StringComparer.Ordinal);
            if (options.TimeGenerated && table.TimeColumn is { } time) columns.TryAdd("TimeGenerated", columns[time]);
            foreach (var (old, name, _) in Aliases(table, retired))
            {
                if (columns.TryGetValue(name, out var column)) columns.TryAdd(old, column);
            }

            _tables.Add(table.Table.Name, new SqlTable(options.Database, table.Table.Name, columns, table.TimeColumn, table.DeviceColumn) { CountedColumns = table.CountedColumns });
        }

        Schema = new KqlSchema(PhysicalTable.All.Values.Select(t => Definition(t, options.TimeGenerated, [])), HuntingFunctions.Schema, "hunting");
        _tolerant = new Lazy<KqlSchema>(() => new KqlSchema(
            PhysicalTable.All.Values.Select(t => Definition(t, options.TimeGenerated, Aliases(t, retired), options.TimeGenerated)),
            HuntingFunctions.Schema,
            "hunting"));
        HasRetiredColumns = options.RetiredColumns == RetiredColumns.Warn;
        _renamed = retired.Values.SelectMany(static names => names).DistinctBy(static n => n.Key).ToDictionary(StringComparer.Ordinal);
    }

    /// <summary>The documented tables and the hunting functions.</summary>
    public KqlSchema Schema { get; }

    /// <summary>The same with the columns that were renamed or retired, for queries that <see cref="Schema"/> does not bind.</summary>
    public KqlSchema TolerantSchema => _tolerant.Value;

    /// <summary>Whether <see cref="TolerantSchema"/> has more columns.</summary>
    public bool HasRetiredColumns { get; }

    /// <summary>What a query is told that only binds with <see cref="TolerantSchema"/>, by the errors that it has without.</summary>
    public IEnumerable<KqlDiagnostic> Warnings(IEnumerable<KqlDiagnostic> errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        foreach (var error in errors.Where(static e => e.Severity == KqlSeverity.Error))
        {
            var name = error.Message.Split('\'') is [.., var last, _] ? last : "";
            if (_renamed.TryGetValue(name, out var now))
            {
                var gone = now[0] == ':';
                yield return error with
                {
                    Severity = KqlSeverity.Warning,
                    Message = $"The column '{name}' was renamed or retired; {(gone ? "it is null" : $"'{now}' is read in its place")}.",
                    Hint = null,
                };
            }
            else if (name == BilledSize)
                yield return error with { Severity = KqlSeverity.Warning, Message = $"Nothing is billed here: '{name}' is null.", Hint = null };
        }
    }

    /// <summary>Binds a query as it would run: with retired columns, and warnings about them, where only they make it sound. Never throws for any text.</summary>
    /// <param name="query">KQL text.</param>
    /// <param name="options">Bounds and columns found at run time.</param>
    /// <param name="strict">Whether retired columns are unknown whatever the settings say.</param>
    public KqlCompilation Bind(string query, KqlOptions? options = null, bool strict = false) => LateBinding.Bind(query, options, o => BindOnce(query, o, strict));

    private KqlCompilation BindOnce(string query, KqlOptions? options, bool strict)
    {
        var compilation = KqlCompiler.Bind(query, Schema, options);
        if (compilation.Succeeded || !HasRetiredColumns || strict) return compilation;
        var tolerant = KqlCompiler.Bind(query, TolerantSchema, options);
        return tolerant.Succeeded ? tolerant.WithWarnings(Warnings(compilation.Diagnostics)) : compilation;
    }

    /// <summary>Where a table lives; null when there is none of that name.</summary>
    public SqlTable? FindTable(string name) => _tables.GetValueOrDefault(name);

    // A column that every table of a workspace has besides its own.
    private const string BilledSize = "_BilledSize";

    private static KqlTable Definition(PhysicalTable table, bool timeGenerated, IEnumerable<(string Old, string Name, KqlType Type)> aliases, bool billed = false)
    {
        var columns = table.Table.Columns.Select(static c => new KqlColumnDefinition(c.Name, c.Type)).ToList();
        if (timeGenerated && table.TimeColumn is not null && table.Table.OrdinalOf("TimeGenerated") < 0)
            columns.Add(new KqlColumnDefinition("TimeGenerated", KqlType.DateTime));
        columns.AddRange(aliases.Select(static a => new KqlColumnDefinition(a.Old, a.Type)));
        if (billed) columns.Add(new KqlColumnDefinition(BilledSize, KqlType.Real));
        return new KqlTable(table.Table.Name, columns);
    }

    // A table's own entries go before those for all tables. A name that begins with a colon is the type of a column that is gone: it is null.
    private static IEnumerable<(string Old, string Name, KqlType Type)> Aliases(PhysicalTable table, Dictionary<string, Dictionary<string, string>> retired)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var scope in new[] { table.Table.Name, "*" })
        {
            if (!retired.TryGetValue(scope, out var names)) continue;
            foreach (var (old, name) in names)
            {
                if (table.Table.OrdinalOf(old) >= 0) continue;
                if (name[0] == ':' && KqlTypes.TryParse(name.AsSpan(1), out var type) && seen.Add(old)) yield return (old, name, type);
                else if (table.Table.OrdinalOf(name) is >= 0 and var ordinal && seen.Add(old)) yield return (old, name, table.Table.Columns[ordinal].Type);
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
