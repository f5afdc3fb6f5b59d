using System.Runtime.CompilerServices;

namespace Vedette.Kql.Syntax;

/// <summary>
/// Recursive-descent parser for a query text. Never throws: what it cannot read it reports, then goes on behind the next pipe, semicolon or
/// closing bracket. Depth is bounded by <see cref="KqlOptions.MaxDepth"/> and by the stack that is left.
/// </summary>
internal sealed partial class Parser
{
    private readonly string _text;
    private readonly DiagnosticBag _diagnostics;
    private readonly KqlOptions _options;
    private readonly List<Token> _tokens;
    private int _index;
    private int _depth;
    private bool _aborted;

    private Parser(string text, List<Token> tokens, DiagnosticBag diagnostics, KqlOptions options)
    {
        _text = text;
        _tokens = tokens;
        _diagnostics = diagnostics;
        _options = options;
    }

    /// <summary>Parses a whole query text into its statements.</summary>
    public static IReadOnlyList<Statement> Parse(string text, DiagnosticBag diagnostics, KqlOptions options)
    {
        var tokens = new Lexer(text, diagnostics).Run();
        return new Parser(text, tokens, diagnostics, options).ParseStatements(TokenKind.End);
    }

    /// <summary>Parses one scalar expression, for parameter values given from outside.</summary>
    public static Expr ParseScalar(string text, DiagnosticBag diagnostics, KqlOptions options)
    {
        var tokens = new Lexer(text, diagnostics).Run();
        var parser = new Parser(text, tokens, diagnostics, options);
        var value = parser.ParseExpression();
        if (parser.Current.Kind != TokenKind.End)
            diagnostics.Syntax("KS198", "The incomplete fragment is unexpected.", parser.Current.Span);
        return value;
    }

    private Token Current => _tokens[_index];

    private TextSpan Here => new(Current.Start, 0);

    private int PreviousEnd => _index == 0 ? 0 : _tokens[_index - 1].End;

    private Token PeekToken(int offset) => _tokens[Math.Min(_index + offset, _tokens.Count - 1)];

    private ReadOnlySpan<char> TextOf(Token token) => _text.AsSpan(token.Start, token.Length);

    private bool At(TokenKind kind) => _tokens[_index].Kind == kind;

    private bool AtWord(ReadOnlySpan<char> word) => At(TokenKind.Identifier) && TextOf(Current).SequenceEqual(word);

    private bool IsWord(int offset, ReadOnlySpan<char> word)
    {
        var token = PeekToken(offset);
        return token.Kind == TokenKind.Identifier && TextOf(token).SequenceEqual(word);
    }

    /// <summary>Whether the tokens at offset-1 and offset touch.</summary>
    private bool Touches(int offset) => PeekToken(offset - 1).End == PeekToken(offset).Start;

    private Token Take()
    {
        var token = _tokens[_index];
        if (token.Kind != TokenKind.End)
            _index++;
        return token;
    }

    private bool TryTake(TokenKind kind)
    {
        if (!At(kind))
            return false;
        Take();
        return true;
    }

    private bool TryTakeWord(ReadOnlySpan<char> word)
    {
        if (!AtWord(word))
            return false;
        Take();
        return true;
    }

    private bool Expect(TokenKind kind, string text)
    {
        if (TryTake(kind))
            return true;
        _diagnostics.Syntax("KS005", $"Expected: {text}", ErrorPlace());
        return false;
    }

    private bool ExpectWord(string word)
    {
        if (TryTakeWord(word))
            return true;
        _diagnostics.Syntax("KS005", $"Expected: {word}", ErrorPlace());
        return false;
    }

    /// <summary>Where an expected token is reported: at the next token when that follows closely, else behind the last one.</summary>
    private TextSpan ErrorPlace() =>
        At(TokenKind.End) || (_index > 0 && (Current.Start - PreviousEnd > 1 || (Current.Start > PreviousEnd && _text[PreviousEnd] is '\n' or '\r'))) ? new TextSpan(PreviousEnd, 0) : Current.Span;

    /// <summary>Where a missing expression or name is reported: behind the last token.</summary>
    private TextSpan MissingPlace() => new(_index == 0 ? Current.Start : PreviousEnd, 0);

