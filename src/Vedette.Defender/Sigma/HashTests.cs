using System.Text.RegularExpressions;

namespace Vedette.Defender.Sigma;

/// <summary>Fields that hold several hashes in one text, such as <c>MD5=…,SHA256=…</c>; the tables have a column for each.</summary>
internal static partial class HashTests
{
    private static readonly Dictionary<string, int> Lengths = new(StringComparer.OrdinalIgnoreCase) { ["MD5"] = 32, ["SHA1"] = 40, ["SHA256"] = 64, ["IMPHASH"] = 32 };

    /// <summary>The condition.</summary>
    public static Predicate Write(FieldContext context, IReadOnlyList<SigmaValue> values)
    {
        var wanted = new Dictionary<string, List<SigmaText>>(StringComparer.OrdinalIgnoreCase);
        var tests = new List<Predicate>();
        foreach (var value in values)
        {
            if (value is not SigmaText text)
            {
                tests.Add(FieldTests.General(context.Column, [value], context.Line, context));
                continue;
            }

            if (text.Pattern.IsEmpty)
            {
                tests.Add(Predicate.All(context.Field.Arguments.Where(static argument => !argument.StartsWith('@')).Select(static column => Predicate.Test($"isempty({column})"))));
                continue;
            }

            var found = Read(text.Pattern.LongestLiteral).ToList();
            if (found.Count == 0) tests.Add(FieldTests.General(context.Column, [value], context.Line, context));
            foreach (var (algorithm, hash) in found)
            {
                if (!wanted.TryGetValue(algorithm, out var list)) wanted.Add(algorithm, list = []);
                var pattern = SigmaPattern.Of(hash);
                list.Add(new SigmaText(hash.Length == Lengths[algorithm] ? pattern : pattern.Opened(start: false, end: true), false));
            }
        }

        foreach (var (algorithm, texts) in wanted)
        {
            if (Column(context.Field, algorithm) is { } column) tests.Add(TextTests.Any(context.Scope.Column(algorithm, QueryScope.Expression(column)), texts));
            else tests.Add(Predicate.Missing($"{context.Name} ({algorithm.ToUpperInvariant()})"));
        }

        return Predicate.Any(tests);
    }

    /// <summary>All hashes in one text.</summary>
    public static string Full(SigmaField field) =>
        $"strcat({string.Join(", \",\", ", field.Arguments.Select(static argument => $"\"{argument.TrimStart('@')}=\", {QueryScope.Expression(argument)}"))})";

    private static string? Column(SigmaField field, string algorithm) =>
        field.Arguments.FirstOrDefault(argument => argument.TrimStart('@').EndsWith(algorithm, StringComparison.OrdinalIgnoreCase));

    // A hash that names its algorithm, or a whole one that its length tells.
    private static IEnumerable<(string Algorithm, string Hash)> Read(string text)
    {
        var named = Named().Matches(text).Select(static match => (match.Groups[1].Value, match.Groups[2].Value)).ToList();
        return named.Count > 0 || !Bare().IsMatch(text) ? named : Lengths.Where(pair => pair.Value == text.Length).Select(pair => (pair.Key, text));
    }

    [GeneratedRegex("(MD5|SHA1|SHA256|IMPHASH)=([0-9a-f]{4,64})", RegexOptions.IgnoreCase)]
    private static partial Regex Named();

    [GeneratedRegex("^([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$", RegexOptions.IgnoreCase)]
    private static partial Regex Bare();
}
