using System.Globalization;
using System.Text.Json.Nodes;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
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

    /// <summary>Public hunting queries by their number, and what each must find among the recordings.</summary>
    private static readonly (string Id, string Finds)[] PublicQueries =
    [
        ("m365d-0139", "the registry's SAM hive saved by reg.exe"), ("m365d-0409", "the same by another author"),
        ("m365d-0358", "a scheduled task made by somebody who is not the system"), ("m365d-0194", "encoded PowerShell, decoded"),
        ("m365d-0192", "base64 on command lines"), ("reprise99-0376", "cleared security logs"),
        ("reprise99-0402", "access to lsass.exe by a program not seen before"),
    ];

    /// <summary>A query for each recording.</summary>
    private static readonly (string Attack, string Query)[] Hunts =
    [
        ("comsvcs", "DeviceProcessEvents | where Timestamp > ago(1d) | where FileName =~ 'rundll32.exe' and ProcessCommandLine has_all ('comsvcs.dll', 'MiniDump')"),
        ("esentutl", "DeviceFileEvents | where InitiatingProcessFileName =~ 'esentutl.exe' and FileName =~ 'SAM'"),
        ("reg save", @"DeviceProcessEvents | where FileName =~ 'reg.exe' and ProcessCommandLine has 'save' and ProcessCommandLine has_any (@'HKLM\sam', @'HKLM\system')"),
        ("mshta", "DeviceProcessEvents | where InitiatingProcessFileName =~ 'mshta.exe' and InitiatingProcessCommandLine contains 'vbscript:' and FileName =~ 'powershell.exe'"),
        ("bitsadmin", @"DeviceProcessEvents | where FileName =~ 'bitsadmin.exe' | extend Url = extract(@'(https?://\S+)', 1, ProcessCommandLine) | where Url has 'raw.githubusercontent.com'"),
        ("cmstp", """
            DeviceProcessEvents | where FileName =~ 'cmstp.exe'
            | join kind=inner (DeviceFileEvents | where InitiatingProcessFileName =~ 'cmstp.exe')
              on DeviceId, $left.ProcessId == $right.InitiatingProcessId, $left.ProcessCreationTime == $right.InitiatingProcessCreationTime
            """),
        ("net localgroup", "DeviceProcessEvents | where FileName in~ ('net.exe', 'net1.exe') and ProcessCommandLine has_all ('localgroup', 'Administrators') and AccountName != 'system'"),
        ("launcher.vbs", "DeviceProcessEvents | where InitiatingProcessFileName =~ 'wscript.exe' and InitiatingProcessCommandLine has 'launcher.vbs' and ProcessCommandLine contains ' -enc '"),
        ("SharpWMI", "DeviceEvents | where ActionType == 'ProcessCreatedUsingWmiQuery' | where FileName == 'GruntHTTP2.exe'"),
        ("schtasks", "DeviceEvents | where ActionType == 'ScheduledTaskCreated' | extend Task = tostring(parse_json(AdditionalFields).TaskName) | where Task endswith 'EventCacheManager'"),
        ("schtasks by Empire", "DeviceProcessEvents | where FileName =~ 'schtasks.exe' and ProcessCommandLine has 'MordorSchtask'"),
        ("log-on script", "DeviceRegistryEvents | where ActionType == 'RegistryValueSet' and RegistryValueName =~ 'UserInitMprLogonScript' and RegistryKey startswith 'HKEY_CURRENT_USER'"),
        ("arp", "DeviceProcessEvents | where ProcessCommandLine == 'arp -a'"),
        ("Log4Shell, Sysmon", "DeviceProcessEvents | where InitiatingProcessFileName == 'java' and InitiatingProcessCommandLine has 'jndi' and FileName == 'bash'"),
        ("Log4Shell, audit", "DeviceProcessEvents | where AccountName == 'tomcat' and FileName == 'whoami' and InitiatingProcessCommandLine == 'bash -i'"),
    ];

    [Fact]
    public async Task Hunting_queries_find_every_attack()
    {
        var database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, database).EnsureAsync();
        await using var store = new HuntingStore(TestEngine.Shared, database, TimeProvider.System);
        await new LogImporter(store, new InMemoryImportJournal(), null, TimeProvider.System)
            .ImportAsync(ImportRun.Tenant, Recordings.All, new ImportOptions { ShiftToNow = true }, null, default);
        var options = new TelemetryOptions { Database = database };
        var service = new HuntingService(TestEngine.Shared, options, new HuntingCatalogue(options), TimeProvider.System);
        foreach (var (attack, query) in Hunts)
        {
            (await service.RunAsync(new HuntingRequest(ImportRun.Tenant, query), default)).Rows.Count.ShouldBeGreaterThan(0, attack);
        }

        var texts = File.ReadLines(Path.Combine(Recordings.Folder, "..", "..", "kql", "hunting_queries.jsonl")).Select(line => JsonNode.Parse(line)!)
            .ToDictionary(node => (string)node["id"]!, node => (string)node["query"]!);
        foreach (var (id, finds) in PublicQueries)
        {
            (await service.RunAsync(new HuntingRequest(ImportRun.Tenant, texts[id]), default)).Rows.Count.ShouldBeGreaterThan(0, $"{id}: {finds}");
        }
    }

    [Fact]
    public async Task A_killed_import_goes_on_to_exactly_the_rows_of_one_that_was_not()
    {
        // Four recordings of some two dozen chunks: enough to be killed in, quick enough for a small machine.
        string[] files = [Recordings.One("syslog_sysmon_log4shell"), Recordings.One("esentutl"), Recordings.One("mshta"), Recordings.One("covenant")];
        var now = DateTimeOffset.UtcNow;
        var (whole, killed) = (Directory.CreateTempSubdirectory("vedette-whole-"), Directory.CreateTempSubdirectory("vedette-killed-"));
        try
        {
            (await ProbeProcess.RunAsync(["import", whole.FullName, Text(now), "200", .. files])).Last().ShouldStartWith("done rows");
            var expected = await ProbeProcess.RunAsync("tables", whole.FullName);

            // Killed again and again, each time a few chunks further.
            foreach (var chunks in (int[])[2, 7, 9])
            {
                using var process = ProbeProcess.Start(["import", killed.FullName, Text(now), "200", .. files]);
                for (var stored = 0; stored < chunks; stored++) (await process.StandardOutput.ReadLineAsync()).ShouldNotBeNull().ShouldStartWith("stored");
                process.Kill();
                await process.WaitForExitAsync();
            }

            var last = (await ProbeProcess.RunAsync(["import", killed.FullName, Text(now), "200", .. files])).Last();
            last.ShouldStartWith("done rows");
            (await ProbeProcess.RunAsync("tables", killed.FullName)).ShouldBe(expected);
            (await ProbeProcess.RunAsync(["import", killed.FullName, Text(now.AddHours(1)), "200", .. files])).Last().ShouldBe("done rows 0 resumed 0 known 4");
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
