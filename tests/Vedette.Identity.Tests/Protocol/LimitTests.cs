using Vedette.Identity.Directory;
using Vedette.Identity.SignIn;

namespace Vedette.Identity.Tests.Protocol;

/// <summary>What keeps guessing and stolen refresh tokens from getting far.</summary>
public sealed class LimitTests : IAsyncLifetime
{
    private const string Password = "correct horse battery";
    private TestAuthority _authority = null!;
    private string _clientId = "";

    public async Task InitializeAsync()
    {
        _authority = await TestAuthority.StartAsync();
        _clientId = (await _authority.Directory.CreateApplicationAsync(new CreateApplicationRequest("Console") { Native = true })).AppId.ToString();
        await _authority.Directory.GrantAsync(new GrantRequest(_clientId, ["Alert.Read"], "endpoint", Delegated: true));
        await _authority.Directory.ConsentAsync(_clientId);
        await _authority.Directory.CreateUserAsync(new CreateUserRequest("ada", "Ada Lovelace") { Password = Password });
    }

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    [Fact]
    public async Task Too_many_failures_from_one_address_are_throttled_for_a_minute()
    {
        for (var i = 0; i < TestAuthority.Options.FailedSignInsPerMinute; i++) _authority.Limiter.Add("sign-in 192.0.2.1");
        var answer = await _authority.Endpoint.HandleAsync(PasswordCall(Password) with { RemoteAddress = "192.0.2.1" });
        answer.Status.ShouldBe(429);
        answer.RetryAfter!.Value.ShouldBeInRange(1, 60);
        new Answer(answer.Status, System.Text.Json.JsonDocument.Parse(answer.Body).RootElement).ShouldRefuse(90055, "temporarily_unavailable", 429);
        (await _authority.SendAsync(PasswordCall(Password) with { RemoteAddress = "192.0.2.2" })).Status.ShouldBe(200);
        _authority.Clock.Now += TimeSpan.FromSeconds(61);
        (await _authority.SendAsync(PasswordCall(Password) with { RemoteAddress = "192.0.2.1" })).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_client_cannot_begin_device_sign_ins_without_end()
    {
        var call = _authority.Call(2, "contoso.example", ("client_id", _clientId), ("scope", "https://api.securitycenter.microsoft.com/.default"));
        (await _authority.DeviceCodes.HandleAsync(call)).Status.ShouldBe(200);
        for (var i = 0; i < TestAuthority.Options.DeviceCodesPerMinute; i++) _authority.Limiter.Add($"device {_clientId}");
        var refused = await _authority.DeviceCodes.HandleAsync(call);
        refused.Status.ShouldBe(429);
        refused.RetryAfter.ShouldNotBeNull();
    }

    [Fact]
    public async Task Refresh_tokens_stay_good_unless_the_tenant_wants_single_use()
    {
        var first = (await _authority.SendAsync(PasswordCall(Password))).Text("refresh_token");
        (await RefreshAsync(first)).Status.ShouldBe(200);
        (await RefreshAsync(first)).Status.ShouldBe(200);

        await _authority.Settings.SetAsync(_authority.Tenant.Id, new TenantSignInSettings(SingleUseRefreshTokens: true));
        var old = (await _authority.SendAsync(PasswordCall(Password))).Text("refresh_token");
        var next = (await RefreshAsync(old)).Text("refresh_token");
        (await RefreshAsync(old)).ShouldRefuse(70000, "invalid_grant", 400).ShouldContain("used before");

        // Using it twice ended what came of it, too; other sign-ins of the user go on.
        (await RefreshAsync(next)).ShouldRefuse(70000, "invalid_grant", 400);
        (await RefreshAsync(first)).Status.ShouldBe(200);
    }

    private Vedette.Identity.Protocol.AuthorityCall PasswordCall(string password) => _authority.Call(
        2, "contoso.example", ("grant_type", "password"), ("client_id", _clientId), ("username", "ada@contoso.example"), ("password", password),
        ("scope", "https://api.securitycenter.microsoft.com/.default offline_access"));

    private Task<Answer> RefreshAsync(string token) =>
        _authority.PostAsync(2, "contoso.example", ("grant_type", "refresh_token"), ("client_id", _clientId), ("refresh_token", token));
}
