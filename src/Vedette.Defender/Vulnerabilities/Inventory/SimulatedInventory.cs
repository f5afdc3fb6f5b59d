using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Vedette.Agent.Contract;
using Vedette.Defender.State;
using Vedette.Defender.Vulnerabilities.Posture;

namespace Vedette.Defender.Vulnerabilities.Inventory;

/// <summary>A device without an agent, as far as its inventory follows from it.</summary>
/// <param name="MachineId">The device.</param>
/// <param name="Platform">Its platform, such as <c>Windows11</c>.</param>
public sealed record SimulatedDevice(string MachineId, string Platform)
{
    /// <summary>Full name.</summary>
    public string DnsName { get; init; } = "";

    /// <summary>Release, such as <c>24H2</c>.</summary>
    public string Release { get; init; } = "";

    /// <summary>Whole version of the system: <c>10.0.26100.4349</c>, <c>22.04</c>.</summary>
    public string Version { get; init; } = "";

    /// <summary>Distribution of a Linux system.</summary>
    public string? Distribution { get; init; }

    /// <summary>What it is used for: <c>client</c>, <c>server</c>, <c>web</c>, <c>db</c> …</summary>
    public IReadOnlyCollection<string> Roles { get; init; } = [];

    /// <summary>Whose it is; software may be for some departments only.</summary>
    public string Department { get; init; } = "";

    /// <summary>Who made it.</summary>
    public string Manufacturer { get; init; } = "QEMU";

    /// <summary>Its model.</summary>
    public string Model { get; init; } = "Standard PC";

    /// <summary>Since when it is there, UTC.</summary>
    public DateTime Since { get; init; }

    /// <summary>Whether it scans other devices.</summary>
    public bool IsScanner { get; init; }

    /// <summary>What follows from a device's record alone.</summary>
    public static SimulatedDevice Of(Machine machine)
    {
        var isWindows = machine.OsPlatform.StartsWith("Windows", StringComparison.Ordinal);
        var isServer = machine.OsPlatform.StartsWith("WindowsServer", StringComparison.Ordinal);
        return new SimulatedDevice(machine.Id, machine.OsPlatform)
        {
            DnsName = machine.ComputerDnsName ?? machine.Id,
            Release = machine.Version,
            Version = isWindows ? $"10.0.{machine.OsBuild ?? 19045}.{Revision(machine.OsBuild)}" : machine.OsVersion ?? machine.Version,
            Distribution = machine.OsDistribution,
            Roles = isServer ? ["windows", "server"] : isWindows ? ["windows", "client"] : machine.OsPlatform == "macOS" ? ["mac"] : ["linux", "web"],
            Department = "Finance",
            Since = machine.FirstSeen,
        };
    }

    // The monthly update of June 2025 for each release.
    private static int Revision(long? build) => build switch { 26100 => 4349, 22631 => 5472, 22621 => 5472, 19045 => 5965, 20348 => 3807, 17763 => 7434, 14393 => 8148, _ => 1 };
}

/// <summary>What simulated devices report of themselves. A device always reports the same: all chances follow from its id.</summary>
public static class SimulatedInventory
{
    private static readonly Lazy<Facts> Loaded = new(() => TvmJson.Resource<Facts>("simulated-inventory"));

    /// <summary>Baseline profiles that fit the simulated devices.</summary>
    public static IReadOnlyList<BaselineProfile> Profiles =>
    [
        .. Loaded.Value.Profiles.Select(p => new BaselineProfile(p.Name, p.OperatingSystem)
        {
            Description = p.Description, Benchmark = p.Benchmark, Version = p.Version, OperatingSystemVersion = p.OperatingSystemVersion, ComplianceLevel = p.ComplianceLevel, IsActive = p.Status,
        }),
    ];

    /// <summary>A device's whole report.</summary>
    /// <param name="device">The device.</param>
    /// <param name="now">Time of the report, UTC.</param>
    public static InventoryReport Report(SimulatedDevice device, DateTime now)
    {
        var software = Software(device).ToList();
        var isWindows = device.Roles.Contains("windows");
        return new InventoryReport
        {
            Software = software,
            Configurations = Configurations(device),
            Settings = isWindows ? BaselineCatalogue.All.ToDictionary(c => c.Source, c => Chance(device, c.Id) < 0.12 ? c.Value : c.Simulated, StringComparer.Ordinal) : null,
            Certificates = isWindows ? Certificates(device) : [],
            BrowserExtensions = device.Roles.Contains("client") ? Extensions(device) : [],
            Hardware = Hardware(device),
            Antivirus = Antivirus(device, now),
            Gathered = Gathered(device, software),
            ScannerVersion = device.IsScanner ? "10.8630.19041.1" : null,
        };
    }

