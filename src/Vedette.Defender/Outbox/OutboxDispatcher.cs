using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vedette.Defender.State;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Outbox;

/// <summary>Wakes the dispatcher: raised after a transaction that wrote to the outbox.</summary>
public sealed class OutboxSignal
{
    private readonly SemaphoreSlim _signal = new(0, 1);

    /// <summary>There is something to deliver.</summary>
    public void Raise()
    {
        try
        {
            _signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is already raised.
        }
    }

    internal Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken) => _signal.WaitAsync(atMost, cancellationToken);
}

/// <summary>
/// Moves hunting rows from the outbox into telemetry. Entries are first bound into a delivery, in a transaction of its own; the delivery's
/// number is the deduplication token, so that a delivery which a crash left half done is stored once, however often it is repeated. One
/// dispatcher works at a time, whatever the number of servers on the database.
/// </summary>
public sealed partial class OutboxDispatcher(
    NpgsqlDataSource database,
    IHuntingStore hunting,
    OutboxSignal signal,
    ILogger<OutboxDispatcher> log) : BackgroundService
{
    private const long LockKey = 0x5665_646F_7574_78;
    private const int EntriesPerDelivery = 500;
    private const int RowsPerDelivery = 20_000;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Delivers what there is now; returns the number of entries. Also for tests and commands that must see their rows at once.</summary>
    public async Task<int> DeliverAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync($"SELECT pg_advisory_lock({LockKey})");
        try
        {
            return await DeliverAllAsync(connection, cancellationToken);
        }
        finally
        {
            await connection.ExecuteAsync($"SELECT pg_advisory_unlock({LockKey})");
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var wait = TimeSpan.Zero;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (wait > TimeSpan.Zero) await signal.WaitAsync(wait, stoppingToken);
                await DeliverAsync(stoppingToken);
                wait = Pause;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // The rows stay in the outbox: better late than lost.
                LogFailure(exception);
                wait = TimeSpan.FromSeconds(Math.Min(60, Math.Max(1, wait.TotalSeconds * 2)));
            }
        }
    }

    private async Task<int> DeliverAllAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var delivered = 0;
        while (await NextDeliveryAsync(connection) is { } delivery)
        {
            var entries = (await connection.QueryAsync<(Guid Tenant, string Rows, DateTime CreatedAt)>(
                $"SELECT tenant_id, rows, created_at FROM {DefenderDbContext.Schema}.outbox WHERE delivery = @delivery ORDER BY id", new { delivery })).AsList();
            foreach (var tenant in entries.GroupBy(e => e.Tenant))
            {
                var rows = tenant.SelectMany(e => HuntingRowText.Read(e.Rows)).ToList();

                // The time keeps the token apart from those of an earlier state database, whose numbers began at 1 as well.
                await hunting.AppendAsync(tenant.Key, rows, $"outbox-{delivery}-{entries[0].CreatedAt.Ticks}-{tenant.Key:N}", cancellationToken);
            }

            delivered += await connection.ExecuteAsync($"DELETE FROM {DefenderDbContext.Schema}.outbox WHERE delivery = @delivery", new { delivery });
        }

        return delivered;
    }

    /// <summary>The oldest delivery that is not done, or a new one of the oldest entries; null when the outbox is empty.</summary>
    private static async Task<long?> NextDeliveryAsync(NpgsqlConnection connection) =>
        await connection.ExecuteScalarAsync<long?>($"SELECT min(delivery) FROM {DefenderDbContext.Schema}.outbox WHERE delivery IS NOT NULL")
        ?? await connection.ExecuteScalarAsync<long?>(
            $"""
            WITH oldest AS (
                SELECT id, min(id) OVER () AS first, sum(row_count) OVER (ORDER BY id) AS total
                FROM (SELECT id, row_count FROM {DefenderDbContext.Schema}.outbox WHERE delivery IS NULL ORDER BY id LIMIT {EntriesPerDelivery}) AS waiting),
            bound AS (
                UPDATE {DefenderDbContext.Schema}.outbox AS entry SET delivery = oldest.first
                FROM oldest WHERE entry.id = oldest.id AND (oldest.total <= {RowsPerDelivery} OR oldest.id = oldest.first)
                RETURNING delivery)
            SELECT min(delivery) FROM bound
            """);

    [LoggerMessage(LogLevel.Error, "Hunting rows could not be delivered; they stay in the outbox.")]
    private partial void LogFailure(Exception exception);
}
