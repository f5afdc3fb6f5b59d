using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>
/// Conditions on a property of JSON text cannot hold where there is no text. Most rows have none in the columns that carry what is special to few events,
/// so that a look whether the text is empty saves most of the parsing.
/// </summary>
internal static class JsonFilter
{
    private static readonly HashSet<string> Conversions = new(StringComparer.Ordinal)
    {
        "tostring", "toint", "tolong", "toreal", "todouble", "todecimal", "tobool", "todatetime", "totimespan", "toguid", "tolower", "toupper",
    };

    /// <summary>The property that a condition compares such that it is false for a missing one; null when the condition is of another kind.</summary>
    public static BoundScalar? Property(BoundScalar condition)
    {
        switch (condition)
        {
            case BoundBinary { Negated: false, Operator: not (KqlOperator.NotEqual or KqlOperator.And or KqlOperator.Or) } binary when IsComparison(binary.Operator):
                return IsPresent(binary.Right) ? Path(binary.Left) : IsPresent(binary.Left) ? Path(binary.Right) : null;
            case BoundIn { Negated: false, Operator: not KqlSetOperator.HasAll, Items: { Count: > 0 } items } set when items.All(IsPresent):
                return Path(set.Value);
            case BoundBetween { Negated: false } between when IsPresent(between.Low) && IsPresent(between.High):
                return Path(between.Value);
            case BoundCall { Function.Name: "isnotempty" or "isnotnull", Arguments: [var argument] }:
                return Path(argument);
            default:
                return null;
        }
    }

    private static bool IsComparison(KqlOperator op) => op is KqlOperator.Equal or KqlOperator.Less or KqlOperator.LessOrEqual or KqlOperator.Greater or KqlOperator.GreaterOrEqual
        || (op >= KqlOperator.EqualIgnoreCase && op != KqlOperator.MatchesRegex);

    private static bool IsPresent(BoundScalar scalar) => scalar is BoundLiteral { Value: not (null or "") };

    private static BoundScalar? Path(BoundScalar scalar) => scalar switch
    {
        BoundMember or BoundIndex => scalar,
        BoundConvert convert => Path(convert.Operand),
        BoundCall { Arguments: [var argument] } call when Conversions.Contains(call.Function.Name) => Path(argument),
        _ => null,
    };
}
