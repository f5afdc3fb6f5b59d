using Vedette.Defender.State;
using Vedette.Server.Endpoint;
using Vedette.Server.Graph.Security.Alerts;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.ThreatProtection;

/// <summary>The incident resource with everything in it: alerts, their devices and their entities, as the service embeds them.</summary>
internal static class IncidentTable
{
    /// <summary>Incidents, newest first.</summary>
    public static EntityTable Incidents { get; } = new("Incident", "defender.incidents i", "i.tenant_id", "incidentId", "i.created_time DESC, i.id DESC",
    [
        new("incidentId", ValueKind.Int64, "i.id") { NotNull = true },
        new("incidentUri", ValueKind.String, "'https://security.microsoft.com/incidents/' || i.id || '?tid=' || i.tenant_id") { NotNull = true },
        new("redirectIncidentId", ValueKind.Int64, "i.redirect_incident_id"),
        new("incidentName", ValueKind.String, "i.name") { NotNull = true },
        new("createdTime", ValueKind.Time, "i.created_time") { NotNull = true },
        new("lastUpdateTime", ValueKind.Time, "i.last_update_time") { NotNull = true },
        new("assignedTo", ValueKind.String, "i.assigned_to"),
        new("classification", ValueKind.String, "coalesce(i.classification, 'Unknown')") { NotNull = true },
        new("determination", ValueKind.String, "coalesce(i.determination, 'NotAvailable')") { NotNull = true },
        new("status", ValueKind.String, "i.status") { Values = Vocabulary.Of<IncidentStatus>(), NotNull = true },
        new("severity", ValueKind.String, "i.severity") { Values = Vocabulary.Of<AlertSeverity>(), NotNull = true },
        new("tags", ValueKind.Strings, "i.system_tags || i.tags") { NotNull = true },
        new("comments", ValueKind.Json, "i.comments") { NotNull = true },
        new("alerts", ValueKind.Json, Alerts(null)) { NotNull = true },
    ])
    {
        Keyset = ["i.created_time", "i.id"],
        KeysetDescends = true,
    };

    /// <summary>Incidents with only those of their alerts that belong to the device groups; with all of them without groups.</summary>
    public static EntityTable For(IReadOnlyList<int>? groups) => groups is null ? Incidents : Incidents.With("alerts", Alerts(groups));

    /// <summary>SQL that keeps to alerts (<c>a</c>) of device groups; empty without groups.</summary>
    public static string Within(IReadOnlyList<int>? groups) =>
        groups is null ? "" : $" AND a.rbac_group_id = ANY('{{{string.Join(',', groups)}}}'::int[])";

    /// <summary>Only incidents that hold an alert of one of the device groups; no condition without groups.</summary>
    public static SqlCondition? Seen(IReadOnlyList<int>? groups) => groups is null ? null : sql => sql
        .Add(" AND EXISTS (SELECT FROM defender.alerts seen WHERE seen.tenant_id = i.tenant_id AND seen.incident_id = i.id AND seen.rbac_group_id = ANY(")
        .Add(sql.Parameter(groups.ToArray(), NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Integer))
        .Add("))");

    // Graph's words with a great first letter.
    private static string Word(string sql) => $"(SELECT upper(left(word, 1)) || substr(word, 2) FROM (SELECT {sql} AS word) spelled)";

    private static string Time(string column) => $"{EntityTable.TimeText(column)}";

