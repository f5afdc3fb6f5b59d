namespace Vedette.Kql.Bound;

/// <summary>
/// A bound relational operator. <see cref="Columns"/> are its output columns in order. A node's scalars refer only to columns of its direct
/// input (or of the context named in its documentation), by id. Nodes are immutable; a tree may share no node, except through
/// <see cref="SharedPlan"/>.
/// </summary>
public abstract class BoundRelation(IReadOnlyList<KqlColumn> columns)
{
    /// <summary>Output columns, in order, with unique names.</summary>
    public IReadOnlyList<KqlColumn> Columns { get; } = columns;

    /// <summary>How many relations stand above each other here at most, shared plans included; bounded by the binder, so recursion over a tree is safe.</summary>
    public int Depth { get; private protected set; } = 1;
}

/// <summary>A relation computed from one input.</summary>
public abstract class UnaryRelation : BoundRelation
{
    private protected UnaryRelation(BoundRelation input, IReadOnlyList<KqlColumn> columns)
        : base(columns)
    {
        Input = input;
        Depth = input.Depth + 1;
    }

    public BoundRelation Input { get; }
}

/// <summary>An output column and the expression that gives its value. When the expression is a <see cref="BoundColumnRef"/> the output column may
/// carry the same id (the value passes through, perhaps renamed).</summary>
public sealed record NamedScalar(KqlColumn Column, BoundScalar Value);

/// <summary>Sort key. Ascending puts small values first; nulls stand as <see cref="NullsFirst"/> says (the binder has applied the default:
/// first when ascending, last when descending).</summary>
public sealed record SortKey(BoundScalar Value, bool Descending, bool NullsFirst);

/// <summary>
/// A plan that several places read: <c>materialize()</c>, a let-bound table used more than once, or the input of <c>as</c>, <c>fork</c>, <c>facet</c>.
/// </summary>
public sealed class SharedPlan(int id, string? name, SharedPlanKind kind, BoundRelation plan)
{
    /// <summary>Unique within the compilation.</summary>
    public int Id { get; } = id;

    /// <summary>The let or as name, if it has one.</summary>
    public string? Name { get; } = name;

    public SharedPlanKind Kind { get; } = kind;

    public BoundRelation Plan { get; } = plan;
}

/// <summary>Whether a shared plan must be computed once.</summary>
public enum SharedPlanKind
{
    /// <summary>A let-bound table: may be computed once or once per reference, as is cheaper.</summary>
    Let,
    /// <summary>materialize(): every reference must see the same rows.</summary>
    Materialize,
    /// <summary>The input of as, fork or facet: every reference must see the same rows.</summary>
    As,
}

/// <summary>Reads a shared plan. <c>Columns[i]</c> is a fresh column that holds <c>Shared.Plan.Columns[i]</c>, so two references never share ids.</summary>
public sealed class SharedScan : BoundRelation
{
    internal SharedScan(SharedPlan shared, IReadOnlyList<KqlColumn> columns)
        : base(columns)
    {
        Shared = shared;
        Depth = shared.Plan.Depth + 1;
    }

    public SharedPlan Shared { get; }
}

/// <summary>A relation computed from several.</summary>
public abstract class CombinedRelation : BoundRelation
{
    private protected CombinedRelation(IReadOnlyList<KqlColumn> columns, params ReadOnlySpan<BoundRelation?> parts)
        : base(columns)
    {
        foreach (var part in parts)
            Depth = Math.Max(Depth, (part?.Depth ?? 0) + 1);
    }
}
