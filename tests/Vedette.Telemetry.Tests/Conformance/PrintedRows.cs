using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Vedette.Kql;

namespace Vedette.Telemetry.Tests.Conformance;

/// <summary>
/// Compares rows with rows as a page of the reference prints them: numbers rounded or with separators, times in several forms, dynamic values with other
/// white space and quotes, an empty cell for null.
/// </summary>
internal static partial class PrintedRows
{
    /// <summary>The first difference, or null when the rows agree.</summary>
    public static string? Difference(
        IReadOnlyList<IReadOnlyList<string>> expected, IReadOnlyList<KqlType> types, IReadOnlyList<object?[]> actual, bool ordered, bool soft)
    {
        // A page shows a table without rows as one blank row.
        if (expected.Count == 1 && actual.Count == 0 && expected[0].All(string.IsNullOrWhiteSpace))
            return null;
        if (soft)
            return actual.Count == expected.Count ? null : $"{actual.Count} rows instead of {expected.Count}";
        if (expected.Count != actual.Count)
            return $"{actual.Count} rows instead of {expected.Count}";
        if (ordered)
        {
            for (var i = 0; i < expected.Count; i++)
            {
                if (RowDifference(expected[i], types, actual[i]) is { } difference)
                    return $"row {i + 1}, {difference}";
            }

            return null;
        }

        var left = actual.ToList();
        for (var i = 0; i < expected.Count; i++)
        {
            var match = left.FindIndex(row => RowDifference(expected[i], types, row) is null);
            if (match < 0)
                return $"row {i + 1} ({string.Join(" | ", expected[i])}) is missing; left: {Show(left[0], types)}";
            left.RemoveAt(match);
        }

        return null;
    }

    private static string Show(object?[] row, IReadOnlyList<KqlType> types) => string.Join(" | ", row.Select((v, i) => Local.LocalValues.ToText(v, i < types.Count ? types[i] : KqlType.String)));

    /// <summary>A printed time; null when the text is none.</summary>
    public static DateTime? ReadTime(string text) =>
        DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;

    private static string? RowDifference(IReadOnlyList<string> expected, IReadOnlyList<KqlType> types, object?[] actual)
    {
        if (expected.Count != actual.Length)
            return $"{actual.Length} columns instead of {expected.Count}";
        for (var i = 0; i < expected.Count; i++)
        {
            if (!Same(expected[i], types[i], actual[i]))
                return $"column {i + 1}: '{Local.LocalValues.ToText(actual[i], types[i])}' instead of '{expected[i]}'";
        }

        return null;
    }

    public static bool Same(string printed, KqlType type, object? value)
    {
        var text = printed.Trim();
        if (text.Length == 0 || text is "null" or "(null)" or "dynamic(null)")
            return value is null or "" or "null" || (text.Length == 0 && value is string s && s.Trim().Length == 0) || (value is "\"\"" && text.Length == 0);
        if (value is null)
            return false;
        return type switch
        {
            KqlType.Int or KqlType.Long or KqlType.Real or KqlType.Decimal => SameNumber(text, value),
            KqlType.Bool => value is bool b && (text.ToLowerInvariant() is "true" or "1") == b,
            KqlType.DateTime => value is DateTime time && SameTime(text, time),
            KqlType.TimeSpan => value is TimeSpan span && SameSpan(text, span),
            KqlType.Guid => Guid.TryParse(text, out var guid) && value is Guid other && guid == other,
            KqlType.Dynamic => SameDynamic(text, (string)value),
            _ => SameText(text, Local.LocalValues.ToText(value, type)),
        };
    }

    private static bool SameText(string text, string value) => text == value.Trim()
        || (text.Length > 1 && text[0] == '"' && text[^1] == '"' && text[1..^1] == value);

