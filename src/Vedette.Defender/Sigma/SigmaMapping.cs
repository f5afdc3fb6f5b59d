using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vedette.Defender.Sigma;

/// <summary>How a field of Sigma stands in a table: a kind, and the columns or words that it needs.</summary>
/// <param name="Kind">Kind, as <see cref="FieldTests"/> knows them; <c>text</c> for a plain column.</param>
/// <param name="Arguments">Columns (an <c>@</c> in front means a member of AdditionalFields), vocabularies or words.</param>
/// <param name="Lookup">Name of the lookup that must come first; null for none.</param>
internal sealed record SigmaField(string Kind, IReadOnlyList<string> Arguments, string? Lookup)
{
    /// <summary>Reads a field as the mapping writes it: <c>Column</c>, <c>@Member</c>, <c>kind:argument,argument</c> or <c>via:lookup,field</c>.</summary>
    public static SigmaField Parse(string text)
    {
        if (text.StartsWith("via:", StringComparison.Ordinal))
        {
            var comma = text.IndexOf(',', StringComparison.Ordinal);
            return Parse(text[(comma + 1)..]) with { Lookup = text[4..comma] };
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return new SigmaField("text", [text], null);
        var kind = text[..colon];
        return new SigmaField(kind, kind == "expr" ? [text[(colon + 1)..]] : text[(colon + 1)..].Split(','), null);
    }
}

/// <summary>One kind of rows of a table that a log source's events become.</summary>
internal sealed record SigmaVariant
{
    /// <summary>Name in the mapping.</summary>
    public required string Name { get; init; }

    /// <summary>The hunting table.</summary>
    public required string Table { get; init; }

    /// <summary>The action types of the rows.</summary>
    public required IReadOnlyList<string> Actions { get; init; }

    /// <summary>What else tells the rows apart, in KQL; null for nothing.</summary>
    public string? Where { get; init; }

    /// <summary>Column whose path tells Windows from other systems, where rows of several systems share the table; null elsewhere.</summary>
    public string? Platform { get; init; }

    /// <summary>Fields by name, ignoring case.</summary>
    public required IReadOnlyDictionary<string, SigmaField> Fields { get; init; }

    /// <summary>What becomes evidence, such as <c>Process:created</c>.</summary>
    public required IReadOnlyList<string> Entities { get; init; }

    /// <summary>Columns in which keywords are searched.</summary>
    public IReadOnlyList<string> Keywords { get; init; } = [];
}

/// <summary>Which tables hold the events of which log source, and which columns their fields: <c>sigma-mapping.json</c>.</summary>
internal sealed class SigmaMapping
{
    private static readonly Lazy<SigmaMapping> Loaded = new(() => new SigmaMapping());

    private readonly List<(SigmaLogSource Source, IReadOnlyList<SigmaVariant> Variants)> _sources = [];
    private readonly Dictionary<string, Dictionary<string, string>> _vocabularies;
    private readonly Dictionary<string, string> _lookups;

    private readonly HashSet<string> _lowered;

    private SigmaMapping()
    {
        using var stream = typeof(SigmaMapping).Assembly.GetManifestResourceStream("sigma-mapping.json")
            ?? throw new InvalidOperationException("The mapping of Sigma log sources is missing from the assembly.");
        var root = JsonNode.Parse(stream)!.AsObject();
        _vocabularies = root["vocabularies"].Deserialize<Dictionary<string, Dictionary<string, string>>>()!
            .ToDictionary(static pair => pair.Key, static pair => new Dictionary<string, string>(pair.Value, StringComparer.OrdinalIgnoreCase), StringComparer.Ordinal);
        _lowered = [.. Words(root["lowered"])];
        _lookups = root["lookups"].Deserialize<Dictionary<string, string>>()!;
        var variants = root["variants"]!.AsObject().ToDictionary(static pair => pair.Key, pair => Variant(root, pair.Key, pair.Value!), StringComparer.Ordinal);
        foreach (var source in root["sources"]!.AsArray())
        {
            _sources.Add((
                new SigmaLogSource((string?)source!["product"], (string?)source["category"], (string?)source["service"]),
                [.. source["variants"]!.AsArray().Select(name => variants[(string)name!])]));
        }
    }

    /// <summary>The mapping of this product.</summary>
    public static SigmaMapping Shared => Loaded.Value;

    /// <summary>The log sources, in the order in which they are tried.</summary>
    public IEnumerable<(SigmaLogSource Source, IReadOnlyList<SigmaVariant> Variants)> Sources => _sources;

    /// <summary>What rows a log source's events become; null when no table holds them.</summary>
    public IReadOnlyList<SigmaVariant>? Find(SigmaLogSource source)
    {
        foreach (var (known, variants) in _sources)
        {
            if (known.Category == source.Category && known.Service == source.Service && (known.Product is null || known.Product == source.Product)) return variants;
        }

        // A service beside a category only narrows it.
        return source is { Category: not null, Service: not null } ? Find(source with { Service = null }) : null;
    }

    /// <summary>The columns' words by Sigma's words.</summary>
    public IReadOnlyDictionary<string, string> Vocabulary(string name) => _vocabularies[name];

    /// <summary>Whether a column holds lower case only, or is computed from such columns.</summary>
    public bool IsLowered(string column, SigmaField field) => _lowered.Contains(column) || (field.Kind == "account" && field.Arguments.All(_lowered.Contains));

    /// <summary>The operator that brings in another table's columns.</summary>
    public string Lookup(string name) => _lookups[name];

    private static SigmaVariant Variant(JsonObject root, string name, JsonNode node)
    {
        var fields = new Dictionary<string, SigmaField>(StringComparer.OrdinalIgnoreCase);
        foreach (var set in Words(node["sets"])) Include(root, set, fields);
        foreach (var (field, text) in node["fields"]?.AsObject() ?? []) fields[field] = SigmaField.Parse((string)text!);
        return new SigmaVariant
        {
            Name = name,
            Table = (string)node["table"]!,
            Actions = Words(node["actions"]),
            Where = (string?)node["where"],
            Platform = (string?)node["platform"],
            Fields = fields,
            Entities = Words(root["entities"]![(string)node["entities"]!]),
            Keywords = Words(node["keywords"]),
        };
    }

    private static void Include(JsonObject root, string name, Dictionary<string, SigmaField> fields)
    {
        var set = root["fieldSets"]![name]!;
        foreach (var other in Words(set["include"])) Include(root, other, fields);
        foreach (var (field, text) in set["fields"]!.AsObject()) fields[field] = SigmaField.Parse((string)text!);
    }

    private static string[] Words(JsonNode? node) => node is null ? [] : [.. node.AsArray().Select(static item => (string)item!)];
}
