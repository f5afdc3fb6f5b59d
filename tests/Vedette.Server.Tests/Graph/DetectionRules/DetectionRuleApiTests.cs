using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Identity.Directory;
using Vedette.Server.Tests.Endpoint;
using static Vedette.Server.Tests.Graph.DetectionRules.DetectionRuleFixture;

namespace Vedette.Server.Tests.Graph.DetectionRules;

public sealed class DetectionRuleApiTests(DetectionRuleFixture fixture) : IClassFixture<DetectionRuleFixture>
{
    private const string Path = "/beta/security/rules/detectionRules";

    [Fact]
    public async Task A_rule_is_made_read_changed_and_deleted()
    {
        var (tenant, token) = await fixture.NewTenantAsync();
        var made = await fixture.Host.SendAsync(HttpMethod.Post, Path, token, Rule("First").ToJsonString());

        made.Status.ShouldBe(201, made.Body);
        var id = made.Json.GetProperty("id").GetString()!;
        long.Parse(id, null).ShouldBeGreaterThan(1000);
        made.Headers.Location!.ToString().ShouldEndWith($"{Path}/{id}");
        var detector = made.Json.GetProperty("detectorId").GetGuid();
        var created = made.Json.GetProperty("createdDateTime").GetString();
        var action = """{"title":"Alert of First","description":"An odd program ran.","severity":"medium","recommendedActions":null,"category":"Execution","mitreTechniques":["T1059.001"],"impactedAssets":[{"@odata.type":"#microsoft.graph.security.impactedDeviceAsset","identifier":"deviceId"}],"customDetails":null,"entityMappings":{"hosts":[{"deviceIdColumn":"DeviceId"}]},"tactics":[{"tactic":"Execution","techniques":[{"technique":"T1059.001"}]}]}""";
        Same(made.Json.GetProperty("detectionAction").GetProperty("alertTemplate"), action);
        Same(made.Json.GetProperty("detectionAction").GetProperty("responseActions"), """[{"@odata.type":"#microsoft.graph.security.isolateDeviceResponseAction","isolationType":"full","identifier":"deviceId"}]""");
        Same(made.Json.GetProperty("detectionAction").GetProperty("automatedActions"), """{"isolateDevices":[{"deviceIdColumn":"DeviceId","isolationType":"full"}]}""");
        Same(made.Json.GetProperty("lastRunDetails"), """{"lastRunDateTime":null,"status":null,"failureReason":null,"errorCode":null}""");
        Same(made.Json.GetProperty("queryCondition"), """{"queryText":"DeviceProcessEvents\r\n| where FileName =~ \"odd.exe\"","lastModifiedDateTime":null}""");
        (made.Json.GetProperty("isEnabled").GetBoolean(), made.Json.GetProperty("status").GetString()).ShouldBe((true, "enabled"));
        Same(made.Json.GetProperty("schedule"), $$"""{"frequency":"PT12H","lookback":null,"period":"12H","nextRunDateTime":"{{created}}"}""");

        var read = await fixture.Host.GetAsync($"{Path}/{id}", token);
        read.Status.ShouldBe(200);
        JsonNode.DeepEquals(JsonNode.Parse(read.Body), JsonNode.Parse(made.Body)).ShouldBeTrue(read.Body);

        var changed = await fixture.Host.SendAsync(
            HttpMethod.Patch, $"{Path}/{id}", token, """{"schedule":{"period":"24H"},"isEnabled":false,"detectionAction":{"alertTemplate":{"title":"Different alert title"}}}""");
        changed.Status.ShouldBe(200, changed.Body);
        changed.Json.GetProperty("detectorId").GetGuid().ShouldBe(detector);
        changed.Json.GetProperty("schedule").GetProperty("period").GetString().ShouldBe("24H");
        (changed.Json.GetProperty("isEnabled").GetBoolean(), changed.Json.GetProperty("status").GetString()).ShouldBe((false, "disabled"));
        Same(changed.Json.GetProperty("detectionAction").GetProperty("alertTemplate"), action.Replace("Alert of First", "Different alert title", StringComparison.Ordinal));
        changed.Json.GetProperty("queryCondition").GetProperty("lastModifiedDateTime").ValueKind.ShouldBe(JsonValueKind.Null);
        var queried = await fixture.Host.SendAsync(HttpMethod.Patch, $"{Path}/{id}", token, """{"queryCondition":{"queryText":"DeviceProcessEvents | take 1"}}""");
        queried.Json.GetProperty("queryCondition").GetProperty("lastModifiedDateTime").GetString().ShouldBe(queried.Json.GetProperty("lastModifiedDateTime").GetString());

        var gone = await fixture.Host.SendAsync(HttpMethod.Delete, $"{Path}/{id}", token);
        (gone.Status, gone.Body).ShouldBe((204, ""));
        var missing = await fixture.Host.GetAsync($"{Path}/{id}", token);
        (missing.Status, missing.Code, missing.Message).ShouldBe((404, "NotFound", $"The custom detection rule '{id}' was not found."));
        (await fixture.Host.SendAsync(HttpMethod.Delete, $"{Path}/{id}", token)).Status.ShouldBe(404);
        (await fixture.Host.SendAsync(HttpMethod.Patch, $"{Path}/{id}", token, "{}")).Status.ShouldBe(404);
        tenant.Id.ShouldNotBe(Guid.Empty);
    }

