using NpgsqlTypes;
using Vedette.Identity.Directory;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>Directory roles and the users who hold them.</summary>
internal sealed class DirectoryRoleHandlers(EntityReader reader, DirectoryObjects objects) : DirectoryHandlers
{
    /// <inheritdoc/>
    protected override IEnumerable<KeyValuePair<string, ApiHandler>> Rows =>
    [
        new("GET /directoryRoles", call => ListAsync(call, reader, DirectoryRoleTable.Roles)),
        new("GET /directoryRoles/{id}", call => OneAsync(call, reader, DirectoryRoleTable.Roles, Role(call).ObjectId(call.Caller.TenantId))),
        new("GET /directoryRoles/{id}/members", call => ListAsync(call, reader, DirectoryObjectTable.Objects, Holders(Role(call)))),
        new("POST /directoryRoles/{id}/members/$ref", call => SetAsync(call, DirectoryObjects.Reference(call, call.Body.Text("@odata.id")), held: true)),
        new("DELETE /directoryRoles/{id}/members/{memberId}/$ref", call => SetAsync(call, DirectoryObjects.Id(call, call.Route["memberId"]), held: false)),
    ];

    private static DirectoryRole Role(ApiCall call)
    {
        var (id, key) = call.Route.Find("roleTemplateId") is { } template
            ? (DirectoryObjects.Id(call, template), template)
            : (DirectoryObjects.Id(call, call.Route["id"]), call.Route["id"]);
        return DirectoryRole.All.FirstOrDefault(role => call.Route.Find("roleTemplateId") is null ? role.ObjectId(call.Caller.TenantId) == id : role.TemplateId == id)
            ?? throw call.Refuse("ResourceNotFound", key);
    }

    private async ValueTask<ApiResult> SetAsync(ApiCall call, Guid userId, bool held)
    {
        var role = Role(call);
        var directory = objects.For(call);
        var user = await directory.FindUserAsync(userId, call.Aborted);
        if (user?.TenantId != call.Caller.TenantId) return call.Error("ResourceNotFound", userId);
        if (await directory.SetDirectoryRoleAsync(user, role, held, call.Aborted)) return EmptyResult.Instance;
        return held
            ? call.Error("BadRequest", "One or more added object references already exist for the following modified properties: 'members'.")
            : call.Error("ResourceNotFound", userId);
    }

    private static SqlCondition Holders(DirectoryRole role) =>
        sql => sql.Add($" AND d.id IN (SELECT u.id FROM identity.users u WHERE {sql.Parameter(role.TemplateId, NpgsqlDbType.Uuid)} = ANY(u.directory_roles))");
}
