using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Identity.Directory;
using Vedette.Identity.Resources;
using Vedette.Identity.Tokens;
using Vedette.Server.Tests.Authority;

namespace Vedette.Clients.Tests;

/// <summary>One server on a real https port for all clients, with an application that has a secret and a certificate.</summary>
public sealed class AuthorityFixture : IAsyncLifetime
{
    private AuthorityHost? _host;
    private string _folder = "";
    private string _clientId = "";
    private string _secret = "";
    private const string UserName = "ada@contoso.example";
    private const string Password = "correct horse battery";
    private string _nativeId = "";
    private string _thumbprint = "";
    private string _thumbprintSha256 = "";

    internal AuthorityHost Host => _host!;

    internal string TenantId => Host.Directory.FindTenant(null).Id.ToString();

    internal string ClientId => _clientId;

    internal string Secret => _secret;

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        _folder = System.IO.Directory.CreateTempSubdirectory("vedette-client-").FullName;
        _host = await AuthorityHost.StartAsync();
        (_clientId, _secret) = await _host.AddClientAsync("Alert.Read.All");
        _nativeId = (await _host.Directory.CreateApplicationAsync(new CreateApplicationRequest("Native client") { Native = true })).AppId.ToString();
        await _host.Directory.GrantAsync(new GrantRequest(_nativeId, ["Alert.Read"], "endpoint", Delegated: true));
        await _host.Directory.ConsentAsync(_nativeId);
        await _host.Directory.CreateUserAsync(new CreateUserRequest(UserName, "Ada Lovelace") { Password = Password });
        using var key = RSA.Create(2048);
        var now = DateTimeOffset.UtcNow;
        using var certificate = new CertificateRequest("CN=client", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        await _host.Directory.AddCertificateAsync(_clientId, certificate, "tests");
        _thumbprint = certificate.Thumbprint;
        _thumbprintSha256 = certificate.GetCertHashString(HashAlgorithmName.SHA256);
        await File.WriteAllTextAsync(FileOf("key.pem"), key.ExportPkcs8PrivateKeyPem() + "\n");
        await File.WriteAllTextAsync(FileOf("certificate.pem"), certificate.ExportCertificatePem() + "\n");
        await File.WriteAllTextAsync(FileOf("both.pem"), key.ExportPkcs8PrivateKeyPem() + "\n" + certificate.ExportCertificatePem() + "\n");
        await File.WriteAllBytesAsync(FileOf("client.pfx"), certificate.Export(X509ContentType.Pkcs12));
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        await Host.DisposeAsync();
        System.IO.Directory.Delete(_folder, recursive: true);
    }

    internal ClientSettings WithSecret(string? secret = null) => Settings() with { Secret = secret ?? _secret };

    internal ClientSettings WithCertificate(bool sendX5c) => Settings() with
    {
        Pfx = FileOf("client.pfx"),
        KeyPem = FileOf("key.pem"),
        CertificatePem = FileOf("certificate.pem"),
        BothPem = FileOf("both.pem"),
        Thumbprint = _thumbprint,
        ThumbprintSha256 = _thumbprintSha256,
        SendX5c = sendX5c,
    };

    internal ClientSettings WithUser() => Settings() with { ClientId = _nativeId, Scope = "https://api.securitycenter.microsoft.com/Alert.Read", UserName = UserName, Password = Password };

    /// <summary>Does what a person does who was shown a device's code.</summary>
    internal async Task EnterCodeAsync(string userCode)
    {
        using var browser = new TestBrowser(Host.Http);
        await browser.OpenAsync("/common/oauth2/deviceauth");
        await browser.SubmitAsync(("otc", userCode.Trim()));
        await browser.SubmitAsync(("loginfmt", UserName), ("passwd", Password));
        await browser.SubmitAsync(("answer", "accept"));
        browser.Html.ShouldContain("You may now close this window.");
    }

    internal void ShouldBeAdas(string? token)
    {
        var result = Host.Services.GetRequiredService<AccessTokenValidator>().Validate(token, ResourceCatalogue.EndpointAppId);
        result.Succeeded.ShouldBeTrue(result.Detail);
        result.Token!.UserPrincipalName.ShouldBe(UserName);
        result.Token.Scopes.ShouldBe(["Alert.Read"]);
    }

    internal void ShouldBeGood(string? token, ClientProof proof)
    {
        var result = Host.Services.GetRequiredService<AccessTokenValidator>().Validate(token, ResourceCatalogue.EndpointAppId);
        result.Succeeded.ShouldBeTrue(result.Detail);
        result.Token!.ClientId.ToString().ShouldBe(_clientId);
        result.Token.Roles.ShouldBe(["Alert.Read.All"]);
        JsonWebToken.TryParse(token!, out var jwt).ShouldBeTrue();
        jwt.Claim("appidacr").ShouldBe(((int)proof).ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    private ClientSettings Settings() => new()
    {
        Authority = Host.Https,
        Tenant = TenantId,
        ClientId = _clientId,
        Scope = "https://api.securitycenter.microsoft.com/.default",
    };

    private string FileOf(string name) => Path.Combine(_folder, name);
}
