using System.Text.Json;

namespace Vedette.Kql.Tests.Conformance;

/// <summary>The reference's self-contained examples parse and bind to the official binder's columns.</summary>
[Trait("Category", "Conformance")]
public sealed class ReferenceExampleBinding
{
    /// <summary>Examples that cannot bind here, with the reason.</summary>
    private static readonly Dictionary<string, string> KnownDifferences = new()
    {
        ["doc-0032"] = "reads a table of a public cluster",
        ["doc-0187"] = "as doc-0032",
        ["doc-0267"] = "as doc-0032",
        ["doc-1309"] = "as doc-0032",
        ["doc-0756"] = "reads columns of a remote table that only the run could know",
        ["doc-0034"] = "strcat_array over a path's nodes is a string, as its printed output shows",
        ["doc-0048"] = "as doc-0034",
        ["doc-0872"] = "as doc-0034",
        ["doc-1143"] = "scan has a match_id column only when asked for",
        ["doc-1144"] = "as doc-1143",
        ["doc-0784"] = "the columns of ipv6_lookup's table come first, as the page prints them",
    };

    [Fact]
    public void Every_example_parses()
    {
        var failures = Examples().Where(e => KqlCompiler.Bind(Query(e), KqlSchema.Empty).Diagnostics.Any(d => d.IsSyntax && d.Severity == KqlSeverity.Error)).Select(Id);
        failures.ShouldBeEmpty();
    }

    [Fact]
    public void Every_example_binds_to_the_official_columns()
    {
        var failures = new List<string>();
        foreach (var example in Examples().Where(e => !KnownDifferences.ContainsKey(Id(e))))
        {
            var compilation = KqlCompiler.Bind(Query(example), KqlSchema.Empty);
            if (!compilation.Succeeded)
                failures.Add($"{Id(example)}: {compilation.Diagnostics[0].Message}");
            else if (example.GetProperty("schema").ValueKind == JsonValueKind.Array
                && !ConformanceData.Same(compilation, ConformanceData.Columns(example.GetProperty("schema")), example.GetProperty("open").GetBoolean()))
                failures.Add($"{Id(example)}: {TestSchema.Print(compilation.Columns)}");
        }

        failures.ShouldBeEmpty();
    }

    private static IReadOnlyList<JsonElement> Examples() => ConformanceData.Read("kql/reference_examples.jsonl");

    private static string Id(JsonElement example) => example.GetProperty("id").GetString()!;

    private static string Query(JsonElement example) => example.GetProperty("query").GetString()!;
}
