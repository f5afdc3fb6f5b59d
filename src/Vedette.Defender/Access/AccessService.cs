using System.Collections.Concurrent;
using Dapper;
using Npgsql;
using Vedette.Defender.State;
using Vedette.Foundation.Snapshots;

namespace Vedette.Defender.Access;

/// <summary>A change of roles or device groups was refused; the message is for the person who asked.</summary>
public sealed class AccessException(string message) : Exception(message);

/// <summary>Roles of people and who may see which devices. The rules of a tenant are kept in memory for a few seconds.</summary>
public sealed class AccessService(NpgsqlDataSource database, TimeProvider clock) : IStateCache
{
    private const int LongestName = 120;
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<Guid, (AccessRules Rules, long Read)> _known = new();

    /// <summary>The rules of a tenant.</summary>
    public async ValueTask<AccessRules> RulesAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(tenantId, out var known) && clock.GetElapsedTime(known.Read) < Fresh) return known.Rules;
        var read = clock.GetTimestamp();
        var rules = await ReadAsync(tenantId, cancellationToken);
        _known[tenantId] = (rules, read);
        return rules;
    }

    /// <inheritdoc/>
    public void Forget() => _known.Clear();

    /// <summary>Makes a role.</summary>
    /// <exception cref="AccessException">The name is taken or no name, or a permission does not exist.</exception>
    public async Task<DefenderRole> CreateRoleAsync(Guid tenantId, string name, string? description, IReadOnlyList<string> permissions, CancellationToken cancellationToken)
    {
        var known = Permissions(permissions);
        var title = Name(name);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var id = await InsertAsync<int?>(
            connection,
            """
            INSERT INTO defender.roles (tenant_id, id, name, description, permissions)
            SELECT @tenantId, coalesce(max(id), 0) + 1, @title, @description, @known FROM defender.roles WHERE tenant_id = @tenantId
            ON CONFLICT DO NOTHING RETURNING id
            """,
            new { tenantId, title, description, known },
            cancellationToken) ?? throw new AccessException($"There is a role '{title}' already.");
        _known.TryRemove(tenantId, out _);
        return new DefenderRole(id, title, description, known, []);
    }

    /// <summary>Makes a role give exactly some permissions.</summary>
    /// <exception cref="AccessException">There is no such role or permission.</exception>
    public async Task<DefenderRole> SetPermissionsAsync(Guid tenantId, string role, IReadOnlyList<string> permissions, CancellationToken cancellationToken)
    {
        var known = Permissions(permissions);
        var found = await FindRoleAsync(tenantId, role, cancellationToken);
        await ExecuteAsync(tenantId, "UPDATE defender.roles SET permissions = @known WHERE tenant_id = @tenantId AND id = @id", new { tenantId, found.Id, known }, cancellationToken);
        return found with { Permissions = known };
    }

    /// <summary>Deletes a role.</summary>
    /// <exception cref="AccessException">There is no such role.</exception>
    public async Task<DefenderRole> DeleteRoleAsync(Guid tenantId, string role, CancellationToken cancellationToken)
    {
        var found = await FindRoleAsync(tenantId, role, cancellationToken);
        await ExecuteAsync(tenantId, "DELETE FROM defender.roles WHERE tenant_id = @tenantId AND id = @id", new { tenantId, found.Id }, cancellationToken);
        return found;
    }

    /// <summary>Gives a role to a group of the directory, or takes it back.</summary>
    /// <exception cref="AccessException">There is no such role.</exception>
    public async Task<DefenderRole> AssignAsync(Guid tenantId, string role, Guid groupId, bool held, CancellationToken cancellationToken)
    {
        var found = await FindRoleAsync(tenantId, role, cancellationToken);
        await ExecuteAsync(
            tenantId,
            held
                ? "INSERT INTO defender.role_groups (tenant_id, role_id, group_id) VALUES (@tenantId, @id, @groupId) ON CONFLICT DO NOTHING"
                : "DELETE FROM defender.role_groups WHERE tenant_id = @tenantId AND role_id = @id AND group_id = @groupId",
            new { tenantId, found.Id, groupId },
            cancellationToken);
        return await FindRoleAsync(tenantId, found.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), cancellationToken);
    }

    /// <summary>Makes a device group.</summary>
    /// <exception cref="AccessException">The name is taken or no name.</exception>
    public async Task<DeviceGroupAccess> CreateDeviceGroupAsync(Guid tenantId, string name, AutomationLevel level, CancellationToken cancellationToken)
    {
        var title = Name(name);
        if ((await ReadAsync(tenantId, cancellationToken)).DeviceGroups.Any(group => string.Equals(group.Name, title, StringComparison.OrdinalIgnoreCase)))
            throw new AccessException($"There is a device group '{title}' already.");
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var id = await InsertAsync<int>(
            connection,
            """
            INSERT INTO defender.device_groups (tenant_id, id, name, automation_level)
            SELECT @tenantId, coalesce(max(id), 0) + 1, @title, @level FROM defender.device_groups WHERE tenant_id = @tenantId RETURNING id
            """,
            new { tenantId, title, level = level.ToString() },
            cancellationToken);
        _known.TryRemove(tenantId, out _);
        return new DeviceGroupAccess(id, title, level.ToString(), 0, []);
    }

    /// <summary>Lets a group of the directory see a device group, or takes that back. A device group that nobody was named for is everybody's.</summary>
    /// <exception cref="AccessException">There is no such device group.</exception>
    public async Task<DeviceGroupAccess> AllowAsync(Guid tenantId, string deviceGroup, Guid groupId, bool allowed, CancellationToken cancellationToken)
    {
        var found = await FindDeviceGroupAsync(tenantId, deviceGroup, cancellationToken);
        await ExecuteAsync(
            tenantId,
            allowed
                ? "INSERT INTO defender.device_group_access (tenant_id, device_group_id, group_id) VALUES (@tenantId, @id, @groupId) ON CONFLICT DO NOTHING"
                : "DELETE FROM defender.device_group_access WHERE tenant_id = @tenantId AND device_group_id = @id AND group_id = @groupId",
            new { tenantId, found.Id, groupId },
            cancellationToken);
        return await FindDeviceGroupAsync(tenantId, found.Name, cancellationToken);
    }

    /// <summary>Puts devices into a device group.</summary>
    /// <returns>How many are known.</returns>
    /// <exception cref="AccessException">There is no such device group.</exception>
    public async Task<int> MoveAsync(Guid tenantId, string deviceGroup, IReadOnlyList<string> devices, CancellationToken cancellationToken)
    {
        var found = await FindDeviceGroupAsync(tenantId, deviceGroup, cancellationToken);
        return await ExecuteAsync(
            tenantId,
            """
            UPDATE defender.machines SET rbac_group_id = @id, rbac_group_name = @name
            WHERE tenant_id = @tenantId AND (id = ANY(@devices) OR lower(computer_dns_name) = ANY(@names) OR lower(split_part(computer_dns_name, '.', 1)) = ANY(@names))
            """,
            new { tenantId, found.Id, name = found.Id == 0 ? null : found.Name, devices = devices.ToArray(), names = devices.Select(device => device.ToLowerInvariant()).ToArray() },
            cancellationToken);
    }

    private async Task<DefenderRole> FindRoleAsync(Guid tenantId, string reference, CancellationToken cancellationToken)
    {
        var rules = await ReadAsync(tenantId, cancellationToken);
        return rules.Roles.FirstOrDefault(role => string.Equals(role.Name, reference, StringComparison.OrdinalIgnoreCase) || role.Id.ToString(System.Globalization.CultureInfo.InvariantCulture) == reference)
            ?? throw new AccessException($"There is no role '{reference}'.{Known(rules.Roles.Select(role => role.Name))}");
    }

    private async Task<DeviceGroupAccess> FindDeviceGroupAsync(Guid tenantId, string reference, CancellationToken cancellationToken)
    {
        var rules = await ReadAsync(tenantId, cancellationToken);
        return rules.DeviceGroups.FirstOrDefault(group => string.Equals(group.Name, reference, StringComparison.OrdinalIgnoreCase) || group.Id.ToString(System.Globalization.CultureInfo.InvariantCulture) == reference)
            ?? throw new AccessException($"There is no device group '{reference}'.{Known(rules.DeviceGroups.Select(group => group.Name))}");
    }

    private async Task<AccessRules> ReadAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var sets = await connection.QueryMultipleAsync(new CommandDefinition(
            """
            SELECT r.id, r.name, r.description, r.permissions, ARRAY(SELECT g.group_id FROM defender.role_groups g WHERE g.tenant_id = r.tenant_id AND g.role_id = r.id ORDER BY 1) AS groups
            FROM defender.roles r WHERE r.tenant_id = @tenantId ORDER BY r.id;
            SELECT d.id, d.name, d.automation_level, (SELECT count(*)::int FROM defender.machines m WHERE m.tenant_id = @tenantId AND m.rbac_group_id = d.id) AS devices,
                ARRAY(SELECT a.group_id FROM defender.device_group_access a WHERE a.tenant_id = @tenantId AND a.device_group_id = d.id ORDER BY 1) AS groups
            FROM (SELECT 0 AS id, 'Ungrouped devices' AS name, 'Full' AS automation_level
                  UNION ALL SELECT id, name, automation_level FROM defender.device_groups WHERE tenant_id = @tenantId) d
            ORDER BY d.id
            """,
            new { tenantId },
            cancellationToken: cancellationToken));
        var roles = (await sets.ReadAsync()).Select(row => new DefenderRole((int)row.id, (string)row.name, (string?)row.description, (string[])row.permissions, (Guid[])row.groups)).ToArray();
        var groups = (await sets.ReadAsync())
            .Select(row => new DeviceGroupAccess((int)row.id, (string)row.name, (string)row.automation_level, (int)row.devices, (Guid[])row.groups)).ToArray();
        return new AccessRules(roles, groups);
    }

    private async Task<int> ExecuteAsync(Guid tenantId, string sql, object values, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.ExecuteAsync(new CommandDefinition(sql, values, cancellationToken: cancellationToken));
        _known.TryRemove(tenantId, out _);
        return rows;
    }

    private static Task<T?> InsertAsync<T>(NpgsqlConnection connection, string sql, object values, CancellationToken cancellationToken) =>
        connection.QuerySingleOrDefaultAsync<T>(new CommandDefinition(sql, values, cancellationToken: cancellationToken));

    private static string[] Permissions(IReadOnlyList<string> asked) =>
        [.. asked.Select(text => DefenderPermission.Find(text) ?? throw new AccessException($"There is no permission '{text}'.{Known(DefenderPermission.All)}")).Distinct()];

    private static string Name(string text)
    {
        var name = text.Trim();
        return name.Length is > 0 and <= LongestName && !name.Any(char.IsControl) ? name : throw new AccessException($"A name has 1 to {LongestName} printable characters.");
    }

    private static string Known(IEnumerable<string> names)
    {
        var all = string.Join(", ", names);
        return all.Length == 0 ? "" : $" There are: {all}.";
    }
}
