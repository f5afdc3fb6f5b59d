using Vedette.Defender.Vulnerabilities.Posture;
using static Vedette.Defender.Vulnerabilities.Exports.ExportValue;

namespace Vedette.Defender.Vulnerabilities.Exports;

/// <summary>The exports.</summary>
public static class ExportKinds
{
    private const string Devices =
        """
        defender.tvm_machines t
        JOIN defender.machines m ON m.tenant_id = t.tenant_id AND m.id = t.machine_id AND m.tenant_id = $1 AND m.rbac_group_id = $2
        """;

    private const string Here = " WHERE t.tenant_id = $1 AND $3::text IS NOT NULL AND ($4::timestamptz IS NULL OR true)";

    private static readonly ExportColumn DeviceId = new("deviceId", Text, "m.id");
    private static readonly ExportColumn GroupName = new("rbacGroupName", Text, "coalesce(m.rbac_group_name, $3)");
    private static readonly ExportColumn GroupId = new("rbacGroupId", Number, "m.rbac_group_id::bigint");
    private static readonly ExportColumn DeviceName = new("deviceName", Text, "m.computer_dns_name");
    private static readonly ExportColumn Platform = new("osPlatform", Text, "m.os_platform");
    private static readonly ExportColumn OsVersion = new("osVersion", Text, "coalesce(m.os_version, '10.0.' || m.os_build, m.version)");

    private const string Exploitability =
        "CASE WHEN k.id IS NULL THEN 'NoExploit' WHEN k.exploit_in_kit THEN 'ExploitIsInKit' WHEN k.exploit_verified THEN 'ExploitIsVerified' WHEN k.public_exploit THEN 'ExploitIsPublic' ELSE 'NoExploit' END";

    /// <summary>Secure configuration of devices.</summary>
    public static ExportKind SecureConfiguration { get; } = new(
        "ScaExport",
        [
            DeviceId, GroupName, DeviceName, Platform, OsVersion,
            new("timestamp", Stamp, "m.last_seen"),
            new("configurationId", Text, "c.id"),
            new("configurationCategory", Text, "CASE c.category WHEN 'SecurityControls' THEN 'Security controls' ELSE c.category END"),
            new("configurationSubcategory", Text, "c.subcategory"),
            new("configurationImpact", Real, "c.impact"),
            new("isCompliant", Flag, "a.is_compliant"),
            new("isApplicable", Flag, "a.is_applicable"),
            new("isExpectedUserImpact", Flag, "c.user_impact"),
            new("configurationName", Text, "c.name"),
            new("recommendationReference", Text, "'sca-_-' || c.id"),
            GroupId,
        ],
        $"{Devices} JOIN defender.configuration_assessments a ON a.tenant_id = m.tenant_id AND a.machine_id = m.id JOIN {ConfigurationCatalogue.Rows("c")} ON c.id = a.configuration_id{Here}");

    /// <summary>Software that has a product code.</summary>
    public static ExportKind Software { get; } = new(
        "SoftwareInventory",
        [
            DeviceId, GroupName, DeviceName, Platform,
            new("softwareVendor", Text, "v.vendor"),
            new("softwareName", Text, "v.name"),
            new("softwareVersion", Text, "v.version"),
            new("numberOfWeaknesses", Number, "v.weaknesses::bigint"),
            new("diskPaths", Texts, "i.disk_paths"),
            new("registryPaths", Texts, "i.registry_paths"),
            new("softwareFirstSeenTimestamp", Stamp, "i.first_seen"),
            new("endOfSupportStatus", Text,
                "CASE WHEN v.end_of_support IS NULL THEN 'None' WHEN v.end_of_support <= m.last_seen::date THEN 'EOS ' || v.end_of_support_scope "
                + "WHEN v.end_of_support <= m.last_seen::date + 180 THEN 'Upcoming EOS ' || v.end_of_support_scope ELSE 'None' END"),
            new("endOfSupportDate", Text, "to_char(v.end_of_support, 'YYYY-MM-DD\"T00:00:00+00:00\"')"),
            GroupId,
        ],
        $"{Devices} JOIN defender.installations i ON i.tenant_id = m.tenant_id AND i.machine_id = m.id AND i.removed_at IS NULL JOIN defender.software_versions v ON v.id = i.version_id AND v.has_product_code{Here}");

    /// <summary>Software without a product code.</summary>
    public static ExportKind SoftwareWithoutCode { get; } = new(
        "NonCpeSoftwareInventory",
        [
            DeviceId, GroupId, GroupName, DeviceName, Platform,
            new("softwareVendor", Text, "v.vendor"),
            new("softwareName", Text, "v.name"),
            new("softwareVersion", Text, "v.version"),
            new("softwareLastSeenTimestamp", Stamp, "i.last_seen"),
        ],
        $"{Devices} JOIN defender.installations i ON i.tenant_id = m.tenant_id AND i.machine_id = m.id AND i.removed_at IS NULL JOIN defender.software_versions v ON v.id = i.version_id AND NOT v.has_product_code{Here}");

