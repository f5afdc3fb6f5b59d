using Vedette.Kql;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests.Ingest;

public sealed class HuntingStoreTests
{
    private static readonly Guid Tenant = Guid.Parse("0f0e0d0c-0b0a-0908-0706-050403020100");
    private static readonly DateTime Day = new(2026, 11, 5, 0, 0, 0, DateTimeKind.Utc);

    private static IClickHouse Engine => TestEngine.Shared;

    [Fact]
    public async Task Every_column_of_every_table_keeps_its_value()
    {
        var (store, database) = await NewStoreAsync();
        await using var _ = store;
        var rows = HuntingSchema.Tables.Values.Select(table =>
        {
            var row = new HuntingRow(table);
            foreach (var column in table.Columns) row[column.Name] = Sample(column);
            return row;
        }).ToList();

        await store.AppendAsync(Tenant, rows, null, default);

        foreach (var row in rows)
        {
            var names = string.Join(", ", row.Table.Columns.Select(c => $"`{c.Name}`"));
            var stored = (await Engine.RowsAsync(new($"SELECT {names}, _TenantId FROM {database}.{row.Table.Name}"))).ShouldHaveSingleItem();
            stored[..^1].ShouldBe(row.Values, row.Table.Name);
            stored[^1].ShouldBe(Tenant);
        }
    }

    [Fact]
    public async Task Nulls_stay_null_and_null_strings_become_empty()
    {
        var (store, database) = await NewStoreAsync();
        await using var _ = store;
        var empty = HuntingRow.For("DeviceProcessEvents");
        var full = HuntingRow.For("DeviceProcessEvents");
        empty["Timestamp"] = full["Timestamp"] = Day;
        full["ProcessId"] = 4L;
        full["FileName"] = "a.exe";
        full["ProcessCreationTime"] = Day;
        await store.AppendAsync(Tenant, [empty, full], null, default);
        var rows = await Engine.RowsAsync(new($"SELECT FileName, ProcessId, ProcessCreationTime FROM {database}.DeviceProcessEvents ORDER BY FileName"));
        rows[0].ShouldBe(["", null, null]);
        rows[1].ShouldBe(["a.exe", 4L, Day]);
    }

