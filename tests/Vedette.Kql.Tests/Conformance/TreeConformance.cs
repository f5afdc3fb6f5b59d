namespace Vedette.Kql.Tests.Conformance;

/// <summary>The trees of all real queries and reference examples keep their promises.</summary>
[Trait("Category", "Conformance")]
public sealed class TreeConformance
{
    [Theory]
    [InlineData("kql/hunting_queries.jsonl")]
    [InlineData("kql/reference_examples.jsonl")]
    public void Trees_are_sound(string path)
    {
        var problems = new List<string>();
        foreach (var line in ConformanceData.Read(path))
        {
            var compilation = KqlCompiler.Bind(line.GetProperty("query").GetString()!, TestSchema.Hunting);
            problems.AddRange(TreeValidator.Problems(compilation).Select(p => $"{line.GetProperty("id")}: {p}"));
        }

        problems.ShouldBeEmpty();
    }
}
