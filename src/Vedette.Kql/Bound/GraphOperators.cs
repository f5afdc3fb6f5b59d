namespace Vedette.Kql.Bound;

/// <summary>A bound graph: edges (the input of make-graph) and optional node tables.</summary>
/// <param name="Edges">Edge rows.</param>
/// <param name="Source">Node id of an edge's start.</param>
/// <param name="Target">Node id of an edge's end.</param>
/// <param name="Nodes">Node tables with the column that holds the node id; empty: nodes are those that edges name.</param>
/// <param name="NodeIdColumn">Column of generated node ids (<c>with_node_id=</c>), or null.</param>
/// <param name="NodeColumns">Columns a node has (union of node tables, plus the id).</param>
/// <param name="PartitionKey">Column of <c>partitioned-by</c>, or null.</param>
public sealed record BoundGraph(
    BoundRelation Edges,
    KqlColumn Source,
    KqlColumn Target,
    IReadOnlyList<(BoundRelation Table, KqlColumn Id)> Nodes,
    KqlColumn? NodeIdColumn,
    IReadOnlyList<KqlColumn> NodeColumns,
    KqlColumn? PartitionKey)
{
    /// <summary>Name of the column that holds the ids of marked nodes when they have none of their own; no query can name it.</summary>
    public const string HiddenNodeColumn = "$node";
}

/// <summary>An element of a graph pattern; elements alternate node, edge, node ….</summary>
/// <param name="Name">Variable, or null when anonymous.</param>
/// <param name="IsEdge">An edge rather than a node.</param>
/// <param name="Forward">Edge direction left to right allowed.</param>
/// <param name="Backward">Edge direction right to left allowed; both set: any direction.</param>
/// <param name="MinHops">1 for a plain edge.</param>
/// <param name="MaxHops">1 for a plain edge.</param>
public sealed record GraphPatternElement(string? Name, bool IsEdge, bool Forward, bool Backward, int MinHops, int MaxHops);

/// <summary><c>graph-match</c> (and, with <see cref="ShortestOnly"/>, <c>graph-shortest-paths</c>): rows for each match of all <see cref="Patterns"/> that fulfils the predicate.</summary>
public sealed class GraphMatchRelation(
    BoundGraph graph,
    IReadOnlyList<IReadOnlyList<GraphPatternElement>> patterns,
    string cycles,
    bool shortestOnly,
    string output,
    BoundScalar? predicate,
    IReadOnlyList<NamedScalar> values) : BoundRelation([.. values.Select(v => v.Column)])
{
    public BoundGraph Graph { get; } = graph;

    public IReadOnlyList<IReadOnlyList<GraphPatternElement>> Patterns { get; } = patterns;

    /// <summary>all, none or unique_edges.</summary>
    public string Cycles { get; } = cycles;

    public bool ShortestOnly { get; } = shortestOnly;

    /// <summary>For shortest paths: any or all.</summary>
    public string Output { get; } = output;

    public BoundScalar? Predicate { get; } = predicate;

    public IReadOnlyList<NamedScalar> Values { get; } = values;
}

/// <summary><c>graph-to-table nodes|edges</c>: the graph's nodes or edges as rows. Columns hold the graph's columns by name; <see cref="IdColumn"/> (hash of node id, long),
/// <see cref="SourceIdColumn"/> and <see cref="TargetIdColumn"/> only when asked for.</summary>
public sealed class GraphToTableRelation(
    BoundGraph graph,
    bool edges,
    KqlColumn? idColumn,
    KqlColumn? sourceIdColumn,
    KqlColumn? targetIdColumn,
    IReadOnlyList<KqlColumn> columns) : BoundRelation(columns)
{
    public BoundGraph Graph { get; } = graph;

    public bool Edges { get; } = edges;

    public KqlColumn? IdColumn { get; } = idColumn;

    public KqlColumn? SourceIdColumn { get; } = sourceIdColumn;

    public KqlColumn? TargetIdColumn { get; } = targetIdColumn;
}

/// <summary><c>graph-mark-components</c>: each node's connected component. Yields nodes with <see cref="ComponentId"/> (long); <see cref="Strong"/>: strongly connected components.</summary>
public sealed class GraphComponentsRelation(BoundGraph graph, bool strong, KqlColumn componentId, IReadOnlyList<KqlColumn> columns)
    : BoundRelation(columns)
{
    public BoundGraph Graph { get; } = graph;

    public bool Strong { get; } = strong;

    public KqlColumn ComponentId { get; } = componentId;
}
