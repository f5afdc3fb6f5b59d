using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>graph-match and graph-shortest-paths.</summary>
internal sealed class GraphMatchStep(GraphMatchRelation node, GraphSource source, DateTime now) : ILocalStep
{
    /// <summary>Partial matches that are tried at most.</summary>
    private const long MaxSteps = 20_000_000;

    private readonly List<object?[]> _rows = [];
    private readonly Dictionary<string, int> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<int>> _paths = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<int>> _inner = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _hops = new(StringComparer.Ordinal);
    private readonly Dictionary<(int From, int To), (int Length, List<object?[]> Rows)> _shortest = [];
    private LocalGraph _graph = null!;
    private long _steps;

    public string Name => node.ShortestOnly ? "graph-shortest-paths" : "graph-match";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        foreach (var graph in source.Read())
        {
            _graph = graph;
            _shortest.Clear();
            Pattern(0, 0, -1, [], [], cancellationToken);
            if (!node.ShortestOnly)
                continue;
            foreach (var (_, rows) in _shortest.Values)
                _rows.AddRange(node.Output == "all" ? rows : rows.Take(1));
        }

        return new LocalTable([.. node.Columns.Select(c => new LocalColumn(c.Name, c.Type))], _rows);
    }

    /// <summary>Goes on at an element of a pattern: a node that the edge before led to, or any node.</summary>
    private void Pattern(int pattern, int element, int reached, HashSet<int> usedEdges, List<int> usedNodes, CancellationToken cancellationToken)
    {
        if (++_steps > MaxSteps)
            throw new HuntingException(HuntingFailure.ExcessiveResources, $"{Name} has too many matches to try. Make the pattern narrower.");
        cancellationToken.ThrowIfCancellationRequested();
        if (pattern == node.Patterns.Count)
        {
            Report(usedEdges.Count);
            return;
        }

        var elements = node.Patterns[pattern];
        if (element == elements.Count)
        {
            Pattern(pattern + 1, 0, -1, usedEdges, usedNodes, cancellationToken);
            return;
        }

        var now = elements[element];
        if (!now.IsEdge)
        {
            if (reached >= 0)
                At(reached);
            else if (now.Name is not null && _nodes.TryGetValue(now.Name, out var bound))
                At(bound);
            else
            {
                for (var i = 0; i < _graph.Nodes.Count; i++)
                    At(i);
            }

            return;
        }

        var name = now.Name ?? "";
        Walk(Here(), 0, [], []);

        int Here() => usedNodes[^1];

        void At(int id)
        {
            var fresh = now.Name is not null && !_nodes.ContainsKey(now.Name);
            if (now.Name is not null && !fresh && _nodes[now.Name] != id)
                return;
            if (fresh)
                _nodes[now.Name!] = id;
            usedNodes.Add(id);
            Pattern(pattern, element + 1, -1, usedEdges, usedNodes, cancellationToken);
            usedNodes.RemoveAt(usedNodes.Count - 1);
            if (fresh)
                _nodes.Remove(now.Name!);
        }

        void Walk(int at, int hops, List<int> path, List<int> inner)
        {
            if (hops >= now.MinHops)
            {
                var (before, between) = (_paths.GetValueOrDefault(name), _inner.GetValueOrDefault(name));
                (_paths[name], _inner[name]) = ([.. path], [.. inner.Take(Math.Max(0, path.Count - 1))]);
                Pattern(pattern, element + 1, at, usedEdges, usedNodes, cancellationToken);
                (_paths[name], _inner[name]) = (before!, between!);
            }

            if (hops == now.MaxHops)
                return;
            foreach (var (edge, to) in Next(at))
            {
                if (node.Cycles != "all" && usedEdges.Contains(edge))
                    continue;
                if (node.Cycles == "none" && (to == usedNodes[^1] || inner.Contains(to) || usedNodes.Contains(to)))
                    continue;
                var added = usedEdges.Add(edge);
                path.Add(edge);
                inner.Add(to);
                Walk(to, hops + 1, path, inner);
                path.RemoveAt(path.Count - 1);
                inner.RemoveAt(inner.Count - 1);
                if (added)
                    usedEdges.Remove(edge);
            }
        }

        IEnumerable<(int Edge, int To)> Next(int at)
        {
            if (now.Forward)
            {
                foreach (var edge in _graph.Nodes[at].Out)
                    yield return (edge, _graph.Edges[edge].To);
            }

            if (now.Backward)
            {
                foreach (var edge in _graph.Nodes[at].In)
                    yield return (edge, _graph.Edges[edge].From);
            }
        }
    }

    private void Report(int length)
    {
        var evaluator = new LocalEvaluator(_ => null, _ => null, now) { Special = Special };
        if (node.Predicate is not null && !evaluator.IsTrue(node.Predicate))
            return;
        object?[] row = [.. node.Values.Select(v => evaluator.Evaluate(v.Value) is var value && value is JsonNode json
            ? LocalValues.To(LocalJson.Write(json), KqlType.Dynamic, v.Column.Type)
            : LocalValues.To(value, v.Value is BoundGraphElement && v.Column.Type == KqlType.Dynamic && v.Value.Type != KqlType.Dynamic && value is string ? KqlType.Dynamic : v.Value.Type, v.Column.Type))];
        if (!node.ShortestOnly)
        {
            _rows.Add(row);
            return;
        }

        var ends = (_nodes.Values.FirstOrDefault(), _nodes.Values.LastOrDefault());
        if (!_shortest.TryGetValue(ends, out var best) || length < best.Length)
            _shortest[ends] = (length, [row]);
        else if (length == best.Length)
            best.Rows.Add(row);
    }

    /// <summary>Elements and the functions of elements.</summary>
    private (bool Known, object? Value) Special(BoundScalar scalar, LocalEvaluator evaluator)
    {
        switch (scalar)
        {
            case BoundGraphElement element:
                return (true, Element(element));
            case BoundCall { Function.Name: "all" or "any" or "map" } call:
            {
                var inner = call.Arguments[0] is BoundCall { Function.Name: "inner_nodes" };
                var variable = ((call.Arguments[0] as BoundCall)?.Arguments[0] ?? call.Arguments[0]) as BoundGraphElement;
                if (variable is null)
                    return (false, null);
                var count = inner ? _inner[variable.Variable].Count : _paths.TryGetValue(variable.Variable, out var path) ? path.Count : 1;
                var values = new List<object?>();
                var key = (inner ? "n:" : "e:") + variable.Variable;
                for (var i = 0; i < count; i++)
                {
                    _hops[key] = i;
                    values.Add(evaluator.Evaluate(call.Arguments[1]));
                }

                _hops.Remove(key);
                return (true, call.Function.Name switch
                {
                    "all" => values.All(v => v is true),
                    "any" => values.Exists(v => v is true),
                    _ => "[" + string.Join(",", values.Select(v => LocalValues.ToJson(v, call.Arguments[1].Type))) + "]",
                });
            }

            case BoundCall { Function.Name: "inner_nodes", Arguments: [BoundGraphElement of] }:
                return (true, LocalJson.Write(new JsonArray([.. _inner[of.Variable].Select(n => (JsonNode?)_graph.NodeBag(n))])));
            case BoundCall { Function.Name: "node_degree_in" or "node_degree_out" } degree:
            {
                var variable = degree.Arguments.Count > 0 ? (degree.Arguments[0] as BoundGraphElement)?.Variable : null;
                // Without a variable: the inner node that is looked at.
                var hop = _hops.FirstOrDefault(h => h.Key.StartsWith("n:", StringComparison.Ordinal));
                if (!(variable is not null && _nodes.TryGetValue(variable, out var at)))
                {
                    if (hop.Key is null)
                        return (false, null);
                    at = _inner[hop.Key[2..]][hop.Value];
                }

                return (true, (long)(degree.Function.Name == "node_degree_in" ? _graph.Nodes[at].In.Count : _graph.Nodes[at].Out.Count));
            }

            case BoundCall { Function.Name: "node_id", Arguments.Count: 0 } when _hops.FirstOrDefault(h => h.Key.StartsWith("n:", StringComparison.Ordinal)) is { Key: not null } current:
                return (true, _graph.Nodes[_inner[current.Key[2..]][current.Value]].Id);
            case BoundCall { Function.Name: "node_id", Arguments: [BoundGraphElement { Variable: var named }] } when _nodes.TryGetValue(named, out var position):
                return (true, _graph.Nodes[position].Id);
            case BoundCall { Function.Name: "labels" }:
                // Only graph models have labels; graphs made by a query have none.
                return (true, "[]");
            default:
                return (false, null);
        }
    }

    private object? Element(BoundGraphElement element)
    {
        if (_hops.TryGetValue("n:" + element.Variable, out var nodeHop) && element.Column is { } nodeColumn)
            return _graph.NodeValue(_inner[element.Variable][nodeHop], nodeColumn);
        if (_hops.TryGetValue("e:" + element.Variable, out var hop) && _paths.TryGetValue(element.Variable, out var walked))
            return element.Column is { } edgeColumn ? _graph.EdgeValue(walked[hop], edgeColumn) : LocalJson.Write(_graph.EdgeBag(walked[hop]));
        if (_nodes.TryGetValue(element.Variable, out var id))
            return element.Column is { } column ? _graph.NodeValue(id, column) : LocalJson.Write(_graph.NodeBag(id));
        if (!_paths.TryGetValue(element.Variable, out var path) || path is null)
            return null;
        var plain = node.Patterns.SelectMany(p => p).First(e => e.Name == element.Variable) is { MinHops: 1, MaxHops: 1 };
        if (plain)
            return element.Column is { } c ? _graph.EdgeValue(path[0], c) : LocalJson.Write(_graph.EdgeBag(path[0]));
        // A path of edges is an array, one element for each hop.
        return element.Column is { } many
            ? new JsonArray([.. path.Select(e => LocalJson.Parse(LocalValues.ToJson(_graph.EdgeValue(e, many), many.Type)))])
            : new JsonArray([.. path.Select(e => (JsonNode?)_graph.EdgeBag(e))]);
    }
}
