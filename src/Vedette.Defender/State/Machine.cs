namespace Vedette.Defender.State;

/// <summary>A device, with every property of the API's machine resource and what the server itself must know about it.</summary>
public sealed class Machine
{
    /// <summary>Whose device.</summary>
    public Guid TenantId { get; set; }

    /// <summary>40 lower-case hexadecimal digits.</summary>
    public string Id { get; set; } = "";

    /// <summary>Full computer name, lower case as the service shows it.</summary>
    public string? ComputerDnsName { get; set; }

    /// <summary>When the device first reported, UTC.</summary>
    public DateTime FirstSeen { get; set; }

    /// <summary>When the device last sent a full report, UTC.</summary>
    public DateTime LastSeen { get; set; }

    /// <summary>Platform such as <c>Windows11</c> or <c>Linux</c>.</summary>
    public string OsPlatform { get; set; } = "";

    /// <summary>Version of the system; often null, as in the service.</summary>
    public string? OsVersion { get; set; }

    /// <summary>Processor such as <c>x64</c>.</summary>
    public string OsProcessor { get; set; } = "";

    /// <summary>Release such as <c>22H2</c>.</summary>
    public string Version { get; set; } = "";

    /// <summary>Last internal address.</summary>
    public string? LastIpAddress { get; set; }

    /// <summary>Last address seen from outside.</summary>
    public string? LastExternalIpAddress { get; set; }

    /// <summary>Version of the agent.</summary>
    public string? AgentVersion { get; set; }

    /// <summary>Build of the system.</summary>
    public long? OsBuild { get; set; }

    /// <summary>State of the sensor.</summary>
    public HealthStatus HealthStatus { get; set; } = HealthStatus.Active;

    /// <summary>What the device is worth to the organisation.</summary>
    public DeviceValue DeviceValue { get; set; } = DeviceValue.Normal;

    /// <summary>Device group; 0 means none.</summary>
    public int RbacGroupId { get; set; }

    /// <summary>Name of the device group.</summary>
    public string? RbacGroupName { get; set; }

    /// <summary>Risk by the device's open alerts.</summary>
    public RiskScore RiskScore { get; set; }

    /// <summary>Exposure by its weaknesses.</summary>
    public ExposureLevel ExposureLevel { get; set; }

    /// <summary>Whether it is joined to the directory.</summary>
    public bool? IsAadJoined { get; set; }

    /// <summary>Its identity in the directory.</summary>
    public Guid? AadDeviceId { get; set; }

    /// <summary>Tags.</summary>
    public string[] MachineTags { get; set; } = [];

    /// <summary>Antivirus state.</summary>
    public string DefenderAvStatus { get; set; } = "Unknown";

    /// <summary>Whether it is onboarded.</summary>
    public OnboardingStatus OnboardingStatus { get; set; } = OnboardingStatus.Onboarded;

    /// <summary>Architecture such as <c>64-bit</c>.</summary>
    public string OsArchitecture { get; set; } = "64-bit";

    /// <summary>Who manages it.</summary>
    public string ManagedBy { get; set; } = "Unknown";

    /// <summary>State of the management.</summary>
    public string ManagedByStatus { get; set; } = "Unknown";

    /// <summary>Network addresses.</summary>
    public List<MachineIpAddress> IpAddresses { get; set; } = [];

    /// <summary>Cloud identity of a virtual machine.</summary>
    public VmMetadata? VmMetadata { get; set; }

    /// <summary>The device that this one turned out to be.</summary>
    public string? MergedIntoMachineId { get; set; }

    /// <summary>Whether another device looks the same.</summary>
    public bool IsPotentialDuplication { get; set; }

    /// <summary>Whether it is left out of exposure counts.</summary>
    public bool IsExcluded { get; set; }

    /// <summary>Why it is left out.</summary>
    public string? ExclusionReason { get; set; }

    /// <summary>Distribution of a Linux system, otherwise null.</summary>
    public string? OsDistribution { get; set; }

    /// <summary>Kind of device such as <c>Workstation</c> or <c>Server</c>.</summary>
    public string DeviceType { get; set; } = "Workstation";

    /// <summary>Whether it is cut off from the network, as last reported by the device.</summary>
    public IsolationState Isolation { get; set; }

    /// <summary>Whether only signed code may run, as last reported by the device.</summary>
    public bool IsCodeExecutionRestricted { get; set; }

    /// <summary>How the device is reached: by a real agent, in process, or not at all (known from imported logs only).</summary>
    public DeviceChannelKind Channel { get; set; }

    /// <summary>SHA-256 (hexadecimal) of the agent's public key; null for devices without a real agent.</summary>
    public string? AgentKeyThumbprint { get; set; }

    /// <summary>When the agent (or simulated device) last called, UTC. Unlike <see cref="LastSeen"/> this is exact.</summary>
    public DateTime? LastContact { get; set; }
}

/// <summary>One network address of a device.</summary>
/// <param name="IpAddress">The address.</param>
/// <param name="MacAddress">12 hexadecimal digits without separators; null on loopback.</param>
/// <param name="Type"><c>Ethernet</c>, <c>SoftwareLoopback</c> …</param>
/// <param name="OperationalStatus"><c>Up</c> or <c>Down</c>.</param>
public sealed record MachineIpAddress(string IpAddress, string? MacAddress, string Type, string OperationalStatus);

/// <summary>Cloud identity of a virtual machine.</summary>
public sealed record VmMetadata(string VmId, string CloudProvider, string ResourceId, string SubscriptionId);

/// <summary>An account that logged on to a device.</summary>
public sealed class LogonUser
{
    /// <summary>Whose device.</summary>
    public Guid TenantId { get; set; }

    /// <summary>The device.</summary>
    public string MachineId { get; set; } = "";

    /// <summary>Domain or computer that knows the account; lower case.</summary>
    public string AccountDomain { get; set; } = "";

    /// <summary>The account's name; lower case.</summary>
    public string AccountName { get; set; } = "";

    /// <summary>Its security identifier.</summary>
    public string? AccountSid { get; set; }

    /// <summary>First log-on seen, UTC.</summary>
    public DateTime FirstSeen { get; set; }

    /// <summary>Last log-on seen, UTC.</summary>
    public DateTime LastSeen { get; set; }

    /// <summary>Kinds of log-on, such as <c>Interactive</c> and <c>Network</c>.</summary>
    public string[] LogonTypes { get; set; } = [];

    /// <summary>Number of log-ons seen.</summary>
    public long LogonCount { get; set; }

    /// <summary>Whether the account administers the domain.</summary>
    public bool IsDomainAdmin { get; set; }
}

/// <summary>A group of devices, which bounds who sees and remediates them.</summary>
public sealed class DeviceGroup
{
    /// <summary>Whose group.</summary>
    public Guid TenantId { get; set; }

    /// <summary>Number of the group, above 0.</summary>
    public int Id { get; set; }

    /// <summary>Its name.</summary>
    public string Name { get; set; } = "";

    /// <summary>What may happen without asking.</summary>
    public AutomationLevel AutomationLevel { get; set; } = AutomationLevel.Full;
}
