using Vedette.Defender.Vulnerabilities.Inventory;
using Vedette.Telemetry.Import;
using static Vedette.Defender.Tests.Vulnerabilities.TvmWorld;

namespace Vedette.Defender.Tests.Vulnerabilities;

public sealed class ImportedSoftwareTests
{
    [Theory]
    [InlineData("Google LLC", "Google Chrome", "137.0.7151.104", "google", "chrome", "137.0.7151.104")]
    [InlineData("Mozilla Foundation", "Firefox", "139.0", "mozilla", "firefox", "139.0")]
    [InlineData("Microsoft Corporation", "Microsoft® SQL Server®", "16.0.4195.2 (SQLServer2022)", "microsoft", "sql_server", "16.0.4195.2")]
    [InlineData("Igor Pavlov", "7-Zip", "24.09", "igor_pavlov", "7-zip", "24.09")]
    public void Names_are_written_as_product_codes_write_them(string company, string product, string version, string vendor, string name, string number)
    {
        var item = ImportedSoftware.Of(Device(new ObservedSoftware(company, product, version, @"C:\x.exe"))).Single();
        (item.Vendor, item.Name, item.Version).ShouldBe((vendor, name, number));
    }

    [Fact]
    public void Parts_of_the_system_stand_for_the_system()
    {
        var part = new ObservedSoftware("Microsoft Corporation", "Microsoft® Windows® Operating System", "10.0.19041.1 (WinBuild.160101.0800)", @"C:\Windows\System32\cmd.exe");
        ImportedSoftware.Of(Device(part)).ShouldBeEmpty();
        var system = ImportedSoftware.Of(Device(part) with { OsBuild = 19045, OsRevision = 5965 }).Single();
        (system.Vendor, system.Name, system.Version, system.Package).ShouldBe(("microsoft", "windows_10", "10.0.19045.5965", "microsoft:windows_10_22h2"));
    }

    [Fact]
    public async Task What_ran_is_added_to_what_is_known_and_removes_nothing()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var observer = world.Get<IDeviceObserver>();
        var device = Device(new ObservedSoftware("Google LLC", "Google Chrome", "136.0", @"C:\chrome.exe"));
        await observer.ObserveAsync(DefenderWorld.Tenant, [device], default);
        await observer.ObserveAsync(DefenderWorld.Tenant, [device with { Software = [new ObservedSoftware("Mozilla Corporation", "Firefox", "139.0", @"C:\firefox.exe")] }], default);
        await world.LearnAsync(Cve("CVE-2025-1", 9, "google:chrome", "137"));
        await world.AssessAsync();
        (await world.QueryAsync<string>("SELECT name FROM defender.tvm_products ORDER BY name")).ShouldBe(["chrome", "firefox"]);
        (await world.QueryAsync<string>("SELECT id FROM defender.tvm_vulnerabilities")).ShouldBe(["CVE-2025-1"]);
    }

    private static ObservedDevice Device(params ObservedSoftware[] software) => new()
    {
        DeviceId = DefenderWorld.MachineId(9), Name = "pc-9.example.test", OsPlatform = "Windows10", FirstSeen = new DateTime(2026, 3, 3, 0, 0, 0, DateTimeKind.Utc),
        LastSeen = new DateTime(2026, 3, 4, 0, 0, 0, DateTimeKind.Utc), Software = software,
    };
}
