namespace Vedette.Agent.Contract;

/// <summary>
/// What an agent can say to its server. The transport in between authenticates the device; a simulated device calls the server's side directly.
/// Every call may be repeated: a call that reached the server although its answer was lost does no harm when it comes again.
/// </summary>
public interface IDeviceChannel
{
    /// <summary>Makes a device known, or finds it again by its key. The caller has checked the enrolment token, which names the tenant.</summary>
    Task<DeviceSession> EnrolAsync(Guid tenantId, EnrolmentRequest request, CancellationToken cancellationToken);

    /// <summary>Tells that the device is alive and how it is.</summary>
    Task HeartbeatAsync(DeviceSession device, Heartbeat heartbeat, CancellationToken cancellationToken);

    /// <summary>
    /// The command at the head of the device's queue, or null. There is never more than one: the next comes when this one is final. A command
    /// that was begun before the agent was restarted comes again, with <see cref="DeviceCommand.StartedAt"/> set.
    /// </summary>
    Task<DeviceCommand?> FetchCommandAsync(DeviceSession device, CancellationToken cancellationToken);

    /// <summary>Tells that the device begins a command. False when it was withdrawn: then it must not be executed.</summary>
    Task<bool> BeginAsync(DeviceSession device, Guid commandId, CancellationToken cancellationToken);

    /// <summary>Hands over a file that a command produced. A file of the same name is replaced.</summary>
    Task UploadAsync(DeviceSession device, Guid commandId, string fileName, Stream content, CancellationToken cancellationToken);

    /// <summary>The content of a library file that a live response command names.</summary>
    /// <exception cref="FileNotFoundException">The library has no such file, or the command does not name it.</exception>
    Task<Stream> DownloadAsync(DeviceSession device, Guid commandId, string fileName, CancellationToken cancellationToken);

    /// <summary>Tells how a command ended. The state it reports is taken over even if the command was withdrawn meanwhile.</summary>
    Task CompleteAsync(DeviceSession device, CommandResult result, CancellationToken cancellationToken);

    /// <summary>What the device is to block, to warn of or to let through; null when that is still what the device knows.</summary>
    /// <param name="device">The device.</param>
    /// <param name="knownVersion"><see cref="DeviceIndicators.Version"/> of what the device has; null when it has nothing.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<DeviceIndicators?> FetchIndicatorsAsync(DeviceSession device, string? knownVersion, CancellationToken cancellationToken);

    /// <summary>Hands over events. A batch with a known identifier is stored once.</summary>
    Task SendTelemetryAsync(DeviceSession device, TelemetryBatch batch, CancellationToken cancellationToken);
}

/// <summary>A device that the transport has authenticated.</summary>
/// <param name="TenantId">Its tenant.</param>
/// <param name="DeviceId">40 lower-case hexadecimal digits.</param>
public sealed record DeviceSession(Guid TenantId, string DeviceId);

/// <summary>A device that wants to be known.</summary>
/// <param name="PublicKeyThumbprint">SHA-256 of the agent's public key, hexadecimal: the device's identity, whatever it is called.</param>
/// <param name="Inventory">What the device is.</param>
public sealed record EnrolmentRequest(string PublicKeyThumbprint, DeviceInventory Inventory);

/// <summary>What a device is.</summary>
public sealed record DeviceInventory
{
    /// <summary>Full computer name.</summary>
    public required string Name { get; init; }

    /// <summary>Platform as the service spells it, such as <c>Linux</c> or <c>Windows11</c>.</summary>
    public required string OsPlatform { get; init; }

    /// <summary>Version of the system.</summary>
    public string? OsVersion { get; init; }

    /// <summary>Distribution of a Linux system.</summary>
    public string? OsDistribution { get; init; }

    /// <summary>Build number.</summary>
    public long? OsBuild { get; init; }

    /// <summary>Processor such as <c>x64</c>.</summary>
    public string OsProcessor { get; init; } = "x64";

    /// <summary>Version of the agent.</summary>
    public string? AgentVersion { get; init; }

    /// <summary>Kind of device such as <c>Server</c>.</summary>
    public string DeviceType { get; init; } = "Workstation";

    /// <summary>Network addresses.</summary>
    public IReadOnlyList<DeviceAddress> Addresses { get; init; } = [];
}

/// <summary>A network address of a device.</summary>
/// <param name="IpAddress">The address.</param>
/// <param name="MacAddress">12 hexadecimal digits; null on loopback.</param>
/// <param name="Type"><c>Ethernet</c>, <c>SoftwareLoopback</c> …</param>
/// <param name="OperationalStatus"><c>Up</c> or <c>Down</c>.</param>
public sealed record DeviceAddress(string IpAddress, string? MacAddress, string Type = "Ethernet", string OperationalStatus = "Up");

/// <summary>A sign of life.</summary>
/// <param name="State">What is in force on the device.</param>
/// <param name="Inventory">What the device is, when that changed or a day has passed; otherwise null.</param>
public sealed record Heartbeat(DeviceState State, DeviceInventory? Inventory);

