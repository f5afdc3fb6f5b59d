using System.Net;
using System.Text.Json.Nodes;

namespace Vedette.EndToEnd.Tests;

/// <summary>What a person who was refused can ask: why, what is in this token, what happened, what ends when.</summary>
public sealed class InsightTests
{
    [Fact]
    public async Task Refusals_tokens_and_events_are_explained()
    {
        await using var server = await VedetteProcess.StartAsync(null, "--empty");
        server.KeepData = true;
        var application = (string)(await server.OperateAsync("app.create", new { name = "Reader" }))!["appId"]!;
        await server.OperateAsync("app.grant", new { application = "Reader", permissions = new[] { "Alert.Read.All" }, resource = "endpoint" });
        await server.OperateAsync("app.consent", new { application = "Reader" });
        var secret = (string)(await server.OperateAsync("app.secret", new { application = "Reader", days = 30 }))!["secretText"]!;
        var token = await server.TokenAsync(clientId: application, secret: secret);

        await TokensAreExplainedAsync(server, token);
        await ThePageExplainsThemTooAsync(server, token);

        // A refusal for want of a permission, by the id in the answer.
        var (status, refused) = await server.ApiAsync(HttpMethod.Get, "/api/machines", token);
        status.ShouldBe(403);
        var id = (string)refused!["error"]!["target"]!;
        var why = await server.JsonAsync("why", id);
        ((string)why!["call"]!).ShouldBe("GET /api/machines");
        ((string)why["answer"]!).ShouldBe("403 Forbidden");
        ((string)why["application"]!).ShouldBe($"Reader ({application})");
        Strings(why["needed"]).ShouldBe(["Machine.Read.All", "Machine.ReadWrite.All"]);
        Strings(why["had"]).ShouldBe(["Alert.Read.All"]);
        Strings(why["advice"])[0].ShouldBe($"./vedette app grant {application} Machine.Read.All --resource endpoint");

        // Granted in the meantime: the token is what is old now.
        await server.OperateAsync("app.grant", new { application = "Reader", permissions = new[] { "Machine.Read.All" }, resource = "endpoint" });
        await server.OperateAsync("app.consent", new { application = "Reader" });
        Strings((await server.OperateAsync("why", new { id }))!["advice"]).ShouldHaveSingleItem().ShouldContain("get a new one");
        Strings((await server.OperateAsync("token.inspect", new { token }))!["findings"]).ShouldContain(finding => finding.Contains("Machine.Read.All", StringComparison.Ordinal));

        // Other reasons.
        foreach (var (sent, advice) in new[] { (null, "Send a token"), ("nonsense", "token inspect"), (await server.TokenAsync("https://graph.microsoft.com"), "https://api.securitycenter.microsoft.com/.default") })
        {
            var (_, body) = await server.ApiAsync(HttpMethod.Get, "/api/alerts", sent);
            Strings((await server.OperateAsync("why", new { id = (string)body!["error"]!["target"]! }))!["advice"])[0].ShouldContain(advice);
        }

        // The authority's refusals, by the ids that clients print.
        var (_, failed) = await server.FormAsync(
            $"/{server.TenantId}/oauth2/v2.0/token", ("grant_type", "client_credentials"), ("client_id", application), ("client_secret", "wrong"), ("scope", "https://graph.microsoft.com/.default"));
        foreach (var name in new[] { "trace_id", "correlation_id" })
        {
            var story = await server.OperateAsync("why", new { id = (string)failed![name]! });
            ((string)story!["answer"]!).ShouldBe("401 invalid_client");
            Strings(story["advice"])[0].ShouldContain("not the secret's id");
        }

        var (unknown, _, error) = await server.RunAsync("why", Guid.NewGuid().ToString());
        unknown.ShouldBe(1);
        error.ShouldContain("No refusal has the id");
        (await server.RunAsync("why", "nonsense")).ExitCode.ShouldBe(2);

        await EventsAreListedAsync(server, application, secret);
        await KeysAreListedAndRotatedAsync(server, token);

        // The log outlives the server.
        (await server.InterruptAsync()).ShouldBe(0);
        await using var again = await VedetteProcess.StartAsync(server.Data, "--empty");
        ((string)(await again.JsonAsync("why", id))!["call"]!).ShouldBe("GET /api/machines");
        server.KeepData = false;
    }

