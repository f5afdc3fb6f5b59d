using Vedette.Identity.Directory;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>Groups and their members.</summary>
internal sealed class GroupHandlers(EntityReader reader, DirectoryObjects objects) : DirectoryHandlers
{
    private const int MostBindings = 20;

    /// <inheritdoc/>
    protected override IEnumerable<KeyValuePair<string, ApiHandler>> Rows =>
    [
        new("GET /groups", call => ListAsync(call, reader, GroupTable.Groups)),
        new("POST /groups", CreateAsync),
        new("GET /groups/{id}", async call => await OneAsync(call, reader, GroupTable.Groups, (await objects.GroupAsync(call)).Id)),
        new("PATCH /groups/{id}", UpdateAsync),
        new("DELETE /groups/{id}", DeleteAsync),
        new("GET /groups/{id}/members", async call => await ListAsync(call, reader, DirectoryObjectTable.Objects, MembershipSql.Members("d.id", (await objects.GroupAsync(call)).Id, nested: false))),
        new("GET /groups/{id}/transitiveMembers", async call => await ListAsync(call, reader, DirectoryObjectTable.Objects, MembershipSql.Members("d.id", (await objects.GroupAsync(call)).Id, nested: true))),
        new("POST /groups/{id}/members/$ref", AddMemberAsync),
        new("DELETE /groups/{id}/members/{memberId}/$ref", RemoveMemberAsync),
    ];

    private async ValueTask<ApiResult> CreateAsync(ApiCall call)
    {
        var body = call.Body;
        var (members, owners) = (Bindings(call, "members@odata.bind"), Bindings(call, "owners@odata.bind"));
        var directory = objects.For(call);
        var group = await directory.CreateGroupAsync(
            call.Caller.TenantId,
            new GroupDraft(body.Text("displayName")!)
            {
                Description = body.Text("description"),
                MailNickname = body.Text("mailNickname"),
                MailEnabled = body.Flag("mailEnabled") ?? false,
                SecurityEnabled = body.Flag("securityEnabled") ?? true,
                GroupTypes = body.Texts("groupTypes") ?? [],
            },
            call.Caller.IsUser ? call.Caller.ObjectId : null,
            call.Aborted);
        foreach (var owner in owners.Where(owner => owner != call.Caller.ObjectId)) await directory.AddOwnerAsync(call.Caller.TenantId, group.Id, owner, call.Aborted);
        foreach (var member in members) await directory.AddMemberAsync(group, member, call.Aborted);
        return await CreatedAsync(call, reader, GroupTable.Groups, "groups", group.Id);
    }

    private async ValueTask<ApiResult> UpdateAsync(ApiCall call)
    {
        var group = await objects.GroupAsync(call);
        await objects.MayChangeGroupAsync(call, group);
        var directory = objects.For(call);
        await directory.UpdateGroupAsync(group, call.Body.Text("displayName"), (call.Body.Has("description"), call.Body.Text("description")), call.Aborted);
        foreach (var member in Bindings(call, "members@odata.bind")) await directory.AddMemberAsync(group, member, call.Aborted);
        return EmptyResult.Instance;
    }

    private async ValueTask<ApiResult> DeleteAsync(ApiCall call)
    {
        var group = await objects.GroupAsync(call);
        await objects.MayChangeGroupAsync(call, group);
        await objects.For(call).DeleteGroupAsync(group, call.Aborted);
        return EmptyResult.Instance;
    }

    private async ValueTask<ApiResult> AddMemberAsync(ApiCall call)
    {
        var group = await objects.GroupAsync(call);
        await objects.MayChangeGroupAsync(call, group);
        await objects.For(call).AddMemberAsync(group, DirectoryObjects.Reference(call, call.Body.Text("@odata.id")), call.Aborted);
        return EmptyResult.Instance;
    }

    private async ValueTask<ApiResult> RemoveMemberAsync(ApiCall call)
    {
        var group = await objects.GroupAsync(call);
        await objects.MayChangeGroupAsync(call, group);
        await objects.For(call).RemoveMemberAsync(group, DirectoryObjects.Id(call, call.Route["memberId"]), call.Aborted);
        return EmptyResult.Instance;
    }

    private static Guid[] Bindings(ApiCall call, string key)
    {
        var texts = call.Body.Texts(key) ?? [];
        if (texts.Count > MostBindings) throw call.Refuse("BadRequest", $"A resource cannot contain more than {MostBindings} link changes");
        return [.. texts.Select(text => DirectoryObjects.Reference(call, text)).Distinct()];
    }
}
