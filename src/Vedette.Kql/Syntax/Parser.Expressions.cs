using Vedette.Kql.Bound;

namespace Vedette.Kql.Syntax;

/// <summary>Scalar expressions, by falling precedence: or, and, equality and sets, relational, additive, multiplicative, string operators, unary.</summary>
internal sealed partial class Parser
{
    private static readonly Dictionary<string, (KqlOperator Operator, bool Negated)>.AlternateLookup<ReadOnlySpan<char>> StringOperators =
        new Dictionary<string, (KqlOperator, bool)>(StringComparer.Ordinal)
        {
            ["has"] = (KqlOperator.Has, false),
            ["!has"] = (KqlOperator.Has, true),
            ["has_cs"] = (KqlOperator.HasCs, false),
            ["!has_cs"] = (KqlOperator.HasCs, true),
            ["hasprefix"] = (KqlOperator.HasPrefix, false),
            ["!hasprefix"] = (KqlOperator.HasPrefix, true),
            ["hasprefix_cs"] = (KqlOperator.HasPrefixCs, false),
            ["!hasprefix_cs"] = (KqlOperator.HasPrefixCs, true),
            ["hassuffix"] = (KqlOperator.HasSuffix, false),
            ["!hassuffix"] = (KqlOperator.HasSuffix, true),
            ["hassuffix_cs"] = (KqlOperator.HasSuffixCs, false),
            ["!hassuffix_cs"] = (KqlOperator.HasSuffixCs, true),
            ["contains"] = (KqlOperator.Contains, false),
            ["!contains"] = (KqlOperator.Contains, true),
            ["notcontains"] = (KqlOperator.Contains, true),
            ["contains_cs"] = (KqlOperator.ContainsCs, false),
            ["!contains_cs"] = (KqlOperator.ContainsCs, true),
            ["containscs"] = (KqlOperator.ContainsCs, false),
            ["notcontainscs"] = (KqlOperator.ContainsCs, true),
            ["startswith"] = (KqlOperator.StartsWith, false),
            ["!startswith"] = (KqlOperator.StartsWith, true),
            ["startswith_cs"] = (KqlOperator.StartsWithCs, false),
            ["!startswith_cs"] = (KqlOperator.StartsWithCs, true),
            ["endswith"] = (KqlOperator.EndsWith, false),
            ["!endswith"] = (KqlOperator.EndsWith, true),
            ["endswith_cs"] = (KqlOperator.EndsWithCs, false),
            ["!endswith_cs"] = (KqlOperator.EndsWithCs, true),
            ["like"] = (KqlOperator.Like, false),
            ["notlike"] = (KqlOperator.Like, true),
            ["likecs"] = (KqlOperator.LikeCs, false),
            ["notlikecs"] = (KqlOperator.LikeCs, true),
        }.GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly Dictionary<string, (KqlSetOperator Operator, bool Negated)>.AlternateLookup<ReadOnlySpan<char>> SetOperators =
        new Dictionary<string, (KqlSetOperator, bool)>(StringComparer.Ordinal)
        {
            ["in"] = (KqlSetOperator.In, false),
            ["!in"] = (KqlSetOperator.In, true),
            ["in~"] = (KqlSetOperator.InIgnoreCase, false),
            ["!in~"] = (KqlSetOperator.InIgnoreCase, true),
            ["has_any"] = (KqlSetOperator.HasAny, false),
            ["hasany"] = (KqlSetOperator.HasAny, false),
            ["has_all"] = (KqlSetOperator.HasAll, false),
            ["hasall"] = (KqlSetOperator.HasAll, false),
        }.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Functions of the language that take a table.</summary>
    private static readonly HashSet<string> TableFunctions = ["toscalar", "totable", "materialize", "column_names_of", "table", "__table"];

