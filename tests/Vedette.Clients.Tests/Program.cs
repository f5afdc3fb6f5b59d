using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Azure.Core;
using Azure.Identity;
using Microsoft.Identity.Client;
using Vedette.Clients.Tests;

if (args[0] == "matrix-host")
{
    await MatrixHost.RunAsync(args[1]);
    return 0;
}

if (args[0] == "matrix")
{
    await DotNetMatrix.RunAsync(args[1], JsonSerializer.Deserialize<MatrixSettings>(await Console.In.ReadToEndAsync(), ClientSettings.Json)!);
    return 0;
}

if (args[0] == "get")
{
    // Whether this platform trusts an address by itself.
    using var http = new HttpClient();
    try
    {
        Console.WriteLine((int)(await http.GetAsync(new Uri(args[1]))).StatusCode);
    }
    catch (HttpRequestException exception)
    {
        Console.WriteLine(exception.HttpRequestError);
    }

    return 0;
}

// Gets a token with one of the .NET libraries: settings as JSON on standard input, the answer as JSON on standard output.
var settings = JsonSerializer.Deserialize<ClientSettings>(await Console.In.ReadToEndAsync(), ClientSettings.Json)!;
ClientAnswer answer;
try
{
    answer = new ClientAnswer(args[0] switch
    {
        "msal-net" => await MsalAsync(builder => builder.WithAuthority($"{settings.Authority}/{settings.Tenant}").WithInstanceDiscovery(false)),
        "msal-net-oidc" => await MsalAsync(builder => builder.WithOidcAuthority($"{settings.Authority}/{settings.Tenant}/v2.0")),
        "azure-identity-net" => await AzureIdentityAsync(),
        "msal-net-password" => await PasswordAsync(),
        "msal-net-device" => await DeviceAsync(),
        _ => throw new ArgumentException($"No client named {args[0]}."),
    }, null);
}
catch (Exception exception) when (exception is MsalException or AuthenticationFailedException)
{
    // Azure.Identity leaves the authority's text to the exception inside its own.
    answer = new ClientAnswer(null, $"{exception.Message} {exception.InnerException?.Message}");
}

Console.WriteLine(JsonSerializer.Serialize(answer, ClientSettings.Json));
return 0;

async Task<string> MsalAsync(Func<ConfidentialClientApplicationBuilder, ConfidentialClientApplicationBuilder> authority)
{
    var builder = authority(ConfidentialClientApplicationBuilder.Create(settings.ClientId));
    builder = settings.Pfx is null ? builder.WithClientSecret(settings.Secret) : builder.WithCertificate(Certificate(), settings.SendX5c);
    return (await builder.Build().AcquireTokenForClient([settings.Scope]).ExecuteAsync()).AccessToken;
}

async Task<string> AzureIdentityAsync()
{
    var host = new Uri(settings.Authority);
    TokenCredential credential = settings.Pfx is null
        ? new ClientSecretCredential(settings.Tenant, settings.ClientId, settings.Secret, new ClientSecretCredentialOptions { AuthorityHost = host, DisableInstanceDiscovery = true })
        : new ClientCertificateCredential(
            settings.Tenant, settings.ClientId, Certificate(),
            new ClientCertificateCredentialOptions { AuthorityHost = host, DisableInstanceDiscovery = true, SendCertificateChain = settings.SendX5c });
    return (await credential.GetTokenAsync(new TokenRequestContext([settings.Scope]), CancellationToken.None)).Token;
}

IPublicClientApplication PublicClient() =>
    PublicClientApplicationBuilder.Create(settings.ClientId).WithAuthority($"{settings.Authority}/{settings.Tenant}").WithInstanceDiscovery(false).Build();

async Task<string> PasswordAsync()
{
    var client = PublicClient();
#pragma warning disable CS0618 // The grant is discouraged, but it is what the documentation's sample for native applications uses.
    var first = await client.AcquireTokenByUsernamePassword([settings.Scope], settings.UserName, settings.Password).ExecuteAsync();
#pragma warning restore CS0618
    return await RefreshAsync(client, first);
}

async Task<string> DeviceAsync()
{
    var client = PublicClient();
    var first = await client.AcquireTokenWithDeviceCode([settings.Scope], code =>
    {
        Console.WriteLine(code.UserCode);
        return Task.CompletedTask;
    }).ExecuteAsync();
    return await RefreshAsync(client, first);
}

// The library found its account in the answer, and its refresh token is good.
async Task<string> RefreshAsync(IPublicClientApplication client, AuthenticationResult first)
{
    var second = await client.AcquireTokenSilent([settings.Scope], first.Account).WithForceRefresh(true).ExecuteAsync();
    return second.AccessToken != first.AccessToken ? second.AccessToken : throw new InvalidOperationException("The token was not refreshed.");
}

X509Certificate2 Certificate() => X509CertificateLoader.LoadPkcs12FromFile(settings.Pfx!, null);
