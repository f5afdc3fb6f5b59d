using Vedette.Kql.Bound;

namespace Vedette.Kql.Syntax;

/// <summary>A node of the syntax tree that stands where a value, a name or a table is expected.</summary>
internal abstract class Expr(TextSpan span)
{
    public TextSpan Span { get; } = span;
}

/// <summary>Stands for an expression that is not there (already reported).</summary>
internal sealed class MissingExpr(TextSpan span) : Expr(span);

/// <summary>A constant. Value as in <see cref="BoundLiteral"/>.</summary>
internal sealed class LiteralExpr(KqlType type, object? value, TextSpan span) : Expr(span)
{
    public KqlType Type { get; } = type;

    public object? Value { get; } = value;
}

/// <summary>A name: column, variable, table, function.</summary>
internal sealed class NameExpr(string name, TextSpan span, bool bracketed = false) : Expr(span)
{
    public string Name { get; } = name;

    public bool IsBracketed { get; } = bracketed;
}

/// <summary>A name with stars in it: <c>Device*</c>.</summary>
internal sealed class WildcardExpr(string pattern, TextSpan span) : Expr(span)
{
    public string Pattern { get; } = pattern;
}

/// <summary><c>*</c>.</summary>
internal sealed class StarExpr(TextSpan span) : Expr(span);

/// <summary><c>f(a, b)</c>.</summary>
internal sealed class CallExpr(NameExpr function, IReadOnlyList<Expr> arguments, TextSpan span) : Expr(span)
{
    public NameExpr Function { get; } = function;

    public string Name => Function.Name;

    public IReadOnlyList<Expr> Arguments { get; } = arguments;
}

/// <summary><c>a.b</c>; the selector is a <see cref="NameExpr"/> or, after database and cluster, a <see cref="CallExpr"/>.</summary>
internal sealed class MemberExpr(Expr target, Expr selector, TextSpan span) : Expr(span)
{
    public Expr Target { get; } = target;

    public Expr Selector { get; } = selector;
}

/// <summary><c>a[i]</c>.</summary>
internal sealed class IndexExpr(Expr target, Expr index, TextSpan span) : Expr(span)
{
    public Expr Target { get; } = target;

    public Expr Index { get; } = index;
}

/// <summary><c>-a</c> or <c>+a</c>.</summary>
internal sealed class UnaryExpr(bool negative, Expr operand, TextSpan span) : Expr(span)
{
    public bool IsNegative { get; } = negative;

    public Expr Operand { get; } = operand;
}

/// <summary>A binary operator as written (<see cref="OperatorText"/>) and as meant.</summary>
internal sealed class BinaryExpr(KqlOperator op, bool negated, Expr left, Expr right, string operatorText, TextSpan operatorSpan)
    : Expr(left.Span.To(right.Span))
{
    public KqlOperator Operator { get; } = op;

    public bool IsNegated { get; } = negated;

    public Expr Left { get; } = left;

    public Expr Right { get; } = right;

    public string OperatorText { get; } = operatorText;

    public TextSpan OperatorSpan { get; } = operatorSpan;
}

/// <summary><c>a in (…)</c> and relatives.</summary>
internal sealed class InExpr(
    KqlSetOperator op, bool negated, Expr left, IReadOnlyList<Expr> items, string operatorText, TextSpan operatorSpan, TextSpan span) : Expr(span)
{
    public KqlSetOperator Operator { get; } = op;

    public bool IsNegated { get; } = negated;

    public Expr Left { get; } = left;

    public IReadOnlyList<Expr> Items { get; } = items;

    public string OperatorText { get; } = operatorText;

    public TextSpan OperatorSpan { get; } = operatorSpan;
}

/// <summary><c>a between (b .. c)</c>.</summary>
internal sealed class BetweenExpr(bool negated, Expr value, Expr low, Expr high, TextSpan operatorSpan, TextSpan span) : Expr(span)
{
    public bool IsNegated { get; } = negated;

    public Expr Value { get; } = value;

    public Expr Low { get; } = low;

    public Expr High { get; } = high;

    public TextSpan OperatorSpan { get; } = operatorSpan;
}

/// <summary><c>(a)</c>.</summary>
internal sealed class ParenExpr(Expr inner, TextSpan span) : Expr(span)
{
    public Expr Inner { get; } = inner;
}

/// <summary><c>name = value</c> or <c>(a, b) = value</c>.</summary>
internal sealed class NamedExpr(IReadOnlyList<NameExpr> names, bool tuple, Expr value, TextSpan span, TextSpan namesSpan = default) : Expr(span)
{
    /// <summary>The parenthesis around several names.</summary>
    public TextSpan NamesSpan { get; } = namesSpan;

    public IReadOnlyList<NameExpr> Names { get; } = names;

    public bool IsTuple { get; } = tuple;

    public Expr Value { get; } = value;
}

/// <summary>A sort item. Nulls and direction are null when not written.</summary>
internal sealed class OrderedExpr(Expr value, bool? descending, bool? nullsFirst, bool granny, TextSpan span) : Expr(span)
{
    public Expr Value { get; } = value;

    public bool? Descending { get; } = descending;

    public bool? NullsFirst { get; } = nullsFirst;

    /// <summary>project-reorder: numbers inside names compare as numbers (granny-asc, granny-desc).</summary>
    public bool IsGranny { get; } = granny;
}

/// <summary>A column with its declared type: <c>name:type</c>.</summary>
internal sealed record ColumnDecl(NameExpr Name, KqlType Type, TextSpan TypeSpan, Expr? Default);

