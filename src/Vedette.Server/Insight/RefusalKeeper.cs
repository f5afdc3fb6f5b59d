using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Vedette.Server.Http;

namespace Vedette.Server.Insight;

/// <summary>
/// Keeps refused calls (401 and 403) in the database, the latest of a bounded number of days and rows, so that the id in an answer can be
/// explained after a restart too. Written in the background, many at a time: a refusal costs its caller nothing more.
/// </summary>
internal sealed class RefusalKeeper(RefusalLog log, NpgsqlDataSource database, TimeProvider clock, ILogger<RefusalKeeper> errors) : BackgroundService
{
    /// <summary>Refusals that are kept.</summary>
    public const int MostRows = 10_000;

    /// <summary>Days that they are kept.</summary>
    public const int Days = 30;

    private const int Batch = 500;
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(200);

    /// <summary>The refusal with an id, from the database; null when it is unknown or forgotten.</summary>
    public static async Task<RefusedCall?> FindAsync(NpgsqlDataSource database, Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT detail::text FROM identity.refusals WHERE id = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        return await command.ExecuteScalarAsync(cancellationToken) is string text ? JsonSerializer.Deserialize<RefusedCall>(text) : null;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var untrimmed = 0;
        try
        {
            while (await log.Unkept.WaitToReadAsync(stoppingToken))
            {
                await Task.Delay(Gather, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                untrimmed += await WriteAsync(untrimmed > 1_000);
                if (untrimmed > 1_000) untrimmed = 0;
            }
        }
        catch (OperationCanceledException)
        {
            // What came last is written before the server ends.
            await WriteAsync(trim: false);
        }
    }

    private async Task<int> WriteAsync(bool trim)
    {
        var rows = new List<RefusedCall>();
        while (rows.Count < Batch && log.Unkept.TryRead(out var refusal)) rows.Add(refusal);
        if (rows.Count == 0) return 0;
        try
        {
            await using var batch = database.CreateBatch();
            foreach (var row in rows)
            {
                var insert = new NpgsqlBatchCommand("INSERT INTO identity.refusals (id, occurred_at, detail) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");
                insert.Parameters.Add(new NpgsqlParameter { Value = row.Id });
                insert.Parameters.Add(new NpgsqlParameter { Value = new DateTimeOffset(row.Time, TimeSpan.Zero) });
                insert.Parameters.Add(new NpgsqlParameter { Value = JsonSerializer.Serialize(row), NpgsqlDbType = NpgsqlDbType.Jsonb });
                batch.BatchCommands.Add(insert);
            }

            if (trim)
            {
                var delete = new NpgsqlBatchCommand(
                    "DELETE FROM identity.refusals WHERE occurred_at < greatest($1, (SELECT min(occurred_at) FROM (SELECT occurred_at FROM identity.refusals ORDER BY occurred_at DESC LIMIT $2) newest))");
                delete.Parameters.Add(new NpgsqlParameter { Value = clock.GetUtcNow().AddDays(-Days) });
                delete.Parameters.Add(new NpgsqlParameter { Value = MostRows });
                batch.BatchCommands.Add(delete);
            }

            await batch.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (Exception exception) when (exception is NpgsqlException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            errors.LogWarning(exception, "{Count} refusals could not be kept", rows.Count);
        }

        return rows.Count;
    }
}
