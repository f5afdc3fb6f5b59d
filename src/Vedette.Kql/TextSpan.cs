namespace Vedette.Kql;

/// <summary>A half-open range of characters in the query text.</summary>
/// <param name="Start">Zero-based offset of the first character, in UTF-16 units.</param>
/// <param name="Length">Number of UTF-16 units; zero marks a place between characters.</param>
public readonly record struct TextSpan(int Start, int Length)
{
    /// <summary>Offset just behind the last character.</summary>
    public int End => Start + Length;

    /// <summary>Line and column of the first character, counted from 1, the column in UTF-16 units.</summary>
    public (int Line, int Column) PlaceIn(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (line, lineStart) = (1, 0);
        for (var i = 0; i < Start && i < text.Length; i++)
        {
            if (text[i] == '\n' || (text[i] == '\r' && (i + 1 >= text.Length || text[i + 1] != '\n')))
                (line, lineStart) = (line + 1, i + 1);
        }

        return (line, Start - lineStart + 1);
    }

    /// <summary>The smallest span that covers both.</summary>
    public TextSpan To(TextSpan other)
    {
        var start = Math.Min(Start, other.Start);
        return new TextSpan(start, Math.Max(End, other.End) - start);
    }
}
