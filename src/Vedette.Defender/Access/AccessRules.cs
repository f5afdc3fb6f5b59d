using System.Collections.Frozen;

namespace Vedette.Defender.Access;

/// <summary>A role: permissions given to groups of the directory.</summary>
/// <param name="Id">Number of the role, above 0.</param>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it is for.</param>
/// <param name="Permissions">Names of <see cref="DefenderPermission"/>.</param>
/// <param name="Groups">Object ids of the groups whose members hold it.</param>
public sealed record DefenderRole(int Id, string Name, string? Description, IReadOnlyList<string> Permissions, IReadOnlyList<Guid> Groups);

/// <summary>A device group and who may see it.</summary>
/// <param name="Id">Number of the group; 0 for devices in no group.</param>
/// <param name="Name">Its name.</param>
/// <param name="AutomationLevel">What may happen without asking.</param>
/// <param name="Devices">How many devices are in it.</param>
/// <param name="Groups">Object ids of the groups whose members may see its devices; none means everybody.</param>
public sealed record DeviceGroupAccess(int Id, string Name, string AutomationLevel, int Devices, IReadOnlyList<Guid> Groups);

/// <summary>The roles and device groups of a tenant as they were at one moment.</summary>
/// <param name="Roles">Roles by number.</param>
/// <param name="DeviceGroups">Device groups by number, with 0 first.</param>
public sealed record AccessRules(IReadOnlyList<DefenderRole> Roles, IReadOnlyList<DeviceGroupAccess> DeviceGroups)
{
    /// <summary>True once roles are in use: read-only directory roles then give nothing by themselves.</summary>
    public bool UsesRoles => Roles.Count > 0;

    /// <summary>What the members of some groups may do.</summary>
    public FrozenSet<string> Permissions(IReadOnlyCollection<Guid> groups) =>
        DefenderPermission.Expand(Roles.Where(role => role.Groups.Any(groups.Contains)).SelectMany(role => role.Permissions));

    /// <summary>Numbers of the device groups that the members of some groups may see; null means all devices.</summary>
    public IReadOnlyList<int>? VisibleTo(IReadOnlyCollection<Guid> groups) => DeviceGroups.All(group => group.Groups.Count == 0)
        ? null
        : [.. DeviceGroups.Where(group => group.Groups.Count == 0 || group.Groups.Any(groups.Contains)).Select(group => group.Id)];
}
