using Vedette.Agent.Contract;
using Vedette.Defender.Vulnerabilities.Hunting;
using Vedette.Defender.Vulnerabilities.Inventory;
using Vedette.Telemetry.Schema;
using static Vedette.Defender.Tests.Vulnerabilities.TvmWorld;

namespace Vedette.Defender.Tests.Vulnerabilities;

public sealed class TvmPublisherTests
{
    [Fact]
    public async Task The_hunting_tables_show_the_present_state_and_nothing_older()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        await world.LearnAsync(Cve("CVE-2025-1", 9.8, "google:chrome", "137.0"));
        var publisher = world.Get<TvmPublisher>();
        await world.ReportAsync(1, new SoftwareItem("google", "chrome", "136.0.1"), new SoftwareItem("7-zip", "7-zip", "24.09"));
        (await publisher.PublishAsync(DefenderWorld.Tenant, default)).ShouldBe(4);
        (await world.HuntAsync("SELECT SoftwareName, CveId, VulnerabilitySeverityLevel FROM hunting.DeviceTvmSoftwareVulnerabilities")).ShouldBe(["chrome|CVE-2025-1|Critical"]);
        (await publisher.PublishAsync(DefenderWorld.Tenant, default)).ShouldBe(0);

        await world.ReportAsync(1, new SoftwareItem("google", "chrome", "138.0"));
        (await publisher.PublishAsync(DefenderWorld.Tenant, default)).ShouldBe(1);
        (await world.HuntAsync("SELECT SoftwareName, SoftwareVersion FROM hunting.DeviceTvmSoftwareInventory")).ShouldBe(["chrome|138.0"]);
        (await world.HuntAsync("SELECT count() FROM hunting.DeviceTvmSoftwareVulnerabilities")).ShouldBe(["0"]);
    }

    [Fact]
    public async Task Every_table_of_vulnerability_management_is_filled_for_a_whole_report()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var machine = await world.AddMachineAsync(1, m => (m.OsBuild, m.Version) = (26100, "24H2"));
        await world.LearnAsync(Cve("CVE-2025-1", 9.8, "google:chrome", null));
        await world.Get<Vedette.Defender.Vulnerabilities.Posture.BaselineService>().SaveAsync(DefenderWorld.Caller, SimulatedInventory.Profiles[0], default);
        await world.Get<InventoryIntake>().StoreAsync(DefenderWorld.Tenant, [new MachineInventory(machine.Id, SimulatedInventory.Report(SimulatedDevice.Of(machine), world.Now))], default);
        await world.Get<TvmPublisher>().PublishAsync(DefenderWorld.Tenant, default);
        var tables = HuntingSchema.Tables.Keys.Where(t => t.StartsWith("DeviceTvm", StringComparison.Ordinal) || t.StartsWith("DeviceBaseline", StringComparison.Ordinal)).ToList();
        TvmTables.All.Select(t => t.Table).ShouldBe(tables, ignoreOrder: true);
        foreach (var table in tables)
        {
            // Extensions follow a chance that goes by the device; the other tables have something for every Windows device.
            if (table.StartsWith("DeviceTvmBrowser", StringComparison.Ordinal)) continue;
            (await world.HuntAsync($"SELECT count() > 0 FROM hunting.{table}")).ShouldBe(["1"], table);
        }
    }
}
