using Vedette.Testing;
using Xunit.Abstractions;

namespace Vedette.Telemetry.Tests.Conformance;

/// <summary>The examples of the language reference, run on the engine.</summary>
[Trait("Category", "Conformance")]
public sealed class ReferenceExampleTests(ITestOutputHelper output)
{
    /// <summary>How many examples give the documented output; raised as more do.</summary>
    private const int Floor = 445;

    /// <summary>Misses with their reasons.</summary>
    private static HashSet<string> Explained
    {
        get
        {
            using var reader = new StreamReader(typeof(ReferenceExampleTests).Assembly.GetManifestResourceStream("reference-misses.txt")!);
            return [.. reader.ReadToEnd().Split('\n').Where(l => l.Contains(':') && l[0] != '#').Select(l => l.Split(':')[0])];
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
        foreach (var miss in misses)
            output.WriteLine(miss);
        (total - misses.Count).ShouldBeGreaterThanOrEqualTo(Floor);
        misses.Where(m => !Explained.Contains(m.Split(':')[0])).ShouldBeEmpty();
    }
}
