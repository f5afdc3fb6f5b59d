using System.Security.Cryptography;
using Vedette.Identity.Security;

namespace Vedette.Identity.Directory;

// People.
public sealed partial class DirectoryService
{
    private const string PasswordLetters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    private const int LongestProfileText = 256;

    /// <summary>Makes a user. A password that was not given is made at random and is in the answer, this once.</summary>
    public async Task<UserInfo> CreateUserAsync(CreateUserRequest request, CancellationToken cancellationToken = default)
    {
        var tenant = FindTenant(request.Tenant);
        var name = CheckSignInName(request.UserPrincipalName, tenant);
        CheckPassword(request.Password);
        var password = request.Password ?? NewPassword();
        var id = identifiers.NewGuid();
        var hash = Passwords.Hash(password);
        var displayName = CheckName(request.DisplayName, "A user");
        var profile = new Dictionary<string, string?>(request.Profile) { ["givenName"] = request.GivenName, ["surname"] = request.Surname };
        if (await FindUserAsync(name, cancellationToken) is not null) throw NameTaken();
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync(
                    """
                    INSERT INTO identity.users (id, tenant_id, user_principal_name, display_name, account_enabled, password_hash, directory_roles, created_at)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                    """,
                    id, tenant.Id, name, displayName, request.AccountEnabled, hash, request.DirectoryRoles.Distinct().ToArray(), clock.GetUtcNow());
                await WriteProfileAsync(change, id, profile);
                await change.AuditAsync(Audit("Add user", tenant.Id, id.ToString(), ("userPrincipalName", name)));
            },
            cancellationToken);
        return new UserInfo(id, tenant.Id, name, displayName, request.AccountEnabled, request.Password is null ? password : null);
    }

    /// <summary>Changes a user.</summary>
    /// <exception cref="DirectoryException">A value breaks a rule.</exception>
    public async Task UpdateUserAsync(User user, UserChange wanted, CancellationToken cancellationToken = default)
    {
        var tenant = FindTenant(user.TenantId.ToString());
        var name = wanted.UserPrincipalName is { } asked ? CheckSignInName(asked, tenant) : null;
        if (name is not null && await FindUserAsync(name, cancellationToken) is { } other && other.Id != user.Id) throw NameTaken();
        CheckPassword(wanted.Password);
        var displayName = wanted.DisplayName is { } text ? CheckName(text, "A user") : null;
        var hash = wanted.Password is { } password ? Passwords.Hash(password) : null;
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync(
                    """
                    UPDATE identity.users SET user_principal_name = coalesce($2, user_principal_name), display_name = coalesce($3, display_name),
                        account_enabled = coalesce($4::boolean, account_enabled), password_hash = coalesce($5, password_hash)
                    WHERE id = $1
                    """,
                    user.Id, name, displayName, wanted.AccountEnabled, hash);
                await WriteProfileAsync(change, user.Id, wanted.Profile);

                // Whoever signed in with the old password, or may not sign in any more, starts anew.
                if (hash is not null || wanted.AccountEnabled is false) await change.ExecuteAsync("DELETE FROM identity.tickets WHERE user_id = $1", user.Id);
                await change.AuditAsync(Audit(hash is null ? "Update user" : "Reset user password", user.TenantId, user.Id.ToString(), ("userPrincipalName", name ?? user.UserPrincipalName)));
            },
            cancellationToken);
    }

    /// <summary>Gives a user a new password made at random.</summary>
    /// <returns>The password, which cannot be shown again.</returns>
    public async Task<UserInfo> ResetPasswordAsync(User user, CancellationToken cancellationToken = default)
    {
        var password = NewPassword();
        await UpdateUserAsync(user, new UserChange { Password = password }, cancellationToken);
        return new UserInfo(user.Id, user.TenantId, user.UserPrincipalName, user.DisplayName, user.AccountEnabled, password);
    }

    /// <summary>Deletes a user with their memberships, consents and sign-ins; all but the sign-ins can be restored for 30 days.</summary>
    public Task DeleteUserAsync(User user, CancellationToken cancellationToken = default) => store.WriteAsync(
        async change =>
        {
            await KeepDeletedAsync(change, DeletedKind.User, user.TenantId, user.Id);
            await ForgetAsync(change, user.Id);
            await change.ExecuteAsync("DELETE FROM identity.users WHERE id = $1", user.Id);
            await change.AuditAsync(Audit("Delete user", user.TenantId, user.Id.ToString(), ("userPrincipalName", user.UserPrincipalName)));
        },
        cancellationToken);

    /// <summary>Gives or takes a directory role.</summary>
    /// <returns>False when it was so already.</returns>
    public async Task<bool> SetDirectoryRoleAsync(User user, DirectoryRole role, bool held, CancellationToken cancellationToken = default)
    {
        if (user.DirectoryRoles.Contains(role.TemplateId) == held) return false;
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync(
                    $"UPDATE identity.users SET directory_roles = array_{(held ? "append" : "remove")}(array_remove(directory_roles, $2), $2) WHERE id = $1", user.Id, role.TemplateId);
                await change.AuditAsync(Audit(held ? "Add member to role" : "Remove member from role", user.TenantId, user.Id.ToString(), ("role", role.Name)));
            },
            cancellationToken);
        return true;
    }

    /// <summary>Makes sure of people and of the groups they belong to; those that are there already are left alone.</summary>
    public async Task EnsurePeopleAsync(Guid tenantId, IReadOnlyList<KnownPerson> people, CancellationToken cancellationToken = default)
    {
        var there = (await store.QueryAsync("SELECT id FROM identity.users WHERE tenant_id = $1", row => row.GetGuid(0), cancellationToken, tenantId)).ToHashSet();
        var missing = people.Where(person => !there.Contains(person.Id)).ToArray();
        if (missing.Length == 0) return;
        var groups = (await ListGroupsAsync(tenantId.ToString(), cancellationToken)).GroupBy(group => group.DisplayName).ToDictionary(same => same.Key, same => same.First().Id);
        foreach (var name in missing.Select(person => person.Group).OfType<string>().Distinct().Where(name => !groups.ContainsKey(name)))
            groups[name] = (await CreateGroupAsync(tenantId, new GroupDraft(name), null, cancellationToken)).Id;
        var now = clock.GetUtcNow();
        await store.WriteAsync(
            async change =>
            {
                foreach (var person in missing)
                {
                    await change.ExecuteAsync(
                        "INSERT INTO identity.users (id, tenant_id, user_principal_name, display_name, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                        person.Id, tenantId, person.UserPrincipalName, person.DisplayName, now);
                    await WriteProfileAsync(change, person.Id, person.Profile);
                    if (person.Group is { } group)
                        await change.ExecuteAsync("INSERT INTO identity.group_members (group_id, member_id, member_kind) VALUES ($1, $2, 'User') ON CONFLICT DO NOTHING", groups[group], person.Id);
                }

                await change.AuditAsync(Audit("Add users", tenantId, tenantId.ToString(), ("count", missing.Length.ToString(System.Globalization.CultureInfo.InvariantCulture))));
            },
            cancellationToken);
    }

    /// <summary>Users of a tenant in the order of their names, a page at a time.</summary>
    public async Task<IReadOnlyList<UserInfo>> ListUsersAsync(string? tenant = null, int skip = 0, int top = 100, CancellationToken cancellationToken = default)
    {
        var owner = FindTenant(tenant);
        var users = await store.ReadUsersAsync("tenant_id = $1 ORDER BY lower(user_principal_name) OFFSET $2 LIMIT $3", cancellationToken, owner.Id, skip, Math.Clamp(top, 1, 1000));
        return [.. users.Select(user => new UserInfo(user.Id, user.TenantId, user.UserPrincipalName, user.DisplayName, user.AccountEnabled))];
    }

    /// <summary>Finds a user by sign-in name, ignoring case; null when there is none.</summary>
    public async Task<User?> FindUserAsync(string userPrincipalName, CancellationToken cancellationToken = default) =>
        (await store.ReadUsersAsync("lower(user_principal_name) = lower($1)", cancellationToken, userPrincipalName)).FirstOrDefault();

    /// <summary>Finds a user by object id; null when there is none.</summary>
    public async Task<User?> FindUserAsync(Guid id, CancellationToken cancellationToken = default) =>
        (await store.ReadUsersAsync("id = $1", cancellationToken, id)).FirstOrDefault();

    /// <summary>Finds a user of a tenant by object id, sign-in name, or the name before the <c>@</c> when only one has it.</summary>
    /// <exception cref="DirectoryException">There is none.</exception>
    public async Task<User> FindUserInAsync(string? tenant, string reference, CancellationToken cancellationToken = default)
    {
        var owner = FindTenant(tenant);
        var user = Guid.TryParse(reference, out var id) ? await FindUserAsync(id, cancellationToken)
            : await FindUserAsync(reference.Contains('@', StringComparison.Ordinal) ? reference : $"{reference}@{owner.DefaultDomain}", cancellationToken);
        return user is not null && (user.TenantId == owner.Id || tenant is null) ? user : throw DirectoryException.NotFound($"There is no user '{reference}' in {owner.DisplayName}.");
    }

    private static async Task WriteProfileAsync(DirectoryTransaction change, Guid id, IReadOnlyDictionary<string, string?> profile)
    {
        if (profile.Count == 0) return;
        var fields = profile.Where(field => UserProfile.Columns.ContainsKey(field.Key)).ToArray();
        if (fields.FirstOrDefault(field => field.Value?.Length > LongestProfileText || field.Value?.Any(char.IsControl) == true) is { Key: { } bad })
            throw DirectoryException.BadInput($"Invalid value specified for property '{bad}' of resource 'User'.");
        if (fields.Length == 0) return;
        var columns = fields.Select((field, index) => $"{UserProfile.Columns[field.Key]} = ${index + 2}");
        await change.ExecuteAsync($"UPDATE identity.users SET {string.Join(", ", columns)} WHERE id = $1", [id, .. fields.Select(field => (object?)field.Value)]);
    }

    private static string CheckSignInName(string text, Tenant tenant)
    {
        var name = text.Trim();
        if (!name.Contains('@', StringComparison.Ordinal)) name = $"{name}@{tenant.DefaultDomain}";
        var at = name.LastIndexOf('@');
        if (at < 1 || name.Length > 113 || name.Any(c => char.IsWhiteSpace(c) || char.IsControl(c))) throw DirectoryException.BadInput($"'{text}' is not a sign-in name.");
        if (!tenant.Domains.Contains(name[(at + 1)..], StringComparer.OrdinalIgnoreCase))
            throw DirectoryException.BadInput($"{name[(at + 1)..]} is not a verified domain of {tenant.DisplayName}. Its domains: {string.Join(", ", tenant.Domains)}.");
        return name;
    }

    private static void CheckPassword(string? password)
    {
        if (password is { Length: < 8 or > 256 }) throw DirectoryException.BadInput("A password has 8 to 256 characters.");
    }

    private static string NewPassword() => RandomNumberGenerator.GetString(PasswordLetters, 16);

    private static DirectoryException NameTaken() => DirectoryException.Conflict("Another object with the same value for property userPrincipalName already exists.");
}
