using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>What the variables of a graph's pattern stand for: a match, or what has been found of one.</summary>
/// <param name="graph">The graph.</param>
/// <param name="node">The operator.</param>
internal sealed class GraphBinding(LocalGraph graph, GraphMatchRelation node)
{
    /// <summary>Nodes by variable.</summary>
    public Dictionary<string, int> Nodes { get; private init; } = new(StringComparer.Ordinal);

    /// <summary>Edges by variable, several for a path.</summary>
    public Dictionary<string, List<int>> Paths { get; private init; } = new(StringComparer.Ordinal);

    /// <summary>Nodes between the edges of a path, by the path's variable.</summary>
    public Dictionary<string, List<int>> Inner { get; private init; } = new(StringComparer.Ordinal);

    /// <summary>Whether an expression is an element, or a function of elements: its value comes from the match.</summary>
    public static bool IsOwn(BoundScalar scalar) =>
        scalar is BoundGraphElement or BoundCall { Function.Name: "all" or "any" or "map" or "inner_nodes" or "node_degree_in" or "node_degree_out" or "node_id" or "labels" };

    /// <summary>The expression that all(), any() and map() compute for each element of a path.</summary>
    public static BoundScalar? Inside(BoundScalar scalar) => scalar is BoundCall { Function.Name: "all" or "any" or "map", Arguments: [_, var each, ..] } ? each : null;

    /// <summary>The match as it is now. Its lists never change.</summary>
    public GraphBinding Copy() => new(graph, node)
    {
        Nodes = new(Nodes, StringComparer.Ordinal),
        Paths = new(Paths.Where(p => p.Value is not null), StringComparer.Ordinal),
        Inner = new(Inner.Where(p => p.Value is not null), StringComparer.Ordinal),
    };

    /// <summary>Evaluates expressions over the match.</summary>
    /// <param name="now">What now() gives.</param>
    /// <param name="values">What is asked of the engine.</param>
    /// <param name="hops">Elements of paths that are looked at: the path's variable, whether its inner nodes are meant, and which of them.</param>
    public LocalEvaluator Evaluator(DateTime now, EngineValues values, IReadOnlyList<(string Variable, bool Inner, int At)> hops) => new(_ => null, _ => null, now)
    {
        Engine = values,
        Special = (scalar, evaluator) => Special(scalar, hops, hop => Evaluator(now, values, [.. hops, hop])),
        SpecialAsync = scalar => Inside(scalar) is null || Each((BoundCall)scalar) is not { } path ? null : AnswerAsync((BoundCall)scalar, path, hop => Evaluator(now, values, [.. hops, hop])),
        TypeOf = scalar => scalar is BoundGraphElement { Column: not null } element && IsPath(element.Variable) && !hops.Any(h => h.Variable == element.Variable) ? KqlType.Dynamic : scalar.Type,
    };

    /// <summary>The path that all(), any() or map() looks at.</summary>
    private (string Variable, bool Inner, int Count)? Each(BoundCall call)
    {
        var inner = call.Arguments[0] is BoundCall { Function.Name: "inner_nodes" };
        if (((call.Arguments[0] as BoundCall)?.Arguments.FirstOrDefault() ?? call.Arguments[0]) is not BoundGraphElement { Variable: var variable })
            return null;
        return (variable, inner, inner ? Inner[variable].Count : Paths.TryGetValue(variable, out var path) ? path.Count : 1);
    }

    private static object? Whole(BoundCall call, IReadOnlyList<object?> values) => call.Function.Name switch
    {
        "all" => values.All(v => v is true),
        "any" => values.Any(v => v is true),
        _ => "[" + string.Join(",", values.Select(v => LocalValues.ToJson(v, call.Arguments[1].Type))) + "]",
    };

    private static async ValueTask<object?> AnswerAsync(BoundCall call, (string Variable, bool Inner, int Count) path, Func<(string, bool, int), LocalEvaluator> at)
    {
        var values = Enumerable.Range(0, path.Count).Select(i => at((path.Variable, path.Inner, i)).EvaluateAsync(call.Arguments[1]).AsTask()).ToList();
        return Whole(call, await Task.WhenAll(values));
    }

