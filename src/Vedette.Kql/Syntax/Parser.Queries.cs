namespace Vedette.Kql.Syntax;

/// <summary>Pipelines, and the sources that are no names: datatable and externaldata.</summary>
internal sealed partial class Parser
{
    /// <summary>A pipeline or a scalar expression: what may stand as a statement or behind <c>let x =</c>.</summary>
    private Expr ParseQuery()
    {
        if (!Enter())
            return Missing();
        var result = ParsePipeline();
        Leave();
        return result;
    }

    private Expr ParsePipeline()
    {
        var start = Current.Start;
        Expr? source = null;
        List<OperatorSyntax>? operators = null;
        if (AtSourceOperator() || AtMisplacedOperator())
            operators = [ParseOperator()];
        else
            source = ParseExpression();
        while (At(TokenKind.Bar) && !_aborted)
        {
            Take();
            operators ??= [];
            operators.Add(ParseOperator());
            if (operators.Count > _options.MaxDepth)
                Abort();
        }

        return operators is null ? source! : new QueryExpr(source, operators, SpanFrom(start));
    }

    /// <summary>The operators inside the parentheses of mv-apply, fork and partition: a pipeline whose first operator reads the context.</summary>
    private QueryExpr ParseSubquery()
    {
        var start = Current.Start;
        if (!Enter())
            return new QueryExpr(Missing(), [], Here);
        var operators = new List<OperatorSyntax> { ParseOperator() };
        while (TryTake(TokenKind.Bar) && !_aborted)
            operators.Add(ParseOperator());
        Leave();
        return new QueryExpr(null, operators, SpanFrom(start));
    }

    /// <summary>A subquery in parentheses.</summary>
    private QueryExpr ParseParenthesizedSubquery()
    {
        Expect(TokenKind.OpenParen, "(");
        var body = ParseSubquery();
        Expect(TokenKind.CloseParen, ")");
        return body;
    }

    /// <summary>An argument: possibly named, possibly a pipeline, possibly a star.</summary>
    private Expr ParseQueryArgument()
    {
        if (AtNamed(out _))
            return ParseNamed(pipeline: true);
        return ParseQueryArgumentValue();
    }

    private Expr ParseQueryArgumentValue()
    {
        if (!Enter())
            return Missing();
        var colon = _allowColon;
        if (AtSourceOperator())
            _allowColon = false;
        var result = ParsePipeline();
        _allowColon = colon;
        Leave();
        return result;
    }

    private bool AtSourceOperator()
    {
        if (!At(TokenKind.Identifier) || !OperatorFacts.CanBegin(TextOf(Current)))
            return false;
        var next = PeekToken(1);
        return TextOf(Current) switch
        {
            "range" => next.Kind is TokenKind.Identifier or TokenKind.OpenBracket,
            "macro" => next.Kind == TokenKind.Minus && IsWord(2, "expand"),
            "evaluate" => next.Kind == TokenKind.Identifier,
            "print" => true,
            "union" => next.Kind is not (TokenKind.Equals or TokenKind.Dot or TokenKind.CloseParen),
            _ => next.Kind is not (TokenKind.Equals or TokenKind.Dot or TokenKind.Comma or TokenKind.CloseParen or TokenKind.EqualEqual or TokenKind.Bar),
        };
    }

    /// <summary>An operator where its source should stand, by a word that is no name: <c>where x == 1</c>.</summary>
    private bool AtMisplacedOperator() =>
        At(TokenKind.Identifier) && PeekToken(1).Kind is not (TokenKind.Equals or TokenKind.Dot or TokenKind.OpenParen)
        && (TextOf(Current) is "where" or "project" or "invoke" || DashedOperator(0) is not null);

    /// <summary>The operator name with dashes that stands at an offset (<c>mv-expand</c>), or null.</summary>
    private string? DashedOperator(int offset)
    {
        var end = offset;
        while (PeekToken(end + 1).Kind == TokenKind.Minus && Touches(end + 1) && PeekToken(end + 2).Kind == TokenKind.Identifier && Touches(end + 2))
            end += 2;
        for (; end > offset; end -= 2)
        {
            var text = _text[PeekToken(offset).Start..PeekToken(end).End];
            if (OperatorFacts.Names.ContainsKey(text))
                return text;
        }

        return null;
    }

