using System.Text;
using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>Operators: arithmetic, comparison, logic, sets.</summary>
internal sealed partial class ScalarWriter
{
    private SqlValue Binary(BoundBinary node, Select scope)
    {
        var left = Emit(node.Left, scope);
        var right = Emit(node.Right, scope);
        switch (node.Operator)
        {
            case KqlOperator.And or KqlOperator.Or:
            {
                var (a, b) = (SqlConvert.ToBool(left), SqlConvert.ToBool(right));
                var word = node.Operator == KqlOperator.And ? "AND" : "OR";
                return new SqlValue($"({a.Text} {word} {b.Text})", KqlType.Bool, a.Nullable || b.Nullable);
            }

            case KqlOperator.Equal:
                return Equality(left, right, bare: false);
            case KqlOperator.NotEqual:
                return Inequality(left, right);
            case KqlOperator.Less:
                return Order("<", left, right);
            case KqlOperator.LessOrEqual:
                return Order("<=", left, right);
            case KqlOperator.Greater:
                return Order(">", left, right);
            case KqlOperator.GreaterOrEqual:
                return Order(">=", left, right);
            case KqlOperator.Add or KqlOperator.Subtract or KqlOperator.Multiply or KqlOperator.Divide or KqlOperator.Modulo:
                return SqlArithmetic.Write(node.Operator, left, right, node.Type);
            default:
            {
                var match = TermSearch.Write(node.Operator, SqlConvert.ToText(left), SqlConvert.ToText(right), useIndex: !_readsAll);
                return new SqlValue(node.Negated ? $"NOT ({match})" : match, KqlType.Bool, false);
            }
        }
    }

    private static SqlValue Negate(SqlValue value)
    {
        if (value is { IsConstant: true, Constant: not null })
        {
            return value.Constant switch
            {
                int i => SqlConstant.Of(-i, value.Type),
                long i => SqlConstant.Of(unchecked(-i), value.Type),
                double d => SqlConstant.Of(-d, value.Type),
                decimal d => SqlConstant.Of(-d, value.Type),
                TimeSpan t => SqlConstant.Of(-t, value.Type),
                _ => new SqlValue($"negate({value.Text})", value.Type, value.Nullable),
            };
        }

        var number = value.Type == KqlType.Dynamic ? SqlConvert.ToReal(value) : value;
        return new SqlValue($"negate({number.Text})", number.Type, number.Nullable);
    }

    /// <summary>Brings two operands to one type, as comparison does.</summary>
    internal static (SqlValue Left, SqlValue Right) Align(SqlValue left, SqlValue right)
    {
        if (left.Type == right.Type)
            return (left, right);
        if (left.Type == KqlType.Dynamic)
            return (SqlConvert.To(left, right.Type is KqlType.Int ? KqlType.Long : right.Type), right);
        if (right.Type == KqlType.Dynamic)
            return (left, SqlConvert.To(right, left.Type is KqlType.Int ? KqlType.Long : left.Type));
        if (SqlTypes.IsNumber(left.Type) && SqlTypes.IsNumber(right.Type))
        {
            if (left.Type == KqlType.Real || right.Type == KqlType.Real)
                return (SqlConvert.ToReal(left), SqlConvert.ToReal(right));
            return (left, right);
        }

        if (left.Type == KqlType.String)
            return (SqlConvert.To(left, right.Type), right);
        if (right.Type == KqlType.String)
            return (left, SqlConvert.To(right, left.Type));
        return (left, SqlConvert.To(right, left.Type));
    }

    private static SqlValue Equality(SqlValue left, SqlValue right, bool bare)
    {
        var (a, b) = Align(left, right);
        var equal = $"({a.Text} = {b.Text})";
        if (bare || (!a.Nullable && !b.Nullable))
            return new SqlValue(equal, KqlType.Bool, bare && (a.Nullable || b.Nullable));
        if (a.Nullable && b.Nullable)
            return new SqlValue(SqlLambda.Let(a.Text, b.Text, (x, y) => $"if(isNull({x}) AND isNull({y}), NULL, ifNull({x} = {y}, false))"), KqlType.Bool, true);
        return new SqlValue($"ifNull{equal[..^1]}, false)", KqlType.Bool, false);
    }

