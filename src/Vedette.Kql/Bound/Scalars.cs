using Vedette.Kql.Symbols;

namespace Vedette.Kql.Bound;

/// <summary>
/// A bound scalar expression. The binder inserts a <see cref="BoundConvert"/> only where the language itself converts (declared types of
/// function parameters, datatable cells, union columns of one name); elsewhere operands keep their own types and <see cref="Type"/> states
/// the type of the result, to which a writer converts (int + real is real; iff(c, 1, 2.0) is real).
/// </summary>
public abstract class BoundScalar(KqlType type, TextSpan span)
{
    /// <summary>Type of the value.</summary>
    public KqlType Type { get; } = type;

    /// <summary>Where it stands in the query text (the call site's text for inlined functions).</summary>
    public TextSpan Span { get; } = span;
}

/// <summary>
/// A constant. <see cref="Value"/> is null for a typed null; otherwise by type: bool, int, long, double, decimal, string,
/// <see cref="DateTime"/> (UTC), <see cref="TimeSpan"/>, <see cref="Guid"/>; for dynamic a string of strict JSON text. A string is never null.
/// </summary>
public sealed class BoundLiteral(KqlType type, object? value, TextSpan span) : BoundScalar(type, span)
{
    public object? Value { get; } = value;
}

/// <summary>The value of a column of the input relation (or, in mv-apply, partition and scan bodies, of their context relation).</summary>
public sealed class BoundColumnRef(KqlColumn column, TextSpan span) : BoundScalar(column.Type, span)
{
    public KqlColumn Column { get; } = column;
}

/// <summary>
/// A call of a scalar function. <see cref="Function"/> is the canonical symbol (<c>iif</c> comes as <c>iff</c>, <c>todynamic</c> and
/// <c>parsejson</c> as <c>parse_json</c> …). <c>now()</c>, <c>ago()</c>, <c>rand()</c>, <c>new_guid()</c> are never folded: <c>now()</c> has one value per query.
/// Optional arguments that the user left out are absent. <c>iff</c> and <c>case</c> come as calls (case: condition, value, …, else).
/// Window functions (<see cref="FunctionSymbol.IsWindow"/>) depend on the row order of the serialized input.
/// </summary>
public sealed class BoundCall(FunctionSymbol function, IReadOnlyList<BoundScalar> arguments, KqlType type, TextSpan span)
    : BoundScalar(type, span)
{
    public FunctionSymbol Function { get; } = function;

    public IReadOnlyList<BoundScalar> Arguments { get; } = arguments;
}

/// <summary>A binary operator. <see cref="Negated"/> is only set for string operators (<c>!has</c> …) and <c>!~</c>.</summary>
public sealed class BoundBinary(KqlOperator op, bool negated, BoundScalar left, BoundScalar right, KqlType type, TextSpan span)
    : BoundScalar(type, span)
{
    public KqlOperator Operator { get; } = op;

    public bool Negated { get; } = negated;

    public BoundScalar Left { get; } = left;

    public BoundScalar Right { get; } = right;
}

/// <summary>Arithmetic negation (number or timespan). Logical negation is a call of <c>not</c>. Unary plus disappears.</summary>
public sealed class BoundNegate(BoundScalar operand, TextSpan span) : BoundScalar(operand.Type, span)
{
    public BoundScalar Operand { get; } = operand;
}

/// <summary>
/// <c>value [!]between (low .. high)</c>, both ends included. When value is a datetime and high was written as a timespan, the binder has
/// already made high into low + high.
/// </summary>
public sealed class BoundBetween(BoundScalar value, BoundScalar low, BoundScalar high, bool negated, TextSpan span)
    : BoundScalar(KqlType.Bool, span)
{
    public BoundScalar Value { get; } = value;

    public BoundScalar Low { get; } = low;

    public BoundScalar High { get; } = high;

    public bool Negated { get; } = negated;
}

/// <summary>
/// <c>in</c>, <c>in~</c>, <c>has_any</c>, <c>has_all</c> and their negations. Exactly one of <see cref="Items"/> and <see cref="Subquery"/> is given.
/// An item of type dynamic is an array whose elements are the alternatives (a dynamic scalar is one alternative). The subquery is not
/// correlated; the alternatives are the values of its first column. When the subquery is a single dynamic cell, that array is unrolled as well.
/// </summary>
public sealed class BoundIn(
    KqlSetOperator op,
    bool negated,
    BoundScalar value,
    IReadOnlyList<BoundScalar>? items,
    BoundRelation? subquery,
    TextSpan span) : BoundScalar(KqlType.Bool, span)
{
    public KqlSetOperator Operator { get; } = op;

    public bool Negated { get; } = negated;

    public BoundScalar Value { get; } = value;

    public IReadOnlyList<BoundScalar>? Items { get; } = items;

    public BoundRelation? Subquery { get; } = subquery;
}

/// <summary>
/// <c>value.name</c> or <c>value['name']</c> with a constant name, on a dynamic value, or on a string column that holds JSON text (then
/// <see cref="Value"/> has type string and is parsed as by parse_json). Missing names, and values that are not bags, give null. Always dynamic.
/// </summary>
public sealed class BoundMember(BoundScalar value, string name, TextSpan span) : BoundScalar(KqlType.Dynamic, span)
{
    public BoundScalar Value { get; } = value;

    public string Name { get; } = name;
}

/// <summary>
/// <c>value[index]</c>: an integer index into an array (negative counts from the end, out of range is null) or a string key of a bag
/// computed at run time. A dynamic index decides at run time. Always dynamic.
/// </summary>
public sealed class BoundIndex(BoundScalar value, BoundScalar index, TextSpan span) : BoundScalar(KqlType.Dynamic, span)
{
    public BoundScalar Value { get; } = value;

    public BoundScalar Index { get; } = index;
}

/// <summary>A conversion the language makes by itself; same rules as the to-function of the target type (tolong, tostring …); null on failure.</summary>
public sealed class BoundConvert(BoundScalar operand, KqlType type, TextSpan span) : BoundScalar(type, span)
{
    public BoundScalar Operand { get; } = operand;
}

/// <summary>
/// <c>toscalar(query)</c>: first column of the first row, null when there are no rows. Never correlated. The same <see cref="Id"/> means the same
/// computation (a let-bound toscalar used twice): compute it once.
/// </summary>
public sealed class BoundScalarSubquery(int id, BoundRelation query, KqlType type, TextSpan span) : BoundScalar(type, span)
{
    public int Id { get; } = id;

    public BoundRelation Query { get; } = query;
}

/// <summary>
/// The value of a column in the stored state of a scan step (<c>s1.x</c>); only inside <see cref="ScanRelation"/>. <see cref="Column"/> is the
/// scan's input or declared column.
/// </summary>
public sealed class BoundScanState(string step, KqlColumn column, TextSpan span) : BoundScalar(column.Type, span)
{
    public string Step { get; } = step;

    public KqlColumn Column { get; } = column;
}

/// <summary>
/// A property or function of a graph-match variable: <c>n.name</c>. A whole node or edge (as argument of labels(), all(), map() …) has <see cref="Column"/>
/// null and type dynamic. Only inside graph relations.
/// </summary>
public sealed class BoundGraphElement(string variable, KqlColumn? column, TextSpan span)
    : BoundScalar(column?.Type ?? KqlType.Dynamic, span)
{
    public string Variable { get; } = variable;

    public KqlColumn? Column { get; } = column;
}
