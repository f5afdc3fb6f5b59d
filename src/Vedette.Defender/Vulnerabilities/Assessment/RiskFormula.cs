namespace Vedette.Defender.Vulnerabilities.Assessment;

/// <summary>
/// The formulas behind the scores. They are explained for readers in docs/vulnerability-management.md; whoever changes one changes the other.
/// </summary>
internal static class RiskFormula
{
    /// <summary>Exposure from which a device counts as medium; below it is low.</summary>
    public const int Medium = 30;

    /// <summary>Exposure from which a device counts as high.</summary>
    public const int High = 70;

    /// <summary>
    /// What one vulnerability of one piece of software adds to a device's risk: the square of its share of the gravest score, by how far
    /// exploits are, doubled as the probability of exploitation goes to one. A vulnerability without a score counts as 5.
    /// </summary>
    public static double RiskOf(double? cvss, string exploitability, double? epss)
    {
        var gravity = Math.Clamp(cvss ?? 5, 0, 10) / 10;
        var exploit = exploitability switch { "ExploitIsInKit" => 0.15, "ExploitIsVerified" => 0.1, "ExploitIsPublic" => 0.06, _ => 0.02 };
        return gravity * gravity * exploit * (1 + Math.Clamp(epss ?? 0, 0, 1));
    }

    /// <summary>How far exploits are, in the words of the assessments.</summary>
    public static string Exploitability(bool isPublic, bool isVerified, bool isInKit) =>
        isInKit ? "ExploitIsInKit" : isVerified ? "ExploitIsVerified" : isPublic ? "ExploitIsPublic" : "NoExploit";

    /// <summary>SQL of a device's exposure, 0 to 100, from its risk.</summary>
    public const string ExposureSql = "100 * (1 - exp(-({0})))";

    /// <summary>SQL of a device's weight by its value to the organisation; the device is called m.</summary>
    public const string WeightSql = "CASE m.device_value WHEN 'High' THEN 2.0 WHEN 'Low' THEN 0.5 ELSE 1.0 END";
}
