using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Identity.Resources;
using Vedette.Identity.Tokens;

namespace Vedette.Server.Tests.Authority;

public sealed class AuthoritySurfaceTests(AuthoritySurfaceTests.Server server) : IClassFixture<AuthoritySurfaceTests.Server>
{
    private const string Scope = "https://api.securitycenter.microsoft.com/.default";
    private readonly AuthorityHost _host = server.Host;
    private readonly HttpClient _http = server.Http;
    private readonly string _clientId = server.ClientId;
    private readonly string _secret = server.Secret;

    /// <summary>One server for all tests of the class.</summary>
    public sealed class Server : IAsyncLifetime
    {
        internal AuthorityHost Host { get; private set; } = null!;

        internal HttpClient Http { get; private set; } = null!;

        internal string ClientId { get; private set; } = "";

        internal string Secret { get; private set; } = "";

        public async Task InitializeAsync()
        {
            Host = await AuthorityHost.StartAsync();
            (ClientId, Secret) = await Host.AddClientAsync("Alert.Read.All");
            Http = new HttpClient { BaseAddress = new Uri(Host.Http) };
        }

        public async Task DisposeAsync()
        {
            Http.Dispose();
            await Host.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("/contoso.example/oauth2/v2.0/token")]
    [InlineData("/Contoso.Example/OAuth2/V2.0/TOKEN")]
    [InlineData("//contoso.example//oauth2//v2.0/token/")]
    [InlineData("/contoso.example/oauth2/v2.0/token?client-request-id=8b9c2a4e-1111-4c7e-9d0e-3f1f8a2b4c5d")]
    public async Task Paths_are_matched_without_regard_to_case_and_doubled_slashes(string path)
    {
        var answer = await PostAsync(path, Form());
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        using var json = await JsonAsync(answer);
        var token = json.RootElement.GetProperty("access_token").GetString();
        _host.Services.GetRequiredService<AccessTokenValidator>().Validate(token, ResourceCatalogue.EndpointAppId).Succeeded.ShouldBeTrue();
    }

    [Fact]
    public async Task Answers_are_never_cached_and_carry_the_request_ids()
    {
        var id = Guid.NewGuid().ToString();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/contoso.example/oauth2/token") { Content = new FormUrlEncodedContent(Form(v1: true)) };
        request.Headers.Add("client-request-id", id);
        request.Headers.Add("return-client-request-id", "true");
        using var answer = await _http.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.ToString().ShouldBe("application/json; charset=utf-8");
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
        answer.Headers.CacheControl.NoCache.ShouldBeTrue();
        answer.Headers.Pragma.ToString().ShouldBe("no-cache");
        answer.Headers.GetValues("client-request-id").Single().ShouldBe(id);
        Guid.TryParse(answer.Headers.GetValues("x-ms-request-id").Single(), out _).ShouldBeTrue();
    }

    [Fact]
    public async Task A_refusal_carries_the_clients_id_and_the_request_id_of_its_header()
    {
        var id = Guid.NewGuid();
        using var answer = await PostAsync($"/contoso.example/oauth2/v2.0/token?client-request-id={id}", Form(secret: "wrong"));
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using var json = await JsonAsync(answer);
        json.RootElement.GetProperty("correlation_id").GetGuid().ShouldBe(id);
        json.RootElement.GetProperty("trace_id").GetString().ShouldBe(answer.Headers.GetValues("x-ms-request-id").Single());
        answer.Headers.Contains("client-request-id").ShouldBeFalse();
        var page = await _http.GetAsync(new Uri(json.RootElement.GetProperty("error_uri").GetString()!));
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await page.Content.ReadAsStringAsync()).ShouldContain("<h1>AADSTS7000215</h1>");
    }

