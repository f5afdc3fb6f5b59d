using System.Buffers;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Vedette.Kql;

namespace Vedette.Telemetry.Hunting;

/// <summary>One line of a batch: a query and the name its author gave it.</summary>
/// <param name="Id">Comes back with the answer.</param>
/// <param name="Query">KQL text.</param>
public sealed record HuntBatchQuery(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("query")] string Query);

/// <summary>
/// Runs many queries, one after the other, and writes one JSON line for each: <c>{"id","ok","schema":[{"name","type"}],"rows":[[…]],"error":
/// {"code","message","line","column"},"elapsedMs"}</c>. Types are KQL's; a datetime is ISO 8601 with seven digits and Z, a timespan in
/// Kusto's form, a dynamic value JSON, null null. <c>"truncated":true</c> stands in the line when there were more rows than the limit lets through.
/// </summary>
public sealed class HuntBatch(IHuntingService hunting, Guid tenantId, HuntingLimits? limits = null, bool strict = false)
{
    private const int FlushBytes = 1 << 20;

    private static readonly JsonWriterOptions Output = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads queries line by line, runs them and writes their answers.</summary>
    /// <param name="input">JSON lines; empty lines are passed over.</param>
    /// <param name="output">Where the answers go; not closed.</param>
    /// <param name="progress">Told how many queries are done.</param>
    /// <param name="cancellationToken">Stops the batch.</param>
    /// <returns>How many queries were answered and how many failed.</returns>
    public async Task<(int Answered, int Failed)> RunAsync(
        TextReader input, Stream output, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        var (answered, failed, number) = (0, 0, 0);
        while (await input.ReadLineAsync(cancellationToken) is { } line)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line)) continue;
            var ok = TryParse(line, out var query)
                ? await RunAsync(query, output, null, cancellationToken)
                : await RefuseAsync(number, output, cancellationToken);
            _ = ok ? answered++ : failed++;
            progress?.Report(answered + failed);
        }

        await output.FlushAsync(cancellationToken);
        return (answered, failed);
    }

    /// <summary>Runs one query and writes its line.</summary>
    /// <param name="query">The query.</param>
    /// <param name="output">Where the line goes; not closed.</param>
    /// <param name="trace">When given, told how the query ran.</param>
    /// <param name="cancellationToken">Stops the query.</param>
    /// <returns>Whether it was answered.</returns>
    public async Task<bool> RunAsync(
        HuntBatchQuery query, Stream output, HuntingTrace? trace = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(output);
        var started = Stopwatch.GetTimestamp();
        HuntingResult? result = null;
        HuntingException? failure = null;
        try
        {
            result = await hunting.RunAsync(new HuntingRequest(tenantId, query.Query) { Limits = limits, Trace = trace, Strict = strict }, cancellationToken);
        }
        catch (HuntingException error)
        {
            failure = error;
        }

        var elapsed = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        var buffer = new ArrayBufferWriter<byte>(4096);
        await using var json = new Utf8JsonWriter(buffer, Output);
        json.WriteStartObject();
        json.WriteString("id"u8, query.Id);
        json.WriteBoolean("ok"u8, failure is null);
        if (result is not null) await WriteResultAsync(result, json, buffer, output, cancellationToken);
        if (failure is not null) WriteError(failure, json);
        if (result is { IsCut: true }) json.WriteBoolean("truncated"u8, true);
        json.WriteNumber("elapsedMs"u8, Math.Round(elapsed, 3));
        json.WriteEndObject();
        await json.FlushAsync(cancellationToken);
        buffer.Write("\n"u8);
        await output.WriteAsync(buffer.WrittenMemory, cancellationToken);
        return failure is null;
    }

    /// <summary>Reads a line of a batch.</summary>
    /// <returns>False when the line is not a JSON object with a query.</returns>
    public static bool TryParse(string line, [NotNullWhen(true)] out HuntBatchQuery? query)
    {
        query = null;
        try
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("query", out var text) || text.ValueKind != JsonValueKind.String) return false;
            var id = !document.RootElement.TryGetProperty("id", out var name) ? ""
                : name.ValueKind == JsonValueKind.String ? name.GetString()! : name.GetRawText();
            query = new HuntBatchQuery(id, text.GetString()!);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>The answer to a line that is not a query.</summary>
    /// <param name="number">The line's number, from 1.</param>
    public static string Refusal(int number) =>
        $"{{\"id\":null,\"ok\":false,\"error\":{{\"code\":\"BadInput\",\"message\":\"Line {number} is not a JSON object with a query.\","
        + "\"line\":null,\"column\":null},\"elapsedMs\":0}";

    private static async Task<bool> RefuseAsync(int number, Stream output, CancellationToken cancellationToken)
    {
        await output.WriteAsync(Encoding.UTF8.GetBytes(Refusal(number) + "\n"), cancellationToken);
        return false;
    }

    private static async Task WriteResultAsync(
        HuntingResult result, Utf8JsonWriter json, ArrayBufferWriter<byte> buffer, Stream output, CancellationToken cancellationToken)
    {
        json.WriteStartArray("schema"u8);
        foreach (var column in result.Columns)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, column.Name);
            json.WriteString("type"u8, column.Type.Name());
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("rows"u8);
        foreach (var row in result.Rows)
        {
            json.WriteStartArray();
            for (var i = 0; i < row.Length; i++) HuntingJson.WriteValue(row[i], result.Columns[i].Type, json);
            json.WriteEndArray();
            if (json.BytesPending + buffer.WrittenCount < FlushBytes) continue;
            await json.FlushAsync(cancellationToken);
            await output.WriteAsync(buffer.WrittenMemory, cancellationToken);
            buffer.ResetWrittenCount();
        }

        json.WriteEndArray();
    }

    private static void WriteError(HuntingException failure, Utf8JsonWriter json)
    {
        json.WriteStartObject("error"u8);
        json.WriteString("code"u8, failure.Failure.ToString());
        json.WriteString("message"u8, failure.Advice);
        if (failure.Line is { } line) json.WriteNumber("line"u8, line);
        else json.WriteNull("line"u8);
        if (failure.Column is { } column) json.WriteNumber("column"u8, column);
        else json.WriteNull("column"u8);
        if (failure.InnerException is { } inner) json.WriteString("detail"u8, inner.Message);
        json.WriteEndObject();
    }
}
