using System.Text.Json;
using Vedette.Defender.State;
using Vedette.Server.Http;

namespace Vedette.Server.Tests.Endpoint;

public sealed class ReadTests(ReadTests.Fixture fixture) : IClassFixture<ReadTests.Fixture>
{
    private const string Alerts = "Alert.Read.All";
    private const string Machines = "Machine.Read.All";
    private static readonly Guid DirectoryId = Guid.NewGuid();
    private readonly EndpointHost _host = fixture.Host;

    [Fact]
    public async Task Lists_alerts_newest_first_in_the_envelope_of_the_service()
    {
        var answer = await _host.GetAsync("/api/alerts", Alerts);
        answer.Status.ShouldBe(200, answer.Body);
        answer.ContentType.ShouldBe("application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8");
        answer.Headers.GetValues("OData-Version").ShouldBe(["4.0"]);
        answer.Json.GetProperty("@odata.context").GetString().ShouldBe($"{_host.Client.BaseAddress}api/$metadata#Alerts");
        answer.Value.Select(a => a.GetProperty("title").GetString()).ShouldBe(Enumerable.Range(1, 9).Reverse().Select(n => $"Alert {n}"));
        answer.Json.TryGetProperty("@odata.nextLink", out _).ShouldBeFalse();
        var newest = answer.Value[0];
        newest.GetProperty("alertCreationTime").GetString().ShouldBe("2026-11-01T08:09:00.123456Z");
        newest.GetProperty("firstEventTime").GetString().ShouldBe("2026-11-01T08:00:00Z");
        newest.GetProperty("description").GetString().ShouldBe("It's a \"test\" <alert> & more: ä");
        newest.GetProperty("relatedUser").GetProperty("userName").GetString().ShouldBe("dana");
        newest.GetProperty("mitreTechniques")[0].GetString().ShouldBe("T1059");
        newest.GetProperty("resolvedTime").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Theory]
    [InlineData("/api/alerts", Alerts)]
    [InlineData("/api/machines", Machines)]
    public async Task Writes_the_kept_document_and_the_single_values_alike(string path, string role)
    {
        var kept = await _host.GetAsync(path, role);
        var first = kept.Value[0].EnumerateObject().Select(p => p.Name).ToArray();
        // Naming every property makes the server write them one by one; $select cannot name those that the service refuses there.
        var selectable = first.Except(["onboardingStatus"]).ToArray();
        var single = await _host.GetAsync($"{path}?$select={string.Join(',', selectable)}", role);
        single.Status.ShouldBe(200, single.Body);
        kept.Value.Count.ShouldBe(single.Value.Count);
        foreach (var (one, other) in kept.Value.Zip(single.Value))
            foreach (var name in selectable) JsonElement.DeepEquals(one.GetProperty(name), other.GetProperty(name)).ShouldBeTrue($"{name}: {one.GetProperty(name)} and {other.GetProperty(name)}");
        single.Value[0].EnumerateObject().Select(p => p.Name).ShouldBe(selectable);
    }