    /// <summary>Software with its vulnerabilities; software without any has one row with none.</summary>
    public static ExportKind Vulnerabilities { get; } = new(
        "VaExport",
        [
            .. Found("m.id", GroupName, GroupId, "i.last_seen"),
            new("securityUpdateAvailable", Flag, "w.fix_id IS NOT NULL OR w.fixed_version IS NOT NULL"),
            new("cveBatchTitle", Text, "w.fix_name"),
            new("cveBatchUrl", Text, "w.fix_url"),
            new("isOnboarded", Flag, "m.onboarding_status = 'Onboarded'"),
        ],
        $"""
        {Devices}
        JOIN defender.installations i ON i.tenant_id = m.tenant_id AND i.machine_id = m.id AND i.removed_at IS NULL
        JOIN defender.software_versions v ON v.id = i.version_id AND v.has_product_code
        LEFT JOIN defender.version_vulnerabilities w ON w.version_id = v.id AND w.removed_at IS NULL
        LEFT JOIN defender.kb_vulnerabilities k ON k.id = w.vulnerability_id{Here}
        """);

    /// <summary>
    /// What changed since a moment. A vulnerability of a device begins when the software and the match are both there and ends when either goes;
    /// a device that moves to another group takes all its rows out of the old group and into the new one.
    /// </summary>
    public static ExportKind Changes { get; } = new(
        "VaDeltaExport",
        [
            .. Found("m.id", new("rbacGroupName", Text, "coalesce(x.group_name, $3)"), new("rbacGroupId", Number, "x.group_id::bigint"), "i.last_seen"),
            new("isOnboarded", Flag, "m.onboarding_status = 'Onboarded'"),
            new("status", Text, "x.status"),
            new("eventTimestamp", Stamp, "x.at"),
        ],
        """
        defender.tvm_machines t
        JOIN defender.machines m ON m.tenant_id = t.tenant_id AND m.id = t.machine_id AND m.tenant_id = $1
        JOIN defender.installations i ON i.tenant_id = m.tenant_id AND i.machine_id = m.id
        JOIN defender.software_versions v ON v.id = i.version_id AND v.has_product_code
        JOIN defender.version_vulnerabilities w ON w.version_id = v.id
        JOIN defender.kb_vulnerabilities k ON k.id = w.vulnerability_id
        CROSS JOIN LATERAL (SELECT greatest(i.added_at, w.found_at) AS begun, least(i.removed_at, w.removed_at) AS ended) AS s
        CROSS JOIN LATERAL (
            SELECT 'New' AS status, s.begun AS at, m.rbac_group_id AS group_id, m.rbac_group_name AS group_name WHERE s.begun >= $4 AND (s.ended IS NULL OR s.ended > s.begun)
            UNION ALL SELECT 'Fixed', s.ended, m.rbac_group_id, m.rbac_group_name WHERE s.ended >= $4 AND s.ended > s.begun
            UNION ALL SELECT 'Updated', w.updated_at, m.rbac_group_id, m.rbac_group_name WHERE w.updated_at >= $4 AND s.ended IS NULL AND s.begun < w.updated_at
            UNION ALL SELECT 'Fixed', g.moved_at, g.old_group_id, g.old_group_name
                FROM defender.machine_group_moves g WHERE g.tenant_id = $1 AND g.machine_id = m.id AND g.moved_at >= $4 AND s.ended IS NULL
            UNION ALL SELECT 'New', max(g.moved_at), m.rbac_group_id, m.rbac_group_name
                FROM defender.machine_group_moves g WHERE g.tenant_id = $1 AND g.machine_id = m.id AND g.moved_at >= $4 AND s.ended IS NULL HAVING count(*) > 0) AS x
        WHERE t.tenant_id = $1 AND x.group_id = $2
            AND (i.added_at >= $4 OR i.removed_at >= $4 OR w.found_at >= $4 OR w.removed_at >= $4 OR w.updated_at >= $4
                OR EXISTS (SELECT 1 FROM defender.machine_group_moves g WHERE g.tenant_id = $1 AND g.machine_id = m.id AND g.moved_at >= $4))
        """);

    /// <summary>Browser extensions. Its JSON form has names in Pascal case too.</summary>
    public static ExportKind BrowserExtensions { get; } = new(
        "BrowserExtensionsInventory",
        [
            new("DeviceId", Text, "m.id"),
            new("DeviceName", Text, "m.computer_dns_name"),
            new("RbacGroupId", Number, "m.rbac_group_id::bigint"),
            new("RbacGroupName", Text, "coalesce(m.rbac_group_name, $3)"),
            new("InstallationTime", Time, "e.installed_at"),
            new("BrowserName", Text, "e.browser_name"),
            new("ExtensionId", Text, "e.extension_id"),
            new("ExtensionName", Text, "e.name"),
            new("ExtensionDescription", Text, "e.description"),
            new("ExtensionVersion", Text, "e.version"),
            new("ExtensionRisk", Text, "e.risk"),
            new("IsActivated", Flag, "e.is_activated"),
            new("Permissions", Json, "e.permissions"),
        ],
        $"{Devices} JOIN defender.browser_extensions e ON e.tenant_id = m.tenant_id AND e.machine_id = m.id{Here}");

