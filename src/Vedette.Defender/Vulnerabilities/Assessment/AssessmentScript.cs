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
        ("stage", Stage),
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

    // Devices, products and installations by small numbers: the following steps group millions of rows by them.
    private static readonly string Stage =
        $"""
        SET LOCAL work_mem = '128MB';
        CREATE TEMP TABLE stage_machines (number int, id text, risk double precision, weight double precision, is_critical boolean, is_facing boolean) ON COMMIT DROP;
        INSERT INTO stage_machines
        SELECT row_number() OVER (ORDER BY m.id), m.id, 0, {RiskFormula.WeightSql}, m.device_value = 'High', 'Internet facing' = ANY(m.machine_tags)
        FROM defender.machines m WHERE m.tenant_id = @tenant AND NOT m.is_excluded AND m.last_seen >= @since;
        CREATE TEMP TABLE stage_products (number int, vendor text, name text) ON COMMIT DROP;
        INSERT INTO stage_products
        SELECT row_number() OVER (ORDER BY vendor, name), vendor, name FROM (SELECT DISTINCT vendor, name FROM defender.software_versions WHERE tenant_id = @tenant) AS p;
        CREATE TEMP TABLE stage_versions (
            id bigint, product int, risk double precision, weaknesses int, has_code boolean, is_unpatchable boolean, is_ended boolean, is_gone boolean, first_seen timestamptz) ON COMMIT DROP;
        INSERT INTO stage_versions
        SELECT v.id, p.number, v.risk, v.weaknesses, v.has_product_code,
            EXISTS (SELECT 1 FROM defender.version_vulnerabilities w WHERE w.version_id = v.id AND w.removed_at IS NULL AND w.fixed_version IS NULL),
            coalesce(v.end_of_support <= @now::date, false), coalesce(v.end_of_support <= @now::date AND v.end_of_support_scope = 'Software', false), NULL
        FROM defender.software_versions v JOIN stage_products p ON p.vendor = v.vendor AND p.name = v.name WHERE v.tenant_id = @tenant;
        CREATE TEMP TABLE stage_held (machine int, version bigint, product int, first_seen timestamptz) ON COMMIT DROP;
        INSERT INTO stage_held
        SELECT m.number, i.version_id, v.product, i.first_seen
        FROM defender.installations i JOIN stage_machines m ON m.id = i.machine_id JOIN stage_versions v ON v.id = i.version_id
        WHERE i.tenant_id = @tenant AND i.removed_at IS NULL;
        UPDATE stage_versions v SET first_seen = h.first_seen FROM (SELECT version, min(first_seen) AS first_seen FROM stage_held GROUP BY version) AS h WHERE h.version = v.id;
        UPDATE stage_machines m SET risk = h.risk
        FROM (SELECT h.machine, sum(v.risk) AS risk FROM stage_held h JOIN stage_versions v ON v.id = h.version WHERE v.risk > 0 GROUP BY h.machine) AS h WHERE h.machine = m.number;
        ANALYZE stage_machines;
        ANALYZE stage_products;
        ANALYZE stage_versions;
        ANALYZE stage_held
        """;

    private static readonly string Devices =
        $"""
        DELETE FROM defender.tvm_machines WHERE tenant_id = @tenant;
        INSERT INTO defender.tvm_machines (tenant_id, machine_id, risk, exposure)
        SELECT @tenant, m.id, m.risk, {string.Format(System.Globalization.CultureInfo.InvariantCulture, RiskFormula.ExposureSql, "m.risk")} FROM stage_machines m;
        ANALYZE defender.tvm_machines
        """;

    // Impact: by how much the organisation's exposure would fall if the product had no weaknesses.
    private const string Products =
        """
        DELETE FROM defender.tvm_products WHERE tenant_id = @tenant;
        WITH held AS (
            SELECT h.product, h.machine, bool_or(v.has_code) AS code, sum(v.risk) AS risk, max(v.weaknesses) AS weaknesses
            FROM stage_held h JOIN stage_versions v ON v.id = h.version GROUP BY h.product, h.machine),
        counted AS (
            SELECT h.product, bool_or(h.code) AS code, count(*) AS installed, count(*) FILTER (WHERE h.weaknesses > 0) AS exposed,
                sum(m.weight * 100 * exp(-m.risk) * (exp(h.risk) - 1)) / (SELECT sum(weight) FROM stage_machines) AS impact
            FROM held h JOIN stage_machines m ON m.number = h.machine GROUP BY h.product),
        weak AS (
            SELECT v.product, count(DISTINCT w.vulnerability_id) AS weaknesses, bool_or(k.public_exploit) AS exploit
            FROM defender.version_vulnerabilities w JOIN stage_versions v ON v.id = w.version_id AND v.first_seen IS NOT NULL JOIN defender.kb_vulnerabilities k ON k.id = w.vulnerability_id
            WHERE w.tenant_id = @tenant AND w.removed_at IS NULL GROUP BY v.product),
        files AS (
            SELECT DISTINCT a.machine_id, lower(f.name) AS name
            FROM defender.alerts a JOIN defender.alert_evidence e ON e.tenant_id = a.tenant_id AND e.alert_id = a.id
            CROSS JOIN LATERAL (VALUES (e.file_name), (e.parent_process_file_name)) AS f(name)
            WHERE a.tenant_id = @tenant AND a.status <> 'Resolved' AND a.machine_id IS NOT NULL AND f.name IS NOT NULL),
        alerted AS (
            SELECT DISTINCT v.product
            FROM defender.installations i JOIN stage_versions v ON v.id = i.version_id AND v.weaknesses > 0
            CROSS JOIN LATERAL unnest(i.disk_paths) AS p(path)
            JOIN files f ON f.machine_id = i.machine_id AND f.name = lower(substring(p.path FROM '[^\\/]+$'))
            WHERE i.tenant_id = @tenant AND i.removed_at IS NULL AND i.machine_id IN (SELECT machine_id FROM files))
        INSERT INTO defender.tvm_products (tenant_id, id, vendor, name, has_product_code, weaknesses, public_exploit, active_alert, exposed_machines, installed_machines, impact_score)
        SELECT @tenant, p.vendor || '-_-' || p.name, p.vendor, p.name, c.code, coalesce(w.weaknesses, 0), coalesce(w.exploit, false),
            EXISTS (SELECT 1 FROM alerted a WHERE a.product = c.product), c.exposed, c.installed, coalesce(c.impact, 0)
        FROM counted c JOIN stage_products p ON p.number = c.product LEFT JOIN weak w ON w.product = c.product
        """;

    private const string Vulnerabilities =
        """
        DELETE FROM defender.tvm_vulnerabilities WHERE tenant_id = @tenant;
        INSERT INTO defender.tvm_vulnerabilities (tenant_id, id, exposed_machines, first_detected)
        SELECT @tenant, f.id, c.machines, f.first_detected
        FROM (
            SELECT w.vulnerability_id AS id, min(greatest(v.first_seen, k.added_at)) AS first_detected
            FROM defender.version_vulnerabilities w JOIN stage_versions v ON v.id = w.version_id AND v.first_seen IS NOT NULL JOIN defender.kb_vulnerabilities k ON k.id = w.vulnerability_id
            WHERE w.tenant_id = @tenant AND w.removed_at IS NULL GROUP BY w.vulnerability_id) AS f
        JOIN (
            SELECT w.vulnerability_id AS id, count(DISTINCT h.machine) AS machines
            FROM defender.version_vulnerabilities w JOIN stage_held h ON h.version = w.version_id
            WHERE w.tenant_id = @tenant AND w.removed_at IS NULL GROUP BY w.vulnerability_id) AS c ON c.id = f.id
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
            0, p.impact_score, p.installed_machines, p.exposed_machines, 0, x.title, s.unpatchable,
            CASE WHEN s.facing THEN ARRAY['internetFacing'] ELSE ARRAY[]::text[] END, s.critical
        FROM defender.tvm_products p
        JOIN stage_products n ON n.vendor = p.vendor AND n.name = p.name
        JOIN (
            SELECT h.product, count(DISTINCT h.machine) FILTER (WHERE m.is_critical) AS critical, bool_or(m.is_facing) AS facing, bool_or(v.is_unpatchable) AS unpatchable,
                bool_or(v.is_ended) AS ended, bool_or(v.is_gone) AS gone
            FROM stage_held h JOIN stage_versions v ON v.id = h.version AND (v.weaknesses > 0 OR v.is_ended) JOIN stage_machines m ON m.number = h.machine
            GROUP BY h.product) AS s ON s.product = n.number
        CROSS JOIN LATERAL (SELECT CASE WHEN p.vendor = p.name THEN initcap(replace(p.name, '_', ' ')) ELSE initcap(replace(p.vendor || ' ' || p.name, '_', ' ')) END AS title) AS x
        CROSS JOIN LATERAL (SELECT CASE WHEN s.gone AND p.name !~ '^windows_' THEN 'Uninstall' WHEN s.ended THEN 'Upgrade' ELSE 'Update' END AS remediation) AS d
        WHERE p.tenant_id = @tenant
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
                count(*) FILTER (WHERE NOT a.is_compliant AND m.is_critical) AS critical, bool_or(NOT a.is_compliant AND m.is_facing) AS facing
            FROM defender.configuration_assessments a JOIN stage_machines m ON m.id = a.machine_id
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
