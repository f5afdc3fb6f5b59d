using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Sql;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>graph-match and graph-shortest-paths.</summary>
/// <param name="node">The operator.</param>
/// <param name="source">Where edges and nodes come from.</param>
/// <param name="context">What the query is written for.</param>
/// <param name="engine">The engine, once the query runs: it computes what is not computed here, for many matches at once.</param>
internal sealed class GraphMatchStep(GraphMatchRelation node, GraphSource source, SqlContext context, Func<StepEngine?> engine) : ILocalStep
{
    /// <summary>Partial matches that are tried at most.</summary>
    private const long MaxSteps = 20_000_000;

    /// <summary>Matches that wait for the engine together.</summary>
    private const int Together = 20_000;

    private readonly List<object?[]> _rows = [];
    private readonly Dictionary<(int From, int To), (int Length, List<object?[]> Rows)> _shortest = [];
    private readonly List<(GraphBinding Binding, int Length)> _waiting = [];
    private readonly RowBudget _budget = new(node.ShortestOnly ? "graph-shortest-paths" : "graph-match");
    private readonly IReadOnlyList<BoundScalar> _conditions = node.Predicate is null ? [] : [.. ScalarWriter.Conjuncts(node.Predicate)];
    private EngineValues _values = null!;
    private GraphBinding _binding = null!;
    private LocalGraph _graph = null!;
    private object?[] _outer = [];
    private long _steps;

