namespace Vedette.Defender.Vulnerabilities.Versions;

/// <summary>
/// RPM's versions: <c>[epoch:]version[-release]</c>. Runs of digits and of letters compare run by run, a number is newer than letters, <c>~</c>
/// sorts before the end and <c>^</c> behind it. Source: rpm's manual on version comparison.
/// </summary>
internal static class RpmVersion
{
    /// <summary>Compares two versions.</summary>
    public static int Compare(string one, string other)
    {
        var (epoch, version, release) = Split(one);
        var (otherEpoch, otherVersion, otherRelease) = Split(other);
        var order = epoch.CompareTo(otherEpoch);
        if (order == 0) order = CompareRuns(version, otherVersion);
        // Without a release on one side only the versions tell.
        return order != 0 || release.Length == 0 || otherRelease.Length == 0 ? order : CompareRuns(release, otherRelease);
    }

    private static (long Epoch, string Version, string Release) Split(string text)
    {
        long epoch = 0;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon >= 0)
        {
            _ = long.TryParse(text.AsSpan(0, colon), out epoch);
            text = text[(colon + 1)..];
        }

        var dash = text.IndexOf('-', StringComparison.Ordinal);
        return dash < 0 ? (epoch, text, "") : (epoch, text[..dash], text[(dash + 1)..]);
    }

    private static int CompareRuns(string one, string other)
    {
        int i = 0, j = 0;
        while (true)
        {
            while (i < one.Length && IsSeparator(one[i])) i++;
            while (j < other.Length && IsSeparator(other[j])) j++;
            var tilde = (At(one, i) == '~' ? 0 : 1) - (At(other, j) == '~' ? 0 : 1);
            if (tilde != 0) return tilde;
            if (At(one, i) == '~')
            {
                i++;
                j++;
                continue;
            }

            if (At(one, i) == '^' || At(other, j) == '^')
            {
                if (At(one, i) != '^') return i >= one.Length ? -1 : 1;
                if (At(other, j) != '^') return j >= other.Length ? 1 : -1;
                i++;
                j++;
                continue;
            }

            if (i >= one.Length || j >= other.Length) return (i < one.Length ? 1 : 0) - (j < other.Length ? 1 : 0);
            if (char.IsAsciiDigit(one[i]) != char.IsAsciiDigit(other[j])) return char.IsAsciiDigit(one[i]) ? 1 : -1;
            var order = char.IsAsciiDigit(one[i]) ? Digits.Compare(one, ref i, other, ref j) : CompareLetters(one, ref i, other, ref j);
            if (order != 0) return order;
        }
    }

    private static int CompareLetters(string one, ref int i, string other, ref int j)
    {
        var from = i;
        var otherFrom = j;
        while (i < one.Length && char.IsAsciiLetter(one[i])) i++;
        while (j < other.Length && char.IsAsciiLetter(other[j])) j++;
        return string.CompareOrdinal(one[from..i], other[otherFrom..j]);
    }

    private static bool IsSeparator(char c) => !char.IsAsciiLetterOrDigit(c) && c is not ('~' or '^');

    private static char At(string text, int at) => at < text.Length ? text[at] : '\0';
}
