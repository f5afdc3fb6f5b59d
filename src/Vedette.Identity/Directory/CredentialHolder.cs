namespace Vedette.Identity.Directory;

/// <summary>What secrets and certificates belong to: an application, or its service principal in one tenant.</summary>
public sealed record CredentialHolder
{
    private CredentialHolder()
    {
    }

    /// <summary>Object id.</summary>
    public required Guid Id { get; init; }

    /// <summary>Application (client) id.</summary>
    public required Guid AppId { get; init; }

    /// <summary>The tenant in which the holder is.</summary>
    public required Guid TenantId { get; init; }

    /// <summary>Name for people.</summary>
    public required string DisplayName { get; init; }

    /// <summary>True for a client that cannot keep a secret.</summary>
    public required bool IsPublicClient { get; init; }

    /// <summary>Its secrets.</summary>
    public required IReadOnlyList<ClientSecret> Secrets { get; init; }

    /// <summary>Its certificates.</summary>
    public required IReadOnlyList<ClientCertificate> Certificates { get; init; }

    internal string Column { get; init; } = "";

    internal string Noun { get; init; } = "";

    /// <summary>An application.</summary>
    public static CredentialHolder Of(Application application) => new()
    {
        Id = application.Id,
        AppId = application.AppId,
        TenantId = application.TenantId,
        DisplayName = application.DisplayName,
        IsPublicClient = application.IsPublicClient,
        Secrets = application.Secrets,
        Certificates = application.Certificates,
        Column = "application_id",
        Noun = "application",
    };

    /// <summary>The service principal of an application.</summary>
    public static CredentialHolder Of(ServicePrincipal principal, Application application) => new()
    {
        Id = principal.Id,
        AppId = principal.AppId,
        TenantId = principal.TenantId,
        DisplayName = application.DisplayName,
        IsPublicClient = application.IsPublicClient,
        Secrets = principal.Secrets,
        Certificates = principal.Certificates,
        Column = "service_principal_id",
        Noun = "service principal",
    };
}
