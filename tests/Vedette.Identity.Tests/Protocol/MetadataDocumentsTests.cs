using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Vedette.Identity.Protocol;

namespace Vedette.Identity.Tests.Protocol;

public sealed class MetadataDocumentsTests : IAsyncLifetime
{
    private const string Base = TestAuthority.Base;
    private TestAuthority _authority = null!;

    private Guid Tenant => _authority.Tenant.Id;

    public async Task InitializeAsync() => _authority = await TestAuthority.StartAsync();

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    [Theory]
    [InlineData("")]
    [InlineData("contoso.example")]
    public void The_v2_configuration_names_the_tenant_by_its_id(string segment)
    {
        var document = Read(_authority.Documents.OpenIdConfiguration(Call(2, segment)));
        document.Status.ShouldBe(200);
        document.Text("issuer").ShouldBe($"{Base}/{Tenant}/v2.0");
        document.Text("authorization_endpoint").ShouldBe($"{Base}/{Tenant}/oauth2/v2.0/authorize");
        document.Text("token_endpoint").ShouldBe($"{Base}/{Tenant}/oauth2/v2.0/token");
        document.Text("device_authorization_endpoint").ShouldBe($"{Base}/{Tenant}/oauth2/v2.0/devicecode");
        document.Text("end_session_endpoint").ShouldBe($"{Base}/{Tenant}/oauth2/v2.0/logout");
        document.Text("jwks_uri").ShouldBe($"{Base}/{Tenant}/discovery/v2.0/keys");
        document.Text("userinfo_endpoint").ShouldBe($"{TestAuthority.Base}/oidc/userinfo");
        Strings(document, "scopes_supported").ShouldBe(["openid", "profile", "email", "offline_access"]);
        Strings(document, "response_types_supported").ShouldBe(["code", "id_token", "code id_token", "id_token token"]);
        Strings(document, "response_modes_supported").ShouldBe(["query", "fragment", "form_post"]);
        Strings(document, "token_endpoint_auth_methods_supported").ShouldBe(["client_secret_post", "private_key_jwt", "client_secret_basic"]);
        Strings(document, "subject_types_supported").ShouldBe(["pairwise"]);
        Strings(document, "id_token_signing_alg_values_supported").ShouldBe(["RS256"]);
        document.Body.GetProperty("request_uri_parameter_supported").GetBoolean().ShouldBeFalse();
        document.Body.GetProperty("http_logout_supported").GetBoolean().ShouldBeTrue();
        document.Body.GetProperty("frontchannel_logout_supported").GetBoolean().ShouldBeTrue();
        foreach (var name in new[] { "tenant_region_scope", "cloud_instance_name", "cloud_graph_host_name", "msgraph_host", "rbac_url", "kerberos_endpoint" })
            document.Text(name).ShouldNotBeEmpty();
    }

    [Fact]
    public void The_v1_configuration()
    {
        var document = Read(_authority.Documents.OpenIdConfiguration(Call(1, "")));
        document.Text("issuer").ShouldBe($"https://sts.windows.net/{Tenant}/");
        document.Text("authorization_endpoint").ShouldBe($"{Base}/{Tenant}/oauth2/authorize");
        document.Text("token_endpoint").ShouldBe($"{Base}/{Tenant}/oauth2/token");
        document.Text("device_authorization_endpoint").ShouldBe($"{Base}/{Tenant}/oauth2/devicecode");
        document.Text("end_session_endpoint").ShouldBe($"{Base}/{Tenant}/oauth2/logout");
        document.Text("jwks_uri").ShouldBe($"{Base}/common/discovery/keys");
        document.Text("userinfo_endpoint").ShouldBe($"{Base}/{Tenant}/openid/userinfo");
        Strings(document, "scopes_supported").ShouldBe(["openid"]);
        Strings(document, "response_types_supported").ShouldBe(["code", "id_token", "code id_token", "token id_token", "token"]);
        document.Body.GetProperty("microsoft_multi_refresh_token").GetBoolean().ShouldBeTrue();
        document.Text("check_session_iframe").ShouldNotBeEmpty();
    }

    [Fact]
    public void Aliases_leave_the_tenant_open()
    {
        Read(_authority.Documents.OpenIdConfiguration(Call(2, "common"))).Text("issuer").ShouldBe($"{Base}/{{tenantid}}/v2.0");
        Read(_authority.Documents.OpenIdConfiguration(Call(2, "organizations"))).Text("token_endpoint").ShouldBe($"{Base}/organizations/oauth2/v2.0/token");
        Read(_authority.Documents.OpenIdConfiguration(Call(1, "common"))).Text("issuer").ShouldBe("https://sts.windows.net/{tenantid}/");
        Read(_authority.Documents.OpenIdConfiguration(Call(2, "consumers"))).Text("issuer").ShouldBe($"{Base}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0");
    }

