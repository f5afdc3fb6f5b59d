using Microsoft.EntityFrameworkCore;
using Vedette.Defender.Demo;
using Vedette.Defender.Tests.Detections;
using Xunit.Abstractions;

namespace Vedette.Defender.Tests.Demo;

public sealed class OrdinaryDaysTests(ITestOutputHelper output)
{
    /// <summary>The false alarms that are argued in docs/detections.md.</summary>
    private const int Most = 5;

    [Fact]
    public async Task Thirty_days_without_an_attack_raise_next_to_no_alerts()
    {
        await using var world = await DetectionWorld.CreateAsync();
        var organisation = DemoWorld.Create(DetectionWorld.Tenant, DemoTenant.DefaultSeed);
        var batches = new DemoGenerator(organisation, world.Domain.Now) { TellsStories = false }.Generate();
        batches.Sum(batch => batch.Rows.Count).ShouldBeGreaterThan(70_000);
        await Task.WhenAll(batches.Select(batch => world.Store.AppendAsync(DetectionWorld.Tenant, batch.Rows, batch.Token, CancellationToken.None)));

        var summary = await world.RunAsync();

        summary.Failures.ShouldBe(0);
        await using var state = world.Domain.Open();
        var alarms = await state.Alerts.AsNoTracking().OrderBy(alert => alert.FirstEventTime).ToListAsync();
        foreach (var alarm in alarms) output.WriteLine($"{alarm.Title}: {alarm.ComputerDnsName ?? alarm.MachineId}, {alarm.FirstEventTime:o}");
        alarms.Count.ShouldBeLessThanOrEqualTo(Most, string.Join("\n", alarms.Select(alarm => alarm.Title)));
    }
}
