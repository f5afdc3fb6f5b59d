using System.Buffers.Text;
using System.Text;
using Vedette.Identity.Directory;
using Vedette.Identity.Resources;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Tests.Protocol;

/// <summary>Tokens in user context: password and refresh token.</summary>
public sealed class UserGrantTests : IAsyncLifetime
{
    private const string EndpointUri = "https://api.securitycenter.microsoft.com";
    private const string Password = "correct horse battery";
    private TestAuthority _authority = null!;
    private string _clientId = "";
    private UserInfo _user = null!;

    public async Task InitializeAsync()
    {
        _authority = await TestAuthority.StartAsync();
        _clientId = (await _authority.Directory.CreateApplicationAsync(new CreateApplicationRequest("Console") { Native = true })).AppId.ToString();
        await _authority.Directory.GrantAsync(new GrantRequest(_clientId, ["Alert.Read", "Machine.Read"], "endpoint", Delegated: true));
        await _authority.Directory.GrantAsync(new GrantRequest(_clientId, ["User.Read"], "graph", Delegated: true));
        await _authority.Directory.ConsentAsync(_clientId);
        _user = await _authority.Directory.CreateUserAsync(new CreateUserRequest("ada", "Ada Lovelace") { Password = Password, GivenName = "Ada", Surname = "Lovelace" });
    }

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    [Fact]
    public async Task The_documented_v1_request_of_a_native_application()
    {
        var answer = await AskV1();
        answer.Status.ShouldBe(200, answer.Body.ToString());
        answer.Body.EnumerateObject().Select(member => member.Name).ShouldBe(
            ["token_type", "scope", "expires_in", "ext_expires_in", "expires_on", "not_before", "resource", "access_token", "refresh_token", "id_token"]);
        answer.Text("scope").ShouldBe("Alert.Read Machine.Read");
        var token = _authority.Validator.Validate(answer.Text("access_token"), ResourceCatalogue.EndpointAppId).Token!;
        token.IsAppOnly.ShouldBeFalse();
        token.UserPrincipalName.ShouldBe("ada@contoso.example");
        token.ObjectId.ShouldBe(_user.Id);
        token.Scopes.ShouldBe(["Alert.Read", "Machine.Read"], ignoreOrder: true);
        JsonWebToken.TryParse(answer.Text("access_token"), out var jwt).ShouldBeTrue();
        jwt.Claim("appidacr").ShouldBe("0");
        jwt.Claim("name").ShouldBe("Ada Lovelace");
        jwt.Claim("unique_name").ShouldBe("ada@contoso.example");
        jwt.Claim("sub").ShouldNotBe(_user.Id.ToString());
        jwt.Payload.GetProperty("amr")[0].GetString().ShouldBe("pwd");
        jwt.Payload.TryGetProperty("roles", out _).ShouldBeFalse();
        JsonWebToken.TryParse(answer.Text("id_token"), out var id).ShouldBeTrue();
        id.Claim("iss").ShouldBe($"https://sts.windows.net/{_authority.Tenant.Id}/");
        id.Claim("upn").ShouldBe("ada@contoso.example");
        id.Claim("ver").ShouldBe("1.0");
    }

    [Fact]
    public async Task A_v2_request_with_all_that_libraries_add()
    {
        var answer = await AskV2($"{EndpointUri}/Alert.Read openid profile offline_access", ("client_info", "1"), ("response_type", "token id_token"));
        answer.Status.ShouldBe(200, answer.Body.ToString());
        answer.Body.EnumerateObject().Select(member => member.Name).ShouldBe(
            ["token_type", "scope", "expires_in", "ext_expires_in", "access_token", "refresh_token", "id_token", "client_info"]);
        answer.Text("scope").ShouldBe($"{EndpointUri}/Alert.Read {EndpointUri}/Machine.Read");
        Encoding.UTF8.GetString(Base64Url.DecodeFromChars(answer.Text("client_info"))).ShouldBe($$"""{"uid":"{{_user.Id}}","utid":"{{_authority.Tenant.Id}}"}""");
        JsonWebToken.TryParse(answer.Text("id_token"), out var id).ShouldBeTrue();
        id.Claim("aud").ShouldBe(_clientId);
        id.Claim("iss").ShouldBe($"{TestAuthority.Base}/{_authority.Tenant.Id}/v2.0");
        id.Claim("oid").ShouldBe(_user.Id.ToString());
        id.Claim("tid").ShouldBe(_authority.Tenant.Id.ToString());
        id.Claim("preferred_username").ShouldBe("ada@contoso.example");
        id.Claim("name").ShouldBe("Ada Lovelace");
        id.Claim("ver").ShouldBe("2.0");
        _authority.Validator.Validate(answer.Text("id_token")).Failure.ShouldBe(AccessTokenFailure.Malformed);
    }

