using System.Globalization;
using System.Text.Json;
using Vedette.Defender.State;
using Vedette.Server.Control.Scripting;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.Graph.Security;

public sealed class SecurityAlertTests(SecurityFixture graph) : IClassFixture<SecurityFixture>
{
    private const string Read = "SecurityAlert.Read.All";
    private const string Write = "SecurityAlert.ReadWrite.All";

    [Theory]
    [InlineData("/v1.0/security/alerts_v2/")]
    [InlineData("/beta/security/alerts_v2/")]
    [InlineData("/v1.0/Security/Alerts_V2/")]
    public async Task An_alert_has_every_property_in_Graphs_words(string root)
    {
        var (incident, alerts) = await graph.IncidentAsync(alert: a =>
        {
            (a.Severity, a.DetectionSource, a.ThreatName, a.ThreatFamilyName, a.RecommendedAction) = (AlertSeverity.UnSpecified, "WindowsDefenderAv", "Bearfoos", "Bearfoos", "Look.");
            (a.Classification, a.Determination, a.InvestigationState) = (AlertClassification.TruePositive, AlertDetermination.CompromisedUser, InvestigationState.UnsupportedOs);
            a.Comments = [new AlertComment("Seen.", "soc1@contoso.example", Seed.Start)];
            a.CustomDetails = new() { ["Team"] = "Red" };
            (a.ActorName, a.SystemTags) = ("Actor", ["Defender Experts"]);
        });
        var answer = await graph.GetAsync(root + alerts[0].Id, Read);
        answer.Status.ShouldBe(200, answer.Body);
        var alert = answer.Json;
        alert.GetProperty("@odata.context").GetString()!.ShouldEndWith("/$metadata#security/alerts_v2/$entity");
        var tenant = EndpointHost.Tenant.ToString();
        foreach (var (name, value) in new (string, string?)[]
        {
            ("id", alerts[0].Id), ("providerAlertId", alerts[0].Id[2..]), ("incidentId", incident.Id.ToString(CultureInfo.InvariantCulture)), ("status", "new"), ("severity", "unknown"),
            ("classification", "truePositive"), ("determination", "compromisedAccount"), ("serviceSource", "microsoftDefenderForEndpoint"), ("detectionSource", "antivirus"),
            ("productName", "Microsoft Defender for Endpoint"), ("detectorId", alerts[0].DetectorId.ToString()), ("tenantId", tenant), ("title", alerts[0].Title),
            ("description", alerts[0].Description), ("recommendedActions", "Look."), ("category", "Execution"), ("assignedTo", null), ("investigationState", "unsupportedOs"),
            ("alertWebUrl", $"https://security.microsoft.com/alerts/{alerts[0].Id}?tid={tenant}"),
            ("incidentWebUrl", $"https://security.microsoft.com/incidents/{incident.Id}?tid={tenant}"), ("actorDisplayName", "Actor"), ("threatDisplayName", "Bearfoos"),
            ("threatFamilyName", "Bearfoos"), ("createdDateTime", alerts[0].AlertCreationTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture)),
            ("resolvedDateTime", null), ("alertPolicyId", null),
        }) alert.GetProperty(name).GetString().ShouldBe(value, name);
        alert.GetProperty("categories")[0].GetString().ShouldBe("Execution");
        alert.GetProperty("mitreTechniques")[0].GetString().ShouldBe("T1059");
        alert.GetProperty("systemTags")[0].GetString().ShouldBe("Defender Experts");
        alert.GetProperty("customDetails").GetProperty("Team").GetString().ShouldBe("Red");
        var comment = alert.GetProperty("comments")[0];
        (comment.GetProperty("comment").GetString(), comment.GetProperty("createdByDisplayName").GetString()).ShouldBe(("Seen.", "soc1@contoso.example"));
        comment.GetProperty("createdDateTime").GetDateTime().ShouldBe(Seed.Start);
    }

    [Fact]
    public async Task Evidence_is_typed_and_begins_with_the_device()
    {
        var (_, alerts) = await graph.IncidentAsync();
        var alert = alerts[0];
        await graph.Host.SeedAsync(
            Seed.Evidence(alert, EvidenceKind.Process, e => (e.FileName, e.FilePath, e.Sha1, e.ProcessId, e.ProcessCommandLine, e.ProcessCreationTime, e.ParentProcessId, e.ParentProcessFileName) =
                ("cmd.exe", @"C:\Windows\System32", new string('b', 40), 77, "cmd /c x", Seed.Start, 5, "explorer.exe")),
            Seed.Evidence(alert, EvidenceKind.User, e => (e.AccountName, e.DomainName, e.UserSid, e.UserPrincipalName, e.DetectionStatus) = ("dana", "CONTOSO", "S-1-5-21-1", "dana@contoso.example", null)),
            Seed.Evidence(alert, EvidenceKind.File, e => (e.FileName, e.Sha256, e.DetectionStatus) = ("a.exe", new string('c', 64), "Prevented")),
            Seed.Evidence(alert, EvidenceKind.RegistryValue, e => (e.RegistryHive, e.RegistryKey, e.RegistryValueName, e.RegistryValue, e.RegistryValueType) = ("HKEY_LOCAL_MACHINE", @"Software\Run", "x", "1", "Unknown")),
            Seed.Evidence(alert, EvidenceKind.Ip, e => e.IpAddress = "203.0.113.9"));
        var evidence = (await graph.GetAsync("/v1.0/security/alerts_v2/" + alert.Id, Read)).Json.GetProperty("evidence").EnumerateArray().ToArray();
        evidence.Select(item => item.GetProperty("@odata.type").GetString()).ShouldBe(new[] { "device", "process", "user", "file", "registryValue", "ip" }.Select(name => $"#microsoft.graph.security.{name}Evidence"));
        var device = evidence[0];
        (device.GetProperty("mdeDeviceId").GetString(), device.GetProperty("deviceDnsName").GetString(), device.GetProperty("hostName").GetString(), device.GetProperty("dnsDomain").GetString())
            .ShouldBe((Seed.MachineId(2), "pc-02.contoso.example", "pc-02", "contoso.example"));
        device.GetProperty("osBuild").GetInt64().ShouldBe(22631);
        (device.GetProperty("healthStatus").GetString(), device.GetProperty("onboardingStatus").GetString()).ShouldBe(("active", "onboarded"));
        device.GetProperty("ipInterfaces")[0].GetString().ShouldBe("10.0.0.2");
        device.GetProperty("loggedOnUsers")[0].GetProperty("accountName").GetString().ShouldBe("dana");
        var process = evidence[1];
        process.GetProperty("processId").GetInt64().ShouldBe(77);
        process.GetProperty("imageFile").GetProperty("fileName").GetString().ShouldBe("cmd.exe");
        process.GetProperty("imageFile").GetProperty("signer").ValueKind.ShouldBe(JsonValueKind.Null);
        process.GetProperty("parentProcessImageFile").GetProperty("fileName").GetString().ShouldBe("explorer.exe");
        (process.GetProperty("verdict").GetString(), process.GetProperty("remediationStatus").GetString(), process.GetProperty("detectionStatus").GetString()).ShouldBe(("suspicious", "none", "detected"));
        process.GetProperty("roles").GetArrayLength().ShouldBe(0);
        evidence[2].GetProperty("userAccount").GetProperty("userPrincipalName").GetString().ShouldBe("dana@contoso.example");
        evidence[2].GetProperty("verdict").GetString().ShouldBe("unknown");
        (evidence[3].GetProperty("remediationStatus").GetString(), evidence[3].GetProperty("fileDetails").GetProperty("sha256").GetString()).ShouldBe(("prevented", new string('c', 64)));
        evidence[4].GetProperty("registryValueName").GetString().ShouldBe("x");
        evidence[5].GetProperty("ipAddress").GetString().ShouldBe("203.0.113.9");

        // A file that was quarantined on the device says so.
        await graph.Host.SeedAsync(new MachineAction
        {
            Id = Guid.NewGuid(), TenantId = EndpointHost.Tenant, Type = MachineActionType.StopAndQuarantineFile, Status = MachineActionStatus.Succeeded, MachineId = Seed.MachineId(2),
            RelatedFileSha1 = new string('b', 40), Requestor = "x", RequestorComment = "c", CreationDateTimeUtc = Seed.Start, LastUpdateDateTimeUtc = Seed.Start, ExpiresAt = Seed.Start.AddDays(3),
        });
        var after = (await graph.GetAsync("/v1.0/security/alerts_v2/" + alert.Id, Read)).Json.GetProperty("evidence")[1];
        after.GetProperty("remediationStatus").GetString().ShouldBe("remediated");
    }

    [Fact]
    public async Task Members_that_came_later_are_only_told_to_who_asks()
    {
        var (_, alerts) = await graph.IncidentAsync(alert: a => (a.ServiceSource, a.DetectionSource) = ("Microsoft Sentinel", "ScheduledAlerts"));
        var evidence = Seed.Evidence(alerts[0], EvidenceKind.File, e => (e.FileName, e.Details) = ("a.exe", """{"remediationStatus": "pendingApproval"}"""));
        await graph.Host.SeedAsync(evidence);
        var path = "/v1.0/security/alerts_v2/" + alerts[0].Id;
        var plain = await graph.GetAsync(path, Read);
        (Word(plain, "serviceSource"), Word(plain, "detectionSource")).ShouldBe(("unknownFutureValue", "unknownFutureValue"));
        plain.Json.GetProperty("evidence")[1].GetProperty("remediationStatus").GetString().ShouldBe("unknownFutureValue");
        var full = await graph.GetAsync(path, Read, ("Prefer", "odata.maxpagesize=5, include-unknown-enum-members"));
        (Word(full, "serviceSource"), Word(full, "detectionSource")).ShouldBe(("microsoftSentinel", "scheduledAlerts"));
        full.Json.GetProperty("evidence")[1].GetProperty("remediationStatus").GetString().ShouldBe("pendingApproval");
        full.Headers.GetValues("Preference-Applied").ShouldBe(["include-unknown-enum-members"]);

        static string? Word(Answer answer, string name) => answer.Json.GetProperty(name).GetString();
    }

    [Fact]
    public async Task Pages_follow_each_other_in_every_order_while_alerts_come()
    {
        var title = $"Paged {graph.Next()}";
        var (_, alerts) = await graph.IncidentAsync(25, a => (a.Title, a.AssignedTo, a.AlertCreationTime) = (title, title, Seed.Start.AddDays(a.DetectorId!.Value.GetHashCode() % 2)));
        foreach (var order in new[] { "", "&$orderby=createdDateTime asc", "&$orderby=lastUpdateDateTime desc", "&$orderby=severity" })
        {
            var seen = new List<string?>();
            var next = $"/v1.0/security/alerts_v2?$filter=assignedTo eq '{title}'&$top=10&$count=true{order}";
            for (var page = 0; next.Length > 0 && page < 10; page++)
            {
                var answer = await graph.GetAsync(next, Read);
                answer.Status.ShouldBe(200, answer.Body);
                if (page == 0) answer.Json.GetProperty("@odata.count").GetInt32().ShouldBe(25);
                seen.AddRange(answer.Ids);
                next = answer.Json.TryGetProperty("@odata.nextLink", out var link) ? new Uri(link.GetString()!).PathAndQuery : "";
                if (next.Length > 0) next.ShouldContain("$skiptoken=");
                // One that comes in front of the page moves nothing.
                if (page == 0) await graph.IncidentAsync(1, a => (a.Title, a.AlertCreationTime) = (title, Seed.Start.AddDays(5)));
            }

            seen.ShouldBeUnique(order);
            seen.Order().ShouldBe(alerts.Select(alert => alert.Id).Order(), order);
        }
    }

    [Fact]
    public async Task Filters_read_every_listed_property_and_refuse_others()
    {
        var owner = $"owner{graph.Next()}@contoso.example";
        await graph.IncidentAsync(1, a => (a.AssignedTo, a.Severity, a.Status, a.Classification, a.Determination) =
            (owner, AlertSeverity.High, AlertStatus.InProgress, AlertClassification.FalsePositive, AlertDetermination.Clean));
        foreach (var filter in new[]
        {
            "severity eq 'high'", "severity ge 'medium'", "status eq 'inProgress'", "status eq microsoft.graph.security.alertStatus'inProgress'", "classification eq 'FalsePositive'",
            "determination eq 'notMalicious'", "serviceSource eq 'microsoftDefenderForEndpoint'", "createdDateTime ge 2026-10-01T00:00:00Z", "lastUpdateDateTime lt 2027-01-01", "severity in ('high','low')",
        })
        {
            var answer = await graph.GetAsync($"/v1.0/security/alerts_v2?$filter=assignedTo eq '{owner}' AND {filter}", Read);
            answer.Status.ShouldBe(200, answer.Body);
            answer.Value.Count.ShouldBe(1, filter);
        }

        (await graph.GetAsync($"/v1.0/security/alerts_v2?$filter=assignedTo eq '{owner}' and severity eq 'low'", Read)).Value.ShouldBeEmpty();
        (await graph.GetAsync("/v1.0/security/alerts_v2?$filter=investigationState eq 'running'", Read))
            .ShouldFail(400, "BadRequest", "Invalid filter clause: The property 'investigationState' cannot be used in the $filter query option.");
        (await graph.GetAsync("/v1.0/security/alerts_v2?$filter=severity eq 'grave'", Read)).Message!.ShouldContain("'grave' is not a valid enumeration type constant.");
        (await graph.GetAsync("/v1.0/security/alerts_v2?$filter=colour eq 'red'", Read)).Message!.ShouldStartWith("Invalid filter clause: ");
    }

    [Fact]
    public async Task The_page_is_clamped_and_skipping_is_bounded()
    {
        await graph.IncidentAsync();
        (await graph.GetAsync("/v1.0/security/alerts_v2?$top=2000", Read)).Status.ShouldBe(200);
        (await graph.GetAsync("/v1.0/security/alerts_v2?$top=10&$skip=500", Read)).Status.ShouldBe(200);
        (await graph.GetAsync("/v1.0/security/alerts_v2?$top=10&$skip=501", Read)).ShouldFail(
            400, "", "The query specified in the URI is not valid. The limit of '500' for Skip query has been exceeded. The value from the incoming request is '501'.");
        (await graph.GetAsync("/v1.0/security/alerts_v2?$skiptoken=nonsense", Read)).Status.ShouldBe(400);
        var selected = (await graph.GetAsync("/v1.0/security/alerts_v2?$select=id,title&$top=1", Read)).Json;
        selected.GetProperty("@odata.context").GetString()!.ShouldEndWith("#security/alerts_v2(id,title)");
        selected.GetProperty("value")[0].EnumerateObject().Select(property => property.Name).ShouldBe(["id", "title"]);
    }

    [Fact]
    public async Task A_caller_without_the_role_is_told_which_it_needs()
    {
        (await graph.GetAsync("/v1.0/security/alerts_v2", "")).ShouldFail(
            403, "Forbidden",
            "Missing application roles. API required roles: SecurityAlert.Read.All,SecurityAlert.ReadWrite.All,SecurityIncident.Read.All,SecurityIncident.ReadWrite.All, application roles: .");
        (await graph.SendAsync(HttpMethod.Patch, "/v1.0/security/alerts_v2/x", new { status = "new" }, Read)).ShouldFail(
            403, "Forbidden", "Missing application roles. API required roles: SecurityAlert.ReadWrite.All, application roles: SecurityAlert.Read.All.");
        var unknown = await graph.GetAsync("/v1.0/security/alerts_v2/da0_0", Read);
        unknown.ShouldFail(404, "ResourceNotFound", "Alert da0_0 was not found");
        unknown.Json.GetProperty("error").GetProperty("innerError").GetProperty("request-id").GetGuid().ShouldNotBe(Guid.Empty);
    }

    [Fact]
    public async Task Changing_an_alert_takes_every_spelling_and_changes_it_for_all_surfaces()
    {
        var (incident, alerts) = await graph.IncidentAsync();
        var path = "/v1.0/security/alerts_v2/" + alerts[0].Id;
        var answer = await graph.SendAsync(
            HttpMethod.Patch, path, new { status = "InProgress", classification = "TruePositive", determination = "compromisedUser", assignedTo = "soc1@contoso.example", customDetails = new { Team = "Blue" } }, Write);
        answer.Status.ShouldBe(200, answer.Body);
        (answer.Json.GetProperty("status").GetString(), answer.Json.GetProperty("classification").GetString(), answer.Json.GetProperty("determination").GetString(), answer.Json.GetProperty("assignedTo").GetString())
            .ShouldBe(("inProgress", "truePositive", "compromisedAccount", "soc1@contoso.example"));
        answer.Json.GetProperty("customDetails").GetProperty("Team").GetString().ShouldBe("Blue");
        var endpoint = (await graph.Host.GetAsync("/api/alerts/" + alerts[0].Id, "Alert.Read.All")).Json;
        (endpoint.GetProperty("status").GetString(), endpoint.GetProperty("determination").GetString()).ShouldBe(("InProgress", "CompromisedUser"));
        var cleared = await graph.SendAsync(HttpMethod.Patch, path, """{"assignedTo": null, "determination": "apt", "status": "resolved"}""", Write);
        cleared.Status.ShouldBe(200, cleared.Body);
        cleared.Json.GetProperty("assignedTo").ValueKind.ShouldBe(JsonValueKind.Null);
        cleared.Json.GetProperty("determination").GetString().ShouldBe("apt");
        cleared.Json.GetProperty("resolvedDateTime").ValueKind.ShouldBe(JsonValueKind.String);
        foreach (var body in new[] { """{"status": "unknownFutureValue"}""", """{"status": "gone"}""" })
            (await graph.SendAsync(HttpMethod.Patch, path, body, Write)).ShouldFail(400, "BadRequest", "Invalid value specified for property 'status'.");
        (await graph.SendAsync(HttpMethod.Patch, path, """{"determination": "magic"}""", Write)).ShouldFail(400, "BadRequest", "Invalid value specified for property 'determination'.");
        (await graph.SendAsync(HttpMethod.Patch, path, "{}", Write)).Status.ShouldBe(400);
        incident.Id.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_comment_is_answered_with_all_comments()
    {
        var (_, alerts) = await graph.IncidentAsync();
        var path = $"/v1.0/security/alerts_v2/{alerts[0].Id}/comments";
        await graph.SendAsync(HttpMethod.Post, path, new { comment = "one" }, Write);
        var answer = await graph.SendAsync(HttpMethod.Post, path, """{"@odata.type": "microsoft.graph.security.alertComment", "comment": "two"}""", Write);
        answer.Status.ShouldBe(200, answer.Body);
        answer.Json.GetProperty("@odata.context").GetString()!.ShouldEndWith($"#security/alerts_v2('{alerts[0].Id}')/comments");
        answer.Value.Select(comment => comment.GetProperty("comment").GetString()).ShouldBe(["one", "two"]);
        answer.Value[0].GetProperty("createdByDisplayName").GetString().ShouldBe("Test application");
        (await graph.SendAsync(HttpMethod.Post, path, "{}", Write)).ShouldFail(400, "BadRequest", "A value is required for property 'comment'.");
    }

    [Fact]
    public async Task An_ordered_partial_answer_is_the_real_one_with_a_warning()
    {
        var (_, alerts) = await graph.IncidentAsync();
        var path = "/v1.0/security/alerts_v2/" + alerts[0].Id;
        graph.Faults.Add(new FaultRule
        {
            Route = "GET " + path, Status = 206, Times = 1, Headers = new Dictionary<string, string> { ["Warning"] = "199 - \"Microsoft/Office 365/504/10000\"" },
        });
        var partial = await graph.GetAsync(path, Read);
        (partial.Status, partial.Json.GetProperty("id").GetString()).ShouldBe((206, alerts[0].Id));
        partial.Headers.GetValues("Warning").ShouldBe(["199 - \"Microsoft/Office 365/504/10000\""]);
        (await graph.GetAsync(path, Read)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_key_stands_in_parentheses_too()
    {
        var (_, alerts) = await graph.IncidentAsync();
        (await graph.GetAsync($"/v1.0/security/alerts_v2('{alerts[0].Id}')", Read)).Json.GetProperty("id").GetString().ShouldBe(alerts[0].Id);
        var incident = (await graph.GetAsync($"/beta/security/incidents('{alerts[0].IncidentId}')/alerts", "SecurityIncident.Read.All"));
        incident.Ids.ShouldBe([alerts[0].Id]);
    }
}
