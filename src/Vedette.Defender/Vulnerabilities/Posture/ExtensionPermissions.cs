namespace Vedette.Defender.Vulnerabilities.Posture;

/// <summary>A permission that browser extensions ask for.</summary>
/// <param name="Key">API permission, as the extension's manifest spells it.</param>
/// <param name="PermissionName">Name for people.</param>
/// <param name="Description">What it allows.</param>
/// <param name="Risk">How grave misuse would be: None, Low, Medium, High, Critical.</param>
public sealed record ExtensionPermission(string Key, string PermissionName, string Description, string Risk);

/// <summary>The permissions of browser extensions. Source: the browsers' extension API references.</summary>
public static class ExtensionPermissions
{
    private static readonly string[] Risks = ["None", "Low", "Medium", "High", "Critical"];

    private static readonly Lazy<Dictionary<string, ExtensionPermission>> ByKey = new(() =>
        TvmJson.Resource<ExtensionPermission[]>("extension-permissions").ToDictionary(p => p.Key, StringComparer.OrdinalIgnoreCase));

    /// <summary>All permissions.</summary>
    public static IReadOnlyCollection<ExtensionPermission> All => ByKey.Value.Values;

    /// <summary>The gravest risk of some permissions; patterns over all addresses are high, over some are medium, unknown names are low.</summary>
    public static string RiskOf(IEnumerable<string> permissions) => Risks[permissions.Select(Rank).DefaultIfEmpty(0).Max()];

    /// <summary>SQL that gives the dictionary as rows <c>(key, name, description)</c> under an alias.</summary>
    public static string Rows(string alias) =>
        $"(VALUES {string.Join(", ", All.Select(p => $"({Quote(p.Key)}, {Quote(p.PermissionName)}, {Quote(p.Description)})"))}) AS {alias}(key, name, description)";

    private static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static int Rank(string permission)
    {
        if (ByKey.Value.TryGetValue(permission, out var known)) return Array.IndexOf(Risks, known.Risk);
        if (permission == "<all_urls>" || permission.Contains("://*/", StringComparison.Ordinal)) return 3;
        return permission.Contains("://", StringComparison.Ordinal) ? 2 : 1;
    }
}
