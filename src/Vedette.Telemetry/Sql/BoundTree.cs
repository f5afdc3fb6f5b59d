using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>Walks bound trees.</summary>
internal static class BoundTree
{
    /// <summary>The scalars that a scalar is computed from; subqueries are trees of their own.</summary>
    public static IEnumerable<BoundScalar> Children(BoundScalar scalar) => scalar switch
    {
        BoundCall call => call.Arguments,
        BoundBinary binary => [binary.Left, binary.Right],
        BoundNegate negate => [negate.Operand],
        BoundBetween between => [between.Value, between.Low, between.High],
        BoundIn set => set.Items is null ? [set.Value] : [set.Value, .. set.Items],
        BoundMember member => [member.Value],
        BoundIndex index => [index.Value, index.Index],
        BoundConvert convert => [convert.Operand],
        _ => [],
    };

    /// <summary>A scalar with some of its parts replaced.</summary>
    /// <param name="scalar">The scalar.</param>
    /// <param name="other">What stands in a part's place; null when it stays.</param>
    public static BoundScalar Replace(BoundScalar scalar, Func<BoundScalar, BoundScalar?> other)
    {
        if (other(scalar) is { } replaced)
            return replaced;
        return scalar switch
        {
            BoundCall call => new BoundCall(call.Function, All(call.Arguments), call.Type, call.Span),
            BoundBinary binary => new BoundBinary(binary.Operator, binary.Negated, One(binary.Left), One(binary.Right), binary.Type, binary.Span),
            BoundNegate negate => new BoundNegate(One(negate.Operand), negate.Span),
            BoundBetween between => new BoundBetween(One(between.Value), One(between.Low), One(between.High), between.Negated, between.Span),
            BoundIn set => new BoundIn(set.Operator, set.Negated, One(set.Value), set.Items is null ? null : All(set.Items), set.Subquery, set.Span),
            BoundMember member => new BoundMember(One(member.Value), member.Name, member.Span),
            BoundIndex index => new BoundIndex(One(index.Value), One(index.Index), index.Span),
            BoundConvert convert => new BoundConvert(One(convert.Operand), convert.Type, convert.Span),
            _ => scalar,
        };

        BoundScalar One(BoundScalar part) => Replace(part, other);

        List<BoundScalar> All(IReadOnlyList<BoundScalar> parts) => [.. parts.Select(One)];
    }

    /// <summary>The largest parts of a scalar that are computed out of the given columns and nothing else; mere columns and literals are left out.</summary>
    public static IEnumerable<BoundScalar> RowParts(BoundScalar scalar, IReadOnlySet<int> columns)
    {
        if (scalar is BoundLiteral or BoundColumnRef or BoundScanState)
            return [];
        return DependsOnly(scalar, columns) ? [scalar] : Children(scalar).SelectMany(c => RowParts(c, columns));
    }

    private static bool DependsOnly(BoundScalar scalar, IReadOnlySet<int> columns) => scalar switch
    {
        BoundScanState => false,
        BoundColumnRef reference => columns.Contains(reference.Column.Id),
        _ => Children(scalar).All(c => DependsOnly(c, columns)),
    };

