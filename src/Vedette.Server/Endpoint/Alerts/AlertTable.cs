using Vedette.Defender.State;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Alerts;

/// <summary>The alert resource, and the small resources that hang on an alert.</summary>
internal static class AlertTable
{
    /// <summary>Alerts, newest first.</summary>
    public static EntityTable Alerts { get; } = new("Alert", "defender.alerts a", "a.tenant_id", "id", "a.alert_creation_time DESC, a.id DESC",
    [
        new("id", ValueKind.String, "a.id") { NotNull = true },
        new("incidentId", ValueKind.Int64, "a.incident_id"),
        new("investigationId", ValueKind.Int64, "a.investigation_id"),
        new("assignedTo", ValueKind.String, "a.assigned_to"),
        new("severity", ValueKind.String, "a.severity") { Values = Vocabulary.Of<AlertSeverity>(), NotNull = true },
        new("status", ValueKind.String, "a.status") { Values = Vocabulary.Of<AlertStatus>(), NotNull = true },
        new("classification", ValueKind.String, "a.classification") { Values = Vocabulary.Of<AlertClassification>() },
        new("determination", ValueKind.String, "a.determination") { Values = Vocabulary.Of<AlertDetermination>() },
        new("investigationState", ValueKind.String, "a.investigation_state") { Values = Vocabulary.Of<InvestigationState>() },
        new("detectionSource", ValueKind.String, "a.detection_source") { NotNull = true },
        new("detectorId", ValueKind.Guid, "a.detector_id"),
        new("category", ValueKind.String, "a.category") { NotNull = true },
        new("threatFamilyName", ValueKind.String, "a.threat_family_name"),
        new("title", ValueKind.String, "a.title") { NotNull = true },
        new("description", ValueKind.String, "a.description") { NotNull = true },
        new("alertCreationTime", ValueKind.Time, "a.alert_creation_time") { NotNull = true },
        new("firstEventTime", ValueKind.Time, "a.first_event_time") { NotNull = true },
        new("lastEventTime", ValueKind.Time, "a.last_event_time") { NotNull = true },
        new("lastUpdateTime", ValueKind.Time, "a.last_update_time") { NotNull = true },
        new("resolvedTime", ValueKind.Time, "a.resolved_time"),
        new("machineId", ValueKind.String, "a.machine_id"),
        new("computerDnsName", ValueKind.String, "a.computer_dns_name"),
        new("rbacGroupName", ValueKind.String, "a.rbac_group_name"),
        new("aadTenantId", ValueKind.Guid, "a.tenant_id") { NotNull = true },
        new("threatName", ValueKind.String, "a.threat_name"),
        new("mitreTechniques", ValueKind.Strings, "a.mitre_techniques") { NotNull = true },
        new("relatedUser", ValueKind.Json, "a.related_user"),
        new("loggedOnUsers", ValueKind.Json, "a.logged_on_users") { NotNull = true },
        new("comments", ValueKind.Json, "a.comments") { NotNull = true },
        new("evidence", ValueKind.Json, EvidenceSql()) { NotNull = true, Collapsed = "'[]'::text" },
        new("domains", ValueKind.Json, "'[]'::text") { NotNull = true },
    ])
    {
        DeviceGroupColumn = "a.rbac_group_id",
        DocumentColumn = "a.document",
        VersionSequence = "changes.alerts",
    };

    /// <summary>Files named in an alert's evidence.</summary>
    public static EntityTable Files { get; } = Related("File", "sha1",
        "SELECT DISTINCT ON (tenant_id, alert_id, sha1) * FROM defender.alert_evidence WHERE sha1 IS NOT NULL ORDER BY tenant_id, alert_id, sha1, id",
        [new("sha1", ValueKind.String, "e.sha1"), new("sha256", ValueKind.String, "e.sha256"), new("time", ValueKind.Time, "e.evidence_creation_time")]);

    /// <summary>Addresses named in an alert's evidence.</summary>
    public static EntityTable Ips { get; } = Related("Ip", "id",
        "SELECT DISTINCT tenant_id, alert_id, ip_address FROM defender.alert_evidence WHERE ip_address IS NOT NULL",
        [new("id", ValueKind.String, "e.ip_address")]);

    /// <summary>Host names of the web addresses in an alert's evidence.</summary>
    public static EntityTable Domains { get; } = Related("Domain", "host",
        $"SELECT DISTINCT tenant_id, alert_id, {HostSql("url")} AS host FROM defender.alert_evidence WHERE url IS NOT NULL",
        [new("host", ValueKind.String, "e.host")]);

    /// <summary>SQL for the host name in a web address, lower case.</summary>
    public static string HostSql(string url) => $"lower(substring({url} from '^(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^/@]*@)?([^/:?#]+)'))";

    // The kinds that this API knows; the others are Graph's.
    private static EvidenceKind[] Shown =>
    [
        EvidenceKind.User, EvidenceKind.Process, EvidenceKind.File, EvidenceKind.Ip, EvidenceKind.Url, EvidenceKind.RegistryKey, EvidenceKind.RegistryValue,
    ];

    private static EntityTable Related(string name, string key, string source, IReadOnlyList<EntityProperty> properties) =>
        new(name, $"({source}) e", "e.tenant_id", key, properties[0].Sql, properties);

    // Every key is always present; those that do not belong to the kind of evidence are null.
    private static string EvidenceSql()
    {
        string[] times = ["evidence_creation_time", "process_creation_time", "parent_process_creation_time"];
        (string Name, string Column)[] keys =
        [
            ("entityType", "entity_type"), ("evidenceCreationTime", times[0]), ("sha1", "sha1"), ("sha256", "sha256"), ("fileName", "file_name"),
            ("filePath", "file_path"), ("processId", "process_id"), ("processCommandLine", "process_command_line"),
            ("processCreationTime", times[1]), ("parentProcessId", "parent_process_id"), ("parentProcessCreationTime", times[2]),
            ("parentProcessFileName", "parent_process_file_name"), ("parentProcessFilePath", "parent_process_file_path"),
            ("ipAddress", "ip_address"), ("url", "url"), ("registryKey", "registry_key"), ("registryHive", "registry_hive"),
            ("registryValueType", "registry_value_type"), ("registryValue", "registry_value"), ("registryValueName", "registry_value_name"),
            ("accountName", "account_name"), ("domainName", "domain_name"), ("userSid", "user_sid"), ("aadUserId", "aad_user_id"),
            ("userPrincipalName", "user_principal_name"), ("detectionStatus", "detection_status"),
        ];
        var pairs = keys.Select(key => $"'{key.Name}', {(times.Contains(key.Column) ? EntityTable.TimeText("e." + key.Column) : "e." + key.Column)}");
        return "(SELECT coalesce(json_agg(json_build_object(" + string.Join(", ", pairs)
            + ") ORDER BY e.id), '[]'::json)::text FROM defender.alert_evidence e WHERE e.tenant_id = a.tenant_id AND e.alert_id = a.id"
            + $" AND e.entity_type IN ({string.Join(", ", Shown.Select(kind => $"'{kind}'"))}))";
    }
}
