using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Vedette.EndToEnd.Tests;

/// <summary>One server with the demo tenant for the tests of the main job.</summary>
public sealed class DemoServer : IAsyncLifetime
{
    private VedetteProcess? _server;

    public VedetteProcess Server => _server ?? throw new InvalidOperationException("The server has not been started.");

    public async Task InitializeAsync() => _server = await VedetteProcess.StartAsync(null, "--action-timing", "1s");

    public async Task DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
    }
}

/// <summary>The main job, with plain HTTP, against a really started server: token, alerts, isolate, hunt, and what goes wrong.</summary>
public sealed class MainJobTests(DemoServer demo) : IClassFixture<DemoServer>
{
    private readonly VedetteProcess _server = demo.Server;

    [Fact]
    public void Ready_line_holds_what_a_script_needs()
    {
        var ready = _server.Ready;
        ((bool)ready["ready"]!).ShouldBeTrue();
        ((string)ready["https"]!).ShouldStartWith("https://localhost:");
        ((string)ready["http"]!).ShouldStartWith("http://localhost:");
        Guid.TryParse((string)ready["tenantId"]!, out _).ShouldBeTrue();
        Guid.TryParse((string)ready["clientId"]!, out _).ShouldBeTrue();
        ((string)ready["clientSecret"]!).Length.ShouldBeGreaterThan(30);
        File.Exists((string)ready["caCertificate"]!).ShouldBeTrue();
        ((double)ready["startMs"]!).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Tokens_come_from_the_v1_and_the_v2_endpoint()
    {
        var (v1Status, v1) = await _server.FormAsync(
            $"/{_server.TenantId}/oauth2/token",
            ("client_id", _server.ClientId), ("client_secret", _server.ClientSecret), ("grant_type", "client_credentials"),
            ("resource", "https://api.securitycenter.microsoft.com"));
        v1Status.ShouldBe(200, v1?.ToJsonString());
        v1!["expires_in"]!.GetValueKind().ShouldBe(System.Text.Json.JsonValueKind.String);
        ((string)v1["resource"]!).ShouldBe("https://api.securitycenter.microsoft.com");

        var (v2Status, v2) = await _server.FormAsync(
            $"/{_server.TenantId}/oauth2/v2.0/token",
            ("client_id", _server.ClientId), ("client_secret", _server.ClientSecret), ("grant_type", "client_credentials"),
            ("scope", "https://api.securitycenter.microsoft.com/.default"));
        v2Status.ShouldBe(200, v2?.ToJsonString());
        v2!["expires_in"]!.GetValueKind().ShouldBe(System.Text.Json.JsonValueKind.Number);

        foreach (var token in new[] { (string)v1["access_token"]!, (string)v2["access_token"]! })
        {
            (await _server.ApiAsync(HttpMethod.Get, "/api/alerts?$top=1", token)).Status.ShouldBe(200);
        }
    }

    [Fact]
    public async Task Demo_alerts_come_with_machines_and_evidence()
    {
        var token = await _server.TokenAsync();
        var (status, body) = await _server.ApiAsync(HttpMethod.Get, "/api/alerts?$expand=evidence", token);
        status.ShouldBe(200);
        var alerts = (JsonArray)body!["value"]!;
        alerts.Count.ShouldBeGreaterThan(3);

        // Other tests start investigations, whose alerts have nothing to show yet; and some alerts are about people, not machines.
        var raised = alerts.Where(alert => (string)alert!["detectionSource"]! != "AutomatedInvestigation").ToArray();
        raised.ShouldAllBe(alert => ((JsonArray)alert!["evidence"]!).Count > 0);
        var machine = (string)raised.First(alert => alert!["machineId"] is not null)!["machineId"]!;
        (await _server.ApiAsync(HttpMethod.Get, $"/api/v1.0/machines/{machine}", token)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task An_isolated_machine_reaches_Succeeded_and_can_be_released()
    {
        var token = await _server.TokenAsync();
        var machine = await FirstMachineAsync(token);
        foreach (var action in new[] { "isolate", "unisolate" })
        {
            var (status, created) = await _server.ApiAsync(
                HttpMethod.Post, $"/api/machines/{machine}/{action}", token, action == "isolate"
                    ? new { Comment = "Contain it", IsolationType = "Full" }
                    : new { Comment = "Let it go" });
            status.ShouldBe(201, created?.ToJsonString());
            ((string)created!["status"]!).ShouldBe("Pending");
            (await FinalStatusAsync(token, (string)created["id"]!)).ShouldBe("Succeeded");
        }
    }

    [Fact]
    public async Task An_investigation_package_can_be_downloaded()
    {
        var token = await _server.TokenAsync();
        var machine = await FirstMachineAsync(token, skip: 1);
        var (status, created) = await _server.ApiAsync(
            HttpMethod.Post, $"/api/machines/{machine}/collectInvestigationPackage", token, new { Comment = "Look inside" });
        status.ShouldBe(201, created?.ToJsonString());
        var id = (string)created!["id"]!;
        (await _server.ApiAsync(HttpMethod.Get, $"/api/machineactions/{id}/getPackageUri", token)).Status.ShouldBe(404);
        (await FinalStatusAsync(token, id)).ShouldBe("Succeeded");
        var (linkStatus, link) = await _server.ApiAsync(HttpMethod.Get, $"/api/machineactions/{id}/getPackageUri", token);
        linkStatus.ShouldBe(200, link?.ToJsonString());
        var bytes = await _server.Http.GetByteArrayAsync(((string)link!["value"]!).Trim('"'));
        using var archive = new System.IO.Compression.ZipArchive(new MemoryStream(bytes));
        archive.Entries.Count.ShouldBeGreaterThan(3);
        archive.Entries.ShouldContain(entry => entry.Length > 0);
    }

    [Fact]
    public async Task Remediation_that_waits_is_listed_and_approved_by_command()
    {
        // A program that ran on a Windows device, which from now on is blocked, and whose device belongs to a group that asks first. What a trusted publisher signed is never quarantined.
        var token = await _server.TokenAsync();
        var (_, found) = await _server.ApiAsync(HttpMethod.Post, "/api/advancedqueries/run", token, new
        {
            Query = "DeviceProcessEvents | where Timestamp > ago(20h) and isnotempty(SHA1) | where FolderPath startswith 'C:' | join kind=inner (DeviceInfo | where OSPlatform == 'Windows11' | distinct DeviceId) on DeviceId "
                + "| join kind=leftanti (DeviceFileCertificateInfo | where IsTrusted == true) on SHA1 | summarize Devices = dcount(DeviceId), DeviceId = take_any(DeviceId) by SHA1 | top 1 by Devices asc",
        });
        var row = found!["Results"]![0]!;
        var (machine, sha1) = ((string)row["DeviceId"]!, (string)row["SHA1"]!);
        await _server.OperateAsync("devicegroup.create", new { name = "Ask first", automation = "SemiAllFolders" });
        await _server.OperateAsync("devicegroup.move", new { deviceGroup = "Ask first", devices = new[] { machine } });
        (await _server.ApiAsync(HttpMethod.Post, "/api/indicators", token, new { indicatorValue = sha1, indicatorType = "FileSha1", title = "No", description = "No", action = "Block" })).Status.ShouldBe(200);
        var (status, started) = await _server.ApiAsync(HttpMethod.Post, $"/api/machines/{machine}/startInvestigation", token, new { Comment = "Look" });
        status.ShouldBe(201, started?.ToJsonString());
        var id = (string)started!["id"]!;
        (await StateAsync("PendingApproval")).ShouldBe("PendingApproval");
        (await _server.JsonAsync("investigations", "list", "--waiting"))!.AsArray().Select(item => item!["id"]!.ToString()).ShouldContain(id);
        var (code, text, _) = await _server.RunAsync("investigation", "show", id);
        code.ShouldBe(0);
        text.ShouldContain(sha1);
        ((string)(await _server.JsonAsync("investigation", "approve", id))!["decision"]!).ShouldBe("Approved");
        (await StateAsync("SuccessfullyRemediated")).ShouldBe("SuccessfullyRemediated");
        (code, _, var error) = await _server.RunAsync("investigation", "reject", id);
        code.ShouldBe(1);
        error.ShouldContain("does not wait for approval");

        async Task<string> StateAsync(string wanted)
        {
            var state = "";
            for (var look = 0; look < 120 && state != wanted; look++)
            {
                if (look > 0) await Task.Delay(250);
                state = (string)(await _server.OperateAsync("investigation.show", new { id = long.Parse(id, null) }))!["investigation"]!["state"]!;
            }

            return state;
        }
    }

    [Theory]
    [InlineData("/api/advancedqueries/run", "https://api.securitycenter.microsoft.com")]
    [InlineData("/api/advancedhunting/run", "https://api.security.microsoft.com")]
    public async Task Hunting_answers_schema_and_results(string path, string resource)
    {
        var token = await _server.TokenAsync(resource);
        var (status, body) = await _server.ApiAsync(
            HttpMethod.Post, path, token,
            new { Query = "DeviceProcessEvents | where Timestamp > ago(30d) | summarize Events = count() by DeviceName | top 3 by Events" });
        status.ShouldBe(200, body?.ToJsonString());
        ((JsonArray)body!["Schema"]!).Select(column => (string)column!["Name"]!).ShouldBe(["DeviceName", "Events"]);
        ((JsonArray)body["Results"]!).Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_wrong_secret_is_refused_with_the_code_that_scripts_look_for()
    {
        var (status, body) = await _server.FormAsync(
            $"/{_server.TenantId}/oauth2/v2.0/token",
            ("client_id", _server.ClientId), ("client_secret", "wrong"), ("grant_type", "client_credentials"),
            ("scope", "https://api.securitycenter.microsoft.com/.default"));
        status.ShouldBe(401);
        ((string)body!["error"]!).ShouldBe("invalid_client");
        ((string)body["error_description"]!).ShouldStartWith("AADSTS7000215:");
        ((int)body["error_codes"]![0]!).ShouldBe(7000215);
    }

    [Fact]
    public async Task A_token_for_another_api_is_refused()
    {
        var (status, body) = await _server.ApiAsync(HttpMethod.Get, "/api/alerts", await _server.TokenAsync("https://graph.microsoft.com"));
        status.ShouldBe(403, body?.ToJsonString());
        ((string)body!["error"]!["code"]!).ShouldBe("Forbidden");
    }

    [Fact]
    public async Task No_token_and_a_broken_token_are_401()
    {
        foreach (var token in new[] { null, "not.a.token" })
        {
            var (status, body) = await _server.ApiAsync(HttpMethod.Get, "/api/alerts", token);
            status.ShouldBe(401);
            ((string)body!["error"]!["code"]!).ShouldBe("Unauthorized");
        }
    }

    [Fact]
    public async Task An_application_registered_by_the_five_commands_can_do_what_it_was_granted_and_no_more()
    {
        var app = (await _server.JsonAsync("app", "create", "Reader of alerts"))!;
        var id = (string)app["appId"]!;
        await _server.JsonAsync("app", "grant", id, "Alert.Read.All", "--resource", "endpoint");
        await _server.JsonAsync("app", "consent", id);
        var secret = (string)(await _server.JsonAsync("app", "secret", id, "--name", "test"))!["secretText"]!;
        var (code, token, error) = await _server.RunAsync("token", "--client-id", id, "--client-secret", secret);
        code.ShouldBe(0, error);

        (await _server.ApiAsync(HttpMethod.Get, "/api/alerts?$top=1", token.Trim())).Status.ShouldBe(200);
        var machine = await FirstMachineAsync(await _server.TokenAsync());
        var (status, body) = await _server.ApiAsync(HttpMethod.Post, $"/api/machines/{machine}/isolate", token.Trim(), new { Comment = "No", IsolationType = "Full" });
        status.ShouldBe(403);
        ((string)body!["error"]!["message"]!).ShouldContain("Machine.Isolate");
    }

    [Fact]
    public async Task Unknown_machine_bad_filter_and_bad_query_say_what_is_wrong()
    {
        var token = await _server.TokenAsync();
        var (missing, missingBody) = await _server.ApiAsync(
            HttpMethod.Post, "/api/machines/0123456789012345678901234567890123456789/isolate", token, new { Comment = "x", IsolationType = "Full" });
        missing.ShouldBe(404);
        ((string)missingBody!["error"]!["code"]!).ShouldBe("ResourceNotFound");

        var (filter, filterBody) = await _server.ApiAsync(HttpMethod.Get, "/api/alerts?$filter=nonsense eq 'x'", token);
        filter.ShouldBe(400);
        ((string)filterBody!["error"]!["message"]!).ShouldNotBeEmpty();

        var (query, queryBody) = await _server.ApiAsync(
            HttpMethod.Post, "/api/advancedqueries/run", token, new { Query = "DeviceProcessEvents | where NoSuchColumn == 1" });
        query.ShouldBe(400);
        ((string)queryBody!["error"]!["message"]!).ShouldContain("NoSuchColumn");
    }

    [Fact]
    public async Task The_curl_line_for_people_works_over_https()
    {
        using var curl = Process.Start(new ProcessStartInfo("curl")
        {
            ArgumentList =
            {
                "-sS", "--cacert", (string)_server.Ready["caCertificate"]!, "-H", $"Authorization: Bearer {await _server.TokenAsync()}",
                $"{(string)_server.Ready["https"]!}/api/alerts?$top=1",
            },
            RedirectStandardOutput = true,
        })!;
        var answer = await curl.StandardOutput.ReadToEndAsync();
        await curl.WaitForExitAsync();
        curl.ExitCode.ShouldBe(0);
        ((JsonArray)JsonNode.Parse(answer)!["value"]!).Count.ShouldBe(1);
    }

    private async Task<string> FirstMachineAsync(string token, int skip = 0)
    {
        var (status, body) = await _server.ApiAsync(HttpMethod.Get, "/api/machines?$filter=onboardingStatus eq 'Onboarded'", token);
        status.ShouldBe(200, body?.ToJsonString());
        return (string)((JsonArray)body!["value"]!)[skip]!["id"]!;
    }

    private async Task<string> FinalStatusAsync(string token, string action)
    {
        for (var attempt = 0; ; attempt++)
        {
            var (status, body) = await _server.ApiAsync(HttpMethod.Get, $"/api/machineactions/{action}", token);
            status.ShouldBe(200);
            var state = (string)body!["status"]!;
            if (state is not ("Pending" or "InProgress") || attempt == 60) return state;
            await Task.Delay(250);
        }
    }
}
