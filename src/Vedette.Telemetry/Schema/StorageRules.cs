using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Vedette.Kql;

namespace Vedette.Telemetry.Schema;

/// <summary>
/// How hunting columns are kept: read once from the embedded <c>hunting-storage.json</c>. Patterns are column names in which <c>*</c> stands
/// for any text. The reasons and the measurements are in <c>docs/telemetry-store.md</c>.
/// </summary>
internal sealed class StorageRules
{
    private static readonly Lazy<StorageRules> Lazy = new(Load);

    private readonly Regex _plainStrings;
    private readonly Regex _termIndexes;
    private readonly Regex _valueIndexes;
    private readonly Regex _compressed;
    private readonly IReadOnlyDictionary<string, string[]> _counted;
    private readonly IReadOnlyDictionary<string, string[]> _sortingKeys;

    private StorageRules(Document document)
    {
        _plainStrings = Names(document.PlainStrings);
        _termIndexes = Names(document.TermIndexes);
        _valueIndexes = Names(document.ValueIndexes);
        _compressed = Names(document.Compressed);
        _counted = document.Counted;
        _sortingKeys = document.SortingKeys;
    }

    public static StorageRules Current => Lazy.Value;

    /// <summary>Whether a string column has too many distinct values for a dictionary.</summary>
    public bool IsPlain(HuntingColumn column) => _plainStrings.IsMatch(column.Name);

    /// <summary>Whether <c>has</c> and its family find terms of the column through an index over its lower-case text.</summary>
    public bool HasTermIndex(HuntingColumn column) =>
        column.Type is KqlType.String or KqlType.Dynamic && _termIndexes.IsMatch(column.Name);

    /// <summary>Whether equality on the column skips blocks through a Bloom filter.</summary>
    public bool HasValueIndex(HuntingColumn column) => column.Type == KqlType.String && _valueIndexes.IsMatch(column.Name);

    /// <summary>Whether the column is worth the slower, denser compression.</summary>
    public bool IsCompressed(HuntingColumn column) => _compressed.IsMatch(column.Name);

    /// <summary>Columns by which rows are counted beforehand, hour by hour; empty for most tables.</summary>
    public IReadOnlyList<string> Counted(HuntingTable table) => _counted.GetValueOrDefault(table.Name, []);

    /// <summary>Columns that rows are sorted by, after the tenant.</summary>
    public IReadOnlyList<string> SortingKey(HuntingTable table)
    {
        if (_sortingKeys.TryGetValue(table.Name, out var key)) return key;
        string[] usual = ["DeviceId", "Timestamp"];
        return usual.Where(c => table.OrdinalOf(c) >= 0).ToArray();
    }

    private static Regex Names(string[] patterns) => new(
        "^(?:" + string.Join('|', patterns.Select(static p => Regex.Escape(p).Replace("\\*", ".*", StringComparison.Ordinal))) + ")$",
        RegexOptions.CultureInvariant);

    private static StorageRules Load()
    {
        using var stream = typeof(StorageRules).Assembly.GetManifestResourceStream("hunting-storage.json")
            ?? throw new InvalidOperationException("The storage rules are missing from the assembly.");
        return new StorageRules(JsonSerializer.Deserialize(stream, StorageRulesContext.Default.Document)
            ?? throw new InvalidOperationException("The storage rules are empty."));
    }

    internal sealed record Document(
        string[] PlainStrings,
        string[] TermIndexes,
        string[] ValueIndexes,
        string[] Compressed,
        Dictionary<string, string[]> Counted,
        Dictionary<string, string[]> SortingKeys);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StorageRules.Document))]
internal sealed partial class StorageRulesContext : JsonSerializerContext;
