using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.Detections;
using Vedette.Defender.Detections.Custom;
using Vedette.Defender.State;
using Vedette.Identity.Directory;
using Vedette.Server.Control;
using Vedette.Server.Control.Operations;
using Vedette.Server.Tests.Endpoint;
using Vedette.Telemetry.Ingest;
using static Vedette.Server.Tests.Graph.DetectionRules.DetectionRuleFixture;

namespace Vedette.Server.Tests.Graph.DetectionRules;

public sealed class DetectionRuleRunTests(DetectionRuleFixture fixture) : IClassFixture<DetectionRuleFixture>
{
    private const string Path = "/beta/security/rules/detectionRules";

    [Fact]
    public async Task A_match_becomes_an_alert_on_every_surface_and_acts_on_device_and_account()
    {
        var (tenant, token) = await fixture.NewTenantAsync("CustomDetection.ReadWrite.All", "SecurityAlert.Read.All", "User.ReadWrite.All");
        var endpoint = await fixture.Host.TokenAsync(await fixture.Host.AddClientAsync(["Alert.Read.All", "Machine.Read.All"], tenant: tenant));
        var dana = await fixture.Host.AddUserAsync("dana", tenant);
        await AddMachineAsync(tenant.Id);
        var made = await fixture.Host.SendAsync(HttpMethod.Post, Path, token, Rule("Live", rule =>
        {
            Template(rule)["title"] = "Odd program of {{AccountName}}";
            Template(rule)["customDetails"] = JsonNode.Parse("""{"Command":"ProcessCommandLine"}""");
            rule["detectionAction"]!["responseActions"] = new JsonArray(Isolation(), Typed("disableUserResponseAction", "accountSid"));
        }).ToJsonString());
        made.Status.ShouldBe(201, made.Body);
        await fixture.Host.AppendAsync(tenant.Id, [Event("odd.exe /x", dana.UserPrincipalName)]);

        // A rule that was made just now also runs by itself, so either run may have been the one.
        await RunAsync(tenant.Id);
        var alert = (await fixture.Host.GetAsync("/v1.0/security/alerts_v2", token)).Value.ShouldHaveSingleItem();
        (Text(alert, "title"), Text(alert, "detectionSource"), Text(alert, "serviceSource"), Text(alert, "severity")).ShouldBe(
            ("Odd program of dana", "customDetection", "microsoftDefenderForEndpoint", "medium"));
        alert.GetProperty("detectorId").GetString().ShouldBe(made.Json.GetProperty("detectorId").GetString());
        alert.GetProperty("customDetails").GetProperty("Command").GetString().ShouldBe("odd.exe /x");
        var older = (await fixture.Host.GetAsync("/api/alerts", endpoint)).Value.ShouldHaveSingleItem();
        (Text(older, "detectionSource"), Text(older, "machineId"), Text(older, "id")).ShouldBe(("CustomDetection", Seed.MachineId(1), Text(alert, "id")));

        var order = (await fixture.Host.GetAsync("/api/machineactions", endpoint)).Value.ShouldHaveSingleItem();
        (Text(order, "type"), Text(order, "scope"), Text(order, "machineId"), Text(order, "requestor")).ShouldBe(("Isolate", "Full", Seed.MachineId(1), "Custom detection: Live"));
        (await fixture.Host.GetAsync($"/v1.0/users/{dana.Id}?$select=accountEnabled", token)).Json.GetProperty("accountEnabled").GetBoolean().ShouldBeFalse();

        var run = (await fixture.Host.GetAsync($"{Path}/{Text(made.Json, "id")}", token)).Json.GetProperty("lastRunDetails");
        (Text(run, "status"), Text(run, "failureReason"), Text(run, "errorCode")).ShouldBe(("completed", null, null));
        run.GetProperty("lastRunDateTime").GetDateTime().ShouldBeGreaterThan(DateTime.UtcNow.AddMinutes(-5));
    }

