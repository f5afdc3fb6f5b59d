using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Vedette.Kql;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Vedette.Defender.Detections.Testing;

/// <summary>Values of test files: from YAML, CSV and JSON, and into the types of columns.</summary>
internal static partial class TestValues
{
    /// <summary>A value as YAML writes it.</summary>
    public static TestValue Of(YamlNode node) => node switch
    {
        YamlSequenceNode list => new TestValue { Items = [.. list.Children.Select(Of)] },
        YamlMappingNode mapping => new TestValue
        {
            Fields = mapping.Children.Where(pair => pair.Key is YamlScalarNode)
                .ToDictionary(pair => ((YamlScalarNode)pair.Key).Value ?? "", pair => Of(pair.Value), StringComparer.Ordinal),
        },
        YamlScalarNode scalar => new TestValue { Text = scalar.Value, IsQuoted = scalar.Style is not (ScalarStyle.Plain or ScalarStyle.Any) },
        _ => new TestValue(),
    };

    /// <summary>A value as JSON writes it.</summary>
    public static TestValue Of(JsonNode? node) => node switch
    {
        null => new TestValue(),
        JsonArray list => new TestValue { Items = [.. list.Select(Of)] },
        JsonObject bag => new TestValue { Fields = bag.ToDictionary(pair => pair.Key, pair => Of(pair.Value), StringComparer.Ordinal) },
        JsonValue value when value.GetValueKind() == JsonValueKind.String => new TestValue { Text = value.GetValue<string>(), IsQuoted = true },
        _ => new TestValue { Text = node.ToJsonString() },
    };

    /// <summary>The value as a column of the type holds it.</summary>
    /// <param name="value">The value.</param>
    /// <param name="type">KQL type.</param>
    /// <param name="now">What times such as <c>-10m</c> count from.</param>
    /// <exception cref="FormatException">It is no value of the type.</exception>
    public static object? To(TestValue value, KqlType type, DateTime now)
    {
        if (type == KqlType.Dynamic) return value.IsNull ? null : Json(value).ToJsonString();
        if (value.Items is not null || value.Fields is not null) return type == KqlType.String ? Json(value).ToJsonString() : throw Wrong(value, type);
        if (type == KqlType.String) return value.IsNull ? "" : value.Text ?? "";
        if (value.IsNull || value.Text!.Trim().Length == 0) return null;
        var text = value.Text.Trim();
        var culture = CultureInfo.InvariantCulture;
        return type switch
        {
            KqlType.Bool when text is "true" or "True" or "1" => true,
            KqlType.Bool when text is "false" or "False" or "0" => false,
            KqlType.Int when int.TryParse(text, NumberStyles.Integer, culture, out var number) => number,
            KqlType.Long when long.TryParse(text, NumberStyles.Integer, culture, out var number) => number,
            KqlType.Real when double.TryParse(text, NumberStyles.Float, culture, out var number) => number,
            KqlType.Decimal when decimal.TryParse(text, NumberStyles.Float, culture, out var number) => number,
            KqlType.Guid when Guid.TryParse(text, out var id) => id,
            KqlType.TimeSpan when Span(text) is { } span => span,
            KqlType.DateTime when Span(text) is { } ago && (text[0] is '-' or '+' || Relative().IsMatch(text)) => now + ago,
            KqlType.DateTime when DateTime.TryParse(text, culture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) => time,
            _ => throw Wrong(value, type),
        };
    }

