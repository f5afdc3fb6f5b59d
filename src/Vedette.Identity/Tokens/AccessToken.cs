using System.Collections.Frozen;

namespace Vedette.Identity.Tokens;

/// <summary>What a verified access token says. v1 and v2 tokens read the same here.</summary>
public sealed class AccessToken
{
    /// <summary>The tenant the token acts in (<c>tid</c>).</summary>
    public required Guid TenantId { get; init; }

    /// <summary>The application the token was given to (<c>appid</c> in v1, <c>azp</c> in v2).</summary>
    public required Guid ClientId { get; init; }

    /// <summary>Object id of the service principal (application context) or of the user (<c>oid</c>).</summary>
    public required Guid ObjectId { get; init; }

    /// <summary>The <c>sub</c> claim.</summary>
    public required string Subject { get; init; }

    /// <summary>The <c>aud</c> claim, as it stands in the token.</summary>
    public required string Audience { get; init; }

    /// <summary>The first-party API that <see cref="Audience"/> names; null for another application's API.</summary>
    public required Guid? ResourceAppId { get; init; }

    /// <summary>App roles (<c>roles</c>). Names are looked up ignoring case.</summary>
    public required FrozenSet<string> Roles { get; init; }

    /// <summary>Delegated scopes (<c>scp</c>). Names are looked up ignoring case.</summary>
    public required FrozenSet<string> Scopes { get; init; }

    /// <summary>True in application context: <c>idtyp</c> is <c>app</c>, or there is no <c>scp</c>.</summary>
    public required bool IsAppOnly { get; init; }

    /// <summary>User principal name in user context (<c>upn</c>, <c>unique_name</c> or <c>preferred_username</c>), else null.</summary>
    public required string? UserPrincipalName { get; init; }

    /// <summary>Display name: of the user (<c>name</c>), or of the application (<c>app_displayname</c>), when the token has it.</summary>
    public required string? DisplayName { get; init; }

    /// <summary>Template ids of directory roles (<c>wids</c>).</summary>
    public required IReadOnlyList<Guid> DirectoryRoles { get; init; }

    /// <summary>How the user signed in (<c>amr</c>); empty in application context.</summary>
    public IReadOnlyList<string> AuthenticationMethods { get; init; } = [];

    /// <summary>When the token was issued (<c>iat</c>).</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>Start of validity (<c>nbf</c>).</summary>
    public required DateTimeOffset NotBefore { get; init; }

    /// <summary>End of validity (<c>exp</c>).</summary>
    public required DateTimeOffset Expires { get; init; }

    /// <summary>"1.0" or "2.0" (<c>ver</c>).</summary>
    public required string Version { get; init; }

    /// <summary>The token's own identifier (<c>uti</c>), safe to log; empty when absent.</summary>
    public required string TokenId { get; init; }

    /// <summary>Id of the key that signed the token (<c>kid</c>).</summary>
    public required string KeyId { get; init; }
}

/// <summary>Why an access token was refused.</summary>
public enum AccessTokenFailure
{
    /// <summary>The token is fine.</summary>
    None,

    /// <summary>There is no token.</summary>
    Missing,

    /// <summary>The text is not a JSON Web Token, or lacks a claim every access token has.</summary>
    Malformed,

    /// <summary>The signature is wrong, made with another algorithm, or made by an unknown key.</summary>
    BadSignature,

    /// <summary>Its lifetime has ended.</summary>
    Expired,

    /// <summary>Its lifetime has not begun.</summary>
    NotYetValid,

    /// <summary>The issuer is not one of this authority for the token's tenant.</summary>
    WrongIssuer,

    /// <summary>The tenant does not exist here (any more).</summary>
    UnknownTenant,

    /// <summary>The token is good, but for another API.</summary>
    WrongAudience,
}

/// <summary>A verified token or the reason for which it was refused.</summary>
/// <param name="Token">The token. Present on success and, for messages, with <see cref="AccessTokenFailure.WrongAudience"/>.</param>
/// <param name="Failure"><see cref="AccessTokenFailure.None"/> on success.</param>
/// <param name="Detail">What exactly is wrong, without any secret; null on success.</param>
public readonly record struct AccessTokenResult(AccessToken? Token, AccessTokenFailure Failure, string? Detail)
{
    /// <summary>True when the token may be used.</summary>
    public bool Succeeded => Failure == AccessTokenFailure.None;
}
