namespace Vedette.Defender.State;

/// <summary>An order to a device, with every property of the API's machine action resource and its place in the device's queue.</summary>
public sealed class MachineAction
{
    /// <summary>Identity.</summary>
    public Guid Id { get; set; }

    /// <summary>Whose.</summary>
    public Guid TenantId { get; set; }

    /// <summary>What to do.</summary>
    public MachineActionType Type { get; set; }

    /// <summary>Title; null as in the service.</summary>
    public string? Title { get; set; }

    /// <summary>Who asked: user principal name or application.</summary>
    public string Requestor { get; set; } = "";

    /// <summary>Why.</summary>
    public string? RequestorComment { get; set; }

    /// <summary>How far it is.</summary>
    public MachineActionStatus Status { get; set; } = MachineActionStatus.Pending;

    /// <summary>The device.</summary>
    public string MachineId { get; set; } = "";

    /// <summary>The device's name.</summary>
    public string? ComputerDnsName { get; set; }

    /// <summary>When it was ordered, UTC.</summary>
    public DateTime CreationDateTimeUtc { get; set; }

    /// <summary>Last change, UTC.</summary>
    public DateTime LastUpdateDateTimeUtc { get; set; }

    /// <summary>Who cancelled it.</summary>
    public string? CancellationRequestor { get; set; }

    /// <summary>Why it was cancelled.</summary>
    public string? CancellationComment { get; set; }

    /// <summary>When it was cancelled, UTC.</summary>
    public DateTime? CancellationDateTimeUtc { get; set; }

    /// <summary>Error of the device as a Windows HRESULT; 0 when there is none.</summary>
    public int ErrorHResult { get; set; }

    /// <summary><c>Full</c>, <c>Selective</c>, <c>UnManagedDevice</c> or <c>Quick</c>; null for types without a scope.</summary>
    public string? Scope { get; set; }

    /// <summary>The caller's own correlation identifier.</summary>
    public string? ExternalId { get; set; }

    /// <summary>Which door the request came through: <c>PublicApi</c>, <c>Portal</c> or <c>AutomatedInvestigation</c>.</summary>
    public string RequestSource { get; set; } = "PublicApi";

    /// <summary>SHA-1 of the file to stop; null for other types.</summary>
    public string? RelatedFileSha1 { get; set; }

    /// <summary>Commands of a live response session.</summary>
    public List<LiveResponseCommandStatus> Commands { get; set; } = [];

    /// <summary>Help for a failed action.</summary>
    public string? TroubleshootInfo { get; set; }

    /// <summary>Place in the order of all actions; a device executes its own strictly by it.</summary>
    public long Sequence { get; set; }

    /// <summary>When the device took it, UTC.</summary>
    public DateTime? StartedAt { get; set; }

    /// <summary>When it became final, UTC.</summary>
    public DateTime? CompletedAt { get; set; }

    /// <summary>When it is given up if the device has not taken it, UTC.</summary>
    public DateTime ExpiresAt { get; set; }

    /// <summary>How often a client has read it: some tests let an action proceed by reads.</summary>
    public int Reads { get; set; }

    /// <summary>Name of the result file in the file store (package, collected file); null until there is one.</summary>
    public string? ResultFile { get; set; }

    /// <summary>Size of the result file in bytes.</summary>
    public long? ResultSize { get; set; }
}

/// <summary>One command of a live response session and how far it is.</summary>
public sealed record LiveResponseCommandStatus
{
    /// <summary>Place in the session, from 0.</summary>
    public int Index { get; init; }

    /// <summary>Start, UTC.</summary>
    public DateTime? StartTime { get; init; }

    /// <summary>End, UTC.</summary>
    public DateTime? EndTime { get; init; }

    /// <summary><c>Created</c>, <c>Completed</c> or <c>Failed</c>.</summary>
    public string CommandStatus { get; init; } = "Created";

    /// <summary>What went wrong.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];

    /// <summary>The command.</summary>
    public LiveResponseCommand Command { get; init; } = new("", []);

    /// <summary>Name of the result file in the file store; null when there is none. Not part of the API's answer.</summary>
    public string? ResultFile { get; init; }
}

/// <summary>A live response command.</summary>
/// <param name="Type"><c>PutFile</c>, <c>RunScript</c> or <c>GetFile</c>.</param>
/// <param name="Params">Its parameters.</param>
public sealed record LiveResponseCommand(string Type, IReadOnlyList<LiveResponseParameter> Params);

/// <summary>A parameter of a live response command.</summary>
public sealed record LiveResponseParameter(string Key, string Value);
