namespace Vedette.Kql.Syntax;

/// <summary><c>name=value</c> in front of an operator's arguments or in a with clause. Value is an expression; a bare word is a <see cref="NameExpr"/>.</summary>
internal sealed record OperatorParameter(string Name, TextSpan NameSpan, Expr Value)
{
    /// <summary>The value as a word or as the text of a literal; null for other expressions.</summary>
    public string? Word => Value switch
    {
        NameExpr n => n.Name,
        LiteralExpr { Value: bool b } => b ? "true" : "false",
        LiteralExpr l => Convert.ToString(l.Value, System.Globalization.CultureInfo.InvariantCulture),
        _ => null,
    };
}

/// <summary>A tabular operator. <see cref="Name"/> is canonical (take for limit, sort for order …); <see cref="Span"/> covers it whole.</summary>
internal abstract class OperatorSyntax(OperatorHead head, TextSpan span)
{
    public string Name => head.Name;

    public TextSpan NameSpan => head.NameSpan;

    public IReadOnlyList<OperatorParameter> Parameters => head.Parameters;

    public TextSpan Span { get; } = span;

    /// <summary>The named parameter, ignoring case, or null.</summary>
    public OperatorParameter? Parameter(params ReadOnlySpan<string> names)
    {
        foreach (var p in head.Parameters)
        {
            foreach (var name in names)
            {
                if (p.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                    return p;
            }
        }

        return null;
    }
}

/// <summary>The part every operator has.</summary>
internal sealed record OperatorHead(string Name, TextSpan NameSpan, IReadOnlyList<OperatorParameter> Parameters);

/// <summary>An operator that failed to parse (already reported).</summary>
internal sealed class BadOperator(OperatorHead head, TextSpan span) : OperatorSyntax(head, span);

/// <summary>Operators whose arguments are one list of expressions: project and its family, extend, distinct, print, serialize, sort (ordered), take, where, sample, as …</summary>
internal sealed class ListOperator(OperatorHead head, IReadOnlyList<Expr> items, TextSpan span) : OperatorSyntax(head, span)
{
    public IReadOnlyList<Expr> Items { get; } = items;
}

/// <summary><c>summarize aggregates by keys</c>.</summary>
internal sealed class SummarizeOperator(OperatorHead head, IReadOnlyList<Expr> aggregates, IReadOnlyList<Expr> keys, bool hasBy, TextSpan span)
    : OperatorSyntax(head, span)
{
    public IReadOnlyList<Expr> Aggregates { get; } = aggregates;

    public IReadOnlyList<Expr> Keys { get; } = keys;

    public bool HasBy { get; } = hasBy;
}

/// <summary><c>top n by keys</c>, <c>top-hitters n of value by weight</c>, <c>sample-distinct n of value</c>, <c>sample n</c>.</summary>
internal sealed class CountedOperator(OperatorHead head, Expr count, Expr? of, IReadOnlyList<Expr> by, TextSpan span) : OperatorSyntax(head, span)
{
    public Expr Count { get; } = count;

    public Expr? Of { get; } = of;

    public IReadOnlyList<Expr> By { get; } = by;
}

/// <summary><c>join</c> and <c>lookup</c>. <see cref="HasOn"/> is false for a missing condition.</summary>
internal sealed class JoinOperator(OperatorHead head, Expr right, IReadOnlyList<Expr> conditions, bool hasOn, Expr? where, TextSpan span)
    : OperatorSyntax(head, span)
{
    public Expr Right { get; } = right;

    public IReadOnlyList<Expr> Conditions { get; } = conditions;

    public bool HasOn { get; } = hasOn;

    public Expr? Where { get; } = where;
}

/// <summary><c>union</c>, <c>find</c>, <c>search</c>: tables and, for the latter two, a predicate and projection.</summary>
internal sealed class UnionOperator(
    OperatorHead head, IReadOnlyList<Expr> tables, Expr? predicate, IReadOnlyList<Expr>? project, IReadOnlyList<Expr>? projectAway, TextSpan span)
    : OperatorSyntax(head, span)
{
    public IReadOnlyList<Expr> Tables { get; } = tables;

    public Expr? Predicate { get; } = predicate;

    public IReadOnlyList<Expr>? Project { get; } = project;

    public IReadOnlyList<Expr>? ProjectAway { get; } = projectAway;
}

/// <summary><c>range column from a to b step c</c>.</summary>
internal sealed class RangeOperator(OperatorHead head, NameExpr column, Expr from, Expr to, Expr step, TextSpan span) : OperatorSyntax(head, span)
{
    public NameExpr Column { get; } = column;

