using Microsoft.EntityFrameworkCore;
using Npgsql;
using Vedette.Defender.Detections;
using Vedette.Defender.Detections.Custom;
using Vedette.Defender.State;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using static Vedette.Defender.Tests.Detections.Custom.CustomRuleWorld;

namespace Vedette.Defender.Tests.Detections.Custom;

public sealed class CustomRuleTests
{
    private const string Odd = "DeviceProcessEvents | where FileName =~ 'odd.exe'";

    [Fact]
    public async Task A_tenants_rule_raises_alerts_with_what_the_rule_says_and_what_the_row_holds()
    {
        await using var world = await CreateAsync();
        await world.Domain.AddMachineAsync();
        var rule = await world.AddAsync("Odd", Odd, rule =>
        {
            Template(rule)["title"] = "{{AccountName}} ran {{FileName}}";
            Template(rule)["description"] = "On {{DeviceName}}, as {{AccountName}}.";
            Template(rule)["recommendedActions"] = "Ask them.";
            Template(rule)["mitreTechniques"] = Json("""["T1059.001"]""");
            Template(rule)["customDetails"] = Json("""{"Command":"ProcessCommandLine","Parent":"InitiatingProcessFileName"}""");
            Template(rule)["impactedAssets"] = Json("""[{"@odata.type":"#microsoft.graph.security.impactedUserAsset","identifier":"accountSid"}]""");
        });
        await world.AppendAsync(world.Detections.Process("odd.exe /x", world.Domain.Now.AddHours(-3)));

        (await world.RunAsync()).Alerts.ShouldBe(1);
        var alert = (await world.AlertsAsync()).ShouldHaveSingleItem();
        (alert.Title, alert.Description, alert.RecommendedAction).ShouldBe(("dana ran odd.exe", "On pc-1.example.test, as dana.", "Ask them."));
        (alert.Severity, alert.Category, alert.DetectionSource, alert.ServiceSource, alert.DetectorId).ShouldBe(
            (AlertSeverity.High, "Execution", "CustomDetection", "Microsoft Defender for Endpoint", rule.DetectorId));
        alert.MitreTechniques.ShouldBe(["T1059.001"]);
        alert.CustomDetails.ShouldBe(new Dictionary<string, string> { ["Command"] = "odd.exe /x", ["Parent"] = "cmd.exe" }, ignoreOrder: true);

        // The device and the process come along although the rule names the user only, and the user is whole.
        alert.MachineId.ShouldBe(DefenderWorld.MachineId(1));
        alert.Evidence.Single(item => item.EntityType == EvidenceKind.Process).ProcessCommandLine.ShouldBe("odd.exe /x");
        var user = alert.Evidence.Single(item => item.EntityType == EvidenceKind.User);
        (user.UserSid, user.AccountName, user.DomainName).ShouldBe(("S-1-5-21-1-2-3-1104", "dana", "EXAMPLE"));

        // It is this tenant's rule.
        (await world.RunAsync(Guid.NewGuid())).Runs.ShouldBeEmpty();
    }