    [Fact]
    public async Task The_newer_form_is_taken_and_both_forms_are_answered()
    {
        var (_, token) = await fixture.NewTenantAsync();
        var made = await fixture.Host.SendAsync(HttpMethod.Post, Path, token, """
            {
              "@odata.type": "#microsoft.graph.security.detectionRule", "id": "office-encoded-powershell", "displayName": "Newer", "description": "What it is for.", "status": "enabled",
              "queryCondition": {"queryText": "DeviceProcessEvents | where FileName == 'powershell.exe' | where ProcessCommandLine has '-enc'"},
              "schedule": {"frequency": "PT1H", "lookback": "PT6H"},
              "detectionAction": {
                "alertTemplate": {
                  "title": "PowerShell by {{AccountName}}", "description": "On {{DeviceName}}.", "severity": "high", "recommendedActions": "Look into it.",
                  "entityMappings": {
                    "accounts": [{"nameColumn": "AccountName", "ntDomainColumn": "AccountDomain", "sidColumn": "AccountSid"}],
                    "hosts": [{"deviceIdColumn": "DeviceId", "nameColumn": "DeviceName"}],
                    "files": [{"nameColumn": "FileName", "sha1Column": "SHA1", "sha256Column": "SHA256"}]},
                  "customDetails": {"Command": "ProcessCommandLine"},
                  "tactics": [{"tactic": "Execution", "techniques": [{"technique": "T1059.001"}]}]
                },
                "organizationalScope": {"deviceGroups": ["Lab"]},
                "automatedActions": {"isolateDevices": [{"deviceIdColumn": "DeviceId", "isolationType": "selective"}], "blockFiles": [{"sha256Column": "SHA256"}]},
                "incidentConfiguration": {"isExcludedFromIncidentCorrelation": true}
              }
            }
            """);

        made.Status.ShouldBe(201, made.Body);
        made.Headers.Location!.ToString().ShouldEndWith($"{Path}/office-encoded-powershell");
        var template = made.Json.GetProperty("detectionAction").GetProperty("alertTemplate");
        (template.GetProperty("category").GetString(), template.GetProperty("mitreTechniques")[0].GetString()).ShouldBe(("Execution", "T1059.001"));
        template.GetProperty("impactedAssets").EnumerateArray().Select(asset => asset.GetProperty("@odata.type").GetString()!.Split('.')[^1]).ShouldBe(["impactedUserAsset", "impactedDeviceAsset"]);
        Same(made.Json.GetProperty("detectionAction").GetProperty("organizationalScope"), """{"deviceGroups":["Lab"],"scopeType":"deviceGroup","scopeNames":["Lab"]}""");
        Same(made.Json.GetProperty("detectionAction").GetProperty("responseActions"), """
            [{"@odata.type":"#microsoft.graph.security.isolateDeviceResponseAction","isolationType":"selective","identifier":"deviceId"},
             {"@odata.type":"#microsoft.graph.security.blockFileResponseAction","identifier":"sha256","deviceGroupNames":[]}]
            """);
        made.Json.GetProperty("schedule").GetProperty("lookback").GetString().ShouldBe("PT6H");

        // The first version has the newer form only; ids are found whatever their case.
        var first = await fixture.Host.GetAsync("/v1.0/security/rules/detectionRules/OFFICE-encoded-PowerShell", token);
        first.Status.ShouldBe(200, first.Body);
        first.Json.EnumerateObject().Select(property => property.Name).ShouldBe([
            "@odata.context", "@odata.type", "id", "displayName", "description", "status", "createdBy", "createdDateTime", "lastModifiedBy", "lastModifiedDateTime", "queryCondition",
            "schedule", "detectionAction"]);
        first.Json.GetProperty("detectionAction").GetProperty("alertTemplate").TryGetProperty("impactedAssets", out _).ShouldBeFalse();

        // What was read can be sent back, by clients that know one form or both.
        var echoed = await fixture.Host.SendAsync(HttpMethod.Patch, $"{Path}/office-encoded-powershell", token, made.Body);
        echoed.Status.ShouldBe(200, echoed.Body);
        Same(echoed.Json.GetProperty("detectionAction"), made.Json.GetProperty("detectionAction").GetRawText());
        var again = await fixture.Host.SendAsync(HttpMethod.Post, Path, token, Rule("Another", rule => rule["id"] = "Office-Encoded-PowerShell").ToJsonString());
        (again.Status, again.Code, again.Message).ShouldBe((409, "Conflict", "A custom detection rule with the id 'Office-Encoded-PowerShell' already exists."));
    }

