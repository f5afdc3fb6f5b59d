using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.State;
using Vedette.Server.Http;
using Vedette.Server.Tests.Endpoint;
using Vedette.Server.ThreatProtection;

namespace Vedette.Server.Tests.ThreatProtection;

public sealed class IncidentTests : IAsyncLifetime
{
    private EndpointHost _host = null!;

    public async Task InitializeAsync() => _host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off, services => services.AddVedetteThreatProtection());

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task An_incident_embeds_alerts_devices_and_entities()
    {
        await SeedAsync(101);
        var answer = await GetAsync("/api/incidents");
        answer.Status.ShouldBe(200, answer.Body);
        answer.Json.GetProperty("@odata.context").GetString().ShouldEndWith("/api/$metadata#Incidents");
        var incident = answer.Value.Single();
        incident.GetProperty("incidentId").GetInt64().ShouldBe(101);
        incident.GetProperty("classification").GetString().ShouldBe("Unknown");
        incident.GetProperty("determination").GetString().ShouldBe("NotAvailable");
        incident.GetProperty("createdTime").GetString().ShouldBe("2026-11-01T08:00:00Z");
        var alert = incident.GetProperty("alerts")[0];
        alert.GetProperty("serviceSource").GetString().ShouldBe("MicrosoftDefenderForEndpoint");
        alert.GetProperty("providerAlertId").GetString().ShouldBe(alert.GetProperty("alertId").GetString()![2..]);
        alert.GetProperty("classification").ValueKind.ShouldBe(JsonValueKind.Null);
        alert.GetProperty("devices")[0].GetProperty("mdatpDeviceId").GetString().ShouldBe(Seed.MachineId(2));
        var entity = alert.GetProperty("entities")[0];
        entity.GetProperty("entityType").GetString().ShouldBe("Registry");
        entity.GetProperty("sha1").ValueKind.ShouldBe(JsonValueKind.Null);
        entity.GetProperty("registryKey").GetString().ShouldBe(@"Software\Run");
        entity.GetProperty("deviceId").GetString().ShouldBe(Seed.MachineId(2));

        var one = await GetAsync("/api/v1.0/Incidents/101");
        one.Json.GetProperty("@odata.context").GetString().ShouldEndWith("$metadata#Incidents/$entity");
        one.Json.GetProperty("alerts").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public Task The_coverage_page_is_the_one_that_the_table_gives() => CoveragePageTests.CompareAsync(
        "coverage-threat-protection.md",
        CoveragePage.Write(_host.Services.GetServices<ApiSurface>().Single(surface => surface.Name == "Threat Protection"), "the Threat Protection API"));

    [Fact]
    public async Task Permissions_and_audience_are_those_of_threat_protection()
    {
        await SeedAsync(101);
        (await _host.SendAsync(HttpMethod.Get, "/api/incidents", null, EndpointHost.TokenFor(EndpointHost.ThreatProtection, "AdvancedHunting.Read.All")))
            .ShouldFail(403, "Forbidden", "Missing application roles. API required roles: Incident.Read.All,Incident.ReadWrite.All, application roles: AdvancedHunting.Read.All.");
        (await _host.SendAsync(HttpMethod.Get, "/api/incidents", null, EndpointHost.Token("Incident.Read.All"))).Status.ShouldBe(403);
        (await _host.SendAsync(HttpMethod.Get, "/api/incidents")).Status.ShouldBe(401);
        (await PatchAsync(101, new { status = "Resolved" }, "Incident.Read.All")).Status.ShouldBe(403);
    }

    [Fact]
    public async Task Only_the_four_documented_properties_filter()
    {
        await SeedAsync(101, 102, 103);
        (await GetAsync("/api/incidents?$filter=lastUpdateTime+ge+2026-11-01T08:02:00.0000000Z")).Value.Count.ShouldBe(2);
        (await GetAsync("/api/incidents?$filter=createdTime gt 2026-11-01T08:01:00Z and status eq 'Active'")).Value.Count.ShouldBe(1);
        (await GetAsync("/api/incidents?$filter=assignedTo eq 'nobody'")).Value.ShouldBeEmpty();
        (await GetAsync("/api/incidents?$filter=severity eq 'High'")).Status.ShouldBe(400);
        (await GetAsync("/api/incidents?$orderby=createdTime")).Status.ShouldBe(400);
        (await GetAsync("/api/incidents?$top=101")).Status.ShouldBe(400);
        (await GetAsync("/api/incidents?$top=1&$skip=1")).Value.Single().GetProperty("incidentId").GetInt64().ShouldBe(102);
    }

    [Fact]
    public async Task Pages_follow_the_next_link_to_the_end()
    {
        await SeedAsync([.. Enumerable.Range(1, 230).Select(number => 1_000L + number)]);
        var ids = new List<long>();
        var next = "/api/incidents";
        while (next.Length > 0)
        {
            var page = await GetAsync(next);
            page.Status.ShouldBe(200, page.Body);
            ids.AddRange(page.Value.Select(incident => incident.GetProperty("incidentId").GetInt64()));
            next = page.Json.TryGetProperty("@odata.nextLink", out var link) ? new Uri(link.GetString()!).PathAndQuery : "";
        }

        ids.Count.ShouldBe(230);
        ids.ShouldBeUnique();
    }

    [Fact]
    public async Task An_update_changes_what_it_names_and_resolving_resolves_the_alerts()
    {
        await SeedAsync(101);
        var answer = await PatchAsync(101, new { status = "InProgress", assignedTo = "dana@contoso.example", tags = new[] { "one", "two" }, comment = "Looking." });
        answer.Status.ShouldBe(200, answer.Body);
        answer.Json.GetProperty("status").GetString().ShouldBe("InProgress");
        answer.Json.GetProperty("comments")[0].GetProperty("comment").GetString().ShouldBe("Looking.");
        answer.Json.GetProperty("alerts")[0].GetProperty("status").GetString().ShouldBe("New");

        answer = await PatchAsync(101, new { status = "Resolved", classification = "TruePositive", determination = "Apt", assignedTo = "" });
        answer.Json.GetProperty("assignedTo").ValueKind.ShouldBe(JsonValueKind.Null);
        answer.Json.GetProperty("determination").GetString().ShouldBe("MultiStagedAttack");
        var alert = answer.Json.GetProperty("alerts")[0];
        alert.GetProperty("status").GetString().ShouldBe("Resolved");
        alert.GetProperty("classification").GetString().ShouldBe("TruePositive");
        alert.GetProperty("resolvedTime").ValueKind.ShouldBe(JsonValueKind.String);
        answer.Json.GetProperty("tags").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task A_wrong_update_is_refused_in_words_and_changes_nothing()
    {
        await SeedAsync(101);
        (await PatchAsync(101, new { status = "Redirected" })).ShouldFail(400, "InvalidInput", "Invalid input status.");
        (await PatchAsync(101, new { classification = "Maybe" })).ShouldFail(400, "InvalidInput", "Invalid input classification.");
        (await PatchAsync(101, new { Status = "Resolved" })).ShouldFail(400, "InvalidRequestBody", "Request body is incorrect");
        (await PatchAsync(101, new { tags = "one" })).Status.ShouldBe(400);
        (await PatchAsync(999, new { status = "Resolved" })).ShouldFail(404, "ResourceNotFound", "Incident 999 was not found");
        (await GetAsync("/api/incidents/abc")).Status.ShouldBe(400);
        (await GetAsync("/api/incidents/101")).Json.GetProperty("status").GetString().ShouldBe("Active");
    }

    [Fact]
    public async Task A_merged_incident_answers_and_names_the_one_to_update()
    {
        await SeedAsync(101, 102);
        await _host.ExecuteAsync("UPDATE defender.incidents SET status = 'Redirected', redirect_incident_id = 102 WHERE id = 101");
        var answer = await GetAsync("/api/incidents/101");
        answer.Json.GetProperty("redirectIncidentId").GetInt64().ShouldBe(102);
        answer.Json.GetProperty("status").GetString().ShouldBe("Redirected");
        (await PatchAsync(101, new { status = "Resolved" })).Message!.ShouldContain("102");
    }

    [Fact]
    public async Task A_poller_that_follows_update_times_misses_and_doubles_nothing()
    {
        // Ten incidents share each moment, and alerts change while the poller reads.
        await SeedAsync([.. Enumerable.Range(0, 60).Select(number => 2_000L + number)]);
        await _host.ExecuteAsync("UPDATE defender.incidents SET last_update_time = timestamptz '2026-11-01 08:00:00Z' + ((id - 2000) / 10) * interval '1 second'");
        var seen = new Dictionary<long, string>();
        var from = "2026-11-01T08:00:00Z";
        for (var round = 0; round < 12; round++)
        {
            var page = await GetAsync($"/api/incidents?$filter=lastUpdateTime ge {from}");
            foreach (var incident in page.Value)
            {
                var time = incident.GetProperty("lastUpdateTime").GetString()!;
                seen[incident.GetProperty("incidentId").GetInt64()] = time;
                if (string.CompareOrdinal(time.TrimEnd('Z'), from.TrimEnd('Z')) > 0) from = time;
            }

            if (round < 5)
            {
                var change = await _host.SendAsync(
                    HttpMethod.Patch, $"/api/alerts/{Seed.Alert(2_000 + round).Id}", new { status = "Resolved" }, EndpointHost.Token("Alert.ReadWrite.All"));
                change.Status.ShouldBe(200, change.Body);
            }
        }

        seen.Count.ShouldBe(60);
        for (var round = 0; round < 5; round++)
        {
            var now = (await GetAsync($"/api/incidents/{2_000 + round}")).Json.GetProperty("lastUpdateTime").GetString();
            seen[2_000 + round].ShouldBe(now);
        }
    }

    private async Task SeedAsync(params long[] ids)
    {
        await _host.SeedAsync([.. Enumerable.Range(1, 3).Select(number => (object)Seed.Machine(number))]);
        foreach (var chunk in ids.Chunk(100))
        {
            await _host.SeedAsync([.. chunk.Select((id, at) => (object)new Incident
            {
                Id = id,
                TenantId = EndpointHost.Tenant,
                Name = string.Create(CultureInfo.InvariantCulture, $"Incident {id}"),
                Severity = AlertSeverity.Medium,
                CreatedTime = Seed.Start.AddMinutes((id - 101) % 50),
                LastUpdateTime = Seed.Start.AddMinutes(id - 100),
            })]);
            await _host.SeedAsync([.. chunk.Select(id =>
            {
                var alert = Seed.Alert((int)id, a => (a.IncidentId, a.MachineId) = (id, Seed.MachineId(2)));
                alert.Evidence.Add(Seed.Evidence(alert, EvidenceKind.RegistryKey, e => e.RegistryKey = @"Software\Run"));
                return (object)alert;
            })]);
        }
    }

    private Task<Answer> GetAsync(string path) => _host.SendAsync(HttpMethod.Get, path, null, EndpointHost.TokenFor(EndpointHost.ThreatProtection, "Incident.Read.All"));

    private Task<Answer> PatchAsync(long id, object body, string role = "Incident.ReadWrite.All") =>
        _host.SendAsync(HttpMethod.Patch, $"/api/incidents/{id}", body, EndpointHost.TokenFor(EndpointHost.ThreatProtection, role));
}
