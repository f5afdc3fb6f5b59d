using Npgsql;

namespace Vedette.Correlation.Bench;

/// <summary>
/// Half a year of alerts, made by the database itself: a hundred on each device and as many again on one busy device, five to an incident, three
/// pieces of evidence each. What is older than a month is resolved; what is younger is open and what a new alert may join.
/// </summary>
internal static class StoredAlerts
{
    public const string Tenant = "11111111-2222-4333-8444-555555555555";

    /// <summary>Devices that <paramref name="alerts"/> alerts are spread over.</summary>
    public static int Devices(int alerts) => Math.Max(100, alerts / 100);

    /// <summary>Makes the alerts from one number to another.</summary>
    public static async Task MakeAsync(NpgsqlDataSource database, int from, int to)
    {
        // The same numbers give the same rows; n is the alert's number and n / 5 that of its incident. The alerts of an incident are an hour apart.
        var devices = Devices(to);
        var made =
            $"""
            CREATE TEMP TABLE made AS
            SELECT n, incident, device, now() - interval '180 days' * age + interval '1 hour' * (n % 5 - 6) AS time, age > 1 / 6.0 AS closed
            FROM (
                SELECT n, n / 5 AS incident, (n / 5) * 104729::bigint % 1000003 / 1000003.0 AS age,
                    lpad(to_hex(CASE WHEN n / 5 % 50 = 0 THEN 1 ELSE 1 + (n / 5) * 7919::bigint % {devices} END), 40, '0') AS device
                FROM generate_series({from}, {to - 1}) AS n) AS numbered;
            """;
        string[] statements =
        [
            """
            INSERT INTO defender.machines (tenant_id, id, computer_dns_name, first_seen, last_seen, os_platform, os_processor, version, health_status, device_value, rbac_group_id, risk_score,
                exposure_level, machine_tags, defender_av_status, onboarding_status, os_architecture, managed_by, managed_by_status, ip_addresses, is_potential_duplication, is_excluded, device_type,
                isolation, is_code_execution_restricted, channel)
            SELECT DISTINCT @tenant::uuid, device, 'pc-' || device, now() - interval '1 year', now(), 'Windows11', 'x64', '23H2', 'Active', 'Normal', 0, 'None', 'None', '{}'::text[], 'Updated',
                'Onboarded', '64-bit', 'MDE', 'Success', '[]'::jsonb, false, false, 'Workstation', 'None', false, 'Simulated'
            FROM made ON CONFLICT DO NOTHING
            """,
            """
            INSERT INTO defender.incidents (id, tenant_id, name, severity, status, tags, comments, created_time, last_update_time)
            SELECT incident + 1, @tenant::uuid, 'Execution incident on one endpoint', 'Medium', CASE WHEN bool_and(closed) THEN 'Resolved' ELSE 'Active' END, '{}', '[]', min(time), max(time)
            FROM made GROUP BY incident ON CONFLICT DO NOTHING
            """,
            """
            INSERT INTO defender.incident_summaries (incident_id, tenant_id, name, title, titles, categories, alerts, devices)
            SELECT DISTINCT incident + 1, @tenant::uuid, 'Execution incident on one endpoint', 'Odd process', '{Odd process,Odd file}'::text[], '{Execution}'::text[], 5, 1 FROM made ON CONFLICT DO NOTHING
            """,
            """
            INSERT INTO defender.incident_entities (tenant_id, key, incident_id, first_event, last_event)
            SELECT @tenant::uuid, key, incident + 1, min(time), max(time) FROM made
            CROSS JOIN LATERAL (VALUES ('device:' || device), ('user:S-1-5-21-1-2-3-' || incident % 5000), ('file:' || md5('f' || n % 20000) || md5('g' || n % 20000)), ('process:' || device || '/' || n || '/0')) AS entity(key)
            GROUP BY key, incident ON CONFLICT DO NOTHING
            """,
            """
            INSERT INTO defender.alerts (tenant_id, id, incident_id, severity, status, detection_source, service_source, category, title, description, alert_creation_time, first_event_time,
                last_event_time, last_update_time, machine_id, computer_dns_name, rbac_group_id, mitre_techniques, logged_on_users, comments, deduplication_key, merge_key)
            SELECT @tenant::uuid, 'da' || (638000000000000000 + n) || '_' || n, incident + 1, 'Medium', CASE WHEN closed THEN 'Resolved' ELSE 'New' END, 'WindowsDefenderAtp',
                'Microsoft Defender for Endpoint', 'Execution', 'Odd process', 'A process did something odd on the device; this text is as long as such texts are.', time, time, time, time,
                device, 'pc-' || device, 0, '{T1059}', '[]', '[]', 'stored/' || n, 'stored/' || n
            FROM made
            """,
            """
            INSERT INTO defender.alert_evidence (tenant_id, alert_id, entity_type, evidence_creation_time, sha256, file_name, file_path, process_id, ip_address, account_name, user_sid, evidence_role)
            SELECT @tenant::uuid, 'da' || (638000000000000000 + n) || '_' || n, kind, time, CASE WHEN kind <> 'User' THEN md5('f' || n % 20000) || md5('g' || n % 20000) END,
                CASE WHEN kind <> 'User' THEN 'odd.exe' END, CASE WHEN kind <> 'User' THEN 'C:\Users\Public' END, CASE WHEN kind = 'Process' THEN n END, NULL,
                CASE WHEN kind = 'User' THEN 'user' || incident % 5000 END, CASE WHEN kind = 'User' THEN 'S-1-5-21-1-2-3-' || incident % 5000 END, 'Related'
            FROM made CROSS JOIN unnest('{Process,File,User}'::text[]) AS kind
            """,
        ];
        await using var connection = await database.OpenConnectionAsync();
        await RunAsync(connection, made);
        foreach (var statement in statements) await RunAsync(connection, statement.Replace("@tenant", $"'{Tenant}'", StringComparison.Ordinal));
        await RunAsync(connection, "DROP TABLE made; SELECT setval('defender.incidents_id_seq', (SELECT max(id) FROM defender.incidents));");
    }

    /// <summary>Brings the database to rest, as it is a while after the alerts came in.</summary>
    public static async Task SettleAsync(NpgsqlDataSource database)
    {
        await using var connection = await database.OpenConnectionAsync();
        await RunAsync(connection, "VACUUM ANALYZE");
        await RunAsync(connection, "CHECKPOINT");
    }

    private static async Task RunAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 3600 };
        await command.ExecuteNonQueryAsync();
    }
}
