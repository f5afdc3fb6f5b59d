using System.Text;

namespace Vedette.Telemetry.Sql.Functions;

/// <summary>
/// Regular expressions as the engine wants them: its functions let a dot match line ends, the language does not unless the pattern says so.
/// </summary>
internal static class Re2
{
    private const string NoLineEnd = @"[^\n]";

    /// <summary>A constant pattern. Dots are replaced one by one where that is possible, since flags in front keep the engine from searching for literal parts first.</summary>
    public static string Text(string pattern)
    {
        if (!pattern.Contains('.', StringComparison.Ordinal))
            return pattern;
        var text = new StringBuilder(pattern.Length + 16);
        var i = 0;
        while (i < pattern.Length)
        {
            var c = pattern[i];
            var size = 1;
            switch (c)
            {
                case '\\' when i + 1 < pattern.Length && pattern[i + 1] == 'Q':
                    var end = pattern.IndexOf(@"\E", i, StringComparison.Ordinal);
                    size = end < 0 ? pattern.Length - i : end + 2 - i;
                    break;
                case '\\':
                    size = Math.Min(2, pattern.Length - i);
                    break;
                case '[':
                    size = ClassLength(pattern, i);
                    break;
                case '(' when SetsDot(pattern, i):
                    return "(?-s)" + pattern;
                case '.':
                    text.Append(NoLineEnd);
                    i++;
                    continue;
            }

            text.Append(pattern, i, size);
            i += size;
        }

        return text.ToString();
    }

    /// <summary>The SQL text of a pattern.</summary>
    public static string Sql(SqlValue pattern, string text) =>
        pattern is { IsConstant: true, Constant: string constant } ? SqlText.Quote(Text(constant)) : $"concat('(?-s)', {text})";

    private static int ClassLength(string pattern, int start)
    {
        var i = start + 1;
        if (i < pattern.Length && pattern[i] == '^')
            i++;
        if (i < pattern.Length && pattern[i] == ']')
            i++;
        while (i < pattern.Length && pattern[i] != ']')
        {
            if (pattern[i] == '\\')
                i++;
            else if (pattern.AsSpan(i).StartsWith("[:") && pattern.IndexOf(":]", i, StringComparison.Ordinal) is > 0 and var end)
                i = end + 1;
            i++;
        }

        return Math.Min(i + 1, pattern.Length) - start;
    }

    /// <summary>Whether a group sets the flag that is about dots.</summary>
    private static bool SetsDot(string pattern, int start)
    {
        if (!pattern.AsSpan(start).StartsWith("(?"))
            return false;
        for (var i = start + 2; i < pattern.Length && (char.IsAsciiLetter(pattern[i]) || pattern[i] == '-'); i++)
        {
            if (pattern[i] == 's')
                return true;
            if (pattern[i] is not ('i' or 'm' or 'U' or '-'))
                return false;
        }

        return false;
    }
}
