using System.Text.Json;
using Vedette.Telemetry.Ingest;

namespace Vedette.Telemetry.Import.Mapping;

/// <summary>What logs tell of devices themselves: rows of DeviceInfo and DeviceNetworkInfo, and what the domain hears.</summary>
internal static class DeviceRows
{
    // The service records a device about once an hour while it is in use.
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    // Kinds of logon of people who see the screen, near or far.
    private static readonly string[] AtTheScreen =
        ["Interactive", "RemoteInteractive", "CachedInteractive", "Unlock", "CachedRemoteInteractive", "CachedUnlock"];

    private const long ReportIdMask = (1L << 53) - 1;

    /// <summary>Adds the rows that are due: at the device's first event and hourly after.</summary>
    public static void AddIfDue(DeviceState device, DateTime time, TimeSpan shift, List<HuntingRow> rows)
    {
        if (device.Recorded is { } recorded && time - recorded < Interval) return;
        device.Recorded = time;
        var moved = EventClock.Move(time, shift);
        var platform = device.Platform;
        var isServer = platform.Platform.StartsWith("WindowsServer", StringComparison.Ordinal);
        var reportId = (long)(StableHash.Mix(StableHash.Of(device.Id) + (ulong)time.Ticks) & ReportIdMask);
        var info = HuntingRow.For("DeviceInfo");
        info["Timestamp"] = moved;
        info["DeviceId"] = device.Id;
        info["DeviceName"] = device.Name;
        info["OSPlatform"] = platform.Platform;
        info["OSVersion"] = platform.Version;
        info["OSBuild"] = platform.Build is { } build ? (long)build : null;
        info["OsBuildRevision"] = platform.Revision?.ToString(System.Globalization.CultureInfo.InvariantCulture);
        info["OSArchitecture"] = "64-bit";
        info["IsAzureADJoined"] = false;
        info["LoggedOnUsers"] = LoggedOnUsers(device);
        info["OnboardingStatus"] = "Onboarded";
        info["SensorHealthState"] = "Active";
        info["DeviceCategory"] = "Endpoint";
        info["DeviceType"] = isServer || platform.Platform == "Linux" ? "Server" : "Workstation";
        info["ReportId"] = reportId;
        rows.Add(info);

        if (device.Addresses is not { Count: > 0 } addresses) return;
        var network = HuntingRow.For("DeviceNetworkInfo");
        network["Timestamp"] = moved;
        network["DeviceId"] = device.Id;
        network["DeviceName"] = device.Name;
        network["NetworkAdapterType"] = "Ethernet";
        network["NetworkAdapterStatus"] = "Up";
        network["IPAddresses"] = JsonSerializer.Serialize(addresses.Select(address => new
        {
            IPAddress = address,
            SubnetPrefix = address.Contains(':', StringComparison.Ordinal) ? 64 : 24,
            AddressType = IpKinds.Kind(address),
        }));
        network["OnboardingStatus"] = "Onboarded";
        network["ReportId"] = reportId;
        rows.Add(network);
    }

    /// <summary>What the domain hears of a device.</summary>
    public static ObservedDevice Observe(DeviceState device, TimeSpan shift) => new()
    {
        DeviceId = device.Id,
        Name = device.Name,
        OsPlatform = device.Platform.Platform,
        OsVersion = device.Platform.Version,
        OsBuild = device.Platform.Build,
        OsRevision = device.Platform.Revision,
        Software = device.Software,
        IpAddresses = device.Addresses,
        FirstSeen = EventClock.Move(device.FirstSeen, shift),
        LastSeen = EventClock.Move(device.LastSeen, shift),
        LoggedOnUsers =
        [
            .. device.Users.Values.OrderBy(user => user.Domain, StringComparer.Ordinal).ThenBy(user => user.Name, StringComparer.Ordinal).Select(user =>
                new ObservedUser(user.Name, user.Domain, user.Sid ?? device.SidOf(user.Domain, user.Name) ?? "")
                {
                    FirstSeen = EventClock.Move(user.FirstSeen, shift),
                    LastSeen = EventClock.Move(user.LastSeen, shift),
                    LogonTypes = [.. user.LogonTypes],
                }),
        ],
    };

    private static string LoggedOnUsers(DeviceState device) =>
        JsonSerializer.Serialize(device.Users.Values
            .Where(user => user.LogonTypes.Overlaps(AtTheScreen))
            .OrderBy(user => user.Domain, StringComparer.Ordinal).ThenBy(user => user.Name, StringComparer.Ordinal)
            .Select(user => new { UserName = user.Name, DomainName = user.Domain, Sid = user.Sid ?? device.SidOf(user.Domain, user.Name) ?? "" }));
}
