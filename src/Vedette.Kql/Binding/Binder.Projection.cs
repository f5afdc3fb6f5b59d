using System.Globalization;
using Vedette.Kql.Bound;
using Vedette.Kql.Symbols;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>Operators that compute or choose columns: project and its family, extend, print, summarize, distinct.</summary>
internal sealed partial class Binder
{
    private enum ProjectionStyle
    {
        Project,
        Extend,
        Print,
        Summarize,
    }

    /// <summary>Columns being built, with the values of those that are computed (by column id).</summary>
    private sealed class Projection(ProjectionStyle style)
    {
        public ProjectionStyle Style { get; } = style;

        public ColumnBuilder Builder { get; } = new();

        public Dictionary<int, BoundScalar> Values { get; } = [];

        public int Unnamed { get; set; }

        public List<NamedScalar> ToScalars(TextSpan span) =>
            [.. Builder.Columns.Select(c => new NamedScalar(c, Values.TryGetValue(c.Id, out var v) ? v : new BoundColumnRef(c, span)))];
    }

    private TableValue BindProject(ListOperator op, TableValue input)
    {
        var projection = new Projection(ProjectionStyle.Project);
        foreach (var item in op.Items)
            AddItem(projection, item);
        return new TableValue(new ProjectRelation(input.Node, projection.ToScalars(op.Span)));
    }

    private TableValue BindExtend(ListOperator op, TableValue input)
    {
        var projection = new Projection(ProjectionStyle.Extend);
        foreach (var column in input.Columns)
            projection.Builder.Add(column);
        foreach (var item in op.Items)
            AddItem(projection, item);
        var columns = projection.Builder.Columns;
        var values = columns.Where(c => projection.Values.ContainsKey(c.Id)).Select(c => new NamedScalar(c, projection.Values[c.Id])).ToList();
        return input.With(new ExtendRelation(input.Node, values, columns));
    }

    private TableValue BindPrint(ListOperator op)
    {
        var saved = _row;
        _row = new Row(null);
        var projection = new Projection(ProjectionStyle.Print);
        foreach (var item in op.Items)
            AddItem(projection, item);
        _row = saved;
        return new TableValue(new PrintRelation(projection.ToScalars(op.Span)));
    }

    /// <summary>Adds the column or columns of one item of a projection.</summary>
    private void AddItem(Projection projection, Expr item)
    {
        if (item is OrderedExpr ordered)
            item = ordered.Value;
        var names = item is NamedExpr named ? named.Names : [];
        var value = item is NamedExpr n ? n.Value : item;
        if (item is MissingExpr)
            return;
        if (item is StarExpr)
        {
            foreach (var column in _row?.Input?.Columns ?? [])
                projection.Builder.Add(column, replace: true);
            return;
        }

        if (TryBindTuple(value, projection.Style) is { } tuple)
        {
            if (item is NamedExpr { IsTuple: true, Names.Count: > 1 } single && tuple.Count == 1 && !YieldsSeveral(value))
            {
                Error("KS149", Of("The expression does not have multiple named values."), single.NamesSpan);
                names = [names[0]];
            }

            // The service's engine gives the forecast alone, though the public symbols list what it was made from.
            if (names.Count == 1 && value is CallExpr { Name: "series_decompose_forecast" })
                tuple = [tuple[0]];
            AddTuple(projection, names, tuple, value);
            return;
        }

        var scalar = BindScalar(value);
        if (item is NamedExpr { IsTuple: true, Names.Count: > 1 } many)
        {
            Error("KS149", Of("The expression does not have multiple named values."), many.NamesSpan);
            foreach (var name in many.Names)
                Declare(projection, name, Unknown(name.Span), replace: true);
            return;
        }

        if (names.Count > 0)
        {
            var replaces = projection.Style == ProjectionStyle.Extend || scalar is BoundColumnRef && projection.Style != ProjectionStyle.Summarize;
            Declare(projection, names[0], scalar, replaces);
            return;
        }

        if (scalar is BoundColumnRef reference && (value is CallExpr { Name: not ("column_ifexists" or "columnifexists") } || IsReference(value)) && projection.Style != ProjectionStyle.Print
            && (projection.Style != ProjectionStyle.Summarize || _aggregates is null))
        {
            // extend x leaves x as it is.
            if (!projection.Builder.Declare(reference.Column, projection.Style == ProjectionStyle.Extend, out _))
                Error("KS171", Of($"A column with the name '{reference.Column.Name}' is already declared."), value.Span);
            return;
        }

        var bare = value;
        while (bare is ParenExpr parenthesized)
            bare = parenthesized.Inner;
        var isCall = bare is CallExpr;
        AddUnnamed(projection, ColumnName(projection, value), scalar, projection.Style == ProjectionStyle.Extend && isCall);
    }

