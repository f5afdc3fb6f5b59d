using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.DeviceHealth;

/// <summary>
/// Antivirus health of devices: what they report, and of scans the later of what they report and what was ordered. Whether something is up to
/// date follows from when it was published or updated, against when the device was last seen; docs/vulnerability-management.md tells the limits.
/// </summary>
internal static class AntivirusTable
{
    /// <summary>Devices that have reported their antivirus.</summary>
    public static EntityTable Devices { get; } = new(
        "DeviceAvInfo",
        $"""
        defender.device_posture d
        JOIN defender.machines m ON m.tenant_id = d.tenant_id AND m.id = d.machine_id AND NOT m.is_excluded
        LEFT JOIN LATERAL ({Scan("Quick")}) AS q ON true
        LEFT JOIN LATERAL ({Scan("Full")}) AS f ON true
        """,
        "d.tenant_id", "id", "d.machine_id",
    [
        new("id", ValueKind.String, "md5(d.machine_id)::uuid::text") { NotNull = true },
        new("machineId", ValueKind.String, "d.machine_id") { NotNull = true },
        new("computerDnsName", ValueKind.String, "m.computer_dns_name"),
        new("osKind", ValueKind.String, "CASE WHEN m.os_platform LIKE 'Windows%' THEN 'windows' WHEN m.os_platform = 'macOS' THEN 'mac' ELSE 'linux' END") { NotNull = true },
        new("osPlatform", ValueKind.String, "m.os_platform") { NotNull = true },
        new("osVersion", ValueKind.String, "coalesce(m.os_version, '10.0.' || m.os_build, m.version)"),
        new("avMode", ValueKind.String, Text("Mode")) { NotNull = true },
        new("avSignatureVersion", ValueKind.String, Text("SignatureVersion")) { NotNull = true },
        new("avEngineVersion", ValueKind.String, Text("EngineVersion")) { NotNull = true },
        new("avPlatformVersion", ValueKind.String, Text("PlatformVersion")) { NotNull = true },
        new("lastSeenTime", ValueKind.Time, "m.last_seen") { NotNull = true },
        new("quickScanResult", ValueKind.String, Ordered("q", "result", Text("QuickScanResult"), "QuickScanTime")) { NotNull = true },
        new("quickScanError", ValueKind.String, Ordered("q", "error", Text("QuickScanError"), "QuickScanTime")) { NotNull = true },
        new("quickScanTime", ValueKind.Time, $"greatest(q.time, {Time("QuickScanTime")})"),
        new("fullScanResult", ValueKind.String, Ordered("f", "result", Text("FullScanResult"), "FullScanTime")) { NotNull = true },
        new("fullScanError", ValueKind.String, Ordered("f", "error", Text("FullScanError"), "FullScanTime")) { NotNull = true },
        new("fullScanTime", ValueKind.Time, $"greatest(f.time, {Time("FullScanTime")})"),
        new("dataRefreshTimestamp", ValueKind.Time, "d.reported_at") { NotNull = true },
        new("avEngineUpdateTime", ValueKind.Time, Time("EngineUpdatedAt")),
        new("avSignatureUpdateTime", ValueKind.Time, Time("SignatureUpdatedAt")),
        new("avPlatformUpdateTime", ValueKind.Time, Time("PlatformUpdatedAt")),
        new("avIsSignatureUpToDate", ValueKind.String, UpToDate("SignaturePublishedAt", 7)) { NotNull = true },
        new("avIsEngineUpToDate", ValueKind.String, UpToDate("EngineUpdatedAt", 60)) { NotNull = true },
        new("avIsPlatformUpToDate", ValueKind.String, UpToDate("PlatformUpdatedAt", 60)) { NotNull = true },
        new("avSignaturePublishTime", ValueKind.Time, Time("SignaturePublishedAt")),
        new("rbacGroupName", ValueKind.String, "coalesce(m.rbac_group_name, 'UnassignedGroup')") { NotNull = true },
        new("rbacGroupId", ValueKind.Int64, "m.rbac_group_id::bigint") { NotNull = true },
    ])
    {
        DeviceGroupColumn = "m.rbac_group_id",
    };

    private static string Text(string name) => $"coalesce(d.antivirus ->> '{name}', '')";

    private static string Time(string name) => $"(d.antivirus ->> '{name}')::timestamptz";

    private static string UpToDate(string time, int days) =>
        $"CASE WHEN d.antivirus ->> '{time}' IS NULL THEN 'Unknown' WHEN {Time(time)} >= m.last_seen - interval '{days} days' THEN 'True' ELSE 'False' END";

    private static string Ordered(string scan, string column, string reported, string time) =>
        $"CASE WHEN {scan}.time IS NOT NULL AND ({Time(time)} IS NULL OR {scan}.time >= {Time(time)}) THEN {scan}.{column} ELSE {reported} END";

    private static string Scan(string scope) =>
        $"""
        SELECT CASE x.status WHEN 'Succeeded' THEN 'Completed' WHEN 'Cancelled' THEN 'Canceled' ELSE 'Failed' END AS result,
            CASE WHEN x.error_hresult = 0 THEN '' ELSE '0x' || lpad(to_hex(x.error_hresult), 8, '0') END AS error,
            coalesce(x.completed_at, x.last_update_date_time_utc) AS time
        FROM defender.machine_actions x
        WHERE x.tenant_id = d.tenant_id AND x.machine_id = d.machine_id AND x.type = 'RunAntiVirusScan' AND x.scope = '{scope}'
            AND x.status IN ('Succeeded', 'Failed', 'Cancelled', 'TimeOut')
        ORDER BY x.sequence DESC LIMIT 1
        """;
}
