namespace Vedette.Defender.Detections.Custom;

/// <summary>An account as an event tells of it; at least one value is there.</summary>
/// <param name="ObjectId">Identity in the directory.</param>
/// <param name="UserPrincipalName">User principal name.</param>
public sealed record AccountReference(Guid? ObjectId, string? UserPrincipalName);

/// <summary>Acts on accounts of the directory because of a match. The host provides it, because the domain knows no directory.</summary>
public interface IAccountActor
{
    /// <summary>Switches an account off and ends its sessions.</summary>
    /// <returns>Null when done, else why not.</returns>
    Task<string?> DisableAsync(Guid tenantId, AccountReference account, CancellationToken cancellationToken);

    /// <summary>Makes an account's password useless and ends its sessions, so that it must be set anew.</summary>
    /// <returns>Null when done, else why not.</returns>
    Task<string?> ResetPasswordAsync(Guid tenantId, AccountReference account, CancellationToken cancellationToken);
}
