using Microsoft.EntityFrameworkCore;
using Vedette.Agent.Contract;
using Vedette.Defender.Actions;
using Vedette.Defender.Devices;
using Vedette.Defender.State;

namespace Vedette.Defender.Tests.Actions;

public sealed class ActionServiceTests
{
    private static readonly DeviceSession Device = new(DefenderWorld.Tenant, DefenderWorld.MachineId(1));

    public static TheoryData<MachineActionType, string?, string?, string?, Refusal> WrongOrders => new()
    {
        { MachineActionType.Isolate, null, "Full", null, Refusal.MissingRequiredParameter },
        { MachineActionType.Isolate, " ", "Full", null, Refusal.MissingRequiredParameter },
        { MachineActionType.Isolate, "c", "Total", null, Refusal.InvalidInput },
        { MachineActionType.RunAntiVirusScan, "c", null, null, Refusal.MissingRequiredParameter },
        { MachineActionType.RunAntiVirusScan, "c", "Slow", null, Refusal.InvalidInput },
        { MachineActionType.StopAndQuarantineFile, "c", null, null, Refusal.MissingRequiredParameter },
        { MachineActionType.StopAndQuarantineFile, "c", null, "zz", Refusal.InvalidHashValue },
        { MachineActionType.LiveResponse, null, null, null, Refusal.MissingRequiredParameter },
        { MachineActionType.Isolate, "c", "UnManagedDevice", null, Refusal.DisallowedOperation },
    };

    public static TheoryData<MachineActionType, string, string, string?, Refusal> WrongDevices => new()
    {
        { MachineActionType.Offboard, "Linux", "", null, Refusal.OsPlatformNotSupported },
        { MachineActionType.RestrictCodeExecution, "Linux", "", null, Refusal.OsPlatformNotSupported },
        { MachineActionType.Isolate, "Linux", "", "Selective", Refusal.OsPlatformNotSupported },
        { MachineActionType.Isolate, "Windows10", "1607", "Full", Refusal.ClientVersionNotSupported },
        { MachineActionType.Isolate, "Windows10", "1703", "Selective", Refusal.ClientVersionNotSupported },
    };