    public Expr From { get; } = from;

    public Expr To { get; } = to;

    public Expr Step { get; } = step;
}

/// <summary>One expression of mv-expand or mv-apply with its <c>to typeof()</c>.</summary>
internal sealed record ExpandExpr(Expr Value, TypeOfExpr? To);

/// <summary><c>mv-expand</c> and <c>mv-apply</c> (then with a body).</summary>
internal sealed class ExpandOperator(OperatorHead head, IReadOnlyList<ExpandExpr> items, Expr? limit, QueryExpr? body, TextSpan span)
    : OperatorSyntax(head, span)
{
    public IReadOnlyList<ExpandExpr> Items { get; } = items;

    public Expr? Limit { get; } = limit;

    public QueryExpr? Body { get; } = body;
}

/// <summary>A part of a parse pattern: star, string, or column (with type).</summary>
internal sealed record ParsePatternPart(bool IsStar, LiteralExpr? Text, NameExpr? Column, KqlType Type, TextSpan Span);

/// <summary><c>parse</c>, <c>parse-where</c>.</summary>
internal sealed class ParseOperator(OperatorHead head, Expr source, IReadOnlyList<ParsePatternPart> pattern, TextSpan span) : OperatorSyntax(head, span)
{
    public Expr Source { get; } = source;

    public IReadOnlyList<ParsePatternPart> Pattern { get; } = pattern;
}

/// <summary><c>parse-kv source as (keys) with (…)</c>.</summary>
internal sealed class ParseKvOperator(
    OperatorHead head, Expr source, IReadOnlyList<ColumnDecl> keys, IReadOnlyList<OperatorParameter> options, TextSpan span) : OperatorSyntax(head, span)
{
    public Expr Source { get; } = source;

    public IReadOnlyList<ColumnDecl> Keys { get; } = keys;

    public IReadOnlyList<OperatorParameter> Options { get; } = options;
}

/// <summary><c>make-series</c>.</summary>
internal sealed class MakeSeriesOperator(
    OperatorHead head, IReadOnlyList<(Expr Value, Expr? Default)> series, Expr axis, Expr? from, Expr? to, Expr? step, IReadOnlyList<Expr> keys, TextSpan span)
    : OperatorSyntax(head, span)
{
    public IReadOnlyList<(Expr Value, Expr? Default)> Series { get; } = series;

    public Expr Axis { get; } = axis;

    public Expr? From { get; } = from;

    public Expr? To { get; } = to;

    public Expr? Step { get; } = step;

    public IReadOnlyList<Expr> Keys { get; } = keys;
}

/// <summary>A level of top-nested as written.</summary>
internal sealed record TopNestedClause(Expr? Count, Expr Of, Expr? Others, Expr By, TextSpan Span);

/// <summary><c>top-nested</c>.</summary>
internal sealed class TopNestedOperator(OperatorHead head, IReadOnlyList<TopNestedClause> levels, TextSpan span) : OperatorSyntax(head, span)
{
    public IReadOnlyList<TopNestedClause> Levels { get; } = levels;
}

/// <summary><c>evaluate plugin(…) [: schema]</c>, <c>invoke f(…)</c>.</summary>
internal sealed class CallOperator(OperatorHead head, Expr call, TypeOfExpr? schema, TextSpan span) : OperatorSyntax(head, span)
{
    /// <summary>Usually a <see cref="CallExpr"/>.</summary>
    public Expr Call { get; } = call;

    public TypeOfExpr? Schema { get; } = schema;
}

/// <summary><c>render chart with (…)</c>.</summary>
internal sealed class RenderOperator(OperatorHead head, string chart, IReadOnlyList<OperatorParameter> properties, TextSpan span) : OperatorSyntax(head, span)
{
    public string Chart { get; } = chart;

