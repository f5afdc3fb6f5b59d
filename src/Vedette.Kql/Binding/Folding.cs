using System.Globalization;
using Vedette.Kql.Bound;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>Constant folding of literals. Anything that could overflow or whose result is not certain is left to run time (null).</summary>
internal static class Folding
{
    /// <summary>The negative of a literal, or null.</summary>
    public static BoundLiteral? Negate(BoundLiteral literal, TextSpan span) => literal.Value switch
    {
        long l and not long.MinValue => new BoundLiteral(KqlType.Long, -l, span),
        int i and not int.MinValue => new BoundLiteral(KqlType.Int, -i, span),
        double d => new BoundLiteral(KqlType.Real, -d, span),
        decimal m => new BoundLiteral(KqlType.Decimal, -m, span),
        TimeSpan t when t != TimeSpan.MinValue => new BoundLiteral(KqlType.TimeSpan, -t, span),
        _ => null,
    };

    /// <summary>Arithmetic on two literals, or null.</summary>
    public static BoundLiteral? Binary(KqlOperator op, BoundLiteral left, BoundLiteral right, KqlType type, TextSpan span)
    {
        object? value;
        try
        {
            value = (left.Value, right.Value, op) switch
            {
                (TimeSpan a, TimeSpan b, KqlOperator.Add) => a + b,
                (TimeSpan a, TimeSpan b, KqlOperator.Subtract) => a - b,
                (DateTime a, TimeSpan b, KqlOperator.Add) => a + b,
                (DateTime a, TimeSpan b, KqlOperator.Subtract) => a - b,
                (DateTime a, DateTime b, KqlOperator.Subtract) => a - b,
                (TimeSpan a, long b, KqlOperator.Multiply) => new TimeSpan(checked(a.Ticks * b)),
                (long a, TimeSpan b, KqlOperator.Multiply) => new TimeSpan(checked(a * b.Ticks)),
                (long a, long b, KqlOperator.Add) => checked(a + b),
                (long a, long b, KqlOperator.Subtract) => checked(a - b),
                (long a, long b, KqlOperator.Multiply) => checked(a * b),
                (double a, double b, KqlOperator.Add) => a + b,
                (double a, double b, KqlOperator.Subtract) => a - b,
                (double a, double b, KqlOperator.Multiply) => a * b,
                _ => null,
            };
        }
        catch (Exception e) when (e is OverflowException or ArgumentOutOfRangeException)
        {
            return null;
        }

        return value is null ? null : new BoundLiteral(type, value, span);
    }

    /// <summary>A literal converted to another type, where that is plain; null otherwise.</summary>
    public static BoundLiteral? Convert(BoundLiteral literal, KqlType type)
    {
        var span = literal.Span;
        if (literal.Value is null && literal.Type != KqlType.String)
            return new BoundLiteral(type, type == KqlType.String ? "" : null, span);
        object? value = (type, literal.Value) switch
        {
            (KqlType.Long, int i) => (long)i,
            (KqlType.Long, bool b) => b ? 1L : 0L,
            (KqlType.Int, long l and >= int.MinValue and <= int.MaxValue) => (int)l,
            (KqlType.Int, bool b) => b ? 1 : 0,
            (KqlType.Real, long l) => (double)l,
            (KqlType.Real, int i) => (double)i,
            (KqlType.Decimal, long l) => (decimal)l,
            (KqlType.Decimal, int i) => (decimal)i,
            (KqlType.Bool, long l) => l != 0,
            (KqlType.Bool, int i) => i != 0,
            (KqlType.String, bool b) => b ? "true" : "false",
            (KqlType.String, long or int or decimal or Guid) => System.Convert.ToString(literal.Value, CultureInfo.InvariantCulture),
            (KqlType.String, DateTime t) => LiteralText.Format(t),
            (KqlType.String, TimeSpan t) => LiteralText.Format(t),
            (KqlType.DateTime, string s) when literal.Type == KqlType.String && LiteralText.TryDateTime(s, out var t) => t,
            (KqlType.TimeSpan, string s) when literal.Type == KqlType.String && LiteralText.TryTimeSpan(s, out var t) => t,
            (KqlType.Guid, string s) when literal.Type == KqlType.String && Guid.TryParse(s, out var g) => g,
            (KqlType.Dynamic, long or int) => System.Convert.ToString(literal.Value, CultureInfo.InvariantCulture),
            (KqlType.Dynamic, bool b) => b ? "true" : "false",
            (KqlType.Dynamic, double d) => LiteralText.JsonReal(d),
            (KqlType.Dynamic, string s) when literal.Type == KqlType.String => Json(s),
            _ => null,
        };
        return value is null ? null : new BoundLiteral(type, value, span);
    }

    private static string Json(string text) =>
        KqlJson.Quote(text);
}