    [Fact]
    public async Task The_default_scope_means_everything_that_was_consented_to()
    {
        var answer = await AskV2($"{EndpointUri}/.default");
        answer.Text("scope").ShouldBe($"{EndpointUri}/Alert.Read {EndpointUri}/Machine.Read {EndpointUri}/.default");
        answer.Body.TryGetProperty("refresh_token", out _).ShouldBeFalse();
        answer.Body.TryGetProperty("id_token", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_bare_scope_belongs_to_graph()
    {
        var answer = await AskV2("User.Read openid profile");
        answer.Text("scope").ShouldBe("User.Read openid profile email");
        JsonWebToken.TryParse(answer.Text("access_token"), out var jwt).ShouldBeTrue();
        jwt.Claim("aud").ShouldBe("https://graph.microsoft.com");
        jwt.Claim("scp").ShouldBe("User.Read openid profile email");
    }

    [Fact]
    public async Task Scopes_that_cannot_be_or_lack_consent()
    {
        (await AskV2($"{EndpointUri}/.default User.Read")).ShouldRefuse(700022, "invalid_scope", 400);
        (await AskV2($"{EndpointUri}/.default {EndpointUri}/Alert.Read")).ShouldRefuse(70011, "invalid_scope", 400);
        (await AskV2("https://unknown.example/Read")).ShouldRefuse(500011, "invalid_resource", 400);
        var lacking = await AskV2($"{EndpointUri}/Machine.Isolate");
        lacking.ShouldRefuse(65001, "invalid_grant", 400).ShouldContain($"has not consented to use the application with ID '{_clientId}' named 'Console'.");
        lacking.Text("suberror").ShouldBe("consent_required");
        (await AskV1(resource: "https://api.security.microsoft.com")).ShouldRefuse(650057, "invalid_resource", 400);
        (await AskV1(resource: null)).ShouldRefuse(900144, "invalid_request", 400);
    }

    [Fact]
    public async Task Names_and_passwords_that_are_wrong()
    {
        (await AskV1(password: "wrong password")).ShouldRefuse(50126, "invalid_grant", 400).ShouldContain("Error validating credentials due to invalid username or password.");
        (await AskV1(user: "eve@contoso.example")).ShouldRefuse(50034, "invalid_grant", 400).ShouldContain("The user account {EUII Hidden} does not exist in the Contoso directory.");
        (await AskV1(user: null)).ShouldRefuse(900144, "invalid_request", 400).ShouldContain("'username'");
        (await AskV1(password: null)).ShouldRefuse(900144, "invalid_request", 400).ShouldContain("'password'");
        await ChangeUserAsync("account_enabled = false");
        (await AskV1()).ShouldRefuse(50057, "invalid_grant", 400);
        await ChangeUserAsync("account_enabled = true, password_hash = NULL");
        (await AskV1()).ShouldRefuse(50056, "invalid_grant", 400);
    }

    [Fact]
    public async Task Ten_wrong_passwords_lock_the_account_for_a_minute()
    {
        for (var i = 0; i < 10; i++) (await AskV1(password: "wrong password")).ShouldRefuse(50126, "invalid_grant", 400);
        (await AskV1()).ShouldRefuse(50053, "invalid_grant", 400);
        _authority.Clock.Now += TimeSpan.FromSeconds(61);
        (await AskV1()).Status.ShouldBe(200);
    }

    [Theory]
    [InlineData("common", 9001023, "invalid_grant")]
    [InlineData("consumers", 9001023, "invalid_grant")]
    [InlineData("organizations", 50194, "invalid_request")]
    public async Task Aliases_that_do_not_go(string alias, int number, string error)
    {
        var answer = await _authority.PostAsync(2, alias, ("grant_type", "password"), ("client_id", _clientId), ("username", "ada@contoso.example"), ("password", Password), ("scope", "openid"));
        answer.ShouldRefuse(number, error, 400);
    }

    [Fact]
    public async Task A_confidential_client_must_prove_itself_also_with_a_users_password()
    {
        var (web, secret) = await _authority.AddClientAsync();
        var id = web.AppId.ToString();
        await _authority.Directory.GrantAsync(new GrantRequest(id, ["Alert.Read"], "endpoint", Delegated: true));
        await _authority.Directory.ConsentAsync(id);
        (await AskV1(clientId: id)).ShouldRefuse(7000218, "invalid_client", 401);
        var answer = await AskV1(clientId: id, more: [("client_secret", secret)]);
        JsonWebToken.TryParse(answer.Text("access_token"), out var jwt).ShouldBeTrue();
        jwt.Claim("appidacr").ShouldBe("1");
    }

    [Fact]
    public async Task A_refresh_token_serves_every_consented_api_and_stays_good()
    {
        var first = await AskV2($"{EndpointUri}/.default offline_access openid");
        var refresh = first.Text("refresh_token");
        var second = await RefreshV2(refresh, null);
        second.Status.ShouldBe(200, second.Body.ToString());
        second.Text("refresh_token").ShouldNotBe(refresh);
        _authority.Validator.Validate(second.Text("access_token"), ResourceCatalogue.EndpointAppId).Token!.Scopes.ShouldContain("Machine.Read");
        var graph = await RefreshV2(refresh, "User.Read");
        _authority.Validator.Validate(graph.Text("access_token"), ResourceCatalogue.GraphAppId).Succeeded.ShouldBeTrue();
        var v1 = await _authority.PostAsync(1, "contoso.example", ("grant_type", "refresh_token"), ("client_id", _clientId), ("refresh_token", refresh), ("resource", EndpointUri));
        v1.Text("resource").ShouldBe(EndpointUri);
        (await RefreshV2(refresh, "https://api.security.microsoft.com/.default")).ShouldRefuse(65001, "invalid_grant", 400);
    }

    [Fact]
    public async Task Refresh_tokens_that_are_none_or_somebody_elses_or_too_old()
    {
        var refresh = (await AskV1()).Text("refresh_token");
        (await RefreshV2("garbage", null)).ShouldRefuse(9002313, "invalid_grant", 400);
        (await RefreshV2(refresh[..^4] + "AAAA", null)).ShouldRefuse(70000, "invalid_grant", 400);
        var other = (await _authority.Directory.CreateApplicationAsync(new CreateApplicationRequest("Other") { Native = true })).AppId.ToString();
        (await _authority.PostAsync(2, "contoso.example", ("grant_type", "refresh_token"), ("client_id", other), ("refresh_token", refresh))).ShouldRefuse(70000, "invalid_grant", 400);
        await ChangeUserAsync("account_enabled = false");
        (await RefreshV2(refresh, null)).ShouldRefuse(50057, "invalid_grant", 400);
        await ChangeUserAsync("account_enabled = true");
        _authority.Clock.Now += TimeSpan.FromDays(91);
        (await RefreshV2(refresh, null)).ShouldRefuse(700082, "invalid_grant", 400).ShouldContain("The refresh token has expired due to inactivity. The token was issued on 2026-11-20T12:00:00.0000000Z and was inactive for 90.00:00:00.");
    }

    [Fact]
    public async Task On_behalf_of_a_user_an_api_calls_another()
    {
        var directory = _authority.Directory;
        var middle = await directory.CreateApplicationAsync(new CreateApplicationRequest("Middle")
        {
            IdentifierUris = ["api://middle"],
            Scopes = [new Permission(Guid.NewGuid(), "Act", "Act for you", PermissionKind.Scope, false)],
        });
        var id = middle.AppId.ToString();
        var secret = (await directory.AddSecretAsync(id)).SecretText;
        await directory.GrantAsync(new GrantRequest(id, ["Alert.Read"], "endpoint", Delegated: true));
        await directory.ConsentAsync(id);
        await directory.GrantAsync(new GrantRequest(_clientId, ["Act"], "api://middle", Delegated: true));
        await directory.ConsentAsync(_clientId);
        var first = await AskV2("api://middle/Act openid");
        var assertion = first.Text("access_token");

        var answer = await OnBehalfAsync(assertion);
        answer.Status.ShouldBe(200, answer.Body.ToString());
        var token = _authority.Validator.Validate(answer.Text("access_token"), ResourceCatalogue.EndpointAppId).Token!;
        token.UserPrincipalName.ShouldBe("ada@contoso.example");
        token.ClientId.ShouldBe(middle.AppId);
        token.Scopes.ShouldBe(["Alert.Read"]);

        (await OnBehalfAsync((await AskV1()).Text("access_token"))).ShouldRefuse(50013, "invalid_grant", 400);
        (await OnBehalfAsync("nonsense")).ShouldRefuse(50013, "invalid_grant", 400);
        (await OnBehalfAsync(first.Text("id_token"))).ShouldRefuse(240002, "invalid_grant", 400);
        var appOnly = await _authority.PostAsync(2, "contoso.example", ("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret), ("scope", $"{id}/.default"));
        (await OnBehalfAsync(appOnly.Text("access_token"))).ShouldRefuse(50013, "invalid_grant", 400);
        (await OnBehalfAsync(assertion, use: null)).ShouldRefuse(900144, "invalid_request", 400);
        _authority.Clock.Now += TimeSpan.FromHours(2);
        (await OnBehalfAsync(assertion)).ShouldRefuse(500133, "invalid_grant", 400);

        Task<Answer> OnBehalfAsync(string value, string? use = "on_behalf_of") => _authority.PostAsync(
            2, "contoso.example", ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("client_id", id), ("client_secret", secret), ("assertion", value),
            ("requested_token_use", use), ("scope", $"{EndpointUri}/.default openid profile offline_access"));
    }

    [Fact]
    public async Task No_refresh_token_and_no_password_stands_in_the_database_or_the_audit_log()
    {
        var refresh = (await AskV1()).Text("refresh_token");
        await using var command = _authority.Database.CreateCommand("SELECT string_agg(t::text, ' ') FROM identity.tickets t");
        var stored = (string)(await command.ExecuteScalarAsync())!;
        stored.ShouldNotContain(refresh[2..]);
        var audit = System.Text.Json.JsonSerializer.Serialize(_authority.Audit.Events);
        audit.ShouldContain("Sign in");
        audit.ShouldNotContain(Password);
        audit.ShouldNotContain(refresh);
    }

    private Task<Answer> AskV1(string? user = "ada@contoso.example", string? password = Password, string? resource = EndpointUri, string? clientId = null, params (string, string?)[] more) =>
        _authority.PostAsync(1, "contoso.example",
            [("grant_type", "password"), ("client_id", clientId ?? _clientId), ("username", user), ("password", password), ("resource", resource), .. more]);

    private Task<Answer> AskV2(string scope, params (string, string?)[] more) =>
        _authority.PostAsync(2, "contoso.example",
            [("grant_type", "password"), ("client_id", _clientId), ("username", "ada@contoso.example"), ("password", Password), ("scope", scope), .. more]);

    private Task<Answer> RefreshV2(string refresh, string? scope) =>
        _authority.PostAsync(2, "contoso.example", ("grant_type", "refresh_token"), ("client_id", _clientId), ("refresh_token", refresh), ("scope", scope));

    private async Task ChangeUserAsync(string change)
    {
        await using var command = _authority.Database.CreateCommand($"UPDATE identity.users SET {change}");
        await command.ExecuteNonQueryAsync();
    }
}
