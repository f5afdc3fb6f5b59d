using Vedette.Defender.Vulnerabilities.Posture;

namespace Vedette.Defender.Vulnerabilities.Assessment;

/// <summary>The statements of an assessment, in order. Parameters: tenant, now, since (devices seen earlier do not count), forget.</summary>
internal static class AssessmentScript
{
    /// <summary>Name and statement of each step.</summary>
    public static IReadOnlyList<(string Name, string Sql)> Steps =>
    [
        ("note moves between groups", GroupMoves),
        ("forget what went long ago", Forget),
        ("devices", Devices),
        ("products", Products),
        ("vulnerabilities", Vulnerabilities),
        ("recommendations: software", SoftwareRecommendations),
        ("recommendations: configuration", ConfigurationRecommendations),
        ("remediations", Remediations),
    ];

    private const string GroupMoves =
        """
        UPDATE defender.machine_group_moves SET moved_at = @now WHERE tenant_id = @tenant AND moved_at IS NULL;
        DELETE FROM defender.machine_group_moves WHERE tenant_id = @tenant AND moved_at < @forget
        """;

    private const string Forget =
        """
        DELETE FROM defender.installations WHERE tenant_id = @tenant AND removed_at < @forget;
        DELETE FROM defender.version_vulnerabilities WHERE tenant_id = @tenant AND removed_at < @forget
        """;

    private static readonly string Devices =
        $"""
        DELETE FROM defender.tvm_machines WHERE tenant_id = @tenant;
        INSERT INTO defender.tvm_machines (tenant_id, machine_id, risk, exposure)
        SELECT @tenant, m.id, coalesce(r.risk, 0), {string.Format(System.Globalization.CultureInfo.InvariantCulture, RiskFormula.ExposureSql, "coalesce(r.risk, 0)")}
        FROM defender.machines m LEFT JOIN (
            SELECT i.machine_id, sum(v.risk) AS risk FROM defender.installations i JOIN defender.software_versions v ON v.id = i.version_id
            WHERE i.tenant_id = @tenant AND i.removed_at IS NULL AND v.risk > 0 GROUP BY i.machine_id) AS r ON r.machine_id = m.id
        WHERE m.tenant_id = @tenant AND NOT m.is_excluded AND m.last_seen >= @since;
        ANALYZE defender.tvm_machines
        """;

    // Impact: by how much the organisation's exposure would fall if the product had no weaknesses.
    private static readonly string Products =
        $"""
        DELETE FROM defender.tvm_products WHERE tenant_id = @tenant;
        WITH devices AS (
            SELECT t.machine_id, t.risk, {RiskFormula.WeightSql} AS weight
            FROM defender.tvm_machines t JOIN defender.machines m ON m.tenant_id = t.tenant_id AND m.id = t.machine_id WHERE t.tenant_id = @tenant),
        held AS (
            SELECT v.vendor, v.name, i.machine_id, bool_or(v.has_product_code) AS code, sum(v.risk) AS risk, max(v.weaknesses) AS weaknesses
            FROM defender.installations i JOIN defender.software_versions v ON v.id = i.version_id
            WHERE i.tenant_id = @tenant AND i.removed_at IS NULL GROUP BY v.vendor, v.name, i.machine_id),
        counted AS (
            SELECT h.vendor, h.name, bool_or(h.code) AS code, count(*) AS installed, count(*) FILTER (WHERE h.weaknesses > 0) AS exposed,
                sum(d.weight * 100 * exp(-d.risk) * (exp(h.risk) - 1)) / (SELECT sum(weight) FROM devices) AS impact
            FROM held h JOIN devices d ON d.machine_id = h.machine_id GROUP BY h.vendor, h.name),
        weak AS (
            SELECT v.vendor, v.name, count(DISTINCT w.vulnerability_id) AS weaknesses, bool_or(k.public_exploit) AS exploit
            FROM defender.version_vulnerabilities w JOIN defender.software_versions v ON v.id = w.version_id JOIN defender.kb_vulnerabilities k ON k.id = w.vulnerability_id
            WHERE w.tenant_id = @tenant AND w.removed_at IS NULL AND EXISTS (
                SELECT 1 FROM defender.installations i JOIN devices d ON d.machine_id = i.machine_id WHERE i.version_id = v.id AND i.tenant_id = @tenant AND i.removed_at IS NULL)
            GROUP BY v.vendor, v.name),
        files AS (
            SELECT DISTINCT a.machine_id, lower(f.name) AS name
            FROM defender.alerts a JOIN defender.alert_evidence e ON e.tenant_id = a.tenant_id AND e.alert_id = a.id
            CROSS JOIN LATERAL (VALUES (e.file_name), (e.parent_process_file_name)) AS f(name)
            WHERE a.tenant_id = @tenant AND a.status <> 'Resolved' AND a.machine_id IS NOT NULL AND f.name IS NOT NULL),
        alerted AS (
            SELECT DISTINCT v.vendor, v.name
            FROM defender.installations i JOIN defender.software_versions v ON v.id = i.version_id AND v.weaknesses > 0
            CROSS JOIN LATERAL unnest(i.disk_paths) AS p(path)
            JOIN files f ON f.machine_id = i.machine_id AND f.name = lower(substring(p.path FROM '[^\\/]+$'))
            WHERE i.tenant_id = @tenant AND i.removed_at IS NULL)
        INSERT INTO defender.tvm_products (tenant_id, id, vendor, name, has_product_code, weaknesses, public_exploit, active_alert, exposed_machines, installed_machines, impact_score)
        SELECT @tenant, c.vendor || '-_-' || c.name, c.vendor, c.name, c.code, coalesce(w.weaknesses, 0), coalesce(w.exploit, false),
            EXISTS (SELECT 1 FROM alerted a WHERE a.vendor = c.vendor AND a.name = c.name), c.exposed, c.installed, coalesce(c.impact, 0)
        FROM counted c LEFT JOIN weak w ON w.vendor = c.vendor AND w.name = c.name
        """;