    private MissingExpr Missing(string what = "expression")
    {
        var place = MissingPlace();
        if (!_aborted)
            _diagnostics.Syntax("KS006", $"Missing {what}", place);
        return new MissingExpr(place);
    }

    private TextSpan SpanFrom(int start) => new(start, Math.Max(0, PreviousEnd - start));

    /// <summary>Enters a nesting level; false when the query is nested too deeply (reported once, and parsing ends).</summary>
    private bool Enter()
    {
        if (++_depth <= _options.MaxDepth && RuntimeHelpers.TryEnsureSufficientExecutionStack())
            return true;
        Abort();
        return false;
    }

    private void Leave() => _depth--;

    private void Abort()
    {
        if (!_aborted)
        {
            _diagnostics.Syntax("KS245", "Query syntax depth exceeds maximum safe limit. Semantic analysis not performed.", Current.Span);
            _aborted = true;
        }

        _index = _tokens.Count - 1;
    }

    /// <summary>Skips to the next pipe, semicolon or closing bracket of the present nesting level.</summary>
    private void Recover()
    {
        var depth = 0;
        while (!At(TokenKind.End))
        {
            switch (Current.Kind)
            {
                case TokenKind.OpenParen or TokenKind.OpenBracket or TokenKind.OpenBrace:
                    depth++;
                    break;
                case TokenKind.CloseParen or TokenKind.CloseBracket or TokenKind.CloseBrace:
                    if (depth == 0)
                        return;
                    depth--;
                    break;
                case TokenKind.Bar or TokenKind.Semicolon when depth == 0:
                    return;
            }

            Take();
        }
    }

    /// <summary>A plain or bracketed name, reported when missing.</summary>
    private NameExpr ParseName(string what = "name")
    {
        if (TryParseName() is { } name)
            return name;
        var missing = Missing(what);
        return new NameExpr("", missing.Span);
    }

    private NameExpr? TryParseName()
    {
        if (At(TokenKind.Identifier))
        {
            var token = Take();
            return new NameExpr(TextOf(token).ToString(), token.Span);
        }

        if (AtBracketedName())
        {
            var open = Take();
            var value = DecodeString(Take());
            Expect(TokenKind.CloseBracket, "]");
            return new NameExpr(value, SpanFrom(open.Start), bracketed: true);
        }

        return null;
    }

    private bool AtBracketedName() =>
        At(TokenKind.OpenBracket) && PeekToken(1).Kind == TokenKind.String && PeekToken(2).Kind == TokenKind.CloseBracket;

    /// <summary>A list separated by commas, ending where no further comma follows. A missing comma in front of a further item is reported.</summary>
    private List<T> ParseList<T>(Func<T> item, bool reportMissingComma = true)
    {
        var list = new List<T> { item() };
        while (!_aborted)
        {
            if (TryTake(TokenKind.Comma))
            {
                list.Add(item());
            }
            else if (reportMissingComma && AtListItem())
            {
                _diagnostics.Syntax("KS005", "Expected: ,", ErrorPlace(), ConnectiveHint());
                var before = _index;
                list.Add(item());
                if (_index == before)
                    break;
            }
            else
            {
                break;
            }
        }

        return list;
    }

    /// <summary>The word between operands or behind a list that a misspelt one is nearest to; null for a name that may be anything.</summary>
    private string? ConnectiveHint() =>
        At(TokenKind.Identifier) && Current.Length >= 4 ? Binding.Hints.Nearest(TextOf(Current).ToString(), Connectives) : null;

    /// <summary>Whether the current token begins an expression and is no word that may follow a list.</summary>
    private bool AtListItem() => Current.Kind switch
    {
        TokenKind.Identifier => !IsListEnd(TextOf(Current)),
        TokenKind.String or TokenKind.Long or TokenKind.Real or TokenKind.TimeSpan or TokenKind.Typed or TokenKind.OpenParen => true,
        _ => false,
    };

    private static bool IsListEnd(ReadOnlySpan<char> word) =>
        word is "by" or "on" or "with" or "to" or "from" or "step" or "asc" or "desc" or "nulls" or "of" or "limit" or "in" or "default"
            or "where" or "project" or "declare" or "order" or "partition" or "as" or "range" or "others" or "partitioned";
}
