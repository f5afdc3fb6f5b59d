using System.Text;
using Vedette.Telemetry.Import;
using Vedette.Telemetry.Ingest;

namespace Vedette.Telemetry.Tests.Import.Reading;

/// <summary>The same event in the forms in which shippers and exporters write it gives the same row.</summary>
public sealed class EventFormTests : IDisposable
{
    private const string Flattened = """{"SourceName":"Microsoft-Windows-Sysmon","Channel":"Microsoft-Windows-Sysmon/Operational","EventID":11,"Hostname":"PC1","TimeCreated":"2026-11-01T10:00:00.500Z","UtcTime":"2026-11-01 10:00:00.500","ProcessGuid":"{0a0b0c0d-0000-6905-0100-000000000400}","ProcessId":"77","Image":"C:\\a\\Tool.exe","TargetFilename":"C:\\b\\Übung.txt"}""";
    private const string Winlogbeat = """{"@timestamp":"2026-11-01T10:00:00.500Z","agent":{"name":"shipper"},"event":{"code":11},"winlog":{"provider_name":"Microsoft-Windows-Sysmon","channel":"Microsoft-Windows-Sysmon/Operational","event_id":11,"computer_name":"PC1","process":{"pid":4711},"event_data":{"UtcTime":"2026-11-01 10:00:00.500","ProcessGuid":"{0A0B0C0D-0000-6905-0100-000000000400}","ProcessId":"77","Image":"C:\\a\\Tool.exe","TargetFilename":"C:\\b\\\u00dcbung.txt"}}}""";
    private const string Evtx = """{"Event":{"#attributes":{"xmlns":"x"},"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":11,"TimeCreated":{"#attributes":{"SystemTime":"2026-11-01T10:00:00.500000Z"}},"Execution":{"#attributes":{"ProcessID":4711}},"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"PC1"},"EventData":{"UtcTime":"2026-11-01 10:00:00.500","ProcessGuid":"0A0B0C0D-0000-6905-0100-000000000400","ProcessId":77,"Image":"C:\\a\\Tool.exe","TargetFilename":"C:\\b\\Übung.txt"}}}""";
    private const string XmlAsJson = """{"Event":{"System":{"Provider":{"@Name":"Microsoft-Windows-Sysmon"},"EventID":{"#text":"11","@Qualifiers":"0"},"TimeCreated":{"@SystemTime":"2026-11-01T10:00:00.500Z"},"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"PC1"},"EventData":{"Data":[{"@Name":"UtcTime","#text":"2026-11-01 10:00:00.500"},{"@Name":"ProcessGuid","#text":"{0A0B0C0D-0000-6905-0100-000000000400}"},{"@Name":"ProcessId","#text":"77"},{"@Name":"Image","#text":"C:\\a\\Tool.exe"},{"@Name":"TargetFilename","#text":"C:\\b\\Übung.txt"}]}}}""";
    private const string Xml = """<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Sysmon'/><EventID>11</EventID><TimeCreated SystemTime='2026-11-01T10:00:00.500Z'/><Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>PC1</Computer></System><EventData><Data Name='UtcTime'>2026-11-01 10:00:00.500</Data><Data Name='ProcessGuid'>{0A0B0C0D-0000-6905-0100-000000000400}</Data><Data Name='ProcessId'>77</Data><Data Name='Image'>C:\a\Tool.exe</Data><Data Name='TargetFilename'>C:\b\Übung.txt</Data></EventData></Event>""";
    private readonly TempFolder _folder = new();