    public IReadOnlyList<OperatorParameter> Properties { get; } = properties;
}

/// <summary><c>partition by key (body)</c>, <c>fork (a) (b)</c>, <c>facet by a, b with (body)</c>.</summary>
internal sealed class BranchOperator(
    OperatorHead head, IReadOnlyList<Expr> keys, IReadOnlyList<(NameExpr? Name, QueryExpr Body)> branches, TextSpan span) : OperatorSyntax(head, span)
{
    public IReadOnlyList<Expr> Keys { get; } = keys;

    public IReadOnlyList<(NameExpr? Name, QueryExpr Body)> Branches { get; } = branches;
}

/// <summary><c>reduce by x with threshold=…</c>.</summary>
internal sealed class ReduceOperator(OperatorHead head, Expr value, IReadOnlyList<OperatorParameter> options, TextSpan span) : OperatorSyntax(head, span)
{
    public Expr Value { get; } = value;

    public IReadOnlyList<OperatorParameter> Options { get; } = options;
}

/// <summary>A step of scan as written.</summary>
internal sealed record ScanStepSyntax(NameExpr Name, bool Optional, string? Output, Expr Condition, IReadOnlyList<Expr> Assignments, TextSpan Span);

/// <summary><c>scan</c>.</summary>
internal sealed class ScanOperator(
    OperatorHead head, IReadOnlyList<Expr> order, IReadOnlyList<Expr> partition, IReadOnlyList<ColumnDecl> declared, IReadOnlyList<ScanStepSyntax> steps, TextSpan span)
    : OperatorSyntax(head, span)
{
    public IReadOnlyList<Expr> Order { get; } = order;

    public IReadOnlyList<Expr> Partition { get; } = partition;

    public IReadOnlyList<ColumnDecl> Declared { get; } = declared;

    public IReadOnlyList<ScanStepSyntax> Steps { get; } = steps;
}

/// <summary><c>macro-expand group as name (body)</c>.</summary>
internal sealed class MacroExpandOperator(OperatorHead head, Expr group, NameExpr name, IReadOnlyList<Statement> body, TextSpan span)
    : OperatorSyntax(head, span)
{
    public Expr Group { get; } = group;

    public NameExpr ScopeName { get; } = name;

    public IReadOnlyList<Statement> Body { get; } = body;
}

/// <summary><c>make-graph source --&gt; target with nodes on id …</c>.</summary>
internal sealed class MakeGraphOperator(
    OperatorHead head, NameExpr source, NameExpr target, IReadOnlyList<(Expr Table, NameExpr Id)> nodes, NameExpr? nodeId, NameExpr? partition, QueryExpr? body, TextSpan span)
    : OperatorSyntax(head, span)
{
    public NameExpr Source { get; } = source;

    public NameExpr Target { get; } = target;

    public IReadOnlyList<(Expr Table, NameExpr Id)> Nodes { get; } = nodes;

    public NameExpr? NodeId { get; } = nodeId;

    public NameExpr? Partition { get; } = partition;

    public QueryExpr? Body { get; } = body;
}

/// <summary>A node or edge of a graph pattern as written.</summary>
internal sealed record GraphElementSyntax(NameExpr? Name, bool IsEdge, bool Forward, bool Backward, Expr? MinHops, Expr? MaxHops, TextSpan Span);

/// <summary><c>graph-match</c>, <c>graph-shortest-paths</c>.</summary>
internal sealed class GraphMatchOperator(
    OperatorHead head, IReadOnlyList<IReadOnlyList<GraphElementSyntax>> patterns, Expr? where, IReadOnlyList<Expr> project, TextSpan span)
    : OperatorSyntax(head, span)
{
    public IReadOnlyList<IReadOnlyList<GraphElementSyntax>> Patterns { get; } = patterns;

    public Expr? Where { get; } = where;

    public IReadOnlyList<Expr> Project { get; } = project;
}

/// <summary>One output of graph-to-table: nodes or edges, its name and its with_… parameters.</summary>
internal sealed record GraphOutput(bool Edges, NameExpr? Name, IReadOnlyList<OperatorParameter> Parameters);

/// <summary><c>graph-to-table nodes, edges</c>; also graph-mark-components and graph-where-… without outputs.</summary>
internal sealed class GraphToTableOperator(OperatorHead head, IReadOnlyList<GraphOutput> outputs, TextSpan span) : OperatorSyntax(head, span)
{
    public IReadOnlyList<GraphOutput> Outputs { get; } = outputs;
}
