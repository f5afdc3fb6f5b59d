using System.IO.Compression;
using System.Text.Json;
using Vedette.Defender;
using Vedette.Defender.State;
using Vedette.Server.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Vedette.Server.Tests.Endpoint;

public sealed class ActionTests : IAsyncLifetime
{
    private static readonly string Windows = Seed.MachineId(2);
    private static readonly string Linux = Seed.MachineId(1);
    private EndpointHost _host = null!;

    public async Task InitializeAsync()
    {
        _host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off);
        await _host.SeedAsync(Seed.Machine(1, m => m.Channel = DeviceChannelKind.Simulated), Seed.Machine(2, m => m.Channel = DeviceChannelKind.Simulated));
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Theory]
    [InlineData("isolate", """{"Comment":"c","IsolationType":"Full"}""", "Machine.Isolate", "Isolate", "Full")]
    [InlineData("isolate", """{"Comment":"c"}""", "Machine.Isolate", "Isolate", "Full")]
    [InlineData("unisolate", """{"Comment":"c"}""", "Machine.Isolate", "Unisolate", null)]
    [InlineData("RunAntivirusScan", """{"Comment":"c","ScanType":"Quick"}""", "Machine.Scan", "RunAntiVirusScan", "Quick")]
    [InlineData("restrictCodeExecution", """{"Comment":"c"}""", "Machine.RestrictExecution", "RestrictCodeExecution", null)]
    [InlineData("unrestrictCodeExecution", """{"Comment":"c"}""", "Machine.RestrictExecution", "UnrestrictCodeExecution", null)]
    [InlineData("collectInvestigationPackage", """{"Comment":"c"}""", "Machine.CollectForensics", "CollectInvestigationPackage", null)]
    [InlineData("offboard", """{"Comment":"c"}""", "Machine.Offboard", "Offboard", null)]
    [InlineData("runliveresponse", """{"Commands":[{"type":"RunScript","params":[{"key":"ScriptName","value":"a.ps1"}]}]}""", "Machine.LiveResponse", "LiveResponse", null)]
    public async Task Orders_an_action(string verb, string body, string role, string type, string? scope)
    {
        await HoldAsync();
        var answer = await _host.PostAsync($"/api/machines/{Windows}/{verb}", body, role);
        answer.Status.ShouldBe(201, answer.Body);
        answer.ContentType.ShouldBe("application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8");
        var action = answer.Json;
        action.GetProperty("@odata.context").GetString().ShouldEndWith("$metadata#MachineActions/$entity");
        action.GetProperty("type").GetString().ShouldBe(type);
        action.GetProperty("scope").GetString().ShouldBe(scope);
        action.GetProperty("status").GetString().ShouldBe("Pending");
        action.GetProperty("machineId").GetString().ShouldBe(Windows);
        action.GetProperty("computerDnsName").GetString().ShouldBe("pc-02.contoso.example");
        action.GetProperty("requestor").GetString().ShouldBe(EndpointHost.Application.ToString());
        action.GetProperty("requestSource").GetString().ShouldBe("PublicApi");
        action.GetProperty("errorHResult").GetInt32().ShouldBe(0);
        action.GetProperty("commands").GetArrayLength().ShouldBe(type == "LiveResponse" ? 1 : 0);
        var read = await _host.GetAsync($"/api/machineactions/{action.GetProperty("id").GetString()}", "Machine.Read.All");
        read.Json.GetProperty("type").GetString().ShouldBe(type);
    }

    [Fact]
    public async Task Needs_two_permissions_to_stop_a_file()
    {
        await HoldAsync();
        var body = new { Comment = "c", Sha1 = new string('A', 40) };
        var path = $"/api/machines/{Windows}/StopAndQuarantineFile";
        (await _host.PostAsync(path, body, "Machine.Read.All")).ShouldFail(
            403, "Forbidden", "The application does not have any of the required application permissions (Machine.StopAndQuarantine) to access the resource.");
        (await _host.PostAsync(path, body, "Machine.StopAndQuarantine")).ShouldFail(
            403, "Forbidden", "The application does not have any of the required application permissions (Machine.Read.All,Machine.ReadWrite.All) to access the resource.");
        var answer = await _host.PostAsync(path, body, "Machine.StopAndQuarantine", "Machine.Read.All");
        answer.Status.ShouldBe(201, answer.Body);
        answer.Json.GetProperty("relatedFileInfo").GetRawText().Replace(" ", "", StringComparison.Ordinal).ShouldBe($$"""{"fileIdentifier":"{{new string('a', 40)}}","fileIdentifierType":"Sha1"}""");
        (await _host.PostAsync(path, new { Comment = "c", Sha1 = "xyz" }, "Machine.StopAndQuarantine", "Machine.Read.All")).ShouldFail(400, "InvalidHashValue", "Hash value xyz is invalid.");
    }

    [Fact]
    public async Task Refuses_what_cannot_be_ordered()
    {
        await HoldAsync();
        (await _host.PostAsync("/api/machines/elastic-connector-test/isolate", new { Comment = "c", IsolationType = "Full" }, "Machine.Isolate"))
            .ShouldFail(404, "ResourceNotFound", "Machine elastic-connector-test was not found");
        (await _host.PostAsync($"/api/machines/{Windows}/isolate", new { IsolationType = "Full" }, "Machine.Isolate"))
            .ShouldFail(400, "MissingRequiredParameter", "Parameter Comment is missing.");
        (await _host.PostAsync($"/api/machines/{Windows}/isolate", new { comment = "c" }, "Machine.Isolate"))
            .ShouldFail(400, "MissingRequiredParameter", "Parameter Comment is missing.");
        (await _host.PostAsync($"/api/machines/{Windows}/isolate", new { Comment = "c", IsolationType = "Total" }, "Machine.Isolate"))
            .ShouldFail(400, "InvalidRequestBody", "Request body is incorrect");
        (await _host.PostAsync($"/api/machines/{Linux}/offboard", new { Comment = "c" }, "Machine.Offboard"))
            .ShouldFail(400, "OsPlatformNotSupported", "OS Platform Linux isn't supported for this action.");
        (await _host.PostAsync($"/api/machines/{Windows}/isolate", new { Comment = "c" }, "Machine.Isolate")).Status.ShouldBe(201);
        (await _host.PostAsync($"/api/machines/{Windows}/isolate", new { Comment = "c" }, "Machine.Isolate"))
            .ShouldFail(400, "BadRequest", "Action is already in progress");
        var session = """{"Commands":[{"type":"GetFile","params":[{"key":"Path","value":"C:\\a.txt"}]}]}""";
        (await _host.PostAsync($"/api/machines/{Windows}/runLiveResponse", session, "Machine.LiveResponse")).Status.ShouldBe(201);
        (await _host.PostAsync($"/api/machines/{Windows}/runLiveResponse", session, "Machine.LiveResponse")).Code.ShouldBe("ActiveRequestAlreadyExists");
    }

    [Fact]
    public async Task Cancels_an_action_once()
    {
        await HoldAsync();
        var id = (await _host.PostAsync($"/api/machines/{Windows}/isolate", new { Comment = "c" }, "Machine.Isolate")).Json.GetProperty("id").GetString();
        var answer = await _host.PostAsync($"/api/machineactions/{id}/cancel", new { Comment = "not needed" }, "Machine.Isolate");
        answer.Status.ShouldBe(200, answer.Body);
        answer.Json.GetProperty("id").GetString().ShouldBe(id);
        answer.Json.GetProperty("status").GetString().ShouldBe("Cancelled");
        answer.Json.GetProperty("cancellationComment").GetString().ShouldBe("not needed");
        (await _host.PostAsync($"/api/machineactions/{id}/cancel", new { Comment = "again" }, "Machine.Isolate"))
            .ShouldFail(400, "BadRequest", $"Machine action {id} cannot be cancelled: its status is Cancelled.");
        var unknown = Guid.NewGuid();
        (await _host.PostAsync($"/api/machineactions/{unknown}/cancel", new { Comment = "x" }, "Machine.Isolate"))
            .ShouldFail(404, "ResourceNotFound", $"Machine action {unknown} was not found");
    }

    [Fact]
    public async Task Takes_an_isolation_to_its_end()
    {
        var id = (await _host.PostAsync($"/api/machines/{Windows}/isolate", new { Comment = "c" }, "Machine.Isolate")).Json.GetProperty("id").GetString()!;
        var done = await UntilDoneAsync(id);
        done.GetProperty("status").GetString().ShouldBe("Succeeded");
        (await _host.GetAsync($"/api/machineactions?$filter=machineId eq '{Windows}' and status eq 'Succeeded' and type eq 'Isolate'&$top=1", "Machine.Read.All")).Ids.ShouldBe([id]);
    }

    [Fact]
    public async Task Hands_out_the_package_by_a_signed_link_that_needs_no_token()
    {
        await TimingAsync(new ActionTiming(ActionTimingMode.AfterReads, 1, 1));
        var id = (await _host.PostAsync($"/api/machines/{Windows}/collectInvestigationPackage", new { Comment = "c" }, "Machine.CollectForensics")).Json.GetProperty("id").GetString()!;
        (await _host.GetAsync($"/api/machineactions/{id}/getPackageUri", "Machine.Read.All")).Status.ShouldBe(404);
        await UntilDoneAsync(id);
        var link = await _host.GetAsync($"/api/machineactions/{id}/GetPackageUri", "Machine.Read.All");
        link.Json.GetProperty("@odata.context").GetString().ShouldEndWith("$metadata#Edm.String");
        var url = link.Json.GetProperty("value").GetString()!;
        using var anonymous = new HttpClient();
        await using var stream = new MemoryStream(await anonymous.GetByteArrayAsync(url));
        using var zip = new ZipArchive(stream);
        zip.Entries.Count.ShouldBeGreaterThan(1);
        using var forged = await anonymous.GetAsync(url.Replace("sig=", "sig=x", StringComparison.Ordinal));
        ((int)forged.StatusCode).ShouldBe(403);
        (await forged.Content.ReadAsStringAsync()).ShouldContain("<Code>AuthenticationFailed</Code>");
    }

    private async Task<JsonElement> UntilDoneAsync(string id)
    {
        for (var i = 0; i < 200; i++)
        {
            var action = (await _host.GetAsync($"/api/machineactions/{id}", "Machine.Read.All")).Json;
            if (action.GetProperty("status").GetString() is not ("Pending" or "InProgress")) return action;
            await Task.Delay(50);
        }

        throw new TimeoutException($"Action {id} did not end.");
    }

    private Task HoldAsync() => TimingAsync(new ActionTiming(ActionTimingMode.Never, 0, 0));

    private Task TimingAsync(ActionTiming timing) =>
        _host.Services.GetRequiredService<TenantSettingsStore>().SetAsync(EndpointHost.Tenant, settings => settings.ActionTiming = timing, default);
}
