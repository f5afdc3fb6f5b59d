using System.Collections.Concurrent;
using System.Text.Json;
using Vedette.Defender.Demo;
using Vedette.Defender.Tests.Detections;
using Vedette.Telemetry;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Testing;
using Xunit.Abstractions;

namespace Vedette.Defender.Tests.Conformance;

/// <summary>How many public hunting queries find something in the demo tenant as it is, with no other rows beside it.</summary>
[Trait("Category", "Conformance")]
public sealed class DemoCoverageTests(ITestOutputHelper output)
{
    /// <summary>Queries that found rows when this was last looked at; more is better.</summary>
    private const int Least = 265;

    [Fact]
    public async Task Public_queries_find_rows_in_the_demo_tenant()
    {
        await using var world = await DetectionWorld.CreateAsync();
        world.Domain.Clock.Advance(DateTime.UtcNow - world.Domain.Now);
        var summary = await world.Domain.Get<DemoTenant>().EnsureAsync(DetectionWorld.Tenant, CancellationToken.None);
        output.WriteLine($"{summary.Rows} rows and {summary.Alerts} alerts in {summary.Elapsed.TotalSeconds:F1} s.");
        var plain = Service(new TelemetryOptions { Database = world.Domain.Get<TelemetryOptions>().Database }, world);
        var mirrored = Service(new TelemetryOptions { Database = world.Domain.Get<TelemetryOptions>().Database, TimeGenerated = true }, world);
        var (total, found, silent) = (0, new ConcurrentBag<string>(), new ConcurrentBag<string>());
        await Parallel.ForEachAsync(Queries(), new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (query, stop) =>
        {
            Interlocked.Increment(ref total);
            try
            {
                var result = await (query.NeedsTimeGenerated ? mirrored : plain).RunAsync(new HuntingRequest(DetectionWorld.Tenant, query.Text), stop);
                (result.Rows.Count > 0 ? found : silent).Add(query.Id);
            }
            catch (HuntingException)
            {
                silent.Add(query.Id);
            }
        });

        output.WriteLine($"{found.Count} of {total} queries find rows.");
        output.WriteLine("Silent: " + string.Join(' ', silent.Order(StringComparer.Ordinal)));
        found.Count.ShouldBeGreaterThanOrEqualTo(Least);
    }

    private static HuntingService Service(TelemetryOptions options, DetectionWorld world) => new(TestEngine.Shared, options, new HuntingCatalogue(options), world.Domain.Clock);

    private static IEnumerable<(string Id, string Text, bool NeedsTimeGenerated)> Queries()
    {
        var folder = Environment.GetEnvironmentVariable("VEDETTE_CONFORMANCE") is { Length: > 0 } shared
            ? shared
            : throw new InvalidOperationException("Conformance tests need VEDETTE_CONFORMANCE to name the folder with the shared data.");
        foreach (var line in File.ReadLines(Path.Combine(folder, "kql", "hunting_queries.jsonl")))
        {
            using var document = JsonDocument.Parse(line);
            var query = document.RootElement;
            var mirrored = query.GetProperty("needs_TimeGenerated").GetBoolean();
            if (query.GetProperty("defender").GetBoolean() || mirrored) yield return (query.GetProperty("id").GetString()!, query.GetProperty("query").GetString()!, mirrored);
        }
    }
}
