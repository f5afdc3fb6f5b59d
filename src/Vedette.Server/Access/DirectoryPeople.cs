using System.Collections.Concurrent;
using Vedette.Identity.Directory;

namespace Vedette.Server.Access;

/// <summary>
/// Directory roles and groups of users, remembered until the directory changes. A user who was deleted, moved or switched off has none.
/// </summary>
internal sealed class DirectoryPeople(DirectoryService directory)
{
    private const int Capacity = 10_000;
    private volatile Memory _memory = new(DirectorySnapshot.Empty);

    /// <summary>What the directory says of a user of a tenant.</summary>
    public async ValueTask<Standing> OfAsync(Guid tenantId, Guid userId, CancellationToken cancellationToken)
    {
        // Every change of the directory, here or on another server, makes a new snapshot.
        var memory = _memory;
        if (!ReferenceEquals(memory.Snapshot, directory.Directory)) _memory = memory = new Memory(directory.Directory);
        if (memory.Known.TryGetValue((tenantId, userId), out var known)) return known;
        var user = await directory.FindUserAsync(userId, cancellationToken);
        var standing = user is { AccountEnabled: true } && user.TenantId == tenantId
            ? new Standing(user.DirectoryRoles.ToHashSet(), (await directory.GroupsOfAsync(userId, cancellationToken)).ToHashSet())
            : Standing.None;
        if (memory.Known.Count < Capacity) memory.Known[(tenantId, userId)] = standing;
        return standing;
    }

    private sealed record Memory(DirectorySnapshot Snapshot)
    {
        public ConcurrentDictionary<(Guid Tenant, Guid User), Standing> Known { get; } = new();
    }
}

/// <summary>What the directory says of a user.</summary>
/// <param name="Roles">Template ids of directory roles.</param>
/// <param name="Groups">Object ids of all groups, nested ones included.</param>
internal sealed record Standing(IReadOnlySet<Guid> Roles, IReadOnlySet<Guid> Groups)
{
    /// <summary>No role and no group.</summary>
    public static Standing None { get; } = new(new HashSet<Guid>(), new HashSet<Guid>());

    /// <summary>Whether the user holds one of some roles.</summary>
    public bool Holds(params ReadOnlySpan<DirectoryRole> roles)
    {
        foreach (var role in roles)
            if (Roles.Contains(role.TemplateId)) return true;
        return false;
    }
}
