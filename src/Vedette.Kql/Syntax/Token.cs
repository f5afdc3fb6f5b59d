namespace Vedette.Kql.Syntax;

/// <summary>Kinds of lexical tokens. Keywords are identifiers; the grammar gives them meaning by position.</summary>
internal enum TokenKind : byte
{
    End,
    Bad,
    /// <summary>A name or word, which may start with a digit (<c>1abc</c>) or <c>$</c>.</summary>
    Identifier,
    /// <summary>A word with a leading bang or a trailing tilde: <c>!has</c>, <c>in~</c>, <c>!in~</c>, <c>!between</c>.</summary>
    WordOperator,
    String,
    Long,
    Real,
    /// <summary><c>1d</c>, <c>2.5h</c>, <c>100ms</c> …</summary>
    TimeSpan,
    /// <summary><c>datetime(…)</c>, <c>guid(…)</c>, <c>long(…)</c> …: type word, parentheses and content in one token.</summary>
    Typed,
    OpenParen,
    CloseParen,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    Comma,
    Semicolon,
    Colon,
    Dot,
    DotDot,
    Bar,
    Equals,
    EqualEqual,
    EqualTilde,
    BangEqual,
    BangTilde,
    LessGreater,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    FatArrow,
    At,
    Question,
    Tilde,
}

/// <summary>A token: its kind and its place in the text.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Start">Offset of the first character.</param>
/// <param name="Length">Characters.</param>
internal readonly record struct Token(TokenKind Kind, int Start, int Length)
{
    public int End => Start + Length;

    public TextSpan Span => new(Start, Length);
}
