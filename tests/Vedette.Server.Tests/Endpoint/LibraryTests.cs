using Microsoft.Extensions.DependencyInjection;
using System.Text.Json;
using Vedette.Defender;
using Vedette.Defender.State;
using Vedette.Server.Http;
using Vedette.Server.Tests.Http;

namespace Vedette.Server.Tests.Endpoint;

/// <summary>The live response library, and sessions that use it.</summary>
public sealed class LibraryTests : IAsyncLifetime
{
    private const string Role = "Library.Manage";
    private readonly SettableClock _clock = new(DateTimeOffset.UtcNow);
    private EndpointHost _host = null!;

    public async Task InitializeAsync()
    {
        _host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off, services => services.AddSingleton<TimeProvider>(_clock));
        await _host.Services.GetRequiredService<TenantSettingsStore>().SetAsync(EndpointHost.Tenant, settings => settings.ActionTiming = ActionTiming.AtOnce, default);
        await _host.SeedAsync(Seed.Machine(1, m => m.Channel = DeviceChannelKind.Simulated), Seed.Machine(2, m => m.Channel = DeviceChannelKind.Simulated));
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Uploads_lists_replaces_and_deletes()
    {
        var answer = await UploadAsync("probe.ps1", "Write-Output 1", ("Description", "a probe"), ("ParametersDescription", "-x n"), ("HasParameters", "true"));
        answer.Status.ShouldBe(200, answer.Body);
        answer.Json.GetProperty("@odata.context").GetString().ShouldEndWith("$metadata#LibraryFiles/$entity");
        answer.Json.GetProperty("fileName").GetString().ShouldBe("probe.ps1");
        answer.Json.GetProperty("sha256").GetString().ShouldBe(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("Write-Output 1"u8)));
        answer.Json.GetProperty("hasParameters").GetBoolean().ShouldBeTrue();
        answer.Json.GetProperty("createdBy").GetString().ShouldBe(EndpointHost.Application.ToString());

        (await UploadAsync("PROBE.ps1", "2")).ShouldFail(400, "BadRequest", "A file with the name 'PROBE.ps1' already exists in the library.");
        (await UploadAsync("PROBE.ps1", "2", ("OverrideIfExists", "true"))).Json.GetProperty("fileName").GetString().ShouldBe("PROBE.ps1");
        await UploadAsync("another.txt", "3", ("HasParameters", ""));
        (await _host.GetAsync("/api/LibraryFiles", Role)).Value.Select(f => f.GetProperty("fileName").GetString()).ShouldBe(["another.txt", "PROBE.ps1"]);

        var deleted = await _host.SendAsync(HttpMethod.Delete, "/api/libraryfiles/probe.PS1", null, EndpointHost.Token(Role));
        (deleted.Status, deleted.Body).ShouldBe((204, ""));
        (await _host.SendAsync(HttpMethod.Delete, "/api/libraryfiles/probe.ps1", null, EndpointHost.Token(Role))).ShouldFail(404, "ResourceNotFound", "Library file probe.ps1 was not found");
    }

    [Fact]
    public async Task Refuses_bad_forms()
    {
        (await _host.SendAsync(HttpMethod.Post, "/api/libraryfiles", "{}", EndpointHost.Token(Role))).ShouldFail(400, "InvalidRequestBody", "Request body is incorrect");
        using var empty = new MultipartFormDataContent { { new StringContent("x"), "Description" } };
        (await _host.SendAsync(HttpMethod.Post, "/api/libraryfiles", empty, EndpointHost.Token(Role))).ShouldFail(400, "MissingRequiredParameter", "Parameter File is missing.");
        (await UploadAsync("a b.ps1", "x")).ShouldFail(400, "InvalidInput", "Invalid input File.");
        (await UploadAsync("..", "x")).ShouldFail(400, "InvalidInput", "Invalid input File.");
        (await UploadAsync("a.ps1", "x", ("OverrideIfExists", "perhaps"))).ShouldFail(400, "InvalidInput", "Invalid input OverrideIfExists.");
        (await UploadAsync("big.bin", new string('x', (20 * 1024 * 1024) + 1))).ShouldFail(400, "BadRequest", "The file is larger than 20971520 bytes.");
        (await UploadAsync("fits.bin", new string('x', 20 * 1024 * 1024))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_session_puts_runs_and_gets_and_its_links_hold_for_half_an_hour()
    {
        await UploadAsync("probe.ps1", "param($Name)\nSet-Content greeting.txt \"hello $Name\"\nWrite-Output done");
        const string session =
            """
            {"Commands":[{"type":"PutFile","params":[{"key":"FileName","value":"probe.ps1"}]},
                {"type":"RunScript","params":[{"key":"ScriptName","value":"probe.ps1"},{"key":"Args","value":"Dana"}]},
                {"type":"GetFile","params":[{"key":"Path","value":"greeting.txt"}]}],"Comment":"c"}
            """;
        var ordered = await _host.PostAsync($"/api/machines/{Seed.MachineId(2)}/runliveresponse", session, "Machine.LiveResponse");
        ordered.Status.ShouldBe(201, ordered.Body);
        var id = ordered.Json.GetProperty("id").GetString();
        var action = (await _host.GetAsync($"/api/machineactions/{id}", "Machine.Read.All")).Json;
        action.GetProperty("status").GetString().ShouldBe("Succeeded", action.GetRawText());
        action.GetProperty("commands").EnumerateArray().Select(c => c.GetProperty("commandStatus").GetString()).ShouldBe(["Completed", "Completed", "Completed"]);
        action.GetRawText().ShouldNotContain("resultFile");

        (await LinkAsync(0)).ShouldFail(404, "NotFound", $"Machine action {id} has no result for the command with index 0.");
        using var anonymous = new HttpClient();
        var transcript = JsonDocument.Parse(await anonymous.GetStringAsync((await LinkAsync(1)).Json.GetProperty("value").GetString())).RootElement;
        transcript.GetProperty("script_output").GetString().ShouldBe("done\n");
        var link = (await LinkAsync(2)).Json.GetProperty("value").GetString()!;
        _clock.Advance(TimeSpan.FromMinutes(29));
        (await anonymous.GetStringAsync(link)).ShouldBe("hello Dana\n");
        _clock.Advance(TimeSpan.FromMinutes(2));
        using var expired = await anonymous.GetAsync(link);
        ((int)expired.StatusCode).ShouldBe(403);
        (await anonymous.GetStringAsync((await LinkAsync(2)).Json.GetProperty("value").GetString())).ShouldBe("hello Dana\n");

        Task<Answer> LinkAsync(int index) => _host.GetAsync($"/api/machineactions/{id}/GetLiveResponseResultDownloadLink(index={index})", "Machine.Read.All");
    }

    private async Task<Answer> UploadAsync(string name, string content, params (string Name, string Value)[] fields)
    {
        using var form = new MultipartFormDataContent();
        foreach (var (field, value) in fields) form.Add(new StringContent(value), field);
        form.Add(new StringContent(content), "file", name);
        return await _host.SendAsync(HttpMethod.Post, "/api/libraryfiles", form, EndpointHost.Token(Role));
    }
}
