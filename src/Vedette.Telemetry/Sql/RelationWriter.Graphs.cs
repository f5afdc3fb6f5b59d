using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Local.Steps;
using Vedette.Telemetry.Sql.Functions;

namespace Vedette.Telemetry.Sql;

/// <summary>Graph operators: edges and nodes are read first, then the graph is walked in this process.</summary>
internal sealed partial class RelationWriter
{
    private GraphSource Collect(BoundGraph graph)
    {
        var edges = new CollectStep();
        _program.AddStage(edges, Open(Write(graph.Edges).Unordered()), graph.Edges.Columns, [], passesThrough: false);
        var nodes = new List<CollectStep>();
        foreach (var (table, _) in graph.Nodes)
        {
            // Written first: a table may be a graph's nodes again, with stages of its own.
            var rows = Open(Write(table).Unordered());
            nodes.Add(new CollectStep());
            _program.AddStage(nodes[^1], rows, table.Columns, [], passesThrough: false);
        }

        return new GraphSource(graph, edges, nodes);
    }

    private Select GraphMatch(GraphMatchRelation node) =>
        _program.AddStage(new GraphMatchStep(node, Collect(node.Graph), _context, () => _program.Engine), Nothing(), [], node.Columns, passesThrough: false);

    private Select GraphComponents(GraphComponentsRelation node) =>
        _program.AddStage(new GraphComponentsStep(node, Collect(node.Graph)), Nothing(), [], node.Columns, passesThrough: false);

    private Select GraphToTable(GraphToTableRelation node)
    {
        (KqlColumn? Column, bool IsEnd)[] asked = [(node.IdColumn, false), (node.SourceIdColumn, false), (node.TargetIdColumn, true)];
        var hashes = asked.Where(h => h.Column is not null).ToList();
        var keys = hashes.Select(h => new KqlColumn(NewHidden(), "", node.Graph.Source.Type)).ToList();
        var step = new GraphToTableStep(node, Collect(node.Graph), [.. hashes.Select(h => h.IsEnd)]);
        var rows = _program.AddStage(step, Nothing(), [], [.. keys, .. node.Columns.Skip(keys.Count)], passesThrough: false);
        for (var i = 0; i < keys.Count; i++)
            rows.Define(hashes[i].Column!.Id, FunctionTable.Find("hash")!(new SqlCall("hash", [rows.Resolve(keys[i].Id)], KqlType.Long, _context)));
        return rows;
    }

    private Select Nothing() => Print(new PrintRelation([]));
}
