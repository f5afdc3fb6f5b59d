using System.Globalization;
using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>Arithmetic on numbers, datetimes and timespans (ticks), folded where both operands are known.</summary>
internal static class SqlArithmetic
{
    public static SqlValue Write(KqlOperator op, SqlValue left, SqlValue right, KqlType type)
    {
        if (Fold(op, left, right) is { } folded)
            return folded.Type == type ? folded : SqlConvert.To(folded, type);
        var (a, b) = (Operand(left, right, type), Operand(right, left, type));
        var nullable = a.Nullable || b.Nullable;
        if (type == KqlType.DateTime)
        {
            // datetime ± timespan, timespan + datetime
            var ticks = $"({TicksOf(a)} {(op == KqlOperator.Add ? "+" : "-")} {TicksOf(b)})";
            return SqlConvert.FromTicks(new SqlValue(ticks, KqlType.TimeSpan, nullable));
        }

        if (a.Type == KqlType.DateTime || b.Type == KqlType.DateTime)
            return new SqlValue($"({TicksOf(a)} - {TicksOf(b)})", KqlType.TimeSpan, nullable);
        if (type == KqlType.TimeSpan && op is KqlOperator.Multiply or KqlOperator.Divide && type == KqlType.TimeSpan)
        {
            var real = a.Type is KqlType.Real or KqlType.Decimal || b.Type is KqlType.Real or KqlType.Decimal;
            return op == KqlOperator.Multiply
                ? new SqlValue(real ? $"toInt64(round({Number(a)} * {Number(b)}))" : $"({a.Text} * {b.Text})", type, nullable)
                : new SqlValue(real ? $"toInt64({Number(a)} / {Number(b)})" : $"intDivOrNull({a.Text}, {b.Text})", type, nullable || !real);
        }

        if (op == KqlOperator.Divide && a.Type == KqlType.TimeSpan && b.Type == KqlType.TimeSpan)
            return new SqlValue($"(toFloat64({a.Text}) / {b.Text})", KqlType.Real, nullable);
        return Numbers(op, a, b, type, nullable);
    }

    private static SqlValue Numbers(KqlOperator op, SqlValue a, SqlValue b, KqlType type, bool nullable)
    {
        var integer = type is KqlType.Int or KqlType.Long or KqlType.TimeSpan;
        if (type == KqlType.Decimal)
            (a, b) = (SqlConvert.ToDecimal(a), SqlConvert.ToDecimal(b));
        else if (type == KqlType.Real)
            (a, b) = (SqlConvert.ToReal(a), SqlConvert.ToReal(b));
        nullable |= a.Nullable || b.Nullable;
        var text = op switch
        {
            KqlOperator.Add => $"({a.Text} + {b.Text})",
            KqlOperator.Subtract => $"({a.Text} - {b.Text})",
            KqlOperator.Multiply => $"({a.Text} * {b.Text})",
            KqlOperator.Divide when integer => $"intDivOrNull({a.Text}, {b.Text})",
            KqlOperator.Divide => type == KqlType.Decimal ? $"({a.Text} / nullIf({b.Text}, 0))" : $"({a.Text} / {b.Text})",
            KqlOperator.Modulo when integer => $"positiveModuloOrNull({a.Text}, {Divisor(b, b.Text)})",
            KqlOperator.Modulo => SqlLambda.Let(a.Text, b.Text, (x, y) => $"({x} - {y} * floor({x} / {y}))"),
            _ => throw new ArgumentOutOfRangeException(nameof(op)),
        };
        nullable |= (op is KqlOperator.Divide or KqlOperator.Modulo && integer) || (op is KqlOperator.Divide && type == KqlType.Decimal);
        if (type == KqlType.Int)
            text = $"toInt32({text})";
        else if (integer && op is KqlOperator.Modulo)
            text = $"toInt64({text})";
        return new SqlValue(text, type, nullable);
    }

