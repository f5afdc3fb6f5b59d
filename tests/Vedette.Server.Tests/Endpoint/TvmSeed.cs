using Microsoft.Extensions.DependencyInjection;
using Vedette.Agent.Contract;
using Vedette.Defender;
using Vedette.Defender.State;
using Vedette.Defender.Vulnerabilities.Assessment;
using Vedette.Defender.Vulnerabilities.Inventory;
using Vedette.Defender.Vulnerabilities.Knowledge;
using Vedette.Defender.Vulnerabilities.Posture;
using Vedette.Defender.Vulnerabilities.Remediation;
using Vedette.Defender.Vulnerabilities.Scans;

namespace Vedette.Server.Tests.Endpoint;

/// <summary>A tenant with something of every kind that vulnerability management answers. The machines must be there.</summary>
internal static class TvmSeed
{
    public const string Product = "google-_-chrome";
    public const string Cve = "CVE-2025-6554";
    public const string Recommendation = "va-_-google-_-chrome";
    public static readonly Guid Task = new("44444444-4444-4555-8666-777777777777");

    public static readonly Guid Scan = new("44444444-4444-4555-8666-777777777778");
    public static readonly Guid SpareScan = new("44444444-4444-4555-8666-777777777779");
    public const string Session = "4444444444444555866677777777777a";

    /// <summary>Stores knowledge and reports of two Windows devices, a remediation and a scan with its history.</summary>
    public static async Task FillAsync(EndpointHost host, string machine, string other)
    {
        var services = host.Services;
        var caller = new Caller(EndpointHost.Tenant, "admin@contoso.example");
        await LearnAsync(
            host,
            new KnowledgeEntry(Cve)
            {
                Description = "A type confusion.", Cvss = 8.1, CvssVector = "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", PublishedOn = new DateTime(2025, 6, 30, 0, 0, 0, DateTimeKind.Utc),
                ExploitVerified = true, Epss = 0.11, Affected = [new AffectedRange("cpe", "google:chrome") { Fixed = "138.0.7204.96" }],
            },
            new KnowledgeEntry("CVE-2025-47981")
            {
                Description = "A heap overflow.", Cvss = 9.8, PublishedOn = new DateTime(2025, 7, 8, 0, 0, 0, DateTimeKind.Utc),
                Affected =
                [
                    new AffectedRange("cpe", "microsoft:windows_11_24h2") { Fixed = "10.0.26100.4652", FixId = "5062553", FixName = "July 2025 Security Updates", FixUrl = "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB5062553" },
                ],
            });
        var now = DateTime.UtcNow;
        foreach (var profile in SimulatedInventory.Profiles) await services.GetRequiredService<BaselineService>().SaveAsync(caller, profile, default);
        await services.GetRequiredService<InventoryIntake>().StoreAsync(
            EndpointHost.Tenant,
            [.. new[] { machine, other }.Select(id => new MachineInventory(id, Report(id, now)))],
            default);
        await services.GetRequiredService<VulnerabilityAssessment>().RunAsync(EndpointHost.Tenant, default);
        await services.GetRequiredService<RemediationService>().CreateAsync(
            caller, new RemediationRequest(Recommendation, now.AddDays(7), "High") { Id = Task, RequesterId = Guid.NewGuid(), Notes = "n" }, default);
        var made = await services.GetRequiredService<ScanService>().CreateAsync(
            caller,
            new ScanDraft
            {
                ScanType = "Windows", ScanName = "Lab", IsActive = true, Target = "10.0.0.1,10.9.9.9", TargetType = "Ip", IntervalInHours = 4, ScannerMachineId = machine,
                Authentication = """{"@odata.type":"#microsoft.windowsDefenderATP.api.WindowsAuthParams","type":"Kerberos","keyVaultUrl":null,"keyVaultSecretName":null,"domain":"contoso","username":"scan","isGmsaUser":true,"communityString":null,"authProtocol":null,"authPassword":null,"privProtocol":null,"privPassword":null}""",
            },
            default);
        await services.GetRequiredService<ScanService>().RunDueAsync(EndpointHost.Tenant, default);

        // Known identities, so that tests can name them.
        await host.ExecuteAsync(
            $"""
            ALTER TABLE defender.scan_sessions DROP CONSTRAINT scan_sessions_tenant_id_definition_id_fkey;
            UPDATE defender.scan_definitions SET id = '{Scan}' WHERE id = '{made.Value}';
            INSERT INTO defender.scan_definitions SELECT tenant_id, '{SpareScan}', scan_type, 'Spare', false, target, interval_in_hours, created_by, target_type, authentication,
                scanner_machine_id, created_at, next_run FROM defender.scan_definitions WHERE id = '{Scan}';
            UPDATE defender.scan_sessions SET id = '{Session}', definition_id = '{Scan}' WHERE definition_id = '{made.Value}';
            ALTER TABLE defender.scan_sessions ADD FOREIGN KEY (tenant_id, definition_id) REFERENCES defender.scan_definitions (tenant_id, id) ON DELETE CASCADE
            """);
    }

    public static async Task LearnAsync(EndpointHost host, params KnowledgeEntry[] entries)
    {
        var store = host.Services.GetRequiredService<KnowledgeStore>();
        await store.AddAsync(KnowledgeSource.Nvd, entries, default);
        await store.FinishAsync(new ImportedFeed("Nvd", "test", null, DateTime.UtcNow, entries.Length, entries.Length), default);
    }

    public static InventoryReport Report(string machine, DateTime now) => SimulatedInventory.Report(
        new SimulatedDevice(machine, "Windows11") { DnsName = "pc.contoso.example", Release = "24H2", Version = "10.0.26100.4349", Roles = ["windows", "client"], Department = "Finance", Since = now.AddDays(-3) }, now);

    /// <summary>Gives a machine of the seed the form of the devices above.</summary>
    public static void AsWindows(Machine machine)
    {
        machine.OsPlatform = "Windows11";
        machine.OsBuild = 26100;
        machine.Version = "24H2";
        machine.AgentVersion = "10.8760.26100.4349";
        machine.FirstSeen = DateTime.UtcNow.AddDays(-3);
        machine.LastSeen = DateTime.UtcNow;
    }
}