    private static SqlValue Inequality(SqlValue left, SqlValue right)
    {
        var (a, b) = Align(left, right);
        var different = $"({a.Text} != {b.Text})";
        if (!a.Nullable && !b.Nullable)
            return new SqlValue(different, KqlType.Bool, false);
        if (a.Nullable && b.Nullable)
            return new SqlValue(SqlLambda.Let(a.Text, b.Text, (x, y) => $"if(isNull({x}) AND isNull({y}), NULL, ifNull({x} != {y}, true))"), KqlType.Bool, true);
        return new SqlValue($"ifNull{different[..^1]}, true)", KqlType.Bool, false);
    }

    private static SqlValue Order(string op, SqlValue left, SqlValue right)
    {
        var (a, b) = Align(left, right);
        if (a.Type == KqlType.Dynamic && b.Type == KqlType.Dynamic)
            (a, b) = (SqlConvert.ToReal(a), SqlConvert.ToReal(b));
        return new SqlValue($"({a.Text} {op} {b.Text})", KqlType.Bool, a.Nullable || b.Nullable);
    }

    private SqlValue Between(BoundBetween node, Select scope)
    {
        var value = Emit(node.Value, scope);
        var low = Order(">=", value, Emit(node.Low, scope));
        var high = Order("<=", value, Emit(node.High, scope));
        var text = $"({low.Text} AND {high.Text})";
        return new SqlValue(node.Negated ? $"NOT {text}" : text, KqlType.Bool, low.Nullable || high.Nullable);
    }

    private SqlValue In(BoundIn node, Select scope)
    {
        var value = Emit(node.Value, scope);
        string text;
        if (node.Subquery is { } subquery)
            text = InSubquery(node.Operator, value, subquery);
        else
        {
            var items = node.Items!.Select(i => Emit(i, scope)).ToList();
            text = InItems(node.Operator, value, items);

            // Two nulls are neither equal nor different.
            if (value.Nullable && items.Exists(i => i is { IsConstant: true, Constant: null } && i.Type != KqlType.Dynamic))
                return new SqlValue($"if(isNull({value.Text}), NULL, {(node.Negated ? $"NOT ({text})" : text)})", KqlType.Bool, true);
        }

        return new SqlValue(node.Negated ? $"NOT ({text})" : text, KqlType.Bool, false);
    }

    private string InSubquery(KqlSetOperator op, SqlValue value, BoundRelation subquery)
    {
        switch (op)
        {
            case KqlSetOperator.In:
            {
                var left = value.Type == KqlType.Dynamic ? SqlConvert.ToText(value) : value;
                return Nullsafe(left, $"{left.Text} IN ({relations.ValuesSubquery(subquery, left.Type, null)})");
            }

            case KqlSetOperator.InIgnoreCase:
            {
                var left = SqlConvert.ToText(value);
                return $"lowerUTF8({left.Text}) IN ({relations.ValuesSubquery(subquery, KqlType.String, "lowerUTF8")})";
            }

            default:
            {
                var needles = $"({relations.ArraySubquery(subquery)})";
                var quantifier = op == KqlSetOperator.HasAny ? "arrayExists" : "arrayAll";
                var text = SqlConvert.ToText(value).Text;
                return SqlLambda.Let(text, h => $"{quantifier}(n -> {TermSearch.Variable(h, "n")}, {needles})");
            }
        }
    }

    private static string Nullsafe(SqlValue value, string text) => value.Nullable ? $"ifNull({text}, false)" : $"({text})";

