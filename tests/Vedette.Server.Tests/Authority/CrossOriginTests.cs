using System.Net;

namespace Vedette.Server.Tests.Authority;

/// <summary>Pages of other origins may ask for tokens and read metadata; nothing else of the authority is theirs to read.</summary>
public sealed class CrossOriginTests : IAsyncLifetime
{
    private AuthorityHost _host = null!;

    public async Task InitializeAsync() => _host = await AuthorityHost.StartAsync();

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Theory]
    [InlineData("contoso.example/oauth2/v2.0/token")]
    [InlineData("contoso.example/v2.0/.well-known/openid-configuration")]
    [InlineData("common/discovery/keys")]
    [InlineData("oidc/userinfo")]
    public async Task A_browser_is_let_through(string path)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Options, $"{_host.Http}/{path}");
        request.Headers.Add("Origin", "https://app.example");
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "content-type,x-client-sku");
        using var answer = await http.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        Header(answer, "Access-Control-Allow-Origin").ShouldBe("*");
        Header(answer, "Access-Control-Allow-Headers").ShouldBe("content-type,x-client-sku");
        Header(answer, "Access-Control-Allow-Methods").ShouldContain("POST");
        answer.Headers.Contains("Access-Control-Allow-Credentials").ShouldBeFalse();
    }

    [Fact]
    public async Task A_page_can_read_a_refusal_of_the_token_endpoint()
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{_host.Http}/contoso.example/oauth2/v2.0/token") { Content = new FormUrlEncodedContent([new("grant_type", "authorization_code")]) };
        request.Headers.Add("Origin", "https://app.example");
        using var answer = await http.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        Header(answer, "Access-Control-Allow-Origin").ShouldBe("*");

        // Without an origin it is no page, and there is nothing to allow.
        using var plain = await http.PostAsync($"{_host.Http}/contoso.example/oauth2/v2.0/token", new FormUrlEncodedContent([new("grant_type", "authorization_code")]));
        plain.Headers.Contains("Access-Control-Allow-Origin").ShouldBeFalse();
    }

    [Theory]
    [InlineData("common/login")]
    [InlineData("common/consent")]
    [InlineData("common/mfa")]
    [InlineData("contoso.example/oauth2/v2.0/authorize")]
    [InlineData("contoso.example/oauth2/v2.0/devicecode")]
    public async Task The_sign_in_pages_are_nobody_elses_to_read(string path)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Options, $"{_host.Http}/{path}");
        request.Headers.Add("Origin", "https://app.example");
        request.Headers.Add("Access-Control-Request-Method", "POST");
        using var answer = await http.SendAsync(request);
        answer.Headers.Contains("Access-Control-Allow-Origin").ShouldBeFalse();
    }

    private static string Header(HttpResponseMessage answer, string name) => string.Join(", ", answer.Headers.GetValues(name));
}
