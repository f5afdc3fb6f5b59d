using Vedette.Kql.Bound;

namespace Vedette.Kql.Binding;

/// <summary>
/// Builds the output columns of an operator by the language's naming rules: a declared name must be unique and may replace a column, any other
/// name that is taken gets a number behind it (X, X1, X2 …).
/// </summary>
internal sealed class ColumnBuilder
{
    private readonly List<KqlColumn> _columns;
    private readonly Dictionary<string, int> _index;
    private readonly HashSet<string> _declared = [];
    private readonly HashSet<int> _excluded = [];
    private readonly HashSet<string> _reserved = [];
    private readonly Dictionary<string, int> _suffixes = [];

    public ColumnBuilder(int capacity = 16)
    {
        _columns = new List<KqlColumn>(capacity);
        _index = new Dictionary<string, int>(capacity);
    }

    /// <summary>The columns so far.</summary>
    public IReadOnlyList<KqlColumn> Columns => _columns;

    /// <summary>Columns with these ids are left out from now on.</summary>
    public void Exclude(int id) => _excluded.Add(id);

    /// <summary>Keeps a name for the column that has it by itself: [c, c, c1] becomes [c, c2, c1].</summary>
    public void Reserve(string name) => _reserved.Add(name);

    /// <summary>Whether a column was excluded.</summary>
    public bool IsExcluded(int id) => _excluded.Contains(id);

    /// <summary>Whether the name is taken.</summary>
    public bool Contains(string name) => _index.ContainsKey(name);

    /// <summary>
    /// Adds a column; with <paramref name="replace"/> in place of one of the same name, else under a free name. Returns it as it is called now, or null when
    /// it is excluded.
    /// </summary>
    public KqlColumn? Add(KqlColumn column, bool replace = false)
    {
        if (_excluded.Contains(column.Id))
            return null;
        if (_index.TryGetValue(column.Name, out var at))
        {
            if (replace)
            {
                _columns[at] = column;
                return column;
            }

            column = column.Renamed(FreeName(column.Name));
        }

        _index.Add(column.Name, _columns.Count);
        _columns.Add(column);
        return column;
    }

    /// <summary>Adds a column under a name its author wrote; false when that name was already written for another.</summary>
    public bool Declare(KqlColumn column, bool replace, out KqlColumn added)
    {
        added = column;
        if (_declared.Contains(column.Name))
            return false;
        added = Add(column, replace) ?? column;
        _declared.Add(added.Name);
        return true;
    }

    /// <summary>Gives the column called <paramref name="oldName"/> another name; null when there is no such column.</summary>
    public KqlColumn? Rename(string oldName, string newName)
    {
        if (!_index.TryGetValue(oldName, out var at))
            return null;
        var column = _columns[at].Renamed(newName);
        _columns[at] = column;
        _index.Remove(oldName);
        _index[newName] = at;
        _declared.Add(newName);
        return column;
    }

    /// <summary>Whether the name was declared by its author.</summary>
    public bool IsDeclared(string name) => _declared.Contains(name);

    private string FreeName(string name)
    {
        _suffixes.TryGetValue(name, out var suffix);
        string candidate;
        do
        {
            candidate = name + (++suffix).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        while (_index.ContainsKey(candidate) || _reserved.Contains(candidate));
        _suffixes[name] = suffix;
        return candidate;
    }
}
