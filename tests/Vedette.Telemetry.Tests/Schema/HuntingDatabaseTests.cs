using System.Diagnostics;
using Vedette.Kql;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Schema;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests.Schema;

public sealed class HuntingDatabaseTests
{
    private static IClickHouse Engine => TestEngine.Shared;

    [Fact]
    public async Task Every_hunting_table_exists_with_its_columns_in_order()
    {
        var name = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(Engine, name).EnsureAsync();

        var rows = await Engine.RowsAsync(new("SELECT table, name, type FROM system.columns WHERE database = {d:String} ORDER BY table, position")
        {
            Parameters = [new("d", name)],
        });
        var tables = rows.GroupBy(r => (string)r[0]!).ToDictionary(g => g.Key, g => g.Select(r => ((string)r[1]!, (string)r[2]!)).ToArray());
        tables.Keys.Order().ShouldBe(HuntingSchema.Tables.Keys.Order());
        foreach (var table in PhysicalTable.All.Values)
            tables[table.Table.Name].ShouldBe(table.Columns.Select(c => (c.Name, c.Type)));
    }

    [Fact]
    public void Types_follow_the_language()
    {
        var types = PhysicalTable.All.Values.SelectMany(t => t.Columns).Where(c => c.Name[0] != '_').Select(c => (c.KqlType, c.Type)).Distinct().ToLookup(t => t.KqlType, t => t.Type);
        types[KqlType.String].Order().ShouldBe(["LowCardinality(String)", "String"]);
        types[KqlType.Dynamic].ShouldBe(["String"]);
        types[KqlType.Bool].ShouldBe(["Nullable(Bool)"]);
        types[KqlType.Int].ShouldBe(["Nullable(Int32)"]);
        types[KqlType.Long].ShouldBe(["Nullable(Int64)"]);
        types[KqlType.DateTime].Order().ShouldBe(["DateTime64(7, 'UTC')", "Nullable(DateTime64(7, 'UTC'))"]);
        PhysicalTable.All["DeviceProcessEvents"].SortingKey.ShouldBe(["_TenantId", "DeviceId", "Timestamp"]);
        PhysicalTable.All["DeviceTvmSoftwareInventory"].TimeColumn.ShouldBeNull();
    }

    [Fact]
    public async Task An_up_to_date_database_costs_one_query()
    {
        var name = await TestEngine.NewDatabaseAsync();
        var database = new HuntingDatabase(Engine, name);
        await database.EnsureAsync();
        var clock = Stopwatch.StartNew();
        await database.EnsureAsync();
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public async Task An_older_database_gains_missing_tables_columns_and_indexes_and_keeps_its_rows()
    {
        var name = await TestEngine.NewDatabaseAsync();
        var database = new HuntingDatabase(Engine, name);
        await database.EnsureAsync();
        await Engine.ExecuteAsync($"INSERT INTO {name}.DeviceProcessEvents (Timestamp, FileName) VALUES ('2026-11-01 00:00:00', 'a.exe')");
        await Engine.ExecuteAsync($"DROP TABLE {name}.AlertInfo");
        await Engine.ExecuteAsync($"ALTER TABLE {name}.DeviceProcessEvents DROP INDEX terms_ProcessCommandLine");
        await Engine.ExecuteAsync($"ALTER TABLE {name}.DeviceProcessEvents DROP COLUMN ProcessCommandLine");
        await Engine.ExecuteAsync($"ALTER DATABASE {name} MODIFY COMMENT 'vedette schema 0.older'");

        await database.EnsureAsync();

        (await Engine.RowsAsync(new($"SELECT FileName, ProcessCommandLine FROM {name}.DeviceProcessEvents")))[0].ShouldBe(["a.exe", ""]);
        (await Engine.ScalarAsync($"SELECT toInt32(count()) FROM {name}.AlertInfo")).ShouldBe(0);
        (await Engine.ScalarAsync(
            $"SELECT toInt32(count()) FROM system.data_skipping_indices WHERE database = '{name}' AND table = 'DeviceProcessEvents' AND name = 'terms_ProcessCommandLine'")).ShouldBe(1);
    }

    [Fact]
    public async Task Retention_drops_days_that_are_old_by_event_and_by_arrival()
    {
        var name = await TestEngine.NewDatabaseAsync();
        var database = new HuntingDatabase(Engine, name);
        await database.EnsureAsync();
        await Engine.ExecuteAsync(
            $"INSERT INTO {name}.DeviceProcessEvents (Timestamp, _IngestTime, FileName) VALUES "
            + "('2026-09-01 10:00:00', '2026-09-01 10:00:01', 'old'), ('2026-09-02 10:00:00', '2026-11-10 10:00:00', 'old but imported later'), "
            + "('2026-11-19 10:00:00', '2026-11-19 10:00:01', 'new')");

        (await database.DropBeforeAsync(new DateTime(2026, 10, 21, 0, 0, 0, DateTimeKind.Utc))).ShouldBe(1);

        (await Engine.RowsAsync(new($"SELECT FileName FROM {name}.DeviceProcessEvents ORDER BY Timestamp"))).Select(r => r[0])
            .ShouldBe(["old but imported later", "new"]);
    }

    [Fact]
    public async Task Term_search_reads_the_index_and_agrees_with_a_scan()
    {
        var name = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(Engine, name).EnsureAsync();
        await Engine.ExecuteAsync(
            $"INSERT INTO {name}.DeviceProcessEvents (Timestamp, ProcessCommandLine) SELECT '2026-11-01 00:00:00', "
            + "concat('C:\\\\Windows\\\\cmd.exe /c step', toString(number), if(number % 1000 = 7, ' -EnC QQ==', ' encoded')) FROM numbers(20000)");
        var search = $"FROM {name}.DeviceProcessEvents WHERE hasAllTokens(lower(ProcessCommandLine), ['enc'])";
        (await Engine.ScalarAsync("SELECT toInt32(count()) " + search)).ShouldBe(20);
        var plan = string.Join('\n', (await Engine.RowsAsync(new("SELECT explain FROM (EXPLAIN indexes = 1 SELECT count() " + search + ")"))).Select(r => r[0]));
        plan.ShouldContain("terms_ProcessCommandLine");
    }
}
