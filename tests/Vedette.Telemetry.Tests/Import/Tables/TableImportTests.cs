using System.Text.Json;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Import;
using Vedette.Telemetry.Import.Tables;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests.Import.Tables;

public sealed class TableImportTests : IDisposable
{
    private const string Row =
        """{"Timestamp":"2026-11-19T10:00:01.1234567Z","NetworkMessageId":"m-1","Subject":"A \"quoted\", word","UrlCount":2,"EmailClusterId":4294967296,"RecipientEmailAddress":"bo@example.test"}""";

    private static readonly DateTime Time = new DateTime(2026, 11, 19, 10, 0, 1, DateTimeKind.Utc).AddTicks(1234567);
    private static readonly DateTimeOffset Now = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);
    private readonly TempFolder _folder = new();

    public static TheoryData<string, string> Forms => new()
    {
        { "EmailEvents.jsonl", Row + "\n" + Row },
        { "emailevents-2026-11.json", $"[{Row},\n {Row}]" },
        { "EmailEvents (1).json", "{\n  \"Stats\": {\"ExecutionTime\":0.1},\n  \"Schema\": [{\"Name\":\"Timestamp\",\"Type\":\"DateTime\"}],\n  \"Results\": [" + Row + "," + Row + "]\n}" },
        { "EmailEvents_graph.json", "{\"@odata.context\":\"https://graph.example/$metadata\",\"schema\":[{\"name\":\"UrlCount\",\"type\":\"Int32\"}],\"results\":[" + Row.Replace("\"UrlCount\"", "\"UrlCount@odata.type\":\"#Int32\",\"UrlCount\"", StringComparison.Ordinal) + "," + Row + "]}" },
        { "PT1H.json", Record(Row) + "\n" + Record(Row) },
        { "hub.json", "{\"records\":[" + Record(Row) + "," + Record(Row) + "]}" },
        { "EmailEvents.csv", "\"Timestamp\",\"NetworkMessageId\",\"Subject\",\"UrlCount\",\"EmailClusterId\",\"RecipientEmailAddress\"\r\n" + string.Concat(Enumerable.Repeat("2026-11-19T10:00:01.1234567Z,m-1,\"A \"\"quoted\"\", word\",2,4294967296,bo@example.test\r\n", 2)) },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Every_form_of_an_export_gives_the_same_rows(string name, string text)
    {
        var (report, rows) = await ImportAsync([_folder.Bytes(name, System.Text.Encoding.UTF8.GetBytes(text))]);

        report.Problems.ShouldBeEmpty();
        report.UnknownColumns.ShouldBeEmpty();
        rows.Count.ShouldBe(2);
        foreach (var row in rows)
        {
            row.Table.Name.ShouldBe("EmailEvents");
            (row["Timestamp"], row["NetworkMessageId"], row["Subject"], row["UrlCount"], row["EmailClusterId"], row["RecipientEmailAddress"]).ShouldBe((Time, "m-1", "A \"quoted\", word", 2, 4294967296L, "bo@example.test"));
        }
    }

    [Fact]
    public async Task Archives_and_a_named_table_are_taken_too()
    {
        (await ImportAsync([_folder.Gzip("EmailEvents.jsonl.gz", Row)])).Rows.ShouldHaveSingleItem();
        (await ImportAsync([_folder.Zip("export.zip", ("EmailEvents.json", Row))])).Rows.ShouldHaveSingleItem();
        (await ImportAsync([_folder.Text("export.txt", Row)], new ImportOptions { Table = "emailevents" })).Rows.ShouldHaveSingleItem();
        await Should.ThrowAsync<ArgumentException>(ImportAsync([_folder.Text("x", Row)], new ImportOptions { Table = "NoSuchTable" }));
    }

    [Fact]
    public async Task An_answer_that_names_no_table_is_refused_with_advice()
    {
        var (report, rows) = await ImportAsync([_folder.Text("answer.json", "{\"Schema\":[],\"Results\":[" + Row + "]}")]);

        rows.ShouldBeEmpty();
        report.Files.Single().Error!.ShouldContain("--table");
    }

    [Theory]
    [InlineData("Nov 19, 2026 10:00:01 AM")]
    [InlineData("Nov 19, 2026, 10:00:01 AM")]
    [InlineData("11/19/2026, 10:00:01 AM")]
    [InlineData("2026-11-19 10:00:01")]
    [InlineData("2026-11-19T11:00:01+01:00")]
    public async Task Dates_of_portals_are_understood(string text)
    {
        var (report, rows) = await ImportAsync([_folder.Text("EmailEvents.csv", "Timestamp [UTC];NetworkMessageId", $"\"{text}\";m-1")]);

        report.Problems.ShouldBeEmpty();
        rows.ShouldHaveSingleItem()["Timestamp"].ShouldBe(new DateTime(2026, 11, 19, 10, 0, 1, DateTimeKind.Utc));
    }

    [Fact]
    public async Task Members_that_are_no_columns_are_told_once_and_kept_where_there_is_room()
    {
        var file = _folder.Text("EmailEvents.jsonl", Row[..^1] + ",\"AdditionalFields\":\"{\\\"A\\\":1}\",\"NewColumn\":{\"x\":[1]}}", Row[..^1] + ",\"NewColumn\":\"y\"}");
        var other = _folder.Text("EmailUrlInfo.jsonl", """{"Timestamp":"2026-11-19T10:00:00Z","Url":"https://a.example","Novelty":1}""");
        var (report, rows) = await ImportAsync([file, other]);

        report.UnknownColumns.OrderBy(column => column.Table).Select(column => (column.Table, column.Column, column.Rows, column.Kept)).ShouldBe([("EmailEvents", "NewColumn", 2L, true), ("EmailUrlInfo", "Novelty", 1L, false)]);
        JsonSerializer.Deserialize<JsonElement>((string)rows[0]["AdditionalFields"]!).ToString().ShouldBe("""{"A":1,"NewColumn":{"x":[1]}}""");
        rows[1]["AdditionalFields"].ShouldBe("""{"NewColumn":"y"}""");
    }

    [Fact]
    public async Task Values_that_do_not_fit_are_told_with_their_place_and_kept()
    {
        var (report, rows) = await ImportAsync([_folder.Text("EmailEvents.jsonl", Row, Row.Replace("\"UrlCount\":2", "\"UrlCount\":\"many\"", StringComparison.Ordinal))]);

        var problem = report.Problems.ShouldHaveSingleItem();
        (problem.File, problem.Line, problem.Column, problem.Lost).ShouldBe(("EmailEvents.jsonl", 2L, (long)Row.IndexOf("2,\"EmailCluster", StringComparison.Ordinal) + 1, false));
        problem.Reason.ShouldBe("column 'UrlCount' holds int values, and 'many' is none; it is kept in AdditionalFields");
        rows.Count.ShouldBe(2);
        rows[1]["UrlCount"].ShouldBeNull();
        rows[1]["AdditionalFields"].ShouldBe("""{"UrlCount":"many"}""");
    }

    [Fact]
    public async Task What_gives_no_row_is_told_with_its_place_and_the_rest_goes_on()
    {
        var file = _folder.Text(
            "EmailEvents.jsonl", Row[..40], Row, "nonsense", "{\"Subject\":\"no time\"}", "{\"Timestamp\":\"2026-11-19T10:00:00Z\",\"Subject\":}", Row);
        var records = _folder.Text("PT1H.json", Record(Row), Record(Row).Replace("EmailEvents", "NoSuchTable", StringComparison.Ordinal), "{\"time\":\"2026-11-19T10:00:00Z\"}");
        var (report, rows) = await ImportAsync([file, records]);

        rows.Count.ShouldBe(3);
        report.RowsLost.ShouldBe(6);
        report.Problems.Select(problem => (problem.Line, problem.Lost)).ShouldBe([(1L, true), (3, true), (4, true), (5, true), (2, true), (3, true)]);
        report.Problems[2].Reason.ShouldBe("the row has no Timestamp");
        report.Problems[4].Reason.ShouldBe("there is no hunting table 'NoSuchTable'");
    }

    [Fact]
    public async Task Times_move_together_in_all_tables()
    {
        var mail = _folder.Text("EmailEvents.jsonl", Row);
        var click = _folder.Text("UrlClickEvents.jsonl", """{"Timestamp":"2026-11-19T11:00:00Z","Url":"https://a.example"}""");
        var (_, rows) = await ImportAsync([mail, click], new ImportOptions { ShiftToNow = true });
        (rows[0]["Timestamp"], rows[1]["Timestamp"]).ShouldBe((Now.UtcDateTime - (new DateTime(2026, 11, 19, 11, 0, 0, DateTimeKind.Utc) - Time), Now.UtcDateTime));
        (await ImportAsync([mail], new ImportOptions { ShiftBy = TimeSpan.FromDays(-2) })).Rows.Single()["Timestamp"].ShouldBe(Time.AddDays(-2));
    }

    [Fact]
    public async Task Devices_people_and_alerts_become_known()
    {
        var info = _folder.Text(
            "DeviceInfo.jsonl",
            """{"Timestamp":"2026-11-19T10:00:00Z","DeviceId":"d1","DeviceName":"pc-1.example.test","OSPlatform":"Windows11","OSVersion":"10.0","OSBuild":26100,"LoggedOnUsers":"[{\"UserName\":\"Bo\",\"DomainName\":\"EX\",\"Sid\":\"S-1\"}]"}""",
            """{"Timestamp":"2026-11-19T12:00:00Z","DeviceId":"d1","DeviceName":"pc-1.example.test"}""");
        var network = _folder.Text("DeviceNetworkInfo.jsonl", """{"Timestamp":"2026-11-19T10:00:00Z","DeviceId":"d1","DeviceName":"pc-1.example.test","MacAddress":"02AA","IPAddresses":"[{\"IPAddress\":\"10.0.0.7\"}]"}""");
        var people = _folder.Text("IdentityInfo.jsonl", """{"Timestamp":"2026-11-19T10:00:00Z","AccountUpn":"bo@example.test","AccountObjectId":"11111111-1111-4111-8111-111111111111","GivenName":"Bo"}""");
        var alerts = _folder.Text("AlertInfo.jsonl", """{"Timestamp":"2026-11-19T10:00:00Z","AlertId":"da1","Title":"Odd"}""");
        var (report, _) = await ImportAsync([info, network, people, alerts]);

        var device = report.Devices.First(found => found.OsPlatform.Length > 0);
        (device.DeviceId, device.Name, device.OsPlatform, device.OsBuild, device.FirstSeen.Hour, device.LastSeen.Hour).ShouldBe(("d1", "pc-1.example.test", "Windows11", 26100L, 10, 12));
        device.LoggedOnUsers.ShouldHaveSingleItem().UserName.ShouldBe("bo");
        report.Devices.First(found => found.IpAddresses.Count > 0).IpAddresses.ShouldBe(["10.0.0.7"]);
        report.People.ShouldHaveSingleItem().GivenName.ShouldBe("Bo");
        report.Alerts.ShouldBe(["da1"]);
    }

    [Fact]
    public async Task Rows_that_are_there_already_are_left_out_when_asked_and_a_trial_stores_nothing()
    {
        var database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, database).EnsureAsync();
        var options = new TelemetryOptions { Database = database };
        await using var store = new HuntingStore(TestEngine.Shared, database, TimeProvider.System);
        var journal = new InMemoryImportJournal();
        Task<ImportReport> RunAsync(string file, ImportOptions how) =>
            new ImportService(store, journal, null, new StoredRows(TestEngine.Shared, options), TimeProvider.System).ImportAsync(ImportRun.Tenant, [file], how, null, CancellationToken.None);
        var second = Row.Replace("m-1", "m-2", StringComparison.Ordinal);
        var (first, both) = (_folder.Text("EmailEvents.jsonl", Row), _folder.Text("EmailEvents2.jsonl", Row, second, second));

        (await RunAsync(first, new ImportOptions { DryRun = true })).Rows.ShouldBe(1);
        (await CountAsync(database)).ShouldBe(0);
        (await RunAsync(first, new ImportOptions())).Rows.ShouldBe(1);
        (await RunAsync(first, new ImportOptions())).Files.Single().AlreadyImported.ShouldBeTrue();
        var report = await RunAsync(both, new ImportOptions { SkipKnown = true });

        (report.Rows, report.RowsKnown).ShouldBe((1, 2));
        (await CountAsync(database)).ShouldBe(2);
    }

    public void Dispose() => _folder.Dispose();

    private static string Record(string row) =>
        """{"time":"2026-11-19T10:05:00.0000000Z","tenantId":"11111111-1111-4111-8111-111111111111","operationName":"Publish","category":"AdvancedHunting-EmailEvents","_TimeReceivedBySvc":"2026-11-19T10:04:00Z","properties":"""
        + row[..^1] + ",\"MachineGroup\":null}}";

    private static async Task<long> CountAsync(string database) =>
        Convert.ToInt64((await TestEngine.Shared.RowsAsync(new ClickHouseStatement($"SELECT count() FROM {database}.EmailEvents")))[0][0], System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<(ImportReport Report, List<HuntingRow> Rows)> ImportAsync(IReadOnlyList<string> files, ImportOptions? options = null)
    {
        var store = new CollectingStore();
        var report = await new ImportService(store, new InMemoryImportJournal(), null, null, new ManualClock(Now.UtcDateTime)).ImportAsync(ImportRun.Tenant, files, options ?? new ImportOptions(), null, CancellationToken.None);
        return (report, store.Rows);
    }
}
