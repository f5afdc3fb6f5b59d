namespace Vedette.Kql.Syntax;

/// <summary>Operators with a grammar of their own: mv-expand, parse, make-series, partition, scan, macro-expand and the like.</summary>
internal sealed partial class Parser
{
    private ExpandOperator ParseExpand(OperatorHead head)
    {
        var items = ParseList(ParseExpandItem);
        Expr? limit = null;
        QueryExpr? body = null;
        if (TryTakeWord("limit"))
            limit = ParseExpression();
        if (head.Name == "mv-apply")
        {
            ExpectWord("on");
            body = ParseParenthesizedSubquery();
        }

        return new ExpandOperator(head, items, limit, body, SpanFrom(head.NameSpan.Start));
    }

    private ExpandExpr ParseExpandItem()
    {
        var value = ParseNamed();
        TypeOfExpr? to = null;
        if (AtWord("to"))
        {
            Take();
            if (AtWord("typeof"))
                to = ParseTypeOf();
            else
                Missing("typeof literal");
        }

        return new ExpandExpr(value, to);
    }

    private ParseOperator ParseParse(OperatorHead head)
    {
        var source = ParseExpression();
        ExpectWord("with");
        var pattern = new List<ParsePatternPart>();
        while (!_aborted)
        {
            var token = Current;
            if (TryTake(TokenKind.Star))
            {
                pattern.Add(new ParsePatternPart(true, null, null, KqlType.Unknown, token.Span));
            }
            else if (At(TokenKind.String))
            {
                var text = ParseString();
                pattern.Add(new ParsePatternPart(false, text, null, KqlType.String, text.Span));
            }
            else if ((At(TokenKind.Identifier) && !InfixWords.Contains(TextOf(Current))) || AtBracketedName() || At(TokenKind.Colon))
            {
                var column = ParseName();
                var type = TryTake(TokenKind.Colon) ? ParseType() : KqlType.String;
                pattern.Add(new ParsePatternPart(false, null, column, type, SpanFrom(column.Span.Start)));
            }
            else if (!TryTake(TokenKind.Comma))
            {
                break;
            }
        }

        if (pattern.Count == 0)
            Missing("pattern");
        return new ParseOperator(head, source, pattern, SpanFrom(head.NameSpan.Start));
    }

    private ParseKvOperator ParseParseKv(OperatorHead head)
    {
        var source = ParseExpression();
        ExpectWord("as");
        var keys = ParseSchema();
        var options = ParseWithClause();
        return new ParseKvOperator(head, source, keys, options, SpanFrom(head.NameSpan.Start));
    }

    private MakeSeriesOperator ParseMakeSeries(OperatorHead head)
    {
        var series = ParseList(ParseSeries);
        ExpectWord("on");
        var axis = ParseAxis();
        Expr? from = null, to = null, step = null;
        if (TryTakeWord("in"))
        {
            // Old form: in range(from, to, step).
            if (!AtWord("range"))
                _diagnostics.Syntax("KS005", "Expected: range", ErrorPlace());
            if (ParsePrimary() is CallExpr { Arguments: [var a, var b, var c] })
                (from, to, step) = (a, b, c);
        }
        else
        {
            if (TryTakeWord("from"))
                from = ParseExpression();
            if (TryTakeWord("to"))
                to = ParseExpression();
            if (TryTakeWord("step"))
                step = ParseExpression();
            else
                _diagnostics.Syntax("KS005", "Expected: step", ErrorPlace());
        }

        var keys = TryTakeWord("by") ? ParseList(ParseNamed) : [];
        return new MakeSeriesOperator(head, series, axis, from, to, step, keys, SpanFrom(head.NameSpan.Start));
    }

    /// <summary>The axis of make-series; the word <c>in</c> behind it is no set operator.</summary>
    private Expr ParseAxis()
    {
        if (!AtNamed(out var tuple) || tuple)
            return ParseAdditive();
        var name = ParseName();
        Take();
        return new NamedExpr([name], false, ParseAdditive(), SpanFrom(name.Span.Start));
    }

    private (Expr Value, Expr? Default) ParseSeries()
    {
        var value = ParseNamed();
        Expr? fallback = null;
        if (AtWord("default"))
        {
            Take();
            Expect(TokenKind.Equals, "=");
            fallback = ParseExpression();
        }

        return (value, fallback);
    }

