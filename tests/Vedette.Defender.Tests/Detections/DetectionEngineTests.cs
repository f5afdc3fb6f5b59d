using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Vedette.Defender.Alerts;
using Vedette.Defender.Detections;
using Vedette.Defender.State;

namespace Vedette.Defender.Tests.Detections;

public sealed class DetectionEngineTests
{
    private const string Odd = "DeviceProcessEvents\n| where FileName =~ \"odd.exe\"";

    [Fact]
    public async Task A_result_becomes_an_alert_with_evidence()
    {
        var rule = DetectionWorld.Rule(Odd, "Odd program of {{AccountName}}");
        await using var world = await DetectionWorld.CreateAsync([rule]);
        await world.Domain.AddMachineAsync();
        var time = world.Domain.Now.AddHours(-3);
        await world.AppendAsync(world.Process("odd.exe /x", time));

        var summary = await world.RunAsync();

        summary.Alerts.ShouldBe(1);
        var alert = (await AlertsAsync(world)).ShouldHaveSingleItem();
        alert.Title.ShouldBe("Odd program of dana");
        (alert.Severity, alert.Category, alert.DetectionSource, alert.DetectorId).ShouldBe((AlertSeverity.Medium, "Execution", "CustomDetection", rule.Id));
        (alert.MachineId, alert.ComputerDnsName).ShouldBe((DefenderWorld.MachineId(1), "pc-1.example.test"));
        (alert.FirstEventTime, alert.LastEventTime, alert.AlertCreationTime).ShouldBe((time, time, world.Domain.Now));
        alert.MitreTechniques.ShouldBe(["T1059"]);
        alert.RelatedUser.ShouldBe(new RelatedUser("dana", "EXAMPLE"));
        alert.IncidentId.ShouldNotBeNull();
        var process = alert.Evidence.Single(item => item.EntityType == EvidenceKind.Process);
        (process.FileName, process.FilePath, process.ProcessId, process.ProcessCommandLine).ShouldBe(("odd.exe", @"C:\Temp", 4711, "odd.exe /x"));
        (process.ParentProcessId, process.ParentProcessFileName, process.ParentProcessFilePath).ShouldBe((99, "cmd.exe", @"C:\Windows\System32"));
        (process.Sha1, process.Sha256).ShouldBe((new string('1', 40), new string('2', 64)));
        alert.Evidence.Single(item => item.EntityType == EvidenceKind.User).UserSid.ShouldBe("S-1-5-21-1-2-3-1104");
    }

    [Fact]
    public async Task Each_row_is_looked_at_once_and_a_repetition_joins_the_open_alert()
    {
        await using var world = await DetectionWorld.CreateAsync([DetectionWorld.Rule(Odd)]);
        await world.AppendAsync(world.Process("odd.exe /x", id: 1), world.Process("odd.exe /x", id: 2), world.Process("odd.exe /y", id: 3));
        (await world.RunAsync()).Alerts.ShouldBe(2);
        (await world.RunAsync()).Runs.Single().Rows.ShouldBe(0);

        await world.AppendAsync(world.Process("odd.exe /x", world.Domain.Now.AddMinutes(5), id: 4));
        var run = (await world.RunAsync()).Runs.Single();
        (run.Rows, run.Alerts, run.Merged).ShouldBe((1, 0, 1));
        var alerts = await AlertsAsync(world);
        alerts.Count.ShouldBe(2);
        alerts.Single(alert => alert.Evidence.Any(item => item.ProcessId == 1)).Evidence.Count(item => item.EntityType == EvidenceKind.Process).ShouldBe(3);
    }

    [Fact]
    public async Task A_crash_before_the_mark_moves_repeats_nothing()
    {
        var breaker = new BreakingCorrelator();
        await using var world = await DetectionWorld.CreateAsync([DetectionWorld.Rule(Odd)], more: services => services.AddSingleton<IAlertCorrelator>(breaker));
        breaker.Until = world.Domain.Now.AddSeconds(2);
        await world.AppendAsync([.. Enumerable.Range(1, 5).Select(number => world.Process($"odd.exe /{number}", world.Domain.Now.AddSeconds(number), number))]);

        await Should.ThrowAsync<InvalidOperationException>(world.RunAsync);
        (await AlertsAsync(world)).Count.ShouldBe(2);
        breaker.Until = DateTime.MaxValue;
        (await world.RunAsync()).Alerts.ShouldBe(3);
        var before = await AlertsAsync(world);

        await world.ForgetProgressAsync();
        world.Domain.Clock.Advance(TimeSpan.FromMinutes(1));
        (await world.RunAsync()).Alerts.ShouldBe(0);
        var after = await AlertsAsync(world);
        after.Select(alert => (alert.Id, alert.LastUpdateTime, alert.Evidence.Count)).ShouldBe(before.Select(alert => (alert.Id, alert.LastUpdateTime, alert.Evidence.Count)));
    }

