namespace Vedette.Kql.Bound;

/// <summary>How a parse pattern is read.</summary>
public enum ParseMode
{
    /// <summary>Text parts are literal, all parts must match and typed captures convert, else all captures of the row are null/empty.</summary>
    Simple,
    /// <summary>As simple, but a capture whose text does not convert is null while the others keep their values.</summary>
    Relaxed,
    /// <summary>Text parts are regular expressions (RE2), captures are lazy.</summary>
    Regex,
}

/// <summary>A part of a parse pattern.</summary>
public abstract record ParsePart;

/// <summary><c>*</c>: skips any text, as little as possible.</summary>
public sealed record ParseSkip : ParsePart;

/// <summary>Text (or regular expression) that must follow.</summary>
public sealed record ParseText(string Text) : ParsePart;

/// <summary>Captures text up to the next part (to the end, if last) into a column of the given type; fresh id.</summary>
public sealed record ParseCapture(KqlColumn Column) : ParsePart;

/// <summary>
/// <c>parse</c> and, with <see cref="KeepMatchesOnly"/>, <c>parse-where</c> (drops rows that do not match). The pattern is anchored at both ends of the source
/// text unless it begins or ends with <see cref="ParseSkip"/> or a capture. Captures stand in place of input columns of the same name, else at the end.
/// <see cref="Flags"/>: regular-expression flags in regex mode (i, s, U, m, as text), or empty.
/// </summary>
public sealed class ParseRelation(
    BoundRelation input,
    BoundScalar source,
    ParseMode mode,
    string flags,
    IReadOnlyList<ParsePart> pattern,
    bool keepMatchesOnly,
    IReadOnlyList<KqlColumn> columns) : UnaryRelation(input, columns)
{
    public BoundScalar Source { get; } = source;

    public ParseMode Mode { get; } = mode;

    public string Flags { get; } = flags;

    public IReadOnlyList<ParsePart> Pattern { get; } = pattern;

    public bool KeepMatchesOnly { get; } = keepMatchesOnly;
}

/// <summary>
/// <c>parse-kv source as (keys) with (…)</c>: extracts values by key, converted to the column's type. Options are null when not given. In regex mode
/// <see cref="Regex"/> holds two groups: key and value.
/// </summary>
public sealed class ParseKvRelation(
    BoundRelation input,
    BoundScalar source,
    IReadOnlyList<KqlColumn> keys,
    string? pairDelimiter,
    string? kvDelimiter,
    IReadOnlyList<string> quotes,
    char? escape,
    bool greedy,
    string? regex,
    IReadOnlyList<KqlColumn> columns) : UnaryRelation(input, columns)
{
    public BoundScalar Source { get; } = source;

    /// <summary>The wanted keys: a column's name is the key.</summary>
    public IReadOnlyList<KqlColumn> Keys { get; } = keys;

    public string? PairDelimiter { get; } = pairDelimiter;

    public string? KvDelimiter { get; } = kvDelimiter;

    /// <summary>Quote characters; two entries are an opening and a closing one.</summary>
    public IReadOnlyList<string> Quotes { get; } = quotes;

    public char? Escape { get; } = escape;

    public bool Greedy { get; } = greedy;

    public string? Regex { get; } = regex;
}
