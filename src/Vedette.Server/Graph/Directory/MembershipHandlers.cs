using System.Text.Json;
using NpgsqlTypes;
using Vedette.Identity.Directory;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>Members of one kind (casts in the path), what an object belongs to as a list of ids, and objects by their ids.</summary>
internal sealed class MembershipHandlers(EntityReader reader, DirectoryObjects objects) : DirectoryHandlers
{
    private const int MostIds = 1000;
    private const int MostChecks = 20;

    private static readonly (string Kind, EntityTable Table, string Id)[] Kinds =
    [
        ("user", UserTable.Users, "u.id"), ("group", GroupTable.Groups, "g.id"), ("servicePrincipal", ServicePrincipalTable.Principals, "s.id"), ("directoryRole", DirectoryRoleTable.Roles, "r.id"),
    ];

    /// <inheritdoc/>
    protected override IEnumerable<KeyValuePair<string, ApiHandler>> Rows =>
    [
        .. Cast("/groups/{id}/members", ["user", "group", "servicePrincipal"], async (call, id) => MembershipSql.Members(id, (await objects.GroupAsync(call)).Id, nested: false)),
        .. Cast("/groups/{id}/transitiveMembers", ["user", "group", "servicePrincipal"], async (call, id) => MembershipSql.Members(id, (await objects.GroupAsync(call)).Id, nested: true)),
        .. Cast("/users/{id}/memberOf", ["group", "directoryRole"], async (call, id) => MembershipSql.Memberships(id, await objects.ReadableUserAsync(call), nested: false)),
        .. Cast("/users/{id}/transitiveMemberOf", ["group", "directoryRole"], async (call, id) => MembershipSql.Memberships(id, await objects.ReadableUserAsync(call), nested: true)),
        .. Cast("/me/memberOf", ["group", "directoryRole"], async (call, id) => MembershipSql.Memberships(id, await objects.MeAsync(call), nested: false)),
        .. Lists("/users/{id}", async call => (await objects.ReadableUserAsync(call)).Id),
        .. Lists("/me", async call => (await objects.MeAsync(call)).Id),
        .. Lists("/groups/{id}", async call => (await objects.GroupAsync(call)).Id),
        .. Lists("/servicePrincipals/{id}", call => new(objects.Principal(call).Id)),
        .. Lists("/directoryObjects/{id}", async call =>
        {
            var id = DirectoryObjects.Id(call, call.Route["id"]);
            return await objects.For(call).ExistsAsync(call.Caller.TenantId, id, call.Aborted) ? id : throw call.Refuse("ResourceNotFound", id);
        }),
        new("POST /directoryObjects/getByIds", GetByIdsAsync),
    ];

    private IEnumerable<KeyValuePair<string, ApiHandler>> Cast(string path, string[] kinds, Func<ApiCall, string, ValueTask<SqlCondition>> condition) =>
        Kinds.Where(entry => kinds.Contains(entry.Kind)).Select(entry => KeyValuePair.Create<string, ApiHandler>(
            $"GET {path}/microsoft.graph.{entry.Kind}", async call => await ListAsync(call, reader, entry.Table, await condition(call, entry.Id))));

    private IEnumerable<KeyValuePair<string, ApiHandler>> Lists(string path, Func<ApiCall, ValueTask<Guid>> find) =>
    [
        new($"POST {path}/getMemberGroups", async call => Answer(call, await BelongsAsync(call, await find(call), roles: false))),
        new($"POST {path}/getMemberObjects", async call => Answer(call, await BelongsAsync(call, await find(call), roles: true))),
        new($"POST {path}/checkMemberGroups", async call => await CheckAsync(call, await find(call), "groupIds", roles: false)),
        new($"POST {path}/checkMemberObjects", async call => await CheckAsync(call, await find(call), "ids", roles: true)),
    ];

    private async ValueTask<ApiResult> CheckAsync(ApiCall call, Guid id, string key, bool roles)
    {
        var asked = Ids(call, key, MostChecks);
        return Answer(call, [.. (await BelongsAsync(call, id, roles)).Where(asked.Contains)]);
    }

    // Groups by themselves and through others, and the directory roles of a user where these count.
    private async ValueTask<IReadOnlyList<Guid>> BelongsAsync(ApiCall call, Guid id, bool roles)
    {
        var directory = objects.For(call);
        var groups = call.Body.Flag("securityEnabledOnly") is true ? await directory.SecurityGroupsOfAsync(id, call.Aborted) : await directory.GroupsOfAsync(id, call.Aborted);
        if (!roles || await directory.FindUserAsync(id, call.Aborted) is not { } user) return groups;
        return [.. groups, .. DirectoryRole.All.Where(role => user.DirectoryRoles.Contains(role.TemplateId)).Select(role => role.ObjectId(user.TenantId))];
    }

    private async ValueTask<ApiResult> GetByIdsAsync(ApiCall call)
    {
        var ids = Ids(call, "ids", MostIds);
        var types = call.Body.Texts("types");
        return await ListAsync(call, reader, DirectoryObjectTable.Objects, sql =>
        {
            sql.Add($" AND d.id = ANY({sql.Parameter(ids.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Uuid)})");
            if (types is { Count: > 0 } && !types.Contains("directoryObject", StringComparer.OrdinalIgnoreCase))
                sql.Add($" AND lower(d.type) = ANY({sql.Parameter(types.Select(type => $"#microsoft.graph.{type}".ToLowerInvariant()).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text)})");
        });
    }

    private static HashSet<Guid> Ids(ApiCall call, string key, int most)
    {
        var texts = call.Body.Texts(key) ?? [];
        if (texts.Count > most) throw call.Refuse("BadRequest", $"Too many values for property '{key}': {texts.Count}. At most {most} are allowed.");
        return [.. texts.Select(text => DirectoryObjects.Id(call, text))];
    }

    private static JsonResult Answer(ApiCall call, IReadOnlyList<Guid> ids) => new((json, _) =>
    {
        json.WriteStartObject();
        json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#Collection(Edm.String)");
        json.WriteStartArray("value"u8);
        foreach (var id in ids) json.WriteStringValue(id.ToString());
        json.WriteEndArray();
        json.WriteEndObject();
        return default;
    });
}
