using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Security.Alerts;

/// <summary>SQL over rows of evidence (<c>e</c>) and their alert (<c>a</c>), shared by the surfaces that show evidence.</summary>
internal static class EvidenceSql
{
    private static readonly string[] Times = ["evidence_creation_time", "process_creation_time", "parent_process_creation_time"];

    /// <summary>
    /// What is thought of it, in Graph's words: what is stored, else <c>malicious</c> for what an alert with a named threat detected, and
    /// <c>suspicious</c> for what any other detected.
    /// </summary>
    public const string Verdict =
        """
        coalesce(e.details->>'verdict', CASE
            WHEN e.detection_status IS NULL THEN 'unknown'
            WHEN a.threat_name IS NOT NULL AND e.entity_type IN ('File', 'Process', 'Malware') THEN 'malicious'
            ELSE 'suspicious' END)
        """;

    /// <summary>What became of it, in Graph's words: what is stored, else what an order to quarantine the file or the detection itself did.</summary>
    public const string Remediation =
        """
        coalesce(e.details->>'remediationStatus', CASE
            WHEN e.sha1 IS NOT NULL AND EXISTS (SELECT FROM defender.machine_actions done WHERE done.tenant_id = e.tenant_id AND done.machine_id = a.machine_id
                AND done.type = 'StopAndQuarantineFile' AND done.related_file_sha1 = e.sha1 AND done.status = 'Succeeded') THEN 'remediated'
            WHEN e.detection_status = 'Prevented' THEN 'prevented'
            WHEN e.detection_status = 'Blocked' THEN 'blocked'
            ELSE 'none' END)
        """;

    /// <summary>The evidence of an alert as a JSON array: its device first, then each row by number.</summary>
    public static string List { get; } =
        $"""
        (SELECT coalesce(json_agg(item.value ORDER BY item.at), '[]'::json) FROM (
            SELECT 0::bigint AS at, {Device()} AS value FROM defender.machines m WHERE m.tenant_id = a.tenant_id AND m.id = a.machine_id
            UNION ALL
            SELECT e.id, {Row()} FROM defender.alert_evidence e WHERE e.tenant_id = a.tenant_id AND e.alert_id = a.id) item)
        """;

    /// <summary>A column's text with a small first letter: how Graph writes the domain's words.</summary>
    public static string Word(string column) => $"(lower(left({column}, 1)) || substr({column}, 2))";

    private static string Row()
    {
        (string Name, string Column)[] keys =
        [
            ("createdDateTime", Times[0]), ("sha1", "sha1"), ("sha256", "sha256"), ("fileName", "file_name"), ("filePath", "file_path"), ("processId", "process_id"),
            ("processCommandLine", "process_command_line"), ("processCreationTime", Times[1]), ("parentProcessId", "parent_process_id"),
            ("parentProcessCreationTime", Times[2]), ("parentProcessFileName", "parent_process_file_name"), ("parentProcessFilePath", "parent_process_file_path"),
            ("ipAddress", "ip_address"), ("url", "url"), ("registryKey", "registry_key"), ("registryHive", "registry_hive"), ("registryValueType", "registry_value_type"),
            ("registryValue", "registry_value"), ("registryValueName", "registry_value_name"), ("accountName", "account_name"), ("domainName", "domain_name"),
            ("userSid", "user_sid"), ("aadUserId", "aad_user_id"), ("userPrincipalName", "user_principal_name"), ("detectionStatus", "detection_status"),
            ("details", "details"),
        ];
        var pairs = keys.Select(key => $"'{key.Name}', {(Times.Contains(key.Column) ? EntityTable.TimeText("e." + key.Column) : "e." + key.Column)}");
        return $"json_strip_nulls(json_build_object('kind', e.entity_type, 'deviceId', a.machine_id, 'verdict', {Verdict}, 'remediationStatus', {Remediation}, {string.Join(", ", pairs)}))";
    }

    private static string Device() =>
        $"""
        json_strip_nulls(json_build_object('kind', 'Device', 'createdDateTime', {EntityTable.TimeText("a.alert_creation_time")}, 'details', json_build_object(
            'azureAdDeviceId', m.aad_device_id, 'defenderAvStatus', m.defender_av_status, 'deviceDnsName', m.computer_dns_name,
            'dnsDomain', nullif(substr(m.computer_dns_name, length(split_part(m.computer_dns_name, '.', 1)) + 2), ''), 'firstSeenDateTime', {EntityTable.TimeText("m.first_seen")},
            'healthStatus', m.health_status, 'hostName', split_part(m.computer_dns_name, '.', 1),
            'ipInterfaces', (SELECT coalesce(json_agg(i->>'ipAddress'), '[]'::json) FROM jsonb_array_elements(m.ip_addresses) i WHERE i->>'ipAddress' IS NOT NULL),
            'lastExternalIpAddress', m.last_external_ip_address, 'lastIpAddress', m.last_ip_address, 'loggedOnUsers', a.logged_on_users, 'mdeDeviceId', m.id,
            'onboardingStatus', m.onboarding_status, 'osBuild', m.os_build, 'osPlatform', m.os_platform, 'rbacGroupId', m.rbac_group_id, 'rbacGroupName', m.rbac_group_name,
            'riskScore', m.risk_score, 'version', m.version, 'vmMetadata', m.vm_metadata)))
        """;
}
