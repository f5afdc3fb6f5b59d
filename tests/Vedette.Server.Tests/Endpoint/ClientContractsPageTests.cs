using System.Text.RegularExpressions;

namespace Vedette.Server.Tests.Endpoint;

/// <summary>The page that maps facts and quirks to tests names every number, and only tests that exist.</summary>
public sealed partial class ClientContractsPageTests
{
    [Fact]
    public void Every_number_stands_there_once_and_names_a_test_or_a_difference()
    {
        var tables = File.ReadAllText(Path.Combine(Root(), "docs", "client-contracts.md")).Split("\n## ")[1..]
            .Select(section => Row().Matches(section).Select(m => (Number: int.Parse(m.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture), Held: m.Groups[2].Value)).ToArray()).ToArray();
        tables.Select(rows => rows.Length).ShouldBe([22, 60, 7]);
        foreach (var rows in tables)
        {
            rows.Select(row => row.Number).ShouldBe(Enumerable.Range(1, rows.Length));
            rows.ShouldAllBe(row => Test().IsMatch(row.Held) || row.Held.Contains("known difference", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Every_test_that_is_named_exists()
    {
        var tests = Directory.EnumerateFiles(Path.Combine(Root(), "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .ToLookup(file => Path.GetFileNameWithoutExtension(file), File.ReadAllText);
        var missing = Test().Matches(File.ReadAllText(Path.Combine(Root(), "docs", "client-contracts.md")))
            .Select(m => (Class: m.Groups[1].Value, Name: m.Groups[2].Value))
            .Where(named => !tests[named.Class].Any(text => text.Contains($" {named.Name}(", StringComparison.Ordinal)));
        missing.ShouldBeEmpty();
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Vedette.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("The solution's folder was not found above the tests.");
    }

    [GeneratedRegex(@"^\| (\d+) \|[^|]*\|(.*)\|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"`(\w+Tests)\.(\w+)`")]
    private static partial Regex Test();
}
