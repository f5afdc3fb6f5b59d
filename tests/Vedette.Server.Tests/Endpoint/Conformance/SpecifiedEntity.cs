using System.Globalization;
using System.Text.Json;

namespace Vedette.Server.Tests.Endpoint.Conformance;

/// <summary>An entity as the shared reference tells it, and whether an answer has its shape.</summary>
internal sealed class SpecifiedEntity
{
    private static readonly Lazy<IReadOnlyList<SpecifiedEntity>> Entities = new(() => [.. Read("spec/endpoint/entities-1.json"), .. Read("spec/endpoint/entities-2.json")]);

    private SpecifiedEntity(JsonElement entity)
    {
        var wire = entity.TryGetProperty("wire_type", out var type) && type.ValueKind == JsonValueKind.String ? type.GetString()! : "";
        Names = [entity.GetProperty("entity").GetString()!, .. wire.Split([' ', '/', ';'], StringSplitOptions.RemoveEmptyEntries)];
        Properties =
        [
            .. entity.GetProperty("properties").EnumerateArray().Select(p => new Property(
                p.GetProperty("name").GetString()!,
                p.GetProperty("type").GetString()!,
                p.TryGetProperty("values", out var values) && values.ValueKind == JsonValueKind.Array ? [.. values.EnumerateArray().Select(v => v.ToString())] : [])),
        ];
    }

    /// <summary>Its name and the names under which the wire knows it.</summary>
    public IReadOnlyList<string> Names { get; }

    public IReadOnlyList<Property> Properties { get; }

    /// <summary>An entity by name: of several descriptions of one entity, the first.</summary>
    public static SpecifiedEntity? Find(string name) => Entities.Value.FirstOrDefault(e => e.Names[0] == name) ?? Entities.Value.FirstOrDefault(e => e.Names.Contains(name));

    /// <summary>What is wrong with an item; null when nothing is.</summary>
    public static string? Check(string name, JsonElement item, Func<string, string, bool> isExcepted)
    {
        var descriptions = Entities.Value.Where(e => e.Names[0] == name).ToArray();
        if (descriptions.Length == 0) descriptions = [.. Entities.Value.Where(e => e.Names.Contains(name))];
        if (descriptions.Length == 0) return $"the reference has no entity {name}";
        if (item.ValueKind != JsonValueKind.Object) return $"{name} is {item.ValueKind}";
        foreach (var property in descriptions[0].Properties)
        {
            if (isExcepted(name, property.Name)) continue;
            if (!item.TryGetProperty(property.Name, out var value)) return $"{name} lacks {property.Name}";
            if (property.Problem(value, isExcepted) is { } problem) return $"{name}.{property.Name} {problem}";
        }

        var known = descriptions.SelectMany(e => e.Properties).Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var property in item.EnumerateObject())
        {
            if (!property.Name.StartsWith('@') && !known.Contains(property.Name) && !isExcepted(name, property.Name)) return $"{name} has {property.Name}, which is not documented";
        }

        return null;
    }

    private static IEnumerable<SpecifiedEntity> Read(string file) =>
        JsonDocument.Parse(File.ReadAllText(Reference.PathOf(file))).RootElement.EnumerateArray().Select(e => new SpecifiedEntity(e));

    /// <summary>A property with its documented type.</summary>
    internal sealed record Property(string Name, string Type, IReadOnlyList<string> Values)
    {
        private bool IsText => Type.StartsWith("String", StringComparison.OrdinalIgnoreCase) || Type == "nullable";

        // Documented as text, but known to be missing for some things: the reference does not mark every text that may be null.
        private bool MayBeNull => Type.Contains("null", StringComparison.Ordinal) || Type.Contains('?', StringComparison.Ordinal) || IsText;

        public string? Problem(JsonElement value, Func<string, string, bool> isExcepted)
        {
            if (value.ValueKind == JsonValueKind.Null) return MayBeNull ? null : $"is null, documented as {Type}";
            var type = Type.Split(' ')[0].TrimEnd('?').Split('|')[0];
            if (type.StartsWith("Collection", StringComparison.Ordinal) || type.EndsWith("[]", StringComparison.Ordinal))
            {
                if (value.ValueKind != JsonValueKind.Array) return $"is {value.ValueKind}, documented as {Type}";
                var of = type.EndsWith("[]", StringComparison.Ordinal) ? type[..^2] : type["Collection".Length..].Trim('(', ')');
                return Find(of) is null ? null : value.EnumerateArray().Select(item => Check(of, item, isExcepted)).FirstOrDefault(problem => problem is not null);
            }

            if (Find(type) is not null) return Check(type, value, isExcepted);
            return Fits(type, value) ? null : $"is {value.GetRawText()}, documented as {Type}{(Values.Count > 0 ? $" of {string.Join(", ", Values)}" : "")}";
        }

        private bool Fits(string type, JsonElement value) => type.ToLowerInvariant() switch
        {
            "int" or "int64" or "int32" or "long" or "double" or "number" or "epoch" => value.ValueKind == JsonValueKind.Number,
            "boolean" or "bool" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "datetimeoffset" or "datetime" => value.ValueKind == JsonValueKind.String && value.GetString()!.EndsWith('Z')
                && DateTime.TryParse(value.GetString(), CultureInfo.InvariantCulture, out _),
            "guid" => Guid.TryParse(value.GetString(), out _),
            "enum" or "enum/string" => value.ValueKind == JsonValueKind.String && (Values.Count == 0 || Values.Contains(value.GetString()!, StringComparer.Ordinal)),
            "object" => value.ValueKind == JsonValueKind.Object,
            _ => value.ValueKind == JsonValueKind.String,
        };
    }
}
