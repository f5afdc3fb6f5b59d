using System.Text.Json;
using Vedette.Testing;
using Xunit.Abstractions;

namespace Vedette.Telemetry.Tests.Conformance;

/// <summary>The examples of the language reference, run on the engine.</summary>
[Trait("Category", "Conformance")]
public sealed class ReferenceExampleTests(ITestOutputHelper output)
{
    /// <summary>How many examples give the documented output; raised as more do.</summary>
    private const int Floor = 445;

    /// <summary>How many give it, or what the service's engine gives where the page contradicts its own query.</summary>
    private const int CorrectedFloor = 459;

    /// <summary>Misses by id, with the kind of their reason (the heading they stand under).</summary>
    private static Dictionary<string, string> Explained
    {
        get
        {
            var (result, heading) = (new Dictionary<string, string>(), "");
            foreach (var line in Lines("reference-misses.txt"))
            {
                if (line[0] == '#')
                    heading = line[2..];
                else
                    result.Add(line.Split(':')[0], heading);
            }

            return result;
        }
    }

    /// <summary>What the service's engine gives, as far as a record of it is public, for examples whose page contradicts its own query.</summary>
    private static Dictionary<string, IReadOnlyList<IReadOnlyList<string>>> Corrections => Lines("reference-corrections.jsonl")
        .Select(static line => JsonDocument.Parse(line).RootElement)
        .ToDictionary(
            static line => line.GetProperty("id").GetString()!,
            static line => line.GetProperty("rows").Deserialize<IReadOnlyList<IReadOnlyList<string>>>()!);

    [Fact]
    public async Task Examples_give_the_documented_output()
    {
        var (misses, corrected, total) = (new List<string>(), new List<string>(), 0);
        var corrections = Corrections;
        foreach (var example in ReferenceExample.All)
        {
            total++;
            if (await example.RunAsync(TestEngine.Shared) is not { } difference)
                continue;
            if (corrections.TryGetValue(example.Id, out var rows) && await example.With(rows).RunAsync(TestEngine.Shared) is var other && other is null)
                corrected.Add(example.Id);
            misses.Add($"{example.Id}: {difference}");
        }

        var documented = total - misses.Count;
        output.WriteLine($"{documented} of {total} examples give the documented output; {documented + corrected.Count} ({100.0 * (documented + corrected.Count) / total:F1} %) "
            + "give it, or what the service's engine gives where the page contradicts its own query.");
        var explained = Explained;
        foreach (var kind in explained.Values.GroupBy(reason => reason))
            output.WriteLine($"{kind.Count()} misses: {kind.Key}");
        foreach (var miss in misses)
            output.WriteLine(miss);
        documented.ShouldBeGreaterThanOrEqualTo(Floor);
        (documented + corrected.Count).ShouldBeGreaterThanOrEqualTo(CorrectedFloor);
        misses.Where(m => !explained.ContainsKey(m.Split(':')[0])).ShouldBeEmpty();
        explained.Keys.Except(misses.Select(m => m.Split(':')[0])).ShouldBeEmpty("these are explained though they are no misses");
        corrections.Keys.Except(corrected).ShouldBeEmpty("the service's engine gives other rows");
    }

    private static IEnumerable<string> Lines(string resource)
    {
        using var reader = new StreamReader(typeof(ReferenceExampleTests).Assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd().Split('\n').Where(l => l.Length > 0);
    }
}
