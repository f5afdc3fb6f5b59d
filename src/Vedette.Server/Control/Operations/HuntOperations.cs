using System.Text;
using System.Text.Json.Nodes;
using Vedette.Identity.Directory;
using Vedette.Server.Http;
using Vedette.Telemetry.Hunting;

namespace Vedette.Server.Control.Operations;

/// <summary><c>hunt</c>: one query; its answer has the form of a batch line, with an explanation when one is asked for.</summary>
internal sealed class HuntOperation(IHuntingService hunting, DirectoryService directory, HuntingSettings settings) : Operation<HuntOperation.Input>("hunt")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var tenant = directory.FindTenant(input.Tenant).Id;
        using var buffer = new MemoryStream();
        var trace = input.Explain ? new HuntingTrace() : null;
        await new HuntBatch(hunting, tenant, settings.CommandLine.Limits, input.Strict).RunAsync(new HuntBatchQuery("", input.Query), buffer, trace, cancellationToken);
        var answer = JsonNode.Parse(buffer.ToArray())!.AsObject();
        answer.Remove("id");
        if (trace is not null) answer["explanation"] = HuntExplanation.ToJson(trace);
        return answer;
    }

    internal sealed record Input(string Query, string? Tenant, bool Explain, bool Strict = false);
}

/// <summary><c>hunt.batch</c>: a file of queries; the answers go to a file, or come back as lines.</summary>
internal sealed class HuntBatchOperation(IHuntingService hunting, DirectoryService directory, HuntingSettings settings) : Operation<HuntBatchOperation.Input>("hunt.batch")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        if (input.Lines is null == input.Queries is null) throw new OperationException("bad_input", "hunt.batch takes a file of queries, or the lines themselves.");
        if (input.Queries is { } file && !File.Exists(file)) throw new OperationException("bad_input", $"There is no file '{file}'.");
        var total = input.Queries is { } queries
            ? File.ReadLines(queries).LongCount(line => !string.IsNullOrWhiteSpace(line))
            : input.Lines!.Split('\n').LongCount(line => !string.IsNullOrWhiteSpace(line));
        using TextReader reader = input.Queries is { } path ? File.OpenText(path) : new StringReader(input.Lines!);
        await using Stream output = input.Answers is { } answers ? Create(answers) : new MemoryStream();
        var batch = new HuntBatch(hunting, directory.FindTenant(input.Tenant).Id, settings.CommandLine.Limits, input.Strict);
        var (answered, failed) = await batch.RunAsync(reader, output, new Relay(progress, total), cancellationToken);
        var lines = output is MemoryStream memory
            ? new JsonArray([.. Encoding.UTF8.GetString(memory.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line))])
            : null;
        return new { ok = answered, total = answered + failed, lines };
    }

    private static FileStream Create(string path)
    {
        try
        {
            return File.Create(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new OperationException("bad_input", $"The answers cannot be written to '{path}': {exception.Message}", exception);
        }
    }

    internal sealed record Input(string? Queries, string? Lines, string? Answers, string? Tenant, bool Strict = false);

    private sealed class Relay(IProgress<OperationProgress> progress, long total) : IProgress<int>
    {
        public void Report(int value) => progress.Report(new OperationProgress("Hunting", value, total));
    }
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
