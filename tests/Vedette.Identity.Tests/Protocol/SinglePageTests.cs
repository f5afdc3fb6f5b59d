using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.SignIn;

namespace Vedette.Identity.Tests.Protocol;

/// <summary>Codes and refresh tokens of single-page applications are redeemed by their pages only, and end after a day.</summary>
public sealed class SinglePageTests : IAsyncLifetime
{
    private const string Password = "correct horse battery";
    private const string Page = "https://app.example/";
    private const string Web = "https://app.example/web";
    private const string Origin = "https://app.example";
    private const string Scope = "https://api.securitycenter.microsoft.com/Alert.Read offline_access";
    private const string Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    private TestAuthority _authority = null!;
    private string _clientId = "";
    private string _secret = "";
    private string? _session;

    public async Task InitializeAsync()
    {
        _authority = await TestAuthority.StartAsync();
        var application = await _authority.Directory.CreateApplicationAsync(new CreateApplicationRequest("Board") { RedirectUris = [Web], SinglePageRedirectUris = [Page] });
        _clientId = application.AppId.ToString();
        _secret = (await _authority.Directory.AddSecretAsync(_clientId)).SecretText;
        await _authority.Directory.GrantAsync(new GrantRequest(_clientId, ["Alert.Read"], "endpoint", Delegated: true));
        await _authority.Directory.ConsentAsync(_clientId);
        await _authority.Directory.CreateUserAsync(new CreateUserRequest("ada", "Ada Lovelace") { Password = Password });
        var begin = (InteractionStep.AskSignIn)await AuthorizeAsync(Page);
        (_, _session) = await _authority.Interactive.SignInAsync(begin.Interaction, "ada@contoso.example", Password);
    }

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    [Fact]
    public async Task A_page_redeems_and_renews_for_a_day()
    {
        var tokens = await RedeemAsync(await CodeAsync(Page), Page, Origin, secret: null);
        tokens.Status.ShouldBe(200, tokens.Body.ToString());
        _authority.Clock.Now += TimeSpan.FromHours(20);
        var renewed = await RefreshAsync(tokens.Text("refresh_token"), Origin);
        renewed.Status.ShouldBe(200);

        // Renewing does not lengthen the day.
        _authority.Clock.Now += TimeSpan.FromHours(5);
        (await RefreshAsync(renewed.Text("refresh_token"), Origin)).ShouldRefuse(700084, "invalid_grant", 400);
    }

    [Fact]
    public async Task Only_pages_redeem_what_is_a_pages_and_only_that()
    {
        var code = await CodeAsync(Page);
        (await RedeemAsync(code, Page, origin: null, _secret)).ShouldRefuse(9002327, "invalid_request", 400);
        (await RedeemAsync(code, Page, Origin, _secret)).ShouldRefuse(90023, "invalid_request", 400);
        var tokens = await RedeemAsync(code, Page, Origin, secret: null);
        tokens.Status.ShouldBe(200, tokens.Body.ToString());
        (await RefreshAsync(tokens.Text("refresh_token"), origin: null, _secret)).ShouldRefuse(9002327, "invalid_request", 400);

        var web = await CodeAsync(Web);
        (await RedeemAsync(web, Web, Origin, secret: null)).ShouldRefuse(9002326, "invalid_request", 400);
        (await RedeemAsync(web, Web, origin: null, secret: null)).ShouldRefuse(7000218, "invalid_client", 401);
        var webTokens = await RedeemAsync(web, Web, origin: null, _secret);
        webTokens.Status.ShouldBe(200, webTokens.Body.ToString());
        (await RefreshAsync(webTokens.Text("refresh_token"), Origin)).ShouldRefuse(9002326, "invalid_request", 400);
    }

    private static string Challenge => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    private Task<InteractionStep> AuthorizeAsync(string redirect) => _authority.Interactive.AuthorizeAsync(
        _authority.Call(
            2, "contoso.example", ("client_id", _clientId), ("response_type", "code"), ("redirect_uri", redirect), ("scope", Scope),
            ("code_challenge", Challenge), ("code_challenge_method", "S256")),
        _session);

    private async Task<string> CodeAsync(string redirect) =>
        (await AuthorizeAsync(redirect)).ShouldBeOfType<InteractionStep.Reply>().Parameters.Single(pair => pair.Key == "code").Value;

    private Task<Answer> RedeemAsync(string code, string redirect, string? origin, string? secret) => SendAsync(
        _authority.Call(
            2, "contoso.example", ("grant_type", "authorization_code"), ("client_id", _clientId), ("client_secret", secret), ("code", code), ("redirect_uri", redirect), ("code_verifier", Verifier)),
        origin);

    private Task<Answer> RefreshAsync(string token, string? origin, string? secret = null) => SendAsync(
        _authority.Call(2, "contoso.example", ("grant_type", "refresh_token"), ("client_id", _clientId), ("client_secret", secret), ("refresh_token", token), ("scope", Scope)), origin);

    private async Task<Answer> SendAsync(AuthorityCall call, string? origin)
    {
        var answer = await _authority.Endpoint.HandleAsync(call with { Origin = origin });
        return new Answer(answer.Status, JsonDocument.Parse(answer.Body).RootElement);
    }
}
