using System.Text.Json;
using Vedette.Telemetry.Ingest;
using Vedette.Server.Http;

namespace Vedette.Server.Tests.Endpoint;

public sealed class HuntingTests(HuntingTests.Fixture fixture) : IClassFixture<HuntingTests.Fixture>
{
    private const string Query = "AdvancedQuery.Read.All";
    private static readonly string Device = Seed.MachineId(71);
    private static readonly string OtherDevice = Seed.MachineId(72);
    private static readonly string Sha1 = new string('c', 39) + "1";
    private static readonly string Sha256 = new('d', 64);
    private static readonly DateTime Time = DateTime.UtcNow.Date.AddHours(-3).AddTicks(1_234_567);
    private readonly EndpointHost _host = fixture.Host;

    [Fact]
    public async Task Answers_with_statistics_schema_and_results()
    {
        var answer = await HuntAsync($"DeviceProcessEvents | where DeviceId == '{Device}' | project Timestamp, FileName, ProcessId, Size = toint(1), Real = 1.5, Flag = true, Bag = dynamic({{\"a\":[1]}}), Span = 1h, Nothing = long(null)");
        answer.Status.ShouldBe(200, answer.Body);
        answer.ContentType.ShouldBe("application/json; charset=utf-8");
        answer.Json.TryGetProperty("@odata.context", out _).ShouldBeFalse();
        answer.Json.GetProperty("Schema").EnumerateArray().Select(c => $"{c.GetProperty("Name")}:{c.GetProperty("Type")}").ShouldBe(
            ["Timestamp:DateTime", "FileName:String", "ProcessId:Int64", "Size:Int32", "Real:Double", "Flag:SByte", "Bag:Object", "Span:TimeSpan", "Nothing:Int64"]);
        var row = answer.Json.GetProperty("Results")[0];
        row.GetProperty("Timestamp").GetString().ShouldBe(Time.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", System.Globalization.CultureInfo.InvariantCulture));
        row.GetProperty("FileName").GetString().ShouldBe("odd.exe");
        row.GetProperty("ProcessId").GetInt64().ShouldBe(4242);
        row.GetProperty("Flag").GetBoolean().ShouldBeTrue();
        row.GetProperty("Bag").GetProperty("a")[0].GetInt32().ShouldBe(1);
        row.GetProperty("Span").GetString().ShouldBe("01:00:00");
        row.GetProperty("Nothing").ValueKind.ShouldBe(JsonValueKind.Null);
        var set = answer.Json.GetProperty("Stats").GetProperty("dataset_statistics")[0];
        set.GetProperty("table_row_count").GetInt64().ShouldBe(1);
        set.GetProperty("table_size").ValueKind.ShouldBe(JsonValueKind.Number);
    }

    [Fact]
    public async Task Gives_statistics_for_an_empty_answer_too()
    {
        var answer = await HuntAsync("DeviceProcessEvents | where DeviceId == 'none'");
        answer.Json.GetProperty("Results").GetArrayLength().ShouldBe(0);
        answer.Json.GetProperty("Stats").GetProperty("dataset_statistics")[0].GetProperty("table_row_count").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task Serves_the_sibling_with_its_own_audience_and_the_form_by_get()
    {
        var body = new { Query = $"DeviceProcessEvents | where DeviceId == '{Device}' | count" };
        var token = EndpointHost.TokenFor(EndpointHost.ThreatProtection, "AdvancedHunting.Read.All");
        var sibling = await _host.SendAsync(HttpMethod.Post, "/api/advancedhunting/run", body, token);
        sibling.Status.ShouldBe(200, sibling.Body);
        sibling.Json.GetProperty("Results")[0].GetProperty("Count").GetInt64().ShouldBe(1);
        (await _host.PostAsync("/api/advancedhunting/run", body, "AdvancedHunting.Read.All")).Status.ShouldBe(403);
        (await _host.GetAsync($"/api/advancedqueries?key={Uri.EscapeDataString(body.Query)}", Query)).Json.GetProperty("Results").GetArrayLength().ShouldBe(1);
        (await _host.GetAsync("/api/advancedqueries", Query)).ShouldFail(400, "MissingRequiredParameter", "Parameter key is missing.");
    }

    [Theory]
    [InlineData("DeviceProcessEvents | where NoSuchColumn == 1", "Fix semantic errors in your query.")]
    [InlineData("NoSuchTable | take 1", "Fix semantic errors in your query.")]
    [InlineData("DeviceProcessEvents | where (", "Fix syntax errors in your query.")]
    public async Task Passes_the_text_of_the_engine_for_a_wrong_query(string query, string advice)
    {
        var answer = await HuntAsync(query);
        answer.Status.ShouldBe(400, answer.Body);
        answer.Code.ShouldBe("BadRequest");
        answer.Message.ShouldEndWith(advice);
    }

    [Fact]
    public async Task Wants_the_key_in_its_exact_case() =>
        (await _host.PostAsync("/api/advancedqueries/run", new { query = "DeviceInfo" }, Query)).ShouldFail(400, "MissingRequiredParameter", "Parameter Query is missing.");

    [Fact]
    public async Task Tells_of_a_file_by_either_hash()
    {
        foreach (var hash in new[] { Sha1, Sha256, Sha1.ToUpperInvariant() })
        {
            var file = (await _host.GetAsync($"/api/files/{hash}", "File.Read.All")).Json;
            file.GetProperty("sha1").GetString().ShouldBe(Sha1);
            file.GetProperty("sha256").GetString().ShouldBe(Sha256);
            file.GetProperty("globalPrevalence").GetInt64().ShouldBe(2);
            file.GetProperty("size").GetInt64().ShouldBe(2048);
            file.GetProperty("isPeFile").GetBoolean().ShouldBeTrue();
            file.GetProperty("filePublisher").GetString().ShouldBe("Odd Ltd");
            file.GetProperty("fileProductName").GetString().ShouldBe("Odd Suite");
            (file.GetProperty("determinationType").GetString(), file.GetProperty("determinationValue").GetString()).ShouldBe(("Malware", "Trojan:Win32/Odd"));
        }

        var stats = (await _host.GetAsync($"/api/files/{Sha1}/stats?lookBackHours=48", "File.Read.All")).Json;
        stats.GetProperty("organizationPrevalence").GetInt64().ShouldBe(2);
        stats.GetProperty("topFileNames").EnumerateArray().Select(n => n.GetString()).ShouldBe(["odd.exe"]);
        (await _host.GetAsync($"/api/files/{Sha1}/machines", "Machine.Read.All")).Ids.ShouldBe([Device, OtherDevice]);
        (await _host.GetAsync($"/api/files/{new string('e', 40)}", "File.Read.All")).ShouldFail(404, "ResourceNotFound", $"File {new string('e', 40)} was not found");
        (await _host.GetAsync($"/api/files/{new string('e', 40)}/machines", "Machine.Read.All")).Ids.ShouldBeEmpty();
        (await _host.GetAsync("/api/files/xyz", "File.Read.All")).ShouldFail(400, "InvalidHashValue", "Hash value xyz is invalid.");
        (await _host.GetAsync($"/api/files/{Sha1}/stats?lookBackHours=721", "File.Read.All")).ShouldFail(400, "InvalidInput", "Invalid input lookBackHours.");
    }

    [Fact]
    public async Task Tells_of_domains_and_addresses()
    {
        var domain = (await _host.GetAsync("/api/domains/C2.odd-71.example/stats", "URL.Read.All")).Json;
        domain.GetProperty("host").GetString().ShouldBe("c2.odd-71.example");
        domain.GetProperty("organizationPrevalence").GetInt64().ShouldBe(1);
        domain.GetProperty("orgFirstSeen").GetDateTime().ToUniversalTime().ShouldBe(Time, TimeSpan.FromMilliseconds(1));
        (await _host.GetAsync("/api/domains/c2.odd-71.example/machines", "Machine.Read.All")).Ids.ShouldBe([Device]);
        (await _host.GetAsync("/api/domains/odd-71.example/machines", "Machine.Read.All")).Ids.ShouldBeEmpty();
        (await _host.GetAsync("/api/ips/198.51.100.71/stats", "Ip.Read.All")).Json.GetProperty("organizationPrevalence").GetInt64().ShouldBe(1);
        var unknown = (await _host.GetAsync("/api/ips/198.51.100.99/stats", "Ip.Read.All")).Json;
        unknown.GetProperty("organizationPrevalence").GetInt64().ShouldBe(0);
        unknown.GetProperty("orgFirstSeen").ValueKind.ShouldBe(JsonValueKind.Null);
        (await _host.GetAsync("/api/ips/300.1.1.1/stats", "Ip.Read.All")).ShouldFail(400, "InvalidIpAddress", "IP address 300.1.1.1 is invalid.");
        (await _host.GetAsync("/api/domains/not_a domain/stats", "URL.Read.All")).Status.ShouldBe(400);
    }

    [Fact]
    public async Task Creates_an_alert_from_an_event_and_merges_the_next_of_its_kind()
    {
        object Body(string report, string title = "Odd program") => new
        {
            eventTime = Time.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", System.Globalization.CultureInfo.InvariantCulture), reportId = report, machineId = Device, severity = "Medium",
            title, description = "d", recommendedAction = "look", category = "Execution",
        };
        const string path = "/api/alerts/CreateAlertByReference";
        var created = await _host.PostAsync(path, Body("7101"), "Alert.ReadWrite.All");
        created.Status.ShouldBe(200, created.Body);
        created.Json.GetProperty("severity").GetString().ShouldBe("Medium");
        created.Json.GetProperty("machineId").GetString().ShouldBe(Device);
        created.Json.GetProperty("incidentId").ValueKind.ShouldBe(JsonValueKind.Number);
        var evidence = created.Json.GetProperty("evidence").EnumerateArray().ToArray();
        evidence.Single(e => e.GetProperty("fileName").GetString() == "odd.exe").GetProperty("processId").GetInt64().ShouldBe(4242);
        evidence.Single(e => e.GetProperty("entityType").GetString() == "User").GetProperty("accountName").GetString().ShouldBe("dana");
        created.Json.GetProperty("relatedUser").GetProperty("userName").GetString().ShouldBe("dana");
        var merged = await _host.PostAsync(path, Body("7101"), "Alert.ReadWrite.All");
        merged.Json.GetProperty("id").GetString().ShouldBe(created.Json.GetProperty("id").GetString());
        (await _host.PostAsync(path, Body("7102"), "Alert.ReadWrite.All")).ShouldFail(404, "ResourceNotFound", "Event 7102 was not found");
        (await _host.PostAsync(path, Body("x"), "Alert.ReadWrite.All")).ShouldFail(400, "InvalidInput", "Invalid input reportId.");
        (await _host.PostAsync(path, new { reportId = "1" }, "Alert.ReadWrite.All")).ShouldFail(400, "MissingRequiredParameter", "Parameter eventTime is missing.");
    }

    private Task<Answer> HuntAsync(string query) => _host.PostAsync("/api/advancedqueries/run", new { Query = query }, Query);

    public sealed class Fixture : IAsyncLifetime
    {
        internal EndpointHost Host { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off);
            await Host.SeedAsync(Seed.Machine(71), Seed.Machine(72));
            var process = HuntingRow.For("DeviceProcessEvents");
            foreach (var (column, value) in new (string, object)[]
            {
                ("Timestamp", Time), ("DeviceId", Device), ("DeviceName", "pc-71"), ("ActionType", "ProcessCreated"), ("FileName", "odd.exe"), ("FolderPath", @"C:\lab\odd.exe"),
                ("SHA1", Sha1), ("SHA256", Sha256), ("FileSize", 2048L), ("ProcessId", 4242L), ("ProcessCommandLine", "odd.exe -x"), ("ProcessCreationTime", Time),
                ("AccountName", "dana"), ("AccountDomain", "contoso"), ("InitiatingProcessFileName", "cmd.exe"), ("InitiatingProcessId", 41L), ("ReportId", 7101L),
                ("ProcessVersionInfoCompanyName", "Odd Ltd"), ("ProcessVersionInfoProductName", "Odd Suite"),
            }) process[column] = value;
            var antivirus = HuntingRow.For("DeviceEvents");
            foreach (var (column, value) in new (string, object)[]
            {
                ("Timestamp", Time), ("DeviceId", Device), ("ActionType", "AntivirusDetection"), ("SHA1", Sha1), ("AdditionalFields", """{"ThreatName":"Trojan:Win32/Odd"}"""), ("ReportId", 7401L),
            }) antivirus[column] = value;
            var file = HuntingRow.For("DeviceFileEvents");
            foreach (var (column, value) in new (string, object)[]
            {
                ("Timestamp", Time.AddMinutes(1)), ("DeviceId", OtherDevice), ("ActionType", "FileCreated"), ("FileName", "odd.exe"), ("SHA1", Sha1), ("SHA256", Sha256), ("FileSize", 2048L), ("ReportId", 7201L),
            }) file[column] = value;
            var network = HuntingRow.For("DeviceNetworkEvents");
            foreach (var (column, value) in new (string, object)[]
            {
                ("Timestamp", Time), ("DeviceId", Device), ("ActionType", "ConnectionSuccess"), ("RemoteIP", "198.51.100.71"), ("RemoteUrl", "https://c2.odd-71.example/a"), ("ReportId", 7301L),
            }) network[column] = value;
            await Host.AppendAsync(process, file, network, antivirus);
        }

        public async Task DisposeAsync() => await Host.DisposeAsync();
    }
}
