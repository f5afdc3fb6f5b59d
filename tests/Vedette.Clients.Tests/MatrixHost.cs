using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.Resources;
using Vedette.Server.Hosting;

namespace Vedette.Clients.Tests;

/// <summary>
/// The server's side of the matrix, in a process of its own so that it can stand in a network namespace of its own: opens the whole server as
/// <c>vedette up --hosts</c> does, registers two applications for each client, prints one line, and serves until standard input ends.
/// </summary>
internal static class MatrixHost
{
    public static readonly string[] Clients =
        ["MSAL.NET", "Azure.Identity", "msal-node", "@azure/identity", "python3-msal", "python3-azure", "oauth4webapi", "curl"];

    /// <summary>The application in a page; its id is in <see cref="MatrixSettings.NativeId"/>.</summary>
    public const string SinglePage = "@azure/msal-browser";

    /// <summary>An administrator's script.</summary>
    public const string Administrator = "administrator";

    private const string User = "ada";
    private const string Password = "correct horse battery";

    public static async Task RunAsync(string folder)
    {
        var options = new ServerOptions { Data = Path.Combine(folder, "data"), HttpsPort = 8443, HttpPort = 8080, Hosts = true, Empty = true };
        await using var house = await House.OpenAsync(options, CancellationToken.None);
        var settings = await RegisterAsync(house, folder);
        await house.ListenAsync(CancellationToken.None);
        Console.Out.WriteLine(JsonSerializer.Serialize(settings, ClientSettings.Json));
        await Console.Out.FlushAsync();
        await Console.In.ReadToEndAsync();
    }

    private static async Task<Dictionary<string, MatrixSettings>> RegisterAsync(House house, string folder)
    {
        var directory = house.Services.GetRequiredService<DirectoryService>();
        var user = await directory.CreateUserAsync(new CreateUserRequest(User, "Ada Lovelace") { Password = Password, DirectoryRoles = [DirectoryRole.SecurityReader.TemplateId] });
        using var key = RSA.Create(2048);
        var now = DateTimeOffset.UtcNow;
        using var certificate = new CertificateRequest("CN=client", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        string FileOf(string name) => Path.Combine(folder, name);
        await File.WriteAllTextAsync(FileOf("key.pem"), key.ExportPkcs8PrivateKeyPem() + "\n");
        await File.WriteAllTextAsync(FileOf("certificate.pem"), certificate.ExportCertificatePem() + "\n");
        await File.WriteAllTextAsync(FileOf("both.pem"), key.ExportPkcs8PrivateKeyPem() + "\n" + certificate.ExportCertificatePem() + "\n");
        await File.WriteAllBytesAsync(FileOf("client.pfx"), certificate.Export(X509ContentType.Pkcs12));

        var all = new Dictionary<string, MatrixSettings>();
        foreach (var client in Clients)
        {
            var scope = new Permission(Guid.NewGuid(), "access_as_user", "Act for you", PermissionKind.Scope, Derived: false);
            var appId = Guid.NewGuid();
            var web = appId.ToString();
            await directory.CreateApplicationAsync(new CreateApplicationRequest($"{client} web") { AppId = appId, IdentifierUris = [$"api://{web}"], Scopes = [scope] });
            await directory.GrantAsync(new GrantRequest(web, ["Alert.Read.All"], "endpoint"));
            await directory.GrantAsync(new GrantRequest(web, ["Alert.Read"], "endpoint", Delegated: true));
            await directory.ConsentAsync(web);
            await directory.AddCertificateAsync(web, certificate, "tests");
            var secret = (await directory.AddSecretAsync(web)).SecretText;
            var native = (await directory.CreateApplicationAsync(new CreateApplicationRequest($"{client} native") { Native = true, RedirectUris = ["http://localhost"] })).AppId.ToString();
            await directory.GrantAsync(new GrantRequest(native, ["Alert.Read"], "endpoint", Delegated: true));
            await directory.GrantAsync(new GrantRequest(native, ["access_as_user"], web, Delegated: true));
            await directory.ConsentAsync(native);
            all[client] = new MatrixSettings
            {
                Tenant = house.Demo.TenantId.ToString(),
                ClientId = web,
                Secret = secret,
                NativeId = native,
                Scope = "https://api.securitycenter.microsoft.com/.default",
                UserScope = "https://api.securitycenter.microsoft.com/Alert.Read",
                UserName = user.UserPrincipalName,
                Password = Password,
                Assertion = await AssertionAsync(house, user.UserPrincipalName, native, web),
                Pfx = FileOf("client.pfx"),
                KeyPem = FileOf("key.pem"),
                CertificatePem = FileOf("certificate.pem"),
                BothPem = FileOf("both.pem"),
                Thumbprint = certificate.Thumbprint,
                ThumbprintSha256 = certificate.GetCertHashString(HashAlgorithmName.SHA256),
            };
        }

        var page = (await directory.CreateApplicationAsync(new CreateApplicationRequest("A page") { SinglePageRedirectUris = ["http://localhost:5173/redirect"] })).AppId.ToString();
        await directory.GrantAsync(new GrantRequest(page, ["Alert.Read"], "endpoint", Delegated: true));
        await directory.ConsentAsync(page);
        all[SinglePage] = all[Clients[0]] with { NativeId = page };
        var admin = (await directory.CreateApplicationAsync(new CreateApplicationRequest("A script"))).AppId.ToString();
        await directory.GrantAsync(new GrantRequest(admin, ["Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Directory.Read.All"], "graph"));
        await directory.ConsentAsync(admin);
        all[Administrator] = all[Clients[0]] with { ClientId = admin, Secret = (await directory.AddSecretAsync(admin)).SecretText };
        return all;
    }

    private static async Task<string> AssertionAsync(House house, string user, string native, string web)
    {
        var answer = await house.Services.GetRequiredService<TokenEndpoint>().HandleAsync(new AuthorityCall
        {
            Authority = "https://localhost:8443",
            TenantSegment = house.Demo.TenantId.ToString(),
            Version = 2,
            Method = "POST",
            TraceId = Guid.NewGuid(),
            CorrelationId = Guid.NewGuid(),
            Form = new Dictionary<string, string>
            {
                ["grant_type"] = "password", ["client_id"] = native, ["username"] = user, ["password"] = Password, ["scope"] = $"api://{web}/access_as_user",
            },
        });
        using var body = JsonDocument.Parse(answer.Body);
        return body.RootElement.GetProperty("access_token").GetString() ?? throw new InvalidOperationException(body.RootElement.ToString());
    }
}