    [Fact]
    public async Task Leaves_evidence_out_of_lists_unless_it_is_expanded()
    {
        var oldest = (await _host.GetAsync("/api/alerts?$orderby=alertCreationTime&$top=1", Alerts)).Value[0];
        oldest.GetProperty("evidence").GetArrayLength().ShouldBe(0);
        var expanded = (await _host.GetAsync("/api/alerts?$orderby=alertCreationTime&$top=1&$expand=evidence", Alerts)).Value[0].GetProperty("evidence");
        expanded.GetArrayLength().ShouldBe(5);
        expanded[0].GetProperty("entityType").GetString().ShouldBe("File");
        expanded[0].GetProperty("evidenceCreationTime").GetString().ShouldBe("2026-11-01T08:01:00.123456Z");
        expanded[0].GetProperty("filePath").GetString().ShouldBe(@"C:\lab");
        expanded[0].GetProperty("processId").ValueKind.ShouldBe(JsonValueKind.Null);
        expanded[4].GetProperty("detectionStatus").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task Gets_one_alert_with_its_evidence()
    {
        var id = Seed.Alert(1).Id;
        var answer = await _host.GetAsync($"/api/alerts/{id}", Alerts);
        answer.Json.GetProperty("@odata.context").GetString().ShouldEndWith("/api/$metadata#Alerts/$entity");
        answer.Json.GetProperty("id").GetString().ShouldBe(id);
        answer.Json.GetProperty("evidence").GetArrayLength().ShouldBe(5);
        answer.Json.GetProperty("comments")[0].GetProperty("createdTime").GetString().ShouldBe("2026-11-01T08:00:00Z");
        (await _host.GetAsync("/api/alerts/da1_2", Alerts)).ShouldFail(404, "ResourceNotFound", "Alert da1_2 was not found");
    }

    [Theory]
    [InlineData("severity eq 'High'", "3 7")]
    [InlineData("severity ge 'Medium'", "2 3 6 7")]
    [InlineData("Severity EQ 'high' AND incidentid lt 105", "3")]
    [InlineData("alertCreationTime gt 2026-11-01T08:05:00.123456Z", "6 7 8 9")]
    [InlineData("alertCreationTime ge 2026-11-01T08:05:00.123456Z and alertCreationTime le 2026-11-01T08:06:00.1234560Z", "5 6")]
    [InlineData("lastUpdateTime ge 2026-11-01Z", "1 2 3 4 5 6 7 8 9")]
    [InlineData("status in ('New','InProgress') and incidentId in (101,102)", "1 2")]
    [InlineData("assignedTo eq null and incidentId eq 109", "9")]
    public async Task Filters_alerts(string filter, string titles)
    {
        foreach (var encoded in new[] { Uri.EscapeDataString(filter), filter.Replace(' ', '+') })
        {
            var answer = await _host.GetAsync($"/api/alerts?$filter={encoded}", Alerts);
            answer.Status.ShouldBe(200, answer.Body);
            answer.Value.Select(a => a.GetProperty("title").GetString()![6..]).Order().ShouldBe(titles.Split(' '));
        }
    }

    [Theory]
    [InlineData("computerDnsName eq 'pc-03.contoso.example'", "3")]
    [InlineData("startswith(computerDnsName,'pc-0')", "1 2 3 4 5")]
    [InlineData("contains(computerDnsName,'04') or endswith(computerDnsName,'05.contoso.example')", "4 5")]
    [InlineData("machineTags/any(tag: tag eq 'tag2')", "2")]
    [InlineData("osPlatform eq 'Linux' and riskScore ne 'None'", "1 3")]
    [InlineData("healthStatus ne 'Active'", "")]
    [InlineData("rbacGroupId eq 7 and lastSeen gt 2026-11-01T11:00:00Z", "4 5")]
    [InlineData("aadDeviceId eq null and onboardingStatus eq 'Onboarded' and lastIpAddress eq '10.0.0.1'", "1")]
    public async Task Filters_machines(string filter, string numbers)
    {
        var answer = await _host.GetAsync($"/api/machines?$filter={Uri.EscapeDataString(filter)}", Machines);
        answer.Status.ShouldBe(200, answer.Body);
        answer.Ids.Select(id => id![^1].ToString()).ShouldBe(numbers.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Pages_counts_orders_and_selects()
    {
        var page = await _host.GetAsync("/api/machines?$top=2&$skip=1&$orderby=riskScore desc,computerDnsName&$count=true&$select=id,riskScore", Machines);
        page.Status.ShouldBe(200, page.Body);
        page.Json.GetProperty("@odata.count").GetInt64().ShouldBe(5);
        page.Json.GetProperty("@odata.context").GetString().ShouldEndWith("$metadata#Machines(id,riskScore)");
        page.Ids.Select(id => id![^1]).ShouldBe(['3', '2']);
        page.Value[0].EnumerateObject().Select(p => p.Name).ShouldBe(["id", "riskScore"]);
        page.Json.TryGetProperty("@odata.nextLink", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Counts_by_the_count_segment_with_a_filter()
    {
        (await _host.GetAsync("/api/machines/$count", Machines)).Body.ShouldBe("5");
        (await _host.GetAsync("/api/alerts/$count?$filter=severity eq 'High'", Alerts)).Body.ShouldBe("2");
        (await _host.GetAsync($"/api/machines/{Seed.MachineId(1)}/alerts/$count?$filter=status ne 'Resolved'", Alerts)).Body.ShouldBe("3");
        (await _host.GetAsync($"/api/machines/{Seed.MachineId(1)}/alerts/$count?$filter=severity eq 'High'", Alerts)).Body.ShouldBe("1");
    }

    [Fact]
    public async Task Gets_a_machine_by_id_or_name_but_not_by_its_directory_id()
    {
        foreach (var id in new[] { Seed.MachineId(2), Seed.MachineId(2).ToUpperInvariant(), "pc-02.contoso.example", "PC-02.Contoso.Example", "pc-02" })
        {
            var answer = await _host.GetAsync($"/api/machines/{id}", Machines);
            answer.Status.ShouldBe(200, answer.Body);
            answer.Json.GetProperty("id").GetString().ShouldBe(Seed.MachineId(2));
            answer.Json.GetProperty("@odata.context").GetString().ShouldEndWith("$metadata#Machines/$entity");
        }

        (await _host.GetAsync("/api/machines/elastic-connector-test", Machines)).ShouldFail(404, "ResourceNotFound", "Machine elastic-connector-test was not found");
        (await _host.GetAsync($"/api/machines/{DirectoryId}", Machines)).Status.ShouldBe(404);
        (await _host.GetAsync($"/api/machines?$filter=aadDeviceId eq {DirectoryId}", Machines)).Ids.ShouldBe([Seed.MachineId(5)]);
    }

    [Fact]
    public async Task Finds_machines_by_tag_and_address()
    {
        (await _host.GetAsync("/api/machines/findbytag?tag=tag1", Machines)).Ids.ShouldBe([Seed.MachineId(1)]);
        (await _host.GetAsync("/api/machines/findbytag?tag=ta", Machines)).Ids.ShouldBeEmpty();
        (await _host.GetAsync("/api/machines/findbytag?tag=ta&useStartsWithFilter=true", Machines)).Ids.Count.ShouldBe(5);
        (await _host.GetAsync("/api/machines/findbytag", Machines)).ShouldFail(400, "MissingRequiredParameter", "Parameter tag is missing.");
    }

    [Fact]
    public async Task Lists_what_an_alert_names()
    {
        var alert = $"/api/alerts/{Seed.Alert(1).Id}";
        (await _host.GetAsync(alert + "/machine", Machines)).Json.GetProperty("id").GetString().ShouldBe(Seed.MachineId(2));
        (await _host.GetAsync(alert + "/ips", "Ip.Read.All")).Ids.ShouldBe(["203.0.113.9"]);
        (await _host.GetAsync(alert + "/domains", "URL.Read.All")).Value.Single().GetProperty("host").GetString().ShouldBe("bad.example.test");
        (await _host.GetAsync("/api/alerts/none/ips", "Ip.Read.All")).ShouldFail(404, "ResourceNotFound", "Alert none was not found");
    }

    [Fact]
    public async Task Lists_the_users_of_a_machine()
    {
        var answer = await _host.GetAsync($"/api/machines/{Seed.MachineId(1)}/logonusers", "User.Read.All");
        answer.Value.Single().GetProperty("id").GetString().ShouldBe(@"contoso\dana");
        answer.Value.Single().GetProperty("logonTypes").GetString().ShouldBe("Interactive");
        (await _host.GetAsync($"/api/machines/{Seed.MachineId(99)}/logonusers", "User.Read.All")).ShouldFail(404, "ResourceNotFound", $"Machine {Seed.MachineId(99)} was not found");
    }

    [Fact]
    public async Task Answers_on_the_versioned_path_in_any_case_with_doubled_slashes()
    {
        (await _host.GetAsync("//API/V1.0//Alerts?$top=1", Alerts)).Json.GetProperty("@odata.context").GetString().ShouldEndWith("/API/V1.0/$metadata#Alerts");
        (await _host.GetAsync("/api/machineActions/not-a-guid", Machines))
            .ShouldFail(400, "BadRequest", "The key value (not-a-guid) from request is not valid. The key value should be format of type 'Edm.Guid'.");
    }

    /// <summary>One server for all tests here: none of them changes what another looks at.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        internal EndpointHost Host { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off);
            var alerts = Enumerable.Range(1, 9).Select(n => Seed.Alert(n)).ToArray();
            alerts[0].Comments = [new AlertComment("triaged \"\\\u0001\n ü", "soc@contoso.example", Seed.Start)];
            alerts[1].ThreatName = "Alert 2\t\"quoted\" \\ \u0007 – 漢字 🙂";
            (alerts[2].RelatedUser, alerts[2].ResolvedTime, alerts[2].AssignedTo) = (null, Seed.Start.AddTicks(10), "");
            await Host.SeedAsync([.. Enumerable.Range(1, 4).Select(n => Seed.Machine(n)), Seed.Machine(5, m => m.AadDeviceId = DirectoryId), .. alerts]);
            await Host.SeedAsync(
                Seed.Evidence(alerts[0], EvidenceKind.File, e => (e.Sha1, e.FileName, e.FilePath) = (new string('a', 40), "odd.dll", @"C:\lab")),
                Seed.Evidence(alerts[0], EvidenceKind.Ip, e => e.IpAddress = "203.0.113.9"),
                Seed.Evidence(alerts[0], EvidenceKind.Ip, e => e.IpAddress = "203.0.113.9"),
                Seed.Evidence(alerts[0], EvidenceKind.Url, e => e.Url = "https://Bad.Example.test:8443/a?b"),
                Seed.Evidence(alerts[0], EvidenceKind.User, e => (e.AccountName, e.DetectionStatus) = ("dana", null)),
                new LogonUser { TenantId = EndpointHost.Tenant, MachineId = Seed.MachineId(1), AccountDomain = "contoso", AccountName = "dana", FirstSeen = Seed.Start, LastSeen = Seed.Start, LogonTypes = ["Interactive"] });
        }

        public async Task DisposeAsync() => await Host.DisposeAsync();
    }
}
