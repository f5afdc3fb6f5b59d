using System.Diagnostics;
using System.IO.Compression;
using Microsoft.EntityFrameworkCore;
using Vedette.Agent.Contract;
using Vedette.Defender.Actions;
using Vedette.Defender.Devices;
using Vedette.Defender.LiveResponse;
using Vedette.Defender.Outbox;
using Vedette.Defender.State;
using Vedette.Defender.Tests.Actions;

namespace Vedette.Defender.Tests.Devices;

public sealed class SimulatedDevicesTests
{
    [Fact]
    public async Task An_isolation_takes_its_time_and_then_the_device_is_isolated()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        var devices = world.Get<SimulatedDevices>();
        await devices.StartAsync(default);
        var action = await ActionServiceTests.IsolateAsync(world);
        await UntilAsync(world, action, MachineActionStatus.InProgress, TimeSpan.FromSeconds(1));
        (await MachineAsync(world)).Isolation.ShouldBe(IsolationState.None);
        await UntilAsync(world, action, MachineActionStatus.Succeeded, TimeSpan.FromSeconds(2));
        (await MachineAsync(world)).Isolation.ShouldBe(IsolationState.Full);
        await devices.StopAsync(default);

        await world.Get<OutboxDispatcher>().DeliverAsync(default);
        (await world.HuntAsync("SELECT DeviceName, JSONExtractBool(MitigationStatus, 'isolated') FROM hunting.DeviceInfo")).ShouldBe(["pc-1.example.test|1"]);
    }

    [Fact]
    public async Task At_once_means_that_the_next_look_sees_the_end()
    {
        await using var world = await AtOnceAsync();
        foreach (var type in new[]
        {
            MachineActionType.Isolate, MachineActionType.RestrictCodeExecution, MachineActionType.Unisolate, MachineActionType.UnrestrictCodeExecution,
            MachineActionType.RunAntiVirusScan, MachineActionType.Offboard,
        })
        {
            var order = new ActionOrder(type, "c") { Scope = type == MachineActionType.RunAntiVirusScan ? "Quick" : null };
            var action = (await world.Get<ActionService>().RequestAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), order, default)).Value;
            action.Status.ShouldBe(MachineActionStatus.Pending);
            (await StatusAsync(world, action)).ShouldBe(MachineActionStatus.Succeeded, type.ToString());
            var machine = await MachineAsync(world);
            (machine.Isolation == IsolationState.Full).ShouldBe(type is MachineActionType.Isolate or MachineActionType.RestrictCodeExecution);
            machine.IsCodeExecutionRestricted.ShouldBe(type is MachineActionType.RestrictCodeExecution or MachineActionType.Unisolate);
            machine.OnboardingStatus.ShouldBe(type == MachineActionType.Offboard ? OnboardingStatus.CanBeOnboarded : OnboardingStatus.Onboarded);
        }

        (await world.HuntAsync("SELECT ActionType, JSONExtractString(AdditionalFields, 'ScanTypeIndex') FROM hunting.DeviceEvents")).ShouldBe(["AntivirusScanCompleted|Quick"]);
        var offboarded = await world.Get<ActionService>().RequestAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), new ActionOrder(MachineActionType.Isolate, "c"), default);
        offboarded.Error!.Refusal.ShouldBe(Refusal.DisallowedOperation);
    }

    [Fact]
    public async Task Reads_bring_an_action_on_exactly()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        await world.SetTimingAsync(new ActionTiming(ActionTimingMode.AfterReads, 2, 1));
        _ = world.Get<SimulatedDevices>();
        var action = await ActionServiceTests.IsolateAsync(world);
        var seen = new List<MachineActionStatus>();
        for (var read = 0; read < 5; read++)
        {
            seen.Add(await StatusAsync(world, action));
            await world.Get<ActionService>().NoteReadsAsync(DefenderWorld.Tenant, [action.Id], default);
        }

        seen.ShouldBe([MachineActionStatus.Pending, MachineActionStatus.Pending, MachineActionStatus.InProgress, MachineActionStatus.Succeeded, MachineActionStatus.Succeeded]);
    }

    [Fact]
    public async Task Failure_can_be_ordered()
    {
        await using var world = await AtOnceAsync(ActionTiming.AtOnce with { Outcome = MachineActionStatus.Failed });
        var action = await ActionServiceTests.IsolateAsync(world);
        var failed = (await world.Get<ActionService>().GetAsync(DefenderWorld.Caller, action.Id, default)).Value;
        (failed.Status, failed.ErrorHResult).ShouldBe((MachineActionStatus.Failed, unchecked((int)0x80004005)));
        (await MachineAsync(world)).Isolation.ShouldBe(IsolationState.None);
    }

    [Fact]
    public async Task A_device_that_is_off_keeps_its_queue_and_works_it_off_in_order()
    {
        await using var world = await AtOnceAsync();
        await ChangeAsync(world, m => m.HealthStatus = HealthStatus.Inactive);
        var isolate = await ActionServiceTests.IsolateAsync(world);
        var release = (await world.Get<ActionService>().RequestAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), new ActionOrder(MachineActionType.Unisolate, "c"), default)).Value;
        (await StatusAsync(world, isolate)).ShouldBe(MachineActionStatus.Pending);
        await ChangeAsync(world, m => m.HealthStatus = HealthStatus.Active);
        await world.Get<SimulatedDevices>().StepAsync(new DeviceSession(DefenderWorld.Tenant, DefenderWorld.MachineId(1)), default);
        (await StatusAsync(world, release)).ShouldBe(MachineActionStatus.Succeeded);
        (await MachineAsync(world)).Isolation.ShouldBe(IsolationState.None);
    }

    [Fact]
    public async Task An_unmanaged_device_is_contained_by_its_neighbours_and_released()
    {
        await using var world = await AtOnceAsync();
        await ChangeAsync(world, m => (m.OnboardingStatus, m.Channel, m.OsPlatform) = (OnboardingStatus.CanBeOnboarded, DeviceChannelKind.None, "Other"));
        var actions = world.Get<ActionService>();
        var order = new ActionOrder(MachineActionType.Isolate, "c") { Scope = "unmanageddevice" };
        var action = (await actions.RequestAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), order, default)).Value;
        action.Scope.ShouldBe("UnManagedDevice");
        (await StatusAsync(world, action)).ShouldBe(MachineActionStatus.Succeeded);
        (await MachineAsync(world)).Isolation.ShouldBe(IsolationState.Contained);
    }

    [Fact]
    public async Task A_collected_package_is_a_zip_of_what_is_known_of_the_device()
    {
        await using var world = await AtOnceAsync();
        await ChangeAsync(world, m => m.IpAddresses = [new MachineIpAddress("192.0.2.1", "02AABBCCDD01", "Ethernet", "Up")]);
        await world.AppendAsync("DeviceProcessEvents", ("ActionType", "ProcessCreated"), ("FileName", "odd.exe"), ("ProcessCommandLine", "odd.exe \"-x\", twice"), ("ProcessId", 4711L));
        await world.AppendAsync("DeviceRegistryEvents", ("RegistryKey", @"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Run"), ("RegistryValueName", "odd"));
        var actions = world.Get<ActionService>();
        var early = await ActionServiceTests.IsolateAsync(world);
        (await actions.PackageAsync(DefenderWorld.Caller, early.Id, default)).Error!.Refusal.ShouldBe(Refusal.NotFound);
        var action = (await actions.RequestAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), new ActionOrder(MachineActionType.CollectInvestigationPackage, "c"), default)).Value;
        var package = (await actions.PackageAsync(DefenderWorld.Caller, action.Id, default)).Value;
        await using var content = actions.OpenFile(package);
        content.Length.ShouldBe(package.Size);
        using var zip = new ZipArchive(content);
        (await new StreamReader(zip.GetEntry("Network connections/IpConfig.csv")!.Open()).ReadToEndAsync()).ShouldContain("192.0.2.1,02AABBCCDD01,Ethernet,Up");
        (await new StreamReader(zip.GetEntry("System Information/SystemInformation.txt")!.Open()).ReadToEndAsync()).ShouldContain("pc-1.example.test");
        (await new StreamReader(zip.GetEntry("Processes/Processes.csv")!.Open()).ReadToEndAsync()).ShouldContain("\"odd.exe \"\"-x\"\", twice\"");
        (await new StreamReader(zip.GetEntry("Autoruns/Autoruns.csv")!.Open()).ReadToEndAsync()).ShouldContain(",odd,");
        var summary = await new StreamReader(zip.GetEntry("Forensics Collection Summary.csv")!.Open()).ReadToEndAsync();
        summary.ShouldContain("Processes/Processes.csv,1,Collected");
        summary.ShouldNotContain("Failed");
    }

    [Fact]
    public async Task A_file_is_quarantined_only_where_it_was_seen()
    {
        await using var world = await AtOnceAsync();
        var (seen, unseen) = (new string('a', 40), new string('b', 40));
        await world.AppendAsync("DeviceFileEvents", ("SHA1", seen), ("FileName", "odd.dll"));
        foreach (var (sha1, status, error) in new[] { (seen, MachineActionStatus.Succeeded, 0), (unseen, MachineActionStatus.Failed, unchecked((int)0x80070002)) })
        {
            var order = new ActionOrder(MachineActionType.StopAndQuarantineFile, "c") { Sha1 = sha1.ToUpperInvariant() };
            var action = (await world.Get<ActionService>().RequestAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), order, default)).Value;
            var ended = (await world.Get<ActionService>().GetAsync(DefenderWorld.Caller, action.Id, default)).Value;
            (ended.Status, ended.ErrorHResult).ShouldBe((status, error));
        }
    }

    [Fact]
    public async Task A_live_response_session_stops_at_the_first_failure()
    {
        await using var world = await AtOnceAsync();
        (await world.Get<LibraryService>().UploadAsync(DefenderWorld.Caller, new LibraryUpload("a.ps1", "Write-Output 1"u8.ToArray()), default)).Error.ShouldBeNull();
        LiveResponseCommand run = new("RunScript", [new LiveResponseParameter("ScriptName", "a.ps1")]), get = new("GetFile", [new LiveResponseParameter("Path", "C:\\a")]);
        var action = (await world.Get<ActionService>().RequestAsync(
            DefenderWorld.Caller, DefenderWorld.MachineId(1), new ActionOrder(MachineActionType.LiveResponse, null) { Commands = [run, get, get] }, default)).Value;
        var ended = (await world.Get<ActionService>().GetAsync(DefenderWorld.Caller, action.Id, default)).Value;
        ended.Status.ShouldBe(MachineActionStatus.Failed);
        ended.Commands.Select(c => c.CommandStatus).ShouldBe(["Completed", "Failed", "Created"]);
        ended.Commands[0].ResultFile.ShouldNotBeNull();
        ended.Commands[1].Errors.ShouldNotBeEmpty();
    }

    private static async Task<DefenderWorld> AtOnceAsync(ActionTiming? timing = null)
    {
        var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        await world.SetTimingAsync(timing ?? ActionTiming.AtOnce);
        _ = world.Get<SimulatedDevices>();
        return world;
    }

    private static async Task<MachineActionStatus> StatusAsync(DefenderWorld world, MachineAction action) =>
        (await world.Get<ActionService>().GetAsync(DefenderWorld.Caller, action.Id, default)).Value.Status;

    private static async Task<Machine> MachineAsync(DefenderWorld world)
    {
        await using var state = world.Open();
        return await state.Machines.AsNoTracking().SingleAsync();
    }

    private static async Task ChangeAsync(DefenderWorld world, Action<Machine> change)
    {
        await using var state = world.Open();
        change(await state.Machines.SingleAsync());
        await state.SaveChangesAsync();
    }

    /// <summary>Moves the clock once, then waits (in real time) for the hosted loop to notice.</summary>
    private static async Task UntilAsync(DefenderWorld world, MachineAction action, MachineActionStatus status, TimeSpan advance)
    {
        (await StatusAsync(world, action)).ShouldNotBe(status);
        await Task.Delay(200);
        (await StatusAsync(world, action)).ShouldNotBe(status);
        world.Clock.Advance(advance);
        var watch = Stopwatch.StartNew();
        while (await StatusAsync(world, action) != status && watch.Elapsed < TimeSpan.FromSeconds(10)) await Task.Delay(20);
        (await StatusAsync(world, action)).ShouldBe(status);
    }
}
