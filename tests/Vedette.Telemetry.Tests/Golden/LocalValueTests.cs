using System.Text;
using System.Text.RegularExpressions;
using Vedette.Kql;
using Vedette.Kql.Symbols;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local;
using Vedette.Telemetry.Sql;
using Vedette.Telemetry.Tests.Conformance;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests.Golden;

/// <summary>
/// A function gives the same wherever it is called: in extend, over the state of a scan step and over the elements of a graph. The calls are those of the
/// recorded queries beside this class; their arguments become columns, or properties of an element, where the function takes such.
/// </summary>
public sealed partial class LocalValueTests
{
    /// <summary>Functions whose value cannot be compared, with the reason.</summary>
    private static readonly Dictionary<string, string> Different = new(StringComparer.Ordinal)
    {
        ["rand"] = "gives another number each time",
        ["new_guid"] = "gives another identifier each time",
        ["pack_all"] = "packs the columns of the row that it stands in",
        ["column_ifexists"] = "looks at the columns of the row that it stands in",
        ["row_number"] = "counts the rows that it stands in",
        ["assert"] = "takes its message as a constant",
    };

    [Fact]
    public async Task Functions_give_the_same_over_the_state_of_a_scan_as_in_extend() => await CompareAsync(
        a => $"s1.{a}",
        (values, calls) => $"print {values} | extend n = range(1, 2) | mv-expand n to typeof(long) | order by n asc | scan declare ({{declared}}) with (step s1: n == 1; step s2: n == 2 => {string.Join(", ", calls.Select((c, i) => $"r{i} = {c}"))};) | where n == 2");

    [Fact]
    public async Task Functions_give_the_same_over_the_elements_of_a_graph_as_in_extend() => await CompareAsync(
        a => $"e.{a}",
        (values, calls) => $"print {values} | extend from = 'a', to = 'b' | make-graph from --> to | graph-match (x)-[e]->(y) project {string.Join(", ", calls.Select((c, i) => $"r{i} = {c}"))}");

    private static async Task CompareAsync(Func<string, string> name, Func<string, IReadOnlyList<string>, string> query)
    {
        var failures = new StringBuilder();
        foreach (var function in FunctionSample.All.GroupBy(s => s.Name))
        {
            if (Different.ContainsKey(function.Key))
                continue;
            foreach (var sample in function)
            {
                // Where a function wants constants they stay.
                var kept = Enumerable.Range(0, sample.Arguments.Count).Where(i => IsConstant(sample, i)).ToHashSet();
                var values = string.Join(", ", sample.Arguments.Select((a, i) => $"a{i} = {a}").Append("zz = 1"));
                string Call(Func<string, string> of) => $"{sample.Name}({string.Join(", ", sample.Arguments.Select((a, i) => kept.Contains(i) ? a : of($"a{i}")))})";
                var expected = await AnswerAsync($"print {values} | extend r0 = {Call(a => a)} | project r0");
                // The largest decimal stands for all beyond it, which do not travel to a step and back.
                if (expected.Text.StartsWith("error", StringComparison.Ordinal) || expected.Text == decimal.MaxValue.ToString(System.Globalization.CultureInfo.InvariantCulture))
                    continue;
                var text = query(values, [Call(name)]).Replace("{declared}", $"r0: {expected.Type.Name()}", StringComparison.Ordinal) + " | project r0";
                var actual = await AnswerAsync(text);
                if (Number().Replace(actual.Text, "$1") != Number().Replace(expected.Text, "$1"))
                    failures.AppendLine($"{text}\n--- expected\n{expected.Text}\n--- actual\n{actual.Text}\n");
            }
        }

        failures.ToString().ShouldBeEmpty();
    }

    // A part of an array of reals may lose the point of whole numbers.
    [GeneratedRegex(@"(\d)\.0\b")]
    private static partial Regex Number();

    private static bool IsConstant(FunctionSample sample, int argument)
    {
        var values = string.Join(", ", sample.Arguments.Select((a, i) => $"a{i} = {a}").Append("zz = 1"));
        var call = $"{sample.Name}({string.Join(", ", sample.Arguments.Select((a, i) => i == argument ? $"a{i}" : a))})";
        return !KqlCompiler.Bind($"print {values} | extend r0 = {call}", KqlSchema.Empty).Succeeded;
    }

    private static async Task<(string Text, KqlType Type)> AnswerAsync(string query)
    {
        var compilation = KqlCompiler.Bind(query, KqlSchema.Empty);
        if (!compilation.Succeeded)
            return ("error: " + compilation.Diagnostics[0].Message, KqlType.Unknown);
        var context = new SqlContext { TenantId = Guid.Empty, FindTable = static _ => null, Now = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc) };
        try
        {
            var (columns, rows) = await HuntingRuns.RunAsync(TestEngine.Shared, SqlCompiler.Compile(compilation.Root!, context));
            return (string.Join('\n', rows.Select(r => string.Join(" | ", r.Select((v, i) => v is null ? "null" : LocalValues.ToText(v, columns[i].Type))))), columns[0].Type);
        }
        catch (Exception error) when (error is HuntingException or Vedette.Telemetry.Engine.ClickHouseException)
        {
            return ("error: " + error.Message, KqlType.Unknown);
        }
    }
}
