using System.Text;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local;
using Vedette.Telemetry.Sql;
using Vedette.Telemetry.Tests.Conformance;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests.Golden;

/// <summary>
/// Queries with their answers, from the <c>*.golden</c> files beside this class: a query, a line <c>---</c>, one line a row with cells parted by <c> | </c> (or
/// <c>error: text</c>), and an empty line before the next query. A comment above a query says which features of the language it shows (see
/// <see cref="GoldenBlock.Shows"/>); the coverage page counts on it.
/// </summary>
public sealed class GoldenTests
{
    public static TheoryData<string> Files
    {
        get
        {
            var data = new TheoryData<string>();
            foreach (var file in GoldenBlock.Files.Where(f => f != StoredGoldenTests.File))
                data.Add(file);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Queries_give_the_recorded_answers(string file)
    {
        var failures = new StringBuilder();
        foreach (var block in GoldenBlock.Read(file))
            block.Compare(await AnswerAsync(block.Query), failures);
        failures.ToString().ShouldBeEmpty();
    }

    private static async Task<string> AnswerAsync(string query)
    {
        var compilation = LateBinding.Bind(query, null, options => KqlCompiler.Bind(query, KqlSchema.Empty, options));
        if (!compilation.Succeeded)
            return "error: " + compilation.Diagnostics[0].Message;
        var context = new SqlContext { TenantId = Guid.Empty, FindTable = static _ => null, Now = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc) };
        try
        {
            compilation = await LateBinding.CompleteAsync(compilation, late => KqlCompiler.Bind(query, KqlSchema.Empty, late), context, TestEngine.Shared, null, null, default);
            var (columns, rows) = await HuntingRuns.RunAsync(TestEngine.Shared, SqlCompiler.Compile(compilation.Root!, context));
            return string.Join('\n', rows.Select(r => string.Join(" | ", r.Select((v, i) => v is null ? "null" : LocalValues.ToText(v, columns[i].Type)))));
        }
        catch (HuntingException error)
        {
            return "error: " + error.Message;
        }
    }
}
