namespace Vedette.Telemetry.Import;

/// <summary>An account that was signed in on a device.</summary>
/// <param name="UserName">Account name, in lower case.</param>
/// <param name="DomainName">Domain or host of the account, in lower case; empty when unknown.</param>
/// <param name="Sid">Security identifier; empty when unknown.</param>
public sealed record ObservedUser(string UserName, string DomainName, string Sid)
{
    /// <summary>Earliest sign of the user.</summary>
    public DateTime FirstSeen { get; init; }

    /// <summary>Latest sign of the user.</summary>
    public DateTime LastSeen { get; init; }

    /// <summary>Kinds of logon seen, for instance <c>Interactive</c>, <c>RemoteInteractive</c>, <c>Network</c>.</summary>
    public IReadOnlyList<string> LogonTypes { get; init; } = [];
}

/// <summary>A program that ran on a device, as its file tells.</summary>
/// <param name="Company">Who made it.</param>
/// <param name="Product">Product that the file belongs to.</param>
/// <param name="Version">Version of the file.</param>
/// <param name="Path">The file.</param>
public sealed record ObservedSoftware(string Company, string Product, string Version, string Path);

/// <summary>What logs tell about a device. Times are UTC and already moved when the import moves times.</summary>
public sealed record ObservedDevice
{
    /// <summary>Device id: see <see cref="DeviceIdentity"/>.</summary>
    public required string DeviceId { get; init; }

    /// <summary>Name as the logs spell it, in lower case, with its domain when the logs give one.</summary>
    public required string Name { get; init; }

    /// <summary>Platform as the service spells it (<c>Windows10</c>, <c>WindowsServer2019</c>, <c>Linux</c> …).</summary>
    public required string OsPlatform { get; init; }

    /// <summary>Version of the operating system, for instance <c>10.0</c>; empty when unknown.</summary>
    public string OsVersion { get; init; } = "";

    /// <summary>Build number; null when unknown.</summary>
    public long? OsBuild { get; init; }

    /// <summary>Addresses of the device's own adapters, most used first.</summary>
    public IReadOnlyList<string> IpAddresses { get; init; } = [];

    /// <summary>Hardware addresses.</summary>
    public IReadOnlyList<string> MacAddresses { get; init; } = [];

    /// <summary>Earliest event.</summary>
    public DateTime FirstSeen { get; init; }

    /// <summary>Latest event.</summary>
    public DateTime LastSeen { get; init; }

    /// <summary>Accounts that were signed in.</summary>
    public IReadOnlyList<ObservedUser> LoggedOnUsers { get; init; } = [];

    /// <summary>Revision of the build; null when unknown.</summary>
    public int? OsRevision { get; init; }

    /// <summary>Programs that ran and that tell who made them.</summary>
    public IReadOnlyList<ObservedSoftware> Software { get; init; } = [];
}

/// <summary>Hears of devices, so that the domain's machines stay in step with telemetry.</summary>
public interface IDeviceObserver
{
    /// <summary>
    /// Devices seen. Called before a file's rows are stored, so that who acts on rows finds the devices they name; after a crash it is called
    /// again with the same devices, so it must add up to the same state.
    /// </summary>
    Task ObserveAsync(Guid tenantId, IReadOnlyList<ObservedDevice> devices, CancellationToken cancellationToken);
}
