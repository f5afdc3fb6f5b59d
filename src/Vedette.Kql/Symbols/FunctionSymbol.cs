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
/// <see cref="Name"/> is the canonical lower-case spelling (aliases resolve to it).
/// </summary>
public sealed class FunctionSymbol
{
    internal FunctionSymbol(string name, FunctionKind kind, IReadOnlyList<FunctionSignature> signatures, bool isWindow, bool isConstant)
    {
        Name = name;
        Kind = kind;
        Signatures = signatures;
        IsWindow = isWindow;
        IsConstant = isConstant;
    }

    /// <summary>Canonical name.</summary>
    public string Name { get; }

    public FunctionKind Kind { get; }

    /// <summary>Depends on the order of the serialized input: row_number, prev, next, row_cumsum, row_rank_*, row_window_session.</summary>
    public bool IsWindow { get; }

    /// <summary>Gives the same result for the same arguments and may be folded.</summary>
    public bool IsConstant { get; }

    internal IReadOnlyList<FunctionSignature> Signatures { get; }

    /// <inheritdoc />
    public override string ToString() => Name;
}
