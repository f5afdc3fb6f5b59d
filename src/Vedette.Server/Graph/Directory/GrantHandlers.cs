using Vedette.Identity.Directory;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>Consent: app roles that service principals hold, and delegated permissions.</summary>
internal sealed class GrantHandlers(EntityReader reader, DirectoryObjects objects) : DirectoryHandlers
{
    /// <inheritdoc/>
    protected override IEnumerable<KeyValuePair<string, ApiHandler>> Rows =>
    [
        .. Assignments("/servicePrincipals/{id}", "appRoleAssignments", "g.principal_id", "principalId", call => new(objects.Principal(call).Id)),
        .. Assignments("/servicePrincipals/{id}", "appRoleAssignedTo", "g.resource_id", "resourceId", call => new(objects.Principal(call).Id)),
        .. Assignments("/users/{id}", "appRoleAssignments", "g.principal_id", "principalId", async call => (await objects.ReadableUserAsync(call)).Id),
        .. Assignments("/groups/{id}", "appRoleAssignments", "g.principal_id", "principalId", async call => (await objects.GroupAsync(call)).Id),
        new("GET /me/appRoleAssignments", async call => await ListAsync(call, reader, GrantTables.Assignments, Where.Equals("g.principal_id", (await objects.MeAsync(call)).Id))),
        new("GET /oauth2PermissionGrants", call => ListAsync(call, reader, GrantTables.Grants)),
        new("POST /oauth2PermissionGrants", CreateGrantAsync),
        new("GET /oauth2PermissionGrants/{id}", call => OneAsync(call, reader, GrantTables.Grants, Grant(call).Id)),
        new("PATCH /oauth2PermissionGrants/{id}", UpdateGrantAsync),
        new("DELETE /oauth2PermissionGrants/{id}", DeleteGrantAsync),
        new("GET /servicePrincipals/{id}/oauth2PermissionGrants", call => ListAsync(call, reader, GrantTables.Grants, Where.Equals("g.client_id", objects.Principal(call).Id))),
    ];

    private IEnumerable<KeyValuePair<string, ApiHandler>> Assignments(string path, string navigation, string column, string member, Func<ApiCall, ValueTask<Guid>> find) =>
    [
        new($"GET {path}/{navigation}", async call => await ListAsync(call, reader, GrantTables.Assignments, Where.Equals(column, await find(call)))),
        new($"POST {path}/{navigation}", async call => await AssignAsync(call, await find(call), $"{path[1..^5]}/{await find(call)}/{navigation}", member)),
        new($"GET {path}/{navigation}/{{assignmentId}}", async call => await OneAsync(call, reader, GrantTables.Assignments, (await AssignmentAsync(call, await find(call))).Id)),
        new($"DELETE {path}/{navigation}/{{assignmentId}}", async call =>
        {
            await objects.For(call).RemoveAssignmentAsync(call.Caller.TenantId, await AssignmentAsync(call, await find(call)), call.Aborted);
            return EmptyResult.Instance;
        }),
    ];

    private async ValueTask<ApiResult> AssignAsync(ApiCall call, Guid id, string collection, string member)
    {
        // The path may name either side; the body names both and must agree.
        if (DirectoryObjects.Body(call, "principalId") != id && DirectoryObjects.Body(call, "resourceId") != id)
            return call.Error("BadRequest", $"Not a valid reference update: '{member}' differs from the object that the request is sent to.");
        var assignment = await objects.For(call).AssignRoleAsync(
            call.Caller.TenantId, DirectoryObjects.Body(call, "principalId"), DirectoryObjects.Body(call, "resourceId"), DirectoryObjects.Body(call, "appRoleId"), call.Aborted);
        return await CreatedAsync(call, reader, GrantTables.Assignments, collection, assignment.Id);
    }

    private async ValueTask<AppRoleAssignment> AssignmentAsync(ApiCall call, Guid holder)
    {
        var id = DirectoryObjects.Id(call, call.Route["assignmentId"]);
        return await objects.For(call).FindAssignmentAsync(call.Caller.TenantId, id, call.Aborted) is { } found && (found.PrincipalId == holder || found.ResourceId == holder)
            ? found
            : throw call.Refuse("ResourceNotFound", id);
    }

    private PermissionGrant Grant(ApiCall call)
    {
        var id = DirectoryObjects.Id(call, call.Route["id"]);
        var directory = objects.For(call).Directory;
        return directory.Principals(call.Caller.TenantId).SelectMany(client => directory.Grants(client.Id)).FirstOrDefault(grant => grant.Id == id) ?? throw call.Refuse("ResourceNotFound", id);
    }

    private async ValueTask<ApiResult> CreateGrantAsync(ApiCall call)
    {
        var everybody = call.Body.Text("consentType") switch
        {
            "AllPrincipals" => true,
            "Principal" => false,
            _ => throw call.Refuse("BadRequest", "Invalid value specified for property 'consentType' of resource 'OAuth2PermissionGrant'."),
        };
        if (everybody == (call.Body.Text("principalId") is not null))
            return call.Error("BadRequest", "A principalId is needed when consentType is Principal, and must be null when it is AllPrincipals.");
        var grant = await objects.For(call).CreateGrantAsync(
            call.Caller.TenantId, DirectoryObjects.Body(call, "clientId"), DirectoryObjects.Body(call, "resourceId"), everybody ? null : DirectoryObjects.Body(call, "principalId"),
            call.Body.Text("scope") ?? "", call.Aborted);
        return await CreatedAsync(call, reader, GrantTables.Grants, "oauth2PermissionGrants", grant.Id);
    }

    private async ValueTask<ApiResult> UpdateGrantAsync(ApiCall call)
    {
        var grant = Grant(call);
        if (call.Body.Has("scope")) await objects.For(call).UpdateGrantAsync(call.Caller.TenantId, grant, call.Body.Text("scope") ?? "", call.Aborted);
        return EmptyResult.Instance;
    }

    private async ValueTask<ApiResult> DeleteGrantAsync(ApiCall call)
    {
        await objects.For(call).DeleteGrantAsync(call.Caller.TenantId, Grant(call), call.Aborted);
        return EmptyResult.Instance;
    }
}
