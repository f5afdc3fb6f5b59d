using Vedette.Identity.Directory;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;
using Vedette.Server.Http.Steps;

namespace Vedette.Server.Graph.Directory;

/// <summary>Deleted users, groups, applications and service principals: list, get, restore, delete for good.</summary>
internal sealed class DeletedItemHandlers(EntityReader reader, DirectoryObjects objects) : DirectoryHandlers
{
    // Which table shows a kind, which permissions read and change it, and what a signed-in user needs to change it.
    private static readonly (DeletedKind Kind, EntityTable Table, string[] Read, string[] Change, string Role)[] Kinds =
    [
        (DeletedKind.User, UserTable.Deleted, ["User.Read.All", "User.ReadWrite.All"], ["User.ReadWrite.All"], GraphUserAccess.ManageUsers),
        (DeletedKind.Group, GroupTable.Deleted, ["Group.Read.All", "Group.ReadWrite.All"], ["Group.ReadWrite.All"], GraphUserAccess.ManageGroups),
        (DeletedKind.Application, ApplicationTable.Deleted, ["Application.Read.All", "Application.ReadWrite.All"], ["Application.ReadWrite.All"], GraphUserAccess.ManageApplications),
        (DeletedKind.ServicePrincipal, ServicePrincipalTable.Deleted, ["Application.Read.All", "Application.ReadWrite.All"], ["Application.ReadWrite.All"], GraphUserAccess.ManageApplications),
    ];

    /// <inheritdoc/>
    protected override IEnumerable<KeyValuePair<string, ApiHandler>> Rows =>
    [
        .. Kinds.Select(kind => KeyValuePair.Create<string, ApiHandler>($"GET /directory/deletedItems/microsoft.graph.{kind.Table.Name}", async call =>
        {
            await objects.For(call).PurgeDeletedAsync(call.Aborted);
            return await ListAsync(call, reader, kind.Table);
        })),
        new("GET /directory/deletedItems/{id}", async call =>
        {
            var item = await FindAsync(call, kind => [.. kind.Read, "Directory.Read.All", "Directory.ReadWrite.All"], changes: false);
            return await OneAsync(call, reader, Of(item.Kind).Table, item.Id);
        }),
        new("POST /directory/deletedItems/{id}/restore", RestoreAsync),
        new("DELETE /directory/deletedItems/{id}", async call =>
        {
            await objects.For(call).PurgeAsync(await FindAsync(call, kind => [.. kind.Change, "Directory.ReadWrite.All"], changes: true), call.Aborted);
            return EmptyResult.Instance;
        }),
    ];

    private async ValueTask<ApiResult> RestoreAsync(ApiCall call)
    {
        var item = await FindAsync(call, kind => [.. kind.Change, "Directory.ReadWrite.All"], changes: true);
        await objects.For(call).RestoreAsync(item, call.Aborted);
        return await OneAsync(call, reader, DirectoryObjectTable.Objects, item.Id);
    }

    // The row of the table cannot tell what is behind the id, so the permission that counts is looked up here.
    private async ValueTask<DeletedItem> FindAsync(ApiCall call, Func<(DeletedKind Kind, EntityTable Table, string[] Read, string[] Change, string Role), string[]> needed, bool changes)
    {
        var id = DirectoryObjects.Id(call, call.Route["id"]);
        var item = await objects.For(call).FindDeletedAsync(call.Caller.TenantId, id, call.Aborted) ?? throw call.Refuse("ResourceNotFound", id);
        var kind = Of(item.Kind);
        var permissions = needed(kind);
        if (!permissions.Any(call.Caller.Permissions.Contains)) throw DirectoryObjects.Denied(call, $"needed one of {string.Join(',', permissions)} for a deleted {kind.Table.Name}");
        return changes && Authorise.MissingRole(call, kind.Role) is { } refused ? throw new ApiException(refused) : item;
    }

    private static (DeletedKind Kind, EntityTable Table, string[] Read, string[] Change, string Role) Of(DeletedKind kind) => Kinds.Single(entry => entry.Kind == kind);
}
