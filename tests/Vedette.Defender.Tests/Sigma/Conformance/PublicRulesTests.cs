using System.Collections.Concurrent;
using System.Diagnostics;
using Vedette.Defender.Detections;
using Vedette.Defender.Sigma;
using Vedette.Defender.Tests.Detections;
using Vedette.Telemetry;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Import;
using Xunit.Abstractions;

namespace Vedette.Defender.Tests.Sigma.Conformance;

/// <summary>
/// The public Sigma rules, from the folder that VEDETTE_SIGMA_RULES names (<c>./vedette test --conformance DIR --sigma DIR</c>); they are not part
/// of this repository.
/// </summary>
[Trait("Category", "Conformance")]
[Trait("Category", "Sigma")]
public sealed class PublicRulesTests(ITestOutputHelper output)
{
    // What the sensor watches itself: processes, connections, files, the registry, images and names asked for.
    private static readonly string[] Covered =
    [
        "windows/process_creation", "windows/network_connection", "windows/file_", "windows/registry_", "windows/image_load", "windows/dns_query",
        "linux/process_creation", "linux/network_connection", "linux/file_",
    ];

    [Fact]
    public void Of_the_rules_about_what_devices_do_97_percent_convert_and_all_of_these_bind()
    {
        var report = Import(Rules());
        var converted = report.Converted.Count(rule => IsCovered(rule.LogSource));
        var refused = report.Refused.Where(rule => IsCovered(rule.LogSource)).ToList();
        output.WriteLine($"{report.Files} files in {report.Elapsed.TotalSeconds:0.0} s: {report.Converted.Count} converted, {report.Refused.Count} refused, {report.Skipped} skipped");
        output.WriteLine($"Covered log sources: {converted} of {converted + refused.Count}, {report.Converted.Count(rule => IsCovered(rule.LogSource) && rule.Notes.Count > 0)} of them with notes");
        foreach (var rule in refused) output.WriteLine(rule.ToString());

        converted.ShouldBeGreaterThan(1_000);
        (converted / (double)(converted + refused.Count)).ShouldBeGreaterThanOrEqualTo(0.97);
        // Every converted rule was bound before it was counted; one that came out wrong is refused with this reason.
        report.Refused.Where(rule => rule.Reason == SigmaReason.Query).Select(rule => rule.ToString()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_recording_is_found_by_one_of_the_rules()
    {
        var data = Environment.GetEnvironmentVariable("VEDETTE_CONFORMANCE").ShouldNotBeNull("VEDETTE_CONFORMANCE must name the folder of the shared data.");
        var rules = Import(Rules()).Converted.Select(Parse).ToList();
        await using var world = await DetectionWorld.CreateAsync([]);
        var (shared, spans) = (Guid.NewGuid(), new List<(string Recording, Guid Tenant, DateTime From, DateTime To)>());
        var files = Directory.GetFiles(Path.Combine(data, "data", "security-datasets"), "*.zip").Order(StringComparer.Ordinal).ToArray();
        files.Length.ShouldBe(15);
        foreach (var file in files)
        {
            // Recordings lie in one tenant, so that each rule runs once and times tell what was found in which; two tell of the same attack at once.
            var tenant = Path.GetFileName(file).StartsWith("compound-", StringComparison.Ordinal) ? Guid.NewGuid() : shared;
            var importer = new LogImporter(world.Store, new InMemoryImportJournal(), world.Domain.Get<IDeviceObserver>(), world.Domain.Clock);
            var report = (await importer.ImportAsync(tenant, [file], new ImportOptions(), null, CancellationToken.None)).Files.Single();
            report.Error.ShouldBeNull();
            spans.Add((Path.GetFileName(file), tenant, report.FirstEvent.ShouldNotBeNull(), report.LastEvent.ShouldNotBeNull()));
        }

        spans.SelectMany(one => spans.Where(other => other.Recording != one.Recording && other.Tenant == one.Tenant && other.From <= one.To && one.From <= other.To)).ShouldBeEmpty();
        var failures = new ConcurrentBag<string>();
        var found = spans.ToDictionary(span => span.Recording, _ => new ConcurrentBag<string>());
        var started = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(rules, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (rule, stop) =>
        {
            try
            {
                foreach (var group in spans.GroupBy(span => span.Tenant))
                {
                    var request = new HuntingRequest(group.Key, rule.Query + "\n| distinct Timestamp") { Limits = new HuntingLimits { LookBack = TimeSpan.FromDays(36_500) } };
                    var times = (await world.Hunting.RunAsync(request, stop)).Rows.Select(row => (DateTime)row[0]!).ToList();
                    foreach (var span in group.Where(span => times.Any(time => time >= span.From && time <= span.To))) found[span.Recording].Add(rule.Title);
                }
            }
            catch (HuntingException exception)
            {
                failures.Add($"{rule.Title}: {exception.Failure} {exception.Message}");
            }
        });

        output.WriteLine($"{rules.Count} rules over {files.Length} recordings in {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s");
        foreach (var (recording, titles) in found.OrderBy(pair => pair.Key)) output.WriteLine($"{recording}: {titles.Count}: {string.Join("; ", titles.Order())}");
        failures.Distinct().ShouldBeEmpty();
        found.Where(pair => pair.Value.IsEmpty).Select(pair => pair.Key).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_published_example_of_a_rule_is_found_by_it()
    {
        var root = Directory.GetParent(Rules())!.FullName;
        var converted = Directory.GetDirectories(root, "rules*").SelectMany(folder => Import(folder).Converted).DistinctBy(rule => rule.Id).ToDictionary(rule => rule.Id);
        Directory.Exists(Path.Combine(root, "regression_data")).ShouldBeTrue("the repository of the rules has its examples in the folder regression_data beside the rules");
        var examples = Directory.GetFiles(Path.Combine(root, "regression_data"), "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Where(file => Guid.TryParse(Path.GetFileNameWithoutExtension(file), out var id) && converted.ContainsKey(id)).ToList();
        await using var world = await DetectionWorld.CreateAsync([]);
        var missed = new List<string>();
        foreach (var file in examples)
        {
            var rule = converted[Guid.Parse(Path.GetFileNameWithoutExtension(file))];
            var tenant = Guid.NewGuid();
            var importer = new LogImporter(world.Store, new InMemoryImportJournal(), world.Domain.Get<IDeviceObserver>(), world.Domain.Clock);
            await importer.ImportAsync(tenant, [file], new ImportOptions(), null, CancellationToken.None);
            var request = new HuntingRequest(tenant, Parse(rule).Query) { Limits = new HuntingLimits { LookBack = TimeSpan.FromDays(36_500) } };
            if ((await world.Hunting.RunAsync(request, CancellationToken.None)).Rows.Count == 0) missed.Add($"{rule.File}: {string.Join("; ", rule.Notes)}");
        }

        output.WriteLine($"{examples.Count - missed.Count} of {examples.Count} examples found");
        foreach (var miss in missed) output.WriteLine(miss);
        missed.ShouldBeEmpty();
    }

    private static bool IsCovered(string? logSource) => logSource is not null && Covered.Any(prefix => logSource.StartsWith(prefix, StringComparison.Ordinal));

    private static SigmaReport Import(string folder) => SigmaImporter.Import(folder, new HuntingCatalogue(new TelemetryOptions()).Schema, new SigmaOptions(), null, CancellationToken.None);

    private static DetectionRule Parse(SigmaConverted converted)
    {
        var problems = new List<RuleProblem>();
        return RuleFileParser.Parse(converted.Rule, converted.Output, shipped: false, problems).ShouldNotBeNull(string.Join('\n', problems));
    }

    private static string Rules()
    {
        var folder = Environment.GetEnvironmentVariable("VEDETTE_SIGMA_RULES").ShouldNotBeNull("VEDETTE_SIGMA_RULES must name the folder 'rules' of the public Sigma rule set.");
        Directory.Exists(folder).ShouldBeTrue($"There is no folder {folder}.");
        return folder;
    }
}
