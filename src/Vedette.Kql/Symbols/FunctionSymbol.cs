namespace Vedette.Kql.Symbols;

/// <summary>What a built-in function is.</summary>
public enum FunctionKind
{
    Scalar,
    Aggregate,
    Plugin,
}

/// <summary>
/// A built-in scalar function, aggregate or plug-in. Symbols are singletons out of the function table, so they compare by reference;
/// bound trees hold canonical symbols only, whose <see cref="Name"/> is the canonical lower-case spelling.
/// </summary>
public sealed class FunctionSymbol
{
    internal FunctionSymbol(string name, FunctionKind kind, IReadOnlyList<FunctionSignature> signatures, FunctionAttributes attributes)
    {
        Name = name;
        Kind = kind;
        Signatures = signatures;
        Attributes = attributes;
        Canonical = this;
    }

    /// <summary>The spelling this symbol stands for.</summary>
    public string Name { get; }

    public FunctionKind Kind { get; }

    /// <summary>Depends on the order of the serialized input: row_number, prev, next, row_cumsum, row_rank_*, row_window_session.</summary>
    public bool IsWindow => Attributes.IsWindow;

    /// <summary>May give different results for the same arguments (now, rand, new_guid …).</summary>
    public bool IsVolatile => Attributes.IsVolatile;

    /// <summary>The symbol of the canonical spelling; itself for most.</summary>
    public FunctionSymbol Canonical { get; internal set; }

    internal IReadOnlyList<FunctionSignature> Signatures { get; }

    internal FunctionAttributes Attributes { get; }

    /// <inheritdoc />
    public override string ToString() => Name;
}

/// <summary>How a call names its result column.</summary>
internal enum ResultNaming : byte
{
    None,
    Argument,
    OnlyArgument,
    Prefix,
    Fixed,
    Column,
    Extremum,
}

/// <summary>Attributes of a line of the function table.</summary>
/// <param name="Naming">How the result column is named.</param>
/// <param name="Prefix">The prefix or fixed name for it.</param>
/// <param name="Is">Canonical spelling, or null.</param>
/// <param name="IsObsolete">Old spelling.</param>
/// <param name="IsWindow">Window function.</param>
/// <param name="IsVolatile">Never folded.</param>
/// <param name="IsAbsent">Known but not available.</param>
/// <param name="IsGraph">Only in graph operators.</param>
/// <param name="Columns">A plug-in's result columns as written in the table, or empty when code decides.</param>
/// <param name="Tuple">Several result columns; an empty name list with <c>sorted</c> means one for each array argument.</param>
/// <param name="Most">The last argument when it is left out; 0 for none.</param>
internal sealed record FunctionAttributes(
    ResultNaming Naming,
    string Prefix,
    string? Is,
    bool IsObsolete,
    bool IsWindow,
    bool IsVolatile,
    bool IsAbsent,
    bool IsGraph,
    IReadOnlyList<string> Columns,
    IReadOnlyList<(string Name, KqlType Type)>? Tuple,
    int Most);
