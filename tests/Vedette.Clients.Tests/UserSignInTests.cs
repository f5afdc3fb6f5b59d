namespace Vedette.Clients.Tests;

/// <summary>Public client libraries sign a user in, find the account in the answer, and renew the token.</summary>
public sealed class UserSignInTests(AuthorityFixture authority) : IClassFixture<AuthorityFixture>
{
    [Theory]
    [InlineData("dotnet", "msal-net-password")]
    [InlineData("node", "msal-node-password")]
    public async Task By_password(string platform, string client)
    {
        var answer = await ClientProcess.AskAsync(platform, client, authority.WithUser(), authority.Host.AuthorityFile);
        answer.Error.ShouldBeNull();
        authority.ShouldBeAdas(answer.AccessToken);
    }

    [Theory]
    [InlineData("dotnet", "msal-net-device")]
    [InlineData("node", "msal-node-device")]
    [InlineData("python", "msal-python-device")]
    public async Task By_device_code(string platform, string client)
    {
        var answer = await ClientProcess.AskAsync(platform, client, authority.WithUser(), authority.Host.AuthorityFile, authority.EnterCodeAsync);
        answer.Error.ShouldBeNull();
        authority.ShouldBeAdas(answer.AccessToken);
    }
}
