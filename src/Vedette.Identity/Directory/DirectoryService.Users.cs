using System.Security.Cryptography;
using Vedette.Identity.Security;

namespace Vedette.Identity.Directory;

// People.
public sealed partial class DirectoryService
{
    private const string PasswordLetters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

    /// <summary>Makes a user. A password that was not given is made at random and is in the answer, this once.</summary>
    public async Task<UserInfo> CreateUserAsync(CreateUserRequest request, CancellationToken cancellationToken = default)
    {
        var tenant = FindTenant(request.Tenant);
        var name = request.UserPrincipalName.Trim();
        if (!name.Contains('@', StringComparison.Ordinal)) name = $"{name}@{tenant.DefaultDomain}";
        var at = name.LastIndexOf('@');
        if (at < 1 || name.Length > 113 || name.Any(c => char.IsWhiteSpace(c) || char.IsControl(c))) throw DirectoryException.BadInput($"'{request.UserPrincipalName}' is not a sign-in name.");
        if (!tenant.Domains.Contains(name[(at + 1)..], StringComparer.OrdinalIgnoreCase))
            throw DirectoryException.BadInput($"{name[(at + 1)..]} is not a verified domain of {tenant.DisplayName}. Its domains: {string.Join(", ", tenant.Domains)}.");
        if (request.Password is { Length: < 8 or > 256 }) throw DirectoryException.BadInput("A password has 8 to 256 characters.");
        var password = request.Password ?? RandomNumberGenerator.GetString(PasswordLetters, 16);
        var id = identifiers.NewGuid();
        var hash = Passwords.Hash(password);
        var displayName = CheckName(request.DisplayName, "A user");
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync(
                    """
                    INSERT INTO identity.users (id, tenant_id, user_principal_name, display_name, given_name, surname, password_hash, directory_roles, created_at)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                    """,
                    id, tenant.Id, name, displayName, request.GivenName, request.Surname, hash, request.DirectoryRoles.ToArray(), clock.GetUtcNow());
                await change.AuditAsync(Audit("Add user", tenant.Id, id.ToString(), ("userPrincipalName", name)));
            },
            cancellationToken);
        return new UserInfo(id, tenant.Id, name, displayName, true, request.Password is null ? password : null);
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
}
