using Vedette.Identity.Resources;

namespace Vedette.Identity.Directory;

// Permissions and consent.
public sealed partial class DirectoryService
{
    private static readonly Dictionary<string, Guid> ShortNames = new(StringComparer.OrdinalIgnoreCase)
    {
        ["endpoint"] = ResourceCatalogue.EndpointAppId,
        ["mde"] = ResourceCatalogue.EndpointAppId,
        ["threat-protection"] = ResourceCatalogue.ThreatProtectionAppId,
        ["xdr"] = ResourceCatalogue.ThreatProtectionAppId,
        ["m365d"] = ResourceCatalogue.ThreatProtectionAppId,
        ["graph"] = ResourceCatalogue.GraphAppId,
    };

    /// <summary>Adds permissions to what an application requires. They take effect with <see cref="ConsentAsync"/>.</summary>
    public async Task<ApplicationPermissions> GrantAsync(GrantRequest request, CancellationToken cancellationToken = default)
    {
        var (application, tenant) = FindApplicationIn(request.Application, request.Tenant);
        if (request.Permissions.Count == 0) throw DirectoryException.BadInput("Name at least one permission.");
        var kind = request.Delegated ? PermissionKind.Scope : PermissionKind.Role;
        var resource = request.Resource is null ? null : FindResource(request.Resource);
        var wanted = request.Permissions.Select(name => FindPermission(name, kind, resource)).Distinct().ToArray();
        await store.WriteAsync(
            async change =>
            {
                foreach (var (api, permission) in wanted)
                {
                    await change.ExecuteAsync(
                        "INSERT INTO identity.required_permissions (application_id, resource_app_id, permission_id, kind) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                        application.Id, api.AppId, permission.Id, permission.Kind.ToString());
                }

                await change.AuditAsync(Audit(
                    "Update application permissions", tenant.Id, application.AppId.ToString(), ("added", string.Join(' ', wanted.Select(w => w.Permission.Value)))));
            },
            cancellationToken);
        return Permissions(application.AppId, tenant);
    }

    /// <summary>
    /// Gives an administrator's consent, in a tenant, to everything an application requires: application permissions become app role
    /// assignments, delegated ones a grant for all users. What it does not require any more is taken back.
    /// </summary>
    public async Task<ApplicationPermissions> ConsentAsync(string application, string? tenant = null, CancellationToken cancellationToken = default)
    {
        var (found, where) = FindApplicationIn(application, tenant);
        if (where.Id != found.TenantId && !found.IsMultiTenant)
            throw DirectoryException.BadInput($"{found.DisplayName} is not a multi-tenant application: only its home tenant {found.TenantId} can consent.");
        var now = clock.GetUtcNow();
        await store.WriteAsync(
            async change =>
            {
                await AddPrincipalAsync(change, where.Id, found.AppId, now);
                foreach (var api in found.RequiredPermissions.Select(permission => permission.ResourceAppId).Distinct()) await AddPrincipalAsync(change, where.Id, api, now);
                await change.ExecuteAsync(DropRoles, where.Id, found.AppId, found.Id);
                foreach (var role in found.RequiredPermissions.Where(permission => permission.Kind == PermissionKind.Role))
                    await change.ExecuteAsync(AssignRole, identifiers.NewGuid(), where.Id, found.AppId, role.ResourceAppId, role.PermissionId, now);
                await change.ExecuteAsync(DropGrants, where.Id, found.AppId);
                foreach (var group in found.RequiredPermissions.Where(permission => permission.Kind == PermissionKind.Scope).GroupBy(permission => permission.ResourceAppId))
                {
                    var names = group.Select(permission => PermissionOf(permission)?.Value).OfType<string>().Order(StringComparer.Ordinal);
                    await change.ExecuteAsync(GrantScopes, identifiers.NewGuid(), where.Id, found.AppId, group.Key, string.Join(' ', names));
                }

                await change.AuditAsync(Audit("Consent to application", where.Id, found.AppId.ToString(), ("permissions", found.RequiredPermissions.Count.ToString(System.Globalization.CultureInfo.InvariantCulture))));
            },
            cancellationToken);
        return Permissions(found.AppId, where);
    }

    /// <summary>Notes consent to delegated permissions, beside what was consented to before: for one user, or for everybody when null.</summary>
    internal Task GrantScopesAsync(Guid appId, Guid tenantId, Guid resourceAppId, IReadOnlyList<string> scopes, Guid? userId, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        return store.WriteAsync(
            async change =>
            {
                await AddPrincipalAsync(change, tenantId, appId, now);
                await AddPrincipalAsync(change, tenantId, resourceAppId, now);
                var held = store.Current.Principal(tenantId, appId) is { } client && store.Current.Principal(tenantId, resourceAppId) is { } api
                    ? store.Current.Grants(client.Id).Where(grant => grant.ResourceId == api.Id && grant.PrincipalId == userId).SelectMany(grant => grant.Scope.Split(' '))
                    : [];
                var all = string.Join(' ', held.Concat(scopes).Where(name => name.Length > 0).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal));
                await change.ExecuteAsync(MergeScopes, identifiers.NewGuid(), tenantId, appId, resourceAppId, all, userId);
                await change.AuditAsync(Audit("Consent to application", tenantId, appId.ToString(), ("scopes", string.Join(' ', scopes)), ("user", userId?.ToString() ?? "everybody")));
            },
            cancellationToken);
    }

