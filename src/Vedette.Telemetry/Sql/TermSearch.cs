using System.Text;
using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>
/// String operators. Whole terms are searched by functions that a text index on <c>lower(column)</c> answers
/// (<c>hasToken</c>, <c>hasAnyTokens</c>), followed by an exact check where the needle is more than one term. The engine's tokens are
/// maximal runs of ASCII letters and digits and of non-ASCII bytes, which is Kusto's term.
/// </summary>
internal static class TermSearch
{
    private const string Boundary = @"[^a-z0-9\x{80}-\x{10FFFF}]";
    private const string BoundaryCs = @"[^A-Za-z0-9\x{80}-\x{10FFFF}]";

    /// <summary>The condition of a string operator.</summary>
    /// <param name="op">The operator.</param>
    /// <param name="subject">The text to search.</param>
    /// <param name="pattern">What to look for.</param>
    /// <param name="useIndex">Whether terms are written so that an index can look them up before the exact check.</param>
    public static string Write(KqlOperator op, SqlValue subject, SqlValue pattern, bool useIndex = true)
    {
        var s = subject.Text;
        if (pattern is not { IsConstant: true, Constant: string needle })
            return WriteVariable(op, s, pattern.Text);
        var lowNeedle = Lowered(needle);
        var low = Lower(s, lowNeedle);
        switch (op)
        {
            case KqlOperator.EqualIgnoreCase:
                return $"({low} = {SqlText.Quote(lowNeedle)})";
            case KqlOperator.Contains:
                return needle.Length == 0 ? "true" : $"({low} LIKE {SqlText.Quote("%" + EscapeLike(lowNeedle) + "%")})";
            case KqlOperator.ContainsCs:
                return needle.Length == 0 ? "true" : $"({s} LIKE {SqlText.Quote("%" + EscapeLike(needle) + "%")})";
            case KqlOperator.StartsWith:
                return $"startsWith({low}, {SqlText.Quote(lowNeedle)})";
            case KqlOperator.StartsWithCs:
                return $"startsWith({s}, {SqlText.Quote(needle)})";
            case KqlOperator.EndsWith:
                return $"endsWith({low}, {SqlText.Quote(lowNeedle)})";
            case KqlOperator.EndsWithCs:
                return $"endsWith({s}, {SqlText.Quote(needle)})";
            case KqlOperator.Has:
                return Has(low, lowNeedle, Boundary, true, true, useIndex);
            case KqlOperator.HasCs:
                return Has(s, needle, BoundaryCs, true, true, useIndex);
            case KqlOperator.HasPrefix:
                return Has(low, lowNeedle, Boundary, true, false, useIndex);
            case KqlOperator.HasPrefixCs:
                return Has(s, needle, BoundaryCs, true, false, useIndex);
            case KqlOperator.HasSuffix:
                return Has(low, lowNeedle, Boundary, false, true, useIndex);
            case KqlOperator.HasSuffixCs:
                return Has(s, needle, BoundaryCs, false, true, useIndex);
            case KqlOperator.MatchesRegex:
                return Functions.Re2.Match(s, needle);
            case KqlOperator.Like:
                return $"({low} LIKE {SqlText.Quote(EscapeLike(lowNeedle).Replace('*', '%'))})";
            case KqlOperator.LikeCs:
                return $"({s} LIKE {SqlText.Quote(EscapeLike(needle).Replace('*', '%'))})";
            default:
                throw ScalarWriter.Unsupported($"The operator {op} is not supported");
        }
    }

    /// <summary>has_any or has_all with constant needles: single terms go in one pass.</summary>
    public static string Set(string subject, IReadOnlyList<string> needles, bool any)
    {
        var low = Lower(subject, string.Concat(needles.Select(Lowered)));
        var words = new List<string>();
        var parts = new List<string>();
        foreach (var needle in needles.Select(Lowered).Distinct())
        {
            if (IsTerm(needle))
                words.Add(needle);
            else
                parts.Add(Has(low, needle, Boundary, true, true));
        }

        if (words.Count == 1)
            parts.Insert(0, $"hasToken({low}, {SqlText.Quote(words[0])})");
        else if (words.Count > 1)
            parts.Insert(0, $"{(any ? "hasAnyTokens" : "hasAllTokens")}({low}, [{string.Join(", ", words.Select(SqlText.Quote))}])");
        return parts.Count switch
        {
            0 => any ? "false" : "true",
            1 => parts[0],
            _ => "(" + string.Join(any ? " OR " : " AND ", parts) + ")",
        };
    }

    /// <summary>Whether a value has the term that another expression gives, ignoring case.</summary>
    public static string Variable(string subject, string needle) => WriteVariable(KqlOperator.Has, subject, needle);