    /// <summary>Whether the expression is a plain name or a conversion that changes nothing, so that the column itself is meant.</summary>
    private bool IsReference(Expr e) => e switch
    {
        NameExpr name => _row?.Input?.Find(name.Name) is not null,
        ParenExpr p => IsReference(p.Inner),
        MemberExpr { Target: NameExpr { Name: "$left" or "$right" } } => true,
        _ => false,
    };

    private string? ColumnName(Projection projection, Expr value)
    {
        if (projection.Style == ProjectionStyle.Print)
            return null;
        // column_ifexists takes the name of the column it finds, but only on its own.
        var name = value is CallExpr { Name: "column_ifexists" or "columnifexists", Arguments: [LiteralExpr { Value: string column }, _] }
            ? _row?.Input?.Columns.Any(c => c.Name == column) == true ? column : null
            : ResultName(value);
        return string.IsNullOrEmpty(name) ? null : name;
    }

    private void AddUnnamed(Projection projection, string? name, BoundScalar value, bool replace)
    {
        if (projection.Style == ProjectionStyle.Print)
        {
            // print numbers its columns by position.
            name = string.Create(CultureInfo.InvariantCulture, $"print_{projection.Unnamed}");
        }

        var column = Output(name ?? DefaultName(projection.Builder), value);
        column = projection.Builder.Add(column, replace);
        projection.Unnamed++;
        if (column is not null)
            SetValue(projection, column, value);
    }

    /// <summary>The next free Column1, Column2 …, counted through the whole query.</summary>
    private string DefaultName(ColumnBuilder builder)
    {
        string name;
        do
        {
            name = string.Create(CultureInfo.InvariantCulture, $"Column{++_unnamedColumns}");
        }
        while (builder.Contains(name));
        return name;
    }

    private void Declare(Projection projection, NameExpr name, BoundScalar value, bool replace)
    {
        projection.Unnamed++;
        var column = Output(name.Name, value);
        if (!projection.Builder.Declare(column, replace, out var added))
        {
            Error("KS171", Of($"A column with the name '{name.Name}' is already declared."), name.Span);
            return;
        }

        SetValue(projection, added, value);
    }

    /// <summary>The column for a value: an aggregate's own output where the value is just that, else a fresh one.</summary>
    private KqlColumn Output(string name, BoundScalar value) =>
        value is BoundColumnRef { Column: var column } && _aggregates is { } collector && collector.AllowsColumn(column)
            ? column.Renamed(name)
            : NewColumn(name, value.Type);

    private static void SetValue(Projection projection, KqlColumn column, BoundScalar value)
    {
        if (value is not BoundColumnRef reference || reference.Column.Id != column.Id)
            projection.Values[column.Id] = value;
    }

