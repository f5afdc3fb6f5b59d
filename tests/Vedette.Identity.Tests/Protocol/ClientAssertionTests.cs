using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Identity.Directory;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Tests.Protocol;

public sealed class ClientAssertionTests : IAsyncLifetime
{
    private static readonly RSA ClientKey = RSA.Create(2048);
    private static readonly RSA OtherKey = RSA.Create(2048);
    private TestAuthority _authority = null!;
    private ApplicationDetails _client = null!;
    private X509Certificate2 _certificate = null!;

    private DateTimeOffset Now => _authority.Clock.Now;

    private string ClientId => _client.AppId.ToString();

    private string TokenUrl => $"{TestAuthority.Base}/{_authority.Tenant.Id}/oauth2/v2.0/token";

    public async Task InitializeAsync()
    {
        _authority = await TestAuthority.StartAsync();
        (_client, _) = await _authority.AddClientAsync("Alert.Read.All");
        _certificate = new CertificateRequest("CN=client", ClientKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(Now.AddDays(-1), Now.AddDays(90));
        await _authority.Directory.AddCertificateAsync(ClientId, _certificate);
    }

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    public static TheoryData<string> Libraries => ["msal-python", "adal-python", "msal-node-sha1", "msal-node-sha256", "msal-net-4.55", "msal-net-4.92", "kid-base64url", "x5c-only"];

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task The_forms_of_all_client_libraries_are_taken(string library)
    {
        var sha1 = Base64Url.EncodeToString(_certificate.GetCertHash(HashAlgorithmName.SHA1));
        var sha256 = Base64Url.EncodeToString(_certificate.GetCertHash(HashAlgorithmName.SHA256));
        var der = Convert.ToBase64String(_certificate.RawData);
        var wrapped = string.Join('\n', der.Chunk(64).Select(chunk => new string(chunk))) + "\n";
        var (exp, nbf, iat) = (Now.AddMinutes(10).ToUnixTimeSeconds(), Now.ToUnixTimeSeconds(), Now.ToUnixTimeSeconds());
        var (pss, header, times) = library switch
        {
            "msal-python" => (false, $$"""{"alg":"RS256","typ":"JWT","x5t":"{{sha1}}=","x5c":[{{JsonSerializer.Serialize(wrapped)}}]}""", $"\"exp\":{exp}.25,\"iat\":{iat}.75"),
            "adal-python" => (false, $$"""{"alg":"RS256","typ":"JWT","x5t":"{{sha1}}="}""", $"\"exp\":{exp},\"nbf\":{nbf}"),
            "msal-node-sha1" => (false, $$"""{"alg":"RS256","typ":"JWT","x5t":"{{sha1}}","x5c":["{{der}}"]}""", $"\"exp\":{exp},\"nbf\":{nbf},\"iat\":{iat}"),
            "msal-node-sha256" => (true, $$"""{"alg":"PS256","typ":"JWT","x5t#S256":"{{sha256}}"}""", $"\"exp\":{exp},\"nbf\":{nbf},\"iat\":{iat}"),
            "msal-net-4.55" => (false, $$"""{"alg":"RS256","typ":"JWT","kid":"{{_certificate.Thumbprint}}","x5t":"{{sha1}}","x5c":"{{der}}"}""", $"\"exp\":{exp},\"nbf\":{nbf}"),
            "msal-net-4.92" => (true, $$"""{"alg":"PS256","typ":"JWT","x5t#S256":"{{sha256}}","x5c":"{{der}}"}""", $"\"exp\":\"{exp}\",\"nbf\":\"{nbf}\""),
            "kid-base64url" => (false, $$"""{"alg":"RS256","kid":"{{sha1}}"}""", $"\"exp\":{exp}"),
            _ => (true, $$"""{"alg":"PS256","typ":"JWT","x5c":["{{der}}"]}""", $"\"exp\":{exp}"),
        };
        var payload = $$"""{"aud":"{{TokenUrl}}","iss":"{{ClientId}}","sub":"{{ClientId}}","jti":"{{Guid.NewGuid()}}",{{times}}}""";
        var answer = await AskAsync(Sign(header, payload, ClientKey, pss));
        answer.Status.ShouldBe(200, answer.Body.ToString());
        JsonWebToken.TryParse(answer.Text("access_token"), out var token).ShouldBeTrue();
        token.Claim("appidacr").ShouldBe("2");
    }

    [Theory]
    [InlineData("https://localhost:8443/{tenant}/oauth2/token")]
    [InlineData("https://localhost:8443/contoso.example/oauth2/v2.0/token")]
    [InlineData("https://localhost:8443/common/oauth2/v2.0/token")]
    [InlineData("https://LOCALHOST:8443/{tenant}//oauth2/v2.0/token/")]
    [InlineData("https://localhost:8443/{tenant}/v2.0")]
    [InlineData("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token")]
    [InlineData("https://login.windows.net/{tenant}/oauth2/token")]
    [InlineData("https://sts.windows.net/{tenant}/")]
    public async Task The_audience_may_be_any_name_of_this_authority(string audience) =>
        (await AskAsync(Assertion(claims => claims["aud"] = audience.Replace("{tenant}", _authority.Tenant.Id.ToString(), StringComparison.Ordinal)))).Status.ShouldBe(200);

    [Theory]
    [InlineData("https://evil.example/{tenant}/oauth2/v2.0/token")]
    [InlineData("https://localhost:9999/{tenant}/oauth2/v2.0/token")]
    [InlineData("https://localhost:8443/{tenant}/oauth2/v2.0/authorize")]
    [InlineData("https://localhost:8443/11111111-1111-1111-1111-111111111111/oauth2/v2.0/token")]
    [InlineData("https://localhost:8443/")]
    [InlineData("not a url")]
    public async Task Another_audience_is_refused(string audience) =>
        (await AskAsync(Assertion(claims => claims["aud"] = audience.Replace("{tenant}", _authority.Tenant.Id.ToString(), StringComparison.Ordinal))))
            .ShouldRefuse(50027, "invalid_client", 401);

    [Fact]
    public async Task The_client_id_may_be_left_to_the_assertion()
    {
        var answer = await _authority.PostAsync(2, "contoso.example", Fields(Assertion()).Where(field => field.Name != "client_id").ToArray());
        answer.Status.ShouldBe(200, answer.Body.ToString());
    }

    [Fact]
    public async Task A_wrong_signature_an_unknown_and_an_expired_certificate()
    {
        (await AskAsync(Assertion(key: OtherKey))).ShouldRefuse(700027, "invalid_client", 401).ShouldContain("Client assertion failed signature validation.");
        using var stranger = new CertificateRequest("CN=stranger", OtherKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(Now.AddDays(-1), Now.AddDays(9));
        var thumbprint = Base64Url.EncodeToString(stranger.GetCertHash());
        var text = (await AskAsync(Assertion(header => header["x5t"] = thumbprint, inHeader: true, key: OtherKey))).ShouldRefuse(700027, "invalid_client", 401);
        text.ShouldContain("[Reason - The key was not found., Thumbprint of key used by client: '" + stranger.Thumbprint + "'");
        text.ShouldContain(ClientId);
        (await AskAsync(Assertion(header => header.Remove("x5t"), inHeader: true))).ShouldRefuse(700027, "invalid_client", 401);
        _authority.Clock.Now = Now.AddDays(91);
        (await AskAsync(Assertion())).ShouldRefuse(700027, "invalid_client", 401).ShouldContain("The key used is expired.");
    }

    [Theory]
    [InlineData("none")]
    [InlineData("HS256")]
    [InlineData("RS512")]
    public async Task Other_algorithms_are_refused(string algorithm) =>
        (await AskAsync(Assertion(header => header["alg"] = algorithm, inHeader: true))).ShouldRefuse(700027, "invalid_client", 401);

    [Fact]
    public async Task Assertions_outside_their_lifetime()
    {
        var text = (await AskAsync(Assertion(claims => claims["exp"] = Now.AddMinutes(-6).ToUnixTimeSeconds()))).ShouldRefuse(700024, "invalid_client", 401);
        text.ShouldContain("Client assertion is not within its valid time range. Current time: 2026-11-20T12:00:00.0000000Z");
        (await AskAsync(Assertion(claims => claims["nbf"] = Now.AddMinutes(6).ToUnixTimeSeconds()))).ShouldRefuse(700024, "invalid_client", 401);
        (await AskAsync(Assertion(claims => claims["nbf"] = Now.AddMinutes(4).ToUnixTimeSeconds()))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Issuer_subject_and_client_must_agree()
    {
        (await AskAsync(Assertion(claims => claims["sub"] = Guid.NewGuid().ToString()))).ShouldRefuse(50048, "invalid_client", 401);
        var other = Guid.NewGuid().ToString();
        (await AskAsync(Assertion(claims => (claims["sub"], claims["iss"]) = (other, other)))).ShouldRefuse(50012, "invalid_client", 401);
    }

    [Theory]
    [InlineData("sub")]
    [InlineData("iss")]
    [InlineData("jti")]
    [InlineData("aud")]
    [InlineData("exp")]
    public async Task A_missing_claim_is_malformed(string claim) => (await AskAsync(Assertion(claims => claims.Remove(claim)))).ShouldRefuse(50027, "invalid_client", 401);

    [Theory]
    [InlineData("exp", "soon")]
    [InlineData("nbf", "never")]
    [InlineData("exp", "1e400")]
    [InlineData("exp", "-5")]
    public async Task Unreadable_times_are_malformed(string claim, string value) =>
        (await AskAsync(Assertion(claims => claims[claim] = value))).ShouldRefuse(50027, "invalid_client", 401);

    [Theory]
    [InlineData("nonsense")]
    [InlineData("a.b.c")]
    [InlineData("e30.e30")]
    public async Task What_is_no_token_is_malformed(string text) => (await AskAsync(text)).ShouldRefuse(50027, "invalid_client", 401);

    [Fact]
    public async Task Another_token_type_is_refused()
    {
        (await AskAsync(Assertion(header => header["typ"] = "at+jwt", inHeader: true))).ShouldRefuse(5002727, "invalid_request", 400)
            .ShouldContain("Invalid JWT header type specified. Allowed types: 'JWT','http://openid.net/specs/jwt/1.0'.");
        (await AskAsync(Assertion(header => header["typ"] = "http://openid.net/specs/jwt/1.0", inHeader: true))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task The_type_of_the_assertion_is_needed()
    {
        var fields = Fields(Assertion());
        (await _authority.PostAsync(2, "contoso.example", fields.Where(field => field.Name != "client_assertion_type").ToArray())).ShouldRefuse(900144, "invalid_request", 400);
        (await _authority.PostAsync(2, "contoso.example", [.. fields.Where(field => field.Name != "client_assertion_type"), ("client_assertion_type", "saml")]))
            .ShouldRefuse(90023, "invalid_request", 400);
    }

    [Fact]
    public async Task Deep_and_huge_assertions_do_no_harm()
    {
        var deep = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("""{"a":""", 2000)) + "1" + new string('}', 2000)));
        (await AskAsync($"{deep}.{deep}.AA")).ShouldRefuse(50027, "invalid_client", 401);
        (await AskAsync(new string('a', 200_000))).ShouldRefuse(50027, "invalid_client", 401);
    }

    [Fact]
    public async Task Random_assertions_never_fail_in_another_way()
    {
        var random = new Random(5);
        var good = Assertion();
        for (var i = 0; i < 300; i++)
        {
            var text = good.ToCharArray();
            for (var n = random.Next(1, 6); n > 0; n--) text[random.Next(text.Length)] = (char)random.Next(32, 127);
            var answer = await AskAsync(new string(text));
            answer.Status.ShouldBeOneOf(200, 400, 401);
        }
    }

    private string Assertion(Action<JsonObject>? change = null, bool inHeader = false, RSA? key = null)
    {
        var header = new JsonObject { ["alg"] = "RS256", ["typ"] = "JWT", ["x5t"] = Base64Url.EncodeToString(_certificate.GetCertHash()) };
        var claims = new JsonObject
        {
            ["aud"] = TokenUrl,
            ["iss"] = ClientId,
            ["sub"] = ClientId,
            ["jti"] = Guid.NewGuid().ToString(),
            ["nbf"] = Now.ToUnixTimeSeconds(),
            ["exp"] = Now.AddMinutes(10).ToUnixTimeSeconds(),
        };
        change?.Invoke(inHeader ? header : claims);
        return Sign(header.ToJsonString(), claims.ToJsonString(), key ?? ClientKey, pss: false);
    }

    private static string Sign(string header, string payload, RSA key, bool pss)
    {
        var input = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header)) + "." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload));
        var signature = key.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256, pss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
        return input + "." + Base64Url.EncodeToString(signature);
    }

    private (string Name, string? Value)[] Fields(string assertion) =>
    [
        ("grant_type", "client_credentials"), ("client_id", ClientId), ("client_assertion", assertion),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), ("scope", "https://api.securitycenter.microsoft.com/.default"),
    ];

    private Task<Answer> AskAsync(string assertion) => _authority.PostAsync(2, "contoso.example", Fields(assertion));
}
