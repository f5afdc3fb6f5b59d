using System.Globalization;
using System.Text;
using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>Two relations joined. The sides never share ids, so that columns need no qualifier.</summary>
internal sealed class JoinSource(string words, Select left, Select right, string condition, bool leftNulls, bool rightNulls, int number) : SqlSource
{
    public override SqlValue? Resolve(int id) => Side(left, id, leftNulls) ?? Side(right, id, rightNulls);

    public override string Render()
    {
        left.NullableOutput = leftNulls;
        right.NullableOutput = rightNulls;
        var on = condition.Length == 0 ? "" : " ON " + condition;
        return $"({left.Render(ordered: false)}) AS l{number} {words} ({right.Render(ordered: false)}) AS r{number}{on}";
    }

    private static SqlValue? Side(Select side, int id, bool nulls)
    {
        if (side.TryResolve(id) is not { } value)
            return null;
        if (value.IsConstant && !nulls)
            return value;
        side.Require(id);
        return new SqlValue(Select.Name(id), value.Type, (nulls && value.Type is not (KqlType.String or KqlType.Dynamic)) || value.Nullable);
    }
}

/// <summary>A condition of a join: two columns, one of each side, that have to be equal.</summary>
/// <param name="Left">Hidden id of the left side's column.</param>
/// <param name="Right">Hidden id of the right side's column.</param>
/// <param name="LeftValue">The left value.</param>
/// <param name="RightValue">The right value, of the same type.</param>
/// <param name="LeftColumn">Id that the left value is known by above, when it is a mere column.</param>
/// <param name="RightColumn">Id that the right value is known by above, when it is a mere column.</param>
internal sealed record JoinKey(int Left, int Right, SqlValue LeftValue, SqlValue RightValue, int? LeftColumn, int? RightColumn = null)
{
    public string Condition => $"{Select.Name(Left)} {(LeftValue.Nullable && RightValue.Nullable ? "<=>" : "=")} {Select.Name(Right)}";

    /// <summary>Whether either side may lack the value, so that set membership would not do.</summary>
    public bool MayBeNull => LeftValue.Nullable || RightValue.Nullable;

    public JoinKey Turned() => new(Right, Left, RightValue, LeftValue, RightColumn, LeftColumn);
}

/// <summary>
/// Rows that have a partner on the other side, or have none. When nothing but the keys is asked of the other side it is a set, which the engine fills
/// and looks up faster than a join's table, and which narrows what is read.
/// </summary>
internal sealed class SemiJoinSource(Select rows, Select others, IReadOnlyList<JoinKey> keys, bool anti, int number) : SqlSource
{
    private bool _joins = keys.Any(static k => k.MayBeNull);

    public override SqlValue? Resolve(int id)
    {
        if (Side(rows, id) is { } own)
            return own;

        // The other side's key is the same string as this side's.
        if (!anti && keys.FirstOrDefault(k => k.RightColumn == id) is { LeftValue: { Type: KqlType.String, Nullable: false }, RightValue.Type: KqlType.String } key)
            return new SqlValue(Select.Name(key.Left), KqlType.String, false);
        if (Side(others, id) is not { } other)
            return null;
        _joins |= !other.IsConstant;
        return other;
    }

    public override string Render()
    {
        if (_joins)
            return $"({rows.Render(ordered: false)}) AS l{number} LEFT {(anti ? "ANTI" : "SEMI")} JOIN ({others.Render(ordered: false)}) AS r{number} ON "
                + string.Join(" AND ", keys.Select(static k => k.Condition));

        // The set's columns stand in the order in which a select writes them.
        var ordered = keys.OrderBy(static k => k.Right).Select(static k => Select.Name(k.Left)).ToList();
        var key = ordered.Count == 1 ? ordered[0] : $"({string.Join(", ", ordered)})";
        return $"(SELECT * FROM ({rows.Render(ordered: false)}) WHERE {key} {(anti ? "NOT IN" : "IN")} ({others.Render(ordered: false)}))";
    }

