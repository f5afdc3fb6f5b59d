using Vedette.Defender.Access;
using Vedette.Defender.State;
using Vedette.Identity.Directory;

namespace Vedette.Server.Control.Operations;

/// <summary>An operation on roles or device groups, with groups of the directory in words.</summary>
internal abstract class AccessOperation<TInput>(string name, DirectoryService directory) : DirectoryOperation<TInput>(name)
    where TInput : class
{
    /// <summary>The directory.</summary>
    protected DirectoryService Directory => directory;

    /// <inheritdoc/>
    protected sealed override async Task<object?> RunAsync(TInput input, CancellationToken cancellationToken)
    {
        try
        {
            return await ChangeAsync(input, cancellationToken);
        }
        catch (AccessException exception)
        {
            throw new OperationException(nameof(DirectoryProblem.BadInput), exception.Message, exception);
        }
    }

    /// <summary>Runs the operation.</summary>
    protected abstract Task<object?> ChangeAsync(TInput input, CancellationToken cancellationToken);

    /// <summary>A role as listings show it.</summary>
    protected async Task<object> ShowAsync(DefenderRole role, Guid tenantId, CancellationToken cancellationToken) =>
        new { role.Name, role.Id, role.Description, role.Permissions, Groups = await NamesAsync(role.Groups, tenantId, cancellationToken) };

    /// <summary>A device group as listings show it.</summary>
    protected async Task<object> ShowAsync(DeviceGroupAccess group, Guid tenantId, CancellationToken cancellationToken) => new
    {
        group.Name,
        group.Id,
        group.AutomationLevel,
        group.Devices,
        Groups = group.Groups.Count == 0 ? ["everybody"] : await NamesAsync(group.Groups, tenantId, cancellationToken),
    };

    // A group that was deleted since is shown by its id.
    private async Task<IReadOnlyList<string>> NamesAsync(IReadOnlyList<Guid> groups, Guid tenantId, CancellationToken cancellationToken)
    {
        if (groups.Count == 0) return [];
        var names = (await directory.ListGroupsAsync(tenantId.ToString(), cancellationToken)).ToDictionary(group => group.Id, group => group.DisplayName);
        return [.. groups.Select(group => names.GetValueOrDefault(group, group.ToString()))];
    }
}

/// <summary><c>role.create</c>: makes a role.</summary>
internal sealed class CreateRole(AccessService access, DirectoryService directory) : AccessOperation<CreateRole.Input>("role.create", directory)
{
    protected override async Task<object?> ChangeAsync(Input input, CancellationToken cancellationToken) =>
        await access.CreateRoleAsync(Directory.FindTenant(input.Tenant).Id, input.Name, input.Description, input.Permissions, cancellationToken);

    internal sealed record Input(string Name, string[] Permissions, string? Description, string? Tenant);
}

/// <summary><c>role.list</c>: the roles of a tenant.</summary>
internal sealed class ListRoles(AccessService access, DirectoryService directory) : AccessOperation<TenantInput>("role.list", directory)
{
    protected override async Task<object?> ChangeAsync(TenantInput input, CancellationToken cancellationToken)
    {
        var tenant = Directory.FindTenant(input.Tenant).Id;
        var shown = new List<object>();
        foreach (var role in (await access.RulesAsync(tenant, cancellationToken)).Roles) shown.Add(await ShowAsync(role, tenant, cancellationToken));
        return shown;
    }
}

/// <summary><c>role.set</c>: says anew what a role gives.</summary>
internal sealed class SetRole(AccessService access, DirectoryService directory) : AccessOperation<SetRole.Input>("role.set", directory)
{
    protected override async Task<object?> ChangeAsync(Input input, CancellationToken cancellationToken) =>
        await access.SetPermissionsAsync(Directory.FindTenant(input.Tenant).Id, input.Role, input.Permissions, cancellationToken);

    internal sealed record Input(string Role, string[] Permissions, string? Tenant);
}

/// <summary><c>role.assign</c>: gives a role to a group of the directory, or takes it back.</summary>
internal sealed class AssignRole(AccessService access, DirectoryService directory) : AccessOperation<AssignRole.Input>("role.assign", directory)
{
    protected override async Task<object?> ChangeAsync(Input input, CancellationToken cancellationToken)
    {
        var group = await Directory.FindGroupAsync(input.Tenant, input.Group, cancellationToken);
        return await ShowAsync(await access.AssignAsync(group.TenantId, input.Role, group.Id, !input.Remove, cancellationToken), group.TenantId, cancellationToken);
    }

