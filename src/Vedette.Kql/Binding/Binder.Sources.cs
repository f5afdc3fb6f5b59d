using System.Globalization;
using Vedette.Kql.Bound;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>datatable, externaldata, range, render, partition, fork, facet, reduce.</summary>
internal sealed partial class Binder
{
    private List<KqlColumn> DeclareColumns(IReadOnlyList<ColumnDecl> declared)
    {
        var columns = new List<KqlColumn>(declared.Count);
        var names = new HashSet<string>();
        foreach (var column in declared)
        {
            if (!names.Add(column.Name.Name))
                Error("KS171", $"A column with the name '{column.Name.Name}' is already declared.", column.Name.Span);
            else if (column.Name.Name.Length > 0)
                columns.Add(NewColumn(column.Name.Name, column.Type));
        }

        return columns;
    }

    private TableValue BindDataTable(DataTableExpr data)
    {
        var columns = DeclareColumns(data.Columns);
        var rows = new List<IReadOnlyList<BoundScalar>>();
        if (columns.Count == 0)
            return new TableValue(new DataTableRelation(columns, rows));
        if (data.Cells.Count % columns.Count != 0)
            Error("KS173", $"Incorrect number of data values. The values should appear in multiples of {columns.Count}.", data.CellsSpan);
        var savedRow = _row;
        _row = new Row(null);
        for (var i = 0; i + columns.Count <= data.Cells.Count; i += columns.Count)
        {
            var row = new BoundScalar[columns.Count];
            for (var c = 0; c < row.Length; c++)
                row[c] = Cell(data.Cells[i + c], columns[c].Type);
            rows.Add(row);
        }

        _row = savedRow;
        return new TableValue(new DataTableRelation(columns, rows));
    }

    private BoundScalar Cell(Expr e, KqlType type)
    {
        // An unnamed null literal fits every type.
        if (e is NameExpr { Name: "null" })
            return new BoundLiteral(type, type == KqlType.String ? "" : null, e.Span);
        var value = BindScalar(e);
        if (value.Type == type || value.Type == KqlType.Unknown || type == KqlType.Unknown)
            return value;
        var fits = type is KqlType.Dynamic or KqlType.String
            || (type.IsNumeric() && (value.Type.IsNumeric() || value.Type is KqlType.Bool or KqlType.String))
            || (type == KqlType.Bool && value.Type.IsInteger())
            || value.Type is KqlType.String or KqlType.Dynamic;
        if (!fits)
            return Report("KS107", $"A value of type {type.Name()} expected.", e.Span);
        return Coerce(value, type);
    }

    private TableValue BindExternalData(ExternalDataExpr external)
    {
        var columns = DeclareColumns(external.Columns);
        var uris = new List<BoundScalar>();
        foreach (var uri in external.Uris)
        {
            var value = BindScalar(uri);
            if (value.Type is not (KqlType.String or KqlType.Unknown))
                Error("KS107", "A value of type string expected.", uri.Span);
            uris.Add(value);
        }

        var properties = Properties(external.Properties);
        return external.Partitions is { } partitions ? BindExternalTable(external, partitions, columns, uris, properties) : new TableValue(new ExternalDataRelation(columns, uris, properties));
    }

