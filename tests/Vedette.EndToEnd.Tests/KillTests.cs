using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Vedette.EndToEnd.Tests;

/// <summary>
/// A server that is killed at random moments under load: alerts are raised, devices isolated and events exported all the while. The environment
/// variable VEDETTE_KILLS makes it longer.
/// </summary>
public sealed class KillTests
{
    private const int Machines = 400;
    private static readonly int Kills = int.TryParse(Environment.GetEnvironmentVariable("VEDETTE_KILLS"), CultureInfo.InvariantCulture, out var kills) ? kills : 3;

    [Fact]
    public async Task Killed_at_random_moments_no_action_and_no_alert_is_lost_doubled_or_stuck()
    {
        var folder = VedetteProcess.NewFolder();
        var (data, lake) = (Path.Combine(folder, "data"), Path.Combine(folder, "lake"));
        var random = new Random(20261120);
        var actions = new ConcurrentBag<string>();
        var alerts = 0;
        var machines = new Queue<string>();
        for (var round = 0; round < Kills; round++)
        {
            await using var server = await StartAsync(data);
            server.KeepData = true;
            if (round == 0)
            {
                await server.JsonAsync("export", "add", "lake", "--folder", lake, "--tables", "AlertInfo");
                (await GenerateAsync(server, new { machines = Machines })).ShouldBeTrue();
                machines = new Queue<string>(await MachinesAsync(server));
            }

            var token = await server.TokenAsync();
            using var killed = new CancellationTokenSource();
            var work = Task.WhenAll(
                UntilKilledAsync(killed, async () =>
                {
                    if (await GenerateAsync(server, new { alerts = 1, evidence = 5 })) Interlocked.Increment(ref alerts);
                }),
                UntilKilledAsync(killed, async () =>
                {
                    // A device whose order is cut off is left alone: nobody knows whether it was taken.
                    if (!machines.TryDequeue(out var machine))
                    {
                        await Task.Delay(50);
                        return;
                    }

                    var (status, body) = await server.ApiAsync(HttpMethod.Post, $"/api/machines/{machine}/isolate", token, new { Comment = "Contain", IsolationType = "Full" });
                    if (status == 201) actions.Add((string)body!["id"]!);
                }));
            await Task.Delay(random.Next(300, 2_500));
            await killed.CancelAsync();
            await server.KillAsync();
            await work;
        }

        await using var last = await StartAsync(data);
        await CheckActionsAsync(last, actions);
        await CheckAlertsAsync(last, alerts, lake);
        actions.ShouldNotBeEmpty();
        alerts.ShouldBeGreaterThan(0);
    }

    private static async Task CheckActionsAsync(VedetteProcess server, IReadOnlyCollection<string> accepted)
    {
        var token = await server.TokenAsync();
        for (var attempt = 0; ; attempt++)
        {
            var (_, body) = await server.ApiAsync(HttpMethod.Get, "/api/machineactions?$filter=status eq 'Pending' or status eq 'InProgress'&$top=1", token);
            if (body!["value"]!.AsArray().Count == 0) break;
            attempt.ShouldBeLessThan(300, "actions are stuck");
            await Task.Delay(200);
        }

        var (_, all) = await server.ApiAsync(HttpMethod.Get, "/api/machineactions?$top=10000", token);
        var found = all!["value"]!.AsArray();
        found.Select(action => (string)action!["machineId"]!).ShouldBeUnique();
        var succeeded = found.Where(action => (string)action!["status"]! == "Succeeded").Select(action => (string)action!["id"]!).ToHashSet();
        accepted.Where(action => !succeeded.Contains(action)).ShouldBeEmpty();
    }

    private static async Task CheckAlertsAsync(VedetteProcess server, int acknowledged, string lake)
    {
        var token = await server.TokenAsync();
        var (_, body) = await server.ApiAsync(HttpMethod.Get, "/api/alerts?$top=10000", token);
        var ids = body!["value"]!.AsArray().Select(alert => (string)alert!["id"]!).ToHashSet();

        // One that was cut off by each kill may be there without its answer.
        ids.Count.ShouldBeInRange(acknowledged, acknowledged + Kills);
        JsonArray rows;
        string[] exported;
        var attempt = 0;
        do
        {
            if (attempt > 0) await Task.Delay(300);
            (_, body) = await server.ApiAsync(HttpMethod.Post, "/api/advancedqueries/run", token, new { Query = "AlertInfo | summarize Rows = count() by AlertId" });
            rows = body!["Results"]!.AsArray();
            exported = Directory.Exists(lake)
                ? [.. Directory.EnumerateFiles(lake, "*.json", SearchOption.AllDirectories).SelectMany(ReadLines).Select(line => (string)JsonNode.Parse(line)!["properties"]!["AlertId"]!).Distinct()]
                : [];
        }
        while ((rows.Count < ids.Count || exported.Length < ids.Count) && ++attempt < 100);

        rows.Select(row => (string)row!["AlertId"]!).Order().ShouldBe(ids.Order());
        rows.Where(row => (int)row!["Rows"]! != 1).ShouldBeEmpty("an alert is in telemetry twice");
        exported.Order().ShouldBe(ids.Order());
    }

    // Whole lines only: the last one may be under way.
    private static IEnumerable<string> ReadLines(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        var text = reader.ReadToEnd();
        return text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static async Task UntilKilledAsync(CancellationTokenSource killed, Func<Task> step)
    {
        while (!killed.IsCancellationRequested)
        {
            try
            {
                await step();
            }
            catch (HttpRequestException)
            {
                // The kill came first.
                return;
            }
        }
    }

    private static Task<VedetteProcess> StartAsync(string data) =>
        VedetteProcess.StartAsync(data, "--empty", "--control", "--quotas", "off", "--action-timing", "at-once");

    private static async Task<IReadOnlyList<string>> MachinesAsync(VedetteProcess server)
    {
        var (_, body) = await server.ApiAsync(HttpMethod.Get, "/api/machines?$select=id", await server.TokenAsync());
        return [.. body!["value"]!.AsArray().Select(machine => (string)machine!["id"]!)];
    }

    private static async Task<bool> GenerateAsync(VedetteProcess server, object size)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/control/generate");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (string)server.Ready["controlKey"]!);
        request.Content = new StringContent(System.Text.Json.JsonSerializer.Serialize(size), Encoding.UTF8, "application/json");
        using var response = await server.Http.SendAsync(request);
        return response.IsSuccessStatusCode;
    }
}
