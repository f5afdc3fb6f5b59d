using System.Globalization;
using System.Text.Json;
using Vedette.Kql;

namespace Vedette.Telemetry.Hunting;

/// <summary>Values of hunting rows as JSON: moments in ISO 8601 with seven digits and <c>Z</c>, timespans in Kusto's form, dynamic values as they are.</summary>
public static class HuntingJson
{
    /// <summary>Writes one value.</summary>
    public static void WriteValue(object? value, KqlType type, Utf8JsonWriter json)
    {
        ArgumentNullException.ThrowIfNull(json);
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case string text when type == KqlType.Dynamic: json.WriteRawValue(text, skipInputValidation: true); break;
            case string text: json.WriteStringValue(text); break;
            case bool flag: json.WriteBooleanValue(flag); break;
            case int number: json.WriteNumberValue(number); break;
            case long number: json.WriteNumberValue(number); break;
            case double number when double.IsFinite(number): json.WriteNumberValue(number); break;
            case double number: json.WriteStringValue(double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity"); break;
            case decimal number: json.WriteNumberValue(number); break;
            case DateTime time: json.WriteStringValue(Text(time)); break;
            case TimeSpan span: json.WriteStringValue(Text(span)); break;
            case Guid id: json.WriteStringValue(id); break;
            default: json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture)); break;
        }
    }

    /// <summary>A moment in ISO 8601 with seven digits.</summary>
    public static string Text(DateTime value) => value.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>A timespan as Kusto prints it: <c>1.02:03:04.5000000</c>, without days when there are none and without a fraction when it is 0.</summary>
    public static string Text(TimeSpan value) => value.ToString("c", CultureInfo.InvariantCulture);
}
