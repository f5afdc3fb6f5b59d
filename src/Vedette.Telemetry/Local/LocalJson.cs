using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vedette.Telemetry.Local;

/// <summary>Dynamic values in this process.</summary>
internal static class LocalJson
{
    /// <summary>How deep JSON may be.</summary>
    public static readonly JsonDocumentOptions Options = new() { MaxDepth = 256 };

    /// <summary>JSON text as a value; null for null, and for text that is no JSON.</summary>
    public static JsonNode? Parse(string? json)
    {
        if (string.IsNullOrEmpty(json))
            return null;
        try
        {
            return JsonNode.Parse(json, documentOptions: Options);
        }
        catch (JsonException)
        {
            return null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>A value as compact JSON text, in which reals stay reals.</summary>
    public static string Write(JsonNode? node)
    {
        var text = new StringBuilder();
        Write(node, text);
        return text.ToString();
    }

    /// <summary>A number; NaN when it is none.</summary>
    public static double Real(JsonNode? node)
    {
        if (node is not JsonValue value)
            return double.NaN;
        if (value.TryGetValue<double>(out var real))
            return real;
        if (value.TryGetValue<long>(out var integer))
            return integer;
        if (value.TryGetValue<bool>(out var flag))
            return flag ? 1 : 0;
        return value.TryGetValue<string>(out var text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) ? parsed : double.NaN;
    }

    /// <summary>What tostring() gives.</summary>
    public static string Text(JsonNode? node) => node switch
    {
        null => "",
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        _ => Write(node),
    };

    /// <summary>An array of reals; NaN is null.</summary>
    public static JsonArray Array(IEnumerable<double> values) => new([.. values.Select(Number)]);

    /// <summary>A real; null when it is not finite.</summary>
    public static JsonNode? Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;

    private static void Write(JsonNode? node, StringBuilder text)
    {
        switch (node)
        {
            case null:
                text.Append("null");
                break;
            case JsonArray array:
                text.Append('[');
                for (var i = 0; i < array.Count; i++)
                {
                    if (i > 0)
                        text.Append(',');
                    Write(array[i], text);
                }

                text.Append(']');
                break;
            case JsonObject bag:
            {
                text.Append('{');
                var first = true;
                foreach (var (name, value) in bag)
                {
                    if (!first)
                        text.Append(',');
                    first = false;
                    text.Append(LocalValues.Quote(name)).Append(':');
                    Write(value, text);
                }

                text.Append('}');
                break;
            }

            case JsonValue value when value.TryGetValue<JsonElement>(out var element):
                text.Append(element.ValueKind == JsonValueKind.String ? LocalValues.Quote(element.GetString()!) : element.GetRawText());
                break;
            case JsonValue value when value.TryGetValue<double>(out var real):
                text.Append(double.IsFinite(real) ? LocalValues.RealText(real) : LocalValues.Quote(LocalValues.RealText(real)));
                break;
            case JsonValue value when value.TryGetValue<string>(out var s):
                text.Append(LocalValues.Quote(s));
                break;
            default:
                text.Append(node.ToJsonString());
                break;
        }
    }
}
