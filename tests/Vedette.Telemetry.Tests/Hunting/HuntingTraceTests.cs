using Microsoft.Extensions.DependencyInjection;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests;

/// <summary>How a query ran, as <c>hunt --explain</c> shows it.</summary>
public sealed class HuntingTraceTests : IAsyncLifetime
{
    private static readonly Guid Tenant = Guid.Parse("55555555-2222-2222-2222-222222222222");

    private ServiceProvider _services = null!;

    public async Task InitializeAsync()
    {
        var database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, database).EnsureAsync();
        _services = new ServiceCollection()
            .AddSingleton(TestEngine.Shared)
            .AddVedetteTelemetry(new TelemetryOptions { Database = database })
            .BuildServiceProvider();
        var rows = Enumerable.Range(0, 50).Select(i =>
        {
            var row = HuntingRow.For("DeviceFileEvents");
            row["Timestamp"] = DateTime.UtcNow.AddMinutes(-i);
            row["DeviceId"] = "d1";
            row["FileName"] = i % 2 == 0 ? "cmd.exe" : "sh";
            return row;
        }).ToList();
        await _services.GetRequiredService<IHuntingStore>().AppendAsync(Tenant, rows, null, default);
    }

    public async Task DisposeAsync() => await _services.DisposeAsync();

    [Fact]
    public async Task One_statement_is_one_stage_with_its_cost()
    {
        var (trace, result) = await RunAsync("DeviceFileEvents | where FileName =~ 'CMD.EXE' | count");
        result!.Rows[0][0].ShouldBe(25L);
        trace.Plan.ShouldBe("summarize Count = count()\n└─ where FileName =~ \"CMD.EXE\"\n   └─ DeviceFileEvents (table)");
        var stage = trace.Stages.ShouldHaveSingleItem();
        (stage.Name, stage.IsLocal, stage.Rows).ShouldBe(("engine", false, 1));
        stage.Sql!.ShouldContain("_TenantId = {tenant:UUID}");
        stage.Sql!.Split('\n').Length.ShouldBeGreaterThan(3);
        stage.Parameters["tenant"].ShouldBe(Tenant.ToString());
        stage.Cost.RowsRead.ShouldBe(50);
        stage.Cost.BytesRead.ShouldBeGreaterThan(0);
        trace.Warnings.ShouldBeEmpty();
    }

    [Fact]
    public async Task Local_steps_stand_between_the_statements_and_costs_add_up()
    {
        var (trace, result) = await RunAsync("DeviceFileEvents | summarize n = count() by FileName | evaluate pivot(FileName, sum(n)) | extend x = 1");
        result!.Columns.Select(c => c.Name).ShouldBe(["cmd.exe", "sh", "x"], ignoreOrder: true);
        trace.Stages.Select(s => (s.Name, s.IsLocal)).ShouldBe([("engine", false), ("pivot", true), ("engine", false)]);
        trace.Stages[0].Rows.ShouldBe(2);
        trace.Stages[1].Rows.ShouldBe(1);
        result.Statistics.RowsRead.ShouldBe(trace.Stages.Sum(s => s.Cost.RowsRead));
        result.Statistics.CpuTime.ShouldBe(TimeSpan.FromTicks(trace.Stages.Sum(s => s.Cost.CpuTime.Ticks)));
        result.Statistics.RowsRead.ShouldBeGreaterThanOrEqualTo(50);
    }

    [Fact]
    public async Task Warnings_are_told_and_a_failed_statement_is_shown()
    {
        var (warned, _) = await RunAsync("print x = datetime(tomorrow)");
        warned.Warnings.ShouldHaveSingleItem();
        var (failed, nothing) = await RunAsync("DeviceFileEvents | where FileName matches regex strcat('(', FileName) | count");
        nothing.ShouldBeNull();
        failed.Stages.ShouldHaveSingleItem().Sql!.ShouldContain("DeviceFileEvents");
        var (wrong, _) = await RunAsync("DeviceFileEvents | where Foo == 1");
        (wrong.Plan, wrong.Stages.Count).ShouldBe((null, 0));
    }

    private async Task<(HuntingTrace Trace, HuntingResult? Result)> RunAsync(string query)
    {
        var trace = new HuntingTrace();
        try
        {
            return (trace, await _services.GetRequiredService<IHuntingService>().RunAsync(new HuntingRequest(Tenant, query) { Trace = trace }, default));
        }
        catch (HuntingException)
        {
            return (trace, null);
        }
    }
}