    private BranchOperator ParsePartition(OperatorHead head)
    {
        ExpectWord("by");
        // Not an expression: the body's parenthesis would look like a call's.
        Expr key = ParseName();
        while (TryTake(TokenKind.Dot))
            key = new MemberExpr(key, ParseName(), SpanFrom(key.Span.Start));
        // Hints may also follow the key.
        var parameters = head.Parameters.Concat(ParseOperatorParameters(head.Name)).ToList();
        head = head with { Parameters = parameters };
        QueryExpr body;
        if (TryTake(TokenKind.OpenBrace))
        {
            var start = Current.Start;
            var value = ParseQuery();
            body = value is QueryExpr { Source: not null } query ? query : new QueryExpr(value, [], SpanFrom(start));
            Expect(TokenKind.CloseBrace, "}");
        }
        else
        {
            body = ParseParenthesizedSubquery();
        }

        return new BranchOperator(head, [key], [(null, body)], SpanFrom(head.NameSpan.Start));
    }

    private BranchOperator ParseFork(OperatorHead head)
    {
        var branches = new List<(NameExpr?, QueryExpr)>();
        while (At(TokenKind.OpenParen) || (At(TokenKind.Identifier) && PeekToken(1).Kind == TokenKind.Equals))
        {
            NameExpr? name = null;
            if (!At(TokenKind.OpenParen))
            {
                name = ParseName();
                Take();
            }

            branches.Add((name, ParseParenthesizedSubquery()));
        }

        if (branches.Count == 0)
            Missing("expression");
        return new BranchOperator(head, [], branches, SpanFrom(head.NameSpan.Start));
    }

    private BranchOperator ParseFacet(OperatorHead head)
    {
        ExpectWord("by");
        var keys = ParseList(ParseExpression);
        List<(NameExpr?, QueryExpr)> branches = [];
        if (TryTakeWord("with"))
            branches.Add((null, At(TokenKind.OpenParen) ? ParseParenthesizedSubquery() : ParseSubquery()));
        return new BranchOperator(head, keys, branches, SpanFrom(head.NameSpan.Start));
    }

    private ReduceOperator ParseReduce(OperatorHead head)
    {
        ExpectWord("by");
        var value = ParseNamed();
        var options = ParseWithClause();
        return new ReduceOperator(head, value, options, SpanFrom(head.NameSpan.Start));
    }

    private ScanOperator ParseScan(OperatorHead head)
    {
        List<Expr> order = [];
        List<Expr> partition = [];
        List<ColumnDecl> declared = [];
        while (AtWord("order") || AtWord("partition"))
        {
            var isOrder = TextOf(Take()) is "order";
            ExpectWord("by");
            if (isOrder)
                order = ParseList(() => ParseOrdered());
            else
                partition = ParseList(ParseExpression);
        }

        if (TryTakeWord("declare"))
            declared = ParseSchema();
        ExpectWord("with");
        Expect(TokenKind.OpenParen, "(");
        var steps = new List<ScanStepSyntax>();
        while (AtWord("step"))
        {
            steps.Add(ParseScanStep());
            if (!TryTake(TokenKind.Semicolon))
                break;
        }

        Expect(TokenKind.CloseParen, ")");
        return new ScanOperator(head, order, partition, declared, steps, SpanFrom(head.NameSpan.Start));
    }

    private ScanStepSyntax ParseScanStep()
    {
        var start = Take().Start;
        var name = ParseName();
        var optional = TryTakeWord("optional");
        string? output = null;
        if (TryTakeWord("output"))
        {
            Expect(TokenKind.Equals, "=");
            if (AtWord("all") || AtWord("last") || AtWord("none"))
                output = TextOf(Take()).ToString();
            else
                Missing("all, last or none");
        }

        Expect(TokenKind.Colon, ":");
        var condition = ParseExpression();
        List<Expr> assignments = [];
        if (TryTake(TokenKind.FatArrow))
            assignments = ParseList(ParseNamed);
        return new ScanStepSyntax(name, optional, output, condition, assignments, SpanFrom(start));
    }

    private MacroExpandOperator ParseMacroExpand(OperatorHead head)
    {
        NameExpr name;
        Expr group;
        if (At(TokenKind.Identifier) && IsWord(1, "in"))
        {
            name = ParseName();
            ExpectWord("in");
            group = AtWord("entity_group") ? ParseEntityGroup() : ParseName();
        }
        else
        {
            group = AtWord("entity_group") ? ParseEntityGroup() : ParsePostfixTable();
            ExpectWord("as");
            name = ParseName();
        }

        Expect(TokenKind.OpenParen, "(");
        var body = ParseStatements(TokenKind.CloseParen);
        Expect(TokenKind.CloseParen, ")");
        return new MacroExpandOperator(head, group, name, body, SpanFrom(head.NameSpan.Start));
    }

