using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.DetectionRules;

/// <summary>Custom detection rules.</summary>
internal static class DetectionRuleTable
{
    private const string Status = "(lower(left(r.status, 1)) || substr(r.status, 2))";

    private const string Period =
        "CASE WHEN r.frequency = 0 THEN '0' WHEN r.frequency > 1440 AND r.frequency % 1440 = 0 THEN (r.frequency / 1440) || 'D' "
        + "WHEN r.frequency % 60 = 0 THEN (r.frequency / 60) || 'H' ELSE r.frequency || 'M' END";

    private const string Run = "(SELECT json_build_object('lastRunDateTime', {0}, 'status', CASE d.status WHEN 'Completed' THEN 'completed' ELSE 'failed' END, 'failureReason', d.failure, "
        + "'errorCode', CASE WHEN d.failure IS NOT NULL THEN coalesce(d.error_code, 'queryExecutionFailed') END) "
        + "FROM defender.detection_runs d WHERE d.tenant_id = r.tenant_id AND d.rule_id = r.detector_id ORDER BY d.id DESC LIMIT 1)";

    private const string NextRun =
        "coalesce((SELECT p.next_run FROM defender.detection_progress p WHERE p.tenant_id = r.tenant_id AND p.rule_id = r.detector_id), r.created_at)";

    /// <summary>Rules as the beta shows them: with the properties that its newer form replaced, because clients still read them.</summary>
    public static EntityTable Beta { get; } = Table(
    [
        new("isEnabled", ValueKind.Boolean, "(r.status = 'Enabled')") { NotNull = true },
        new("detectorId", ValueKind.String, "r.detector_id::text") { NotNull = true },
        new("queryCondition", ValueKind.Json, $"json_build_object('queryText', r.query_text, 'lastModifiedDateTime', {EntityTable.TimeText("r.query_modified_at")})::text"),
        new("schedule", ValueKind.Json,
            $"json_build_object('frequency', {Duration("r.frequency")}, 'lookback', {Duration("r.look_back")}, 'period', {Period}, 'nextRunDateTime', {EntityTable.TimeText(NextRun)})::text"),
        new("lastRunDetails", ValueKind.Json,
            $"coalesce({Run.Replace("{0}", EntityTable.TimeText("d.started_at"), StringComparison.Ordinal)}, json_build_object('lastRunDateTime', NULL, 'status', NULL, 'failureReason', NULL, 'errorCode', NULL))::text"),
        new("detectionAction", ValueKind.Json, "r.action_beta::text"),
    ]);

    /// <summary>Rules as the first version shows them.</summary>
    public static EntityTable First { get; } = Table(
    [
        new("queryCondition", ValueKind.Json, "json_build_object('queryText', r.query_text)::text"),
        new("schedule", ValueKind.Json, $"json_build_object('frequency', {Duration("r.frequency")}, 'lookback', {Duration("r.look_back")})::text"),
        new("detectionAction", ValueKind.Json, "r.action::text"),
        new("isEnabled", ValueKind.Boolean, "(r.status = 'Enabled')") { NotNull = true, Returned = false },
        new("detectorId", ValueKind.String, "r.detector_id::text") { NotNull = true, Returned = false },
    ]);

    private static EntityTable Table(IEnumerable<EntityProperty> more) => new("detectionRule", "defender.custom_rules r", "r.tenant_id", "id", "r.display_name, r.id",
    [
        new("@odata.type", ValueKind.String, "'#microsoft.graph.security.detectionRule'::text"),
        new("id", ValueKind.String, "r.id") { NotNull = true },
        new("displayName", ValueKind.String, "r.display_name") { NotNull = true },
        new("description", ValueKind.String, "r.description"),
        new("status", ValueKind.String, Status) { NotNull = true, Values = ["enabled", "disabled", "autoDisabled"] },
        new("createdBy", ValueKind.String, "r.created_by") { NotNull = true },
        new("createdDateTime", ValueKind.Time, "r.created_at") { NotNull = true },
        new("lastModifiedBy", ValueKind.String, "r.last_modified_by") { NotNull = true },
        new("lastModifiedDateTime", ValueKind.Time, "r.last_modified_at") { NotNull = true },
        .. more,
    ])
    {
        Namespace = "microsoft.graph.security",
    };

    private static string Duration(string minutes) =>
        $"CASE WHEN {minutes} = 0 THEN 'PT0S' WHEN {minutes} % 1440 = 0 THEN 'P' || ({minutes} / 1440) || 'D' WHEN {minutes} % 60 = 0 THEN 'PT' || ({minutes} / 60) || 'H' ELSE 'PT' || {minutes} || 'M' END";
}