    /// <summary>The canonical name of the operator here, its tokens consumed; null (and nothing consumed) for an unknown word.</summary>
    private string? TakeOperatorName(out TextSpan span)
    {
        span = Current.Span;
        if (!At(TokenKind.Identifier))
            return null;
        // Longest dashed word first: project-away before project.
        var end = 0;
        while (PeekToken(end + 1).Kind == TokenKind.Minus && Touches(end + 1) && PeekToken(end + 2).Kind == TokenKind.Identifier && Touches(end + 2))
            end += 2;
        for (; end >= 0; end -= 2)
        {
            var last = PeekToken(end);
            var text = _text[Current.Start..last.End];
            if (!OperatorFacts.Names.TryGetValue(text, out var name))
                continue;
            span = new TextSpan(Current.Start, text.Length);
            _index += end + 1;
            return name;
        }

        return null;
    }

    private DataTableExpr ParseDataTable()
    {
        var start = Take().Start;
        SkipParameters();
        var columns = ParseSchema();
        var cells = new List<Expr>();
        var last = 0;
        if (Expect(TokenKind.OpenBracket, "["))
        {
            // Values, not names: a name shows that the closing bracket is missing.
            while (AtCell() && !_aborted)
            {
                var before = _index;
                cells.Add(ParseExpression());
                if (!TryTake(TokenKind.Comma) && !At(TokenKind.CloseBracket))
                {
                    if (!AtCell())
                        break;
                    _diagnostics.Syntax("KS005", "Expected: ,", ErrorPlace());
                    if (_index == before)
                        break;
                }
            }

            last = PreviousEnd;

            Expect(TokenKind.CloseBracket, "]");
        }

        var values = cells.Count == 0 ? SpanFrom(start) : new TextSpan(cells[0].Span.Start, last - cells[0].Span.Start);
        return new DataTableExpr(columns, cells, values, SpanFrom(start));
    }

    private bool AtCell() => Current.Kind switch
    {
        TokenKind.String or TokenKind.Long or TokenKind.Real or TokenKind.TimeSpan or TokenKind.Typed or TokenKind.Minus or TokenKind.Plus or TokenKind.OpenParen => true,
        TokenKind.Identifier => PeekToken(1).Kind == TokenKind.OpenParen || TextOf(Current) is "true" or "false" or "True" or "False" or "TRUE" or "FALSE" or "null",
        _ => false,
    };

    /// <summary><c>inline_external_table (schema) kind=… [partition …] dataformat=… (uris) with (…)</c>, read as external data.</summary>
    private ExternalDataExpr ParseInlineExternalTable()
    {
        var start = Take().Start;
        List<ColumnDecl> columns = At(TokenKind.OpenParen) && PeekToken(2).Kind == TokenKind.Colon ? ParseSchema() : [];
        var properties = new List<OperatorParameter>();
        List<(ColumnDecl, Expr?)> partitions = [];
        var path = new List<Expr>();
        while (At(TokenKind.Identifier) && !AtWord("with"))
        {
            if (TryTakeWord("partition"))
            {
                TryTakeWord("by");
                if (TryTake(TokenKind.OpenParen))
                {
                    partitions = ParseList(ParsePartitionColumn);
                    Expect(TokenKind.CloseParen, ")");
                }

                continue;
            }

            if (TryTakeWord("pathformat"))
            {
                TryTake(TokenKind.Equals);
                if (TryTake(TokenKind.OpenParen))
                {
                    while (Current.Kind is TokenKind.String or TokenKind.Identifier)
                        path.Add(ParseExpression());
                    Expect(TokenKind.CloseParen, ")");
                }

                continue;
            }

            properties.Add(ParseParameterValue(TakeDottedName(out var span), span, word: true));
        }

        Expect(TokenKind.OpenParen, "(");
        var uris = ParseList(ParseExpression);
        Expect(TokenKind.CloseParen, ")");
        properties.AddRange(ParseWithClause());
        return new ExternalDataExpr(columns, uris, properties, SpanFrom(start)) { Partitions = partitions, PathFormat = path };
    }

    private (ColumnDecl Column, Expr? Value) ParsePartitionColumn()
    {
        var column = ParseColumnDecl();
        return (column, column.Default ?? (TryTake(TokenKind.Equals) ? ParseExpression() : null));
    }

