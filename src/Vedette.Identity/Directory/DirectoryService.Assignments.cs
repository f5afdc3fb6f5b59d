using Vedette.Identity.Protocol;
using Vedette.Identity.Resources;

namespace Vedette.Identity.Directory;

// App roles: who holds which, and what follows from it for people.
public sealed partial class DirectoryService
{
    private const string AssignmentColumns = "SELECT id, principal_id, resource_id, app_role_id, created_at FROM identity.app_role_assignments";

    /// <summary>Gives a service principal, a user or a group an app role of an application in the same tenant.</summary>
    /// <exception cref="DirectoryException">One of them is not there, the role is not for such a holder, or is held already.</exception>
    public async Task<AppRoleAssignment> AssignRoleAsync(Guid tenantId, Guid principalId, Guid resourceId, Guid appRoleId, CancellationToken cancellationToken = default)
    {
        if (await KindOfAsync(tenantId, principalId, cancellationToken) is not { } kind) throw NoSuchObject(principalId);
        var resource = OwnPrincipal(tenantId, resourceId);
        var api = store.Current.Resource(resource.AppId) ?? throw Lost();

        // The empty id stands for access without a particular role.
        if (appRoleId != Guid.Empty && !api.AppRoles.Any(role => role.Id == appRoleId && role.IsFor(kind == MemberKind.ServicePrincipal ? "Application" : "User")))
            throw DirectoryException.BadInput("Permission being assigned was not found on application");
        if ((await ReadAssignmentsAsync("principal_id = $1 AND resource_id = $2 AND app_role_id = $3", cancellationToken, principalId, resourceId, appRoleId)).Count > 0)
            throw DirectoryException.Conflict("Permission being assigned already exists on the object");
        var assignment = new AppRoleAssignment(identifiers.NewGuid(), principalId, resourceId, appRoleId, clock.GetUtcNow());
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync(
                    "INSERT INTO identity.app_role_assignments (id, principal_id, principal_kind, resource_id, app_role_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
                    assignment.Id, principalId, kind.ToString(), resourceId, appRoleId, assignment.CreatedAt);
                await change.AuditAsync(Audit(
                    kind switch { MemberKind.User => "Add app role assignment grant to user", MemberKind.Group => "Add app role assignment to group", _ => "Add app role assignment to service principal" },
                    tenantId, store.Current.Principal(principalId)?.AppId.ToString() ?? principalId.ToString(), ("resource", resource.AppId.ToString()), ("appRoleId", appRoleId.ToString())));
            },
            cancellationToken);
        return assignment;
    }

    /// <summary>Takes an app role back.</summary>
    public Task RemoveAssignmentAsync(Guid tenantId, AppRoleAssignment assignment, CancellationToken cancellationToken = default) => store.WriteAsync(
        async change =>
        {
            await change.ExecuteAsync("DELETE FROM identity.app_role_assignments WHERE id = $1", assignment.Id);
            await change.AuditAsync(Audit("Remove app role assignment", tenantId, assignment.PrincipalId.ToString(), ("appRoleId", assignment.AppRoleId.ToString())));
        },
        cancellationToken);

    /// <summary>An app role assignment of a tenant; null when there is none.</summary>
    public async Task<AppRoleAssignment?> FindAssignmentAsync(Guid tenantId, Guid id, CancellationToken cancellationToken = default) =>
        (await ReadAssignmentsAsync("id = $1", cancellationToken, id)).FirstOrDefault(found => store.Current.Principal(found.ResourceId)?.TenantId == tenantId);

    /// <summary>App roles that a user holds, in person or as a direct member of a group; nested groups do not count, as in the service.</summary>
    public Task<IReadOnlyList<AppRoleAssignment>> AssignmentsOfUserAsync(Guid userId, CancellationToken cancellationToken = default) => ReadAssignmentsAsync(
        "principal_id = $1 OR (principal_kind = 'Group' AND principal_id IN (SELECT group_id FROM identity.group_members WHERE member_id = $1))", cancellationToken, userId);

    /// <summary>What app roles mean for a user's sign-in: the refusal where an application wants its users assigned, else the roles' names.</summary>
    /// <param name="user">Who signs in.</param>
    /// <param name="applications">The service principals of the client, and of the API if one is asked for.</param>
    /// <param name="cancellationToken">Stops the operation.</param>
    internal async ValueTask<UserRoles> RolesOfUserAsync(User user, IReadOnlyList<ServicePrincipal> applications, CancellationToken cancellationToken)
    {
        // Most applications have no roles for people: then nobody need be asked.
        if (!applications.Any(application => application.AssignmentRequired || RolesForPeople(application).Any())) return UserRoles.None;
        var held = await AssignmentsOfUserAsync(user.Id, cancellationToken);
        var closed = applications.FirstOrDefault(application => application.AssignmentRequired && held.All(assignment => assignment.ResourceId != application.Id));
        if (closed is not null) return new UserRoles(ErrorCatalogue.Create(50105, store.Current.Resource(closed.AppId)?.DisplayName ?? "", closed.AppId, user.UserPrincipalName), UserRoles.None.Names);
        return new UserRoles(null, applications.DistinctBy(application => application.Id).ToDictionary(
            application => application.Id,
            application => (IReadOnlyList<string>)[.. RolesForPeople(application).Where(role => held.Any(a => a.ResourceId == application.Id && a.AppRoleId == role.Id)).Select(role => role.Value).Order(StringComparer.Ordinal)]));
    }

    private IEnumerable<Permission> RolesForPeople(ServicePrincipal application) =>
        store.Current.Resource(application.AppId)?.AppRoles.Where(role => role.IsEnabled && role.Value.Length > 0 && role.IsFor("User")) ?? [];

    private Task<IReadOnlyList<AppRoleAssignment>> ReadAssignmentsAsync(string condition, CancellationToken cancellationToken, params object[] values) => store.QueryAsync(
        $"{AssignmentColumns} WHERE {condition}",
        row => new AppRoleAssignment(row.GetGuid(0), row.GetGuid(1), row.GetGuid(2), row.GetGuid(3), row.GetFieldValue<DateTimeOffset>(4)),
        cancellationToken,
        values);
}

/// <summary>What app roles mean for a user's sign-in.</summary>
/// <param name="Error">The refusal, or null.</param>
/// <param name="Names">Names of roles by the service principal whose roles they are.</param>
internal sealed record UserRoles(ProtocolError? Error, IReadOnlyDictionary<Guid, IReadOnlyList<string>> Names)
{
    /// <summary>No role, and nothing against it.</summary>
    public static UserRoles None { get; } = new(null, new Dictionary<Guid, IReadOnlyList<string>>());

    /// <summary>The roles on one application.</summary>
    public IReadOnlyList<string> On(ServicePrincipal? application) => application is not null && Names.TryGetValue(application.Id, out var names) ? names : [];
}
