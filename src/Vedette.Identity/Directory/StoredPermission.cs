using Vedette.Identity.Resources;

namespace Vedette.Identity.Directory;

/// <summary>An app role or scope as it stands in the database: the members that Graph shows of it.</summary>
internal sealed record StoredPermission
{
    public Guid Id { get; init; }

    public string? Value { get; init; }

    public string DisplayName { get; init; } = "";

    public string? Description { get; init; }

    public bool IsEnabled { get; init; } = true;

    public IReadOnlyList<string>? AllowedMemberTypes { get; init; }

    public string? ConsentType { get; init; }

    public string? UserConsentDisplayName { get; init; }

    public string? UserConsentDescription { get; init; }

    public static StoredPermission Of(Permission permission) => new()
    {
        Id = permission.Id,
        Value = permission.Value,
        DisplayName = permission.DisplayName,
        Description = permission.Description ?? permission.DisplayName,
        IsEnabled = permission.IsEnabled,
        AllowedMemberTypes = permission.Kind == PermissionKind.Role ? permission.AllowedMemberTypes is { Count: > 0 } types ? types : ["Application"] : null,
        ConsentType = permission.Kind == PermissionKind.Scope ? permission.ConsentType : null,
        UserConsentDisplayName = permission.UserConsentDisplayName,
        UserConsentDescription = permission.UserConsentDescription,
    };

    public Permission ToPermission(PermissionKind kind) => new(Id, Value ?? "", DisplayName, kind, Derived: false)
    {
        Description = Description,
        IsEnabled = IsEnabled,
        AllowedMemberTypes = AllowedMemberTypes ?? [],
        ConsentType = ConsentType ?? "Admin",
        UserConsentDisplayName = UserConsentDisplayName,
        UserConsentDescription = UserConsentDescription,
    };
}

/// <summary>Who may sign in to an application, as registrations spell it.</summary>
public static class SignInAudience
{
    /// <summary>People and applications of the home tenant.</summary>
    public const string SingleTenant = "AzureADMyOrg";

    /// <summary>Those of every tenant that consents.</summary>
    public const string MultiTenant = "AzureADMultipleOrgs";

    /// <summary>Every spelling.</summary>
    public static IReadOnlyList<string> All { get; } = [SingleTenant, MultiTenant, "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"];
}
