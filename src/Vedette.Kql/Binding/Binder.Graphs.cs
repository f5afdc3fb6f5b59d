using Vedette.Kql.Bound;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>Graph operators: make-graph, graph-match, graph-shortest-paths, graph-to-table, graph-mark-components.</summary>
internal sealed partial class Binder
{
    /// <summary>The graph a source expression stands for, if it is one.</summary>
    private BoundGraph? TryBindGraphSource(Expr source) => source switch
    {
        NameExpr name when _scope.Find(name.Name) is GraphVariable variable => variable.Graph,
        ParenExpr p => TryBindGraphSource(p.Inner),
        QueryExpr query => TryBindGraph(query),
        _ => null,
    };

    /// <summary>Binds a pipeline that ends in a graph; null for anything else.</summary>
    private BoundGraph? TryBindGraph(Expr e)
    {
        if (e is ParenExpr p)
            return TryBindGraph(p.Inner);
        if (e is not QueryExpr { Operators: [.., var last] operators } query)
            return null;
        if (last is MakeGraphOperator { Body: null } make)
        {
            var input = operators.Count == 1 && query.Source is not null
                ? BindTable(query.Source)
                : BindTable(new QueryExpr(query.Source, [.. operators.Take(operators.Count - 1)], query.Span));
            return BindMakeGraph(make, input);
        }

        if (last.Name is not ("graph-mark-components" or "graph-where-nodes" or "graph-where-edges"))
            return null;
        var rest = operators.Count == 1 ? query.Source : new QueryExpr(query.Source, [.. operators.Take(operators.Count - 1)], query.Span);
        if (rest is null || TryBindGraphSource(rest) is not { } graph)
            return null;
        BoundGraph? result = graph;
        BindGraphOperator(last, ref result, NoTable(), false);
        return result;
    }

    private BoundGraph BindMakeGraph(MakeGraphOperator op, TableValue input)
    {
        var savedRow = _row;
        var savedOperator = _operator;
        _operator = op.Name;
        _row = new Row(input);
        var source = GraphColumn(op.Source);
        var target = GraphColumn(op.Target);
        var partition = op.Partition is null ? null : GraphColumn(op.Partition);
        var nodes = new List<(BoundRelation, KqlColumn)>();
        var builder = new ColumnBuilder();
        foreach (var (table, id) in op.Nodes)
        {
            var bound = BindTable(table);
            _row = new Row(bound);
            nodes.Add((bound.Node, GraphColumn(id)));
            foreach (var column in bound.Columns)
            {
                if (!builder.Contains(column.Name))
                    builder.Add(NewColumn(column.Name, column.Type));
            }
        }

        KqlColumn? nodeId = null;
        if (op.NodeId is { } name)
        {
            nodeId = NewColumn(name.Name, source.Type);
            builder.Add(nodeId);
        }

        _row = savedRow;
        _operator = savedOperator;
        return new BoundGraph(input.Node, source, target, nodes, nodeId, builder.Columns, partition);
    }

    private KqlColumn GraphColumn(NameExpr name)
    {
        if (BindScalar(name) is not BoundColumnRef reference)
            return NewColumn(name.Name, KqlType.Unknown);
        if (reference.Type == KqlType.Dynamic)
            Error("KS240", "source, target and node id columns can't be of type dynamic, consider using explicit cast", name.Span);
        return reference.Column;
    }

    /// <summary>Applies a graph operator. Returns the table it makes; null when it is no graph operator or the result is a graph again.</summary>
    private TableValue? BindGraphOperator(OperatorSyntax op, ref BoundGraph? graph, TableValue input, bool isResult)
    {
        switch (op)
        {
            case MakeGraphOperator { Body: null } make:
                graph = BindMakeGraph(make, input);
                return null;
            case MakeGraphOperator make:
                return BindPartitionedGraph(make, input);
            case GraphMatchOperator or GraphToTableOperator when graph is null:
            case ListOperator { Name: "graph-where-nodes" or "graph-where-edges" } when graph is null:
                Error("KS219", "The query operator requires an input graph.", op.NameSpan);
                return OpenNoTable();
            case GraphMatchOperator match:
                var matched = BindGraphMatch(match, graph!);
                graph = null;
                return matched;
            case GraphToTableOperator { Name: "graph-mark-components" } mark:
                graph = BindMarkComponents(mark, graph!);
                return null;
            case ListOperator { Name: "graph-where-nodes" or "graph-where-edges" } where:
                graph = BindGraphWhere(where, graph!);
                return null;
            case GraphToTableOperator toTable:
                var table = BindGraphToTable(toTable, graph!, isResult);
                graph = null;
                return table;
            default:
                if (graph is not null && op is not BadOperator)
                {
                    Error("KS111", $"'{op.Name}' operator: Tabular value expected.", op.NameSpan);
                    graph = null;
                    return OpenNoTable();
                }

                return null;
        }
    }

