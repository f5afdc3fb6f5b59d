using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Vedette.Kql;

namespace Vedette.Telemetry.Sql;

/// <summary>Order of a relation's rows: a column by id.</summary>
internal readonly record struct SqlOrder(int Id, bool Descending, bool NullsFirst);

/// <summary>What stands behind FROM.</summary>
internal abstract class SqlSource
{
    /// <summary>The value of a column, noting that it is needed; null when the source does not have it.</summary>
    public abstract SqlValue? Resolve(int id);

    /// <summary>SQL text; called once everything that is needed has been resolved.</summary>
    public abstract string Render();
}

/// <summary>
/// A SELECT under construction. Columns are known by the ids of the bound tree and are called c1, c2 … in the text, so that no name of a user
/// gets into it. Only what is resolved is rendered, which prunes columns through all levels.
/// </summary>
internal sealed class Select(SqlSource source)
{
    private readonly Dictionary<int, SqlValue> _values = [];
    private readonly Dictionary<int, string> _definitions = [];
    private readonly List<int> _defined = [];
    private readonly HashSet<int> _used = [];
    private readonly SortedSet<int> _required = [];
    private readonly List<Func<string>> _where = [];
    private readonly Dictionary<int, int> _depth = [];
    private readonly Dictionary<int, int> _parts = [];
    // Defined before the rows were grouped.
    private readonly HashSet<int> _plain = [];
    private string? _rendered;

    // Ids of arrays lie beside those of their columns.
    private const int ArrayIds = 1_000_000_000;

    /// <summary>How deep definitions may refer to each other in one level before the next level is opened.</summary>
    private const int MaxDepth = 3;

    public SqlSource Source { get; } = source;

    /// <summary>GROUP BY terms; null when the select does not group.</summary>
    public IReadOnlyList<string>? GroupBy
    {
        get;
        set
        {
            field = value;
            _plain.UnionWith(_definitions.Keys);
        }
    }

    /// <summary>Whether each row stands only once; all columns have to be required then.</summary>
    public bool IsDistinct { get; set; }

    public string? ArrayJoin { get; set; }

    public string? LimitBy { get; set; }

    public string? Limit { get; set; }

    /// <summary>Present order; empty when rows have none.</summary>
    public IReadOnlyList<SqlOrder> Order { get; set; } = [];

    /// <summary>Whether the order is a numbering of rows, without ties.</summary>
    public bool IsNumbered { get; set; }

    /// <summary>Whether a definition is a window function, so that WHERE has to wait for the next level.</summary>
    public bool HasWindow { get; set; }

    /// <summary>Id of the arrival time of rows, where they are still rows of a table.</summary>
    public int? IngestTime { get; set; }

    /// <summary>Whether the rows are those of one table, filtered, so that reading them twice is cheap and gives the same rows.</summary>
    public bool ReadsTable { get; set; }

    /// <summary>Whether values that are not strings have to come out as Nullable, because an outer join may lack the row.</summary>
    public bool NullableOutput { get; set; }

    /// <summary>Whether the order matters to the level above, and so is written on this one.</summary>
    public bool KeepOrder { get; set; }

    /// <summary>Whether WHERE, and definitions, can still be added on this level.</summary>
    public bool IsOpen => GroupBy is null && !IsDistinct && Limit is null && LimitBy is null && !HasWindow;

    /// <summary>Whether this level groups, and an order can still be given to its groups.</summary>
    public bool CanOrder => GroupBy is not null && !IsDistinct && Limit is null && LimitBy is null && !HasWindow;

    /// <summary>Whether this level does no more than compute and filter rows whose text is known, and nobody has asked for its columns yet.</summary>
    public bool IsPlain => Source is TextSource && IsOpen && ArrayJoin is null && _required.Count == 0;

    public static string Name(int id) => id < 0 ? "h" + (-id).ToString(CultureInfo.InvariantCulture) : "c" + id.ToString(CultureInfo.InvariantCulture);

    public bool HasFilter => _where.Count > 0;

