using System.Text.Json;
using Dapper;
using Npgsql;

namespace Vedette.Defender.Detections.Custom;

/// <summary>Something that a rule did, or tried to.</summary>
/// <param name="AlertId">The alert because of which.</param>
/// <param name="Kind">What.</param>
/// <param name="Subject">To what, by role.</param>
/// <param name="Status"><c>Pending</c>, <c>Succeeded</c> or <c>Failed</c>.</param>
/// <param name="Reason">Why it failed.</param>
/// <param name="Reference">The machine action, indicator or investigation that came of it.</param>
/// <param name="CreatedAt">When it was begun, UTC.</param>
/// <param name="EndedAt">When it was ordered or given up, UTC.</param>
public sealed record RuleAction(
    string AlertId, ResponseKind Kind, IReadOnlyDictionary<string, string> Subject, string Status, string? Reason, string? Reference, DateTime CreatedAt, DateTime? EndedAt);

/// <summary>Remembers what rules did. The intention is stored before the deed.</summary>
public sealed class ResponseJournal(NpgsqlDataSource database)
{
    /// <summary>Notes intentions that are new, and gives the numbers and targets of all that are not ended, also those of an earlier attempt.</summary>
    internal async Task<IReadOnlyList<(long Id, ResponseTarget Target)>> BeginAsync(
        Guid tenantId, Guid detectorId, string alertId, IReadOnlyList<ResponseTarget> targets, DateTime now, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(long Id, string Target)>(new CommandDefinition(
            """
            INSERT INTO defender.custom_rule_responses (tenant_id, detector_id, alert_id, kind, target, subject, status, created_at)
            SELECT @tenantId, @detectorId, @alertId, kind, target, subject::jsonb, 'Pending', @now FROM unnest(@kinds, @keys, @subjects) AS wanted(kind, target, subject)
            ON CONFLICT (tenant_id, detector_id, alert_id, target) DO NOTHING;
            SELECT id, target FROM defender.custom_rule_responses
            WHERE tenant_id = @tenantId AND detector_id = @detectorId AND alert_id = @alertId AND target = ANY(@keys) AND status = 'Pending' ORDER BY id
            """,
            new
            {
                tenantId,
                detectorId,
                alertId,
                now,
                kinds = targets.Select(target => target.Response.Kind.ToString()).ToArray(),
                keys = targets.Select(target => target.Key).ToArray(),
                subjects = targets.Select(target => JsonSerializer.Serialize(target.Values)).ToArray(),
            },
            cancellationToken: cancellationToken));
        var byKey = targets.DistinctBy(target => target.Key).ToDictionary(target => target.Key, StringComparer.Ordinal);
        return [.. rows.Select(row => (row.Id, byKey[row.Target]))];
    }

    /// <summary>Notes how something ended.</summary>
    internal async Task EndAsync(long id, string? reference, string? reason, DateTime now, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE defender.custom_rule_responses SET status = @status, reason = @reason, reference = @reference, ended_at = @now WHERE id = @id",
            new { id, status = reason is null ? "Succeeded" : "Failed", reason, reference, now },
            cancellationToken: cancellationToken));
    }

    /// <summary>The latest that a rule did, the newest first.</summary>
    public async Task<IReadOnlyList<RuleAction>> ListAsync(Guid tenantId, Guid detectorId, int top, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(string AlertId, string Kind, string Subject, string Status, string? Reason, string? Reference, DateTime CreatedAt, DateTime? EndedAt)>(
            new CommandDefinition(
                """
                SELECT alert_id, kind, subject::text, status, reason, reference, created_at, ended_at FROM defender.custom_rule_responses
                WHERE tenant_id = @tenantId AND detector_id = @detectorId ORDER BY id DESC LIMIT @top
                """,
                new { tenantId, detectorId, top },
                cancellationToken: cancellationToken));
        return [.. rows.Select(row => new RuleAction(
            row.AlertId, Enum.Parse<ResponseKind>(row.Kind), JsonSerializer.Deserialize<Dictionary<string, string>>(row.Subject)!, row.Status, row.Reason, row.Reference, row.CreatedAt, row.EndedAt))];
    }
}
