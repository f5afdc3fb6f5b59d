using System.Text.Json;
using System.Text.RegularExpressions;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;
using Xunit.Abstractions;

namespace Vedette.Telemetry.Tests.Conformance;

/// <summary>Public queries that are not for these tables: refused by name, or run with a warning where they use a column that was renamed or retired.</summary>
[Trait("Category", "Conformance")]
public sealed partial class RefusedQueryTests(ITestOutputHelper output)
{
    /// <summary>Queries that are wrong for another reason than a name.</summary>
    private static readonly Dictionary<string, string> OtherReasons = new()
    {
        ["reprise99-0992"] = "no tabular statement",
    };

    [Theory]
    [InlineData(false, false, 492, 11)]
    [InlineData(false, true, 503, 0)]
    [InlineData(true, false, 479, 24)]
    public void Queries_for_other_tables_are_refused_by_name_or_warned_about(bool timeGenerated, bool strict, int refused, int warned)
    {
        var catalogue = new HuntingCatalogue(new TelemetryOptions { TimeGenerated = timeGenerated, RetiredColumns = strict ? RetiredColumns.Reject : RetiredColumns.Warn });
        var unnamed = new List<string>();
        var (refusals, warnings) = (0, 0);
        foreach (var line in ConformanceData.Lines("hunting_queries.jsonl").Where(l => !l.GetProperty("defender").GetBoolean() && !Truth(l, "needs_TimeGenerated")))
        {
            var id = line.GetProperty("id").GetString()!;
            var compilation = catalogue.Bind(line.GetProperty("query").GetString()!);
            var severity = compilation.Succeeded ? KqlSeverity.Warning : KqlSeverity.Error;
            var messages = compilation.Diagnostics.Where(d => d.Severity == severity).Select(d => d.Message).ToList();
            _ = compilation.Succeeded ? warnings++ : refusals++;
            var unknown = line.GetProperty("unknown_tables").EnumerateArray().Select(t => $"'{t.GetString()}'").ToList();
            var named = compilation.Succeeded ? messages.Exists(m => m.Contains("was renamed or retired", StringComparison.Ordinal))
                : unknown.Count > 0 ? unknown.Exists(name => messages.Exists(m => m.Contains(name, StringComparison.Ordinal)))
                : messages.Exists(m => Name().IsMatch(m)) || (OtherReasons.TryGetValue(id, out var reason) && messages.Exists(m => m.Contains(reason, StringComparison.Ordinal)));
            if (!named)
                unnamed.Add($"{id}: {string.Join(" / ", messages)}");
        }

        output.WriteLine($"{refusals} refused, {warnings} warned about.");
        unnamed.ShouldBeEmpty();
        (refusals, warnings).ShouldBe((refused, warned));
    }

    private static bool Truth(JsonElement line, string name) => line.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    [GeneratedRegex("'[A-Za-z_][A-Za-z0-9_]*'")]
    private static partial Regex Name();
}