    private static SqlValue? Side(Select side, int id)
    {
        if (side.TryResolve(id) is not { } value)
            return null;
        if (value.IsConstant)
            return value;
        side.Require(id);
        return new SqlValue(Select.Name(id), value.Type, value.Nullable);
    }
}

/// <summary>Several relations one after another.</summary>
internal sealed class UnionSource(IReadOnlyList<(Select Input, IReadOnlyList<KqlColumn?> Map, SqlValue? Source)> inputs, KqlColumn? sourceColumn, IReadOnlyList<KqlColumn> columns)
    : SqlSource
{
    private readonly SortedSet<int> _required = [];
    private readonly Dictionary<int, int> _positions = columns.Select((c, i) => (c, i)).ToDictionary(p => p.c.Id, p => p.i);

    public override SqlValue? Resolve(int id)
    {
        if (!_positions.TryGetValue(id, out var position))
            return null;
        if (!Enumerable.Range(0, inputs.Count).Any(i => Has(i, position)))
            return SqlConstant.Null(columns[position].Type);
        _required.Add(position);
        var nullable = false;
        for (var i = 0; i < inputs.Count; i++)
            nullable |= Cell(i, position).Nullable;
        return new SqlValue(Select.Name(id), columns[position].Type, nullable);
    }

    /// <summary>Cells (inputs times columns) from which on columns that few inputs have travel in a map: the engine's cost grows with the square.</summary>
    private const int ManyCells = 3000;

    public override string Render()
    {
        var sparse = inputs.Count * _required.Count <= ManyCells
            ? []
            : _required.Where(p => Enumerable.Range(0, inputs.Count).Count(i => Has(i, p)) <= Math.Max(2, inputs.Count / 2)).ToHashSet();
        var text = new StringBuilder("(");
        if (sparse.Count > 0)
        {
            text.Append("SELECT ").AppendJoin(", ", _required.Select(p => sparse.Contains(p)
                ? $"{FromMap(Select.Name(columns[p].Id), columns[p].Type)} AS {Select.Name(columns[p].Id)}"
                : Select.Name(columns[p].Id))).Append(" FROM (");
        }

        for (var i = 0; i < inputs.Count; i++)
        {
            if (i > 0)
                text.Append(" UNION ALL ");
            var terms = _required.Where(p => !sparse.Contains(p)).Select(position =>
            {
                var (value, name) = (Cell(i, position).Text, Select.Name(columns[position].Id));
                return value == name ? name : $"{value} AS {name}";
            }).ToList();
            if (sparse.Count > 0)
            {
                var own = sparse.Where(p => Has(i, p)).ToList();
                terms.Add(own.Count == 0
                    ? "map()::Map(String, String) AS sparse"
                    : $"map({string.Join(", ", own.Select(p => $"'{Select.Name(columns[p].Id)}', {ToMap(Cell(i, p))}"))})::Map(String, String) AS sparse");
            }

            var part = inputs[i].Input.Assemble(terms, ordered: false);
            text.Append(inputs[i].Input.Limit is null ? part : $"SELECT * FROM ({part})");
        }

        return text.Append(sparse.Count > 0 ? "))" : ")").ToString();
    }

    private bool Has(int input, int position) =>
        sourceColumn is null ? inputs[input].Map[position] is not null : position == 0 || inputs[input].Map[position - 1] is not null;

    private static string ToMap(SqlValue value) => value.Type is KqlType.String or KqlType.Dynamic ? value.Text
        : value.Nullable ? $"ifNull(toString({value.Text}), '')" : $"toString({value.Text})";

    private static string FromMap(string name, KqlType type) => type switch
    {
        KqlType.String or KqlType.Dynamic => $"sparse['{name}']",
        KqlType.DateTime => $"toDateTime64OrNull(sparse['{name}'], 7, 'UTC')",
        KqlType.Bool => $"transform(sparse['{name}'], ['true', '1', 'false', '0'], [toNullable(true), true, false, false], NULL)",
        KqlType.Guid => $"toUUIDOrNull(sparse['{name}'])",
        KqlType.Decimal => $"toDecimal256OrNull(sparse['{name}'], 17)",
        _ => $"to{SqlTypes.Physical(type)}OrNull(sparse['{name}'])",
    };

    private SqlValue Cell(int input, int position)
    {
        if (sourceColumn is not null)
        {
            if (position == 0)
                return inputs[input].Source!;
            position--;
        }

        var column = columns[sourceColumn is null ? position : position + 1];
        return inputs[input].Map[position] is { } from ? SqlConvert.To(inputs[input].Input.Resolve(from.Id), column.Type) : SqlConstant.Null(column.Type);
    }
}

