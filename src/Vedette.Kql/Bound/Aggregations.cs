using Vedette.Kql.Symbols;

namespace Vedette.Kql.Bound;

/// <summary>
/// An aggregate call and its output columns. One output, except <c>arg_max</c>/<c>arg_min</c> (the extremum, then each returned argument, all from the same row; <c>*</c> is
/// expanded) and <c>take_any</c> with several arguments. <c>percentiles(x, 5, 50)</c> comes as several calls of <c>percentile</c>, <c>count(expr)</c> as count(),
/// and <c>…if</c> forms as calls with a predicate argument. Arguments contain no aggregate calls.
/// </summary>
/// <param name="Outputs">Fresh columns.</param>
/// <param name="Function">Canonical aggregate symbol.</param>
/// <param name="Arguments">Evaluated on the input row. For arg_max: the ordering expression, then the returned ones.</param>
/// <param name="Type">Type of the first output.</param>
public sealed record AggregateItem(
    IReadOnlyList<KqlColumn> Outputs, FunctionSymbol Function, IReadOnlyList<BoundScalar> Arguments, KqlType Type);

/// <summary>
/// Groups the input by <see cref="Keys"/> and computes <see cref="Aggregates"/>. No keys: exactly one row, even for no input. No aggregates: distinct.
/// Null is a group of its own. Columns: keys, then aggregate outputs. Expressions over aggregates (<c>round(avg(x))</c>) come as a
/// <see cref="ProjectRelation"/> above. <c>distinct</c>, <c>count</c>, <c>top-hitters</c>, <c>sample-distinct</c> are lowered to this.
/// </summary>
public sealed class SummarizeRelation(BoundRelation input, IReadOnlyList<NamedScalar> keys, IReadOnlyList<AggregateItem> aggregates)
    : UnaryRelation(input, [.. keys.Select(k => k.Column), .. aggregates.SelectMany(a => a.Outputs)])
{
    public IReadOnlyList<NamedScalar> Keys { get; } = keys;

    public IReadOnlyList<AggregateItem> Aggregates { get; } = aggregates;
}

/// <summary>An aggregate of make-series: its output is a dynamic array with one element per bin.</summary>
/// <param name="Column">Dynamic output column.</param>
/// <param name="Aggregate">The aggregate per bin (one output, whose column is only an intermediate).</param>
/// <param name="Finish">The element's value from the aggregate's output (for expressions over aggregates), or null for the output itself.</param>
/// <param name="Default">Element for bins without rows; null means 0 of the aggregate's type.</param>
public sealed record SeriesItem(KqlColumn Column, IReadOnlyList<AggregateItem> Aggregate, BoundScalar? Finish, BoundScalar? Default);

/// <summary>
/// <c>make-series … on axis from a to b step c by keys</c>: one row per group. Bins are [from + i*step, from + (i+1)*step) up to but not including to; rows outside are ignored.
/// Without from or to the bounds come from the data (min and max of the axis, binned to step). <see cref="AxisColumn"/> is a dynamic array of the
/// bins' starts (of type <see cref="Axis"/>.Type). Columns: keys, series, axis.
/// </summary>
public sealed class MakeSeriesRelation(
    BoundRelation input,
    IReadOnlyList<SeriesItem> series,
    BoundScalar axis,
    KqlColumn axisColumn,
    BoundScalar? from,
    BoundScalar? to,
    BoundScalar step,
    IReadOnlyList<NamedScalar> keys,
    bool nonEmpty,
    IReadOnlyList<KqlColumn> columns) : UnaryRelation(input, columns)
{
    public IReadOnlyList<SeriesItem> Series { get; } = series;

    public BoundScalar Axis { get; } = axis;

    public KqlColumn AxisColumn { get; } = axisColumn;

    public BoundScalar? From { get; } = from;

    public BoundScalar? To { get; } = to;

    public BoundScalar Step { get; } = step;

    public IReadOnlyList<NamedScalar> Keys { get; } = keys;

    /// <summary><c>kind=nonempty</c>: with no input rows and no keys, one row of defaults.</summary>
    public bool NonEmpty { get; } = nonEmpty;
}

/// <summary>One level of top-nested.</summary>
/// <param name="Count">How many values to keep in each parent group; null keeps all.</param>
/// <param name="Key">The level's key column and expression.</param>
/// <param name="Others">Key value of the row that aggregates all other values of the level, or null for none.</param>
/// <param name="Aggregates">Aggregates needed by the order, computed over the rows of the parent group and this key.</param>
/// <param name="Order">Value to rank by, from the aggregates' outputs; its column is an output of the level.</param>
/// <param name="Descending">Rank order; true unless written <c>asc</c>.</param>
public sealed record TopNestedLevel(
    BoundScalar? Count, NamedScalar Key, BoundScalar? Others, IReadOnlyList<AggregateItem> Aggregates, NamedScalar Order, bool Descending);

/// <summary><c>top-nested</c>: hierarchical top. Columns: for each level its key and its aggregate, in order. An <c>others</c> row is carried to the deeper
/// levels with their own others value (null if they have none).</summary>
public sealed class TopNestedRelation(BoundRelation input, IReadOnlyList<TopNestedLevel> levels)
    : UnaryRelation(input, [.. levels.SelectMany(l => new[] { l.Key.Column, l.Order.Column })])
{
    public IReadOnlyList<TopNestedLevel> Levels { get; } = levels;
}

/// <summary><c>reduce by expr</c>: clusters strings. Columns: Pattern, Count, Representative, behind those of the input for <c>kind=source</c>.</summary>
public sealed class ReduceRelation(
    BoundRelation input, BoundScalar value, double threshold, string characters, bool keepsRows, IReadOnlyList<KqlColumn> columns) : UnaryRelation(input, columns)
{
    /// <summary>Every input row with its pattern, instead of one row a pattern.</summary>
    public bool KeepsRows { get; } = keepsRows;


    public BoundScalar Value { get; } = value;

    public double Threshold { get; } = threshold;

    public string Characters { get; } = characters;
}