    // Every key is there in every entity, with null where it does not apply: clients read them without asking.
    private static string Entities => $$"""
        coalesce((SELECT json_agg(json_build_object(
            'entityType', CASE e.entity_type WHEN 'RegistryKey' THEN 'Registry' WHEN 'RegistryValue' THEN 'Registry' WHEN 'Mailbox' THEN 'MailBox' WHEN 'Device' THEN 'Machine' ELSE e.entity_type END,
            'evidenceCreationTime', {{Time("e.evidence_creation_time")}}, 'verdict', {{Word(EvidenceSql.Verdict)}}, 'remediationStatus', {{Word(EvidenceSql.Remediation)}},
            'detectionStatus', e.detection_status,
            'sha1', e.sha1, 'sha256', e.sha256, 'fileName', e.file_name, 'filePath', e.file_path,
            'processId', e.process_id, 'processCommandLine', e.process_command_line, 'processCreationTime', {{Time("e.process_creation_time")}},
            'parentProcessId', e.parent_process_id, 'parentProcessCreationTime', {{Time("e.parent_process_creation_time")}},
            'ipAddress', e.ip_address, 'url', e.url,
            'accountName', e.account_name, 'domainName', e.domain_name, 'userSid', e.user_sid, 'aadUserId', e.aad_user_id, 'userPrincipalName', e.user_principal_name,
            'mailboxDisplayName', CASE e.entity_type WHEN 'Mailbox' THEN coalesce(e.details->>'displayName', e.account_name) END,
            'mailboxAddress', CASE e.entity_type WHEN 'Mailbox' THEN coalesce(e.details->>'primaryAddress', e.user_principal_name) END, 'clusterBy', e.details->>'clusterBy',
            'sender', coalesce(e.details->'p2Sender'->>'emailAddress', e.details->'p1Sender'->>'emailAddress', e.details->>'sender'),
            'recipient', coalesce(e.details->>'recipientEmailAddress', e.details->>'recipient'), 'subject', e.details->>'subject', 'deliveryAction', e.details->>'deliveryAction',
            'securityGroupId', e.details->>'securityGroupId', 'securityGroupName', CASE e.entity_type WHEN 'SecurityGroup' THEN e.details->>'displayName' END,
            'registryHive', e.registry_hive, 'registryKey', e.registry_key, 'registryValueType', e.registry_value_type, 'registryValue', e.registry_value,
            'deviceId', a.machine_id) ORDER BY e.id)
            FROM defender.alert_evidence e WHERE e.tenant_id = a.tenant_id AND e.alert_id = a.id), '[]'::json)
        """;

    private static string Devices => $$"""
        coalesce((SELECT json_agg(json_build_object(
            'mdatpDeviceId', m.id, 'aadDeviceId', m.aad_device_id, 'deviceDnsName', m.computer_dns_name, 'osPlatform', m.os_platform, 'version', m.version,
            'osProcessor', m.os_processor, 'osBuild', m.os_build, 'healthStatus', m.health_status, 'riskScore', m.risk_score, 'rbacGroupName', m.rbac_group_name,
            'rbacGroupId', m.rbac_group_id, 'firstSeen', {{Time("m.first_seen")}}, 'tags', m.machine_tags, 'defenderAvStatus', m.defender_av_status,
            'onboardingStatus', m.onboarding_status, 'vmMetadata', m.vm_metadata,
            'loggedOnUsers', (SELECT coalesce(json_agg(json_build_object('accountName', u->>'accountName', 'domainName', u->>'domainName')), '[]'::json) FROM jsonb_array_elements(a.logged_on_users) u)))
            FROM defender.machines m WHERE m.tenant_id = a.tenant_id AND m.id = a.machine_id), '[]'::json)
        """;

    private static string Alerts(IReadOnlyList<int>? groups) => $$"""
        coalesce((SELECT json_agg(json_build_object(
            'alertId', a.id, 'providerAlertId', substr(a.id, 3), 'incidentId', a.incident_id, 'serviceSource', replace(replace(a.service_source, ' for ', ' For '), ' ', ''),
            'creationTime', {{Time("a.alert_creation_time")}}, 'lastUpdatedTime', {{Time("a.last_update_time")}}, 'resolvedTime', {{Time("a.resolved_time")}},
            'firstActivity', {{Time("a.first_event_time")}}, 'lastActivity', {{Time("a.last_event_time")}},
            'title', a.title, 'description', a.description, 'category', a.category, 'status', a.status, 'severity', a.severity,
            'investigationId', a.investigation_id, 'investigationState', coalesce(a.investigation_state, 'Unknown'),
            'classification', a.classification, 'determination', a.determination, 'detectionSource', a.detection_source, 'detectorId', a.detector_id,
            'assignedTo', a.assigned_to, 'actorName', a.actor_name, 'threatFamilyName', a.threat_family_name, 'mitreTechniques', a.mitre_techniques,
            'devices', {{Devices}}, 'entities', {{Entities}}) ORDER BY a.alert_creation_time, a.id)
            FROM defender.alerts a WHERE a.tenant_id = i.tenant_id AND a.incident_id = i.id{{Within(groups)}}), '[]'::json)
        """;
}
