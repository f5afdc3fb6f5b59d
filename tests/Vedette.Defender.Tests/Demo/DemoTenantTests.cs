using Microsoft.EntityFrameworkCore;
using Vedette.Defender.Demo;
using Vedette.Defender.State;
using Vedette.Defender.Tests.Detections;
using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Tests.Demo;

public sealed class DemoTenantTests
{
    /// <summary>Devices that the stories touch: an alert anywhere else would be a false alarm.</summary>
    private static readonly string[] Touched = ["fin-ws02", "srv-file01", "srv-dc01", "lnx-web01", "sal-ws04"];

    [Fact]
    public async Task The_rules_find_the_stories_and_nothing_else()
    {
        await using var world = await DetectionWorld.CreateAsync();
        var summary = await world.Domain.Get<DemoTenant>().EnsureAsync(DetectionWorld.Tenant, CancellationToken.None);

        summary.FailedRules.ShouldBe(0);
        summary.Devices.ShouldBe(40);
        await using var state = world.Domain.Open();
        var alerts = await state.Alerts.AsNoTracking().Include(alert => alert.Evidence).ToListAsync();
        alerts.Count.ShouldBe(summary.Alerts);
        alerts.Count.ShouldBeGreaterThanOrEqualTo(25);
        // The story of the mailbox has no device: it is about the person who clicked.
        var clicked = DemoWorld.Create(DetectionWorld.Tenant, DemoTenant.DefaultSeed).ByName["fin-ws03"].User!.Account.Upn.Split('@')[0];
        alerts.Where(alert => !(alert.ComputerDnsName is { } name ? Touched.Contains(name.Split('.')[0]) : alert.RelatedUser?.UserName == clicked))
            .Select(alert => $"{alert.Title}: {alert.ComputerDnsName ?? alert.RelatedUser?.UserName}").ShouldBeEmpty();
        alerts.Where(alert => alert.ComputerDnsName is null).Select(alert => alert.Title).Order(StringComparer.Ordinal).ShouldBe(
            ["Inbox rule hides messages", "Mailbox forwards to an outside address", "Person gave an application access to mail", "Risky sign-in after a click on a link in a first message"]);
        alerts.ShouldAllBe(alert => alert.Evidence.Count > 0 && alert.AlertCreationTime > alert.LastEventTime && alert.AlertCreationTime < alert.LastEventTime.AddMinutes(10));
        var incidents = await state.Incidents.AsNoTracking().Where(incident => incident.Status == IncidentStatus.Active).OrderBy(incident => incident.Name).ToListAsync();
        incidents.Select(incident => incident.Name).ShouldBe(
        [
            "Multi-stage incident involving Exploit & Command and control on one endpoint",
            "Multi-stage incident involving Initial access & Lateral movement on multiple endpoints",
            "Multi-stage incident involving Defense evasion & Ransomware on one endpoint",
            "Multi-stage incident involving Initial access & Exfiltration",
        ],
            ignoreOrder: true);
        incidents.ShouldAllBe(incident => incident.Severity == AlertSeverity.High);
    }

    [Fact]
    public async Task An_interrupted_attempt_continues_with_the_same_rows_and_a_second_one_does_nothing()
    {
        await using var world = await DetectionWorld.CreateAsync();
        var demo = world.Domain.Get<DemoTenant>();
        using (var stop = new CancellationTokenSource())
        {
            var attempt = demo.EnsureAsync(DetectionWorld.Tenant, stop.Token);
            await stop.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(attempt);
        }

        world.Domain.Clock.Advance(TimeSpan.FromHours(2));
        var summary = await demo.EnsureAsync(DetectionWorld.Tenant, CancellationToken.None);
        var again = await demo.EnsureAsync(DetectionWorld.Tenant, CancellationToken.None);

        again.AlreadyComplete.ShouldBeTrue();
        var counted = await world.Hunting.RunAsync(
            new HuntingRequest(DetectionWorld.Tenant, "union withsource=Source * | where Source !startswith 'Alert' | count"), CancellationToken.None);
        Convert.ToInt64(counted.Rows[0][0], System.Globalization.CultureInfo.InvariantCulture).ShouldBe(summary.Rows);
    }
}
