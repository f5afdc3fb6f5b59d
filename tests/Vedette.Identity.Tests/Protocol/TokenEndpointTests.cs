using System.Text;
using System.Text.Json;
using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.Resources;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Tests.Protocol;

public sealed class TokenEndpointTests : IAsyncLifetime
{
    private const string EndpointUri = "https://api.securitycenter.microsoft.com";
    private TestAuthority _authority = null!;
    private ApplicationDetails _client = null!;
    private string _secret = "";

    private string ClientId => _client.AppId.ToString();

    public async Task InitializeAsync()
    {
        _authority = await TestAuthority.StartAsync();
        (_client, _secret) = await _authority.AddClientAsync("Alert.Read.All", "Machine.Isolate");
    }

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    [Fact]
    public async Task A_v2_answer_has_exactly_its_members()
    {
        var answer = await AskV2($"{EndpointUri}/.default");
        answer.Status.ShouldBe(200);
        answer.Body.EnumerateObject().Select(member => member.Name).ShouldBe(["token_type", "expires_in", "ext_expires_in", "access_token"]);
        answer.Text("token_type").ShouldBe("Bearer");
        answer.Body.GetProperty("expires_in").GetInt32().ShouldBe(3599);
        answer.Body.GetProperty("ext_expires_in").GetInt32().ShouldBe(3599);
    }

    [Fact]
    public async Task A_v1_answer_has_exactly_its_members_and_its_numbers_are_strings()
    {
        var answer = await AskV1(EndpointUri);
        answer.Status.ShouldBe(200);
        answer.Body.EnumerateObject().Select(member => member.Name).ShouldBe(
            ["token_type", "expires_in", "ext_expires_in", "expires_on", "not_before", "resource", "access_token"]);
        answer.Text("expires_in").ShouldBe("3599");
        answer.Text("ext_expires_in").ShouldBe("3599");
        answer.Text("resource").ShouldBe(EndpointUri);
        answer.Text("expires_on").ShouldBe(_authority.Clock.Now.AddHours(1).ToUnixTimeSeconds().ToString());
        answer.Text("not_before").ShouldBe(_authority.Clock.Now.AddMinutes(-5).ToUnixTimeSeconds().ToString());
    }

    [Fact]
    public async Task The_claims_of_an_application_token_are_those_that_clients_know()
    {
        var answer = await AskV2($"{EndpointUri}/.default");
        JsonWebToken.TryParse(answer.Text("access_token"), out var token).ShouldBeTrue();
        var tenant = _authority.Tenant.Id;
        token.Header.EnumerateObject().Select(member => member.Name).ShouldBe(["typ", "alg", "x5t", "kid"]);
        token.Header.GetProperty("x5t").GetString().ShouldBe(token.KeyId);
        token.Payload.EnumerateObject().Select(member => member.Name).ShouldBe(
            ["aud", "iss", "iat", "nbf", "exp", "aio", "appid", "appidacr", "idp", "oid", "rh", "roles", "sub", "tenant_region_scope", "tid", "uti", "ver"]);
        token.Claim("aud").ShouldBe(EndpointUri);
        token.Claim("iss").ShouldBe($"https://sts.windows.net/{tenant}/");
        token.Claim("idp").ShouldBe($"https://sts.windows.net/{tenant}/");
        token.Claim("appid").ShouldBe(ClientId);
        token.Claim("appidacr").ShouldBe("1");
        token.Claim("oid").ShouldBe(_client.ServicePrincipalId.ToString());
        token.Claim("sub").ShouldBe(token.Claim("oid"));
        token.Claim("tid").ShouldBe(tenant.ToString());
        token.Claim("ver").ShouldBe("1.0");
        token.Payload.GetProperty("roles").EnumerateArray().Select(role => role.GetString()).ShouldBe(["Alert.Read.All", "Machine.Isolate"]);
        (token.Payload.GetProperty("exp").GetInt64() - token.Payload.GetProperty("nbf").GetInt64()).ShouldBe(3900);
    }