    private const string MergeScopes = """
        INSERT INTO identity.permission_grants (id, client_id, resource_id, principal_id, scope)
        SELECT $1, p.id, r.id, $6::uuid, $5 FROM identity.service_principals p JOIN identity.service_principals r ON r.tenant_id = p.tenant_id
        WHERE p.tenant_id = $2 AND p.app_id = $3 AND r.app_id = $4
        ON CONFLICT (client_id, resource_id, principal_id) DO UPDATE SET scope = excluded.scope
        """;

    private const string DropRoles = """
        DELETE FROM identity.app_role_assignments a USING identity.service_principals p, identity.service_principals r
        WHERE a.principal_id = p.id AND p.tenant_id = $1 AND p.app_id = $2 AND a.resource_id = r.id
          AND NOT EXISTS (SELECT 1 FROM identity.required_permissions q
                          WHERE q.application_id = $3 AND q.kind = 'Role' AND q.resource_app_id = r.app_id AND q.permission_id = a.app_role_id)
        """;

    private const string AssignRole = """
        INSERT INTO identity.app_role_assignments (id, principal_id, resource_id, app_role_id, created_at)
        SELECT $1, p.id, r.id, $5, $6 FROM identity.service_principals p JOIN identity.service_principals r ON r.tenant_id = p.tenant_id
        WHERE p.tenant_id = $2 AND p.app_id = $3 AND r.app_id = $4
        ON CONFLICT (principal_id, resource_id, app_role_id) DO NOTHING
        """;

    private const string DropGrants = """
        DELETE FROM identity.permission_grants g USING identity.service_principals p
        WHERE g.client_id = p.id AND g.principal_id IS NULL AND p.tenant_id = $1 AND p.app_id = $2
        """;

    private const string GrantScopes = """
        INSERT INTO identity.permission_grants (id, client_id, resource_id, principal_id, scope)
        SELECT $1, p.id, r.id, NULL, $5 FROM identity.service_principals p JOIN identity.service_principals r ON r.tenant_id = p.tenant_id
        WHERE p.tenant_id = $2 AND p.app_id = $3 AND r.app_id = $4
        """;

    /// <summary>The permissions that an API offers, for listings and completion; all first-party APIs when null.</summary>
    public IReadOnlyList<PermissionInfo> ListPermissions(string? resource = null)
    {
        var apis = resource is null ? ResourceCatalogue.Default.All.Select(api => store.Current.Resource(api.AppId)!) : [FindResource(resource)];
        return [.. apis.SelectMany(api => api.AppRoles.Concat(api.Scopes).Select(permission => Describe(api, permission, consented: false)))];
    }

    private ApplicationPermissions Permissions(Guid appId, Tenant tenant) =>
        new(appId, tenant.Id, DescribePermissions(store.Current.Application(appId) ?? throw Lost(), tenant.Id));

