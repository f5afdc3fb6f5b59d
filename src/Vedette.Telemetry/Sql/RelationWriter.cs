using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>Writes bound relations as selects. Each kind of operator has its method, in files by family.</summary>
internal sealed partial class RelationWriter
{
    private readonly SqlContext _context;
    private readonly SqlProgram _program;
    private readonly ScalarWriter _scalars;
    private readonly Dictionary<ContextRelation, Select> _contexts = [];
    private readonly Dictionary<int, SqlValue> _subqueries = [];
    private IReadOnlyList<KqlColumn> _carried = [];
    private IReadOnlyList<int> _groups = [];
    private GroupedBody? _body;
    private int _nextHidden = -1;
    private int _nextJoin = 1;
    private bool _beside;

    public RelationWriter(SqlContext context, SqlProgram program)
    {
        _context = context;
        _program = program;
        _scalars = new ScalarWriter(context, this);
    }

    /// <summary>A column id that the bound tree does not use.</summary>
    public int NewHidden() => _nextHidden--;

    /// <summary>Writes a relation.</summary>
    public Select Write(BoundRelation relation) => relation switch
    {
        TableScan scan => Scan(scan),
        DataTableRelation table => DataTable(table),
        PrintRelation print => Print(print),
        RangeRelation range => Range(range),
        ContextRelation context => _contexts.TryGetValue(context, out var select) ? select.Wrap() : throw ScalarWriter.Unsupported("This operator cannot stand here"),
        SharedScan shared => Shared(shared),
        FilterRelation filter => Filter(filter),
        ProjectRelation project => Compute(Write(project.Input), project.Values),
        ExtendRelation extend => Compute(Write(extend.Input), extend.Values),
        SortRelation sort => Sort(sort),
        TakeRelation take => Take(Write(take.Input), take.Count),
        SampleRelation sample => Sample(sample),
        SerializeRelation serialize => Numbered(Write(serialize.Input)),
        RenderRelation render => Write(render.Input),
        ConsumeRelation consume => Consume(Write(consume.Input)),
        SummarizeRelation summarize => Summarize(summarize),
        MakeSeriesRelation series => MakeSeries(series, Write(series.Input), []),
        TopNestedRelation nested => TopNested(nested, () => Write(nested.Input), [], []),
        JoinRelation join => Join(join),
        UnionRelation union => Union(union, []),
        MvExpandRelation expand => Expand(expand),
        MvApplyRelation apply => Apply(apply, Write(apply.Input), []),
        PartitionRelation partition => Partition(partition, Write(partition.Input), []),
        ParseRelation parse => Parse(parse),
        ParseKvRelation parse => ParseKv(parse, Write(parse.Input)),
        ReduceRelation reduce => Reduce(reduce, Write(reduce.Input), [], []),
        EvaluateRelation evaluate => Evaluate(evaluate, () => Write(evaluate.Input!), [], []),
        ExternalDataRelation external => External(external),
        GraphMatchRelation match => GraphMatch(match, Ungrouped),
        GraphToTableRelation table => GraphToTable(table, Ungrouped),
        GraphComponentsRelation components => GraphComponents(components, Ungrouped),
        ScanRelation scan => Sequences(scan, Write(scan.Input), [], []),
        TableFunctionRelation function => TableFunction(function, Write, [], []),
        _ => Local(relation),
    };

    /// <summary>Writes a relation that stands beside what the query begins with: its rows may have arrived earlier.</summary>
    private Select WriteBeside(BoundRelation relation)
    {
        var before = _beside;
        _beside = true;
        try
        {
            return Write(relation);
        }
        finally
        {
            _beside = before;
        }
    }

    private Select Filter(FilterRelation filter)
    {
        if (IntoUniqueJoin(filter) is { } join)
            return Write(join);
        if (IntoUnion(filter) is { } united)
            return united;
        var scope = Prepare(Open(Write(filter.Input)), [filter.Predicate]);
        if (!scope.IsOpen)
            scope = scope.Wrap();
        foreach (var condition in _scalars.WriteConditions(filter.Predicate, scope))
            scope.Where(condition);
        return scope;
    }

