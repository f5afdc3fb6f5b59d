using System.Text;
using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Server.Http;
using Vedette.Telemetry.Hunting;

namespace Vedette.Server.Control.Operations;

/// <summary>The tenant that is called so; the first one for null.</summary>
internal delegate Guid TenantFinder(string? name);

/// <summary>
/// <c>hunt</c>: one query. Its answer goes to the caller as a batch line does; the result says whether it ran, everything that is wrong with its text, and, when
/// that is asked for, how it ran.
/// </summary>
internal sealed class HuntOperation(IHuntingService hunting, HuntingCatalogue catalogue, TenantFinder tenantOf, HuntingSettings settings) : Operation<HuntOperation.Input>("hunt")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        if (progress is not IAnswerText answers) throw new OperationException("bad_input", "hunt needs a caller that takes its answer.");
        var tenant = tenantOf(input.Tenant);
        await using var output = new AnswerStream(answers);
        var trace = input.Explain ? new HuntingTrace() : null;
        var query = new HuntBatchQuery("null", input.Query) { Parameters = input.Parameters };
        var ok = await new HuntBatch(hunting, tenant, settings.CommandLine.Limits, input.Strict).RunAsync(query, output, trace, cancellationToken);
        var options = input.Parameters is null ? null : KqlOptions.Default with { Parameters = input.Parameters };
        var diagnostics = ok ? [] : catalogue.Bind(input.Query, options, input.Strict).Diagnostics;
        return new
        {
            ok,
            explanation = trace is null ? null : HuntExplanation.ToJson(trace),
            diagnostics = diagnostics.Where(diagnostic => diagnostic.Severity == KqlSeverity.Error).Select(diagnostic => new
            {
                code = diagnostic.Code, severity = diagnostic.Severity.ToString(), message = diagnostic.FullMessage, line = diagnostic.Line, column = diagnostic.Column, length = diagnostic.Span.Length,
            }).ToArray(),
        };
    }

    internal sealed record Input(string Query, string? Tenant, bool Explain = false, bool Strict = false, Dictionary<string, string>? Parameters = null);
}

/// <summary><c>hunt.batch</c>: a file of queries; the answers go to the caller line by line.</summary>
internal sealed class HuntBatchOperation(IHuntingService hunting, TenantFinder tenantOf, HuntingSettings settings) : Operation<HuntBatchOperation.Input>("hunt.batch")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        if (!File.Exists(input.Queries)) throw new OperationException("bad_input", $"There is no file '{input.Queries}'.");
        if (progress is not IAnswerText answers) throw new OperationException("bad_input", "hunt.batch needs a caller that takes its answers.");
        var total = File.ReadLines(input.Queries).LongCount(line => !string.IsNullOrWhiteSpace(line));
        using var reader = File.OpenText(input.Queries);
        await using var output = new AnswerStream(answers);
        var batch = new HuntBatch(hunting, tenantOf(input.Tenant), settings.CommandLine.Limits, input.Strict);
        var (answered, failed) = await batch.RunAsync(reader, output, new Relay(progress, total), cancellationToken);
        return new { ok = answered, total = answered + failed };
    }

    internal sealed record Input(string Queries, string? Tenant, bool Strict = false);

    private sealed class Relay(IProgress<OperationProgress> progress, long total) : IProgress<int>
    {
        public void Report(int value) => progress.Report(new OperationProgress("Hunting", value, total));
    }
}

/// <summary>A stream whose bytes go to a caller as text. Each write holds whole characters.</summary>
internal sealed class AnswerStream(IAnswerText answers) : Stream
{
    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        answers.WriteAsync(Encoding.UTF8.GetString(buffer.Span), cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}

/// <summary>How a query ran, as JSON.</summary>
internal static class HuntExplanation
{
    /// <summary>
    /// <c>{"plan","warnings":[{code,severity,message,line,column}],"stages":[{name,local,sql,parameters,rows,rowsRead,bytesRead,elapsedMs}],
    /// "rowsRead","bytesRead","peakMemoryBytes","cpuMs","bindMs","writeMs"}</c>.
    /// </summary>
    public static JsonObject ToJson(HuntingTrace trace) => new()
    {
        ["plan"] = trace.Plan,
        ["warnings"] = new JsonArray([.. trace.Warnings.Select(warning => new JsonObject
        {
            ["code"] = warning.Code,
            ["severity"] = warning.Severity.ToString(),
            ["message"] = warning.FullMessage,
            ["line"] = warning.Line,
            ["column"] = warning.Column,
        })]),
        ["stages"] = new JsonArray([.. trace.Stages.Select(Stage)]),
        ["rowsRead"] = trace.Stages.Sum(stage => stage.Cost.RowsRead),
        ["bytesRead"] = trace.Stages.Sum(stage => stage.Cost.BytesRead),
        ["peakMemoryBytes"] = trace.Stages.Select(stage => stage.Cost.PeakMemoryBytes).DefaultIfEmpty().Max(),
        ["cpuMs"] = Milliseconds(TimeSpan.FromTicks(trace.Stages.Sum(stage => stage.Cost.CpuTime.Ticks))),
        ["bindMs"] = Milliseconds(trace.BindTime),
        ["writeMs"] = Milliseconds(trace.WriteTime),
    };

    private static JsonObject Stage(HuntingStage stage)
    {
        var answer = new JsonObject { ["name"] = stage.Name, ["local"] = stage.IsLocal };
        if (stage.Sql is not null)
        {
            answer["sql"] = stage.Sql;
            answer["parameters"] = new JsonObject(stage.Parameters.Select(parameter =>
                KeyValuePair.Create(parameter.Key, (JsonNode?)parameter.Value)));
        }

        answer["rows"] = stage.Rows;
        if (!stage.IsLocal)
        {
            answer["rowsRead"] = stage.Cost.RowsRead;
            answer["bytesRead"] = stage.Cost.BytesRead;
        }

        answer["elapsedMs"] = Milliseconds(stage.Cost.Elapsed);
        return answer;
    }

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);
}