    private IReadOnlyList<PermissionInfo> DescribePermissions(Application application, Guid tenantId)
    {
        var directory = store.Current;
        var principal = directory.Principal(tenantId, application.AppId);
        var found = new List<PermissionInfo>();
        foreach (var required in application.RequiredPermissions)
        {
            if (directory.Resource(required.ResourceAppId) is not { } api || PermissionOf(required) is not { } permission) continue;
            var resource = directory.Principal(tenantId, required.ResourceAppId);
            var consented = principal is not null && resource is not null && (required.Kind == PermissionKind.Role
                ? directory.Assignments(principal.Id).Any(a => a.ResourceId == resource.Id && a.AppRoleId == required.PermissionId)
                : directory.Grants(principal.Id).Any(g => g.ResourceId == resource.Id && g.PrincipalId is null && g.Scope.Split(' ').Contains(permission.Value, StringComparer.Ordinal)));
            found.Add(Describe(api, permission, consented));
        }

        return [.. found.OrderBy(p => p.Resource, StringComparer.Ordinal).ThenBy(p => p.Kind, StringComparer.Ordinal).ThenBy(p => p.Name, StringComparer.Ordinal)];
    }

    private Permission? PermissionOf(RequiredPermission required) => store.Current.Resource(required.ResourceAppId) is { } api
        ? (required.Kind == PermissionKind.Role ? api.AppRoles : api.Scopes).FirstOrDefault(permission => permission.Id == required.PermissionId)
        : null;

    private static PermissionInfo Describe(Resource api, Permission permission, bool consented) =>
        new(permission.Value, api.DisplayName, permission.Kind == PermissionKind.Role ? "Application" : "Delegated", consented, permission.DisplayName, permission.Id, api.AppId);

    /// <summary>Finds an API by short name, name, URI or id.</summary>
    /// <exception cref="DirectoryException">There is none.</exception>
    public Resource FindResource(string reference)
    {
        var directory = store.Current;
        if (ShortNames.TryGetValue(reference, out var appId)) return directory.Resource(appId)!;
        if (directory.Resource(reference) is { } resource) return resource;
        var named = ResourceCatalogue.Default.All.FirstOrDefault(api => string.Equals(api.DisplayName, reference, StringComparison.OrdinalIgnoreCase));
        return named is not null
            ? directory.Resource(named.AppId)!
            : throw DirectoryException.NotFound($"There is no API '{reference}'. Use endpoint, threat-protection or graph, or the URI or id of an API.");
    }

    private (Resource Resource, Permission Permission) FindPermission(string name, PermissionKind kind, Resource? resource)
    {
        var apis = resource is not null ? [resource] : ResourceCatalogue.Default.All.Select(api => store.Current.Resource(api.AppId)!).ToArray();
        var hits = apis
            .SelectMany(api => (kind == PermissionKind.Role ? api.AppRoles : api.Scopes).Select(permission => (Resource: api, Permission: permission)))
            .Where(pair => string.Equals(pair.Permission.Value, name, StringComparison.OrdinalIgnoreCase) || (Guid.TryParse(name, out var id) && pair.Permission.Id == id))
            .ToArray();
        if (hits.Length == 1) return hits[0];
        if (hits.Length > 1)
            throw DirectoryException.Conflict($"{string.Join(" and ", hits.Select(hit => hit.Resource.DisplayName))} both offer {name}: name the resource.");
        var near = apis.SelectMany(api => kind == PermissionKind.Role ? api.AppRoles : api.Scopes).Select(permission => permission.Value)
            .Distinct(StringComparer.Ordinal).OrderBy(value => Distance(value, name)).ThenBy(value => value, StringComparer.Ordinal).Take(3);
        var where = resource is null ? "No API offers" : $"{resource.DisplayName} does not offer";
        throw DirectoryException.NotFound(
            $"{where} the {(kind == PermissionKind.Role ? "application" : "delegated")} permission '{name}'. Nearest: {string.Join(", ", near)}.");
    }

    private static int Distance(string left, string right)
    {
        if (right.Length > 100) return int.MaxValue;
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var corner = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var same = char.ToUpperInvariant(left[i - 1]) == char.ToUpperInvariant(right[j - 1]);
                (corner, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, corner + (same ? 0 : 1)));
            }
        }

        return row[right.Length];
    }
}
