using System.Net;
using System.Text.Json;
using System.Web;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Identity.Directory;
using Vedette.Identity.Resources;
using Vedette.Identity.Tokens;

namespace Vedette.Server.Tests.Authority;

public sealed class SignInPagesTests : IAsyncLifetime
{
    private const string Password = "correct horse battery";
    private const string Scope = "https%3A%2F%2Fapi.securitycenter.microsoft.com%2FAlert.Read%20openid%20profile%20offline_access";
    private AuthorityHost _host = null!;
    private TestBrowser _browser = null!;
    private string _clientId = "";

    public async Task InitializeAsync()
    {
        _host = await AuthorityHost.StartAsync();
        _clientId = (await _host.Directory.CreateApplicationAsync(new CreateApplicationRequest("<Console> & more") { Native = true, RedirectUris = ["http://localhost/callback"] })).AppId.ToString();
        await _host.Directory.GrantAsync(new GrantRequest(_clientId, ["Alert.Read"], "endpoint", Delegated: true));
        await _host.Directory.CreateUserAsync(new CreateUserRequest("ada", "Ada Lovelace") { Password = Password });
        _browser = new TestBrowser(_host.Http);
    }

    public async Task DisposeAsync()
    {
        _browser.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task Signing_in_and_consenting_leads_back_with_a_code()
    {
        await _browser.OpenAsync(AuthorizeUrl("&state=x%20y&response_mode=query"));
        _browser.Status.ShouldBe(HttpStatusCode.OK);
        _browser.Html.ShouldContain("&lt;Console&gt; &amp; more");
        _browser.Html.ShouldContain("<label for=\"name\">Email</label>");
        _browser.Html.ShouldNotContain("<script");
        _browser.Headers["Content-Security-Policy"].ShouldContain("frame-ancestors 'none'");
        _browser.Headers["Cache-Control"].ShouldContain("no-store");

        await _browser.SubmitAsync(("loginfmt", "ada@contoso.example"), ("passwd", "wrong"));
        _browser.Html.ShouldContain("role=\"alert\"");
        _browser.Html.ShouldContain("Your account or password is incorrect.");
        _browser.Html.ShouldNotContain("wrong");

        await _browser.SubmitAsync(("loginfmt", "ada@contoso.example"), ("passwd", Password));
        _browser.Headers["Set-Cookie"].ShouldContain("httponly");
        _browser.Headers["Set-Cookie"].ShouldContain("samesite=lax");
        _browser.Html.ShouldContain("asks for permission");
        _browser.Html.ShouldContain("Read alerts");
        _browser.Html.ShouldContain("<code>Alert.Read</code>");

        await _browser.SubmitAsync(("answer", "accept"));
        _browser.Status.ShouldBe(HttpStatusCode.Found);
        var reply = HttpUtility.ParseQueryString(new Uri(_browser.Location!).Query);
        reply["state"].ShouldBe("x y");
        reply["session_state"].ShouldNotBeNull();
        using var answer = await RedeemAsync(reply["code"]!);
        answer.RootElement.GetProperty("token_type").GetString().ShouldBe("Bearer");
        _host.Services.GetRequiredService<AccessTokenValidator>().Validate(answer.RootElement.GetProperty("access_token").GetString(), ResourceCatalogue.EndpointAppId)
            .Token!.UserPrincipalName.ShouldBe("ada@contoso.example");

        // The session lasts: next time the answer comes at once, in whatever form is asked for.
        await _browser.OpenAsync(AuthorizeUrl("&response_mode=fragment"));
        _browser.Location!.ShouldStartWith("http://localhost:7777/callback#code=");
        await _browser.OpenAsync(AuthorizeUrl("&response_mode=form_post"));
        _browser.Html.ShouldContain("<form method=\"post\" action=\"http://localhost:7777/callback\">");
        _browser.Headers["Content-Security-Policy"].ShouldContain("script-src 'sha256-");

        await _browser.OpenAsync("/common/oauth2/v2.0/logout");
        _browser.Html.ShouldContain("You signed out of your account");
        await _browser.OpenAsync(AuthorizeUrl("&prompt=none"));
        _browser.Location!.ShouldContain("error=login_required");
    }

    [Fact]
    public async Task A_device_is_signed_in_by_its_code()
    {
        using var http = new HttpClient();
        using var start = await JsonAsync(await http.PostAsync($"{_host.Http}/contoso.example/oauth2/v2.0/devicecode", Form(("client_id", _clientId), ("scope", Uri.UnescapeDataString(Scope)))));
        start.RootElement.GetProperty("verification_uri").GetString().ShouldBe($"{_host.Http}/common/oauth2/deviceauth");
        await _browser.OpenAsync("/common/oauth2/deviceauth");
        await _browser.SubmitAsync(("otc", "WRONGCODE"));
        _browser.Status.ShouldBe(HttpStatusCode.BadRequest);
        _browser.Html.ShouldContain("That code didn&#39;t work.");
        await _browser.SubmitAsync(("otc", start.RootElement.GetProperty("user_code").GetString()!));
        await _browser.SubmitAsync(("loginfmt", "ada@contoso.example"), ("passwd", Password));
        _browser.Html.ShouldContain("Continue only if you started this sign-in");
        await _browser.SubmitAsync(("answer", "accept"));
        _browser.Html.ShouldContain("You may now close this window.");
        using var answer = await JsonAsync(await http.PostAsync(
            $"{_host.Http}/contoso.example/oauth2/v2.0/token",
            Form(("grant_type", "device_code"), ("client_id", _clientId), ("device_code", start.RootElement.GetProperty("device_code").GetString()!))));
        answer.RootElement.TryGetProperty("refresh_token", out _).ShouldBeTrue(answer.RootElement.ToString());
    }

    [Fact]
    public async Task What_is_wrong_with_the_request_is_shown_and_never_sent_on()
    {
        await _browser.OpenAsync(AuthorizeUrl("").Replace("localhost%3A7777", "evil.example", StringComparison.Ordinal));
        _browser.Status.ShouldBe(HttpStatusCode.BadRequest);
        _browser.Location.ShouldBeNull();
        _browser.Html.ShouldContain("AADSTS50011");
        await _browser.OpenAsync($"/contoso.example/oauth2/v2.0/authorize?client_id=%3Cscript%3E");
        _browser.Html.ShouldContain("AADSTS700016");
        _browser.Html.ShouldNotContain("<script>");
    }

    [Theory]
    [InlineData("/common/login")]
    [InlineData("/common/consent")]
    public async Task Forms_are_taken_from_our_own_pages_only(string path)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, _host.Http + path) { Content = Form(("ctx", "x")) };
        request.Headers.Add("Sec-Fetch-Site", "cross-site");
        using var refused = await http.SendAsync(request);
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using var old = await http.PostAsync(_host.Http + path, Form(("ctx", "x")));
        old.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await old.Content.ReadAsStringAsync()).ShouldContain("This page has expired");
    }

    [Fact]
    public async Task Signing_out_tells_the_applications_of_the_session()
    {
        var application = _host.Directory.FindApplication(_clientId);
        await _host.Directory.UpdateApplicationAsync(application, ApplicationDraft.Of(application) with { LogoutUrl = "https://app.example/signed-out?x=1&y=2" });
        await Should.ThrowAsync<DirectoryException>(() => _host.Directory.UpdateApplicationAsync(application, ApplicationDraft.Of(application) with { LogoutUrl = "javascript:alert(1)" }));
        await _browser.OpenAsync(AuthorizeUrl(""));
        await _browser.SubmitAsync(("loginfmt", "ada@contoso.example"), ("passwd", Password));
        await _browser.SubmitAsync(("answer", "accept"));
        var reply = HttpUtility.ParseQueryString(new Uri(_browser.Location!).Query);
        using var tokens = await RedeemAsync(reply["code"]!);
        var idToken = tokens.RootElement.GetProperty("id_token").GetString()!;
        using var claims = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(idToken.Split('.')[1]));
        var sid = claims.RootElement.GetProperty("sid").GetString();
        sid.ShouldBe(reply["session_state"]);
        await _browser.OpenAsync("/common/oauth2/v2.0/logout?post_logout_redirect_uri=http%3A%2F%2Flocalhost%2Fcallback&state=a%22b");
        var issuer = Uri.EscapeDataString($"{_host.Http}/{application.TenantId}/v2.0");
        _browser.Html.ShouldContain($"<iframe src=\"https://app.example/signed-out?x=1&amp;y=2&amp;sid={sid}&amp;iss={issuer}\"");
        _browser.Headers["Content-Security-Policy"].ShouldContain("frame-src https://app.example");
        _browser.Html.ShouldContain("<meta http-equiv=\"refresh\" content=\"3;url=http://localhost/callback?state=a%22b\">");
        await _browser.OpenAsync(AuthorizeUrl("&prompt=none"));
        _browser.Location!.ShouldContain("error=login_required");
        await _browser.OpenAsync("/common/oauth2/v2.0/logout");
        _browser.Html.ShouldNotContain("<iframe");
    }

    [Fact]
    public async Task The_frame_of_session_management_may_be_held_by_others_and_has_its_script_only()
    {
        using var http = new HttpClient();
        using var configuration = await JsonAsync(await http.GetAsync($"{_host.Http}/contoso.example/.well-known/openid-configuration"));
        using var answer = await http.GetAsync(configuration.RootElement.GetProperty("check_session_iframe").GetString());
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        var page = await answer.Content.ReadAsStringAsync();
        var script = page.Split("<script>")[1].Split("</script>")[0];
        var policy = string.Join(' ', answer.Headers.GetValues("Content-Security-Policy"));
        policy.ShouldContain($"script-src 'sha256-{Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(script)))}'");
        policy.ShouldNotContain("frame-ancestors");
        answer.Headers.Contains("X-Frame-Options").ShouldBeFalse();
        script.ShouldContain("vedette_session_state=");
    }

    [Fact]
    public async Task Signing_out_leads_only_to_addresses_of_applications()
    {
        await _browser.OpenAsync("/common/oauth2/logout?post_logout_redirect_uri=http%3A%2F%2Flocalhost%2Fcallback&state=s");
        _browser.Location.ShouldBe("http://localhost/callback?state=s");
        await _browser.OpenAsync("/common/oauth2/logout?post_logout_redirect_uri=https%3A%2F%2Fevil.example%2F");
        _browser.Location.ShouldBeNull();
    }

    private string AuthorizeUrl(string more) =>
        $"/contoso.example/oauth2/v2.0/authorize?client_id={_clientId}&response_type=code&redirect_uri=http%3A%2F%2Flocalhost%3A7777%2Fcallback&scope={Scope}{more}";

    private async Task<JsonDocument> RedeemAsync(string code)
    {
        using var http = new HttpClient();
        return await JsonAsync(await http.PostAsync(
            $"{_host.Http}/contoso.example/oauth2/v2.0/token",
            Form(("grant_type", "authorization_code"), ("client_id", _clientId), ("code", code), ("redirect_uri", "http://localhost:7777/callback"))));
    }

    private static FormUrlEncodedContent Form(params (string Name, string Value)[] fields) => new(fields.Select(field => new KeyValuePair<string, string>(field.Name, field.Value)));

    private static async Task<JsonDocument> JsonAsync(HttpResponseMessage answer) => JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
}
