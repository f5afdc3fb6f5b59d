using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>Where a graph's edges and nodes come from, once they have been read.</summary>
/// <param name="graph">The graph.</param>
/// <param name="edges">Rows of its edges; behind their columns stand those of the group that the rows belong to.</param>
/// <param name="nodes">Rows of its nodes, likewise.</param>
/// <param name="group">Which of the group's columns tell groups apart; none where the rows are one graph.</param>
internal sealed class GraphSource(BoundGraph graph, CollectStep edges, IReadOnlyList<CollectStep> nodes, IReadOnlyList<int> group)
{
    /// <summary>Columns of the group, which come before the columns of a step over the graph.</summary>
    public IReadOnlyList<LocalColumn> Outer => [.. edges.Rows!.Columns.Skip(graph.Edges.Columns.Count)];

    /// <summary>The graph; one graph for each group of rows, and with <c>partitioned-by</c> for each value of the key.</summary>
    public IEnumerable<(object?[] Outer, LocalGraph Graph)> Read()
    {
        var tables = nodes.Select(n => n.Rows!).ToList();
        if (group.Count == 0)
            return Read(edges.Rows!, tables).Select(g => (Array.Empty<object?>(), g));
        // A group of nodes alone is a graph as well.
        var parts = new Dictionary<RowKey, (object?[] Outer, List<object?[]>[] Rows)>();
        var all = tables.Prepend(edges.Rows!).ToList();
        for (var i = 0; i < all.Count; i++)
        {
            var width = i == 0 ? graph.Edges.Columns.Count : graph.Nodes[i - 1].Table.Columns.Count;
            foreach (var row in all[i].Rows)
            {
                var outer = row[width..];
                var key = RowKey.Of(outer, group);
                if (!parts.TryGetValue(key, out var part))
                    parts.Add(key, part = (outer, [.. all.Select(_ => new List<object?[]>())]));
                part.Rows[i].Add(row);
            }
        }

        return parts.Values.SelectMany(part =>
            Read(all[0] with { Rows = part.Rows[0] }, [.. tables.Select((t, i) => t with { Rows = part.Rows[i + 1] })]).Select(g => (part.Outer, g)));
    }

    private IEnumerable<LocalGraph> Read(LocalTable rows, List<LocalTable> tables)
    {
        if (graph.PartitionKey is not { } key)
            return [new LocalGraph(graph, rows, tables)];
        return rows.Rows.GroupBy(Part(graph.Edges.Columns, c => c.Id == key.Id)!).Select(part => new LocalGraph(
            graph,
            rows with { Rows = [.. part] },
            [.. tables.Select((table, i) => Part(graph.Nodes[i].Table.Columns, c => c.Name == key.Name) is { } of ? table with { Rows = [.. table.Rows.Where(r => of(r) == part.Key)] } : table)]));
    }

    private static Func<object?[], string>? Part(IReadOnlyList<KqlColumn> columns, Func<KqlColumn, bool> isKey)
    {
        for (var i = 0; i < columns.Count; i++)
        {
            var position = i;
            if (isKey(columns[i]))
                return row => LocalValues.ToText(row[position], columns[position].Type);
        }

        return null;
    }
}

/// <summary>A graph in this process: nodes by id, edges between them.</summary>
internal sealed class LocalGraph
{
    private readonly BoundGraph _graph;
    private readonly Dictionary<int, int> _edgePositions;

    public LocalGraph(BoundGraph graph, LocalTable edges, IReadOnlyList<LocalTable> nodes)
    {
        _graph = graph;
        _edgePositions = graph.Edges.Columns.Select((c, i) => (c.Id, i)).ToDictionary(p => p.Id, p => p.i);
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var t = 0; t < nodes.Count; t++)
        {
            var table = graph.Nodes[t].Table;
            var key = table.Columns.ToList().FindIndex(c => c.Id == graph.Nodes[t].Id.Id);
            foreach (var row in nodes[t].Rows)
            {
                var at = Node(row[key], table.Columns[key].Type);
                for (var i = 0; i < table.Columns.Count; i++)
                    Nodes[at].Values[table.Columns[i].Name] = row[i];
            }
        }

        var (source, target) = (_edgePositions[graph.Source.Id], _edgePositions[graph.Target.Id]);
        foreach (var row in edges.Rows)
        {
            var from = Node(row[source], graph.Source.Type);
            var to = Node(row[target], graph.Target.Type);
            Edges.Add((from, to, row));
            Nodes[from].Out.Add(Edges.Count - 1);
            Nodes[to].In.Add(Edges.Count - 1);
        }

        // Ids may be of several types: what no value can be made of is null where it is shown.
        int Node(object? value, KqlType type)
        {
            var id = LocalValues.ToText(value, type);
            if (ids.TryGetValue(id, out var known))
                return known;
            ids.Add(id, Nodes.Count);
            Nodes.Add(new GraphNode(id, LocalValues.To(value, type, graph.Source.Type), []));
            if (graph.NodeIdColumn is { } column)
                Nodes[^1].Values[column.Name] = LocalValues.To(value, type, column.Type);
            foreach (var (_, idColumn) in graph.Nodes)
                Nodes[^1].Values.TryAdd(idColumn.Name, LocalValues.To(value, type, idColumn.Type));
            return Nodes.Count - 1;
        }
    }

    public List<GraphNode> Nodes { get; } = [];

    public List<(int From, int To, object?[] Row)> Edges { get; } = [];

    public object? NodeValue(int node, KqlColumn column) =>
        Nodes[node].Values.TryGetValue(column.Name, out var value) ? value : column.Type is KqlType.String or KqlType.Dynamic ? "" : null;

    public object? EdgeValue(int edge, KqlColumn column) =>
        _edgePositions.TryGetValue(column.Id, out var position) || (position = _graph.Edges.Columns.ToList().FindIndex(c => c.Name == column.Name)) >= 0 ? Edges[edge].Row[position] : null;

    public JsonObject NodeBag(int node) => new(_graph.NodeColumns.Select(c => KeyValuePair.Create(c.Name, LocalJson.Parse(LocalValues.ToJson(NodeValue(node, c), c.Type)))));

    public JsonObject EdgeBag(int edge) => new(_graph.Edges.Columns.Select(c => KeyValuePair.Create(c.Name, LocalJson.Parse(LocalValues.ToJson(EdgeValue(edge, c), c.Type)))));

    internal sealed record GraphNode(string Id, object? Key, Dictionary<string, object?> Values)
    {
        public List<int> Out { get; } = [];

        public List<int> In { get; } = [];
    }
}
