using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Vedette.Kql;

namespace Vedette.Telemetry.Hunting;

/// <summary>One line of a batch: a query and the name its author gave it.</summary>
/// <param name="Id">The name as JSON, of whatever type; comes back with the answer. <c>null</c> for a query without one.</param>
/// <param name="Query">KQL text.</param>
public sealed record HuntBatchQuery(string Id, string Query)
{
    /// <summary>Values for what the query declares with <c>declare query_parameters</c>; null for none.</summary>
    public IReadOnlyDictionary<string, string>? Parameters { get; init; }

    /// <summary>Why the line holds no query; null when it holds one.</summary>
    public string? Problem { get; init; }

    /// <summary>Reads a line. Members besides <c>id</c> and <c>query</c> are passed over.</summary>
    /// <param name="line">One JSON object.</param>
    /// <param name="number">The line's number, from 1, for what is said about a line that holds no query.</param>
    public static HuntBatchQuery Parse(string line, int number)
    {
        ArgumentNullException.ThrowIfNull(line);
        try
        {
            // A byte order mark stands before the first line of what comes through a pipe.
            using var document = JsonDocument.Parse(line.TrimStart('\uFEFF'));
            if (document.RootElement.ValueKind != JsonValueKind.Object) return Wrong("null", $"Line {number} is not a JSON object.");
            var id = document.RootElement.TryGetProperty("id", out var name) ? name.GetRawText() : "null";
            if (!document.RootElement.TryGetProperty("query", out var text)) return Wrong(id, $"Line {number} has no member 'query'.");
            return text.ValueKind == JsonValueKind.String ? new HuntBatchQuery(id, text.GetString()!) : Wrong(id, $"The member 'query' of line {number} is not a text.");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return Wrong("null", $"Line {number} is not JSON: {exception.Message.Split(" LineNumber:")[0]}");
        }
    }

    /// <summary>The answer to a line that holds no query.</summary>
    public string Refusal() =>
        $"{{\"id\":{Id},\"ok\":false,\"error\":{{\"code\":\"BadInput\",\"message\":{JsonSerializer.Serialize(Problem, Words)},\"line\":null,\"column\":null}},\"elapsedMs\":0}}";

    private static readonly JsonSerializerOptions Words = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static HuntBatchQuery Wrong(string id, string problem) => new(id, "") { Problem = problem };
}

/// <summary>
/// Runs many queries, one after the other, and writes one JSON line for each: <c>{"id","ok","schema":[{"name","type"}],"rows":[[…]],"error":
/// {"code","message","line","column"},"elapsedMs"}</c>. Types are KQL's; a datetime is ISO 8601 with seven digits and Z, a timespan in
/// Kusto's form, a dynamic value JSON, null null; reals that are no number are the texts <c>NaN</c>, <c>Infinity</c> and <c>-Infinity</c>. <c>"truncated":true</c> stands in the line when there
/// were more rows than the limit lets through, <c>"warnings"</c> when there is something to say about a query that ran.
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
            var query = HuntBatchQuery.Parse(line, number);
            var ok = query.Problem is null ? await RunAsync(query, output, null, cancellationToken) : await RefuseAsync(query, output, cancellationToken);
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
            result = await hunting.RunAsync(new HuntingRequest(tenantId, query.Query) { Limits = limits, Trace = trace, Strict = strict, Parameters = query.Parameters }, cancellationToken);
        }
        catch (HuntingException error)
        {
            failure = error;
        }

        var elapsed = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        var buffer = new ArrayBufferWriter<byte>(4096);
        await using var json = new Utf8JsonWriter(buffer, Output);
        json.WriteStartObject();
        json.WritePropertyName("id"u8);
        json.WriteRawValue(query.Id);
        json.WriteBoolean("ok"u8, failure is null);
        if (result is not null) await WriteResultAsync(result, json, buffer, output, cancellationToken);
        if (failure is not null) WriteError(failure, json);
        if (result is { IsCut: true }) json.WriteBoolean("truncated"u8, true);
        if (result is { Warnings.Count: > 0 }) WriteWarnings(result.Warnings, json);
        json.WriteNumber("elapsedMs"u8, Math.Round(elapsed, 3));
        json.WriteEndObject();
        await json.FlushAsync(cancellationToken);
        buffer.Write("\n"u8);
        await output.WriteAsync(buffer.WrittenMemory, cancellationToken);
        return failure is null;
    }

    private static async Task<bool> RefuseAsync(HuntBatchQuery query, Stream output, CancellationToken cancellationToken)
    {
        await output.WriteAsync(Encoding.UTF8.GetBytes(query.Refusal() + "\n"), cancellationToken);
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

    private static void WriteWarnings(IReadOnlyList<KqlDiagnostic> warnings, Utf8JsonWriter json)
    {
        json.WriteStartArray("warnings"u8);
        foreach (var warning in warnings)
        {
            json.WriteStartObject();
            json.WriteString("code"u8, warning.Code);
            json.WriteString("severity"u8, warning.Severity.ToString());
            json.WriteString("message"u8, warning.FullMessage);
            json.WriteNumber("line"u8, warning.Line);
            json.WriteNumber("column"u8, warning.Column);
            json.WriteNumber("length"u8, warning.Span.Length);
            json.WriteEndObject();
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
