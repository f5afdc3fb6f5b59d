using System.Text.Json;
using Vedette.Identity.Directory;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>People, and the person who is signed in.</summary>
internal sealed class UserHandlers(EntityReader reader, DirectoryObjects objects) : DirectoryHandlers
{
    /// <inheritdoc/>
    protected override IEnumerable<KeyValuePair<string, ApiHandler>> Rows =>
    [
        new("GET /users", call => ListAsync(call, reader, UserTable.Users)),
        new("POST /users", CreateAsync),
        new("GET /users/{id}", async call => await OneAsync(call, reader, UserTable.Users, (await objects.ReadableUserAsync(call)).Id)),
        new("PATCH /users/{id}", UpdateAsync),
        new("DELETE /users/{id}", DeleteAsync),
        new("GET /users/{id}/memberOf", async call => await ListAsync(call, reader, DirectoryObjectTable.Objects, MembershipSql.Memberships("d.id", await objects.ReadableUserAsync(call), nested: false))),
        new("GET /users/{id}/transitiveMemberOf", async call => await ListAsync(call, reader, DirectoryObjectTable.Objects, MembershipSql.Memberships("d.id", await objects.ReadableUserAsync(call), nested: true))),
        new("GET /me", async call => await OneAsync(call, reader, UserTable.Users, (await objects.MeAsync(call)).Id)),
        new("GET /me/memberOf", async call => await ListAsync(call, reader, DirectoryObjectTable.Objects, MembershipSql.Memberships("d.id", await objects.MeAsync(call), nested: false))),
    ];

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
}