    /// <summary>Scalars and relations directly below a relation.</summary>
    public static (IEnumerable<BoundScalar> Scalars, IEnumerable<BoundRelation> Relations) Parts(BoundRelation relation) => relation switch
    {
        DataTableRelation table => (table.Rows.SelectMany(r => r), []),
        PrintRelation print => (print.Values.Select(v => v.Value), []),
        RangeRelation range => ([range.From, range.To, range.Step], []),
        ExternalDataRelation external => (external.Uris, []),
        FilterRelation filter => ([filter.Predicate], [filter.Input]),
        ProjectRelation project => (project.Values.Select(v => v.Value), [project.Input]),
        ExtendRelation extend => (extend.Values.Select(v => v.Value), [extend.Input]),
        SortRelation sort => (sort.Keys.Select(k => k.Value), [sort.Input]),
        TakeRelation take => ([take.Count], [take.Input]),
        SampleRelation sample => ([sample.Count], [sample.Input]),
        SummarizeRelation summarize => (summarize.Keys.Select(k => k.Value).Concat(summarize.Aggregates.SelectMany(a => a.Arguments)), [summarize.Input]),
        MakeSeriesRelation series => (
            new[] { series.Axis, series.From, series.To, series.Step }.OfType<BoundScalar>().Concat(series.Keys.Select(k => k.Value))
                .Concat(series.Series.SelectMany(s => s.Aggregate.SelectMany(a => a.Arguments).Concat(new[] { s.Finish, s.Default }.OfType<BoundScalar>()))),
            [series.Input]),
        TopNestedRelation nested => (
            nested.Levels.SelectMany(l => new[] { l.Count, l.Key.Value, l.Others, l.Order.Value }.OfType<BoundScalar>().Concat(l.Aggregates.SelectMany(a => a.Arguments))),
            [nested.Input]),
        ReduceRelation reduce => ([reduce.Value], [reduce.Input]),
        JoinRelation join => (join.Conditions.SelectMany(c => new[] { c.Left, c.Right }), [join.Left, join.Right]),
        UnionRelation union => ([], union.Inputs.Select(i => i.Input)),
        PartitionRelation partition => ([partition.Key], [partition.Input, partition.Body]),
        EvaluateRelation evaluate => (
            evaluate.Arguments.Select(a => a.Scalar).OfType<BoundScalar>().Concat(evaluate.Arguments.Where(a => a.Aggregate is not null).SelectMany(a => a.Aggregate!.Arguments)),
            evaluate.Arguments.Select(a => a.Table).Append(evaluate.Input).OfType<BoundRelation>()),
        ScanRelation scan => (
            scan.Declared.Select(d => d.Default).OfType<BoundScalar>().Concat(scan.Steps.SelectMany(s => s.Assignments.Select(a => a.Value).Append(s.Condition)))
                .Concat(scan.PartitionKeys).Concat(scan.OrderKeys.Select(k => k.Value)),
            [scan.Input]),
        MvExpandRelation expand => (expand.Items.Select(i => i.Value).OfType<BoundScalar>(), [expand.Input]),
        MvApplyRelation apply => (apply.Items.Select(i => i.Value).OfType<BoundScalar>(), [apply.Input, apply.Body]),
        ParseRelation parse => ([parse.Source], [parse.Input]),
        ParseKvRelation parse => ([parse.Source], [parse.Input]),
        TableFunctionRelation function => (function.Arguments.OfType<BoundScalar>(), function.Input is null ? [] : [function.Input]),
        GraphMatchRelation match => (match.Values.Select(v => v.Value).Concat(match.Predicate is null ? [] : [match.Predicate]), Graph(match.Graph)),
        GraphToTableRelation table => ([], Graph(table.Graph)),
        GraphComponentsRelation components => ([], Graph(components.Graph)),
        UnaryRelation unary => ([], [unary.Input]),
        _ => ([], []),
    };

    private static IEnumerable<BoundRelation> Graph(BoundGraph graph) => graph.Nodes.Select(n => n.Table).Prepend(graph.Edges);

    /// <summary>How many tables the unions of a query read, a table that stands in several places counting each time.</summary>
    public static int UnitedTables(BoundRelation root)
    {
        var count = 0;
        Visit(root, false);
        return count;

        void Visit(BoundRelation relation, bool united)
        {
            if (relation is TableScan && united)
                count++;
            if (relation is SharedScan shared)
                Visit(shared.Shared.Plan, united);
            foreach (var input in Parts(relation).Relations)
                Visit(input, united || relation is UnionRelation);
        }
    }

    /// <summary>Whether a relation gives other rows each time it is read.</summary>
    public static bool IsVolatile(BoundRelation root) =>
        All(root).Any(r => r is SampleRelation || Parts(r).Scalars.Any(IsVolatile));

    private static bool IsVolatile(BoundScalar scalar) => scalar is BoundCall { Function.Name: "new_guid" or "rand" } || Children(scalar).Any(IsVolatile);

    /// <summary>Counts how often each shared plan is read, a plan that is read several times counting once itself.</summary>
    public static Dictionary<int, int> References(BoundRelation root) =>
        All(root).OfType<SharedScan>().CountBy(scan => scan.Shared.Id).ToDictionary();

    /// <summary>All relations of a query, those of subqueries included; what a shared plan is made of comes once.</summary>
    public static IReadOnlyList<BoundRelation> All(BoundRelation root)
    {
        var found = new List<BoundRelation>();
        var shared = new HashSet<int>();
        Visit(root);
        return found;

        void Visit(BoundRelation relation)
        {
            found.Add(relation);
            if (relation is SharedScan scan)
            {
                if (shared.Add(scan.Shared.Id))
                    Visit(scan.Shared.Plan);
                return;
            }

            var (scalars, relations) = Parts(relation);
            foreach (var scalar in scalars)
                VisitScalar(scalar);
            foreach (var input in relations)
                Visit(input);
        }

        void VisitScalar(BoundScalar scalar)
        {
            switch (scalar)
            {
                case BoundScalarSubquery subquery:
                    Visit(subquery.Query);
                    break;
                case BoundIn { Subquery: { } query }:
                    Visit(query);
                    break;
            }

            foreach (var child in Children(scalar))
                VisitScalar(child);
        }
    }
}
