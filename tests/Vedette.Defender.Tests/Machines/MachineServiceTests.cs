using Vedette.Defender.Machines;
using Vedette.Defender.Outbox;
using Vedette.Defender.State;
using Vedette.Telemetry.Import;

namespace Vedette.Defender.Tests.Machines;

public sealed class MachineServiceTests
{
    [Fact]
    public async Task A_device_is_found_by_id_and_by_name()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        var machines = world.Get<MachineService>();
        foreach (var key in new[] { DefenderWorld.MachineId(1), DefenderWorld.MachineId(1).ToUpperInvariant(), "PC-1.example.test" })
        {
            (await machines.FindAsync(DefenderWorld.Caller, key, default)).Value.Id.ShouldBe(DefenderWorld.MachineId(1));
        }

        var missing = (await machines.FindAsync(DefenderWorld.Caller, "pc-1", default)).Error!;
        (missing.Refusal, missing.Details[0]).ShouldBe((Refusal.MachineNotFound, "pc-1"));
        (await machines.GetAsync(DefenderWorld.Caller, "pc-1.example.test", default)).Error.ShouldNotBeNull();
    }

    [Fact]
    public async Task Tags_are_added_once_and_removed_and_hunting_hears_of_it()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        var machines = world.Get<MachineService>();
        (await machines.SetTagAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), "lab", true, default)).Value.MachineTags.ShouldBe(["lab"]);
        (await machines.SetTagAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), "LAB", true, default)).Value.MachineTags.ShouldBe(["lab"]);
        (await machines.SetTagAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), "lab", false, default)).Value.MachineTags.ShouldBeEmpty();
        (await machines.SetTagAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), " ", true, default)).Error!.Refusal.ShouldBe(Refusal.MissingRequiredParameter);
        await world.Get<OutboxDispatcher>().DeliverAsync(default);
        (await world.HuntAsync("SELECT DeviceManualTags FROM hunting.DeviceInfo ORDER BY DeviceManualTags")).ShouldBe(["[\"lab\"]", "[]"]);
    }

    [Fact]
    public async Task Bulk_tagging_has_a_limit_and_is_all_or_none()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync(1);
        await world.AddMachineAsync(2);
        var machines = world.Get<MachineService>();
        var tooMany = await machines.SetTagOnManyAsync(DefenderWorld.Caller, [.. Enumerable.Range(1, 501).Select(DefenderWorld.MachineId)], "t", true, default);
        tooMany.Error!.Details.ShouldBe(["501", "500"]);
        (await machines.SetTagOnManyAsync(DefenderWorld.Caller, [DefenderWorld.MachineId(1), DefenderWorld.MachineId(3)], "t", true, default)).Error!.Refusal.ShouldBe(Refusal.MachineNotFound);
        (await machines.GetAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), default)).Value.MachineTags.ShouldBeEmpty();

        // Calls in opposite orders on the same devices neither lose a tag nor wait for ever.
        var calls = Enumerable.Range(0, 10).Select(n => machines.SetTagOnManyAsync(
            DefenderWorld.Caller, n % 2 == 0 ? [DefenderWorld.MachineId(1), DefenderWorld.MachineId(2)] : [DefenderWorld.MachineId(2), DefenderWorld.MachineId(1)], $"t{n}", true, default));
        (await Task.WhenAll(calls)).ShouldAllBe(o => o.Error == null);
        (await machines.GetAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), default)).Value.MachineTags.Length.ShouldBe(10);
    }

    [Fact]
    public async Task A_patch_replaces_the_tags_and_the_value()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync(1, m => m.MachineTags = ["old"]);
        var machine = (await world.Get<MachineService>().UpdateAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), ["a", "b", "A"], DeviceValue.High, default)).Value;
        machine.MachineTags.ShouldBe(["a", "b"]);
        machine.DeviceValue.ShouldBe(DeviceValue.High);
    }

    [Fact]
    public async Task Observing_logs_twice_adds_up_to_the_same()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var observer = world.Get<IDeviceObserver>();
        var id = DeviceIdentity.FromHostName(DefenderWorld.Tenant, "web-1");
        var device = new ObservedDevice
        {
            DeviceId = id,
            Name = "web-1.example.test",
            OsPlatform = "WindowsServer2019",
            OsBuild = 17763,
            IpAddresses = ["10.0.0.5"],
            MacAddresses = ["02AABBCCDD01"],
            FirstSeen = world.Now.AddHours(-2),
            LastSeen = world.Now.AddHours(-1),
            LoggedOnUsers = [new ObservedUser("dana", "example", "S-1-5-21-1") { FirstSeen = world.Now.AddHours(-2), LastSeen = world.Now.AddHours(-1), LogonTypes = ["Network"] }],
        };
        await observer.ObserveAsync(DefenderWorld.Tenant, [device], default);
        await observer.ObserveAsync(DefenderWorld.Tenant, [device], default);
        var later = device with
        {
            Name = "web-1",
            FirstSeen = world.Now.AddHours(-1),
            LastSeen = world.Now,
            IpAddresses = ["10.0.0.6"],
            LoggedOnUsers = [device.LoggedOnUsers[0] with { LastSeen = world.Now, LogonTypes = ["Interactive"] }],
        };
        await observer.ObserveAsync(DefenderWorld.Tenant, [later], default);

        var machine = (await world.Get<MachineService>().FindAsync(DefenderWorld.Caller, "web-1.example.test", default)).Value;
        (machine.Id, machine.Version, machine.FirstSeen, machine.LastSeen, machine.LastIpAddress).ShouldBe((id, "1809", world.Now.AddHours(-2), world.Now, "10.0.0.6"));
        machine.IpAddresses.ShouldBe([new MachineIpAddress("10.0.0.6", "02AABBCCDD01", "Ethernet", "Up")]);
        machine.Channel.ShouldBe(DeviceChannelKind.Simulated);
        var user = (await world.Get<MachineService>().LogonUsersAsync(DefenderWorld.Caller, id, default)).Value.Single();
        (user.AccountName, user.AccountSid, user.LastSeen).ShouldBe(("dana", "S-1-5-21-1", world.Now));
        user.LogonTypes.ShouldBe(["Interactive", "Network"]);
    }

    [Fact]
    public async Task The_import_journal_remembers_the_first_shift_and_the_progress()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var journal = world.Get<IImportJournal>();
        (await journal.FindAsync(DefenderWorld.Tenant, "h", default)).ShouldBeNull();
        (await journal.BeginAsync(DefenderWorld.Tenant, "h", "a.json", TimeSpan.FromTicks(12345), default)).ShouldBe(new ImportState(TimeSpan.FromTicks(12345), 0, false));
        await journal.ChunkDoneAsync(DefenderWorld.Tenant, "h", 0, default);
        await journal.ChunkDoneAsync(DefenderWorld.Tenant, "h", 1, default);
        (await journal.BeginAsync(DefenderWorld.Tenant, "h", "b.json", TimeSpan.FromDays(9), default)).ShouldBe(new ImportState(TimeSpan.FromTicks(12345), 2, false));
        await journal.CompleteAsync(DefenderWorld.Tenant, "h", 10, 20, default);
        (await journal.FindAsync(DefenderWorld.Tenant, "h", default)).ShouldBe(new ImportState(TimeSpan.FromTicks(12345), 2, true));
        (await journal.FindAsync(Guid.NewGuid(), "h", default)).ShouldBeNull();
    }
}
