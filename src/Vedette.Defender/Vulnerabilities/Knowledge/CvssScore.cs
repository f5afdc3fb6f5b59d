namespace Vedette.Defender.Vulnerabilities.Knowledge;

/// <summary>Base scores of CVSS v3.0 and v3.1 vectors. Source: the specification's base metric equations (first.org/cvss/v3.1).</summary>
internal static class CvssScore
{
    private static readonly Dictionary<string, Dictionary<string, double>> Weights = new(StringComparer.Ordinal)
    {
        ["AV"] = new() { ["N"] = 0.85, ["A"] = 0.62, ["L"] = 0.55, ["P"] = 0.2 },
        ["AC"] = new() { ["L"] = 0.77, ["H"] = 0.44 },
        ["PR"] = new() { ["N"] = 0.85, ["L"] = 0.62, ["H"] = 0.27 },
        ["UI"] = new() { ["N"] = 0.85, ["R"] = 0.62 },
        ["C"] = new() { ["H"] = 0.56, ["L"] = 0.22, ["N"] = 0 },
        ["I"] = new() { ["H"] = 0.56, ["L"] = 0.22, ["N"] = 0 },
        ["A"] = new() { ["H"] = 0.56, ["L"] = 0.22, ["N"] = 0 },
    };

    /// <summary>The base score of a vector; null when it is not a whole vector of version 3.</summary>
    public static double? Of(string vector)
    {
        if (!vector.StartsWith("CVSS:3.", StringComparison.Ordinal)) return null;
        var metrics = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in vector.Split('/').Skip(1))
        {
            var colon = part.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0) return null;
            metrics[part[..colon]] = part[(colon + 1)..];
        }

        var values = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var (metric, weights) in Weights)
        {
            if (!metrics.TryGetValue(metric, out var value) || !weights.TryGetValue(value, out var weight)) return null;
            values[metric] = weight;
        }

        if (!metrics.TryGetValue("S", out var scope) || scope is not ("U" or "C")) return null;
        var changed = scope == "C";
        var privileges = changed ? metrics["PR"] switch { "L" => 0.68, "H" => 0.5, _ => values["PR"] } : values["PR"];
        var iss = 1 - (1 - values["C"]) * (1 - values["I"]) * (1 - values["A"]);
        var impact = changed ? 7.52 * (iss - 0.029) - 3.25 * Math.Pow(iss - 0.02, 15) : 6.42 * iss;
        if (impact <= 0) return 0;
        var exploitability = 8.22 * values["AV"] * values["AC"] * privileges * values["UI"];
        return RoundUp(Math.Min(changed ? 1.08 * (impact + exploitability) : impact + exploitability, 10));
    }

    // The specification's own rounding, which is safe from the errors of binary fractions.
    private static double RoundUp(double score)
    {
        var whole = (long)Math.Round(score * 100_000);
        return whole % 10_000 == 0 ? whole / 100_000.0 : (Math.Floor(whole / 10_000.0) + 1) / 10;
    }
}
