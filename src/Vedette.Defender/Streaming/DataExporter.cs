using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Streaming;

/// <summary>
/// Delivers raw events as they arrive, each table of each export in the order of arrival. A window of rows counts as delivered when the target
/// took all of it, so after a crash or a refusal the window comes again: at least once, never less. One exporter works at a time, whatever the
/// number of servers on the database.
/// </summary>
public sealed partial class DataExporter(
    NpgsqlDataSource database, DataExportStore exports, ArrivalReader arrivals, IHuntingStore hunting, ILogger<DataExporter> log, TimeProvider clock)
    : BackgroundService
{
    private const long LockKey = 0x5665_6465_7870;
    private const int WindowRows = 2_000;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LookAnyway = TimeSpan.FromMinutes(1);
    private readonly Dictionary<ExportKind, IExportSink> _sinks =
        new IExportSink[] { new FolderSink(), new WebhookSink(), new StorageSink(clock) }.ToDictionary(sink => sink.Kind);
    private readonly Dictionary<Guid, (int Failures, long NotBefore)> _refused = [];
    private IReadOnlyDictionary<string, DateTime> _changes = new Dictionary<string, DateTime>();
    private long _looked;

    /// <summary>Delivers what there is now; returns the number of records. Also for tests and commands that must not wait.</summary>
    public async Task<int> DeliverAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (!await connection.ExecuteScalarAsync<bool>($"SELECT pg_try_advisory_lock({LockKey})")) return 0;
        try
        {
            var delivered = 0;
            foreach (var export in await exports.ListAsync(null, cancellationToken))
                if (export.Enabled) delivered += await DeliverAsync(export, _ => true, cancellationToken);
            return delivered;
        }
        finally
        {
            await connection.ExecuteAsync($"SELECT pg_advisory_unlock({LockKey})");
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Pacing goes by the machine's clock, whatever time the product is told.
        using var timer = new PeriodicTimer(Pause);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await RoundAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                LogFailure(exception);
            }
        }
    }

    private async Task RoundAsync(CancellationToken cancellationToken)
    {
        var due = (await exports.ListAsync(null, cancellationToken)).Where(export => export.Enabled && IsDue(export)).ToArray();
        if (due.Length == 0) return;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (!await connection.ExecuteScalarAsync<bool>($"SELECT pg_try_advisory_lock({LockKey})")) return;
        try
        {
            var changes = await arrivals.ChangesAsync(cancellationToken);
            var all = _refused.Count > 0 || TimeProvider.System.GetElapsedTime(_looked) > LookAnyway;
            if (all) _looked = TimeProvider.System.GetTimestamp();
            foreach (var export in due)
                await DeliverAsync(export, table => all || !_changes.TryGetValue(table, out var before) || changes.GetValueOrDefault(table) != before, cancellationToken);
            _changes = changes;
        }
        finally
        {
            await connection.ExecuteAsync($"SELECT pg_advisory_unlock({LockKey})");
        }
    }

    private bool IsDue(DataExport export) => !_refused.TryGetValue(export.Id, out var refused) || TimeProvider.System.GetTimestamp() >= refused.NotBefore;

    private async Task<int> DeliverAsync(DataExport export, Func<string, bool> isChanged, CancellationToken cancellationToken)
    {
        var delivered = 0;
        try
        {
            var cursors = await exports.CursorsAsync(export.Id, cancellationToken);
            var secret = await exports.SecretAsync(export.Id, cancellationToken);
            IReadOnlyDictionary<string, string>? groups = null;
            foreach (var name in export.Tables.Where(isChanged))
            {
                if (!HuntingSchema.Tables.TryGetValue(name, out var table) || !cursors.TryGetValue(name, out var from)) continue;
                while (true)
                {
                    var until = hunting.CompleteUntil;
                    if (from >= until || await arrivals.WindowAsync(export.TenantId, table, from, until, WindowRows, cancellationToken) is not { } end) break;
                    groups ??= await GroupsAsync(export.TenantId, cancellationToken);
                    var records = new List<StreamingRecord>();
                    await foreach (var row in arrivals.RowsAsync(export.TenantId, table, from, end, cancellationToken))
                    {
                        records.Add(StreamingRecord.Of(export.TenantId, table, row, groups));
                        if (records.Count < WindowRows) continue;
                        await _sinks[export.Kind].DeliverAsync(export, secret, name, records, cancellationToken);
                        delivered += records.Count;
                        await exports.DeliveredAsync(export.Id, name, from, records.Count, cancellationToken);
                        records.Clear();
                    }

                    if (records.Count > 0) await _sinks[export.Kind].DeliverAsync(export, secret, name, records, cancellationToken);
                    delivered += records.Count;
                    await exports.DeliveredAsync(export.Id, name, end, records.Count, cancellationToken);
                    from = end;
                }
            }

            _refused.Remove(export.Id);
        }
        catch (ExportException exception)
        {
            var failures = _refused.GetValueOrDefault(export.Id).Failures + 1;
            var pause = exception.RetryAfter ?? TimeSpan.FromSeconds(Math.Min(LongestPause.TotalSeconds, Math.Pow(2, failures)));
            _refused[export.Id] = (failures, TimeProvider.System.GetTimestamp() + (long)(pause.TotalSeconds * TimeProvider.System.TimestampFrequency));
            await exports.FailedAsync(export.Id, exception.Message, cancellationToken);
            LogRefused(export.Name, exception.Message, pause);
        }

        return delivered;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var sink in _sinks.Values.OfType<IDisposable>()) sink.Dispose();
        base.Dispose();
    }

    private async Task<IReadOnlyDictionary<string, string>> GroupsAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(string Id, string Group)>(new CommandDefinition(
            "SELECT id, rbac_group_name FROM defender.machines WHERE tenant_id = @tenantId AND rbac_group_name IS NOT NULL", new { tenantId }, cancellationToken: cancellationToken));
        return rows.ToDictionary(row => row.Id, row => row.Group, StringComparer.Ordinal);
    }

    [LoggerMessage(LogLevel.Error, "Raw events could not be exported; they will be tried again.")]
    private partial void LogFailure(Exception exception);

    [LoggerMessage(LogLevel.Warning, "The export {Name} was not taken: {Reason} It is tried again in {Pause}.")]
    private partial void LogRefused(string name, string reason, TimeSpan pause);
}
