using Vedette.Agent.Contract;
using Vedette.Defender.State;
using Vedette.Defender.Vulnerabilities.Inventory;
using Vedette.Defender.Vulnerabilities.Remediation;
using static Vedette.Defender.Tests.Vulnerabilities.TvmWorld;

namespace Vedette.Defender.Tests.Vulnerabilities;

public sealed class AssessmentTests
{
    private static readonly SoftwareItem OldChrome = new("google", "chrome", "136.0.1") { DiskPaths = [@"C:\Program Files\Google\Chrome\Application\chrome.exe"] };
    private static readonly SoftwareItem NewChrome = new("google", "chrome", "138.0.7204.96");
    private static readonly SoftwareItem SevenZip = new("7-zip", "7-zip", "24.09");

    [Fact]
    public async Task Inventory_and_knowledge_give_products_vulnerabilities_and_recommendations()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync(1, m => m.DeviceValue = DeviceValue.High);
        await world.AddMachineAsync(2);
        await world.LearnAsync(
            Cve("CVE-2025-1", 9.8, "google:chrome", "137.0", e => e with { ExploitVerified = true }),
            Cve("CVE-2025-2", 5, "google:chrome", "138.0.7204.96"),
            Cve("CVE-2025-3", 7, "other:thing", null));
        await world.ReportAsync(1, OldChrome, SevenZip);
        await world.ReportAsync(2, NewChrome, SevenZip);
        await world.AssessAsync();

        (await world.QueryAsync<(string, long, bool, long, long)>("SELECT id, weaknesses, public_exploit, exposed_machines, installed_machines FROM defender.tvm_products ORDER BY id"))
            .ShouldBe([("7-zip-_-7-zip", 0, false, 0, 2), ("google-_-chrome", 2, true, 1, 2)]);
        (await world.QueryAsync<(string, long)>("SELECT id, exposed_machines FROM defender.tvm_vulnerabilities ORDER BY id")).ShouldBe([("CVE-2025-1", 1), ("CVE-2025-2", 1)]);
        (await world.OneAsync<(string, string, string, string, long)>("SELECT id, recommendation_name, recommended_version, remediation_type, exposed_critical_devices FROM defender.tvm_recommendations"))
            .ShouldBe(("va-_-google-_-chrome", "Update Google Chrome to version 138.0.7204.96", "138.0.7204.96", "Update", 1));

