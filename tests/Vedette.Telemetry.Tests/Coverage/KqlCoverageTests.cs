using System.Text.RegularExpressions;
using Vedette.Kql;
using Vedette.Kql.Symbols;
using Vedette.Telemetry.Tests.Golden;

namespace Vedette.Telemetry.Tests.Coverage;

public sealed class KqlCoverageTests
{
    private const string Update = "VEDETTE_UPDATE_DOCS";

    private readonly KqlCoverage _coverage = new();

    [Fact]
    public async Task The_page_in_the_documentation_is_the_one_that_the_tests_give()
    {
        var page = _coverage.Write();
        var file = Path.Combine(Root(), "docs", "kql-coverage.md");
        if (Environment.GetEnvironmentVariable(Update) == "1")
            await File.WriteAllTextAsync(file, page);
        (await File.ReadAllTextAsync(file)).ShouldBe(page, $"Run the tests with {Update}=1 to write the page anew.");
    }

    [Theory]
    [InlineData("operator", 100)]
    [InlineData("source", 100)]
    [InlineData("statement", 100)]
    [InlineData("join_kind", 100)]
    [InlineData("string_operator", 100)]
    [InlineData("scalar_operator", 100)]
    [InlineData("data_type", 100)]
    [InlineData("render", 100)]
    [InlineData("aggregate", 100)]
    [InlineData("function", 99)]
    [InlineData("plugin", 80)]
    public void So_much_of_the_documented_language_runs(string kind, int percent)
    {
        var (supported, documented) = _coverage.Count(kind);
        var missing = _coverage.Features.Where(f => f.Kind == kind && f.IsDocumented && !_coverage.IsSupported(f)).Select(f => f.Name);
        (100.0 * supported / documented).ShouldBeGreaterThanOrEqualTo(percent, $"Not shown by a test: {string.Join(", ", missing)}");
    }

    [Fact]
    public void Every_plug_in_runs_that_is_not_refused()
    {
        var refused = _coverage.Notes.Where(n => n is { State: "absent", Kind: "plugin" }).Select(n => n.Name).ToHashSet();
        _coverage.Features.Where(f => f is { Kind: "plugin", IsDocumented: true } && !refused.Contains(f.Name) && !_coverage.IsSupported(f)).Select(f => f.Name).ShouldBeEmpty();
    }

    [Fact]
    public void A_query_holds_what_it_claims_to_show()
    {
        var known = _coverage.Features.Select(f => (f.Kind, f.Name)).ToHashSet();
        var wrong = new List<string>();
        foreach (var block in GoldenBlock.Files.SelectMany(GoldenBlock.Read))
        {
            var query = string.Join('\n', block.Query.Split('\n').Skip(1));
            foreach (var (kind, name) in block.Shows)
            {
                // A call or a word of the query; types are shown by their literals, and a name may be in several words.
                var pattern = kind is "function" or "aggregate" or "plugin" ? $@"\b{name}\s*\(" : string.Join(@"[\s\S]*", name.Split(' ').Select(Regex.Escape));
                if (!known.Contains((kind, name)) || (kind != "data_type" && !Regex.IsMatch(query, pattern)))
                    wrong.Add($"{kind} {name}: {query}");
            }
        }

        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void Notes_are_about_features_and_tests_there_are()
    {
        var known = _coverage.Features.Select(f => (f.Kind, f.Name)).ToHashSet();
        var classes = typeof(KqlCoverageTests).Assembly.GetTypes().Select(t => t.Name).ToHashSet();
        foreach (var note in _coverage.Notes)
        {
            known.ShouldContain((note.Kind, note.Name));
            note.State.ShouldBeOneOf("differs", "absent", "tested");
            if (note.State == "tested")
                classes.ShouldContain(note.Text);
        }
    }

    [Fact]
    public void What_is_absent_is_refused_by_name()
    {
        foreach (var note in _coverage.Notes.Where(n => n is { State: "absent", Kind: "plugin" }))
        {
            var compilation = KqlCompiler.Bind($"print x = 1 | evaluate {note.Name}()", KqlSchema.Empty);
            compilation.Succeeded.ShouldBeFalse(note.Name);
            compilation.Diagnostics.ShouldContain(d => d.Message.Contains($"'{note.Name}'", StringComparison.Ordinal), note.Name);
        }
    }

    [Fact]
    public void Every_built_in_of_the_compiler_is_on_the_list()
    {
        var listed = _coverage.Features.ToLookup(f => f.Kind, f => f.Name);
        FunctionTable.Scalars.Keys.Except(listed["function"]).ShouldBeEmpty();
        FunctionTable.Aggregates.Keys.Except(listed["aggregate"]).ShouldBeEmpty();
        FunctionTable.Plugins.Keys.Except(listed["plugin"]).ShouldBeEmpty();
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Vedette.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("The solution's folder was not found above the tests.");
    }
}
