using Vedette.Server.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Vedette.Server.Tests.Endpoint;

public sealed class RefusalTests : IAsyncLifetime
{
    private EndpointHost _host = null!;

    public async Task InitializeAsync() => _host = await EndpointHost.StartAsync();

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Answers_an_unknown_route_with_404_and_no_body()
    {
        var answer = await _host.GetAsync("/api/nothing", "Alert.Read.All");
        (answer.Status, answer.Body, answer.ContentType).ShouldBe((404, "", null));
        (await _host.GetAsync("/api/ips/10.0.0.1/machines", "Machine.Read.All")).Body.ShouldBe("");
    }

    [Fact]
    public async Task Answers_another_verb_with_405_and_the_allowed_ones()
    {
        using var response = await _host.Client.DeleteAsync("/api/alerts/1");
        ((int)response.StatusCode).ShouldBe(405);
        response.Content.Headers.Allow.ShouldContain("GET");
        (await response.Content.ReadAsStringAsync()).ShouldBe("");
    }

    [Fact]
    public async Task Refuses_a_missing_token_with_a_challenge()
    {
        var answer = await _host.SendAsync(HttpMethod.Get, "/api/alerts");
        answer.ShouldFail(401, "Unauthorized", "Unauthorized (invalid or expired authorization header).");
        answer.ContentType.ShouldBe("application/json; charset=utf-8");
        answer.Headers.Contains("OData-Version").ShouldBeFalse();
        answer.Headers.WwwAuthenticate.ToString().ShouldBe($"Bearer realm=\"\", authorization_uri=\"{_host.Client.BaseAddress}common/oauth2/authorize\"");
    }

    [Fact]
    public async Task Refuses_an_expired_and_a_forged_token_and_says_why_in_the_challenge()
    {
        var expired = EndpointHost.Write(d => d with { Roles = ["Alert.Read.All"], NotBefore = DateTimeOffset.UtcNow.AddHours(-2), Expires = DateTimeOffset.UtcNow.AddHours(-1) });
        var answer = await _host.SendAsync(HttpMethod.Get, "/api/alerts", token: expired);
        answer.Status.ShouldBe(401);
        answer.Headers.WwwAuthenticate.ToString().ShouldContain("error=\"invalid_token\", error_description=\"The token expired at ");

        var forged = EndpointHost.Token("Alert.Read.All")[..^4] + "AAAA";
        answer = await _host.SendAsync(HttpMethod.Get, "/api/alerts", token: forged);
        answer.Status.ShouldBe(401);
        answer.Headers.WwwAuthenticate.ToString().ShouldContain("The token's signature is invalid.");
        (await _host.SendAsync(HttpMethod.Get, "/api/alerts", token: "rubbish")).Status.ShouldBe(401);
    }

    [Fact]
    public async Task Refuses_a_token_of_another_api_with_403()
    {
        var answer = await _host.SendAsync(HttpMethod.Get, "/api/alerts", token: EndpointHost.TokenFor("https://graph.microsoft.com", "Alert.Read.All"));
        answer.ShouldFail(403, "Forbidden", "The audience of the token, 'https://graph.microsoft.com', does not match the resource that this API expects: 'https://api.securitycenter.microsoft.com'.");
    }

    [Fact]
    public async Task Names_the_roles_that_are_missing()
    {
        (await _host.GetAsync("/api/alerts", "Machine.Read.All", "File.Read.All")).ShouldFail(
            403, "Forbidden", "Missing application roles. API required roles: Alert.Read.All,Alert.ReadWrite.All, application roles: File.Read.All,Machine.Read.All.");
        (await _host.GetAsync("/api/alerts")).ShouldFail(
            403, "Forbidden", "Missing application roles. API required roles: Alert.Read.All,Alert.ReadWrite.All, application roles: .");
    }

    [Fact]
    public async Task Takes_delegated_scopes_in_user_context()
    {
        var user = new Vedette.Identity.Tokens.TokenUser(Guid.NewGuid(), "ada@contoso.example", "Ada", null, null, ["pwd"], null);
        var allowed = EndpointHost.Write(d => d with { User = user, Scopes = ["Alert.Read"] });
        (await _host.SendAsync(HttpMethod.Get, "/api/alerts", token: allowed)).Status.ShouldBe(200);
        var other = EndpointHost.Write(d => d with { User = user, Scopes = ["Machine.Read"] });
        (await _host.SendAsync(HttpMethod.Get, "/api/alerts", token: other)).ShouldFail(
            403, "Forbidden", "Missing application scopes. API required scopes: Alert.Read,Alert.ReadWrite, application scopes: Machine.Read.");
    }

    [Fact]
    public async Task Remembers_each_refusal_under_the_id_of_its_answer()
    {
        var answer = await _host.GetAsync("/api/alerts", "File.Read.All");
        var id = answer.Json.GetProperty("error").GetProperty("target").GetGuid();
        var refusal = _host.Services.GetRequiredService<RefusalLog>().Find(id).ShouldNotBeNull();
        refusal.Call.ShouldBe("GET /api/alerts");
        refusal.Explanation.ShouldBe("needed one of Alert.Read.All,Alert.ReadWrite.All, had File.Read.All");
        refusal.ApplicationId.ShouldBe(EndpointHost.Application);
    }

    [Fact]
    public async Task Answers_an_unknown_system_option_with_the_raw_error_of_the_odata_layer()
    {
        var answer = await _host.GetAsync("/api/machineactions?$stop=10", "Machine.Read.All");
        answer.Status.ShouldBe(400);
        answer.Body.ShouldBe("""{"error":{"code":"","message":"The query specified in the URI is not valid. Custom query option '$stop' that starts with '$' is not supported.","details":[]}}""");
    }

    [Fact]
    public async Task Refuses_more_calls_than_the_quota_in_the_words_of_the_service()
    {
        for (var i = 0; i < 100; i++) (await _host.GetAsync("/api/alerts?$top=1", "Alert.Read.All")).Status.ShouldBe(200);
        var answer = await _host.GetAsync("/api/alerts?$top=1", "Alert.Read.All");
        answer.Status.ShouldBe(429);
        answer.Code.ShouldBe("429");
        var wait = answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds;
        wait.ShouldBeInRange(1, 60);
        answer.Message.ShouldBe($"API calls quota exceeded! Maximum allowed 100 per 00:01:00 for the key Destination+TenantID+AppID. You can send requests again in {wait} seconds.");
        answer.Message!.Split(' ')[^2].ShouldBe($"{wait}");
        answer.Body.ShouldContain("for the key Destination+TenantID+AppID. You", customMessage: "the text must come unescaped: clients search it");
        (await _host.GetAsync("/api/machines?$top=1", "Machine.Read.All")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Counts_nothing_when_quotas_are_off()
    {
        await using var host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off);
        for (var i = 0; i < 110; i++) (await host.GetAsync("/api/alerts?$top=1", "Alert.Read.All")).Status.ShouldBe(200);
    }
}
