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

    /// <summary>Whether a text matches, ignoring case unless told otherwise.</summary>
    public bool Matches(string text, bool cased = false)
    {
        var comparison = cased ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        return Matches(0, text, comparison);
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

    private bool Matches(int at, ReadOnlySpan<char> text, StringComparison comparison)
    {
        if (at == Parts.Count) return text.IsEmpty;
        var part = Parts[at];
        switch (part.Kind)
        {
            case SigmaPartKind.Text:
                return text.StartsWith(part.Text, comparison) && Matches(at + 1, text[part.Text.Length..], comparison);
            case SigmaPartKind.AnyCharacter:
                return !text.IsEmpty && Matches(at + 1, text[1..], comparison);
            default:
                for (var skip = 0; skip <= text.Length; skip++)
                    if (Matches(at + 1, text[skip..], comparison)) return true;
                return false;
        }
    }
}
