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
        var breaker = new BreakingCorrelator { Allowed = 2 };
        await using var world = await DetectionWorld.CreateAsync([DetectionWorld.Rule(Odd)], more: services => services.AddSingleton<IAlertCorrelator>(breaker));
        await world.AppendAsync([.. Enumerable.Range(1, 5).Select(number => world.Process($"odd.exe /{number}", world.Domain.Now.AddSeconds(number), number))]);

        await Should.ThrowAsync<InvalidOperationException>(world.RunAsync);
        (await AlertsAsync(world)).Count.ShouldBe(2);
        breaker.Allowed = int.MaxValue;
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
    public async Task Continuous_rules_rest_while_nothing_arrives()
    {
        await using var world = await DetectionWorld.CreateAsync([DetectionWorld.Rule(Odd)]);
        (await world.Engine.RunDueAsync(DetectionWorld.Tenant, CancellationToken.None)).ShouldNotBeNull().Runs.ShouldBeEmpty();
        await world.AppendAsync(world.Process("odd.exe"));
        (await world.Engine.RunDueAsync(DetectionWorld.Tenant, CancellationToken.None)).ShouldNotBeNull().Alerts.ShouldBe(1);
        (await world.Engine.RunDueAsync(DetectionWorld.Tenant, CancellationToken.None)).ShouldNotBeNull().Runs.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_tenant_sees_its_own_rows_only()
    {
        await using var world = await DetectionWorld.CreateAsync([DetectionWorld.Rule(Odd)]);
        await world.AppendAsync(world.Process("odd.exe"));
        (await world.Engine.RunNowAsync(Guid.NewGuid(), CancellationToken.None)).Alerts.ShouldBe(0);
    }

    [Fact]
    public async Task The_schedule_goes_by_the_product_s_clock()
    {
        var options = new DetectionOptions();
        await using var world = await DetectionWorld.CreateAsync([DetectionWorld.Rule(Odd)], options);
        await world.Domain.AddMachineAsync();
        await world.AppendAsync(world.Process("odd.exe"));
        var scheduler = world.Domain.Get<IEnumerable<IHostedService>>().OfType<DetectionScheduler>().Single();
        await scheduler.StartAsync(CancellationToken.None);
        (await AlertsAsync(world)).ShouldBeEmpty();
        for (var tries = 0; tries < 300 && (await AlertsAsync(world)).Count == 0; tries++)
        {
            world.Domain.Clock.Advance(options.Interval);
            await Task.Delay(100);
        }

        await scheduler.StopAsync(CancellationToken.None);
        (await AlertsAsync(world)).Count.ShouldBe(1);
    }

    private static async Task<List<Alert>> AlertsAsync(DetectionWorld world)
    {
        await using var state = world.Domain.Open();
        return await state.Alerts.AsNoTracking().Include(alert => alert.Evidence).OrderBy(alert => alert.FirstEventTime).ThenBy(alert => alert.Id).ToListAsync();
    }

    /// <summary>Fails after a number of alerts, as a crash would.</summary>
    private sealed class BreakingCorrelator : IAlertCorrelator
    {
        public int Allowed { get; set; }

        public Task CorrelateAsync(DefenderDbContext state, Alert alert, CancellationToken cancellationToken) =>
            Allowed-- > 0 ? Task.CompletedTask : throw new InvalidOperationException("Cut off.");
    }
}