    /// <summary>Elements and the functions of elements.</summary>
    private (bool Known, object? Value) Special(BoundScalar scalar, IReadOnlyList<(string Variable, bool Inner, int At)> hops, Func<(string, bool, int), LocalEvaluator> at)
    {
        switch (scalar)
        {
            case BoundGraphElement element:
                return (true, Element(element, hops));
            case BoundCall { Function.Name: "all" or "any" or "map" } call:
                if (Each(call) is not { } path)
                    return (false, null);
                var values = new List<object?>(path.Count);
                for (var i = 0; i < path.Count; i++)
                    values.Add(at((path.Variable, path.Inner, i)).Evaluate(call.Arguments[1]));
                return (true, Whole(call, values));
            case BoundCall { Function.Name: "inner_nodes", Arguments: [BoundGraphElement of] }:
                return (true, LocalJson.Write(new JsonArray([.. Inner[of.Variable].Select(n => (JsonNode?)graph.NodeBag(n))])));
            case BoundCall { Function.Name: "node_degree_in" or "node_degree_out" } degree:
            {
                var variable = degree.Arguments.Count > 0 ? (degree.Arguments[0] as BoundGraphElement)?.Variable : null;
                if (!(variable is not null && Nodes.TryGetValue(variable, out var node)) && !IsLookedAt(hops, out node))
                    return (false, null);
                return (true, (long)(degree.Function.Name == "node_degree_in" ? graph.Nodes[node].In.Count : graph.Nodes[node].Out.Count));
            }

            case BoundCall { Function.Name: "node_id", Arguments.Count: 0 } when IsLookedAt(hops, out var current):
                return (true, graph.Nodes[current].Id);
            case BoundCall { Function.Name: "node_id", Arguments: [BoundGraphElement { Variable: var named }] } when Nodes.TryGetValue(named, out var position):
                return (true, graph.Nodes[position].Id);
            case BoundCall { Function.Name: "labels" }:
                // Only graph models have labels; graphs made by a query have none.
                return (true, "[]");
            default:
                return (false, null);
        }
    }

    /// <summary>The inner node that is looked at, for functions that are given no variable.</summary>
    private bool IsLookedAt(IReadOnlyList<(string Variable, bool Inner, int At)> hops, out int node)
    {
        foreach (var hop in hops)
        {
            if (!hop.Inner)
                continue;
            node = Inner[hop.Variable][hop.At];
            return true;
        }

        node = 0;
        return false;
    }

    private object? Element(BoundGraphElement element, IReadOnlyList<(string Variable, bool Inner, int At)> hops)
    {
        var (variable, column) = (element.Variable, element.Column);
        for (var i = hops.Count - 1; i >= 0; i--)
        {
            if (hops[i].Variable != variable)
                continue;
            if (hops[i].Inner && column is not null)
                return graph.NodeValue(Inner[variable][hops[i].At], column);
            if (!hops[i].Inner && Paths.TryGetValue(variable, out var walked))
                return column is not null ? graph.EdgeValue(walked[hops[i].At], column) : LocalJson.Write(graph.EdgeBag(walked[hops[i].At]));
        }

        if (Nodes.TryGetValue(variable, out var id))
            return column is not null ? graph.NodeValue(id, column) : LocalJson.Write(graph.NodeBag(id));
        if (!Paths.TryGetValue(variable, out var path) || path is null)
            return null;
        if (!IsPath(variable))
            return column is not null ? graph.EdgeValue(path[0], column) : LocalJson.Write(graph.EdgeBag(path[0]));
        // A path of edges is an array, one element for each hop.
        return column is { } many
            ? new JsonArray([.. path.Select(e => LocalJson.Parse(LocalValues.ToJson(graph.EdgeValue(e, many), many.Type)))])
            : new JsonArray([.. path.Select(e => (JsonNode?)graph.EdgeBag(e))]);
    }

    /// <summary>Whether a variable stands for a path of edges rather than for one.</summary>
    private bool IsPath(string variable) => node.Patterns.SelectMany(p => p).FirstOrDefault(e => e.Name == variable) is { IsEdge: true } edge and not { MinHops: 1, MaxHops: 1 };
}
