using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Streaming;

/// <summary>A record of the streaming API, ready to be sent.</summary>
/// <param name="Arrived">When the server received the event, UTC.</param>
/// <param name="Json">The record: <c>time</c>, <c>tenantId</c>, <c>operationName</c>, <c>category</c>, <c>_TimeReceivedBySvc</c>, <c>properties</c>; one line.</param>
internal readonly record struct StreamingRecord(DateTime Arrived, ReadOnlyMemory<byte> Json)
{
    private const string MachineGroup = "MachineGroup";
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Writes a row. Every record carries the device's group, whether or not its table has a column for it.</summary>
    public static StreamingRecord Of(Guid tenantId, HuntingTable table, ArrivedRow row, IReadOnlyDictionary<string, string> groups)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Writing))
        {
            json.WriteStartObject();
            json.WriteString("time"u8, HuntingJson.Text(row.Arrived));
            json.WriteString("tenantId"u8, tenantId);
            json.WriteString("operationName"u8, "Publish"u8);
            json.WriteString("category"u8, StreamedTables.Category(table.Name));
            json.WriteString("_TimeReceivedBySvc"u8, HuntingJson.Text(row.Arrived));
            json.WriteStartObject("properties"u8);
            for (var column = 0; column < row.Values.Length; column++)
            {
                json.WritePropertyName(table.Columns[column].Name);
                // The service streams an empty text as null.
                if (row.Values[column] is "" && table.Columns[column].Type == KqlType.String) json.WriteNullValue();
                else HuntingJson.WriteValue(row.Values[column], table.Columns[column].Type, json);
            }

            if (table.OrdinalOf(MachineGroup) < 0)
            {
                var device = table.OrdinalOf("DeviceId") is >= 0 and var ordinal ? row.Values[ordinal] as string : null;
                if (device is not null && groups.TryGetValue(device, out var group)) json.WriteString(MachineGroup, group);
                else json.WriteNull(MachineGroup);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return new StreamingRecord(row.Arrived, buffer.WrittenMemory);
    }
}
