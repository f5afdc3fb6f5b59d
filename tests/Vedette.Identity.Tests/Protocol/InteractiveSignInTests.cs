using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.Resources;
using Vedette.Identity.SignIn;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Tests.Protocol;

/// <summary>Authorization code with PKCE and device code, from the request to the token.</summary>
public sealed class InteractiveSignInTests : IAsyncLifetime
{
    private const string Password = "correct horse battery";
    private const string Redirect = "http://localhost:51234/callback";
    private const string Scope = "https://api.securitycenter.microsoft.com/Alert.Read openid profile offline_access";
    private const string Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    private static readonly string Challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));
    private TestAuthority _authority = null!;
    private string _clientId = "";

    public async Task InitializeAsync()
    {
        _authority = await TestAuthority.StartAsync();
        _clientId = await AddNativeAsync("Console");
        await _authority.Directory.CreateUserAsync(new CreateUserRequest("ada", "Ada Lovelace") { Password = Password });
    }

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    [Fact]
    public async Task Code_with_pkce_from_sign_in_over_consent_to_tokens()
    {
        var ask = (await AuthorizeAsync()).ShouldBeOfType<InteractionStep.AskSignIn>();
        ask.Client.DisplayName.ShouldBe("Console");
        var (step, session) = await _authority.Interactive.SignInAsync(Carry(ask.Interaction), "ada@contoso.example", Password);
        var consent = step.ShouldBeOfType<InteractionStep.AskConsent>();
        consent.Permissions.Select(permission => permission.Value).ShouldBe(["Alert.Read"]);
        consent.ForOrganisation.ShouldBeNull();
        var reply = (await _authority.Interactive.ConsentAsync(Carry(consent.Interaction), session, accepted: true, forAll: false)).ShouldBeOfType<InteractionStep.Reply>();
        reply.RedirectUri.ShouldBe(Redirect);
        reply.Parameters.Select(pair => pair.Key).ShouldBe(["code", "client_info", "state", "session_state"]);
        Parameter(reply, "state").ShouldBe("a b&c");

        var answer = await RedeemAsync(Parameter(reply, "code"));
        answer.Status.ShouldBe(200, answer.Body.ToString());
        var token = _authority.Validator.Validate(answer.Text("access_token"), ResourceCatalogue.EndpointAppId).Token!;
        token.UserPrincipalName.ShouldBe("ada@contoso.example");
        token.Scopes.ShouldBe(["Alert.Read"]);
        JsonWebToken.TryParse(answer.Text("id_token"), out var id).ShouldBeTrue();
        id.Claim("nonce").ShouldBe("n-0S6");
        id.Claim("aud").ShouldBe(_clientId);
        answer.Text("refresh_token").ShouldNotBeEmpty();

        // The second time neither password nor consent is asked for.
        var again = (await AuthorizeAsync(session, ("prompt", "none"))).ShouldBeOfType<InteractionStep.Reply>();
        (await RedeemAsync(Parameter(again, "code"))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_code_is_redeemed_once_by_its_client_with_its_verifier_and_address()
    {
        var code = await CodeAsync();
        (await RedeemAsync(code, ("code_verifier", "wrong-verifier-wrong-verifier-wrong-verifier"))).ShouldRefuse(501481, "invalid_grant", 400);
        (await RedeemAsync(code, ("code_verifier", null))).ShouldRefuse(501481, "invalid_grant", 400);
        (await RedeemAsync(code, ("redirect_uri", "http://localhost:9/callback"))).ShouldRefuse(500112, "invalid_client", 400);
        (await RedeemAsync(code, ("redirect_uri", null))).ShouldRefuse(900144, "invalid_request", 400);
        (await RedeemAsync(code, ("client_id", await AddNativeAsync("Other")))).ShouldRefuse(70000, "invalid_grant", 400);
        (await RedeemAsync("nonsense")).ShouldRefuse(9002313, "invalid_grant", 400);
        (await RedeemAsync(code[..^4] + "AAAA")).ShouldRefuse(70000, "invalid_grant", 400);
        (await RedeemAsync(code, ("scope", "User.Read https://api.security.microsoft.com/.default"))).ShouldRefuse(700022, "invalid_scope", 400);
        (await RedeemAsync(code)).Status.ShouldBe(200);
        (await RedeemAsync(code)).ShouldRefuse(54005, "invalid_grant", 400);
    }

    [Fact]
    public async Task A_code_ends_after_ten_minutes_and_belongs_to_its_tenant()
    {
        var code = await CodeAsync();
        var other = await _authority.Directory.CreateTenantAsync(new CreateTenantRequest("Fabrikam"));
        await using (var command = _authority.Database.CreateCommand($"INSERT INTO identity.service_principals (id, app_id, tenant_id, created_at) VALUES (gen_random_uuid(), '{_clientId}', '{other.Id}', now())"))
            await command.ExecuteNonQueryAsync();
        await _authority.Store.LoadAsync();
        (await _authority.PostAsync(2, other.Id.ToString(), Fields(code))).ShouldRefuse(700005, "invalid_grant", 400);
        _authority.Clock.Now += TimeSpan.FromMinutes(11);
        (await RedeemAsync(code)).ShouldRefuse(70008, "invalid_grant", 400);
    }

    [Theory]
    [InlineData("client_id", "nobody", 700016)]
    [InlineData("client_id", null, 900144)]
    [InlineData("redirect_uri", "https://evil.example/", 50011)]
    [InlineData("redirect_uri", "http://localhost.evil.example/callback", 50011)]
    [InlineData("redirect_uri", "http://localhost:1/other", 50011)]
    [InlineData("redirect_uri", "http://user@localhost:1/callback", 50011)]
    public async Task What_is_wrong_with_client_or_address_is_shown_and_never_sent_on(string field, string? value, int number) =>
        (await AuthorizeAsync(null, (field, value))).ShouldBeOfType<InteractionStep.Fail>().Error.Number.ShouldBe(number);

    [Theory]
    [InlineData("response_type", "magic", "unsupported_response_type", 70005)]
    [InlineData("response_type", "id_token", "unsupported_response_type", 700054)]
    [InlineData("response_mode", "smoke", "invalid_request", 70007)]
    [InlineData("code_challenge", "short", "invalid_request", 501491)]
    [InlineData("prompt", "none", "login_required", 50058)]
    [InlineData("scope", "https://unknown.example/Read", "invalid_resource", 500011)]
    [InlineData("scope", null, "invalid_request", 900144)]
    public async Task Other_mistakes_go_back_to_the_client(string field, string? value, string error, int number)
    {
        var reply = (await AuthorizeAsync(null, (field, value))).ShouldBeOfType<InteractionStep.Reply>();
        Parameter(reply, "error").ShouldBe(error);
        Parameter(reply, "error_description").ShouldStartWith($"AADSTS{number}: ");
        Parameter(reply, "state").ShouldBe("a b&c");
    }

    [Fact]
    public async Task A_refusal_of_consent_goes_back_to_the_client()
    {
        var ask = (InteractionStep.AskSignIn)await AuthorizeAsync();
        var (step, session) = await _authority.Interactive.SignInAsync(ask.Interaction, "ada@contoso.example", Password);
        var reply = (InteractionStep.Reply)await _authority.Interactive.ConsentAsync(((InteractionStep.AskConsent)step).Interaction, session, accepted: false, forAll: false);
        Parameter(reply, "error").ShouldBe("access_denied");
        Parameter(reply, "error_subcode").ShouldBe("cancel");
    }

    [Fact]
    public async Task Consent_counts_only_from_the_one_who_was_asked()
    {
        await _authority.Directory.CreateUserAsync(new CreateUserRequest("eve", "Eve") { Password = Password });
        var ask = (InteractionStep.AskSignIn)await AuthorizeAsync();
        var (asked, _) = await _authority.Interactive.SignInAsync(ask.Interaction, "ada@contoso.example", Password);
        var (_, other) = await _authority.Interactive.SignInAsync(ask.Interaction, "eve@contoso.example", Password);
        var carried = ((InteractionStep.AskConsent)asked).Interaction;
        (await _authority.Interactive.ConsentAsync(carried, other, accepted: true, forAll: false)).ShouldBeOfType<InteractionStep.AskSignIn>();
        (await _authority.Interactive.ConsentAsync(carried, null, accepted: true, forAll: false)).ShouldBeOfType<InteractionStep.AskSignIn>();
        (await _authority.Interactive.ConsentAsync(carried, "1.forged", accepted: true, forAll: false)).ShouldBeOfType<InteractionStep.AskSignIn>();
    }

    [Fact]
    public async Task An_administrator_may_consent_for_everybody_also_to_application_permissions()
    {
        await _authority.Directory.CreateUserAsync(new CreateUserRequest("root", "Root") { Password = Password, DirectoryRoles = [new Guid("62e90394-69f5-4237-9190-012177145e10")] });
        await _authority.Directory.GrantAsync(new GrantRequest(_clientId, ["Machine.Isolate"], "endpoint"));
        var ask = (InteractionStep.AskSignIn)await AuthorizeAsync();
        var (step, session) = await _authority.Interactive.SignInAsync(ask.Interaction, "root@contoso.example", Password);
        var consent = (InteractionStep.AskConsent)step;
        consent.ForOrganisation!.Select(permission => permission.Name).ShouldBe(["Machine.Isolate", "Alert.Read"], ignoreOrder: true);
        (await _authority.Interactive.ConsentAsync(consent.Interaction, session, accepted: true, forAll: true)).ShouldBeOfType<InteractionStep.Reply>();
        _authority.Directory.GetApplication(_clientId).Permissions.ShouldAllBe(permission => permission.Consented);
        var (other, _) = await _authority.Interactive.SignInAsync(ask.Interaction, "ada@contoso.example", Password);
        other.ShouldBeOfType<InteractionStep.Reply>();
    }

    [Fact]
    public async Task A_wrong_name_and_a_wrong_password_look_alike_and_prompts_are_obeyed()
    {
        var ask = (InteractionStep.AskSignIn)await AuthorizeAsync(null, ("login_hint", "ada@contoso.example"));
        ask.UserName.ShouldBe("ada@contoso.example");
        var (name, none) = await _authority.Interactive.SignInAsync(ask.Interaction, "nobody@contoso.example", Password);
        var (password, _) = await _authority.Interactive.SignInAsync(ask.Interaction, "ada@contoso.example", "wrong");
        none.ShouldBeNull();
        ((InteractionStep.AskSignIn)name).Error.ShouldBe(((InteractionStep.AskSignIn)password).Error);
        var (_, session) = await _authority.Interactive.SignInAsync(ask.Interaction, "ada@contoso.example", Password);
        (await AuthorizeAsync(session)).ShouldBeOfType<InteractionStep.AskConsent>();
        (await AuthorizeAsync(session, ("prompt", "login"))).ShouldBeOfType<InteractionStep.AskSignIn>();
        Parameter((InteractionStep.Reply)await AuthorizeAsync(session, ("prompt", "none")), "error").ShouldBe("consent_required");
        await _authority.Interactive.SignOutAsync(session, TestAuthority.Base);
        (await AuthorizeAsync(session)).ShouldBeOfType<InteractionStep.AskSignIn>();
    }

    [Fact]
    public void A_page_that_was_changed_or_is_too_old_counts_for_nothing()
    {
        var interaction = new Interaction { TenantSegment = "x", Version = 2, AppId = Guid.Empty, ExpiresAt = _authority.Clock.Now.AddMinutes(30) };
        var text = _authority.Interactive.Protect(interaction);
        _authority.Interactive.Unprotect(text).ShouldBe(interaction);
        _authority.Interactive.Unprotect(text[..^1] + (text[^1] == 'A' ? 'B' : 'A')).ShouldBeNull();
        _authority.Interactive.Unprotect("").ShouldBeNull();
        _authority.Interactive.Unprotect("!!!").ShouldBeNull();
        _authority.Interactive.Unprotect(Base64Url.EncodeToString(_authority.Key.Protect(JsonSerializer.SerializeToUtf8Bytes(interaction)))).ShouldBeNull();
        _authority.Clock.Now += TimeSpan.FromMinutes(31);
        _authority.Interactive.Unprotect(text).ShouldBeNull();
    }

    [Theory]
    [InlineData(2, "urn:ietf:params:oauth:grant-type:device_code", "device_code")]
    [InlineData(2, "device_code", "device_code")]
    [InlineData(1, "device_code", "code")]
    public async Task Device_code_from_polling_over_sign_in_to_tokens(int version, string grant, string field)
    {
        var start = await StartDeviceAsync(version);
        start.Body.EnumerateObject().Select(member => member.Name).ShouldBe(
            version == 2 ? ["user_code", "device_code", "verification_uri", "expires_in", "interval", "message"] : ["user_code", "device_code", "verification_url", "expires_in", "interval", "message"]);
        if (version == 1) start.Text("expires_in").ShouldBe("900");
        else start.Body.GetProperty("expires_in").GetInt32().ShouldBe(900);
        var code = start.Text("device_code");
        (await PollAsync(version, grant, field, code)).ShouldRefuse(70016, "authorization_pending", 400);

        var typed = start.Text("user_code").ToLowerInvariant().Insert(4, "-");
        var ask = (await _authority.Interactive.DeviceAsync(typed, null)).ShouldBeOfType<InteractionStep.AskSignIn>();
        var (step, session) = await _authority.Interactive.SignInAsync(Carry(ask.Interaction), "ada@contoso.example", Password);
        var consent = step.ShouldBeOfType<InteractionStep.AskConsent>();
        (await PollAsync(version, grant, field, code)).ShouldRefuse(70016, "slow_down", 400);
        _authority.Clock.Now += TimeSpan.FromSeconds(5);
        (await PollAsync(version, grant, field, code)).ShouldRefuse(70016, "authorization_pending", 400);
        var settled = await _authority.Interactive.ConsentAsync(Carry(consent.Interaction), session, accepted: true, forAll: false);
        settled.ShouldBeOfType<InteractionStep.DeviceSettled>().Approved.ShouldBeTrue();

        var answer = await PollAsync(version, grant, field, code);
        answer.Status.ShouldBe(200, answer.Body.ToString());
        _authority.Validator.Validate(answer.Text("access_token"), ResourceCatalogue.EndpointAppId).Token!.Scopes.ShouldBe(["Alert.Read"]);
        answer.Text("refresh_token").ShouldNotBeEmpty();
        (await PollAsync(version, grant, field, code)).ShouldRefuse(70018, "bad_verification_code", 400);
        (await _authority.Interactive.DeviceAsync(typed, session)).ShouldBeNull();
    }

    [Fact]
    public async Task Device_codes_that_are_refused_unknown_or_too_old()
    {
        var start = await StartDeviceAsync(2);
        var ask = (InteractionStep.AskSignIn)(await _authority.Interactive.DeviceAsync(start.Text("user_code"), null))!;
        var (step, session) = await _authority.Interactive.SignInAsync(ask.Interaction, "ada@contoso.example", Password);
        var settled = await _authority.Interactive.ConsentAsync(((InteractionStep.AskConsent)step).Interaction, session, accepted: false, forAll: false);
        settled.ShouldBeOfType<InteractionStep.DeviceSettled>().Approved.ShouldBeFalse();
        (await PollAsync(2, "device_code", "device_code", start.Text("device_code"))).ShouldRefuse(65004, "authorization_declined", 400);

        (await PollAsync(2, "device_code", "device_code", "unknown")).ShouldRefuse(70018, "bad_verification_code", 400);
        var late = await StartDeviceAsync(2);
        _authority.Clock.Now += TimeSpan.FromMinutes(16);
        (await PollAsync(2, "device_code", "device_code", late.Text("device_code"))).ShouldRefuse(70019, "expired_token", 400);
        (await PollAsync(1, "device_code", "code", late.Text("device_code"))).ShouldRefuse(70019, "code_expired", 400);
        (await _authority.Interactive.DeviceAsync(late.Text("user_code"), null)).ShouldBeNull();
    }

    private Task<InteractionStep> AuthorizeAsync(string? session = null, params (string Name, string? Value)[] changes)
    {
        var fields = new Dictionary<string, string?>
        {
            ["client_id"] = _clientId, ["response_type"] = "code", ["redirect_uri"] = Redirect, ["scope"] = Scope, ["state"] = "a b&c", ["nonce"] = "n-0S6",
            ["code_challenge"] = Challenge, ["code_challenge_method"] = "S256", ["client_info"] = "1",
        };
        foreach (var (name, value) in changes) fields[name] = value;
        return _authority.Interactive.AuthorizeAsync(_authority.Call(2, "contoso.example", [.. fields.Select(pair => (pair.Key, pair.Value))]), session);
    }

    private async Task<string> CodeAsync()
    {
        var ask = (InteractionStep.AskSignIn)await AuthorizeAsync();
        var (step, session) = await _authority.Interactive.SignInAsync(ask.Interaction, "ada@contoso.example", Password);
        return Parameter((InteractionStep.Reply)await _authority.Interactive.ConsentAsync(((InteractionStep.AskConsent)step).Interaction, session, accepted: true, forAll: false), "code");
    }

    private (string Name, string? Value)[] Fields(string code, params (string Name, string? Value)[] changes)
    {
        var fields = new Dictionary<string, string?>
        {
            ["grant_type"] = "authorization_code", ["client_id"] = _clientId, ["code"] = code, ["redirect_uri"] = Redirect, ["code_verifier"] = Verifier,
        };
        foreach (var (name, value) in changes) fields[name] = value;
        return [.. fields.Select(pair => (pair.Key, pair.Value))];
    }

    private Task<Answer> RedeemAsync(string code, params (string Name, string? Value)[] changes) => _authority.PostAsync(2, "contoso.example", Fields(code, changes));

    private async Task<Answer> StartDeviceAsync(int version)
    {
        var fields = version == 2 ? ("scope", Scope) : ("resource", "https://api.securitycenter.microsoft.com");
        var answer = await _authority.DeviceCodes.HandleAsync(_authority.Call(version, "contoso.example", ("client_id", _clientId), fields));
        answer.Status.ShouldBe(200);
        return new Answer(answer.Status, JsonDocument.Parse(answer.Body).RootElement);
    }

    private Task<Answer> PollAsync(int version, string grant, string field, string code) =>
        _authority.PostAsync(version, "contoso.example", ("grant_type", grant), ("client_id", _clientId), (field, code));

    private async Task<string> AddNativeAsync(string name)
    {
        var id = (await _authority.Directory.CreateApplicationAsync(new CreateApplicationRequest(name) { Native = true, RedirectUris = ["http://localhost/callback"] })).AppId.ToString();
        await _authority.Directory.GrantAsync(new GrantRequest(id, ["Alert.Read"], "endpoint", Delegated: true));
        return id;
    }

    // As a browser does: the state of the sign-in goes through the page's hidden field.
    private Interaction Carry(Interaction interaction) => _authority.Interactive.Unprotect(_authority.Interactive.Protect(interaction))!;

    private static string Parameter(InteractionStep.Reply reply, string name) => reply.Parameters.Single(pair => pair.Key == name).Value;
}
