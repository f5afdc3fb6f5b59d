using Vedette.Identity.Directory;
using Vedette.Identity.Security;
using Vedette.Identity.SignIn;

namespace Vedette.Identity.Tests.Protocol;

/// <summary>A tenant requires a second factor: registered at the first sign-in, asked for at every other, and missed by grants that see no page.</summary>
public sealed class SecondFactorTests : IAsyncLifetime
{
    private const string Password = "correct horse battery";
    private const string Scope = "https://api.securitycenter.microsoft.com/Alert.Read offline_access";
    private TestAuthority _authority = null!;
    private string _clientId = "";

    public async Task InitializeAsync()
    {
        _authority = await TestAuthority.StartAsync();
        _clientId = (await _authority.Directory.CreateApplicationAsync(new CreateApplicationRequest("Console") { Native = true, RedirectUris = ["http://localhost"] })).AppId.ToString();
        await _authority.Directory.GrantAsync(new GrantRequest(_clientId, ["Alert.Read"], "endpoint", Delegated: true));
        await _authority.Directory.ConsentAsync(_clientId);
        await _authority.Directory.CreateUserAsync(new CreateUserRequest("ada", "Ada Lovelace") { Password = Password });
        await _authority.Directory.RequireMfaAsync(null, required: true);
    }

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    [Fact]
    public async Task The_first_sign_in_registers_an_app_and_the_next_asks_for_its_code()
    {
        var (ask, session) = await PasswordStepAsync();
        session.ShouldBeNull();
        var secret = ask.Secret.ShouldNotBeNull();
        var (wrong, none) = await _authority.Interactive.SecondFactorAsync(Carry(ask.Interaction), "000000x");
        wrong.ShouldBeOfType<InteractionStep.AskSecondFactor>().Failed.ShouldBeTrue();
        none.ShouldBeNull();

        var code = CodeOf(secret);
        var (done, first) = await _authority.Interactive.SecondFactorAsync(Carry(ask.Interaction), code.Insert(3, " "));
        first.ShouldNotBeNull();
        var tokens = await RedeemAsync(done.ShouldBeOfType<InteractionStep.Reply>());
        Amr(tokens.Text("access_token")).ShouldBe(["pwd", "mfa"]);

        // A code is good once; the next one is good too, and none is asked for while the session lasts.
        var (again, _) = await PasswordStepAsync();
        again.Secret.ShouldBeNull();
        (await _authority.Interactive.SecondFactorAsync(again.Interaction, code)).Step.ShouldBeOfType<InteractionStep.AskSecondFactor>().Failed.ShouldBeTrue();
        _authority.Clock.Now += TimeSpan.FromSeconds(30);
        (await _authority.Interactive.SecondFactorAsync(again.Interaction, CodeOf(secret))).Step.ShouldBeOfType<InteractionStep.Reply>();
        (await BeginAsync(first)).ShouldBeOfType<InteractionStep.Reply>();

        // What came of a sign-in with it can be renewed.
        var refreshed = await _authority.PostAsync(
            2, "contoso.example", ("grant_type", "refresh_token"), ("client_id", _clientId), ("refresh_token", tokens.Text("refresh_token")), ("scope", Scope));
        Amr(refreshed.Text("access_token")).ShouldBe(["pwd", "mfa"]);
        _authority.Audit.Events.Select(audit => (audit.Activity, audit.Succeeded)).ShouldContain(("Register second factor", true));
    }

    [Fact]
    public async Task Wrong_codes_lock_the_account_and_a_right_password_does_not_count_for_ever()
    {
        var (ask, _) = await PasswordStepAsync();
        for (var i = 0; i < 10; i++) (await _authority.Interactive.SecondFactorAsync(ask.Interaction, "12345")).Session.ShouldBeNull();
        var locked = (await _authority.Interactive.SecondFactorAsync(ask.Interaction, CodeOf(ask.Secret!))).Step.ShouldBeOfType<InteractionStep.AskSignIn>();
        locked.Error!.Number.ShouldBe(50053);
        _authority.Clock.Now += TimeSpan.FromMinutes(11);
        (await _authority.Interactive.SecondFactorAsync(ask.Interaction, CodeOf(ask.Secret!))).Step.ShouldBeOfType<InteractionStep.AskSignIn>().Error.ShouldBeNull();
    }

