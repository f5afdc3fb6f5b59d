using Vedette.Kql.Bound;
using Vedette.Kql.Symbols;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>make-series, top, top-hitters, top-nested, sample-distinct.</summary>
internal sealed partial class Binder
{
    private TableValue BindMakeSeries(MakeSeriesOperator op, TableValue input)
    {
        var keyProjection = new Projection(ProjectionStyle.Summarize);
        foreach (var key in op.Keys)
            AddItem(keyProjection, key);
        var builder = new ColumnBuilder();
        var keys = keyProjection.ToScalars(op.Span);
        foreach (var key in keys)
            builder.Add(key.Column);
        var series = new List<SeriesItem>();
        foreach (var (value, fallback) in op.Series)
        {
            var collector = new AggregateCollector();
            _aggregates = collector;
            var expression = value is NamedExpr n ? n.Value : value;
            var parts = TryBindTuple(expression, ProjectionStyle.Summarize);
            var bound = parts is { Count: > 0 } ? parts[0].Value : BindScalar(expression);
            var name = value is NamedExpr named ? named.Names[0].Name : parts is { Count: > 0 } ? parts[0].Name : ResultName(expression);
            _aggregates = null;
            var column = NewColumn(string.IsNullOrEmpty(name) ? DefaultName(builder) : name, KqlType.Dynamic);
            if (value is NamedExpr)
            {
                if (!builder.Declare(column, false, out column))
                    Error("KS171", Of($"A column with the name '{name}' is already declared."), value.Span);
            }
            else
            {
                column = builder.Add(column) ?? column;
            }

            var items = collector.Finish([]);
            var direct = bound is BoundColumnRef r && items.Count == 1 && items[0].Outputs.Count == 1 && items[0].Outputs[0].Id == r.Column.Id;
            series.Add(new SeriesItem(column, items, direct ? null : bound, fallback is null ? null : BindScalar(fallback)));
        }

        var axisSyntax = op.Axis is NamedExpr axisNamed ? axisNamed.Value : op.Axis;
        var axis = BindScalar(axisSyntax);
        if (axis.Type != KqlType.Unknown && !axis.Type.IsSummable())
            Error("KS138", Of("The argument value must be summable: a number, timespan or datetime."), op.Axis.Span);
        var axisName = ResultName(op.Axis);
        var axisColumn = builder.Add(NewColumn(string.IsNullOrEmpty(axisName) ? DefaultName(builder) : axisName, KqlType.Dynamic))!;
        var saved = _row;
        _row = new Row(null);
        var from = op.From is null ? null : BindScalar(op.From);
        var to = op.To is null ? null : BindScalar(op.To);
        var step = op.Step is null ? Unknown(op.Span) : BindScalar(op.Step);
        _row = saved;
        var nonEmpty = op.Parameter("kind")?.Word == "nonempty";
        return new TableValue(new MakeSeriesRelation(input.Node, series, axis, axisColumn, from, to, step, keys, nonEmpty, builder.Columns));
    }

    private TableValue BindCounted(CountedOperator op, TableValue input)
    {
        var count = BindCount(op.Count);
        switch (op.Name)
        {
            case "top":
                return input.With(new TakeRelation(new SortRelation(input.Node, BindSortKeys(op.By)), count));
            case "sample-distinct":
                var projection = new Projection(ProjectionStyle.Project);
                AddItem(projection, op.Of!);
                return new TableValue(new SampleRelation(new SummarizeRelation(input.Node, projection.ToScalars(op.Span), []), count));
            default:
                return BindTopHitters(op, input, count);
        }
    }

    private TableValue BindTopHitters(CountedOperator op, TableValue input, BoundScalar count)
    {
        var projection = new Projection(ProjectionStyle.Project);
        AddItem(projection, op.Of!);
        var keys = projection.ToScalars(op.Span);
        AggregateItem item;
        if (op.By.Count > 0)
        {
            var weight = BindScalar(op.By[0]);
            if (!weight.Type.IsNumeric() && weight.Type is not (KqlType.Unknown or KqlType.Dynamic))
                Error("KS137", Of("The expression value must be a number."), op.By[0].Span);
            var column = NewColumn("approximate_sum_" + ResultName(op.By[0]), weight.Type);
            item = new AggregateItem([column], FunctionTable.Aggregate("sum"), [weight], weight.Type);
        }
        else
        {
            var column = NewColumn("approximate_count_" + ResultName(op.Of!), KqlType.Long);
            item = new AggregateItem([column], FunctionTable.Aggregate("count"), [], KqlType.Long);
        }

        var summarize = new SummarizeRelation(input.Node, keys, [item]);
        var sort = new SortRelation(summarize, [new SortKey(new BoundColumnRef(item.Outputs[0], op.Span), true, false)]);
        return new TableValue(new TakeRelation(sort, count));
    }

    private TableValue BindTopNested(TopNestedOperator op, TableValue input)
    {
        var builder = new ColumnBuilder();
        var levels = new List<TopNestedLevel>();
        foreach (var clause in op.Levels)
        {
            var count = clause.Count is null ? null : BindCount(clause.Count);
            var key = BindScalar(clause.Of is NamedExpr n ? n.Value : clause.Of);
            var keyName = ResultName(clause.Of);
            var keyColumn = builder.Add(
                key is BoundColumnRef { Column: var c } && clause.Of is NameExpr && !builder.Columns.Any(o => o.Id == c.Id) ? c : NewColumn(string.IsNullOrEmpty(keyName) ? DefaultName(builder) : keyName, key.Type))!;
            var others = clause.Others is null ? null : BindScalar(clause.Others);
            var ordered = clause.By as OrderedExpr;
            var by = ordered?.Value ?? clause.By;
            var collector = new AggregateCollector();
            _aggregates = collector;
            var order = BindScalar(by is NamedExpr b ? b.Value : by);
            _aggregates = null;
            var orderName = by is NamedExpr named ? named.Names[0].Name : "aggregated_" + keyColumn.Name;
            var orderColumn = order is BoundColumnRef { Column: var output } ? output.Renamed(orderName) : NewColumn(orderName, order.Type);
            orderColumn = builder.Add(orderColumn)!;
            levels.Add(new TopNestedLevel(
                count, new NamedScalar(keyColumn, key), others, collector.Finish([orderColumn]), new NamedScalar(orderColumn, order), ordered?.Descending ?? true));
        }

        return new TableValue(new TopNestedRelation(input.Node, levels));
    }
}
