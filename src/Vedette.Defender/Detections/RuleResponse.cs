namespace Vedette.Defender.Detections;

/// <summary>Kinds of response to a match, as the service names them.</summary>
public enum ResponseKind
{
    /// <summary>Cuts the device off.</summary>
    IsolateDevice,

    /// <summary>Collects an investigation package from the device.</summary>
    CollectInvestigationPackage,

    /// <summary>Scans the device.</summary>
    RunAntivirusScan,

    /// <summary>Begins an automated investigation of the device.</summary>
    InitiateInvestigation,

    /// <summary>Restricts which programs the device runs.</summary>
    RestrictAppExecution,

    /// <summary>Stops a file on the device and puts it into quarantine.</summary>
    StopAndQuarantineFile,

    /// <summary>Allows a file by an indicator.</summary>
    AllowFile,

    /// <summary>Blocks a file by an indicator.</summary>
    BlockFile,

    /// <summary>Switches an account off.</summary>
    DisableUser,

    /// <summary>Makes an account's password useless.</summary>
    ForceUserPasswordReset,

    /// <summary>Sets an account's risk to high.</summary>
    MarkUserAsCompromised,

    /// <summary>Deletes a message for good.</summary>
    HardDelete,

    /// <summary>Deletes a message.</summary>
    SoftDelete,

    /// <summary>Moves a message to the inbox.</summary>
    MoveToInbox,

    /// <summary>Moves a message to the deleted items.</summary>
    MoveToDeletedItems,

    /// <summary>Moves a message to the junk folder.</summary>
    MoveToJunk,
}

/// <summary>What a rule does to the devices, files, users and messages of a match.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Columns">Columns of the result that name what it is done to, by role: <see cref="ResponseRoles"/>.</param>
public sealed record RuleResponse(ResponseKind Kind, IReadOnlyDictionary<string, string> Columns)
{
    /// <summary><c>Full</c> or <c>Selective</c>; isolation only.</summary>
    public string? IsolationType { get; init; }

    /// <summary>Device groups that an indicator applies to; empty means all devices.</summary>
    public IReadOnlyList<string> DeviceGroups { get; init; } = [];
}

/// <summary>Roles of a response's columns.</summary>
public static class ResponseRoles
{
    /// <summary>Device id.</summary>
    public const string Device = "device";

    /// <summary>SHA-1 of the file.</summary>
    public const string Sha1 = "sha1";

    /// <summary>SHA-256 of the file.</summary>
    public const string Sha256 = "sha256";

    /// <summary>Security identifier of the account.</summary>
    public const string Sid = "sid";

    /// <summary>Identity of the account in the directory.</summary>
    public const string ObjectId = "objectId";

    /// <summary>User principal name of the account; helps to find it and is never needed.</summary>
    public const string Upn = "upn";

    /// <summary>Network message id.</summary>
    public const string Message = "message";

    /// <summary>Address of the recipient.</summary>
    public const string Recipient = "recipient";
}

/// <summary>One thing that a response is to be done to.</summary>
/// <param name="Response">What is done.</param>
/// <param name="Values">What it is done to, by role. Values that the row does not have are left out.</param>
public sealed record ResponseTarget(RuleResponse Response, IReadOnlyDictionary<string, string> Values)
{
    /// <summary>Identifies the target within a rule: the same thing done to the same thing has the same text.</summary>
    public string Key { get; } = $"{Response.Kind}/" + string.Join('/', Values.Where(pair => pair.Key != ResponseRoles.Upn)
        .OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value.ToLowerInvariant()}"));
}
