using System.Collections.Frozen;

namespace Vedette.Identity.Directory;

/// <summary>What may be said about a user besides name and password: the directory API's property names and where they are stored.</summary>
public static class UserProfile
{
    /// <summary>Column of each property; all are texts.</summary>
    public static FrozenDictionary<string, string> Columns { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["givenName"] = "given_name",
        ["surname"] = "surname",
        ["mail"] = "mail",
        ["mailNickname"] = "mail_nickname",
        ["jobTitle"] = "job_title",
        ["department"] = "department",
        ["companyName"] = "company_name",
        ["officeLocation"] = "office_location",
        ["mobilePhone"] = "mobile_phone",
        ["preferredLanguage"] = "preferred_language",
        ["usageLocation"] = "usage_location",
        ["employeeId"] = "employee_id",
    }.ToFrozenDictionary(StringComparer.Ordinal);
}

/// <summary>What shall change about a user; null leaves as it is.</summary>
public sealed record UserChange
{
    /// <summary>Name for people.</summary>
    public string? DisplayName { get; init; }

    /// <summary>Sign-in name.</summary>
    public string? UserPrincipalName { get; init; }

    /// <summary>False switches the account off.</summary>
    public bool? AccountEnabled { get; init; }

    /// <summary>A new password.</summary>
    public string? Password { get; init; }

    /// <summary>Properties of <see cref="UserProfile.Columns"/>; null removes one.</summary>
    public IReadOnlyDictionary<string, string?> Profile { get; init; } = FrozenDictionary<string, string?>.Empty;
}

/// <summary>A person to be made sure of, without a password.</summary>
/// <param name="Id">Object id.</param>
/// <param name="UserPrincipalName">Sign-in name.</param>
/// <param name="DisplayName">Name for people.</param>
/// <param name="Profile">Properties of <see cref="UserProfile.Columns"/>.</param>
/// <param name="Group">Name of the group that the person belongs to, made when it is not there.</param>
public sealed record KnownPerson(Guid Id, string UserPrincipalName, string DisplayName, IReadOnlyDictionary<string, string?> Profile, string? Group)
{
    /// <summary>A person with a name and a place in the organisation; without a mail address the sign-in name is one.</summary>
    public static KnownPerson Of(
        Guid id, string userPrincipalName, string displayName, string? givenName, string? surname, string? mail, string? jobTitle, string? department, string? group = null) => new(
        id,
        userPrincipalName,
        displayName,
        new Dictionary<string, string?>
        {
            ["givenName"] = givenName,
            ["surname"] = surname,
            ["mail"] = mail ?? userPrincipalName,
            ["mailNickname"] = userPrincipalName.Split('@')[0],
            ["jobTitle"] = jobTitle,
            ["department"] = department,
        },
        group);
}
