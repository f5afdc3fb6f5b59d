using System.Text.Json.Nodes;
using Vedette.Identity.Directory;
using Vedette.Telemetry.Hunting;

namespace Vedette.Server.Control.Operations;

/// <summary><c>hunt</c>: one query; its answer has the form of a batch line.</summary>
internal sealed class HuntOperation(HuntingService hunting, DirectoryService directory) : Operation<HuntOperation.Input>("hunt")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var tenant = directory.FindTenant(input.Tenant).Id;
        using var buffer = new MemoryStream();
        await new HuntBatch(hunting, tenant).RunAsync(new HuntBatchQuery("", input.Query), buffer, cancellationToken);
        var answer = JsonNode.Parse(buffer.ToArray())!.AsObject();
        answer.Remove("id");
        if (input.Explain && answer["ok"]!.GetValue<bool>()) answer["explanation"] = hunting.Explain(new HuntingRequest(tenant, input.Query));
        return answer;
    }

    internal sealed record Input(string Query, string? Tenant, bool Explain);
}

/// <summary><c>hunt.batch</c>: a file of queries; the answers go to a file, or come back as lines.</summary>
internal sealed class HuntBatchOperation(IHuntingService hunting, DirectoryService directory) : Operation<HuntBatchOperation.Input>("hunt.batch")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        if (!File.Exists(input.Queries)) throw new OperationException("bad_input", $"There is no file '{input.Queries}'.");
        var total = File.ReadLines(input.Queries).LongCount(line => !string.IsNullOrWhiteSpace(line));
        using var reader = File.OpenText(input.Queries);
        await using Stream output = input.Answers is { } path ? File.Create(path) : new MemoryStream();
        var batch = new HuntBatch(hunting, directory.FindTenant(input.Tenant).Id);
        var (answered, failed) = await batch.RunAsync(reader, output, new Relay(progress, total), cancellationToken);
        var lines = output is MemoryStream memory
            ? new JsonArray([.. System.Text.Encoding.UTF8.GetString(memory.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line))])
            : null;
        return new { ok = answered, total = answered + failed, lines };
    }

    internal sealed record Input(string Queries, string? Answers, string? Tenant);

    private sealed class Relay(IProgress<OperationProgress> progress, long total) : IProgress<int>
    {
        public void Report(int value) => progress.Report(new OperationProgress("Hunting", value, total));
    }
}
