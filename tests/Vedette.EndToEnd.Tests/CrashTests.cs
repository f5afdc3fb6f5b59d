using System.Globalization;
using System.Text.Json.Nodes;

namespace Vedette.EndToEnd.Tests;

/// <summary>What is left when the server is killed in the middle of work: nothing half-done, nothing lost, nothing twice.</summary>
public sealed class CrashTests
{
    private const int Processes = 60_000;

    [Fact]
    public async Task An_import_cut_off_by_a_kill_resumes_to_the_same_rows()
    {
        var folder = VedetteProcess.NewFolder();
        var log = Path.Combine(folder, "sysmon.json");
        await WriteSysmonAsync(log);
        await using var first = await VedetteProcess.StartAsync(Path.Combine(folder, "data"), "--empty", "--quotas", "off");
        using var import = VedetteProcess.Launch(["import", log, "--data", first.Data]);
        long before;
        do
        {
            before = await CountAsync(first);
        }
        while (before == 0 && !import.HasExited);
        await first.KillAsync();
        await import.WaitForExitAsync();
        before.ShouldBeLessThan(Processes);

        await using var second = await VedetteProcess.StartAsync(first.Data, "--empty", "--quotas", "off");
        var report = (await second.JsonAsync("import", log))!;
        ((int)report["filesAlreadyImported"]!).ShouldBe(0);
        (await CountAsync(second)).ShouldBe(Processes);
        ((int)(await second.JsonAsync("import", log))!["filesAlreadyImported"]!).ShouldBe(1);
        (await CountAsync(second)).ShouldBe(Processes);
    }

    [Fact]
    public async Task Actions_taken_before_a_kill_finish_after_the_restart_once_and_in_order()
    {
        await using var first = await VedetteProcess.StartAsync(null, "--action-timing", "1s");
        var token = await first.TokenAsync();
        var (_, machines) = await first.ApiAsync(HttpMethod.Get, "/api/machines?$filter=onboardingStatus eq 'Onboarded'&$top=6", token);
        var accepted = new List<(string Machine, string Action)>();
        foreach (var machine in ((JsonArray)machines!["value"]!).Select(machine => (string)machine!["id"]!))
        {
            var (status, isolate) = await first.ApiAsync(
                HttpMethod.Post, $"/api/machines/{machine}/isolate", token, new { Comment = "Contain", IsolationType = "Full" });
            status.ShouldBe(201, isolate?.ToJsonString());
            accepted.Add((machine, (string)isolate!["id"]!));
        }

        await first.KillAsync();

        await using var second = await VedetteProcess.StartAsync(first.Data, "--action-timing", "1s");
        token = await second.TokenAsync();
        foreach (var (machine, action) in accepted)
        {
            string state;
            var attempts = 0;
            do
            {
                await Task.Delay(200);
                state = (string)(await second.ApiAsync(HttpMethod.Get, $"/api/machineactions/{action}", token)).Body!["status"]!;
            }
            while (state is "Pending" or "InProgress" && ++attempts < 100);
            state.ShouldBe("Succeeded");
            var (_, all) = await second.ApiAsync(
                HttpMethod.Get, $"/api/machineactions?$filter=machineId eq '{machine}' and type eq 'Isolate'", token);
            ((JsonArray)all!["value"]!).Count.ShouldBe(1);
        }
    }

    private static async Task<long> CountAsync(VedetteProcess server)
    {
        var (status, body) = await server.ApiAsync(
            HttpMethod.Post, "/api/advancedqueries/run", await server.TokenAsync(),
            new { Query = "DeviceProcessEvents | where ActionType == 'ProcessCreated' | count" });
        status.ShouldBe(200, body?.ToJsonString());
        return (long)body!["Results"]![0]!["Count"]!;
    }

    private static async Task WriteSysmonAsync(string path)
    {
        await using var file = File.CreateText(path);
        var time = DateTime.UtcNow.AddHours(-20);
        for (var number = 1; number <= Processes; number++)
        {
            time = time.AddMilliseconds(1000);
            var stamp = time.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);
            await file.WriteLineAsync(new JsonObject
            {
                ["EventID"] = 1,
                ["Channel"] = "Microsoft-Windows-Sysmon/Operational",
                ["SourceName"] = "Microsoft-Windows-Sysmon",
                ["Hostname"] = "CRASH01.example.test",
                ["@timestamp"] = time.ToString("O", CultureInfo.InvariantCulture),
                ["EventTime"] = stamp,
                ["UtcTime"] = stamp,
                ["ProcessGuid"] = $"{{{Guid.NewGuid()}}}",
                ["ProcessId"] = (1000 + number).ToString(CultureInfo.InvariantCulture),
                ["Image"] = @"C:\Windows\System32\whoami.exe",
                ["CommandLine"] = $"whoami /all {number}",
                ["User"] = @"CRASH01\tester",
                ["Hashes"] = "SHA1=0123456789ABCDEF0123456789ABCDEF01234567",
                ["ParentProcessGuid"] = "{11111111-2222-3333-4444-555555555555}",
                ["ParentProcessId"] = "4",
                ["ParentImage"] = @"C:\Windows\explorer.exe",
            }.ToJsonString());
        }
    }
}
