using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Vedette.Telemetry.Tests.Properties;

/// <summary>
/// Runs many examples and gathers what is wrong with them by class, so that a long run tells all there is at once. The seed is fixed unless
/// <c>VEDETTE_FUZZ_SEED</c> gives another; <c>VEDETTE_FUZZ_QUERIES</c> gives the number of examples of a long run, and <c>VEDETTE_FUZZ_REPORT</c> a folder
/// for what it finds.
/// </summary>
internal static partial class FuzzCampaign
{
    /// <summary>Whether this is a long run.</summary>
    public static bool IsLong => Number("VEDETTE_FUZZ_QUERIES") > 0;

    /// <summary>Runs examples.</summary>
    /// <param name="name">Name of the report.</param>
    /// <param name="usual">Examples of a run within the suite.</param>
    /// <param name="example">Runs the example of a random source; gives what is wrong: a class, and the details.</param>
    public static void Run(string name, int usual, Func<Random, IEnumerable<(string Class, string Details)>> example)
    {
        var count = IsLong ? Number("VEDETTE_FUZZ_QUERIES") : usual;
        var seed = Number("VEDETTE_FUZZ_SEED") is > 0 and var given ? given : 20261120;
        var wrong = new ConcurrentDictionary<string, ConcurrentQueue<string>>(StringComparer.Ordinal);
        var clock = Stopwatch.StartNew();
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = 2 }, number =>
        {
            foreach (var (kind, details) in example(new Random(unchecked((seed * 31) + number))))
                wrong.GetOrAdd(Kind(kind), static _ => []).Enqueue(details);
        });
        var report = new StringBuilder().AppendLine(CultureInfo.InvariantCulture, $"{name}: {count} examples in {clock.Elapsed.TotalSeconds:F0} s, {wrong.Sum(w => w.Value.Count)} wrong in {wrong.Count} classes");
        foreach (var (kind, all) in wrong.OrderByDescending(w => w.Value.Count))
        {
            report.AppendLine(CultureInfo.InvariantCulture, $"\n=== {all.Count} x {kind}");
            foreach (var details in all.OrderBy(d => d.Length).Take(3)) report.AppendLine(details).AppendLine("--");
        }

        if (Environment.GetEnvironmentVariable("VEDETTE_FUZZ_REPORT") is { Length: > 0 } folder) File.WriteAllText(Path.Combine(folder, name + ".txt"), report.ToString());
        var text = report.ToString();
        wrong.Count.ShouldBe(0, text.Length > 20_000 ? text[..20_000] : text);
    }

    // Numbers, names and values differ from one example to the next.
    private static string Kind(string kind)
    {
        var text = Values().Replace(kind, "#");
        return text.Length > 160 ? text[..160] : text;
    }

    private static int Number(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;

    [GeneratedRegex("'(?:[^'\\\\]|\\\\.)*'|\"[^\"]*\"|`[^`]*`|[0-9]+")]
    private static partial Regex Values();
}
