using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Vedette.Identity.Resources;

namespace Vedette.Identity.Directory;

/// <summary>
/// An API that tokens can be asked for: a first-party one or one of a registered application.
/// </summary>
/// <param name="AppId">Application id.</param>
/// <param name="DisplayName">Name for people.</param>
/// <param name="AppRoles">Application permissions it offers.</param>
/// <param name="Scopes">Delegated permissions it offers.</param>
/// <param name="TokenVersion">1 or 2: the version of its access tokens.</param>
public sealed record Resource(Guid AppId, string DisplayName, IReadOnlyList<Permission> AppRoles, IReadOnlyList<Permission> Scopes, int TokenVersion);

/// <summary>
/// The whole directory but its users, as it was at one moment: unchanging, indexed, shared by all requests, so that issuing a token asks
/// no database.
/// </summary>
public sealed class DirectorySnapshot
{
    private readonly FrozenDictionary<Guid, Tenant> _tenants;
    private readonly FrozenDictionary<string, Tenant> _domains;
    private readonly FrozenDictionary<Guid, Application> _applicationsByAppId;
    private readonly FrozenDictionary<Guid, Application> _applicationsById;
    private readonly FrozenDictionary<string, Application> _identifierUris;
    private readonly FrozenDictionary<Guid, ServicePrincipal> _principals;
    private readonly FrozenDictionary<(Guid Tenant, Guid AppId), ServicePrincipal> _principalsByApp;
    private readonly FrozenDictionary<Guid, AppRoleAssignment[]> _assignments;
    private readonly FrozenDictionary<Guid, PermissionGrant[]> _grants;
    private readonly FrozenDictionary<(Guid Principal, Guid Resource), string[]> _roles;
    private readonly FrozenDictionary<Guid, Resource> _resources;

    /// <summary>Indexes what was read from the store.</summary>
    public DirectorySnapshot(
        IReadOnlyList<Tenant> tenants,
        IReadOnlyList<Application> applications,
        IReadOnlyList<ServicePrincipal> principals,
        IReadOnlyList<AppRoleAssignment> assignments,
        IReadOnlyList<PermissionGrant> grants)
    {
        Tenants = tenants;
        Applications = applications;
        _tenants = tenants.ToFrozenDictionary(tenant => tenant.Id);
        _domains = tenants.SelectMany(tenant => tenant.Domains.Select(domain => (domain, tenant)))
            .ToFrozenDictionary(pair => pair.domain, pair => pair.tenant, StringComparer.OrdinalIgnoreCase);
        _applicationsByAppId = applications.ToFrozenDictionary(application => application.AppId);
        _applicationsById = applications.ToFrozenDictionary(application => application.Id);
        _identifierUris = applications.SelectMany(application => application.IdentifierUris.Select(uri => (uri: uri.TrimEnd('/'), application)))
            .DistinctBy(pair => pair.uri, StringComparer.OrdinalIgnoreCase)
            .ToFrozenDictionary(pair => pair.uri, pair => pair.application, StringComparer.OrdinalIgnoreCase);
        _principals = principals.ToFrozenDictionary(principal => principal.Id);
        _principalsByApp = principals.ToFrozenDictionary(principal => (principal.TenantId, principal.AppId));
        _assignments = assignments.GroupBy(assignment => assignment.PrincipalId).ToFrozenDictionary(group => group.Key, group => group.ToArray());
        _grants = grants.GroupBy(grant => grant.ClientId).ToFrozenDictionary(group => group.Key, group => group.ToArray());
        _resources = ResourceCatalogue.Default.All
            .Select(api => new Resource(api.AppId, api.DisplayName, api.AppRoles, api.Scopes, 1))
            .Concat(applications.Select(app => new Resource(app.AppId, app.DisplayName, app.AppRoles, app.Scopes, app.RequestedAccessTokenVersion ?? 1)))
            .DistinctBy(resource => resource.AppId)
            .ToFrozenDictionary(resource => resource.AppId);
        _roles = assignments.GroupBy(assignment => (assignment.PrincipalId, assignment.ResourceId))
            .ToFrozenDictionary(group => group.Key, group => RoleNames(group));
    }

