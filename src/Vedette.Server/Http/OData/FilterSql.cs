using Microsoft.OData;
using Microsoft.OData.Edm;
using Microsoft.OData.UriParser;
using NpgsqlTypes;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Http.OData;

/// <summary>
/// Translates OData expressions into SQL with parameters, from the property table alone. OData's null rules hold: a comparison with null is
/// false except <c>eq null</c> and <c>ne</c>.
/// </summary>
internal sealed class FilterSql(EntityTable table, SqlText sql)
{
    private static readonly Dictionary<string, string> DateParts = new(StringComparer.OrdinalIgnoreCase)
    {
        ["year"] = "YEAR", ["month"] = "MONTH", ["day"] = "DAY", ["hour"] = "HOUR", ["minute"] = "MINUTE",
    };

    private readonly Dictionary<string, string> _variables = new(StringComparer.Ordinal);

    /// <summary>SQL for an expression.</summary>
    /// <exception cref="ODataException">The expression uses something that has no meaning here; the text names it.</exception>
    public string Translate(QueryNode node) => node switch
    {
        ConvertNode convert => Translate(convert.Source),
        ConstantNode constant => Constant(constant.Value, null),
        SingleValuePropertyAccessNode property => Property(property.Property.Name).Sql,
        NonResourceRangeVariableReferenceNode variable => _variables[variable.Name],
        UnaryOperatorNode unary => Unary(unary),
        BinaryOperatorNode binary => Binary(binary),
        InNode contained => In(contained),
        AnyNode any => Lambda(any, "EXISTS (SELECT 1 FROM unnest({0}) AS {1}(v) WHERE {2})"),
        AllNode all => Lambda(all, "NOT EXISTS (SELECT 1 FROM unnest({0}) AS {1}(v) WHERE NOT coalesce({2}, false))"),
        CountNode { Source: CollectionPropertyAccessNode collection } => $"cardinality({Property(collection.Property.Name).Sql})",
        SingleValueFunctionCallNode function => Function(function),
        _ => throw new ODataException($"The query node kind '{node.Kind}' is not supported."),
    };

    /// <summary>SQL for one key of an order.</summary>
    public string Order(SingleValueNode node, bool descending)
    {
        var property = PropertyOf(node);
        var text = $"{property?.OrderSql ?? Translate(node)}{(descending ? " DESC" : "")}";
        return property is { NotNull: true } ? text : text + (descending ? " NULLS LAST" : " NULLS FIRST");
    }

    private EntityProperty Property(string name) =>
        table.Find(name) ?? throw new ODataException($"Could not find a property named '{name}' on type '{table.Namespace}.{table.Name}'.");

    private string Unary(UnaryOperatorNode unary) => unary.OperatorKind == UnaryOperatorKind.Not
        ? $"(NOT coalesce({Translate(unary.Operand)}, false))"
        : $"(-{Translate(unary.Operand)})";

    private string Binary(BinaryOperatorNode binary)
    {
        switch (binary.OperatorKind)
        {
            case BinaryOperatorKind.And: return $"({Translate(binary.Left)} AND {Translate(binary.Right)})";
            case BinaryOperatorKind.Or: return $"({Translate(binary.Left)} OR {Translate(binary.Right)})";
        }

        var property = PropertyOf(binary.Left) ?? PropertyOf(binary.Right);
        var left = Operand(binary.Left, property);
        var right = Operand(binary.Right, property);
        return binary.OperatorKind switch
        {
            BinaryOperatorKind.Equal when right is null => $"({left ?? "NULL"} IS NULL)",
            BinaryOperatorKind.Equal when left is null => $"({right} IS NULL)",
            BinaryOperatorKind.NotEqual when right is null => $"({left ?? "NULL"} IS NOT NULL)",
            BinaryOperatorKind.NotEqual when left is null => $"({right} IS NOT NULL)",
            _ when left is null || right is null => "(false)",
            BinaryOperatorKind.Equal => $"({left} = {right})",
            BinaryOperatorKind.NotEqual when property is { NotNull: true } => $"({left} <> {right})",
            BinaryOperatorKind.NotEqual => $"({left} IS DISTINCT FROM {right})",
            >= BinaryOperatorKind.GreaterThan and <= BinaryOperatorKind.LessThanOrEqual when property?.Values is { } values =>
                $"({Rank(left, values)} {Sign(binary.OperatorKind)} {Rank(right, values)})",
            BinaryOperatorKind.GreaterThan => $"({left} > {right})",
            BinaryOperatorKind.GreaterThanOrEqual => $"({left} >= {right})",
            BinaryOperatorKind.LessThan => $"({left} < {right})",
            BinaryOperatorKind.LessThanOrEqual => $"({left} <= {right})",
            BinaryOperatorKind.Add => $"({left} + {right})",
            BinaryOperatorKind.Subtract => $"({left} - {right})",
            BinaryOperatorKind.Multiply => $"({left} * {right})",
            BinaryOperatorKind.Divide => $"({left} / nullif({right}, 0))",
            BinaryOperatorKind.Modulo => $"({left} % nullif({right}, 0))",
            _ => throw new ODataException($"The binary operator '{binary.OperatorKind}' is not supported."),
        };
    }

