namespace Vedette.Kql.Bound;

/// <summary>
/// A column of a bound relation. <see cref="Id"/> identifies the value throughout one compilation: two columns with the same id
/// hold the same value of the same row, whatever they are called; two columns of the same name with different ids are different
/// columns. Names matter only in the final result (and where a node says so), so a writer should use ids in generated code.
/// </summary>
public sealed class KqlColumn(int id, string name, KqlType type)
{
    /// <summary>Unique within one compilation, starting at 1.</summary>
    public int Id { get; } = id;

    /// <summary>The name the user sees; unique (case-sensitive) within one relation's columns.</summary>
    public string Name { get; } = name;

    /// <summary>The scalar type. <see cref="KqlType.Unknown"/> never survives a successful binding.</summary>
    public KqlType Type { get; } = type;

    /// <summary>The same value under another name (project-rename, X1 after a join).</summary>
    public KqlColumn Renamed(string name) => name == Name ? this : new KqlColumn(Id, name, Type);

    /// <inheritdoc />
    public override string ToString() => $"{Name}#{Id}:{Type}";
}