/// <summary>What is in force on a device.</summary>
/// <param name="Isolation">How far it is cut off.</param>
/// <param name="IsCodeExecutionRestricted">Whether only signed code may run.</param>
/// <param name="IsOffboarded">Whether the sensor has been told to stop.</param>
public sealed record DeviceState(DeviceIsolation Isolation, bool IsCodeExecutionRestricted, bool IsOffboarded);

/// <summary>How far a device is cut off from the network.</summary>
public enum DeviceIsolation
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>From everything but its server.</summary>
    Full,

    /// <summary>From everything but its server and chosen programs.</summary>
    Selective,

    /// <summary>By its neighbours, which refuse it.</summary>
    Contained,
}

/// <summary>Kinds of command.</summary>
public enum CommandKind
{
    /// <summary>Look for malware: <see cref="DeviceCommand.Scope"/> is <c>Quick</c> or <c>Full</c>.</summary>
    RunAntiVirusScan,

    /// <summary>Stop the sensor.</summary>
    Offboard,

    /// <summary>Run a session's commands.</summary>
    LiveResponse,

    /// <summary>Collect what an investigator needs and upload it as <c>package.zip</c>.</summary>
    CollectInvestigationPackage,

    /// <summary>Cut the device off: <see cref="DeviceCommand.Scope"/> tells how far.</summary>
    Isolate,

    /// <summary>Connect it again.</summary>
    Unisolate,

    /// <summary>Stop processes of a file and move the file away.</summary>
    StopAndQuarantineFile,

    /// <summary>Let only signed code run.</summary>
    RestrictCodeExecution,

    /// <summary>Let any code run again.</summary>
    UnrestrictCodeExecution,
}

/// <summary>A command to a device.</summary>
/// <param name="Id">Identity; a command is executed once, however often it is fetched.</param>
/// <param name="Kind">What to do.</param>
/// <param name="CreatedAt">When it was ordered, UTC.</param>
public sealed record DeviceCommand(Guid Id, CommandKind Kind, DateTime CreatedAt)
{
    /// <summary>When the device said that it began, UTC; null when it has not.</summary>
    public DateTime? StartedAt { get; init; }

    /// <summary>How far, where the kind knows a scope.</summary>
    public string? Scope { get; init; }

    /// <summary>SHA-1 of the file meant.</summary>
    public string? FileSha1 { get; init; }

    /// <summary>Steps of a live response session.</summary>
    public IReadOnlyList<SessionStep> Steps { get; init; } = [];
}

/// <summary>A step of a live response session.</summary>
/// <param name="Type"><c>PutFile</c>, <c>RunScript</c> or <c>GetFile</c>.</param>
/// <param name="Parameters">Its parameters by name.</param>
public sealed record SessionStep(string Type, IReadOnlyDictionary<string, string> Parameters);

/// <summary>How a command ended.</summary>
/// <param name="CommandId">Which.</param>
/// <param name="Succeeded">Whether it was done and verified.</param>
/// <param name="State">What is in force on the device now.</param>
public sealed record CommandResult(Guid CommandId, bool Succeeded, DeviceState State)
{
    /// <summary>The error as a Windows HRESULT; 0 when there is none.</summary>
    public int ErrorHResult { get; init; }

    /// <summary>What went wrong, for people.</summary>
    public string? Message { get; init; }

    /// <summary>How the steps of a live response session ended, in order; steps after a failed one are missing.</summary>
    public IReadOnlyList<StepResult> Steps { get; init; } = [];
}

/// <summary>How a step of a live response session ended.</summary>
/// <param name="Succeeded">Whether it did.</param>
/// <param name="StartedAt">Start, UTC.</param>
/// <param name="EndedAt">End, UTC.</param>
/// <param name="Errors">What went wrong.</param>
/// <param name="ResultFile">Name of the uploaded result; null when the step has none.</param>
public sealed record StepResult(bool Succeeded, DateTime StartedAt, DateTime EndedAt, IReadOnlyList<string> Errors, string? ResultFile);

/// <summary>Events of a device.</summary>
/// <param name="Id">Identity of the batch: the same identity must hold the same events.</param>
/// <param name="Rows">
/// The events as a JSON array of <c>[table, {column: value}]</c> in terms of the hunting tables: times and durations as numbers of 100 ns
/// (times since the year 1), real and decimal numbers as strings, dynamic values as JSON text.
/// </param>
public sealed record TelemetryBatch(string Id, string Rows);

/// <summary>The indicators for a device.</summary>
/// <param name="Version">Changes whenever they do.</param>
/// <param name="Indicators">All of them.</param>
public sealed record DeviceIndicators(string Version, IReadOnlyList<DeviceIndicator> Indicators);

/// <summary>An indicator for a device.</summary>
/// <param name="Type"><c>FileSha256</c>, <c>IpAddress</c>, <c>DomainName</c> … as the API spells it.</param>
/// <param name="Value">The value looked for.</param>
/// <param name="Action"><c>Block</c>, <c>BlockAndRemediate</c>, <c>Warn</c>, <c>Audit</c> or <c>Allowed</c>.</param>
public sealed record DeviceIndicator(string Type, string Value, string Action);
