using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Local.Steps;
using Vedette.Telemetry.Sql.Functions;

namespace Vedette.Telemetry.Sql;

/// <summary>Graph operators: edges and nodes are read first, then the graph is walked in this process.</summary>
internal sealed partial class RelationWriter
{
    /// <summary>Columns that part a graph's rows into groups, and those that stay the same in each: one graph for each group.</summary>
    /// <param name="Write">Writes the rows of edges and nodes, with these columns.</param>
    /// <param name="Outer">The columns of the group, and those it has one value of.</param>
    /// <param name="Group">Ids of the columns that tell groups apart.</param>
    private sealed record GraphRows(Func<BoundRelation, Select> Write, IReadOnlyList<KqlColumn> Outer, IReadOnlyList<int> Group)
    {
        public IReadOnlyList<int> Places { get; } = [.. Group.Select(g => Outer.ToList().FindIndex(c => c.Id == g))];
    }

    private GraphRows Ungrouped => new(Write, [], []);

    private GraphSource Collect(BoundGraph graph, GraphRows rows)
    {
        var edges = Collect(graph.Edges, rows);
        var nodes = graph.Nodes.Select(n => Collect(n.Table, rows)).ToList();
        return new GraphSource(graph, edges, nodes, rows.Places);
    }

    // Written first: a table may be a graph's nodes again, with stages of its own.
    private CollectStep Collect(BoundRelation table, GraphRows rows)
    {
        var select = Open(rows.Write(table).Unordered());
        var step = new CollectStep();
        _program.AddStage(step, select, [.. table.Columns, .. rows.Outer], [], passesThrough: false);
        return step;
    }

    private Select GraphMatch(GraphMatchRelation node, GraphRows rows) =>
        _program.AddStage(new GraphMatchStep(node, Collect(node.Graph, rows), _context, () => _program.Engine), Nothing(), [], [.. rows.Outer, .. node.Columns], passesThrough: false);

    private Select GraphComponents(GraphComponentsRelation node, GraphRows rows) =>
        _program.AddStage(new GraphComponentsStep(node, Collect(node.Graph, rows)), Nothing(), [], [.. rows.Outer, .. node.Columns], passesThrough: false);

    private Select GraphToTable(GraphToTableRelation node, GraphRows rows)
    {
        (KqlColumn? Column, bool IsEnd)[] asked = [(node.IdColumn, false), (node.SourceIdColumn, false), (node.TargetIdColumn, true)];
        var hashes = asked.Where(h => h.Column is not null).ToList();
        var keys = hashes.Select(h => new KqlColumn(NewHidden(), "", node.Graph.Source.Type)).ToList();
        var step = new GraphToTableStep(node, Collect(node.Graph, rows), [.. hashes.Select(h => h.IsEnd)]);
        var table = _program.AddStage(step, Nothing(), [], [.. rows.Outer, .. keys, .. node.Columns.Skip(keys.Count)], passesThrough: false);
        for (var i = 0; i < keys.Count; i++)
            table.Define(hashes[i].Column!.Id, FunctionTable.Find("hash")!(new SqlCall("hash", [table.Resolve(keys[i].Id)], KqlType.Long, _context)));
        return table;
    }

    private Select Nothing() => Print(new PrintRelation([]));
}
