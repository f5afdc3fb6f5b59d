using System.Text.Json;
using Vedette.Identity.Directory;
using Vedette.Server.Tests.Access;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.Graph;

/// <summary>Users, groups, directory roles and the organisation over Graph.</summary>
public sealed class PeopleTests(GraphFixture graph) : IClassFixture<GraphFixture>
{
    private readonly DirectoryHost _host = graph.Host;
    private readonly string _token = graph.Token;

    [Fact]
    public async Task A_user_is_made_signs_in_is_changed_and_deleted()
    {
        var user = await PostAsync("/v1.0/users", new
        {
            accountEnabled = true,
            displayName = "Grace Hopper",
            mailNickname = "grace",
            userPrincipalName = "grace@contoso.example",
            givenName = "Grace",
            department = "Navy",
            passwordProfile = new { forceChangePasswordNextSignIn = false, password = DirectoryHost.Password },
        });
        user.TryGetProperty("department", out _).ShouldBeFalse();
        var id = Text(user, "id");
        var client = await _host.AddClientAsync([], "graph", ["User.Read"]);
        var info = new UserInfo(Guid.Parse(id), _host.Tenant.Id, "grace@contoso.example", "Grace Hopper", true);
        var own = await _host.UserTokenAsync(client, info, GraphFixture.Resource);
        Text((await _host.GetAsync("/v1.0/me?$select=department,id", own)).Json, "department").ShouldBe("Navy");
        (await _host.GetAsync("/v1.0/me", own)).Json.GetProperty("@odata.context").GetString().ShouldEndWith("/v1.0/$metadata#users/$entity");

        (await SendAsync(HttpMethod.Patch, "/v1.0/users/grace@contoso.example", new { jobTitle = "Rear admiral", department = (string?)null })).Status.ShouldBe(204);
        var now = (await _host.GetAsync($"/v1.0/users/{id}?$select=jobTitle,department,accountEnabled,userType", _token)).Json;
        (Text(now, "jobTitle"), now.GetProperty("department").ValueKind, Text(now, "userType")).ShouldBe(("Rear admiral", JsonValueKind.Null, "Member"));
        (await _host.GetAsync("/v1.0/users?$filter=startswith(userPrincipalName,'grace') and accountEnabled eq true", _token)).Value.ShouldHaveSingleItem();

        (await SendAsync(HttpMethod.Delete, $"/v1.0/users/{id}")).Status.ShouldBe(204);
        (await _host.GetAsync("/v1.0/me", own)).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_user_with_user_read_sees_nobody_else_and_an_application_has_no_me()
    {
        var (one, two) = (await _host.AddUserAsync("one"), await _host.AddUserAsync("two"));
        var client = await _host.AddClientAsync([], "graph", ["User.Read"]);
        var token = await _host.UserTokenAsync(client, one, GraphFixture.Resource);
        (await _host.GetAsync($"/v1.0/users/{one.Id}", token)).Status.ShouldBe(200);
        (await _host.GetAsync($"/v1.0/users/{two.Id}", token)).ShouldFail(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.");
        (await _host.GetAsync("/v1.0/users", token)).Status.ShouldBe(403);
        (await _host.GetAsync("/v1.0/me", _token)).ShouldFail(400, "BadRequest", "/me request is only valid with delegated authentication flow.");
    }

    [Fact]
    public async Task What_a_user_may_do_follows_from_their_roles_and_from_what_they_own()
    {
        var client = await _host.AddClientAsync([], "graph", ["Application.ReadWrite.All", "User.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All"]);
        var (plain, administrator) = (await _host.AddUserAsync("plain"), await _host.AddUserAsync("appadmin", null, DirectoryRole.ApplicationAdministrator));
        var (plainToken, adminToken) = (await _host.UserTokenAsync(client, plain, GraphFixture.Resource), await _host.UserTokenAsync(client, administrator, GraphFixture.Resource));
        var others = await PostAsync("/v1.0/applications", new { displayName = "Not plain's" });
        var own = (await _host.SendAsync(HttpMethod.Post, "/v1.0/applications", plainToken, new { displayName = "Plain's own" })).Json;
        (await _host.SendAsync(HttpMethod.Patch, $"/v1.0/applications/{Text(own, "id")}", plainToken, new { notes = "mine" })).Status.ShouldBe(204);
        (await _host.SendAsync(HttpMethod.Patch, $"/v1.0/applications/{Text(others, "id")}", plainToken, new { notes = "mine" })).Status.ShouldBe(403);
        (await _host.SendAsync(HttpMethod.Patch, $"/v1.0/applications/{Text(others, "id")}", adminToken, new { notes = "admin's" })).Status.ShouldBe(204);
        (await _host.SendAsync(HttpMethod.Delete, $"/v1.0/users/{plain.Id}", plainToken)).Status.ShouldBe(403);
        (await _host.SendAsync(HttpMethod.Delete, $"/v1.0/users/{plain.Id}", adminToken)).Status.ShouldBe(403);
    }

    [Fact]
    public async Task Members_come_and_go_by_reference_and_carry_their_type()
    {
        var user = await _host.AddUserAsync("member");
        var outer = await PostAsync("/v1.0/groups", Group("Outer"));
        var inner = await PostAsync("/v1.0/groups", Group("Inner"));
        var members = $"/v1.0/groups/{Text(outer, "id")}/members";
        (await SendAsync(HttpMethod.Post, members + "/$ref", Reference(Text(inner, "id")))).Status.ShouldBe(204);
        (await SendAsync(HttpMethod.Post, members + "/$ref", Reference(Text(inner, "id")))).ShouldFail(
            400, "Request_BadRequest", "One or more added object references already exist for the following modified properties: 'members'.");
        (await SendAsync(HttpMethod.Post, $"/v1.0/groups/{Text(inner, "id")}/members/$ref", Reference(user.Id.ToString()))).Status.ShouldBe(204);
        (await SendAsync(HttpMethod.Post, members + "/$ref", Reference(Guid.NewGuid().ToString()))).Status.ShouldBe(404);
        Text((await _host.GetAsync(members, _token)).Value.Single(), "@odata.type").ShouldBe("#microsoft.graph.group");
        (await _host.GetAsync($"/v1.0/groups/{Text(outer, "id")}/transitiveMembers?$select=id", _token)).Value.Select(item => Text(item, "@odata.type"))
            .ShouldBe(["#microsoft.graph.group", "#microsoft.graph.user"], ignoreOrder: true);
        (await _host.GetAsync($"/v1.0/users/{user.Id}/memberOf", _token)).Ids.ShouldBe([Text(inner, "id")]);
        (await _host.GetAsync($"/v1.0/users/{user.Id}/transitiveMemberOf", _token)).Ids.ShouldBe([Text(inner, "id"), Text(outer, "id")], ignoreOrder: true);

        // One kind only, ids only, and objects by their ids.
        (await _host.GetAsync($"{members}/microsoft.graph.user", _token)).Value.ShouldBeEmpty();
        (await _host.GetAsync($"{members}/graph.group?$select=id", _token)).Ids.ShouldBe([Text(inner, "id")]);
        var people = await _host.GetAsync($"/v1.0/groups/{Text(outer, "id")}/transitiveMembers/microsoft.graph.user?$filter=startswith(userPrincipalName,'member')&$select=id,userPrincipalName", _token);
        Text(people.Json, "@odata.context").ShouldContain("/v1.0/$metadata#users(");
        Text(people.Value.ShouldHaveSingleItem(), "userPrincipalName").ShouldBe("member@contoso.example");
        (await _host.GetAsync($"/v1.0/users/{user.Id}/transitiveMemberOf/microsoft.graph.group", _token)).Ids.ShouldBe([Text(inner, "id"), Text(outer, "id")], ignoreOrder: true);
        var belongs = await SendAsync(HttpMethod.Post, $"/v1.0/users/{user.Id}/getMemberGroups", new { securityEnabledOnly = true });
        belongs.Json.GetProperty("@odata.context").GetString().ShouldEndWith("/v1.0/$metadata#Collection(Edm.String)");
        belongs.Json.GetProperty("value").EnumerateArray().Select(id => id.GetString()).ShouldBe([Text(inner, "id"), Text(outer, "id")], ignoreOrder: true);
        (await SendAsync(HttpMethod.Post, $"/v1.0/directoryObjects/{user.Id}/checkMemberGroups", new { groupIds = new[] { Text(outer, "id"), Guid.NewGuid().ToString() } }))
            .Json.GetProperty("value").EnumerateArray().Select(id => id.GetString()).ShouldBe([Text(outer, "id")]);
        var found = await SendAsync(HttpMethod.Post, "/v1.0/directoryObjects/getByIds", new { ids = new[] { user.Id.ToString(), Text(inner, "id"), Guid.NewGuid().ToString() }, types = new[] { "user", "group" } });
        found.Value.Select(item => Text(item, "@odata.type")).ShouldBe(["#microsoft.graph.user", "#microsoft.graph.group"], ignoreOrder: true);
        (await SendAsync(HttpMethod.Post, "/v1.0/directoryObjects/getByIds", new { ids = new[] { user.Id.ToString(), Text(inner, "id") }, types = new[] { "group" } })).Ids.ShouldBe([Text(inner, "id")]);
        (await SendAsync(HttpMethod.Post, "/v1.0/directoryObjects/getByIds", new { ids = new[] { "nonsense" } })).ShouldFail(400, "Request_BadRequest", "Invalid object identifier 'nonsense'.");

        (await SendAsync(HttpMethod.Delete, $"{members}/{Text(inner, "id")}/$ref")).Status.ShouldBe(204);
        (await SendAsync(HttpMethod.Delete, $"{members}/{Text(inner, "id")}/$ref")).Status.ShouldBe(404);
        (await SendAsync(HttpMethod.Patch, $"/v1.0/groups/{Text(outer, "id")}", new { description = "changed" })).Status.ShouldBe(204);
        Text((await _host.GetAsync($"/v1.0/groups/{Text(outer, "id")}", _token)).Json, "description").ShouldBe("changed");
        (await SendAsync(HttpMethod.Delete, $"/v1.0/groups/{Text(outer, "id")}")).Status.ShouldBe(204);
    }

    [Fact]
    public async Task A_directory_role_is_found_by_its_template_and_given_to_a_user()
    {
        var user = await _host.AddUserAsync("promoted");
        var template = DirectoryRole.SecurityReader.TemplateId;
        var role = (await _host.GetAsync($"/v1.0/directoryRoles(roleTemplateId='{template}')", _token)).Json;
        Text(role, "id").ShouldBe(DirectoryRole.SecurityReader.ObjectId(_host.Tenant.Id).ToString());
        (await _host.GetAsync("/v1.0/directoryRoles?$filter=displayName eq 'Security Reader'", _token)).Ids.ShouldBe([Text(role, "id")]);
        (await SendAsync(HttpMethod.Post, $"/v1.0/directoryRoles/{Text(role, "id")}/members/$ref", Reference(user.Id.ToString()))).Status.ShouldBe(204);
        (await _host.GetAsync($"/v1.0/directoryRoles/{Text(role, "id")}/members", _token)).Ids.ShouldBe([user.Id.ToString()]);
        Text((await _host.GetAsync($"/v1.0/users/{user.Id}/memberOf", _token)).Value.Single(), "displayName").ShouldBe("Security Reader");
        (await SendAsync(HttpMethod.Delete, $"/v1.0/directoryRoles(roleTemplateId='{template}')/members/{user.Id}/$ref")).Status.ShouldBe(204);
        (await _host.GetAsync($"/v1.0/directoryRoles/{Text(role, "id")}/members", _token)).Value.ShouldBeEmpty();
    }

    [Fact]
    public async Task App_roles_are_assigned_to_people_and_groups_and_stand_in_their_tokens()
    {
        var (reader, writer) = (Guid.NewGuid(), Guid.NewGuid());
        object Role(Guid id, string value) => new { id, value, displayName = value, description = value, isEnabled = true, allowedMemberTypes = new[] { "User" } };
        var application = await PostAsync("/v1.0/applications", new
        {
            displayName = "Reports",
            identifierUris = new[] { "api://reports" },
            appRoles = new[] { Role(reader, "Reports.Read"), Role(writer, "Reports.Write") },
            api = new { oauth2PermissionScopes = new[] { new { id = Guid.NewGuid(), value = "access", adminConsentDisplayName = "Access", adminConsentDescription = "Access", type = "User", isEnabled = true } } },
        });
        var api = Text(await PostAsync("/v1.0/servicePrincipals", new { appId = Text(application, "appId") }), "id");
        var client = await _host.AddClientAsync([], "api://reports", ["access"]);
        var (user, other) = (await _host.AddUserAsync("reporter"), await _host.AddUserAsync("outsider"));
        (await RolesAsync(user)).ShouldBeEmpty();

        // In person, and by a group of which the user is a direct member.
        var mine = $"/v1.0/users/{user.Id}/appRoleAssignments";
        var assignment = await PostAsync(mine, new { principalId = user.Id, resourceId = api, appRoleId = reader });
        (Text(assignment, "principalType"), Text(assignment, "principalDisplayName"), Text(assignment, "resourceDisplayName")).ShouldBe(("User", "reporter", "Reports"));
        (await SendAsync(HttpMethod.Post, mine, new { principalId = user.Id, resourceId = api, appRoleId = reader })).ShouldFail(400, "Request_BadRequest", "Permission being assigned already exists on the object");
        (await SendAsync(HttpMethod.Post, mine, new { principalId = user.Id, resourceId = api, appRoleId = Guid.NewGuid() })).ShouldFail(400, "Request_BadRequest", "Permission being assigned was not found on application");
        var group = await PostAsync("/v1.0/groups", Group("Writers"));
        await PostAsync($"/v1.0/groups/{Text(group, "id")}/appRoleAssignments", new { principalId = Text(group, "id"), resourceId = api, appRoleId = writer });
        (await RolesAsync(user)).ShouldBe(["Reports.Read"]);
        (await SendAsync(HttpMethod.Post, $"/v1.0/groups/{Text(group, "id")}/members/$ref", Reference(user.Id.ToString()))).Status.ShouldBe(204);
        (await RolesAsync(user)).ShouldBe(["Reports.Read", "Reports.Write"]);
        (await _host.GetAsync($"/v1.0/servicePrincipals/{api}/appRoleAssignedTo?$select=principalType", _token)).Value.Select(item => Text(item, "principalType")).ShouldBe(["User", "Group"], ignoreOrder: true);
        (await _host.GetAsync(mine, _token)).Ids.ShouldBe([Text(assignment, "id")]);

        // Where assignment is required, the others stay outside.
        (await RolesAsync(other)).ShouldBeEmpty();
        (await SendAsync(HttpMethod.Patch, $"/v1.0/servicePrincipals/{api}", new { appRoleAssignmentRequired = true })).Status.ShouldBe(204);
        var refused = await AskAsync(other);
        (refused.Status, refused.Json.GetProperty("error_codes")[0].GetInt32()).ShouldBe((400, 50105));
        (await RolesAsync(user)).Count.ShouldBe(2);
        (await SendAsync(HttpMethod.Delete, $"{mine}/{Text(assignment, "id")}")).Status.ShouldBe(204);
        (await RolesAsync(user)).ShouldBe(["Reports.Write"]);
        (await SendAsync(HttpMethod.Delete, $"/v1.0/groups/{Text(group, "id")}")).Status.ShouldBe(204);
        (await AskAsync(user)).Status.ShouldBe(400);

        Task<Answer> AskAsync(UserInfo who) => _host.AskTokenAsync(client.Tenant,
        [
            new("grant_type", "password"), new("client_id", client.Id), new("client_secret", client.Secret), new("scope", "api://reports/.default"), new("username", who.UserPrincipalName), new("password", DirectoryHost.Password),
        ]);

        async Task<IReadOnlyList<string>> RolesAsync(UserInfo who)
        {
            var answer = await AskAsync(who);
            answer.Status.ShouldBe(200, answer.Body);
            using var claims = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(Text(answer.Json, "access_token").Split('.')[1]));
            return claims.RootElement.TryGetProperty("roles", out var roles) ? [.. roles.EnumerateArray().Select(role => role.GetString()!)] : [];
        }
    }

    [Fact]
    public async Task What_was_deleted_is_listed_restored_and_purged()
    {
        const string deleted = "/v1.0/directory/deletedItems";
        var user = await _host.AddUserAsync("gone", null, DirectoryRole.GlobalReader);
        var group = Text(await PostAsync("/v1.0/groups", Group("Leavers")), "id");
        (await SendAsync(HttpMethod.Post, $"/v1.0/groups/{group}/members/$ref", Reference(user.Id.ToString()))).Status.ShouldBe(204);
        var client = await _host.AddClientAsync(["Alert.Read.All"]);
        var application = client.Application.Id;

        // A user comes back as they were, unless somebody else has their name by then.
        (await SendAsync(HttpMethod.Delete, $"/v1.0/users/{user.Id}")).Status.ShouldBe(204);
        var listed = (await _host.GetAsync($"{deleted}/microsoft.graph.user?$select=id,displayName,deletedDateTime", _token)).Value.Single(item => Text(item, "id") == user.Id.ToString());
        listed.GetProperty("deletedDateTime").GetDateTime().ShouldBeInRange(DateTime.UtcNow.AddMinutes(-5), DateTime.UtcNow.AddMinutes(5));
        Text((await _host.GetAsync($"{deleted}/{user.Id}", _token)).Json, "userPrincipalName").ShouldBe("gone@contoso.example");
        var other = await _host.AddUserAsync("gone");
        (await SendAsync(HttpMethod.Post, $"{deleted}/{user.Id}/restore")).Status.ShouldBe(400);
        (await SendAsync(HttpMethod.Delete, $"/v1.0/users/{other.Id}")).Status.ShouldBe(204);
        var restored = await SendAsync(HttpMethod.Post, $"{deleted}/{user.Id}/restore");
        (restored.Status, Text(restored.Json, "@odata.type"), Text(restored.Json, "id")).ShouldBe((200, "#microsoft.graph.user", user.Id.ToString()));
        (await _host.GetAsync($"/v1.0/users/{user.Id}/memberOf", _token)).Value.Select(item => Text(item, "displayName")).ShouldBe(["Leavers", "Global Reader"], ignoreOrder: true);
        (await _host.GetAsync("/api/machines", await _host.UserTokenAsync(await _host.AddClientAsync([], scopes: ["Machine.Read"]), user))).Status.ShouldBe(200);

        // An application comes back with its secret and its consent.
        (await SendAsync(HttpMethod.Delete, $"/v1.0/applications/{application}")).Status.ShouldBe(204);
        (await _host.AskTokenAsync(client.Tenant, [new("grant_type", "client_credentials"), new("client_id", client.Id), new("client_secret", client.Secret), new("scope", $"{EndpointHost.Audience}/.default")])).Status.ShouldBe(400);
        (await _host.GetAsync($"{deleted}/graph.application?$filter=appId eq '{client.Id}'", _token)).Ids.ShouldBe([application.ToString()]);
        (await SendAsync(HttpMethod.Post, $"{deleted}/{application}/restore")).Status.ShouldBe(200);
        (await _host.GetAsync("/api/alerts", await _host.TokenAsync(client))).Status.ShouldBe(200);

        // For good; and nobody restores what they could not have made.
        (await SendAsync(HttpMethod.Delete, $"/v1.0/groups/{group}")).Status.ShouldBe(204);
        var applications = await _host.TokenAsync(await _host.AddClientAsync(["Application.ReadWrite.All"], "graph"), GraphFixture.Resource);
        (await _host.SendAsync(HttpMethod.Post, $"{deleted}/{group}/restore", applications)).Status.ShouldBe(403);
        (await SendAsync(HttpMethod.Delete, $"{deleted}/{group}")).Status.ShouldBe(204);
        (await _host.GetAsync($"{deleted}/{group}", _token)).ShouldFail(404, "Request_ResourceNotFound", $"Resource '{group}' does not exist or one of its queried reference-property objects are not present.");
    }

    [Fact]
    public async Task The_organisation_tells_its_domains()
    {
        var organization = (await _host.GetAsync("/v1.0/organization", _token)).Value.ShouldHaveSingleItem();
        Text(organization, "id").ShouldBe(_host.Tenant.Id.ToString());
        var domain = organization.GetProperty("verifiedDomains")[0];
        (Text(domain, "name"), domain.GetProperty("isDefault").GetBoolean()).ShouldBe(("contoso.example", true));
        (await _host.GetAsync("/v1.0/domains/contoso.example", _token)).Json.GetProperty("isVerified").GetBoolean().ShouldBeTrue();
        (await _host.GetAsync($"/v1.0/organization/{Guid.NewGuid()}", _token)).Status.ShouldBe(404);
    }

    [Theory]
    [InlineData("""{"accountEnabled":true,"displayName":"X","mailNickname":"x","userPrincipalName":"x@elsewhere.example","passwordProfile":{"password":"long enough"}}""")]
    [InlineData("""{"accountEnabled":true,"displayName":"X","mailNickname":"x","userPrincipalName":"x@contoso.example","passwordProfile":{"password":"short"}}""")]
    [InlineData("""{"accountEnabled":true,"displayName":"X","mailNickname":"x","userPrincipalName":"x@contoso.example"}""")]
    [InlineData("""{"accountEnabled":true,"displayName":"","mailNickname":"x","userPrincipalName":"x@contoso.example","passwordProfile":{"password":"long enough"}}""")]
    [InlineData("""{"accountEnabled":true,"displayName":"X","mailNickname":"x","userPrincipalName":"two words@contoso.example","passwordProfile":{"password":"long enough"}}""")]
    public async Task Malformed_users_are_refused(string body) => (await SendAsync(HttpMethod.Post, "/v1.0/users", body)).Status.ShouldBe(400);

    private static object Group(string name) => new { displayName = name, mailEnabled = false, mailNickname = name, securityEnabled = true };

    private static Dictionary<string, string> Reference(string id) => new() { ["@odata.id"] = $"https://graph.microsoft.com/v1.0/directoryObjects/{id}" };

    private async Task<JsonElement> PostAsync(string path, object body)
    {
        var answer = await SendAsync(HttpMethod.Post, path, body);
        answer.Status.ShouldBe(201, answer.Body);
        return answer.Json;
    }

    private Task<Answer> SendAsync(HttpMethod method, string path, object? body = null) => _host.SendAsync(method, path, _token, body);

    private static string Text(JsonElement item, string name) => item.GetProperty(name).GetString()!;
}
