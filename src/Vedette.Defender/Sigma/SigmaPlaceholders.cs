using System.Text.RegularExpressions;

namespace Vedette.Defender.Sigma;

/// <summary>Values that stand in for names between percent signs, where a rule says <c>expand</c>.</summary>
internal sealed partial class SigmaPlaceholders(IReadOnlyDictionary<string, IReadOnlyList<string>> values)
{
    private const int MaxValues = 10_000;

    /// <summary>No placeholder has values.</summary>
    public static readonly SigmaPlaceholders None = new(new Dictionary<string, IReadOnlyList<string>>());

    /// <summary>The patterns that a pattern with placeholders stands for.</summary>
    /// <exception cref="SigmaException">A placeholder has no values.</exception>
    public IReadOnlyList<SigmaPattern> Expand(SigmaPattern pattern, int line)
    {
        IReadOnlyList<SigmaPart[]> results = [[]];
        foreach (var part in pattern.Parts)
        {
            var choices = part.Kind == SigmaPartKind.Text ? Choices(part.Text, line) : [[part]];
            results = [.. results.SelectMany(before => choices.Select(choice => (SigmaPart[])[.. before, .. choice]))];
            if (results.Count > MaxValues) throw new SigmaException(SigmaReason.Placeholder, $"the placeholders of one value stand for more than {MaxValues} texts", line);
        }

        return [.. results.Select(static parts => new SigmaPattern(parts))];
    }

    private List<SigmaPart[]> Choices(string text, int line)
    {
        List<SigmaPart[]> results = [[]];
        var from = 0;
        foreach (Match match in Name().Matches(text))
        {
            var before = Literal(text[from..match.Index]);
            var name = match.Groups[1].Value;
            if (!values.TryGetValue(name, out var given)) throw new SigmaException(SigmaReason.Placeholder, $"no values are given for the placeholder %{name}%", line);
            results = [.. results.SelectMany(parts => given.Select(value => (SigmaPart[])[.. parts, before, .. SigmaPattern.Parse(value).Parts]))];
            from = match.Index + match.Length;
        }

        var rest = Literal(text[from..]);
        return [.. results.Select(parts => (SigmaPart[])[.. parts, rest])];
    }

    private static SigmaPart Literal(string text) => new(SigmaPartKind.Text, text.Replace("\\%", "%", StringComparison.Ordinal));

    // A percent sign behind a backslash is one.
    [GeneratedRegex(@"(?<!\\)%([^%\s\\]+)%")]
    private static partial Regex Name();
}
