using System.Text;

namespace Vedette.Defender.Sigma;

/// <summary>What a piece of a pattern stands for.</summary>
internal enum SigmaPartKind
{
    /// <summary>Exactly these characters.</summary>
    Text,

    /// <summary>Any number of characters: <c>*</c>.</summary>
    AnyText,

    /// <summary>One character: <c>?</c>.</summary>
    AnyCharacter,

    /// <summary>A name between percent signs, to be replaced before use.</summary>
    Placeholder,
}

/// <summary>A piece of a pattern.</summary>
internal readonly record struct SigmaPart(SigmaPartKind Kind, string Text = "");

/// <summary>What a pattern without anything special inside asks of a text.</summary>
internal enum SigmaShape
{
    /// <summary>The text is the literal.</summary>
    Equal,

    /// <summary>The text begins with the literal.</summary>
    Start,

    /// <summary>The text ends with the literal.</summary>
    End,

    /// <summary>The literal is somewhere in the text.</summary>
    Inside,

    /// <summary>Any text at all, as long as there is one.</summary>
    Anything,

    /// <summary>Wildcards inside: only a regular expression says it.</summary>
    Complex,
}

/// <summary>A text of a Sigma rule: literal pieces, wildcards and placeholders. Immutable.</summary>
internal sealed class SigmaPattern
{
    public SigmaPattern(IEnumerable<SigmaPart> parts)
    {
        var list = new List<SigmaPart>();
        foreach (var part in parts)
        {
            if (part is { Kind: SigmaPartKind.Text, Text.Length: 0 }) continue;
            if (list.Count > 0 && part.Kind == list[^1].Kind && (part.Kind is SigmaPartKind.Text or SigmaPartKind.AnyText))
            {
                if (part.Kind == SigmaPartKind.Text) list[^1] = new SigmaPart(SigmaPartKind.Text, list[^1].Text + part.Text);
                continue;
            }

            list.Add(part);
        }

        Parts = list;
    }

    /// <summary>The pieces; neighbouring literals are one piece, neighbouring stars one star.</summary>
    public IReadOnlyList<SigmaPart> Parts { get; }

    /// <summary>Whether the pattern is empty.</summary>
    public bool IsEmpty => Parts.Count == 0;

    /// <summary>Whether there are no wildcards and no placeholders.</summary>
    public bool IsLiteral => Parts.All(static part => part.Kind == SigmaPartKind.Text);

    /// <summary>Name of the first placeholder; null when there is none.</summary>
    public string? Placeholder => Parts.FirstOrDefault(static part => part.Kind == SigmaPartKind.Placeholder).Text is { Length: > 0 } name ? name : null;

    /// <summary>A pattern that stands for exactly this text.</summary>
    public static SigmaPattern Of(string text) => new([new SigmaPart(SigmaPartKind.Text, text)]);

    /// <summary>
    /// Reads a value as Sigma writes it: <c>*</c> and <c>?</c> are wildcards, a backslash before either of them or before another backslash
    /// takes the special meaning away, and any other backslash stands for itself.
    /// </summary>
    public static SigmaPattern Parse(string text)
    {
        var parts = new List<SigmaPart>();
        var literal = new StringBuilder();
        for (var at = 0; at < text.Length; at++)
        {
            var c = text[at];
            if (c == '\\' && at + 1 < text.Length && text[at + 1] is '*' or '?' or '\\')
            {
                literal.Append(text[++at]);
                continue;
            }

            if (c is not ('*' or '?'))
            {
                literal.Append(c);
                continue;
            }

            parts.Add(new SigmaPart(SigmaPartKind.Text, literal.ToString()));
            literal.Clear();
            parts.Add(new SigmaPart(c == '*' ? SigmaPartKind.AnyText : SigmaPartKind.AnyCharacter));
        }

        parts.Add(new SigmaPart(SigmaPartKind.Text, literal.ToString()));
        return new SigmaPattern(parts);
    }

    /// <summary>The pattern between two stars.</summary>
    public SigmaPattern Within() => Opened(start: true, end: true);

    /// <summary>The pattern with a star in front, behind, or both.</summary>
    public SigmaPattern Opened(bool start, bool end)
    {
        var star = new SigmaPart(SigmaPartKind.AnyText);
        return new SigmaPattern([.. start ? [star] : Array.Empty<SigmaPart>(), .. Parts, .. end ? [star] : Array.Empty<SigmaPart>()]);
    }

    /// <summary>The pattern with another piece of text in front of its first literal.</summary>
    public SigmaPattern Prefixed(string text) => new([new SigmaPart(SigmaPartKind.Text, text), .. Parts]);

    /// <summary>The pattern with its literals changed.</summary>
    public SigmaPattern Select(Func<string, string> change) =>
        new(Parts.Select(part => part.Kind == SigmaPartKind.Text ? part with { Text = change(part.Text) } : part));

    /// <summary>The shape, and the literal that belongs to it.</summary>
    public (SigmaShape Shape, string Text) Shape
    {
        get
        {
            static bool Star(SigmaPart part) => part.Kind == SigmaPartKind.AnyText;
            static bool Text(SigmaPart part) => part.Kind == SigmaPartKind.Text;
            return Parts switch
            {
                [] => (SigmaShape.Equal, ""),
                [var only] when Text(only) => (SigmaShape.Equal, only.Text),
                [var only] when Star(only) => (SigmaShape.Anything, ""),
                [var first, var second] when Star(first) && Text(second) => (SigmaShape.End, second.Text),
                [var first, var second] when Text(first) && Star(second) => (SigmaShape.Start, first.Text),
                [var first, var second, var third] when Star(first) && Text(second) && Star(third) => (SigmaShape.Inside, second.Text),
                _ => (SigmaShape.Complex, ""),
            };
        }
    }

    /// <summary>Whether a text matches, ignoring case unless told otherwise. Takes time in proportion to both lengths at most.</summary>
    public bool Matches(string text, bool cased = false)
    {
        // One entry for each character: itself, any one, or any number of them.
        var wanted = Parts.SelectMany(static part => part.Kind switch
        {
            SigmaPartKind.AnyText => (SigmaPart[])[part],
            SigmaPartKind.AnyCharacter => [part],
            _ => [.. part.Text.Select(static c => new SigmaPart(SigmaPartKind.Text, c.ToString()))],
        }).ToArray();
        var comparison = cased ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        var (at, place, star, resume) = (0, 0, -1, 0);
        while (place < text.Length)
        {
            if (at < wanted.Length && wanted[at].Kind == SigmaPartKind.AnyText) (star, resume, at) = (at, place, at + 1);
            else if (at < wanted.Length && (wanted[at].Kind == SigmaPartKind.AnyCharacter || text.AsSpan(place, 1).Equals(wanted[at].Text, comparison))) (at, place) = (at + 1, place + 1);
            else if (star >= 0) (at, place) = (star + 1, ++resume);
            else return false;
        }

        while (at < wanted.Length && wanted[at].Kind == SigmaPartKind.AnyText) at++;
        return at == wanted.Length;
    }

    /// <summary>The longest literal piece; empty when there is none.</summary>
    public string LongestLiteral => Parts.Where(static part => part.Kind == SigmaPartKind.Text).Select(static part => part.Text).MaxBy(static text => text.Length) ?? "";

    /// <summary>The pattern as Sigma would write it.</summary>
    public override string ToString() => string.Concat(Parts.Select(static part => part.Kind switch
    {
        SigmaPartKind.AnyText => "*",
        SigmaPartKind.AnyCharacter => "?",
        SigmaPartKind.Placeholder => $"%{part.Text}%",
        _ => part.Text,
    }));
}
