using System.Text;
using System.Text.RegularExpressions;

namespace Vedette.Defender.Sigma;

/// <summary>Tests of one text expression against values, in the KQL that is fastest and means the same.</summary>
internal static class TextTests
{
    private const int PrefilterLength = 4;

    /// <summary>Any of the patterns.</summary>
    /// <param name="column">A column or another expression of type string.</param>
    /// <param name="texts">The patterns.</param>
    public static Predicate Any(string column, IEnumerable<SigmaText> texts)
    {
        var tests = new List<Predicate>();
        var all = texts.ToList();
        foreach (var cased in (bool[])[false, true])
        {
            var shaped = all.Where(text => text.Cased == cased).Select(text => (text.Pattern, text.Pattern.Shape)).ToList();
            var equal = Literals(shaped, SigmaShape.Equal, cased);
            if (equal.Remove("")) tests.Add(Predicate.Test($"isempty({column})"));
            if (equal.Count > 0) tests.Add(cased ? Predicate.OneOf(column, "==", "in", equal) : Predicate.OneOf(column, "=~", "in~", equal));
            foreach (var text in Literals(shaped, SigmaShape.Start, cased)) tests.Add(Predicate.Test($"{column} {(cased ? "startswith_cs" : "startswith")} {KqlText.Quote(text)}"));
            foreach (var text in Literals(shaped, SigmaShape.End, cased)) tests.Add(Predicate.Test($"{column} {(cased ? "endswith_cs" : "endswith")} {KqlText.Quote(text)}"));
            var inside = Literals(shaped, SigmaShape.Inside, cased);
            // What begins and ends between words is found by whole terms, which are indexed.
            var terms = cased ? [] : inside.Where(IsBounded).ToList();
            if (terms.Count > 0) tests.Add(Predicate.OneOf(column, "has", "has_any", terms));
            foreach (var text in inside.Except(terms)) tests.Add(Predicate.Test($"{column} {(cased ? "contains_cs" : "contains")} {KqlText.Quote(text)}"));
            if (shaped.Any(static item => item.Shape.Shape == SigmaShape.Anything)) tests.Add(Predicate.Test($"isnotempty({column})"));
            tests.AddRange(shaped.Where(static item => item.Shape.Shape == SigmaShape.Complex).Select(item => Complex(column, item.Pattern, cased)));
        }

        return Predicate.Any(tests);
    }

    /// <summary>A regular expression, searched anywhere in the text.</summary>
    public static Predicate Matches(string column, SigmaRegex regex, int line)
    {
        Check(regex.Pattern, line);
        var flags = (regex.IgnoreCase ? "i" : "") + (regex.Multiline ? "m" : "") + (regex.DotMatchesAll ? "s" : "");
        var pattern = flags.Length == 0 ? regex.Pattern : $"(?{flags}){regex.Pattern}";
        return Predicate.Test($"{column} matches regex {KqlText.Quote(pattern)}");
    }

    // Wildcards inside: the longest literal turns most rows away before the expression is tried.
    private static Predicate Complex(string column, SigmaPattern pattern, bool cased)
    {
        var text = new StringBuilder(cased ? "(?s)" : "(?is)");
        var parts = pattern.Parts;
        if (parts[0].Kind != SigmaPartKind.AnyText) text.Append('^');
        for (var at = 0; at < parts.Count; at++)
        {
            if (parts[at].Kind == SigmaPartKind.AnyText && (at == 0 || at == parts.Count - 1)) continue;
            text.Append(parts[at].Kind switch
            {
                SigmaPartKind.AnyText => ".*",
                SigmaPartKind.AnyCharacter => ".",
                _ => Escape(parts[at].Text),
            });
        }

        if (parts[^1].Kind != SigmaPartKind.AnyText) text.Append('$');
        var matches = Predicate.Test($"{column} matches regex {KqlText.Quote(text.ToString())}");
        var literal = pattern.LongestLiteral;
        if (literal.Length < PrefilterLength) return matches;
        var first = parts[0] is { Kind: SigmaPartKind.Text, Text: var start } && start == literal
            ? $"{column} {(cased ? "startswith_cs" : "startswith")} {KqlText.Quote(literal)}"
            : $"{column} {(cased ? "contains_cs" : IsBounded(literal) ? "has" : "contains")} {KqlText.Quote(literal)}";
        return Predicate.All([Predicate.Test(first), matches]);
    }

    /// <summary>The same check as the engine's language of expressions makes: no looking around, no references, no atomic groups.</summary>
    /// <exception cref="SigmaException">The expression cannot be used.</exception>
    public static void Check(string pattern, int line)
    {
        try
        {
            _ = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        }
        catch (NotSupportedException)
        {
            throw new SigmaException(SigmaReason.RegularExpression, $"the expression '{pattern}' looks around or refers back, which RE2 cannot", line);
        }
        catch (ArgumentException exception)
        {
            throw new SigmaException(SigmaReason.RegularExpression, exception.Message, line);
        }
    }

    private static List<string> Literals(List<(SigmaPattern Pattern, (SigmaShape Shape, string Text) Shape)> shaped, SigmaShape shape, bool cased) =>
        [.. shaped.Where(item => item.Shape.Shape == shape).Select(static item => item.Shape.Text).Distinct(cased ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase)];

    // The underscore divides terms here, but not in every engine of the language.
    private static bool IsBounded(string text) =>
        text.Length > 2 && !IsTermCharacter(text[0]) && !IsTermCharacter(text[^1]) && text[0] != '_' && text[^1] != '_' && text.Any(IsTermCharacter);

    private static bool IsTermCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c >= 0x80;

    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length + 8);
        foreach (var c in text)
        {
            if (c is '\\' or '.' or '+' or '*' or '?' or '(' or ')' or '|' or '[' or ']' or '{' or '}' or '^' or '$') escaped.Append('\\');
            escaped.Append(c);
        }

        return escaped.ToString();
    }
}
