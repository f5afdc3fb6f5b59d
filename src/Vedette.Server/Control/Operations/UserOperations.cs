using Vedette.Defender.Access;
using Vedette.Identity.Directory;
using Vedette.Server.Access;

namespace Vedette.Server.Control.Operations;

/// <summary><c>user.create</c>: a person who can sign in.</summary>
internal sealed class CreateUser(DirectoryService directory) : DirectoryOperation<CreateUser.Input>("user.create")
{
    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken)
    {
        // Everything that is named is looked up before anything is made.
        var roles = (input.Roles ?? []).Select(DirectoryRole.Find).Concat(input.Admin ? [DirectoryRole.GlobalAdministrator] : []).Select(role => role.TemplateId).ToArray();
        var groups = new List<Group>();
        foreach (var name in input.Groups ?? []) groups.Add(await directory.FindGroupAsync(input.Tenant, name, cancellationToken));
        var user = await directory.CreateUserAsync(
            new CreateUserRequest(input.UserPrincipalName, input.DisplayName ?? input.UserPrincipalName.Split('@')[0])
            {
                Tenant = input.Tenant,
                Password = input.Password,
                DirectoryRoles = roles,
            },
            cancellationToken);
        foreach (var group in groups) await directory.AddMemberAsync(group, user.Id, cancellationToken);
        return user;
    }

    internal sealed record Input(string UserPrincipalName, string? DisplayName, string? Password, bool Admin, string[]? Roles, string[]? Groups, string? Tenant);
}

/// <summary><c>user.list</c>: the users of a tenant.</summary>
internal sealed class ListUsers(DirectoryService directory) : DirectoryOperation<TenantInput>("user.list")
{
    protected override async Task<object?> RunAsync(TenantInput input, CancellationToken cancellationToken) =>
        await directory.ListUsersAsync(input.Tenant, top: 1000, cancellationToken: cancellationToken);
}

/// <summary><c>user.show</c>: a user with roles, groups and what follows from them.</summary>
internal sealed class ShowUser(DirectoryService directory, DirectoryPeople people, AccessService access) : DirectoryOperation<UserInput>("user.show")
{
    protected override async Task<object?> RunAsync(UserInput input, CancellationToken cancellationToken)
    {
        var user = await directory.FindUserInAsync(input.Tenant, input.User, cancellationToken);
        var standing = await people.OfAsync(user.TenantId, user.Id, cancellationToken);
        var rules = await access.RulesAsync(user.TenantId, cancellationToken);
        var may = DefenderUserAccess.Of(standing, rules);
        var groups = (await directory.ListGroupsAsync(user.TenantId.ToString(), cancellationToken)).Where(group => standing.Groups.Contains(group.Id));
        return new
        {
            user.UserPrincipalName,
            user.DisplayName,
            user.Id,
            user.TenantId,
            user.AccountEnabled,
            DirectoryRoles = user.RoleNames(),
            Groups = groups.Select(group => group.DisplayName),
            Permissions = may.Roles.Order(StringComparer.Ordinal),
            DeviceGroups = may.DeviceGroups is { } seen ? rules.DeviceGroups.Where(group => seen.Contains(group.Id)).Select(group => group.Name) : ["all"],
        };
    }
}

/// <summary><c>user.role</c>: gives or takes a directory role.</summary>
internal sealed class SetUserRole(DirectoryService directory) : DirectoryOperation<SetUserRole.Input>("user.role")
{
    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken)
    {
        var user = await directory.FindUserInAsync(input.Tenant, input.User, cancellationToken);
        await directory.SetDirectoryRoleAsync(user, DirectoryRole.Find(input.Role), !input.Remove, cancellationToken);
        var now = await directory.FindUserInAsync(input.Tenant, user.Id.ToString(), cancellationToken);
        return new { now.UserPrincipalName, now.Id, DirectoryRoles = now.RoleNames() };
    }

    internal sealed record Input(string User, string Role, bool Remove, string? Tenant);
}

/// <summary><c>user.reset</c>: a new password, shown once.</summary>
internal sealed class ResetUserPassword(DirectoryService directory) : DirectoryOperation<UserInput>("user.reset")
{
    protected override async Task<object?> RunAsync(UserInput input, CancellationToken cancellationToken) =>
        await directory.ResetPasswordAsync(await directory.FindUserInAsync(input.Tenant, input.User, cancellationToken), cancellationToken);
}

/// <summary><c>user.enable</c>: switches an account on or off.</summary>
internal sealed class EnableUser(DirectoryService directory) : DirectoryOperation<EnableUser.Input>("user.enable")
{
    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken)
    {
        var user = await directory.FindUserInAsync(input.Tenant, input.User, cancellationToken);
        await directory.UpdateUserAsync(user, new UserChange { AccountEnabled = input.Enabled }, cancellationToken);
        return new UserInfo(user.Id, user.TenantId, user.UserPrincipalName, user.DisplayName, input.Enabled);
    }

    internal sealed record Input(string User, bool Enabled, string? Tenant);
}

/// <summary><c>user.delete</c>: removes a user.</summary>
internal sealed class DeleteUser(DirectoryService directory) : DirectoryOperation<UserInput>("user.delete")
{
    protected override async Task<object?> RunAsync(UserInput input, CancellationToken cancellationToken)
    {
        var user = await directory.FindUserInAsync(input.Tenant, input.User, cancellationToken);
        await directory.DeleteUserAsync(user, cancellationToken);
        return new UserInfo(user.Id, user.TenantId, user.UserPrincipalName, user.DisplayName, user.AccountEnabled);
    }
}

/// <summary>Names a user.</summary>
/// <param name="User">Sign-in name or object id.</param>
/// <param name="Tenant">Tenant id or domain; the first tenant when null.</param>
internal sealed record UserInput(string User, string? Tenant);

/// <summary>Names a tenant.</summary>
/// <param name="Tenant">Tenant id or domain; the first tenant when null.</param>
internal sealed record TenantInput(string? Tenant);

/// <summary>Roles in words.</summary>
internal static class UserRoleNames
{
    /// <summary>Names of the directory roles that a user holds.</summary>
    public static IEnumerable<string> RoleNames(this User user) => DirectoryRole.All.Where(role => user.DirectoryRoles.Contains(role.TemplateId)).Select(role => role.Name);
}
