using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Local.Functions;

namespace Vedette.Telemetry.Local;

/// <summary>Which expressions <see cref="LocalEvaluator"/> computes exactly as the engine does.</summary>
internal static class LocalSupport
{
    /// <summary>Whether all of an expression is computed here.</summary>
    /// <param name="scalar">The expression.</param>
    /// <param name="isLeaf">Whether the step gives a part's value.</param>
    /// <param name="inside">The expression that such a part holds and that is computed for it; null when it holds none.</param>
    public static bool IsExact(BoundScalar scalar, Func<BoundScalar, bool> isLeaf, Func<BoundScalar, BoundScalar?>? inside) => isLeaf(scalar)
        ? inside?.Invoke(scalar) is not { } inner || IsExact(inner, isLeaf, inside)
        : IsExact(scalar) && Sql.BoundTree.Children(scalar).All(c => IsExact(c, isLeaf, inside));

    private static bool IsExact(BoundScalar scalar) => scalar switch
    {
        BoundLiteral or BoundColumnRef or BoundScanState or BoundGraphElement => true,
        BoundNegate negate => negate.Operand.Type is KqlType.Long or KqlType.Real or KqlType.TimeSpan,
        BoundConvert convert => Converts(convert.Operand.Type, convert.Type),
        BoundBetween between => Compares(between.Value.Type, between.Low.Type) && Compares(between.Value.Type, between.High.Type),
        BoundIn { Items: { } items } set => items.All(i => set.Operator == KqlSetOperator.In ? Compares(set.Value.Type, i.Type) : set.Value.Type == KqlType.String && i.Type == KqlType.String),
        BoundBinary binary => IsExact(binary),
        BoundMember member => member.Value.Type == KqlType.Dynamic,
        BoundIndex index => index.Value.Type == KqlType.Dynamic && index.Index.Type is KqlType.Long or KqlType.Int,
        BoundCall call => IsExact(call),
        _ => false,
    };

    private static bool IsExact(BoundCall call) => call.Function.Name switch
    {
        "iff" or "case" => call.Arguments.All(a => a.Type == KqlType.Bool || Converts(a.Type, call.Type)),
        "now" or "ago" => true,
        var name => RowFunctions.IsExact(call) || (RowFunctions.Find(name) is null && LocalFunctionTable.Find(name) is not null),
    };

    private static bool IsExact(BoundBinary binary)
    {
        var (left, right) = (binary.Left.Type, binary.Right.Type);
        return binary.Operator switch
        {
            KqlOperator.And or KqlOperator.Or => left == KqlType.Bool && right == KqlType.Bool,
            KqlOperator.Equal or KqlOperator.NotEqual => Compares(left, right) || (left is KqlType.String or KqlType.Dynamic && right == KqlType.String),
            KqlOperator.Less or KqlOperator.LessOrEqual or KqlOperator.Greater or KqlOperator.GreaterOrEqual => Compares(left, right) && left != KqlType.Guid,
            KqlOperator.Add or KqlOperator.Subtract => (binary.Type is KqlType.Long or KqlType.Real && Number(left) && Number(right))
                || (left is KqlType.DateTime or KqlType.TimeSpan && right is KqlType.DateTime or KqlType.TimeSpan),
            KqlOperator.Multiply => binary.Type is KqlType.Long or KqlType.Real && Number(left) && Number(right),
            KqlOperator.Divide or KqlOperator.Modulo => binary.Type == KqlType.Long && left == KqlType.Long && right == KqlType.Long,
            KqlOperator.MatchesRegex or KqlOperator.Like or KqlOperator.LikeCs => false,
            _ => left is KqlType.String && right == KqlType.String,
        };
    }

    private static bool Number(KqlType type) => type is KqlType.Int or KqlType.Long or KqlType.Real;

    private static bool Compares(KqlType left, KqlType right) => (Number(left) && Number(right))
        || (left == right && left is KqlType.String or KqlType.Bool or KqlType.DateTime or KqlType.TimeSpan or KqlType.Guid);

    /// <summary>Whether a conversion is the same here.</summary>
    public static bool Converts(KqlType from, KqlType to) => from == to || to switch
    {
        KqlType.Long => from == KqlType.Int,
        KqlType.Real => from is KqlType.Int or KqlType.Long,
        KqlType.String => from is KqlType.Int or KqlType.Long or KqlType.Guid,
        _ => false,
    };
}
