namespace Vedette.Identity.Directory;

// Domains and rules of tenants.
public sealed partial class DirectoryService
{
    /// <summary>Adds a verified domain to a tenant.</summary>
    public async Task<Tenant> AddDomainAsync(string? tenant, string domain, CancellationToken cancellationToken = default)
    {
        var owner = FindTenant(tenant);
        var name = domain.Trim().ToLowerInvariant();
        if (!IsDomainName(name)) throw DirectoryException.BadInput($"'{domain}' is not a domain name.");
        if (store.Current.TryGetTenant(name, out _)) throw DirectoryException.Conflict($"The domain {name} belongs to a tenant already.");
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync("INSERT INTO identity.domains (name, tenant_id, is_default) VALUES ($1, $2, false)", name, owner.Id);
                await change.AuditAsync(Audit("Add verified domain", owner.Id, name));
            },
            cancellationToken);
        return FindTenant(owner.Id.ToString());
    }

    /// <summary>Takes a domain from a tenant. The default domain stays, and one that sign-in names end in.</summary>
    /// <exception cref="DirectoryException">It is not the tenant's, or it is in use.</exception>
    public async Task<Tenant> RemoveDomainAsync(string? tenant, string domain, CancellationToken cancellationToken = default)
    {
        var owner = FindTenant(tenant);
        var name = domain.Trim().ToLowerInvariant();
        if (!owner.Domains.Contains(name)) throw DirectoryException.NotFound($"{owner.DisplayName} has no domain {name}.");
        if (owner.DefaultDomain == name) throw DirectoryException.Conflict($"{name} is the default domain of {owner.DisplayName}.");
        if ((await store.ReadUsersAsync("tenant_id = $1 AND split_part(lower(user_principal_name), '@', -1) = $2 LIMIT 1", cancellationToken, owner.Id, name)).Count > 0)
            throw DirectoryException.Conflict($"Sign-in names of {owner.DisplayName} end in {name}.");
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync("DELETE FROM identity.domains WHERE name = $1", name);
                await change.AuditAsync(Audit("Remove domain", owner.Id, name));
            },
            cancellationToken);
        return FindTenant(owner.Id.ToString());
    }

    /// <summary>Says whether people of a tenant need a second factor.</summary>
    public async Task<Tenant> RequireMfaAsync(string? tenant, bool required, CancellationToken cancellationToken = default)
    {
        var owner = FindTenant(tenant);
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync("UPDATE identity.tenants SET requires_mfa = $2 WHERE id = $1", owner.Id, required);
                await change.AuditAsync(Audit("Set multifactor authentication requirement", owner.Id, owner.Id.ToString(), ("required", required ? "true" : "false")));
            },
            cancellationToken);
        return FindTenant(owner.Id.ToString());
    }
}