    private static IEnumerable<SoftwareItem> Software(SimulatedDevice device)
    {
        yield return OperatingSystem(device) with { FirstSeen = device.Since };
        foreach (var facts in Loaded.Value.Software)
        {
            if (!facts.Roles.Any(device.Roles.Contains)) continue;
            if (facts.Departments is { Length: > 0 } departments && !departments.Contains(device.Department)) continue;
            var old = facts.Older is not null && Chance(device, facts.Name) < facts.OlderShare;
            yield return new SoftwareItem(facts.Vendor, facts.Name, old ? facts.Older! : facts.Version)
            {
                Scheme = facts.Scheme,
                Package = facts.Package,
                DiskPaths = facts.Path is { } path ? [path] : [],
                RegistryPaths = facts.Registry is { } registry ? [registry] : [],
                FirstSeen = device.Since,
            };
        }
    }

    /// <summary>The operating system as a piece of software.</summary>
    internal static SoftwareItem OperatingSystem(SimulatedDevice device)
    {
        var platform = device.Platform;
        if (platform.StartsWith("WindowsServer", StringComparison.Ordinal))
            return new SoftwareItem("microsoft", $"windows_server_{platform["WindowsServer".Length..].ToLowerInvariant()}", device.Version);
        if (platform.StartsWith("Windows", StringComparison.Ordinal))
        {
            var name = $"windows_{platform["Windows".Length..].ToLowerInvariant()}";
            return new SoftwareItem("microsoft", name, device.Version) { Package = $"microsoft:{name}_{device.Release.ToLowerInvariant()}" };
        }

        if (platform == "macOS") return new SoftwareItem("apple", "macos", device.Version);
        return device.Distribution?.StartsWith("Debian", StringComparison.OrdinalIgnoreCase) == true
            ? new SoftwareItem("debian", "debian_linux", device.Version)
            : new SoftwareItem("canonical", "ubuntu_linux", device.Version);
    }

    private static List<ConfigurationItem> Configurations(SimulatedDevice device) =>
    [
        .. ConfigurationCatalogue.All.Where(c => c.Platforms.Any(p => device.Platform.StartsWith(p, StringComparison.Ordinal))).Select(c =>
        {
            // How far an organisation is with a configuration differs from one to the next; a sensor that reports at all is on.
            var share = c.Subcategory == "EDR" ? 1 : 0.35 + 0.65 * Chance(c.Id);
            return new ConfigurationItem(c.Id, Chance(device, c.Id) < share);
        }),
    ];

    private static List<CertificateItem> Certificates(SimulatedDevice device)
    {
        var domain = device.DnsName.Contains('.', StringComparison.Ordinal) ? device.DnsName[(device.DnsName.IndexOf('.', StringComparison.Ordinal) + 1)..] : "local";
        var root = Name($"{domain} Root CA", domain);
        var issuing = Name($"{domain} Issuing CA 1", domain);
        var begin = new DateTime(device.Since.Year - 1, 1 + (int)(Chance(device, "certificate") * 11), 1, 0, 0, 0, DateTimeKind.Utc);
        return
        [
            Certificate($"root/{domain}", @"LocalMachine\Root", root, root, new DateTime(2018, 3, 1, 0, 0, 0, DateTimeKind.Utc), 20) with
            {
                SubjectType = "CA", KeyLength = 4096, IsSelfSigned = true, KeyUsage = ["Certificate Signing", "CRL Signing"],
            },
            Certificate($"issuing/{domain}", @"LocalMachine\CA", issuing, root, new DateTime(2020, 6, 1, 0, 0, 0, DateTimeKind.Utc), 10) with
            {
                SubjectType = "CA", KeyLength = 4096, KeyUsage = ["Certificate Signing", "CRL Signing"],
            },
            Certificate($"machine/{device.MachineId}", @"LocalMachine\My", Name(device.DnsName, domain), issuing, begin, 2) with
            {
                KeyUsage = ["Digital Signature", "Key Encipherment"], ExtendedKeyUsage = ["Client Authentication (1.3.6.1.5.5.7.3.2)", "Server Authentication (1.3.6.1.5.5.7.3.1)"],
            },
        ];

        static Dictionary<string, string> Name(string common, string domain) => new()
        {
            ["CommonName"] = common, ["OrganizationName"] = domain, ["OrganizationUnit"] = "IT", ["CountryName"] = "NL",
        };
    }