    /// <summary>Adds computed columns; a value that only passes through keeps its place.</summary>
    private Select Compute(Select input, IReadOnlyList<NamedScalar> values)
    {
        var scope = Prepare(Open(input), values.Select(v => v.Value));
        foreach (var value in values)
        {
            if (value.Value is BoundColumnRef reference && reference.Column.Id == value.Column.Id)
                continue;
            var written = Typed(_scalars.Write(value.Value, scope), value.Column.Type);
            if (Select.IsTooDeep(_scalars.Depth + 1) && !written.IsConstant)
            {
                scope = scope.Wrap();
                written = Typed(_scalars.Write(value.Value, scope), value.Column.Type);
            }

            scope.Define(value.Column.Id, written, _scalars.Depth + 1);
        }

        return scope;
    }

    private static SqlValue Typed(SqlValue value, KqlType type) => value.Type == type || type == KqlType.Unknown ? value : SqlConvert.To(value, type);

    /// <summary>Defines a value under a hidden id unless it is a mere column.</summary>
    private int Hide(Select scope, SqlValue value)
    {
        var id = NewHidden();
        scope.Define(id, value, _scalars.Depth + 1);
        return id;
    }

    /// <summary>A level to which definitions and conditions can be added.</summary>
    private static Select Open(Select select) => select.IsOpen ? select : select.Wrap();

    private Select Sort(SortRelation sort)
    {
        var input = Write(sort.Input);
        // Groups are sorted where they are made, when nothing has to be computed for it.
        if (input.CanOrder && sort.Keys.All(k => k.Value is BoundColumnRef { Type: not KqlType.Dynamic } column && input.Resolve(column.Column.Id).Type == column.Type))
        {
            input.Order = [.. sort.Keys.Select(k => (Key: k, ((BoundColumnRef)k.Value).Column.Id)).Where(k => !input.Resolve(k.Id).IsConstant).Select(k => new SqlOrder(k.Id, k.Key.Descending, k.Key.NullsFirst))];
            input.IsNumbered = false;
            return input;
        }

        var scope = Prepare(Open(input), sort.Keys.Select(k => k.Value));
        if (scope.HasWindow)
            scope = scope.Wrap();
        var order = new List<SqlOrder>();
        foreach (var key in sort.Keys)
        {
            var value = _scalars.Write(key.Value, scope);
            if (value.Type == KqlType.Dynamic)
                value = SqlConvert.ToText(value);
            if (value.IsConstant)
                continue;
            var id = key.Value is BoundColumnRef reference && value.Type == reference.Type ? reference.Column.Id : Hide(scope, value);
            order.Add(new SqlOrder(id, key.Descending, key.NullsFirst));
        }

        scope.Order = order;
        scope.IsNumbered = false;
        return scope;
    }

    private Select Take(Select input, BoundScalar count)
    {
        var scope = input.Limit is null && input.LimitBy is null && !input.HasWindow ? input : input.Wrap();
        var value = SqlConvert.ToLong(_scalars.Write(count, scope));
        if (value is { IsConstant: true, Constant: { } constant })
        {
            scope.Limit = Math.Max(0, Convert.ToInt64(constant, System.Globalization.CultureInfo.InvariantCulture)).ToString(System.Globalization.CultureInfo.InvariantCulture);
            return scope;
        }

        var numbered = Numbered(scope).Wrap();
        numbered.Where($"{numbered.Resolve(numbered.Order[0].Id).Text} <= {value.Text}");
        return numbered;
    }

    private Select Sample(SampleRelation sample)
    {
        var taken = Take(Shuffled(Write(sample.Input)), sample.Count);
        return taken.Unordered();
    }

    /// <summary>Rows in random order.</summary>
    private Select Shuffled(Select input)
    {
        var scope = Open(input).Wrap();
        var id = NewHidden();
        scope.Define(id, new SqlValue("rand64()", KqlType.Long, false));
        scope.Order = [new SqlOrder(id, false, false)];
        return scope;
    }

    private static Select Consume(Select input)
    {
        var scope = Open(input);
        scope.Where("0");
        return scope;
    }

