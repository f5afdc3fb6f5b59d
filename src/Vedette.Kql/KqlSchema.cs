namespace Vedette.Kql;

/// <summary>A column of a schema table or of a table function.</summary>
/// <param name="Name">Case-sensitive name.</param>
/// <param name="Type">Scalar type.</param>
public sealed record KqlColumnDefinition(string Name, KqlType Type);

/// <summary>A table a query may read.</summary>
/// <param name="Name">Case-sensitive name.</param>
/// <param name="Columns">Columns in order.</param>
public sealed record KqlTable(string Name, IReadOnlyList<KqlColumnDefinition> Columns);

/// <summary>How a table function's result relates to its input.</summary>
public enum KqlTableFunctionShape
{
    /// <summary>The result has only the function's own columns.</summary>
    Returns,
    /// <summary>The input's columns pass through; the function's columns replace those of the same name or are added at the end.</summary>
    Extends,
}

/// <summary>A scalar parameter of a table function.</summary>
/// <param name="Name">Parameter name, usable as <c>name=value</c>.</param>
/// <param name="Type">Expected type; unknown takes any.</param>
/// <param name="Required">Whether it must be given.</param>
/// <param name="AcceptsColumn">Whether a column of the input may stand here (<c>invoke FileProfile(SHA1)</c>).</param>
public sealed record KqlTableFunctionParameter(string Name, KqlType Type, bool Required, bool AcceptsColumn = false);

/// <summary>A tabular function that the host computes.</summary>
/// <param name="Name">Case-sensitive name.</param>
/// <param name="TakesTable">Whether its first, implicit parameter is a table (it is called by <c>invoke</c>).</param>
/// <param name="Parameters">Scalar parameters.</param>
/// <param name="Shape">How result and input relate.</param>
/// <param name="Columns">The function's own columns.</param>
public sealed record KqlTableFunction(
    string Name,
    bool TakesTable,
    IReadOnlyList<KqlTableFunctionParameter> Parameters,
    KqlTableFunctionShape Shape,
    IReadOnlyList<KqlColumnDefinition> Columns);

/// <summary>What names a query may use: tables and host functions. Immutable; build it once and share it between compilations.</summary>
public sealed class KqlSchema
{
    private readonly Dictionary<string, KqlTable> _tables;
    private readonly Dictionary<string, KqlTableFunction> _functions;

    /// <summary>Builds a schema.</summary>
    /// <exception cref="ArgumentException">Two tables or two functions share a name.</exception>
    public KqlSchema(IEnumerable<KqlTable> tables, IEnumerable<KqlTableFunction>? functions = null, string database = "db")
    {
        Tables = [.. tables];
        Functions = [.. functions ?? []];
        Database = database;
        _tables = Tables.ToDictionary(t => t.Name, StringComparer.Ordinal);
        _functions = Functions.ToDictionary(f => f.Name, StringComparer.Ordinal);
    }

    /// <summary>A schema without tables, for self-contained queries.</summary>
    public static KqlSchema Empty { get; } = new([]);

    /// <summary>Tables, in the order given.</summary>
    public IReadOnlyList<KqlTable> Tables { get; }

    /// <summary>Host functions.</summary>
    public IReadOnlyList<KqlTableFunction> Functions { get; }

    /// <summary>The name that <c>current_database()</c> and <c>database('…')</c> know this database by.</summary>
    public string Database { get; }

    /// <summary>Finds a table by its exact name.</summary>
    public KqlTable? FindTable(string name) => _tables.GetValueOrDefault(name);

    /// <summary>Finds a host function by its exact name.</summary>
    public KqlTableFunction? FindFunction(string name) => _functions.GetValueOrDefault(name);
}
