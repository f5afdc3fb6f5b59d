using System.Globalization;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Schema;
using Vedette.Telemetry.Sql;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests;

/// <summary>Queries that count by hours and names are answered from counts beside the rows, and are answered the same.</summary>
public sealed class HourCountTests : IAsyncLifetime
{
    private static readonly Guid Tenant = Guid.NewGuid();
    private static readonly Guid Other = Guid.NewGuid();
    private string _database = "";

    private static IClickHouse Engine => TestEngine.Shared;

    public async Task InitializeAsync()
    {
        _database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(Engine, _database).EnsureAsync();
        // Three days, two tenants; the last rows come before and after the hour and the day by a tick.
        await InsertAsync("SELECT toDateTime64('2026-11-01 00:00:00', 7, 'UTC') + INTERVAL number * 7 MINUTE, concat('f', toString(number % 5)), if(number % 3 = 0, 'A', 'B'), "
            + $"if(number % 4 = 0, '{Other}', '{Tenant}') FROM numbers(600)");
        await InsertAsync($"SELECT t, 'edge', 'A', '{Tenant}' FROM VALUES('t DateTime64(7, ''UTC'')', '2026-11-01 23:59:59.9999999', '2026-11-02 00:00:00.0000000', '2026-11-02 12:59:59.9999999', '2026-11-02 13:00:00.0000000')");
    }

    public Task DisposeAsync() => Engine.ExecuteAsync($"DROP DATABASE {_database}");

    [Theory]
    [InlineData("summarize count() by bin(Timestamp, 1h), ActionType | sort by Timestamp asc, ActionType asc")]
    [InlineData("where Timestamp >= datetime(2026-11-02) | summarize count() by bin(Timestamp, 1h), ActionType | sort by Timestamp asc, ActionType asc")]
    [InlineData("where Timestamp >= datetime(2026-11-01 13:00) and Timestamp < datetime(2026-11-02 13:00) | summarize count() by bin(Timestamp, 6h) | sort by Timestamp asc")]
    [InlineData("where Timestamp >= datetime(2026-11-02) | where FileName startswith 'e' or ActionType == 'B' | summarize n = count() by bin(Timestamp, 1d), toupper(FileName) | sort by Timestamp asc, Column1 asc")]
    [InlineData("where Timestamp < datetime(2026-11-02) | summarize count()")]
    [InlineData("where Timestamp >= datetime(2026-11-02) | count")]
    public async Task Counts_are_read_from_the_counts_and_are_those_of_the_rows(string query)
    {
        var counted = await RunAsync(query);
        counted.Read.ShouldBe(PhysicalTable.CountsProjection);
        counted.Rows.ShouldBe((await RunAsync(query, "where isnotempty(DeviceId) or true | ")).Rows);
        counted.Rows.Count.ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData("summarize Count = count() by FileName | sort by FileName asc")]
    [InlineData("where ActionType == 'B' | summarize count() by toupper(FileName) | sort by Column1 asc")]
    [InlineData("where FileName startswith 'e' | count")]
    public async Task Totals_by_day_answer_what_asks_for_no_hours(string query)
    {
        var counted = await RunAsync(query);
        counted.Read.ShouldBe(PhysicalTable.TotalsProjection);
        counted.Rows.ShouldBe((await RunAsync(query, "where isnotempty(DeviceId) or true | ")).Rows);
        counted.Rows.Count.ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData("summarize count() by FileName | join kind=inner (DeviceProcessEvents | summarize dcount(DeviceId) by FileName) on FileName")]
    [InlineData("where FileName in ((DeviceProcessEvents | where ProcessId > 1 | project FileName)) | summarize count() by FileName")]
    public async Task Another_table_in_the_same_query_is_read_with_all_threads(string query)
    {
        await using var statement = Compiled(query);
        (await statement.PrepareAsync(Engine)).Statement.Settings.Keys.ShouldNotContain("max_threads");
    }

