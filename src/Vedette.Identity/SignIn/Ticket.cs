namespace Vedette.Identity.SignIn;

/// <summary>What an opaque value stands for.</summary>
public enum TicketKind
{
    /// <summary>An authorization code: redeemed once, within minutes.</summary>
    Code,

    /// <summary>A refresh token.</summary>
    Refresh,

    /// <summary>A device code that a client polls with while somebody signs in elsewhere.</summary>
    Device,

    /// <summary>A browser's session.</summary>
    Session,
}

/// <summary>How far a device's sign-in is.</summary>
public enum DeviceState
{
    /// <summary>Nobody has entered the code yet.</summary>
    Pending,

    /// <summary>Somebody signed in and agreed.</summary>
    Approved,

    /// <summary>Somebody refused.</summary>
    Declined,
}

/// <summary>What is remembered with a ticket.</summary>
public sealed record TicketData
{
    /// <summary>Scopes as they were asked for.</summary>
    public string Scope { get; init; } = "";

    /// <summary>Resource as it was asked for (v1).</summary>
    public string? Resource { get; init; }

    /// <summary>1 or 2: which generation of endpoints was used.</summary>
    public int Version { get; init; } = 2;

    /// <summary>Reply address of an authorization code.</summary>
    public string? RedirectUri { get; init; }

    /// <summary>Nonce for the id token.</summary>
    public string? Nonce { get; init; }

    /// <summary>PKCE challenge.</summary>
    public string? CodeChallenge { get; init; }

    /// <summary>PKCE method: <c>S256</c> or <c>plain</c>.</summary>
    public string? CodeChallengeMethod { get; init; }

    /// <summary>State of a device's sign-in.</summary>
    public DeviceState Device { get; init; }

    /// <summary>When a single-page application's refresh tokens end for good, however often they are renewed; null for other clients.</summary>
    public DateTimeOffset? SinglePageUntil { get; init; }

    /// <summary>The sign-in that a refresh token came of, so that all of them can be ended together.</summary>
    public Guid? Family { get; init; }

    /// <summary>The browser's session in which the user signed in, as applications know it (<c>sid</c>); null where there was no browser.</summary>
    public Guid? SessionId { get; init; }

    /// <summary>How the user signed in.</summary>
    public IReadOnlyList<string> Methods { get; init; } = ["pwd"];
}

/// <summary>An opaque value's record.</summary>
/// <param name="Hash">Keyed hash of the value.</param>
/// <param name="Kind">What it stands for.</param>
/// <param name="AppId">Client it was given to; null for a session.</param>
/// <param name="TenantId">Tenant, once known.</param>
/// <param name="UserId">User, once known.</param>
/// <param name="IssuedAt">When it was made.</param>
/// <param name="ExpiresAt">When it ends.</param>
/// <param name="UsedAt">When it was first used, or null.</param>
/// <param name="Data">The rest.</param>
public sealed record Ticket(
    byte[] Hash, TicketKind Kind, Guid? AppId, Guid? TenantId, Guid? UserId, DateTimeOffset IssuedAt, DateTimeOffset ExpiresAt, DateTimeOffset? UsedAt, TicketData Data);