    [Fact]
    public async Task A_rule_that_cannot_run_any_more_tells_why_in_its_last_run()
    {
        var (tenant, token) = await fixture.NewTenantAsync();
        var id = Text((await fixture.Host.SendAsync(HttpMethod.Post, Path, token, Rule("Broken").ToJsonString())).Json, "id");
        await using (var state = await fixture.Host.Services.GetRequiredService<IDbContextFactory<DefenderDbContext>>().CreateDbContextAsync())
            await state.Database.ExecuteSqlAsync($$"""UPDATE defender.custom_rules SET body = jsonb_set(body, '{query}', '"DeviceProcessEvents | where Gone == 1"') WHERE tenant_id = {{tenant.Id}}""");

        (await RunAsync(tenant.Id)).Failures.ShouldBe(1);
        var run = (await fixture.Host.GetAsync($"{Path}/{id}", token)).Json.GetProperty("lastRunDetails");
        (Text(run, "status"), Text(run, "errorCode")).ShouldBe(("failed", "queryExecutionFailed"));
        Text(run, "failureReason").ShouldBe("query(1): Semantic: 'where' operator: Failed to resolve scalar expression named 'Gone'");
    }

    [Fact]
    public async Task Rules_are_made_shown_switched_looked_back_on_and_deleted_by_operations()
    {
        var (tenant, token) = await fixture.NewTenantAsync();
        var services = fixture.Host.Services;
        var rules = services.GetRequiredService<CustomRuleService>();
        var catalogue = services.GetRequiredService<RuleCatalogue>();
        var lookup = new CustomRuleLookup(rules, catalogue, services.GetRequiredService<DirectoryService>());
        IOperation[] operations =
        [
            new CreateRule(lookup, rules), new ShowRule(lookup, rules), new SwitchRule(lookup, rules, true), new SwitchRule(lookup, rules, false), new DeleteRule(lookup, rules),
            new RuleHistory(lookup, services.GetRequiredService<DetectionEngine>(), services.GetRequiredService<ResponseJournal>()),
            new RunRules(services.GetRequiredService<DetectionEngine>(), services.GetRequiredService<DirectoryService>(), lookup),
            new ListRules(catalogue, rules, services.GetRequiredService<DirectoryService>()),
        ];

        var made = await DoAsync("rules.create", new { text = """
            id: 433e58b1-970c-55e3-a2cf-4f4203b16399
            title: Odd program
            description: An odd program ran.
            finds: odd.exe
            severity: Medium
            category: Execution
            techniques: [T1059.001]
            frequency: 1h
            lookBack: 8h
            query: |
              DeviceProcessEvents
              | where FileName =~ "odd.exe"
            entities:
              - { type: Device }
              - { type: User, columns: { name: AccountName, sid: AccountSid } }
            """ });
        var id = made["id"]!.GetValue<string>();
        var shown = await DoAsync("rules.show", new { rule = "odd PROGRAM" });
        (shown["id"]!.GetValue<string>(), shown["schedule"]!["lookback"]!.GetValue<string>(), shown["detectionAction"]!["alertTemplate"]!["impactedAssets"]!.AsArray().Count).ShouldBe((id, "PT8H", 2));
        (await fixture.Host.GetAsync($"{Path}/{id}", token)).Json.GetProperty("displayName").GetString().ShouldBe("Odd program");

        // What was shown makes another one.
        (shown["id"], shown["displayName"], shown["detectionAction"]!["alertTemplate"]!["title"]) = ("second", "Second", "Second");
        (await DoAsync("rules.create", new { text = shown.ToJsonString() }))["id"]!.GetValue<string>().ShouldBe("second");
        (await DoAsync("rules.disable", new { rule = "second" }))["enabled"]!.GetValue<bool>().ShouldBeFalse();
        (await fixture.Host.GetAsync($"{Path}/second", token)).Json.GetProperty("isEnabled").GetBoolean().ShouldBeFalse();
        (await DoAsync("rules.list", new { }))["rules"]!.AsArray().Select(rule => (rule!["title"]!.GetValue<string>(), rule["enabled"]!.GetValue<bool>(), rule["origin"]!.GetValue<string>()))
            .ShouldBe([("Odd program", true, "tenant"), ("Second", false, "tenant")]);
        (await DoAsync("rules.enable", new { rule = "second" }))["enabled"]!.GetValue<bool>().ShouldBeTrue();

        await fixture.Host.AppendAsync(tenant.Id, [Event("odd.exe /y", null)]);
        await RunAsync(tenant.Id);
        (await DoAsync("rules.disable", new { rule = "second" }))["enabled"]!.GetValue<bool>().ShouldBeFalse();
        var once = await DoAsync("rules.run", new { rule = "second" });
        (once["rules"]!.GetValue<int>(), once["failed"]!.GetValue<int>()).ShouldBe((1, 0));
        var history = await DoAsync("rules.history", new { rule = "second" });
        var runs = history["runs"]!.AsArray();
        (runs[0]!["rule"]!.GetValue<string>(), runs[0]!["status"]!.GetValue<string>(), runs[0]!["rows"]!.GetValue<int>()).ShouldBe(("Second", "Completed", 1));
        runs.Sum(run => run!["alerts"]!.GetValue<int>()).ShouldBe(1);
        (await DoAsync("rules.delete", new { rule = "second" }))["name"]!.GetValue<string>().ShouldBe("Second");
        (await Should.ThrowAsync<OperationException>(() => DoAsync("rules.show", new { rule = "second" }))).Message.ShouldBe("There is no detection rule 'second'.");
        var wrong = await Should.ThrowAsync<OperationException>(() => DoAsync("rules.create", new { text = """{"displayName":"X","schedule":{"period":"2M"}}""" }));
        (wrong.Code, wrong.Message).ShouldBe((
            "bad_input", "queryCondition/queryText: The QueryText field is required.\nschedule/period: The frequency must be 0 (continuous) or from 5 minutes to 14 days."));

        async Task<JsonNode> DoAsync(string name, object input)
        {
            var json = JsonSerializer.SerializeToNode(input)!.AsObject();
            json["tenant"] = tenant.Id.ToString();
            return (await operations.Single(operation => operation.Name == name).RunAsync(JsonSerializer.SerializeToElement(json), new Progress<OperationProgress>(), default))!;
        }
    }

