using System.Collections.Concurrent;
using System.Diagnostics;
using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vedette.Defender.Detections.Custom;

namespace Vedette.Defender.Detections;

/// <summary>
/// Looks at regular times, by the product's clock, which rules of which tenants are due, and runs a tenant's continuous rules whenever rows have
/// arrived for it.
/// </summary>
internal sealed partial class DetectionScheduler(
    DetectionEngine engine, DetectionArrivals arrivals, NpgsqlDataSource database, DetectionOptions options, TimeProvider clock, ILogger<DetectionScheduler> log,
    ITenantRules? rules = null) : BackgroundService
{
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Guid, bool> _busy = new();
    private readonly ConcurrentDictionary<Guid, bool> _catchingUp = new();
    private readonly SemaphoreSlim _places = new(Math.Max(2, options.Parallelism));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        void OnChanged(Guid tenantId) => _ = CatchUpAsync(tenantId, stoppingToken);
        if (rules is not null) rules.Changed += OnChanged;
        try
        {
            await Task.WhenAll(TickAsync(stoppingToken), ListenAsync(stoppingToken));
        }
        finally
        {
            if (rules is not null) rules.Changed -= OnChanged;
        }
    }

    private async Task TickAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(options.Interval, clock);
        await Task.Delay(options.FirstLook, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        do
        {
            IReadOnlyList<Guid> tenants = [];
            await TryAsync(default, async token => tenants = await TenantsAsync(token), stop);
            foreach (var tenant in tenants)
            {
                await TryAsync(tenant, token => engine.RunDueAsync(tenant, token), stop);
                arrivals.Signal(tenant);
            }
        }
        while (!stop.IsCancellationRequested && await TickedAsync(timer, stop));
    }

    private static async Task<bool> TickedAsync(PeriodicTimer timer, CancellationToken stop)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stop);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    // A tenant has one look at a time; what arrives meanwhile gives one more after it.
    private async Task ListenAsync(CancellationToken stop)
    {
        try
        {
            await foreach (var tenant in arrivals.Signals.ReadAllAsync(stop))
            {
                while (true)
                {
                    if (_busy.TryAdd(tenant, false))
                    {
                        _ = WorkAsync(tenant, stop);
                        break;
                    }

                    if (_busy.TryGetValue(tenant, out var again) && (again || _busy.TryUpdate(tenant, true, false))) break;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private async Task WorkAsync(Guid tenant, CancellationToken stop)
    {
        try
        {
            do
            {
                _busy[tenant] = false;
                await _places.WaitAsync(stop);
                var started = Stopwatch.GetTimestamp();
                DetectionSummary? summary = null;
                bool done;
                try
                {
                    done = await TryAsync(tenant, async token => summary = await engine.RunArrivedAsync(tenant, token), stop);
                }
                finally
                {
                    _places.Release();
                }

                if (summary is { SomeAreBehind: true }) _ = CatchUpAsync(tenant, stop);
                if (!done || summary is null)
                {
                    // The rows are still there, and nobody might name the tenant again.
                    _busy[tenant] = true;
                    await Task.Delay(AfterFailure, stop);
                    continue;
                }
                // Ingest and queries get their turn; but whoever waits for an alert must not wait for long.
                var pause = Stopwatch.GetElapsedTime(started) / 2;
                await Task.Delay(pause < options.ShortestPause ? options.ShortestPause : pause > options.LongestPause ? options.LongestPause : pause, stop);
            }
            while (_busy[tenant] || !_busy.TryRemove(KeyValuePair.Create(tenant, false)));
        }
        catch (OperationCanceledException)
        {
            _busy.TryRemove(tenant, out _);
        }
    }

    // Beside the looks at arrivals: a rule's first run goes over thirty days.
    private async Task CatchUpAsync(Guid tenant, CancellationToken stop)
    {
        if (!_catchingUp.TryAdd(tenant, true)) return;
        DetectionSummary? summary = null;
        await TryAsync(tenant, async token => summary = await engine.RunDueAsync(tenant, token), stop);
        _catchingUp.TryRemove(tenant, out _);
        if (summary is not null) return;

        // Another server's turn, or a failure: the next look will find that there is still something to catch up on.
        await Task.Delay(AfterFailure, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        arrivals.Signal(tenant);
    }

    private async Task<bool> TryAsync(Guid tenant, Func<CancellationToken, Task> work, CancellationToken stop)
    {
        try
        {
            await work(stop);
            return true;
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception exception)
        {
            LogFailure(tenant, exception);
            return false;
        }
    }

    // Tenants with devices, found by leaping through the index rather than reading it, and those with rules of their own. A demo tenant that is being filled runs its rules itself.
    private async Task<IReadOnlyList<Guid>> TenantsAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var tenants = await connection.QueryAsync<Guid>(new CommandDefinition(
            """
            WITH RECURSIVE tenants(id) AS (
                (SELECT tenant_id FROM defender.machines ORDER BY tenant_id LIMIT 1)
                UNION ALL
                SELECT (SELECT tenant_id FROM defender.machines WHERE tenant_id > tenants.id ORDER BY tenant_id LIMIT 1) FROM tenants WHERE tenants.id IS NOT NULL)
            SELECT id FROM (SELECT id FROM tenants UNION SELECT tenant_id FROM defender.custom_rule_changes) AS known
            WHERE id IS NOT NULL AND NOT EXISTS (SELECT FROM defender.demo_tenants AS demo WHERE demo.tenant_id = known.id AND demo.completed_at IS NULL)
            """,
            cancellationToken: cancellationToken));
        return tenants.AsList();
    }

    [LoggerMessage(LogLevel.Error, "The detection rules of the tenant {Tenant} could not be run; they will be tried again.")]
    private partial void LogFailure(Guid tenant, Exception exception);
}
