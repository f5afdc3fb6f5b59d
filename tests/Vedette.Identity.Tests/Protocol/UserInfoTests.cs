using System.Text.Json;
using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Tests.Protocol;

public sealed class UserInfoTests : IAsyncLifetime
{
    private const string Password = "correct horse battery";
    private TestAuthority _authority = null!;
    private UserInfoEndpoint _endpoint = null!;
    private string _clientId = "";

    public async Task InitializeAsync()
    {
        _authority = await TestAuthority.StartAsync();
        _endpoint = new UserInfoEndpoint(_authority.Validator, _authority.Directory, _authority.Clock);
        _clientId = (await _authority.Directory.CreateApplicationAsync(new CreateApplicationRequest("Console") { Native = true })).AppId.ToString();
        await _authority.Directory.GrantAsync(new GrantRequest(_clientId, ["User.Read"], "graph", Delegated: true));
        await _authority.Directory.GrantAsync(new GrantRequest(_clientId, ["Alert.Read"], "endpoint", Delegated: true));
        await _authority.Directory.ConsentAsync(_clientId);
        await _authority.Directory.CreateUserAsync(new CreateUserRequest("ada", "Ada Lovelace") { Password = Password, GivenName = "Ada", Surname = "Lovelace" });
    }

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    [Fact]
    public async Task It_tells_what_the_id_token_tells()
    {
        var tokens = await TokensAsync("User.Read openid profile email");
        JsonWebToken.TryParse(tokens.Text("id_token"), out var id).ShouldBeTrue();
        var graph = await AskAsync(2, tokens.Text("access_token"));
        graph.Status.ShouldBe(200);
        graph.Text("sub").ShouldBe(id.Claim("sub"));
        graph.Text("name").ShouldBe("Ada Lovelace");
        graph.Text("given_name").ShouldBe("Ada");
        graph.Text("family_name").ShouldBe("Lovelace");
        graph.Text("email").ShouldBe("ada@contoso.example");
        graph.Text("picture").ShouldBe($"{TestAuthority.Base}/v1.0/me/photo/$value");

        var older = await AskAsync(1, (await TokensAsync("https://api.securitycenter.microsoft.com/Alert.Read openid")).Text("access_token"));
        older.Text("sub").ShouldBe(id.Claim("sub"));
        older.Text("upn").ShouldBe("ada@contoso.example");
    }

    [Fact]
    public async Task Other_tokens_are_refused()
    {
        var missing = await AskAsync(2, null);
        missing.Status.ShouldBe(401);
        missing.Body.GetProperty("error").GetProperty("code").GetString().ShouldBe("InvalidAuthenticationToken");
        missing.Body.GetProperty("error").GetProperty("message").GetString().ShouldBe("Access token is empty.");
        (await AskAsync(2, "nonsense")).Status.ShouldBe(401);

        // Another API's token, and one that speaks for no user.
        var endpoint = await TokensAsync("https://api.securitycenter.microsoft.com/Alert.Read");
        (await AskAsync(2, endpoint.Text("access_token"))).Body.GetProperty("error").GetProperty("message").GetString().ShouldBe("Access token validation failure. Invalid audience.");
        var (application, secret) = await _authority.AddClientAsync();
        var appOnly = await _authority.PostAsync(
            2, "contoso.example", ("grant_type", "client_credentials"), ("client_id", application.AppId.ToString()), ("client_secret", secret), ("scope", "https://graph.microsoft.com/.default"));
        (await AskAsync(2, appOnly.Text("access_token"))).Status.ShouldBe(401);
        (await AskAsync(1, null)).Status.ShouldBe(401);
    }

    private async Task<Answer> TokensAsync(string scope)
    {
        var answer = await _authority.PostAsync(
            2, "contoso.example", ("grant_type", "password"), ("client_id", _clientId), ("username", "ada@contoso.example"), ("password", Password), ("scope", scope));
        answer.Status.ShouldBe(200, answer.Body.ToString());
        return answer;
    }

    private async Task<Answer> AskAsync(int version, string? token)
    {
        var answer = await _endpoint.HandleAsync(_authority.Call(version, "contoso.example") with { Method = "GET", Authorization = token is null ? null : $"Bearer {token}" });
        if (answer.Status == 401) answer.Challenge.ShouldStartWith("Bearer ");
        return new Answer(answer.Status, JsonDocument.Parse(answer.Body).RootElement);
    }
}
