namespace Vedette.Defender.Vulnerabilities.Versions;

/// <summary>
/// Semantic versions: numbers, then a pre-release that sorts before the release without one; what follows <c>+</c> does not count. A leading
/// <c>v</c> and a fourth number (NuGet) are taken. Source: semver.org 2.0.0.
/// </summary>
internal static class SemanticVersion
{
    /// <summary>Compares two versions.</summary>
    public static int Compare(string one, string other)
    {
        var (numbers, pre) = Split(one);
        var (otherNumbers, otherPre) = Split(other);
        for (var at = 0; at < Math.Max(numbers.Length, otherNumbers.Length); at++)
        {
            var order = CompareNumbers(at < numbers.Length ? numbers[at] : "0", at < otherNumbers.Length ? otherNumbers[at] : "0");
            if (order != 0) return order;
        }

        if (pre.Length == 0 || otherPre.Length == 0) return (pre.Length == 0 ? 1 : 0) - (otherPre.Length == 0 ? 1 : 0);
        for (var at = 0; at < Math.Max(pre.Length, otherPre.Length); at++)
        {
            if (at >= pre.Length) return -1;
            if (at >= otherPre.Length) return 1;
            var order = ComparePre(pre[at], otherPre[at]);
            if (order != 0) return order;
        }

        return 0;
    }

    private static (string[] Numbers, string[] Pre) Split(string version)
    {
        var text = version.Trim().TrimStart('v', 'V', '=');
        var plus = text.IndexOf('+', StringComparison.Ordinal);
        if (plus >= 0) text = text[..plus];
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        return dash < 0 ? (text.Split('.'), []) : (text[..dash].Split('.'), text[(dash + 1)..].Split('.'));
    }

    private static int ComparePre(string one, string other)
    {
        var (isNumber, isOtherNumber) = (one.Length > 0 && one.All(char.IsAsciiDigit), other.Length > 0 && other.All(char.IsAsciiDigit));
        if (isNumber && isOtherNumber) return CompareNumbers(one, other);
        // A number sorts before a word.
        return isNumber != isOtherNumber ? (isNumber ? -1 : 1) : string.CompareOrdinal(one, other);
    }

    private static int CompareNumbers(string one, string other)
    {
        int i = 0, j = 0;
        var order = Digits.Compare(one, ref i, other, ref j);
        return order != 0 ? order : string.CompareOrdinal(one[i..], other[j..]);
    }
}