        // 0.98 squared times 0.1, and 0.5 squared times 0.02.
        var risk = await world.OneAsync<double>("SELECT risk FROM defender.tvm_machines WHERE machine_id LIKE '%1'");
        risk.ShouldBe(0.98 * 0.98 * 0.1 + 0.25 * 0.02, 1e-9);
        var impact = await world.OneAsync<double>("SELECT impact_score FROM defender.tvm_products WHERE name = 'chrome'");
        impact.ShouldBe(100 * (1 - Math.Exp(-risk)) * 2 / 3, 1e-9);
    }

    [Fact]
    public async Task New_knowledge_is_matched_against_the_inventory_that_is_there()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        await world.ReportAsync(1, OldChrome);
        await world.AssessAsync();
        (await world.QueryAsync<string>("SELECT id FROM defender.tvm_vulnerabilities")).ShouldBeEmpty();

        await world.LearnAsync(Cve("CVE-2025-1", 9.8, "google:chrome", "137.0"));
        await world.AssessAsync();
        (await world.QueryAsync<string>("SELECT id FROM defender.tvm_vulnerabilities")).ShouldBe(["CVE-2025-1"]);

        // The feed takes it back.
        await world.LearnAsync(Cve("CVE-2025-1", 9.8, "google:chrome", "100.0"));
        await world.AssessAsync();
        (await world.QueryAsync<string>("SELECT id FROM defender.tvm_vulnerabilities")).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_update_removes_the_old_version_and_keeps_when_the_product_was_first_seen()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        var first = world.Now;
        await world.ReportAsync(1, OldChrome, SevenZip);
        world.Clock.Advance(TimeSpan.FromDays(2));
        await world.ReportAsync(1, NewChrome, SevenZip);

        var rows = await world.QueryAsync<(string, DateTime, DateTime, bool)>(
            "SELECT v.version, i.first_seen, i.added_at, i.removed_at IS NULL FROM defender.installations i JOIN defender.software_versions v ON v.id = i.version_id ORDER BY v.version");
        rows.ShouldBe([("136.0.1", first, first, false), ("138.0.7204.96", first, world.Now, true), ("24.09", first, first, true)]);
    }

    [Fact]
    public async Task A_report_without_software_leaves_the_software_and_an_empty_list_removes_it()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        await world.ReportAsync(1, SevenZip);
        var device = new DeviceSession(DefenderWorld.Tenant, DefenderWorld.MachineId(1));
        await world.Get<IInventoryChannel>().ReportInventoryAsync(device, new InventoryReport { Hardware = [new HardwareItem("Bios", "Dell Inc.", "Dell BIOS", "1.2")] }, default);
        (await world.OneAsync<long>("SELECT count(*) FROM defender.installations WHERE removed_at IS NULL")).ShouldBe(1);
        await world.ReportAsync(1);
        (await world.OneAsync<long>("SELECT count(*) FROM defender.installations WHERE removed_at IS NULL")).ShouldBe(0);
        (await world.OneAsync<string>("SELECT component_name FROM defender.hardware_components")).ShouldBe("Dell BIOS");
    }

    [Fact]
    public async Task Silent_and_excluded_devices_do_not_count()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync(1);
        await world.AddMachineAsync(2, m => m.IsExcluded = true);
        await world.LearnAsync(Cve("CVE-2025-1", 9.8, "google:chrome", "137.0"));
        await world.ReportAsync(1, OldChrome);
        await world.ReportAsync(2, OldChrome);
        await world.AssessAsync();
        (await world.OneAsync<long>("SELECT exposed_machines FROM defender.tvm_products")).ShouldBe(1);
        world.Clock.Advance(TimeSpan.FromDays(31));
        await world.AssessAsync();
        (await world.QueryAsync<long>("SELECT exposed_machines FROM defender.tvm_products")).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_exposure_of_a_device_is_carried_over_with_a_hunting_row()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        await world.LearnAsync([.. Enumerable.Range(1, 20).Select(n => Cve($"CVE-2025-{n}", 10, "google:chrome", null, e => e with { ExploitInKit = true, ExploitVerified = true }))]);
        await world.ReportAsync(1, OldChrome);
        await world.AssessAsync();
        (await world.OneAsync<string>("SELECT exposure_level FROM defender.machines")).ShouldBe("High");
        (await world.OneAsync<string>("SELECT rows FROM defender.outbox")).ShouldContain("\"ExposureLevel\":\"High\"");
    }

    [Fact]
    public async Task An_open_alert_on_a_file_of_a_weak_product_shows()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        await world.LearnAsync(Cve("CVE-2025-1", 9.8, "google:chrome", "137.0"));
        await world.ReportAsync(1, OldChrome);
        await world.AssessAsync();
        (await world.OneAsync<bool>("SELECT active_alert FROM defender.tvm_products")).ShouldBeFalse();
        await using (var state = world.Open())
        {
            state.Alerts.Add(new Alert
            {
                TenantId = DefenderWorld.Tenant, Id = "da1_1", Title = "t", Description = "d", Category = "Execution", MachineId = DefenderWorld.MachineId(1), DetectorId = Guid.NewGuid(),
                AlertCreationTime = world.Now, FirstEventTime = world.Now, LastEventTime = world.Now, LastUpdateTime = world.Now,
                Evidence = [new AlertEvidence { TenantId = DefenderWorld.Tenant, AlertId = "da1_1", EntityType = EvidenceKind.File, FileName = "CHROME.exe", EvidenceCreationTime = world.Now }],
            });
            await state.SaveChangesAsync();
        }

        await world.AssessAsync();
        (await world.OneAsync<bool>("SELECT active_alert FROM defender.tvm_products")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_remediation_follows_its_devices_to_the_end()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync(1);
        await world.AddMachineAsync(2);
        await world.LearnAsync(Cve("CVE-2025-1", 9.8, "google:chrome", "137.0"));
        await world.ReportAsync(1, OldChrome);
        await world.ReportAsync(2, OldChrome);
        await world.AssessAsync();
        var service = world.Get<RemediationService>();
        (await service.CreateAsync(DefenderWorld.Caller, new RemediationRequest("va-_-no-_-such", world.Now), default)).Error!.Refusal.ShouldBe(Refusal.ResourceNotFound);
        (await service.CreateAsync(DefenderWorld.Caller, new RemediationRequest("va-_-google-_-chrome", world.Now.AddDays(7), "High"), default)).Error.ShouldBeNull();
        await world.ReportAsync(1, NewChrome);
        await world.AssessAsync();
        (await world.OneAsync<(string, long)>("SELECT status, (SELECT count(*) FROM defender.remediation_targets WHERE is_fixed) FROM defender.remediation_tasks")).ShouldBe(("Active", 1));
        await world.ReportAsync(2, NewChrome);
        await world.AssessAsync();
        (await world.OneAsync<(string, string)>("SELECT status, completion_method FROM defender.remediation_tasks")).ShouldBe(("Completed", "Automatic"));
    }

    [Fact]
    public async Task A_simulated_device_always_reports_the_same()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var machine = await world.AddMachineAsync();
        var device = SimulatedDevice.Of(machine);
        var one = SimulatedInventory.Report(device, world.Now);
        var other = SimulatedInventory.Report(device, world.Now);
        System.Text.Json.JsonSerializer.Serialize(one).ShouldBe(System.Text.Json.JsonSerializer.Serialize(other));
        await world.Get<InventoryIntake>().StoreAsync(DefenderWorld.Tenant, [new MachineInventory(machine.Id, one)], default);
        await world.AssessAsync();
        (await world.OneAsync<long>("SELECT count(*) FROM defender.configuration_assessments")).ShouldBeGreaterThan(20);
        (await world.OneAsync<long>("SELECT count(*) FROM defender.tvm_recommendations WHERE configuration_id IS NOT NULL")).ShouldBeGreaterThan(0);
    }
}