    private void AddTuple(Projection projection, IReadOnlyList<NameExpr> names, List<NamedResult> tuple, Expr value)
    {
        for (var i = 0; i < tuple.Count; i++)
        {
            if (i < names.Count)
            {
                Declare(projection, names[i], tuple[i].Value, projection.Style != ProjectionStyle.Summarize);
                continue;
            }

            // A forecast given a name is one column.
            if (names.Count > 0 && value is CallExpr { Name: "series_decompose_forecast" })
                break;
            if (projection.Style == ProjectionStyle.Print && (names.Count > 0 || tuple.Count == 1))
            {
                if (names.Count > 0)
                    break;
                AddUnnamed(projection, null, tuple[i].Value, false);
                continue;
            }

            var column = Output(string.IsNullOrEmpty(tuple[i].Name) ? DefaultName(projection.Builder) : tuple[i].Name!, tuple[i].Value);
            column = projection.Builder.Add(column);
            if (column is not null)
                SetValue(projection, column, tuple[i].Value);
        }

        projection.Unnamed++;
        for (var i = tuple.Count; i < names.Count; i++)
            Error("KS150", Of("The name does not have a corresponding expression."), names[i].Span);
    }

    /// <summary>The results of a call that yields several columns; null for any other expression.</summary>
    private List<NamedResult>? TryBindTuple(Expr e, ProjectionStyle style)
    {
        if (e is ParenExpr p)
            return TryBindTuple(p.Inner, style);
        if (e is not CallExpr call || _scope.Find(call.Name) is FunctionVariable)
            return null;
        if (_aggregates is not null && FunctionTable.Aggregates.TryGetValue(call.Name, out var aggregate))
            return BindAggregate(aggregate, call);
        if (!FunctionTable.Scalars.TryGetValue(call.Name, out var symbol) || symbol.Attributes.Tuple is not { } parts)
            return null;
        var result = BindBuiltIn(symbol, call);
        if (result.Type == KqlType.Unknown)
            return null;
        var results = new List<NamedResult>();
        if (parts.Count == 0)
        {
            // array_sort_*: one sorted array for each array argument.
            var bound = ((BoundCall)result).Arguments;
            for (var i = 0; i < bound.Count && bound[i].Type == KqlType.Dynamic; i++)
            {
                var name = ResultName(call.Arguments[i]) is { Length: > 0 } n ? n + "_sorted" : "array_sorted";
                results.Add(new NamedResult(name, Part(result, i, KqlType.Dynamic)));
            }

            return results;
        }

        for (var i = 0; i < parts.Count; i++)
        {
            var name = $"{symbol.Name}_{(call.Arguments.Count > 0 ? ResultName(call.Arguments[0]) : "")}_{parts[i].Name}";
            results.Add(new NamedResult(name, Part(result, i, parts[i].Type)));
        }

        return results;
    }

    /// <summary>Whether a call's form allows several results, though this one may have one.</summary>
    private static bool YieldsSeveral(Expr e) => e switch
    {
        ParenExpr p => YieldsSeveral(p.Inner),
        CallExpr { Name: "arg_max" or "arg_min" or "argmax" or "argmin" or "take_any" or "any" or "percentile" or "percentilew" or "percentiles" or "percentilesw" } => true,
        CallExpr call => FunctionTable.Scalars.TryGetValue(call.Name, out var symbol) && symbol.Attributes.Tuple is not null,
        _ => false,
    };

    private static BoundScalar Part(BoundScalar tuple, int index, KqlType type)
    {
        BoundScalar part = new BoundIndex(tuple, new BoundLiteral(KqlType.Long, (long)index, tuple.Span), tuple.Span);
        return type == KqlType.Dynamic ? part : new BoundConvert(part, type, tuple.Span);
    }

