namespace Vedette.Defender;

/// <summary>Who asks the domain for something, and what of the tenant they may see.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="Name">User principal name, or name or id of the application.</param>
public sealed record Caller(Guid TenantId, string Name)
{
    /// <summary>Which door the request came through: <c>PublicApi</c>, <c>Portal</c>, <c>AutomatedInvestigation</c>.</summary>
    public string Source { get; init; } = "PublicApi";

    /// <summary>Device groups that the caller may see; null means all devices.</summary>
    public IReadOnlyCollection<int>? DeviceGroups { get; init; }

    /// <summary>Whether the caller may see devices of a group.</summary>
    public bool Sees(int deviceGroup) => DeviceGroups is null || DeviceGroups.Contains(deviceGroup);
}

/// <summary>Why the domain refuses. Each surface has the status, code and text for each of these in its catalogue.</summary>
public enum Refusal
{
    /// <summary>No such device, or not the caller's to see. Detail: the id as it was given.</summary>
    MachineNotFound,

    /// <summary>No such thing. Details: its kind, the id as it was given.</summary>
    ResourceNotFound,

    /// <summary>A request that cannot be met. Detail: the whole text.</summary>
    BadRequest,

    /// <summary>A value that is not allowed. Detail: name of the parameter.</summary>
    InvalidInput,

    /// <summary>A body without the needed form.</summary>
    InvalidRequestBody,

    /// <summary>A parameter is not there. Detail: its name.</summary>
    MissingRequiredParameter,

    /// <summary>Too many items. Details: number received, number allowed.</summary>
    MaximumBatchSizeExceeded,

    /// <summary>Not a hash of the needed kind. Detail: the value.</summary>
    InvalidHashValue,

    /// <summary>Not an address, or not one that may be used here. Detail: the value.</summary>
    InvalidIpAddress,

    /// <summary>Not a domain name. Detail: the value.</summary>
    InvalidDomainName,

    /// <summary>Not a web address. Detail: the value.</summary>
    InvalidUrl,

    /// <summary>The device's system cannot do this. Detail: its platform.</summary>
    OsPlatformNotSupported,

    /// <summary>The device's system is too old. Details: the action, the oldest version that can do it.</summary>
    ClientVersionNotSupported,

    /// <summary>The same action is already under way.</summary>
    ActionInProgress,

    /// <summary>A live response session is already under way.</summary>
    ActiveRequestAlreadyExists,

    /// <summary>Too many live response sessions at once. Detail: the whole text.</summary>
    TooManySessions,

    /// <summary>The device or tenant does not allow it. Detail: the whole text.</summary>
    DisallowedOperation,

    /// <summary>Something that does not exist yet. Detail: the whole text.</summary>
    NotFound,
}

/// <summary>A refusal with its particulars.</summary>
/// <param name="Refusal">Which.</param>
/// <param name="Details">The particulars that its text names, in order.</param>
public sealed record DomainError(Refusal Refusal, params IReadOnlyList<string> Details);

/// <summary>What was asked for, or why not.</summary>
public readonly record struct Outcome<T>
{
    private readonly T? _value;

    private Outcome(T? value, DomainError? error)
    {
        _value = value;
        Error = error;
    }

    /// <summary>Why not; null when it worked.</summary>
    public DomainError? Error { get; }

    /// <summary>What was asked for.</summary>
    /// <exception cref="InvalidOperationException">It was refused.</exception>
    public T Value => Error is null ? _value! : throw new InvalidOperationException($"Refused: {Error.Refusal} {string.Join(", ", Error.Details)}");

    /// <summary>It worked.</summary>
    public static implicit operator Outcome<T>(T value) => new(value, null);

    /// <summary>It was refused.</summary>
    public static implicit operator Outcome<T>(DomainError error) => new(default, error);
}
