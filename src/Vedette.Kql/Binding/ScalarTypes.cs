using Vedette.Kql.Bound;

namespace Vedette.Kql.Binding;

/// <summary>Result types of operators, as tables of what the language defines.</summary>
internal static class ScalarTypes
{
    private const KqlType B = KqlType.Bool, T = KqlType.TimeSpan, D = KqlType.DateTime, Y = KqlType.Dynamic, L = KqlType.Long, R = KqlType.Real;

    /// <summary>Arithmetic between a date, a span, a dynamic and a number; two plain numbers give the wider one (int becomes long).</summary>
    private static readonly Dictionary<(KqlOperator, KqlType, KqlType), KqlType> Arithmetic = new()
    {
        [(KqlOperator.Add, T, T)] = T,
        [(KqlOperator.Add, D, T)] = D,
        [(KqlOperator.Add, T, D)] = D,
        [(KqlOperator.Add, D, D)] = D,
        [(KqlOperator.Subtract, T, T)] = T,
        [(KqlOperator.Subtract, D, D)] = T,
        [(KqlOperator.Subtract, D, T)] = D,
        [(KqlOperator.Subtract, T, D)] = D,
        [(KqlOperator.Subtract, D, Y)] = T,
        [(KqlOperator.Subtract, Y, D)] = T,
        [(KqlOperator.Multiply, T, T)] = T,
        [(KqlOperator.Divide, T, T)] = R,
        [(KqlOperator.Divide, D, D)] = R,
        [(KqlOperator.Divide, D, T)] = R,
        [(KqlOperator.Modulo, T, T)] = T,
        [(KqlOperator.Modulo, D, D)] = T,
        [(KqlOperator.Modulo, D, T)] = T,
    };

    /// <summary>Type of a binary operator's result, or null when it is not defined for these operands.</summary>
    public static KqlType? Binary(KqlOperator op, KqlType left, KqlType right)
    {
        if (left == KqlType.Unknown || right == KqlType.Unknown)
            return op <= KqlOperator.Modulo ? KqlType.Unknown : KqlType.Bool;
        return op switch
        {
            <= KqlOperator.Modulo => ArithmeticResult(op, left, right),
            KqlOperator.Equal or KqlOperator.NotEqual => KqlType.Bool,
            <= KqlOperator.GreaterOrEqual => CanCompare(left, right) ? B : null,
            KqlOperator.And or KqlOperator.Or => left is B or Y && right is B or Y ? B : null,
            KqlOperator.Has or KqlOperator.HasCs or KqlOperator.HasPrefix or KqlOperator.HasPrefixCs or KqlOperator.HasSuffix or KqlOperator.HasSuffixCs
                => IsText(left) && IsText(right) ? B : null,
            _ => IsText(left) && IsText(right) ? B : null,
        };
    }

    private static KqlType? ArithmeticResult(KqlOperator op, KqlType left, KqlType right)
    {
        if (left.IsNumeric() && right.IsNumeric())
            return Promote(KqlTypes.Widest(left, right));
        if (Arithmetic.TryGetValue((op, left, right), out var type))
            return type;
        if (left == Y && right == Y)
            return Y;
        var other = left == Y ? right : right == Y ? left : KqlType.Unknown;
        if (other != KqlType.Unknown)
        {
            var allowed = op <= KqlOperator.Subtract ? other.IsSummable() : other.IsNumeric();
            return allowed ? Promote(other) : null;
        }

        // A span or date scaled by a number stays what it is.
        if (op is KqlOperator.Multiply && left.IsNumeric() && right is T or D)
            return right;
        if (op is KqlOperator.Multiply or KqlOperator.Divide or KqlOperator.Modulo && left is T or D && right.IsNumeric())
            return left;
        return null;
    }

    private static bool CanCompare(KqlType left, KqlType right)
    {
        if (left.IsNumeric() || left == B)
            return right.IsNumeric() || right is B or Y;
        if (left == Y)
            return right == Y || right.IsNumeric();
        return left is T or D && left == right;
    }

    /// <summary>Whether a value takes part in string operators.</summary>
    public static bool IsText(KqlType type) => type is KqlType.String or KqlType.Dynamic;

    /// <summary>int becomes long.</summary>
    public static KqlType Promote(KqlType type) => type == KqlType.Int ? L : type;

    /// <summary>
    /// The type that all of <paramref name="types"/> can become, or null. Dynamic operands do not count unless all are (then the result is dynamic);
    /// types without a common one give dynamic where <paramref name="orDynamic"/> allows it.
    /// </summary>
    public static KqlType? Common(IEnumerable<KqlType> types, bool orDynamic)
    {
        var result = KqlType.Unknown;
        var sawDynamic = false;
        foreach (var type in types)
        {
            if (type == KqlType.Unknown)
                continue;
            if (type == Y)
            {
                sawDynamic = true;
                continue;
            }

            if (result == KqlType.Unknown || result == type)
                result = type;
            else if (KqlTypes.IsPromotable(result, type))
                result = type;
            else if (!KqlTypes.IsPromotable(type, result))
                return orDynamic ? Y : null;
        }

        return result == KqlType.Unknown && sawDynamic ? Y : result;
    }
}
