using System.Globalization;
using System.Text.Json;
using Vedette.Defender.State;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.Graph.Security;

public sealed class SecurityIncidentTests(SecurityFixture graph) : IClassFixture<SecurityFixture>
{
    private const string Read = "SecurityIncident.Read.All";
    private const string Write = "SecurityIncident.ReadWrite.All";

    [Fact]
    public async Task An_incident_has_every_property_and_its_alerts_only_when_expanded()
    {
        var (incident, alerts) = await graph.IncidentAsync(2, incident: i => (i.Tags, i.SystemTags, i.Classification) = (["vip"], ["Ransomware"], AlertClassification.FalsePositive));
        await graph.Host.SeedAsync(Seed.Evidence(alerts[1], EvidenceKind.Url, e => e.Url = "https://bad.example/"));
        var path = $"/v1.0/security/incidents/{incident.Id}";
        var plain = await graph.GetAsync(path, Read);
        plain.Status.ShouldBe(200, plain.Body);
        plain.Json.TryGetProperty("alerts", out _).ShouldBeFalse();
        plain.Json.GetProperty("@odata.context").GetString()!.ShouldEndWith("#security/incidents/$entity");
        foreach (var (name, value) in new (string, string?)[]
        {
            ("id", incident.Id.ToString(CultureInfo.InvariantCulture)), ("displayName", incident.Name), ("severity", "medium"), ("status", "active"), ("classification", "falsePositive"),
            ("determination", "unknown"), ("assignedTo", null), ("redirectIncidentId", null), ("tenantId", EndpointHost.Tenant.ToString()), ("summary", null), ("resolvingComment", null),
            ("incidentWebUrl", $"https://security.microsoft.com/incidents/{incident.Id}?tid={EndpointHost.Tenant}"),
        }) plain.Json.GetProperty(name).GetString().ShouldBe(value, name);
        (plain.Json.GetProperty("customTags")[0].GetString(), plain.Json.GetProperty("systemTags")[0].GetString()).ShouldBe(("vip", "Ransomware"));

        var expanded = await graph.GetAsync(path + "?$expand=alerts", Read);
        expanded.Json.GetProperty("@odata.context").GetString()!.ShouldEndWith("#security/incidents(alerts())/$entity");
        var inside = expanded.Json.GetProperty("alerts").EnumerateArray().ToArray();
        inside.Select(alert => alert.GetProperty("id").GetString()).Order().ShouldBe(alerts.Select(alert => alert.Id).Order());

        // An alert reads the same inside its incident as by itself.
        foreach (var alert in inside)
        {
            var own = (await graph.GetAsync("/v1.0/security/alerts_v2/" + alert.GetProperty("id").GetString(), Read)).Json;
            foreach (var property in alert.EnumerateObject())
                property.Value.GetRawText().ShouldBe(own.GetProperty(property.Name).GetRawText(), property.Name);
            own.EnumerateObject().Count().ShouldBe(alert.EnumerateObject().Count() + 1);
        }
    }

    [Fact]
    public async Task The_page_holds_fifty_and_more_is_refused()
    {
        (await graph.GetAsync("/v1.0/security/incidents?$top=100", Read)).ShouldFail(
            400, "", "The query specified in the URI is not valid. The limit of '50' for Top query has been exceeded. The value from the incoming request is '100'.");
        (await graph.GetAsync("/v1.0/security/incidents?$skip=501", Read)).Status.ShouldBe(400);
        var owner = $"pages{graph.Next()}";
        for (var i = 0; i < 55; i++) await graph.IncidentAsync(0, incident: one => one.AssignedTo = owner);
        var first = await graph.GetAsync($"/beta/security/incidents?$filter=assignedTo eq '{owner}'&$count=true&$expand=alerts", Read);
        first.Value.Count.ShouldBe(50);
        first.Json.GetProperty("@odata.count").GetInt32().ShouldBe(55);
        var second = await graph.GetAsync(new Uri(first.Json.GetProperty("@odata.nextLink").GetString()!).PathAndQuery, Read);
        second.Value.Count.ShouldBe(5);
        first.Ids.Concat(second.Ids).ShouldBeUnique();
        first.Value.Concat(second.Value).Select(incident => incident.GetProperty("alerts").GetArrayLength()).Distinct().ShouldBe([0]);
    }

    [Fact]
    public async Task Alerts_of_an_incident_are_a_list_of_their_own()
    {
        var (incident, alerts) = await graph.IncidentAsync(3);
        var answer = await graph.GetAsync($"/v1.0/security/incidents/{incident.Id}/alerts?$select=id", Read);
        answer.Ids.Order().ShouldBe(alerts.Select(alert => alert.Id).Order());
        (await graph.GetAsync("/v1.0/security/incidents/999999/alerts", Read)).ShouldFail(404, "ResourceNotFound", "Incident 999999 was not found");
        (await graph.GetAsync("/v1.0/security/incidents/abc", Read)).ShouldFail(404, "ResourceNotFound", "Incident abc was not found");
    }

