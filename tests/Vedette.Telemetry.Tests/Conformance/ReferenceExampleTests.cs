using Vedette.Testing;
using Xunit.Abstractions;

namespace Vedette.Telemetry.Tests.Conformance;

/// <summary>The examples of the language reference, run on the engine.</summary>
[Trait("Category", "Conformance")]
public sealed class ReferenceExampleTests(ITestOutputHelper output)
{
    /// <summary>How many examples give the documented output; raised as more do.</summary>
    private const int Floor = 445;

    /// <summary>Misses by id, with the kind of their reason (the heading they stand under).</summary>
    private static Dictionary<string, string> Explained
    {
        get
        {
            using var reader = new StreamReader(typeof(ReferenceExampleTests).Assembly.GetManifestResourceStream("reference-misses.txt")!);
            var (result, heading) = (new Dictionary<string, string>(), "");
            foreach (var line in reader.ReadToEnd().Split('\n').Where(l => l.Length > 0))
            {
                if (line[0] == '#')
                    heading = line[2..];
                else
                    result.Add(line.Split(':')[0], heading);
            }

            return result;
        }
    }

    [Fact]
    public async Task Examples_give_the_documented_output()
    {
        var misses = new List<string>();
        var total = 0;
        foreach (var example in ReferenceExample.All)
        {
            total++;
            if (await example.RunAsync(TestEngine.Shared) is { } difference)
                misses.Add($"{example.Id}: {difference}");
        }

        output.WriteLine($"{total - misses.Count} of {total} examples give the documented output.");
        var explained = Explained;
        foreach (var kind in explained.Values.GroupBy(reason => reason))
            output.WriteLine($"{kind.Count()} misses: {kind.Key}");
        foreach (var miss in misses)
            output.WriteLine(miss);
        (total - misses.Count).ShouldBeGreaterThanOrEqualTo(Floor);
        misses.Where(m => !explained.ContainsKey(m.Split(':')[0])).ShouldBeEmpty();
        explained.Keys.Except(misses.Select(m => m.Split(':')[0])).ShouldBeEmpty("these are explained though they are no misses");
    }
}