    /// <summary>The value of a column on this level.</summary>
    /// <exception cref="InvalidOperationException">The column is not part of the relation.</exception>
    public SqlValue Resolve(int id) => TryResolve(id) ?? throw new InvalidOperationException($"Column {Name(id)} is not part of the relation.");

    public SqlValue? TryResolve(int id)
    {
        if (_values.TryGetValue(id, out var value))
        {
            _used.Add(id);
            if (_parts.TryGetValue(id, out var part))
                _used.Add(part);
            return value;
        }

        return Source.Resolve(id);
    }

    /// <summary>How many definitions stand on each other below this column.</summary>
    public int DepthOf(int id) => _depth.GetValueOrDefault(id);

    /// <summary>Gives a column its value by an expression.</summary>
    public void Define(int id, SqlValue value, int depth = 1)
    {
        if (value.IsConstant || IsName(value.Text))
        {
            _values[id] = value;
            return;
        }

        if (value is { IsPresent: true, Type: KqlType.Dynamic } && (value.Strings ?? value.Elements) is { } array)
        {
            DefineArray(id, array, value.Strings is not null, depth);
            return;
        }

        var name = Name(id);
        _values[id] = value with { Text = name, Elements = null, Array = null };
        _definitions[id] = value.Text;
        _defined.Add(id);
        _depth[id] = depth;
    }

    /// <summary>
    /// A dynamic array stays an array of the engine under an id of its own until somebody asks for its JSON text: most are only counted, searched or
    /// unrolled, and those that reach the answer are few.
    /// </summary>
    private void DefineArray(int id, string array, bool ofStrings, int depth)
    {
        var part = id < 0 ? id - ArrayIds : id + ArrayIds;
        var held = SqlJson.OfArray(Name(part), ofStrings) with { Array = part };
        _values[part] = new SqlValue(Name(part), KqlType.Unknown, false);
        _definitions[part] = array;
        _values[id] = held with { Text = Name(id) };
        _definitions[id] = held.Text;
        _parts[id] = part;
        _defined.Add(part);
        _defined.Add(id);
        _depth[id] = depth;
    }

    /// <summary>Gives a column its value, under a name of its own even when the value is constant or a mere column.</summary>
    public void DefineAlways(int id, SqlValue value)
    {
        _values[id] = value with { Text = Name(id), IsConstant = false, Constant = null, Strings = null, Elements = null, PlainText = null, Array = null };
        _definitions[id] = value.Text;
        _defined.Add(id);
        _depth[id] = 1;
    }

    /// <summary>Whether another level should be opened before a definition of this depth is added.</summary>
    public static bool IsTooDeep(int depth) => depth > MaxDepth;

    public void Where(string condition) => _where.Add(() => condition);

    /// <summary>Adds a condition whose text can only be written when all columns are known.</summary>
    public void WhereLater(Func<string> condition) => _where.Add(condition);

    /// <summary>Asks for a column in the output.</summary>
    public void Require(int id)
    {
        if (!_required.Add(id))
            return;
        // What was written without this column is written anew.
        _rendered = null;
        Resolve(id);
    }

    /// <summary>The next level around this one.</summary>
    public Select Wrap()
    {
        var outer = new Select(new SelectSource(this)) { Order = Order, IsNumbered = IsNumbered, IngestTime = IngestTime };
        outer.ReadsTable = ReadsTable && GroupBy is null && ArrayJoin is null && Limit is null && LimitBy is null && !HasWindow;
        return outer;
    }

    /// <summary>The relation without its order.</summary>
    public Select Unordered()
    {
        if (Limit is null)
        {
            Order = [];
            IsNumbered = false;
            return this;
        }

        var outer = Wrap();
        outer.Order = [];
        outer.IsNumbered = false;
        return outer;
    }

    /// <summary>Text of this level with its required columns.</summary>
    public string Render(bool ordered)
    {
        if (_rendered is not null)
            return _rendered;
        var columns = new List<string>();
        foreach (var id in _required)
        {
            var name = Name(id);
            var text = _definitions.TryGetValue(id, out var definition) ? definition : Resolve(id).Text;
            if (NullableOutput && Resolve(id) is { Nullable: false, Type: not (KqlType.String or KqlType.Dynamic) })
                text = $"toNullable({text})";
            columns.Add(text == name ? name : $"{text} AS {name}");
        }

        return _rendered = Assemble(columns, ordered);
    }

