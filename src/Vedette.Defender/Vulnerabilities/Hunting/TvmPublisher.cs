using System.Diagnostics;
using System.Runtime.CompilerServices;
using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vedette.Defender.Vulnerabilities.Assessment;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Vulnerabilities.Hunting;

/// <summary>
/// Brings the assessed state into the hunting tables. Which assessment was published is noted with the state, and rows carry the assessment's
/// name as deduplication token: a publication that a crash cut off is done again and leaves the same rows once. A large tenant is published
/// less often, so that publishing never takes more than a small part of the time.
/// </summary>
public sealed partial class TvmPublisher(
    NpgsqlDataSource database, IHuntingStore hunting, VulnerabilityAssessment assessment, TvmSignal signal, ILogger<TvmPublisher> log) : BackgroundService
{
    private const int RestFactor = 20;
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Sweep = TimeSpan.FromMinutes(1);

    // Publications of one tenant must not overlap: the later would take the earlier's rows for old ones.
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>Publishes a tenant's present assessment, unless it is published.</summary>
    /// <returns>Rows in the tables; 0 when nothing was done.</returns>
    public async Task<long> PublishAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        await assessment.RefreshAsync(tenantId, cancellationToken);
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            var state = await connection.QuerySingleOrDefaultAsync<(DateTime? Assessed, long Runs, long Published)?>(new CommandDefinition(
                "SELECT assessed_at, runs, published FROM defender.tvm_state WHERE tenant_id = @tenantId", new { tenantId }, cancellationToken: cancellationToken));
            if (state is not { Assessed: { } assessed, Runs: var run } || run == state.Value.Published) return 0;
            var rows = await PublishAsync(connection, tenantId, $"tvm/{run}/{assessed.Ticks}", cancellationToken);
            await connection.ExecuteAsync(new CommandDefinition(
                "UPDATE defender.tvm_state SET published = @run WHERE tenant_id = @tenantId", new { run, tenantId }, cancellationToken: cancellationToken));
            return rows;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var due = new Dictionary<Guid, TimeSpan>();
        var begun = Stopwatch.StartNew();
        var nextSweep = TimeSpan.Zero;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (begun.Elapsed >= nextSweep)
                {
                    foreach (var tenant in await assessment.TenantsAsync(stoppingToken)) due.TryAdd(tenant, begun.Elapsed);
                    nextSweep = begun.Elapsed + Sweep;
                }

                foreach (var tenant in due.Where(d => d.Value <= begun.Elapsed).Select(d => d.Key).ToArray())
                {
                    due.Remove(tenant);
                    var started = begun.Elapsed;
                    if (await PublishAsync(tenant, stoppingToken) > 0 && (begun.Elapsed - started) * RestFactor is { TotalSeconds: > 5 } rest) due[tenant] = begun.Elapsed + rest;
                }

                using var wait = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                wait.CancelAfter(Sweep);
                if (!await WaitAsync(wait.Token)) continue;
                // Reports of many devices come one after another.
                await Task.Delay(Gather, stoppingToken);
                while (signal.Changes.TryRead(out var changed))
                {
                    foreach (var tenant in changed == Guid.Empty ? await assessment.TenantsAsync(stoppingToken) : [changed]) due.TryAdd(tenant, begun.Elapsed);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                LogFailure(exception);
                await Task.Delay(TimeSpan.FromSeconds(5), stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await signal.Changes.WaitToReadAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task<long> PublishAsync(NpgsqlConnection connection, Guid tenantId, string token, CancellationToken cancellationToken)
    {
        var store = hunting as IHuntingStateStore ?? throw new InvalidOperationException("The hunting store keeps events only.");
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        var total = 0L;
        foreach (var (name, sql) in TvmTables.All)
            total += await store.ReplaceAsync(tenantId, name, RowsAsync(connection, tenantId, HuntingSchema.Tables[name], sql, cancellationToken), token, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return total;
    }

    private static async IAsyncEnumerable<HuntingRow> RowsAsync(
        NpgsqlConnection connection, Guid tenantId, HuntingTable table, string sql, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 600 };
        command.Parameters.Add(new NpgsqlParameter { Value = tenantId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var ordinals = Enumerable.Range(0, reader.FieldCount).Select(at => table.OrdinalOf(reader.GetName(at))).ToArray();
        if (Array.IndexOf(ordinals, -1) is >= 0 and var missing) throw new InvalidOperationException($"{table.Name} has no column '{reader.GetName(missing)}'.");
        while (await reader.ReadAsync(cancellationToken))
        {
            var row = new HuntingRow(table);
            for (var at = 0; at < ordinals.Length; at++)
                if (!reader.IsDBNull(at)) row.Values[ordinals[at]] = reader.GetValue(at);
            yield return row;
        }
    }

    [LoggerMessage(LogLevel.Error, "Vulnerability management could not be brought into the hunting tables; it is tried again.")]
    private partial void LogFailure(Exception exception);
}