    private static async Task TokensAreExplainedAsync(VedetteProcess server, string token)
    {
        var story = await server.JsonAsync("token", "inspect", token);
        ((string)story!["kind"]!).ShouldBe("access token (v1.0)");
        ((bool)story["usable"]!).ShouldBeTrue();
        ((string)story["context"]!).ShouldBe("application");
        ((string)story["resource"]!).ShouldBe("WindowsDefenderATP");
        ((string)story["proof"]!).ShouldBe("a client secret");
        Strings(story["roles"]).ShouldBe(["Alert.Read.All"]);
        story["canCall"]!.AsArray().Select(call => (string)call!["call"]!).ShouldContain("GET /api/alerts");
        var isolate = story["cannotCall"]!.AsArray().Single(call => (string)call!["call"]! == "POST /api/machines/{id}/isolate")!;
        Strings(isolate["missing"]).ShouldBe(["Machine.Isolate"]);

        var parts = token.Split('.');
        foreach (var (text, kind, finding) in new[]
        {
            ("nonsense", "not a token", "not a JSON Web Token"),
            ($"{parts[0]}.{parts[1]}.AAAA", "access token (v1.0)", "signature is wrong"),
        })
        {
            var bad = await server.OperateAsync("token.inspect", new { token = text });
            ((bool)bad!["usable"]!).ShouldBeFalse();
            ((string)bad["kind"]!).ShouldBe(kind);
            Strings(bad["findings"])[0].ShouldContain(finding);
        }
    }

    private static async Task ThePageExplainsThemTooAsync(VedetteProcess server, string token)
    {
        var form = await server.Http.GetStringAsync("/inspect");
        form.ShouldContain("<form method=\"post\" action=\"/inspect\"");
        form.ShouldNotContain("<script");
        using var content = new FormUrlEncodedContent([new("token", "Bearer " + token)]);
        using var answer = await server.Http.PostAsync("/inspect", content);
        var html = await answer.Content.ReadAsStringAsync();
        html.ShouldContain("The token is good.");
        html.ShouldContain("POST /api/machines/{id}/isolate");
        html.ShouldNotContain(token);
        using var large = new StringContent("token=" + new string('x', 1_000_000), System.Text.Encoding.UTF8, "application/x-www-form-urlencoded");
        using var refused = await server.Http.PostAsync("/inspect", large);
        refused.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await refused.Content.ReadAsStringAsync()).ShouldContain("No API takes this token.");
    }

    private static async Task EventsAreListedAsync(VedetteProcess server, string application, string secret)
    {
        var (_, text, _) = await server.RunAsync("audit", "--json", "--top", "1000");
        text.ShouldNotContain(secret);
        text.ShouldNotContain("eyJ");
        var events = JsonNode.Parse(text)!.AsArray().Select(row => ((string)row!["activity"]!, (string)row["actor"]!, (bool)row["succeeded"]!)).ToArray();
        events.ShouldContain(("Add application", "administrator", true));
        events.ShouldContain(("Consent to application", "administrator", true));
        events.ShouldContain(("Issue token", application, true));
        events.ShouldContain(("Issue token", application, false));
        var failed = await server.JsonAsync("audit", "--failed", "--activity", "token", "--since", "1h");
        failed!.AsArray().Count.ShouldBe(1);
        (await server.RunAsync("audit", "--since", "soon")).ExitCode.ShouldBe(2);
    }

    private static async Task KeysAreListedAndRotatedAsync(VedetteProcess server, string token)
    {
        var kinds = (await server.OperateAsync("certificates", new { }))!.AsArray().Select(row => (string)row!["kind"]!).ToArray();
        foreach (var kind in new[] { "certificate authority", "server (localhost)", "token signing key", "application secret" }) kinds.ShouldContain(kind);

        // The new key is published beside the old one, and tokens of both are good.
        var key = (string)(await server.JsonAsync("certificates", "rotate", "--at-once"))!["id"]!;
        var published = JsonNode.Parse(await server.Http.GetStringAsync("/common/discovery/keys"))!["keys"]!.AsArray().Select(entry => (string)entry!["kid"]!).ToArray();
        published.Length.ShouldBe(2);
        published.ShouldContain(key);
        var next = await server.TokenAsync();
        (await server.ApiAsync(HttpMethod.Get, "/api/alerts", next)).Status.ShouldBe(200);
        (await server.ApiAsync(HttpMethod.Get, "/api/alerts", token)).Status.ShouldBe(200);
    }

    private static string[] Strings(JsonNode? array) => [.. array!.AsArray().Select(item => (string)item!)];
}
