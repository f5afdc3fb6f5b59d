using Vedette.Identity.Resources;

namespace Vedette.Identity.Directory;

// Service principals, what they hold, and who owns what.
public sealed partial class DirectoryService
{
    private const string AddOwner = "INSERT INTO identity.owners (object_id, owner_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";

    /// <summary>Brings an application into a tenant: one that is registered there, a multi-tenant one, or a first-party API.</summary>
    /// <exception cref="DirectoryException">There is no such application for this tenant, or it is there already.</exception>
    public async Task<ServicePrincipal> CreatePrincipalAsync(Guid tenantId, Guid appId, Guid? owner = null, CancellationToken cancellationToken = default)
    {
        if (store.Current.Principal(tenantId, appId) is not null)
            throw DirectoryException.Duplicate($"The service principal cannot be created, updated, or restored because the service principal name {appId} is already in use.");
        var application = store.Current.Application(appId);
        var usable = application is null ? ResourceCatalogue.Default.TryGet(appId, out _) : application.TenantId == tenantId || application.IsMultiTenant;
        if (!usable) throw DirectoryException.BadInput($"The appId '{appId}' of the service principal does not reference a valid application object.");
        await store.WriteAsync(
            async change =>
            {
                await AddPrincipalAsync(change, tenantId, appId, clock.GetUtcNow());
                if (owner is { } first)
                    await change.ExecuteAsync("INSERT INTO identity.owners (object_id, owner_id) SELECT id, $3 FROM identity.service_principals WHERE tenant_id = $1 AND app_id = $2", tenantId, appId, first);
                await change.AuditAsync(Audit("Add service principal", tenantId, appId.ToString()));
            },
            cancellationToken);
        return store.Current.Principal(tenantId, appId) ?? throw Lost();
    }