    [Fact]
    public async Task A_get_request_with_a_form_as_its_body_gets_a_token()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/contoso.example/oauth2/token") { Content = new FormUrlEncodedContent(Form(v1: true)) };
        using var answer = await _http.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        using var bare = await _http.GetAsync("/contoso.example/oauth2/token");
        bare.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        bare.Content.Headers.Allow.ShouldBe(["POST"]);
    }

    [Fact]
    public async Task Basic_authentication_over_http()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/contoso.example/oauth2/v2.0/token")
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string> { ["grant_type"] = "client_credentials", ["scope"] = Scope }),
        };
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_clientId}:{Uri.EscapeDataString("wrong")}")));
        using var refused = await _http.SendAsync(request);
        refused.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        refused.Headers.WwwAuthenticate.Single().Scheme.ShouldBe("Basic");
    }

    [Fact]
    public async Task Documents_may_be_cached_and_read_from_anywhere()
    {
        using var answer = await _http.GetAsync("/CONTOSO.example//v2.0/.Well-Known/OpenId-Configuration");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.GetValues("Access-Control-Allow-Origin").Single().ShouldBe("*");
        answer.Headers.CacheControl!.ToString().ShouldBe("max-age=86400, private");
        using var json = await JsonAsync(answer);
        var root = _host.Http + "/" + _host.Directory.FindTenant(null).Id;
        json.RootElement.GetProperty("issuer").GetString().ShouldBe(root + "/v2.0");
        foreach (var (name, path) in new[] { ("token_endpoint", "/oauth2/v2.0/token"), ("jwks_uri", "/discovery/v2.0/keys") })
            json.RootElement.GetProperty(name).GetString().ShouldBe(root + path);
        using var keys = await JsonAsync(await _http.GetAsync(json.RootElement.GetProperty("jwks_uri").GetString()));
        keys.RootElement.GetProperty("keys").GetArrayLength().ShouldBe(1);
    }

    [Theory]
    [InlineData("/common/discovery/keys")]
    [InlineData("/common/discovery/v2.0/keys")]
    [InlineData("/common/.well-known/openid-configuration")]
    [InlineData("/common/UserRealm/ada%40contoso.example?api-version=1.0")]
    [InlineData("/common/userrealm/ada@contoso.example?api-version=1.0")]
    [InlineData("/common/discovery/instance?api-version=1.1&authorization_endpoint=https%3A%2F%2Flogin.microsoftonline.com%2Fcommon%2Foauth2%2Fv2.0%2Fauthorize")]
    public async Task Every_document_has_its_address(string path)
    {
        using var answer = await _http.GetAsync(path);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        if (path.Contains("realm", StringComparison.OrdinalIgnoreCase)) (await answer.Content.ReadAsStringAsync()).ShouldContain("\"account_type\":\"Managed\"");
        using var head = await _http.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));
        head.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var post = await _http.PostAsync(path, null);
        post.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await post.Content.ReadAsStringAsync()).ShouldContain("AADSTS900561");
    }

    [Fact]
    public async Task A_request_without_a_tenant_is_told_so()
    {
        using var answer = await PostAsync("/oauth2/token", Form(v1: true));
        (await answer.Content.ReadAsStringAsync()).ShouldContain("AADSTS90019");
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/api/alerts")]
    [InlineData("/contoso.example")]
    [InlineData("/contoso.example/oauth2/v2.0/tokens")]
    [InlineData("/a/b/c/d/e/f/g")]
    public async Task Other_paths_are_left_to_other_surfaces(string path)
    {
        using var answer = await _http.GetAsync(path);
        (await answer.Content.ReadAsStringAsync()).ShouldBe("another surface");
    }

    [Fact]
    public async Task Forms_of_any_kind_end_in_an_error_of_the_protocol()
    {
        var url = "/contoso.example/oauth2/v2.0/token";
        foreach (var (body, type, error) in new[]
        {
            ("", "application/x-www-form-urlencoded", "AADSTS900144"),
            ("{\"grant_type\":\"client_credentials\"}", "application/json", "AADSTS900144"),
            ("grant_type=client_credentials&grant_type=password", "application/x-www-form-urlencoded", "AADSTS9002313"),
            ("a=%zz%00%ff&=&&&==", "application/x-www-form-urlencoded", "AADSTS900"),
            (new string('x', 1_000_000), "application/x-www-form-urlencoded", "AADSTS9002313"),
            ("client_id=" + new string('x', 200_000), "application/x-www-form-urlencoded", "AADSTS9002313"),
            (string.Join('&', Enumerable.Range(0, 5000).Select(i => $"f{i}=1")), "application/x-www-form-urlencoded", "AADSTS9002313"),
        })
        {
            using var answer = await _http.PostAsync(url, new StringContent(body, Encoding.UTF8, type));
            answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest, body[..Math.Min(body.Length, 60)]);
            (await answer.Content.ReadAsStringAsync()).ShouldContain(error);
        }
    }

    [Fact]
    public async Task A_body_without_a_length_is_bounded_too()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/contoso.example/oauth2/v2.0/token")
        {
            Content = new StreamContent(new MemoryStream(Encoding.ASCII.GetBytes(string.Join('&', Enumerable.Range(0, 90).Select(i => $"f{i}={new string('x', 10_000)}"))))),
        };
        request.Headers.TransferEncodingChunked = true;
        using var answer = await _http.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await answer.Content.ReadAsStringAsync()).ShouldContain("AADSTS9002313");
    }

    [Fact]
    public async Task Tenant_segments_of_any_kind_end_in_an_error_of_the_protocol()
    {
        var random = new Random(11);
        for (var i = 0; i < 100; i++)
        {
            var segment = Uri.EscapeDataString(new string([.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => (char)random.Next(1, 0x500))]));
            using var answer = await PostAsync($"/{segment}/oauth2/v2.0/token", Form());
            ((int)answer.StatusCode).ShouldBeLessThan(500, segment);
        }
    }

    [Fact]
    public async Task Token_issues_reach_the_audit_log()
    {
        var (client, secret) = await _host.AddClientAsync("Alert.Read.All");
        foreach (var value in new[] { secret, "wrong" })
        {
            var form = Form(secret: value);
            form["client_id"] = client;
            using var answer = await PostAsync("/contoso.example/oauth2/v2.0/token", form);
        }

        var source = _host.Services.GetRequiredService<Npgsql.NpgsqlDataSource>();
        var found = "";
        for (var i = 0; i < 200 && found != "false,true"; i++)
        {
            await Task.Delay(25);
            await using var command = source.CreateCommand("SELECT coalesce(string_agg(succeeded::text, ',' ORDER BY succeeded), '') FROM identity.audit_events WHERE activity = 'Issue token' AND actor = $1");
            command.Parameters.Add(new Npgsql.NpgsqlParameter { Value = client });
            found = (string)(await command.ExecuteScalarAsync())!;
        }

        found.ShouldBe("false,true");
    }

    private Dictionary<string, string> Form(bool v1 = false, string? secret = null) => new()
    {
        ["grant_type"] = "client_credentials",
        ["client_id"] = _clientId,
        ["client_secret"] = secret ?? _secret,
        [v1 ? "resource" : "scope"] = v1 ? "https://api.securitycenter.microsoft.com" : Scope,
    };

    private Task<HttpResponseMessage> PostAsync(string path, Dictionary<string, string> form) =>
        _http.PostAsync(new Uri(_host.Http + path), new FormUrlEncodedContent(form));

    private static async Task<JsonDocument> JsonAsync(HttpResponseMessage answer) => JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
}