    /// <summary>Certificates.</summary>
    public static ExportKind Certificates { get; } = new(
        "CertificateAssessment",
        [
            DeviceId, DeviceName,
            new("thumbprint", Text, "c.thumbprint"),
            new("path", Text, "c.path"),
            new("signatureAlgorithm", Text, "c.signature_algorithm"),
            new("keyLength", Number, "c.key_length::bigint"),
            new("notAfter", Time, "coalesce(c.not_after, '0001-01-01T00:00:00Z')"),
            new("notBefore", Time, "coalesce(c.not_before, '0001-01-01T00:00:00Z')"),
            new("subjectType", Text, "c.subject_type"),
            new("serialNumber", Text, "c.serial_number"),
            new("subjectObject", Json, "c.subject"),
            new("issuerObject", Json, "c.issuer"),
            new("keyUsageArray", Texts, "c.key_usage"),
            new("extendedKeyUsageArray", Texts, "c.extended_key_usage"),
            new("isSelfSigned", Flag, "c.is_self_signed"),
            GroupId, GroupName,
        ],
        $"{Devices} JOIN defender.device_certificates c ON c.tenant_id = m.tenant_id AND c.machine_id = m.id{Here}");

    /// <summary>Hardware and firmware.</summary>
    public static ExportKind Hardware { get; } = new(
        "FirmwareHardwareExport",
        [
            DeviceId, GroupId, GroupName, DeviceName,
            new("componentType", Text, "h.component_type"),
            new("manufacturer", Text, "h.manufacturer"),
            new("componentName", Text, "h.component_name"),
            new("componentVersion", Text, "h.component_version"),
            new("additionalFields", Text, "h.additional::text"),
        ],
        $"{Devices} JOIN defender.hardware_components h ON h.tenant_id = m.tenant_id AND h.machine_id = m.id{Here}");

    /// <summary>Compliance with baselines.</summary>
    public static ExportKind Baselines { get; } = new(
        "BaselineComplianceExport",
        [
            new("id", Text, "m.id || '_' || a.profile_id || '_' || a.configuration_id"),
            new("configurationId", Text, "a.configuration_id"),
            DeviceId, DeviceName,
            new("profileId", Text, "a.profile_id::text"),
            Platform, OsVersion, GroupId, GroupName,
            new("isApplicable", Flag, "a.is_applicable"),
            new("isCompliant", Flag, "a.is_compliant"),
            new("dataCollectionTimeOffset", Time, "a.collected_at"),
            new("complianceCalculationTimeOffset", Time, "a.calculated_at"),
            new("recommendedValue", Texts, "ARRAY[b.value]"),
            new("currentValue", Texts, "a.current_value"),
            new("source", Texts, "ARRAY[b.source]"),
        ],
        $"{Devices} JOIN defender.baseline_assessments a ON a.tenant_id = m.tenant_id AND a.machine_id = m.id JOIN {BaselineCatalogue.Rows("b")} ON b.id = a.configuration_id{Here}");

    /// <summary>Facts that devices gathered of themselves, the antivirus among them; in files only.</summary>
    public static ExportKind Gathered { get; } = new(
        "InfoGathering",
        [
            DeviceId, DeviceName, GroupId, GroupName,
            new("osPlatform", Text, "m.os_platform") { FileName = "OsPlatform" },
            new("osVersion", Text, OsVersion.Sql) { FileName = "OsVersion" },
            new("timestamp", Stamp, "d.reported_at"),
            new("lastSeenTime", Stamp, "m.last_seen"),
            new("deviceGatheredInfo", Text, GatheredFacts.Sql),
        ],
        $"{Devices} JOIN defender.device_posture d ON d.tenant_id = m.tenant_id AND d.machine_id = m.id{Here}");

    private static ExportColumn[] Found(string device, ExportColumn groupName, ExportColumn groupId, string lastSeen) =>
    [
        new("id", Text, $"{device} || '_' || v.vendor || '_' || v.name || '_' || v.version || '_' || coalesce(w.vulnerability_id, '')"),
        DeviceId, groupName, DeviceName, Platform, OsVersion,
        new("osArchitecture", Text, "m.os_processor"),
        new("softwareVendor", Text, "v.vendor"),
        new("softwareName", Text, "v.name"),
        new("softwareVersion", Text, "v.version"),
        new("cveId", Text, "w.vulnerability_id"),
        new("vulnerabilitySeverityLevel", Text, "k.severity"),
        new("cvssScore", Real, "k.cvss"),
        new("recommendedSecurityUpdate", Text, "w.fix_name"),
        new("recommendedSecurityUpdateId", Text, "w.fix_id"),
        new("recommendedSecurityUpdateUrl", Text, "w.fix_url"),
        new("diskPaths", Texts, "i.disk_paths"),
        new("registryPaths", Texts, "i.registry_paths"),
        new("lastSeenTimestamp", Stamp, lastSeen),
        new("firstSeenTimestamp", Stamp, "greatest(i.first_seen, k.added_at)"),
        new("exploitabilityLevel", Text, Exploitability),
        new("recommendationReference", Text, "'va-_-' || v.vendor || '-_-' || v.name"),
        groupId,
    ];
}