    /// <summary>The value as JSON.</summary>
    public static JsonNode Json(TestValue value)
    {
        if (value.Items is { } items) return new JsonArray([.. items.Select(item => item.IsNull ? null : Json(item))]);
        if (value.Fields is { } fields) return new JsonObject(fields.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.IsNull ? null : Json(pair.Value))));
        var text = value.Text ?? "";

        // A text that is JSON itself stands for that: files carry dynamic columns as text.
        if (text is ['{' or '[', ..] && TryParse(text) is { } whole) return whole;
        if (!value.IsQuoted)
        {
            if (text is "true" or "false") return text == "true";
            if (Number().IsMatch(text) && TryParse(text) is { } number) return number;
        }

        return JsonValue.Create(text)!;
    }

    /// <summary>A value for people.</summary>
    public static string Show(TestValue value) => value.IsNull ? "null" : value.Text is { } text ? Show(text) : Json(value).ToJsonString();

    /// <summary>A column's value for people.</summary>
    public static string Show(object? value) => value switch
    {
        null => "null",
        string text => text.Length > 0 && text.AsSpan().IndexOfAny(" ,:{}[]\"'\r\n\t") < 0 ? text : JsonSerializer.Serialize(text, Relaxed),
        bool flag => flag ? "true" : "false",
        DateTime time => time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture),
        TimeSpan span => span.ToString("c", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    /// <summary>Whether two values of a column are the same: numbers with a millionth of tolerance, dynamic values by content.</summary>
    public static bool AreEqual(object? expected, object? actual, KqlType type)
    {
        if (expected is null || actual is null) return expected is null && actual is null;
        return type switch
        {
            KqlType.Real => expected is double a && actual is double b && (a.Equals(b) || Math.Abs(a - b) <= 1e-6 * Math.Max(1, Math.Abs(a))),
            KqlType.Dynamic => JsonNode.DeepEquals(TryParse((string)expected), TryParse((string)actual)),
            _ => expected.Equals(actual),
        };
    }

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static TimeSpan? Span(string text)
    {
        if (Relative().Match(text) is { Success: true } match)
        {
            var number = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
            return match.Groups[2].Value switch
            {
                "ms" => TimeSpan.FromMilliseconds(number),
                "s" => TimeSpan.FromSeconds(number),
                "m" => TimeSpan.FromMinutes(number),
                "h" => TimeSpan.FromHours(number),
                _ => TimeSpan.FromDays(number),
            };
        }

        return text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var span) ? span : null;
    }

    private static JsonNode? TryParse(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static FormatException Wrong(TestValue value, KqlType type) => new($"{Show(value)} is not a {type.Name()}");

    [GeneratedRegex(@"^([+-]?\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)$")]
    private static partial Regex Relative();

    [GeneratedRegex(@"^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$")]
    private static partial Regex Number();
}

/// <summary>Tables of test files: CSV with a head line, or JSON (a list, or one object a line).</summary>
internal static class TestTables
{
    /// <summary>Reads a file.</summary>
    /// <returns>Rows, each with its values by column.</returns>
    /// <exception cref="FormatException">It cannot be read.</exception>
    public static IEnumerable<IReadOnlyDictionary<string, TestValue>> Read(string file)
    {
        var text = File.ReadAllText(file);
        return Path.GetExtension(file).ToLowerInvariant() switch
        {
            ".csv" => Csv(text),
            ".json" or ".jsonl" or ".ndjson" => JsonRows(text),
            _ => throw new FormatException($"'{Path.GetFileName(file)}' is neither .csv nor .json nor .jsonl"),
        };
    }

    private static IEnumerable<IReadOnlyDictionary<string, TestValue>> JsonRows(string text)
    {
        IEnumerable<string> parts = text.AsSpan().TrimStart() is ['[', ..] ? [text] : text.Split('\n').Where(line => line.Trim().Length > 0);
        foreach (var part in parts)
        {
            JsonNode? node;
            try
            {
                node = JsonNode.Parse(part);
            }
            catch (JsonException exception)
            {
                throw new FormatException("not JSON: " + exception.Message, exception);
            }

            foreach (var item in node is JsonArray list ? list : new JsonArray(node?.DeepClone()))
                yield return TestValues.Of(item).Fields ?? throw new FormatException("each row is a JSON object");
        }
    }

    private static IEnumerable<IReadOnlyDictionary<string, TestValue>> Csv(string text)
    {
        List<string>? head = null;
        foreach (var fields in Records(text.TrimStart('\uFEFF')))
        {
            if (head is null)
            {
                head = [.. fields.Select(field => field.Text ?? "")];
                continue;
            }

            if (fields.Count != head.Count) throw new FormatException($"a line has {fields.Count} fields, the head has {head.Count}");
            yield return head.Zip(fields).ToDictionary(pair => pair.First.Trim(), pair => pair.Second, StringComparer.Ordinal);
        }
    }

    // RFC 4180. An empty field without quotes is null.
    private static IEnumerable<List<TestValue>> Records(string text)
    {
        var record = new List<TestValue>();
        var field = new StringBuilder();
        var quoted = false;
        for (var i = 0; i <= text.Length; i++)
        {
            var c = i < text.Length ? text[i] : '\n';
            if (c == '"' && field.Length == 0 && !quoted)
            {
                quoted = true;
                for (i++; i < text.Length && !(text[i] == '"' && (i + 1 >= text.Length || text[i + 1] != '"')); i++)
                {
                    field.Append(text[i]);
                    if (text[i] == '"') i++;
                }
            }
            else if (c is ',' or '\n')
            {
                if (c == ',' || record.Count > 0 || field.Length > 0 || quoted) record.Add(new TestValue { Text = field.Length > 0 || quoted ? field.ToString() : null, IsQuoted = quoted });
                field.Clear();
                quoted = false;
                if (c == ',' || record.Count == 0) continue;
                yield return record;
                record = [];
            }
            else if (c != '\r') field.Append(c);
        }
    }
}
