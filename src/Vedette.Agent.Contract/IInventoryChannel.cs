namespace Vedette.Agent.Contract;

/// <summary>How a device tells what it has and how it is configured. Every report may be repeated without harm.</summary>
public interface IInventoryChannel
{
    /// <summary>
    /// Takes over a report. A part that is null says nothing; a part that is there is the whole truth, so what it leaves out is gone.
    /// </summary>
    Task ReportInventoryAsync(DeviceSession device, InventoryReport report, CancellationToken cancellationToken);
}

/// <summary>What a device has and how it is configured.</summary>
public sealed record InventoryReport
{
    /// <summary>Installed software, the operating system included.</summary>
    public IReadOnlyList<SoftwareItem>? Software { get; init; }

    /// <summary>Outcomes of the security configuration checks.</summary>
    public IReadOnlyList<ConfigurationItem>? Configurations { get; init; }

    /// <summary>Values of settings by the place they are read from (a registry path, a file's key), for baselines.</summary>
    public IReadOnlyDictionary<string, string>? Settings { get; init; }

    /// <summary>Certificates in the device's stores.</summary>
    public IReadOnlyList<CertificateItem>? Certificates { get; init; }

    /// <summary>Browser extensions.</summary>
    public IReadOnlyList<BrowserExtensionItem>? BrowserExtensions { get; init; }

    /// <summary>Hardware and firmware.</summary>
    public IReadOnlyList<HardwareItem>? Hardware { get; init; }

    /// <summary>State of the antivirus.</summary>
    public AntivirusState? Antivirus { get; init; }

    /// <summary>Further facts that the device gathered, by the service's field names.</summary>
    public IReadOnlyDictionary<string, string?>? Gathered { get; init; }

    /// <summary>Version of the authenticated-scan software, when the device has it.</summary>
    public string? ScannerVersion { get; init; }
}

/// <summary>An installed piece of software.</summary>
/// <param name="Vendor">Vendor in lower case with underscores, such as <c>google</c>.</param>
/// <param name="Name">Product in lower case with underscores, such as <c>chrome</c>.</param>
/// <param name="Version">Version as the product writes it.</param>
public sealed record SoftwareItem(string Vendor, string Name, string Version)
{
    /// <summary>
    /// Where the version belongs: a distribution (<c>Debian:12</c>, <c>Ubuntu:22.04</c>), a registry (<c>npm</c>, <c>PyPI</c>) or <c>cpe</c>. It decides
    /// how versions compare and which knowledge applies. Empty when the software has no such identity: it is listed, never matched.
    /// </summary>
    public string Scheme { get; init; } = "cpe";

    /// <summary>Name in that scheme: the source package of a distribution, <c>vendor:product</c> of a CPE. Null means it follows from vendor and name.</summary>
    public string? Package { get; init; }

    /// <summary>Files that show that it is there.</summary>
    public IReadOnlyList<string> DiskPaths { get; init; } = [];

    /// <summary>Registry keys that show that it is there.</summary>
    public IReadOnlyList<string> RegistryPaths { get; init; } = [];

    /// <summary>When it was first seen, UTC, if the device knows; otherwise the time of the report.</summary>
    public DateTime? FirstSeen { get; init; }
}

/// <summary>The outcome of one security configuration check.</summary>
/// <param name="Id">The check, such as <c>scid-2012</c>.</param>
/// <param name="IsCompliant">Whether the device is configured as recommended.</param>
/// <param name="IsApplicable">Whether the check means anything on the device.</param>
/// <param name="Context">What was found, for people.</param>
public sealed record ConfigurationItem(string Id, bool IsCompliant, bool IsApplicable = true, IReadOnlyList<string>? Context = null);

/// <summary>A certificate.</summary>
/// <param name="Thumbprint">SHA-1 of the certificate, hexadecimal.</param>
/// <param name="Path">Store, folder and thumbprint, or the file.</param>
/// <param name="SerialNumber">Serial number, hexadecimal.</param>
public sealed record CertificateItem(string Thumbprint, string Path, string SerialNumber)
{
    /// <summary>Algorithm of the signature, such as <c>sha256RSA</c>.</summary>
    public string SignatureAlgorithm { get; init; } = "sha256RSA";

    /// <summary>Bits of the key.</summary>
    public int KeyLength { get; init; } = 2048;

    /// <summary>End of validity, UTC.</summary>
    public DateTime? NotAfter { get; init; }

    /// <summary>Begin of validity, UTC.</summary>
    public DateTime? NotBefore { get; init; }

