using System.Globalization;
using System.Text.Json;
using Vedette.Kql;

namespace Vedette.Telemetry.Local;

/// <summary>Values in this process: conversions between KQL types, as the to-functions make them.</summary>
internal static class LocalValues
{
    /// <summary>A value as the engine gave it, as .NET value of its KQL type.</summary>
    public static object? FromEngine(object? value, KqlType type) => value is null
        ? type is KqlType.String or KqlType.Dynamic ? "" : null
        : type switch
        {
            KqlType.TimeSpan => new TimeSpan(Convert.ToInt64(value, CultureInfo.InvariantCulture)),
            KqlType.Bool => value is bool b ? b : Convert.ToInt64(value, CultureInfo.InvariantCulture) != 0,
            KqlType.Int => Convert.ToInt32(value, CultureInfo.InvariantCulture),
            KqlType.Long => Convert.ToInt64(value, CultureInfo.InvariantCulture),
            KqlType.Real => Convert.ToDouble(value, CultureInfo.InvariantCulture),
            _ => value,
        };

    /// <summary>A value of one type as another; null when it cannot be converted.</summary>
    public static object? To(object? value, KqlType from, KqlType to)
    {
        if (from == to)
            return value ?? (to is KqlType.String or KqlType.Dynamic ? "" : null);
        if (value is null || (from is KqlType.Dynamic && value is ""))
            return to is KqlType.String or KqlType.Dynamic ? "" : null;
        return to switch
        {
            KqlType.String => ToText(value, from),
            KqlType.Dynamic => ToJson(value, from),
            KqlType.Long => value switch
            {
                int i => (long)i,
                double d => double.IsFinite(d) ? (long)d : null,
                decimal m => m is >= long.MinValue and <= long.MaxValue ? (long)m : null,
                bool b => b ? 1L : 0L,
                TimeSpan t => t.Ticks,
                DateTime t => t.Ticks,
                string => long.TryParse(ToText(value, from), NumberStyles.Integer, CultureInfo.InvariantCulture, out var l) ? l
                    : double.TryParse(ToText(value, from), NumberStyles.Float, CultureInfo.InvariantCulture, out var d) ? (long)d : null,
                _ => value as long?,
            },
            KqlType.Int => To(value, from, KqlType.Long) is long l and >= int.MinValue and <= int.MaxValue ? (int)l : null,
            KqlType.Real => value switch
            {
                int or long or decimal => Convert.ToDouble(value, CultureInfo.InvariantCulture),
                bool b => b ? 1d : 0d,
                string => double.TryParse(ToText(value, from), NumberStyles.Float, CultureInfo.InvariantCulture, out var d) ? d : null,
                _ => value as double?,
            },
            KqlType.Bool => value switch
            {
                int or long or double => Convert.ToDouble(value, CultureInfo.InvariantCulture) != 0,
                string => ToText(value, from).ToLowerInvariant() switch { "true" or "1" => true, "false" or "0" => false, _ => null },
                _ => null,
            },
            KqlType.DateTime => value is string
                ? DateTime.TryParse(ToText(value, from), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var t) ? t : null
                : null,
            KqlType.TimeSpan => value is string ? TimeSpan.TryParse(ToText(value, from), CultureInfo.InvariantCulture, out var s) ? s : null : null,
            KqlType.Guid => value is string ? Guid.TryParse(ToText(value, from), out var g) ? g : null : null,
            KqlType.Decimal => decimal.TryParse(ToText(value, from), NumberStyles.Float, CultureInfo.InvariantCulture, out var m) ? m : null,
            _ => null,
        };
    }

    /// <summary>Kusto's text of a value.</summary>
    public static string ToText(object? value, KqlType type) => value switch
    {
        null => "",
        string text when type == KqlType.Dynamic => JsonText(text),
        string text => text,
        bool b => b ? "true" : "false",
        double d => RealText(d),
        DateTime t => t.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture),
        TimeSpan t => t.ToString("c", CultureInfo.InvariantCulture),
        Guid g => g.ToString("D"),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    /// <summary>The JSON text of a value; 'null' for null.</summary>
    public static string ToJson(object? value, KqlType type) => value switch
    {
        null => "null",
        "" when type == KqlType.Dynamic => "null",
        string text when type == KqlType.Dynamic => text,
        string text => Quote(text),
        bool b => b ? "true" : "false",
        double d => double.IsFinite(d) ? RealText(d) : Quote(RealText(d)),
        int or long or decimal => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        _ => Quote(ToText(value, type)),
    };

    /// <summary>A JSON string.</summary>
    public static string Quote(string text) => KqlJson.Quote(text);

    /// <summary>A real as Kusto prints it: never like an integer.</summary>
    public static string RealText(double value)
    {
        if (double.IsNaN(value))
            return "NaN";
        if (double.IsInfinity(value))
            return value > 0 ? "∞" : "-∞";
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().IndexOfAny('.', 'E') < 0 ? text + ".0" : text;
    }

    private static string JsonText(string json)
    {
        if (json.Length == 0)
            return "";
        if (json[0] != '"')
            return json;
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetString() ?? "";
    }
}