    [Theory]
    [MemberData(nameof(WrongOrders))]
    public async Task Wrong_orders_are_refused(MachineActionType type, string? comment, string? scope, string? sha1, Refusal refusal)
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        var order = new ActionOrder(type, comment) { Scope = scope, Sha1 = sha1 };
        (await world.Get<ActionService>().RequestAsync(DefenderWorld.Caller, Device.DeviceId, order, default)).Error!.Refusal.ShouldBe(refusal);
    }

    [Theory]
    [MemberData(nameof(WrongDevices))]
    public async Task Devices_that_cannot_do_it_are_named(MachineActionType type, string platform, string version, string? scope, Refusal refusal)
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync(1, m => (m.OsPlatform, m.Version) = (platform, version));
        var order = new ActionOrder(type, "c") { Scope = scope };
        (await world.Get<ActionService>().RequestAsync(DefenderWorld.Caller, Device.DeviceId, order, default)).Error!.Refusal.ShouldBe(refusal);
    }

    [Fact]
    public async Task An_order_is_pending_with_the_service_s_properties()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        var action = await IsolateAsync(world);
        (action.Status, action.Type, action.Scope, action.Requestor, action.RequestSource).ShouldBe(
            (MachineActionStatus.Pending, MachineActionType.Isolate, "Full", "soc1@example.test", "PublicApi"));
        (action.CreationDateTimeUtc, action.ComputerDnsName, action.ErrorHResult).ShouldBe((world.Now, "pc-1.example.test", 0));
        action.ExpiresAt.ShouldBe(world.Now.AddDays(3));
        var unknown = await world.Get<ActionService>().RequestAsync(DefenderWorld.Caller, "elastic-connector-test", new ActionOrder(MachineActionType.Isolate, "c"), default);
        (unknown.Error!.Refusal, unknown.Error.Details[0]).ShouldBe((Refusal.MachineNotFound, "elastic-connector-test"));
    }

    [Fact]
    public async Task A_repeated_order_is_refused_or_answered_with_the_pending_one()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        var actions = world.Get<ActionService>();
        var first = await IsolateAsync(world);
        var order = new ActionOrder(MachineActionType.Isolate, "again") { Scope = "Selective" };
        (await actions.RequestAsync(DefenderWorld.Caller, Device.DeviceId, order, default)).Error!.Refusal.ShouldBe(Refusal.ActionInProgress);
        await world.Get<TenantSettingsStore>().SetAsync(DefenderWorld.Tenant, s => s.DuplicateOrders = DuplicateOrders.ReturnPending, default);
        (await actions.RequestAsync(DefenderWorld.Caller, Device.DeviceId, order, default)).Value.Id.ShouldBe(first.Id);

        // Another kind is another order, and files are apart.
        (await actions.RequestAsync(DefenderWorld.Caller, Device.DeviceId, new ActionOrder(MachineActionType.Unisolate, "c"), default)).Value.Id.ShouldNotBe(first.Id);
        var one = await actions.RequestAsync(DefenderWorld.Caller, Device.DeviceId, new ActionOrder(MachineActionType.StopAndQuarantineFile, "c") { Sha1 = new string('A', 40) }, default);
        var other = await actions.RequestAsync(DefenderWorld.Caller, Device.DeviceId, new ActionOrder(MachineActionType.StopAndQuarantineFile, "c") { Sha1 = new string('b', 40) }, default);
        one.Value.RelatedFileSha1.ShouldBe(new string('a', 40));
        other.Value.Id.ShouldNotBe(one.Value.Id);
    }

    [Fact]
    public async Task Of_orders_at_the_same_moment_one_is_taken()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        var actions = world.Get<ActionService>();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() =>
            actions.RequestAsync(DefenderWorld.Caller, Device.DeviceId, new ActionOrder(MachineActionType.Isolate, "c"), default))));
        outcomes.Count(o => o.Error is null).ShouldBe(1);
        outcomes.Where(o => o.Error is not null).ShouldAllBe(o => o.Error!.Refusal == Refusal.ActionInProgress);
    }

    [Fact]
    public async Task A_device_takes_its_orders_strictly_in_turn()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        var channel = world.Get<IDeviceChannel>();
        var first = await IsolateAsync(world);
        var second = (await world.Get<ActionService>().RequestAsync(DefenderWorld.Caller, Device.DeviceId, new ActionOrder(MachineActionType.Unisolate, "c"), default)).Value;
        (await channel.FetchCommandAsync(Device, default))!.Id.ShouldBe(first.Id);
        (await channel.BeginAsync(Device, second.Id, default)).ShouldBeFalse();
        (await channel.BeginAsync(Device, first.Id, default)).ShouldBeTrue();
        (await channel.FetchCommandAsync(Device, default))!.StartedAt.ShouldBe(world.Now);
        await channel.CompleteAsync(Device, new CommandResult(first.Id, true, new DeviceState(DeviceIsolation.Full, false, false)), default);
        (await channel.FetchCommandAsync(Device, default))!.Id.ShouldBe(second.Id);
    }

    [Fact]
    public async Task A_cancelled_order_is_withdrawn_and_a_late_result_only_tells_the_state()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        var channel = world.Get<IDeviceChannel>();
        var actions = world.Get<ActionService>();
        var action = await IsolateAsync(world);
        (await channel.BeginAsync(Device, action.Id, default)).ShouldBeTrue();
        var cancelled = (await actions.CancelAsync(DefenderWorld.Caller, action.Id, "wrong device", default)).Value;
        (cancelled.Status, cancelled.CancellationRequestor, cancelled.CancellationComment, cancelled.CancellationDateTimeUtc).ShouldBe(
            (MachineActionStatus.Cancelled, "soc1@example.test", "wrong device", world.Now));

        await channel.CompleteAsync(Device, new CommandResult(action.Id, true, new DeviceState(DeviceIsolation.Full, false, false)), default);
        (await actions.GetAsync(DefenderWorld.Caller, action.Id, default)).Value.Status.ShouldBe(MachineActionStatus.Cancelled);
        await using (var state = world.Open()) (await state.Machines.SingleAsync()).Isolation.ShouldBe(IsolationState.Full);

        var again = (await actions.CancelAsync(DefenderWorld.Caller, action.Id, null, default)).Error!;
        again.Refusal.ShouldBe(Refusal.BadRequest);
        again.Details[0].ShouldContain("Cancelled");
        (await actions.CancelAsync(DefenderWorld.Caller, Guid.NewGuid(), null, default)).Error!.Refusal.ShouldBe(Refusal.ResourceNotFound);
        (await actions.RequestAsync(DefenderWorld.Caller, Device.DeviceId, new ActionOrder(MachineActionType.Isolate, "c"), default)).Error.ShouldBeNull();
    }

    [Fact]
    public async Task After_three_days_an_order_that_nobody_took_is_given_up()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync(1, m => m.HealthStatus = HealthStatus.Inactive);
        await world.SetTimingAsync(ActionTiming.AtOnce);
        _ = world.Get<SimulatedDevices>();
        var actions = world.Get<ActionService>();
        var action = await IsolateAsync(world);
        world.Clock.Advance(TimeSpan.FromDays(3) - TimeSpan.FromSeconds(1));
        (await actions.ExpireAsync(default)).ShouldBe(0);
        (await actions.GetAsync(DefenderWorld.Caller, action.Id, default)).Value.Status.ShouldBe(MachineActionStatus.Pending);
        world.Clock.Advance(TimeSpan.FromSeconds(1));
        (await world.Get<IDeviceChannel>().BeginAsync(Device, action.Id, default)).ShouldBeFalse();
        (await actions.ExpireAsync(default)).ShouldBe(1);
        (await actions.GetAsync(DefenderWorld.Caller, action.Id, default)).Value.Status.ShouldBe(MachineActionStatus.TimeOut);
    }

    [Fact]
    public async Task Live_response_has_its_own_rules()
    {
        await using var world = await DefenderWorld.CreateAsync(null, o => o with { LiveResponseSessions = 2 });
        for (var n = 1; n <= 3; n++) await world.AddMachineAsync(n);
        var actions = world.Get<ActionService>();
        LiveResponseCommand get = new("GetFile", [new LiveResponseParameter("Path", "C:\\a")]), run = new("RunScript", [new LiveResponseParameter("ScriptName", "a.ps1")]);
        async Task<Outcome<MachineAction>> Run(int machine, params LiveResponseCommand[] commands) =>
            await actions.RequestAsync(DefenderWorld.Caller, DefenderWorld.MachineId(machine), new ActionOrder(MachineActionType.LiveResponse, null) { Commands = commands }, default);

        (await Run(1, get, run)).Error!.Refusal.ShouldBe(Refusal.InvalidInput);
        (await Run(1, new LiveResponseCommand("Dance", []))).Error!.Refusal.ShouldBe(Refusal.InvalidInput);
        (await Run(1, new LiveResponseCommand("GetFile", []))).Error!.Details.ShouldBe(["Path"]);
        (await Run(1, run, get)).Value.Commands.Select(c => (c.Index, c.CommandStatus)).ShouldBe([(0, "Created"), (1, "Created")]);
        (await Run(1, get)).Error!.Refusal.ShouldBe(Refusal.ActiveRequestAlreadyExists);
        (await Run(2, get)).Error.ShouldBeNull();
        (await Run(3, get)).Error!.Refusal.ShouldBe(Refusal.TooManySessions);
    }

    internal static async Task<MachineAction> IsolateAsync(DefenderWorld world, int machine = 1) =>
        (await world.Get<ActionService>().RequestAsync(DefenderWorld.Caller, DefenderWorld.MachineId(machine), new ActionOrder(MachineActionType.Isolate, "test"), default)).Value;
}
