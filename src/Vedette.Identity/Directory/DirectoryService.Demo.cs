using Vedette.Identity.Resources;

namespace Vedette.Identity.Directory;

// The demo application and the demo user.
public sealed partial class DirectoryService
{
    private static readonly TimeSpan DemoSecretLife = TimeSpan.FromDays(730);

    /// <summary>
    /// Makes sure that there is a tenant, and in it an application that holds every permission of the first-party APIs. A secret
    /// is made for a new application, and for an old one when <paramref name="needSecret"/> says that nobody has the secret any more.
    /// </summary>
    public async Task<DemoApplication> EnsureDemoApplicationAsync(DemoRequest request, bool needSecret, CancellationToken cancellationToken = default)
    {
        var tenant = store.Current.TryGetTenant(request.Domain, out var existing)
            ? existing
            : await CreateTenantAsync(new CreateTenantRequest(request.TenantName, request.Domain, request.TenantId), cancellationToken);
        var application = store.Current.Applications.FirstOrDefault(app => app.TenantId == tenant.Id && app.DisplayName == request.ApplicationName);
        var isNew = application is null;
        var appId = application?.AppId ?? (await CreateApplicationAsync(new CreateApplicationRequest(request.ApplicationName) { Tenant = tenant.Id.ToString() }, cancellationToken)).AppId;
        var name = appId.ToString();
        var held = store.Current.Application(appId)!.RequiredPermissions.ToHashSet();
        var missing = ResourceCatalogue.Default.All
            .SelectMany(api => new[] { (Api: api, Kind: PermissionKind.Role, Offered: api.AppRoles), (Api: api, Kind: PermissionKind.Scope, Offered: api.Scopes) })
            .Select(offer => (offer.Api, offer.Kind, Names: offer.Offered.Where(permission => !held.Contains(new RequiredPermission(offer.Api.AppId, permission.Id, offer.Kind))).Select(permission => permission.Value).ToArray()))
            .Where(offer => offer.Names.Length > 0)
            .ToArray();
        foreach (var (api, kind, names) in missing) await GrantAsync(new GrantRequest(name, names, api.AppId.ToString(), kind == PermissionKind.Scope), cancellationToken);
        var principal = store.Current.Principal(tenant.Id, appId);
        if (missing.Length > 0 || principal is null || store.Current.Assignments(principal.Id).Count < store.Current.Application(appId)!.RequiredPermissions.Count(p => p.Kind == PermissionKind.Role))
            await ConsentAsync(name, tenant.Id.ToString(), cancellationToken);
        if (!isNew && !needSecret) return new DemoApplication(tenant.Id, appId, null, null);
        var secret = await AddSecretAsync(name, "demo", DemoSecretLife, null, cancellationToken);
        return new DemoApplication(tenant.Id, appId, secret.SecretText, secret.EndDateTime);
    }

    /// <summary>
    /// Makes sure of a user who administers a tenant, and of a password: for a new user, and for an old one when
    /// <paramref name="needPassword"/> says that nobody has the password any more.
    /// </summary>
    /// <returns>The user; the password only when it was made just now.</returns>
    public async Task<UserInfo> EnsureDemoUserAsync(Guid tenantId, string name, string displayName, bool needPassword, CancellationToken cancellationToken = default)
    {
        var tenant = FindTenant(tenantId.ToString());
        if (await FindUserAsync($"{name}@{tenant.DefaultDomain}", cancellationToken) is not { } user)
        {
            return await CreateUserAsync(
                new CreateUserRequest(name, displayName) { Tenant = tenantId.ToString(), DirectoryRoles = [DirectoryRole.GlobalAdministrator.TemplateId] }, cancellationToken);
        }

        return needPassword ? await ResetPasswordAsync(user, cancellationToken) : new UserInfo(user.Id, tenantId, user.UserPrincipalName, user.DisplayName, user.AccountEnabled);
    }
}
