using System.Text.Json;
using Dapper;
using Npgsql;
using Vedette.Agent.Contract;
using Vedette.Defender.Actions;
using Vedette.Defender.State;
using Vedette.Defender.Vulnerabilities.Inventory;
using Vedette.Telemetry.Import;

namespace Vedette.Defender.Machines;

/// <summary>
/// Keeps machines and log-ons in step with imported logs. Observing the same again changes nothing. A device known from logs alone is played
/// by the server, so that actions on it run. Programs that ran become part of its software inventory.
/// </summary>
internal sealed class DeviceObserver(NpgsqlDataSource database, InventoryIntake inventory) : IDeviceObserver
{
    private const string UpsertMachine =
        """
        INSERT INTO defender.machines AS known (
            tenant_id, id, computer_dns_name, first_seen, last_seen, os_platform, os_version, os_processor, version, last_ip_address, os_build,
            health_status, device_value, rbac_group_id, risk_score, exposure_level, machine_tags, defender_av_status, onboarding_status,
            os_architecture, managed_by, managed_by_status, ip_addresses, is_potential_duplication, is_excluded, device_type, isolation,
            is_code_execution_restricted, channel)
        VALUES (
            @Tenant, @Id, @Name, @FirstSeen, @LastSeen, @Platform, @OsVersion, @Processor, @Version, @Address, @Build,
            'Active', 'Normal', 0, 'None', 'None', '{}', 'Unknown', 'Onboarded',
            '64-bit', 'Unknown', 'Unknown', @Addresses::jsonb, false, false, @DeviceType, 'None',
            false, 'Simulated')
        ON CONFLICT (tenant_id, id) DO UPDATE SET
            first_seen = least(known.first_seen, excluded.first_seen),
            last_seen = greatest(known.last_seen, excluded.last_seen),
            computer_dns_name = CASE WHEN length(excluded.computer_dns_name) > length(known.computer_dns_name) THEN excluded.computer_dns_name ELSE known.computer_dns_name END,
            os_platform = CASE WHEN excluded.os_platform <> '' THEN excluded.os_platform ELSE known.os_platform END,
            os_version = coalesce(excluded.os_version, known.os_version),
            os_build = coalesce(excluded.os_build, known.os_build),
            version = CASE WHEN excluded.version <> '' THEN excluded.version ELSE known.version END,
            last_ip_address = CASE WHEN excluded.last_seen >= known.last_seen THEN coalesce(excluded.last_ip_address, known.last_ip_address) ELSE known.last_ip_address END,
            ip_addresses = CASE WHEN excluded.last_seen >= known.last_seen AND excluded.ip_addresses <> '[]' THEN excluded.ip_addresses ELSE known.ip_addresses END,
            channel = CASE WHEN known.channel = 'None' THEN 'Simulated' ELSE known.channel END
        """;

    private const string UpsertUser =
        """
        INSERT INTO defender.logon_users AS known (
            tenant_id, machine_id, account_domain, account_name, account_sid, first_seen, last_seen, logon_types, logon_count, is_domain_admin)
        VALUES (@Tenant, @Machine, @Domain, @Name, @Sid, @FirstSeen, @LastSeen, @Types, 1, false)
        ON CONFLICT (tenant_id, machine_id, account_domain, account_name) DO UPDATE SET
            account_sid = coalesce(excluded.account_sid, known.account_sid),
            first_seen = least(known.first_seen, excluded.first_seen),
            last_seen = greatest(known.last_seen, excluded.last_seen),
            logon_types = ARRAY(SELECT DISTINCT kind FROM unnest(known.logon_types || excluded.logon_types) AS kind ORDER BY kind)
        """;

    public async Task ObserveAsync(Guid tenantId, IReadOnlyList<ObservedDevice> devices, CancellationToken cancellationToken)
    {
        if (devices.Count == 0) return;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var ordered = devices.OrderBy(d => d.DeviceId, StringComparer.Ordinal).ToArray();
        await connection.ExecuteAsync(new CommandDefinition(UpsertMachine, ordered.Select(d => MachineValues(tenantId, d)), transaction, cancellationToken: cancellationToken));
        await connection.ExecuteAsync(new CommandDefinition(
            UpsertUser,
            ordered.SelectMany(d => d.LoggedOnUsers.Select(u => new
            {
                Tenant = tenantId,
                Machine = d.DeviceId,
                Domain = u.DomainName.ToLowerInvariant(),
                Name = u.UserName.ToLowerInvariant(),
                Sid = u.Sid.Length > 0 ? u.Sid : null,
                FirstSeen = Utc(u.FirstSeen == default ? d.FirstSeen : u.FirstSeen),
                LastSeen = Utc(u.LastSeen == default ? d.LastSeen : u.LastSeen),
                Types = u.LogonTypes.ToArray(),
            })),
            transaction,
            cancellationToken: cancellationToken));
        await transaction.CommitAsync(cancellationToken);

        // Logs show what ran, which is a part of what is installed.
        var software = ordered.Select(d => new MachineInventory(d.DeviceId, new InventoryReport { Software = ImportedSoftware.Of(d) }) { IsPartial = true })
            .Where(m => m.Report.Software!.Count > 0).ToArray();
        if (software.Length > 0) await inventory.StoreAsync(tenantId, software, cancellationToken);
    }

    private static object MachineValues(Guid tenantId, ObservedDevice device) => new
    {
        Tenant = tenantId,
        Id = device.DeviceId,
        device.Name,
        FirstSeen = Utc(device.FirstSeen),
        LastSeen = Utc(device.LastSeen),
        Platform = device.OsPlatform,
        OsVersion = device.OsVersion.Length > 0 ? device.OsVersion : null,
        Processor = "x64",
        Version = ActionFacts.FamilyOf(device.OsPlatform) == OsFamily.Windows ? WindowsReleases.Of(device.OsBuild) : device.OsVersion,
        Address = device.IpAddresses.FirstOrDefault(),
        Build = device.OsBuild,
        Addresses = JsonSerializer.Serialize(
            device.IpAddresses.Select((address, at) => new MachineIpAddress(
                address,
                device.MacAddresses.Count == 0 ? null : device.MacAddresses[Math.Min(at, device.MacAddresses.Count - 1)],
                "Ethernet",
                "Up")),
            DefenderDbContext.Json),
        DeviceType = device.OsPlatform.Contains("Server", StringComparison.OrdinalIgnoreCase) || device.OsPlatform == "Linux" ? "Server" : "Workstation",
    };

    private static DateTime Utc(DateTime time) => DateTime.SpecifyKind(time, DateTimeKind.Utc);
}
