using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Indicators;

/// <summary>Wakes the search through the past.</summary>
public sealed class IndicatorHistorySignal : WorkSignal;

/// <summary>
/// Searches the stored events for indicators that count for the past, too (<c>historicalDetection</c>), and raises the alerts that they would
/// have raised. What was not searched when the server ended is searched after its start; a search that is repeated finds the same alerts.
/// </summary>
internal sealed partial class IndicatorHistory(
    NpgsqlDataSource database, IHuntingService hunting, IndicatorCache cache, IndicatorMatches matches, IndicatorHistorySignal signal, TimeProvider clock, ILogger<IndicatorHistory> log) : BackgroundService
{
    // Indicators that one query carries, and events that it gives, newest first.
    private const int MostIndicators = 500;
    private const int MostEvents = 5000;
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(1);

    /// <summary>Searches for everything that is due; returns how many indicators that were.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);

        // One server searches at a time; the lock ends with the transaction, whatever happens.
        if (!await connection.ExecuteScalarAsync<bool>(Command("SELECT pg_try_advisory_xact_lock(hashtextextended('indicator history', 0))", null))) return 0;
        var due = (await connection.QueryAsync<(long Id, Guid TenantId)>(Command("SELECT id, tenant_id FROM defender.indicators WHERE history_due ORDER BY id", null))).AsList();
        foreach (var some in due.GroupBy(indicator => indicator.TenantId).SelectMany(tenant => tenant.Chunk(MostIndicators)))
        {
            await SearchAsync(some[0].TenantId, some.Select(indicator => indicator.Id).ToHashSet(), cancellationToken);
            await using var done = database.CreateCommand("UPDATE defender.indicators SET history_due = false WHERE id = ANY($1)");
            done.Parameters.Add(new NpgsqlParameter { Value = some.Select(indicator => indicator.Id).ToArray() });
            await done.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return due.Count;

        CommandDefinition Command(string sql, object? parameters) => new(sql, parameters, transaction, cancellationToken: cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RunAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                LogFailure(exception);
            }

            try
            {
                await signal.WaitAsync(Idle, clock, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task SearchAsync(Guid tenantId, HashSet<long> ids, CancellationToken cancellationToken)
    {
        // Another server may have taken the indicators in.
        cache.Changed(tenantId);
        var sets = await cache.GetAsync(tenantId, cancellationToken);
        var facts = sets.Facts.Where(fact => ids.Contains(fact.Id)).ToArray();
        var hits = new List<IndicatorHit>();
        foreach (var (table, places) in IndicatorWatch.Watched)
        {
            if (Query(table, places, facts) is not { } query) continue;
            var result = await hunting.RunAsync(new HuntingRequest(tenantId, query), cancellationToken);
            var rows = result.Rows.Select(values => Row(table, result.Columns, values)).ToArray();

            // The query is wide; what the watch would have said decides. Events since the indicator's beginning have been seen by it.
            hits.AddRange(IndicatorWatch.Find(sets, rows, clock.GetUtcNow().UtcDateTime)
                .Where(hit => ids.Contains(hit.Indicator.Id) && hit.Row["Timestamp"] is DateTime time && time < hit.Indicator.Created));
        }

        // What devices would have done then, they did not do.
        if (hits.Count > 0) await matches.RaiseAsync(tenantId, hits, cancellationToken);
    }

    /// <summary>The events of a table that may match, as KQL; null when no indicator is for it.</summary>
    internal static string? Query(HuntingTable table, (int Ordinal, IndicatorWatch.Kind Kind)[] places, IReadOnlyList<IndicatorFact> facts)
    {
        var hashes = List(facts, c => char.IsAsciiHexDigit(c), State.IndicatorType.FileSha1, State.IndicatorType.FileSha256, State.IndicatorType.FileMd5);
        var certificates = List(facts, c => char.IsAsciiHexDigit(c), State.IndicatorType.CertificateThumbprint);
        var addresses = List(facts, c => char.IsAsciiHexDigit(c) || c is '.' or ':', State.IndicatorType.IpAddress);
        var hosts = Text(facts.Where(fact => fact.Type is State.IndicatorType.DomainName or State.IndicatorType.Url or State.IndicatorType.IpAddress).Select(Host), c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or ':');
        var conditions = places.Select(place => (Name: table.Columns[place.Ordinal].Name, place.Kind)).Select(place => place.Kind switch
        {
            IndicatorWatch.Kind.Hash when hashes.Length > 0 => $"{place.Name} in~ ({hashes})",
            IndicatorWatch.Kind.Certificate when certificates.Length > 0 => $"{place.Name} in~ ({certificates})",
            IndicatorWatch.Kind.Address when addresses.Length > 0 => $"{place.Name} in ({addresses})",
            IndicatorWatch.Kind.Url when hosts.Length > 0 => $"{place.Name} has_any ({hosts})",
            _ => null,
        }).OfType<string>().ToArray();
        return conditions.Length == 0 ? null : $"{table.Name} | where {string.Join(" or ", conditions)} | top {MostEvents} by Timestamp desc";
    }

    private static string List(IEnumerable<IndicatorFact> facts, Func<char, bool> allowed, params State.IndicatorType[] types) =>
        Text(facts.Where(fact => types.Contains(fact.Type)).Select(fact => fact.Value), allowed);

    // Only such values are put into queries as cannot end a literal.
    private static string Text(IEnumerable<string> values, Func<char, bool> allowed) =>
        string.Join(", ", values.Where(value => value.Length > 0 && value.All(allowed)).Distinct(StringComparer.OrdinalIgnoreCase).Select(value => $"'{value}'"));

    private static string Host(IndicatorFact fact)
    {
        if (fact.Type != State.IndicatorType.Url) return fact.Value;
        var start = fact.Value.IndexOf("://", StringComparison.Ordinal);
        var rest = start < 0 ? fact.Value : fact.Value[(start + 3)..];
        var end = rest.AsSpan().IndexOfAny("/?#:");
        return end < 0 ? rest : rest[..end];
    }

    private static HuntingRow Row(HuntingTable table, IReadOnlyList<HuntingResultColumn> columns, object?[] values)
    {
        var row = new HuntingRow(table);
        for (var i = 0; i < columns.Count; i++)
            if (table.OrdinalOf(columns[i].Name) is var ordinal && ordinal >= 0) row.Values[ordinal] = values[i];
        return row;
    }

    [LoggerMessage(LogLevel.Error, "The past could not be searched for indicators; it is tried again.")]
    private partial void LogFailure(Exception exception);
}
