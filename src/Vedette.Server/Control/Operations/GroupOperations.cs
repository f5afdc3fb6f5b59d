using Vedette.Identity.Directory;

namespace Vedette.Server.Control.Operations;

/// <summary><c>group.create</c>: makes a group.</summary>
internal sealed class CreateGroup(DirectoryService directory) : DirectoryOperation<CreateGroup.Input>("group.create")
{
    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken) =>
        await directory.CreateGroupAsync(directory.FindTenant(input.Tenant).Id, new GroupDraft(input.Name) { Description = input.Description }, null, cancellationToken);

    internal sealed record Input(string Name, string? Description, string? Tenant);
}

/// <summary><c>group.list</c>: the groups of a tenant.</summary>
internal sealed class ListGroups(DirectoryService directory) : DirectoryOperation<TenantInput>("group.list")
{
    protected override async Task<object?> RunAsync(TenantInput input, CancellationToken cancellationToken) => await directory.ListGroupsAsync(input.Tenant, cancellationToken);
}

/// <summary><c>group.show</c>: a group with its members.</summary>
internal sealed class ShowGroup(DirectoryService directory) : DirectoryOperation<GroupInput>("group.show")
{
    protected override async Task<object?> RunAsync(GroupInput input, CancellationToken cancellationToken)
    {
        var group = await directory.FindGroupAsync(input.Tenant, input.Group, cancellationToken);
        return new { group.DisplayName, group.Id, group.Description, Members = await directory.ListMembersAsync(group, cancellationToken) };
    }
}

/// <summary><c>group.add</c>: puts a member into a group.</summary>
internal sealed class AddGroupMember(DirectoryService directory) : DirectoryOperation<MemberInput>("group.add")
{
    protected override async Task<object?> RunAsync(MemberInput input, CancellationToken cancellationToken)
    {
        var group = await directory.FindGroupAsync(input.Tenant, input.Group, cancellationToken);
        await directory.AddMemberAsync(group, await input.MemberIdAsync(directory, cancellationToken), cancellationToken);
        return new { group.DisplayName, (await directory.ListMembersAsync(group, cancellationToken)).Count };
    }
}

/// <summary><c>group.remove</c>: takes a member out of a group.</summary>
internal sealed class RemoveGroupMember(DirectoryService directory) : DirectoryOperation<MemberInput>("group.remove")
{
    protected override async Task<object?> RunAsync(MemberInput input, CancellationToken cancellationToken)
    {
        var group = await directory.FindGroupAsync(input.Tenant, input.Group, cancellationToken);
        await directory.RemoveMemberAsync(group, await input.MemberIdAsync(directory, cancellationToken), cancellationToken);
        return new { group.DisplayName, (await directory.ListMembersAsync(group, cancellationToken)).Count };
    }
}

/// <summary><c>group.delete</c>: removes a group.</summary>
internal sealed class DeleteGroup(DirectoryService directory) : DirectoryOperation<GroupInput>("group.delete")
{
    protected override async Task<object?> RunAsync(GroupInput input, CancellationToken cancellationToken)
    {
        var group = await directory.FindGroupAsync(input.Tenant, input.Group, cancellationToken);
        await directory.DeleteGroupAsync(group, cancellationToken);
        return group;
    }
}

/// <summary>Names a group.</summary>
/// <param name="Group">Unique name or object id.</param>
/// <param name="Tenant">Tenant id or domain; the first tenant when null.</param>
internal sealed record GroupInput(string Group, string? Tenant);

/// <summary>Names a group and something that is or shall be in it.</summary>
/// <param name="Group">Unique name or object id.</param>
/// <param name="Member">Sign-in name of a user, or an object id.</param>
/// <param name="Tenant">Tenant id or domain; the first tenant when null.</param>
internal sealed record MemberInput(string Group, string Member, string? Tenant)
{
    /// <summary>Object id of the member.</summary>
    public async Task<Guid> MemberIdAsync(DirectoryService directory, CancellationToken cancellationToken) =>
        Guid.TryParse(Member, out var id) ? id : (await directory.FindUserInAsync(Tenant, Member, cancellationToken)).Id;
}
