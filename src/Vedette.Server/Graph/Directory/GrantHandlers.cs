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
        .. Assignments("appRoleAssignments", "g.principal_id", "principalId"),
        .. Assignments("appRoleAssignedTo", "g.resource_id", "resourceId"),
        new("GET /oauth2PermissionGrants", call => ListAsync(call, reader, GrantTables.Grants)),
        new("POST /oauth2PermissionGrants", CreateGrantAsync),
        new("GET /oauth2PermissionGrants/{id}", call => OneAsync(call, reader, GrantTables.Grants, Grant(call).Id)),
        new("PATCH /oauth2PermissionGrants/{id}", UpdateGrantAsync),
        new("DELETE /oauth2PermissionGrants/{id}", DeleteGrantAsync),
        new("GET /servicePrincipals/{id}/oauth2PermissionGrants", call => ListAsync(call, reader, GrantTables.Grants, Where.Equals("g.client_id", objects.Principal(call).Id))),
    ];

    private IEnumerable<KeyValuePair<string, ApiHandler>> Assignments(string navigation, string column, string member) =>
    [
        new($"GET /servicePrincipals/{{id}}/{navigation}", call => ListAsync(call, reader, GrantTables.Assignments, Where.Equals(column, objects.Principal(call).Id))),
        new($"POST /servicePrincipals/{{id}}/{navigation}", call => AssignAsync(call, navigation, member)),
        new($"GET /servicePrincipals/{{id}}/{navigation}/{{assignmentId}}", call => OneAsync(call, reader, GrantTables.Assignments, Assignment(call).Id)),
        new($"DELETE /servicePrincipals/{{id}}/{navigation}/{{assignmentId}}", async call =>
        {
            await objects.For(call).RemoveAssignmentAsync(call.Caller.TenantId, Assignment(call), call.Aborted);
            return EmptyResult.Instance;
        }),
    ];

    private async ValueTask<ApiResult> AssignAsync(ApiCall call, string navigation, string member)
    {
        var principal = objects.Principal(call);

        // The path may name either side; the body names both and must agree.
        if (DirectoryObjects.Body(call, "principalId") != principal.Id && DirectoryObjects.Body(call, "resourceId") != principal.Id)
            return call.Error("BadRequest", $"Not a valid reference update: '{member}' differs from the object that the request is sent to.");
        var assignment = await objects.For(call).AssignRoleAsync(
            call.Caller.TenantId, DirectoryObjects.Body(call, "principalId"), DirectoryObjects.Body(call, "resourceId"), DirectoryObjects.Body(call, "appRoleId"), call.Aborted);
        return await CreatedAsync(call, reader, GrantTables.Assignments, $"servicePrincipals/{principal.Id}/{navigation}", assignment.Id);
    }

    private AppRoleAssignment Assignment(ApiCall call)
    {
        var principal = objects.Principal(call);
        var id = DirectoryObjects.Id(call, call.Route["assignmentId"]);
        var directory = objects.For(call).Directory;
        return directory.Principals(call.Caller.TenantId).SelectMany(holder => directory.Assignments(holder.Id))
            .FirstOrDefault(held => held.Id == id && (held.PrincipalId == principal.Id || held.ResourceId == principal.Id)) ?? throw call.Refuse("ResourceNotFound", id);
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
