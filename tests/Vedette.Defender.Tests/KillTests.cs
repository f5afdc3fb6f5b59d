using Microsoft.EntityFrameworkCore;
using Vedette.Defender.Actions;
using Vedette.Defender.Outbox;
using Vedette.Defender.State;
using Vedette.Telemetry.Ingest;
using Vedette.Testing;

namespace Vedette.Defender.Tests;

/// <summary>A server that is killed again and again loses nothing, doubles nothing and leaves nothing stuck.</summary>
public sealed class KillTests : IDisposable
{
    private const int Lives = 4;
    private readonly string _folder = Directory.CreateTempSubdirectory("vedette-kill-").FullName;
    private readonly Random _random = new(11);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Hunting_rows_of_the_outbox_arrive_once()
    {
        const int entries = 4000;
        await using var world = await DefenderWorld.CreateAsync();
        var writing = Task.Run(async () =>
        {
            for (var entry = 0; entry < entries; entry += 20)
            {
                await using var state = world.Open();
                for (var n = entry; n < entry + 20; n++) state.AddHuntingRows(DefenderWorld.Tenant, DateTime.UtcNow, [Row(n * 2), Row((n * 2) + 1)]);
                await state.SaveChangesAsync();
                await Task.Delay(10);
            }
        });
        for (var life = 0; life < Lives; life++)
        {
            using var server = ChildProcess.Start(typeof(KillTests), "serve", world.ConnectionString, _folder);
            await server.ReadLineAsync();
            await Task.Delay(_random.Next(50, 700));
            await server.KillAsync();
        }

        await writing;
        using var last = ChildProcess.Start(typeof(KillTests), "count", world.ConnectionString, _folder, "DeviceEvents");
        (await last.ReadLineAsync()).ShouldBe($"{entries * 2} {entries * 2}");
        await using var after = world.Open();
        (await after.Outbox.CountAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task Actions_all_end_once_and_in_order()
    {
        const int devices = 10;
        MachineActionType[] kinds =
        [
            MachineActionType.Isolate, MachineActionType.RunAntiVirusScan, MachineActionType.RestrictCodeExecution, MachineActionType.CollectInvestigationPackage,
            MachineActionType.Unisolate,
        ];
        await using var world = await DefenderWorld.CreateAsync(start: DateTime.UtcNow);
        for (var n = 1; n <= devices; n++) await world.AddMachineAsync(n);
        await world.SetTimingAsync(new ActionTiming(ActionTimingMode.AfterSeconds, 0.05, 0.1));
        var ordering = Task.Run(async () =>
        {
            foreach (var kind in kinds)
            {
                for (var n = 1; n <= devices; n++)
                {
                    var order = new ActionOrder(kind, "c") { Scope = kind == MachineActionType.RunAntiVirusScan ? "Quick" : null };
                    (await world.Get<ActionService>().RequestAsync(DefenderWorld.Caller, DefenderWorld.MachineId(n), order, default)).Error.ShouldBeNull();
                    await Task.Delay(20);
                }
            }
        });
        for (var life = 0; life < Lives; life++)
        {
            using var server = ChildProcess.Start(typeof(KillTests), "serve", world.ConnectionString, _folder);
            await server.ReadLineAsync();
            await Task.Delay(_random.Next(50, 700));
            await server.KillAsync();
        }

        await ordering;
        using (var server = ChildProcess.Start(typeof(KillTests), "serve", world.ConnectionString, _folder))
        {
            await server.ReadLineAsync();
            for (var look = 0; look < 300 && await OpenAsync(world) > 0; look++) await Task.Delay(100);
            await server.KillAsync();
        }

        await using var state = world.Open();
        var actions = await state.MachineActions.AsNoTracking().OrderBy(a => a.Sequence).ToListAsync();
        actions.Count.ShouldBe(devices * kinds.Length);
        actions.ShouldAllBe(a => a.Status == MachineActionStatus.Succeeded);
        foreach (var queue in actions.GroupBy(a => a.MachineId))
        {
            queue.Zip(queue.Skip(1)).ShouldAllBe(pair => pair.First.CompletedAt <= pair.Second.StartedAt);
        }

        actions.Where(a => a.Type == MachineActionType.CollectInvestigationPackage).ShouldAllBe(a => a.ResultFile != null && a.ResultSize > 0);
        (await state.Machines.AsNoTracking().ToListAsync()).ShouldAllBe(m => m.Isolation == IsolationState.None && m.IsCodeExecutionRestricted);
        using var count = ChildProcess.Start(typeof(KillTests), "count", world.ConnectionString, _folder, "DeviceEvents");
        (await count.ReadLineAsync()).ShouldBe($"{devices} {devices}");
    }

    private static async Task<int> OpenAsync(DefenderWorld world)
    {
        await using var state = world.Open();
        return await state.MachineActions.CountAsync(a => a.Status == MachineActionStatus.Pending || a.Status == MachineActionStatus.InProgress);
    }

    private static HuntingRow Row(long number)
    {
        var row = HuntingRow.For("DeviceEvents");
        row["Timestamp"] = DateTime.UtcNow;
        row["DeviceId"] = DefenderWorld.MachineId(1);
        row["ReportId"] = number;
        return row;
    }
}