    [Fact]
    public async Task A_run_raises_at_most_so_many_alerts_and_tells_of_the_rest()
    {
        await using var world = await DetectionWorld.CreateAsync([DetectionWorld.Rule(Odd)], new DetectionOptions { MaxAlertsPerRun = 3 });
        await world.AppendAsync([.. Enumerable.Range(1, 5).Select(number => world.Process($"odd.exe /{number}", id: number))]);
        var run = (await world.RunAsync()).Runs.Single();
        (run.Rows, run.Alerts, run.Dropped).ShouldBe((5, 3, 2));
    }

    [Fact]
    public async Task A_failing_rule_says_why_keeps_its_place_and_stops_no_other()
    {
        var wrong = DetectionWorld.Rule("DeviceProcessEvents\n| where NoSuchColumn == 1", "Wrong");
        var right = DetectionWorld.Rule(Odd);
        await using var world = await DetectionWorld.CreateAsync([wrong, right]);
        await world.AppendAsync(world.Process("odd.exe"));

        var summary = await world.RunAsync();

        summary.Alerts.ShouldBe(1);
        var run = (await world.Engine.RunsAsync(DetectionWorld.Tenant, wrong.Id, 10, CancellationToken.None)).Single();
        run.Status.ShouldBe(RunStatus.Failed);
        run.Failure.ShouldNotBeNull().ShouldStartWith("test.yaml(11): Semantic: ");
        run.Failure.ShouldContain("NoSuchColumn");
        (await world.RunAsync()).Runs.Single(again => again.RuleId == wrong.Id).WindowFrom.ShouldBeLessThan(run.WindowTo.AddDays(-29));
    }

    [Fact]
    public async Task A_rule_with_a_frequency_counts_over_its_look_back_when_it_is_due()
    {
        var rule = DetectionWorld.Rule(
            Odd + "\n| summarize arg_max(Timestamp, *), Times = count() by DeviceId\n| where Times >= 3", "Often", TimeSpan.FromHours(1), EntityKind.User);
        await using var world = await DetectionWorld.CreateAsync([rule]);
        await world.AppendAsync(world.Process("a", id: 1), world.Process("b", id: 2));
        (await world.Engine.RunDueAsync(DetectionWorld.Tenant, CancellationToken.None)).ShouldNotBeNull().Runs.Count.ShouldBe(1);
        await world.AppendAsync(world.Process("c", id: 3));
        (await world.Engine.RunDueAsync(DetectionWorld.Tenant, CancellationToken.None)).ShouldNotBeNull().Runs.ShouldBeEmpty();

        world.Domain.Clock.Advance(TimeSpan.FromHours(1));
        (await world.Engine.RunDueAsync(DetectionWorld.Tenant, CancellationToken.None)).ShouldNotBeNull().Alerts.ShouldBe(1);
        world.Domain.Clock.Advance(TimeSpan.FromHours(1));
        (await world.Engine.RunDueAsync(DetectionWorld.Tenant, CancellationToken.None)).ShouldNotBeNull().Alerts.ShouldBe(0);
    }

