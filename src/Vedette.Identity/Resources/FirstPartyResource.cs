using System.Collections.Frozen;

namespace Vedette.Identity.Resources;

/// <summary>Whether a permission is held by an application itself or by an application acting for a user.</summary>
public enum PermissionKind
{
    /// <summary>An app role: an application permission, found in the <c>roles</c> claim.</summary>
    Role,

    /// <summary>A delegated permission (OAuth 2.0 scope), found in the <c>scp</c> claim.</summary>
    Scope,
}

/// <summary>One permission that a resource offers.</summary>
/// <param name="Id">Identifier of the app role or scope, the same in every tenant.</param>
/// <param name="Value">Name as it appears in tokens, for example <c>Machine.Isolate</c>.</param>
/// <param name="DisplayName">What the permission allows, in a few words, for consent pages and listings.</param>
/// <param name="Kind">Application or delegated permission.</param>
/// <param name="Derived">True when <paramref name="Id"/> is not publicly known and was derived from the name.</param>
public sealed record Permission(Guid Id, string Value, string DisplayName, PermissionKind Kind, bool Derived)
{
    /// <summary>What the permission allows, in a sentence; the display name when nothing else was said.</summary>
    public string? Description { get; init; }

    /// <summary>False when it may not be granted any more.</summary>
    public bool IsEnabled { get; init; } = true;

    /// <summary>Who may hold an app role: <c>User</c>, <c>Application</c> or both. Empty for scopes.</summary>
    public IReadOnlyList<string> AllowedMemberTypes { get; init; } = [];

    /// <summary>Whether a kind of member, <c>User</c> or <c>Application</c>, may hold an app role; one that names no kind is for applications.</summary>
    public bool IsFor(string memberType) => AllowedMemberTypes.Count == 0 ? memberType == "Application" : AllowedMemberTypes.Contains(memberType, StringComparer.OrdinalIgnoreCase);

    /// <summary>Who may consent to a scope: <c>User</c> or <c>Admin</c>.</summary>
    public string ConsentType { get; init; } = "Admin";

    /// <summary>A scope's name as a user reads it when consenting.</summary>
    public string? UserConsentDisplayName { get; init; }

    /// <summary>A scope's description as a user reads it when consenting.</summary>
    public string? UserConsentDescription { get; init; }
}

/// <summary>An API that exists in every tenant: the Endpoint API, the Threat Protection API or Graph.</summary>
public sealed class FirstPartyResource
{
    private readonly FrozenDictionary<Guid, Permission> _byId;

    internal FirstPartyResource(
        Guid appId, string displayName, string resourceUri, IReadOnlyList<string> audiences, IReadOnlyList<Permission> appRoles, IReadOnlyList<Permission> scopes)
    {
        AppId = appId;
        DisplayName = displayName;
        ResourceUri = resourceUri;
        Audiences = audiences;
        AppRoles = appRoles;
        Scopes = scopes;
        _byId = appRoles.Concat(scopes).DistinctBy(permission => (permission.Id, permission.Kind)).GroupBy(permission => permission.Id)
            .ToFrozenDictionary(group => group.Key, group => group.First());
    }

    /// <summary>Well-known application id, the same in every tenant.</summary>
    public Guid AppId { get; }

    /// <summary>Name under which portals list the API.</summary>
    public string DisplayName { get; }

    /// <summary>The spelling that documentation uses as resource or scope prefix.</summary>
    public string ResourceUri { get; }

    /// <summary>Every URI that names this API, without a trailing slash. The GUID is accepted besides.</summary>
    public IReadOnlyList<string> Audiences { get; }

    /// <summary>Application permissions.</summary>
    public IReadOnlyList<Permission> AppRoles { get; }

    /// <summary>Delegated permissions.</summary>
    public IReadOnlyList<Permission> Scopes { get; }

    /// <summary>Finds a permission of a kind by its name, ignoring case; null when there is none.</summary>
    public Permission? Find(string value, PermissionKind kind) =>
        (kind == PermissionKind.Role ? AppRoles : Scopes).FirstOrDefault(p => string.Equals(p.Value, value, StringComparison.OrdinalIgnoreCase));

    /// <summary>Finds a permission by its identifier; null when there is none.</summary>
    public Permission? Find(Guid id) => _byId.GetValueOrDefault(id);

    /// <inheritdoc/>
    public override string ToString() => DisplayName;
}