    /// <summary><c>make-graph … partitioned-by x (body)</c>: the graph operators run for each value of x on its own.</summary>
    private TableValue BindPartitionedGraph(MakeGraphOperator op, TableValue input)
    {
        BoundGraph? graph = BindMakeGraph(op, input);
        var current = NoTable();
        foreach (var inner in op.Body!.Operators)
        {
            _operator = inner.Name;
            if (BindGraphOperator(inner, ref graph, current, false) is { } table)
                current = table;
            else if (graph is null)
                current = BindOperator(inner, current);
        }

        return current;
    }

    private BoundGraph BindMarkComponents(GraphToTableOperator op, BoundGraph graph)
    {
        var id = NewColumn(op.Parameter("with_component_id")?.Word ?? "ComponentId", KqlType.Long);
        var nodeColumns = graph.NodeColumns.Select(c => NewColumn(c.Name, c.Type)).ToList();
        var columns = new List<KqlColumn>(nodeColumns) { id };
        var nodeId = nodeColumns.Find(c => c.Name == (graph.NodeIdColumn?.Name ?? graph.Nodes.FirstOrDefault().Id?.Name));
        // Nodes without any column of their own are known by their id.
        if (nodeId is null)
        {
            nodeId = NewColumn(BoundGraph.HiddenNodeColumn, graph.Source.Type);
            columns.Insert(0, nodeId);
        }

        var components = new GraphComponentsRelation(graph, op.Parameter("kind")?.Word == "strong", id, columns);
        return graph with { Nodes = [(components, nodeId)], NodeIdColumn = graph.NodeIdColumn is null ? null : nodeId, NodeColumns = [.. columns.Where(c => c.Name != BoundGraph.HiddenNodeColumn).Select(c => NewColumn(c.Name, c.Type))] };
    }

    private BoundGraph BindGraphWhere(ListOperator op, BoundGraph graph)
    {
        var saved = _row;
        BoundGraph result;
        if (op.Name == "graph-where-edges")
        {
            var edges = new TableValue(graph.Edges);
            _row = new Row(edges);
            result = graph with { Edges = new FilterRelation(graph.Edges, BindPredicate(op.Items[0])) };
        }
        else
        {
            var nodes = new List<(BoundRelation, KqlColumn)>();
            foreach (var (table, id) in graph.Nodes)
            {
                _row = new Row(new TableValue(table));
                nodes.Add((new FilterRelation(table, BindPredicate(op.Items[0])), id));
            }

            result = graph with { Nodes = nodes };
        }

        _row = saved;
        return result;
    }

    private TableValue BindGraphMatch(GraphMatchOperator op, BoundGraph graph)
    {
        var elements = new Dictionary<string, GraphPatternElement>();
        var patterns = new List<IReadOnlyList<GraphPatternElement>>();
        foreach (var pattern in op.Patterns)
        {
            var bound = new List<GraphPatternElement>();
            for (var i = 0; i < pattern.Count; i++)
            {
                var e = pattern[i];
                if (e.IsEdge != (i % 2 == 1))
                    Error("KS239", $"graph-match element expected type is '{(i % 2 == 1 ? "edge" : "node")}', but received '{(e.IsEdge ? "edge" : "node")}' type.", e.Span);
                var element = new GraphPatternElement(e.Name?.Name, e.IsEdge, e.Forward, e.Backward, Hops(e.MinHops), Hops(e.MaxHops));
                bound.Add(element);
                if (e.Name is { } name)
                    elements[name.Name] = element;
            }

            if (bound.Count > 0 && bound[^1].IsEdge)
                Error("KS238", "Missing graph-match pattern element.", op.Patterns[patterns.Count][^1].Span);
            patterns.Add(bound);
        }

        var saved = _row;
        var edges = new TableValue(graph.Edges);
        var nodes = new TableValue(new ContextRelation(graph.NodeColumns));
        var special = elements.ToDictionary(e => e.Key, e => (Func<NameExpr, BoundScalar>)(n => new BoundGraphElement(e.Key, null, n.Span)));
        _row = new Row(null)
        {
            Special = special,
            ElementNames = call => ElementNames(call, edges, nodes, elements, special),
            SpecialMember = (variable, property, span) =>
                elements.TryGetValue(variable, out var element) && (element.IsEdge ? edges : nodes).Find(property) is { } column
                    ? new BoundGraphElement(variable, column, span)
                    : null,
        };
        var predicate = op.Where is null ? null : BindPredicate(op.Where);
        var projection = new Projection(ProjectionStyle.Project);
        foreach (var item in op.Project)
            AddGraphItem(projection, item, elements);
        if (op.Project.Count == 0)
        {
            // Without project every named element is returned whole.
            foreach (var name in elements.Keys)
            {
                var column = projection.Builder.Add(NewColumn(name, KqlType.Dynamic))!;
                projection.Values[column.Id] = new BoundGraphElement(name, null, op.Span);
            }
        }

        _row = saved;
        var shortest = op.Name == "graph-shortest-paths";
        return new TableValue(new GraphMatchRelation(
            graph, patterns, op.Parameter("cycles")?.Word ?? "unique_edges", shortest, op.Parameter("output")?.Word ?? "any", predicate, projection.ToScalars(op.Span)));
    }

