using System.Text.Json;
using NpgsqlTypes;
using Vedette.Identity.Directory;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>People, and the person who is signed in.</summary>
internal sealed class UserHandlers(EntityReader reader, DirectoryObjects objects) : DirectoryHandlers
{
    // Delegated permissions that reach nobody but the signed-in user.
    private static readonly string[] OwnOnly = ["User.Read", "User.ReadWrite"];

    /// <inheritdoc/>
    protected override IEnumerable<KeyValuePair<string, ApiHandler>> Rows =>
    [
        new("GET /users", call => ListAsync(call, reader, UserTable.Users)),
        new("POST /users", CreateAsync),
        new("GET /users/{id}", async call => await OneAsync(call, reader, UserTable.Users, (await ReadableAsync(call)).Id)),
        new("PATCH /users/{id}", UpdateAsync),
        new("DELETE /users/{id}", DeleteAsync),
        new("GET /users/{id}/memberOf", async call => await ListAsync(call, reader, DirectoryObjectTable.Objects, Memberships((await ReadableAsync(call)), nested: false))),
        new("GET /users/{id}/transitiveMemberOf", async call => await ListAsync(call, reader, DirectoryObjectTable.Objects, Memberships((await ReadableAsync(call)), nested: true))),
        new("GET /me", async call => await OneAsync(call, reader, UserTable.Users, (await MeAsync(call)).Id)),
        new("GET /me/memberOf", async call => await ListAsync(call, reader, DirectoryObjectTable.Objects, Memberships(await MeAsync(call), nested: false))),
    ];

    private async ValueTask<User> MeAsync(ApiCall call)
    {
        if (!call.Caller.IsUser) throw call.Refuse("OnlyDelegated");
        var user = await objects.For(call).FindUserAsync(call.Caller.ObjectId, call.Aborted);
        return user?.TenantId == call.Caller.TenantId ? user : throw call.Refuse("ResourceNotFound", call.Caller.ObjectId);
    }

    private async ValueTask<User> ReadableAsync(ApiCall call)
    {
        var user = await objects.UserAsync(call);
        var wider = call.Endpoint.Delegated.SelectMany(group => group).Where(permission => !OwnOnly.Contains(permission));
        if (call.Caller.IsUser && user.Id != call.Caller.ObjectId && !wider.Any(call.Caller.Permissions.Contains))
            throw DirectoryObjects.Denied(call, "the token's permissions reach the signed-in user only");
        return user;
    }

    private async ValueTask<ApiResult> CreateAsync(ApiCall call)
    {
        var body = call.Body;
        var password = PasswordOf(call) ?? throw call.Refuse("BadRequest", "The password is missing from passwordProfile.");
        var user = await objects.For(call).CreateUserAsync(
            new CreateUserRequest(body.Text("userPrincipalName")!, body.Text("displayName")!)
            {
                Tenant = call.Caller.TenantId.ToString(),
                Password = password,
                AccountEnabled = body.Flag("accountEnabled") ?? true,
                GivenName = body.Text("givenName"),
                Surname = body.Text("surname"),
                Profile = ProfileOf(call),
            },
            call.Aborted);
        return await CreatedAsync(call, reader, UserTable.Users, "users", user.Id);
    }

    private async ValueTask<ApiResult> UpdateAsync(ApiCall call)
    {
        var user = await objects.UserAsync(call);
        await objects.For(call).UpdateUserAsync(
            user,
            new UserChange
            {
                DisplayName = call.Body.Text("displayName"),
                UserPrincipalName = call.Body.Text("userPrincipalName"),
                AccountEnabled = call.Body.Flag("accountEnabled"),
                Password = PasswordOf(call),
                Profile = ProfileOf(call),
            },
            call.Aborted);
        return EmptyResult.Instance;
    }

    private async ValueTask<ApiResult> DeleteAsync(ApiCall call)
    {
        await objects.For(call).DeleteUserAsync(await objects.UserAsync(call), call.Aborted);
        return EmptyResult.Instance;
    }

    private static string? PasswordOf(ApiCall call)
    {
        if (call.Body.Value("passwordProfile") is not { ValueKind: JsonValueKind.Object } profile || !profile.TryGetProperty("password", out var password)) return null;
        return password.ValueKind == JsonValueKind.String && password.GetString() is { Length: >= 8 and <= 256 } text
            ? text
            : throw call.Refuse("BadRequest", "The specified password does not comply with password complexity requirements. Please provide a different password.");
    }

    private static Dictionary<string, string?> ProfileOf(ApiCall call) =>
        UserProfile.Columns.Keys.Where(call.Body.Has).ToDictionary(property => property, call.Body.Text, StringComparer.Ordinal);

    // Groups, and the directory roles that the user holds.
    private static SqlCondition Memberships(User user, bool nested) => sql =>
    {
        var id = sql.Parameter(user.Id, NpgsqlDbType.Uuid);
        var roles = DirectoryRole.All.Where(role => user.DirectoryRoles.Contains(role.TemplateId)).Select(role => role.ObjectId(user.TenantId)).ToArray();
        var groups = nested
            ? $"WITH RECURSIVE held AS (SELECT group_id FROM identity.group_members WHERE member_id = {id} UNION SELECT m.group_id FROM identity.group_members m JOIN held ON m.member_id = held.group_id) SELECT group_id FROM held"
            : $"SELECT group_id FROM identity.group_members WHERE member_id = {id}";
        sql.Add($" AND (d.id IN ({groups}) OR d.id = ANY({sql.Parameter(roles, NpgsqlDbType.Array | NpgsqlDbType.Uuid)}))");
    };
}
