using Microsoft.EntityFrameworkCore;
using Vedette.Defender.State;
using Vedette.Testing;

namespace Vedette.Defender.Tests.Demo;

public sealed class DemoKillTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vedette-demo-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Killed_while_rows_are_stored_and_while_alerts_are_raised_it_ends_whole()
    {
        await using var world = await DefenderWorld.CreateAsync();
        using (var first = Start(world))
        {
            (await first.ReadLineAsync()).ShouldBe("started");
            await Task.Delay(TimeSpan.FromSeconds(2));
            await first.KillAsync();
        }

        using (var second = Start(world))
        {
            (await second.ReadLineAsync()).ShouldBe("started");
            for (var tries = 0; tries < 3000 && await AlertsAsync(world) < 3; tries++) await Task.Delay(20);
            await second.KillAsync();
        }

        (await AlertsAsync(world)).ShouldBeInRange(3, 30);
        using var last = Start(world);
        (await last.ReadLineAsync()).ShouldBe("started");
        var counts = (await last.ReadLineAsync()).Split(' ');

        counts[1].ShouldBe(counts[0]);
        await using var state = world.Open();
        (await state.Machines.CountAsync(machine => machine.TenantId == DemoChild.Tenant)).ShouldBe(40);
        var alerts = await state.Alerts.AsNoTracking().Where(alert => alert.TenantId == DemoChild.Tenant).ToListAsync();
        alerts.Count.ShouldBeGreaterThan(30);
        alerts.Select(alert => alert.MergeKey).Distinct().Count().ShouldBe(alerts.Count);
        (await state.Incidents.CountAsync(incident => incident.TenantId == DemoChild.Tenant && incident.Status == IncidentStatus.Active)).ShouldBe(4);
    }

    private ChildProcess Start(DefenderWorld world) => ChildProcess.Start(typeof(DemoKillTests), "demo", world.ConnectionString, _folder);

    private static async Task<int> AlertsAsync(DefenderWorld world)
    {
        await using var state = world.Open();
        return await state.Alerts.CountAsync(alert => alert.TenantId == DemoChild.Tenant);
    }
}
