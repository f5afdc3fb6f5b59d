using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Vedette.Server.Tests;

/// <summary>The page on known differences is made from the tables in docs/differences, and each of their lines names the tests that hold it.</summary>
public sealed class DifferencesPageTests
{
    private const string Update = "VEDETTE_UPDATE_DOCS";
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };
    private static readonly string Folder = Path.Combine(Root(), "docs", "differences");

    /// <param name="What">What differs; unique in its area.</param>
    /// <param name="Service">What the real service does, or that nobody tells.</param>
    /// <param name="Vedette">What Vedette does.</param>
    /// <param name="Why">Why.</param>
    /// <param name="Held">The tests: a class, a class and its method, or a file of recorded queries.</param>
    /// <param name="Untested">Why no test holds it; given when <paramref name="Held"/> is empty.</param>
    private sealed record Difference(string What, string Service, string Vedette, string Why, IReadOnlyList<string> Held, string? Untested = null);

    private sealed record Area([property: JsonPropertyName("area")] string Name, IReadOnlyList<Difference> Differences);

    private static IReadOnlyList<Area> Areas { get; } = [.. Directory.EnumerateFiles(Folder, "*.json").Order(StringComparer.Ordinal).Select(Read)];

    [Fact]
    public async Task The_page_in_the_documentation_is_the_one_that_the_tables_give()
    {
        var file = Path.Combine(Root(), "docs", "known-differences.md");
        var page = Write();
        if (Environment.GetEnvironmentVariable(Update) == "1") await File.WriteAllTextAsync(file, page);
        (await File.ReadAllTextAsync(file)).ShouldBe(page, $"The page is made from docs/differences: add the line there and run this test with {Update}=1 to write the page anew.");
    }

    [Fact]
    public void Every_line_is_complete_and_stands_there_once()
    {
        foreach (var area in Areas)
        {
            area.Differences.Select(d => d.What).ShouldBeUnique(area.Name);
            foreach (var difference in area.Differences)
            {
                new[] { difference.What, difference.Service, difference.Vedette, difference.Why }.ShouldAllBe(text => text.Trim().Length > 0 && !text.Contains('\n'), difference.What);
                (difference.Held.Count == 0).ShouldBe(difference.Untested is not null, $"{difference.What}: name the tests in \"held\", or say in \"untested\" why there is none.");
            }
        }
    }

    [Fact]
    public void Every_test_that_is_named_exists()
    {
        var files = Directory.EnumerateFiles(Path.Combine(Root(), "tests"), "*", SearchOption.AllDirectories)
            .Where(file => file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".golden", StringComparison.Ordinal))
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal) && !file.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .ToLookup(file => Path.GetFileName(file), StringComparer.Ordinal);
        Areas.SelectMany(area => area.Differences).SelectMany(difference => difference.Held).Distinct().Where(held => !Exists(held)).ShouldBeEmpty();

        bool Exists(string held) => held.EndsWith(".golden", StringComparison.Ordinal)
            ? files.Contains(held)
            : held.Split('.') is [var type, .. var method] && method.Length < 2
              && files[type + ".cs"].Any(file => method.Length == 0 || Regex.IsMatch(File.ReadAllText(file), $@" {Regex.Escape(method[0])}\("));
    }

    private static string Write()
    {
        var page = new StringBuilder("""
            # Known differences from the real services

            What Vedette knowingly does otherwise, or had to choose because sources disagree.

            This page is generated. To add a difference, add an entry to the area's file in [differences](differences) (`what`, `service`, `vedette`, `why`, and
            the tests that hold it in `held`: `Class.Method`, `Class` or `file.golden`; without a test, the reason in `untested`), then write the page anew:
            `VEDETTE_UPDATE_DOCS=1 dotnet test tests/Vedette.Server.Tests --filter DifferencesPageTests`. An area is a file; files stand in the order of their names.

            """.ReplaceLineEndings("\n"));
        foreach (var area in Areas)
        {
            page.Append(System.Globalization.CultureInfo.InvariantCulture, $"\n## {area.Name}\n\n| what | the service | Vedette | why | held by |\n|---|---|---|---|---|\n");
            foreach (var d in area.Differences)
                page.Append(System.Globalization.CultureInfo.InvariantCulture, $"| {Cell(d.What)} | {Cell(d.Service)} | {Cell(d.Vedette)} | {Cell(d.Why)} | {(d.Held.Count == 0 ? $"no test: {Cell(d.Untested!)}" : string.Join(", ", d.Held.Select(test => $"`{test}`")))} |\n");
        }

        return page.ToString();

        static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
    }

    private static Area Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<Area>(File.ReadAllText(file), Options)!;
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"{file}: {exception.Message}", exception);
        }
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Vedette.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("The solution's folder was not found above the tests.");
    }
}
