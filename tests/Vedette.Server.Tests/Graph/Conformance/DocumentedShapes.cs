using System.Globalization;
using System.Text.Json;
using Vedette.Server.Tests.Endpoint.Conformance;

namespace Vedette.Server.Tests.Graph.Conformance;

/// <summary>Types of the shared reference of Graph or Threat Protection, and whether an answer has their shape.</summary>
internal sealed class DocumentedShapes
{
    private readonly Dictionary<string, Property[]> _types;

    public DocumentedShapes(string file) => _types = JsonDocument.Parse(File.ReadAllText(Reference.PathOf(file))).RootElement.EnumerateArray()
        .GroupBy(type => type.GetProperty("entity").GetString()!)
        .ToDictionary(group => group.Key, group => group.First().GetProperty("properties").EnumerateArray().Select(Property.Read).ToArray(), StringComparer.Ordinal);

    /// <summary>Whether the reference has a type.</summary>
    public bool Has(string type) => _types.ContainsKey(type);

    /// <summary>Names of the properties of a type.</summary>
    public IReadOnlyList<string> PropertiesOf(string type) => [.. _types.GetValueOrDefault(type, []).Select(property => property.Name)];

    /// <summary>What is wrong with a value of a type; null when nothing is.</summary>
    /// <param name="type">Name of the type.</param>
    /// <param name="value">The value.</param>
    /// <param name="excepted">Whether a property of a type is excepted.</param>
    /// <param name="expanded">Whether navigations are there too.</param>
    public string? Problem(string type, JsonElement value, Func<string, string, bool> excepted, bool expanded = false)
    {
        // Evidence says its own type.
        if (type == "alertEvidence" && value.TryGetProperty("@odata.type", out var own)) type = own.GetString()!.Split('.')[^1];
        if (!_types.TryGetValue(type, out var properties)) return $"the reference has no type {type}";
        if (value.ValueKind != JsonValueKind.Object) return $"{type} is {value.ValueKind}";
        foreach (var property in properties)
        {
            if (property.Name.Contains('.', StringComparison.Ordinal) || excepted(type, property.Name) || (property.IsNavigation && !expanded)) continue;
            if (!value.TryGetProperty(property.Name, out var found)) return $"{type} lacks {property.Name}";
            if (Problem(property, found, excepted) is { } problem) return $"{type}.{property.Name} {problem}";
        }

        var known = properties.Select(property => property.Name).ToHashSet(StringComparer.Ordinal);
        return value.EnumerateObject().Select(property => property.Name).FirstOrDefault(name => !name.StartsWith('@') && !known.Contains(name) && !excepted(type, name)) is { } extra
            ? $"{type} has {extra}, which is not documented"
            : null;
    }

    private string? Problem(Property property, JsonElement value, Func<string, string, bool> excepted)
    {
        if (property.IsList)
        {
            return value.ValueKind != JsonValueKind.Array
                ? $"is {value.ValueKind}, documented as a list"
                : value.EnumerateArray().Select(item => One(property, item, excepted)).FirstOrDefault(problem => problem is not null);
        }

        return value.ValueKind == JsonValueKind.Null ? (property.MayBeNull ? null : $"is null, documented as {property.Type}") : One(property, value, excepted);
    }

    private string? One(Property property, JsonElement value, Func<string, string, bool> excepted)
    {
        if (_types.ContainsKey(property.Type)) return Problem(property.Type, value, excepted);
        return Fits(property, value) ? null : $"is {value.GetRawText()}, documented as {property.Type}{(property.Values.Count > 0 ? $" of {string.Join(", ", property.Values)}" : "")}";
    }

    private static bool Fits(Property property, JsonElement value) => property.Type switch
    {
        // A list that is open holds other words too.
        "String" => value.ValueKind == JsonValueKind.String,
        _ when property.Values.Count > 0 => value.ValueKind == JsonValueKind.String && property.Values.Contains(value.GetString()!, StringComparer.Ordinal),
        "Int32" or "Int64" or "int" or "int64" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "Double" => value.ValueKind == JsonValueKind.Number,
        "Boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "DateTimeOffset" => value.ValueKind == JsonValueKind.String && value.GetString()!.EndsWith('Z') && DateTime.TryParse(value.GetString(), CultureInfo.InvariantCulture, out _),
        "Guid" => Guid.TryParse(value.GetString(), out _),
        _ => value.ValueKind is JsonValueKind.String or JsonValueKind.Object,
    };

    private sealed record Property(string Name, string Type, bool IsList, bool MayBeNull, bool IsNavigation, IReadOnlyList<string> Values)
    {
        public static Property Read(JsonElement property)
        {
            var text = property.GetProperty("type").GetString()!;
            var first = text.Split(' ')[0];
            var isList = first.EndsWith("[]", StringComparison.Ordinal);
            return new Property(
                property.GetProperty("name").GetString()!, isList ? first[..^2] : first, isList, text.Contains("nullable", StringComparison.Ordinal), text.Contains("(nav)", StringComparison.Ordinal),
                property.TryGetProperty("values", out var values) && values.ValueKind == JsonValueKind.Array ? [.. values.EnumerateArray().Select(v => v.ToString())] : []);
        }
    }
}

/// <summary>What knowingly does not hold, each entry with its reason. An entry that is no longer needed fails the test that reads it.</summary>
internal sealed class DocumentedExceptions
{
    private readonly Dictionary<(string Call, string Check), string> _calls = [];
    private readonly Dictionary<(string Type, string Property), string> _properties = [];

    public DocumentedExceptions(string file)
    {
        var assembly = typeof(DocumentedExceptions).Assembly;
        using var stream = assembly.GetManifestResourceStream(assembly.GetManifestResourceNames().Single(name => name.EndsWith("." + file, StringComparison.Ordinal)))!;
        foreach (var entry in JsonDocument.Parse(stream).RootElement.EnumerateArray())
        {
            var reason = entry.GetProperty("reason").GetString()!;
            reason.Length.ShouldBeGreaterThan(10);
            if (entry.TryGetProperty("call", out var call))
                foreach (var check in entry.GetProperty("checks").EnumerateArray()) _calls.Add((call.GetString()!, check.GetString()!), reason);
            else
                foreach (var property in entry.GetProperty("properties").EnumerateArray()) _properties.Add((entry.GetProperty("type").GetString()!, property.GetString()!), reason);
        }
    }

    public IEnumerable<(string Call, string Check)> Calls => _calls.Keys;

    public IEnumerable<(string Type, string Property)> Properties => _properties.Keys;

    public bool Excepts(DocumentedCall call, string check) => _calls.ContainsKey((call.ToString(), check));

    public bool Excepts(string type, string property) => _properties.ContainsKey((type, property));

    /// <summary>Looks at each call and gathers what does not hold.</summary>
    public async Task EachAsync(IEnumerable<DocumentedCall> calls, string check, Func<DocumentedCall, Task<string?>> look)
    {
        var failures = new List<string>();
        foreach (var call in calls)
        {
            string? failure;
            try
            {
                failure = await look(call);
            }
            catch (Exception exception) when (exception is KeyNotFoundException or InvalidOperationException or JsonException or ArgumentOutOfRangeException)
            {
                failure = $"has another form of answer: {exception.Message}";
            }

            if (Excepts(call, check) != failure is not null) failures.Add(failure is null ? $"{call}: the exception '{check}' is no longer needed" : $"{call}: {failure}");
        }

        failures.ShouldBeEmpty(string.Join('\n', failures));
    }
}
