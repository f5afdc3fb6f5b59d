using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.Detections;
using Vedette.Defender.Detections.Custom;
using Vedette.Defender.State;
using Vedette.Telemetry.Ingest;
using static Vedette.Defender.Tests.Detections.Custom.CustomRuleWorld;

namespace Vedette.Defender.Tests.Detections.Custom;

public sealed class RuleResponseTests
{
    private const string Odd = "DeviceProcessEvents | where FileName =~ 'odd.exe'";

    [Fact]
    public async Task Responses_are_done_once_for_each_alert_and_the_record_tells_how_they_ended()
    {
        await using var world = await CreateAsync();
        await world.Domain.SetTimingAsync(new ActionTiming(ActionTimingMode.Never, 0, 0));
        await world.Domain.AddMachineAsync();
        var rule = await world.AddAsync("Act", Odd, rule => Respond(rule,
            ("isolateDeviceResponseAction", "deviceId", "\"isolationType\":\"selective\""), ("collectInvestigationPackageResponseAction", "deviceId", null),
            ("runAntivirusScanResponseAction", "deviceId", null), ("initiateInvestigationResponseAction", "deviceId", null), ("restrictAppExecutionResponseAction", "deviceId", null),
            ("stopAndQuarantineFileResponseAction", "deviceId, sha1", null), ("blockFileResponseAction", "sha256", "\"deviceGroupNames\":[\"Lab\"]"), ("allowFileResponseAction", "sha1", null),
            ("disableUserResponseAction", "accountSid", null), ("markUserAsCompromisedResponseAction", "accountObjectId", null)));
        await world.AppendAsync(world.Detections.Process("odd.exe /1", id: 1));

        await world.RunAsync();
        var alert = (await world.AlertsAsync()).ShouldHaveSingleItem();
        alert.InvestigationId.ShouldNotBeNull();
        var actions = (await world.ActionsAsync(rule)).ToDictionary(action => action.Kind);
        actions.Count.ShouldBe(10);
        actions.Values.ShouldAllBe(action => action.AlertId == alert.Id && action.EndedAt != null);
        await using (var state = world.Domain.Open())
        {
            var orders = await state.MachineActions.AsNoTracking().Where(action => action.ExternalId == alert.Id).ToDictionaryAsync(action => action.Type);
            orders.Keys.Order().ShouldBe([
                MachineActionType.RunAntiVirusScan, MachineActionType.CollectInvestigationPackage, MachineActionType.Isolate, MachineActionType.StopAndQuarantineFile,
                MachineActionType.RestrictCodeExecution]);
            orders.Values.ShouldAllBe(order => order.MachineId == DefenderWorld.MachineId(1) && order.Requestor == "Custom detection: Act" && order.RequestSource == "CustomDetection");
            (orders[MachineActionType.Isolate].Scope, orders[MachineActionType.StopAndQuarantineFile].RelatedFileSha1).ShouldBe(("Selective", new string('1', 40)));
            actions[ResponseKind.IsolateDevice].Reference.ShouldBe(orders[MachineActionType.Isolate].Id.ToString());
            var indicators = await state.Indicators.AsNoTracking().OrderBy(indicator => indicator.Id).ToListAsync();
            indicators.Select(indicator => (indicator.IndicatorType, indicator.Action, indicator.IndicatorValue)).ShouldBe([
                (IndicatorType.FileSha256, IndicatorAction.BlockAndRemediate, new string('2', 64)), (IndicatorType.FileSha1, IndicatorAction.Allowed, new string('1', 40))]);
            indicators[0].RbacGroupNames.ShouldBe(["Lab"]);
        }

        actions[ResponseKind.InitiateInvestigation].Reference.ShouldBe(alert.InvestigationId.ToString());
        actions[ResponseKind.DisableUser].Reason.ShouldBe("No directory is connected that could act on the account.");
        (actions[ResponseKind.MarkUserAsCompromised].Status, actions[ResponseKind.MarkUserAsCompromised].Reason).ShouldBe(
            ("Failed", "No identity protection service is connected that could set the user's risk level."));

        // Looking at the same events again does nothing again; another device's match does.
        await world.Detections.ForgetProgressAsync();
        await world.RunAsync();
        (await world.ActionsAsync(rule)).Count.ShouldBe(10);
        await world.AppendAsync(world.Detections.Process("odd.exe /1", id: 1, device: 2));
        await world.RunAsync();
        var unknown = (await world.ActionsAsync(rule)).First(action => action.Kind == ResponseKind.IsolateDevice);
        (unknown.Status, unknown.Reason).ShouldBe(("Failed", $"The device {DefenderWorld.MachineId(2)} is not known."));
    }

