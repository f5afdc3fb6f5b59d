namespace Vedette.Kql;

/// <summary>A half-open range of characters in the query text.</summary>
/// <param name="Start">Zero-based offset of the first character, in UTF-16 units.</param>
/// <param name="Length">Number of UTF-16 units; zero marks a place between characters.</param>
public readonly record struct TextSpan(int Start, int Length)
{
    /// <summary>Offset just behind the last character.</summary>
    public int End => Start + Length;

    /// <summary>The smallest span that covers both.</summary>
    public TextSpan To(TextSpan other)
    {
        var start = Math.Min(Start, other.Start);
        return new TextSpan(start, Math.Max(End, other.End) - start);
    }
}