    internal sealed record Input(string Role, string Group, bool Remove, string? Tenant);
}

/// <summary><c>role.delete</c>: removes a role.</summary>
internal sealed class DeleteRole(AccessService access, DirectoryService directory) : AccessOperation<DeleteRole.Input>("role.delete", directory)
{
    protected override async Task<object?> ChangeAsync(Input input, CancellationToken cancellationToken) =>
        await access.DeleteRoleAsync(Directory.FindTenant(input.Tenant).Id, input.Role, cancellationToken);

    internal sealed record Input(string Role, string? Tenant);
}

/// <summary><c>role.permissions</c>: what a role can give.</summary>
internal sealed class ListPermissions() : Operation<ListPermissions.Input>("role.permissions")
{
    protected override Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        Task.FromResult<object?>(DefenderPermission.Titles.Select(title => new { Name = title.Key, Title = title.Value }).ToArray());

    internal sealed record Input;
}

/// <summary><c>role.directory</c>: the roles of the directory.</summary>
internal sealed class ListDirectoryRoles() : Operation<ListDirectoryRoles.Input>("role.directory")
{
    protected override Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        Task.FromResult<object?>(DirectoryRole.All);

    internal sealed record Input;
}

/// <summary><c>devicegroup.create</c>: makes a device group.</summary>
internal sealed class CreateDeviceGroup(AccessService access, DirectoryService directory) : AccessOperation<CreateDeviceGroup.Input>("devicegroup.create", directory)
{
    protected override async Task<object?> ChangeAsync(Input input, CancellationToken cancellationToken) =>
        await access.CreateDeviceGroupAsync(Directory.FindTenant(input.Tenant).Id, input.Name, input.Automation, cancellationToken);

    internal sealed record Input(string Name, AutomationLevel Automation, string? Tenant);
}

/// <summary><c>devicegroup.list</c>: the device groups of a tenant and who sees them.</summary>
internal sealed class ListDeviceGroups(AccessService access, DirectoryService directory) : AccessOperation<TenantInput>("devicegroup.list", directory)
{
    protected override async Task<object?> ChangeAsync(TenantInput input, CancellationToken cancellationToken)
    {
        var tenant = Directory.FindTenant(input.Tenant).Id;
        var shown = new List<object>();
        foreach (var group in (await access.RulesAsync(tenant, cancellationToken)).DeviceGroups) shown.Add(await ShowAsync(group, tenant, cancellationToken));
        return shown;
    }
}

/// <summary><c>devicegroup.allow</c>: who sees a device group.</summary>
internal sealed class AllowDeviceGroup(AccessService access, DirectoryService directory) : AccessOperation<AllowDeviceGroup.Input>("devicegroup.allow", directory)
{
    protected override async Task<object?> ChangeAsync(Input input, CancellationToken cancellationToken)
    {
        var group = await Directory.FindGroupAsync(input.Tenant, input.Group, cancellationToken);
        return await ShowAsync(await access.AllowAsync(group.TenantId, input.DeviceGroup, group.Id, !input.Remove, cancellationToken), group.TenantId, cancellationToken);
    }

    internal sealed record Input(string DeviceGroup, string Group, bool Remove, string? Tenant);
}

/// <summary><c>devicegroup.move</c>: puts devices into a device group.</summary>
internal sealed class MoveDevices(AccessService access, DirectoryService directory) : AccessOperation<MoveDevices.Input>("devicegroup.move", directory)
{
    protected override async Task<object?> ChangeAsync(Input input, CancellationToken cancellationToken)
    {
        var moved = await access.MoveAsync(Directory.FindTenant(input.Tenant).Id, input.DeviceGroup, input.Devices, cancellationToken);
        return moved > 0
            ? new { Name = input.DeviceGroup, Moved = moved }
            : throw new AccessException($"None of these devices is known: {string.Join(", ", input.Devices)}.");
    }

    internal sealed record Input(string DeviceGroup, string[] Devices, string? Tenant);
}
