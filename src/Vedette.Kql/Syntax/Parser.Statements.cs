namespace Vedette.Kql.Syntax;

/// <summary>Statements and function declarations.</summary>
internal sealed partial class Parser
{
    private List<Statement> ParseStatements(TokenKind end)
    {
        var statements = new List<Statement>();
        while (!At(end) && !At(TokenKind.End) && !_aborted)
        {
            if (TryTake(TokenKind.Semicolon))
                continue;
            var before = _index;
            if (AtStatement())
            {
                statements.Add(ParseStatement());
                if (At(end) || At(TokenKind.End))
                    continue;
                if (TryTake(TokenKind.Semicolon))
                {
                    // The expression of a function's body ends it.
                    if (end == TokenKind.CloseBrace && statements[^1] is ExpressionStatement && !At(end))
                        break;
                    continue;
                }
            }

            // What could begin a statement lacks a semicolon in front of it; anything else is left over.
            if (AtStatement())
                _diagnostics.Syntax("KS005", "Expected: ;", ErrorPlace(), ConnectiveHint());
            else if (end == TokenKind.CloseBrace)
                _diagnostics.Syntax("KS005", "Expected: }", ErrorPlace());
            else if (!_aborted)
                _diagnostics.Syntax("KS198", "The incomplete fragment is unexpected.", Current.Span);
            if (_index == before)
                Take();
            // A closing bracket that nothing opened would stop recovery for ever.
            do
            {
                Recover();
            }
            while (!At(end) && Current.Kind is TokenKind.CloseParen or TokenKind.CloseBracket or TokenKind.CloseBrace or TokenKind.Bar
                && Take().Kind != TokenKind.End);
        }

        return statements;
    }

    /// <summary>Whether a statement can begin here: with a name, a literal, a parenthesis, a sign or an operator that asks for a source.</summary>
    private bool AtStatement() => Current.Kind switch
    {
        TokenKind.Identifier => !Keywords.IsConnective(TextOf(Current)) || OperatorFacts.IsOperator(TextOf(Current)) || PeekToken(1).Kind == TokenKind.OpenParen,
        TokenKind.String or TokenKind.Long or TokenKind.Real or TokenKind.TimeSpan or TokenKind.Typed or TokenKind.OpenParen or TokenKind.Minus
            or TokenKind.Plus or TokenKind.Bad => true,
        TokenKind.OpenBracket => PeekToken(1).Kind == TokenKind.String,
        _ => false,
    };

    private Statement ParseStatement()
    {
        var start = Current.Start;
        if (At(TokenKind.Identifier) && PeekToken(1).Kind is TokenKind.Identifier or TokenKind.OpenBracket)
        {
            var word = TextOf(Current);
            if (word is "let")
                return ParseLet();
            if (word is "declare")
                return ParseDeclare();
            if (word is "set")
            {
                Take();
                var name = ParseName();
                var value = TryTake(TokenKind.Equals) ? ParseExpression() : null;
                return new OptionStatement(name.Name, value, SpanFrom(start));
            }

            if (word is "restrict" && IsWord(1, "access"))
                return ParseRestrict();
            if (word is "alias" && IsWord(1, "database"))
            {
                Take();
                Take();
                var name = ParseName();
                Expect(TokenKind.Equals, "=");
                return new OptionStatement("alias " + name.Name, ParseExpression(), SpanFrom(start));
            }
        }

        return new ExpressionStatement(ParseQuery());
    }

    private LetStatement ParseLet()
    {
        var start = Take().Start;
        var name = ParseName();
        Expect(TokenKind.Equals, "=");
        var value = AtFunction() ? ParseFunction() : AtWord("entity_group") && PeekToken(1).Kind == TokenKind.OpenBracket ? ParseEntityGroup() : ParseQuery();
        return new LetStatement(name, value, SpanFrom(start));
    }

    private EntityGroupExpr ParseEntityGroup()
    {
        var start = Take().Start;
        Expect(TokenKind.OpenBracket, "[");
        var entities = At(TokenKind.CloseBracket) ? [] : ParseList(() => ParseNamed(wildcard: true));
        Expect(TokenKind.CloseBracket, "]");
        return new EntityGroupExpr(entities, SpanFrom(start));
    }

    private RestrictStatement ParseRestrict()
    {
        var start = Take().Start;
        Take();
        ExpectWord("to");
        Expect(TokenKind.OpenParen, "(");
        var entities = ParseList(ParseUnionTable);
        Expect(TokenKind.CloseParen, ")");
        return new RestrictStatement(entities, SpanFrom(start));
    }

    private Statement ParseDeclare()
    {
        var start = Take().Start;
        if (TryTakeWord("query_parameters"))
        {
            var parameters = ParseParameters();
            return new QueryParametersStatement(parameters, SpanFrom(start));
        }

        if (!TryTakeWord("pattern"))
        {
            _diagnostics.Syntax("KS005", "Expected one of: query_parameters, pattern", ErrorPlace());
            Recover();
            return new OptionStatement("declare", null, SpanFrom(start));
        }

        return ParsePattern(start);
    }