    [Fact]
    public async Task Lists_are_filtered_ordered_paged_counted_and_shortened()
    {
        var (_, token) = await fixture.NewTenantAsync();
        foreach (var (name, enabled) in new[] { ("Cherry", true), ("Apple", false), ("Banana", true) })
            (await fixture.Host.SendAsync(HttpMethod.Post, Path, token, Rule(name, rule => rule["isEnabled"] = enabled).ToJsonString())).Status.ShouldBe(201);

        (await NamesAsync("")).ShouldBe(["Apple", "Banana", "Cherry"]);
        (await NamesAsync("?$filter=isEnabled eq true")).ShouldBe(["Banana", "Cherry"]);
        (await NamesAsync("?$filter=status eq 'disabled'")).ShouldBe(["Apple"]);
        (await NamesAsync("?$filter=startsWith(displayName,'B') or contains(displayName,'err')&$orderby=displayName desc")).ShouldBe(["Cherry", "Banana"]);
        (await NamesAsync("?$orderby=createdDateTime&$skip=1&$top=1")).ShouldBe(["Apple"]);
        var counted = await fixture.Host.GetAsync($"{Path}?$count=true&$top=2&$select=id,displayName", token);
        counted.Json.GetProperty("@odata.count").GetInt64().ShouldBe(3);
        counted.Json.GetProperty("value")[0].EnumerateObject().Select(property => property.Name).ShouldBe(["@odata.type", "id", "displayName"]);
        counted.Json.TryGetProperty("@odata.nextLink", out _).ShouldBeTrue(counted.Body);
        (await NamesAsync("?$filter=createdDateTime gt 2020-01-01T00:00:00Z and createdBy ne 'x'")).Length.ShouldBe(3);

        async Task<string[]> NamesAsync(string options)
        {
            var answer = await fixture.Host.GetAsync(Path + options, token);
            answer.Status.ShouldBe(200, answer.Body);
            return [.. answer.Json.GetProperty("value").EnumerateArray().Select(rule => rule.GetProperty("displayName").GetString()!)];
        }
    }