    [Fact]
    public async Task The_same_token_is_stored_once_and_other_tokens_and_tenants_are_not_confused()
    {
        var (store, database) = await NewStoreAsync();
        await using var _ = store;
        var rows = Rows(30);
        for (var i = 0; i < 3; i++) await store.AppendAsync(Tenant, rows, "same", default);
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => store.AppendAsync(Tenant, rows, "same", default)));
        (await CountAsync(database)).ShouldBe(30);
        await store.AppendAsync(Guid.NewGuid(), rows, "same", default);
        await store.AppendAsync(Tenant, rows, "other", default);
        (await CountAsync(database)).ShouldBe(90);
        await store.AppendAsync(Tenant, rows, null, default);
        await store.AppendAsync(Tenant, rows, null, default);
        (await CountAsync(database)).ShouldBe(150);
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => store.AppendAsync(Tenant, rows, "at the same time", default)));
        (await CountAsync(database)).ShouldBe(180);
    }

    [Fact]
    public async Task Who_listens_hears_of_rows_before_they_count_as_complete_and_again_when_they_are_visible()
    {
        var database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(Engine, database).EnsureAsync();
        var listener = new Listener();
        await using var store = new HuntingStore(Engine, database, TimeProvider.System, null, [listener]);
        listener.Look = arrivals => store.CompleteUntil.ShouldBeLessThanOrEqualTo(arrivals.Arrived);
        await store.AppendAsync(Tenant, Rows(3), null, default);
        await store.AppendAsync(Tenant, [.. Rows(2), .. Rows(1, "DeviceFileEvents")], null, default);

        listener.Heard.Select(a => (a.TenantId, a.Rows.Count)).ShouldBe([(Tenant, 3), (Tenant, 3)]);
        listener.Heard.Select(a => a.Arrived).ShouldBeInOrder();
        store.CompleteUntil.ShouldBeGreaterThan(listener.Heard[^1].Arrived);

        // Also a listener that fails keeps nobody from writing.
        listener.Look = _ => throw new InvalidOperationException("Not today.");
        await store.AppendAsync(Tenant, Rows(4), null, default);
        (await CountAsync(database)).ShouldBe(9);
        listener.Failures.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_repeated_append_fills_in_the_days_and_tables_that_are_missing()
    {
        var (store, database) = await NewStoreAsync();
        await using var _ = store;
        var rows = Rows(30).Concat(Rows(10, "DeviceFileEvents")).ToList();
        await store.AppendAsync(Tenant, rows, "t", default);
        await Engine.ExecuteAsync($"ALTER TABLE {database}.DeviceProcessEvents DROP PARTITION ID '20261106'");
        await Engine.ExecuteAsync($"TRUNCATE TABLE {database}.DeviceFileEvents");
        (await CountAsync(database)).ShouldBe(20);
        await store.AppendAsync(Tenant, rows, "t", default);
        (await CountAsync(database)).ShouldBe(30);
        (await CountAsync(database, "DeviceFileEvents")).ShouldBe(10);
    }

    [Fact]
    public async Task Large_appends_are_stored_once_too()
    {
        var (store, database) = await NewStoreAsync(new HuntingStoreOptions { RowsPerInsert = 1000, RowsPerBlock = 300 });
        await using var _ = store;
        var rows = Rows(4321);
        await store.AppendAsync(Tenant, rows, "big", default);
        await store.AppendAsync(Tenant, rows, "big", default);
        (await CountAsync(database)).ShouldBe(4321);
    }

    [Fact]
    public async Task Many_small_appends_share_parts()
    {
        var (store, database) = await NewStoreAsync();
        await using var _ = store;
        await Task.WhenAll(Enumerable.Range(0, 500).Select(i => store.AppendAsync(Tenant, Rows(3), $"small {i}", default)));
        (await CountAsync(database)).ShouldBe(1500);
        var parts = await Engine.ScalarAsync(
            $"SELECT toInt64(max(max_block_number)) FROM system.parts WHERE database = '{database}' AND table = 'DeviceProcessEvents'");
        ((long)parts!).ShouldBeLessThan(60);
    }

    [Fact]
    public async Task A_bad_row_fails_its_own_append_only()
    {
        var (store, database) = await NewStoreAsync();
        await using var _ = store;
        var bad = Rows(1);
        bad[0]["ProcessId"] = "not a number";
        var first = store.AppendAsync(Tenant, Rows(5), null, default);
        var failing = store.AppendAsync(Tenant, bad, null, default);
        var last = store.AppendAsync(Tenant, Rows(6), "l", default);
        await Task.WhenAll(first, last);
        (await Should.ThrowAsync<ArgumentException>(failing)).Message.ShouldContain("ProcessId");
        (await CountAsync(database)).ShouldBe(11);
    }

    [Fact]
    public async Task Arrival_times_only_grow_and_completeness_never_runs_ahead()
    {
        var (store, database) = await NewStoreAsync();
        await using var _ = store;
        for (var i = 0; i < 5; i++)
        {
            var before = store.CompleteUntil;
            await store.AppendAsync(Tenant, Rows(1), $"{i}", default);
            var oldest = (DateTime)(await Engine.ScalarAsync($"SELECT max(_IngestTime) FROM {database}.DeviceProcessEvents"))!;
            oldest.ShouldBeGreaterThanOrEqualTo(before);
            store.CompleteUntil.ShouldBeGreaterThanOrEqualTo(oldest);
        }
    }

    [Fact]
    public async Task Killing_the_process_leaves_no_half_append_and_loses_nothing_that_was_acknowledged()
    {
        const int appends = 60;
        const int rows = 300;
        var folder = Directory.CreateTempSubdirectory("vedette-kill-").FullName;
        try
        {
            for (var kill = 0; kill < 3; kill++)
            {
                using var victim = ProbeProcess.Start("append", folder, $"{appends}", $"{rows}");
                while (await victim.StandardOutput.ReadLineAsync() is { } line && line != $"begin {7 + kill * 9}")
                {
                }

                await Task.Delay(3 + kill * 4);
                victim.Kill();
                await victim.WaitForExitAsync();
            }

            (await ProbeProcess.RunAsync("append", folder, $"{appends}", $"{rows}")).Last().ShouldBe($"end {appends - 1}");
            (await ProbeProcess.RunAsync("count", folder)).ShouldBe(
            [
                $"DeviceProcessEvents {appends * rows} {appends * rows} {appends}", $"DeviceNetworkEvents {appends * rows} {appends * rows} {appends}",
            ]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<(HuntingStore Store, string Database)> NewStoreAsync(HuntingStoreOptions? options = null)
    {
        var database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(Engine, database).EnsureAsync();
        return (new HuntingStore(Engine, database, TimeProvider.System, options), database);
    }

    private static List<HuntingRow> Rows(int count, string table = "DeviceProcessEvents")
    {
        return Enumerable.Range(0, count).Select(i =>
        {
            var row = HuntingRow.For(table);
            row["Timestamp"] = Day.AddDays(i % 3).AddMilliseconds(i);
            row["DeviceId"] = "d";
            row["FileName"] = "cmd.exe";
            return row;
        }).ToList();
    }

    private static async Task<int> CountAsync(string database, string table = "DeviceProcessEvents") =>
        (int)(await Engine.ScalarAsync($"SELECT toInt32(count()) FROM {database}.{table}"))!;

    private static object Sample(HuntingColumn column) => column.Type switch
    {
        KqlType.Bool => column.Ordinal % 2 == 0,
        KqlType.Int => -1000 - column.Ordinal,
        KqlType.Long => long.MaxValue - column.Ordinal,
        KqlType.Real => 0.5 + column.Ordinal,
        KqlType.DateTime => Day.AddTicks(column.Ordinal * 1_234_567L),
        KqlType.Guid => new Guid(column.Ordinal, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
        KqlType.Dynamic => $"{{\"k\":{column.Ordinal},\"s\":\"ž\\n\"}}",
        _ => new string('ß', column.Ordinal) + column.Name,
    };

    private sealed class Listener : IArrivalListener
    {
        public List<Arrivals> Heard { get; } = [];

        public List<Exception> Failures { get; } = [];

        public Action<Arrivals> Look { get; set; } = _ => { };

        public void Arriving(Arrivals arrivals)
        {
            Heard.Add(arrivals);
            try
            {
                Look(arrivals);
            }
            catch (Shouldly.ShouldAssertException failure)
            {
                Failures.Add(failure);
            }
        }

        public void Arrived(Guid tenantId)
        {
        }
    }
}
