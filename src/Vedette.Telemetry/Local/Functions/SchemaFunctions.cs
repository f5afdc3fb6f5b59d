using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>
/// Schemas of dynamic values, as buildschema() gives them: the name of a type, a bag of properties' schemas (an array's elements are its property
/// <c>`indexer`</c>), or an array of alternatives.
/// </summary>
internal static class SchemaFunctions
{
    private const string Elements = "`indexer`";

    /// <summary>The schema of a value; null for null.</summary>
    public static JsonNode? Of(JsonNode? value)
    {
        switch (value)
        {
            case null:
                return null;
            case JsonObject bag:
                return new JsonObject(bag.Select(p => KeyValuePair.Create(p.Key, Of(p.Value))).Where(p => p.Value is not null));
            case JsonArray array:
            {
                var elements = Merge(array.Select(Of));
                return elements is null ? new JsonObject() : new JsonObject { [Elements] = elements };
            }

            default:
                return value.GetValueKind() switch
                {
                    JsonValueKind.True or JsonValueKind.False => "bool",
                    JsonValueKind.Number => ((JsonValue)value).TryGetValue<long>(out _) ? "long" : "double",
                    _ => "string",
                };
        }
    }

    /// <summary>The schema that covers several.</summary>
    public static JsonNode? Merge(IEnumerable<JsonNode?> schemas)
    {
        var names = new List<string>();
        var properties = new List<(string Name, List<JsonNode?> Schemas)>();
        var isBag = false;
        foreach (var schema in schemas.SelectMany(s => s is JsonArray alternatives ? alternatives.AsEnumerable() : [s]))
        {
            if (schema is JsonObject bag)
            {
                isBag = true;
                foreach (var (name, own) in bag)
                {
                    var at = properties.FindIndex(p => p.Name == name);
                    if (at < 0)
                        properties.Add((name, [own]));
                    else
                        properties[at].Schemas.Add(own);
                }
            }
            else if (schema is JsonValue type && !names.Contains(type.GetValue<string>()))
            {
                names.Add(type.GetValue<string>());
            }
        }

        var all = names.Order(StringComparer.Ordinal).Select(n => (JsonNode?)n).ToList();
        if (isBag)
            all.Add(new JsonObject(properties.Select(p => KeyValuePair.Create(p.Name, Merge(p.Schemas)))));
        return all.Count switch { 0 => null, 1 => all[0], _ => new JsonArray([.. all]) };
    }
}
