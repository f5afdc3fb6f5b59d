using System.Globalization;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Import;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests.Import.Conformance;

/// <summary>All recordings into the real store.</summary>
[Trait("Category", "Conformance")]
public sealed class EndToEndTests
{
    [Fact]
    public async Task All_recordings_arrive_whole_and_a_second_import_adds_nothing()
    {
        var database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, database).EnsureAsync();
        await using var store = new HuntingStore(TestEngine.Shared, database, TimeProvider.System);
        var importer = new LogImporter(store, new InMemoryImportJournal(), null, TimeProvider.System);

        var report = await importer.ImportAsync(ImportRun.Tenant, Recordings.All, new ImportOptions { ShiftToNow = true }, null, default);
        var counts = await CountsAsync(database);
        counts.ShouldBe(report.RowsPerTable.ToDictionary());
        foreach (var table in new[] { "DeviceProcessEvents", "DeviceNetworkEvents", "DeviceFileEvents", "DeviceRegistryEvents", "DeviceImageLoadEvents", "DeviceLogonEvents", "DeviceEvents", "DeviceInfo", "DeviceNetworkInfo", "DeviceFileCertificateInfo" })
        {
            counts.ShouldContainKey(table);
        }

        // What a hunter asks right after: the attack is in the last day.
        (await TestEngine.Shared.ScalarAsync(
            $"SELECT toInt64(count()) FROM {database}.DeviceProcessEvents WHERE Timestamp > now() - INTERVAL 1 DAY AND ProcessCommandLine LIKE '%comsvcs.dll MiniDump%'")).ShouldBe(1L);

        var again = await importer.ImportAsync(ImportRun.Tenant, Recordings.All, new ImportOptions { ShiftToNow = true }, null, default);
        again.Files.ShouldAllBe(file => file.AlreadyImported);
        (await CountsAsync(database)).ShouldBe(counts);

        // Even a journal that lost everything adds nothing: the store knows the chunks, as long as the recording stays where it was.
        var (still, forgetful) = (new ImportOptions(), new LogImporter(store, new InMemoryImportJournal(), null, TimeProvider.System));
        await forgetful.ImportAsync(ImportRun.Tenant, [Recordings.One("sh_arp_cache")], still, null, default);
        var moved = await CountsAsync(database);
        await new LogImporter(store, new InMemoryImportJournal(), null, TimeProvider.System).ImportAsync(ImportRun.Tenant, [Recordings.One("sh_arp_cache")], still, null, default);
        (await CountsAsync(database)).ShouldBe(moved);
    }

    [Fact]
    public async Task A_killed_import_goes_on_to_exactly_the_rows_of_one_that_was_not()
    {
        var now = DateTimeOffset.UtcNow;
        var (whole, killed) = (Directory.CreateTempSubdirectory("vedette-whole-"), Directory.CreateTempSubdirectory("vedette-killed-"));
        try
        {
            (await ProbeProcess.RunAsync(["import", whole.FullName, Text(now), "200", .. Recordings.All])).Last().ShouldStartWith("done rows");
            var expected = await ProbeProcess.RunAsync("tables", whole.FullName);

            // Killed again and again, each time a few chunks further.
            foreach (var chunks in (int[])[3, 11, 17])
            {
                using var process = ProbeProcess.Start(["import", killed.FullName, Text(now), "200", .. Recordings.All]);
                for (var stored = 0; stored < chunks; stored++) (await process.StandardOutput.ReadLineAsync()).ShouldNotBeNull().ShouldStartWith("stored");
                process.Kill();
                await process.WaitForExitAsync();
            }

            var last = (await ProbeProcess.RunAsync(["import", killed.FullName, Text(now), "200", .. Recordings.All])).Last();
            last.ShouldStartWith("done rows");
            (await ProbeProcess.RunAsync("tables", killed.FullName)).ShouldBe(expected);
            (await ProbeProcess.RunAsync(["import", killed.FullName, Text(now.AddHours(1)), "200", .. Recordings.All])).Last().ShouldBe("done rows 0 resumed 0 known 15");
            (await ProbeProcess.RunAsync("tables", killed.FullName)).ShouldBe(expected);
        }
        finally
        {
            whole.Delete(recursive: true);
            killed.Delete(recursive: true);
        }
    }

    private static string Text(DateTimeOffset time) => time.ToString("O", CultureInfo.InvariantCulture);

    private static async Task<Dictionary<string, long>> CountsAsync(string database)
    {
        var counts = new Dictionary<string, long>();
        foreach (var table in HuntingSchema.Tables.Keys.Order(StringComparer.Ordinal))
        {
            var count = (long)(await TestEngine.Shared.ScalarAsync($"SELECT toInt64(count()) FROM {database}.{table}"))!;
            if (count > 0) counts.Add(table, count);
        }

        return counts;
    }
}