    /// <summary><c>CA</c> or <c>EndEntity</c>.</summary>
    public string SubjectType { get; init; } = "EndEntity";

    /// <summary>Name given by people.</summary>
    public string? FriendlyName { get; init; }

    /// <summary>Parts of the subject's name, such as <c>CommonName</c>.</summary>
    public IReadOnlyDictionary<string, string>? Subject { get; init; }

    /// <summary>Parts of the issuer's name.</summary>
    public IReadOnlyDictionary<string, string>? Issuer { get; init; }

    /// <summary>What the key may be used for.</summary>
    public IReadOnlyList<string> KeyUsage { get; init; } = [];

    /// <summary>What it may further be used for.</summary>
    public IReadOnlyList<string> ExtendedKeyUsage { get; init; } = [];

    /// <summary>Whether it signed itself.</summary>
    public bool IsSelfSigned { get; init; }
}

/// <summary>A browser extension.</summary>
/// <param name="Browser">The browser, such as <c>chrome</c>.</param>
/// <param name="Id">The extension's id in its store.</param>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version.</param>
public sealed record BrowserExtensionItem(string Browser, string Id, string Name, string Version)
{
    /// <summary>What it is for.</summary>
    public string Description { get; init; } = "";

    /// <summary>Who made it.</summary>
    public string Vendor { get; init; } = "";

    /// <summary>Whether it is switched on.</summary>
    public bool IsActivated { get; init; } = true;

    /// <summary>When it was installed, UTC.</summary>
    public DateTime? InstalledAt { get; init; }

    /// <summary>What it asks for, and whether it works without.</summary>
    public IReadOnlyList<ExtensionPermissionItem> Permissions { get; init; } = [];
}

/// <summary>A permission of a browser extension.</summary>
/// <param name="Id">API permission or address pattern.</param>
/// <param name="IsRequired">Whether the extension cannot be installed without it.</param>
public sealed record ExtensionPermissionItem(string Id, bool IsRequired);

/// <summary>A piece of hardware or firmware.</summary>
/// <param name="Type"><c>Hardware</c>, <c>Bios</c>, <c>Processor</c> …</param>
/// <param name="Manufacturer">Who made it.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Version">Its version; empty when it has none.</param>
public sealed record HardwareItem(string Type, string Manufacturer, string Name, string Version)
{
    /// <summary>Family of the component.</summary>
    public string Family { get; init; } = "";

    /// <summary>Further facts.</summary>
    public IReadOnlyDictionary<string, string> Additional { get; init; } = new Dictionary<string, string>();
}

/// <summary>State of the antivirus.</summary>
/// <param name="Mode">0 active, 1 passive, 2 disabled, 3 other, 4 EDR in block mode, 5 passive audit; empty for others.</param>
public sealed record AntivirusState(string Mode)
{
    /// <summary>Version of the definitions.</summary>
    public string SignatureVersion { get; init; } = "";

    /// <summary>Version of the engine.</summary>
    public string EngineVersion { get; init; } = "";

    /// <summary>Version of the platform.</summary>
    public string PlatformVersion { get; init; } = "";

    /// <summary>When the definitions were updated, UTC.</summary>
    public DateTime? SignatureUpdatedAt { get; init; }

    /// <summary>When the engine was updated, UTC.</summary>
    public DateTime? EngineUpdatedAt { get; init; }

    /// <summary>When the platform was updated, UTC.</summary>
    public DateTime? PlatformUpdatedAt { get; init; }

    /// <summary>When the definitions were published, UTC.</summary>
    public DateTime? SignaturePublishedAt { get; init; }

    /// <summary>Result of the last quick scan that the device ran by itself: <c>Completed</c>, <c>Canceled</c>, <c>Failed</c>; empty when none ran.</summary>
    public string QuickScanResult { get; init; } = "";

    /// <summary>Its error as hexadecimal text; empty when there is none.</summary>
    public string QuickScanError { get; init; } = "";

    /// <summary>When it ran, UTC.</summary>
    public DateTime? QuickScanTime { get; init; }

    /// <summary>Result of the last full scan; see <see cref="QuickScanResult"/>.</summary>
    public string FullScanResult { get; init; } = "";

    /// <summary>Its error.</summary>
    public string FullScanError { get; init; } = "";

    /// <summary>When it ran, UTC.</summary>
    public DateTime? FullScanTime { get; init; }

    /// <summary>Whether cloud protection is on.</summary>
    public bool CloudProtection { get; init; } = true;
}
