using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Vedette.Defender.Alerts;
using Vedette.Defender.State;
using Vedette.Server.Http;
using Vedette.Telemetry.Ingest;

namespace Vedette.Server.Tests.Endpoint;

/// <summary>Facts that clients in the field rely on and quirks of the service that no other test holds. docs/client-contracts.md lists them all.</summary>
public sealed class FieldFactTests : IAsyncLifetime
{
    private const string Alerts = "Alert.ReadWrite.All";
    private const string Machines = "Machine.Read.All";
    private EndpointHost _host = null!;

    public async Task InitializeAsync()
    {
        _host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off);
        await _host.SeedAsync(Seed.Machine(1), Seed.Machine(2), Seed.Alert(1));
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Theory]
    [InlineData("$filter=computerDnsName+eq+'pc-02.contoso.example'+AND+osPlatform+in+('Windows11','Linux')", 1)]
    [InlineData("$filter=contains(COMPUTERDNSNAME,'pc-0')", 2)]
    [InlineData("$filter=computerDnsName+eq+'it''s'", 0)]
    [InlineData("$top=10000&$count=true", 2)]
    public async Task A_query_is_read_as_clients_write_it_without_escaping_quotes_and_dollars(string query, int count)
    {
        // A client library would escape what is to arrive as it is.
        using var socket = new TcpClient();
        await socket.ConnectAsync(_host.Client.BaseAddress!.Host, _host.Client.BaseAddress.Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"GET /api/machines?{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {EndpointHost.Token(Machines)}\r\nConnection: close\r\n\r\n"));
        var answer = await new StreamReader(stream).ReadToEndAsync();
        answer.ShouldStartWith("HTTP/1.1 200 OK");
        answer.Split("\"computerDnsName\"").Length.ShouldBe(count + 1, answer);
    }

    [Fact]
    public async Task A_client_that_gets_401_succeeds_with_a_new_token()
    {
        var expired = EndpointHost.Write(d => d with { Roles = [Machines], NotBefore = DateTimeOffset.UtcNow.AddHours(-2), Expires = DateTimeOffset.UtcNow.AddHours(-1) });
        (await _host.SendAsync(HttpMethod.Get, "/api/machines", null, expired)).Status.ShouldBe(401);
        (await _host.GetAsync("/api/machines", Machines)).Status.ShouldBe(200);
    }

    [Theory]
    [InlineData("/api/users/dana")]
    [InlineData("/api/ips/203.0.113.9")]
    [InlineData("/api/ips/203.0.113.9/machines")]
    [InlineData("/api/domains/bad.example")]
    public async Task Routes_that_the_service_removed_answer_404_without_a_body(string path)
    {
        var answer = await _host.GetAsync(path, "User.Read.All", "Ip.Read.All", "URL.Read.All", Machines);
        (answer.Status, answer.Body, answer.ContentType).ShouldBe((404, "", null));
    }

    [Fact]
    public async Task Machines_are_filtered_by_the_number_of_their_group_and_not_by_its_name()
    {
        (await _host.GetAsync("/api/machines?$filter=rbacGroupId eq 7", Machines)).Ids.Count.ShouldBe(2);
        (await _host.GetAsync("/api/machines?$filter=rbacGroupName eq 'Lab'", Machines)).Code.ShouldBe("ODataError");
    }

    [Theory]
    [InlineData("eventTime")]
    [InlineData("reportId")]
    [InlineData("machineId")]
    [InlineData("severity")]
    [InlineData("title")]
    [InlineData("description")]
    [InlineData("recommendedAction")]
    [InlineData("category")]
    public async Task An_alert_by_reference_needs_every_field(string missing)
    {
        var body = new Dictionary<string, string>
        {
            ["eventTime"] = "2026-11-01T08:00:00Z", ["reportId"] = "1", ["machineId"] = Seed.MachineId(1), ["severity"] = "Low", ["title"] = "t", ["description"] = "d",
            ["recommendedAction"] = "r", ["category"] = "Execution",
        };
        body.Remove(missing);
        (await _host.PostAsync("/api/alerts/CreateAlertByReference", body, Alerts)).ShouldFail(400, "MissingRequiredParameter", $"Parameter {missing} is missing.");
    }

    [Fact]
    public async Task Every_spelling_of_determinations_and_classifications_is_taken_and_one_set_given_back()
    {
        var path = $"/api/alerts/{Seed.Alert(1).Id}";
        foreach (var word in AlertWords.Determinations.Keys)
        {
            var answer = await _host.SendAsync(HttpMethod.Patch, path, new { determination = word }, EndpointHost.Token(Alerts));
            answer.Status.ShouldBe(200, $"{word}: {answer.Body}");
            Enum.IsDefined(Enum.Parse<AlertDetermination>(answer.Json.GetProperty("determination").GetString()!)).ShouldBeTrue();
        }

        foreach (var word in AlertWords.Classifications.Keys)
            (await _host.SendAsync(HttpMethod.Patch, path, new { classification = word }, EndpointHost.Token(Alerts))).Status.ShouldBe(200, word);
        foreach (var gone in new[] { "Apt", "SecurityPersonnel" })
            (await _host.SendAsync(HttpMethod.Patch, path, new { determination = gone }, EndpointHost.Token(Alerts))).Status.ShouldBe(400, gone);
    }

    [Fact]
    public async Task A_machine_is_found_by_address_a_quarter_of_an_hour_around_the_time_and_within_thirty_days()
    {
        var seen = DateTime.UtcNow.AddHours(-5);
        await _host.SeedAsync(Seed.Machine(9, m => (m.FirstSeen, m.LastSeen) = (seen, seen)));
        foreach (var (minutes, byIp, byFind) in new[] { (0, 1, 200), (14.9, 1, 200), (-14.9, 1, 200), (15.5, 0, 200), (16.5, 0, 404) })
        {
            var time = Text(seen.AddMinutes(minutes));
            (await _host.GetAsync($"/api/machines/findbyip(ip='10.0.0.9',timestamp={time})", Machines)).Ids.Count.ShouldBe(byIp, $"{minutes}");
            (await _host.GetAsync($"/api/machines/find(timestamp={time},key='10.0.0.9')", Machines)).Status.ShouldBe(byFind, $"{minutes}");
        }

        (await _host.GetAsync($"/api/machines/findbyip(ip='10.0.0.9',timestamp={Text(DateTime.UtcNow.AddDays(-30).AddMinutes(-1))})", Machines)).Status.ShouldBe(400);
        (await _host.GetAsync($"/api/machines/findbyip(ip='10.0.0.9',timestamp=yesterday)", Machines)).ShouldFail(400, "InvalidInput", "Invalid input timestamp.");
        (await _host.GetAsync($"/api/machines/findbyip(ip='10.0.0',timestamp={Text(seen)})", Machines)).Status.ShouldBe(400);
        (await _host.GetAsync("/api/machines/findbyip(ip='10.0.0.9',timestamp=9999-12-31T23:59:59.9999999Z)", Machines)).Ids.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_investigation_is_got_by_its_number_and_by_its_alert()
    {
        var investigation = new Investigation { TenantId = EndpointHost.Tenant, StartTime = Seed.Start, State = InvestigationState.Benign, MachineId = Seed.MachineId(1), TriggeringAlertId = Seed.Alert(1).Id };
        await _host.SeedAsync(investigation);
        foreach (var id in new[] { investigation.Id.ToString(CultureInfo.InvariantCulture), Seed.Alert(1).Id })
            (await _host.GetAsync($"/api/investigations/{id}", Alerts)).Json.GetProperty("state").GetString().ShouldBe("Benign");
        (await _host.GetAsync("/api/investigations/99", Alerts)).ShouldFail(404, "ResourceNotFound", "Investigation 99 was not found");
    }

    [Fact]
    public async Task Live_response_that_a_person_opened_in_the_portal_is_not_listed()
    {
        MachineAction Of(MachineActionType type, string source) => new()
        {
            Id = Guid.NewGuid(), TenantId = EndpointHost.Tenant, Type = type, Status = MachineActionStatus.Succeeded, MachineId = Seed.MachineId(1), Requestor = "x", RequestSource = source,
            CreationDateTimeUtc = Seed.Start, LastUpdateDateTimeUtc = Seed.Start, ExpiresAt = Seed.Start,
        };
        await _host.SeedAsync(Of(MachineActionType.LiveResponse, "Portal"), Of(MachineActionType.LiveResponse, "PublicApi"), Of(MachineActionType.Isolate, "Portal"));
        (await _host.GetAsync("/api/machineactions", Machines)).Value.Select(a => a.GetProperty("type").GetString() + a.GetProperty("requestSource").GetString())
            .ShouldBe(["LiveResponsePublicApi", "IsolatePortal"], ignoreOrder: true);
    }

    [Fact]
    public async Task Machines_of_a_domain_are_five_hundred_at_most()
    {
        const int count = 510;
        await _host.SeedAsync([.. Enumerable.Range(1000, count).Select(n => Seed.Machine(n))]);
        await _host.AppendAsync([.. Enumerable.Range(1000, count).Select(n =>
        {
            var row = HuntingRow.For("DeviceNetworkEvents");
            (row["Timestamp"], row["DeviceId"], row["RemoteUrl"], row["ReportId"]) = (DateTime.UtcNow, Seed.MachineId(n), "https://popular.example/", (long)n);
            return row;
        })]);
        (await _host.GetAsync("/api/domains/popular.example/machines", Machines)).Ids.Count.ShouldBe(500);
    }

    private static string Text(DateTime time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
