namespace Vedette.Kql.Syntax;

/// <summary>The tabular operators.</summary>
internal sealed partial class Parser
{
    private static readonly Dictionary<string, Func<Parser, OperatorHead, OperatorSyntax>> OperatorParsers = new(StringComparer.Ordinal)
    {
        ["where"] = (p, h) => p.ParseWhere(h),
        ["extend"] = (p, h) => p.ParseItems(h),
        ["project"] = (p, h) => p.ParseItems(h, optional: true),
        ["project-away"] = (p, h) => p.ParseItems(h, wildcard: true, optional: true),
        ["project-keep"] = (p, h) => p.ParseItems(h, wildcard: true, optional: true),
        ["project-by-names"] = (p, h) => p.ParseItems(h, wildcard: true, optional: true),
        ["project-rename"] = (p, h) => p.ParseItems(h, optional: true),
        ["project-reorder"] = (p, h) => p.ParseReorder(h),
        ["summarize"] = (p, h) => p.ParseSummarize(h),
        ["sort"] = (p, h) => p.ParseSort(h),
        ["top"] = (p, h) => p.ParseTop(h),
        ["top-nested"] = (p, h) => p.ParseTopNested(h),
        ["top-hitters"] = (p, h) => p.ParseTopHitters(h),
        ["take"] = (p, h) => p.ParseSingle(h),
        ["distinct"] = (p, h) => p.ParseItems(h),
        ["count"] = (p, h) => p.ParseCount(h),
        ["join"] = (p, h) => p.ParseJoin(h),
        ["lookup"] = (p, h) => p.ParseJoin(h),
        ["union"] = (p, h) => p.ParseUnion(h),
        ["search"] = (p, h) => p.ParseSearch(h),
        ["find"] = (p, h) => p.ParseFind(h),
        ["mv-expand"] = (p, h) => p.ParseExpand(h),
        ["mv-apply"] = (p, h) => p.ParseExpand(h),
        ["parse"] = (p, h) => p.ParseParse(h),
        ["parse-where"] = (p, h) => p.ParseParse(h),
        ["parse-kv"] = (p, h) => p.ParseParseKv(h),
        ["make-series"] = (p, h) => p.ParseMakeSeries(h),
        ["print"] = (p, h) => p.ParseItems(h),
        ["range"] = (p, h) => p.ParseRange(h),
        ["render"] = (p, h) => p.ParseRender(h),
        ["evaluate"] = (p, h) => p.ParseEvaluate(h),
        ["invoke"] = (p, h) => p.ParseInvoke(h),
        ["as"] = (p, h) => p.ParseAs(h),
        ["serialize"] = (p, h) => p.ParseItems(h, optional: true),
        ["sample"] = (p, h) => p.ParseSingle(h),
        ["sample-distinct"] = (p, h) => p.ParseTopHitters(h),
        ["getschema"] = (p, h) => new ListOperator(h, [], h.NameSpan),
        ["consume"] = (p, h) => new ListOperator(h, [], h.NameSpan),
        ["execute-and-cache"] = (p, h) => new ListOperator(h, [], h.NameSpan),
        ["partition"] = (p, h) => p.ParsePartition(h),
        ["fork"] = (p, h) => p.ParseFork(h),
        ["facet"] = (p, h) => p.ParseFacet(h),
        ["reduce"] = (p, h) => p.ParseReduce(h),
        ["scan"] = (p, h) => p.ParseScan(h),
        ["macro-expand"] = (p, h) => p.ParseMacroExpand(h),
        ["make-graph"] = (p, h) => p.ParseMakeGraph(h),
        ["graph-match"] = (p, h) => p.ParseGraphMatch(h),
        ["graph-shortest-paths"] = (p, h) => p.ParseGraphMatch(h),
        ["graph-to-table"] = (p, h) => p.ParseGraphToTable(h),
        ["graph-mark-components"] = (p, h) => new GraphToTableOperator(h, [], h.NameSpan),
        ["graph-where-nodes"] = (p, h) => p.ParseWhere(h),
        ["graph-where-edges"] = (p, h) => p.ParseWhere(h),
        ["assert-schema"] = (p, h) => p.ParseAssertSchema(h),
    };