    private PatternStatement ParsePattern(int start)
    {
        var name = ParseName();
        if (!TryTake(TokenKind.Equals))
            return new PatternStatement(name, [], null, [], SpanFrom(start));
        var parameters = ParseParameters();
        FunctionParameter? path = null;
        if (TryTake(TokenKind.OpenBracket))
        {
            path = ParseParameter();
            Expect(TokenKind.CloseBracket, "]");
        }

        var cases = new List<PatternCase>();
        Expect(TokenKind.OpenBrace, "{");
        while (TryTake(TokenKind.OpenParen))
        {
            var arguments = At(TokenKind.CloseParen) ? [] : ParseList(ParseExpression);
            Expect(TokenKind.CloseParen, ")");
            Expr? pathValue = null;
            if (TryTake(TokenKind.Dot))
            {
                Expect(TokenKind.OpenBracket, "[");
                pathValue = ParseExpression();
                Expect(TokenKind.CloseBracket, "]");
            }

            Expect(TokenKind.Equals, "=");
            Expect(TokenKind.OpenBrace, "{");
            var body = ParseStatements(TokenKind.CloseBrace);
            Expect(TokenKind.CloseBrace, "}");
            cases.Add(new PatternCase(arguments, pathValue, body));
            TryTake(TokenKind.Semicolon);
        }

        Expect(TokenKind.CloseBrace, "}");
        return new PatternStatement(name, parameters, path, cases, SpanFrom(start));
    }

    /// <summary>Whether a function declaration begins here: an optional <c>view</c>, parentheses, then a brace.</summary>
    private bool AtFunction()
    {
        var i = _index;
        if (_tokens[i].Kind == TokenKind.Identifier && TextOf(_tokens[i]) is "view")
            i++;
        if (_tokens[i].Kind != TokenKind.OpenParen)
            return false;
        // Nothing else begins with () or (name:.
        if (_tokens[i + 1].Kind == TokenKind.CloseParen || (_tokens[i + 1].Kind == TokenKind.Identifier && _tokens[i + 2].Kind == TokenKind.Colon))
            return true;
        var depth = 0;
        for (; i < _tokens.Count; i++)
        {
            if (_tokens[i].Kind == TokenKind.OpenParen)
                depth++;
            else if (_tokens[i].Kind == TokenKind.CloseParen && --depth == 0)
                return _tokens[i + 1].Kind == TokenKind.OpenBrace;
            else if (_tokens[i].Kind is TokenKind.Semicolon or TokenKind.Bar)
                return false;
        }

        return false;
    }

    private Expr ParseFunction()
    {
        var start = Current.Start;
        if (!Enter())
            return Missing();
        var isView = TryTakeWord("view");
        var parameters = ParseParameters();
        Expect(TokenKind.OpenBrace, "{");
        var body = ParseStatements(TokenKind.CloseBrace);
        Expect(TokenKind.CloseBrace, "}");
        Leave();
        return new FunctionExpr(parameters, body, isView, SpanFrom(start));
    }

    private List<FunctionParameter> ParseParameters()
    {
        Expect(TokenKind.OpenParen, "(");
        var parameters = ParseDeclarations(ParseParameter);
        Expect(TokenKind.CloseParen, ")");
        return parameters;
    }

    private FunctionParameter ParseParameter()
    {
        var name = ParseName();
        var type = KqlType.String;
        List<ColumnDecl>? columns = null;
        var anyTable = false;
        if (TryTake(TokenKind.Colon))
        {
            if (TryTake(TokenKind.OpenParen))
            {
                columns = [];
                if (TryTake(TokenKind.Star))
                    anyTable = true;
                else if (!At(TokenKind.CloseParen))
                    columns = ParseList(ParseColumnDecl);
                Expect(TokenKind.CloseParen, ")");
            }
            else
            {
                type = ParseType();
            }
        }

        var value = TryTake(TokenKind.Equals) ? ParseExpression() : null;
        return new FunctionParameter(name, type, columns, anyTable, value);
    }

    private List<ColumnDecl> ParseSchema()
    {
        if (!TryTake(TokenKind.OpenParen))
        {
            Missing("schema declaration");
            return [];
        }

        var columns = ParseDeclarations(ParseColumnDecl);
        Expect(TokenKind.CloseParen, ")");
        return columns;
    }

    /// <summary>Declarations separated by commas, as long as names follow.</summary>
    private List<T> ParseDeclarations<T>(Func<T> item)
    {
        var list = new List<T>();
        while ((Current.Kind is TokenKind.Identifier or TokenKind.Colon || AtBracketedName()) && !_aborted)
        {
            list.Add(item());
            if (TryTake(TokenKind.Comma))
                continue;
            if (!At(TokenKind.Identifier))
                break;
            _diagnostics.Syntax("KS005", "Expected: ,", ErrorPlace());
        }

        return list;
    }

    private ColumnDecl ParseColumnDecl()
    {
        var name = ParseName();
        Expect(TokenKind.Colon, ":");
        var start = Current.Start;
        var type = ParseType();
        var span = SpanFrom(start);
        var value = TryTake(TokenKind.Equals) ? ParseExpression() : null;
        return new ColumnDecl(name, type, span, value);
    }

    private KqlType ParseType()
    {
        if (!At(TokenKind.Identifier))
        {
            Missing("type name");
            return KqlType.Unknown;
        }

        var token = Take();
        if (KqlTypes.TryParse(TextOf(token), out var type))
            return type;
        _diagnostics.Error("KS160", $"The name '{TextOf(token)}' is not a valid type name that can be used here.", token.Span, Binding.Hints.Nearest(TextOf(token).ToString(), KqlTypes.AllNames));
        return KqlType.Unknown;
    }
}
