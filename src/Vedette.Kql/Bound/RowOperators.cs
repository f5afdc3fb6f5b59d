namespace Vedette.Kql.Bound;

/// <summary>Keeps the rows for which <see cref="Predicate"/> (bool) is true; null counts as false.</summary>
public sealed class FilterRelation(BoundRelation input, BoundScalar predicate) : UnaryRelation(input, input.Columns)
{
    public BoundScalar Predicate { get; } = predicate;
}

/// <summary>
/// Computes exactly <see cref="Values"/>, all from the input row, never from each other. Stands for project, project-away, project-keep, project-rename, project-reorder and post-aggregation expressions.
/// </summary>
public sealed class ProjectRelation(BoundRelation input, IReadOnlyList<NamedScalar> values)
    : UnaryRelation(input, [.. values.Select(v => v.Column)])
{
    public IReadOnlyList<NamedScalar> Values { get; } = values;
}

/// <summary>
/// Adds <see cref="Values"/> (each with a fresh column id, computed from the input row, not from each other) to the input. An added column that has the name of
/// an input column takes its place in <see cref="BoundRelation.Columns"/> (the old one is gone from the output); others stand at the end, in order.
/// </summary>
public sealed class ExtendRelation(BoundRelation input, IReadOnlyList<NamedScalar> values, IReadOnlyList<KqlColumn> columns)
    : UnaryRelation(input, columns)
{
    public IReadOnlyList<NamedScalar> Values { get; } = values;
}

/// <summary>Rows in the order of the keys. The result is serialized: a following take, window function or the final output sees this order.
/// <c>top</c> is a sort below a <see cref="TakeRelation"/>.</summary>
public sealed class SortRelation(BoundRelation input, IReadOnlyList<SortKey> keys) : UnaryRelation(input, input.Columns)
{
    public IReadOnlyList<SortKey> Keys { get; } = keys;
}

/// <summary>At most <see cref="Count"/> rows (an integer expression without column references): the first ones of a sorted input, any ones otherwise.</summary>
public sealed class TakeRelation(BoundRelation input, BoundScalar count) : UnaryRelation(input, input.Columns)
{
    public BoundScalar Count { get; } = count;
}

/// <summary><c>sample n</c>: n random rows.</summary>
public sealed class SampleRelation(BoundRelation input, BoundScalar count) : UnaryRelation(input, input.Columns)
{
    public BoundScalar Count { get; } = count;
}

/// <summary><c>serialize</c>: fixes the input's present row order for window functions. (Its expressions come as an <see cref="ExtendRelation"/> above.)</summary>
public sealed class SerializeRelation(BoundRelation input) : UnaryRelation(input, input.Columns);

/// <summary><c>render</c>: passes rows through; only the last operator of a query may be one. Property names are lower-case.</summary>
public sealed class RenderRelation(BoundRelation input, string chart, IReadOnlyDictionary<string, string> properties)
    : UnaryRelation(input, input.Columns)
{
    public string Chart { get; } = chart;

    public IReadOnlyDictionary<string, string> Properties { get; } = properties;
}

/// <summary><c>consume</c>: runs the input and returns no rows.</summary>
public sealed class ConsumeRelation(BoundRelation input) : UnaryRelation(input, input.Columns);

/// <summary>One expression of an mv-expand or mv-apply.</summary>
/// <param name="Value">Dynamic array, bag, or scalar (or JSON text). Null where only the item index is wanted.</param>
/// <param name="Column">The column that receives the element, converted to its type as by the to-function; fresh id.</param>
public sealed record ExpandItem(BoundScalar Value, KqlColumn Column);

/// <summary>
/// Expands arrays and bags to rows. Several items run in parallel (zipped to the longest, null-padded). An array gives its elements; a bag gives one
/// single-property bag per property (<see cref="BagAsArray"/>: two-element arrays [key, value]); any other value stays itself as one row. If every item is null
/// or empty, mv-expand gives one row with nulls.
/// <see cref="ItemIndex"/> counts from 0 within an input row (long). <see cref="RowLimit"/> bounds rows per input row. An item's column that has the name of an input
/// column stands in its place in Columns; others at the end; the index last.
/// </summary>
public sealed class MvExpandRelation(
    BoundRelation input,
    IReadOnlyList<ExpandItem> items,
    KqlColumn? itemIndex,
    bool bagAsArray,
    long? rowLimit,
    IReadOnlyList<KqlColumn> columns) : UnaryRelation(input, columns)
{
    public IReadOnlyList<ExpandItem> Items { get; } = items;

    public KqlColumn? ItemIndex { get; } = itemIndex;

    public bool BagAsArray { get; } = bagAsArray;

    public long? RowLimit { get; } = rowLimit;
}

/// <summary>
/// For each input row: expands <see cref="Items"/> as mv-expand does (no elements: no rows), runs <see cref="Body"/> over the expanded rows, and returns the input
/// row's columns joined to each result row. <see cref="Context"/> is the leaf of the body: the input's columns (same ids) with the items in place or at the end.
/// Output columns are input columns (not those replaced by an item) and body columns, by id; an input column whose name the body yields again is
/// left out in favour of the body's.
/// </summary>
public sealed class MvApplyRelation(
    BoundRelation input,
    IReadOnlyList<ExpandItem> items,
    KqlColumn? itemIndex,
    long? rowLimit,
    ContextRelation context,
    BoundRelation body,
    IReadOnlyList<KqlColumn> columns) : UnaryRelation(input, columns)
{
    public IReadOnlyList<ExpandItem> Items { get; } = items;

    public KqlColumn? ItemIndex { get; } = itemIndex;

    public long? RowLimit { get; } = rowLimit;

    public ContextRelation Context { get; } = context;

    public BoundRelation Body { get; } = body;
}
