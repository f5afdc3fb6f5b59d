using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Dapper;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vedette.Foundation.Snapshots;
using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Detections.Custom;

/// <summary>Keeps the rules that tenants made.</summary>
internal sealed partial class CustomRuleStore(NpgsqlDataSource database, HuntingCatalogue? names, ILogger<CustomRuleStore>? log) : ITenantRules, IStateCache
{
    private const string Columns =
        """
        SELECT tenant_id AS TenantId, id AS Id, detector_id AS DetectorId, display_name AS DisplayName, description AS Description, status AS Status,
            created_by AS CreatedBy, created_at AS CreatedAt, last_modified_by AS LastModifiedBy, last_modified_at AS LastModifiedAt,
            query_modified_at AS QueryModifiedAt, body::text AS Body
        FROM defender.custom_rules
        """;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    private readonly ConcurrentDictionary<Guid, Known> _known = new();

    /// <inheritdoc/>
    public event Action<Guid>? Changed;

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<DetectionRule>> RulesAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var version = await connection.ExecuteScalarAsync<long>(new CommandDefinition(
            "SELECT coalesce((SELECT version FROM defender.custom_rule_changes WHERE tenant_id = @tenantId), 0)", new { tenantId }, cancellationToken: cancellationToken));
        if (version == 0) return [];
        var before = _known.GetValueOrDefault(tenantId);
        if (before?.Version == version) return before.Rules;

