using Vedette.Kql.Symbols;

namespace Vedette.Kql.Bound;

/// <summary>All rows of a schema table. <c>Columns[i]</c> holds the table's column of the same name. (<c>ingestion_time()</c> in a scalar above refers to
/// the row's arrival in this table.)</summary>
public sealed class TableScan(KqlTable table, IReadOnlyList<KqlColumn> columns) : BoundRelation(columns)
{
    public KqlTable Table { get; } = table;
}

/// <summary>Constant rows: datatable literals, getschema and an empty fuzzy union. Cells are literals already converted to the column's type
/// (a non-constant cell such as now() stays an expression without column references).</summary>
public sealed class DataTableRelation(IReadOnlyList<KqlColumn> columns, IReadOnlyList<IReadOnlyList<BoundScalar>> rows) : BoundRelation(columns)
{
    public IReadOnlyList<IReadOnlyList<BoundScalar>> Rows { get; } = rows;
}

/// <summary>One row with the given values.</summary>
public sealed class PrintRelation(IReadOnlyList<NamedScalar> values) : BoundRelation([.. values.Select(v => v.Column)])
{
    public IReadOnlyList<NamedScalar> Values { get; } = values;
}

/// <summary><c>range name from a to b step c</c>: from, from+step … while not beyond to (below it for a negative step). Bounds contain no column references.
/// The column's type: long, real, datetime or timespan.</summary>
public sealed class RangeRelation(KqlColumn column, BoundScalar from, BoundScalar to, BoundScalar step) : BoundRelation([column])
{
    public KqlColumn Column { get; } = column;

    public BoundScalar From { get; } = from;

    public BoundScalar To { get; } = to;

    public BoundScalar Step { get; } = step;
}

/// <summary><c>externaldata (schema) [uris] with (…)</c>. Property names are lower-case (format, ignorefirstrecord …), values as text.</summary>
public sealed class ExternalDataRelation(
    IReadOnlyList<KqlColumn> columns, IReadOnlyList<BoundScalar> uris, IReadOnlyDictionary<string, string> properties) : BoundRelation(columns)
{
    public IReadOnlyList<BoundScalar> Uris { get; } = uris;

    public IReadOnlyDictionary<string, string> Properties { get; } = properties;

    /// <summary>For <c>inline_external_table</c>: what the files are part of; null for <c>externaldata</c>.</summary>
    public ExternalTableLayout? Table { get; init; }
}

/// <summary>How the files of an <c>inline_external_table</c> lie.</summary>
/// <param name="Kind">storage or delta.</param>
/// <param name="PathPattern">A regular expression for a file's path, with the groups p0, p1 … for the columns that stand in it; empty for none.</param>
/// <param name="PathColumns">Those columns, the last of the relation's, with the .NET format of a datetime in the path or null.</param>
public sealed record ExternalTableLayout(string Kind, string PathPattern, IReadOnlyList<(KqlColumn Column, string? Format)> PathColumns);

/// <summary>
/// The rows that the enclosing <see cref="MvApplyRelation"/>, <see cref="PartitionRelation"/> or graph operator feeds to its body. Leaf of that body.
/// Its columns have the ids of the context's columns.
/// </summary>
public sealed class ContextRelation(IReadOnlyList<KqlColumn> columns) : BoundRelation(columns);

/// <summary>
/// A tabular function that the host computes (FileProfile, DeviceFromIP …): with <see cref="Input"/> when it was invoked on a table. Input columns
/// that the function passes through keep their ids in <see cref="BoundRelation.Columns"/>; the function's own columns are fresh. A column named in a
/// parameter position comes as a <see cref="BoundColumnRef"/> to the input. <see cref="Arguments"/> is in the order of the function's scalar parameters,
/// null where the caller left one out and it has no default.
/// </summary>
public sealed class TableFunctionRelation(
    KqlTableFunction function, BoundRelation? input, IReadOnlyList<BoundScalar?> arguments, IReadOnlyList<KqlColumn> columns)
    : CombinedRelation(columns, input)
{
    public KqlTableFunction Function { get; } = function;

    public BoundRelation? Input { get; } = input;

    public IReadOnlyList<BoundScalar?> Arguments { get; } = arguments;
}