    private ExternalDataExpr ParseExternalData()
    {
        var start = Take().Start;
        SkipParameters();
        var columns = ParseSchema();
        var uris = new List<Expr>();
        if (TryTake(TokenKind.OpenBracket))
        {
            if (!At(TokenKind.CloseBracket))
            {
                do
                {
                    if (At(TokenKind.CloseBracket))
                        break;
                    uris.Add(ParseExpression());
                }
                while (TryTake(TokenKind.Comma));
            }

            Expect(TokenKind.CloseBracket, "]");
        }
        else
        {
            uris.Add(ParseExpression());
        }

        var properties = ParseWithClause();
        return new ExternalDataExpr(columns, uris, properties, SpanFrom(start));
    }

    /// <summary>An optional <c>with (name=value, …)</c>; the parentheses may be missing.</summary>
    private List<OperatorParameter> ParseWithClause()
    {
        var properties = new List<OperatorParameter>();
        if (!TryTakeWord("with"))
            return properties;
        var parenthesized = TryTake(TokenKind.OpenParen);
        while (At(TokenKind.Identifier))
        {
            properties.Add(ParseParameterValue(TakeDottedName(out var span), span));
            if (!TryTake(TokenKind.Comma) && !At(TokenKind.Identifier))
                break;
        }

        if (parenthesized)
            Expect(TokenKind.CloseParen, ")");
        return properties;
    }

    private void SkipParameters()
    {
        while (At(TokenKind.Identifier))
            ParseParameterValue(TakeDottedName(out var span), span);
    }

    private string TakeDottedName(out TextSpan span)
    {
        var start = Take().Start;
        while (At(TokenKind.Dot) && PeekToken(1).Kind == TokenKind.Identifier)
        {
            Take();
            Take();
        }

        span = SpanFrom(start);
        return _text[start..PreviousEnd];
    }

    private OperatorParameter ParseParameterValue(string name, TextSpan span, bool word = false)
    {
        Expect(TokenKind.Equals, "=");
        Expr value;
        if (At(TokenKind.Identifier) && (word || PeekToken(1).Kind is not (TokenKind.OpenParen or TokenKind.Dot))
            && TextOf(Current) is not ("true" or "false"))
        {
            value = ParseName();
        }
        else if (AtBracketedName())
        {
            value = ParseName();
        }
        else
        {
            value = ParseUnary();
        }

        // Lists of columns (ycolumns=a, b) belong to the property while no further name=value follows.
        if (name.EndsWith("columns", StringComparison.OrdinalIgnoreCase) || name.Equals("series", StringComparison.OrdinalIgnoreCase))
        {
            while (At(TokenKind.Comma) && PeekToken(1).Kind == TokenKind.Identifier && PeekToken(2).Kind != TokenKind.Equals)
            {
                Take();
                var next = ParseName();
                value = new NameExpr((value as NameExpr)?.Name + "," + next.Name, value.Span.To(next.Span));
            }
        }

        return new OperatorParameter(name, span, value);
    }

    /// <summary>The named parameters of an operator, as far as they stand here.</summary>
    private IReadOnlyList<OperatorParameter> ParseOperatorParameters(string name)
    {
        List<OperatorParameter>? result = null;
        while (AtParameter(name))
        {
            result ??= [];
            var parameter = ParseParameterValue(TakeDottedName(out var span), span, word: true);
            result.Add(parameter);
            if (parameter.Word is { Length: > 0 } word && OperatorFacts.ParameterValues.TryGetValue((name, parameter.Name), out var values))
                ExpectOneOf(values, word, parameter.Value.Span);
        }

        return result ?? (IReadOnlyList<OperatorParameter>)[];
    }

    private void ExpectOneOf(string[] values, string word, TextSpan span)
    {
        if (!values.Contains(word, StringComparer.OrdinalIgnoreCase))
            _diagnostics.Syntax("KS005", $"{(values.Length > 1 ? "Expected one of" : "Expected")}: {string.Join(", ", values)}", span, Binding.Hints.Nearest(word, values));
    }

    private bool AtParameter(string operatorName)
    {
        if (!At(TokenKind.Identifier))
            return false;
        var word = TextOf(Current);
        if (word is "hint" && PeekToken(1).Kind == TokenKind.Dot)
            return true;
        if (PeekToken(1).Kind != TokenKind.Equals)
            return false;
        if (word is "__isFuzzy" or "__crossCluster" or "__crossDB" or "__id" or "__noWithSource" or "__packedColumn" or "__sourceColumnIndex")
            return true;
        if (!OperatorFacts.Parameters.TryGetValue(operatorName, out var names))
            return false;
        foreach (var candidate in names)
        {
            if (word.Equals(candidate, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }
}