    /// <summary>A directory with nothing in it.</summary>
    public static DirectorySnapshot Empty { get; } = new([], [], [], [], []);

    /// <summary>All tenants, oldest first.</summary>
    public IReadOnlyList<Tenant> Tenants { get; }

    /// <summary>All registered applications, oldest first.</summary>
    public IReadOnlyList<Application> Applications { get; }

    /// <summary>Finds a tenant by id.</summary>
    public bool TryGetTenant(Guid id, [NotNullWhen(true)] out Tenant? tenant) => _tenants.TryGetValue(id, out tenant);

    /// <summary>Finds a tenant by id or verified domain, ignoring case.</summary>
    public bool TryGetTenant(string idOrDomain, [NotNullWhen(true)] out Tenant? tenant) =>
        Guid.TryParse(idOrDomain, out var id) ? _tenants.TryGetValue(id, out tenant) : _domains.TryGetValue(idOrDomain, out tenant);

    /// <summary>Finds a registered application by its application (client) id.</summary>
    public Application? Application(Guid appId) => _applicationsByAppId.GetValueOrDefault(appId);

    /// <summary>Finds a registered application by its object id.</summary>
    public Application? ApplicationByObjectId(Guid id) => _applicationsById.GetValueOrDefault(id);

    /// <summary>Finds an application's service principal in a tenant.</summary>
    public ServicePrincipal? Principal(Guid tenantId, Guid appId) => _principalsByApp.GetValueOrDefault((tenantId, appId));

    /// <summary>Finds a service principal by its object id.</summary>
    public ServicePrincipal? Principal(Guid id) => _principals.GetValueOrDefault(id);

    /// <summary>All service principals of a tenant.</summary>
    public IEnumerable<ServicePrincipal> Principals(Guid tenantId) => _principals.Values.Where(principal => principal.TenantId == tenantId);

    /// <summary>Application permissions that a service principal holds.</summary>
    public IReadOnlyList<AppRoleAssignment> Assignments(Guid principalId) => _assignments.GetValueOrDefault(principalId) ?? [];

    /// <summary>Delegated permissions that a service principal may use.</summary>
    public IReadOnlyList<PermissionGrant> Grants(Guid principalId) => _grants.GetValueOrDefault(principalId) ?? [];

    /// <summary>Names of the app roles that a service principal holds on an API, in alphabetical order.</summary>
    public IReadOnlyList<string> Roles(Guid principalId, Guid resourceId) => _roles.GetValueOrDefault((principalId, resourceId)) ?? [];

    /// <summary>Finds an API by its application id.</summary>
    public Resource? Resource(Guid appId) => _resources.GetValueOrDefault(appId);

    /// <summary>
    /// Finds the API that a resource name means: an audience of a first-party API, an App ID URI, a GUID, or <c>api://</c> and a GUID.
    /// </summary>
    public Resource? Resource(string name)
    {
        if (ResourceCatalogue.Default.TryResolve(name, out var firstParty)) return _resources[firstParty.AppId];
        var plain = name.TrimEnd('/');
        if (_identifierUris.TryGetValue(plain, out var application)) return _resources[application.AppId];
        var id = plain.StartsWith("api://", StringComparison.OrdinalIgnoreCase) ? plain[6..] : plain;
        return Guid.TryParseExact(id, "D", out var appId) ? Resource(appId) : null;
    }

    private string[] RoleNames(IGrouping<(Guid Principal, Guid Resource), AppRoleAssignment> group)
    {
        if (!_principals.TryGetValue(group.Key.Resource, out var principal) || Resource(principal.AppId) is not { } resource) return [];
        var held = group.Select(assignment => assignment.AppRoleId).ToHashSet();
        return [.. resource.AppRoles.Where(role => role.Value.Length > 0 && held.Contains(role.Id)).Select(role => role.Value).Order(StringComparer.Ordinal)];
    }
}