    private const string Vulnerabilities =
        """
        DELETE FROM defender.tvm_vulnerabilities WHERE tenant_id = @tenant;
        INSERT INTO defender.tvm_vulnerabilities (tenant_id, id, exposed_machines, first_detected)
        SELECT @tenant, w.vulnerability_id, count(DISTINCT i.machine_id), min(greatest(i.first_seen, k.added_at))
        FROM defender.version_vulnerabilities w
        JOIN defender.kb_vulnerabilities k ON k.id = w.vulnerability_id
        JOIN defender.installations i ON i.version_id = w.version_id AND i.removed_at IS NULL
        JOIN defender.tvm_machines t ON t.tenant_id = @tenant AND t.machine_id = i.machine_id
        WHERE w.tenant_id = @tenant AND w.removed_at IS NULL
        GROUP BY w.vulnerability_id
        """;

    private const string SoftwareRecommendations =
        """
        DELETE FROM defender.tvm_recommendations WHERE tenant_id = @tenant;
        INSERT INTO defender.tvm_recommendations (tenant_id, id, product_id, product_name, recommendation_name, weaknesses, vendor, recommended_version,
            recommended_program, recommended_vendor, category, sub_category, severity_score, public_exploit, active_alert, remediation_type, status,
            config_score_impact, exposure_impact, total_machine_count, exposed_machines_count, non_productivity_impacted_assets, related_component,
            has_unpatchable_cve, tags, exposed_critical_devices)
        SELECT @tenant, 'va-_-' || p.id, p.id, p.name, d.remediation || ' ' || x.title, p.weaknesses, p.vendor, '', '', '',
            CASE WHEN p.name ~ '^(windows_|macos|.*_linux$|linux_kernel$)' THEN 'OS' ELSE 'Application' END, '', 0, p.public_exploit, p.active_alert, d.remediation,
            CASE WHEN EXISTS (SELECT 1 FROM defender.recommendation_exceptions e WHERE e.tenant_id = @tenant AND e.recommendation_id = 'va-_-' || p.id
                AND (e.expires_at IS NULL OR e.expires_at > @now)) THEN 'Exception' ELSE 'Active' END,
            0, p.impact_score, p.installed_machines, p.exposed_machines, 0, x.title, coalesce(s.unpatchable, false),
            CASE WHEN s.facing THEN ARRAY['internetFacing'] ELSE ARRAY[]::text[] END, coalesce(s.critical, 0)
        FROM defender.tvm_products p
        CROSS JOIN LATERAL (SELECT CASE WHEN p.vendor = p.name THEN initcap(replace(p.name, '_', ' ')) ELSE initcap(replace(p.vendor || ' ' || p.name, '_', ' ')) END AS title) AS x
        LEFT JOIN LATERAL (
            SELECT count(DISTINCT m.id) FILTER (WHERE m.device_value = 'High') AS critical, bool_or('Internet facing' = ANY(m.machine_tags)) AS facing,
                bool_or(EXISTS (SELECT 1 FROM defender.version_vulnerabilities w WHERE w.version_id = v.id AND w.removed_at IS NULL AND w.fixed_version IS NULL)) AS unpatchable,
                bool_or(v.end_of_support <= @now::date) AS ended, bool_or(v.end_of_support <= @now::date AND v.end_of_support_scope = 'Software') AS gone
            FROM defender.software_versions v JOIN defender.installations i ON i.version_id = v.id AND i.removed_at IS NULL
            JOIN defender.tvm_machines t ON t.tenant_id = @tenant AND t.machine_id = i.machine_id
            JOIN defender.machines m ON m.tenant_id = @tenant AND m.id = i.machine_id
            WHERE v.tenant_id = @tenant AND v.vendor = p.vendor AND v.name = p.name AND (v.weaknesses > 0 OR v.end_of_support <= @now::date)) AS s ON true
        CROSS JOIN LATERAL (SELECT CASE WHEN s.gone AND p.name !~ '^windows_' THEN 'Uninstall' WHEN s.ended THEN 'Upgrade' ELSE 'Update' END AS remediation) AS d
        WHERE p.tenant_id = @tenant AND (p.weaknesses > 0 OR s.ended)
        """;