    private static string WriteVariable(KqlOperator op, string s, string n) => op switch
    {
        KqlOperator.EqualIgnoreCase => $"({Folded(s)} = {Folded(n)})",
        KqlOperator.Contains => $"(position({Folded(s)}, {Folded(n)}) > 0)",
        KqlOperator.ContainsCs => $"(position({s}, {n}) > 0)",
        KqlOperator.StartsWith => $"startsWith({Folded(s)}, {Folded(n)})",
        KqlOperator.StartsWithCs => $"startsWith({s}, {n})",
        KqlOperator.EndsWith => $"endsWith({Folded(s)}, {Folded(n)})",
        KqlOperator.EndsWithCs => $"endsWith({s}, {n})",
        KqlOperator.Has => VariableHas(Folded(s), Folded(n), true, true),
        KqlOperator.HasCs => VariableHas(s, n, true, true),
        KqlOperator.HasPrefix => VariableHas(Folded(s), Folded(n), true, false),
        KqlOperator.HasPrefixCs => VariableHas(s, n, true, false),
        KqlOperator.HasSuffix => VariableHas(Folded(s), Folded(n), false, true),
        KqlOperator.HasSuffixCs => VariableHas(s, n, false, true),
        KqlOperator.MatchesRegex => $"match({s}, concat('(?-s)', {n}))",
        _ => throw ScalarWriter.Unsupported($"The operator {op} needs a constant pattern"),
    };

    private static string VariableHas(string s, string n, bool left, bool right)
    {
        // The substring test is cheap and turns most rows away before the regular expression is built.
        var pattern = SqlLambda.Let(n, x =>
        {
            var before = left ? $"if(match({x}, '^[A-Za-z0-9\\\\x{{80}}-\\\\x{{10FFFF}}]'), {SqlText.Quote("(?:^|" + BoundaryCs + ")")}, ''), " : "";
            var after = right ? $", if(match({x}, '[A-Za-z0-9\\\\x{{80}}-\\\\x{{10FFFF}}]$'), {SqlText.Quote("(?:$|" + BoundaryCs + ")")}, '')" : "";
            return $"concat('(?s)', {before}regexpQuoteMeta({x}){after})";
        });
        return $"(position({s}, {n}) > 0 AND match({s}, {pattern}))";
    }

    private static string Has(string s, string needle, string boundary, bool left, bool right, bool useIndex = true)
    {
        if (needle.Length == 0)
            return "true";
        if (left && right && IsTerm(needle))
            return $"hasToken({s}, {SqlText.Quote(needle)})";
        var conditions = new List<string>();
        var terms = Terms(needle);
        for (var i = 0; i < terms.Count && useIndex; i++)
        {
            // A term at an open end of the needle may be part of a longer one.
            var whole = (left || terms[i].Start > 0) && (right || terms[i].Start + terms[i].Text.Length < needle.Length);
            if (whole)
                conditions.Add($"hasToken({s}, {SqlText.Quote(terms[i].Text)})");
        }

        if (conditions.Count == 0 && useIndex)
            conditions.Add($"position({s}, {SqlText.Quote(needle)}) > 0");
        var pattern = new StringBuilder();
        if (left && IsTermChar(needle[0]))
            pattern.Append("(?:^|").Append(boundary).Append(')');
        pattern.Append(EscapeRegex(needle));
        if (right && IsTermChar(needle[^1]))
            pattern.Append("(?:$|").Append(boundary).Append(')');
        conditions.Add(pattern.Length == needle.Length ? $"position({s}, {SqlText.Quote(needle)}) > 0" : $"match({s}, {SqlText.Quote(pattern.ToString())})");
        return "(" + string.Join(" AND ", conditions.Distinct()) + ")";
    }

    // The engine ends words with another sigma, which is the same letter for who searches.
    private static string Lower(string text, string needle) => Ascii.IsValid(needle) ? $"lower({text})"
        : needle.AsSpan().IndexOfAny('σ', 'İ') >= 0 ? Folded(text) : $"lowerUTF8({text})";

    // It also takes the dotted capital I apart, so that a plain i would be found in it.
    private static string Folded(string text) => $"replaceAll(replaceAll(lowerUTF8({text}), 'ς', 'σ'), 'i\u0307', 'İ')";

    /// <summary>A needle in the letters that the engine makes small ones of.</summary>
    private static string Lowered(string needle) =>
        needle.ToLowerInvariant().Replace('ς', 'σ');

    private static bool IsTerm(string needle) => needle.Length > 0 && needle.All(IsTermChar);

    private static bool IsTermChar(char c) => char.IsAsciiLetterOrDigit(c) || c >= 0x80;

    private static List<(int Start, string Text)> Terms(string needle)
    {
        var terms = new List<(int, string)>();
        for (var i = 0; i < needle.Length;)
        {
            var start = i;
            while (i < needle.Length && IsTermChar(needle[i]))
                i++;
            if (i > start)
                terms.Add((start, needle[start..i]));
            else
                i++;
        }

        return terms;
    }

    private static string EscapeLike(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal);

    /// <summary>Text as a regular expression that matches exactly it.</summary>
    public static string EscapeRegex(string text)
    {
        var result = new StringBuilder(text.Length + 8);
        foreach (var c in text)
        {
            if (c < 0x80 && !char.IsAsciiLetterOrDigit(c) && c is not ('_' or ' '))
                result.Append(c switch { '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", '\0' => "\\x00", _ => "\\" + c });
            else
                result.Append(c);
        }

        return result.ToString();
    }
}