    /// <summary>A divisor of which only the remainder is asked. The engine stumbles over the lowest number by -1.</summary>
    public static string Divisor(SqlValue value, string text) => value is { IsConstant: true, Constant: not null } && Convert.ToDecimal(value.Constant is TimeSpan span ? span.Ticks : value.Constant, CultureInfo.InvariantCulture) is not -1 and > long.MinValue
        ? text : SqlLambda.Let(text, v => $"multiIf({v} = -1, 1, {v} < -9223372036854775807, -9223372036854775807, {v})");

    private static string Number(SqlValue value) => value.Type is KqlType.Real ? value.Text : $"toFloat64({value.Text})";

    private static string TicksOf(SqlValue value) => value.Type == KqlType.DateTime ? SqlConvert.Ticks(value).Text : value.Text;

    /// <summary>A dynamic operand becomes what the other side and the result ask for.</summary>
    private static SqlValue Operand(SqlValue value, SqlValue other, KqlType type)
    {
        if (value.Type == KqlType.Bool)
            return SqlConvert.ToLong(value);
        if (value.Type is not (KqlType.Dynamic or KqlType.String))
            return value;
        var wanted = other.Type is KqlType.Dynamic or KqlType.String
            ? type is KqlType.Dynamic or KqlType.Unknown or KqlType.String ? KqlType.Real : type
            : other.Type is KqlType.DateTime && type == KqlType.DateTime ? KqlType.TimeSpan : other.Type;
        return SqlConvert.To(value, wanted);
    }

    private static SqlValue? Fold(KqlOperator op, SqlValue left, SqlValue right)
    {
        if (left is not { IsConstant: true, Constant: { } a } || right is not { IsConstant: true, Constant: { } b })
            return null;
        try
        {
            return (op, a, b) switch
            {
                (KqlOperator.Add, DateTime t, TimeSpan s) => SqlConstant.Of(t + s, KqlType.DateTime),
                (KqlOperator.Add, TimeSpan s, DateTime t) => SqlConstant.Of(t + s, KqlType.DateTime),
                (KqlOperator.Subtract, DateTime t, TimeSpan s) => SqlConstant.Of(t - s, KqlType.DateTime),
                (KqlOperator.Subtract, DateTime t, DateTime s) => SqlConstant.Of(t - s, KqlType.TimeSpan),
                (KqlOperator.Add, TimeSpan t, TimeSpan s) => SqlConstant.Of(t + s, KqlType.TimeSpan),
                (KqlOperator.Subtract, TimeSpan t, TimeSpan s) => SqlConstant.Of(t - s, KqlType.TimeSpan),
                (KqlOperator.Multiply, TimeSpan t, int or long) => SqlConstant.Of(new TimeSpan(checked(t.Ticks * Convert.ToInt64(b, CultureInfo.InvariantCulture))), KqlType.TimeSpan),
                (KqlOperator.Multiply, int or long, TimeSpan t) => SqlConstant.Of(new TimeSpan(checked(t.Ticks * Convert.ToInt64(a, CultureInfo.InvariantCulture))), KqlType.TimeSpan),
                (KqlOperator.Multiply, TimeSpan t, double d) => SqlConstant.Of(new TimeSpan((long)(t.Ticks * d)), KqlType.TimeSpan),
                (KqlOperator.Multiply, double d, TimeSpan t) => SqlConstant.Of(new TimeSpan((long)(t.Ticks * d)), KqlType.TimeSpan),
                (KqlOperator.Add, long x, long y) => SqlConstant.Of(unchecked(x + y), KqlType.Long),
                (KqlOperator.Subtract, long x, long y) => SqlConstant.Of(unchecked(x - y), KqlType.Long),
                (KqlOperator.Multiply, long x, long y) => SqlConstant.Of(unchecked(x * y), KqlType.Long),
                (KqlOperator.Add, double x, double y) => SqlConstant.Of(x + y, KqlType.Real),
                (KqlOperator.Subtract, double x, double y) => SqlConstant.Of(x - y, KqlType.Real),
                (KqlOperator.Multiply, double x, double y) => SqlConstant.Of(x * y, KqlType.Real),
                _ => null,
            };
        }
        catch (Exception e) when (e is OverflowException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }
}
