using Vedette.Foundation.Time;
using Vedette.Testing;

namespace Vedette.Foundation.Tests.Time;

public sealed class ServerClockTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly ManualClock _machine = new(Start.UtcDateTime);

    [Fact]
    public void It_runs_with_the_machine_until_it_is_moved()
    {
        var clock = new ServerClock(_machine);
        _machine.Advance(TimeSpan.FromMinutes(1));
        clock.GetUtcNow().ShouldBe(Start.AddMinutes(1));
        clock.Advance(TimeSpan.FromHours(-2));
        clock.GetUtcNow().ShouldBe(Start.AddMinutes(1).AddHours(-2));
        clock.Set(Start.AddDays(9));
        _machine.Advance(TimeSpan.FromSeconds(5));
        clock.GetUtcNow().ShouldBe(Start.AddDays(9).AddSeconds(5));
        clock.Reset();
        clock.GetUtcNow().ShouldBe(_machine.GetUtcNow());
    }

    [Fact]
    public void A_stopped_clock_stands_still_and_runs_on_from_where_it_stood()
    {
        var clock = new ServerClock(_machine);
        clock.Freeze();
        _machine.Advance(TimeSpan.FromHours(1));
        clock.GetUtcNow().ShouldBe(Start);
        clock.Advance(TimeSpan.FromMinutes(3));
        clock.GetUtcNow().ShouldBe(Start.AddMinutes(3));
        clock.Run();
        _machine.Advance(TimeSpan.FromMinutes(1));
        clock.GetUtcNow().ShouldBe(Start.AddMinutes(4));
        clock.IsFrozen.ShouldBeFalse();
    }

    [Fact]
    public void Timers_go_by_the_machine_and_come_closer_when_the_clock_is_moved()
    {
        var clock = new ServerClock(_machine);
        var fired = 0;
        using var timer = clock.CreateTimer(_ => fired++, null, TimeSpan.FromMinutes(10), Timeout.InfiniteTimeSpan);
        clock.Freeze();
        _machine.Advance(TimeSpan.FromMinutes(4));
        fired.ShouldBe(0);
        clock.Advance(TimeSpan.FromMinutes(5));
        fired.ShouldBe(0);
        _machine.Advance(TimeSpan.FromMinutes(1));
        fired.ShouldBe(1);
        clock.Advance(TimeSpan.FromDays(1));
        fired.ShouldBe(1);
    }

    [Fact]
    public async Task A_delay_ends_as_soon_as_the_clock_passes_it()
    {
        var clock = new ServerClock(TimeProvider.System);
        var delay = Task.Delay(TimeSpan.FromDays(2), clock);
        delay.IsCompleted.ShouldBeFalse();
        clock.Advance(TimeSpan.FromDays(3));
        await delay.WaitAsync(TimeSpan.FromSeconds(30));
    }
}
