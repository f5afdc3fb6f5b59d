using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Vedette.Defender.Detections;
using Vedette.Defender.State;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Import;
using YamlDotNet.Serialization;
using Xunit.Abstractions;
using YamlDotNet.Serialization.NamingConventions;

namespace Vedette.Defender.Tests.Detections.Conformance;

/// <summary>Recorded attacks, imported as a user would: each must raise the alert that its name promises, and a query must find it.</summary>
[Trait("Category", "Conformance")]
public sealed class RecordingTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Every_recording_raises_the_alert_that_its_name_promises()
    {
        await using var world = await DetectionWorld.CreateAsync();
        var rules = world.Domain.Get<RuleCatalogue>().Current.Rules.ToDictionary(rule => rule.Name);
        var failures = new List<string>();
        foreach (var recording in Recordings())
        {
            var tenant = await ImportAsync(world, recording, new ImportOptions());
            var summary = await world.Engine.RunNowAsync(tenant, CancellationToken.None);
            failures.AddRange(summary.Runs.Where(run => run.Status == RunStatus.Failed).Select(run => $"{recording.File}: {run.RuleTitle}: {run.Failure}"));
            await using var state = world.Domain.Open();
            var alerts = await state.Alerts.AsNoTracking().Include(alert => alert.Evidence).Where(alert => alert.TenantId == tenant).ToListAsync();
            var promised = alerts.Where(alert => alert.DetectorId == rules[recording.Rule].Id).ToList();
            if (promised.Count == 0) failures.Add($"{recording.File}: no alert of {recording.Rule}; there are {string.Join(", ", alerts.Select(alert => alert.Title))}");
            else if (!promised.Any(alert => alert.Evidence.Any(item => Texts(item).Any(text => text.Contains(recording.Evidence, StringComparison.OrdinalIgnoreCase)))))
                failures.Add($"{recording.File}: no evidence tells of {recording.Evidence}");
            else if (promised.Any(alert => alert.MachineId is null || alert.IncidentId is null || alert.FirstEventTime.Year > 2022))
                failures.Add($"{recording.File}: an alert lacks its device, incident or time");
        }

        failures.ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_recording_raises_its_alert_while_it_streams_in()
    {
        await using var world = await DetectionWorld.CreateAsync();
        var rules = world.Domain.Get<RuleCatalogue>().Current.Rules.ToDictionary(rule => rule.Name);
        var scheduler = world.Domain.Get<IEnumerable<IHostedService>>().OfType<DetectionScheduler>().Single();
        await scheduler.StartAsync(CancellationToken.None);
        var waits = new Dictionary<string, TimeSpan>();
        var failures = new List<string>();
        foreach (var recording in Recordings())
        {
            // Nobody runs the rules: the alert has to come by itself.
            var tenant = await ImportAsync(world, recording, new ImportOptions { Replay = new ReplayOptions { Speed = double.PositiveInfinity } });
            var ended = Stopwatch.GetTimestamp();
            while (!await HasAlertAsync(world, tenant, rules[recording.Rule].Id) && Stopwatch.GetElapsedTime(ended) < TimeSpan.FromMinutes(1)) await Task.Delay(20);
            waits[recording.File] = Stopwatch.GetElapsedTime(ended);
            if (!await HasAlertAsync(world, tenant, rules[recording.Rule].Id)) failures.Add(recording.File);
        }

        await scheduler.StopAsync(CancellationToken.None);
        foreach (var (file, wait) in waits) output.WriteLine($"{file}: {wait.TotalMilliseconds:0} ms after its last event");
        failures.ShouldBeEmpty();
    }

    private static async Task<bool> HasAlertAsync(DetectionWorld world, Guid tenant, Guid rule)
    {
        await using var state = world.Domain.Open();
        return await state.Alerts.AsNoTracking().AnyAsync(alert => alert.TenantId == tenant && alert.DetectorId == rule);
    }

    [Fact]
    public async Task A_query_finds_the_attack_of_every_recording()
    {
        await using var world = await DetectionWorld.CreateAsync([]);
        var failures = new List<string>();
        foreach (var recording in Recordings())
        {
            var tenant = await ImportAsync(world, recording, new ImportOptions { ShiftToNow = true });
            try
            {
                var found = await world.Hunting.RunAsync(new HuntingRequest(tenant, recording.Query), CancellationToken.None);
                if (found.Rows.Count == 0) failures.Add($"{recording.File}: the query finds nothing");
            }
            catch (HuntingException exception)
            {
                failures.Add($"{recording.File}: {exception.Failure} {exception.Message}");
            }
        }

        failures.ShouldBeEmpty();
    }

    private static async Task<Guid> ImportAsync(DetectionWorld world, Recording recording, ImportOptions options)
    {
        var folder = Environment.GetEnvironmentVariable("VEDETTE_CONFORMANCE").ShouldNotBeNull("VEDETTE_CONFORMANCE must name the folder of the shared data.");
        var tenant = Guid.NewGuid();
        var importer = new LogImporter(world.Store, new InMemoryImportJournal(), world.Domain.Get<IDeviceObserver>(), world.Domain.Clock);
        var report = await importer.ImportAsync(
            tenant, [Path.Combine(folder, "data", "security-datasets", recording.File)], options, null, CancellationToken.None);
        report.Files.Single().Error.ShouldBeNull();
        return tenant;
    }

    private static IEnumerable<string> Texts(AlertEvidence item) =>
        new[] { item.FileName, item.FilePath, item.ProcessCommandLine, item.IpAddress, item.RegistryKey, item.RegistryValueName, item.RegistryValue }.OfType<string>();

    private static List<Recording> Recordings()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root!.FullName, "Vedette.slnx"))) root = root.Parent;
        var text = File.ReadAllText(Path.Combine(root.FullName, "tests", "Vedette.Defender.Tests", "Detections", "recordings.yaml"));
        var recordings = new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance).Build().Deserialize<List<Recording>>(text);
        recordings.Count.ShouldBe(15);
        return recordings;
    }

    private sealed class Recording
    {
        public string File { get; set; } = "";

        public string Rule { get; set; } = "";

        public string Evidence { get; set; } = "";

        public string Query { get; set; } = "";
    }
}