    private static bool SameNumber(string text, object value)
    {
        var number = Convert.ToDouble(value, CultureInfo.InvariantCulture);
        text = text.Replace(",", "", StringComparison.Ordinal);
        if (text.Equals("NaN", StringComparison.OrdinalIgnoreCase))
            return double.IsNaN(number);
        if (text is "inf" or "Infinity" or "∞")
            return double.IsPositiveInfinity(number);
        if (text is "-inf" or "-Infinity" or "-∞")
            return double.IsNegativeInfinity(number);
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var expected))
            return false;
        return Near(text, expected, number);
    }

    private static bool Near(string text, double expected, double number)
    {
        if (expected == number || Math.Abs(expected - number) <= Math.Abs(expected) * 1e-9)
            return true;
        var exponent = text.IndexOfAny(['e', 'E']);
        if (exponent >= 0)
            return Math.Abs(expected - number) <= Math.Pow(10, -Digits(text[..exponent])) * 1.0001 * Math.Pow(10, int.Parse(text[(exponent + 1)..], CultureInfo.InvariantCulture));
        var digits = Digits(text);
        // Pages round or cut.
        return digits > 0 && Math.Abs(expected - number) <= Math.Pow(10, -digits) * 1.0001;
    }

    private static int Digits(string text) => text.IndexOf('.') is var point and >= 0 ? text.Length - point - 1 : 0;

    private static bool SameTime(string text, DateTime value)
    {
        if (!DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var expected))
            return false;
        var point = text.LastIndexOf('.');
        var precision = point < 0 ? TimeSpan.TicksPerSecond : 1;
        return Math.Abs(expected.Ticks - value.Ticks) < precision;
    }

    private static bool SameSpan(string text, TimeSpan value) =>
        TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var expected) && Math.Abs(expected.Ticks - value.Ticks) < (text.Contains('.') && text.Contains(':') ? 10 : TimeSpan.TicksPerSecond);

    private static bool SameDynamic(string text, string value)
    {
        var actual = Local.LocalJson.Parse(value);
        if (Local.LocalJson.Parse(text) is { } expected)
        {
            if (SameJson(expected, actual))
                return true;
        }

        return SameText(text, Local.LocalJson.Text(actual)) || Bare(text) == Bare(value);
    }

    /// <summary>Without white space and quotes, which pages print in several ways.</summary>
    private static string Bare(string text) => Bareness().Replace(text, "");

    private static bool SameJson(JsonNode? expected, JsonNode? actual)
    {
        switch (expected)
        {
            case null:
                return actual is null;
            case JsonArray array:
                return actual is JsonArray other && array.Count == other.Count && array.Zip(other).All(p => SameJson(p.First, p.Second));
            case JsonObject bag:
                return actual is JsonObject otherBag && bag.Count == otherBag.Count
                    && bag.All(p => otherBag.TryGetPropertyValue(p.Key, out var value) && SameJson(p.Value, value));
            default:
            {
                if (actual is not JsonValue)
                    return false;
                var kind = expected.GetValueKind();
                if (kind == JsonValueKind.Number && actual.GetValueKind() == JsonValueKind.Number)
                {
                    var text = expected.ToJsonString();
                    var (a, b) = (Local.LocalJson.Real(expected), Local.LocalJson.Real(actual));
                    return Near(text, a, b);
                }

                // Some pages print numbers inside dynamic values in quotes.
                if (kind == JsonValueKind.String && actual.GetValueKind() == JsonValueKind.Number)
                    return SameNumber(expected.GetValue<string>(), Local.LocalJson.Real(actual));
                if (kind == JsonValueKind.String && actual.GetValueKind() == JsonValueKind.String)
                    return SameText(expected.GetValue<string>(), actual.GetValue<string>())
                        || (DateTime.TryParse(expected.GetValue<string>(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
                            && DateTime.TryParse(actual.GetValue<string>(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var otherTime) && time == otherTime);
                return expected.ToJsonString() == actual.ToJsonString();
            }
        }
    }

    [GeneratedRegex("""[\s"']+""")]
    private static partial Regex Bareness();
}
