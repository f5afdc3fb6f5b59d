namespace Vedette.Defender.Vulnerabilities.Scans;

/// <summary>What a caller asks of a scan. What is null stays as it is when a definition is updated.</summary>
public sealed record ScanDraft
{
    /// <summary><c>Windows</c> or <c>Network</c>; for new definitions only.</summary>
    public string? ScanType { get; init; }

    /// <summary>Its name.</summary>
    public string? ScanName { get; init; }

    /// <summary>Whether it runs.</summary>
    public bool? IsActive { get; init; }

    /// <summary>Addresses or names, separated by commas.</summary>
    public string? Target { get; init; }

    /// <summary><c>Ip</c> or <c>Hostname</c>.</summary>
    public string? TargetType { get; init; }

    /// <summary>Hours from one run to the next.</summary>
    public int? IntervalInHours { get; init; }

    /// <summary>The device that scans; for new definitions only.</summary>
    public string? ScannerMachineId { get; init; }

    /// <summary>How the scanner signs in, as JSON without any secret; null to leave it.</summary>
    public string? Authentication { get; init; }
}

/// <summary>What a scan found of one target.</summary>
/// <param name="Ip">Address.</param>
/// <param name="Hostname">Name.</param>
/// <param name="ScannedDeviceDescription">What it is.</param>
/// <param name="ErrorMessage">Why it could not be scanned; empty when it was.</param>
/// <param name="ScanStatus"><c>Success</c> or <c>Fail</c>.</param>
/// <param name="ScanDuration"><c>hh:mm:ss</c>.</param>
public sealed record ScannedTarget(string Ip, string Hostname, string ScannedDeviceDescription, string ErrorMessage, string ScanStatus, string ScanDuration);
