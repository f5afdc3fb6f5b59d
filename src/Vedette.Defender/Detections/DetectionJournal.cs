using Dapper;
using Npgsql;

namespace Vedette.Defender.Detections;

/// <summary>How far a rule is with a tenant's telemetry.</summary>
/// <param name="RuleId">The rule.</param>
/// <param name="QueryHash">Of the query that has looked.</param>
/// <param name="SeenUntil">Rows that arrived before this have been looked at.</param>
/// <param name="NextRun">When a rule with a frequency runs again.</param>
internal sealed record RuleProgress(Guid RuleId, string QueryHash, DateTime SeenUntil, DateTime NextRun);

/// <summary>How a run ended.</summary>
public enum RunStatus
{
    /// <summary>The query ran and its alerts were raised.</summary>
    Completed,

    /// <summary>It did not; the rows will be looked at again.</summary>
    Failed,
}

/// <summary>One run of a rule over a tenant's telemetry.</summary>
/// <param name="RuleId">The rule.</param>
/// <param name="RuleTitle">Its title.</param>
/// <param name="StartedAt">Start, UTC.</param>
/// <param name="ElapsedMs">Time taken in milliseconds.</param>
/// <param name="WindowFrom">Rows that arrived from then …</param>
/// <param name="WindowTo">… until before then were looked at, UTC.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Rows">Rows that the query gave.</param>
/// <param name="Alerts">New alerts.</param>
/// <param name="Merged">Alerts that became part of open ones.</param>
/// <param name="Dropped">Alerts beyond the limit of a run, not raised.</param>
/// <param name="Failure">Why it failed.</param>
/// <param name="ErrorCode">Why it failed, as the service names it: one of <see cref="RunErrors"/>.</param>
public sealed record DetectionRun(
    Guid RuleId, string RuleTitle, DateTime StartedAt, int ElapsedMs, DateTime WindowFrom, DateTime WindowTo, RunStatus Status, int Rows, int Alerts, int Merged,
    int Dropped, string? Failure, string? ErrorCode = null);

/// <summary>Remembers how far rules are, and what their runs did.</summary>
internal sealed class DetectionJournal(NpgsqlDataSource database)
{
    /// <summary>
    /// Keeps other servers on the same database from running a tenant's rules at the same time; null when another does and
    /// <paramref name="wait"/> is false. Dispose it to let go.
    /// </summary>
    public async Task<IAsyncDisposable?> ClaimAsync(Guid tenantId, bool wait, CancellationToken cancellationToken)
    {
        var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            var transaction = await connection.BeginTransactionAsync(cancellationToken);
            const string Key = "hashtextextended('detections/' || @tenantId::text, 0)";
            var mine = wait
                ? await connection.ExecuteAsync(new CommandDefinition($"SELECT pg_advisory_xact_lock({Key})", new { tenantId }, transaction, cancellationToken: cancellationToken)) < int.MaxValue
                : await connection.ExecuteScalarAsync<bool>(new CommandDefinition($"SELECT pg_try_advisory_xact_lock({Key})", new { tenantId }, transaction, cancellationToken: cancellationToken));
            if (mine) return new Claim(connection);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }

