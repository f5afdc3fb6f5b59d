using Microsoft.EntityFrameworkCore;
using Vedette.Agent.Contract;
using Vedette.Defender.Indicators;
using Vedette.Defender.Outbox;
using Vedette.Defender.State;

namespace Vedette.Defender.Tests.Indicators;

/// <summary>Indicators act on events as they come in.</summary>
public sealed class IndicatorWatchTests : IAsyncLifetime
{
    private DefenderWorld _world = null!;

    public async Task InitializeAsync()
    {
        _world = await DefenderWorld.CreateAsync();
        await _world.AddMachineAsync();
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task A_blocked_address_raises_one_alert_and_the_device_tells_the_block()
    {
        await SubmitAsync("203.0.113.9", "IpAddress", "Block", d => d with { Severity = "High", Title = "Known bad host", RecommendedActions = "Look", MitreTechniques = ["T1071"] });
        await ConnectAsync("203.0.113.8");
        (await AlertsAsync()).ShouldBeEmpty();
        await ConnectAsync("203.0.113.9");
        await ConnectAsync("203.0.113.9");
        var alert = (await AlertsAsync()).ShouldHaveSingleItem();
        (alert.Title, alert.Severity, alert.DetectionSource, alert.MachineId).ShouldBe(("Known bad host", AlertSeverity.High, "CustomerTI", DefenderWorld.MachineId(1)));
        alert.MitreTechniques.ShouldBe(["T1071"]);
        alert.Evidence.Where(e => e.EntityType == EvidenceKind.Ip).Select(e => (e.IpAddress, e.DetectionStatus)).ShouldBe([("203.0.113.9", "Blocked")]);
        alert.Evidence.Where(e => e.EntityType == EvidenceKind.Process).Select(e => e.FileName).ShouldBe(["curl.exe"]);
        (await _world.HuntAsync("SELECT ActionType, RemoteIP, InitiatingProcessFileName, JSONExtractString(AdditionalFields, 'ResponseCategory') FROM hunting.DeviceEvents"))
            .ShouldBe(["ExploitGuardNetworkProtectionBlocked|203.0.113.9|curl.exe|CustomBlockList", "ExploitGuardNetworkProtectionBlocked|203.0.113.9|curl.exe|CustomBlockList"]);
        await using (var state = _world.Open()) (await state.Machines.SingleAsync()).RiskScore.ShouldBe(RiskScore.High);
        await _world.Get<OutboxDispatcher>().DeliverAsync(default);
        (await _world.HuntAsync("SELECT Title FROM hunting.AlertInfo")).ShouldBe(["Known bad host"]);
    }

    [Fact]
    public async Task A_file_is_blocked_by_any_of_its_hashes_and_the_alert_names_the_threat()
    {
        await SubmitAsync(new string('d', 64), "FileSha256", "BlockAndRemediate");
        await _world.AppendAsync("DeviceProcessEvents", ("ActionType", "ProcessCreated"), ("FileName", "odd.exe"), ("SHA1", new string('a', 40)), ("SHA256", new string('D', 64)));
        var alert = (await AlertsAsync()).ShouldHaveSingleItem();
        (alert.ThreatName, alert.Evidence[0].DetectionStatus, alert.Evidence[0].Sha1).ShouldBe(("CustomEnterpriseBlock", "Prevented", new string('a', 40)));
        (await _world.HuntAsync("SELECT ActionType, FileName, JSONExtractString(AdditionalFields, 'Action') FROM hunting.DeviceEvents")).ShouldBe(["AntivirusDetection|odd.exe|Quarantine"]);
    }

    [Fact]
    public async Task Without_generateAlert_there_is_a_block_and_no_alert_and_an_audit_only_tells()
    {
        await SubmitAsync("quiet.example", "DomainName", "Block", d => d with { GenerateAlert = false });
        await SubmitAsync("watched.example", "DomainName", "Audit");
        await VisitAsync("https://www.quiet.example/");
        (await AlertsAsync()).ShouldBeEmpty();
        await VisitAsync("https://watched.example/");
        (await AlertsAsync()).ShouldHaveSingleItem().Evidence.ShouldContain(e => e.Url == "https://watched.example/" && e.DetectionStatus == "Detected");
        (await _world.HuntAsync("SELECT ActionType FROM hunting.DeviceEvents ORDER BY ActionType")).ShouldBe(["ExploitGuardNetworkProtectionAudited", "ExploitGuardNetworkProtectionBlocked"]);
    }

    [Fact]
    public async Task Historical_detection_finds_what_happened_before_and_blocks_nothing()
    {
        await ConnectAsync("203.0.113.9");
        await VisitAsync("https://cdn.old.example/a");
        await _world.AppendAsync("DeviceProcessEvents", ("ActionType", "ProcessCreated"), ("FileName", "odd.exe"), ("SHA1", new string('a', 40)));
        _world.Clock.Advance(TimeSpan.FromDays(2));
        await SubmitAsync("203.0.113.9", "IpAddress", "Block", d => d with { HistoricalDetection = true, Title = "Old host" });
        await SubmitAsync("old.example", "DomainName", "Audit", d => d with { HistoricalDetection = true, Title = "Old domain" });
        await SubmitAsync(new string('A', 40), "FileSha1", "BlockAndRemediate", d => d with { HistoricalDetection = true, Title = "Old file" });
        await SubmitAsync("cdn.old.example", "DomainName", "Audit", d => d with { Title = "From now on" });
        var history = _world.Get<IndicatorHistory>();
        (await history.RunAsync(default)).ShouldBe(3);
        (await AlertsAsync()).Select(alert => (alert.Title, alert.MachineId)).ShouldBe(
            [("Old host", DefenderWorld.MachineId(1)), ("Old domain", DefenderWorld.MachineId(1)), ("Old file", DefenderWorld.MachineId(1))], ignoreOrder: true);
        (await AlertsAsync()).ShouldAllBe(alert => alert.FirstEventTime < _world.Now.AddDays(-1));
        (await _world.HuntAsync("SELECT ActionType FROM hunting.DeviceEvents")).ShouldBeEmpty();

        // Once; and again only when it is asked for anew.
        (await history.RunAsync(default)).ShouldBe(0);
        await SubmitAsync("203.0.113.9", "IpAddress", "Block", d => d with { HistoricalDetection = true, Title = "Old host" });
        (await history.RunAsync(default)).ShouldBe(0);
        (await AlertsAsync()).Count.ShouldBe(3);
    }

    [Fact]
    public async Task Only_devices_of_the_indicators_groups_are_concerned()
    {
        await _world.AddMachineAsync(2, m => (m.RbacGroupId, m.RbacGroupName) = (7, "Lab"));
        await SubmitAsync("203.0.113.9", "IpAddress", "Block", d => d with { RbacGroupNames = ["lab"] });
        await ConnectAsync("203.0.113.9");
        (await AlertsAsync()).ShouldBeEmpty();
        await ConnectAsync("203.0.113.9", 2);
        (await AlertsAsync()).ShouldHaveSingleItem().MachineId.ShouldBe(DefenderWorld.MachineId(2));
    }

    [Fact]
    public async Task Deleting_and_expiring_end_it_at_once()
    {
        var id = await SubmitAsync("203.0.113.9", "IpAddress", "Block");
        await SubmitAsync("203.0.113.10", "IpAddress", "Block", d => d with { ExpirationTime = _world.Now.AddHours(1) });
        (await _world.Get<IndicatorService>().DeleteAsync(DefenderWorld.Caller, null, [id], default)).Value.ShouldBe(1);
        await ConnectAsync("203.0.113.9");
        _world.Clock.Advance(TimeSpan.FromHours(1));
        await ConnectAsync("203.0.113.10");
        (await AlertsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_cap_holds_and_expired_ones_do_not_count()
    {
        await using (var state = _world.Open())
        {
            await state.Database.ExecuteSqlAsync(
                $"""
                INSERT INTO defender.indicators (tenant_id, indicator_value, indicator_type, action, created_by, created_by_source, severity, category, title, description,
                    creation_time_date_time_utc, last_update_time, expiration_time, rbac_group_names, rbac_group_ids, mitre_techniques, generate_alert, historical_detection)
                SELECT {DefenderWorld.Tenant}, '198.51.' || n / 256 || '.' || n % 256, 'IpAddress', 'Block', 'x', 'PublicApi', 'Low', 1, 't', 'd', {_world.Now}, {_world.Now},
                    CASE WHEN n = 1 THEN {_world.Now.AddHours(1)} END, ARRAY[]::text[], ARRAY[]::text[], ARRAY[]::text[], true, false
                FROM generate_series(1, {IndicatorService.MaxActive}) AS n
                """);
        }

        var refused = (await _world.Get<IndicatorService>().SubmitAsync(DefenderWorld.Caller, "app", [Draft("203.0.113.9", "IpAddress", "Block")], default))[0];
        refused.Error!.Details[0].ShouldBe("The limit of 15000 active indicators per tenant was reached.");
        (await _world.Get<IndicatorService>().SubmitAsync(DefenderWorld.Caller, "app", [Draft("198.51.0.9", "IpAddress", "Block")], default))[0].Error.ShouldBeNull();
        _world.Clock.Advance(TimeSpan.FromHours(1));
        await SubmitAsync("203.0.113.9", "IpAddress", "Block");
        await ConnectAsync("198.51.58.153");
        (await AlertsAsync()).ShouldBeEmpty();
        await ConnectAsync("198.51.58.152");
        await ConnectAsync("203.0.113.9");
        (await AlertsAsync()).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_device_is_told_what_is_for_it_and_only_when_that_changed()
    {
        await SubmitAsync("203.0.113.9", "IpAddress", "Block");
        await SubmitAsync("203.0.113.10", "IpAddress", "Block", d => d with { RbacGroupIds = ["7"] });
        var device = new DeviceSession(DefenderWorld.Tenant, DefenderWorld.MachineId(1));
        var channel = _world.Get<IDeviceChannel>();
        var told = (await channel.FetchIndicatorsAsync(device, null, default))!;
        told.Indicators.ShouldBe([new DeviceIndicator("IpAddress", "203.0.113.9", "Block")]);
        (await channel.FetchIndicatorsAsync(device, told.Version, default)).ShouldBeNull();
        await SubmitAsync("bad.example", "DomainName", "Warn");
        (await channel.FetchIndicatorsAsync(device, told.Version, default))!.Indicators.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Indicators_of_groups_that_the_caller_does_not_see_are_not_deleted()
    {
        var id = await SubmitAsync("203.0.113.9", "IpAddress", "Block", d => d with { RbacGroupIds = ["7"] });
        var service = _world.Get<IndicatorService>();
        (await service.DeleteAsync(DefenderWorld.Caller with { DeviceGroups = [8] }, null, [id], default)).Error!.Refusal.ShouldBe(Refusal.DisallowedOperation);
        (await service.DeleteAsync(DefenderWorld.Caller with { DeviceGroups = [7, 8] }, null, [id], default)).Value.ShouldBe(1);
    }

    private Task ConnectAsync(string address, int machine = 1) => _world.AppendAsync(
        "DeviceNetworkEvents", ("ActionType", "ConnectionSuccess"), ("RemoteIP", address), ("InitiatingProcessFileName", "curl.exe"), ("DeviceId", DefenderWorld.MachineId(machine)));

    private Task VisitAsync(string url) => _world.AppendAsync("DeviceNetworkEvents", ("ActionType", "ConnectionSuccess"), ("RemoteUrl", url));

    private async Task<string> SubmitAsync(string value, string type, string action, Func<IndicatorDraft, IndicatorDraft>? change = null)
    {
        var draft = Draft(value, type, action);
        var outcome = (await _world.Get<IndicatorService>().SubmitAsync(DefenderWorld.Caller, "app", [change?.Invoke(draft) ?? draft], default))[0];
        return outcome.Value.Id.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    private static IndicatorDraft Draft(string value, string type, string action) =>
        new() { IndicatorValue = value, IndicatorType = type, Action = action, Title = "t", Description = "d", GenerateAlert = true };

    private async Task<List<Alert>> AlertsAsync()
    {
        await using var state = _world.Open();
        return await state.Alerts.AsNoTracking().Include(a => a.Evidence.OrderBy(e => e.Id)).OrderBy(a => a.AlertCreationTime).ToListAsync();
    }
}
