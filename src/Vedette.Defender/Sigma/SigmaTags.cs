using System.Text.RegularExpressions;

namespace Vedette.Defender.Sigma;

/// <summary>What tags and levels of Sigma mean for alerts.</summary>
internal static partial class SigmaTags
{
    private const string OtherCategory = "SuspiciousActivity";

    private static readonly Dictionary<string, string> Categories = new(StringComparer.Ordinal)
    {
        ["initialaccess"] = "InitialAccess", ["execution"] = "Execution", ["persistence"] = "Persistence", ["privilegeescalation"] = "PrivilegeEscalation",
        ["defenseevasion"] = "DefenseEvasion", ["stealth"] = "DefenseEvasion", ["defenseimpairment"] = "DefenseEvasion", ["credentialaccess"] = "CredentialAccess",
        ["discovery"] = "Discovery", ["lateralmovement"] = "LateralMovement", ["collection"] = "Collection", ["exfiltration"] = "Exfiltration",
        ["commandandcontrol"] = "CommandAndControl", ["impact"] = "Impact",
    };

    private static readonly Dictionary<string, string> Severities = new(StringComparer.Ordinal)
    {
        ["informational"] = "Informational", ["low"] = "Low", ["medium"] = "Medium", ["high"] = "High", ["critical"] = "High",
    };

    /// <summary>The levels, from the least to the gravest.</summary>
    public static readonly IReadOnlyList<string> Levels = ["informational", "low", "medium", "high", "critical"];

    /// <summary>Severity of the alerts; Medium where the rule tells no level.</summary>
    public static string Severity(string? level) => Severities.GetValueOrDefault(level ?? "", "Medium");

    /// <summary>Category of the alerts: that of the first tactic.</summary>
    public static string Category(IEnumerable<string> tags) => tags
        .Where(static tag => tag.StartsWith("attack.", StringComparison.OrdinalIgnoreCase))
        .Select(static tag => Categories.GetValueOrDefault(tag[7..].Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant()))
        .OfType<string>().FirstOrDefault() ?? OtherCategory;

    /// <summary>Techniques of MITRE ATT&amp;CK.</summary>
    public static IReadOnlyList<string> Techniques(IEnumerable<string> tags) =>
        [.. tags.Select(static tag => Technique().Match(tag)).Where(static match => match.Success).Select(static match => match.Groups[1].Value.ToUpperInvariant()).Distinct(StringComparer.Ordinal)];

    [GeneratedRegex(@"^attack\.(t[0-9]{4}(?:\.[0-9]{3})?)$", RegexOptions.IgnoreCase)]
    private static partial Regex Technique();
}