    private Task<DetectionSummary> RunAsync(Guid tenant) => fixture.Host.Services.GetRequiredService<DetectionEngine>().RunNowAsync(tenant, default);

    private async Task AddMachineAsync(Guid tenant)
    {
        await using var state = await fixture.Host.Services.GetRequiredService<IDbContextFactory<DefenderDbContext>>().CreateDbContextAsync();
        state.Machines.Add(Seed.Machine(1, machine => (machine.TenantId, machine.OsPlatform) = (tenant, "Windows11")));
        await state.SaveChangesAsync();
    }

    private static HuntingRow Event(string command, string? user)
    {
        var row = HuntingRow.For("DeviceProcessEvents");
        row["Timestamp"] = DateTime.UtcNow.AddMinutes(-1);
        row["DeviceId"] = Seed.MachineId(1);
        row["DeviceName"] = "pc-01.contoso.example";
        row["ActionType"] = "ProcessCreated";
        row["FileName"] = "odd.exe";
        row["ProcessCommandLine"] = command;
        row["ProcessId"] = 4711L;
        row["AccountName"] = "dana";
        row["AccountSid"] = "S-1-5-21-1-2-3-1104";
        row["AccountUpn"] = user;
        row["ReportId"] = 1L;
        return row;
    }

    private static JsonObject Template(JsonObject rule) => (JsonObject)rule["detectionAction"]!["alertTemplate"]!;

    private static string? Text(JsonElement element, string property) => element.GetProperty(property).GetString();
}
