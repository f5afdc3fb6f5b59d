using System.Text.Json;
using Vedette.Agent.Contract;
using Vedette.Defender.State;
using Vedette.Defender.Vulnerabilities.Exports;
using static Vedette.Defender.Tests.Vulnerabilities.TvmWorld;

namespace Vedette.Defender.Tests.Vulnerabilities;

public sealed class ExportSnapshotsTests
{
    private static readonly SoftwareItem Old = new("google", "chrome", "136.0.1") { DiskPaths = ["/opt/chrome"] };
    private static readonly SoftwareItem Newer = new("google", "chrome", "137.0.1");

    [Fact]
    public async Task A_picture_holds_for_its_six_hours_and_earlier_ones_stay_readable()
    {
        await using var world = await DefenderWorld.CreateAsync(start: new DateTime(2026, 3, 4, 5, 59, 0, DateTimeKind.Utc));
        await world.AddMachineAsync();
        await world.ReportAsync(1, Old);
        var snapshots = world.Get<ExportSnapshots>();
        var first = await snapshots.CurrentAsync(DefenderWorld.Tenant, ExportKinds.Software, null, default);
        first.TimePath.ShouldBe("2026-03-04/0559/");
        await world.ReportAsync(1, Newer);
        (await snapshots.CurrentAsync(DefenderWorld.Tenant, ExportKinds.Software, null, default)).TimePath.ShouldBe(first.TimePath);
        world.Clock.Advance(TimeSpan.FromMinutes(2));
        var second = await snapshots.CurrentAsync(DefenderWorld.Tenant, ExportKinds.Software, null, default);
        second.TimePath.ShouldBe("2026-03-04/0601/");
        (await RowsAsync(snapshots, second)).Single().GetProperty("SoftwareVersion").GetString().ShouldBe("137.0.1");
        var earlier = await snapshots.FindAsync(DefenderWorld.Tenant, ExportKinds.Software, null, first.TimePath, default);
        var row = (await RowsAsync(snapshots, earlier!)).Single();
        row.GetProperty("SoftwareVersion").GetString().ShouldBe("136.0.1");
        row.TryGetProperty("RegistryPaths", out _).ShouldBeFalse();
        row.GetProperty("RbacGroupName").GetString().ShouldBe("None");
        (await snapshots.FindAsync(Guid.NewGuid(), ExportKinds.Software, null, first.TimePath, default)).ShouldBeNull();

        await snapshots.ExpireAsync(DefenderWorld.Tenant, default);
        (await snapshots.CurrentAsync(DefenderWorld.Tenant, ExportKinds.Software, null, default)).TimePath.ShouldBe("2026-03-04/0602/");
    }

    [Fact]
    public async Task Changes_tell_what_is_new_fixed_and_updated()
    {
        await using var world = await DefenderWorld.CreateAsync(start: new DateTime(2026, 3, 4, 7, 0, 0, DateTimeKind.Utc));
        await world.AddMachineAsync();
        await world.LearnAsync(Cve("CVE-2025-1", 9.8, "google:chrome", "137.0"), Cve("CVE-2025-2", 5, "google:chrome", "138.0"));
        await world.ReportAsync(1, Old);
        await world.AssessAsync();
        (await ChangesAsync(world)).ShouldBe(["New 136.0.1 CVE-2025-1", "New 136.0.1 CVE-2025-2"]);

        // An update repairs one and leaves the other, which counts as new for the new version, first seen when the old one was.
        world.Clock.Advance(TimeSpan.FromDays(1));
        await world.ReportAsync(1, Newer);
        (await ChangesAsync(world)).ShouldBe(["Fixed 136.0.1 CVE-2025-1", "Fixed 136.0.1 CVE-2025-2", "New 137.0.1 CVE-2025-2"]);
        var rows = await DeltaAsync(world, world.Now);
        rows.Single(r => r.GetProperty("Status").GetString() == "New").GetProperty("FirstSeenTimestamp").GetString().ShouldBe("2026-03-04 07:00:00.000");

        world.Clock.Advance(TimeSpan.FromDays(1));
        await world.LearnAsync(Cve("CVE-2025-2", 7.5, "google:chrome", "138.0"));
        (await ChangesAsync(world)).ShouldBe(["Updated 137.0.1 CVE-2025-2"]);

        // Two days later nothing has changed; from the beginning everything has.
        world.Clock.Advance(TimeSpan.FromDays(2));
        (await ChangesAsync(world)).ShouldBeEmpty();
        (await DeltaAsync(world, world.Now.AddDays(-5))).Count.ShouldBe(6);
    }

    [Fact]
    public async Task A_device_that_changes_its_group_leaves_one_and_enters_the_other()
    {
        await using var world = await DefenderWorld.CreateAsync(start: new DateTime(2026, 3, 4, 7, 0, 0, DateTimeKind.Utc));
        await world.AddMachineAsync(1, m => (m.RbacGroupId, m.RbacGroupName) = (1, "Lab"));
        await world.LearnAsync(Cve("CVE-2025-1", 9.8, "google:chrome", "137.0"));
        await world.ReportAsync(1, Old);
        await world.AssessAsync();
        world.Clock.Advance(TimeSpan.FromDays(1));
        await using (var state = world.Open())
        {
            state.DeviceGroups.Add(new DeviceGroup { TenantId = DefenderWorld.Tenant, Id = 2, Name = "Field" });
            var machine = state.Machines.Single();
            (machine.RbacGroupId, machine.RbacGroupName) = (2, "Field");
            await state.SaveChangesAsync();
        }

        var rows = await DeltaAsync(world, world.Now);
        rows.Select(r => $"{r.GetProperty("Status")} {r.GetProperty("RbacGroupName")} {r.GetProperty("RbacGroupId")}").Order(StringComparer.Ordinal).ShouldBe(["Fixed Lab 1", "New Field 2"]);
    }

    [Fact]
    public async Task Files_hold_one_group_each()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync(1, m => (m.RbacGroupId, m.RbacGroupName) = (1, "Lab"));
        await world.AddMachineAsync(2);
        await world.ReportAsync(1, Old);
        await world.ReportAsync(2, Old);
        var snapshot = await world.Get<ExportSnapshots>().CurrentAsync(DefenderWorld.Tenant, ExportKinds.Vulnerabilities, null, default);
        snapshot.Files.Select(f => (f.Group, f.Rows)).ShouldBe([(0, 1), (1, 1)]);
        snapshot.Files[1].Path.ShouldContain("/VaExport/json/OrgId=11111111-2222-4333-8444-555555555555/_RbacGroupId=1/part-00000-");
    }

    private static async Task<List<string>> ChangesAsync(DefenderWorld world) =>
        [.. (await DeltaAsync(world, world.Now)).Select(r => $"{r.GetProperty("Status")} {r.GetProperty("SoftwareVersion")} {r.GetProperty("CveId")}").Order(StringComparer.Ordinal)];

    private static async Task<List<JsonElement>> DeltaAsync(DefenderWorld world, DateTime since)
    {
        var snapshots = world.Get<ExportSnapshots>();
        return await RowsAsync(snapshots, await snapshots.CurrentAsync(DefenderWorld.Tenant, ExportKinds.Changes, ExportSnapshots.BucketOf(since), default));
    }

    private static async Task<List<JsonElement>> RowsAsync(ExportSnapshots snapshots, ExportSnapshot snapshot)
    {
        var rows = new List<JsonElement>();
        foreach (var file in snapshot.Files)
            await foreach (var line in snapshots.LinesAsync(file, 0, default)) rows.Add(JsonDocument.Parse(line).RootElement);
        return rows;
    }
}