    [Fact]
    public async Task What_the_authority_issues_the_resource_servers_accept()
    {
        var answer = await AskV1(EndpointUri);
        var result = _authority.Validator.Validate(answer.Text("access_token"), ResourceCatalogue.EndpointAppId);
        result.Succeeded.ShouldBeTrue(result.Detail);
        result.Token!.Roles.ShouldBe(["Alert.Read.All", "Machine.Isolate"], ignoreOrder: true);
        _authority.Validator.Validate(answer.Text("access_token"), ResourceCatalogue.GraphAppId).Failure.ShouldBe(AccessTokenFailure.WrongAudience);
    }

    [Theory]
    [InlineData("https://api.securitycenter.microsoft.com/")]
    [InlineData("https://api.securitycenter.windows.com")]
    [InlineData("https://securitycenter.onmicrosoft.com/windowsatpservice")]
    [InlineData("https://api-gcc.securitycenter.microsoft.us")]
    [InlineData("fc780465-2017-40d4-a0c5-307022471b92")]
    [InlineData("https://security.microsoft.com/mtp/")]
    [InlineData("https://api.security.microsoft.com")]
    [InlineData("8ee8fdad-f234-4243-8f3b-15c294843740")]
    [InlineData("https://graph.microsoft.com")]
    public async Task The_audience_is_the_resource_as_it_was_asked_for(string resource)
    {
        foreach (var answer in new[] { await AskV1(resource), await AskV2($"{resource}/.default") })
        {
            answer.Status.ShouldBe(200, answer.Body.ToString());
            JsonWebToken.TryParse(answer.Text("access_token"), out var token).ShouldBeTrue();
            token.Claim("aud").ShouldBe(resource);
        }
    }

    [Fact]
    public async Task Roles_are_those_of_the_asked_api_and_absent_when_there_are_none()
    {
        var answer = await AskV2("https://graph.microsoft.com/.default");
        JsonWebToken.TryParse(answer.Text("access_token"), out var token).ShouldBeTrue();
        token.Payload.TryGetProperty("roles", out _).ShouldBeFalse();
        token.Claim("idtyp").ShouldBe("app");
        token.Claim("app_displayname").ShouldBe(_client.DisplayName);
    }

    [Fact]
    public async Task Another_applications_api_gets_the_token_version_it_wants()
    {
        var api = await _authority.Directory.CreateApplicationAsync(new CreateApplicationRequest("Own API")
        {
            IdentifierUris = ["api://own"],
            RequestedAccessTokenVersion = 2,
            AppRoles = [new Permission(Guid.NewGuid(), "Things.Read", "Read things", PermissionKind.Role, false)],
        });
        await _authority.Directory.GrantAsync(new GrantRequest(ClientId, ["Things.Read"], "api://own"));
        await _authority.Directory.ConsentAsync(ClientId);
        foreach (var answer in new[] { await AskV2("api://own/.default"), await AskV1($"api://{api.AppId}"), await AskV1(api.AppId.ToString()) })
        {
            JsonWebToken.TryParse(answer.Text("access_token"), out var token).ShouldBeTrue();
            token.Claim("aud").ShouldBe(api.AppId.ToString());
            token.Claim("iss").ShouldBe($"{TestAuthority.Base}/{_authority.Tenant.Id}/v2.0");
            token.Claim("ver").ShouldBe("2.0");
            token.Claim("azp").ShouldBe(ClientId);
            token.Claim("azpacr").ShouldBe("1");
            token.Header.TryGetProperty("x5t", out _).ShouldBeFalse();
            token.Payload.GetProperty("roles")[0].GetString().ShouldBe("Things.Read");
            _authority.Validator.Validate(answer.Text("access_token")).Succeeded.ShouldBeTrue();
        }
    }

    [Fact]
    public async Task The_tenant_may_be_a_domain_in_any_case()
    {
        var answer = await _authority.PostAsync(2, "CONTOSO.example", Form($"{EndpointUri}/.default"));
        answer.Status.ShouldBe(200, answer.Body.ToString());
    }