    private Select Shared(SharedScan scan)
    {
        var plan = scan.Shared;
        var map = new Dictionary<int, int>();
        for (var i = 0; i < scan.Columns.Count; i++)
            map[scan.Columns[i].Id] = plan.Plan.Columns[i].Id;
        // What as names is computed anew at each reference; that is only seen where rows are drawn.
        var anew = plan.Kind == SharedPlanKind.As && BoundTree.All(plan.Plan).OfType<SampleRelation>().Any();
        if (_program.References(plan) > 1 && plan.Kind != SharedPlanKind.Let && !anew)
        {
            var (name, select) = _program.Shared(plan, () => _program.Keeps(plan)
                ? _program.AddStage(new Local.Steps.KeepStep(), Write(plan.Plan), plan.Plan.Columns, plan.Plan.Columns, passesThrough: false)
                : Write(plan.Plan));
            return new Select(new SharedSource(name, select, map));
        }

        var inline = Write(plan.Plan);
        var order = inline.Order.Where(o => map.ContainsValue(o.Id)).Select(o => o with { Id = map.First(m => m.Value == o.Id).Key }).ToList();
        return new Select(new SharedSource(null, inline, map))
        {
            Order = order.Count == inline.Order.Count ? order : [],
            ReadsTable = inline.ReadsTable && inline.IsOpen && inline.ArrayJoin is null,
        };
    }

    /// <summary>First column of the first row.</summary>
    public SqlValue ScalarSubquery(BoundScalarSubquery node)
    {
        // The engine computes equal texts once.
        if (!_subqueries.TryGetValue(node.Id, out var known))
            _subqueries.Add(node.Id, known = WriteScalar(node));
        return known;
    }

    private SqlValue WriteScalar(BoundScalarSubquery node)
    {
        var select = WriteBeside(node.Query);
        var column = node.Query.Columns[0];
        var value = select.Resolve(column.Id);
        if (value.IsConstant && node.Query is PrintRelation)
            return SqlConvert.To(value, node.Type);
        if (select.Limit is null)
            select.Limit = "1";
        else
            select = select.Wrap();
        var text = $"({select.Assemble([$"{select.Resolve(column.Id).Text} AS {Select.Name(NewHidden())}"], ordered: true)})";
        return column.Type is KqlType.String or KqlType.Dynamic
            ? SqlConvert.To(new SqlValue($"ifNull({text}, '')", column.Type, false), node.Type)
            : SqlConvert.To(new SqlValue(text, column.Type, true), node.Type);
    }

    /// <summary>The values of a query's first column, as the right side of IN.</summary>
    public string ValuesSubquery(BoundRelation query, KqlType type, string? function)
    {
        var select = WriteBeside(query).Unordered();
        var column = query.Columns[0];
        var value = select.Resolve(column.Id);
        string text;
        if (value.Type == KqlType.Dynamic)
        {
            text = $"arrayJoin({Unrolled(value)})";
            value = SqlConvert.To(new SqlValue("e", KqlType.String, false), type);
            text = type == KqlType.String ? text : $"arrayJoin(arrayMap(e -> {value.Text}, {Unrolled(select.Resolve(column.Id))}))";
        }
        else
        {
            text = SqlConvert.To(value, type).Text;
        }

        if (function is not null)
            text = $"{function}({text})";
        var name = Select.Name(NewHidden());
        return select.Assemble([$"{text} AS {name}"], ordered: false);
    }

    /// <summary>The values of a query's first column as one array of texts.</summary>
    public string ArraySubquery(BoundRelation query)
    {
        var select = WriteBeside(query).Unordered();
        var value = select.Resolve(query.Columns[0].Id);
        var name = Select.Name(NewHidden());
        var inner = select.Assemble(
            [$"{(value.Type == KqlType.Dynamic ? $"arrayJoin({Unrolled(value)})" : SqlConvert.ToText(value).Text)} AS {name}"], ordered: false);
        return $"SELECT groupUniqArray({name}) FROM ({inner})";
    }

    private static string Unrolled(SqlValue value) => SqlLambda.Let(value.Text, d =>
        $"if(startsWith({d}, '['), arrayMap(e -> JSONExtract(e, 'String'), JSONExtractArrayRaw({d})), [JSONExtract({d}, 'String')])");
}
