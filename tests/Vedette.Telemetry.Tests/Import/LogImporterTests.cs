using Vedette.Telemetry.Import;
using Vedette.Telemetry.Import.Mapping;
using Vedette.Telemetry.Import.Reading;
using Vedette.Telemetry.Ingest;

namespace Vedette.Telemetry.Tests.Import;

public sealed class LogImporterTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task The_last_event_moves_to_now_and_every_embedded_time_with_it()
    {
        var log = _folder.Text("log.json",
            Logs.Start("2020-01-01 10:00:00.000", 200, @"C:\a.exe", "a", 100, @"C:\p.exe", "p", "2020-01-01 09:00:00"),
            Logs.Sysmon(2, "2020-01-01 10:10:00.000", ("ProcessGuid", Logs.Guid("2020-01-01 10:00:00", 200)), ("ProcessId", "200"), ("Image", @"C:\a.exe"), ("TargetFilename", @"C:\t"), ("CreationUtcTime", "2019-01-01 00:00:00.000"), ("PreviousCreationUtcTime", "2020-01-01 10:09:00.000")));
        var run = await ImportRun.OfAsync([log], new ImportOptions { ShiftToNow = true }, new FixedTime(Now));
        var row = run.Store.Of("DeviceEvents").ShouldHaveSingleItem();
        row["Timestamp"].ShouldBe(Now.UtcDateTime);
        row["InitiatingProcessCreationTime"].ShouldBe(Now.UtcDateTime.AddMinutes(-10));
        row["InitiatingProcessParentCreationTime"].ShouldBe(Now.UtcDateTime.AddMinutes(-70));
        ((string)row["AdditionalFields"]!).ShouldContain("\"PreviousCreationTime\":\"2026-11-20T11:59:00Z\"");
        run.Store.Of("DeviceInfo").ShouldHaveSingleItem()["Timestamp"].ShouldBe(Now.UtcDateTime.AddMinutes(-10));
        var device = run.Report.Devices.ShouldHaveSingleItem();
        (device.FirstSeen, device.LastSeen).ShouldBe((Now.UtcDateTime.AddMinutes(-10), Now.UtcDateTime));
        device.Software.ShouldBe([new ObservedSoftware("Contoso", "Suite", "1.2", @"C:\a.exe")]);
        var file = run.Report.Files.ShouldHaveSingleItem();
        (file.FirstEvent, file.LastEvent).ShouldBe((Now.UtcDateTime.AddMinutes(-10), Now.UtcDateTime));
    }

    [Fact]
    public async Task Recordings_that_overlap_move_together_and_others_by_themselves()
    {
        string One(string name, string time) => _folder.Text(name, Logs.Sysmon(11, time, ("TargetFilename", $@"C:\{name}")));
        var run = await ImportRun.OfAsync([One("a", "2020-01-01 10:00:00.000"), One("b", "2020-01-01 10:30:00.000"), One("c", "2022-05-05 05:05:05.000")], new ImportOptions { ShiftToNow = true }, new FixedTime(Now));
        run.Store.Of("DeviceFileEvents").Select(row => (DateTime)row["Timestamp"]!).ShouldBe([Now.UtcDateTime.AddMinutes(-30), Now.UtcDateTime, Now.UtcDateTime]);
    }

    [Fact]
    public async Task Without_the_option_times_stay_as_they_are() =>
        (await ImportRun.OfAsync([_folder.Text("a", Logs.Sysmon(11, "2020-01-01 10:00:00.000", ("TargetFilename", "x")))])).Store.Of("DeviceFileEvents").Single()["Timestamp"].ShouldBe(new DateTime(2020, 1, 1, 10, 0, 0, DateTimeKind.Utc));

    [Theory]
    [InlineData("2020-01-01T06:00:00Z", "2020-01-01T06:00:30Z")] // local time with a Z behind it
    [InlineData("2020-01-01 11:00:00.000", "2020-01-01 11:00:30.000")] // half a day off: a clock of twelve hours in another zone
    public async Task Local_times_are_corrected_by_sysmons_own(string sysmonEnvelope, string securityEnvelope)
    {
        var sysmon = System.Text.Json.Nodes.JsonNode.Parse(Logs.Sysmon(11, "2020-01-01 10:00:00.000", ("TargetFilename", "x")))!;
        sysmon["TimeCreated"] = sysmonEnvelope;
        foreach (var lines in new[] { new[] { Logs.Security(4720, securityEnvelope), sysmon.ToJsonString() }, [sysmon.ToJsonString(), Logs.Security(4720, securityEnvelope)] })
        {
            var run = await ImportRun.OfAsync([_folder.Text("log", lines)]);
            run.Store.Of("DeviceEvents").Single()["Timestamp"].ShouldBe(new DateTime(2020, 1, 1, 10, 0, 30, DateTimeKind.Utc));
        }
    }

    [Fact]
    public async Task Forwarders_that_note_when_they_received_an_event_tell_their_zone()
    {
        const string line = """{"SourceName":"Microsoft-Windows-Security-Auditing","Channel":"Security","EventID":4720,"Hostname":"pc","EventTime":"2020-09-04 16:09:38","EventReceivedTime":"2020-09-04 16:09:40","@timestamp":"2020-09-04T20:09:40.845Z"}""";
        (await ImportRun.OfAsync([_folder.Text("log", line)])).Store.Of("DeviceEvents").Single()["Timestamp"].ShouldBe(new DateTime(2020, 9, 4, 20, 9, 38, DateTimeKind.Utc));
    }

    [Fact]
    public async Task The_same_content_is_imported_once_whatever_it_is_packed_in()
    {
        var lines = Lines(100);
        var (store, journal) = (new CollectingStore(), new InMemoryImportJournal());
        var importer = new LogImporter(store, journal, null, TimeProvider.System);
        var first = await importer.ImportAsync(ImportRun.Tenant, [_folder.Text("a.json", lines)], new ImportOptions(), null, default);
        var count = store.Rows.Count;
        first.Rows.ShouldBe(count);
        var again = await importer.ImportAsync(ImportRun.Tenant, [_folder.Path("a.json"), _folder.Gzip("a.json.gz", lines), _folder.Zip("a.zip", ("b/c", string.Join('\n', lines) + "\n"))], new ImportOptions { ShiftToNow = true }, null, default);
        again.Files.ShouldAllBe(file => file.AlreadyImported);
        (again.Rows, again.EventsRead).ShouldBe((0, 0));
        store.Rows.Count.ShouldBe(count);

        // Another tenant has not seen it.
        (await importer.ImportAsync(Guid.NewGuid(), [_folder.Path("a.json")], new ImportOptions(), null, default)).Rows.ShouldBe(count);
    }

    [Fact]
    public async Task An_import_that_failed_midway_goes_on_with_the_same_rows_tokens_and_shift()
    {
        var log = _folder.Text("a.json", Lines(100));
        var options = new ImportOptions { ShiftToNow = true, ChunkEvents = 10 };
        var whole = new CollectingStore();
        await new LogImporter(whole, new InMemoryImportJournal(), null, new FixedTime(Now)).ImportAsync(ImportRun.Tenant, [log], options, null, default);

        var journal = new InMemoryImportJournal();
        var failing = new FailingStore(after: 4);
        await Should.ThrowAsync<IOException>(() => new LogImporter(failing, journal, null, new FixedTime(Now)).ImportAsync(ImportRun.Tenant, [log], options, null, default));
        var resumed = new CollectingStore();
        var report = await new LogImporter(resumed, journal, null, new FixedTime(Now.AddHours(5))).ImportAsync(ImportRun.Tenant, [log], options, null, default);

        report.Files.ShouldHaveSingleItem().ChunksResumed.ShouldBe(4);
        report.Rows.ShouldBe(whole.Rows.Count);
        failing.Tokens.Concat(resumed.Tokens).ShouldBe(whole.Tokens);
        failing.Rows.Concat(resumed.Rows).Select(Text).ShouldBe(whole.Rows.Select(Text));
    }

    [Fact]
    public async Task The_report_lists_every_kind_of_event_mapped_or_not()
    {
        var run = await ImportRun.OfAsync([_folder.Text("a.json",
            [.. Enumerable.Repeat(Logs.Security(4658, "2026-11-01T10:00:00Z"), 25), .. Enumerable.Repeat(Logs.Event("Contoso-Unknown", "Contoso/Op", 77, "2026-11-01T10:00:00Z"), 3), Logs.Security(4720, "2026-11-01T10:00:00Z")])]);
        run.Report.EventTypes.Select(type => (type.Type, type.Treatment, type.Events, type.Unmapped)).ShouldBe(
        [
            ("Contoso-Unknown/77", EventTreatment.NotMapped, 3, 3), ("security/4658", EventTreatment.NotMapped, 25, 25), ("security/4720", EventTreatment.Mapped, 1, 0),
        ]);
        run.Report.EventTypes.Where(type => type.Unmapped > 0).ShouldAllBe(type => type.Reason.Length > 0);
    }

    [Fact]
    public async Task The_observer_hears_of_devices_and_again_after_a_crash_before_the_end()
    {
        var log = _folder.Text("a.json", Lines(10));
        var journal = new InMemoryImportJournal();
        var observer = new Observer { Fails = true };
        var store = new CollectingStore();
        await Should.ThrowAsync<IOException>(() => new LogImporter(store, journal, observer, TimeProvider.System).ImportAsync(ImportRun.Tenant, [log], new ImportOptions(), null, default));
        observer.Fails = false;
        await new LogImporter(store, journal, observer, TimeProvider.System).ImportAsync(ImportRun.Tenant, [log], new ImportOptions(), null, default);
        observer.Heard.Count.ShouldBe(2);
        observer.Heard.Select(devices => devices.ShouldHaveSingleItem().Name).ShouldAllBe(name => name == Logs.Host.ToLowerInvariant());
    }

    [Fact]
    public async Task Report_ids_differ_between_events_and_fit_into_a_javascript_number()
    {
        var run = await ImportRun.OfAsync([_folder.Text("a.json", Lines(2000))]);
        var ids = run.Store.Of("DeviceFileEvents").Select(row => (long)row["ReportId"]!).ToList();
        ids.Distinct().Count().ShouldBe(2000);
        ids.ShouldAllBe(id => id > 0 && id < 1L << 53);
    }

    [Fact]
    public async Task Cancelling_stops_and_leaves_a_journal_that_can_go_on()
    {
        using var cancel = new CancellationTokenSource();
        var log = _folder.Text("a.json", Lines(5000));
        var store = new FailingStore(after: 2) { OnFail = cancel.Cancel };
        var journal = new InMemoryImportJournal();
        await Should.ThrowAsync<OperationCanceledException>(() => new LogImporter(store, journal, null, TimeProvider.System).ImportAsync(ImportRun.Tenant, [log], new ImportOptions { ChunkEvents = 100 }, null, cancel.Token));
        var rest = new CollectingStore();
        var report = await new LogImporter(rest, journal, null, TimeProvider.System).ImportAsync(ImportRun.Tenant, [log], new ImportOptions { ChunkEvents = 100 }, null, default);
        (store.Rows.Count + rest.Rows.Count).ShouldBe((int)report.Rows);
    }

    [Fact]
    public async Task Nothing_that_a_file_may_hold_stops_the_import()
    {
        var random = new Random(20261120);
        var seeds = Lines(20).Concat([
            "<13>1 2026-11-01T10:00:00.5Z PC1 sysmon 12 - [x] <Event><System><EventID>1</EventID></System><EventData><Data Name='Image'>/a&b</Data></EventData></Event>",
            "type=SYSCALL msg=audit(1793520000.100:501): arch=c000003e syscall=59 success=yes pid=11 exe=2F62696E2F6C73 key=\"x\"",
            Logs.Start("2026-11-01 10:00:00.000", 200, @"C:\a.exe", "a", 100, @"C:\p.exe", "p", "2026-11-01 09:00:00"),
            Logs.Security(4698, "2026-11-01T10:00:00Z", ("TaskContent", "<Task><Actions><Exec><Command>x")),
        ]).Select(System.Text.Encoding.UTF8.GetBytes).ToArray();
        var content = new MemoryStream();
        for (var line = 0; line < 3000; line++)
        {
            var bytes = (byte[])seeds[random.Next(seeds.Length)].Clone();
            for (var change = random.Next(6); change > 0; change--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            content.Write(random.Next(5) == 0 ? bytes.AsSpan(0, random.Next(bytes.Length)) : bytes);
            content.WriteByte((byte)'\n');
        }

        var run = await ImportRun.OfAsync([_folder.Bytes("fuzz.log", content.ToArray())]);
        run.Report.Files.ShouldHaveSingleItem().Error.ShouldBeNull();
        run.Report.EventsRead.ShouldBeGreaterThan(500);
        run.Report.ProblemCount.ShouldBeGreaterThan(500);
        run.Report.Problems.Count.ShouldBeLessThanOrEqualTo(1000);
    }

    [Fact]
    public void A_log_with_more_processes_than_may_be_remembered_is_mapped_all_the_same()
    {
        var table = MappingTable.Default;
        var names = table.Names.Fork();
        var mapper = new EventMapper(ImportRun.Tenant, table, names, maxProcesses: 100);
        var log = _folder.Text("many.json", Enumerable.Range(1, 3000).Select(pid =>
            Logs.Start($"2026-11-01 10:{pid / 60:00}:{pid % 60:00}.000", pid + 10_000, @"C:\a.exe", $"a {pid}", pid, @"C:\p.exe", $"p {pid}", "2026-11-01 09:00:00")));
        var rows = new List<HuntingRow>();
        foreach (var pass in new Action<LogEvent>[] { mapper.Survey, source => mapper.Map(source, rows) })
        {
            using var file = LogFiles.Open(log, new ImportLimits());
            var reader = new LogReader(names, new ProviderFamilies(table.Families), new ImportLimits(), null);
            foreach (var batch in reader.Read(file, () => new EventBatch(), null))
            {
                for (var index = 0; index < batch.Count; index++) pass(batch[index]);
            }
        }

        rows.Where(row => row.Table.Name == "DeviceProcessEvents").Select(row => row["InitiatingProcessCommandLine"])
            .ShouldBe(Enumerable.Range(1, 3000).Select(pid => (object)$"p {pid}"));
    }

    [Fact]
    public async Task Events_made_to_exhaust_a_reader_cost_no_more_than_their_length()
    {
        var pieces = string.Concat(Enumerable.Repeat("<![CDATA[a]]>", 200_000));
        var xml = $"<Event><System><EventID>11</EventID><Computer>pc</Computer></System><EventData><Data Name='TargetFilename'>{pieces}</Data></EventData></Event>";
        var audit = Enumerable.Range(0, 5000).Select(n => $"type=PATH msg=audit(1793520000.100:{n % 40}): item={n} name=\"{new string('x', 2000)}\" nametype=NORMAL");
        var nested = "type=USER_CMD msg=audit(1793520000.100:1): " + string.Concat(Enumerable.Repeat("msg='a=1 ", 20_000));
        var run = await ImportRun.OfAsync([_folder.Text("hostile.log", [xml, .. audit, nested, $"<13>1 - {new string('-', 100_000)}"])]);
        run.Report.Files.ShouldHaveSingleItem().Error.ShouldBeNull();
        run.Report.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(60));
    }

    public void Dispose() => _folder.Dispose();

    private static string[] Lines(int count) =>
        [.. Enumerable.Range(0, count).Select(n => Logs.Sysmon(11, $"2026-11-01 10:{n / 60 % 60:00}:{n % 60:00}.{n % 1000:000}", ("ProcessGuid", Logs.Guid("2026-11-01 09:00:00", 7)), ("ProcessId", "7"), ("Image", @"C:\a.exe"), ("TargetFilename", $@"C:\{n}.txt")))];

    private static string Text(HuntingRow row) => row.Table.Name + "|" + string.Join('|', row.Values);

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }

    private sealed class FailingStore(int after) : IHuntingStore
    {
        public List<HuntingRow> Rows { get; } = [];

        public List<string?> Tokens { get; } = [];

        public Action? OnFail { get; init; }

        public DateTime CompleteUntil => DateTime.MaxValue;

        public Task AppendAsync(Guid tenantId, IReadOnlyList<HuntingRow> rows, string? deduplicationToken, CancellationToken cancellationToken)
        {
            if (Tokens.Count == after)
            {
                OnFail?.Invoke();
                return OnFail is null ? throw new IOException("disk full") : Task.FromCanceled(cancellationToken);
            }

            Tokens.Add(deduplicationToken);
            Rows.AddRange(rows);
            return Task.CompletedTask;
        }
    }

    private sealed class Observer : IDeviceObserver
    {
        public bool Fails { get; set; }

        public List<IReadOnlyList<ObservedDevice>> Heard { get; } = [];

        public Task ObserveAsync(Guid tenantId, IReadOnlyList<ObservedDevice> devices, CancellationToken cancellationToken)
        {
            Heard.Add(devices);
            return Fails ? throw new IOException("down") : Task.CompletedTask;
        }
    }
}