    [Fact]
    public async Task Continuous_rules_run_when_rows_arrive_that_they_can_match()
    {
        await using var world = await DetectionWorld.CreateAsync([DetectionWorld.Rule(Odd)]);
        await CatchUpAsync(world);
        (await ArrivedAsync(world)).Runs.ShouldBeEmpty();
        await world.AppendAsync(world.Process("odd.exe"));
        (await ArrivedAsync(world)).Alerts.ShouldBe(1);
        (await ArrivedAsync(world)).Runs.ShouldBeEmpty();

        var other = world.Process("even.exe", id: 2);
        other["FileName"] = "even.exe";
        await world.AppendAsync(other);
        (await ArrivedAsync(world)).Runs.ShouldBeEmpty();
        await world.AppendAsync(world.Process("odd.exe /again", id: 3), other);
        (await ArrivedAsync(world)).Runs.ShouldHaveSingleItem().Rows.ShouldBe(1);
        (await AlertsAsync(world)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Of_many_rules_only_those_run_that_can_match_what_arrived()
    {
        var rules = Enumerable.Range(0, 200).Select(number => DetectionWorld.Rule($"DeviceProcessEvents\n| where ProcessCommandLine has \"marker{number:D4}\"", $"Marker {number}")).ToArray();
        await using var world = await DetectionWorld.CreateAsync(rules);
        await CatchUpAsync(world);
        await world.AppendAsync(world.Process("odd.exe marker0012", id: 1), world.Process("odd.exe -MARKER0150-", id: 2), world.Process("odd.exe unmarker0007", id: 3));
        var summary = await ArrivedAsync(world);
        summary.Runs.Select(run => (run.RuleTitle, run.Alerts)).Order().ShouldBe([("Marker 12", 1), ("Marker 150", 1), ("Marker 7", 0)]);
    }

    [Fact]
    public async Task A_continuous_rule_joins_with_what_arrived_before()
    {
        const string Query =
            """
            DeviceProcessEvents
            | where FileName =~ "odd.exe"
            | join kind=inner (DeviceLogonEvents | where LogonType == "Network" | project DeviceId, RemoteIP) on DeviceId
            """;
        await using var world = await DetectionWorld.CreateAsync([DetectionWorld.Rule(Query, kinds: [EntityKind.Process, EntityKind.Ip])]);
        await CatchUpAsync(world);
        var logon = Telemetry.Ingest.HuntingRow.For("DeviceLogonEvents");
        (logon["Timestamp"], logon["DeviceId"], logon["LogonType"], logon["RemoteIP"]) = (world.Domain.Now.AddHours(-2), DefenderWorld.MachineId(1), "Network", "10.1.2.3");
        await world.AppendAsync(logon);
        (await ArrivedAsync(world)).Alerts.ShouldBe(0);
        await world.AppendAsync(world.Process("odd.exe"));
        (await ArrivedAsync(world)).Alerts.ShouldBe(1);
        (await AlertsAsync(world)).Single().Evidence.ShouldContain(item => item.IpAddress == "10.1.2.3");
    }

    [Fact]
    public async Task What_arrived_before_a_crash_is_looked_at_after_it()
    {
        var breaker = new BreakingCorrelator();
        await using var world = await DetectionWorld.CreateAsync([DetectionWorld.Rule(Odd)], more: services => services.AddSingleton<IAlertCorrelator>(breaker));
        await CatchUpAsync(world);
        breaker.Until = world.Domain.Now.AddSeconds(2);
        await world.AppendAsync([.. Enumerable.Range(1, 5).Select(number => world.Process($"odd.exe /{number}", world.Domain.Now.AddSeconds(number), number))]);
        await Should.ThrowAsync<InvalidOperationException>(() => ArrivedAsync(world));
        (await AlertsAsync(world)).Count.ShouldBe(2);

        // A new start knows nothing of what arrived before it.
        world.Domain.Get<DetectionArrivals>().Forget();
        breaker.Until = DateTime.MaxValue;
        (await ArrivedAsync(world)).Alerts.ShouldBe(3);
        (await ArrivedAsync(world)).Alerts.ShouldBe(0);
        (await AlertsAsync(world)).Count.ShouldBe(5);
    }

    [Fact]
    public async Task A_continuous_rule_that_fails_stops_no_other_and_catches_up()
    {
        var wrong = DetectionWorld.Rule("DeviceProcessEvents\n| where NoSuchColumn == 1", "Wrong");
        await using var world = await DetectionWorld.CreateAsync([wrong, DetectionWorld.Rule(Odd)]);
        await CatchUpAsync(world);
        await world.AppendAsync(world.Process("odd.exe"));
        (await ArrivedAsync(world)).Alerts.ShouldBe(1);
        var runs = await world.Engine.RunsAsync(DetectionWorld.Tenant, wrong.Id, 10, CancellationToken.None);
        runs.ShouldHaveSingleItem().Failure.ShouldNotBeNull().ShouldContain("NoSuchColumn");

        // It is tried again after a while, from where it was.
        world.Domain.Clock.Advance(new DetectionOptions().Interval);
        var again = (await world.Engine.RunDueAsync(DetectionWorld.Tenant, CancellationToken.None)).ShouldNotBeNull().Runs.ShouldHaveSingleItem();
        (again.RuleId, again.WindowFrom).ShouldBe((wrong.Id, runs[0].WindowFrom));
    }

    [Fact]
    public async Task A_continuous_rule_raises_so_many_alerts_in_a_minute()
    {
        await using var world = await DetectionWorld.CreateAsync([DetectionWorld.Rule(Odd)], new DetectionOptions { MaxAlertsPerRun = 3 });
        await CatchUpAsync(world);
        var (raised, dropped) = (0, 0);
        for (var number = 1; number <= 8; number++)
        {
            await world.AppendAsync(world.Process($"odd.exe /{number}", id: number));
            var run = (await ArrivedAsync(world)).Runs.ShouldHaveSingleItem();
            (raised, dropped) = (raised + run.Alerts, dropped + run.Dropped);
        }

        // A new minute may begin meanwhile.
        raised.ShouldBeInRange(3, 6);
        (raised + dropped).ShouldBe(8);
    }

    [Fact]
    public async Task A_tenant_sees_its_own_rows_only()
    {
        await using var world = await DetectionWorld.CreateAsync([DetectionWorld.Rule(Odd)]);
        await world.AppendAsync(world.Process("odd.exe"));
        (await world.Engine.RunNowAsync(Guid.NewGuid(), CancellationToken.None)).Alerts.ShouldBe(0);
    }

    [Fact]
    public async Task Alerts_follow_arrivals_and_the_schedule_goes_by_the_product_s_clock()
    {
        var options = new DetectionOptions { FirstLook = TimeSpan.Zero };
        var often = DetectionWorld.Rule(Odd + "\n| summarize arg_max(Timestamp, *), Times = count() by DeviceId\n| where Times >= 2", "Often", TimeSpan.FromHours(1), EntityKind.User);
        await using var world = await DetectionWorld.CreateAsync([DetectionWorld.Rule(Odd), often], options);
        await world.Domain.AddMachineAsync();
        var scheduler = world.Domain.Get<IEnumerable<IHostedService>>().OfType<DetectionScheduler>().Single();
        await scheduler.StartAsync(CancellationToken.None);
        foreach (var number in new[] { 1, 2, 3 })
        {
            await world.AppendAsync(world.Process($"odd.exe /{number}", id: number));
            await UntilAsync(world, alerts => alerts.Count(alert => alert.Title == "Odd program") == number);
        }

        for (var tries = 0; tries < 300 && (await AlertsAsync(world)).All(alert => alert.Title != "Often"); tries++)
        {
            world.Domain.Clock.Advance(options.Interval);
            await Task.Delay(20);
        }

        await UntilAsync(world, alerts => alerts.Any(alert => alert.Title == "Often"));
        await scheduler.StopAsync(CancellationToken.None);
        (await AlertsAsync(world)).Count.ShouldBe(4);
    }

    private static async Task UntilAsync(DetectionWorld world, Func<List<Alert>, bool> condition)
    {
        for (var tries = 0; !condition(await AlertsAsync(world)); tries++)
        {
            tries.ShouldBeLessThan(600);
            await Task.Delay(50);
        }
    }

    // A rule's first run looks back thirty days; from then on it goes with arrivals.
    private static async Task CatchUpAsync(DetectionWorld world)
    {
        (await world.Engine.RunDueAsync(DetectionWorld.Tenant, CancellationToken.None)).ShouldNotBeNull();
        await ArrivedAsync(world);
    }

    private static async Task<DetectionSummary> ArrivedAsync(DetectionWorld world) =>
        (await world.Engine.RunArrivedAsync(DetectionWorld.Tenant, CancellationToken.None)).ShouldNotBeNull();

    private static async Task<List<Alert>> AlertsAsync(DetectionWorld world)
    {
        await using var state = world.Domain.Open();
        return await state.Alerts.AsNoTracking().Include(alert => alert.Evidence).OrderBy(alert => alert.FirstEventTime).ThenBy(alert => alert.Id).ToListAsync();
    }

    /// <summary>Fails at alerts of later events, as a crash would.</summary>
    private sealed class BreakingCorrelator : IAlertCorrelator
    {
        public DateTime Until { get; set; } = DateTime.MaxValue;

        public Task CorrelateAsync(DefenderDbContext state, Alert alert, CancellationToken cancellationToken) =>
            alert.FirstEventTime <= Until ? Task.CompletedTask : throw new InvalidOperationException("Cut off.");
    }
}
