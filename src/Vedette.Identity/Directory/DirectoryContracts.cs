using Vedette.Identity.Resources;

namespace Vedette.Identity.Directory;

/// <summary>Asks for a new tenant.</summary>
/// <param name="DisplayName">Name of the organisation.</param>
/// <param name="Domain">Its verified domain; derived from the name under <c>onmicrosoft.com</c> when null.</param>
/// <param name="Id">Tenant id; a new one when null.</param>
public sealed record CreateTenantRequest(string DisplayName, string? Domain = null, Guid? Id = null);

/// <summary>Asks for a new application registration.</summary>
/// <param name="DisplayName">Name for people.</param>
public sealed record CreateApplicationRequest(string DisplayName)
{
    /// <summary>Home tenant: id or domain; the first tenant when null.</summary>
    public string? Tenant { get; init; }

    /// <summary>True for a public client that cannot keep a secret.</summary>
    public bool Native { get; init; }

    /// <summary>True when other tenants may use it.</summary>
    public bool MultiTenant { get; init; }

    /// <summary>Reply addresses; their kind follows from <see cref="Native"/>.</summary>
    public IReadOnlyList<string> RedirectUris { get; init; } = [];

    /// <summary>Reply addresses of pages that run in a browser (single-page application).</summary>
    public IReadOnlyList<string> SinglePageRedirectUris { get; init; } = [];

    /// <summary>App ID URIs, for an application that is an API itself.</summary>
    public IReadOnlyList<string> IdentifierUris { get; init; } = [];

    /// <summary>App roles of the application's own API.</summary>
    public IReadOnlyList<Permission> AppRoles { get; init; } = [];

    /// <summary>Scopes of the application's own API.</summary>
    public IReadOnlyList<Permission> Scopes { get; init; } = [];

    /// <summary>1, 2 or null: version of tokens for the application's own API.</summary>
    public int? RequestedAccessTokenVersion { get; init; }

    /// <summary>Application id; a new one when null.</summary>
    public Guid? AppId { get; init; }
}

/// <summary>Asks to add permissions to what an application requires.</summary>
/// <param name="Application">Application id, object id or unique display name.</param>
/// <param name="Permissions">Permission names, or GUIDs together with a resource.</param>
/// <param name="Resource">The API by name, URI, id or short name (<c>endpoint</c>, <c>threat-protection</c>, <c>graph</c>); found from the permissions when null.</param>
/// <param name="Delegated">True for delegated permissions.</param>
/// <param name="Tenant">Tenant of the application; any when null.</param>
public sealed record GrantRequest(string Application, IReadOnlyList<string> Permissions, string? Resource = null, bool Delegated = false, string? Tenant = null);

/// <summary>One permission of an application.</summary>
/// <param name="Name">Name as tokens carry it.</param>
/// <param name="Resource">Name of the API.</param>
/// <param name="Kind"><c>Application</c> or <c>Delegated</c>.</param>
/// <param name="Consented">Whether an administrator has consented.</param>
/// <param name="DisplayName">What it allows, in words.</param>
/// <param name="Id">Id of the app role or scope.</param>
/// <param name="ResourceAppId">Application id of the API.</param>
public sealed record PermissionInfo(string Name, string Resource, string Kind, bool Consented, string DisplayName, Guid Id, Guid ResourceAppId);

/// <summary>A client secret without its value.</summary>
/// <param name="KeyId">Id of the secret.</param>
/// <param name="DisplayName">What it is for.</param>
/// <param name="Hint">First characters of the value.</param>
/// <param name="StartDateTime">Start of validity.</param>
/// <param name="EndDateTime">End of validity.</param>
public sealed record SecretInfo(Guid KeyId, string? DisplayName, string Hint, DateTimeOffset StartDateTime, DateTimeOffset EndDateTime);

/// <summary>A new client secret, the only time its value is shown.</summary>
/// <param name="KeyId">Id of the secret.</param>
/// <param name="SecretText">The value.</param>
/// <param name="DisplayName">What it is for.</param>
/// <param name="Hint">First characters of the value.</param>
/// <param name="StartDateTime">Start of validity.</param>
/// <param name="EndDateTime">End of validity.</param>
public sealed record NewSecret(Guid KeyId, string SecretText, string? DisplayName, string Hint, DateTimeOffset StartDateTime, DateTimeOffset EndDateTime);

/// <summary>A certificate of an application.</summary>
/// <param name="KeyId">Id of the credential.</param>
/// <param name="DisplayName">What it is for.</param>
/// <param name="Subject">Subject of the certificate.</param>
/// <param name="Thumbprint">SHA-1 thumbprint in hexadecimal, as portals show it.</param>
/// <param name="StartDateTime">Start of validity.</param>
/// <param name="EndDateTime">End of validity.</param>
public sealed record CertificateInfo(Guid KeyId, string? DisplayName, string Subject, string Thumbprint, DateTimeOffset StartDateTime, DateTimeOffset EndDateTime);