    private TableValue BindSummarize(SummarizeOperator op, TableValue input)
    {
        var projection = new Projection(ProjectionStyle.Summarize);
        var keyScalars = new Dictionary<int, BoundScalar>();
        var keySpans = new Dictionary<int, TextSpan>();
        foreach (var key in op.Keys)
        {
            if (key is StarExpr)
            {
                Error("KS116", Of("The star is not allowed in this context."), key.Span);
                continue;
            }

            AddItem(projection, key);
            for (var i = keySpans.Count; i < projection.Builder.Columns.Count; i++)
                keySpans.TryAdd(projection.Builder.Columns[i].Id, key.Span);
        }

        var keys = new List<NamedScalar>();
        var collector = new AggregateCollector();
        foreach (var column in projection.Builder.Columns)
        {
            var value = projection.Values.TryGetValue(column.Id, out var v) ? v : new BoundColumnRef(column, op.Span);
            keys.Add(new NamedScalar(column, value));
            keyScalars[column.Id] = value;
            if (value is BoundColumnRef reference)
                collector.Keys.Add(reference.Column.Id);
            if (value.Type == KqlType.Dynamic && input.Late is null)
                Error("KS116", Of("Summarize group key is of a 'dynamic' type. Please use an explicit cast (for example, 'tostring(...)')."), keySpans.GetValueOrDefault(column.Id, value.Span));
        }

        var keyCount = keys.Count;
        _aggregates = collector;
        foreach (var item in op.Aggregates)
            AddItem(projection, item);
        _aggregates = null;
        if (op.Aggregates.Count == 0 && !op.HasBy)
            Error("KS006", "Missing expression", op.Span with { Start = op.Span.End, Length = 0 });
        var columns = projection.Builder.Columns;
        var items = collector.Finish(columns);
        var summarize = new SummarizeRelation(input.Node, keys, items);
        // Nothing but keys and aggregates in their order: no projection needed.
        if (columns.Count == summarize.Columns.Count && columns.Zip(summarize.Columns).All(p => p.First.Id == p.Second.Id))
            return new TableValue(summarize);
        var values = new List<NamedScalar>(columns.Count);
        for (var i = 0; i < columns.Count; i++)
        {
            var column = columns[i];
            values.Add(new NamedScalar(
                column,
                i >= keyCount && projection.Values.TryGetValue(column.Id, out var value) ? value : new BoundColumnRef(column, op.Span)));
        }

        return new TableValue(new ProjectRelation(summarize, values));
    }

    private TableValue BindDistinct(ListOperator op, TableValue input)
    {
        var projection = new Projection(ProjectionStyle.Project);
        foreach (var item in op.Items)
        {
            var before = projection.Builder.Columns.Count;
            AddItem(projection, item);
            if (input.Late is null && projection.Builder.Columns.Skip(before).Any(c => c.Type == KqlType.Dynamic))
                Error("KS116", Of("The value of type 'dynamic' is not allowed in this context."), item.Span);
        }

        var keys = projection.ToScalars(op.Span);

        return new TableValue(new SummarizeRelation(input.Node, keys, []));
    }

    private TableValue BindCountOperator(ListOperator op, TableValue input)
    {
        var column = NewColumn(op.Items.Count > 0 && op.Items[0] is NameExpr name ? name.Name : "Count", KqlType.Long);
        return new TableValue(new SummarizeRelation(input.Node, [], [new AggregateItem([column], FunctionTable.Aggregate("count"), [], KqlType.Long)]));
    }

    private TableValue BindGetSchema(TableValue input)
    {
        KqlColumn[] columns =
        [
            NewColumn("ColumnName", KqlType.String), NewColumn("ColumnOrdinal", KqlType.Long), NewColumn("DataType", KqlType.String), NewColumn("ColumnType", KqlType.String),
        ];
        var span = default(TextSpan);
        var rows = input.Columns.Select((c, i) => (IReadOnlyList<BoundScalar>)
        [
            new BoundLiteral(KqlType.String, c.Name, span), new BoundLiteral(KqlType.Long, (long)i, span),
            new BoundLiteral(KqlType.String, "System." + c.Type.DotNetName(), span), new BoundLiteral(KqlType.String, c.Type.Name(), span),
        ]).ToList();
        // The table is known once the rows have been seen; until then the input stands in the tree.
        return new TableValue(input.Late is null
            ? new DataTableRelation(columns, rows)
            : new ProjectRelation(new TakeRelation(input.Node, new BoundLiteral(KqlType.Long, 0L, span)), [.. columns.Select(c => new NamedScalar(c, new BoundLiteral(c.Type, null, span)))]));
    }
}