    private OperatorSyntax ParseOperator()
    {
        if (!Enter())
            return new BadOperator(new OperatorHead("", Here, []), Here);
        var name = TakeOperatorName(out var span);
        if (name is null)
        {
            if (!_aborted)
                _diagnostics.Syntax("KS176", "Query operator expected.", At(TokenKind.Identifier) && !Keywords.IsReserved(TextOf(Current)) ? Current.Span : MissingPlace(), OperatorHint());
            if (At(TokenKind.Identifier))
                Take();
            Recover();
            Leave();
            return new BadOperator(new OperatorHead("", span, []), span);
        }

        var head = new OperatorHead(name, span, ParseOperatorParameters(name));
        var result = OperatorParsers[name](this, head);
        Leave();
        return result;
    }

    /// <summary>The operator that a misspelt name with or without dashes is nearest to.</summary>
    private string? OperatorHint()
    {
        if (!At(TokenKind.Identifier))
            return null;
        var end = 0;
        while (PeekToken(end + 1).Kind == TokenKind.Minus && Touches(end + 1) && PeekToken(end + 2).Kind == TokenKind.Identifier && Touches(end + 2))
            end += 2;
        return Binding.Hints.Nearest(_text[Current.Start..PeekToken(end).End], OperatorFacts.Names.Keys);
    }

    private ListOperator ParseWhere(OperatorHead head) => new(head, [ParseNamed()], SpanFrom(head.NameSpan.Start));

    private ListOperator ParseSingle(OperatorHead head) => new(head, [ParseNamed()], SpanFrom(head.NameSpan.Start));

    private ListOperator ParseItems(OperatorHead head, bool wildcard = false, bool optional = false)
    {
        var items = optional && !AtItem() ? [] : ParseList(() => ParseNamed(wildcard));
        return new ListOperator(head, items, SpanFrom(head.NameSpan.Start));
    }

    /// <summary>Whether an item of a list that may be empty begins here.</summary>
    private bool AtItem() => Current.Kind switch
    {
        TokenKind.Identifier => !InfixWords.Contains(TextOf(Current)) || PeekToken(1).Kind == TokenKind.Equals,
        TokenKind.Star or TokenKind.OpenBracket or TokenKind.Comma => true,
        _ => AtStatement(),
    };

    private ListOperator ParseReorder(OperatorHead head)
    {
        var items = !AtItem() ? [] : ParseList(() => ParseOrdered(wildcard: true));
        return new ListOperator(head, items, SpanFrom(head.NameSpan.Start));
    }

    private SummarizeOperator ParseSummarize(OperatorHead head)
    {
        var aggregates = !AtItem() ? [] : ParseList(ParseNamed);
        var hasBy = TryTakeWord("by");
        var keys = hasBy ? ParseList(ParseNamed) : [];
        return new SummarizeOperator(head, aggregates, keys, hasBy, SpanFrom(head.NameSpan.Start));
    }

    private ListOperator ParseSort(OperatorHead head)
    {
        ExpectWord("by");
        var items = ParseList(() => ParseOrdered());
        return new ListOperator(head, items, SpanFrom(head.NameSpan.Start));
    }

    private Expr ParseOrdered(bool wildcard = false)
    {
        var start = Current.Start;
        var value = ParseNamed(wildcard);
        bool? descending = null;
        bool? nullsFirst = null;
        var granny = false;
        if (AtWord("asc") || AtWord("desc"))
        {
            descending = TextOf(Take()) is "desc";
        }
        else if (AtWord("granny") && PeekToken(1).Kind == TokenKind.Minus)
        {
            Take();
            Take();
            granny = true;
            descending = TextOf(Take()) is "desc";
        }

        if (TryTakeWord("nulls"))
        {
            if (AtWord("first") || AtWord("last"))
                nullsFirst = TextOf(Take()) is "first";
            else
                _diagnostics.Syntax("KS006", "Missing first or last", Current.Span);
        }

        return descending is null && nullsFirst is null ? value : new OrderedExpr(value, descending, nullsFirst, granny, SpanFrom(start));
    }

    private CountedOperator ParseTop(OperatorHead head)
    {
        var count = ParseNamed();
        ExpectWord("by");
        var by = ParseList(() => ParseOrdered());
        return new CountedOperator(head, count, null, by, SpanFrom(head.NameSpan.Start));
    }

    private CountedOperator ParseTopHitters(OperatorHead head)
    {
        var count = ParseNamed();
        ExpectWord("of");
        var of = ParseNamed();
        List<Expr> by = TryTakeWord("by") ? [ParseNamed()] : [];
        return new CountedOperator(head, count, of, by, SpanFrom(head.NameSpan.Start));
    }

