using Vedette.Defender.Vulnerabilities.Posture;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Baselines;

/// <summary>Baseline profiles, and the configurations that the active ones ask for.</summary>
internal static class BaselineTable
{
    /// <summary>Profiles, with how many of their devices meet all they ask for.</summary>
    public static EntityTable Profiles { get; } = new(
        "BaselineProfile",
        $"""
        (SELECT p.*, (SELECT count(*) FROM {BaselineCatalogue.Rows("b")})::int AS settings, coalesce(d.total, 0) AS total, coalesce(d.passed, 0) AS passed
         FROM defender.baseline_profiles p LEFT JOIN LATERAL (
            SELECT count(*)::int AS total, (count(*) FILTER (WHERE x.ok))::int AS passed FROM (
                SELECT bool_and(a.is_compliant OR NOT a.is_applicable) AS ok FROM defender.baseline_assessments a
                JOIN defender.tvm_machines t ON t.tenant_id = a.tenant_id AND t.machine_id = a.machine_id
                WHERE a.tenant_id = p.tenant_id AND a.profile_id = p.id GROUP BY a.machine_id) AS x) AS d ON true) p
        """,
        "p.tenant_id", "id", "p.name, p.id",
    [
        new("id", ValueKind.Guid, "p.id") { NotNull = true },
        new("name", ValueKind.String, "p.name") { NotNull = true },
        new("description", ValueKind.String, "p.description") { NotNull = true },
        new("benchmark", ValueKind.String, "p.benchmark") { NotNull = true },
        new("version", ValueKind.String, "p.version") { NotNull = true },
        new("operatingSystem", ValueKind.String, "p.operating_system") { NotNull = true },
        new("operatingSystemVersion", ValueKind.String, "p.operating_system_version") { NotNull = true },
        new("status", ValueKind.Boolean, "p.status") { NotNull = true },
        new("complianceLevel", ValueKind.String, "p.compliance_level") { NotNull = true },
        new("settingsNumber", ValueKind.Int32, "p.settings") { NotNull = true },
        new("createdBy", ValueKind.String, "p.created_by") { NotNull = true },
        new("lastUpdatedBy", ValueKind.String, "p.last_updated_by"),
        new("createdOnTimestampUTC", ValueKind.Time, "p.created_on") { NotNull = true },
        new("lastUpdateTimestampUTC", ValueKind.Time, "p.last_updated_on") { NotNull = true },
        new("passedDevices", ValueKind.Int32, "p.passed") { NotNull = true },
        new("totalDevices", ValueKind.Int32, "p.total") { NotNull = true },
    ]);

    /// <summary>Configurations of the benchmarks that active profiles use. Their number is unique within a benchmark only.</summary>
    public static EntityTable Configurations { get; } = new(
        "BaselineConfiguration",
        $"""
        (SELECT p.tenant_id, p.benchmark, p.version || '-' || replace(p.operating_system, ' ', '_') AS version, array_agg(DISTINCT p.compliance_level) AS levels, b.*
         FROM defender.baseline_profiles p CROSS JOIN {BaselineCatalogue.Rows("b")} WHERE p.status
         GROUP BY p.tenant_id, p.benchmark, p.version, p.operating_system, b.id, b.name, b.category, b.source, b.op, b.value, b.cce, b.rationale, b.description, b.remediation) c
        """,
        "c.tenant_id", "uniqueId", "c.benchmark || '_' || c.version || '_' || c.id",
    [
        new("id", ValueKind.String, "c.id") { NotNull = true },
        new("uniqueId", ValueKind.String, "c.benchmark || '_' || c.version || '_' || c.id") { NotNull = true },
        new("benchmarkName", ValueKind.String, "c.benchmark") { NotNull = true },
        new("benchmarkVersion", ValueKind.String, "c.version") { NotNull = true },
        new("name", ValueKind.String, "c.name") { NotNull = true },
        new("description", ValueKind.String, "c.description") { NotNull = true },
        new("category", ValueKind.String, "c.category") { NotNull = true },
        new("complianceLevels", ValueKind.Strings, "c.levels") { NotNull = true },
        new("cce", ValueKind.String, "c.cce") { NotNull = true },
        new("rationale", ValueKind.String, "c.rationale") { NotNull = true },
        new("remediation", ValueKind.String, "c.remediation") { NotNull = true },
        new("recommendedValue", ValueKind.Strings, "ARRAY[c.value]") { NotNull = true },
        new("source", ValueKind.Strings, "ARRAY[c.source]") { NotNull = true },
        new("isCustom", ValueKind.Boolean, "false") { NotNull = true },
    ]);
}