/// <summary>A plan whose columns are known above by other ids, or by their own when there is no map: a common table expression, or a subquery when it has no name.</summary>
internal sealed class SharedSource(string? name, Select plan, IReadOnlyDictionary<int, int>? columns) : SqlSource
{
    public override SqlValue? Resolve(int id)
    {
        var inner = id;
        if ((columns is not null && !columns.TryGetValue(id, out inner)) || plan.TryResolve(inner) is not { } value)
            return null;
        if (value.IsConstant && name is null)
            return value;
        plan.Require(inner);
        return new SqlValue(Select.Name(inner), value.Type, value.Nullable);
    }

    public override string Render() => name ?? "(" + plan.Render(ordered: false) + ")";
}

/// <summary>Constant rows as SQL.</summary>
internal static class ConstantRows
{
    /// <summary>A table expression with columns c1, c2 … holding the given values, in order.</summary>
    public static string Write(IReadOnlyList<(string Name, KqlType Type)> columns, IEnumerable<IReadOnlyList<object?>> rows)
    {
        var data = new StringBuilder();
        foreach (var row in rows)
        {
            data.Append('[');
            AppendCells(data, columns, row, first: true);
            data.Append("]\n");
        }

        if (columns.Count == 0)
            return $"(SELECT 1 AS one FROM numbers({data.Length / 3}))";
        var structure = string.Join(", ", columns.Select(c => $"{c.Name} {TypeOf(c.Type)}"));
        return data.Length == 0
            ? "(SELECT " + string.Join(", ", columns.Select(c => $"{SqlConstant.Null(c.Type).Text} AS {c.Name}")) + " WHERE 0)"
            : $"format(JSONCompactEachRow, {SqlText.Quote(structure)}, {SqlText.Quote(data.ToString())})";
    }

    /// <summary>Writes the cells of a row, parted by commas.</summary>
    /// <param name="data">Where to.</param>
    /// <param name="columns">The columns.</param>
    /// <param name="row">A value for each.</param>
    /// <param name="first">Whether no cell stands in front of them.</param>
    public static void AppendCells(StringBuilder data, IReadOnlyList<(string Name, KqlType Type)> columns, IReadOnlyList<object?> row, bool first)
    {
        for (var i = 0; i < columns.Count; i++)
        {
            if (i > 0 || !first)
                data.Append(',');
            data.Append(Cell(row[i], columns[i].Type));
        }
    }

    /// <summary>The engine's type of a column of such rows.</summary>
    public static string TypeOf(KqlType type) => type == KqlType.Decimal ? "Nullable(Decimal(76, 17))" : SqlTypes.Column(type);

    private static string Cell(object? value, KqlType type) => value switch
    {
        null => type is KqlType.String or KqlType.Dynamic ? "\"\"" : "null",
        bool b => b ? "true" : "false",
        int or long => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        double d when double.IsNaN(d) => "\"nan\"",
        double d when double.IsInfinity(d) => d > 0 ? "\"inf\"" : "\"-inf\"",
        double d => d.ToString("R", CultureInfo.InvariantCulture),
        decimal d => "\"" + d.ToString(CultureInfo.InvariantCulture) + "\"",
        DateTime t => "\"" + t.ToString("yyyy-MM-dd HH:mm:ss.fffffff", CultureInfo.InvariantCulture) + "\"",
        TimeSpan t => t.Ticks.ToString(CultureInfo.InvariantCulture),
        Guid g => "\"" + g.ToString("D") + "\"",
        string s => System.Text.Json.JsonSerializer.Serialize(type == KqlType.Dynamic && s == "null" ? "" : s),
        _ => throw new ArgumentException($"A cell cannot hold a {value.GetType().Name}."),
    };
}
