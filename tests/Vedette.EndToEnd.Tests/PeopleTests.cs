using System.Text.Json.Nodes;

namespace Vedette.EndToEnd.Tests;

/// <summary>People by command: who may do what, from nothing, on a server without the demo organisation.</summary>
public sealed class PeopleTests
{
    private const string Endpoint = "https://api.securitycenter.microsoft.com";

    [Fact]
    public async Task People_roles_groups_and_tenants_are_managed_by_command()
    {
        await using var server = await VedetteProcess.StartAsync(null, "--empty");

        // The printed demo user signs in with the printed password and administers.
        var demo = await UserTokenAsync(server, (string)server.Ready["userName"]!, (string)server.Ready["password"]!, Endpoint);
        (await server.ApiAsync(HttpMethod.Get, "/api/machines", demo)).Status.ShouldBe(200);
        var graph = await UserTokenAsync(server, (string)server.Ready["userName"]!, (string)server.Ready["password"]!, "https://graph.microsoft.com");
        ((string)(await server.ApiAsync(HttpMethod.Get, "/v1.0/me", graph)).Body!["userPrincipalName"]!).ShouldBe((string)server.Ready["userName"]!);

        // A person without a role may do nothing; through a group, with a role, something.
        var ada = (await server.JsonAsync("user", "create", "ada"))!;
        var (name, password) = ((string)ada["userPrincipalName"]!, (string)ada["password"]!);
        var token = await UserTokenAsync(server, name, password, Endpoint);
        (await server.ApiAsync(HttpMethod.Get, "/api/machines", token)).Status.ShouldBe(403);
        await server.OperateAsync("group.create", new { name = "Analysts" });
        ((int)(await server.JsonAsync("group", "add", "Analysts", "ada"))!["count"]!).ShouldBe(1);
        await server.JsonAsync("role", "create", "Reader of data", "--permission", "ViewData", "TvmViewData");
        (await server.OperateAsync("role.assign", new { role = "Reader of data", group = "Analysts" }))!["groups"]!.AsArray().Select(group => (string)group!).ShouldBe(["Analysts"]);
        (await server.ApiAsync(HttpMethod.Get, "/api/machines", token)).Status.ShouldBe(200);
        (await server.JsonAsync("user", "show", "ada"))!["permissions"]!.AsArray().Select(permission => (string)permission!).ShouldBe(["TvmViewData", "ViewData"]);
        await server.OperateAsync("user.enable", new { user = "ada", enabled = false });
        (await server.ApiAsync(HttpMethod.Get, "/api/machines", token)).Status.ShouldBe(403);

        // What is wrong is said in words, and nothing is made.
        var (code, _, error) = await server.RunAsync("user", "create", "bob", "--role", "Nobody");
        code.ShouldNotBe(0);
        error.ShouldContain("There is no directory role 'Nobody'. The roles: Application Administrator,");
        (await server.OperateAsync("user.list", new { }))!.AsArray().Select(user => (string)user!["displayName"]!).ShouldNotContain("bob");
        (await server.RunAsync("role", "create", "Typo", "--permission", "ViewDta")).Error.ShouldContain("There is no permission 'ViewDta'.");
        (await server.RunAsync("device-group", "allow", "Nowhere", "Analysts")).Error.ShouldContain("There is no device group 'Nowhere'.");

        // A second organisation, its domain, its rule, and an application of the first one in it.
        var tenant = (await server.JsonAsync("tenant", "create", "Fabrikam", "--domain", "fabrikam.example"))!;
        (await server.JsonAsync("tenant", "domain", "fabrikam.example", "fabrikam.test"))!["domains"]!.AsArray().Count.ShouldBe(2);
        ((bool)(await server.OperateAsync("tenant.mfa", new { tenant = "fabrikam.example", required = true }))!["requiresMfa"]!).ShouldBeTrue();
        (await server.OperateAsync("tenant.list", new { }))!.AsArray().Count.ShouldBe(2);
        var application = (await server.OperateAsync("app.create", new { name = "Partner", multiTenant = true }))!;
        await server.OperateAsync("app.grant", new { application = "Partner", permissions = new[] { "Machine.Read.All" } });
        (await server.JsonAsync("app", "consent", "Partner", "--tenant", "fabrikam.example"))!["permissions"]![0]!["consented"]!.GetValue<bool>().ShouldBeTrue();
        var secret = (string)(await server.OperateAsync("app.secret", new { application = "Partner", days = 1 }))!["secretText"]!;
        var (status, body) = await server.FormAsync(
            $"/{tenant["id"]}/oauth2/v2.0/token",
            ("client_id", (string)application["appId"]!), ("client_secret", secret), ("grant_type", "client_credentials"), ("scope", $"{Endpoint}/.default"));
        status.ShouldBe(200, body?.ToJsonString());
        (await server.ApiAsync(HttpMethod.Get, "/api/machines", (string)body!["access_token"]!)).Status.ShouldBe(200);
    }

    private static async Task<string> UserTokenAsync(VedetteProcess server, string name, string password, string resource)
    {
        var (status, body) = await server.FormAsync(
            $"/{server.TenantId}/oauth2/v2.0/token",
            ("client_id", server.ClientId), ("client_secret", server.ClientSecret), ("grant_type", "password"), ("scope", $"{resource}/.default"), ("username", name), ("password", password));
        status.ShouldBe(200, body?.ToJsonString());
        return (string)((JsonObject)body!)["access_token"]!;
    }
}
