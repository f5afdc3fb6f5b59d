using Vedette.Defender.Vulnerabilities.Exports;
using Vedette.Defender.Vulnerabilities.Posture;

namespace Vedette.Defender.Vulnerabilities.Hunting;

/// <summary>
/// The hunting tables that show the state of vulnerability management, with the statement that gives a tenant's (<c>$1</c>) rows: its columns
/// bear the names of the hunting table's, in a fixed order of rows.
/// </summary>
internal static class TvmTables
{
    private const string Devices = "defender.tvm_machines t JOIN defender.machines m ON m.tenant_id = t.tenant_id AND m.id = t.machine_id";
    private const string Device = """m.id AS "DeviceId", m.computer_dns_name AS "DeviceName", m.os_platform AS "OSPlatform" """;
    private const string System = """coalesce(m.os_version, '10.0.' || m.os_build, m.version) AS "OSVersion", m.os_processor AS "OSArchitecture" """;
    private const string Held = "JOIN defender.installations i ON i.tenant_id = m.tenant_id AND i.machine_id = m.id AND i.removed_at IS NULL JOIN defender.software_versions v ON v.id = i.version_id";

    /// <summary>Table and statement.</summary>
    public static IReadOnlyList<(string Table, string Sql)> All =>
    [
        ("DeviceTvmSoftwareInventory",
            $"""
            SELECT {Device}, {System}, v.vendor AS "SoftwareVendor", v.name AS "SoftwareName", v.version AS "SoftwareVersion",
                CASE WHEN v.end_of_support <= m.last_seen::date THEN 'EOS ' || v.end_of_support_scope WHEN v.end_of_support <= m.last_seen::date + 180 THEN 'Upcoming EOS ' || v.end_of_support_scope END AS "EndOfSupportStatus",
                v.end_of_support::timestamp AT TIME ZONE 'UTC' AS "EndOfSupportDate",
                CASE WHEN v.scheme = 'cpe' THEN 'cpe:2.3:' || CASE WHEN v.name ~ '^(windows_|macos|.*_linux$)' THEN 'o' ELSE 'a' END || ':' || v.package || ':' || v.version || ':*:*:*:*:*:*:*' ELSE 'Not Available' END AS "ProductCodeCpe"
            FROM {Devices} {Held} WHERE t.tenant_id = $1 ORDER BY m.id, v.id
            """),
        ("DeviceTvmSoftwareVulnerabilities",
            $"""
            SELECT {Device}, {System}, v.vendor AS "SoftwareVendor", v.name AS "SoftwareName", v.version AS "SoftwareVersion", w.vulnerability_id AS "CveId",
                k.severity AS "VulnerabilitySeverityLevel", w.fix_name AS "RecommendedSecurityUpdate", w.fix_id AS "RecommendedSecurityUpdateId", to_json(k.tags)::text AS "CveTags"
            FROM {Devices} {Held} JOIN defender.version_vulnerabilities w ON w.version_id = v.id AND w.removed_at IS NULL JOIN defender.kb_vulnerabilities k ON k.id = w.vulnerability_id
            WHERE t.tenant_id = $1 ORDER BY m.id, v.id, w.vulnerability_id
            """),
        ("DeviceTvmSoftwareVulnerabilitiesKB",
            """
            SELECT k.id AS "CveId", k.cvss::text AS "CvssScore", k.public_exploit AS "IsExploitAvailable", k.severity AS "VulnerabilitySeverityLevel", k.updated_on AS "LastModifiedTime",
                k.published_on AS "PublishedDate", k.description AS "VulnerabilityDescription",
                (SELECT to_json(array_agg(DISTINCT v.name ORDER BY v.name))::text FROM defender.version_vulnerabilities w JOIN defender.software_versions v ON v.id = w.version_id
                 WHERE w.tenant_id = $1 AND w.vulnerability_id = k.id AND w.removed_at IS NULL) AS "AffectedSoftware"
            FROM defender.tvm_vulnerabilities f JOIN defender.kb_vulnerabilities k ON k.id = f.id WHERE f.tenant_id = $1 ORDER BY k.id
            """),
        ("DeviceTvmSoftwareEvidenceBeta",
            $"""
            SELECT m.id AS "DeviceId", v.vendor AS "SoftwareVendor", v.name AS "SoftwareName", v.version AS "SoftwareVersion", to_json(i.registry_paths)::text AS "RegistryPaths",
                to_json(i.disk_paths)::text AS "DiskPaths", to_char(i.last_seen AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "LastSeenTime"
            FROM {Devices} {Held} WHERE t.tenant_id = $1 AND (cardinality(i.disk_paths) > 0 OR cardinality(i.registry_paths) > 0) ORDER BY m.id, v.id
            """),
        ("DeviceTvmSecureConfigurationAssessment",
            $"""
            SELECT {Device}, a.assessed_at AS "Timestamp", c.id AS "ConfigurationId", c.category AS "ConfigurationCategory", c.subcategory AS "ConfigurationSubcategory", c.impact AS "ConfigurationImpact",
                a.is_compliant AS "IsCompliant", a.is_applicable AS "IsApplicable", a.context::text AS "Context", c.user_impact AS "IsExpectedUserImpact"
            FROM {Devices} JOIN defender.configuration_assessments a ON a.tenant_id = m.tenant_id AND a.machine_id = m.id JOIN {ConfigurationCatalogue.Rows("c")} ON c.id = a.configuration_id
            WHERE t.tenant_id = $1 ORDER BY m.id, c.id
            """),
        ("DeviceTvmSecureConfigurationAssessmentKB",
            $"""
            SELECT c.id AS "ConfigurationId", c.impact AS "ConfigurationImpact", c.name AS "ConfigurationName", c.description AS "ConfigurationDescription", c.risk AS "RiskDescription",
                c.category AS "ConfigurationCategory", c.subcategory AS "ConfigurationSubcategory", '[]' AS "ConfigurationBenchmarks", '[]' AS "Tags", c.remediation AS "RemediationOptions"
            FROM {ConfigurationCatalogue.Rows("c")} WHERE EXISTS (SELECT 1 FROM defender.configuration_assessments a WHERE a.tenant_id = $1) ORDER BY c.id
            """),
        ("DeviceTvmBrowserExtensions",
            $"""
            SELECT m.id AS "DeviceId", e.browser_name AS "BrowserName", e.extension_id AS "ExtensionId", e.name AS "ExtensionName", e.description AS "ExtensionDescription",
                e.version AS "ExtensionVersion", e.risk AS "ExtensionRisk", e.vendor AS "ExtensionVendor", CASE WHEN e.is_activated THEN 'true' ELSE 'false' END AS "IsActivated", e.installed_at AS "InstallationTime"
            FROM {Devices} JOIN defender.browser_extensions e ON e.tenant_id = m.tenant_id AND e.machine_id = m.id WHERE t.tenant_id = $1 ORDER BY m.id, e.browser_name, e.extension_id
            """),
        ("DeviceTvmBrowserExtensionsKB",
            $"""
            SELECT e.browser_name AS "BrowserName", e.extension_id AS "ExtensionId", max(e.name) AS "ExtensionName", max(e.description) AS "ExtensionDescription", to_json(array_agg(DISTINCT e.version))::text AS "ExtensionVersion",
                max(e.risk) AS "ExtensionRisk", p ->> 'Id' AS "PermissionId", max(coalesce(d.name, p ->> 'Id')) AS "PermissionName", max(d.description) AS "PermissionDescription",
                max(p ->> 'Risk') AS "PermissionRisk", max(p ->> 'IsRequired') AS "IsPermissionRequired"
            FROM defender.browser_extensions e CROSS JOIN LATERAL jsonb_array_elements(e.permissions) AS p LEFT JOIN {ExtensionPermissions.Rows("d")} ON d.key = p ->> 'Id'
            WHERE e.tenant_id = $1 GROUP BY 1, 2, 7 ORDER BY 1, 2, 7
            """),
        ("DeviceTvmCertificateInfo",
            $"""
            SELECT m.id AS "DeviceId", c.thumbprint AS "Thumbprint", c.path AS "Path", c.serial_number AS "SerialNumber", c.subject::text AS "IssuedTo", c.issuer::text AS "IssuedBy",
                c.friendly_name AS "FriendlyName", c.signature_algorithm AS "SignatureAlgorithm", c.key_length::text AS "KeySize",
                to_char(c.not_after AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "ExpirationDate", to_char(c.not_before AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "IssueDate",
                c.subject_type AS "SubjectType", array_to_string(c.key_usage, ', ') AS "KeyUsage", array_to_string(c.extended_key_usage, ', ') AS "ExtendedKeyUsage"
            FROM {Devices} JOIN defender.device_certificates c ON c.tenant_id = m.tenant_id AND c.machine_id = m.id WHERE t.tenant_id = $1 ORDER BY m.id, c.thumbprint, c.path
            """),
        ("DeviceTvmHardwareFirmware",
            $"""
            SELECT m.id AS "DeviceId", m.computer_dns_name AS "DeviceName", h.component_type AS "ComponentType", h.manufacturer AS "Manufacturer", h.component_name AS "ComponentName",
                h.component_family AS "ComponentFamily", h.component_version AS "ComponentVersion", h.additional::text AS "AdditionalFields"
            FROM {Devices} JOIN defender.hardware_components h ON h.tenant_id = m.tenant_id AND h.machine_id = m.id WHERE t.tenant_id = $1 ORDER BY m.id, h.component_type, h.component_name
            """),
        ("DeviceTvmInfoGathering",
            $"""
            SELECT d.reported_at AS "Timestamp", m.last_seen AS "LastSeenTime", {Device}, {GatheredFacts.Sql} AS "AdditionalFields"
            FROM {Devices} JOIN defender.device_posture d ON d.tenant_id = m.tenant_id AND d.machine_id = m.id WHERE t.tenant_id = $1 ORDER BY m.id
            """),
        ("DeviceTvmInfoGatheringKB",
            """
            SELECT 'ig-' || (1000 + f.at) AS "IgId", f.name AS "FieldName", f.name || ' as the device gathered it.' AS "Description",
                CASE WHEN f.name LIKE 'Av%' OR f.name = 'CloudProtectionState' THEN '["microsoft_defender_antivirus"]' ELSE '["vulnerability_assessment"]' END AS "Categories", 'String' AS "DataStructure"
            FROM unnest(ARRAY['AvMode', 'AvEngineVersion', 'AvSignatureVersion', 'AvPlatformVersion', 'AvScanResults', 'AvModeDataRefreshTime', 'CloudProtectionState', 'AvEngineUpdateTime',
                'AvSignatureUpdateTime', 'AvPlatformUpdateTime', 'AvIsSignatureUptoDate', 'AvIsEngineUptodate', 'AvIsPlatformUptodate', 'AvSignaturePublishTime', 'AvSignatureRing', 'AvPlatformRing',
                'AvEngineRing', 'IsAvEngineLoaded', 'Log4j_CVE_2021_44228', 'LocalCveScannerExecuted', 'Log4jLocalScanVulnerable', 'Log4JEnvironmentVariableMitigation',
                'Spring4Shell_CVE_2022_22965', 'EBPFStatus']) WITH ORDINALITY AS f(name, at)
            WHERE EXISTS (SELECT 1 FROM defender.device_posture d WHERE d.tenant_id = $1) ORDER BY f.at
            """),
        ("DeviceBaselineComplianceAssessment",
            $"""
            SELECT {Device}, coalesce(m.os_version, '10.0.' || m.os_build, m.version) AS "OSVersion", a.configuration_id AS "ConfigurationId", a.profile_id::text AS "ProfileId", a.is_compliant AS "IsCompliant",
                a.is_applicable AS "IsApplicable", to_json(ARRAY[b.source])::text AS "Source", to_json(ARRAY[b.value])::text AS "RecommendedValue", to_json(a.current_value)::text AS "CurrentValue", false AS "IsExempt"
            FROM {Devices} JOIN defender.baseline_assessments a ON a.tenant_id = m.tenant_id AND a.machine_id = m.id JOIN {BaselineCatalogue.Rows("b")} ON b.id = a.configuration_id
            WHERE t.tenant_id = $1 ORDER BY m.id, a.profile_id, a.configuration_id
            """),
        ("DeviceBaselineComplianceAssessmentKB",
            $"""
            SELECT b.id AS "ConfigurationId", b.name AS "ConfigurationName", b.description AS "ConfigurationDescription", b.rationale AS "ConfigurationRationale", b.category AS "ConfigurationCategory",
                to_json(array_agg(DISTINCT p.compliance_level))::text AS "BenchmarkProfileLevels", b.cce AS "CCEReference", b.remediation AS "RemediationOptions", p.benchmark AS "ConfigurationBenchmark",
                p.version AS "ConfigurationBenchmarkVersion", to_json(ARRAY[b.source])::text AS "Source", to_json(ARRAY[b.value])::text AS "RecommendedValue"
            FROM defender.baseline_profiles p CROSS JOIN {BaselineCatalogue.Rows("b")} WHERE p.tenant_id = $1 AND p.status
            GROUP BY b.id, b.name, b.description, b.rationale, b.category, b.cce, b.remediation, b.source, b.value, p.benchmark, p.version ORDER BY p.benchmark, p.version, b.id
            """),
        ("DeviceBaselineComplianceProfiles",
            """
            SELECT p.id::text AS "ProfileId", p.name AS "ProfileName", p.description AS "ProfileDescription", to_json(ARRAY[replace(p.operating_system, ' ', '')])::text AS "OSPlatform",
                p.operating_system_version AS "OSVersion", p.benchmark AS "BaseBenchmark", p.version AS "BenchmarkVersion", p.compliance_level AS "BenchmarkProfileLevel", p.status AS "Status",
                p.created_by AS "CreatedBy", p.created_on AS "CreatedOn", p.last_updated_by AS "LastUpdatedBy", p.last_updated_on AS "LastUpdatedOn"
            FROM defender.baseline_profiles p WHERE p.tenant_id = $1 ORDER BY p.id
            """),
    ];
}
