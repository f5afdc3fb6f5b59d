using System.Buffers.Text;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Vedette.Server.Tests.Authority;

/// <summary>Throws rubbish at every address of the authority: whatever comes back, it must come soon and not be a fault of the server.</summary>
public sealed class FuzzTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private static readonly string[] Rubbish =
    [
        "", " ", "x", "\0", "a\0b", "%", "%00", "null", "'", "--", "\ud83d\ude42", "𝔘𝔫𝔦", "\r\nSet-Cookie: a=b", "<script>alert(1)</script>", "{}", "[]", "true", "1e400", "-1", "99999999999999999999", "../../etc",
        "javascript:alert(1)", "http://localhost:99999/", "http://[::1", "https://evil.example\\@localhost/", "urn:x", new string('a', 70_000), string.Join(' ', Enumerable.Repeat("https://a/b", 3_000)),
        "https://api.securitycenter.microsoft.com/.default", "//.default", "/.default", ".default", "openid offline_access", "eyJhbGciOiJub25lIn0.e30.", "a.b.c", "....", "1.AAAA",
        "{\"access_token\":" + new string('{', 5_000), "{\"access_token\":{\"xms_cc\":{\"values\":" + new string('[', 200) + new string(']', 200) + "}}}",
    ];

    private static readonly string[] Tenants = ["contoso.example", "common", "organizations", "consumers", "00000000-0000-0000-0000-000000000000", "%00", "a%2Fb", "..", "x y", "%F0%9F%99%82", "nowhere.example", new('t', 300), "-.-", "%ff%fe"];

    private static readonly string[] Fields =
    [
        "grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type", "scope", "resource", "code", "redirect_uri", "code_verifier", "code_challenge", "code_challenge_method",
        "refresh_token", "device_code", "username", "password", "assertion", "requested_token_use", "response_type", "response_mode", "state", "nonce", "prompt", "claims", "client_info", "login_hint",
        "user_code", "otc", "ctx", "loginfmt", "passwd", "answer", "post_logout_redirect_uri",
    ];

    private static readonly string[] Grants =
    [
        "client_credentials", "authorization_code", "refresh_token", "device_code", "urn:ietf:params:oauth:grant-type:device_code", "password", "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ];

    private static readonly string[] Paths =
    [
        "oauth2/v2.0/token", "oauth2/token", "oauth2/v2.0/devicecode", "oauth2/devicecode", "oauth2/v2.0/authorize", "oauth2/authorize", "oauth2/deviceauth", "oauth2/v2.0/logout", "oauth2/nativeclient", "adminconsent",
        "v2.0/adminconsent", "openid/userinfo", "login", "mfa", "consent", "v2.0/.well-known/openid-configuration", ".well-known/openid-configuration", "discovery/v2.0/keys", "discovery/instance", "userrealm/x",
    ];

    private AuthorityHost _host = null!;
    private string _clientId = "";
    private string _secret = "";

    public async Task InitializeAsync()
    {
        _host = await AuthorityHost.StartAsync();
        (_clientId, _secret) = await _host.AddClientAsync("Alert.Read.All");
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Never_fails_on_rubbish()
    {
        using var http = Client();
        var random = new Random(20261120);
        var failures = new List<string>();
        foreach (var path in Paths)
        {
            for (var round = 0; round < 40; round++)
            {
                using var request = Request(path, random);
                var described = $"{request.Method} {request.RequestUri} {(request.Content is null ? "" : Short(await request.Content.ReadAsStringAsync()))}";
                var started = Stopwatch.GetTimestamp();
                using var answer = await http.SendAsync(request);
                if ((int)answer.StatusCode >= 500) failures.Add($"{described} -> {(int)answer.StatusCode}");
                if (Stopwatch.GetElapsedTime(started) > Soon) failures.Add($"{described} took {Stopwatch.GetElapsedTime(started)}");
                if (answer.Headers.Contains("Set-Cookie") && path is not "oauth2/v2.0/logout") failures.Add($"{described} set a cookie");
            }
        }

        failures.ShouldBeEmpty(string.Join('\n', failures));
    }

    [Theory]
    [InlineData("oauth2/v2.0/token")]
    [InlineData("oauth2/v2.0/devicecode")]
    [InlineData("oauth2/v2.0/authorize")]
    public async Task A_form_of_a_megabyte_is_refused_at_once(string path)
    {
        using var http = Client();
        foreach (var body in new[] { "grant_type=" + new string('x', 1_000_000), string.Concat(Enumerable.Repeat("a=b&", 250_000)), new string('%', 1_000_000) })
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/x-www-form-urlencoded");
            using var answer = await http.PostAsync($"{_host.Http}/contoso.example/{path}", content);
            ((int)answer.StatusCode).ShouldBe(400);
        }
    }

    [Fact]
    public async Task Assertions_with_deep_or_odd_contents_are_refused()
    {
        using var http = Client();
        string Part(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
        foreach (var (header, payload) in new[]
        {
            ("""{"alg":"RS256","typ":"JWT"}""", new string('[', 10_000)),
            ("""{"alg":"RS256","typ":"JWT","x5c":[[[["a"]]]]}""", """{"iss":1,"sub":[],"aud":{},"exp":"x"}"""),
            ("""{"alg":["RS256"],"kid":{},"x5t":true,"x5c":"%%%"}""", """{"aud":["a",1,null],"exp":1e308,"nbf":-1}"""),
            ("""{"alg":"HS256","kid":"\u0000"}""", """{"sub":"\u0000"}"""),
            ("""{"alg":"RS256","alg":"none"}""", "{}"),
            ("[]", "[]"),
        })
        {
            var text = $"{Part(header)}.{Part(payload)}.{Part("signature")}";
            foreach (var fields in new (string, string)[][]
            {
                [("grant_type", "client_credentials"), ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), ("client_assertion", text), ("scope", "https://graph.microsoft.com/.default"), ("client_id", _clientId)],
                [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("requested_token_use", "on_behalf_of"), ("assertion", text), ("scope", "User.Read"), ("client_id", _clientId), ("client_secret", _secret)],
            })
            {
                using var answer = await http.PostAsync($"{_host.Http}/contoso.example/oauth2/v2.0/token", Form(fields));
                ((int)answer.StatusCode).ShouldBeInRange(400, 401);
            }

            using var userInfo = new HttpRequestMessage(HttpMethod.Get, $"{_host.Http}/oidc/userinfo");
            userInfo.Headers.TryAddWithoutValidation("Authorization", $"Bearer {text}");
            using var refused = await http.SendAsync(userInfo);
            ((int)refused.StatusCode).ShouldBe(401);
        }
    }

    [Fact]
    public async Task Null_characters_are_refused_wherever_they_stand()
    {
        using var http = Client();
        foreach (var field in new[] { "username", "password", "scope", "client_id", "refresh_token" })
        {
            var fields = new Dictionary<string, string> { ["grant_type"] = "password", ["client_id"] = _clientId, ["client_secret"] = _secret, ["username"] = "ada@contoso.example", ["password"] = "x", ["scope"] = "openid" };
            fields[field] = "a\0b@contoso.example";
            using var answer = await http.PostAsync($"{_host.Http}/contoso.example/oauth2/v2.0/token", Form(fields.Select(pair => (pair.Key, pair.Value))));
            ((int)answer.StatusCode).ShouldBe(400);
        }

        foreach (var (path, name) in new[] { ("oauth2/deviceauth", "otc"), ("oauth2/deviceauth", "user_code"), ("login", "loginfmt") })
        {
            using var answer = await http.PostAsync($"{_host.Http}/common/{path}", Form([(name, "a\0b")]));
            ((int)answer.StatusCode).ShouldBeLessThan(500);
        }
    }

    [Theory]
    [InlineData("GET /common/discovery/keys HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n")]
    [InlineData("GET /common/.well-known/openid-configuration HTTP/1.1\r\nHost: a..b:99\r\nConnection: close\r\n\r\n")]
    [InlineData("GET /common/v2.0/.well-known/openid-configuration HTTP/1.0\r\n\r\n")]
    [InlineData("POST /common/oauth2/token HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nZZ\r\n")]
    [InlineData("POST /common/oauth2/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 3\r\nConnection: close\r\n\r\n--x")]
    public async Task Odd_requests_get_an_answer(string request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(new Uri(_host.Http).Host, new Uri(_host.Http).Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(stream);
        using var patience = new CancellationTokenSource(Soon);
        int.Parse((await reader.ReadLineAsync(patience.Token))!.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture).ShouldBeLessThan(500);
    }

    private HttpClient Client() => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = TimeSpan.FromMinutes(2) };

    private HttpRequestMessage Request(string path, Random random)
    {
        string Pick(string[] from) => from[random.Next(from.Length)];
        var fields = new List<(string, string)>();
        if (random.Next(3) > 0) fields.Add(("client_id", _clientId));
        if (random.Next(3) > 0) fields.Add(("client_secret", _secret));
        if (random.Next(3) > 0) fields.Add(("grant_type", Pick(Grants)));
        if (random.Next(3) > 0) fields.Add(("scope", "https://api.securitycenter.microsoft.com/.default"));
        for (var i = random.Next(6); i > 0; i--) fields.Add((random.Next(12) == 0 ? Pick(Rubbish) : Pick(Fields), Pick(Rubbish)));
        var url = $"{_host.Http}/{Pick(Tenants)}/{path}";
        if (random.Next(2) == 0) return new HttpRequestMessage(HttpMethod.Post, url) { Content = Form(fields) };
        var query = string.Join('&', fields.Where(field => field.Item1.Length + field.Item2.Length < 3_000).Select(field => $"{Uri.EscapeDataString(field.Item1)}={Uri.EscapeDataString(field.Item2)}"));
        return new HttpRequestMessage(random.Next(8) == 0 ? HttpMethod.Put : HttpMethod.Get, $"{url}?{query}");
    }

    private static StringContent Form(IEnumerable<(string Name, string Value)> fields) => new(
        string.Join('&', fields.Select(field => $"{Uri.EscapeDataString(field.Name)}={Uri.EscapeDataString(field.Value)}")), Encoding.UTF8, "application/x-www-form-urlencoded");

    private static string Short(string text) => text.Length > 300 ? text[..300] : text;
}
