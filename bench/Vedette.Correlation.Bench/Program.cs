// What adding an alert costs when few and when many are stored: the rival is the same work at the first size.
//   Vedette.Correlation.Bench FOLDER [ALERTS] [SIZE…]
// Each size is loaded by the database itself; then ALERTS alerts come in through the intake as detections raise them, with four pieces of evidence:
// most join an open incident of their device, a few link two incidents, the rest open one. Times are of whole transactions, commits on disk included.
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vedette.Correlation.Bench;
using Vedette.Defender;
using Vedette.Defender.Alerts;
using Vedette.Defender.Detections;
using Vedette.Defender.State;
using Vedette.Foundation.Migrations;
using Vedette.Foundation.Postgres;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;

if (args.Length == 0)
{
    Console.Error.WriteLine("usage: Vedette.Correlation.Bench FOLDER [ALERTS] [SIZE…]");
    return 2;
}

var folder = args[0];
var count = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 300;
int[] sizes = args.Length > 2 ? [.. args.Skip(2).Select(size => int.Parse(size, CultureInfo.InvariantCulture))] : [1_000, 100_000, 1_000_000];
Directory.CreateDirectory(folder);
await using var state = await StateDatabase.OpenAsync(new PostgresOptions { DataFolder = folder }, default);
var database = state.DataSource;
await MigrationRunner.ApplyAsync(database, [DefenderState.Migrations], default);
var services = new ServiceCollection()
    .AddLogging()
    .AddSingleton(database)
    .AddSingleton<IHuntingStore, NoHunting>()
    .AddSingleton<IHuntingService, NoHunting>()
    .AddVedetteDefender(new DefenderOptions { FilesFolder = folder })
    .AddVedetteDetections(new DetectionOptions { OwnRules = folder })
    .BuildServiceProvider();
var intake = services.GetRequiredService<AlertIntake>();
var tenant = Guid.Parse(StoredAlerts.Tenant);
var culture = CultureInfo.InvariantCulture;
Console.WriteLine("stored alerts | load | median | p95 | p99 | times the first | new, merged into an incident, opened");
var (stored, raised, first) = (0, 0, 0.0);
foreach (var size in sizes)
{
    var loading = Stopwatch.StartNew();
    for (; stored < size; stored = Math.Min(size, stored + 100_000)) await StoredAlerts.MakeAsync(database, stored, Math.Min(size, stored + 100_000));
    await StoredAlerts.SettleAsync(database);
    loading.Stop();
    await RaiseAsync(Math.Max(20, count / 5), size);
    var before = await IncidentsAsync();
    var times = await RaiseAsync(count, size);
    var after = await IncidentsAsync();
    Array.Sort(times);
    var median = times[times.Length / 2];
    if (first == 0) first = median;
    Console.WriteLine(string.Create(
        culture,
        $"{size,13:N0} | {loading.Elapsed.TotalSeconds,4:N0} s | {median,5:N2} ms | {times[times.Length * 95 / 100],5:N2} ms | {times[times.Length * 99 / 100],5:N2} ms | {median / first,5:N2} | {count}, {after.Redirected - before.Redirected}, {after.All - before.All}"));
}

return 0;

async Task<double[]> RaiseAsync(int alerts, int size)
{
    var times = new double[alerts];
    for (var at = 0; at < alerts; at++)
    {
        var number = raised++;
        var began = Stopwatch.GetTimestamp();
        var outcome = await intake.RaiseAsync(New(number, size), default);
        times[at] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        if (outcome.Intake != Intake.Raised) throw new InvalidOperationException("An alert was known already.");
    }

    return times;
}

NewAlert New(int number, int size)
{
    var now = DateTime.UtcNow;
    var device = (number * 7919L % StoredAlerts.Devices(size)) + 1;
    return new NewAlert
    {
        TenantId = tenant,
        Title = number % 3 == 0 ? "Odd process" : "Odd connection",
        Description = "A process did something odd.",
        Severity = AlertSeverity.Medium,
        Category = number % 2 == 0 ? "Execution" : "CommandAndControl",
        MachineId = device.ToString("x40", culture),
        FirstEventTime = now.AddMinutes(-2),
        LastEventTime = now.AddMinutes(-1),
        MitreTechniques = ["T1059"],
        DeduplicationKey = $"bench/{number}",
        MergeKey = $"bench/{number}",
        Evidence =
        [
            new AlertEvidence { EntityType = EvidenceKind.Process, FileName = "odd.exe", FilePath = @"C:\Users\Public", ProcessId = number, ProcessCreationTime = now, ProcessCommandLine = "odd.exe -x" },
            new AlertEvidence { EntityType = EvidenceKind.File, FileName = "odd.exe", FilePath = @"C:\Users\Public", Sha256 = Convert.ToHexStringLower(BitConverter.GetBytes(number)).PadLeft(64, 'a') },
            new AlertEvidence { EntityType = EvidenceKind.User, AccountName = "dana", DomainName = "EXAMPLE", UserSid = $"S-1-5-21-1-2-3-{(number % 10 == 0 ? number * 31 % 5000 : 100_000 + number)}" },
            new AlertEvidence { EntityType = EvidenceKind.Ip, IpAddress = $"10.1.{number / 256 % 256}.{number % 256}" },
        ],
    };
}

async Task<(long All, long Redirected)> IncidentsAsync()
{
    await using var command = database.CreateCommand("SELECT count(*), count(redirect_incident_id) FROM defender.incidents");
    await using var reader = await command.ExecuteReaderAsync();
    await reader.ReadAsync();
    return (reader.GetInt64(0), reader.GetInt64(1));
}

/// <summary>Alerts need no hunting: their rows wait in the outbox.</summary>
internal sealed class NoHunting : IHuntingStore, IHuntingService
{
    public DateTime CompleteUntil => DateTime.UtcNow;

    public Task AppendAsync(Guid tenantId, IReadOnlyList<HuntingRow> rows, string? deduplicationToken, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<HuntingResult> RunAsync(HuntingRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();
}
