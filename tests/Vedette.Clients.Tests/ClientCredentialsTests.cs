using System.Text.Json;
using Vedette.Identity.Tokens;

namespace Vedette.Clients.Tests;

/// <summary>Public client libraries, unmodified and with documented settings only, get tokens in application context over https.</summary>
public sealed class ClientCredentialsTests(AuthorityFixture authority) : IClassFixture<AuthorityFixture>
{
    [Theory]
    [InlineData("dotnet", "msal-net")]
    [InlineData("dotnet", "msal-net-oidc")]
    [InlineData("dotnet", "azure-identity-net")]
    [InlineData("node", "msal-node")]
    [InlineData("node", "azure-identity-js")]
    [InlineData("node", "oauth4webapi-post")]
    [InlineData("node", "oauth4webapi-basic")]
    [InlineData("python", "msal-python")]
    public async Task By_secret(string platform, string client)
    {
        var answer = await ClientProcess.AskAsync(platform, client, authority.WithSecret(), authority.Host.AuthorityFile);
        answer.Error.ShouldBeNull();
        authority.ShouldBeGood(answer.AccessToken, ClientProof.Secret);
    }

    [Theory]
    [InlineData("dotnet", "msal-net", false)]
    [InlineData("dotnet", "msal-net", true)]
    [InlineData("dotnet", "azure-identity-net", false)]
    [InlineData("dotnet", "azure-identity-net", true)]
    [InlineData("node", "msal-node", false)]
    [InlineData("node", "msal-node", true)]
    [InlineData("node", "msal-node-sha1", false)]
    [InlineData("node", "azure-identity-js", false)]
    [InlineData("node", "azure-identity-js", true)]
    [InlineData("node", "oauth4webapi-jwt", false)]
    [InlineData("python", "msal-python", false)]
    [InlineData("python", "msal-python", true)]
    public async Task By_certificate(string platform, string client, bool sendX5c)
    {
        var answer = await ClientProcess.AskAsync(platform, client, authority.WithCertificate(sendX5c), authority.Host.AuthorityFile);
        answer.Error.ShouldBeNull();
        authority.ShouldBeGood(answer.AccessToken, ClientProof.Certificate);
    }

    [Theory]
    [InlineData("dotnet", "msal-net")]
    [InlineData("dotnet", "azure-identity-net")]
    [InlineData("node", "msal-node")]
    [InlineData("node", "azure-identity-js")]
    [InlineData("python", "msal-python")]
    public async Task A_wrong_secret_reaches_the_caller_with_its_number(string platform, string client)
    {
        var answer = await ClientProcess.AskAsync(platform, client, authority.WithSecret("wrong"), authority.Host.AuthorityFile);
        answer.AccessToken.ShouldBeNull();
        answer.Error!.ShouldContain("AADSTS7000215");
    }

    [Fact]
    public async Task Curl_at_the_v2_endpoint() => authority.ShouldBeGood(
        await CurlAsync(
            "-d", "grant_type=client_credentials", "-d", $"client_id={authority.ClientId}", "--data-urlencode", $"client_secret={authority.Secret}",
            "--data-urlencode", "scope=https://api.securitycenter.microsoft.com/.default", $"{authority.Host.Https}/{authority.TenantId}/oauth2/v2.0/token"),
        ClientProof.Secret);

    [Fact]
    public async Task Curl_at_the_v1_endpoint() => authority.ShouldBeGood(
        await CurlAsync(
            "-d", "grant_type=client_credentials", "-d", $"client_id={authority.ClientId}", "--data-urlencode", $"client_secret={authority.Secret}",
            "-d", "resource=https://api.securitycenter.windows.com", $"{authority.Host.Https}/{authority.TenantId}/oauth2/token"),
        ClientProof.Secret);

    [Fact]
    public async Task Curl_with_get_and_a_body() => authority.ShouldBeGood(
        await CurlAsync(
            "-X", "GET", "-d", "grant_type=client_credentials", "-d", $"client_id={authority.ClientId}", "--data-urlencode", $"client_secret={authority.Secret}",
            "-d", "resource=https://securitycenter.onmicrosoft.com/windowsatpservice", $"{authority.Host.Https}/contoso.example//oauth2/token"),
        ClientProof.Secret);

    [Fact]
    public async Task Curl_with_basic_authentication() => authority.ShouldBeGood(
        await CurlAsync(
            "-u", $"{authority.ClientId}:{Uri.EscapeDataString(authority.Secret)}", "-d", "grant_type=client_credentials",
            "-d", "scope=https://api.securitycenter.microsoft.com/.default", $"{authority.Host.Https}/{authority.TenantId}/oauth2/v2.0/token"),
        ClientProof.Secret);

    private async Task<string?> CurlAsync(params string[] arguments)
    {
        var output = await ClientProcess.RunAsync("curl", ["-sS", .. arguments], "", authority.Host.AuthorityFile);
        using var json = JsonDocument.Parse(output);
        return json.RootElement.TryGetProperty("access_token", out var token) ? token.GetString() : throw new InvalidOperationException(output);
    }
}
