using Microsoft.EntityFrameworkCore;
using Vedette.Agent.Contract;

namespace Vedette.Defender.Tests.Devices;

public sealed class DeviceChannelTests
{
    [Fact]
    public async Task A_sign_of_life_is_no_full_report()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var machine = await world.AddMachineAsync();
        var device = new DeviceSession(DefenderWorld.Tenant, machine.Id);
        var channel = world.Get<IDeviceChannel>();
        world.Clock.Advance(TimeSpan.FromHours(2));
        await channel.HeartbeatAsync(device, new Heartbeat(new DeviceState(DeviceIsolation.None, false, false), null), default);
        await using (var state = world.Open())
        {
            var after = await state.Machines.SingleAsync();
            (after.LastSeen, after.LastContact).ShouldBe((machine.LastSeen, world.Now));
        }

        await channel.HeartbeatAsync(
            device, new Heartbeat(new DeviceState(DeviceIsolation.None, false, false), new DeviceInventory { Name = "PC-1.example.test", OsPlatform = "Windows11" }), default);
        await using (var state = world.Open()) (await state.Machines.SingleAsync()).LastSeen.ShouldBe(world.Now);
    }
}
