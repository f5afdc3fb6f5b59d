using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender;
using Vedette.Defender.State;
using Vedette.Server.Control.Scripting;
using Vedette.Server.Http;

namespace Vedette.Server.Tests.Endpoint.Connectors;

/// <summary>A connector drives 200 actions on 50 devices at once while faults are on, and the end is what the rules promise.</summary>
public sealed class ActionConnectorTests : IAsyncLifetime
{
    private const int Devices = 50;

    private static readonly (string Verb, string Type, object Body)[] Orders =
    [
        ("isolate", "Isolate", new { Comment = "c", IsolationType = "Full" }),
        ("restrictCodeExecution", "RestrictCodeExecution", new { Comment = "c" }),
        ("runAntiVirusScan", "RunAntiVirusScan", new { Comment = "c", ScanType = "Quick" }),
        ("unisolate", "Unisolate", new { Comment = "c" }),
    ];

    private readonly FaultBook _faults = new();
    private EndpointHost _host = null!;

    public async Task InitializeAsync()
    {
        _host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off, services => services.AddSingleton<IFaultScript>(_faults));
        await _host.Services.GetRequiredService<TenantSettingsStore>().SetAsync(
            EndpointHost.Tenant, settings => settings.ActionTiming = new ActionTiming(ActionTimingMode.AfterSeconds, 0.05, 0.1), default);
        await _host.SeedAsync([.. Enumerable.Range(1, Devices).Select(n => Seed.Machine(2 * n, m => m.Channel = DeviceChannelKind.Simulated))]);
        _faults.Add(new FaultRule { Route = "* /api/**", Status = 429, RetryAfter = 1, Rate = 0.1, Seed = 1 });
        _faults.Add(new FaultRule { Route = "POST /api/machines/**", Status = 500, Rate = 0.1, Seed = 2 });
        _faults.Add(new FaultRule { Route = "POST /api/machines/**", Drop = true, Rate = 0.1, Seed = 3 });
        _faults.Add(new FaultRule { Route = "GET /api/machineactions/**", DelayMs = 30, Rate = 0.2, Seed = 4 });
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Two_hundred_actions_on_fifty_devices_end_as_promised()
    {
        using var line = new LossyLine(9);
        using var client = new HttpClient(line) { BaseAddress = _host.Client.BaseAddress };
        var connector = new ActionConnector(client, EndpointHost.Token("Machine.Isolate", "Machine.RestrictExecution", "Machine.Scan", "Machine.Read.All"));
        var ends = await Task.WhenAll(Enumerable.Range(1, Devices).Select(async n =>
        {
            var ids = new List<string>();
            foreach (var (verb, type, body) in Orders) ids.Add(await connector.OrderAsync(Seed.MachineId(2 * n), verb, type, body));
            var ended = new List<string>();
            foreach (var id in ids) ended.Add(await connector.EndAsync(id));
            return ended;
        }));
        ends.SelectMany(e => e).ShouldAllBe(end => end == "Succeeded");
        connector.Faults.ShouldBeGreaterThan(10);
        line.Lost.ShouldBeGreaterThan(10);

        await using var state = _host.Context();
        var actions = await state.MachineActions.OrderBy(a => a.Sequence).ToListAsync();
        actions.Count.ShouldBe(Devices * Orders.Length, "an action was lost or doubled");
        foreach (var queue in actions.GroupBy(a => a.MachineId))
        {
            queue.Select(a => a.Type.ToString()).ShouldBe(Orders.Select(o => o.Type));
            queue.Select(a => a.CompletedAt).ShouldBeInOrder();
            queue.Zip(queue.Skip(1)).ShouldAllBe(pair => pair.Second.StartedAt >= pair.First.CompletedAt);
        }

        (await state.Machines.Select(m => new { m.Isolation, m.IsCodeExecutionRestricted }).Distinct().ToListAsync()).ShouldHaveSingleItem()
            .ShouldBe(new { Isolation = IsolationState.None, IsCodeExecutionRestricted = true });
    }
}
