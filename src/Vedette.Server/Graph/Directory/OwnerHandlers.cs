using NpgsqlTypes;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>Owners of applications, service principals and groups; and any directory object by its id.</summary>
internal sealed class OwnerHandlers(EntityReader reader, DirectoryObjects objects) : DirectoryHandlers
{
    /// <inheritdoc/>
    protected override IEnumerable<KeyValuePair<string, ApiHandler>> Rows =>
    [
        .. Of("applications", call => new(objects.Application(call).Id), (call, id) => objects.MayChangeAsync(call, id)),
        .. Of("servicePrincipals", call => new(objects.Principal(call).Id), (call, id) => objects.MayChangeAsync(call, id)),
        .. Of("groups", async call => (await objects.GroupAsync(call)).Id, async (call, _) => await objects.MayChangeGroupAsync(call, await objects.GroupAsync(call))),
        new("GET /directoryObjects/{id}", call => OneAsync(call, reader, DirectoryObjectTable.Objects, DirectoryObjects.Id(call, call.Route["id"]))),
    ];

    private IEnumerable<KeyValuePair<string, ApiHandler>> Of(string collection, Func<ApiCall, ValueTask<Guid>> find, Func<ApiCall, Guid, ValueTask> check) =>
    [
        new($"GET /{collection}/{{id}}/owners", async call => await ListAsync(call, reader, DirectoryObjectTable.Objects, OwnersOf(await find(call)))),
        new($"POST /{collection}/{{id}}/owners/$ref", async call =>
        {
            var id = await find(call);
            await check(call, id);
            await objects.For(call).AddOwnerAsync(call.Caller.TenantId, id, DirectoryObjects.Reference(call, call.Body.Text("@odata.id")), call.Aborted);
            return EmptyResult.Instance;
        }),
        new($"DELETE /{collection}/{{id}}/owners/{{ownerId}}/$ref", async call =>
        {
            var id = await find(call);
            await check(call, id);
            await objects.For(call).RemoveOwnerAsync(call.Caller.TenantId, id, DirectoryObjects.Id(call, call.Route["ownerId"]), call.Aborted);
            return EmptyResult.Instance;
        }),
    ];

    private static SqlCondition OwnersOf(Guid id) =>
        sql => sql.Add($" AND d.id IN (SELECT w.owner_id FROM identity.owners w WHERE w.object_id = {sql.Parameter(id, NpgsqlDbType.Uuid)})");
}
