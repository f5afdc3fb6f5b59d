using System.Globalization;
using System.Text.Json;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;

namespace Vedette.Server.Http;

/// <summary>How a surface spells the answer of a hunting query.</summary>
/// <param name="Statistics">Key of the statistics; null when the surface does not give them.</param>
/// <param name="Schema">Key of the list of columns.</param>
/// <param name="Results">Key of the list of rows.</param>
/// <param name="Name">Key of a column's name.</param>
/// <param name="Type">Key of a column's type.</param>
internal sealed record HuntingSpelling(string? Statistics, string Schema, string Results, string Name, string Type)
{
    /// <summary>The Endpoint and Threat Protection APIs.</summary>
    public static HuntingSpelling Pascal { get; } = new("Stats", "Schema", "Results", "Name", "Type");

    /// <summary>Graph.</summary>
    public static HuntingSpelling Camel { get; } = new(null, "schema", "results", "name", "type");
}

/// <summary>Writes answers of hunting queries: .NET type names, moments with seven fractional digits, one object a row.</summary>
internal static class HuntingWriter
{
    /// <summary>The .NET name of a type, as the service lists it. Truth values are called SByte there.</summary>
    public static string TypeName(KqlType type) => type switch
    {
        KqlType.Bool => "SByte",
        KqlType.Int => "Int32",
        KqlType.Long => "Int64",
        KqlType.Real => "Double",
        KqlType.Decimal => "Decimal",
        KqlType.DateTime => "DateTime",
        KqlType.TimeSpan => "TimeSpan",
        KqlType.Guid => "Guid",
        KqlType.Dynamic => "Object",
        _ => "String",
    };

    /// <summary>Writes statistics, schema and rows as one object, after a context when there is one.</summary>
    public static async ValueTask WriteAsync(Utf8JsonWriter json, HuntingResult result, HuntingSpelling spelling, AnswerFlow flow, string? context = null)
    {
        json.WriteStartObject();
        if (context is not null) json.WriteString("@odata.context"u8, context);
        if (spelling.Statistics is { } statistics)
        {
            json.WritePropertyName(statistics);
            WriteStatistics(json, result);
        }

        json.WriteStartArray(spelling.Schema);
        foreach (var column in result.Columns)
        {
            json.WriteStartObject();
            json.WriteString(spelling.Name, column.Name);
            json.WriteString(spelling.Type, TypeName(column.Type));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray(spelling.Results);
        var names = result.Columns.Select(c => JsonEncodedText.Encode(c.Name)).ToArray();
        var types = result.Columns.Select(c => c.Type).ToArray();
        foreach (var row in result.Rows)
        {
            json.WriteStartObject();
            for (var i = 0; i < names.Length; i++) WriteValue(json, names[i], types[i], row[i]);
            json.WriteEndObject();
            await flow.SendIfLargeAsync();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, JsonEncodedText name, KqlType type, object? value)
    {
        switch (value)
        {
            case null when type == KqlType.String: json.WriteString(name, ""u8); break;
            case null: json.WriteNull(name); break;
            case string text when type == KqlType.Dynamic:
                if (text.Length == 0)
                {
                    json.WriteNull(name);
                    break;
                }

                json.WritePropertyName(name);
                json.WriteRawValue(text, skipInputValidation: true);
                break;
            case string text: json.WriteString(name, text); break;
            case bool flag: json.WriteBoolean(name, flag); break;
            case int number: json.WriteNumber(name, number); break;
            case long number: json.WriteNumber(name, number); break;
            case double number when double.IsFinite(number): json.WriteNumber(name, number); break;
            case double number: json.WriteString(name, number.ToString(CultureInfo.InvariantCulture)); break;
            case decimal number: json.WriteString(name, number.ToString(CultureInfo.InvariantCulture)); break;
            case DateTime time: json.WriteString(name, time.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture)); break;
            case TimeSpan span: json.WriteString(name, span.ToString("c", CultureInfo.InvariantCulture)); break;
            case Guid id: json.WriteString(name, id); break;
            default: json.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture)); break;
        }
    }

    private static void WriteStatistics(Utf8JsonWriter json, HuntingResult result)
    {
        var cost = result.Statistics;
        json.WriteStartObject();
        json.WriteNumber("ExecutionTime"u8, cost.ExecutionTime.TotalSeconds);
        json.WriteStartObject("resource_usage"u8);
        json.WriteStartObject("cache"u8);
        WriteCache(json, "memory"u8, cost.BytesRead);
        WriteCache(json, "disk"u8, 0);
        json.WriteEndObject();
        json.WriteStartObject("cpu"u8);
        json.WriteString("user"u8, cost.CpuTime.ToString("c", CultureInfo.InvariantCulture));
        json.WriteString("kernel"u8, TimeSpan.Zero.ToString("c", CultureInfo.InvariantCulture));
        json.WriteString("total cpu"u8, cost.CpuTime.ToString("c", CultureInfo.InvariantCulture));
        json.WriteEndObject();
        json.WriteStartObject("memory"u8);
        json.WriteNumber("peak_per_node"u8, cost.PeakMemoryBytes);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartArray("dataset_statistics"u8);
        json.WriteStartObject();
        json.WriteNumber("table_row_count"u8, result.Rows.Count);
        json.WriteNumber("table_size"u8, cost.ResultBytes);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteCache(Utf8JsonWriter json, ReadOnlySpan<byte> name, long hits)
    {
        json.WriteStartObject(name);
        json.WriteNumber("hits"u8, hits);
        json.WriteNumber("misses"u8, 0);
        json.WriteNumber("total"u8, hits);
        json.WriteEndObject();
    }
}
