using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Vedette.Identity.Resources;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Tests.Tokens;

public sealed class AccessTokenValidatorTests
{
    private static readonly Guid Tenant = new("11111111-2222-3333-4444-555555555555");
    private static readonly DateTimeOffset Start = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);
    private static readonly SigningKey Key = SigningKey.Create(Start);
    private readonly SettableClock _clock = new(Start);
    private readonly Tenants _tenants = new(Tenant);

    private AccessTokenValidator Validator => new(new SigningKeyRing([Key]), _tenants, _clock);

    [Theory]
    [InlineData("https://api.securitycenter.microsoft.com")]
    [InlineData("https://api.securitycenter.microsoft.com/")]
    [InlineData("https://API.securitycenter.windows.com")]
    [InlineData("https://securitycenter.onmicrosoft.com/windowsatpservice")]
    [InlineData("https://api-eu.securitycenter.microsoft.com")]
    [InlineData("https://api-gcc.securitycenter.microsoft.us")]
    [InlineData("fc780465-2017-40d4-a0c5-307022471b92")]
    public void Takes_every_spelling_of_the_endpoint_audience(string audience)
    {
        var result = Validator.Validate(Write(Description() with { Audience = audience }), ResourceCatalogue.EndpointAppId);
        result.Succeeded.ShouldBeTrue(result.Detail);
        result.Token!.Audience.ShouldBe(audience);
        result.Token.ResourceAppId.ShouldBe(ResourceCatalogue.EndpointAppId);
    }

    [Theory]
    [InlineData("https://api.security.microsoft.com", "8ee8fdad-f234-4243-8f3b-15c294843740")]
    [InlineData("https://security.microsoft.com/mtp/", "8ee8fdad-f234-4243-8f3b-15c294843740")]
    [InlineData("https://us.api.security.microsoft.com", "8ee8fdad-f234-4243-8f3b-15c294843740")]
    [InlineData("https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000")]
    [InlineData("https://graph.microsoft.us/", "00000003-0000-0000-c000-000000000000")]
    public void Tells_the_first_party_apis_apart(string audience, string resource)
    {
        var token = Write(Description() with { Audience = audience });
        Validator.Validate(token, Guid.Parse(resource)).Succeeded.ShouldBeTrue();
        var other = Validator.Validate(token, ResourceCatalogue.EndpointAppId);
        other.Failure.ShouldBe(AccessTokenFailure.WrongAudience);
        other.Token.ShouldNotBeNull();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Reads_application_tokens_of_both_versions(bool version2)
    {
        var description = Description() with { Version2 = version2, Roles = ["Machine.Read.All", "Url.Read.All"] };
        var token = Validator.Validate(Write(description), ResourceCatalogue.EndpointAppId).Token!;
        token.TenantId.ShouldBe(Tenant);
        token.ClientId.ShouldBe(description.ClientId);
        token.ObjectId.ShouldBe(description.ServicePrincipalId);
        token.Subject.ShouldBe(description.ServicePrincipalId.ToString());
        token.IsAppOnly.ShouldBeTrue();
        token.Roles.ShouldBe(["Machine.Read.All", "Url.Read.All"], ignoreOrder: true);
        token.Roles.Contains("URL.Read.All").ShouldBeTrue();
        token.UserPrincipalName.ShouldBeNull();
        token.Version.ShouldBe(version2 ? "2.0" : "1.0");
        token.Expires.ShouldBe(description.Expires);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Reads_user_tokens_of_both_versions(bool version2)
    {
        var user = new TokenUser(Guid.NewGuid(), "ada@contoso.example", "Ada", null, null, ["pwd"], "10.0.0.1");
        var token = Validator.Validate(Write(Description() with { Version2 = version2, User = user, Scopes = ["Alert.Read", "Machine.Read"] })).Token!;
        token.IsAppOnly.ShouldBeFalse();
        token.ObjectId.ShouldBe(user.ObjectId);
        token.UserPrincipalName.ShouldBe("ada@contoso.example");
        token.Scopes.ShouldBe(["Alert.Read", "Machine.Read"], ignoreOrder: true);
        token.Roles.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(null, AccessTokenFailure.Missing)]
    [InlineData("", AccessTokenFailure.Missing)]
    [InlineData("  ", AccessTokenFailure.Missing)]
    [InlineData("abc", AccessTokenFailure.Malformed)]
    [InlineData("a.b.c", AccessTokenFailure.Malformed)]
    [InlineData("e30.e30.", AccessTokenFailure.BadSignature)]
    [InlineData("e30.e30.AA.AA", AccessTokenFailure.Malformed)]
    [InlineData("W10.e30.AA", AccessTokenFailure.Malformed)]
    [InlineData("eyJhIjoxLCJhIjoyfQ.e30.AA", AccessTokenFailure.Malformed)]
    public void Refuses_what_is_no_token(string? text, AccessTokenFailure failure) => Validator.Validate(text).Failure.ShouldBe(failure);

    [Theory]
    [InlineData(new byte[] { (byte)'{', (byte)'"', (byte)'a', (byte)'"', (byte)':', (byte)'"', 0xff, (byte)'"', (byte)'}' })]
    [InlineData(new byte[] { (byte)'{', (byte)'"', 0xc3, (byte)'"', (byte)':', (byte)'1', (byte)'}' })]
    public void Refuses_bytes_that_are_no_text(byte[] header) =>
        Validator.Validate($"{Base64Url.EncodeToString(header)}.e30.AA").Failure.ShouldBe(AccessTokenFailure.Malformed);

    [Fact]
    public void Refuses_half_a_surrogate_pair() =>
        Validator.Validate($"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes("""{"kid":"\ud800"}"""))}.e30.AA").Failure.ShouldBe(AccessTokenFailure.Malformed);

    [Fact]
    public void Refuses_tokens_that_are_too_long() =>
        Validator.Validate(new string('e', JsonWebToken.MaximumLength + 1)).Failure.ShouldBe(AccessTokenFailure.Malformed);

    [Fact]
    public void Refuses_a_changed_claim_a_changed_signature_and_the_algorithm_none()
    {
        var parts = Write(Description()).Split('.');
        var claims = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[1]));
        var forged = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.Replace(Tenant.ToString(), Guid.NewGuid().ToString(), StringComparison.Ordinal)));
        Validator.Validate($"{parts[0]}.{forged}.{parts[2]}").Failure.ShouldBe(AccessTokenFailure.BadSignature);
        var flipped = (parts[2][10] == 'A' ? 'B' : 'A') + parts[2][11..];
        Validator.Validate($"{parts[0]}.{parts[1]}.{parts[2][..10]}{flipped}").Failure.ShouldBe(AccessTokenFailure.BadSignature);
        foreach (var algorithm in new[] { "none", "HS256", "PS256", "RS512" })
        {
            var header = Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"typ":"JWT","alg":"{{algorithm}}","kid":"{{Key.Id}}"}"""));
            Validator.Validate($"{header}.{parts[1]}.{parts[2]}").Failure.ShouldBe(AccessTokenFailure.BadSignature, algorithm);
            Validator.Validate($"{header}.{parts[1]}.").Failure.ShouldBe(AccessTokenFailure.BadSignature, algorithm);
        }
    }

    [Fact]
    public void Refuses_another_authoritys_key()
    {
        using var stranger = SigningKey.Create(Start);
        Validator.Validate(AccessTokenWriter.Write(Description(), stranger)).Failure.ShouldBe(AccessTokenFailure.BadSignature);
    }

    [Fact]
    public void Follows_the_clock_also_for_remembered_tokens()
    {
        var validator = Validator;
        var token = Write(Description());
        validator.Validate(token).Succeeded.ShouldBeTrue();
        _clock.Now = Start.AddHours(1);
        validator.Validate(token).Failure.ShouldBe(AccessTokenFailure.Expired);
        _clock.Now = Start.AddHours(-1);
        validator.Validate(token).Failure.ShouldBe(AccessTokenFailure.NotYetValid);
    }

    [Fact]
    public void Refuses_a_tenant_that_was_removed_also_for_remembered_tokens()
    {
        var validator = Validator;
        var token = Write(Description());
        validator.Validate(token).Succeeded.ShouldBeTrue();
        _tenants.Known = Guid.NewGuid();
        validator.Validate(token).Failure.ShouldBe(AccessTokenFailure.UnknownTenant);
    }

    [Theory]
    [InlineData("https://sts.windows.net/{0}", "1.0")]
    [InlineData("https://evil.example/{0}/", "1.0")]
    [InlineData("https://localhost:8443/{0}", "2.0")]
    [InlineData("https://localhost:8443/11111111-0000-0000-0000-000000000000/v2.0", "2.0")]
    [InlineData("not an address/{0}/v2.0", "2.0")]
    public void Refuses_other_issuers(string issuer, string version)
    {
        var client = version == "1.0" ? "appid" : "azp";
        var payload = $$"""
            {"aud":"x","iss":"{{string.Format(null, issuer, Tenant)}}","iat":1,"nbf":1,"exp":4102444800,"{{client}}":"{{Guid.NewGuid()}}","oid":"{{Guid.NewGuid()}}","tid":"{{Tenant}}","ver":"{{version}}"}
            """;
        Validator.Validate(Key.Sign(Encoding.UTF8.GetBytes(payload), version1: true)).Failure.ShouldBe(AccessTokenFailure.WrongIssuer);
    }

    [Fact]
    public void Tokens_verify_with_nothing_but_the_published_key()
    {
        var parts = Write(Description()).Split('.');
        using var rsa = RSA.Create(new RSAParameters { Modulus = Key.Modulus, Exponent = Key.Exponent });
        rsa.VerifyData(Encoding.ASCII.GetBytes(parts[0] + "." + parts[1]), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .ShouldBeTrue();
    }

    [Fact]
    public void A_key_survives_export_and_import_with_its_id()
    {
        using var copy = SigningKey.Import(Key.ExportPrivateKey(), Key.Certificate, Key.SignsFrom);
        copy.Id.ShouldBe(Key.Id);
        new AccessTokenValidator(new SigningKeyRing([copy]), _tenants, _clock).Validate(Write(Description())).Succeeded.ShouldBeTrue();
    }

    [Fact]
    public void A_new_key_signs_only_when_its_time_has_come()
    {
        using var next = SigningKey.Create(Start.AddDays(91));
        var ring = new SigningKeyRing([Key, next]);
        ring.Signer(Start.AddDays(90)).ShouldBe(Key);
        ring.Signer(Start.AddDays(91)).ShouldBe(next);
        ring.Find(Key.Id).ShouldBe(Key);
    }

    [Fact]
    public void The_cache_stays_within_its_bound()
    {
        var cache = new VerifiedTokenCache(100);
        var token = Validator.Validate(Write(Description())).Token!;
        for (var i = 0; i < 1000; i++) cache.Add(VerifiedTokenCache.KeyOf($"token {i}"), token);
        cache.Count.ShouldBeLessThanOrEqualTo(100);
        cache.TryGet(VerifiedTokenCache.KeyOf("token 999"), out _).ShouldBeTrue();
        cache.TryGet(VerifiedTokenCache.KeyOf("token 1"), out _).ShouldBeFalse();
    }

    private string Write(AccessTokenDescription description) => AccessTokenWriter.Write(description, Key);

    private static AccessTokenDescription Description() => new()
    {
        TenantId = Tenant,
        ClientId = new Guid("aaaaaaaa-0000-0000-0000-000000000001"),
        ServicePrincipalId = new Guid("bbbbbbbb-0000-0000-0000-000000000001"),
        ClientDisplayName = "Test",
        Proof = ClientProof.Secret,
        Audience = "https://api.securitycenter.microsoft.com",
        Authority = "https://localhost:8443",
        NotBefore = Start.AddMinutes(-5),
        Expires = Start.AddHours(1),
    };


    private sealed class Tenants(Guid known) : ITenantLookup
    {
        public Guid Known { get; set; } = known;

        public bool TenantExists(Guid tenantId) => tenantId == Known;
    }
}
