using System.Text.Json;
using Vedette.Identity.Resources;

namespace Vedette.Identity.Directory;

// Registrations: one draft says all that an administrator decides, for commands and the directory API alike.
public sealed partial class DirectoryService
{
    private const int MostEntries = 1200;

    /// <summary>Registers an application in a tenant.</summary>
    /// <exception cref="DirectoryException">The draft breaks a rule.</exception>
    public async Task<Application> RegisterAsync(Guid tenantId, ApplicationDraft draft, RegisterOptions options, CancellationToken cancellationToken = default)
    {
        var id = identifiers.NewGuid();
        var appId = options.AppId ?? identifiers.NewGuid();
        if (store.Current.Resource(appId) is not null) throw DirectoryException.Duplicate($"There is an application {appId} already.");
        draft = Check(draft, null);
        var now = clock.GetUtcNow();
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync(
                    """
                    INSERT INTO identity.applications (id, app_id, tenant_id, display_name, sign_in_audience, is_public_client, requested_access_token_version,
                        identifier_uris, redirect_uris, app_roles, scopes, created_at)
                    VALUES ($1, $2, $3, '', 'AzureADMyOrg', false, NULL, '{}', '[]', '[]', '[]', $4)
                    """,
                    id, appId, tenantId, now);
                await WriteDraftAsync(change, id, draft);
                if (options.WithPrincipal) await AddPrincipalAsync(change, tenantId, appId, now);
                if (options.Owner is { } owner) await change.ExecuteAsync(AddOwner, id, owner);
                await change.AuditAsync(Audit("Add application", tenantId, appId.ToString(), ("displayName", draft.DisplayName)));
            },
            cancellationToken);
        return store.Current.Application(appId) ?? throw Lost();
    }

    /// <summary>Makes an application be as a draft says.</summary>
    /// <exception cref="DirectoryException">The draft breaks a rule.</exception>
    public async Task UpdateApplicationAsync(Application application, ApplicationDraft draft, CancellationToken cancellationToken = default)
    {
        draft = Check(draft, application);
        await store.WriteAsync(
            async change =>
            {
                await WriteDraftAsync(change, application.Id, draft);
                await change.AuditAsync(Audit("Update application", application.TenantId, application.AppId.ToString(), ("displayName", draft.DisplayName)));
            },
            cancellationToken);
    }

    /// <summary>Deletes an application with its credentials, its service principals in all tenants and their consents.</summary>
    public Task DeleteApplicationAsync(Application application, CancellationToken cancellationToken = default) => store.WriteAsync(
        async change =>
        {
            await KeepDeletedAsync(change, DeletedKind.Application, application.TenantId, application.Id);
            await change.ExecuteAsync("DELETE FROM identity.owners WHERE object_id = $1", application.Id);
            foreach (var tenant in store.Current.Tenants)
                if (store.Current.Principal(tenant.Id, application.AppId) is { } principal) await ForgetAsync(change, principal.Id);
            await change.ExecuteAsync("DELETE FROM identity.service_principals WHERE app_id = $1", application.AppId);
            await change.ExecuteAsync("DELETE FROM identity.applications WHERE id = $1", application.Id);
            await change.AuditAsync(Audit("Delete application", application.TenantId, application.AppId.ToString(), ("displayName", application.DisplayName)));
        },
        cancellationToken);

    // Places that name an object without a foreign key, because it may be of several kinds.
    private static async Task ForgetAsync(DirectoryTransaction change, Guid id)
    {
        await change.ExecuteAsync("DELETE FROM identity.owners WHERE object_id = $1 OR owner_id = $1", id);
        await change.ExecuteAsync("DELETE FROM identity.group_members WHERE member_id = $1", id);
        await change.ExecuteAsync("DELETE FROM identity.permission_grants WHERE principal_id = $1", id);
        await change.ExecuteAsync("DELETE FROM identity.app_role_assignments WHERE principal_id = $1", id);
    }

    private static async Task WriteDraftAsync(DirectoryTransaction change, Guid id, ApplicationDraft draft)
    {
        var redirects = draft.RedirectUris.Select(redirect => new { uri = redirect.Uri, kind = redirect.Kind.ToString() });
        await change.ExecuteAsync(
            """
            UPDATE identity.applications SET display_name = $2, sign_in_audience = $3, is_public_client = $4, requested_access_token_version = $5::integer,
                identifier_uris = $6, redirect_uris = $7::jsonb, app_roles = $8::jsonb, scopes = $9::jsonb, description = $10, notes = $11, tags = $12, logout_url = $13
            WHERE id = $1
            """,
            id, draft.DisplayName, draft.SignInAudience, draft.IsPublicClient, draft.RequestedAccessTokenVersion, draft.IdentifierUris.ToArray(),
            JsonSerializer.Serialize(redirects), PermissionsJson(draft.AppRoles), PermissionsJson(draft.Scopes), draft.Description, draft.Notes, draft.Tags.ToArray(), draft.LogoutUrl);
        await change.ExecuteAsync("DELETE FROM identity.required_permissions WHERE application_id = $1", id);
        foreach (var permission in draft.RequiredPermissions.Distinct())
        {
            await change.ExecuteAsync(
                "INSERT INTO identity.required_permissions (application_id, resource_app_id, permission_id, kind) VALUES ($1, $2, $3, $4)",
                id, permission.ResourceAppId, permission.PermissionId, permission.Kind.ToString());
        }
    }

    private ApplicationDraft Check(ApplicationDraft draft, Application? existing)
    {
        if (!SignInAudience.All.Contains(draft.SignInAudience))
            throw DirectoryException.BadInput($"Invalid value specified for property 'signInAudience' of resource 'Application'. Use one of {string.Join(", ", SignInAudience.All)}.");
        if (draft.RequestedAccessTokenVersion is not (null or 1 or 2)) throw DirectoryException.BadInput("The access token version is 1 or 2.");
        if (draft.AppRoles.Count + draft.Scopes.Count + draft.RequiredPermissions.Count + draft.RedirectUris.Count + draft.IdentifierUris.Count + draft.Tags.Count > MostEntries)
            throw DirectoryException.BadInput($"The application's manifest has more than {MostEntries} entries.");
        foreach (var redirect in draft.RedirectUris) CheckRedirectUri(redirect.Uri);
        if (draft.LogoutUrl is { } logout && (!Uri.TryCreate(logout, UriKind.Absolute, out var page) || !(page.Scheme == Uri.UriSchemeHttps || (page.Scheme == Uri.UriSchemeHttp && page.IsLoopback)) || logout.Length > 255))
            throw DirectoryException.BadInput("Invalid value specified for property 'logoutUrl' of resource 'WebApplication'. It must be an https address of at most 255 characters.");
        foreach (var uri in draft.IdentifierUris)
        {
            if (!Uri.TryCreate(uri, UriKind.Absolute, out _)) throw DirectoryException.BadInput($"'{uri}' is not an absolute URI.");

            // Whose URI it is stays unsaid: it may be another organisation's.
            if (store.Current.Resource(uri) is { } taken && taken.AppId != existing?.AppId)
                throw DirectoryException.Conflict($"Another object with the same value for property identifierUris already exists: {uri}.");
        }

        CheckPermissions(draft.AppRoles, existing?.AppRoles ?? [], "app role");
        CheckPermissions(draft.Scopes, existing?.Scopes ?? [], "scope");
        return draft with { DisplayName = CheckName(draft.DisplayName, "An application") };
    }

    private static void CheckPermissions(IReadOnlyList<Permission> wanted, IReadOnlyList<Permission> held, string what)
    {
        if (wanted.Select(permission => permission.Id).Distinct().Count() != wanted.Count) throw DirectoryException.BadInput($"Two permissions ({what}) have the same id.");
        var values = wanted.Select(permission => permission.Value).Where(value => value.Length > 0).ToArray();
        if (values.Distinct(StringComparer.Ordinal).Count() != values.Length) throw DirectoryException.BadInput($"Property value (Value) of a permission ({what}) must be unique.");
        if (values.FirstOrDefault(value => value.Length > 120 || value.Any(char.IsWhiteSpace)) is { } bad) throw DirectoryException.BadInput($"'{bad}' cannot be the value of a permission ({what}).");
        if (held.Any(permission => permission.IsEnabled && wanted.All(other => other.Id != permission.Id)))
            throw DirectoryException.BadInput("Permission (scope or role) cannot be deleted or updated unless disabled first.");
    }

    private static void CheckRedirectUri(string uri)
    {
        if (!Uri.TryCreate(uri, UriKind.Absolute, out var parsed) || parsed.Fragment.Length > 0 || uri.Length > 2048)
            throw DirectoryException.BadInput($"'{uri}' is not an absolute URI without a fragment.");
        if (parsed.Scheme == Uri.UriSchemeHttp && !parsed.IsLoopback) throw DirectoryException.BadInput($"The redirect URI {uri} must use https: http is for loopback addresses.");
        if (parsed.Scheme is "javascript" or "data" or "file" or "vbscript") throw DirectoryException.BadInput($"The redirect URI {uri} has a scheme that is not allowed.");
    }

    private static string PermissionsJson(IReadOnlyList<Permission> permissions) =>
        permissions.Count == 0 ? "[]" : JsonSerializer.Serialize(permissions.Select(StoredPermission.Of), DirectoryStore.PermissionJson);
}