    [Fact]
    public async Task Basic_authentication_works_with_and_without_the_client_id_in_the_body()
    {
        var header = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ClientId}:{Uri.EscapeDataString(_secret)}"));
        var call = _authority.Call(2, _authority.Tenant.Id.ToString(), ("grant_type", "client_credentials"), ("scope", $"{EndpointUri}/.default"));
        (await _authority.SendAsync(call with { Authorization = header })).Status.ShouldBe(200);
        var both = _authority.Call(2, _authority.Tenant.Id.ToString(), ("grant_type", "client_credentials"), ("client_id", ClientId), ("scope", $"{EndpointUri}/.default"));
        (await _authority.SendAsync(both with { Authorization = header })).Status.ShouldBe(200);
        var wrong = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ClientId}:nonsense"));
        (await _authority.SendAsync(call with { Authorization = wrong })).ShouldRefuse(7000215, "invalid_client", 401);
        (await _authority.SendAsync(call with { Authorization = "Basic %%%" })).ShouldRefuse(9002313, "invalid_request", 400);
    }

    [Fact]
    public async Task A_get_request_with_a_form_body_works_and_one_without_does_not()
    {
        var call = _authority.Call(1, _authority.Tenant.Id.ToString(), FormV1(EndpointUri)) with { Method = "GET" };
        (await _authority.SendAsync(call)).Status.ShouldBe(200);
        var bare = await _authority.SendAsync(call with { Form = new Dictionary<string, string>() });
        bare.ShouldRefuse(900561, "invalid_request", 405).ShouldContain("The endpoint only accepts POST requests. Received a GET request.");
        (await _authority.SendAsync(call with { Method = "PUT" })).ShouldRefuse(900561, "invalid_request", 405);
    }

    [Fact]
    public async Task Unknown_fields_are_ignored()
    {
        var answer = await _authority.PostAsync(2, _authority.Tenant.Id.ToString(),
        [
            .. Form($"{EndpointUri}/.default"), ("client_info", "2"), ("x-client-SKU", "MSAL.NetCore"), ("redirectUri", "x"),
            ("claims", """{"access_token":{"xms_cc":{"values":["CP1"]}}}"""), ("client-request-id", "abc"),
        ]);
        answer.Status.ShouldBe(200);
        JsonWebToken.TryParse(answer.Text("access_token"), out var token).ShouldBeTrue();
        token.Payload.GetProperty("xms_cc")[0].GetString().ShouldBe("CP1");
        (await _authority.PostAsync(1, _authority.Tenant.Id.ToString(), [.. FormV1(EndpointUri), ("scope", "openid"), ("claims", "{not json")])).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_refusal_has_exactly_its_members()
    {
        var answer = await AskV2($"{EndpointUri}/.default", secret: "wrong");
        answer.Body.EnumerateObject().Select(member => member.Name).ShouldBe(
            ["error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id", "error_uri"]);
        answer.Text("timestamp").ShouldBe("2026-11-20 12:00:00Z");
        answer.Text("trace_id").ShouldBe("11111111-1111-1111-1111-111111111111");
        answer.Text("correlation_id").ShouldBe("22222222-2222-2222-2222-222222222222");
        answer.Text("error_uri").ShouldBe($"{TestAuthority.Base}/error?code=7000215");
        answer.Text("error_description").ShouldBe(
            $"AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{ClientId}'. "
            + "Trace ID: 11111111-1111-1111-1111-111111111111 Correlation ID: 22222222-2222-2222-2222-222222222222 Timestamp: 2026-11-20 12:00:00Z");
    }

    [Fact]
    public async Task Tenants_that_do_not_exist_and_names_that_are_none()
    {
        var unknown = Guid.NewGuid().ToString();
        (await _authority.PostAsync(2, unknown, Form("x/.default"))).ShouldRefuse(90002, "invalid_request", 400).ShouldContain($"Tenant '{unknown}' not found.");
        (await _authority.PostAsync(1, "nowhere.example", FormV1("x"))).ShouldRefuse(90002, "invalid_request", 400);
        (await _authority.PostAsync(2, "not-a-tenant", Form("x/.default"))).ShouldRefuse(900023, "invalid_request", 400)
            .ShouldContain("Specified tenant identifier 'not-a-tenant' is neither a valid DNS name, nor a valid external domain.");
        (await _authority.PostAsync(2, "{" + unknown + "}", Form("x/.default"))).Body.GetProperty("error_codes")[0].GetInt32().ShouldBe(900023);
        (await _authority.PostAsync(2, "", Form("x/.default"))).ShouldRefuse(90019, "invalid_request", 400);
    }

    [Theory]
    [InlineData("common")]
    [InlineData("Organizations")]
    [InlineData("consumers")]
    [InlineData("9188040d-6c67-4c5b-b112-36a304b66dad")]
    public async Task Application_tokens_need_a_particular_tenant(string alias) =>
        (await _authority.PostAsync(2, alias, Form($"{EndpointUri}/.default"))).ShouldRefuse(50059, "invalid_request", 400);

    [Theory]
    [InlineData("grant_type", "grant_type")]
    [InlineData("client_id", "client_id")]
    [InlineData("scope", "scope")]
    public async Task A_missing_field_is_named(string left, string named)
    {
        var fields = Form($"{EndpointUri}/.default").Where(field => field.Name != left).ToArray();
        (await _authority.PostAsync(2, _authority.Tenant.Id.ToString(), fields)).ShouldRefuse(900144, "invalid_request", 400)
            .ShouldContain($"The request body must contain the following parameter: '{named}'.");
    }

    [Fact]
    public async Task The_v1_endpoint_needs_a_resource_and_the_v2_endpoint_refuses_one()
    {
        (await _authority.PostAsync(1, _authority.Tenant.Id.ToString(), Form($"{EndpointUri}/.default"))).ShouldRefuse(900144, "invalid_request", 400).ShouldContain("'resource'");
        (await _authority.PostAsync(2, _authority.Tenant.Id.ToString(), FormV1(EndpointUri))).ShouldRefuse(901002, "invalid_request", 400);
    }

    [Fact]
    public async Task Grants_that_do_not_exist() =>
        (await _authority.PostAsync(2, _authority.Tenant.Id.ToString(), ("grant_type", "magic"), ("client_id", ClientId))).ShouldRefuse(70003, "unsupported_grant_type", 400)
            .ShouldContain("'magic'");

    [Fact]
    public async Task Clients_that_do_not_exist_or_are_elsewhere_or_disabled()
    {
        (await AskV2($"{EndpointUri}/.default", clientId: "nobody")).ShouldRefuse(700016, "unauthorized_client", 400)
            .ShouldContain("Application with identifier 'nobody' was not found in the directory 'Contoso'.");
        (await AskV2($"{EndpointUri}/.default", clientId: Guid.NewGuid().ToString())).ShouldRefuse(700016, "unauthorized_client", 400);
        var other = await _authority.Directory.CreateTenantAsync(new CreateTenantRequest("Fabrikam"));
        (await _authority.PostAsync(2, other.Id.ToString(), Form($"{EndpointUri}/.default"))).ShouldRefuse(700016, "unauthorized_client", 400).ShouldContain("'Fabrikam'");
        await _authority.Directory.SetApplicationEnabledAsync(ClientId, enabled: false);
        (await AskV2($"{EndpointUri}/.default")).ShouldRefuse(7000112, "unauthorized_client", 400).ShouldContain($"Application '{ClientId}'({_client.DisplayName}) is disabled.");
    }

    [Fact]
    public async Task Secrets_that_are_wrong_missing_or_expired()
    {
        (await AskV2($"{EndpointUri}/.default", secret: "wrong")).ShouldRefuse(7000215, "invalid_client", 401);
        var keyId = _authority.Directory.GetApplication(ClientId).Secrets.Single().KeyId.ToString();
        (await AskV2($"{EndpointUri}/.default", secret: keyId)).ShouldRefuse(7000215, "invalid_client", 401);
        (await AskV2($"{EndpointUri}/.default", secret: null)).ShouldRefuse(7000218, "invalid_client", 401)
            .ShouldContain("The request body must contain the following parameter: 'client_assertion' or 'client_secret'.");
        _authority.Clock.Now = _authority.Clock.Now.AddDays(181);
        (await AskV2($"{EndpointUri}/.default")).ShouldRefuse(7000222, "invalid_client", 401).ShouldContain($"The provided client secret keys for app '{ClientId}' are expired.");
        (await AskV2($"{EndpointUri}/.default", secret: "wrong")).ShouldRefuse(7000222, "invalid_client", 401);
        var fresh = await _authority.Directory.AddSecretAsync(ClientId);
        (await AskV2($"{EndpointUri}/.default", secret: fresh.SecretText)).Status.ShouldBe(200);
        (await AskV2($"{EndpointUri}/.default")).ShouldRefuse(7000222, "invalid_client", 401);
        (await AskV2($"{EndpointUri}/.default", secret: "wrong")).ShouldRefuse(7000215, "invalid_client", 401);
        await _authority.Directory.RemoveCredentialAsync(ClientId, fresh.KeyId);
        (await AskV2($"{EndpointUri}/.default", secret: fresh.SecretText)).ShouldRefuse(7000222, "invalid_client", 401);
    }

    [Fact]
    public async Task A_public_client_has_no_secret_and_no_application_token()
    {
        var native = await _authority.Directory.CreateApplicationAsync(new CreateApplicationRequest("Native") { Native = true });
        (await AskV2($"{EndpointUri}/.default", clientId: native.AppId.ToString())).ShouldRefuse(700025, "invalid_client", 401)
            .ShouldContain("Client is public so neither 'client_assertion' nor 'client_secret' should be presented.");
        (await AskV2($"{EndpointUri}/.default", clientId: native.AppId.ToString(), secret: null)).ShouldRefuse(7000218, "invalid_client", 401);
    }

    [Theory]
    [InlineData("https://api.securitycenter.microsoft.com/Alert.Read", 1002012)]
    [InlineData("User.Read", 1002012)]
    [InlineData("openid profile", 1002012)]
    [InlineData("https://graph.microsoft.com/.default https://api.securitycenter.microsoft.com/.default", 700022)]
    [InlineData("https://graph.microsoft.com/.default User.Read", 70011)]
    [InlineData("/.default", 700023)]
    public async Task Scopes_that_cannot_be(string scope, int number)
    {
        var text = (await AskV2(scope)).ShouldRefuse(number, "invalid_scope", 400);
        if (number == 1002012)
            text.ShouldContain($"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).");
    }

    [Fact]
    public async Task Openid_scopes_beside_the_default_scope_are_no_matter() =>
        (await AskV2($"{EndpointUri}/.default openid profile offline_access")).Status.ShouldBe(200);

    [Fact]
    public async Task A_resource_may_end_in_a_slash_of_its_own()
    {
        var answer = await AskV2($"{EndpointUri}//.default");
        JsonWebToken.TryParse(answer.Text("access_token"), out var token).ShouldBeTrue();
        token.Claim("aud").ShouldBe(EndpointUri + "/");
    }

    [Fact]
    public async Task Resources_that_are_unknown_disabled_or_the_client_itself()
    {
        (await AskV1("https://unknown.example")).ShouldRefuse(500011, "invalid_resource", 400)
            .ShouldContain("The resource principal named https://unknown.example was not found in the tenant named Contoso.");
        (await AskV2("https://unknown.example/.default")).ShouldRefuse(500011, "invalid_resource", 400);
        var own = await _authority.Directory.CreateApplicationAsync(new CreateApplicationRequest("Self") { IdentifierUris = ["api://self"] });
        var secret = (await _authority.Directory.AddSecretAsync("Self")).SecretText;
        (await AskV2("api://self/.default", own.AppId.ToString(), secret)).ShouldRefuse(90009, "invalid_request", 400);
        (await AskV2($"{own.AppId}/.default", own.AppId.ToString(), secret)).Status.ShouldBe(200);
        await using (var command = _authority.Database.CreateCommand("UPDATE identity.service_principals SET account_enabled = false WHERE app_id = '00000003-0000-0000-c000-000000000000'"))
            await command.ExecuteNonQueryAsync();
        await _authority.Store.LoadAsync();
        (await AskV1("https://graph.microsoft.com")).ShouldRefuse(50001, "invalid_resource", 400);
    }

    [Fact]
    public async Task What_a_client_sent_is_quoted_in_bounds()
    {
        var answer = await _authority.PostAsync(2, _authority.Tenant.Id.ToString(), ("grant_type", new string('x', 10_000) + "\r\n"), ("client_id", ClientId));
        answer.Text("error_description").Length.ShouldBeLessThan(500);
        (await AskV2("https://a.example/\r\nSet-Cookie: x/.default")).Text("error_description").ShouldNotContain("\r");
    }

    [Fact]
    public async Task A_form_that_cannot_be_read()
    {
        var call = _authority.Call(2, _authority.Tenant.Id.ToString()) with { FormIsMalformed = true };
        (await _authority.SendAsync(call)).ShouldRefuse(9002313, "invalid_request", 400).ShouldContain("Invalid request. Request is malformed or invalid.");
    }

    [Fact]
    public async Task Every_issue_and_refusal_is_audited_without_secrets_and_tokens()
    {
        var good = await AskV2($"{EndpointUri}/.default");
        await AskV2($"{EndpointUri}/.default", secret: "hunter2hunter2");
        _authority.Audit.Events.Select(audit => (audit.Activity, audit.Actor, audit.Succeeded)).ShouldBe([("Issue token", ClientId, true), ("Issue token", ClientId, false)]);
        _authority.Audit.Events[1].Detail["error"].ShouldBe("AADSTS7000215");
        var written = JsonSerializer.Serialize(_authority.Audit.Events);
        written.ShouldNotContain(_secret);
        written.ShouldNotContain("hunter2");
        written.ShouldNotContain(good.Text("access_token"));
    }

    [Fact]
    public async Task A_multi_tenant_application_gets_tokens_where_it_was_consented_to_and_they_stay_apart()
    {
        var other = await _authority.Directory.CreateTenantAsync(new CreateTenantRequest("Fabrikam"));
        var shared = await _authority.Directory.CreateApplicationAsync(new CreateApplicationRequest("Shared") { MultiTenant = true, Tenant = "contoso.example" });
        var id = shared.AppId.ToString();
        var secret = (await _authority.Directory.AddSecretAsync(id)).SecretText;
        await _authority.Directory.GrantAsync(new GrantRequest(id, ["Alert.Read.All"]));
        await _authority.Directory.ConsentAsync(id, other.Id.ToString());
        var answer = await _authority.PostAsync(2, other.Id.ToString(), ("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret), ("scope", $"{EndpointUri}/.default"));
        var token = _authority.Validator.Validate(answer.Text("access_token")).Token!;
        token.TenantId.ShouldBe(other.Id);
        token.Roles.ShouldBe(["Alert.Read.All"]);
        var home = await AskV2($"{EndpointUri}/.default", id, secret);
        _authority.Validator.Validate(home.Text("access_token")).Token!.Roles.ShouldBeEmpty();
        home.Text("access_token").ShouldNotBe(answer.Text("access_token"));
    }

    [Fact]
    public async Task Commands_get_their_token_by_the_same_steps()
    {
        var issuer = new TokenIssuer(_authority.Endpoint, _authority.Directory);
        var answer = await issuer.IssueAsync(new IssueTokenRequest(ClientId, _secret));
        answer.GetProperty("resource").GetString().ShouldBe(EndpointUri);
        _authority.Validator.Validate(answer.GetProperty("access_token").GetString(), ResourceCatalogue.EndpointAppId).Succeeded.ShouldBeTrue();
        (await Should.ThrowAsync<DirectoryException>(() => issuer.IssueAsync(new IssueTokenRequest(ClientId, "wrong")))).Message.ShouldStartWith("AADSTS7000215");
    }

    private Task<Answer> AskV2(string scope, string? clientId = null, string? secret = "") => _authority.PostAsync(2, "contoso.example", Form(scope, clientId, secret));

    private Task<Answer> AskV1(string resource) => _authority.PostAsync(1, "contoso.example", FormV1(resource));

    private (string Name, string? Value)[] Form(string scope, string? clientId = null, string? secret = "") =>
        [("grant_type", "client_credentials"), ("client_id", clientId ?? ClientId), ("client_secret", secret is "" ? _secret : secret), ("scope", scope)];

    private (string Name, string? Value)[] FormV1(string resource) =>
        [("grant_type", "client_credentials"), ("client_id", ClientId), ("client_secret", _secret), ("resource", resource)];
}
