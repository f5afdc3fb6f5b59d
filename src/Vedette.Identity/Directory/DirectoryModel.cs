using System.Security.Cryptography.X509Certificates;
using Vedette.Identity.Resources;

namespace Vedette.Identity.Directory;

/// <summary>An organisation.</summary>
/// <param name="Id">Tenant id, which every issuer carries.</param>
/// <param name="DisplayName">Name for people.</param>
/// <param name="DefaultDomain">Verified domain that user names get by default.</param>
/// <param name="Domains">All verified domains, in lower case.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record Tenant(Guid Id, string DisplayName, string DefaultDomain, IReadOnlyList<string> Domains, DateTimeOffset CreatedAt)
{
    /// <summary>True when people of the tenant must prove who they are with a second factor.</summary>
    public bool RequiresMfa { get; init; }
}

/// <summary>How an application's reply address may be used.</summary>
public enum RedirectKind
{
    /// <summary>A web application with a secret.</summary>
    Web,

    /// <summary>A single-page application: no secret, CORS, PKCE.</summary>
    Spa,

    /// <summary>A native application: no secret, loopback addresses on any port.</summary>
    Native,
}

/// <summary>A reply address.</summary>
/// <param name="Uri">The address, compared exactly (loopback addresses of native applications: but for the port).</param>
/// <param name="Kind">What kind of application answers there.</param>
public sealed record RedirectUri(string Uri, RedirectKind Kind);

/// <summary>A permission that an application says it needs.</summary>
/// <param name="ResourceAppId">Application id of the API.</param>
/// <param name="PermissionId">Id of the app role or scope.</param>
/// <param name="Kind">Application or delegated permission.</param>
public sealed record RequiredPermission(Guid ResourceAppId, Guid PermissionId, PermissionKind Kind);

/// <summary>A client secret as it is stored: its value is not known any more.</summary>
/// <param name="KeyId">Id of the secret (not its value).</param>
/// <param name="DisplayName">What it is for.</param>
/// <param name="Hint">First three characters of the value.</param>
/// <param name="Hash">Keyed hash of the value.</param>
/// <param name="StartsAt">Start of validity.</param>
/// <param name="EndsAt">End of validity.</param>
public sealed record ClientSecret(Guid KeyId, string? DisplayName, string Hint, byte[] Hash, DateTimeOffset StartsAt, DateTimeOffset EndsAt);

/// <summary>A certificate whose private key a client signs assertions with.</summary>
/// <param name="KeyId">Id of the credential.</param>
/// <param name="DisplayName">What it is for.</param>
/// <param name="Certificate">The certificate, without a private key.</param>
/// <param name="StartsAt">Start of validity.</param>
/// <param name="EndsAt">End of validity.</param>
public sealed record ClientCertificate(Guid KeyId, string? DisplayName, X509Certificate2 Certificate, DateTimeOffset StartsAt, DateTimeOffset EndsAt);

/// <summary>A registered application.</summary>
public sealed record Application
{
    /// <summary>Object id.</summary>
    public required Guid Id { get; init; }

    /// <summary>Application (client) id.</summary>
    public required Guid AppId { get; init; }

    /// <summary>Home tenant.</summary>
    public required Guid TenantId { get; init; }

    /// <summary>Name for people.</summary>
    public required string DisplayName { get; init; }

    /// <summary>Who may sign in to it: one of <see cref="Directory.SignInAudience"/>.</summary>
    public required string SignInAudience { get; init; }

    /// <summary>True when other tenants may use it too.</summary>
    public bool IsMultiTenant => SignInAudience != Directory.SignInAudience.SingleTenant;

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>Address that the user's browser loads when the user signs out (front-channel sign-out).</summary>
    public string? LogoutUrl { get; init; }

    /// <summary>Notes of its administrators.</summary>
    public string? Notes { get; init; }

    /// <summary>Labels of its administrators.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>True for an application that cannot keep a secret.</summary>
    public required bool IsPublicClient { get; init; }

    /// <summary>Version of access tokens for this application's own API: 1, 2 or null for 1.</summary>
    public required int? RequestedAccessTokenVersion { get; init; }

    /// <summary>App ID URIs of this application's own API.</summary>
    public required IReadOnlyList<string> IdentifierUris { get; init; }

    /// <summary>Reply addresses.</summary>
    public required IReadOnlyList<RedirectUri> RedirectUris { get; init; }

    /// <summary>App roles of this application's own API.</summary>
    public required IReadOnlyList<Permission> AppRoles { get; init; }

    /// <summary>Scopes of this application's own API.</summary>
    public required IReadOnlyList<Permission> Scopes { get; init; }