    /// <summary>Inside all(), any() and map() names may be the element's own properties.</summary>
    private static Dictionary<string, Func<NameExpr, BoundScalar>> ElementNames(
        CallExpr call, TableValue edges, TableValue nodes, Dictionary<string, GraphPatternElement> elements, Dictionary<string, Func<NameExpr, BoundScalar>> special)
    {
        var variable = ElementName(call.Arguments[0]);
        var table = call.Arguments[0] is CallExpr { Name: "inner_nodes" } || (variable is not null && elements.TryGetValue(variable, out var x) && !x.IsEdge) ? nodes : edges;
        var names = new Dictionary<string, Func<NameExpr, BoundScalar>>(special);
        foreach (var column in table.Columns)
            names.TryAdd(column.Name, n => new BoundGraphElement(variable ?? "", column, n.Span));
        return names;
    }

    private static string? ElementName(Expr e) => e switch
    {
        NameExpr n => n.Name,
        CallExpr { Arguments: [var inner, ..] } => ElementName(inner),
        _ => null,
    };

    private void AddGraphItem(Projection projection, Expr item, Dictionary<string, GraphPatternElement> elements)
    {
        var expression = item is NamedExpr n ? n.Value : item;
        var names = item is NamedExpr several ? several.Names : [];
        if (TryBindTuple(expression, ProjectionStyle.Project) is { } tuple)
        {
            AddTuple(projection, names, tuple, expression);
            return;
        }

        var value = BindScalar(expression);
        var name = names.Count > 0 ? names[0].Name : ResultName(item);
        // A property of a variable-length edge is an array, one element per hop.
        var type = value is BoundGraphElement { Column: not null, Variable: var variable } && elements[variable] is { IsEdge: true } e && (e.MinHops != 1 || e.MaxHops != 1)
            ? KqlType.Dynamic
            : value.Type;
        var column = NewColumn(string.IsNullOrEmpty(name) ? DefaultName(projection.Builder) : name, type);
        KqlColumn? added;
        if (item is NamedExpr)
            added = projection.Builder.Declare(column, false, out var declared) ? declared : null;
        else
            added = projection.Builder.Add(column);
        if (added is not null)
            projection.Values[added.Id] = value;
    }

    private int Hops(Expr? e) => e switch
    {
        null => 1,
        _ => BindScalar(e) is BoundLiteral { Value: long n and >= 0 and <= 1000 } ? (int)n : 1,
    };

    private TableValue BindGraphToTable(GraphToTableOperator op, BoundGraph graph, bool isResult)
    {
        TableValue? first = null;
        foreach (var output in op.Outputs)
        {
            KqlColumn? Hash(string parameter) =>
                output.Parameters.FirstOrDefault(p => p.Name == parameter)?.Word is { } name ? NewColumn(name, KqlType.Long) : null;
            var columns = new List<KqlColumn>();
            var id = Hash("with_node_id");
            var source = Hash("with_source_id");
            var target = Hash("with_target_id");
            columns.AddRange(new[] { id, source, target }.OfType<KqlColumn>());
            columns.AddRange((output.Edges ? graph.Edges.Columns : graph.NodeColumns).Select(c => NewColumn(c.Name, c.Type)));
            var table = new GraphToTableRelation(graph, output.Edges, id, source, target, columns);
            var value = new TableValue(table);
            if (output.Name is { } given)
            {
                // Statements that follow know the table by its name.
                var shared = new SharedPlan(++_planIds, given.Name, SharedPlanKind.As, table);
                _scope = new Scope(_scope);
                _scope.Set(given.Name, new TableVariable(given.Name, () => Reference(shared, value, given.Name)));
            }

            first ??= value;
            if (op.Outputs.Count > 1 && isResult)
                _results.Add(new KqlResult(output.Name?.Name, table));
        }

        return first ?? OpenNoTable();
    }
}
