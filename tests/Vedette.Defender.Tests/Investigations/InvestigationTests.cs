using Microsoft.EntityFrameworkCore;
using Vedette.Defender.Actions;
using Vedette.Defender.Alerts;
using Vedette.Defender.Devices;
using Vedette.Defender.Indicators;
using Vedette.Defender.Investigations;
using Vedette.Defender.State;

namespace Vedette.Defender.Tests.Investigations;

public sealed class InvestigationTests : IAsyncLifetime
{
    private static readonly string Bad = new('b', 40);
    private DefenderWorld _world = null!;

    public async Task InitializeAsync()
    {
        _world = await DefenderWorld.CreateAsync();
        await _world.AddMachineAsync(1, m => (m.RbacGroupId, m.RbacGroupName) = (7, "Lab"));
        await _world.SetTimingAsync(ActionTiming.AtOnce);
        _ = _world.Get<SimulatedDevices>();
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task A_device_on_which_nothing_is_found_is_benign_and_its_alert_is_resolved()
    {
        await _world.AppendAsync("DeviceProcessEvents", ("ActionType", "ProcessCreated"), ("FileName", "notepad.exe"), ("SHA1", new string('a', 40)));
        var started = (await _world.Get<InvestigationService>().StartAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), "look", default)).Value;
        (started.State, started.MachineId, started.ComputerDnsName).ShouldBe((InvestigationState.Running, DefenderWorld.MachineId(1), "pc-1.example.test"));
        var (investigation, alert) = await EndAsync();
        alert.Id.ShouldBe(started.TriggeringAlertId);
        alert.Id.ShouldStartWith("ar");
        (investigation.State, investigation.EndTime).ShouldBe((InvestigationState.Benign, _world.Now));
        investigation.StatusDetails.ShouldBe("1 entities examined: 0 malicious, 0 suspicious, 1 without threats.");
        (alert.Status, alert.AssignedTo, alert.InvestigationState).ShouldBe((AlertStatus.Resolved, "Automation", InvestigationState.Benign));
        alert.Comments.ShouldHaveSingleItem().Comment.ShouldStartWith($"Automated investigation {investigation.Id} ended as Benign.");
    }

    [Fact]
    public async Task A_rare_file_of_a_grave_alert_is_quarantined_and_what_it_contacted_is_suspicious()
    {
        await SeeAsync(Bad);
        await _world.AppendAsync("DeviceNetworkEvents", ("InitiatingProcessSHA1", Bad), ("RemoteIP", "203.0.113.9"));
        await RaiseAsync(AlertSeverity.High, Bad);
        var (investigation, alert) = await EndAsync();
        var entities = await _world.Get<InvestigationService>().EntitiesAsync(DefenderWorld.Tenant, investigation.Id, default);
        entities.Select(e => (e.Kind, e.Value, e.Verdict, e.Remediation)).ShouldBe(
            [("File", Bad, Verdict.Malicious, Remediation.Done), ("Ip", "203.0.113.9", Verdict.Suspicious, Remediation.NotNeeded)]);
        var action = (await _world.Get<ActionService>().GetAsync(DefenderWorld.Caller, entities[0].ActionId!.Value, default)).Value;
        (action.Type, action.Status, action.RequestSource, action.RelatedFileSha1, action.Requestor).ShouldBe(
            (MachineActionType.StopAndQuarantineFile, MachineActionStatus.Succeeded, "AutomatedInvestigation", Bad, "Automation"));
        (investigation.State, alert.Status).ShouldBe((InvestigationState.SuccessfullyRemediated, AlertStatus.Resolved));
        (await MachineAsync()).RiskScore.ShouldBe(RiskScore.None);
    }

    [Theory]
    [InlineData(AutomationLevel.Full, @"C:\Windows\Temp\odd.exe", true)]
    [InlineData(AutomationLevel.SemiAllFolders, @"C:\Users\dana\Downloads\odd.exe", false)]
    [InlineData(AutomationLevel.SemiNonTempFolders, @"C:\Users\dana\Downloads\odd.exe", true)]
    [InlineData(AutomationLevel.SemiNonTempFolders, @"C:\Tools\odd.exe", false)]
    [InlineData(AutomationLevel.SemiCoreFolders, @"C:\Tools\odd.exe", true)]
    [InlineData(AutomationLevel.SemiCoreFolders, @"C:\Program Files\odd.exe", false)]
    public async Task The_groups_automation_level_decides_whether_a_person_is_asked(AutomationLevel level, string path, bool alone)
    {
        await GroupAsync(level);
        await BlockAsync(Bad);
        await SeeAsync(Bad, path);
        await RaiseAsync(AlertSeverity.Medium, Bad, path);
        var (investigation, alert) = await EndAsync();
        investigation.State.ShouldBe(alone ? InvestigationState.SuccessfullyRemediated : InvestigationState.PendingApproval);
        (alert.Status == AlertStatus.Resolved, investigation.EndTime is not null).ShouldBe((alone, alone));
    }

    [Theory]
    [InlineData(true, InvestigationState.SuccessfullyRemediated, 1)]
    [InlineData(false, InvestigationState.TerminatedByUser, 0)]
    public async Task A_person_approves_or_rejects_what_waits(bool approve, InvestigationState end, int actions)
    {
        await GroupAsync(AutomationLevel.SemiAllFolders);
        await SeeAsync(Bad);
        await RaiseAsync(AlertSeverity.High, Bad);
        var (waiting, _) = await EndAsync();
        (await _world.Get<InvestigationService>().ListAsync(DefenderWorld.Caller, waiting: true, 10, default)).Select(i => i.Id).ShouldBe([waiting.Id]);
        (await _world.Get<InvestigationService>().DecideAsync(DefenderWorld.Caller, waiting.Id, approve, default)).Error.ShouldBeNull();
        var (investigation, alert) = await EndAsync();
        (investigation.State, investigation.CancelledBy).ShouldBe((end, approve ? null : DefenderWorld.Caller.Name));
        (await _world.Get<InvestigationService>().ListAsync(DefenderWorld.Caller, waiting: true, 10, default)).ShouldBeEmpty();
        (alert.Status == AlertStatus.Resolved).ShouldBe(approve);
        await using var state = _world.Open();
        (await state.MachineActions.CountAsync()).ShouldBe(actions);
        (await _world.Get<InvestigationService>().DecideAsync(DefenderWorld.Caller, waiting.Id, approve, default)).Error!.Refusal.ShouldBe(Refusal.BadRequest);
    }

    [Fact]
    public async Task A_failed_quarantine_leaves_the_alert_open()
    {
        await RaiseAsync(AlertSeverity.High, Bad);
        var (investigation, alert) = await EndAsync();
        (investigation.State, alert.Status, alert.InvestigationState).ShouldBe((InvestigationState.Failed, AlertStatus.New, InvestigationState.Failed));
    }

    [Fact]
    public async Task A_trusted_an_allowed_and_a_common_file_are_no_threats()
    {
        var (trusted, allowed, common) = (new string('1', 40), new string('2', 40), new string('3', 40));
        await _world.AppendAsync("DeviceFileCertificateInfo", ("SHA1", trusted), ("IsTrusted", true));
        await IndicateAsync(allowed, "Allowed");
        for (var n = 1; n <= 3; n++) await _world.AppendAsync("DeviceProcessEvents", ("SHA1", common), ("DeviceId", DefenderWorld.MachineId(n)));
        await RaiseAsync(AlertSeverity.High, trusted, more: [allowed, common]);
        var (investigation, _) = await EndAsync();
        investigation.State.ShouldBe(InvestigationState.Benign);
        var entities = await _world.Get<InvestigationService>().EntitiesAsync(DefenderWorld.Tenant, investigation.Id, default);
        entities.OrderBy(e => e.Value).Select(e => e.Reason).ShouldBe(["Signed by a trusted publisher.", "Allowed by indicator 1.", "Nothing speaks against it."]);
    }

    [Fact]
    public async Task What_a_good_program_did_stays_suspicious_and_the_alert_open()
    {
        var shell = new AlertEvidence { EntityType = EvidenceKind.Process, FileName = "powershell.exe", FilePath = @"C:\Windows\System32\powershell.exe", Sha1 = new string('1', 40), ProcessId = 77 };
        await _world.AppendAsync("DeviceFileCertificateInfo", ("SHA1", new string('1', 40)), ("IsTrusted", true));
        await _world.Get<AlertIntake>().RaiseAsync(
            new NewAlert
            {
                TenantId = DefenderWorld.Tenant, Title = "Odd script", Description = "d", Severity = AlertSeverity.Medium, Category = "Execution", MachineId = DefenderWorld.MachineId(1),
                FirstEventTime = _world.Now, LastEventTime = _world.Now, Investigate = true, Evidence = [shell],
            },
            default);
        var (investigation, alert) = await EndAsync();
        (investigation.State, alert.Status).ShouldBe((InvestigationState.PartiallyInvestigated, AlertStatus.New));
        (await _world.Get<InvestigationService>().EntitiesAsync(DefenderWorld.Tenant, investigation.Id, default)).Select(e => (e.Kind, e.Value, e.Verdict))
            .ShouldBe([("File", new string('1', 40), Verdict.NoThreatsFound), ("Process", "powershell.exe:77", Verdict.Suspicious)]);
    }

    [Fact]
    public async Task A_device_that_is_off_is_waited_for_and_a_further_alert_joins()
    {
        await ChangeAsync(m => m.HealthStatus = HealthStatus.Inactive);
        await SeeAsync(Bad);
        await RaiseAsync(AlertSeverity.High, Bad);
        var (first, _) = await EndAsync();
        first.State.ShouldBe(InvestigationState.PendingResource);
        var second = await RaiseAsync(AlertSeverity.Low, new string('c', 40));
        second.InvestigationId.ShouldBe(first.Id);
        await ChangeAsync(m => m.HealthStatus = HealthStatus.Active);
        await _world.Get<SimulatedDevices>().StepAsync(new Agent.Contract.DeviceSession(DefenderWorld.Tenant, DefenderWorld.MachineId(1)), default);
        var (investigation, _) = await EndAsync();
        investigation.State.ShouldBe(InvestigationState.SuccessfullyRemediated);
        await using var state = _world.Open();
        (await state.Alerts.Select(a => a.Status).ToListAsync()).ShouldAllBe(s => s == AlertStatus.Resolved);
        (await state.Investigations.CountAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task None_starts_where_the_tenant_the_group_or_the_system_does_not_allow_it()
    {
        await _world.AddMachineAsync(2, m => m.OsPlatform = "Linux");
        await GroupAsync(AutomationLevel.None);
        (await RaiseAsync(AlertSeverity.High, Bad)).InvestigationId.ShouldBeNull();
        var linux = await RaiseAsync(AlertSeverity.High, Bad, machine: 2);
        (linux.InvestigationId, linux.InvestigationState).ShouldBe((null, InvestigationState.UnsupportedOs));
        await _world.Get<TenantSettingsStore>().SetAsync(DefenderWorld.Tenant, s => s.AutomatedInvestigations = false, default);
        await GroupAsync(AutomationLevel.Full);
        (await RaiseAsync(AlertSeverity.High, new string('e', 40))).InvestigationId.ShouldBeNull();

        var service = _world.Get<InvestigationService>();
        (await service.StartAsync(DefenderWorld.Caller, DefenderWorld.MachineId(2), "c", default)).Error!.Refusal.ShouldBe(Refusal.OsPlatformNotSupported);
        (await service.StartAsync(DefenderWorld.Caller, DefenderWorld.MachineId(9), "c", default)).Error!.Refusal.ShouldBe(Refusal.MachineNotFound);
        (await service.StartAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), " ", default)).Error!.Refusal.ShouldBe(Refusal.MissingRequiredParameter);
        (await service.StartAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), "c", default)).Error.ShouldBeNull();
    }

    private async Task<(Investigation Investigation, Alert Alert)> EndAsync()
    {
        // Orders are carried out at once, so the second round sees them done.
        for (var round = 0; round < 3; round++) await _world.Get<InvestigationService>().RunOpenAsync(default);
        await using var state = _world.Open();
        return (await state.Investigations.AsNoTracking().SingleAsync(), await state.Alerts.AsNoTracking().OrderBy(a => a.AlertCreationTime).ThenBy(a => a.Id).FirstAsync());
    }

    private async Task<Alert> RaiseAsync(AlertSeverity severity, string sha1, string path = @"C:\Users\dana\odd.exe", string[]? more = null, int machine = 1) =>
        (await _world.Get<AlertIntake>().RaiseAsync(
            new NewAlert
            {
                TenantId = DefenderWorld.Tenant, Title = "Odd file", Description = "d", Severity = severity, Category = "Malware", MachineId = DefenderWorld.MachineId(machine),
                FirstEventTime = _world.Now, LastEventTime = _world.Now, Investigate = true,
                Evidence = [.. new[] { sha1 }.Concat(more ?? []).Select(hash => new AlertEvidence { EntityType = EvidenceKind.File, FileName = "odd.exe", FilePath = path, Sha1 = hash })],
            },
            default)).Alert;

    private Task SeeAsync(string sha1, string path = @"C:\Users\dana\odd.exe") =>
        _world.AppendAsync("DeviceFileEvents", ("SHA1", sha1), ("FileName", "odd.exe"), ("FolderPath", path));

    private Task BlockAsync(string sha1) => IndicateAsync(sha1, "BlockAndRemediate");

    private async Task IndicateAsync(string sha1, string action) => (await _world.Get<IndicatorService>().SubmitAsync(
        DefenderWorld.Caller, "app", [new IndicatorDraft { IndicatorValue = sha1, IndicatorType = "FileSha1", Action = action, Title = "t", Description = "d" }], default))[0].Error.ShouldBeNull();

    private async Task GroupAsync(AutomationLevel level)
    {
        await using var state = _world.Open();
        await state.DeviceGroups.ExecuteDeleteAsync();
        state.DeviceGroups.Add(new DeviceGroup { TenantId = DefenderWorld.Tenant, Id = 7, Name = "Lab", AutomationLevel = level });
        await state.SaveChangesAsync();
    }

    private async Task<Machine> MachineAsync()
    {
        await using var state = _world.Open();
        return await state.Machines.AsNoTracking().SingleAsync();
    }

    private async Task ChangeAsync(Action<Machine> change)
    {
        await using var state = _world.Open();
        change(await state.Machines.SingleAsync());
        await state.SaveChangesAsync();
    }
}