    [Fact]
    public async Task Grants_that_see_no_page_say_what_is_missing()
    {
        (await ByPasswordAsync()).ShouldRefuse(50079, "invalid_grant", 400);
        var (ask, _) = await PasswordStepAsync();
        var (done, _) = await _authority.Interactive.SecondFactorAsync(ask.Interaction, CodeOf(ask.Secret!));
        done.ShouldBeOfType<InteractionStep.Reply>();
        var refused = await ByPasswordAsync();
        refused.ShouldRefuse(50076, "invalid_grant", 400);
        refused.Text("suberror").ShouldBe("basic_action");
    }

    [Fact]
    public async Task A_session_from_before_the_rule_is_asked_for_the_code()
    {
        await _authority.Directory.RequireMfaAsync(null, required: false);
        var begin = (InteractionStep.AskSignIn)await BeginAsync(null);
        var (_, session) = await _authority.Interactive.SignInAsync(begin.Interaction, "ada@contoso.example", Password);
        var old = (await ByPasswordAsync()).Text("refresh_token");
        await _authority.Directory.RequireMfaAsync(null, required: true);
        (await BeginAsync(session)).ShouldBeOfType<InteractionStep.AskSecondFactor>();
        var silent = (await BeginAsync(session, "none")).ShouldBeOfType<InteractionStep.Reply>();
        silent.Parameters.Single(pair => pair.Key == "error").Value.ShouldBe("interaction_required");
        silent.Parameters.Single(pair => pair.Key == "error_description").Value.ShouldStartWith("AADSTS50076: ");
        (await _authority.PostAsync(2, "contoso.example", ("grant_type", "refresh_token"), ("client_id", _clientId), ("refresh_token", old), ("scope", Scope)))
            .ShouldRefuse(50079, "invalid_grant", 400);
    }

    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(1234567890, "005924")]
    [InlineData(20000000000, "353130")]
    public void Codes_are_those_of_the_standard(long seconds, string expected) =>
        TimeBasedCodes.Code("12345678901234567890"u8, TimeBasedCodes.StepOf(DateTimeOffset.FromUnixTimeSeconds(seconds))).ShouldBe(expected);

    [Fact]
    public void A_secret_is_written_as_apps_read_it()
    {
        TimeBasedCodes.ToText("12345678901234567890"u8).ShouldBe("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        TimeBasedCodes.ToAddress("12345678901234567890"u8, "Contoso & Co", "ada@contoso.example")
            .ShouldBe("otpauth://totp/Contoso%20%26%20Co:ada%40contoso.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Contoso%20%26%20Co");
    }

    private async Task<(InteractionStep.AskSecondFactor Ask, string? Session)> PasswordStepAsync()
    {
        var begin = (await BeginAsync(null)).ShouldBeOfType<InteractionStep.AskSignIn>();
        var (step, session) = await _authority.Interactive.SignInAsync(Carry(begin.Interaction), "ada@contoso.example", Password);
        return (step.ShouldBeOfType<InteractionStep.AskSecondFactor>(), session);
    }

    private Task<InteractionStep> BeginAsync(string? session, string? prompt = null) => _authority.Interactive.AuthorizeAsync(
        _authority.Call(2, "contoso.example", ("client_id", _clientId), ("response_type", "code"), ("redirect_uri", "http://localhost"), ("scope", Scope), ("prompt", prompt)), session);

    private Task<Answer> RedeemAsync(InteractionStep.Reply reply) => _authority.PostAsync(
        2, "contoso.example", ("grant_type", "authorization_code"), ("client_id", _clientId), ("code", reply.Parameters.Single(pair => pair.Key == "code").Value), ("redirect_uri", "http://localhost"));

    private Task<Answer> ByPasswordAsync() => _authority.PostAsync(
        2, "contoso.example", ("grant_type", "password"), ("client_id", _clientId), ("username", "ada@contoso.example"), ("password", Password), ("scope", Scope));

    private string CodeOf(byte[] secret) => TimeBasedCodes.Code(secret, TimeBasedCodes.StepOf(_authority.Clock.Now));

    private Interaction Carry(Interaction interaction) => _authority.Interactive.Unprotect(_authority.Interactive.Protect(interaction))!;

    private string[] Amr(string token) => [.. _authority.Validator.Validate(token).Token!.AuthenticationMethods];
}
