namespace Vedette.Defender.Vulnerabilities.Versions;

/// <summary>
/// Versions of plain products, Windows builds among them: runs of digits compare as numbers, missing ones count as zero
/// (<c>10.0.26100</c> is <c>10.0.26100.0</c>), and words compare as words; a word for a stage before the release sorts before it.
/// </summary>
internal static class DottedVersion
{
    private static readonly string[] Early = ["dev", "alpha", "a", "beta", "b", "preview", "pre", "rc"];

    /// <summary>Compares two versions.</summary>
    public static int Compare(string one, string other)
    {
        var runs = Runs(one);
        var otherRuns = Runs(other);
        for (var at = 0; at < Math.Max(runs.Count, otherRuns.Count); at++)
        {
            var order = CompareRun(at < runs.Count ? runs[at] : "", at < otherRuns.Count ? otherRuns[at] : "");
            if (order != 0) return order;
        }

        return 0;
    }

    private static int CompareRun(string one, string other)
    {
        var (rank, otherRank) = (Rank(one), Rank(other));
        if (rank != otherRank && !(IsZero(one) && IsZero(other))) return rank.CompareTo(otherRank);
        if (IsZero(one) && IsZero(other)) return 0;
        if (!char.IsAsciiDigit(one[0])) return string.CompareOrdinal(one, other);
        int i = 0, j = 0;
        return Digits.Compare(one, ref i, other, ref j);
    }

    private static bool IsZero(string run) => run.All(c => c == '0');

    // A stage before the release, then the end, then other words (1.0 before 1.0a in the sense of patch letters), then numbers.
    private static int Rank(string run)
    {
        if (run.Length == 0) return 0;
        if (char.IsAsciiDigit(run[0])) return 2;
        var early = Array.IndexOf(Early, run);
        return early >= 0 && run is not ("a" or "b") ? early - Early.Length : 1;
    }

    private static List<string> Runs(string version)
    {
        var runs = new List<string>(6);
        var text = version.Trim().ToLowerInvariant().TrimStart('v');
        for (var at = 0; at < text.Length;)
        {
            var from = at;
            if (char.IsAsciiDigit(text[at]))
                while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
            else if (char.IsAsciiLetter(text[at]))
                while (at < text.Length && char.IsAsciiLetter(text[at])) at++;
            else
            {
                at++;
                continue;
            }

            runs.Add(text[from..at]);
        }

        return runs;
    }
}