    // Enumerations compare by rank, not by name.
    private static string Rank(string sql, IReadOnlyList<string> values) => $"array_position(ARRAY['{string.Join("','", values)}'], {sql})";

    private static string Sign(BinaryOperatorKind kind) => kind switch
    {
        BinaryOperatorKind.GreaterThan => ">",
        BinaryOperatorKind.GreaterThanOrEqual => ">=",
        BinaryOperatorKind.LessThan => "<",
        _ => "<=",
    };

    // Null stands for the literal null.
    private string? Operand(QueryNode node, EntityProperty? against) => Unwrap(node) switch
    {
        ConstantNode { Value: null } => null,
        ConstantNode constant => Constant(constant.Value, against),
        var other => Translate(other),
    };

    private EntityProperty? PropertyOf(QueryNode node) =>
        Unwrap(node) is SingleValuePropertyAccessNode property ? Property(property.Property.Name) : null;

    private static QueryNode Unwrap(QueryNode node)
    {
        while (node is ConvertNode convert) node = convert.Source;
        return node;
    }

    private string In(InNode node)
    {
        var property = PropertyOf(node.Left);
        if (node.Right is not CollectionConstantNode list) throw new ODataException("The right operand of 'in' must be a list of constants.");
        if (list.Collection.Count == 0) return "(false)";
        var left = Translate(node.Left);
        var items = list.Collection.Where(item => item.Value is not null).Select(item => Constant(item.Value, property));
        var text = $"{left} IN ({string.Join(", ", items.DefaultIfEmpty("NULL"))})";
        return list.Collection.Any(item => item.Value is null) ? $"({text} OR {left} IS NULL)" : $"({text})";
    }

    private string Lambda(LambdaNode node, string form)
    {
        if (node.Source is not CollectionPropertyAccessNode collection) throw new ODataException("Only collections of the entity can be searched.");
        var source = Property(collection.Property.Name).Sql;
        var alias = $"x{_variables.Count}";
        if (node.CurrentRangeVariable is { } variable) _variables[variable.Name] = alias + ".v";
        return string.Format(System.Globalization.CultureInfo.InvariantCulture, form, source, alias, node.Body is null ? "true" : Translate(node.Body));
    }

    private string Function(SingleValueFunctionCallNode function)
    {
        var arguments = function.Parameters.ToArray();
        string Argument(int i) => Translate(arguments[i]);
        return function.Name.ToLowerInvariant() switch
        {
            "contains" => $"(position({Argument(1)} in {Argument(0)}) > 0)",
            "startswith" => $"starts_with({Argument(0)}, {Argument(1)})",
            "endswith" => EndsWith(Argument(0), Argument(1)),
            "indexof" => $"(position({Argument(1)} in {Argument(0)}) - 1)",
            "length" => $"length({Argument(0)})",
            "tolower" => $"lower({Argument(0)})",
            "toupper" => $"upper({Argument(0)})",
            "trim" => $"btrim({Argument(0)})",
            "concat" => $"({Argument(0)} || {Argument(1)})",
            "substring" when arguments.Length == 2 => $"substr({Argument(0)}, {Argument(1)} + 1)",
            "substring" => $"substr({Argument(0)}, {Argument(1)} + 1, {Argument(2)})",
            "now" => "now()",
            "date" => $"(date_trunc('day', {Argument(0)}, 'UTC'))",
            "second" => $"(floor(extract(SECOND FROM {Argument(0)} AT TIME ZONE 'UTC'))::int)",
            var name when DateParts.TryGetValue(name, out var part) => $"(extract({part} FROM {Argument(0)} AT TIME ZONE 'UTC')::int)",
            _ => throw new ODataException($"The function '{function.Name}' is not supported."),
        };
    }

    private static string EndsWith(string text, string end) => $"(right({text}, length({end})) = {end})";

    private string Constant(object? value, EntityProperty? against) => value switch
    {
        null => "NULL",
        string text => sql.Parameter(EnumText(text, against), NpgsqlDbType.Text),
        bool flag => flag ? "true" : "false",
        int number => sql.Parameter((long)number, NpgsqlDbType.Bigint),
        long number => sql.Parameter(number, NpgsqlDbType.Bigint),
        short or byte or sbyte => sql.Parameter(Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture), NpgsqlDbType.Bigint),
        double or float or decimal => sql.Parameter(Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture), NpgsqlDbType.Double),
        Guid id when against is { Kind: ValueKind.String } => sql.Parameter(id.ToString(), NpgsqlDbType.Text),
        Guid id => sql.Parameter(id, NpgsqlDbType.Uuid),
        DateTimeOffset time => sql.Parameter(time.UtcDateTime, NpgsqlDbType.TimestampTz),
        Date date => sql.Parameter(DateTime.SpecifyKind((DateTime)date, DateTimeKind.Utc), NpgsqlDbType.TimestampTz),
        _ => throw new ODataException($"A literal of type '{value.GetType().Name}' is not supported."),
    };

    // Enumeration members are read without regard to case and must exist.
    private static string EnumText(string text, EntityProperty? property)
    {
        if (property?.Values is not { } values) return text;
        return values.FirstOrDefault(v => v.Equals(text, StringComparison.OrdinalIgnoreCase))
            ?? throw new ODataException($"The string '{text}' is not a valid enumeration type constant.");
    }
}