    [Fact]
    public async Task Names_and_titles_are_taken_once_in_a_tenant()
    {
        var (_, token) = await fixture.NewTenantAsync();
        (await fixture.Host.SendAsync(HttpMethod.Post, Path, token, Rule("One").ToJsonString())).Status.ShouldBe(201);
        var name = await fixture.Host.SendAsync(HttpMethod.Post, Path, token, Rule("ONE", rule => Template(rule)["title"] = "Other").ToJsonString());
        (name.Status, name.Code, name.Message).ShouldBe((409, "Conflict", "A custom detection rule with the name 'ONE' already exists."));
        var title = await fixture.Host.SendAsync(HttpMethod.Post, Path, token, Rule("Two", rule => Template(rule)["title"] = "alert of one").ToJsonString());
        (title.Status, title.Code, title.Message).ShouldBe((400, "InvalidInput", "A custom detection rule with the alert title 'alert of one' already exists."));

        // Another tenant has names of its own, and sees nothing of these.
        var (_, other) = await fixture.NewTenantAsync();
        (await fixture.Host.GetAsync(Path, other)).Json.GetProperty("value").GetArrayLength().ShouldBe(0);
        (await fixture.Host.SendAsync(HttpMethod.Post, Path, other, Rule("One").ToJsonString())).Status.ShouldBe(201);
    }

    [Fact]
    public async Task Permissions_are_asked_for()
    {
        var (_, reading) = await fixture.NewTenantAsync("CustomDetection.Read.All");
        (await fixture.Host.GetAsync(Path, reading)).Status.ShouldBe(200);
        (await fixture.Host.SendAsync(HttpMethod.Post, Path, reading, Rule("No").ToJsonString())).Status.ShouldBe(403);
        (await fixture.Host.SendAsync(HttpMethod.Delete, $"{Path}/1", reading)).Status.ShouldBe(403);
        var (_, other) = await fixture.NewTenantAsync("User.ReadWrite.All");
        (await fixture.Host.GetAsync(Path, other)).Status.ShouldBe(403);
        (await fixture.Host.SendAsync(HttpMethod.Get, Path, null)).Status.ShouldBe(401);
    }

    [Fact]
    public async Task Users_need_a_portal_permission_beside_the_scope()
    {
        var (tenant, _) = await fixture.NewTenantAsync();
        var client = await fixture.Host.AddClientAsync([], "graph", ["CustomDetection.ReadWrite.All"], tenant);
        var reader = await fixture.Host.UserTokenAsync(client, await fixture.Host.AddUserAsync("reader", tenant, DirectoryRole.SecurityReader), GraphFixture.Resource);
        var nobody = await fixture.Host.UserTokenAsync(client, await fixture.Host.AddUserAsync("nobody", tenant), GraphFixture.Resource);
        var admin = await fixture.Host.UserTokenAsync(client, await fixture.Host.AddUserAsync("admin", tenant, DirectoryRole.SecurityAdministrator), GraphFixture.Resource);
        (await fixture.Host.GetAsync(Path, nobody)).Status.ShouldBe(403);
        (await fixture.Host.GetAsync(Path, reader)).Status.ShouldBe(200);
        (await fixture.Host.SendAsync(HttpMethod.Post, Path, reader, Rule("User's").ToJsonString())).Status.ShouldBe(403);
        var made = await fixture.Host.SendAsync(HttpMethod.Post, Path, admin, Rule("User's").ToJsonString());
        (made.Status, made.Json.GetProperty("createdBy").GetString()!.Split('@')[0]).ShouldBe((201, "admin"));

        // The parts of a batch are calls like all others.
        var batch = await fixture.Host.SendAsync(HttpMethod.Post, "/beta/$batch", admin, """{"requests":[{"id":"1","method":"GET","url":"/security/rules/detectionRules"}]}""");
        batch.Json.GetProperty("responses")[0].GetProperty("status").GetInt32().ShouldBe(200, batch.Body);
    }