    private static string InItems(KqlSetOperator op, SqlValue value, IReadOnlyList<SqlValue> items)
    {
        var flat = new List<SqlValue>();
        var arrays = new List<SqlValue>();
        foreach (var item in items)
        {
            if (item.Type != KqlType.Dynamic)
                flat.Add(item);
            else if (item.IsConstant && SqlJson.ConstantStrings(item) is { } elements)
                flat.AddRange(elements.Select(SqlConstant.String));
            else
                arrays.Add(item);
        }

        var text = op switch
        {
            KqlSetOperator.In => InFlat(value, flat),
            KqlSetOperator.InIgnoreCase => InIgnoringCase(SqlConvert.ToText(value), flat),
            _ => HasItems(op, SqlConvert.ToText(value).Text, flat),
        };
        if (arrays.Count == 0)
            return text;
        var subject = SqlConvert.ToText(value).Text;
        var parts = arrays.Select(array =>
        {
            // A dynamic that is not an array is one alternative.
            var elements = SqlLambda.Let(SqlConvert.ToDynamic(array).Text, d =>
                $"if(startsWith({d}, '['), arrayMap(e -> JSONExtract(e, 'String'), JSONExtractArrayRaw({d})), [JSONExtract({d}, 'String')])");
            return op switch
            {
                KqlSetOperator.In => $"has({elements}, {subject})",
                KqlSetOperator.InIgnoreCase => $"has(arrayMap(i -> lowerUTF8(i), {elements}), lowerUTF8({subject}))",
                KqlSetOperator.HasAny => $"arrayExists(n -> {TermSearch.Variable(subject, "n")}, {elements})",
                _ => $"arrayAll(n -> {TermSearch.Variable(subject, "n")}, {elements})",
            };
        }).ToList();
        if (flat.Count > 0)
            parts.Insert(0, text);
        return "(" + string.Join(op == KqlSetOperator.HasAll ? " AND " : " OR ", parts) + ")";
    }

    private static string InFlat(SqlValue value, List<SqlValue> items)
    {
        if (items.Count == 0)
            return "false";
        var type = value.Type;
        if (type == KqlType.Dynamic)
        {
            type = items[0].Type;
            value = SqlConvert.To(value, type);
        }

        var same = new List<SqlValue>();
        var others = new List<SqlValue>();
        foreach (var item in items)
        {
            var compatible = item.Type == type || (SqlTypes.IsInteger(type) && SqlTypes.IsInteger(item.Type));
            var aligned = compatible ? item : Align(value, item).Right is { } a && a.Type == type ? a : item;
            (aligned.IsConstant && (aligned.Type == type || compatible) ? same : others).Add(aligned);
        }

        var parts = new List<string>();
        var literals = same.Where(i => i.Constant is not null).Select(i => i.Text).Distinct().ToList();
        if (literals.Count == 1)
            parts.Add(Nullsafe(value, $"{value.Text} = {literals[0]}"));
        else if (literals.Count > 1)
            parts.Add(Nullsafe(value, $"{value.Text} IN ({string.Join(", ", literals)})"));
        parts.AddRange(others.Select(o => Equality(value, o, bare: false)).Select(e => e.Nullable ? $"ifNull({e.Text}, false)" : e.Text));
        return parts.Count switch
        {
            0 => "false",
            1 => parts[0],
            _ => "(" + string.Join(" OR ", parts) + ")",
        };
    }

    private static string InIgnoringCase(SqlValue value, List<SqlValue> items)
    {
        if (items.Count == 0)
            return "false";
        var texts = items.Select(SqlConvert.ToText).ToList();
        if (texts.All(t => t.IsConstant))
        {
            var constants = texts.Select(t => (string)t.Constant!).ToList();
            var lower = constants.All(c => Ascii.IsValid(c)) ? "lower" : "lowerUTF8";
            return $"({lower}({value.Text}) IN ({string.Join(", ", constants.Select(c => SqlText.Quote(c.ToLowerInvariant())).Distinct())}))";
        }

        return "(" + string.Join(" OR ", texts.Select(t => $"lowerUTF8({value.Text}) = lowerUTF8({t.Text})")) + ")";
    }

    private static string HasItems(KqlSetOperator op, string subject, List<SqlValue> items)
    {
        if (items.Count == 0)
            return op == KqlSetOperator.HasAny ? "false" : "true";
        var texts = items.Select(SqlConvert.ToText).ToList();
        return texts.All(t => t.IsConstant)
            ? TermSearch.Set(subject, texts.Select(t => (string)t.Constant!).ToList(), any: op == KqlSetOperator.HasAny)
            : "(" + string.Join(op == KqlSetOperator.HasAny ? " OR " : " AND ", texts.Select(t => TermSearch.Write(KqlOperator.Has, new SqlValue(subject, KqlType.String, false), t))) + ")";
    }
}
