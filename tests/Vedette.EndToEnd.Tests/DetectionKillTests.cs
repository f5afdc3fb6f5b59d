using System.Globalization;
using System.Text.Json;

namespace Vedette.EndToEnd.Tests;

/// <summary>
/// A server that is killed at random moments while events come in and rules run, continuously and on a schedule. The environment variable
/// VEDETTE_KILLS makes it longer.
/// </summary>
public sealed class DetectionKillTests
{
    private const int Events = 10;
    private const int Files = 3;
    private static readonly int Kills = int.TryParse(Environment.GetEnvironmentVariable("VEDETTE_KILLS"), CultureInfo.InvariantCulture, out var kills) ? kills : 3;

    [Fact]
    public async Task Killed_while_rules_run_no_alert_is_lost_or_doubled()
    {
        var folder = VedetteProcess.NewFolder();
        var data = Path.Combine(folder, "data");
        WriteRules(Path.Combine(data, "rules"));
        var random = new Random(20261121);
        var files = new List<string>();
        for (var round = 0; round < Kills; round++)
        {
            await using var server = await StartAsync(data);
            server.KeepData = true;

            // What a kill cut off is sent again, as devices do; what was stored is not stored twice.
            await ImportAsync(server, files.TakeLast(Files));
            files.AddRange(Enumerable.Range(0, Files).Select(number => WriteEvents(folder, round, number)));
            using var killed = new CancellationTokenSource();
            var work = Task.WhenAll(
                UntilKilledAsync(() => ImportAsync(server, files.TakeLast(Files))),
                UntilKilledAsync(async () =>
                {
                    while (!killed.IsCancellationRequested) await server.OperateAsync("rules.run", new { });
                }));
            await Task.Delay(random.Next(100, 2_500));
            await killed.CancelAsync();
            await server.KillAsync();
            await work;
        }

        await using var last = await StartAsync(data);
        await ImportAsync(last, files);
        await last.OperateAsync("rules.run", new { });
        var token = await last.TokenAsync();
        var expected = Enumerable.Range(0, Kills).SelectMany(round => Enumerable.Range(0, Files * Events).Select(number => $"Seen at once {Name(round, number)} ({number % 10})"))
            .Concat(Enumerable.Range(0, Kills).Select(round => $"Seen in time {Name(round, 0)}")).Order(StringComparer.Ordinal).ToArray();
        string[] raised = [];
        for (var attempt = 0; attempt < 100 && raised.Length < expected.Length; attempt++)
        {
            if (attempt > 0) await Task.Delay(200);
            var (_, body) = await last.ApiAsync(HttpMethod.Get, "/api/alerts?$top=10000", token);
            raised = [.. body!["value"]!.AsArray().Select(alert => (string)alert!["title"]!).Order(StringComparer.Ordinal)];
        }

        raised.ShouldBe(expected);
    }

    private static Task<VedetteProcess> StartAsync(string data) => VedetteProcess.StartAsync(data, "--empty", "--quotas", "off");

    private static async Task ImportAsync(VedetteProcess server, IEnumerable<string> files)
    {
        var names = files.ToArray();
        if (names.Length > 0) await server.OperateAsync("import", new { files = names, shiftToNow = false, detections = false });
    }

    private static async Task UntilKilledAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException or InvalidOperationException or JsonException or System.Net.Sockets.SocketException)
        {
            // The kill came first.
        }
    }

    private static string Name(int round, int number) => string.Create(CultureInfo.InvariantCulture, $"k{round:D3}e{number:D3}");

    // Each file is one batch of a device's events.
    private static string WriteEvents(string folder, int round, int file)
    {
        var path = Path.Combine(folder, $"events-{round}-{file}.json");
        File.WriteAllLines(path, Enumerable.Range(file * Events, Events).Select(number => JsonSerializer.Serialize(new
        {
            time = DateTime.UtcNow,
            category = "AdvancedHunting-DeviceProcessEvents",
            properties = new Dictionary<string, object>
            {
                ["Timestamp"] = DateTime.UtcNow,
                ["DeviceId"] = new string('a', 40),
                ["DeviceName"] = "pc.example.test",
                ["ActionType"] = "ProcessCreated",
                ["FileName"] = "marker.exe",
                ["ProcessCommandLine"] = $"marker.exe {(number == 0 ? "timed" : "plain")} {Name(round, number)}",
                ["ProcessId"] = 1000 + number,
                ["AccountName"] = Name(round, number),
                ["ReportId"] = (round * 1000) + number,
            },
        })));
        return path;
    }

    private static void WriteRules(string folder)
    {
        Directory.CreateDirectory(folder);
        // Ten continuous rules share the events, so that none comes to the number of alerts that a rule may raise at most.
        var continuous = Enumerable.Range(0, 10).Select(digit => (
            Name: $"continuous{digit}", Id: $"6a5a3ee0-0000-4000-8000-00000000000{digit}", Title: $$$"""Seen at once {{AccountName}} ({{{digit}}})""", Frequency: "Continuous", Query: $"AccountName endswith \"{digit}\""));
        foreach (var (name, id, title, frequency, query) in continuous.Append(
            ("scheduled", "6a5a3ee0-0000-4000-8000-000000000010", "Seen in time {{AccountName}}", "5m", "ProcessCommandLine has \"timed\"")))
        {
            File.WriteAllText(Path.Combine(folder, name + ".yaml"),
                $"""
                id: {id}
                title: "{title}"
                description: A marker ran.
                finds: Markers.
                severity: Low
                category: Execution
                techniques: [T1059]
                frequency: {frequency}
                query: |
                  DeviceProcessEvents
                  | where FileName =~ "marker.exe" and {query}
                entities:
                  - type: Device
                  - type: Process
                    from: created
                """);
        }
    }
}
