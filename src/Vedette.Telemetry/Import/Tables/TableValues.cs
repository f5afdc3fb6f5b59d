using System.Globalization;
using System.Text.Json;
using Vedette.Kql;

namespace Vedette.Telemetry.Import.Tables;

/// <summary>Turns what exports write into values of a column's type.</summary>
internal static class TableValues
{
    /// <summary>How portals write moments; ISO 8601 in all its forms is understood besides.</summary>
    private static readonly string[] Moments =
    [
        "MMM d, yyyy h:mm:ss tt", "MMM d, yyyy, h:mm:ss tt", "MMM d, yyyy h:mm:ss.FFFFFFF tt", "MMM d, yyyy HH:mm:ss", "M/d/yyyy h:mm:ss tt", "M/d/yyyy, h:mm:ss tt", "M/d/yyyy, h:mm:ss.FFFFFFF tt", "M/d/yyyy h:mm:ss.FFFFFFF tt",
        "M/d/yyyy H:mm:ss", "M/d/yyyy h:mm tt", "M/d/yyyy",
    ];

    /// <summary>What a type is called in messages.</summary>
    public static string Name(KqlType type) => type.ToString().ToLowerInvariant();

    /// <summary>Converts a value.</summary>
    /// <param name="type">The column's type.</param>
    /// <param name="kind">How JSON writes it; <see cref="JsonTokenType.None"/> for text without a type, as in separated values.</param>
    /// <param name="text">The string, or the JSON text of anything else.</param>
    /// <param name="value">A value as <see cref="Ingest.HuntingRow"/> holds it; null for an absent one.</param>
    /// <returns>False when the value does not fit the type.</returns>
    public static bool TryConvert(KqlType type, JsonTokenType kind, string text, out object? value)
    {
        value = null;
        if (kind == JsonTokenType.Null) return true;
        switch (type)
        {
            case KqlType.String:
                value = text;
                return true;
            case KqlType.Dynamic:
                value = Dynamic(kind, text);
                return true;
        }

        if (text.Length == 0) return true;
        switch (type)
        {
            case KqlType.Bool:
                value = text switch { "1" or "1.0" => true, "0" or "0.0" => false, _ => bool.TryParse(text, out var flag) ? flag : null };
                break;
            case KqlType.Int:
                value = Whole(text) is { } small && small is >= int.MinValue and <= int.MaxValue ? (int)small : null;
                break;
            case KqlType.Long:
                value = Whole(text);
                break;
            case KqlType.Real:
                value = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) ? real : null;
                break;
            case KqlType.Decimal:
                value = decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var exact) ? exact : null;
                break;
            case KqlType.DateTime:
                value = kind == JsonTokenType.Number ? null : Moment(text);
                break;
            case KqlType.TimeSpan:
                value = TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var span) ? span : null;
                break;
            case KqlType.Guid:
                value = Guid.TryParse(text, out var id) ? id : null;
                break;
        }

        return value is not null;
    }

    private static object? Dynamic(JsonTokenType kind, string text)
    {
        if (kind is JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False) return text;
        if (text.Length == 0) return kind == JsonTokenType.None ? null : "\"\"";
        // Exports write objects and lists as the text of their JSON; any other text is a text.
        return text.AsSpan().TrimStart() is ['{' or '[', ..] && IsJson(text) ? text : JsonSerializer.Serialize(text);
    }

    private static bool IsJson(string text)
    {
        try
        {
            JsonDocument.Parse(text).Dispose();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static long? Whole(string text)
    {
        if (long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number)) return number;
        if (ulong.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var large)) return unchecked((long)large);
        if (bool.TryParse(text, out var flag)) return flag ? 1 : 0;
        return decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var exact) && exact == decimal.Truncate(exact) && exact is >= long.MinValue and <= long.MaxValue ? (long)exact : null;
    }

    private static object? Moment(string text)
    {
        const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (text.Length >= 10 && char.IsAsciiDigit(text[0]) && text[4] == '-' && DateTime.TryParse(text, CultureInfo.InvariantCulture, utc, out var iso)) return iso;
        return DateTime.TryParseExact(text, Moments, CultureInfo.InvariantCulture, utc | DateTimeStyles.AllowWhiteSpaces, out var moment) ? moment : null;
    }
}
