namespace Vedette.Defender.Vulnerabilities.Versions;

/// <summary>
/// Debian's versions: <c>[epoch:]upstream[-revision]</c>. Parts of non-digits and of digits alternate; <c>~</c> sorts before everything, even
/// before the end, letters sort before other characters. Source: Debian Policy, "Version".
/// </summary>
internal static class DpkgVersion
{
    /// <summary>Compares two versions.</summary>
    public static int Compare(string one, string other)
    {
        var (epoch, upstream, revision) = Split(one);
        var (otherEpoch, otherUpstream, otherRevision) = Split(other);
        var order = epoch.CompareTo(otherEpoch);
        if (order == 0) order = CompareParts(upstream, otherUpstream);
        return order != 0 ? order : CompareParts(revision, otherRevision);
    }

    private static (long Epoch, string Upstream, string Revision) Split(string version)
    {
        var text = version.Trim();
        long epoch = 0;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon >= 0)
        {
            _ = long.TryParse(text.AsSpan(0, colon), out epoch);
            text = text[(colon + 1)..];
        }

        var dash = text.LastIndexOf('-');
        return dash < 0 ? (epoch, text, "0") : (epoch, text[..dash], text[(dash + 1)..]);
    }

    private static int CompareParts(string one, string other)
    {
        int i = 0, j = 0;
        while (i < one.Length || j < other.Length)
        {
            while ((i < one.Length && !char.IsAsciiDigit(one[i])) || (j < other.Length && !char.IsAsciiDigit(other[j])))
            {
                var order = Weight(one, i).CompareTo(Weight(other, j));
                if (order != 0) return order;
                i++;
                j++;
            }

            var number = Digits.Compare(one, ref i, other, ref j);
            if (number != 0) return number;
        }

        return 0;
    }

    // The end of the text and a digit weigh the same: both close the part of non-digits.
    private static int Weight(string text, int at)
    {
        if (at >= text.Length || char.IsAsciiDigit(text[at])) return 0;
        return text[at] == '~' ? -1 : char.IsAsciiLetter(text[at]) ? text[at] : text[at] + 256;
    }
}

/// <summary>Runs of digits compared as numbers of any length.</summary>
internal static class Digits
{
    /// <summary>Compares the runs that begin at two places and moves the places behind them; no digits count as zero.</summary>
    public static int Compare(string one, ref int i, string other, ref int j)
    {
        while (i < one.Length && one[i] == '0') i++;
        while (j < other.Length && other[j] == '0') j++;
        var from = i;
        var otherFrom = j;
        while (i < one.Length && char.IsAsciiDigit(one[i])) i++;
        while (j < other.Length && char.IsAsciiDigit(other[j])) j++;
        var order = (i - from).CompareTo(j - otherFrom);
        return order != 0 ? order : string.CompareOrdinal(one, from, other, otherFrom, i - from);
    }
}