    private TopNestedOperator ParseTopNested(OperatorHead head)
    {
        var levels = new List<TopNestedClause> { ParseTopNestedClause() };
        while (TryTake(TokenKind.Comma))
        {
            if (TakeOperatorName(out _) is not "top-nested")
                _diagnostics.Syntax("KS005", "Expected: top-nested", ErrorPlace());
            levels.Add(ParseTopNestedClause());
        }

        return new TopNestedOperator(head, levels, SpanFrom(head.NameSpan.Start));
    }

    private TopNestedClause ParseTopNestedClause()
    {
        var start = Current.Start;
        var count = AtWord("of") ? null : ParseExpression();
        ExpectWord("of");
        var of = ParseNamed();
        Expr? others = null;
        if (TryTakeWord("with"))
        {
            ExpectWord("others");
            Expect(TokenKind.Equals, "=");
            others = ParseExpression();
        }

        ExpectWord("by");
        var by = ParseOrdered();
        return new TopNestedClause(count, of, others, by, SpanFrom(start));
    }

    private ListOperator ParseCount(OperatorHead head)
    {
        // An old form names the result: count as X.
        if (AtWord("as"))
        {
            Take();
            var name = ParseName();
            return new ListOperator(head, [name], SpanFrom(head.NameSpan.Start));
        }

        return new ListOperator(head, [], SpanFrom(head.NameSpan.Start));
    }

    private JoinOperator ParseJoin(OperatorHead head)
    {
        var right = ParsePrimaryTable();
        List<Expr> conditions = [];
        var hasOn = TryTakeWord("on");
        Expr? where = null;
        if (hasOn)
            conditions = ParseList(ParseExpression);
        else if (TryTakeWord("where"))
            where = ParseExpression();
        return new JoinOperator(head, right, conditions, hasOn, where, SpanFrom(head.NameSpan.Start));
    }

    /// <summary>A table operand: a name, a call, a path, or a pipeline in parentheses.</summary>
    private Expr ParsePrimaryTable()
    {
        if (Current.Kind is TokenKind.OpenParen or TokenKind.Identifier or TokenKind.OpenBracket)
            return ParsePostfix(ParsePrimary());
        return Missing();
    }

    private UnionOperator ParseUnion(OperatorHead head)
    {
        var tables = ParseList(ParseUnionTable);
        return new UnionOperator(head, tables, null, null, null, SpanFrom(head.NameSpan.Start));
    }

    private Expr ParseUnionTable()
    {
        if (TryParseWildcard() is { } pattern)
            return pattern;
        if (At(TokenKind.Star))
            return new StarExpr(Take().Span);
        if (At(TokenKind.OpenParen) || AtBracketedName() || At(TokenKind.Identifier))
        {
            var table = ParsePostfixTable();
            return table;
        }

        return Missing();
    }

    /// <summary>As <see cref="ParsePrimaryTable"/>, with a wildcard allowed behind the last dot (<c>database('x').T*</c>).</summary>
    private Expr ParsePostfixTable()
    {
        var target = ParsePrimary();
        while (At(TokenKind.Dot))
        {
            Take();
            Expr selector = (Expr?)TryParseWildcard() ?? (At(TokenKind.Star) ? new StarExpr(Take().Span) : ParseName());
            if (selector is NameExpr name && At(TokenKind.OpenParen))
                selector = ParseCall(name);
            target = new MemberExpr(target, selector, SpanFrom(target.Span.Start));
        }

        return target;
    }

    private List<Expr> ParseInTables()
    {
        if (!TryTakeWord("in"))
            return [];
        Expect(TokenKind.OpenParen, "(");
        var tables = ParseList(ParseUnionTable);
        Expect(TokenKind.CloseParen, ")");
        return tables;
    }

    private UnionOperator ParseSearch(OperatorHead head)
    {
        var tables = ParseInTables();
        var colon = _allowColon;
        _allowColon = true;
        var predicate = ParseExpression();
        _allowColon = colon;
        return new UnionOperator(head, tables, predicate, null, null, SpanFrom(head.NameSpan.Start));
    }

