using System.Text.Json;

namespace Vedette.Defender.Detections.Custom;

/// <summary>An object within a rule as it was sent: reads properties, and notes those of the wrong type with their path.</summary>
internal readonly struct JsonPart(JsonElement element, string path, ICollection<RuleFault> faults)
{
    /// <summary>Whether there is an object to read.</summary>
    public bool Exists => element.ValueKind == JsonValueKind.Object;

    /// <summary>The object's path; empty for the rule itself.</summary>
    public string Path => path;

    /// <summary>True when the property was sent, with null or with a value.</summary>
    public bool Has(string name) => Exists && element.TryGetProperty(name, out _);

    /// <summary>True when the property was sent with null.</summary>
    public bool IsNull(string name) => Exists && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Null;

    /// <summary>A text; null when absent, null or of another type.</summary>
    public string? Text(string name, int longest)
    {
        if (Value(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.String) Fault(name, $"The property '{At(name)}' must be a string.");
        else if (value.GetString() is { } text && text.Length <= longest) return text;
        else Fault(name, $"The field {Pascal(name)} must be a string with a maximum length of {longest}.");
        return null;
    }

    /// <summary>A truth value; null when absent, null or of another type.</summary>
    public bool? Flag(string name)
    {
        if (Value(name) is not { } value) return null;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False) return value.GetBoolean();
        Fault(name, $"The property '{At(name)}' must be true or false.");
        return null;
    }

    /// <summary>An object; does not exist when absent, null or of another type.</summary>
    public JsonPart Part(string name)
    {
        if (Value(name) is not { } value) return new JsonPart(default, At(name), faults);
        if (value.ValueKind != JsonValueKind.Object) Fault(name, $"The property '{At(name)}' must be an object.");
        return new JsonPart(value, At(name), faults);
    }

    /// <summary>A list of objects; empty when absent, null or of another type.</summary>
    public IReadOnlyList<JsonPart> Parts(string name, int most)
    {
        var items = Items(name, most);
        var (at, noted) = (At(name), faults);
        return [.. items.Select((item, index) => new JsonPart(item, $"{at}/{index}", noted))];
    }

    /// <summary>A list of texts; empty when absent, null or of another type.</summary>
    public IReadOnlyList<string> Texts(string name, int most)
    {
        var texts = new List<string>();
        foreach (var item in Items(name, most))
        {
            if (item.ValueKind == JsonValueKind.String && item.GetString() is { Length: > 0 and <= 512 } text) texts.Add(text);
            else Fault(name, $"The property '{At(name)}' must be a list of strings.");
        }

        return texts;
    }

    /// <summary>The object's properties without annotations.</summary>
    public IEnumerable<(string Name, JsonElement Value)> Properties() =>
        Exists ? element.EnumerateObject().Where(property => !property.Name.Contains('@', StringComparison.Ordinal)).Select(property => (property.Name, property.Value)) : [];

    /// <summary>Notes that something is wrong with a property.</summary>
    public void Fault(string name, string message) => faults.Add(new RuleFault(At(name), message));

    private static string Pascal(string name) => char.ToUpperInvariant(name[0]) + name[1..];

    private string At(string name) => path.Length == 0 ? name : $"{path}/{name}";

    private JsonElement? Value(string name) => Exists && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private IEnumerable<JsonElement> Items(string name, int most)
    {
        if (Value(name) is not { } value) return [];
        if (value.ValueKind != JsonValueKind.Array) Fault(name, $"The property '{At(name)}' must be a list.");
        else if (value.GetArrayLength() > most) Fault(name, $"The field {Pascal(name)} must be an array with a maximum length of '{most}'.");
        else return value.EnumerateArray();
        return [];
    }
}
