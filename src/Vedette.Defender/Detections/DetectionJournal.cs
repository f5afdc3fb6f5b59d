using Dapper;
using Npgsql;

namespace Vedette.Defender.Detections;

/// <summary>How far a rule is with a tenant's telemetry.</summary>
/// <param name="RuleId">The rule.</param>
/// <param name="QueryHash">Of the query that has looked.</param>
/// <param name="SeenUntil">Rows that arrived before this have been looked at.</param>
/// <param name="NextRun">When a rule with a frequency runs again, or one that failed is tried again.</param>
/// <param name="Follows">Whether it goes with the tenant's mark, which then counts instead of <paramref name="SeenUntil"/>.</param>
internal sealed record RuleProgress(Guid RuleId, string QueryHash, DateTime SeenUntil, DateTime NextRun, bool Follows = false);

/// <summary>How far a tenant's rules are.</summary>
/// <param name="Mark">Rules that follow the mark have looked at rows that arrived before this; null when there is none yet.</param>
/// <param name="Rules">Rules with their own places, and those that follow, by rule.</param>
internal sealed record TenantProgress(DateTime? Mark, IReadOnlyDictionary<Guid, RuleProgress> Rules)
{
    /// <summary>Where a rule is with this query; null when it has not looked.</summary>
    public DateTime? SeenBy(DetectionRule rule) =>
        Rules.GetValueOrDefault(rule.Id) is { } own && own.QueryHash == DetectionWork.HashOf(rule) ? own.Follows ? Mark : own.SeenUntil : null;

    /// <summary>Whether a rule follows the mark.</summary>
    public bool Follows(DetectionRule rule) => Rules.GetValueOrDefault(rule.Id) is { Follows: true } own && own.QueryHash == DetectionWork.HashOf(rule) && Mark is not null;

    /// <summary>When a rule runs again; the beginning of time when it has not looked.</summary>
    public DateTime NextRun(DetectionRule rule) =>
        Rules.GetValueOrDefault(rule.Id) is { } own && own.QueryHash == DetectionWork.HashOf(rule) ? own.NextRun : DateTime.MinValue;
}

/// <summary>Which of a tenant's rules run: at any time one server's turn each.</summary>
internal enum DetectionTurn
{
    /// <summary>Rules by their frequency, and continuous ones that have to catch up.</summary>
    Due,

    /// <summary>Continuous rules over what has just arrived.</summary>
    Arrived,
}

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
    /// <paramref name="wait"/> is false, or when the tenant is a demo that is still being filled. Dispose it to let go.
    /// </summary>
    public async Task<IAsyncDisposable?> ClaimAsync(Guid tenantId, DetectionTurn turn, bool wait, CancellationToken cancellationToken)
    {
        var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var key = (turn == DetectionTurn.Due ? "detections/" : "arrivals/") + tenantId;
            var mine = wait
                ? await connection.ExecuteAsync(new CommandDefinition("SELECT pg_advisory_xact_lock(hashtextextended(@key, 0))", new { key }, transaction, cancellationToken: cancellationToken)) < int.MaxValue
                : await connection.ExecuteScalarAsync<bool>(new CommandDefinition(
                    """
                    SELECT NOT EXISTS (SELECT FROM defender.demo_tenants WHERE tenant_id = @tenantId AND completed_at IS NULL)
                        AND pg_try_advisory_xact_lock(hashtextextended(@key, 0))
                    """,
                    new { key, tenantId },
                    transaction,
                    cancellationToken: cancellationToken));
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

    /// <summary>How far a tenant's rules are.</summary>
    public async Task<TenantProgress> ProgressAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        using var answers = await connection.QueryMultipleAsync(new CommandDefinition(
            """
            SELECT seen_until_ticks FROM defender.detection_marks WHERE tenant_id = @tenantId;
            SELECT rule_id, query_hash, seen_until_ticks, next_run, follows FROM defender.detection_progress WHERE tenant_id = @tenantId
            """,
            new { tenantId },
            cancellationToken: cancellationToken));
        var mark = await answers.ReadSingleOrDefaultAsync<long?>();
        var rows = await answers.ReadAsync<(Guid RuleId, string QueryHash, long Ticks, DateTime NextRun, bool Follows)>();
        return new TenantProgress(
            mark is { } ticks ? new DateTime(ticks, DateTimeKind.Utc) : null,
            rows.ToDictionary(row => row.RuleId, row => new RuleProgress(row.RuleId, row.QueryHash, new DateTime(row.Ticks, DateTimeKind.Utc), row.NextRun, row.Follows)));
    }

    /// <summary>Notes runs, progress and the tenant's mark, all or nothing, and forgets runs beyond those kept.</summary>
    public async Task RecordAsync(
        Guid tenantId, DateTime? mark, IReadOnlyList<DetectionRun> runs, IReadOnlyList<RuleProgress> progress, int runsKept, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (mark is { } seen)
        {
            await connection.ExecuteAsync(new CommandDefinition(
                """
                INSERT INTO defender.detection_marks (tenant_id, seen_until_ticks) VALUES (@tenantId, @ticks)
                ON CONFLICT (tenant_id) DO UPDATE SET seen_until_ticks = excluded.seen_until_ticks
                """,
                new { tenantId, ticks = seen.Ticks },
                transaction,
                cancellationToken: cancellationToken));
        }

        if (progress.Count > 0) await StoreAsync(connection, transaction, tenantId, progress, cancellationToken);
        if (runs.Count > 0) await StoreAsync(connection, transaction, tenantId, runs, runsKept, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static Task StoreAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Guid tenantId, IReadOnlyList<RuleProgress> progress, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO defender.detection_progress AS known (tenant_id, rule_id, query_hash, seen_until_ticks, next_run, follows)
            SELECT @tenantId, rule_id, query_hash, seen_until_ticks, next_run, follows
            FROM unnest(@rules, @hashes, @seen, @next, @follows) AS new(rule_id, query_hash, seen_until_ticks, next_run, follows)
            ON CONFLICT (tenant_id, rule_id) DO UPDATE SET
                query_hash = excluded.query_hash, seen_until_ticks = excluded.seen_until_ticks, next_run = excluded.next_run, follows = excluded.follows
            """,
            new
            {
                tenantId,
                follows = progress.Select(entry => entry.Follows).ToArray(),
                rules = progress.Select(entry => entry.RuleId).ToArray(),
                hashes = progress.Select(entry => entry.QueryHash).ToArray(),
                seen = progress.Select(entry => entry.SeenUntil.Ticks).ToArray(),
                next = progress.Select(entry => entry.NextRun).ToArray(),
            },
            transaction,
            cancellationToken: cancellationToken));

    private static Task StoreAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Guid tenantId, IReadOnlyList<DetectionRun> runs, int runsKept, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(new CommandDefinition(
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
