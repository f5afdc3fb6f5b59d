using Dapper;
using Npgsql;
using Vedette.Defender.Machines;
using Vedette.Defender.Outbox;
using Vedette.Defender.State;

namespace Vedette.Defender.Vulnerabilities.Assessment;

/// <summary>Carries the exposure of devices over to the devices themselves.</summary>
internal static class ExposureLevels
{
    private const string Update =
        """
        UPDATE defender.machines m SET exposure_level = x.level
        FROM (
            SELECT t.machine_id, CASE WHEN t.exposure >= {1} THEN 'High' WHEN t.exposure >= {0} THEN 'Medium' WHEN t.risk > 0 THEN 'Low' ELSE 'None' END AS level
            FROM defender.tvm_machines t
            WHERE t.tenant_id = @tenantId AND EXISTS (SELECT 1 FROM defender.installations i WHERE i.tenant_id = t.tenant_id AND i.machine_id = t.machine_id)) AS x
        WHERE m.tenant_id = @tenantId AND m.id = x.machine_id AND m.exposure_level <> x.level
        RETURNING m.id
        """;

    private static readonly string Text = string.Format(System.Globalization.CultureInfo.InvariantCulture, Update, RiskFormula.Medium, RiskFormula.High);

    // Past this the devices' next reports tell of the change; a knowledge import may move every device at once.
    private const int MostRows = 2000;

    /// <summary>Updates devices whose level changed, in the caller's transaction, with the hunting rows that tell of it.</summary>
    /// <returns>How many changed.</returns>
    public static async Task<int> ApplyAsync(NpgsqlConnection connection, Guid tenantId, DateTime now, CancellationToken cancellationToken)
    {
        var changed = (await connection.QueryAsync<string>(new CommandDefinition(Text, new { tenantId }, cancellationToken: cancellationToken))).AsList();
        if (changed.Count is 0 or > MostRows) return changed.Count;
        var machines = await connection.QueryAsync<Machine>(new CommandDefinition(
            """
            SELECT id AS "Id", computer_dns_name AS "ComputerDnsName", agent_version AS "AgentVersion", last_external_ip_address AS "LastExternalIpAddress",
                os_architecture AS "OsArchitecture", os_platform AS "OsPlatform", os_build AS "OsBuild", os_version AS "OsVersion", version AS "Version",
                os_distribution AS "OsDistribution", is_aad_joined AS "IsAadJoined", aad_device_id AS "AadDeviceId", rbac_group_name AS "RbacGroupName",
                onboarding_status AS "OnboardingStatus", health_status AS "HealthStatus", device_type AS "DeviceType", is_excluded AS "IsExcluded",
                exclusion_reason AS "ExclusionReason", exposure_level AS "ExposureLevel", device_value AS "DeviceValue", machine_tags AS "MachineTags",
                merged_into_machine_id AS "MergedIntoMachineId", isolation AS "Isolation", is_code_execution_restricted AS "IsCodeExecutionRestricted"
            FROM defender.machines WHERE tenant_id = @tenantId AND id = ANY(@changed) ORDER BY id
            """,
            new { tenantId, changed },
            cancellationToken: cancellationToken));
        var rows = machines.Select(m => MachineRows.DeviceInfo(m, now)).ToList();
        await connection.ExecuteAsync(new CommandDefinition(
            "INSERT INTO defender.outbox (tenant_id, created_at, rows, row_count) VALUES (@tenantId, @now, @rows, @count)",
            new { tenantId, now, rows = HuntingRowText.Write(rows), count = rows.Count },
            cancellationToken: cancellationToken));
        return changed.Count;
    }
}
