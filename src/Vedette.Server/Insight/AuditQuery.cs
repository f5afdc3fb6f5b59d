using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;

namespace Vedette.Server.Insight;

/// <summary>Which audit events are wanted.</summary>
/// <param name="Since">Only later ones; null for all that are kept (30 days).</param>
/// <param name="Activity">Only activities that contain this, ignoring case.</param>
/// <param name="Actor">Only of this client id, sign-in name or <c>administrator</c>.</param>
/// <param name="TenantId">Only of this tenant.</param>
/// <param name="Failed">Only refusals.</param>
/// <param name="Limit">How many, newest first.</param>
internal sealed record AuditFilter(DateTimeOffset? Since, string? Activity, string? Actor, Guid? TenantId, bool Failed, int Limit);

/// <summary>One audit event as it is shown.</summary>
internal sealed record AuditRow(DateTimeOffset Time, string Activity, Guid? TenantId, string Actor, string Target, bool Succeeded, JsonNode? Detail);

/// <summary>Reads the audit log.</summary>
internal sealed class AuditQuery(NpgsqlDataSource database)
{
    /// <summary>The events that a filter lets through, newest first.</summary>
    public async Task<IReadOnlyList<AuditRow>> RunAsync(AuditFilter filter, CancellationToken cancellationToken = default)
    {
        await using var command = database.CreateCommand(
            """
            SELECT occurred_at, activity, tenant_id, actor, target, succeeded, detail::text FROM identity.audit_events
            WHERE ($1 IS NULL OR occurred_at >= $1) AND ($2 IS NULL OR strpos(lower(activity), lower($2)) > 0) AND ($3 IS NULL OR lower(actor) = lower($3))
              AND ($4 IS NULL OR tenant_id = $4) AND NOT ($5 AND succeeded)
            ORDER BY id DESC LIMIT $6
            """);
        Add(NpgsqlDbType.TimestampTz, filter.Since);
        Add(NpgsqlDbType.Text, filter.Activity);
        Add(NpgsqlDbType.Text, filter.Actor);
        Add(NpgsqlDbType.Uuid, filter.TenantId);
        Add(NpgsqlDbType.Boolean, filter.Failed);
        Add(NpgsqlDbType.Integer, filter.Limit);
        var rows = new List<AuditRow>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(new AuditRow(
                reader.GetFieldValue<DateTimeOffset>(0), reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetGuid(2), reader.GetString(3), reader.GetString(4),
                reader.GetBoolean(5), JsonNode.Parse(reader.GetString(6))));
        }

        return rows;

        void Add(NpgsqlDbType type, object? value) => command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = value ?? DBNull.Value });
    }
}