    private static CertificateItem Certificate(string name, string store, Dictionary<string, string> subject, Dictionary<string, string> issuer, DateTime begin, int years)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(name));
        var thumbprint = Convert.ToHexString(hash.AsSpan(0, 20));
        return new CertificateItem(thumbprint, $@"{store}\{thumbprint}", Convert.ToHexString(hash.AsSpan(20, 12)))
        {
            NotBefore = begin, NotAfter = begin.AddYears(years), Subject = subject, Issuer = issuer,
        };
    }

    private static List<BrowserExtensionItem> Extensions(SimulatedDevice device) =>
    [
        .. Loaded.Value.Extensions.Where(e => Chance(device, e.Browser + e.Id) < e.Share).Select(e => new BrowserExtensionItem(e.Browser, e.Id, e.Name, e.Version)
        {
            Vendor = e.Vendor,
            Description = e.Description,
            InstalledAt = device.Since,
            IsActivated = Chance(device, "on" + e.Id) < 0.9,
            Permissions = [.. e.Permissions.Select(p => new ExtensionPermissionItem(p, p is not ("<all_urls>" or "downloads")))],
        }),
    ];

    private static List<HardwareItem> Hardware(SimulatedDevice device) =>
    [
        new("Hardware", device.Manufacturer, device.Model, "")
        {
            Family = device.Model.Split(' ')[0],
            Additional = new Dictionary<string, string> { ["SystemSKU"] = $"{device.Model.Replace(' ', '_')}_SKU", ["BaseBoardManufacturer"] = device.Manufacturer, ["BaseBoardProduct"] = device.Model, ["BaseBoardVersion"] = "1.0", ["DeviceFamily"] = device.Platform },
        },
        new("Bios", device.Manufacturer, $"{device.Manufacturer} BIOS", string.Create(CultureInfo.InvariantCulture, $"1.{10 + (int)(Chance(device, "bios") * 20)}.0"))
        {
            Family = device.Model.Split(' ')[0], Additional = new Dictionary<string, string> { ["ReleaseDate"] = "2025-03-12" },
        },
        new("Processor", "Intel", device.Roles.Contains("client") ? "Intel(R) Core(TM) Ultra 7 155U" : "Intel(R) Xeon(R) Gold 6338", "") { Family = "Intel64" },
    ];

    private static AntivirusState Antivirus(SimulatedDevice device, DateTime now)
    {
        // Nine of ten devices are a few hours behind the newest definitions; the others were off for two weeks.
        var isWindows = device.Roles.Contains("windows");
        var behind = Chance(device, "definitions") < 0.9 ? TimeSpan.FromHours(2 + 9 * Chance(device, "hours")) : TimeSpan.FromDays(14);
        var updated = Whole(now - behind);
        var scanned = Whole(now.AddHours(-5 - 40 * Chance(device, "scan")));
        return new AntivirusState(Chance(device, "mode") < 0.95 ? "0" : "1")
        {
            SignatureVersion = string.Create(CultureInfo.InvariantCulture, $"1.{431 - (int)behind.TotalDays / 7}.{(int)(updated - updated.Date).TotalMinutes}.0"),
            EngineVersion = isWindows ? "1.1.25050.6" : "1.1.25040.1",
            PlatformVersion = isWindows ? "4.18.25050.5" : "101.24082.0004",
            SignatureUpdatedAt = updated,
            SignaturePublishedAt = updated.AddHours(-3),
            EngineUpdatedAt = Whole(now.AddDays(-9)),
            PlatformUpdatedAt = Whole(now.AddDays(-16)),
            QuickScanResult = "Completed",
            QuickScanTime = scanned,
            CloudProtection = Chance(device, "cloud") < 0.92,
        };
    }

    private static Dictionary<string, string?> Gathered(SimulatedDevice device, List<SoftwareItem> software)
    {
        var log4j = software.Any(s => s is { Vendor: "apache", Name: "log4j" });
        var facts = new Dictionary<string, string?>
        {
            ["AvSignatureRing"] = "Broad", ["AvPlatformRing"] = "Broad", ["AvEngineRing"] = "Broad", ["WdavorHeartbeatEventType"] = "0", ["IsAvEngineLoaded"] = "True",
            ["Log4j_CVE_2021_44228"] = log4j ? "Vulnerable" : "NotVulnerable", ["LocalCveScannerExecuted"] = "True", ["Log4jLocalScanVulnerable"] = log4j ? "True" : "False",
            ["Log4JEnvironmentVariableMitigation"] = "False", ["Spring4Shell_CVE_2022_22965"] = "NotVulnerable",
        };
        if (device.Roles.Contains("linux")) facts["EBPFStatus"] = "Enabled";
        return facts;
    }

    private static DateTime Whole(DateTime time) => new(time.Ticks - time.Ticks % TimeSpan.TicksPerSecond, DateTimeKind.Utc);

    private static double Chance(SimulatedDevice device, string purpose) => Chance($"{device.MachineId}/{purpose}");

    private static double Chance(string text) => BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text))) / (double)uint.MaxValue;

    private sealed record Facts(SoftwareFact[] Software, ExtensionFact[] Extensions, ProfileFact[] Profiles);

    private sealed record SoftwareFact(string Vendor, string Name, string Version, string[] Roles, string Scheme)
    {
        public string? Package { get; init; }

        public string? Path { get; init; }

        public string? Registry { get; init; }

        public string? Older { get; init; }

        public double OlderShare { get; init; }

        public string[]? Departments { get; init; }
    }

    private sealed record ExtensionFact(string Browser, string Id, string Name, string Version, string Vendor, string Description, double Share, string[] Permissions);

    private sealed record ProfileFact(
        string Name, string Description, string Benchmark, string Version, string OperatingSystem, string OperatingSystemVersion, string ComplianceLevel, string Platform, bool Status);
}
