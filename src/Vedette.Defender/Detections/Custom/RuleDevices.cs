using Dapper;
using Npgsql;

namespace Vedette.Defender.Detections.Custom;

/// <summary>The devices that rules see, by their groups, and devices by their names.</summary>
public sealed class RuleDevices(NpgsqlDataSource database)
{
    /// <summary>What the service calls the group of devices that belong to none.</summary>
    public const string Unassigned = "UnassignedGroup";

    /// <summary>Ids of the devices that a rule sees; null means all.</summary>
    public async ValueTask<IReadOnlyCollection<string>?> VisibleAsync(Guid tenantId, DetectionRule rule, CancellationToken cancellationToken)
    {
        if (rule.DeviceGroups is not { } groups) return null;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var ids = await connection.QueryAsync<string>(new CommandDefinition(
            """
            SELECT id FROM defender.machines
            WHERE tenant_id = @tenantId AND (lower(rbac_group_name) = ANY(@names) OR (rbac_group_id = 0 AND @unassigned))
            """,
            new
            {
                tenantId,
                names = groups.Select(name => name.ToLowerInvariant()).ToArray(),
                unassigned = groups.Contains(Unassigned, StringComparer.OrdinalIgnoreCase),
            },
            cancellationToken: cancellationToken));
        return ids.AsList();
    }

    /// <summary>Finds devices by name for a rule whose result has names only; null when the rule has no need of it.</summary>
    public async ValueTask<Func<string, string?>?> ByNameAsync(Guid tenantId, DetectionRule rule, CancellationToken cancellationToken)
    {
        var device = rule.Entities.FirstOrDefault(entity => entity.Kind == EntityKind.Device);
        if (device is null || device.Columns.ContainsKey("id")) return null;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var machines = await connection.QueryAsync<(string Name, string Id)>(new CommandDefinition(
            "SELECT lower(computer_dns_name), id FROM defender.machines WHERE tenant_id = @tenantId AND computer_dns_name IS NOT NULL ORDER BY last_seen",
            new { tenantId },
            cancellationToken: cancellationToken));
        var ids = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, id) in machines)
        {
            ids[name] = id;
            ids.TryAdd(name.Split('.')[0], id);
        }

        return name => ids.GetValueOrDefault(name.ToLowerInvariant());
    }
}