    public string Name => node.ShortestOnly ? "graph-shortest-paths" : "graph-match";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken) => throw new InvalidOperationException($"{Name} may have to ask the engine.");

    public async ValueTask<LocalTable> RunAsync(LocalTable input, CancellationToken cancellationToken)
    {
        Check();
        _values = new EngineValues(context, engine, GraphBinding.IsOwn, GraphBinding.Inside);
        foreach (var (outer, graph) in source.Read())
        {
            _outer = outer;
            _graph = graph;
            _binding = new GraphBinding(graph, node);
            _shortest.Clear();
            Pattern(0, 0, -1, [], [], cancellationToken);
            foreach (var together in _waiting.Chunk(Together))
                await AnswerAsync(together, cancellationToken);
            _waiting.Clear();
            if (!node.ShortestOnly)
                continue;
            foreach (var (_, rows) in _shortest.Values)
                _rows.AddRange((node.Output == "all" ? rows : rows.Take(1)).Select(row => (object?[])[.. _outer, .. row]));
        }

        return new LocalTable([.. source.Outer, .. node.Columns.Select(c => new LocalColumn(c.Name, c.Type))], _rows);
    }

    /// <summary>Sequences have to share nodes; shortest paths are looked for along one sequence.</summary>
    private void Check()
    {
        if (node.ShortestOnly && (node.Patterns.Count > 1 || !node.Patterns[0].Any(e => e.IsEdge && (e.MinHops != 1 || e.MaxHops != 1))))
            throw new HuntingException(HuntingFailure.Semantic, "graph-shortest-paths: the pattern must be one sequence with at least one variable length edge.");
        var reached = node.Patterns[0].Select(e => e.Name).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var rest = node.Patterns.Skip(1).Select(p => p.Where(e => !e.IsEdge).Select(e => e.Name).OfType<string>().ToList()).ToList();
        while (rest.Find(reached.Overlaps) is { } next)
        {
            reached.UnionWith(next);
            rest.Remove(next);
        }

        if (rest.Count > 0)
            throw new HuntingException(HuntingFailure.Semantic, $"{Name}: the sequences of the pattern must share nodes; only a single connected component is supported.");
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
            else if (now.Name is not null && _binding.Nodes.TryGetValue(now.Name, out var bound))
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
            var fresh = now.Name is not null && !_binding.Nodes.ContainsKey(now.Name);
            if (now.Name is not null && !fresh && _binding.Nodes[now.Name] != id)
                return;
            if (fresh)
                _binding.Nodes[now.Name!] = id;
            usedNodes.Add(id);
            Pattern(pattern, element + 1, -1, usedEdges, usedNodes, cancellationToken);
            usedNodes.RemoveAt(usedNodes.Count - 1);
            if (fresh)
                _binding.Nodes.Remove(now.Name!);
        }

        void Walk(int at, int hops, List<int> path, List<int> inner)
        {
            if (hops >= now.MinHops)
            {
                var (before, between) = (_binding.Paths.GetValueOrDefault(name), _binding.Inner.GetValueOrDefault(name));
                (_binding.Paths[name], _binding.Inner[name]) = ([.. path], [.. inner.Take(Math.Max(0, path.Count - 1))]);
                Pattern(pattern, element + 1, at, usedEdges, usedNodes, cancellationToken);
                (_binding.Paths[name], _binding.Inner[name]) = (before!, between!);
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
        var evaluator = Evaluator(_binding);
        if (!_conditions.All(c => !_values.IsLocal(c) || evaluator.IsTrue(c)))
            return;
        if (_conditions.All(_values.IsLocal) && node.Values.All(v => _values.IsLocal(v.Value)))
        {
            Keep(_binding, length, [.. node.Values.Select(v => Typed(v, evaluator.Evaluate(v.Value)))]);
            return;
        }

        var kept = _binding.Copy();
        _budget.Add([.. kept.Nodes.Values, .. kept.Paths.Values]);
        _waiting.Add((kept, length));
    }

    /// <summary>Asks for what the engine computes of matches, and keeps those that fulfil all conditions.</summary>
    private async Task AnswerAsync(IReadOnlyList<(GraphBinding Binding, int Length)> matches, CancellationToken cancellationToken)
    {
        var rows = matches.Select(m => RowAsync(m.Binding)).ToList();
        await _values.RunAsync(Task.WhenAll(rows), cancellationToken);
        for (var i = 0; i < rows.Count; i++)
        {
            if (await rows[i] is { } row)
                Keep(matches[i].Binding, matches[i].Length, row);
        }
    }

    /// <summary>The values of a match; null when it does not fulfil a condition.</summary>
    private async Task<object?[]?> RowAsync(GraphBinding binding)
    {
        var evaluator = Evaluator(binding);
        foreach (var condition in _conditions)
        {
            if (!_values.IsLocal(condition) && !await evaluator.IsTrueAsync(condition))
                return null;
        }

        var row = new object?[node.Values.Count];
        for (var i = 0; i < row.Length; i++)
            row[i] = _values.IsLocal(node.Values[i].Value) ? Typed(node.Values[i], evaluator.Evaluate(node.Values[i].Value)) : Typed(node.Values[i], await evaluator.EvaluateAsync(node.Values[i].Value));
        return row;
    }

    private LocalEvaluator Evaluator(GraphBinding binding) => binding.Evaluator(context.Now, _values, []);

    private static object? Typed(NamedScalar item, object? value) => value is JsonNode json
        ? LocalValues.To(LocalJson.Write(json), KqlType.Dynamic, item.Column.Type)
        : LocalValues.To(value, item.Value is BoundGraphElement && item.Column.Type == KqlType.Dynamic && item.Value.Type != KqlType.Dynamic && value is string ? KqlType.Dynamic : item.Value.Type, item.Column.Type);

    private void Keep(GraphBinding binding, int length, object?[] row)
    {
        _budget.Add(row);
        if (!node.ShortestOnly)
        {
            _rows.Add([.. _outer, .. row]);
            return;
        }

        var ends = (binding.Nodes.Values.FirstOrDefault(), binding.Nodes.Values.LastOrDefault());
        if (!_shortest.TryGetValue(ends, out var best) || length < best.Length)
            _shortest[ends] = (length, [row]);
        else if (length == best.Length)
            best.Rows.Add(row);
    }
}