    [Fact]
    public void Unknown_tenants_are_refused_with_the_documents_own_error_word()
    {
        Read(_authority.Documents.OpenIdConfiguration(Call(2, Guid.NewGuid().ToString()))).ShouldRefuse(90002, "invalid_tenant", 400);
        Read(_authority.Documents.KeySet(Call(2, "nowhere.example"))).ShouldRefuse(90002, "invalid_tenant", 400);
        Read(_authority.Documents.OpenIdConfiguration(Call(2, "nonsense"))).ShouldRefuse(900023, "invalid_request", 400);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_key_set_verifies_what_the_authority_signs(int version)
    {
        var key = Read(_authority.Documents.KeySet(Call(version, "common"))).Body.GetProperty("keys").EnumerateArray().Single();
        key.GetProperty("kty").GetString().ShouldBe("RSA");
        key.GetProperty("use").GetString().ShouldBe("sig");
        key.GetProperty("kid").GetString().ShouldBe(key.GetProperty("x5t").GetString());
        using var certificate = X509CertificateLoader.LoadCertificate(Convert.FromBase64String(key.GetProperty("x5c")[0].GetString()!));
        Base64Url.EncodeToString(certificate.GetCertHash()).ShouldBe(key.GetProperty("x5t").GetString());
        using var fromCertificate = certificate.GetRSAPublicKey()!;
        var parameters = fromCertificate.ExportParameters(false);
        Base64Url.EncodeToString(parameters.Modulus).ShouldBe(key.GetProperty("n").GetString());
        Base64Url.EncodeToString(parameters.Exponent).ShouldBe(key.GetProperty("e").GetString());
        key.TryGetProperty("issuer", out var issuer).ShouldBe(version == 2);
        if (version == 2) issuer.GetString().ShouldBe($"{Base}/{{tenantid}}/v2.0");
    }

    [Theory]
    [InlineData("https://localhost:8443/{0}/oauth2/v2.0/authorize", "v2.0/")]
    [InlineData("https://localhost/{0}/oauth2/v2.0/authorize", "v2.0/")]
    [InlineData("https://login.microsoftonline.com/{0}/oauth2/authorize", "")]
    public void Instance_discovery_points_to_the_tenants_document(string endpoint, string version)
    {
        var answer = Read(_authority.Documents.InstanceDiscovery(Call(2, "common"), "1.1", string.Format(null, endpoint, Tenant)));
        answer.Text("tenant_discovery_endpoint").ShouldBe($"{Base}/{Tenant}/{version}.well-known/openid-configuration");
        answer.Text("api-version").ShouldBe("1.1");
        var clouds = answer.Body.GetProperty("metadata").EnumerateArray().ToArray();
        clouds[0].GetProperty("aliases").EnumerateArray().Select(alias => alias.GetString()).ShouldBe(["localhost"]);
        clouds[1].GetProperty("preferred_network").GetString().ShouldBe("login.microsoftonline.com");
        clouds[1].GetProperty("preferred_cache").GetString().ShouldBe("login.windows.net");
    }

    [Fact]
    public void Instance_discovery_refuses_strangers_and_nonsense()
    {
        Read(_authority.Documents.InstanceDiscovery(Call(2, "common"), "1.1", "https://evil.example/common/oauth2/v2.0/authorize")).ShouldRefuse(50049, "invalid_instance", 400);
        Read(_authority.Documents.InstanceDiscovery(Call(2, "common"), "1.1", null)).ShouldRefuse(50050, "invalid_request", 400);
        Read(_authority.Documents.InstanceDiscovery(Call(2, "common"), null, "https://localhost/common/oauth2/authorize")).ShouldRefuse(50050, "invalid_request", 400);
        Read(_authority.Documents.InstanceDiscovery(Call(2, "common"), "1.1", "https://localhost")).ShouldRefuse(50050, "invalid_request", 400);
    }

    [Fact]
    public void User_realm_knows_the_verified_domains()
    {
        var known = Read(_authority.Documents.UserRealm(Call(1, "common"), "ada@Contoso.example"));
        known.Status.ShouldBe(200);
        known.Text("ver").ShouldBe("1.0");
        known.Text("account_type").ShouldBe("Managed");
        known.Text("domain_name").ShouldBe("Contoso.example");
        known.Text("cloud_instance_name").ShouldBe("microsoftonline.com");
        known.Text("cloud_audience_urn").ShouldBe("urn:federation:MicrosoftOnline");
        var unknown = Read(_authority.Documents.UserRealm(Call(1, "common"), "ada@elsewhere.example"));
        unknown.Status.ShouldBe(200);
        unknown.Text("account_type").ShouldBe("Unknown");
    }

    private AuthorityCall Call(int version, string segment) => _authority.Call(version, segment.Length == 0 ? Tenant.ToString() : segment) with { Method = "GET" };

    private static Answer Read(AuthorityAnswer answer) => new(answer.Status, JsonDocument.Parse(answer.Body).RootElement);

    private static IEnumerable<string?> Strings(Answer answer, string name) => answer.Body.GetProperty(name).EnumerateArray().Select(item => item.GetString());
}
