using Vedette.Defender.Detections;
using Vedette.Defender.Detections.Testing;

namespace Vedette.Defender.Tests.Detections;

/// <summary>Queries in the files that detection engineers keep, and where they stand in them.</summary>
public sealed class QueryFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vedette-queries-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("a.kql", "T\n| take 1\n", "T\n| take 1\n", 2, 3, 2, 3)]
    [InlineData("a.yaml", "title: x\nquery: |\n  T\n  | take 1\n", "T\n| take 1\n", 2, 3, 4, 5)]
    [InlineData("a.yaml", "query: |-\n\n    T\n    | take 1", "\nT\n| take 1", 3, 3, 4, 7)]
    [InlineData("a.yml", "rule:\n  query: T | take 1\n", "T | take 1", 1, 3, 2, 12)]
    [InlineData("a.yaml", "- query: \"T | take 1\"\n", "T | take 1", 1, 3, 1, 13)]
    [InlineData("a.yaml", "query: >\n  T\n  | take 1\n", "T | take 1\n", 1, 3, 2, 1)]
    [InlineData("a.json", "{\n \"rules\": [ {\n  \"queryCondition\": { \"queryText\": \"T\\n| take 1\" } } ]\n}", "T\n| take 1", 2, 3, 3, 1)]
    [InlineData("a.md", "# x\n\n```kusto\nT\n| take 1\n```\n\n```sh\nls\n```\n", "T\n| take 1", 2, 3, 5, 3)]
    public void A_query_is_found_with_its_place(string name, string text, string query, int line, int column, int fileLine, int fileColumn)
    {
        var problems = new List<RuleProblem>();
        var found = QueryFiles.Read(Write(name, text), problems).ShouldHaveSingleItem();
        problems.ShouldBeEmpty();
        found.Text.ShouldBe(query);
        found.Place(line, column).ShouldBe((fileLine, fileColumn));
    }

    [Fact]
    public void What_cannot_be_read_and_files_without_queries_are_told_and_hidden_folders_passed_over()
    {
        Write("broken.yaml", "query: [");
        Write("broken.json", "{\n\"query\": ");
        Write("deep.json", new string('[', 10_000));
        Write("other.yaml", "tables: { T: [ { query: a } ] }\nexpect: { query: b }\n");
        Write("two.yaml", "query: T\n---\nquery: U\n");
        Write(Path.Combine(".git", "hidden.kql"), "T");
        var problems = new List<RuleProblem>();
        QueryFiles.Find(_folder, problems).Select(query => query.Text).ShouldBe(["T", "U"]);
        problems.Select(problem => (Path.GetFileName(problem.File), problem.Line)).ShouldBe([("broken.json", 2), ("broken.yaml", 2), ("deep.json", 1)]);

        problems.Clear();
        QueryFiles.Find(Path.Combine(_folder, "other.yaml"), problems).ShouldBeEmpty();
        problems.ShouldHaveSingleItem().Message.ShouldBe("the file holds no query");
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }
}
