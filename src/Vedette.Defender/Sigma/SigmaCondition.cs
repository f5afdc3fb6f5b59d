using System.Text.RegularExpressions;

namespace Vedette.Defender.Sigma;

/// <summary>A condition over the searches of a rule.</summary>
internal abstract record SigmaCondition
{
    private const int MaxDepth = 100;

    /// <summary>Reads a condition; what follows a pipe is the caller's.</summary>
    /// <exception cref="SigmaException">It cannot be read.</exception>
    public static SigmaCondition Parse(string text, int line)
    {
        var reader = new Reader(SigmaConditionText.Words(text, line), line);
        var condition = reader.Or(0);
        reader.End();
        return condition;
    }

    private sealed class Reader(IReadOnlyList<string> words, int line)
    {
        private int _at;

        private string? Next => _at < words.Count ? words[_at] : null;

        public void End()
        {
            if (Next is { } word) throw Wrong($"'{word}' is not expected there");
        }

        public SigmaCondition Or(int depth)
        {
            if (depth > MaxDepth) throw Wrong($"nested deeper than {MaxDepth} levels");
            var parts = new List<SigmaCondition> { And(depth) };
            while (Take("or")) parts.Add(And(depth));
            return parts.Count == 1 ? parts[0] : new SigmaAnyOf(parts);
        }

        private SigmaCondition And(int depth)
        {
            var parts = new List<SigmaCondition> { Not(depth) };
            while (Take("and")) parts.Add(Not(depth));
            return parts.Count == 1 ? parts[0] : new SigmaAllOf(parts);
        }

        private SigmaCondition Not(int depth)
        {
            var negations = 0;
            while (Take("not")) negations++;
            var inner = Operand(depth);
            return negations % 2 == 0 ? inner : new SigmaNot(inner);
        }

        private SigmaCondition Operand(int depth)
        {
            if (Take("("))
            {
                var inner = Or(depth + 1);
                if (!Take(")")) throw Wrong("a ')' is missing");
                return inner;
            }

            var word = Next ?? throw Wrong("it ends where a search is expected");
            if (word is ")" || IsWord(word, "and") || IsWord(word, "or") || IsWord(word, "of")) throw Wrong($"'{word}' stands where a search is expected");
            _at++;
            if (!IsWord(Next, "of")) return new SigmaNamed(word);
            _at++;
            var what = Next ?? throw Wrong("a name is missing after 'of'");
            _at++;
            var count = word.ToLowerInvariant() switch
            {
                "all" => 0,
                "any" => 1,
                _ => int.TryParse(word, out var number) && number > 0 ? number : throw Wrong($"'{word} of' is not known; use 1 of or all of"),
            };
            return new SigmaOf(count, what);
        }

        private bool Take(string word)
        {
            if (!IsWord(Next, word)) return false;
            _at++;
            return true;
        }

        private static bool IsWord(string? word, string expected) => string.Equals(word, expected, StringComparison.OrdinalIgnoreCase);

        private SigmaException Wrong(string message) => new(SigmaReason.Condition, "the condition: " + message, line);
    }
}

/// <summary>Any of these.</summary>
internal sealed record SigmaAnyOf(IReadOnlyList<SigmaCondition> Parts) : SigmaCondition;

/// <summary>All of these.</summary>
internal sealed record SigmaAllOf(IReadOnlyList<SigmaCondition> Parts) : SigmaCondition;

/// <summary>Not this.</summary>
internal sealed record SigmaNot(SigmaCondition Inner) : SigmaCondition;

/// <summary>The search of this name.</summary>
internal sealed record SigmaNamed(string Name) : SigmaCondition;

/// <summary>At least so many of the searches that a pattern names; 0 for all. <c>them</c> is every search whose name begins with no underscore.</summary>
internal sealed record SigmaOf(int Count, string Pattern) : SigmaCondition;

/// <summary>Cuts conditions into words.</summary>
internal static partial class SigmaConditionText
{
    /// <summary>Words and brackets.</summary>
    public static IReadOnlyList<string> Words(string text, int line)
    {
        var words = Word().Matches(text).Select(static match => match.Value).ToArray();
        if (words.Length == 0) throw new SigmaException(SigmaReason.Condition, "the condition is empty", line);
        if (Rest().Match(text) is { Success: true } rest) throw new SigmaException(SigmaReason.Condition, $"the condition: '{rest.Value}' is not expected there", line);
        return words;
    }

    [GeneratedRegex(@"[()]|[^\s()|]+")]
    private static partial Regex Word();

    [GeneratedRegex(@"\|.*", RegexOptions.Singleline)]
    private static partial Regex Rest();
}
