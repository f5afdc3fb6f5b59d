using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Vedette.Defender;
using Vedette.Defender.Detections;
using Vedette.Defender.Indicators;
using Vedette.Telemetry;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Ingest;

namespace Vedette.Rates.Bench;

/// <summary>What a scenario gave.</summary>
/// <param name="EventsPerSecond">Events that were stored, visible, and looked through.</param>
/// <param name="Markers">Events that had to raise an alert.</param>
/// <param name="Waits">Milliseconds until each alert was there, ascending.</param>
internal sealed record Result(double EventsPerSecond, int Markers, double[] Waits);

/// <summary>A tenant of its own, with rules and indicators, in a domain of its own over the two engines.</summary>
internal sealed class Scenario : IAsyncDisposable
{
    private const int Writers = 4;

    private readonly ServiceProvider _services;
    private readonly NpgsqlDataSource _database;
    private readonly Guid _tenant = Guid.NewGuid();
    private readonly bool _hasRules;

    private Scenario(ServiceProvider services, NpgsqlDataSource database, bool hasRules) => (_services, _database, _hasRules) = (services, database, hasRules);

    public static async Task<Scenario> OpenAsync(NpgsqlDataSource database, IClickHouse engine, TelemetryOptions telemetry, string folder, int rules, int indicators)
    {
        var files = Path.Combine(folder, "rules", Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(files);
        for (var number = 0; number < rules; number++) await File.WriteAllTextAsync(Path.Combine(files, $"rule{number}.yaml"), EventSource.Rule(number));
        var none = Directory.CreateDirectory(Path.Combine(folder, "none")).FullName;
        var services = new ServiceCollection()
            .AddLogging()
            .AddSingleton(database)
            .AddSingleton(engine)
            .AddVedetteTelemetry(telemetry)
            .AddVedetteDefender(new DefenderOptions { FilesFolder = folder, SimulateDevices = false })
            .AddVedetteDetections(new DetectionOptions { ShippedRules = none, OwnRules = files, FirstLook = TimeSpan.Zero })
            .BuildServiceProvider();
        var scenario = new Scenario(services, database, rules > 0);
        if (services.GetRequiredService<RuleCatalogue>().Current is { Problems.Count: > 0 } wrong) throw new InvalidOperationException(wrong.Problems[0].ToString());
        await scenario.AddIndicatorsAsync(indicators);
        foreach (var service in services.GetServices<IHostedService>()) await service.StartAsync(default);
        return scenario;
    }

    public async Task<Result> RunAsync(IReadOnlyList<HuntingRow[]> batches, TimeSpan length)
    {
        var store = _services.GetRequiredService<IHuntingStore>();
        if (_hasRules) await SettleAsync(store);
        using var end = new CancellationTokenSource(length);
        var sent = new ConcurrentDictionary<string, long>();
        var waits = new ConcurrentBag<double>();
        var events = 0L;
        var watch = Stopwatch.StartNew();
        var alerts = Task.Run(() => FollowAsync(sent, waits, end.Token));
        var markers = _hasRules ? Task.Run(() => MarkAsync(store, sent, end.Token)) : Task.CompletedTask;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            for (var number = writer; !end.IsCancellationRequested; number++)
            {
                var batch = batches[number % batches.Count];
                await store.AppendAsync(_tenant, batch, null, default);
                Interlocked.Add(ref events, batch.Length);
            }
        })));
        var rate = events / watch.Elapsed.TotalSeconds;
        await markers;
        await alerts;
        return new Result(rate, sent.Count, [.. waits.Order()]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services.GetServices<IHostedService>().Reverse()) await service.StopAsync(default);
        await _services.DisposeAsync();
    }

    // Rules look back thirty days when they are new: that is not what is measured.
    private async Task SettleAsync(IHuntingStore store)
    {
        var engine = _services.GetRequiredService<DetectionEngine>();
        await store.AppendAsync(_tenant, [EventSource.Marker("first")], null, default);
        await engine.RunNowAsync(_tenant, default);
    }

    private async Task MarkAsync(IHuntingStore store, ConcurrentDictionary<string, long> sent, CancellationToken end)
    {
        for (var number = 0; !end.IsCancellationRequested; number++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"m{number}");
            sent[name] = Stopwatch.GetTimestamp();
            await store.AppendAsync(_tenant, [EventSource.Marker(name)], null, default);
            await Task.Delay(500, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task FollowAsync(ConcurrentDictionary<string, long> sent, ConcurrentBag<double> waits, CancellationToken end)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        long? left = null;
        while (!end.IsCancellationRequested || (seen.Count < sent.Count && Stopwatch.GetElapsedTime(left ??= Stopwatch.GetTimestamp()) < TimeSpan.FromSeconds(30)))
        {
            await using var command = _database.CreateCommand("SELECT title FROM defender.alerts WHERE tenant_id = $1 AND title LIKE 'Rule 0 m%'");
            command.Parameters.Add(new NpgsqlParameter { Value = _tenant });
            await using var reader = await command.ExecuteReaderAsync(default(CancellationToken));
            while (await reader.ReadAsync(default))
            {
                var name = reader.GetString(0)["Rule 0 ".Length..];
                if (sent.TryGetValue(name, out var since) && seen.Add(name)) waits.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
            }

            await Task.Delay(25, CancellationToken.None);
        }
    }

    private async Task AddIndicatorsAsync(int count)
    {
        var service = _services.GetRequiredService<IndicatorService>();
        var caller = new Caller(_tenant, "bench@contoso.example");
        foreach (var part in Enumerable.Range(0, count).Chunk(500))
        {
            var added = await service.SubmitAsync(caller, "Measured", [.. part.Select(Draft)], default);
            if (added.FirstOrDefault(outcome => outcome.Error is not null) is { Error: { } error }) throw new InvalidOperationException(error.ToString());
        }
    }

    private static IndicatorDraft Draft(int number) => new()
    {
        IndicatorType = (number % 3) switch { 0 => "FileSha256", 1 => "IpAddress", _ => "DomainName" },
        IndicatorValue = (number % 3) switch
        {
            0 => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(number))),
            1 => string.Create(CultureInfo.InvariantCulture, $"198.18.{number / 250 % 250}.{number % 250}"),
            _ => string.Create(CultureInfo.InvariantCulture, $"bad{number}.example"),
        },
        Action = "Audit",
        Title = "Measured",
        Description = "An indicator of the measurement.",
        Severity = "Low",
        GenerateAlert = true,
    };
}