    private TableValue BindExternalTable(
        ExternalDataExpr external, IReadOnlyList<(ColumnDecl Column, Expr? Value)> partitions, List<KqlColumn> columns, List<BoundScalar> uris, Dictionary<string, string> properties)
    {
        var kind = properties.GetValueOrDefault("kind") ?? "";
        var head = new TextSpan(external.Span.Start, "inline_external_table".Length);
        if (kind is not ("storage" or "delta"))
            Error("KS005", "Expected one of: storage, delta", head);
        else if (kind == "storage" && !properties.ContainsKey("dataformat"))
            Error("KS253", "DataFormat definition is expected.", head);
        else if (kind == "delta" && (properties.ContainsKey("dataformat") || partitions.Count > 0 || external.PathFormat.Count > 0))
            Error("KS267", "dataformat, partition by and pathformat are not used with kind=delta: the table's log tells them.", head);
        if (columns.Count == 0)
            Error("KS006", "Missing schema declaration", head);

        // What has no expression stands in the path; what has one is computed from the columns of the file.
        var own = partitions.Where(p => p.Value is null).Select(p => NewColumn(p.Column.Name.Name, p.Column.Type)).ToList();
        var formats = new string?[own.Count];
        var pattern = new System.Text.StringBuilder();
        foreach (var element in external.PathFormat)
        {
            var (name, format) = element switch
            {
                LiteralExpr { Value: string text } => (null, text),
                NameExpr n => (n, null),
                CallExpr { Name: "datetime_pattern", Arguments: [LiteralExpr { Value: string f }, NameExpr n] } => (n, f),
                _ => ((NameExpr?)null, (string?)null),
            };
            var at = name is null ? -1 : own.FindIndex(c => c.Name == name.Name);
            if (name is null && format is null)
                Error("KS116", "The value is not allowed in this context.", element.Span);
            else if (name is not null && partitions.All(p => p.Column.Name.Name != name.Name))
                UnknownName(name.Name, name.Span);
            else if (name is null)
                pattern.Append(System.Text.RegularExpressions.Regex.Escape(format!));
            else if (at < 0)
                pattern.Append(format is null ? "[^/]*" : ".{" + format.Length.ToString(CultureInfo.InvariantCulture) + "}");
            else
                pattern.Append(CultureInfo.InvariantCulture, $"(?<p{at}>{(format is null ? "[^/]*" : ".{" + format.Length.ToString(CultureInfo.InvariantCulture) + "}")})");
            if (at >= 0)
                formats[at] = format;
        }

        columns.AddRange(own);
        BoundRelation relation = new ExternalDataRelation(columns, uris, properties)
        {
            Table = new ExternalTableLayout(kind, pattern.ToString(), [.. own.Select((c, i) => (c, formats[i]))]),
        };
        var computed = partitions.Where(p => p.Value is not null).ToList();
        if (computed.Count == 0)
            return new TableValue(relation);
        var saved = _row;
        _row = new Row(new TableValue(relation));
        var values = computed.ConvertAll(p => new NamedScalar(NewColumn(p.Column.Name.Name, p.Column.Type), Coerce(BindScalar(p.Value!), p.Column.Type)));
        _row = saved;
        return new TableValue(new ExtendRelation(relation, values, [.. columns, .. values.Select(v => v.Column)]));
    }

