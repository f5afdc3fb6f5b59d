using Vedette.Identity.Resources;

namespace Vedette.Identity.Directory;

/// <summary>How an application shall be: all that an administrator decides about it.</summary>
/// <param name="DisplayName">Name for people.</param>
public sealed record ApplicationDraft(string DisplayName)
{
    /// <summary>Who may sign in: one of <see cref="Directory.SignInAudience"/>.</summary>
    public string SignInAudience { get; init; } = Directory.SignInAudience.SingleTenant;

    /// <summary>True for a client that cannot keep a secret.</summary>
    public bool IsPublicClient { get; init; }

    /// <summary>1, 2 or null: version of tokens for the application's own API.</summary>
    public int? RequestedAccessTokenVersion { get; init; }

    /// <summary>App ID URIs.</summary>
    public IReadOnlyList<string> IdentifierUris { get; init; } = [];

    /// <summary>Reply addresses.</summary>
    public IReadOnlyList<RedirectUri> RedirectUris { get; init; } = [];

    /// <summary>App roles of the application's own API.</summary>
    public IReadOnlyList<Permission> AppRoles { get; init; } = [];

    /// <summary>Scopes of the application's own API.</summary>
    public IReadOnlyList<Permission> Scopes { get; init; } = [];

    /// <summary>Permissions it asks for.</summary>
    public IReadOnlyList<RequiredPermission> RequiredPermissions { get; init; } = [];

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>Address that the user's browser loads at sign-out.</summary>
    public string? LogoutUrl { get; init; }

    /// <summary>Notes.</summary>
    public string? Notes { get; init; }

    /// <summary>Labels.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>An application as it is.</summary>
    public static ApplicationDraft Of(Application application) => new(application.DisplayName)
    {
        SignInAudience = application.SignInAudience,
        IsPublicClient = application.IsPublicClient,
        RequestedAccessTokenVersion = application.RequestedAccessTokenVersion,
        IdentifierUris = application.IdentifierUris,
        RedirectUris = application.RedirectUris,
        AppRoles = application.AppRoles,
        Scopes = application.Scopes,
        RequiredPermissions = application.RequiredPermissions,
        Description = application.Description,
        LogoutUrl = application.LogoutUrl,
        Notes = application.Notes,
        Tags = application.Tags,
    };
}

/// <summary>What is decided only when an application is registered.</summary>
public sealed record RegisterOptions
{
    /// <summary>Application id; a new one when null.</summary>
    public Guid? AppId { get; init; }

    /// <summary>True to make its service principal in the home tenant too.</summary>
    public bool WithPrincipal { get; init; }

    /// <summary>Object id of its first owner, or null for none.</summary>
    public Guid? Owner { get; init; }
}
