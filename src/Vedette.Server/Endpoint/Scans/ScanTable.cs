using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Scans;

/// <summary>Definitions, agents and history of authenticated scans.</summary>
internal static class ScanTable
{
    private const string NeverScanned = "'{\"status\": null, \"failureReason\": null, \"executionDateTime\": null}'::jsonb";

    private static readonly string Scanner =
        $"""
        jsonb_build_object('id', d.tenant_id || '_' || d.scanner_machine_id, 'machineId', d.scanner_machine_id, 'machineName', m.computer_dns_name,
            'lastSeen', {EntityTable.TimeText("m.last_seen")}, 'assignedApplicationId', a.assigned_application_id, 'scannerSoftwareVersion', a.scanner_software_version,
            'lastCommandExecutionTimestamp', {EntityTable.TimeText("a.last_command_execution")}, 'mdeClientVersion', m.agent_version)
        """;

    private static readonly string LatestScan =
        $"""
        coalesce((SELECT jsonb_build_object('status', s.status, 'failureReason', s.failure_reason, 'executionDateTime', {EntityTable.TimeText("s.executed_at")})
            FROM defender.scan_sessions s WHERE s.tenant_id = d.tenant_id AND s.definition_id = d.id ORDER BY s.executed_at DESC LIMIT 1), {NeverScanned})
        """;

    /// <summary>Definitions as lists show them.</summary>
    public static EntityTable Definitions { get; } = Make("DeviceAuthenticatedScanDefinition", "d.authentication", LatestScan);

    /// <summary>Definitions as the answer to a change shows them: without how the scanner signs in, and as if never run.</summary>
    public static EntityTable Changed { get; } = Make("DeviceAuthenticatedScanDefinition", "NULL::jsonb", NeverScanned);

    /// <summary>Devices that scan others.</summary>
    public static EntityTable Agents { get; } = new(
        "DeviceAuthenticatedScanAgent", "defender.scan_agents a JOIN defender.machines m ON m.tenant_id = a.tenant_id AND m.id = a.machine_id", "a.tenant_id", "id", "a.machine_id",
    [
        new("id", ValueKind.String, "a.tenant_id || '_' || a.machine_id") { NotNull = true },
        new("machineId", ValueKind.String, "a.machine_id") { NotNull = true },
        new("lastSeen", ValueKind.Time, "m.last_seen") { NotNull = true },
        new("computerDnsName", ValueKind.String, "m.computer_dns_name"),
        new("AssignedApplicationId", ValueKind.Guid, "a.assigned_application_id") { NotNull = true },
        new("ScannerSoftwareVersion", ValueKind.String, "a.scanner_software_version") { NotNull = true },
        new("LastCommandExecutionTimestamp", ValueKind.Time, "a.last_command_execution") { NotNull = true },
        new("mdeClientVersion", ValueKind.String, "m.agent_version"),
    ])
    {
        DeviceGroupColumn = "m.rbac_group_id",
    };

    /// <summary>Runs by definition, newest first.</summary>
    public static EntityTable HistoryByDefinition { get; } = new("ScanHistoryByDefinition", "defender.scan_sessions s", "s.tenant_id", "SessionIds", "s.executed_at DESC, s.id",
    [
        new("ScanDefinitionIds", ValueKind.String, "s.definition_id::text") { NotNull = true },
        new("LastScanned", ValueKind.Time, "s.executed_at") { NotNull = true },
        new("ScanStatus", ValueKind.String, "s.status") { NotNull = true },
        new("ScannerId", ValueKind.String, "s.tenant_id || '_' || s.scanner_machine_id") { NotNull = true },
        // Not on the page, yet without it nobody could ask for a session's history.
        new("SessionIds", ValueKind.String, "s.id") { NotNull = true },
    ]);

    /// <summary>Runs with what they found of each target.</summary>
    public static EntityTable HistoryBySession { get; } = new("ScanHistoryBySession", "defender.scan_sessions s", "s.tenant_id", "SessionIds", "s.executed_at DESC, s.id",
    [
        new("orgId", ValueKind.String, "s.tenant_id::text") { NotNull = true },
        new("ScanDefinitionIds", ValueKind.String, "s.definition_id::text") { NotNull = true },
        new("SessionIds", ValueKind.String, "s.id") { NotNull = true },
        new("NumberOfSuccessfullyScannedTargets", ValueKind.Int32, "(SELECT count(*) FROM jsonb_array_elements(s.targets) AS t WHERE t ->> 'ScanStatus' = 'Success')::int") { NotNull = true },
        new("NumberOfTargets", ValueKind.Int32, "jsonb_array_length(s.targets)") { NotNull = true },
        new("ScanStatus", ValueKind.String, "s.status") { NotNull = true },
        new("LastScanned", ValueKind.Time, "s.executed_at") { NotNull = true },
        new("ListScannedTargets", ValueKind.Json, "s.targets") { NotNull = true },
    ]);

    private static EntityTable Make(string name, string authentication, string latest) => new(
        name,
        """
        defender.scan_definitions d
        JOIN defender.machines m ON m.tenant_id = d.tenant_id AND m.id = d.scanner_machine_id
        JOIN defender.scan_agents a ON a.tenant_id = d.tenant_id AND a.machine_id = d.scanner_machine_id
        """,
        "d.tenant_id", "id", "d.created_at, d.id",
    [
        new("id", ValueKind.Guid, "d.id") { NotNull = true },
        new("scanType", ValueKind.String, "d.scan_type") { NotNull = true },
        new("scanName", ValueKind.String, "d.scan_name") { NotNull = true },
        new("isActive", ValueKind.Boolean, "d.is_active") { NotNull = true },
        new("target", ValueKind.String, "d.target") { NotNull = true },
        new("orgId", ValueKind.Guid, "d.tenant_id") { NotNull = true },
        new("intervalInHours", ValueKind.Int32, "d.interval_in_hours") { NotNull = true },
        new("createdBy", ValueKind.String, "d.created_by") { NotNull = true },
        new("targetType", ValueKind.String, "d.target_type") { NotNull = true },
        new("scanAuthenticationParams", ValueKind.Json, authentication),
        new("scannerAgent", ValueKind.Json, Scanner) { NotNull = true },
        new("latestScan", ValueKind.Json, latest) { NotNull = true },
    ])
    {
        DeviceGroupColumn = "m.rbac_group_id",
    };
}