    private Dictionary<string, string> Properties(IReadOnlyList<OperatorParameter> parameters)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var parameter in parameters)
        {
            var value = parameter.Word ?? (parameter.Value is MissingExpr ? null : ConstantText(BindScalar(parameter.Value)));
            result[parameter.Name.ToLowerInvariant()] = value ?? "";
        }

        return result;
    }

    private TableValue BindRange(RangeOperator op)
    {
        var saved = _row;
        _row = new Row(null);
        var from = BindScalar(op.From);
        var to = BindScalar(op.To);
        var step = BindScalar(op.Step);
        _row = saved;
        var type = from.Type;
        if (from.Type.IsNumeric() && to.Type.IsNumeric() && step.Type.IsNumeric())
            type = ScalarTypes.Promote(KqlTypes.Widest(KqlTypes.Widest(from.Type, to.Type), step.Type));
        else if (from.Type == KqlType.Dynamic || from.Type == KqlType.Unknown)
            type = to.Type is KqlType.Dynamic ? KqlType.Long : to.Type;
        if (from.Type is not KqlType.Unknown and not KqlType.Dynamic && !from.Type.IsSummable())
            Error("KS141", Of("The expression must have one of the types: int, long, real, decimal, datetime or timespan."), op.From.Span);
        else if (type == KqlType.DateTime && step.Type is not (KqlType.TimeSpan or KqlType.Unknown or KqlType.Dynamic))
            Error("KS178", Of($"The type '{step.Type.Name()}' is not an appropriate interval type for 'datetime'"), op.Step.Span);
        if (step is BoundLiteral { Value: 0L or 0d } or BoundLiteral { Value: TimeSpan { Ticks: 0 } })
            Error("KS140", Of("The step must not be zero."), op.Step.Span);
        return new TableValue(new RangeRelation(NewColumn(op.Column.Name, type), from, to, step));
    }

    private TableValue BindRender(RenderOperator op, TableValue input) =>
        input.With(new RenderRelation(input.Node, op.Chart, Properties([.. op.Parameters, .. op.Properties])));

    private TableValue BindPartition(BranchOperator op, TableValue input)
    {
        var key = BindScalar(op.Keys[0]);
        if (key is not BoundColumnRef && key.Type != KqlType.Unknown)
            Error("KS109", Of("Column name expected."), op.Keys[0].Span);
        else if (key.Type == KqlType.Dynamic && input.Late is null)
            Error("KS116", Of("The partition key is of a 'dynamic' type. Please use an explicit cast (for example, 'tostring(...)')."), op.Keys[0].Span);
        var context = new ContextRelation(input.Columns);
        var body = op.Branches[0].Body;
        var savedScope = _scope;
        if (body.Source is not null && key is BoundColumnRef reference)
        {
            // A body of its own: the key is in sight as a value.
            _scope = new Scope(_scope);
            _scope.Set(reference.Column.Name, new ScalarVariable(reference));
        }

        var inner = body.Source is null ? BindPipeline(body, new TableValue(context, input.Late)) : BindTable(body);
        _scope = savedScope;
        _operator = op.Name;
        var strategy = op.Parameter("hint.strategy")?.Word ?? "legacy";
        return new TableValue(new PartitionRelation(input.Node, key, context, inner.Node, strategy), inner.Late);
    }

    /// <summary>fork and facet at the end of a query: each branch is a result of its own over the shared input.</summary>
    private TableValue BindBranches(BranchOperator op, TableValue input)
    {
        var saved = _row;
        _row = new Row(input);
        var shared = new SharedPlan(++_planIds, null, SharedPlanKind.As, input.Node);
        foreach (var (name, body) in op.Branches)
        {
            var branch = BindPipeline(body, Reference(shared, input, null));
            _results.Add(new KqlResult(name?.Name, branch.Node));
        }

        foreach (var key in op.Keys)
        {
            var table = Reference(shared, input, null);
            _row = new Row(table);
            _operator = op.Name;
            if (BindScalar(key) is not BoundColumnRef { Column: var column })
            {
                Error("KS109", Of("Column name expected."), key.Span);
                continue;
            }

            var count = NewColumn("count_" + column.Name, KqlType.Long);
            var item = new AggregateItem([count], Symbols.FunctionTable.Aggregate("count"), [], KqlType.Long);
            _results.Add(new KqlResult(column.Name, new SummarizeRelation(table.Node, [new NamedScalar(column, new BoundColumnRef(column, key.Span))], [item])));
        }

        _row = saved;
        return input;
    }

    /// <summary>fork or facet that something follows: the language has no single table to go on with.</summary>
    private TableValue BindInnerBranches(BranchOperator op, TableValue input)
    {
        Error("KS177", $"The query operator '{op.Name}' is not allowed in the current context.", op.NameSpan);
        return input;
    }

    private TableValue BindReduce(ReduceOperator op, TableValue input)
    {
        var value = BindScalar(op.Value is NamedExpr named ? named.Value : op.Value);
        if (value.Type is not (KqlType.String or KqlType.Dynamic or KqlType.Unknown))
            Error("KS107", Of("A value of type string expected."), op.Value.Span);
        var options = Properties(op.Options);
        var threshold = options.TryGetValue("threshold", out var text) && double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : 0.1;
        KqlColumn[] columns = [NewColumn("Pattern", KqlType.String), NewColumn("Count", KqlType.Long), NewColumn("Representative", KqlType.String)];
        var keepsRows = op.Parameter("kind")?.Word == "source";
        var builder = new ColumnBuilder();
        foreach (var column in keepsRows ? input.Columns : [])
            builder.Add(column);
        foreach (var column in columns)
            builder.Add(column);
        return new TableValue(new ReduceRelation(input.Node, value, threshold, options.GetValueOrDefault("characters", ""), keepsRows, builder.Columns));
    }
}
