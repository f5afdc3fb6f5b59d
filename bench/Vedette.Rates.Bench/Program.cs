// Events a second that ingest sustains with no rules, 100 and 1,000 continuous rules, and 15,000 indicators, and how long alerts take meanwhile.
//   Vedette.Rates.Bench FOLDER [SECONDS] [RULES …]
// The rivals, in the same run: ingest without rules, and the bare engine, which is given the very blocks that ingest gave it, one insert after the other.
// The time of an alert runs from handing its event over to the alert being there for every reader.
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.State;
using Vedette.Foundation.Migrations;
using Vedette.Foundation.Postgres;
using Vedette.Rates.Bench;
using Vedette.Telemetry;

if (args.Length == 0)
{
    Console.Error.WriteLine("usage: Vedette.Rates.Bench FOLDER [SECONDS] [RULES …]");
    return 2;
}

var culture = CultureInfo.InvariantCulture;
var folder = Path.GetFullPath(args[0]);
var seconds = args.Length > 1 ? int.Parse(args[1], culture) : 20;
int[] counts = args.Length > 2 ? [.. args.Skip(2).Select(count => int.Parse(count, culture))] : [0, 100, 1_000];
Directory.CreateDirectory(folder);
await using var state = await StateDatabase.OpenAsync(new PostgresOptions { DataFolder = Path.Combine(folder, "state") }, default);
await MigrationRunner.ApplyAsync(state.DataSource, [DefenderState.Migrations], default);
var options = new TelemetryOptions { Folder = Path.Combine(folder, "telemetry") };
await using var engine = new TelemetryEngine(options, TimeProvider.System);
await engine.StartAsync();
var recorder = new InsertRecorder(engine);
var batches = new EventSource(7).Batches(60, 500);
Console.WriteLine("rules | indicators | events/s | to 0 rules | to the bare engine | alerts | p50 | p99 | longest");

// The first round warms up and is not told.
await using (var warm = await Scenario.OpenAsync(state.DataSource, recorder, options, folder, rules: 0, indicators: 0)) await warm.RunAsync(batches, TimeSpan.FromSeconds(Math.Min(5, seconds)));
(double Rate, double Bare) first = default;
foreach (var (rules, indicators) in counts.Select(count => (count, 0)).Append((0, 15_000)).Append((counts[^1], 15_000)).Distinct())
{
    await using var scenario = await Scenario.OpenAsync(state.DataSource, recorder, options, folder, rules, indicators);
    if (first.Rate == 0) recorder.Keep(120);
    var result = await scenario.RunAsync(batches, TimeSpan.FromSeconds(seconds));
    if (first.Rate == 0) first = (result.EventsPerSecond, await recorder.ReplayAsync());
    Console.WriteLine(string.Create(
        culture,
        $"{rules,5} | {indicators,10} | {result.EventsPerSecond,8:N0} | {result.EventsPerSecond / first.Rate,10:N2} | {result.EventsPerSecond / first.Bare,18:N2} | {result.Waits.Length,3} of {result.Markers,3} | {At(result.Waits, 0.5)} | {At(result.Waits, 0.99)} | {At(result.Waits, 1)}"));
}

Console.WriteLine(string.Create(culture, $"the bare engine: {first.Bare:N0} events/s"));
return 0;

static string At(double[] waits, double share) =>
    waits.Length == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{waits[Math.Min(waits.Length - 1, (int)(waits.Length * share))]:N0} ms");