    private MakeGraphOperator ParseMakeGraph(OperatorHead head)
    {
        var source = ParseName();
        ParseGraphArrow();
        var target = ParseName();
        var nodes = new List<(Expr, NameExpr)>();
        NameExpr? nodeId = null;
        NameExpr? partition = null;
        QueryExpr? body = null;
        if (AtWord("with_node_id") && PeekToken(1).Kind == TokenKind.Equals)
        {
            Take();
            Take();
            nodeId = ParseName();
        }
        else if (TryTakeWord("with"))
        {
            nodes = ParseList(() =>
            {
                var table = ParsePrimaryTable();
                ExpectWord("on");
                return (table, ParseName());
            });
        }

        if (AtWord("partitioned") && PeekToken(1).Kind == TokenKind.Minus && IsWord(2, "by"))
        {
            _index += 3;
            partition = ParseName();
            body = ParseParenthesizedSubquery();
        }

        return new MakeGraphOperator(head, source, target, nodes, nodeId, partition, body, SpanFrom(head.NameSpan.Start));
    }

    private void ParseGraphArrow()
    {
        if (At(TokenKind.Minus) && PeekToken(1).Kind == TokenKind.Minus && PeekToken(2).Kind == TokenKind.Greater)
            _index += 3;
        else
            _diagnostics.Syntax("KS005", "Expected: -->", ErrorPlace());
    }

    private GraphMatchOperator ParseGraphMatch(OperatorHead head)
    {
        var patterns = ParseList(ParseGraphPattern, reportMissingComma: false);
        Expr? where = TryTakeWord("where") ? ParseExpression() : null;
        var project = TryTakeWord("project") ? ParseList(ParseNamed) : [];
        return new GraphMatchOperator(head, patterns, where, project, SpanFrom(head.NameSpan.Start));
    }

    private List<GraphElementSyntax> ParseGraphPattern()
    {
        var elements = new List<GraphElementSyntax>();
        while (!_aborted)
        {
            var start = Current.Start;
            if (TryTake(TokenKind.OpenParen))
            {
                var name = At(TokenKind.CloseParen) ? null : ParseName();
                Expect(TokenKind.CloseParen, ")");
                elements.Add(new GraphElementSyntax(name, false, false, false, null, null, SpanFrom(start)));
            }
            else if (Current.Kind is TokenKind.Minus or TokenKind.Less)
            {
                elements.Add(ParseGraphEdge());
            }
            else
            {
                break;
            }
        }

        if (elements.Count == 0)
            Missing("graph-match pattern element");
        return elements;
    }

    private GraphElementSyntax ParseGraphEdge()
    {
        var start = Current.Start;
        var backward = TryTake(TokenKind.Less);
        Expect(TokenKind.Minus, "-");
        NameExpr? name = null;
        Expr? min = null, max = null;
        if (TryTake(TokenKind.OpenBracket))
        {
            if (At(TokenKind.Identifier))
                name = ParseName();
            if (TryTake(TokenKind.Star))
            {
                min = ParseUnary();
                Expect(TokenKind.DotDot, "..");
                max = ParseUnary();
            }

            Expect(TokenKind.CloseBracket, "]");
        }

        Expect(TokenKind.Minus, "-");
        var forward = TryTake(TokenKind.Greater);
        if (!forward && !backward)
            forward = backward = true;
        return new GraphElementSyntax(name, true, forward, backward, min, max, SpanFrom(start));
    }

    private GraphToTableOperator ParseGraphToTable(OperatorHead head)
    {
        var outputs = ParseList(() =>
        {
            var edges = AtWord("edges");
            if (!edges && !AtWord("nodes"))
                _diagnostics.Syntax("KS229", "Missing graph entity type, Expected values [nodes, edges].", ErrorPlace());
            else
                Take();
            NameExpr? name = TryTakeWord("as") ? ParseName() : null;
            var parameters = new List<OperatorParameter>();
            while (At(TokenKind.Identifier) && PeekToken(1).Kind == TokenKind.Equals)
                parameters.Add(ParseParameterValue(TakeDottedName(out var span), span));
            return new GraphOutput(edges, name, parameters);
        });
        return new GraphToTableOperator(head, outputs, SpanFrom(head.NameSpan.Start));
    }
}
