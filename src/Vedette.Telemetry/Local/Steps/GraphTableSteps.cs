using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>graph-to-table: nodes or edges as rows, behind the node ids that hashes are asked of.</summary>
/// <param name="node">The operator.</param>
/// <param name="source">Where edges and nodes come from.</param>
/// <param name="keys">Which node ids come first: of the node itself, or of an edge's start (false) and end (true).</param>
internal sealed class GraphToTableStep(GraphToTableRelation node, GraphSource source, IReadOnlyList<bool> keys) : ILocalStep
{
    public string Name => "graph-to-table";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var rows = new List<object?[]>();
        var columns = node.Columns.Skip(keys.Count).ToList();
        foreach (var (outer, graph) in source.Read())
        {
            if (node.Edges)
            {
                for (var i = 0; i < graph.Edges.Count; i++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var edge = graph.Edges[i];
                    rows.Add([.. outer, .. keys.Select(end => graph.Nodes[end ? edge.To : edge.From].Key), .. columns.Select(c => graph.EdgeValue(i, c))]);
                }
            }
            else
            {
                for (var i = 0; i < graph.Nodes.Count; i++)
                    rows.Add([.. outer, .. keys.Select(_ => graph.Nodes[i].Key), .. columns.Select(c => graph.NodeValue(i, c))]);
            }
        }

        var type = node.Graph.Source.Type;
        return new LocalTable([.. source.Outer, .. keys.Select(_ => new LocalColumn("", type)), .. columns.Select(c => new LocalColumn(c.Name, c.Type))], rows);
    }
}

/// <summary>graph-mark-components: nodes with the number of their connected component, counted from 0 in the order of nodes.</summary>
internal sealed class GraphComponentsStep(GraphComponentsRelation node, GraphSource source) : ILocalStep
{
    public string Name => "graph-mark-components";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var rows = new List<object?[]>();
        foreach (var (outer, graph) in source.Read())
        {
            var components = node.Strong ? Strong(graph, cancellationToken) : Weak(graph, cancellationToken);
            for (var i = 0; i < graph.Nodes.Count; i++)
            {
                rows.Add([.. outer, .. node.Columns.Select(c => c.Id == node.ComponentId.Id ? components[i]
                    : c.Name == BoundGraph.HiddenNodeColumn ? graph.Nodes[i].Key : graph.NodeValue(i, c))]);
            }
        }

        return new LocalTable([.. source.Outer, .. node.Columns.Select(c => new LocalColumn(c.Name, c.Type))], rows);
    }

    private static long[] Weak(LocalGraph graph, CancellationToken cancellationToken)
    {
        var component = new long[graph.Nodes.Count];
        Array.Fill(component, -1);
        var (next, open) = (0L, new Stack<int>());
        for (var start = 0; start < component.Length; start++)
        {
            if (component[start] >= 0)
                continue;
            Reach(start, next);
            while (open.TryPop(out var at))
            {
                cancellationToken.ThrowIfCancellationRequested();
                foreach (var edge in graph.Nodes[at].Out)
                    Reach(graph.Edges[edge].To, next);
                foreach (var edge in graph.Nodes[at].In)
                    Reach(graph.Edges[edge].From, next);
            }

            next++;
        }

        return component;

        void Reach(int at, long number)
        {
            if (component[at] >= 0)
                return;
            component[at] = number;
            open.Push(at);
        }
    }

    /// <summary>Kosaraju: nodes by the end of a walk along the edges, then walks against them.</summary>
    private static long[] Strong(LocalGraph graph, CancellationToken cancellationToken)
    {
        var (ended, seen) = (new List<int>(), new bool[graph.Nodes.Count]);
        var walk = new Stack<(int Node, int Next)>();
        for (var start = 0; start < seen.Length; start++)
        {
            if (seen[start])
                continue;
            seen[start] = true;
            walk.Push((start, 0));
            while (walk.TryPop(out var step))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var edges = graph.Nodes[step.Node].Out;
                if (step.Next == edges.Count)
                {
                    ended.Add(step.Node);
                    continue;
                }

                walk.Push((step.Node, step.Next + 1));
                var to = graph.Edges[edges[step.Next]].To;
                if (!seen[to])
                {
                    seen[to] = true;
                    walk.Push((to, 0));
                }
            }
        }

        var component = new long[graph.Nodes.Count];
        Array.Fill(component, -1);
        var open = new Stack<int>();
        for (var (i, groups) = (ended.Count - 1, 0L); i >= 0; i--)
        {
            if (component[ended[i]] >= 0)
                continue;
            component[ended[i]] = groups;
            open.Push(ended[i]);
            while (open.TryPop(out var at))
            {
                foreach (var edge in graph.Nodes[at].In)
                {
                    var from = graph.Edges[edge].From;
                    if (component[from] >= 0)
                        continue;
                    component[from] = groups;
                    open.Push(from);
                }
            }

            groups++;
        }

        // Numbered in the order of nodes, like the weak ones.
        var numbers = new Dictionary<long, long>();
        for (var i = 0; i < component.Length; i++)
        {
            if (!numbers.TryGetValue(component[i], out var number))
                numbers.Add(component[i], number = numbers.Count);
            component[i] = number;
        }

        return component;
    }
}
