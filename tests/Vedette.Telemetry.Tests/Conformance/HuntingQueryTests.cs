using Vedette.Kql;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Schema;
using Vedette.Telemetry.Sql;
using Vedette.Testing;
using Xunit.Abstractions;

namespace Vedette.Telemetry.Tests.Conformance;

/// <summary>Public hunting queries, compiled and run on empty tables.</summary>
[Trait("Category", "Conformance")]
public sealed class HuntingQueryTests(ITestOutputHelper output)
{
    /// <summary>How many queries run; raised as more do.</summary>
    private const int Floor = 681;

    [Fact]
    public async Task Defender_queries_run_without_an_engine_error()
    {
        var database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, database).EnsureAsync();
        var schema = new KqlSchema(SqlTables.Schema, HuntingFunctions.Schema);
        var now = DateTime.UtcNow;
        var context = new SqlContext { TenantId = Guid.NewGuid(), FindTable = SqlTables.In(database), Now = now, Window = (now.AddDays(-30), now), OpenExternal = static (_, _) => Task.FromResult<Stream>(new MemoryStream()) };
        var misses = new List<string>();
        var total = 0;
        foreach (var line in ConformanceData.Lines("hunting_queries.jsonl").Where(l => l.GetProperty("defender").GetBoolean()))
        {
            total++;
            try
            {
                var compilation = KqlCompiler.Bind(line.GetProperty("query").GetString()!, schema);
                if (!compilation.Succeeded)
                    throw new HuntingException(HuntingFailure.Semantic, compilation.Diagnostics.First(d => d.Severity == KqlSeverity.Error).Message);
                foreach (var result in compilation.Results)
                    await HuntingRuns.RunAsync(TestEngine.Shared, SqlCompiler.Compile(result.Root, context));
            }
            catch (Exception e) when (e is HuntingException or ClickHouseException)
            {
                misses.Add($"{line.GetProperty("id").GetString()}: {e.Message}");
            }
        }

        output.WriteLine($"{total - misses.Count} of {total} queries run.");
        foreach (var miss in misses)
            output.WriteLine(miss);
        (total - misses.Count).ShouldBeGreaterThanOrEqualTo(Floor);
    }
}
