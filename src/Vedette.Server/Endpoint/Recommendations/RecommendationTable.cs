using NpgsqlTypes;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Recommendations;

/// <summary>Security recommendations.</summary>
internal static class RecommendationTable
{
    /// <summary>SQL that is true for devices, called m, that the recommendation, called r, is about.</summary>
    public const string Exposed =
        """
        CASE WHEN r.configuration_id IS NOT NULL
            THEN EXISTS (SELECT 1 FROM defender.configuration_assessments a
                WHERE a.tenant_id = m.tenant_id AND a.machine_id = m.id AND a.configuration_id = r.configuration_id AND a.is_applicable AND NOT a.is_compliant)
            ELSE EXISTS (SELECT 1 FROM defender.installations i JOIN defender.software_versions v ON v.id = i.version_id
                WHERE i.tenant_id = m.tenant_id AND i.machine_id = m.id AND i.removed_at IS NULL AND v.vendor || '-_-' || v.name = r.product_id
                    AND (v.weaknesses > 0 OR v.end_of_support <= current_date)) END
        """;

    /// <summary>Recommendations, the one that lowers the exposure most first by id.</summary>
    public static EntityTable Recommendations { get; } = new("Recommendation", "defender.tvm_recommendations r", "r.tenant_id", "id", "r.id",
    [
        new("id", ValueKind.String, "r.id") { NotNull = true },
        new("productName", ValueKind.String, "r.product_name") { NotNull = true },
        new("recommendationName", ValueKind.String, "r.recommendation_name") { NotNull = true },
        new("weaknesses", ValueKind.Int64, "r.weaknesses") { NotNull = true },
        new("vendor", ValueKind.String, "r.vendor") { NotNull = true },
        new("recommendedVersion", ValueKind.String, "r.recommended_version") { NotNull = true },
        new("recommendedVendor", ValueKind.String, "r.recommended_vendor") { NotNull = true },
        new("recommendedProgram", ValueKind.String, "r.recommended_program") { NotNull = true },
        new("recommendationCategory", ValueKind.String, "r.category") { NotNull = true },
        new("subCategory", ValueKind.String, "r.sub_category") { NotNull = true },
        new("severityScore", ValueKind.Double, "r.severity_score") { NotNull = true },
        new("publicExploit", ValueKind.Boolean, "r.public_exploit") { NotNull = true },
        new("activeAlert", ValueKind.Boolean, "r.active_alert") { NotNull = true },
        new("associatedThreats", ValueKind.Strings, "ARRAY[]::text[]") { NotNull = true },
        new("remediationType", ValueKind.String, "r.remediation_type") { NotNull = true },
        new("status", ValueKind.String, "r.status") { Values = ["Active", "Exception"], NotNull = true },
        new("configScoreImpact", ValueKind.Double, "r.config_score_impact") { NotNull = true },
        new("exposureImpact", ValueKind.Double, "r.exposure_impact") { NotNull = true },
        new("totalMachineCount", ValueKind.Int64, "r.total_machine_count") { NotNull = true },
        new("exposedMachinesCount", ValueKind.Int64, "r.exposed_machines_count") { NotNull = true },
        new("nonProductivityImpactedAssets", ValueKind.Int64, "r.non_productivity_impacted_assets") { NotNull = true },
        new("relatedComponent", ValueKind.String, "r.related_component") { NotNull = true },
        new("hasUnpatchableCve", ValueKind.Boolean, "r.has_unpatchable_cve") { NotNull = true },
        new("tags", ValueKind.Strings, "r.tags") { NotNull = true },
        new("exposedCriticalDevices", ValueKind.Int64, "r.exposed_critical_devices") { NotNull = true },
    ]);

    /// <summary>Condition: the recommendation is about a device.</summary>
    public static SqlCondition ForMachine(string machine) => sql => sql.Add(
        $" AND EXISTS (SELECT 1 FROM defender.machines m WHERE m.tenant_id = r.tenant_id AND m.id = {sql.Parameter(machine, NpgsqlDbType.Text)} AND {Exposed})");
}