    public static TheoryData<string, string> Forms => new()
    {
        { "flattened", Flattened },
        { "winlogbeat", Winlogbeat },
        { "evtx", Evtx },
        { "xml as json", XmlAsJson },
        { "xml", Xml },
        { "xml document", "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Events>\n" + Xml.Replace("><", ">\n<", StringComparison.Ordinal) + "\n</Events>" },
        { "array", "[\n" + Flattened + "\n]" },
        { "indented", System.Text.Json.Nodes.JsonNode.Parse(Evtx)!.ToJsonString(new() { WriteIndented = true }) },
        { "syslog RFC 3164", "<13>Nov  1 10:00:00 PC1 sysmon: " + Xml },
        { "syslog RFC 5424", "<13>1 2026-11-01T10:00:00.5Z PC1 sysmon 12 - [x@1 a=\"]\\\"\"] " + Xml },
        { "syslog of rsyslog", "2026-11-01T10:00:00.500000+00:00 PC1 sysmon[12]: " + Xml },
        { "syslog inside json", new System.Text.Json.Nodes.JsonObject { ["HostName"] = "PC1", ["TimeGenerated"] = "2026-11-01T10:00:00.5Z", ["SyslogMessage"] = Xml }.ToJsonString() },
        { "rendered", new System.Text.Json.Nodes.JsonObject { ["Id"] = 11, ["ProviderName"] = "Microsoft-Windows-Sysmon", ["LogName"] = "Microsoft-Windows-Sysmon/Operational", ["MachineName"] = "PC1", ["TimeCreated"] = "/Date(1793527200500)/", ["Message"] = "File created:\r\nRuleName: -\r\nUtcTime: 2026-11-01 10:00:00.500\r\nProcessGuid: {0a0b0c0d-0000-6905-0100-000000000400}\r\nProcessId: 77\r\nImage: C:\\a\\Tool.exe\r\nTargetFilename: C:\\b\\Übung.txt" }.ToJsonString() },
        { "journal", new System.Text.Json.Nodes.JsonObject { ["_HOSTNAME"] = "PC1", ["SYSLOG_IDENTIFIER"] = "sysmon", ["MESSAGE"] = Xml }.ToJsonString() },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Every_form_gives_the_row(string form, string text)
    {
        var run = await ImportRun.OfAsync([_folder.Text("log", text)]);
        run.Report.Problems.ShouldBeEmpty(form);
        Check(run.Store.Of("DeviceFileEvents").ShouldHaveSingleItem());
    }

    [Fact]
    public async Task Utf16_gzip_and_zip_are_read_directly()
    {
        var utf16 = _folder.Bytes("utf16.json", [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(Flattened + "\r\n")]);
        Check((await ImportRun.OfAsync([utf16])).Store.Of("DeviceFileEvents").ShouldHaveSingleItem());
        Check((await ImportRun.OfAsync([_folder.Gzip("log.gz", Flattened)])).Store.Of("DeviceFileEvents").ShouldHaveSingleItem());
        var zip = _folder.Zip("logs.zip", ("folder/one.json", Flattened), ("two.json", Evtx.Replace("Übung", "Zweite", StringComparison.Ordinal)));
        (await ImportRun.OfAsync([zip])).Store.Of("DeviceFileEvents").Select(row => (string)row["FileName"]!).ShouldBe(["Übung.txt", "Zweite.txt"]);
    }

    [Fact]
    public async Task Unreadable_lines_are_told_with_file_and_line_and_the_rest_is_imported()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 60)) + "1" + new string('}', 60);
        var log = _folder.Text("broken.json", Flattened, "{\"EventID\":", "", "\u0001\u0002 nothing", deep, "{\"a\":1}", "[1]", Flattened.Replace("Übung", "Last", StringComparison.Ordinal));
        var run = await ImportRun.OfAsync([log]);
        run.Report.Problems.Select(problem => (problem.File, problem.Line, problem.Lost)).ShouldBe(
            [("broken.json", 2, true), ("broken.json", 4, true), ("broken.json", 5, true), ("broken.json", 6, true), ("broken.json", 7, true)]);
        run.Report.Problems.ShouldAllBe(problem => problem.Reason.Length > 10);
        run.Report.EventsRead.ShouldBe(2);
        run.Store.Of("DeviceFileEvents").Count().ShouldBe(2);
    }

    [Fact]
    public async Task Lines_over_the_limit_are_told_and_skipped()
    {
        var log = _folder.Text("long.json", Flattened, Flattened.Replace("Übung", new string('y', 9000), StringComparison.Ordinal), Flattened);
        var run = await ImportRun.OfAsync([log], new ImportOptions { Limits = new ImportLimits { MaxRecordBytes = 4096 } });
        run.Report.Problems.ShouldHaveSingleItem().Line.ShouldBe(2);
        run.Report.EventsRead.ShouldBe(2);
    }

    [Fact]
    public async Task An_event_that_syslog_cut_off_keeps_what_stands_before_the_cut()
    {
        var at = Xml.IndexOf("bung.txt", StringComparison.Ordinal);
        var run = await ImportRun.OfAsync([_folder.Text("cut", "Nov  1 10:00:00 PC1 sysmon: " + Xml[..(at + 2)])]);
        run.Report.Problems.ShouldHaveSingleItem().Lost.ShouldBeFalse();
        run.Store.Of("DeviceFileEvents").ShouldHaveSingleItem()["FolderPath"].ShouldBe(@"C:\b\Übu");
    }

    [Fact]
    public async Task Entities_that_lost_their_semicolon_are_understood()
    {
        var xml = Xml.Replace("Übung", "a &quot b &amp; c & d", StringComparison.Ordinal);
        var run = await ImportRun.OfAsync([_folder.Text("quot", xml)]);
        run.Report.Problems.ShouldBeEmpty();
        run.Store.Of("DeviceFileEvents").ShouldHaveSingleItem()["FileName"].ShouldBe("a \" b & c & d.txt");
    }

    [Fact]
    public async Task Xml_cannot_pull_in_entities()
    {
        var run = await ImportRun.OfAsync([_folder.Text("xxe", "<!DOCTYPE Event [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Event><System><EventID>11</EventID></System><EventData><Data Name='Image'>&x;</Data></EventData></Event>")]);
        run.Store.Rows.ShouldAllBe(row => !row.Values.Any(value => value is string && ((string)value).Contains("root", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_damaged_archive_is_told_and_does_not_stop_the_other_files()
    {
        var zip = File.ReadAllBytes(_folder.Zip("whole.zip", ("a.json", string.Join('\n', Enumerable.Repeat(Flattened, 2000)))));
        var gzip = File.ReadAllBytes(_folder.Gzip("whole.gz", Enumerable.Range(0, 5000).Select(n => Flattened.Replace("Übung", $"{n * 7919}", StringComparison.Ordinal))));
        var run = await ImportRun.OfAsync(
        [
            _folder.Bytes("cut.zip", zip[..(zip.Length / 2)]), _folder.Path("absent.json"), _folder.Bytes("cut.gz", gzip[..(gzip.Length / 2)]), _folder.Text("good.json", Flattened),
        ]);
        run.Report.Files[0].Error.ShouldNotBeNull();
        run.Report.Files[1].Error.ShouldNotBeNull();
        run.Report.Files[3].Error.ShouldBeNull();
        run.Report.Files[3].Events.ShouldBe(1);
    }

    [Fact]
    public async Task An_archive_that_unfolds_without_end_is_stopped()
    {
        var bomb = _folder.Gzip("bomb.gz", Enumerable.Repeat(Flattened, 20_000));
        var run = await ImportRun.OfAsync([bomb], new ImportOptions { Limits = new ImportLimits { MaxExpandedBytes = 1_000_000 } });
        run.Report.Problems.ShouldHaveSingleItem().Reason.ShouldContain("unfolds to more than 1000000 bytes");
    }

    public void Dispose() => _folder.Dispose();

    private static void Check(HuntingRow row)
    {
        row["Timestamp"].ShouldBe(new DateTime(2026, 11, 1, 10, 0, 0, 500, DateTimeKind.Utc));
        row["DeviceName"].ShouldBe("pc1");
        row["DeviceId"].ShouldBe(DeviceIdentity.FromHostName(ImportRun.Tenant, "PC1"));
        row["ActionType"].ShouldBe("FileCreated");
        row["FileName"].ShouldBe("Übung.txt");
        row["FolderPath"].ShouldBe(@"C:\b\Übung.txt");
        row["InitiatingProcessId"].ShouldBe(77L);
        row["InitiatingProcessFileName"].ShouldBe("Tool.exe");
        row["InitiatingProcessFolderPath"].ShouldBe(@"c:\a\tool.exe");
        row["InitiatingProcessCreationTime"].ShouldBe(DateTime.UnixEpoch.AddSeconds(0x69050000));
    }
}
