using System.Globalization;
using System.Text.RegularExpressions;

namespace Vedette.Defender.Vulnerabilities.Versions;

/// <summary>
/// Python's versions: <c>[epoch!]numbers[{a|b|rc}n][.postn][.devn][+local]</c>. Source: PEP 440. What does not have that form sorts before
/// everything that has.
/// </summary>
internal static partial class PythonVersion
{
    private const long Last = long.MaxValue;

    /// <summary>Compares two versions.</summary>
    public static int Compare(string one, string other)
    {
        var key = Key(one);
        var otherKey = Key(other);
        if (key is null || otherKey is null) return key is null && otherKey is null ? string.CompareOrdinal(one, other) : key is null ? -1 : 1;
        var length = Math.Max(key.Value.Numbers.Length, otherKey.Value.Numbers.Length);
        var order = key.Value.Epoch.CompareTo(otherKey.Value.Epoch);
        for (var at = 0; order == 0 && at < length; at++) order = At(key.Value.Numbers, at).CompareTo(At(otherKey.Value.Numbers, at));
        for (var at = 0; order == 0 && at < key.Value.Tail.Length; at++) order = key.Value.Tail[at].CompareTo(otherKey.Value.Tail[at]);
        return order;
    }

    private static long At(long[] numbers, int at) => at < numbers.Length ? numbers[at] : 0;

    private static (long Epoch, long[] Numbers, long[] Tail)? Key(string version)
    {
        var match = Form().Match(version.Trim().ToLowerInvariant());
        if (!match.Success) return null;
        var pre = match.Groups["stage"].Value switch { "" => Last, "a" or "alpha" => 0, "b" or "beta" => 1, _ => 2 };
        var dev = match.Groups["dev"].Success;
        var post = match.Groups["post"].Success;
        // A development version of a release sorts before its first alpha.
        if (dev && !post && pre == Last) pre = -1;
        return (
            Number(match.Groups["epoch"].Value),
            [.. match.Groups["numbers"].Value.Split('.').Select(Number)],
            [pre, Number(match.Groups["pre"].Value), post ? Number(match.Groups["post"].Value) : -1, dev ? Number(match.Groups["dev"].Value) : Last]);
    }

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    [GeneratedRegex(
        @"^v?(?:(?<epoch>\d+)!)?(?<numbers>\d+(?:\.\d+)*)[-_.]?(?:(?<stage>alpha|a|beta|b|rc|c|preview|pre)[-_.]?(?<pre>\d*))?(?:[-_.]?(?:post|rev|r)[-_.]?(?<post>\d*)|-(?<post>\d+))?(?:[-_.]?dev[-_.]?(?<dev>\d*))?(?:\+[a-z0-9._-]+)?$",
        RegexOptions.ExplicitCapture)]
    private static partial Regex Form();
}
