using Vedette.Kql.Bound;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>A table while it is being bound: its plan, and what the plan alone does not say.</summary>
internal sealed class TableValue(BoundRelation node, LateColumns? late = null, string? name = null)
{
    private Dictionary<string, KqlColumn>? _byName;

    public BoundRelation Node { get; } = node;

    /// <summary>Where columns that only the run brings are looked up; null when the schema is complete.</summary>
    public LateColumns? Late { get; } = late;

    /// <summary>The table's or variable's name, for union's source column.</summary>
    public string? Name { get; } = name;

    public IReadOnlyList<KqlColumn> Columns => Node.Columns;

    /// <summary>The column of that exact name; on an open table a name it does not have becomes a late column.</summary>
    public KqlColumn? Find(string columnName)
    {
        if (_byName is null)
        {
            if (Columns.Count <= 8)
            {
                foreach (var column in Columns)
                {
                    if (column.Name == columnName)
                        return column;
                }

                return Late?.Find(columnName);
            }

            _byName = new Dictionary<string, KqlColumn>(Columns.Count);
            foreach (var column in Columns)
                _byName.TryAdd(column.Name, column);
        }

        return _byName.TryGetValue(columnName, out var found) ? found : Late?.Find(columnName);
    }

    /// <summary>The same value over another plan with the same late columns.</summary>
    public TableValue With(BoundRelation plan) => new(plan, Late);
}

/// <summary>The columns that operators above an open plug-in asked for.</summary>
internal sealed class LateColumns(Func<string, KqlType, KqlColumn> create)
{
    private readonly Dictionary<string, KqlColumn> _byName = [];

    public List<KqlColumn> Columns { get; } = [];

    public KqlColumn Find(string name)
    {
        if (!_byName.TryGetValue(name, out var column))
        {
            column = create(name, KqlType.Dynamic);
            _byName.Add(name, column);
            Columns.Add(column);
        }

        return column;
    }
}

/// <summary>What a name outside the row can stand for.</summary>
internal abstract class NamedValue;

/// <summary>A scalar variable or parameter: its expression is put in place of the name.</summary>
internal sealed class ScalarVariable(BoundScalar value, int size = 1, int depth = 1) : NamedValue
{
    public BoundScalar Value { get; } = value;

    /// <summary>Nodes that each reference adds to the tree.</summary>
    public int Size { get; } = size;

    /// <summary>How deep those nodes nest.</summary>
    public int Depth { get; } = depth;
}

/// <summary>A tabular variable or parameter. Each reference makes a table with columns of its own.</summary>
internal sealed class TableVariable(string name, Func<TableValue> reference, bool isView = false) : NamedValue
{
    public string Name { get; } = name;

    public Func<TableValue> Reference { get; } = reference;

    /// <summary>Takes part in wildcards of union and find.</summary>
    public bool IsView { get; } = isView;
}

/// <summary>A user function with the scope it was declared in.</summary>
internal sealed class FunctionVariable(string name, FunctionExpr declaration, Scope scope, Access? access = null) : NamedValue
{
    public string Name { get; } = name;

    public FunctionExpr Declaration { get; } = declaration;

    public Scope Scope { get; } = scope;

    /// <summary>What was in sight where it was declared.</summary>
    public Access? Access { get; } = access;

    /// <summary>Calls being inlined right now, to refuse recursion.</summary>
    public bool IsActive { get; set; }
}

/// <summary>A graph variable.</summary>
internal sealed class GraphVariable(BoundGraph graph) : NamedValue
{
    public BoundGraph Graph { get; } = graph;
}

/// <summary>An entity group variable.</summary>
internal sealed class EntityGroupVariable(IReadOnlyList<Expr> entities) : NamedValue
{
    public IReadOnlyList<Expr> Entities { get; } = entities;
}

/// <summary>A declared pattern.</summary>
internal sealed class PatternVariable(PatternStatement declaration, Scope scope, Access? access) : NamedValue
{
    public PatternStatement Declaration { get; } = declaration;

    public Scope Scope { get; } = scope;

    /// <summary>What was in sight where it was declared.</summary>
    public Access? Access { get; } = access;
}

/// <summary>A database (or macro-expand scope) that stands for the schema's only database.</summary>
/// <param name="database">The name that the query calls it by.</param>
/// <param name="cluster">The cluster that the query says it is on; null for the present one.</param>
internal sealed class DatabaseVariable(string database, string? cluster = null) : NamedValue
{
    public string Database { get; } = database;

    public string? Cluster { get; } = cluster;
}

/// <summary>What one restrict statement leaves in sight, on top of those before it.</summary>
/// <param name="outer">The restriction in force before.</param>
/// <param name="entities">What stays in sight of the database: tables and functions of the host.</param>
/// <param name="hidden">Variables that are out of sight.</param>
internal sealed class Access(Access? outer, Func<string, bool> entities, HashSet<NamedValue> hidden)
{
    public bool Allows(string entity) => entities(entity) && outer?.Allows(entity) != false;

    public bool Hides(NamedValue variable) => hidden.Contains(variable) || outer?.Hides(variable) == true;
}

/// <summary>Names declared by let, parameters and as, from the inside out.</summary>
internal sealed class Scope(Scope? parent)
{
    private readonly Dictionary<string, NamedValue> _names = [];

    /// <summary>The innermost meaning of a name.</summary>
    public NamedValue? Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope._names.TryGetValue(name, out var value))
                return value;
        }

        return null;
    }

    public Scope? Parent { get; } = parent;

    /// <summary>Whether this very scope declares the name.</summary>
    public bool Declares(string name) => _names.ContainsKey(name);

    /// <summary>Declares a name, hiding outer ones.</summary>
    public void Set(string name, NamedValue value) => _names[name] = value;

    /// <summary>All names in sight, for hints.</summary>
    public IEnumerable<string> AllNames()
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            foreach (var name in scope._names.Keys)
                yield return name;
        }
    }

    /// <summary>All views in sight, for wildcards.</summary>
    public IEnumerable<TableVariable> Views()
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            foreach (var value in scope._names.Values)
            {
                if (value is TableVariable { IsView: true } view)
                    yield return view;
            }
        }
    }
}