    private static readonly string ConfigurationRecommendations =
        $"""
        INSERT INTO defender.tvm_recommendations (tenant_id, id, configuration_id, product_name, recommendation_name, weaknesses, vendor, recommended_version,
            recommended_program, recommended_vendor, category, sub_category, severity_score, public_exploit, active_alert, remediation_type, status,
            config_score_impact, exposure_impact, total_machine_count, exposed_machines_count, non_productivity_impacted_assets, related_component,
            has_unpatchable_cve, tags, exposed_critical_devices)
        SELECT @tenant, 'sca-_-' || c.id, c.id, lower(replace(c.component, ' ', '_')), c.name, 1, 'microsoft', '', '', '', c.category, c.subcategory, c.impact, false, false,
            'ConfigurationChange',
            CASE WHEN EXISTS (SELECT 1 FROM defender.recommendation_exceptions e WHERE e.tenant_id = @tenant AND e.recommendation_id = 'sca-_-' || c.id
                AND (e.expires_at IS NULL OR e.expires_at > @now)) THEN 'Exception' ELSE 'Active' END,
            c.impact * a.exposed / a.total, 0, a.total, a.exposed, CASE WHEN c.user_impact THEN 0 ELSE a.exposed END, c.component, false,
            CASE WHEN a.facing THEN ARRAY['internetFacing'] ELSE ARRAY[]::text[] END, a.critical
        FROM {ConfigurationCatalogue.Rows("c")}
        JOIN (
            SELECT a.configuration_id, count(*) AS total, count(*) FILTER (WHERE NOT a.is_compliant) AS exposed,
                count(*) FILTER (WHERE NOT a.is_compliant AND m.device_value = 'High') AS critical,
                bool_or(NOT a.is_compliant AND 'Internet facing' = ANY(m.machine_tags)) AS facing
            FROM defender.configuration_assessments a
            JOIN defender.tvm_machines t ON t.tenant_id = a.tenant_id AND t.machine_id = a.machine_id
            JOIN defender.machines m ON m.tenant_id = a.tenant_id AND m.id = a.machine_id
            WHERE a.tenant_id = @tenant AND a.is_applicable GROUP BY a.configuration_id) AS a ON a.configuration_id = c.id
        WHERE a.exposed > 0
        """;

    // A device is fixed when nothing that the task is about is on it any more; a task is done when all its devices are.
    private const string Remediations =
        """
        UPDATE defender.remediation_targets g SET is_fixed = NOT x.exposed
        FROM (
            SELECT g.task_id, g.machine_id, CASE WHEN k.scid IS NOT NULL
                THEN EXISTS (SELECT 1 FROM defender.configuration_assessments a WHERE a.tenant_id = @tenant AND a.machine_id = g.machine_id AND a.configuration_id = k.scid AND a.is_applicable AND NOT a.is_compliant)
                ELSE EXISTS (
                    SELECT 1 FROM defender.installations i JOIN defender.software_versions v ON v.id = i.version_id
                    WHERE i.tenant_id = @tenant AND i.machine_id = g.machine_id AND i.removed_at IS NULL AND v.vendor || '-_-' || v.name = k.product_id
                        AND (v.weaknesses > 0 OR v.end_of_support <= @now::date)) END AS exposed
            FROM defender.remediation_targets g JOIN defender.remediation_tasks k ON k.tenant_id = g.tenant_id AND k.id = g.task_id
            WHERE g.tenant_id = @tenant AND k.status = 'Active') AS x
        WHERE g.tenant_id = @tenant AND g.task_id = x.task_id AND g.machine_id = x.machine_id AND g.is_fixed = x.exposed;
        UPDATE defender.remediation_tasks k SET status = 'Completed', completion_method = 'Automatic', status_last_modified_on = @now
        WHERE k.tenant_id = @tenant AND k.status = 'Active'
            AND EXISTS (SELECT 1 FROM defender.remediation_targets g WHERE g.tenant_id = @tenant AND g.task_id = k.id)
            AND NOT EXISTS (SELECT 1 FROM defender.remediation_targets g WHERE g.tenant_id = @tenant AND g.task_id = k.id AND NOT g.is_fixed)
        """;
}