    public static TheoryData<string, string, string> Wrong => new()
    {
        { "displayName", "null", "The DisplayName field is required." },
        { "id", "\"a/b\"", "The id may hold letters, digits, '-', '_' and '.' only." },
        { "schedule", "{}", "The Period field is required." },
        { "schedule", """{"period":"1M"}""", "The frequency must be 0 (continuous) or from 5 minutes to 14 days." },
        { "schedule", """{"period":"15D"}""", "The frequency must be 0 (continuous) or from 5 minutes to 14 days." },
        { "schedule", """{"period":"hourly"}""", "'hourly' is not a period. The allowed values are: 0, 1H, 3H, 12H, 24H, or a number of minutes (M), hours (H) or days (D) from 5M to 14D." },
        { "schedule", """{"frequency":"1H"}""", "'1H' is not an ISO 8601 duration of whole minutes such as PT1H or P1D." },
        { "schedule", """{"frequency":"PT4H","lookback":"PT1H"}""", "The lookback must be at least the frequency." },
        { "schedule", """{"frequency":"PT30M","lookback":"P3D"}""", "The lookback of a rule that runs every PT30M must be at most P2D." },
        { "queryCondition", "{}", "The QueryText field is required." },
        { "queryCondition", """{"queryText":"DeviceProcessEvents\n| where FileNam == 'x'"}""", "The query has errors. Line 2, column 9: KS142: 'where' operator: Failed to resolve scalar expression named 'FileNam'. Did you mean 'FileName'?" },
        { "queryCondition", """{"queryText":"DeviceProcessEvents | project Timestamp, DeviceId"}""", "The query must return the following columns to be used in a custom detection rule: ReportId. Results over DeviceProcessEvents are traced to their events by Timestamp, DeviceId, ReportId." },
        { "queryCondition", """{"queryText":"EmailEvents | project NetworkMessageId"}""", "The query must return the following columns to be used in a custom detection rule: Timestamp, ReportId. Results over EmailEvents are traced to their events by Timestamp, ReportId.\nThe query must return the column 'DeviceId', which identifies the impacted device.\nThe query must return the column 'DeviceId', which the action isolateDeviceResponseAction needs." },
        { "title", "\"{{A}} {{FileName}}\"", "The title names the column 'A', which the query does not return." },
        { "title", "\"{{FileName}} {{SHA1}} {{DeviceId}} {{MD5}}\"", "Dynamic properties in alertTitle and alertDescription must not exceed 3 fields" },
        { "title", "null", "The Title field is required." },
        { "severity", "\"grave\"", "'grave' is not an alert severity. The possible values are: informational, low, medium, high." },
        { "category", "\"defenseevasion\"", "Invalid alert category." },
        { "mitreTechniques", """["T1059","X1","T12345"]""", "Mitre techniques (X1, T12345) are invalid." },
        { "impactedAssets", "[]", "The field ImpactedAssets must be a string or array type with a minimum length of '1'." },
        { "impactedAssets", """[{"@odata.type":"#microsoft.graph.security.impactedDeviceAsset","identifier":"TargetComputer"}]""", "'TargetComputer' is not an identifier of an impacted device. The possible values are: destinationDeviceName, deviceId, deviceName, remoteDeviceName, targetDeviceName." },
        { "impactedAssets", """[{"@odata.type":"#microsoft.graph.security.impactedUserAsset","identifier":"targetAccountUpn"}]""", "The query must return the column 'TargetAccountUpn', which identifies the impacted user." },
        { "customDetails", """{"What":"Nothing"}""", "The query must return the column 'Nothing' of the custom detail 'What'." },
        { "responseActions", "null", "The ResponseActions field is required." },
        { "responseActions", """[{"@odata.type":"#microsoft.graph.security.isolateDeviceResponseAction","identifier":"deviceId","isolationType":"half"}]""", "'half' is not an isolation type. The possible values are: full, selective." },
        { "responseActions", """[{"@odata.type":"#microsoft.graph.security.disableUserResponseAction","identifier":"accountUpn"}]""", "'accountUpn' is not an identifier of disableUserResponseAction. The possible values are: accountSid, initiatingProcessAccountSid, requestAccountSid, onPremSid.\nThe disableUserResponseAction needs accountSid." },
        { "responseActions", """[{"@odata.type":"#microsoft.graph.security.softDeleteResponseAction","identifier":"networkMessageId, recipientEmailAddress"}]""", "The query must return the column 'NetworkMessageId', which the action softDeleteResponseAction needs.\nThe query must return the column 'RecipientEmailAddress', which the action softDeleteResponseAction needs." },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task What_is_wrong_is_said_exactly(string property, string value, string message)
    {
        var token = await TokenAsync();
        var rule = Rule("Wrong", rule => (property switch
        {
            "responseActions" => (JsonObject)rule["detectionAction"]!,
            "title" or "severity" or "category" or "mitreTechniques" or "impactedAssets" or "customDetails" => Template(rule),
            _ => rule,
        })[property] = JsonNode.Parse(value));
        var answer = await fixture.Host.SendAsync(HttpMethod.Post, Path, token, rule.ToJsonString());
        (answer.Status, answer.Code, answer.Message).ShouldBe((400, "InvalidInput", message));
    }

    public static TheoryData<string, string> Continuous => new()
    {
        { "DeviceProcessEvents // all of them", "the query contains comments." },
        { "let names = dynamic(['a']); DeviceProcessEvents | where FileName in (names)", "let statements cannot be used." },
        { "DeviceProcessEvents | where ingestion_time() > ago(1h)", "ingestion_time() cannot be used." },
        { "DeviceProcessEvents | join kind=inner (DeviceInfo | project DeviceId, OSPlatform) on DeviceId", "the join operator cannot be used.\nThe rule cannot run continuously (NRT): the query must reference exactly one table; it references 2." },
        { "union DeviceProcessEvents, DeviceEvents", "the union operator cannot be used.\nThe rule cannot run continuously (NRT): the query must reference exactly one table; it references 2." },
        { "DeviceProcessEvents | summarize arg_max(Timestamp, *) by DeviceId", "the summarize operator cannot be used." },
        { "DeviceProcessEvents | take 5", "the operator 'take' is not supported; use where, extend, project and parse." },
        { "DeviceTvmSoftwareInventory | extend Timestamp = now(), ReportId = 1", "the table 'DeviceTvmSoftwareInventory' is not supported. The supported tables are: AlertEvidence, CloudAppEvents, DeviceEvents, DeviceFileCertificateInfo, DeviceFileEvents, DeviceImageLoadEvents, DeviceInfo, DeviceLogonEvents, DeviceNetworkEvents, DeviceNetworkInfo, DeviceProcessEvents, DeviceRegistryEvents, EmailAttachmentInfo, EmailEvents, EmailPostDeliveryEvents, EmailUrlInfo, IdentityDirectoryEvents, IdentityLogonEvents, IdentityQueryEvents, UrlClickEvents." },
    };

    [Theory]
    [MemberData(nameof(Continuous))]
    public async Task Queries_that_cannot_run_continuously_are_refused_with_the_reason_and_run_on_a_schedule(string query, string reason)
    {
        var token = await TokenAsync();
        var rule = Rule($"Rule {Guid.NewGuid():N}", rule =>
        {
            rule["queryCondition"]!["queryText"] = query;
            rule["schedule"]!["period"] = "0";
        });
        var answer = await fixture.Host.SendAsync(HttpMethod.Post, Path, token, rule.ToJsonString());
        (answer.Status, answer.Code, answer.Message).ShouldBe((400, "InvalidInput", "The rule cannot run continuously (NRT): " + reason));
        rule["schedule"]!["period"] = "1H";
        var scheduled = await fixture.Host.SendAsync(HttpMethod.Post, Path, token, rule.ToJsonString());
        scheduled.Status.ShouldBe(201, scheduled.Body);
    }

    [Fact]
    public async Task A_query_over_one_table_runs_continuously()
    {
        var answer = await fixture.Host.SendAsync(HttpMethod.Post, Path, await TokenAsync(), Rule("Continuous", rule =>
        {
            rule["queryCondition"]!["queryText"] = "DeviceProcessEvents | where FileName has 'odd // not a comment' | extend Odd = strlen(FileName) | project-away MD5";
            rule["schedule"]!["period"] = "0";
        }).ToJsonString());
        answer.Status.ShouldBe(201, answer.Body);
        (answer.Json.GetProperty("schedule").GetProperty("period").GetString(), answer.Json.GetProperty("schedule").GetProperty("frequency").GetString()).ShouldBe(("0", "PT0S"));
    }

    private async Task<string> TokenAsync() => (await fixture.NewTenantAsync()).Token;

    private static JsonObject Template(JsonObject rule) => (JsonObject)rule["detectionAction"]!["alertTemplate"]!;

    private static void Same(JsonElement actual, string expected) =>
        JsonNode.DeepEquals(JsonNode.Parse(actual.GetRawText()), JsonNode.Parse(expected)).ShouldBeTrue($"{actual.GetRawText()}\n  is not\n{expected}");
}
