using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Defender.State;

namespace Vedette.Defender.Alerts.Evidence;

/// <summary>A property of a kind of evidence, or of a value inside one.</summary>
/// <param name="Name">Name on the wire.</param>
/// <param name="Type"><c>String</c>, <c>Int32</c>, <c>Int64</c>, <c>Double</c>, <c>Boolean</c>, <c>DateTimeOffset</c>, <c>Guid</c>, <c>dictionary</c>, an enumeration or a type of <see cref="EvidenceKinds"/>.</param>
/// <param name="IsList">Whether it is a list of them; lists are never null.</param>
/// <param name="NotNull">Whether it always has a value.</param>
public sealed record EvidenceProperty(string Name, string Type, bool IsList, bool NotNull)
{
    /// <summary>Members of the enumeration, in their order; null for other types.</summary>
    public IReadOnlyList<string>? Members { get; init; }
}

/// <summary>A kind of evidence, or a type of values inside one.</summary>
/// <param name="Name">Name of the type.</param>
/// <param name="Properties">What it has.</param>
public sealed record EvidenceType(string Name, IReadOnlyList<EvidenceProperty> Properties)
{
    /// <summary>The kind; null for types of values.</summary>
    public EvidenceKind? Kind { get; init; }

    /// <summary>A property by name; null when there is none.</summary>
    public EvidenceProperty? Find(string name) => Properties.FirstOrDefault(property => property.Name == name);
}

/// <summary>
/// What each kind of evidence can tell, read once from <c>evidence-kinds.json</c>. Source: the type model of Graph security. The names are those
/// of <see cref="AlertEvidence.Details"/>.
/// </summary>
public static class EvidenceKinds
{
    /// <summary>The type of a property that holds evidence of any kind, which then says its own.</summary>
    public const string Any = "alertEvidence";

    private static readonly Lazy<Catalogue> Read = new(() => new Catalogue());

    /// <summary>What all kinds have.</summary>
    public static IReadOnlyList<EvidenceProperty> Base => Read.Value.Base;

    /// <summary>Every kind.</summary>
    public static IEnumerable<EvidenceType> All => Read.Value.ByKind.Values;

    /// <summary>A kind.</summary>
    public static EvidenceType Of(EvidenceKind kind) => Read.Value.ByKind[kind];

    /// <summary>A type by its name; null when there is none.</summary>
    public static EvidenceType? Find(string name) => Read.Value.ByName.GetValueOrDefault(name);

    /// <summary>Writes the details of a piece of evidence.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="values">Values by name; those that are null or empty are left out.</param>
    /// <returns>The details; null when there are none.</returns>
    /// <exception cref="ArgumentException">The kind has no property of a name.</exception>
    public static string? Details(EvidenceKind kind, params ReadOnlySpan<(string Name, JsonNode? Value)> values)
    {
        var type = Of(kind);
        var details = new JsonObject();
        foreach (var (name, value) in values)
        {
            if (type.Find(name) is null && !Base.Any(property => property.Name == name)) throw new ArgumentException($"Evidence of the kind {kind} has no {name}.", nameof(values));
            if (value is null or JsonArray { Count: 0 } or JsonObject { Count: 0 } || (value is JsonValue text && text.TryGetValue<string>(out var word) && word.Length == 0)) continue;
            details[name] = value;
        }

        return details.Count == 0 ? null : details.ToJsonString();
    }

    /// <summary>Details in one form, whatever wrote them: the store keeps neither the order of names nor spaces.</summary>
    public static string Canonical(string? details) => details is null ? "" : Ordered(JsonNode.Parse(details))?.ToJsonString() ?? "";

    private static JsonNode? Ordered(JsonNode? node) => node switch
    {
        JsonObject parts => new JsonObject(parts.OrderBy(part => part.Key, StringComparer.Ordinal).Select(part => KeyValuePair.Create(part.Key, Ordered(part.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Ordered)]),
        _ => node?.DeepClone(),
    };

    /// <summary>Makes a value of several parts; null when none of them is there.</summary>
    public static JsonObject? Value(params ReadOnlySpan<(string Name, JsonNode? Value)> parts)
    {
        var value = new JsonObject();
        foreach (var (name, part) in parts)
            if (part is not null) value[name] = part;
        return value.Count == 0 ? null : value;
    }

    private sealed class Catalogue
    {
        private readonly Dictionary<string, string[]> _members;

        public Catalogue()
        {
            using var stream = typeof(EvidenceKinds).Assembly.GetManifestResourceStream("evidence-kinds.json")
                ?? throw new InvalidOperationException("The kinds of evidence are missing from the assembly.");
            var document = JsonSerializer.Deserialize<Document>(stream, JsonSerializerOptions.Web)!;
            _members = document.Enumerations;
            Base = Properties(document.Base);
            var kinds = document.Kinds.Select(kind => new EvidenceType(kind.Type, Properties(kind.Properties)) { Kind = kind.Kind }).ToArray();
            ByKind = kinds.ToFrozenDictionary(kind => kind.Kind!.Value);
            ByName = kinds.Concat(document.ComplexTypes.Select(type => new EvidenceType(type.Key, Properties(type.Value))))
                .ToFrozenDictionary(type => type.Name, StringComparer.Ordinal);
        }

        public IReadOnlyList<EvidenceProperty> Base { get; }

        public FrozenDictionary<EvidenceKind, EvidenceType> ByKind { get; }

        public FrozenDictionary<string, EvidenceType> ByName { get; }

        // "String", "String!" never null, "String[]" a list.
        private EvidenceProperty[] Properties(Dictionary<string, string> types) => [.. types.Select(pair =>
        {
            var isList = pair.Value.EndsWith("[]", StringComparison.Ordinal);
            var type = isList ? pair.Value[..^2] : pair.Value.TrimEnd('!');
            return new EvidenceProperty(pair.Key, type, isList, pair.Value.EndsWith('!')) { Members = _members.GetValueOrDefault(type) };
        })];
    }

    private sealed record Document(
        Dictionary<string, string> Base, DocumentKind[] Kinds, Dictionary<string, Dictionary<string, string>> ComplexTypes, Dictionary<string, string[]> Enumerations);

    private sealed record DocumentKind([property: System.Text.Json.Serialization.JsonConverter(typeof(System.Text.Json.Serialization.JsonStringEnumConverter<EvidenceKind>))] EvidenceKind Kind, string Type, Dictionary<string, string> Properties);
}