/// <summary><c>typeof(long)</c> or <c>typeof(a:long, b:string)</c> (then Columns is given; a star stands for the input's columns).</summary>
internal sealed class TypeOfExpr(KqlType type, IReadOnlyList<ColumnDecl>? columns, bool star, TextSpan span) : Expr(span)
{
    public KqlType Type { get; } = type;

    public IReadOnlyList<ColumnDecl>? Columns { get; } = columns;

    public bool HasStar { get; } = star;
}

/// <summary><c>datatable (schema) [cells]</c>.</summary>
internal sealed class DataTableExpr(IReadOnlyList<ColumnDecl> columns, IReadOnlyList<Expr> cells, TextSpan cellsSpan, TextSpan span) : Expr(span)
{
    /// <summary>From the first cell to the last comma or cell.</summary>
    public TextSpan CellsSpan { get; } = cellsSpan;

    public IReadOnlyList<ColumnDecl> Columns { get; } = columns;

    public IReadOnlyList<Expr> Cells { get; } = cells;
}

/// <summary><c>externaldata (schema) [uris] with (…)</c>.</summary>
internal sealed class ExternalDataExpr(
    IReadOnlyList<ColumnDecl> columns, IReadOnlyList<Expr> uris, IReadOnlyList<OperatorParameter> properties, TextSpan span) : Expr(span)
{
    public IReadOnlyList<ColumnDecl> Columns { get; } = columns;

    /// <summary>For <c>inline_external_table</c>: the columns that part its files, with their expressions; null for <c>externaldata</c>.</summary>
    public IReadOnlyList<(ColumnDecl Column, Expr? Value)>? Partitions { get; init; }

    /// <summary>The elements of <c>pathformat</c>.</summary>
    public IReadOnlyList<Expr> PathFormat { get; init; } = [];

    public IReadOnlyList<Expr> Uris { get; } = uris;

    public IReadOnlyList<OperatorParameter> Properties { get; } = properties;
}

/// <summary>A tabular pipeline. <see cref="Source"/> is null when the first operator is the source (print, range, union …) or the context feeds it.</summary>
internal sealed class QueryExpr(Expr? source, IReadOnlyList<OperatorSyntax> operators, TextSpan span) : Expr(span)
{
    public Expr? Source { get; } = source;

    public IReadOnlyList<OperatorSyntax> Operators { get; } = operators;
}

/// <summary>A parameter of a user function; <see cref="Columns"/> is given for tabular ones (empty with <see cref="AnyTable"/> for <c>(*)</c>).</summary>
internal sealed record FunctionParameter(NameExpr Name, KqlType Type, IReadOnlyList<ColumnDecl>? Columns, bool AnyTable, Expr? Default);

/// <summary><c>(parameters) { body }</c>.</summary>
internal sealed class FunctionExpr(IReadOnlyList<FunctionParameter> parameters, IReadOnlyList<Statement> body, bool isView, TextSpan span)
    : Expr(span)
{
    public IReadOnlyList<FunctionParameter> Parameters { get; } = parameters;

    /// <summary>Statements; the last one is the expression that is the result.</summary>
    public IReadOnlyList<Statement> Body { get; } = body;

    public bool IsView { get; } = isView;
}

/// <summary><c>entity_group [a, b]</c>.</summary>
internal sealed class EntityGroupExpr(IReadOnlyList<Expr> entities, TextSpan span) : Expr(span)
{
    public IReadOnlyList<Expr> Entities { get; } = entities;
}

/// <summary>A statement of a query or of a function body.</summary>
internal abstract class Statement(TextSpan span)
{
    public TextSpan Span { get; } = span;
}

/// <summary><c>let name = value</c>.</summary>
internal sealed class LetStatement(NameExpr name, Expr value, TextSpan span) : Statement(span)
{
    public NameExpr Name { get; } = name;

    public Expr Value { get; } = value;
}

/// <summary>A query or the result expression of a function.</summary>
internal sealed class ExpressionStatement(Expr value) : Statement(value.Span)
{
    public Expr Value { get; } = value;
}

/// <summary><c>declare query_parameters (…)</c>.</summary>
internal sealed class QueryParametersStatement(IReadOnlyList<FunctionParameter> parameters, TextSpan span) : Statement(span)
{
    public IReadOnlyList<FunctionParameter> Parameters { get; } = parameters;
}

/// <summary><c>set</c>, <c>alias database</c>: accepted and without effect on the plan.</summary>
internal sealed class OptionStatement(string name, Expr? value, TextSpan span) : Statement(span)
{
    public string Name { get; } = name;

    public Expr? Value { get; } = value;
}

/// <summary><c>restrict access to (…)</c>.</summary>
internal sealed class RestrictStatement(IReadOnlyList<Expr> entities, TextSpan span) : Statement(span)
{
    public IReadOnlyList<Expr> Entities { get; } = entities;
}

/// <summary><c>declare pattern name = (params)[path] { (values).[path] = { body }; … }</c>.</summary>
internal sealed class PatternStatement(
    NameExpr name, IReadOnlyList<FunctionParameter> parameters, FunctionParameter? path, IReadOnlyList<PatternCase> cases, TextSpan span) : Statement(span)
{
    public NameExpr Name { get; } = name;

    public IReadOnlyList<FunctionParameter> Parameters { get; } = parameters;

    public FunctionParameter? Path { get; } = path;

    public IReadOnlyList<PatternCase> Cases { get; } = cases;
}

/// <summary>One case of a pattern.</summary>
internal sealed record PatternCase(IReadOnlyList<Expr> Arguments, Expr? Path, IReadOnlyList<Statement> Body);