    /// <summary>Words that can stand between operands or begin an operator and therefore never are an operand.</summary>
    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> InfixWords = new HashSet<string>(
        [
            "and", "or", "by", "on", "asc", "desc", "has", "has_cs", "hasprefix", "hassuffix", "hasprefix_cs", "hassuffix_cs", "contains", "notcontains",
            "contains_cs", "startswith", "startswith_cs", "endswith", "endswith_cs", "in", "has_any", "has_all", "between", "matches", "like",
            "where", "project", "union", "find", "print", "invoke",
        ],
        StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly string[] Connectives =
    [
        "has", "has_cs", "hasprefix", "hasprefix_cs", "hassuffix", "hassuffix_cs", "contains", "contains_cs", "startswith", "startswith_cs", "endswith",
        "endswith_cs", "has_any", "has_all", "between", "matches", "nulls", "first", "last", "with", "limit", "typeof", "step", "from", "default",
    ];

    /// <summary>A scalar expression without a name.</summary>
    private Expr ParseExpression() => ParseOr();

    private Expr ParseOr()
    {
        if (!Enter())
            return Missing();
        var left = ParseChain("or", KqlOperator.Or, ParseAnd);
        Leave();
        return left;
    }

    private Expr ParseAnd() => ParseChain("and", KqlOperator.And, ParseEquality);

    /// <summary>
    /// A chain of <c>and</c> or <c>or</c>, built as a balanced tree: both are associative, and a chain of thousands must not become as deep as it is long.
    /// </summary>
    private Expr ParseChain(string word, KqlOperator op, Func<Expr> operand)
    {
        var first = operand();
        if (!AtWord(word))
            return first;
        var operands = new List<Expr> { first };
        var operators = new List<TextSpan>();
        while (AtWord(word))
        {
            operators.Add(Take().Span);
            operands.Add(operand());
        }

        return Balance(0, operands.Count - 1);

        Expr Balance(int low, int high)
        {
            if (low == high)
                return operands[low];
            // Short chains stay left-deep, as they are written.
            var middle = high - low < 16 ? high - 1 : low + ((high - low) / 2);
            return new BinaryExpr(op, false, Balance(low, middle), Balance(middle + 1, high), word, operators[middle]);
        }
    }

    private Expr ParseEquality()
    {
        var left = ParseRelational();
        switch (Current.Kind)
        {
            case TokenKind.EqualEqual:
                return Binary(KqlOperator.Equal, left, ParseRelational);
            case TokenKind.BangEqual or TokenKind.LessGreater:
                return Binary(KqlOperator.NotEqual, left, ParseRelational);
            case TokenKind.Identifier or TokenKind.WordOperator:
                var word = TextOf(Current);
                if (SetOperators.TryGetValue(word, out var set))
                    return ParseIn(left, set.Operator, set.Negated);
                if (word is "between" or "!between")
                    return ParseBetween(left, word is "!between");
                break;
        }

        return left;
    }

    private InExpr ParseIn(Expr left, KqlSetOperator op, bool negated)
    {
        var token = Take();
        if (At(TokenKind.OpenParen))
        {
            Take();
            var first = true;
            var items = ParseList(() =>
            {
                var isFirst = first;
                first = false;
                return isFirst && Current.Kind is (TokenKind.Identifier or TokenKind.OpenParen or TokenKind.OpenBracket) ? ParseQueryArgument() : ParseScalarArgument();
            });
            Expect(TokenKind.CloseParen, ")");
            return new InExpr(op, negated, left, items, TextOf(token).ToString(), token.Span, SpanFrom(left.Span.Start));
        }

        Expect(TokenKind.OpenParen, "(");
        List<Expr> bare = AtListItem() ? [ParseUnary()] : [];
        return new InExpr(op, negated, left, bare, TextOf(token).ToString(), token.Span, SpanFrom(left.Span.Start));
    }

    private BetweenExpr ParseBetween(Expr left, bool negated)
    {
        var op = Take();
        Expect(TokenKind.OpenParen, "(");
        var low = ParseExpression();
        Expect(TokenKind.DotDot, "..");
        var high = ParseExpression();
        Expect(TokenKind.CloseParen, ")");
        return new BetweenExpr(negated, left, low, high, op.Span, SpanFrom(left.Span.Start));
    }

    private Expr ParseRelational()
    {
        var left = ParseAdditive();
        KqlOperator? op = Current.Kind switch
        {
            TokenKind.Less => KqlOperator.Less,
            TokenKind.LessEqual => KqlOperator.LessOrEqual,
            TokenKind.Greater => KqlOperator.Greater,
            TokenKind.GreaterEqual => KqlOperator.GreaterOrEqual,
            _ => null,
        };
        return op is null ? left : Binary(op.Value, left, ParseAdditive);
    }

    private Expr ParseAdditive()
    {
        var left = ParseMultiplicative();
        var length = 0;
        while (Current.Kind is TokenKind.Plus or TokenKind.Minus)
        {
            if (_depth + ++length > _options.MaxDepth)
                Abort();
            left = Binary(At(TokenKind.Plus) ? KqlOperator.Add : KqlOperator.Subtract, left, ParseMultiplicative);
        }

        return left;
    }

    private Expr ParseMultiplicative()
    {
        var left = ParseStringOperator();
        var length = 0;
        while (Current.Kind is TokenKind.Star or TokenKind.Slash or TokenKind.Percent)
        {
            if (_depth + ++length > _options.MaxDepth)
                Abort();
            var op = Current.Kind switch
            {
                TokenKind.Star => KqlOperator.Multiply,
                TokenKind.Slash => KqlOperator.Divide,
                _ => KqlOperator.Modulo,
            };
            left = Binary(op, left, ParseStringOperator);
        }

        return left;
    }

    private Expr ParseStringOperator()
    {
        var left = ParseUnary();
        switch (Current.Kind)
        {
            case TokenKind.EqualTilde:
                return Binary(KqlOperator.EqualIgnoreCase, left, ParseUnary);
            case TokenKind.BangTilde:
                return Binary(KqlOperator.EqualIgnoreCase, left, ParseUnary, negated: true);
            case TokenKind.Colon when _allowColon:
                return Binary(KqlOperator.Has, left, ParseUnary);
            case TokenKind.Identifier or TokenKind.WordOperator:
                var word = TextOf(Current);
                if (StringOperators.TryGetValue(word, out var op))
                    return Binary(op.Operator, left, ParseUnary, op.Negated);
                if (word is "matches" && IsWord(1, "regex"))
                {
                    var span = Take().Span.To(Take().Span);
                    return new BinaryExpr(KqlOperator.MatchesRegex, false, left, ParseUnary(), "matches regex", span);
                }

                break;
        }

        return left;
    }

    private BinaryExpr Binary(KqlOperator op, Expr left, Func<Expr> right, bool negated = false)
    {
        var token = Take();
        return new BinaryExpr(op, negated, left, right(), TextOf(token).ToString(), token.Span);
    }

    private Expr ParseUnary()
    {
        if (Current.Kind is TokenKind.Minus or TokenKind.Plus)
        {
            if (!Enter())
                return Missing();
            var sign = Take();
            var operand = ParseUnary();
            Leave();
            var span = sign.Span.To(operand.Span);
            if (sign.Kind == TokenKind.Minus && operand is LiteralExpr { Span: var at } literal && at.Start == sign.End)
            {
                switch (literal.Value)
                {
                    case long l: return new LiteralExpr(KqlType.Long, unchecked(-l), span);
                    case double d when literal.Type == KqlType.Real: return new LiteralExpr(KqlType.Real, -d, span);
                    case TimeSpan t: return new LiteralExpr(KqlType.TimeSpan, -t, span);
                }
            }

            return new UnaryExpr(sign.Kind == TokenKind.Minus, operand, span);
        }

        return ParsePostfix(ParsePrimary());
    }

    private Expr ParsePostfix(Expr target)
    {
        var length = 0;
        while (true)
        {
            if (_depth + ++length > _options.MaxDepth)
                Abort();
            if (At(TokenKind.Dot))
            {
                Take();
                // a.[0] is a[0].
                if (At(TokenKind.OpenBracket) && !AtBracketedName())
                    continue;
                var name = ParseName();
                Expr selector = At(TokenKind.OpenParen) ? ParseCall(name) : name;
                target = new MemberExpr(target, selector, SpanFrom(target.Span.Start));
            }
            else if (At(TokenKind.OpenBracket) && target is not MissingExpr and not LiteralExpr { Type: not KqlType.Dynamic and not KqlType.String })
            {
                Take();
                var index = ParseExpression();
                Expect(TokenKind.CloseBracket, "]");
                target = new IndexExpr(target, index, SpanFrom(target.Span.Start));
            }
            else
            {
                return target;
            }
        }
    }

    private Expr ParsePrimary()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.String:
                return ParseString();
            case TokenKind.Long or TokenKind.Real:
                return ParseNumber();
            case TokenKind.TimeSpan:
                return ParseTimeSpanLiteral();
            case TokenKind.Typed:
                return ParseTypedValue();
            case TokenKind.Star:
                Take();
                return new StarExpr(token.Span);
            case TokenKind.OpenParen:
                return ParseParenthesized();
            case TokenKind.OpenBracket when PeekToken(1).Kind == TokenKind.String && PeekToken(2).Kind != TokenKind.CloseBracket:
                // The closing bracket is missing.
                Take();
                var inside = Take();
                Expect(TokenKind.CloseBracket, "]");
                return new NameExpr(DecodeString(inside), inside.Span, bracketed: true);
            case TokenKind.OpenBracket when AtBracketedName():
                var bracketed = TryParseName()!;
                return At(TokenKind.OpenParen) && Touches(0) ? ParseCall(bracketed) : bracketed;
            case TokenKind.Identifier:
                return ParseWord(token);
            default:
                return Missing();
        }
    }

    private Expr ParseParenthesized()
    {
        var start = Current.Start;
        if (!Enter())
            return Missing();
        Take();
        var inner = ParseQueryArgument();
        if (!TryTake(TokenKind.CloseParen))
        {
            if (At(TokenKind.Comma))
                ParseTail();
            Expect(TokenKind.CloseParen, ")");
        }

        Leave();
        return new ParenExpr(inner, SpanFrom(start));
    }

    /// <summary>Reads further items of a parenthesis that should hold one, as in <c>(a, b)</c>; reported by the missing closing parenthesis.</summary>
    private void ParseTail()
    {
        _diagnostics.Syntax("KS005", "Expected: )", Current.Span);
        while (TryTake(TokenKind.Comma))
            ParseQueryArgument();
    }

    private Expr ParseWord(Token token)
    {
        var word = TextOf(token);
        if (word is "true" or "false" or "True" or "False" or "TRUE" or "FALSE")
        {
            Take();
            return new LiteralExpr(KqlType.Bool, word[0] is 't' or 'T', token.Span);
        }

        var next = PeekToken(1).Kind;
        if (next == TokenKind.OpenParen)
        {
            switch (word)
            {
                case "dynamic":
                    return ParseDynamic();
                case "typeof":
                    return ParseTypeOf();
                case "datatable":
                    return ParseDataTable();
                case "externaldata" or "external_data":
                    return ParseExternalData();
            }
        }

        if (word is "datatable" && next == TokenKind.Identifier)
            return ParseDataTable();
        if (word is "inline_external_table" && next is TokenKind.OpenParen or TokenKind.Identifier)
            return ParseInlineExternalTable();
        // Infix words are no names even in front of a parenthesis, nor are those that begin an operator's body (between (1 .. 2)).
        if (InfixWords.Contains(word) && (next != TokenKind.OpenParen || Keywords.Contains(word)))
            return MissingBefore(word);
        if (next == TokenKind.Minus && DashedOperator(0) is { } dashed)
            return MissingBefore(dashed);

        Take();
        var name = new NameExpr(word.ToString(), token.Span);
        return At(TokenKind.OpenParen) ? ParseCall(name) : name;
    }

    private MissingExpr MissingBefore(ReadOnlySpan<char> word)
    {
        _diagnostics.Syntax("KS006", Keywords.MissingExpression(word), MissingPlace());
        return new MissingExpr(MissingPlace());
    }

    private Expr ParseCall(NameExpr name)
    {
        if (!Enter())
            return Missing();
        Take();
        var colon = _allowColon;
        _allowColon = false;
        // Functions of the language take no pipelines (but for the few that take tables), so a pipe shows that a parenthesis is missing.
        var scalar = !TableFunctions.Contains(name.Name) && (Symbols.FunctionTable.Scalars.ContainsKey(name.Name) || Symbols.FunctionTable.Aggregates.ContainsKey(name.Name));
        // At the very end of a statement nothing but the parenthesis is missing.
        var arguments = Current.Kind is TokenKind.CloseParen or TokenKind.End or TokenKind.Semicolon ? [] : ParseList<Expr>(scalar ? ParseScalarArgument : ParseQueryArgument);
        _allowColon = colon;
        Expect(TokenKind.CloseParen, ")");
        Leave();
        return new CallExpr(name, arguments, SpanFrom(name.Span.Start));
    }

    /// <summary><c>typeof(type)</c> or <c>typeof(schema)</c>.</summary>
    private TypeOfExpr ParseTypeOf()
    {
        var start = Take().Start;
        Expect(TokenKind.OpenParen, "(");
        TypeOfExpr result;
        if (At(TokenKind.Star) || At(TokenKind.OpenParen) || AtBracketedName() || PeekToken(1).Kind == TokenKind.Colon)
        {
            var nested = TryTake(TokenKind.OpenParen);
            result = ParseTypeOfColumns(start);
            if (nested)
                Expect(TokenKind.CloseParen, ")");
        }
        else
        {
            result = new TypeOfExpr(ParseType(), null, false, SpanFrom(start));
        }

        Expect(TokenKind.CloseParen, ")");
        return new TypeOfExpr(result.Type, result.Columns, result.HasStar, SpanFrom(start));
    }

    private TypeOfExpr ParseTypeOfColumns(int start)
    {
        var columns = new List<ColumnDecl>();
        var star = false;
        if (!At(TokenKind.CloseParen))
        {
            do
            {
                if (TryTake(TokenKind.Star))
                    star = true;
                else
                    columns.Add(ParseColumnDecl());
            }
            while (TryTake(TokenKind.Comma));
        }

        return new TypeOfExpr(KqlType.Unknown, columns, star, SpanFrom(start));
    }

    /// <summary>An expression that may have a name: <c>a = x</c>, <c>(a, b) = x</c>, or just <c>x</c>.</summary>
    private Expr ParseNamed(bool wildcard = false, bool pipeline = false)
    {
        if (wildcard && TryParseWildcard() is { } pattern)
            return pattern;
        if (AtNamed(out var tuple))
        {
            var start = Current.Start;
            List<NameExpr> names;
            if (tuple)
            {
                Take();
                names = ParseList(() => ParseName());
                Expect(TokenKind.CloseParen, ")");
            }
            else
            {
                names = [ParseName()];
            }

            var namesSpan = SpanFrom(start);
            Take();
            var value = pipeline ? ParseQueryArgumentValue() : ParseExpression();
            return new NamedExpr(names, tuple, value, SpanFrom(start), namesSpan);
        }

        return ParseExpression();
    }

    private Expr ParseNamed() => ParseNamed(wildcard: false);

    /// <summary>An argument of a function that takes no table: possibly named, a pipeline only in parentheses.</summary>
    private Expr ParseScalarArgument() => AtSourceOperator() ? ParseQueryArgument() : ParseNamed(wildcard: false);

    private bool AtNamed(out bool tuple)
    {
        tuple = false;
        if (At(TokenKind.Identifier))
            return PeekToken(1).Kind == TokenKind.Equals;
        if (AtBracketedName())
            return PeekToken(3).Kind == TokenKind.Equals;
        if (!At(TokenKind.OpenParen))
            return false;
        var i = _index + 1;
        while (true)
        {
            if (_tokens[i].Kind == TokenKind.Identifier)
                i++;
            else if (_tokens[i].Kind == TokenKind.OpenBracket && i + 2 < _tokens.Count && _tokens[i + 1].Kind == TokenKind.String && _tokens[i + 2].Kind == TokenKind.CloseBracket)
                i += 3;
            else
                return false;
            if (_tokens[i].Kind == TokenKind.Comma)
            {
                i++;
                continue;
            }

            tuple = true;
            return _tokens[i].Kind == TokenKind.CloseParen && _tokens[i + 1].Kind == TokenKind.Equals;
        }
    }

    /// <summary>Adjacent identifiers, numbers and stars with at least one star beside another part: <c>Device*</c>, <c>*Id</c>.</summary>
    private WildcardExpr? TryParseWildcard()
    {
        var count = 0;
        var hasStar = false;
        var hasWord = false;
        while (PeekToken(count).Kind is TokenKind.Identifier or TokenKind.Star or TokenKind.Long && (count == 0 || Touches(count)))
        {
            hasStar |= PeekToken(count).Kind == TokenKind.Star;
            hasWord |= PeekToken(count).Kind != TokenKind.Star;
            count++;
        }

        if (!hasStar || !hasWord)
            return null;
        var start = Current.Start;
        for (var i = 0; i < count; i++)
            Take();
        return new WildcardExpr(_text[start..PreviousEnd], SpanFrom(start));
    }

    private bool _allowColon;
}