    [Fact]
    public async Task What_a_crash_left_undone_is_done_by_the_repeated_run()
    {
        await using var world = await CreateAsync();
        await world.Domain.SetTimingAsync(new ActionTiming(ActionTimingMode.Never, 0, 0));
        await world.Domain.AddMachineAsync();
        var rule = await world.AddAsync("Act", Odd, rule => Respond(rule, ("isolateDeviceResponseAction", "deviceId", null)));
        await world.AppendAsync(world.Detections.Process("odd.exe", id: 1));
        await world.RunAsync();

        // As if the server had been killed after the intention was noted, and before the order and the rule's mark.
        await world.ExecuteAsync("UPDATE defender.custom_rule_responses SET status = 'Pending', reference = NULL, ended_at = NULL; DELETE FROM defender.machine_actions");
        await world.Detections.ForgetProgressAsync();
        await world.RunAsync();

        (await world.AlertsAsync()).ShouldHaveSingleItem();
        (await world.ActionsAsync(rule)).ShouldHaveSingleItem().Status.ShouldBe("Succeeded");
        await using var state = world.Domain.Open();
        (await state.MachineActions.CountAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task Messages_have_no_actor_and_accounts_are_found_by_what_is_known_of_them()
    {
        var accounts = new Accounts();
        await using var world = await CreateAsync(more: services => services.AddSingleton<IAccountActor>(accounts));
        var mail = await world.AddAsync("Mail", "EmailEvents", rule => Respond(rule, ("softDeleteResponseAction", "networkMessageId, recipientEmailAddress", null)));
        var user = await world.AddAsync("User", Odd, rule => Respond(rule, ("disableUserResponseAction", "accountSid", null), ("forceUserPasswordResetResponseAction", "accountSid", null)));
        var message = HuntingRow.For("EmailEvents");
        (message["Timestamp"], message["NetworkMessageId"], message["RecipientEmailAddress"], message["ReportId"]) = (world.Domain.Now, "m-1", "dana@example.test", "r-1");
        var identity = HuntingRow.For("IdentityInfo");
        (identity["Timestamp"], identity["OnPremSid"], identity["AccountObjectId"], identity["AccountUpn"], identity["ReportId"]) =
            (world.Domain.Now.AddDays(-1), "S-1-5-21-1-2-3-1104", "0a0b0c0d-0000-4000-8000-000000000001", "dana@example.test", "i-1");
        var stranger = world.Detections.Process("odd.exe /2", id: 2);
        stranger["AccountSid"] = "S-1-5-21-1-2-3-9999";
        await world.AppendAsync(message, identity, world.Detections.Process("odd.exe /1", id: 1), stranger);

        await world.RunAsync();
        var action = (await world.ActionsAsync(mail)).ShouldHaveSingleItem();
        (action.Kind, action.Status, action.Reason).ShouldBe((ResponseKind.SoftDelete, "Failed", "No mail service is connected that could act on the message."));
        action.Subject.ShouldBe(new Dictionary<string, string> { [ResponseRoles.Message] = "m-1", [ResponseRoles.Recipient] = "dana@example.test" }, ignoreOrder: true);
        var known = new AccountReference(new Guid("0a0b0c0d-0000-4000-8000-000000000001"), "dana@example.test");
        accounts.Calls.Order().ShouldBe([$"disable {known}", $"reset {known}"]);
        var taken = await world.ActionsAsync(user);
        taken.Where(entry => entry.Status == "Succeeded").Select(entry => entry.Kind).Order().ShouldBe([ResponseKind.DisableUser]);
        taken.Where(entry => entry.Status == "Failed").Select(entry => entry.Reason).Order().ShouldBe([
            "No account of the directory is known for the security identifier S-1-5-21-1-2-3-9999.", "No account of the directory is known for the security identifier S-1-5-21-1-2-3-9999.",
            "The password is managed elsewhere."]);
    }

    private static void Respond(JsonObject rule, params (string Type, string Identifier, string? More)[] responses) => rule["detectionAction"]!["responseActions"] = Json(
        "[" + string.Join(',', responses.Select(response =>
            $$"""{"@odata.type":"#microsoft.graph.security.{{response.Type}}","identifier":"{{response.Identifier}}"{{(response.More is null ? "" : "," + response.More)}}}""")) + "]");

    private sealed class Accounts : IAccountActor
    {
        public List<string> Calls { get; } = [];

        public Task<string?> DisableAsync(Guid tenantId, AccountReference account, CancellationToken cancellationToken)
        {
            Calls.Add($"disable {account}");
            return Task.FromResult<string?>(null);
        }

        public Task<string?> ResetPasswordAsync(Guid tenantId, AccountReference account, CancellationToken cancellationToken)
        {
            Calls.Add($"reset {account}");
            return Task.FromResult<string?>("The password is managed elsewhere.");
        }
    }
}
