using System.Globalization;

namespace Vedette.Kql.Syntax;

/// <summary>Splits query text into tokens. White space and comments separate tokens and are dropped. Linear in the text.</summary>
internal sealed class Lexer(string text, DiagnosticBag diagnostics)
{
    private static readonly Dictionary<string, long> Units = CreateUnits();
    private static readonly Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> UnitLookup = Units.GetAlternateLookup<ReadOnlySpan<char>>();
    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> TypedWords = new HashSet<string>(
        ["bool", "boolean", "int", "int32", "long", "int64", "real", "double", "decimal", "datetime", "date", "timespan", "time", "guid", "uniqueid"],
        StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    private readonly List<Token> _tokens = new((text.Length / 4) + 8);
    private int _pos;

    /// <summary>Ticks (100 ns) of each timespan unit word; 0 stands for a nanosecond.</summary>
    public static IReadOnlyDictionary<string, long> TimeUnits => Units;

    /// <summary>All tokens, the last one being <see cref="TokenKind.End"/>.</summary>
    public List<Token> Run()
    {
        while (true)
        {
            SkipTrivia();
            if (_pos >= text.Length)
                break;
            var start = _pos;
            var kind = Next();
            _tokens.Add(new Token(kind, start, _pos - start));
        }

        _tokens.Add(new Token(TokenKind.End, text.Length, 0));
        return _tokens;
    }

    /// <summary>Ticks (100 ns) of a timespan unit word, for instance 864,000,000,000 for <c>d</c>.</summary>
    public static bool TryGetUnit(ReadOnlySpan<char> unit, out long ticks) => UnitLookup.TryGetValue(unit, out ticks);

    private static Dictionary<string, long> CreateUnits()
    {
        var units = new Dictionary<string, long>(StringComparer.Ordinal);
        Add(TimeSpan.TicksPerDay, "d", "day", "days");
        Add(TimeSpan.TicksPerHour, "h", "hr", "hrs", "hour", "hours");
        Add(TimeSpan.TicksPerMinute, "m", "min", "minute", "minutes");
        Add(TimeSpan.TicksPerSecond, "s", "sec", "second", "seconds");
        Add(TimeSpan.TicksPerMillisecond, "ms", "milli", "millis", "millisecond", "milliseconds");
        Add(TimeSpan.TicksPerMicrosecond, "micro", "micros", "microsecond", "microseconds");
        Add(1, "tick", "ticks");
        Add(0, "nano", "nanos", "nanosecond", "nanoseconds");
        return units;

        void Add(long ticks, params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
                units.Add(name, ticks);
        }
    }

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c is '_' or '$' || (c > 127 && char.IsLetter(c));

    private static bool IsNamePart(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' || (c > 127 && char.IsLetterOrDigit(c));

    private char Peek(int offset = 0) => _pos + offset < text.Length ? text[_pos + offset] : '\0';

    private void SkipTrivia()
    {
        while (_pos < text.Length)
        {
            var c = text[_pos];
            if (c is ' ' or '\t' or '\n' or '\r' || char.IsWhiteSpace(c) || c is '\uFEFF' or '\u200B')
                _pos++;
            else if (c == '/' && Peek(1) == '/')
                SkipLine();
            else if (c == '#' && AtLineStart())
                SkipLine();
            else
                break;
        }
    }

    private bool AtLineStart()
    {
        for (var i = _pos - 1; i >= 0; i--)
        {
            if (text[i] == '\n')
                return true;
            if (!char.IsWhiteSpace(text[i]))
                return false;
        }

        return true;
    }

    private void SkipLine()
    {
        var end = text.AsSpan(_pos).IndexOfAny('\n', '\r');
        _pos = end < 0 ? text.Length : _pos + end;
    }

    private TokenKind Next()
    {
        var c = text[_pos];
        if (char.IsAsciiDigit(c))
            return Number();
        if (c is '"' or '\'')
            return QuotedString(verbatim: false);
        if (c == '@' && Peek(1) is '"' or '\'')
        {
            _pos++;
            return QuotedString(verbatim: true);
        }

        if ((c == '`' && Peek(1) == '`' && Peek(2) == '`') || (c == '~' && Peek(1) == '~' && Peek(2) == '~'))
            return MultiLineString();
        if (c is 'h' or 'H')
        {
            if (Peek(1) is '"' or '\'')
            {
                _pos++;
                return QuotedString(verbatim: false);
            }

            if (Peek(1) == '@' && Peek(2) is '"' or '\'')
            {
                _pos += 2;
                return QuotedString(verbatim: true);
            }

            if ((Peek(1) == '`' && Peek(2) == '`' && Peek(3) == '`') || (Peek(1) == '~' && Peek(2) == '~' && Peek(3) == '~'))
            {
                _pos++;
                return MultiLineString();
            }
        }

        if (IsNameStart(c))
            return Word();
        if (c == '!' && char.IsAsciiLetter(Peek(1)))
        {
            _pos++;
            while (IsNamePart(Peek()))
                _pos++;
            if (Peek() == '~')
                _pos++;
            return TokenKind.WordOperator;
        }

        return Punctuation(c);
    }

    private TokenKind Word()
    {
        var start = _pos++;
        while (_pos < text.Length && IsNamePart(text[_pos]))
            _pos++;
        var word = text.AsSpan(start, _pos - start);
        if (Peek() == '~' && word is "in")
        {
            _pos++;
            return TokenKind.WordOperator;
        }

        if (Peek() == '(' && TypedWords.Contains(word))
        {
            // Content up to the closing parenthesis; quoted content may hold one itself.
            for (var i = _pos + 1; i < text.Length && text[i] is not ('\n' or '\r'); i++)
            {
                if (text[i] is '"' or '\'')
                {
                    var close = text.IndexOf(text[i], i + 1);
                    if (close < 0)
                        break;
                    i = close;
                }
                else if (text[i] == ')')
                {
                    _pos = i + 1;
                    return TokenKind.Typed;
                }
                else if (text[i] == '(')
                {
                    return TokenKind.Identifier;
                }
            }

            // Not closed on its line.
            var end = text.AsSpan(_pos).IndexOfAny('\n', '\r');
            _pos = end < 0 ? text.Length : _pos + end;
            diagnostics.Syntax("KS001", "Missing: )", new TextSpan(_pos, 0));
            return TokenKind.Typed;
        }

        return TokenKind.Identifier;
    }

    private TokenKind Number()
    {
        var start = _pos;
        if (text[_pos] == '0' && Peek(1) is 'x' or 'X' && char.IsAsciiHexDigit(Peek(2)))
        {
            _pos += 2;
            while (char.IsAsciiHexDigit(Peek()))
                _pos++;
            return TokenKind.Long;
        }

        while (char.IsAsciiDigit(Peek()))
            _pos++;
        var kind = TokenKind.Long;
        var hasExponent = false;
        if (Peek() == '.' && Peek(1) != '.' && !IsNameStart(Peek(1)))
        {
            kind = TokenKind.Real;
            _pos++;
            while (char.IsAsciiDigit(Peek()))
                _pos++;
        }

        if (Peek() is 'e' or 'E')
        {
            var digits = Peek(1) is '+' or '-' ? 2 : 1;
            if (char.IsAsciiDigit(Peek(digits)))
            {
                kind = TokenKind.Real;
                hasExponent = true;
                _pos += digits;
                while (char.IsAsciiDigit(Peek()))
                    _pos++;
            }
        }

        if (!IsNamePart(Peek()))
            return kind;
        var unitStart = _pos;
        while (IsNamePart(Peek()))
            _pos++;
        if (!hasExponent && TryGetUnit(text.AsSpan(unitStart, _pos - unitStart), out _))
            return TokenKind.TimeSpan;
        if (kind == TokenKind.Long || hasExponent)
        {
            // A name that starts with a digit. (A raw guid falls apart into such names and is reported by the parser.)
            return text.AsSpan(start, _pos - start).Contains('.') ? Rewind(unitStart, kind) : TokenKind.Identifier;
        }

        return Rewind(unitStart, kind);
    }

    private TokenKind Rewind(int position, TokenKind kind)
    {
        _pos = position;
        return kind;
    }

    private TokenKind QuotedString(bool verbatim)
    {
        var start = _pos;
        var quote = text[_pos++];
        while (_pos < text.Length)
        {
            var c = text[_pos];
            if (c is '\n' or '\r')
                break;
            _pos++;
            if (c == '\\' && !verbatim)
            {
                if (_pos < text.Length && text[_pos] is not ('\n' or '\r'))
                    _pos++;
            }
            else if (c == quote)
            {
                if (!verbatim || Peek() != quote)
                    return TokenKind.String;
                _pos++;
            }
        }

        diagnostics.Syntax("KS001", $"Missing: {quote}", new TextSpan(_pos, 0));
        return _pos == start ? TokenKind.Bad : TokenKind.String;
    }

    private TokenKind MultiLineString()
    {
        var fence = text.AsSpan(_pos, 3);
        var end = text.AsSpan(_pos + 3).IndexOf(fence);
        if (end < 0)
        {
            diagnostics.Syntax("KS001", string.Create(CultureInfo.InvariantCulture, $"Missing: {fence}"), new TextSpan(text.Length, 0));
            _pos = text.Length;
        }
        else
        {
            _pos += end + 6;
        }

        return TokenKind.String;
    }

    private TokenKind Punctuation(char c)
    {
        var next = Peek(1);
        var (kind, length) = c switch
        {
            '(' => (TokenKind.OpenParen, 1),
            ')' => (TokenKind.CloseParen, 1),
            '[' => (TokenKind.OpenBracket, 1),
            ']' => (TokenKind.CloseBracket, 1),
            '{' => (TokenKind.OpenBrace, 1),
            '}' => (TokenKind.CloseBrace, 1),
            ',' => (TokenKind.Comma, 1),
            ';' => (TokenKind.Semicolon, 1),
            ':' => (TokenKind.Colon, 1),
            '.' => next == '.' ? (TokenKind.DotDot, 2) : (TokenKind.Dot, 1),
            '|' => (TokenKind.Bar, 1),
            '=' => next switch
            {
                '=' => (TokenKind.EqualEqual, 2),
                '~' => (TokenKind.EqualTilde, 2),
                '>' => (TokenKind.FatArrow, 2),
                _ => (TokenKind.Equals, 1),
            },
            '!' => next switch
            {
                '=' => (TokenKind.BangEqual, 2),
                '~' => (TokenKind.BangTilde, 2),
                _ => (TokenKind.Bad, 1),
            },
            '<' => next switch
            {
                '>' => (TokenKind.LessGreater, 2),
                '=' => (TokenKind.LessEqual, 2),
                _ => (TokenKind.Less, 1),
            },
            '>' => next == '=' ? (TokenKind.GreaterEqual, 2) : (TokenKind.Greater, 1),
            '+' => (TokenKind.Plus, 1),
            '-' => (TokenKind.Minus, 1),
            '*' => (TokenKind.Star, 1),
            '/' => (TokenKind.Slash, 1),
            '%' => (TokenKind.Percent, 1),
            '@' => (TokenKind.At, 1),
            '?' => (TokenKind.Question, 1),
            '~' => (TokenKind.Tilde, 1),
            _ => (TokenKind.Bad, char.IsHighSurrogate(c) && char.IsLowSurrogate(next) ? 2 : 1),
        };
        if (kind == TokenKind.Bad)
            diagnostics.Syntax("KS198", $"Unexpected: {text.Substring(_pos, length)}", new TextSpan(_pos, length));
        _pos += length;
        return kind;
    }
}