    private UnionOperator ParseFind(OperatorHead head)
    {
        var tables = ParseInTables();
        // Parameters may also follow the table list's keyword order of old queries.
        TryTakeWord("where");
        var colon = _allowColon;
        _allowColon = true;
        var predicate = ParseExpression();
        _allowColon = colon;
        List<Expr>? project = null;
        List<Expr>? away = null;
        if (AtWord("project") || AtWord("project-smart"))
        {
            var name = TakeOperatorName(out _);
            if (name is "project")
                project = ParseList(ParseFindColumn);
            else if (name is "project-away")
                away = ParseList(() => ParseNamed(wildcard: true));
        }

        return new UnionOperator(head, tables, predicate, project, away, SpanFrom(head.NameSpan.Start));
    }

    /// <summary>A column of find's project: <c>name</c>, <c>name:type</c> or <c>pack(*)</c>.</summary>
    private Expr ParseFindColumn()
    {
        if (At(TokenKind.Identifier) && PeekToken(1).Kind == TokenKind.Colon)
        {
            var start = Current.Start;
            var column = ParseColumnDecl();
            return new NamedExpr([column.Name], false, new TypeOfExpr(column.Type, null, false, column.TypeSpan), SpanFrom(start));
        }

        return ParseNamed(wildcard: true);
    }

    private RangeOperator ParseRange(OperatorHead head)
    {
        var column = ParseName();
        ExpectWord("from");
        var from = ParseExpression();
        ExpectWord("to");
        var to = ParseExpression();
        ExpectWord("step");
        var step = ParseExpression();
        return new RangeOperator(head, column, from, to, step, SpanFrom(head.NameSpan.Start));
    }

    private RenderOperator ParseRender(OperatorHead head)
    {
        string chart;
        if (At(TokenKind.Identifier) && PeekToken(1).Kind != TokenKind.Equals)
        {
            chart = TextOf(Current).ToString();
            ExpectOneOf(OperatorFacts.Charts, chart, Take().Span);
        }
        else
        {
            chart = "table";
            _diagnostics.Syntax("KS005", $"Expected one of: {string.Join(", ", OperatorFacts.Charts)}", At(TokenKind.End) ? MissingPlace() : ErrorPlace());
        }

        var properties = new List<OperatorParameter>();
        if (AtWord("with"))
        {
            properties = ParseWithClause();
        }
        else
        {
            // Old form without parentheses: render timechart title="x" kind=stacked.
            while (At(TokenKind.Identifier) && PeekToken(1).Kind == TokenKind.Equals)
            {
                properties.Add(ParseParameterValue(TakeDottedName(out var span), span));
                TryTake(TokenKind.Comma);
            }
        }

        return new RenderOperator(head, chart, properties, SpanFrom(head.NameSpan.Start));
    }

    private CallOperator ParseEvaluate(OperatorHead head)
    {
        Expr call;
        if (At(TokenKind.Identifier) && PeekToken(1).Kind != TokenKind.Dot && PeekToken(1).Kind != TokenKind.OpenParen)
        {
            // The name alone: the binder says whether there is such a plug-in.
            var name = ParseName();
            Expect(TokenKind.OpenParen, "(");
            call = new CallExpr(name, [], name.Span);
        }
        else if (At(TokenKind.Identifier) || AtBracketedName())
        {
            call = ParsePostfix(ParsePrimary());
            if (call is not CallExpr and not MissingExpr)
                _diagnostics.Syntax("KS006", "Missing function call", call.Span);
        }
        else
        {
            call = Missing("function call");
        }

        TypeOfExpr? schema = null;
        if (TryTake(TokenKind.Colon))
        {
            var start = Current.Start;
            Expect(TokenKind.OpenParen, "(");
            schema = ParseTypeOfColumns(start);
            Expect(TokenKind.CloseParen, ")");
        }

        return new CallOperator(head, call, schema, SpanFrom(head.NameSpan.Start));
    }

    private CallOperator ParseInvoke(OperatorHead head) => new(head, ParsePostfix(ParsePrimary()), null, SpanFrom(head.NameSpan.Start));

    private ListOperator ParseAs(OperatorHead head) => new(head, [ParseName()], SpanFrom(head.NameSpan.Start));

    private ListOperator ParseAssertSchema(OperatorHead head)
    {
        var columns = ParseSchema();
        var span = SpanFrom(head.NameSpan.Start);
        return new ListOperator(head, [new TypeOfExpr(KqlType.Unknown, columns, false, span)], span);
    }
}
