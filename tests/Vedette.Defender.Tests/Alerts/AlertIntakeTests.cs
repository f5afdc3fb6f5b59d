using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.Alerts;
using Vedette.Defender.Outbox;
using Vedette.Defender.State;

namespace Vedette.Defender.Tests.Alerts;

public sealed class AlertIntakeTests
{
    [Fact]
    public async Task A_raised_alert_has_the_service_s_form_and_fills_in_what_the_device_knows()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync(1, m => (m.RbacGroupId, m.RbacGroupName) = (12, "Lab"));
        var raised = await world.Get<AlertIntake>().RaiseAsync(Example(world), default);

        raised.Intake.ShouldBe(Intake.Raised);
        raised.Alert.Id.ShouldMatch(@"^da639\d{15}_-?\d+$");
        var stored = (await world.Get<AlertService>().GetAsync(DefenderWorld.Caller, raised.Alert.Id, default)).Value;
        stored.ComputerDnsName.ShouldBe("pc-1.example.test");
        stored.RbacGroupName.ShouldBe("Lab");
        stored.RelatedUser.ShouldBe(new RelatedUser("dana", "EXAMPLE"));
        stored.IncidentId.ShouldNotBeNull();
        stored.Evidence.Select(e => e.EntityType).ShouldBe([EvidenceKind.Process, EvidenceKind.User, EvidenceKind.Ip]);
        stored.Evidence.ShouldAllBe(e => e.EvidenceCreationTime == world.Now);

        await using var state = world.Open();
        (await state.Machines.SingleAsync()).RiskScore.ShouldBe(RiskScore.Medium);
        (await state.Incidents.SingleAsync()).Name.ShouldBe("Odd process");
    }

    [Fact]
    public async Task The_same_key_twice_changes_nothing()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var intake = world.Get<AlertIntake>();
        var first = await intake.RaiseAsync(Example(world) with { DeduplicationKey = "k" }, default);
        var raised = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => intake.RaiseAsync(Example(world) with { DeduplicationKey = "k", Title = "Other" }, default)));
        raised.ShouldAllBe(r => r.Intake == Intake.Known && r.Alert.Id == first.Alert.Id && r.Alert.Title == "Odd process");
        await using var state = world.Open();
        (await state.Alerts.CountAsync()).ShouldBe(1);
        (await state.Evidence.CountAsync()).ShouldBe(3);
    }

    [Fact]
    public async Task An_open_alert_takes_in_its_repetitions_and_a_resolved_one_does_not()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var intake = world.Get<AlertIntake>();
        var first = await intake.RaiseAsync(Example(world) with { MergeKey = "m" }, default);
        world.Clock.Advance(TimeSpan.FromMinutes(5));
        var second = await intake.RaiseAsync(
            Example(world) with
            {
                MergeKey = "m",
                Severity = AlertSeverity.High,
                LastEventTime = world.Now,
                Evidence = [.. Example(world).Evidence, new AlertEvidence { EntityType = EvidenceKind.Url, Url = "https://bad.example/" }],
            },
            default);
        second.Intake.ShouldBe(Intake.Merged);
        second.Alert.Id.ShouldBe(first.Alert.Id);
        second.Alert.Severity.ShouldBe(AlertSeverity.High);
        second.Alert.LastEventTime.ShouldBe(world.Now);
        second.Alert.Evidence.Count.ShouldBe(4);

        (await world.Get<AlertService>().UpdateAsync(DefenderWorld.Caller, first.Alert.Id, new AlertUpdate { Status = "Resolved" }, default)).Error.ShouldBeNull();
        (await intake.RaiseAsync(Example(world) with { MergeKey = "m" }, default)).Intake.ShouldBe(Intake.Raised);
        var reopened = await world.Get<AlertService>().UpdateAsync(DefenderWorld.Caller, first.Alert.Id, new AlertUpdate { Status = "New" }, default);
        reopened.Error!.Refusal.ShouldBe(Refusal.BadRequest);
    }

    [Fact]
    public async Task A_correlator_decides_the_incident()
    {
        await using var world = await DefenderWorld.CreateAsync(services => services.AddSingleton<IAlertCorrelator, OneIncident>());
        var intake = world.Get<AlertIntake>();
        var first = await intake.RaiseAsync(Example(world), default);
        var second = await intake.RaiseAsync(Example(world), default);
        second.Alert.IncidentId.ShouldBe(first.Alert.IncidentId);
    }

    [Fact]
    public async Task Hunting_rows_follow_through_the_outbox()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        var alert = (await world.Get<AlertIntake>().RaiseAsync(Example(world), default)).Alert;
        await world.Get<OutboxDispatcher>().DeliverAsync(default);
        (await world.HuntAsync("SELECT AlertId, Severity, DetectionSource, AttackTechniques FROM hunting.AlertInfo")).ShouldBe([$"{alert.Id}|Medium|EDR|[\"T1059.001\"]"]);
        (await world.HuntAsync("SELECT EntityType, EvidenceRole, DeviceName, AccountName, RemoteIP, ProcessCommandLine FROM hunting.AlertEvidence ORDER BY EntityType")).ShouldBe(
        [
            "Ip|Related|pc-1.example.test||192.0.2.7|",
            "Machine|Impacted|pc-1.example.test|||",
            "Process|Related|pc-1.example.test|||odd.exe -x",
            "User|Related|pc-1.example.test|dana||",
        ]);
        await using var state = world.Open();
        (await state.Outbox.CountAsync()).ShouldBe(0);
    }

    internal static NewAlert Example(DefenderWorld world) => new()
    {
        TenantId = DefenderWorld.Tenant,
        Title = "Odd process",
        Description = "A process did something odd.",
        Severity = AlertSeverity.Medium,
        Category = "Execution",
        MachineId = DefenderWorld.MachineId(1),
        FirstEventTime = world.Now.AddMinutes(-2),
        LastEventTime = world.Now.AddMinutes(-1),
        MitreTechniques = ["T1059.001"],
        Evidence =
        [
            new AlertEvidence { EntityType = EvidenceKind.Process, FileName = "odd.exe", ProcessId = 4711, ProcessCommandLine = "odd.exe -x", DetectionStatus = "Detected" },
            new AlertEvidence { EntityType = EvidenceKind.User, AccountName = "dana", DomainName = "EXAMPLE" },
            new AlertEvidence { EntityType = EvidenceKind.Ip, IpAddress = "192.0.2.7", DetectionStatus = "Detected" },
        ],
    };

    private sealed class OneIncident : IAlertCorrelator
    {
        public async Task CorrelateAsync(DefenderDbContext state, Alert alert, CancellationToken cancellationToken)
        {
            var incident = await state.Incidents.FirstOrDefaultAsync(i => i.TenantId == alert.TenantId, cancellationToken);
            if (incident is null)
            {
                incident = new Incident { TenantId = alert.TenantId, Name = "All", CreatedTime = alert.AlertCreationTime, LastUpdateTime = alert.AlertCreationTime };
                state.Incidents.Add(incident);
                await state.SaveChangesAsync(cancellationToken);
            }

            alert.IncidentId = incident.Id;
        }
    }
}
