using System.Collections.Frozen;

namespace Vedette.Defender.Access;

/// <summary>What a role lets people do. The names are those that the surfaces' tables use.</summary>
public static class DefenderPermission
{
    /// <summary>View data: security operations.</summary>
    public const string ViewData = nameof(ViewData);

    /// <summary>View data: vulnerability management.</summary>
    public const string TvmViewData = nameof(TvmViewData);

    /// <summary>Manage alerts, investigations, packages and device tags.</summary>
    public const string AlertsInvestigation = nameof(AlertsInvestigation);

    /// <summary>Take response actions, approve remediation.</summary>
    public const string ActiveRemediationActions = nameof(ActiveRemediationActions);

    /// <summary>Make exceptions from recommendations.</summary>
    public const string TvmExceptionHandling = nameof(TvmExceptionHandling);

    /// <summary>Ask for remediation of recommendations.</summary>
    public const string TvmRemediationHandling = nameof(TvmRemediationHandling);

    /// <summary>Manage profiles of security baselines.</summary>
    public const string TvmManageSecurityBaselines = nameof(TvmManageSecurityBaselines);

    /// <summary>Manage settings of the portal: roles, groups, retention.</summary>
    public const string ManagePortalSystemSettings = nameof(ManagePortalSystemSettings);

    /// <summary>Manage security settings: indicators, exclusions, on- and offboarding.</summary>
    public const string ManageSecuritySettings = nameof(ManageSecuritySettings);

    /// <summary>Live response with commands that read, and downloads of files.</summary>
    public const string LiveResponseBasic = nameof(LiveResponseBasic);

    /// <summary>Live response with scripts and files of one's own.</summary>
    public const string LiveResponseAdvanced = nameof(LiveResponseAdvanced);

    /// <summary>Each permission with its name in the portal.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Titles { get; } =
    [
        new(ViewData, "View data: security operations"),
        new(TvmViewData, "View data: vulnerability management"),
        new(AlertsInvestigation, "Alerts investigation"),
        new(ActiveRemediationActions, "Active remediation actions"),
        new(TvmExceptionHandling, "Vulnerability management: exception handling"),
        new(TvmRemediationHandling, "Vulnerability management: remediation handling"),
        new(TvmManageSecurityBaselines, "Manage security baselines assessment profiles"),
        new(ManagePortalSystemSettings, "Manage portal system settings"),
        new(ManageSecuritySettings, "Manage security settings"),
        new(LiveResponseBasic, "Live response capabilities: basic"),
        new(LiveResponseAdvanced, "Live response capabilities: advanced"),
    ];

    /// <summary>All permissions.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Titles.Select(title => title.Key)];

    // What a permission brings with it, and the names by which tables ask for it.
    private static readonly FrozenDictionary<string, string[]> Brings = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        [LiveResponseAdvanced] = [LiveResponseBasic, "LiveResponse"],
        [LiveResponseBasic] = ["LiveResponse"],
        [ManageSecuritySettings] = ["OnboardOffboard"],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Finds a permission by its name, with or without spaces, or by its title; null when there is none.</summary>
    public static string? Find(string text)
    {
        var plain = text.Replace(" ", "", StringComparison.Ordinal);
        return All.FirstOrDefault(permission => string.Equals(permission, plain, StringComparison.OrdinalIgnoreCase))
            ?? Titles.FirstOrDefault(title => string.Equals(title.Value, text, StringComparison.OrdinalIgnoreCase)).Key;
    }

    /// <summary>Permissions with all that they bring with them.</summary>
    public static FrozenSet<string> Expand(IEnumerable<string> permissions) =>
        permissions.SelectMany(permission => Brings.GetValueOrDefault(permission, []).Append(permission)).ToFrozenSet(StringComparer.Ordinal);
}
