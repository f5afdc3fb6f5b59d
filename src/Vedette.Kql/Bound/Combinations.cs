using Vedette.Kql.Symbols;

namespace Vedette.Kql.Bound;

/// <summary>Join kinds.</summary>
public enum JoinKind
{
    /// <summary>The default: one arbitrary left row per key, then inner.</summary>
    InnerUnique,
    Inner,
    LeftOuter,
    RightOuter,
    FullOuter,
    LeftAnti,
    RightAnti,
    LeftSemi,
    RightSemi,
}

/// <summary>An equality between an expression on the left row and one on the right row. Null equals null in join keys (as in the service); strings compare
/// case-sensitively.</summary>
public sealed record JoinCondition(BoundScalar Left, BoundScalar Right);

/// <summary>
/// <c>join</c> and <c>lookup</c>. All <see cref="Conditions"/> must hold; none means a cross join. Output columns keep the ids of the side they come from (the two sides never share
/// ids), perhaps renamed (X1); columns absent from Columns are dropped (semi and anti: one side only; lookup: the right keys).
/// </summary>
public sealed class JoinRelation(
    JoinKind kind,
    BoundRelation left,
    BoundRelation right,
    IReadOnlyList<JoinCondition> conditions,
    bool isLookup,
    IReadOnlyList<KqlColumn> columns) : CombinedRelation(columns, left, right)
{
    public JoinKind Kind { get; } = kind;

    public BoundRelation Left { get; } = left;

    public BoundRelation Right { get; } = right;

    public IReadOnlyList<JoinCondition> Conditions { get; } = conditions;

    /// <summary>Written as <c>lookup</c>: the right side is expected to be small.</summary>
    public bool IsLookup { get; } = isLookup;
}

/// <summary>One input of a union.</summary>
/// <param name="Input">The rows.</param>
/// <param name="SourceName">The table or let name, for withsource; <c>union_argN</c> for anonymous ones.</param>
/// <param name="Columns">For each output column (the source column left out): the input's column that fills it, or null for null/empty. Types are equal.</param>
public sealed record UnionInput(BoundRelation Input, string SourceName, IReadOnlyList<KqlColumn?> Columns);

/// <summary>
/// All rows of all inputs. Columns of one name and type are one; a name with several types gives columns X_long, X_string …. When <see cref="SourceColumn"/> is
/// not null it is Columns[0] and holds <see cref="UnionInput.SourceName"/>; the maps of the inputs then describe Columns[1..].
/// </summary>
public sealed class UnionRelation(IReadOnlyList<UnionInput> inputs, KqlColumn? sourceColumn, IReadOnlyList<KqlColumn> columns)
    : CombinedRelation(columns, [.. inputs.Select(i => i.Input)])
{
    public IReadOnlyList<UnionInput> Inputs { get; } = inputs;

    public KqlColumn? SourceColumn { get; } = sourceColumn;
}

/// <summary>
/// <c>partition by key (body)</c>: runs <see cref="Body"/> over each group of rows with equal key and unites the results. <see cref="Context"/> is the body's leaf: all input
/// columns. Columns are the body's. A body with a source of its own (the brace form) does not contain the context; it may refer to the key column, which
/// then stands for the group's value.
/// </summary>
public sealed class PartitionRelation(BoundRelation input, BoundScalar key, ContextRelation context, BoundRelation body, string strategy)
    : UnaryRelation(input, body.Columns)
{
    public BoundScalar Key { get; } = key;

    public ContextRelation Context { get; } = context;

    public BoundRelation Body { get; } = body;

    /// <summary>native, shuffle or legacy; a hint.</summary>
    public string Strategy { get; } = strategy;
}

/// <summary>An argument of a plug-in: exactly one member is set.</summary>
/// <param name="Scalar">A scalar expression; a <see cref="BoundColumnRef"/> where the plug-in takes a column.</param>
/// <param name="Table">A table (the lookup tables of ipv4_lookup …).</param>
/// <param name="Aggregate">An aggregate call (pivot).</param>
public sealed record PluginArgument(BoundScalar? Scalar, BoundRelation? Table, AggregateItem? Aggregate)
{
    /// <summary>The parameter's name, as the caller wrote it if they did.</summary>
    public string? Parameter { get; init; }
}

/// <summary>
/// <c>evaluate plugin(args)</c>. <see cref="BoundRelation.Columns"/> is the output schema as far as it is known. When <see cref="IsOpen"/> more columns appear at run time (bag_unpack,
/// pivot without a declared schema); operators above that name such a column then refer to a column in <see cref="LateColumns"/>, to be taken by name from the
/// plug-in's rows (null/empty where the rows lack it; their type is dynamic). To get the whole schema, bind again with <see cref="KqlOptions.LateSchemas"/>. Pass-through columns keep their ids.
/// </summary>
public sealed class EvaluateRelation(
    BoundRelation? input,
    FunctionSymbol plugin,
    IReadOnlyList<PluginArgument> arguments,
    IReadOnlyList<KqlColumn> columns,
    bool isOpen,
    IReadOnlyList<KqlColumn> lateColumns,
    TextSpan span,
    int occurrence) : CombinedRelation(columns, [input, .. arguments.Select(a => a.Table)])
{
    /// <summary>The plug-in's call in the text.</summary>
    public TextSpan Span { get; } = span;

    /// <summary>The key of <see cref="KqlOptions.LateSchemas"/>.</summary>
    public KqlPluginCall Call { get; } = new(span.Start, occurrence);

    public BoundRelation? Input { get; } = input;

    public FunctionSymbol Plugin { get; } = plugin;

    public IReadOnlyList<PluginArgument> Arguments { get; } = arguments;

    public bool IsOpen { get; } = isOpen;

    /// <summary>Columns that operators above take by name from the rows; complete once binding is over.</summary>
    public IReadOnlyList<KqlColumn> LateColumns { get; } = lateColumns;
}

/// <summary>What a scan step returns: every matching row, only the last row of a match, or nothing.</summary>
public enum ScanOutput
{
    All,
    Last,
    None,
}

/// <summary>One step of a scan.</summary>
/// <param name="Name">Step name.</param>
/// <param name="Optional">Whether matching may skip it.</param>
/// <param name="Output">What it returns.</param>
/// <param name="Condition">Over the current row (column references) and steps' states (<see cref="BoundScanState"/>).</param>
/// <param name="Assignments">New values of declared columns.</param>
public sealed record ScanStep(
    string Name, bool Optional, ScanOutput Output, BoundScalar Condition, IReadOnlyList<NamedScalar> Assignments);

/// <summary>
/// <c>scan</c>: state machine over the ordered input. <see cref="Declared"/> columns start with their default (null if the expression is null). Columns: input, declared, then
/// <see cref="MatchId"/> if asked for.
/// </summary>
public sealed class ScanRelation(
    BoundRelation input,
    IReadOnlyList<(KqlColumn Column, BoundScalar? Default)> declared,
    IReadOnlyList<ScanStep> steps,
    KqlColumn? matchId,
    IReadOnlyList<BoundScalar> partitionKeys,
    IReadOnlyList<SortKey> orderKeys,
    IReadOnlyList<KqlColumn> columns) : UnaryRelation(input, columns)
{
    public IReadOnlyList<(KqlColumn Column, BoundScalar? Default)> Declared { get; } = declared;

    public IReadOnlyList<ScanStep> Steps { get; } = steps;

    public KqlColumn? MatchId { get; } = matchId;

    public IReadOnlyList<BoundScalar> PartitionKeys { get; } = partitionKeys;

    public IReadOnlyList<SortKey> OrderKeys { get; } = orderKeys;
}
