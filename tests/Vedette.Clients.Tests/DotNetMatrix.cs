using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Azure.Core;
using Azure.Identity;
using Microsoft.Identity.Client;

namespace Vedette.Clients.Tests;

/// <summary>Every grant of one of the .NET libraries, in a process of its own: a line of JSON for each grant on standard output.</summary>
internal static class DotNetMatrix
{
    // A claims request makes the libraries get a new token instead of the one they remember.
    private const string Fresh = """{"access_token":{"nbf":{"essential":true,"value":"1"}}}""";

    public static async Task RunAsync(string client, MatrixSettings settings)
    {
        foreach (var (grant, act) in client == "msal-net" ? Msal(settings) : AzureIdentity(settings))
        {
            object line;
            try
            {
                line = new { grant, token = await act() };
            }
            catch (Exception exception)
            {
                line = new { grant, error = $"{exception.GetType().Name}: {exception.Message} {exception.InnerException?.Message}" };
            }

            Console.WriteLine(JsonSerializer.Serialize(line));
        }
    }

#pragma warning disable CS0618 // Names and passwords are discouraged, but clients in the field use them.
    private static Dictionary<string, Func<Task<string>>> Msal(MatrixSettings settings)
    {
        string[] scopes = [settings.Scope], userScopes = [settings.UserScope];
        IConfidentialClientApplication Confidential(Func<ConfidentialClientApplicationBuilder, ConfidentialClientApplicationBuilder> proof)
        {
            var builder = proof(ConfidentialClientApplicationBuilder.Create(settings.ClientId));
            return (settings.Authority is { } local ? builder.WithAuthority($"{local}/{settings.Tenant}").WithInstanceDiscovery(false) : builder.WithTenantId(settings.Tenant)).Build();
        }

        IPublicClientApplication Public()
        {
            var builder = PublicClientApplicationBuilder.Create(settings.NativeId).WithRedirectUri("http://localhost");
            return (settings.Authority is { } local ? builder.WithAuthority($"{local}/{settings.Tenant}").WithInstanceDiscovery(false) : builder.WithTenantId(settings.Tenant)).Build();
        }

        Task<AuthenticationResult> ByPassword(IPublicClientApplication client) => client.AcquireTokenByUsernamePassword(userScopes, settings.UserName, settings.Password).ExecuteAsync();
        return new()
        {
            ["secret"] = async () => (await Confidential(builder => builder.WithClientSecret(settings.Secret)).AcquireTokenForClient(scopes).ExecuteAsync()).AccessToken,
            ["certificate"] = async () => (await Confidential(builder => builder.WithCertificate(Certificate(settings), true)).AcquireTokenForClient(scopes).ExecuteAsync()).AccessToken,
            ["code"] = async () => (await Public().AcquireTokenInteractive(userScopes)
                .WithUseEmbeddedWebView(false).WithSystemWebViewOptions(new SystemWebViewOptions { OpenBrowserAsync = uri => Task.Run(() => Show(uri.AbsoluteUri)) })
                .ExecuteAsync()).AccessToken,
            ["device"] = async () => (await Public().AcquireTokenWithDeviceCode(userScopes, code => Task.Run(() => Show($"{code.VerificationUrl}?user_code={code.UserCode}"))).ExecuteAsync()).AccessToken,
            ["password"] = async () => (await ByPassword(Public())).AccessToken,
            ["refresh"] = async () =>
            {
                var client = Public();
                var first = await ByPassword(client);
                return Different(first.AccessToken, (await client.AcquireTokenSilent(userScopes, first.Account).WithForceRefresh(true).ExecuteAsync()).AccessToken);
            },
            ["obo"] = async () => (await Confidential(builder => builder.WithClientSecret(settings.Secret))
                .AcquireTokenOnBehalfOf(userScopes, new UserAssertion(settings.Assertion)).ExecuteAsync()).AccessToken,
        };
    }

    private static Dictionary<string, Func<Task<string>>> AzureIdentity(MatrixSettings settings)
    {
        T Local<T>(T options)
            where T : TokenCredentialOptions
        {
            if (settings.Authority is { } local) options.AuthorityHost = new Uri(local);
            return options;
        }

        var off = settings.Authority is not null;
        async Task<string> Token(TokenCredential credential, string scope, string? claims = null) =>
            (await credential.GetTokenAsync(new TokenRequestContext([scope], claims: claims), CancellationToken.None)).Token;
        UsernamePasswordCredential ByPassword() => new(
            settings.UserName, settings.Password, settings.Tenant, settings.NativeId, Local(new UsernamePasswordCredentialOptions { DisableInstanceDiscovery = off }));
        return new()
        {
            ["secret"] = () => Token(
                new ClientSecretCredential(settings.Tenant, settings.ClientId, settings.Secret, Local(new ClientSecretCredentialOptions { DisableInstanceDiscovery = off })), settings.Scope),
            ["certificate"] = () => Token(
                new ClientCertificateCredential(settings.Tenant, settings.ClientId, Certificate(settings), Local(new ClientCertificateCredentialOptions { DisableInstanceDiscovery = off })), settings.Scope),
            ["code"] = () => Token(
                new InteractiveBrowserCredential(Local(new InteractiveBrowserCredentialOptions { TenantId = settings.Tenant, ClientId = settings.NativeId, DisableInstanceDiscovery = off })), settings.UserScope),
            ["device"] = () => Token(
                new DeviceCodeCredential(Local(new DeviceCodeCredentialOptions
                {
                    TenantId = settings.Tenant,
                    ClientId = settings.NativeId,
                    DisableInstanceDiscovery = off,
                    DeviceCodeCallback = (code, cancelled) => Task.Run(() => Show($"{code.VerificationUri}?user_code={code.UserCode}"), cancelled),
                })),
                settings.UserScope),
            ["password"] = () => Token(ByPassword(), settings.UserScope),
            ["refresh"] = async () =>
            {
                var credential = ByPassword();
                var first = await Token(credential, settings.UserScope);
                return Different(first, await Token(credential, settings.UserScope, Fresh));
            },
            ["obo"] = () => Token(
                new OnBehalfOfCredential(settings.Tenant, settings.ClientId, settings.Secret, settings.Assertion, Local(new OnBehalfOfCredentialOptions { DisableInstanceDiscovery = off })), settings.UserScope),
        };
    }
#pragma warning restore CS0618

    private static X509Certificate2 Certificate(MatrixSettings settings) => X509CertificateLoader.LoadPkcs12FromFile(settings.Pfx, null);

    private static string Different(string first, string second) => first != second ? second : throw new InvalidOperationException("not refreshed");

    private static void Show(string url)
    {
        using var process = Process.Start(Environment.GetEnvironmentVariable("BROWSER")!, [url]);
        process.WaitForExit();
    }
}
