using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vedette.EndToEnd.Tests;

/// <summary>The control API and scenarios of a really started server.</summary>
public sealed class ControlTests
{
    [Fact]
    public async Task A_scenario_and_the_control_api_change_data_clock_faults_and_quotas()
    {
        var folder = VedetteProcess.NewFolder();
        var scenario = Path.Combine(folder, "scenario.yaml");
        await File.WriteAllTextAsync(
            scenario,
            """
            steps:
              - generate: { machines: 30, alerts: 12, evidence: 10 }
              - timing: at-once
              - snapshot: made
              - fault: { route: "GET /api/alerts", status: 429, retryAfter: 1, times: 1 }
              - fault: { route: "POST /*/oauth2/v2.0/token", status: 503, times: 1 }
            """);
        await using var server = await VedetteProcess.StartAsync(folder, "--empty", "--control", "--scenario", scenario);

        // Faults: each once, on the token endpoint and on the API, with the surface's own text.
        var (status, body) = await server.FormAsync($"/{server.TenantId}/oauth2/v2.0/token", ("grant_type", "client_credentials"));
        status.ShouldBe(503);
        ((string)body!["error"]!).ShouldBe("temporarily_unavailable");
        var token = await server.TokenAsync();
        (status, body) = await server.ApiAsync(HttpMethod.Get, "/api/alerts", token);
        status.ShouldBe(429);
        ((string)body!["error"]!["message"]!).ShouldStartWith("API calls quota exceeded!");
        (await CountAsync(server, token, "/api/alerts")).ShouldBe(12);
        (await CountAsync(server, token, "/api/machines")).ShouldBe(30);

        // Data: changed, emptied, restored; telemetry follows.
        (await ControlAsync(server, HttpMethod.Post, "reset", new { })).Status.ShouldBe(200);
        (await CountAsync(server, token, "/api/alerts")).ShouldBe(0);
        (await RowsAsync(server, token, "DeviceInfo")).ShouldBe(0);
        (await ControlAsync(server, HttpMethod.Post, "snapshots/made/restore")).Status.ShouldBe(200);
        (await CountAsync(server, token, "/api/alerts")).ShouldBe(12);
        (await RowsAsync(server, token, "DeviceInfo")).ShouldBeGreaterThanOrEqualTo(30);
        (await ControlAsync(server, HttpMethod.Post, "snapshots/other/restore")).Status.ShouldBe(404);

        // Clock: two hours later the token has expired.
        (await ControlAsync(server, HttpMethod.Put, "clock", new { advance = "PT2H", frozen = true })).Status.ShouldBe(200);
        (await server.ApiAsync(HttpMethod.Get, "/api/alerts", token)).Status.ShouldBe(401);
        (await ControlAsync(server, HttpMethod.Put, "clock", new { reset = true })).Status.ShouldBe(200);
        (await server.ApiAsync(HttpMethod.Get, "/api/alerts", token)).Status.ShouldBe(200);

        // Quotas: a hundredth of 100 calls a minute is one.
        (await ControlAsync(server, HttpMethod.Put, "quotas", new { scale = 0.01 })).Status.ShouldBe(200);
        (await server.ApiAsync(HttpMethod.Get, "/api/machines", token)).Status.ShouldBe(200);
        (status, body) = await server.ApiAsync(HttpMethod.Get, "/api/machines", token);
        status.ShouldBe(429);
        ((string)body!["error"]!["message"]!).ShouldContain("Maximum allowed 1 per 00:01:00");
        (await ControlAsync(server, HttpMethod.Put, "quotas", new { mode = "Off", scale = 1 })).Status.ShouldBe(200);

        // The journal knows what the refused call needed and had, and the report which permissions were never used.
        var refused = (await ControlAsync(server, HttpMethod.Get, "requests?status=401")).Body!["requests"]!.AsArray().Single()!;
        ((string)refused["call"]!).ShouldBe("GET /api/alerts");
        var report = (await ControlAsync(server, HttpMethod.Get, $"permissions?client={server.ClientId}")).Body!["applications"]![0]!;
        report["used"]!.AsArray().Select(use => (string)use!["permission"]!).ShouldContain("Alert.Read.All");
        report["neverUsed"]!.AsArray().Select(use => (string)use!["permission"]!).ShouldContain("Machine.Isolate");

        // The same operations as commands.
        (await server.JsonAsync("control", "snapshot", "list"))!["snapshots"]!.AsArray().Count.ShouldBe(1);
        (await server.JsonAsync("control", "faults", "list"))!["faults"]!.AsArray().Count.ShouldBe(2);
    }

    [Fact]
    public async Task The_control_api_is_off_by_default_and_needs_its_key()
    {
        await using (var server = await VedetteProcess.StartAsync(null, "--empty"))
        {
            server.Ready.ContainsKey("controlKey").ShouldBeFalse();
            (await server.ApiAsync(HttpMethod.Get, "/control/clock", "anything")).Status.ShouldBe(404);
        }

        await using (var server = await VedetteProcess.StartAsync(null, "--empty", "--control"))
        {
            (await server.ApiAsync(HttpMethod.Get, "/control/clock", null)).Status.ShouldBe(401);
            (await server.ApiAsync(HttpMethod.Get, "/control/clock", await server.TokenAsync())).Status.ShouldBe(401);
            (await ControlAsync(server, HttpMethod.Get, "clock")).Status.ShouldBe(200);
            (await ControlAsync(server, HttpMethod.Get, "nothing")).Status.ShouldBe(404);
            (await ControlAsync(server, HttpMethod.Post, "clock", new { })).Status.ShouldBe(405);
            var (status, body) = await ControlAsync(server, HttpMethod.Put, "clock", new { tomorrow = true });
            status.ShouldBe(400);
            ((string)body!["error"]!["message"]!).ShouldContain("'tomorrow'");
            (await ControlAsync(server, HttpMethod.Post, "generate", new { machines = -1 })).Status.ShouldBe(400);
        }
    }

    [Theory]
    [InlineData("steps:\n  - frobnicate: {}\n", "(2): there is no step 'frobnicate'")]
    [InlineData("steps:\n  - seed\n  - clock: { tomorrow: 1 }\n", "(3): clock: clock.set does not know 'tomorrow'")]
    [InlineData("- seed\n", "'steps'")]
    public async Task A_wrong_scenario_is_refused_by_its_line_before_anything_runs(string text, string message)
    {
        var folder = VedetteProcess.NewFolder();
        var scenario = Path.Combine(folder, "scenario.yaml");
        await File.WriteAllTextAsync(scenario, text);
        var (code, output, error) = await VedetteProcess.CommandAsync("up", "--json", "--empty", "--data", Path.Combine(folder, "data"), "--https", "0", "--http", "0", "--scenario", scenario);
        code.ShouldBe(2);
        output.ShouldBeEmpty();
        error.ShouldContain(message);
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<int> CountAsync(VedetteProcess server, string token, string path) =>
        (await server.ApiAsync(HttpMethod.Get, path, token)).Body!["value"]!.AsArray().Count;

    private static async Task<int> RowsAsync(VedetteProcess server, string token, string table)
    {
        var (_, body) = await server.ApiAsync(HttpMethod.Post, "/api/advancedqueries/run", token, new { Query = $"{table} | count" });
        return (int)body!["Results"]![0]!["Count"]!;
    }

    private static async Task<(int Status, JsonNode? Body)> ControlAsync(VedetteProcess server, HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, $"/control/{path}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (string)server.Ready["controlKey"]!);
        if (body is not null) request.Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        using var response = await server.Http.SendAsync(request);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync()));
    }
}