    /// <summary>Changes a service principal; null leaves as it is.</summary>
    public Task UpdatePrincipalAsync(
        ServicePrincipal principal, bool? accountEnabled, bool? assignmentRequired, (bool Given, string? Text) notes, IReadOnlyList<string>? tags, CancellationToken cancellationToken = default) =>
        store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync(
                    """
                    UPDATE identity.service_principals SET account_enabled = coalesce($2::boolean, account_enabled),
                        app_role_assignment_required = coalesce($3::boolean, app_role_assignment_required),
                        notes = CASE WHEN $4 THEN $5::text ELSE notes END, tags = coalesce($6::text[], tags)
                    WHERE id = $1
                    """,
                    principal.Id, accountEnabled, assignmentRequired, notes.Given, notes.Text, tags?.ToArray());
                await change.AuditAsync(Audit("Update service principal", principal.TenantId, principal.Id.ToString(), ("appId", principal.AppId.ToString())));
            },
            cancellationToken);

    /// <summary>Takes an application out of a tenant, with its consents there.</summary>
    public Task DeletePrincipalAsync(ServicePrincipal principal, CancellationToken cancellationToken = default) => store.WriteAsync(
        async change =>
        {
            await KeepDeletedAsync(change, DeletedKind.ServicePrincipal, principal.TenantId, principal.Id);
            await ForgetAsync(change, principal.Id);
            await change.ExecuteAsync("DELETE FROM identity.service_principals WHERE id = $1", principal.Id);
            await change.AuditAsync(Audit("Remove service principal", principal.TenantId, principal.Id.ToString(), ("appId", principal.AppId.ToString())));
        },
        cancellationToken);

    /// <summary>Consents to delegated permissions: for everybody, or for one user.</summary>
    /// <exception cref="DirectoryException">One of them is not there, or there is such a consent already.</exception>
    public async Task<PermissionGrant> CreateGrantAsync(Guid tenantId, Guid clientId, Guid resourceId, Guid? userId, string scope, CancellationToken cancellationToken = default)
    {
        var (client, resource) = (OwnPrincipal(tenantId, clientId), OwnPrincipal(tenantId, resourceId));
        if (userId is { } person && (await FindUserAsync(person, cancellationToken))?.TenantId != tenantId) throw NoSuchObject(person);
        if (store.Current.Grants(clientId).Any(grant => grant.ResourceId == resourceId && grant.PrincipalId == userId)) throw DirectoryException.Duplicate("Permission entry already exists.");
        var id = identifiers.NewGuid();
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync(
                    "INSERT INTO identity.permission_grants (id, client_id, resource_id, principal_id, scope) VALUES ($1, $2, $3, $4::uuid, $5)", id, client.Id, resource.Id, userId, Scopes(scope));
                await change.AuditAsync(Audit("Add delegated permission grant", tenantId, client.AppId.ToString(), ("scope", scope), ("user", userId?.ToString() ?? "everybody")));
            },
            cancellationToken);
        return store.Current.Grants(clientId).Single(grant => grant.Id == id);
    }

    /// <summary>Changes what a consent covers; an empty scope leaves a consent to nothing.</summary>
    public Task UpdateGrantAsync(Guid tenantId, PermissionGrant grant, string scope, CancellationToken cancellationToken = default) => store.WriteAsync(
        async change =>
        {
            await change.ExecuteAsync("UPDATE identity.permission_grants SET scope = $2 WHERE id = $1", grant.Id, Scopes(scope));
            await change.AuditAsync(Audit("Update delegated permission grant", tenantId, grant.ClientId.ToString(), ("scope", scope)));
        },
        cancellationToken);

    /// <summary>Takes a consent back.</summary>
    public Task DeleteGrantAsync(Guid tenantId, PermissionGrant grant, CancellationToken cancellationToken = default) => store.WriteAsync(
        async change =>
        {
            await change.ExecuteAsync("DELETE FROM identity.permission_grants WHERE id = $1", grant.Id);
            await change.AuditAsync(Audit("Remove delegated permission grant", tenantId, grant.ClientId.ToString(), ("scope", grant.Scope)));
        },
        cancellationToken);

    /// <summary>Makes a user or a service principal of a tenant an owner of an object of the same tenant.</summary>
    /// <exception cref="DirectoryException">The owner is not there, or owns it already.</exception>
    public async Task AddOwnerAsync(Guid tenantId, Guid objectId, Guid ownerId, CancellationToken cancellationToken = default)
    {
        if (await KindOfAsync(tenantId, ownerId, cancellationToken) is not (MemberKind.User or MemberKind.ServicePrincipal)) throw NoSuchObject(ownerId);
        if (await IsOwnerAsync(objectId, ownerId, cancellationToken))
            throw DirectoryException.Conflict("One or more added object references already exist for the following modified properties: 'owners'.");
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync(AddOwner, objectId, ownerId);
                await change.AuditAsync(Audit("Add owner", tenantId, objectId.ToString(), ("owner", ownerId.ToString())));
            },
            cancellationToken);
    }

    /// <summary>Takes ownership back.</summary>
    /// <exception cref="DirectoryException">It is no owner.</exception>
    public async Task RemoveOwnerAsync(Guid tenantId, Guid objectId, Guid ownerId, CancellationToken cancellationToken = default)
    {
        if (!await IsOwnerAsync(objectId, ownerId, cancellationToken)) throw NoSuchObject(ownerId);
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync("DELETE FROM identity.owners WHERE object_id = $1 AND owner_id = $2", objectId, ownerId);
                await change.AuditAsync(Audit("Remove owner", tenantId, objectId.ToString(), ("owner", ownerId.ToString())));
            },
            cancellationToken);
    }

    /// <summary>Whether somebody owns an object.</summary>
    public async Task<bool> IsOwnerAsync(Guid objectId, Guid ownerId, CancellationToken cancellationToken = default) =>
        (await store.QueryAsync("SELECT 1 FROM identity.owners WHERE object_id = $1 AND owner_id = $2", row => row.GetInt32(0), cancellationToken, objectId, ownerId)).Count > 0;

    /// <summary>A service principal of a tenant.</summary>
    /// <exception cref="DirectoryException">There is none in this tenant.</exception>
    public ServicePrincipal OwnPrincipal(Guid tenantId, Guid id) =>
        store.Current.Principal(id) is { } principal && principal.TenantId == tenantId ? principal : throw NoSuchObject(id);

    /// <summary>What an object of a tenant is; null when there is none.</summary>
    internal async Task<MemberKind?> KindOfAsync(Guid tenantId, Guid id, CancellationToken cancellationToken)
    {
        if (store.Current.Principal(id) is { } principal) return principal.TenantId == tenantId ? MemberKind.ServicePrincipal : null;
        var kinds = await store.QueryAsync(
            "SELECT 'User' FROM identity.users WHERE tenant_id = $1 AND id = $2 UNION ALL SELECT 'Group' FROM identity.groups WHERE tenant_id = $1 AND id = $2",
            row => Enum.Parse<MemberKind>(row.GetString(0)), cancellationToken, tenantId, id);
        return kinds.Count > 0 ? kinds[0] : null;
    }

    private static string Scopes(string text) => string.Join(' ', text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.OrdinalIgnoreCase));

    private static DirectoryException NoSuchObject(Guid id) =>
        DirectoryException.NotFound($"Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
}
