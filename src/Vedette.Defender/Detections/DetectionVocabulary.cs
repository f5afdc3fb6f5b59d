using System.Collections.Frozen;

namespace Vedette.Defender.Detections;

/// <summary>The words that a rule file may use. Source: the service's alert entity and its list of alert categories.</summary>
public static class DetectionVocabulary
{
    /// <summary>Severities of an alert, from the least to the gravest.</summary>
    public static readonly IReadOnlyList<string> Severities = ["Informational", "Low", "Medium", "High"];

    /// <summary>Categories of an alert, with the phrase that an incident's name uses.</summary>
    public static readonly FrozenDictionary<string, string> Categories = new Dictionary<string, string>
    {
        ["General"] = "General activity",
        ["InitialAccess"] = "Initial access",
        ["Execution"] = "Execution",
        ["Persistence"] = "Persistence",
        ["PrivilegeEscalation"] = "Privilege escalation",
        ["DefenseEvasion"] = "Defense evasion",
        ["CredentialAccess"] = "Credential access",
        ["Discovery"] = "Discovery",
        ["LateralMovement"] = "Lateral movement",
        ["Collection"] = "Collection",
        ["Exfiltration"] = "Exfiltration",
        ["CommandAndControl"] = "Command and control",
        ["Impact"] = "Impact",
        ["Exploit"] = "Exploit",
        ["Malware"] = "Malware",
        ["Ransomware"] = "Ransomware",
        ["SuspiciousActivity"] = "Suspicious activity",
        ["UnwantedSoftware"] = "Unwanted software",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Place of a severity in <see cref="Severities"/>; -1 for an unknown word.</summary>
    public static int Rank(string severity)
    {
        for (var rank = 0; rank < Severities.Count; rank++)
            if (string.Equals(Severities[rank], severity, StringComparison.OrdinalIgnoreCase)) return rank;
        return -1;
    }
}