        // Read after the number: a change in between shows as a higher number at the next look. Rules that stayed the same keep their object.
        var stored = await connection.QueryAsync<Row>(new CommandDefinition($"{Columns} WHERE tenant_id = @tenantId ORDER BY id", new { tenantId }, cancellationToken: cancellationToken));
        var ready = new Dictionary<Guid, (Row Row, DetectionRule Rule)>();
        foreach (var row in stored)
            ready[row.DetectorId] = before?.ByDetector.GetValueOrDefault(row.DetectorId) is { Row: { } old } same && old.RunsAs(row) ? same : (row, Compile(row.ToRule()));
        var known = new Known(version, [.. ready.Values.Select(entry => entry.Rule)], ready);
        _known[tenantId] = known;
        return known.Rules;
    }

    /// <inheritdoc/>
    public void Forget() => _known.Clear();

    /// <summary>A tenant's rules by id.</summary>
    public async Task<IReadOnlyList<CustomRule>> ListAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<Row>(new CommandDefinition($"{Columns} WHERE tenant_id = @tenantId ORDER BY display_name", new { tenantId }, cancellationToken: cancellationToken));
        return [.. rows.Select(row => row.ToRule())];
    }

    /// <summary>How many rules a tenant has.</summary>
    public async Task<long> CountAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<long>(
            new CommandDefinition("SELECT count(*) FROM defender.custom_rules WHERE tenant_id = @tenantId", new { tenantId }, cancellationToken: cancellationToken));
    }

    /// <summary>A rule by its id, whatever its case; null when there is none.</summary>
    public async Task<CustomRule?> FindAsync(Guid tenantId, string id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<Row>(
            new CommandDefinition($"{Columns} WHERE tenant_id = @tenantId AND lower(id) = lower(@id)", new { tenantId, id }, cancellationToken: cancellationToken));
        return row?.ToRule();
    }

    /// <summary>An id for a rule whose maker chose none.</summary>
    public async Task<string> NewIdAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return (await connection.ExecuteScalarAsync<long>(new CommandDefinition("SELECT nextval('defender.custom_rule_numbers')", cancellationToken: cancellationToken)))
            .ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Stores a new rule, or the name of the index that keeps it out.</summary>
    public async Task<string?> AddAsync(CustomRule rule, CancellationToken cancellationToken) => await WriteAsync(
        rule,
        """
        INSERT INTO defender.custom_rules (tenant_id, id, detector_id, display_name, description, status, created_by, created_at, last_modified_by,
            last_modified_at, query_text, query_modified_at, frequency, look_back, title, body, action, action_beta)
        VALUES (@TenantId, @Id, @DetectorId, @DisplayName, @Description, @Status, @CreatedBy, @CreatedAt, @LastModifiedBy, @LastModifiedAt, @Query,
            @QueryModifiedAt, @Frequency, @LookBack, @Title, @Body::jsonb, @Action::json, @ActionBeta::json)
        """,
        cancellationToken);

    /// <summary>Stores a changed rule, or the name of the index that keeps it out.</summary>
    public async Task<string?> ChangeAsync(CustomRule rule, CancellationToken cancellationToken) => await WriteAsync(
        rule,
        """
        UPDATE defender.custom_rules SET display_name = @DisplayName, description = @Description, status = @Status, last_modified_by = @LastModifiedBy,
            last_modified_at = @LastModifiedAt, query_text = @Query, query_modified_at = @QueryModifiedAt, frequency = @Frequency, look_back = @LookBack,
            title = @Title, body = @Body::jsonb, action = @Action::json, action_beta = @ActionBeta::json
        WHERE tenant_id = @TenantId AND id = @Id
        """,
        cancellationToken);

    /// <summary>Deletes a rule with its progress; false when there was none. Its alerts and the history of its runs and responses stay.</summary>
    public async Task<bool> DeleteAsync(Guid tenantId, string id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var deleted = await connection.ExecuteScalarAsync<Guid?>(new CommandDefinition(
            """
            WITH gone AS (DELETE FROM defender.custom_rules WHERE tenant_id = @tenantId AND lower(id) = lower(@id) RETURNING detector_id),
                progress AS (DELETE FROM defender.detection_progress WHERE tenant_id = @tenantId AND rule_id IN (SELECT detector_id FROM gone))
            SELECT detector_id FROM gone
            """,
            new { tenantId, id },
            cancellationToken: cancellationToken));
        if (deleted is not null) Changed?.Invoke(tenantId);
        return deleted is not null;
    }

    /// <summary>
    /// Switches a rule off whose runs failed again and again; false when it is off already, not a tenant's own, or continuous and failed over more
    /// than an hour: the history tells not of each of its runs.
    /// </summary>
    public async Task<bool> AutoDisableAsync(Guid tenantId, Guid detectorId, DateTime since, DateTime now, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteAsync(new CommandDefinition(
            """
            UPDATE defender.custom_rules SET status = 'AutoDisabled', last_modified_at = @now
            WHERE tenant_id = @tenantId AND detector_id = @detectorId AND status = 'Enabled' AND (frequency > 0 OR @since > @now - interval '1 hour')
            """,
            new { tenantId, detectorId, since, now },
            cancellationToken: cancellationToken)) > 0;
    }

    private async Task<string?> WriteAsync(CustomRule rule, string sql, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            await connection.ExecuteAsync(new CommandDefinition(
                sql,
                new
                {
                    rule.TenantId, rule.Id, rule.DetectorId, rule.DisplayName, rule.Description, Status = rule.Status.ToString(), rule.CreatedBy, rule.CreatedAt,
                    rule.LastModifiedBy, rule.LastModifiedAt, rule.Body.Query, rule.QueryModifiedAt, rule.Body.Frequency, rule.Body.LookBack, rule.Body.Title,
                    Body = JsonSerializer.Serialize(rule.Body, Json),
                    Action = CustomRuleJson.Action(rule.Body, beta: false).ToJsonString(),
                    ActionBeta = CustomRuleJson.Action(rule.Body, beta: true).ToJsonString(),
                },
                cancellationToken: cancellationToken));
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return exception.ConstraintName;
        }

        Changed?.Invoke(rule.TenantId);
        return null;
    }

    private DetectionRule Compile(CustomRule rule)
    {
        if (names is null) return CustomRuleMapping.ToDetection(rule, null);
        var problems = new List<RuleProblem>();
        var ready = CustomRuleMapping.Compile(rule, names.Schema, problems);

        // A rule that bound when it was stored and does not now, after an update: it stays, fails when it runs, and says why.
        if (ready is null && log is not null) LogProblem(log, rule.DisplayName, string.Join("; ", problems.Select(problem => problem.Message)));
        return ready ?? CustomRuleMapping.ToDetection(rule, null);
    }

    [LoggerMessage(LogLevel.Warning, "The custom detection rule {Rule} cannot run any more: {Problems}")]
    private static partial void LogProblem(ILogger log, string rule, string problems);

    private sealed record Known(long Version, IReadOnlyList<DetectionRule> Rules, IReadOnlyDictionary<Guid, (Row Row, DetectionRule Rule)> ByDetector);

    private sealed class Row
    {
        public Guid TenantId { get; init; }

        public string Id { get; init; } = "";

        public Guid DetectorId { get; init; }

        public string DisplayName { get; init; } = "";

        public string? Description { get; init; }

        public string Status { get; init; } = "";

        public string CreatedBy { get; init; } = "";

        public DateTime CreatedAt { get; init; }

        public string LastModifiedBy { get; init; } = "";

        public DateTime LastModifiedAt { get; init; }

        public DateTime? QueryModifiedAt { get; init; }

        public string Body { get; init; } = "";

        /// <summary>Whether the engine would run the other the same way.</summary>
        public bool RunsAs(Row other) => Body == other.Body && Status == other.Status && Id == other.Id && DisplayName == other.DisplayName && Description == other.Description;

        public CustomRule ToRule() => new()
        {
            TenantId = TenantId, Id = Id, DetectorId = DetectorId, DisplayName = DisplayName, Description = Description, Status = Enum.Parse<CustomRuleStatus>(Status),
            CreatedBy = CreatedBy, CreatedAt = CreatedAt, LastModifiedBy = LastModifiedBy, LastModifiedAt = LastModifiedAt, QueryModifiedAt = QueryModifiedAt,
            Body = JsonSerializer.Deserialize<CustomRuleBody>(Body, Json)!,
        };
    }
}
