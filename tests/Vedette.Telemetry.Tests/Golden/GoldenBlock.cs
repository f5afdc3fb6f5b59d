using System.Text;
using System.Text.RegularExpressions;

namespace Vedette.Telemetry.Tests.Golden;

/// <summary>A query with its answer.</summary>
internal sealed partial record GoldenBlock(string Query, string Expected)
{
    /// <summary>All files of queries with answers.</summary>
    public static IEnumerable<string> Files =>
        typeof(GoldenBlock).Assembly.GetManifestResourceNames().Where(n => n.EndsWith(".golden", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    /// <summary>The features that the query shows, from its first line: <c>// function: abs, sin; operator: print</c>. Kinds are those of the coverage page.</summary>
    public IEnumerable<(string Kind, string Name)> Shows => !Query.StartsWith("// ", StringComparison.Ordinal)
        ? []
        : Query.Split('\n')[0][3..].Split("; ").Select(p => p.Split(": ", 2)).Where(p => p.Length == 2)
            .SelectMany(p => p[1].Split(", ").Select(name => (p[0].Trim(), name.Trim())));

    /// <summary>The blocks of a file.</summary>
    public static IEnumerable<GoldenBlock> Read(string file)
    {
        using var reader = new StreamReader(typeof(GoldenBlock).Assembly.GetManifestResourceStream(file)!);
        foreach (var block in reader.ReadToEnd().ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var parts = block.Split("\n---", 2);
            yield return new GoldenBlock(parts[0], parts.Length > 1 ? parts[1].Trim('\n') : "");
        }
    }

    /// <summary>Notes a difference between the answer and the recorded one.</summary>
    public void Compare(string actual, StringBuilder failures)
    {
        if (Trimmed(actual) != Trimmed(Expected))
            failures.AppendLine($"{Query}\n--- expected\n{Expected}\n--- actual\n{actual}\n");
    }

    /// <summary>Rows to compare; in any order where the query gives none.</summary>
    private string Trimmed(string rows)
    {
        var lines = rows.Split('\n').Select(l => l.TrimEnd());
        return string.Join('\n', Ordering().IsMatch(Query) ? lines : lines.Order(StringComparer.Ordinal));
    }

    [GeneratedRegex(@"\b(sort|order|top|serialize)\b")]
    private static partial Regex Ordering();
}
