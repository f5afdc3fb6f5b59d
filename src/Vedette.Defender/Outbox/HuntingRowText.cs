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

    /// <summary>The rows that <see cref="Write"/> wrote. What no longer exists in the schema is dropped, or refused when <paramref name="strict"/>.</summary>
    /// <exception cref="InvalidDataException">The text is not of that form, or (when strict) names an unknown table or column.</exception>
    public static List<HuntingRow> Read(string text, bool strict = false)
    {
        try
        {
            return ReadRows(text, strict);
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException or IndexOutOfRangeException or ArgumentException)
        {
            throw new InvalidDataException($"The text does not hold hunting rows: {exception.Message}", exception);
        }
    }

    private static List<HuntingRow> ReadRows(string text, bool strict)
    {
        using var document = JsonDocument.Parse(text);
        var rows = new List<HuntingRow>(document.RootElement.GetArrayLength());
        foreach (var item in document.RootElement.EnumerateArray())
        {
            var name = item[0].GetString() ?? "";
            if (!HuntingSchema.Tables.TryGetValue(name, out var table))
            {
                if (strict) throw new InvalidDataException($"There is no table '{name}'.");
                continue;
            }

            var row = new HuntingRow(table);
            foreach (var property in item[1].EnumerateObject())
            {
                var ordinal = row.Table.OrdinalOf(property.Name);
                if (ordinal >= 0) row.Values[ordinal] = ReadValue(row.Table.Columns[ordinal], property.Value);
                else if (strict) throw new InvalidDataException($"{name} has no column '{property.Name}'.");
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