/// <summary>One line of a list of applications.</summary>
/// <param name="AppId">Application (client) id.</param>
/// <param name="Id">Object id.</param>
/// <param name="TenantId">Home tenant.</param>
/// <param name="DisplayName">Name.</param>
/// <param name="Kind"><c>Web</c> or <c>Native</c>.</param>
/// <param name="Secrets">How many secrets are valid now.</param>
/// <param name="Permissions">How many permissions it requires.</param>
/// <param name="CreatedDateTime">When it was registered.</param>
public sealed record ApplicationSummary(Guid AppId, Guid Id, Guid TenantId, string DisplayName, string Kind, int Secrets, int Permissions, DateTimeOffset CreatedDateTime);

/// <summary>An application with all that belongs to it.</summary>
/// <param name="AppId">Application (client) id.</param>
/// <param name="Id">Object id.</param>
/// <param name="TenantId">Home tenant.</param>
/// <param name="DisplayName">Name.</param>
/// <param name="Kind"><c>Web</c> or <c>Native</c>.</param>
/// <param name="MultiTenant">Whether other tenants may use it.</param>
/// <param name="ServicePrincipalId">Object id of its service principal in the tenant that was asked about.</param>
/// <param name="RedirectUris">Reply addresses.</param>
/// <param name="Secrets">Its secrets, without values.</param>
/// <param name="Certificates">Its certificates.</param>
/// <param name="Permissions">Permissions it requires, with the state of consent.</param>
/// <param name="CreatedDateTime">When it was registered.</param>
public sealed record ApplicationDetails(
    Guid AppId, Guid Id, Guid TenantId, string DisplayName, string Kind, bool MultiTenant, Guid? ServicePrincipalId, IReadOnlyList<string> RedirectUris,
    IReadOnlyList<SecretInfo> Secrets, IReadOnlyList<CertificateInfo> Certificates, IReadOnlyList<PermissionInfo> Permissions, DateTimeOffset CreatedDateTime);

/// <summary>The permissions of an application after a change.</summary>
/// <param name="AppId">Application (client) id.</param>
/// <param name="TenantId">The tenant whose consent is told.</param>
/// <param name="Permissions">All permissions it requires.</param>
public sealed record ApplicationPermissions(Guid AppId, Guid TenantId, IReadOnlyList<PermissionInfo> Permissions);

/// <summary>Asks for a new user.</summary>
/// <param name="UserPrincipalName">Sign-in name with one of the tenant's domains; a name without a domain gets the default one.</param>
/// <param name="DisplayName">Name for people.</param>
public sealed record CreateUserRequest(string UserPrincipalName, string DisplayName)
{
    /// <summary>Tenant: id or domain; the first tenant when null.</summary>
    public string? Tenant { get; init; }

    /// <summary>Password; a random one is made when null.</summary>
    public string? Password { get; init; }

    /// <summary>First name.</summary>
    public string? GivenName { get; init; }

    /// <summary>Family name.</summary>
    public string? Surname { get; init; }

    /// <summary>Template ids of directory roles.</summary>
    public IReadOnlyList<Guid> DirectoryRoles { get; init; } = [];

    /// <summary>False for an account that is switched off.</summary>
    public bool AccountEnabled { get; init; } = true;

    /// <summary>Properties of <see cref="UserProfile.Columns"/>.</summary>
    public IReadOnlyDictionary<string, string?> Profile { get; init; } = new Dictionary<string, string?>();
}

/// <summary>A user, for listings.</summary>
/// <param name="Id">Object id.</param>
/// <param name="TenantId">Tenant.</param>
/// <param name="UserPrincipalName">Sign-in name.</param>
/// <param name="DisplayName">Name.</param>
/// <param name="AccountEnabled">False when switched off.</param>
/// <param name="Password">The password when it was made just now, else null.</param>
public sealed record UserInfo(Guid Id, Guid TenantId, string UserPrincipalName, string DisplayName, bool AccountEnabled, string? Password = null);

/// <summary>Which tenant and application <see cref="DirectoryService.EnsureDemoApplicationAsync"/> is to make sure of.</summary>
/// <param name="TenantName">Name of the tenant when one has to be made.</param>
/// <param name="Domain">Domain of the tenant when one has to be made.</param>
/// <param name="ApplicationName">Name of the application.</param>
/// <param name="TenantId">Id of the tenant when one has to be made; a new one when null.</param>
public sealed record DemoRequest(
    string TenantName = "Contoso", string Domain = "contoso.onmicrosoft.com", string ApplicationName = "Vedette demo application", Guid? TenantId = null);

/// <summary>The demo application.</summary>
/// <param name="TenantId">Its tenant.</param>
/// <param name="ClientId">Its application (client) id.</param>
/// <param name="ClientSecret">A secret when one was made just now, else null.</param>
/// <param name="SecretExpires">End of that secret's validity.</param>
public sealed record DemoApplication(Guid TenantId, Guid ClientId, string? ClientSecret, DateTimeOffset? SecretExpires);
