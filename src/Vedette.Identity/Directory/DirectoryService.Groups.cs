namespace Vedette.Identity.Directory;

/// <summary>How a group shall be.</summary>
/// <param name="DisplayName">Name for people.</param>
public sealed record GroupDraft(string DisplayName)
{
    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>Name in mail addresses; made from the display name when null.</summary>
    public string? MailNickname { get; init; }

    /// <summary>True when it takes mail.</summary>
    public bool MailEnabled { get; init; }

    /// <summary>True when roles and access can be given to it.</summary>
    public bool SecurityEnabled { get; init; } = true;

    /// <summary><c>Unified</c> for groups with shared resources; empty for security groups.</summary>
    public IReadOnlyList<string> GroupTypes { get; init; } = [];
}

// Groups.
public sealed partial class DirectoryService
{
    /// <summary>Makes a group.</summary>
    public async Task<Group> CreateGroupAsync(Guid tenantId, GroupDraft draft, Guid? owner = null, CancellationToken cancellationToken = default)
    {
        var group = new Group(identifiers.NewGuid(), tenantId, CheckName(draft.DisplayName, "A group"), draft.Description, clock.GetUtcNow());
        var nickname = draft.MailNickname ?? new string([.. draft.DisplayName.Where(char.IsAsciiLetterOrDigit).Take(60)]);
        if (nickname.Length is 0 or > 64 || nickname.Any(c => char.IsWhiteSpace(c) || c is '@' or '(' or ')' or '\\' or '[' or ']' or '"' or ';' or ':' or '<' or '>' or ','))
            throw DirectoryException.BadInput("Invalid value specified for property 'mailNickname' of resource 'Group'.");
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync(
                    """
                    INSERT INTO identity.groups (id, tenant_id, display_name, description, mail_nickname, mail_enabled, security_enabled, group_types, created_at)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                    """,
                    group.Id, tenantId, group.DisplayName, draft.Description, nickname, draft.MailEnabled, draft.SecurityEnabled, draft.GroupTypes.ToArray(), group.CreatedAt);
                if (owner is { } first) await change.ExecuteAsync(AddOwner, group.Id, first);
                await change.AuditAsync(Audit("Add group", tenantId, group.Id.ToString(), ("displayName", group.DisplayName)));
            },
            cancellationToken);
        return group;
    }

    /// <summary>Changes name or description of a group; null leaves as it is.</summary>
    public Task UpdateGroupAsync(Group group, string? displayName, (bool Given, string? Text) description, CancellationToken cancellationToken = default)
    {
        var name = displayName is null ? null : CheckName(displayName, "A group");
        return store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync(
                    "UPDATE identity.groups SET display_name = coalesce($2, display_name), description = CASE WHEN $3 THEN $4::text ELSE description END WHERE id = $1",
                    group.Id, name, description.Given, description.Text);
                await change.AuditAsync(Audit("Update group", group.TenantId, group.Id.ToString(), ("displayName", name ?? group.DisplayName)));
            },
            cancellationToken);
    }

    /// <summary>Deletes a group.</summary>
    public Task DeleteGroupAsync(Group group, CancellationToken cancellationToken = default) => store.WriteAsync(
        async change =>
        {
            await KeepDeletedAsync(change, DeletedKind.Group, group.TenantId, group.Id);
            await ForgetAsync(change, group.Id);
            await change.ExecuteAsync("DELETE FROM identity.groups WHERE id = $1", group.Id);
            await change.AuditAsync(Audit("Delete group", group.TenantId, group.Id.ToString(), ("displayName", group.DisplayName)));
        },
        cancellationToken);

    /// <summary>Groups of a tenant by name.</summary>
    public Task<IReadOnlyList<Group>> ListGroupsAsync(string? tenant = null, CancellationToken cancellationToken = default) =>
        ReadGroupsAsync("tenant_id = $1 ORDER BY lower(display_name), id", cancellationToken, FindTenant(tenant).Id);

    /// <summary>Finds a group of a tenant by object id; null when there is none.</summary>
    public async Task<Group?> FindGroupAsync(Guid tenantId, Guid id, CancellationToken cancellationToken = default) =>
        (await ReadGroupsAsync("tenant_id = $1 AND id = $2", cancellationToken, tenantId, id)).FirstOrDefault();

    /// <summary>Finds a group by object id, or by name when only one has it.</summary>
    /// <exception cref="DirectoryException">None, or several, are meant.</exception>
    public async Task<Group> FindGroupAsync(string? tenant, string reference, CancellationToken cancellationToken = default)
    {
        var owner = FindTenant(tenant);
        var found = Guid.TryParse(reference, out var id)
            ? await ReadGroupsAsync("tenant_id = $1 AND id = $2", cancellationToken, owner.Id, id)
            : await ReadGroupsAsync("tenant_id = $1 AND lower(display_name) = lower($2)", cancellationToken, owner.Id, reference);
        return found.Count switch
        {
            1 => found[0],
            0 => throw DirectoryException.NotFound($"There is no group '{reference}' in {owner.DisplayName}."),
            _ => throw DirectoryException.Conflict($"{found.Count} groups are named '{reference}'. Use the object id: {string.Join(", ", found.Select(group => group.Id))}."),
        };
    }

    /// <summary>Puts a user, group or service principal of the same tenant into a group.</summary>
    /// <exception cref="DirectoryException">The member is not there, or a member already.</exception>
    public async Task AddMemberAsync(Group group, Guid memberId, CancellationToken cancellationToken = default)
    {
        if (await KindOfAsync(group.TenantId, memberId, cancellationToken) is not { } kind) throw NoSuchObject(memberId);
        if (memberId == group.Id) throw DirectoryException.BadInput("A group cannot be a member of itself.");
        if ((await ListMembersAsync(group, cancellationToken)).Any(member => member.Id == memberId))
            throw DirectoryException.Conflict("One or more added object references already exist for the following modified properties: 'members'.");
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync("INSERT INTO identity.group_members (group_id, member_id, member_kind) VALUES ($1, $2, $3)", group.Id, memberId, kind.ToString());
                await change.AuditAsync(Audit("Add member to group", group.TenantId, group.Id.ToString(), ("member", memberId.ToString())));
            },
            cancellationToken);
    }

    /// <summary>Takes a member out of a group.</summary>
    /// <exception cref="DirectoryException">It is no member.</exception>
    public async Task RemoveMemberAsync(Group group, Guid memberId, CancellationToken cancellationToken = default)
    {
        if ((await ListMembersAsync(group, cancellationToken)).All(member => member.Id != memberId)) throw NoSuchObject(memberId);
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync("DELETE FROM identity.group_members WHERE group_id = $1 AND member_id = $2", group.Id, memberId);
                await change.AuditAsync(Audit("Remove member from group", group.TenantId, group.Id.ToString(), ("member", memberId.ToString())));
            },
            cancellationToken);
    }

    /// <summary>Direct members of a group, by name.</summary>
    public Task<IReadOnlyList<GroupMember>> ListMembersAsync(Group group, CancellationToken cancellationToken = default) => store.QueryAsync(
        """
        SELECT m.member_id, m.member_kind, coalesce(u.display_name, g.display_name, a.display_name, f.display_name, ''), u.user_principal_name
        FROM identity.group_members m
        LEFT JOIN identity.users u ON u.id = m.member_id
        LEFT JOIN identity.groups g ON g.id = m.member_id
        LEFT JOIN identity.service_principals p ON p.id = m.member_id
        LEFT JOIN identity.applications a ON a.app_id = p.app_id
        LEFT JOIN identity.first_party_resources f ON f.app_id = p.app_id
        WHERE m.group_id = $1 ORDER BY 3, 1
        """,
        row => new GroupMember(row.GetGuid(0), Enum.Parse<MemberKind>(row.GetString(1)), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3)),
        cancellationToken,
        group.Id);

    /// <summary>Ids of all groups that an object belongs to, by itself or through other groups.</summary>
    public Task<IReadOnlyList<Guid>> GroupsOfAsync(Guid memberId, CancellationToken cancellationToken = default) => store.QueryAsync(
        """
        WITH RECURSIVE held AS (
            SELECT group_id FROM identity.group_members WHERE member_id = $1
            UNION
            SELECT m.group_id FROM identity.group_members m JOIN held ON m.member_id = held.group_id)
        SELECT group_id FROM held
        """,
        row => row.GetGuid(0),
        cancellationToken,
        memberId);

    /// <summary>Ids of all groups with which access can be given that an object belongs to, by itself or through other groups.</summary>
    public async Task<IReadOnlyList<Guid>> SecurityGroupsOfAsync(Guid memberId, CancellationToken cancellationToken = default) => await store.QueryAsync(
        "SELECT id FROM identity.groups WHERE security_enabled AND id = ANY($1) ORDER BY id", row => row.GetGuid(0), cancellationToken, (await GroupsOfAsync(memberId, cancellationToken)).ToArray());

    /// <summary>Whether a tenant has a user, group, service principal or application of this id.</summary>
    public async Task<bool> ExistsAsync(Guid tenantId, Guid id, CancellationToken cancellationToken = default) =>
        store.Current.ApplicationByObjectId(id)?.TenantId == tenantId || await KindOfAsync(tenantId, id, cancellationToken) is not null;

    private Task<IReadOnlyList<Group>> ReadGroupsAsync(string condition, CancellationToken cancellationToken, params object[] values) => store.QueryAsync(
        $"SELECT id, tenant_id, display_name, description, created_at FROM identity.groups WHERE {condition}",
        row => new Group(row.GetGuid(0), row.GetGuid(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3), row.GetFieldValue<DateTimeOffset>(4)),
        cancellationToken,
        values);
}