        await connection.DisposeAsync();
        return null;
    }

    /// <summary>Progress of a tenant's rules by rule.</summary>
    public async Task<Dictionary<Guid, RuleProgress>> ProgressAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(Guid RuleId, string QueryHash, long Ticks, DateTime NextRun)>(new CommandDefinition(
            "SELECT rule_id, query_hash, seen_until_ticks, next_run FROM defender.detection_progress WHERE tenant_id = @tenantId",
            new { tenantId },
            cancellationToken: cancellationToken));
        return rows.ToDictionary(row => row.RuleId, row => new RuleProgress(row.RuleId, row.QueryHash, new DateTime(row.Ticks, DateTimeKind.Utc), row.NextRun));
    }

    /// <summary>Notes runs and progress, all or nothing, and forgets runs beyond those kept.</summary>
    public async Task RecordAsync(
        Guid tenantId, IReadOnlyList<DetectionRun> runs, IReadOnlyList<RuleProgress> progress, int runsKept, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO defender.detection_progress AS known (tenant_id, rule_id, query_hash, seen_until_ticks, next_run)
            SELECT @tenantId, rule_id, query_hash, seen_until_ticks, next_run
            FROM unnest(@rules, @hashes, @seen, @next) AS new(rule_id, query_hash, seen_until_ticks, next_run)
            ON CONFLICT (tenant_id, rule_id) DO UPDATE SET query_hash = excluded.query_hash, seen_until_ticks = excluded.seen_until_ticks, next_run = excluded.next_run
            """,
            new
            {
                tenantId,
                rules = progress.Select(entry => entry.RuleId).ToArray(),
                hashes = progress.Select(entry => entry.QueryHash).ToArray(),
                seen = progress.Select(entry => entry.SeenUntil.Ticks).ToArray(),
                next = progress.Select(entry => entry.NextRun).ToArray(),
            },
            transaction,
            cancellationToken: cancellationToken));
        await connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO defender.detection_runs
                (tenant_id, rule_id, rule_title, started_at, elapsed_ms, window_from, window_to, status, rows, alerts, merged, dropped, failure, error_code)
            SELECT @tenantId, * FROM unnest(@rules, @titles, @started, @elapsed, @froms, @tos, @statuses, @rows, @alerts, @merged, @dropped, @failures, @codes);
            DELETE FROM defender.detection_runs AS run USING (
                SELECT id, row_number() OVER (PARTITION BY rule_id ORDER BY id DESC) AS place
                FROM defender.detection_runs WHERE tenant_id = @tenantId AND rule_id = ANY(@rules)) AS placed
            WHERE run.id = placed.id AND placed.place > @runsKept;
            """,
            new
            {
                tenantId,
                runsKept,
                rules = runs.Select(run => run.RuleId).ToArray(),
                titles = runs.Select(run => run.RuleTitle).ToArray(),
                started = runs.Select(run => run.StartedAt).ToArray(),
                elapsed = runs.Select(run => run.ElapsedMs).ToArray(),
                froms = runs.Select(run => run.WindowFrom).ToArray(),
                tos = runs.Select(run => run.WindowTo).ToArray(),
                statuses = runs.Select(run => run.Status.ToString()).ToArray(),
                rows = runs.Select(run => run.Rows).ToArray(),
                alerts = runs.Select(run => run.Alerts).ToArray(),
                merged = runs.Select(run => run.Merged).ToArray(),
                dropped = runs.Select(run => run.Dropped).ToArray(),
                failures = runs.Select(run => run.Failure).ToArray(),
                codes = runs.Select(run => run.ErrorCode).ToArray(),
            },
            transaction,
            cancellationToken: cancellationToken));
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>The latest runs of a tenant, of one rule or of all, the newest first.</summary>
    public async Task<IReadOnlyList<DetectionRun>> RunsAsync(Guid tenantId, Guid? ruleId, int top, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<DetectionRun>(new CommandDefinition(
            $"""
            SELECT rule_id AS RuleId, rule_title AS RuleTitle, started_at AS StartedAt, elapsed_ms AS ElapsedMs, window_from AS WindowFrom, window_to AS WindowTo,
                CASE status WHEN 'Completed' THEN 0 ELSE 1 END AS Status, rows AS Rows, alerts AS Alerts, merged AS Merged, dropped AS Dropped, failure AS Failure, error_code AS ErrorCode
            FROM defender.detection_runs WHERE tenant_id = @tenantId {(ruleId is null ? "" : "AND rule_id = @ruleId")} ORDER BY id DESC LIMIT @top
            """,
            new { tenantId, ruleId, top },
            cancellationToken: cancellationToken));
        return rows.AsList();
    }

    // Closing the connection ends its transaction, and with it the lock.
    private sealed class Claim(NpgsqlConnection connection) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => connection.DisposeAsync();
    }
}
