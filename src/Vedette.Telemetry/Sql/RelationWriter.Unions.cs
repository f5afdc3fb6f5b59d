using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Local.Functions;
using Vedette.Telemetry.Sql.Functions;

namespace Vedette.Telemetry.Sql;

/// <summary>Unions.</summary>
internal sealed partial class RelationWriter
{
    /// <summary>
    /// Conditions over a union, asked of each of its inputs: there they meet sorting keys and indexes, and an input that lacks a column they need is not read
    /// at all. Null when there is no union below.
    /// </summary>
    private Select? IntoUnion(FilterRelation filter)
    {
        var conditions = new List<BoundScalar>();
        BoundRelation input = filter;
        for (; input is FilterRelation next; input = next.Input)
            conditions.AddRange(ScalarWriter.Conjuncts(next.Predicate));
        if (input is not UnionRelation union || conditions.TrueForAll(static c => !HoldsAnywhere(c)))
            return null;
        var result = Union(union, conditions.FindAll(HoldsAnywhere));
        foreach (var rest in conditions.Where(static c => !HoldsAnywhere(c)))
        {
            result = Prepare(Open(result), [rest]);
            if (!result.IsOpen)
                result = result.Wrap();
            foreach (var condition in _scalars.WriteConditions(rest, result))
                result.Where(condition);
        }

        return result;
    }

    /// <summary>Whether a condition looks at nothing but the row's columns, so that it may be asked of the inputs of a union.</summary>
    private static bool HoldsAnywhere(BoundScalar scalar) => scalar switch
    {
        BoundIn { Subquery: not null } or BoundScalarSubquery => false,
        BoundCall call when call.Function.IsWindow || call.Function.Name == "ingestion_time"
            || (FunctionTable.Find(call.Function.Name) is null && LocalFunctionTable.Find(call.Function.Name) is not null) => false,
        _ => BoundTree.Children(scalar).All(HoldsAnywhere),
    };

    private Select Union(UnionRelation union, IReadOnlyList<BoundScalar> conditions)
    {
        var inputs = new List<(Select, IReadOnlyList<KqlColumn?>, SqlValue?)>();
        IEnumerable<UnionInput> filled = union.Inputs.Where(i => !IsEmpty(i.Input));
        foreach (var input in filled.Any() ? filled : union.Inputs.Take(1))
            inputs.Add((Filtered(union, input, conditions), input.Columns, SqlConstant.String(input.SourceName)));
        if (inputs.Count == 0)
            return DataTable(new DataTableRelation(union.Columns, []));
        return new Select(new UnionSource(inputs, union.SourceColumn, union.Columns));
    }

    private Select Filtered(UnionRelation union, UnionInput input, IReadOnlyList<BoundScalar> conditions)
    {
        var select = Write(input.Input);
        if (conditions.Count == 0)
            return select;
        select = Open(select);
        var first = union.SourceColumn is null ? 0 : 1;
        var columns = new Dictionary<int, SqlValue>();
        for (var i = 0; i < union.Columns.Count; i++)
        {
            if (i < first)
                columns[union.Columns[i].Id] = SqlConstant.String(input.SourceName);
            else if (input.Columns[i - first] is null)
                columns[union.Columns[i].Id] = SqlConstant.Null(union.Columns[i].Type);
        }

        var known = union.Columns.Skip(first).Zip(input.Columns).Where(static p => p.Second is not null).ToDictionary(static p => p.First.Id, static p => p.Second!.Id);
        foreach (var condition in conditions)
        {
            foreach (var text in _scalars.WriteConditions(condition, select, known, columns))
                select.Where(text);
        }

        return select;
    }

    /// <summary>Whether rows can only come from a table that is known to have none.</summary>
    private bool IsEmpty(BoundRelation relation) => relation switch
    {
        TableScan scan => _context.EmptyTables is { } empty && _context.FindTable(scan.Table.Name) is { } table && empty.Contains(table.Name),
        FilterRelation or ProjectRelation or ExtendRelation or SortRelation or TakeRelation => IsEmpty(((UnaryRelation)relation).Input),
        _ => false,
    };
}
