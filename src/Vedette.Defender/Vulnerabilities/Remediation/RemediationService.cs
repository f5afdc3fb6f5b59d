using Dapper;
using Npgsql;
using Vedette.Foundation;

namespace Vedette.Defender.Vulnerabilities.Remediation;

/// <summary>A request to remediate a recommendation.</summary>
/// <param name="RecommendationId">The recommendation.</param>
/// <param name="DueOn">Until when, UTC.</param>
/// <param name="Priority"><c>High</c>, <c>Medium</c> or <c>Low</c>.</param>
public sealed record RemediationRequest(string RecommendationId, DateTime DueOn, string Priority = "Medium")
{
    /// <summary>Words for those who do it.</summary>
    public string? Notes { get; init; }

    /// <summary>Device groups meant; empty for all.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>Identity of the activity; a new one when left empty. Asking again with the same one changes nothing.</summary>
    public Guid Id { get; init; }

    /// <summary>Object id of who asks.</summary>
    public Guid RequesterId { get; init; }
}

/// <summary>Opens remediation activities and exceptions. The service has no API for either: its portal makes them.</summary>
public sealed class RemediationService(NpgsqlDataSource database, IIdentifierSource identifiers, TimeProvider clock, TvmSignal signal)
{
    private static readonly string[] Priorities = ["High", "Medium", "Low"];

    private const string Create =
        """
        INSERT INTO defender.remediation_tasks (tenant_id, id, recommendation_id, title, created_on, requester_id, requester_email, status, status_last_modified_on,
            description, related_component, rbac_group_names, requester_notes, due_on, category, productivity_impact_remediation_type, priority, scid, type,
            product_id, vendor_id, name_id, recommended_version, recommended_vendor, recommended_program)
        SELECT @tenant, @id, r.id, r.recommendation_name, @now, @requester, @email, 'Active', @now,
            r.recommendation_name || ' on ' || r.exposed_machines_count || ' devices', r.related_component, @groups, @notes, @due,
            CASE WHEN r.configuration_id IS NULL THEN 'Software' ELSE 'Security configuration' END,
            CASE WHEN r.configuration_id IS NULL THEN NULL ELSE 'AllExposedAssets' END, @priority, r.configuration_id, r.remediation_type,
            r.product_id, CASE WHEN r.product_id IS NULL THEN NULL ELSE r.vendor END, CASE WHEN r.product_id IS NULL THEN NULL ELSE r.product_name END,
            nullif(r.recommended_version, ''), nullif(r.recommended_vendor, ''), nullif(r.recommended_program, '')
        FROM defender.tvm_recommendations r WHERE r.tenant_id = @tenant AND r.id = @recommendation
            AND NOT EXISTS (SELECT 1 FROM defender.remediation_tasks k WHERE k.tenant_id = @tenant AND k.id = @id)
        """;

    private const string Target =
        """
        INSERT INTO defender.remediation_targets (tenant_id, task_id, machine_id)
        SELECT DISTINCT @tenant, k.id, t.machine_id
        FROM defender.remediation_tasks k, defender.tvm_machines t JOIN defender.machines m ON m.tenant_id = t.tenant_id AND m.id = t.machine_id
        WHERE k.tenant_id = @tenant AND k.id = @id AND t.tenant_id = @tenant AND (cardinality(@groups) = 0 OR m.rbac_group_name = ANY(@groups))
            AND CASE WHEN k.scid IS NOT NULL
                THEN EXISTS (SELECT 1 FROM defender.configuration_assessments a WHERE a.tenant_id = @tenant AND a.machine_id = m.id AND a.configuration_id = k.scid AND a.is_applicable AND NOT a.is_compliant)
                ELSE EXISTS (
                    SELECT 1 FROM defender.installations i JOIN defender.software_versions v ON v.id = i.version_id
                    WHERE i.tenant_id = @tenant AND i.machine_id = m.id AND i.removed_at IS NULL AND v.vendor || '-_-' || v.name = k.product_id
                        AND (v.weaknesses > 0 OR v.end_of_support <= @now::date)) END
        """;

    /// <summary>Opens an activity over the devices that are exposed now.</summary>
    /// <returns>Its id.</returns>
    public async Task<Outcome<Guid>> CreateAsync(Caller caller, RemediationRequest request, CancellationToken cancellationToken)
    {
        if (!Priorities.Contains(request.Priority)) return new DomainError(Refusal.InvalidInput, "priority");
        var now = clock.GetUtcNow().UtcDateTime;
        var parameters = new
        {
            tenant = caller.TenantId, id = request.Id == Guid.Empty ? identifiers.NewGuid() : request.Id, now, requester = request.RequesterId, email = caller.Name, groups = request.Groups.ToArray(),
            notes = request.Notes, due = request.DueOn, priority = request.Priority, recommendation = request.RecommendationId,
        };
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var made = await connection.ExecuteAsync(new CommandDefinition(Create, parameters, cancellationToken: cancellationToken));
        if (made == 0) return new DomainError(Refusal.ResourceNotFound, "Recommendation", request.RecommendationId);
        await connection.ExecuteAsync(new CommandDefinition(Target, parameters, cancellationToken: cancellationToken));
        await transaction.CommitAsync(cancellationToken);
        return parameters.id;
    }

    /// <summary>Ends an activity by hand.</summary>
    public async Task<Outcome<Guid>> CompleteAsync(Caller caller, Guid id, Guid completerId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var done = await connection.ExecuteAsync(new CommandDefinition(
            """
            UPDATE defender.remediation_tasks SET status = 'Completed', completion_method = 'Manual', completer_id = @completer, completer_email = @email, status_last_modified_on = @now
            WHERE tenant_id = @tenant AND id = @id AND status = 'Active'
            """,
            new { tenant = caller.TenantId, id, completer = completerId.ToString(), email = caller.Name, now = clock.GetUtcNow().UtcDateTime },
            cancellationToken: cancellationToken));
        return done == 1 ? id : new DomainError(Refusal.ResourceNotFound, "Remediation activity", id.ToString());
    }

    /// <summary>Takes a recommendation out of what is to be done, for a time or for good.</summary>
    public async Task ExceptAsync(Caller caller, string recommendationId, string justification, DateTime? expiresAt, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO defender.recommendation_exceptions (tenant_id, recommendation_id, justification, created_by, created_at, expires_at)
            VALUES (@tenant, @recommendationId, @justification, @by, @now, @expiresAt)
            ON CONFLICT (tenant_id, recommendation_id) DO UPDATE SET justification = excluded.justification, created_by = excluded.created_by, created_at = excluded.created_at, expires_at = excluded.expires_at;
            INSERT INTO defender.tvm_state AS s (tenant_id, changed) VALUES (@tenant, 1) ON CONFLICT (tenant_id) DO UPDATE SET changed = s.changed + 1
            """,
            new { tenant = caller.TenantId, recommendationId, justification, by = caller.Name, now = clock.GetUtcNow().UtcDateTime, expiresAt },
            cancellationToken: cancellationToken));
        signal.Raise(caller.TenantId);
    }
}