    /// <summary>Text of this level with given output terms.</summary>
    public string Assemble(IReadOnlyList<string> columns, bool ordered)
    {
        var order = ordered || KeepOrder || Limit is not null || LimitBy is not null ? OrderText() : "";
        var text = new StringBuilder();
        var with = _defined.Where(id => _used.Contains(id) && !_required.Contains(id)).ToList();
        for (var i = 0; i < with.Count; i++)
            text.Append(i == 0 ? "WITH " : ", ").Append(_definitions[with[i]]).Append(" AS ").Append(Name(with[i]));
        if (with.Count > 0)
            text.Append(' ');
        text.Append(IsDistinct ? "SELECT DISTINCT " : "SELECT ").Append(columns.Count == 0 ? "1 AS one" : string.Join(", ", columns));
        var source = Source.Render();
        if (source.Length > 0)
            text.Append(" FROM ").Append(source);
        if (ArrayJoin is not null)
            text.Append(' ').Append(ArrayJoin);
        if (_where.Count > 0)
            text.Append(" WHERE ").Append(string.Join(" AND ", _where.Select(w => w())));
        if (GroupBy is { Count: > 0 })
            text.Append(" GROUP BY ").Append(string.Join(", ", GroupBy));
        else if (GroupBy is not null && !columns.Any(IsAggregated))
            text.Append(" HAVING count() >= 0");
        text.Append(order);
        if (LimitBy is not null)
            text.Append(" LIMIT 1 BY ").Append(LimitBy);
        if (Limit is not null)
            text.Append(" LIMIT ").Append(Limit);
        return text.ToString();
    }

    /// <summary>Whether a term is made of an aggregate: without one, rows would not be grouped at all.</summary>
    private bool IsAggregated(string term) => _definitions.Any(d => !_plain.Contains(d.Key)
        && (term.Contains(d.Value, StringComparison.Ordinal) || Regex.IsMatch(term, $@"\b{Name(d.Key)}\b")));

    private string OrderText() => Order.Count == 0
        ? ""
        : " ORDER BY " + OrderTerms();

    /// <summary>The order as terms of an ORDER BY.</summary>
    public string OrderTerms() => string.Join(", ", Order.Select(key =>
        Resolve(key.Id).Text is var text && int.TryParse(text, out _)
            ? "tuple()"
            : $"{(Resolve(key.Id).Type == KqlType.Guid ? $"toString({text})" : text)}{(key.Descending ? " DESC" : " ASC")}{(key.NullsFirst ? " NULLS FIRST" : " NULLS LAST")}"));

    private static bool IsName(string text) => text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_') && !char.IsAsciiDigit(text[0])
        || (text.Length > 2 && text[0] == '`' && text.IndexOf('`', 1) == text.Length - 1);
}

/// <summary>A select as a subquery.</summary>
internal sealed class SelectSource(Select inner) : SqlSource
{
    public Select Inner { get; } = inner;

    public override SqlValue? Resolve(int id)
    {
        if (Inner.TryResolve(id) is not { } value)
            return null;
        if (value.IsConstant)
            return value;
        if (value.Array is { } array)
        {
            Inner.Require(array);
            return SqlJson.OfArray(Select.Name(array), value.Strings is not null) with { Array = array };
        }

        Inner.Require(id);
        return new SqlValue(Select.Name(id), value.Type, value.Nullable);
    }

    public override string Render() => "(" + Inner.Render(ordered: false) + ")";
}

/// <summary>Anything whose text and columns are known: a table, constant rows, the output of a local step.</summary>
internal sealed class TextSource(Func<IReadOnlyCollection<int>, string> render, IReadOnlyDictionary<int, SqlValue> columns) : SqlSource
{
    private readonly SortedSet<int> _resolved = [];

    public override SqlValue? Resolve(int id)
    {
        if (!columns.TryGetValue(id, out var value))
            return null;
        _resolved.Add(id);
        return value;
    }

    public override string Render() => render(_resolved);
}