    [Fact]
    public async Task An_update_flows_to_the_alerts_and_to_the_other_surfaces()
    {
        var (incident, alerts) = await graph.IncidentAsync(2);
        var path = $"/v1.0/security/incidents/{incident.Id}";
        var answer = await graph.SendAsync(
            HttpMethod.Patch, path,
            """
            {"status": "resolved", "classification": "truePositive", "determination": "MultiStagedAttack", "assignedTo": "soc1@contoso.example", "customTags": ["a", "b"],
             "displayName": "Renamed", "description": "What happened", "severity": "high", "resolvingComment": "Done", "summary": "Short"}
            """,
            Write);
        answer.Status.ShouldBe(200, answer.Body);
        foreach (var (name, value) in new[]
        {
            ("status", "resolved"), ("classification", "truePositive"), ("determination", "multiStagedAttack"), ("assignedTo", "soc1@contoso.example"), ("displayName", "Renamed"),
            ("description", "What happened"), ("severity", "high"), ("resolvingComment", "Done"), ("summary", "Short"), ("lastModifiedBy", "Test application"),
        }) answer.Json.GetProperty(name).GetString().ShouldBe(value, name);
        answer.Json.GetProperty("customTags").EnumerateArray().Select(tag => tag.GetString()).ShouldBe(["a", "b"]);
        foreach (var alert in alerts)
        {
            var after = (await graph.GetAsync("/v1.0/security/alerts_v2/" + alert.Id, Read)).Json;
            (after.GetProperty("status").GetString(), after.GetProperty("classification").GetString()).ShouldBe(("resolved", "truePositive"));
        }

        var cleared = await graph.SendAsync(HttpMethod.Patch, path, """{"summary": null, "assignedTo": null}""", Write);
        cleared.Json.GetProperty("summary").ValueKind.ShouldBe(JsonValueKind.Null);
        cleared.Json.GetProperty("assignedTo").ValueKind.ShouldBe(JsonValueKind.Null);
        (await graph.SendAsync(HttpMethod.Patch, path, new { status = "redirected" }, Write)).ShouldFail(400, "BadRequest", "Invalid value specified for property 'status'.");
        (await graph.SendAsync(HttpMethod.Patch, path, new { severity = "grave" }, Write)).ShouldFail(400, "BadRequest", "Invalid value specified for property 'severity'.");
    }

    [Fact]
    public async Task A_merged_incident_says_where_it_went_and_cannot_be_changed()
    {
        var (target, _) = await graph.IncidentAsync();
        var (merged, _) = await graph.IncidentAsync(0, incident: i => (i.Status, i.RedirectIncidentId) = (IncidentStatus.Redirected, target.Id));
        var answer = (await graph.GetAsync($"/v1.0/security/incidents/{merged.Id}", Read)).Json;
        (answer.GetProperty("status").GetString(), answer.GetProperty("redirectIncidentId").GetString()).ShouldBe(("redirected", target.Id.ToString(CultureInfo.InvariantCulture)));
        (await graph.SendAsync(HttpMethod.Patch, $"/v1.0/security/incidents/{merged.Id}", new { status = "active" }, Write)).Status.ShouldBe(400);
    }

    [Fact]
    public async Task A_comment_is_answered_with_all_comments()
    {
        var (incident, _) = await graph.IncidentAsync();
        var path = $"/v1.0/security/incidents/{incident.Id}/comments";
        await graph.SendAsync(HttpMethod.Post, path, new { comment = "one" }, Write);
        var answer = await graph.SendAsync(HttpMethod.Post, path, new { comment = "two" }, Write);
        answer.Value.Select(comment => comment.GetProperty("comment").GetString()).ShouldBe(["one", "two"]);
        answer.Json.GetProperty("@odata.context").GetString()!.ShouldEndWith($"#security/incidents('{incident.Id}')/comments");
        (await graph.SendAsync(HttpMethod.Post, "/v1.0/security/incidents/999999/comments", new { comment = "x" }, Write)).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_user_sees_what_belongs_to_their_device_groups()
    {
        var (incident, alerts) = await graph.IncidentAsync(2);
        await graph.Host.ExecuteAsync($"UPDATE defender.alerts SET rbac_group_id = CASE id WHEN '{alerts[0].Id}' THEN 7 ELSE 8 END WHERE incident_id = {incident.Id}");
        var (hidden, _) = await graph.IncidentAsync(1);
        var token = SecurityFixture.Delegated(Read, "SecurityAlert.Read.All");
        var seen = await graph.Host.SendAsync(HttpMethod.Get, $"/v1.0/security/incidents/{incident.Id}?$expand=alerts", null, token);
        seen.Json.GetProperty("alerts").EnumerateArray().Select(alert => alert.GetProperty("id").GetString()).ShouldBe([alerts[0].Id]);
        (await graph.Host.SendAsync(HttpMethod.Get, $"/v1.0/security/incidents/{incident.Id}/alerts", null, token)).Ids.ShouldBe([alerts[0].Id]);
        (await graph.Host.SendAsync(HttpMethod.Get, $"/v1.0/security/alerts_v2/{alerts[1].Id}", null, token)).Status.ShouldBe(404);
        (await graph.Host.SendAsync(HttpMethod.Get, $"/v1.0/security/incidents/{hidden.Id}", null, token)).Status.ShouldBe(404);
        (await graph.Host.SendAsync(HttpMethod.Get, "/v1.0/security/incidents?$expand=alerts", null, token)).Ids.ShouldNotContain(hidden.Id.ToString(CultureInfo.InvariantCulture));
    }
}
