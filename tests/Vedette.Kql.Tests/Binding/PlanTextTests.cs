using Vedette.Kql.Bound;

namespace Vedette.Kql.Tests.Binding;

/// <summary>Plans as people read them.</summary>
public sealed class PlanTextTests
{
    private static readonly KqlSchema Schema = new([new KqlTable("DT",
        [new("s", KqlType.String), new("l", KqlType.Long), new("b", KqlType.Dynamic)])]);

    [Theory]
    [InlineData("DT | where s !has 'a\"b' and l between (1 .. 2) | extend k = l + 1 | top 3 by k", """
        take 3
        └─ sort by k desc
           └─ extend k = l + 1
              └─ where (s !has "a\"b") and l between (1 .. 2)
                 └─ DT (table)
        """)]
    [InlineData("DT | summarize n = count() by s | where s !in~ ('x', 'y') and s !~ 'z'", """
        where s !in~ ("x", "y") and (s !~ "z")
        └─ summarize n = count() by s
           └─ DT (table)
        """)]
    [InlineData("let t = materialize(DT | project s, l); t | join kind=leftanti (t | take 1) on s", """
        join kind=leftanti on s == s
        ├─ left: shared plan 1
        │  └─ project s, l
        │     └─ DT (table)
        └─ right: take 1
           └─ shared plan 1
        """)]
    [InlineData("DT | where l in ((DT | project l)) or l == toscalar(DT | count) | project b.x[0]", """
        project b_x_0 = b["x"][0]
        └─ where l in (query) or (l == toscalar(query))
           ├─ DT (table)
           ├─ in: project l
           │  └─ DT (table)
           └─ toscalar: summarize Count = count()
              └─ DT (table)
        """)]
    public void Each_operator_is_a_line_above_its_inputs(string query, string expected) =>
        PlanText.Write(Plan(query)).ShouldBe(expected.ReplaceLineEndings("\n"));

    [Fact]
    public void Long_expressions_and_large_plans_are_cut()
    {
        var text = PlanText.Write(Plan($"DT | where l in ({string.Join(", ", Enumerable.Range(0, 300))})"));
        text.Split('\n')[0].Length.ShouldBeLessThan(700);
        text.Split('\n')[0].ShouldEndWith(" …");
    }

    private static BoundRelation Plan(string query) => KqlCompiler.Bind(query, Schema).Root.ShouldNotBeNull();
}