    [Fact]
    public async Task Rows_with_the_same_entities_and_details_are_one_alert_and_too_many_details_are_dropped()
    {
        await using var world = await CreateAsync();
        await world.AddAsync("Same", Odd + " | extend Detail = tostring(split(ProcessCommandLine, ' ')[1]), Long = strrep('x', 4100)", rule =>
        {
            Template(rule)["entityMappings"] = Json("""{"hosts":[{"deviceIdColumn":"DeviceId"}]}""");
            Template(rule)["customDetails"] = Json("""{"Detail":"Detail"}""");
        });
        await world.AddAsync("Long", Odd + " | extend Long = strrep('x', 4100)", rule =>
        {
            Template(rule)["entityMappings"] = Json("""{"hosts":[{"deviceIdColumn":"DeviceId"}]}""");
            Template(rule)["customDetails"] = Json("""{"Short":"FileName","Long":"Long"}""");
        });
        var time = world.Domain.Now.AddHours(-1);
        await world.AppendAsync([.. new[] { "/a", "/b", "/a", "/a" }.Select((argument, index) => world.Detections.Process("odd.exe " + argument, time.AddSeconds(index), index + 1))]);

        await world.RunAsync();
        var alerts = await world.AlertsAsync();
        alerts.Where(alert => alert.Title == "Same").Select(alert => alert.CustomDetails["Detail"]).Order().ShouldBe(["/a", "/b"]);
        alerts.Single(alert => alert.Title == "Long").CustomDetails.ShouldBeEmpty();
        (await world.RunAsync()).Alerts.ShouldBe(0);
        (await world.AlertsAsync()).Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_rule_over_mail_needs_no_device()
    {
        await using var world = await CreateAsync();
        await world.AddAsync("Mail", "EmailEvents | where Subject has 'invoice'", rule => Template(rule)["impactedAssets"] = Json("""
            [{"@odata.type":"#microsoft.graph.security.impactedMailboxAsset","identifier":"recipientEmailAddress"},
             {"@odata.type":"#microsoft.graph.security.impactedUserAsset","identifier":"recipientObjectId"}]
            """));
        var row = HuntingRow.For("EmailEvents");
        row["Timestamp"] = world.Domain.Now;
        row["Subject"] = "Your invoice";
        row["NetworkMessageId"] = "11112222-3333-4444-5555-666677778888";
        row["RecipientEmailAddress"] = "dana@example.test";
        row["RecipientObjectId"] = "0a0b0c0d-0000-4000-8000-000000000001";
        row["ReportId"] = "r-1";
        await world.AppendAsync(row);

        (await world.RunAsync()).Alerts.ShouldBe(1);
        var alert = (await world.AlertsAsync()).ShouldHaveSingleItem();
        (alert.MachineId, alert.ServiceSource, alert.DetectionSource).ShouldBe((null, "Microsoft 365 Defender", "CustomDetection"));
        alert.Evidence.Single(item => item.EntityType == EvidenceKind.Mailbox).UserPrincipalName.ShouldBe("dana@example.test");
        alert.Evidence.Single(item => item.EntityType == EvidenceKind.User).AadUserId.ShouldBe(new Guid("0a0b0c0d-0000-4000-8000-000000000001"));
        alert.IncidentId.ShouldNotBeNull();
    }

    [Fact]
    public async Task Devices_are_found_by_name_and_rules_see_the_device_groups_of_their_scope_only()
    {
        await using var world = await CreateAsync(options => options with { RequireEventColumns = false });
        await world.Domain.AddMachineAsync();
        await world.Domain.AddMachineAsync(2, machine => (machine.RbacGroupId, machine.RbacGroupName) = (7, "Lab"));
        await world.AddAsync("By name", Odd + " | project Timestamp, DeviceName, FileName", rule =>
            Template(rule)["impactedAssets"] = Json("""[{"@odata.type":"#microsoft.graph.security.impactedDeviceAsset","identifier":"deviceName"}]"""));
        await world.AddAsync("Lab only", Odd, rule => rule["detectionAction"]!["organizationalScope"] = Json("""{"scopeType":"deviceGroup","scopeNames":["lab"]}"""));
        await world.AddAsync("Others", Odd, rule => rule["detectionAction"]!["organizationalScope"] = Json("""{"deviceGroups":["UnassignedGroup"]}"""));
        await world.AppendAsync(world.Detections.Process("odd.exe", device: 1), world.Detections.Process("odd.exe", device: 2));

        await world.RunAsync();
        var alerts = await world.AlertsAsync();
        alerts.Where(alert => alert.Title == "By name").Select(alert => alert.MachineId).Order().ShouldBe([DefenderWorld.MachineId(1), DefenderWorld.MachineId(2)]);
        alerts.Single(alert => alert.Title == "Lab only").MachineId.ShouldBe(DefenderWorld.MachineId(2));
        alerts.Single(alert => alert.Title == "Others").MachineId.ShouldBe(DefenderWorld.MachineId(1));
    }

    [Fact]
    public async Task A_rule_runs_by_its_schedule_over_its_look_back_and_raises_no_more_than_a_run_may()
    {
        await using var world = await CreateAsync();
        var rule = await world.AddAsync("Scheduled", Odd, frequency: "PT5M");
        await world.AppendAsync([.. Enumerable.Range(1, 160).Select(number => world.Detections.Process($"odd.exe /{number}", world.Domain.Now.AddSeconds(number), number))]);
        var run = (await world.Detections.Engine.RunDueAsync(DefenderWorld.Tenant, default))!.Runs.Single();
        (run.RuleId, run.Rows, run.Alerts, run.Dropped, run.WindowTo - run.WindowFrom).ShouldBe((rule.DetectorId, 160, 150, 10, TimeSpan.FromDays(30)));

        (await world.Detections.Engine.RunDueAsync(DefenderWorld.Tenant, default))!.Runs.ShouldBeEmpty();
        world.Domain.Clock.Advance(TimeSpan.FromMinutes(5));
        var next = (await world.Detections.Engine.RunDueAsync(DefenderWorld.Tenant, default))!.Runs.Single();
        (next.WindowTo - next.WindowFrom).ShouldBe(TimeSpan.FromMinutes(20));

        // A look-back of its own, and a rule that is switched off.
        await world.Rules.UpdateAsync(DefenderWorld.Caller, rule.Id, Parse(Json("""{"schedule":{"frequency":"PT10M","lookback":"PT3H"}}""")), default);
        world.Domain.Clock.Advance(TimeSpan.FromMinutes(10));
        var changed = (await world.Detections.Engine.RunDueAsync(DefenderWorld.Tenant, default))!.Runs.Single();
        (changed.WindowTo - changed.WindowFrom).ShouldBe(TimeSpan.FromHours(3));
        await world.Rules.SwitchAsync(DefenderWorld.Caller, rule.Id, CustomRuleStatus.Disabled, default);
        world.Domain.Clock.Advance(TimeSpan.FromDays(1));
        (await world.Detections.Engine.RunDueAsync(DefenderWorld.Tenant, default))!.Runs.ShouldBeEmpty();
        (await world.Detections.Engine.RunsAsync(DefenderWorld.Tenant, rule.DetectorId, 10, default)).Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_rule_that_fails_says_why_stops_no_other_and_is_switched_off_in_the_end()
    {
        await using var world = await CreateAsync(options => options with { FailuresUntilDisabled = 3 });
        var broken = await world.AddAsync("Broken", Odd);
        await world.AddAsync("Sound", Odd);
        await world.ExecuteAsync($$"""UPDATE defender.custom_rules SET body = jsonb_set(body, '{query}', '"DeviceProcessEvents | where Gone == 1"') WHERE id = '{{broken.Id}}'""");
        await world.AppendAsync(world.Detections.Process("odd.exe"));

        var summary = await world.RunAsync();
        (summary.Alerts, summary.Failures).ShouldBe((1, 1));
        var run = (await world.Detections.Engine.RunsAsync(DefenderWorld.Tenant, broken.DetectorId, 1, default)).Single();
        (run.Status, run.ErrorCode).ShouldBe((RunStatus.Failed, "queryExecutionFailed"));
        run.Failure.ShouldBe("query(1): Semantic: 'where' operator: Failed to resolve scalar expression named 'Gone'");
        for (var again = 0; again < 2; again++)
        {
            (await world.Rules.FindAsync(DefenderWorld.Tenant, broken.Id, default))!.Status.ShouldBe(CustomRuleStatus.Enabled);
            await world.RunAsync();
        }

        (await world.Rules.FindAsync(DefenderWorld.Tenant, broken.Id, default))!.Status.ShouldBe(CustomRuleStatus.AutoDisabled);
        (await world.RunAsync()).Runs.ShouldHaveSingleItem().RuleTitle.ShouldBe("Sound");

        // Who mends it switches it on again.
        var mended = await world.Rules.UpdateAsync(DefenderWorld.Caller, broken.Id, Parse(Json("""{"status":"enabled","queryCondition":{"queryText":"DeviceProcessEvents | where FileName =~ 'odd.exe'"}}""")), default);
        mended!.Rule!.Status.ShouldBe(CustomRuleStatus.Enabled);
        (await world.RunAsync()).Alerts.ShouldBe(1);
    }

    [Fact]
    public async Task A_rule_that_fails_waits_for_its_next_turn_and_looks_at_everything_then()
    {
        await using var world = await CreateAsync();
        var rule = await world.AddAsync("Broken", Odd, frequency: "PT30M");
        await world.ExecuteAsync("""UPDATE defender.custom_rules SET body = jsonb_set(body, '{query}', '"DeviceProcessEvents | where Gone == 1"')""");
        await world.AppendAsync(world.Detections.Process("odd.exe"));
        var engine = world.Detections.Engine;
        (await engine.RunDueAsync(DefenderWorld.Tenant, default))!.Failures.ShouldBe(1);
        (await engine.RunDueAsync(DefenderWorld.Tenant, default))!.Runs.ShouldBeEmpty();
        world.Domain.Clock.Advance(TimeSpan.FromMinutes(30));
        (await engine.RunDueAsync(DefenderWorld.Tenant, default))!.Failures.ShouldBe(1);

        await world.Rules.UpdateAsync(DefenderWorld.Caller, rule.Id, Parse(Json("""{"queryCondition":{"queryText":"DeviceProcessEvents | where FileName =~ 'odd.exe' | where true"}}""")), default);
        (await engine.RunOneAsync(DefenderWorld.Tenant, rule.DetectorId, default)).Alerts.ShouldBe(1);
        (await engine.RunOneAsync(DefenderWorld.Tenant, Guid.NewGuid(), default)).Runs.ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_server_sees_a_change_and_a_deleted_rule_runs_no_more()
    {
        await using var world = await CreateAsync();
        var other = new CustomRuleStore(world.Domain.Get<NpgsqlDataSource>(), world.Domain.Get<HuntingCatalogue>(), null);
        (await other.RulesAsync(DefenderWorld.Tenant, default)).ShouldBeEmpty();
        var first = await world.AddAsync("First", Odd);
        var second = await world.AddAsync("Second", Odd);
        var both = await other.RulesAsync(DefenderWorld.Tenant, default);
        both.Count.ShouldBe(2);
        (await other.RulesAsync(DefenderWorld.Tenant, default)).ShouldBeSameAs(both);

        await world.Rules.UpdateAsync(DefenderWorld.Caller, second.Id, Parse(Json("""{"detectionAction":{"alertTemplate":{"title":"Changed"}}}""")), default);
        var changed = await other.RulesAsync(DefenderWorld.Tenant, default);
        changed.Single(rule => rule.Id == second.DetectorId).Title.ShouldBe("Changed");
        changed.Single(rule => rule.Id == first.DetectorId).ShouldBeSameAs(both.Single(rule => rule.Id == first.DetectorId));

        await world.RunAsync();
        (await world.Rules.DeleteAsync(DefenderWorld.Tenant, first.Id, default)).ShouldBeTrue();
        (await world.RunAsync()).Runs.ShouldHaveSingleItem().RuleId.ShouldBe(second.DetectorId);
        (await other.RulesAsync(DefenderWorld.Tenant, default)).Count.ShouldBe(1);
        await using var state = world.Domain.Open();
        (await state.Database.SqlQuery<Guid>($"SELECT rule_id AS \"Value\" FROM defender.detection_progress").ToListAsync()).ShouldBe([second.DetectorId]);
    }
}