    /// <summary>When it was registered.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Permissions it asks for.</summary>
    public required IReadOnlyList<RequiredPermission> RequiredPermissions { get; init; }

    /// <summary>Its secrets, oldest first.</summary>
    public required IReadOnlyList<ClientSecret> Secrets { get; init; }

    /// <summary>Its certificates, oldest first.</summary>
    public required IReadOnlyList<ClientCertificate> Certificates { get; init; }
}

/// <summary>An application's standing in one tenant.</summary>
/// <param name="Id">Object id.</param>
/// <param name="AppId">Application id, of a registered application or of a first-party API.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="AccountEnabled">False when sign-in is switched off.</param>
/// <param name="CreatedAt">When it came into the tenant.</param>
public sealed record ServicePrincipal(Guid Id, Guid AppId, Guid TenantId, bool AccountEnabled, DateTimeOffset CreatedAt)
{
    /// <summary>True when only users to whom it was assigned may sign in to it.</summary>
    public bool AssignmentRequired { get; init; }

    /// <summary>Secrets of its own, which are good in its tenant only, oldest first.</summary>
    public IReadOnlyList<ClientSecret> Secrets { get; init; } = [];

    /// <summary>Certificates of its own, which are good in its tenant only, oldest first.</summary>
    public IReadOnlyList<ClientCertificate> Certificates { get; init; } = [];
}

/// <summary>An application permission that was consented to.</summary>
/// <param name="Id">Id of the assignment.</param>
/// <param name="PrincipalId">Service principal, user or group that holds the permission.</param>
/// <param name="ResourceId">Service principal of the API.</param>
/// <param name="AppRoleId">The app role.</param>
/// <param name="CreatedAt">When consent was given.</param>
public sealed record AppRoleAssignment(Guid Id, Guid PrincipalId, Guid ResourceId, Guid AppRoleId, DateTimeOffset CreatedAt);

/// <summary>Delegated permissions that were consented to.</summary>
/// <param name="Id">Id of the grant.</param>
/// <param name="ClientId">Service principal that may act for users.</param>
/// <param name="ResourceId">Service principal of the API.</param>
/// <param name="PrincipalId">The user, or null when an administrator consented for everybody.</param>
/// <param name="Scope">Scope names, separated by spaces.</param>
public sealed record PermissionGrant(Guid Id, Guid ClientId, Guid ResourceId, Guid? PrincipalId, string Scope);

/// <summary>A person who can sign in.</summary>
public sealed record User
{
    /// <summary>Object id.</summary>
    public required Guid Id { get; init; }

    /// <summary>The user's tenant.</summary>
    public required Guid TenantId { get; init; }

    /// <summary>Sign-in name.</summary>
    public required string UserPrincipalName { get; init; }

    /// <summary>Name for people.</summary>
    public required string DisplayName { get; init; }

    /// <summary>First name.</summary>
    public string? GivenName { get; init; }

    /// <summary>Family name.</summary>
    public string? Surname { get; init; }

    /// <summary>False when the account is switched off.</summary>
    public required bool AccountEnabled { get; init; }

    /// <summary>Slow hash of the password; null when none is stored.</summary>
    public required string? PasswordHash { get; init; }

    /// <summary>Template ids of the directory roles the user holds.</summary>
    public required IReadOnlyList<Guid> DirectoryRoles { get; init; }

    /// <summary>Wrong passwords since the last right one.</summary>
    public required int FailedSignIns { get; init; }

    /// <summary>End of a lockout, or null.</summary>
    public required DateTimeOffset? LockedUntil { get; init; }

    /// <summary>When the account was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>What may be a member of a group.</summary>
public enum MemberKind
{
    /// <summary>A person.</summary>
    User,

    /// <summary>Another group, whose members count as members.</summary>
    Group,

    /// <summary>An application's standing in the tenant.</summary>
    ServicePrincipal,
}

/// <summary>A group of people and applications.</summary>
/// <param name="Id">Object id.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="DisplayName">Name for people.</param>
/// <param name="Description">What the group is for.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record Group(Guid Id, Guid TenantId, string DisplayName, string? Description, DateTimeOffset CreatedAt);

/// <summary>A member of a group.</summary>
/// <param name="Id">Object id.</param>
/// <param name="Kind">What it is.</param>
/// <param name="DisplayName">Its name.</param>
/// <param name="UserPrincipalName">Sign-in name of a user, else null.</param>
public sealed record GroupMember(Guid Id, MemberKind Kind, string DisplayName, string? UserPrincipalName);