    [Theory]
    [InlineData("where Timestamp > datetime(2026-11-02) | summarize count() by ActionType")]
    [InlineData("where Timestamp >= datetime(2026-11-02 00:30) | summarize count() by ActionType")]
    [InlineData("where Timestamp <= datetime(2026-11-02) | summarize count() by ActionType")]
    [InlineData("summarize count() by bin(Timestamp, 90m)")]
    [InlineData("summarize dcount(FileName) by ActionType")]
    [InlineData("summarize count() by FileName, DeviceId")]
    public async Task What_needs_the_rows_reads_them(string query) => (await RunAsync(query)).Read.ShouldNotBe(PhysicalTable.CountsProjection);

    [Fact]
    public async Task Rows_from_before_the_counts_are_counted_all_the_same_and_only_their_days_are_read()
    {
        await Engine.ExecuteAsync($"ALTER TABLE {_database}.DeviceProcessEvents DROP PROJECTION {PhysicalTable.CountsProjection}, DROP PROJECTION {PhysicalTable.TotalsProjection}");
        await Engine.ExecuteAsync($"ALTER DATABASE {_database} MODIFY COMMENT 'vedette schema 0.older'");
        await new HuntingDatabase(Engine, _database).EnsureAsync();
        await InsertAsync($"SELECT toDateTime64('2026-11-03 00:00:00', 7, 'UTC'), 'late', 'A', '{Tenant}' FROM numbers(3)");
        const string query = "where Timestamp >= datetime(2026-11-03) | summarize count() by FileName | sort by FileName asc";
        var rows = (await RunAsync(query)).Rows;
        rows.ShouldBe((await RunAsync(query, "where isnotempty(DeviceId) or true | ")).Rows);
        rows.ShouldContain("late|3");
        (await ExplainAsync(query)).ShouldContain(line => line.Contains("Parts: ", StringComparison.Ordinal) && !line.Contains("Parts: 4/4", StringComparison.Ordinal));
    }

    private async Task<(string Read, IReadOnlyList<string> Rows)> RunAsync(string query, string first = "")
    {
        var result = await Service().RunAsync(new HuntingRequest(Tenant, $"DeviceProcessEvents | {first}{query}"), default);
        var read = (await ExplainAsync(first + query)).First(line => line.Contains("ReadFromMergeTree", StringComparison.Ordinal));
        return (read.Split('(', ')')[1], [.. result.Rows.Select(row => string.Join('|', row.Select(v => Convert.ToString(v, CultureInfo.InvariantCulture))))]);
    }

    private async Task<IReadOnlyList<string>> ExplainAsync(string query)
    {
        await using var compiled = Compiled(query);
        var statement = (await compiled.PrepareAsync(Engine)).Statement;
        var lines = await Engine.RowsAsync(statement with { Sql = $"SELECT * FROM (EXPLAIN indexes = 1 {statement.Sql})" });
        return [.. lines.Select(line => (string)line[0]!)];
    }

    private SqlStatement Compiled(string query)
    {
        var catalogue = new HuntingCatalogue(new TelemetryOptions { Database = _database });
        var root = catalogue.Bind($"DeviceProcessEvents | {query}").Root!;
        return SqlCompiler.Compile(root, new SqlContext { TenantId = Tenant, FindTable = catalogue.FindTable, Now = new DateTime(2026, 11, 10, 0, 0, 0, DateTimeKind.Utc) });
    }

    private HuntingService Service()
    {
        var options = new TelemetryOptions { Database = _database };
        return new HuntingService(Engine, options, new HuntingCatalogue(options), new ManualClock(new DateTime(2026, 11, 10, 0, 0, 0, DateTimeKind.Utc)));
    }

    private Task InsertAsync(string select) => Engine.ExecuteAsync($"INSERT INTO {_database}.DeviceProcessEvents (Timestamp, FileName, ActionType, _TenantId) {select}");
}
