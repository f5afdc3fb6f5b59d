using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Vedette.Kql;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Outbox;

/// <summary>Hunting rows as text and back, without loss: times to 100 ns, decimals to the last digit.</summary>
public static class HuntingRowText
{
    /// <summary>Rows as a JSON array of <c>[table, {column: value}]</c>; null values are left out.</summary>
    public static string Write(IEnumerable<HuntingRow> rows)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var row in rows)
            {
                json.WriteStartArray();
                json.WriteStringValue(row.Table.Name);
                json.WriteStartObject();
                foreach (var column in row.Table.Columns)
                {
                    if (row.Values[column.Ordinal] is not { } value) continue;
                    json.WritePropertyName(column.Name);
                    WriteValue(json, value);
                }

                json.WriteEndObject();
                json.WriteEndArray();
            }

            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>The rows that <see cref="Write"/> wrote. Columns that no longer exist are dropped.</summary>
    public static List<HuntingRow> Read(string text)
    {
        using var document = JsonDocument.Parse(text);
        var rows = new List<HuntingRow>(document.RootElement.GetArrayLength());
        foreach (var item in document.RootElement.EnumerateArray())
        {
            var row = HuntingRow.For(item[0].GetString()!);
            foreach (var property in item[1].EnumerateObject())
            {
                var ordinal = row.Table.OrdinalOf(property.Name);
                if (ordinal >= 0) row.Values[ordinal] = ReadValue(row.Table.Columns[ordinal], property.Value);
            }

            rows.Add(row);
        }

        return rows;
    }

    private static void WriteValue(Utf8JsonWriter json, object value)
    {
        switch (value)
        {
            case string text: json.WriteStringValue(text); break;
            case bool flag: json.WriteBooleanValue(flag); break;
            case int number: json.WriteNumberValue(number); break;
            case long number: json.WriteNumberValue(number); break;
            case double number: json.WriteStringValue(number.ToString("R", CultureInfo.InvariantCulture)); break;
            case decimal number: json.WriteStringValue(number.ToString(CultureInfo.InvariantCulture)); break;
            case DateTime time: json.WriteNumberValue(time.Ticks); break;
            case TimeSpan span: json.WriteNumberValue(span.Ticks); break;
            case Guid id: json.WriteStringValue(id); break;
            default: throw new ArgumentException($"A hunting row cannot hold a {value.GetType().Name}.", nameof(value));
        }
    }

    private static object? ReadValue(HuntingColumn column, JsonElement value) => column.Type switch
    {
        KqlType.String or KqlType.Dynamic => value.GetString(),
        KqlType.Bool => value.GetBoolean(),
        KqlType.Int => value.GetInt32(),
        KqlType.Long => value.GetInt64(),
        KqlType.Real => double.Parse(value.GetString()!, CultureInfo.InvariantCulture),
        KqlType.Decimal => decimal.Parse(value.GetString()!, CultureInfo.InvariantCulture),
        KqlType.DateTime => new DateTime(value.GetInt64(), DateTimeKind.Utc),
        KqlType.TimeSpan => new TimeSpan(value.GetInt64()),
        KqlType.Guid => value.GetGuid(),
        _ => throw new InvalidOperationException($"Column {column.Name} has the type {column.Type}, which rows cannot hold."),
    };
}
