using System.Globalization;
using System.Text.Json;

namespace Vedette.Server.Http;

/// <summary>A JSON request body whose keys were checked against the row's table.</summary>
internal sealed class RequestBody(JsonElement root, bool anyCase = false)
{
    /// <summary>No body.</summary>
    public static RequestBody Empty { get; } = new(default);

    /// <summary>The whole object; undefined when there is no body.</summary>
    public JsonElement Root { get; } = root;

    /// <summary>True when the key was sent, with null or with a value.</summary>
    public bool Has(string key) => Value(key) is not null;

    /// <summary>A text; null when absent or null.</summary>
    public string? Text(string key) => Value(key) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    /// <summary>A list of texts; null when absent or null.</summary>
    public IReadOnlyList<string>? Texts(string key) =>
        Value(key) is { ValueKind: JsonValueKind.Array } value ? [.. value.EnumerateArray().Select(item => item.GetString()!)] : null;

    /// <summary>A truth value, also when it was sent as text; null when absent or null.</summary>
    public bool? Flag(string key) => Value(key) switch
    {
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { ValueKind: JsonValueKind.String } text when bool.TryParse(text.GetString(), out var parsed) => parsed,
        _ => null,
    };

    /// <summary>A whole number; null when absent or null.</summary>
    public int? Number(string key) => Value(key) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number) ? number : null;

    /// <summary>A moment, UTC; null when absent or null.</summary>
    public DateTime? Time(string key) => Text(key) is { } text && TryTime(text, out var time) ? time : null;

    /// <summary>Any value; undefined when absent.</summary>
    public JsonElement? Value(string key)
    {
        if (Root.ValueKind != JsonValueKind.Object) return null;
        if (Root.TryGetProperty(key, out var value)) return value;
        if (!anyCase) return null;
        foreach (var property in Root.EnumerateObject())
            if (property.Name.Equals(key, StringComparison.OrdinalIgnoreCase)) return property.Value;
        return null;
    }

    internal static bool TryTime(string text, out DateTime time) => DateTime.TryParse(
        text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);

    /// <summary>Whether a value has the field's type.</summary>
    internal static bool Fits(InputField field, JsonElement value) => field.Type switch
    {
        "String" => value.ValueKind == JsonValueKind.String && IsAllowed(field, value.GetString()!),
        "Strings" => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String),
        "Boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False
            || (value.ValueKind == JsonValueKind.String && bool.TryParse(value.GetString(), out _)),
        "Int32" => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out _),
        "DateTimeOffset" => value.ValueKind == JsonValueKind.String && TryTime(value.GetString()!, out _),
        "Object" => value.ValueKind == JsonValueKind.Object,
        "Array" => value.ValueKind == JsonValueKind.Array,
        _ => true,
    };

    private static bool IsAllowed(InputField field, string text) =>
        field.Values is not { } values || values.Contains(text, StringComparer.OrdinalIgnoreCase);
}
