using Vedette.Foundation;
using Vedette.Identity.Resources;
using Vedette.Identity.Security;

namespace Vedette.Identity.Directory;

/// <summary>
/// What administrators do: tenants, applications, permissions, consent, credentials, users. The commands and the directory API both come
/// here, so that there is one set of rules. Refusals are <see cref="DirectoryException"/>s whose message is for the person who asked.
/// </summary>
public sealed partial class DirectoryService(DirectoryStore store, IdentityKey key, TimeProvider clock, IIdentifierSource identifiers)
{
    private const int LongestName = 120;
    private string _actor = "administrator";

    /// <summary>The same service on behalf of somebody, who then stands in the audit log.</summary>
    /// <param name="actor">A client id or a user's sign-in name.</param>
    public DirectoryService By(string actor) => new(store, key, clock, identifiers) { _actor = actor };

    /// <summary>The directory as it is now.</summary>
    public DirectorySnapshot Directory => store.Current;

    /// <summary>Makes a tenant with its verified domain and the service principals of the first-party APIs.</summary>
    public async Task<Tenant> CreateTenantAsync(CreateTenantRequest request, CancellationToken cancellationToken = default)
    {
        var name = CheckName(request.DisplayName, "A tenant");
        var domain = (request.Domain ?? DomainOf(name)).Trim().ToLowerInvariant();
        if (!IsDomainName(domain)) throw DirectoryException.BadInput($"'{domain}' is not a domain name.");
        if (store.Current.TryGetTenant(domain, out _)) throw DirectoryException.Conflict($"The domain {domain} belongs to a tenant already.");
        var id = request.Id ?? identifiers.NewGuid();
        if (store.Current.TryGetTenant(id, out _)) throw DirectoryException.Conflict($"There is a tenant {id} already.");
        var now = clock.GetUtcNow();
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync("INSERT INTO identity.tenants (id, display_name, created_at) VALUES ($1, $2, $3)", id, name, now);
                await change.ExecuteAsync("INSERT INTO identity.domains (name, tenant_id, is_default) VALUES ($1, $2, true)", domain, id);
                foreach (var resource in ResourceCatalogue.Default.All) await AddPrincipalAsync(change, id, resource.AppId, now);
                await change.AuditAsync(Audit("Add tenant", id, id.ToString(), ("displayName", name), ("domain", domain)));
            },
            cancellationToken);
        return store.Current.TryGetTenant(id, out var tenant) ? tenant : throw Lost();
    }

    /// <summary>All tenants, oldest first.</summary>
    public IReadOnlyList<Tenant> ListTenants() => store.Current.Tenants;

    /// <summary>Registers an application in its home tenant, with its service principal.</summary>
    public async Task<ApplicationDetails> CreateApplicationAsync(CreateApplicationRequest request, CancellationToken cancellationToken = default)
    {
        var kind = request.Native ? RedirectKind.Native : RedirectKind.Web;
        var application = await RegisterAsync(
            FindTenant(request.Tenant).Id,
            new ApplicationDraft(request.DisplayName)
            {
                SignInAudience = request.MultiTenant ? SignInAudience.MultiTenant : SignInAudience.SingleTenant,
                IsPublicClient = request.Native,
                RedirectUris = [.. request.RedirectUris.Select(uri => new RedirectUri(uri, kind)), .. request.SinglePageRedirectUris.Select(uri => new RedirectUri(uri, RedirectKind.Spa))],
                IdentifierUris = request.IdentifierUris,
                AppRoles = request.AppRoles,
                Scopes = request.Scopes,
                RequestedAccessTokenVersion = request.RequestedAccessTokenVersion,
            },
            new RegisterOptions { AppId = request.AppId, WithPrincipal = true },
            cancellationToken);
        return GetApplication(application.AppId.ToString());
    }

    /// <summary>Deletes an application with its credentials, its service principals in all tenants and their consents.</summary>
    public async Task<ApplicationSummary> DeleteApplicationAsync(string application, string? tenant = null, CancellationToken cancellationToken = default)
    {
        var found = FindApplication(application, tenant);
        if (tenant is not null && FindTenant(tenant).Id != found.TenantId)
            throw DirectoryException.BadInput($"{found.DisplayName} is registered in the tenant {found.TenantId}: it can be deleted there only.");
        var summary = Summarize(found);
        await DeleteApplicationAsync(found, cancellationToken);
        return summary;
    }

    /// <summary>Switches an application's sign-in in a tenant on or off.</summary>
    public async Task SetApplicationEnabledAsync(string application, bool enabled, string? tenant = null, CancellationToken cancellationToken = default)
    {
        var (found, where) = FindApplicationIn(application, tenant);
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync("UPDATE identity.service_principals SET account_enabled = $3 WHERE tenant_id = $1 AND app_id = $2", where.Id, found.AppId, enabled);
                await change.AuditAsync(Audit(enabled ? "Enable service principal" : "Disable service principal", where.Id, found.AppId.ToString()));
            },
            cancellationToken);
    }

    /// <summary>Applications of a tenant, or of all tenants, oldest first.</summary>
    public IReadOnlyList<ApplicationSummary> ListApplications(string? tenant = null)
    {
        var only = tenant is null ? (Guid?)null : FindTenant(tenant).Id;
        return [.. store.Current.Applications.Where(application => only is null || application.TenantId == only).Select(Summarize)];
    }

    /// <summary>One application with its permissions as they stand in a tenant (its home tenant when null).</summary>
    public ApplicationDetails GetApplication(string application, string? tenant = null)
    {
        var (found, where) = FindApplicationIn(application, tenant);
        return new ApplicationDetails(
            found.AppId, found.Id, found.TenantId, found.DisplayName, KindOf(found), found.IsMultiTenant,
            store.Current.Principal(where.Id, found.AppId)?.Id,
            [.. found.RedirectUris.Select(redirect => redirect.Uri)],
            [.. found.Secrets.Select(secret => new SecretInfo(secret.KeyId, secret.DisplayName, secret.Hint, secret.StartsAt, secret.EndsAt))],
            [.. found.Certificates.Select(Describe)],
            DescribePermissions(found, where.Id), found.CreatedAt);
    }

    /// <summary>Finds an application by application id, object id, or display name when only one has it.</summary>
    /// <exception cref="DirectoryException">None, or several, are meant.</exception>
    public Application FindApplication(string reference, string? tenant = null)
    {
        var only = tenant is null ? (Guid?)null : FindTenant(tenant).Id;
        var directory = store.Current;
        if (Guid.TryParse(reference, out var id))
        {
            var byId = directory.Application(id) ?? directory.ApplicationByObjectId(id);
            if (byId is not null && (only is null || byId.TenantId == only || byId.IsMultiTenant)) return byId;
            throw DirectoryException.NotFound($"There is no application {reference}{In(tenant)}.");
        }

        var named = directory.Applications.Where(application => string.Equals(application.DisplayName, reference, StringComparison.OrdinalIgnoreCase)).ToArray();

        // A tenant's own application goes before another tenant's that it may use.
        var byName = only is null ? named : named.Where(application => application.TenantId == only).ToArray();
        if (byName.Length == 0) byName = [.. named.Where(application => application.IsMultiTenant)];
        return byName.Length switch
        {
            1 => byName[0],
            0 => throw DirectoryException.NotFound($"There is no application '{reference}'{In(tenant)}."),
            _ => throw DirectoryException.Conflict($"{byName.Length} applications are named '{reference}'. Use the application (client) id: {string.Join(", ", byName.Select(a => a.AppId))}."),
        };
    }

    /// <summary>Finds a tenant by id or domain; null means the first one.</summary>
    /// <exception cref="DirectoryException">There is none.</exception>
    public Tenant FindTenant(string? reference)
    {
        if (reference is null)
            return store.Current.Tenants.Count > 0 ? store.Current.Tenants[0] : throw DirectoryException.NotFound("There is no tenant yet.");
        return store.Current.TryGetTenant(reference, out var tenant) ? tenant : throw DirectoryException.NotFound($"There is no tenant '{reference}'.");
    }

    internal static bool IsDomainName(string text) =>
        text.Length is > 3 and <= 253 && text.Contains('.', StringComparison.Ordinal) && Uri.CheckHostName(text) == UriHostNameType.Dns
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.') && text.Split('.').All(label => label.Length is > 0 and <= 63);

    private (Application Application, Tenant Tenant) FindApplicationIn(string application, string? tenant)
    {
        var found = FindApplication(application, tenant);
        return (found, FindTenant(tenant ?? found.TenantId.ToString()));
    }

    private Task AddPrincipalAsync(DirectoryTransaction change, Guid tenantId, Guid appId, DateTimeOffset now) => change.ExecuteAsync(
        "INSERT INTO identity.service_principals (id, app_id, tenant_id, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id, app_id) DO NOTHING",
        identifiers.NewGuid(), appId, tenantId, now);

    private ApplicationSummary Summarize(Application application)
    {
        var now = clock.GetUtcNow();
        return new ApplicationSummary(
            application.AppId, application.Id, application.TenantId, application.DisplayName, KindOf(application),
            application.Secrets.Count(secret => secret.EndsAt > now), application.RequiredPermissions.Count, application.CreatedAt);
    }

    private AuditEvent Audit(string activity, Guid? tenant, string target, params ReadOnlySpan<(string Name, string Value)> detail)
    {
        var facts = new Dictionary<string, string>();
        foreach (var (name, value) in detail) facts[name] = value;
        return new AuditEvent(clock.GetUtcNow(), activity, tenant, _actor, target, true, facts);
    }

    private static string KindOf(Application application) => application.IsPublicClient ? "Native" : "Web";

    private static string In(string? tenant) => tenant is null ? "" : $" in the tenant {tenant}";

    private static string CheckName(string name, string what)
    {
        var trimmed = name.Trim();
        if (trimmed.Length is 0 or > LongestName || trimmed.Any(char.IsControl))
            throw DirectoryException.BadInput($"{what} needs a name of 1 to {LongestName} printable characters.");
        return trimmed;
    }

    private static string DomainOf(string name)
    {
        var label = new string([.. name.ToLowerInvariant().Where(char.IsAsciiLetterOrDigit).Take(40)]);
        return (label.Length == 0 ? "tenant" : label) + ".onmicrosoft.com";
    }

    private static InvalidOperationException Lost() => new("What was written could not be read back.");
}
