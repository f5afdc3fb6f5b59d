using Vedette.Kql.Bound;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>join and lookup.</summary>
internal sealed partial class Binder
{
    private static readonly Dictionary<string, JoinKind> JoinKinds = new(StringComparer.OrdinalIgnoreCase)
    {
        ["inner"] = JoinKind.Inner,
        ["innerunique"] = JoinKind.InnerUnique,
        ["leftouter"] = JoinKind.LeftOuter,
        ["rightouter"] = JoinKind.RightOuter,
        ["fullouter"] = JoinKind.FullOuter,
        ["leftanti"] = JoinKind.LeftAnti,
        ["anti"] = JoinKind.LeftAnti,
        ["leftantisemi"] = JoinKind.LeftAnti,
        ["rightanti"] = JoinKind.RightAnti,
        ["rightantisemi"] = JoinKind.RightAnti,
        ["leftsemi"] = JoinKind.LeftSemi,
        ["rightsemi"] = JoinKind.RightSemi,
    };

    private TableValue BindJoin(JoinOperator op, TableValue left)
    {
        var isLookup = op.Name == "lookup";
        var right = BindTable(op.Right);
        _operator = op.Name;
        var kind = BindJoinKind(op, isLookup);
        _row = new Row(left) { Right = right };
        var conditions = new List<JoinCondition>();
        foreach (var condition in op.Conditions)
            BindJoinCondition(condition, left, right, conditions);
        if (op.Where is { } where)
            BindJoinCondition(where, left, right, conditions);
        if (!op.HasOn && op.Where is null)
            Error("KS006", "Missing join on condition clause", op.Span);
        IReadOnlyList<KqlColumn> columns = kind switch
        {
            JoinKind.LeftAnti or JoinKind.LeftSemi => left.Columns,
            JoinKind.RightAnti or JoinKind.RightSemi => right.Columns,
            _ => JoinColumns(left, right, isLookup ? conditions : []),
        };
        var late = left.Late ?? right.Late;
        return new TableValue(new JoinRelation(kind, left.Node, right.Node, conditions, isLookup, columns), late);
    }

    private JoinKind BindJoinKind(JoinOperator op, bool isLookup)
    {
        var kind = isLookup ? JoinKind.LeftOuter : JoinKind.InnerUnique;
        if (op.Parameter("kind") is not { } parameter)
            return kind;
        if (parameter.Word is { } word && JoinKinds.TryGetValue(word, out var parsed) && (!isLookup || parsed is JoinKind.Inner or JoinKind.LeftOuter))
            return parsed;
        var allowed = isLookup
            ? "inner, leftouter"
            : "inner, fullouter, innerunique, leftanti, leftantisemi, anti, leftouter, leftsemi, rightanti, rightantisemi, rightouter, rightsemi";
        Error("KS005", $"Expected one of: {allowed}", parameter.Value.Span, Hints.Nearest(parameter.Word ?? "", JoinKinds.Keys));
        return kind;
    }

    private static IReadOnlyList<KqlColumn> JoinColumns(TableValue left, TableValue right, List<JoinCondition> droppedKeys)
    {
        var dropped = droppedKeys.Select(c => c.Right is BoundColumnRef r ? r.Column.Id : 0).ToHashSet();
        var builder = new ColumnBuilder(left.Columns.Count + right.Columns.Count);
        foreach (var column in right.Columns)
            builder.Reserve(column.Name);
        foreach (var column in left.Columns)
            builder.Add(column);
        foreach (var column in right.Columns)
        {
            if (!dropped.Contains(column.Id))
                builder.Add(column);
        }

        return builder.Columns;
    }

    private void BindJoinCondition(Expr e, TableValue left, TableValue right, List<JoinCondition> conditions)
    {
        switch (e)
        {
            case ParenExpr p:
                BindJoinCondition(p.Inner, left, right, conditions);
                return;
            case BinaryExpr { Operator: KqlOperator.And } and:
                BindJoinCondition(and.Left, left, right, conditions);
                BindJoinCondition(and.Right, left, right, conditions);
                return;
            case NameExpr name:
                BindCommonKey(name, left, right, conditions);
                return;
            case MissingExpr:
                return;
            case BinaryExpr { Operator: KqlOperator.Equal } equal:
                BindKeyPair(equal, left, right, conditions);
                return;
            case LiteralExpr { Value: true }:
                return;
            default:
                Error("KS182", Of("The join condition must be either the name of a column common to both tables or an equality of the form: $left.X == $right.Y."), e.Span);
                return;
        }
    }

    private void BindCommonKey(NameExpr name, TableValue left, TableValue right, List<JoinCondition> conditions)
    {
        var a = left.Find(name.Name);
        var b = right.Find(name.Name);
        if (a is null && b is null)
        {
            UnknownName(name.Name, name.Span);
            return;
        }

        if (a is null || b is null)
        {
            var side = a is null ? "left" : "right";
            Error(
                "KS145",
                Of($"Failed to resolve column named '{name.Name}': it must exist on both sides of the join, and is missing on the {side}."),
                name.Span,
                Hints.Nearest(name.Name, (a is null ? left : right).Columns.Select(c => c.Name)));
            return;
        }

        AddKey(new BoundColumnRef(a, name.Span), new BoundColumnRef(b, name.Span), name.Span, conditions);
    }

    private void BindKeyPair(BinaryExpr equal, TableValue left, TableValue right, List<JoinCondition> conditions)
    {
        if (equal.Left is MemberExpr { Target: NameExpr { Name: not ("$left" or "$right") } unknown } && left.Find(unknown.Name) is null && right.Find(unknown.Name) is null)
        {
            Error("KS183", Of("The join condition operand must be: $left.<column>"), equal.Left.Span, Hints.Nearest(unknown.Name, ["$left"]));
            return;
        }

        var a = BindScalar(equal.Left);
        var b = BindScalar(equal.Right);
        if (a.Type == KqlType.Unknown || b.Type == KqlType.Unknown)
            return;
        var aSide = Side(a, left, right);
        var bSide = Side(b, left, right);
        if (aSide == 2 && bSide == 1)
            (a, b) = (b, a);
        else if (aSide != 1 || equal.Left is NameExpr)
            Error("KS183", Of("The join condition operand must be: $left.<column>"), equal.Left.Span);
        else if (bSide != 2 || equal.Right is NameExpr)
            Error("KS183", Of("The join condition operand must be: $right.<column>"), equal.Right.Span);
        AddKey(a, b, equal.Span, conditions);
    }

    /// <summary>1 for a column of the left side, 2 for one of the right, 0 for anything else.</summary>
    private static int Side(BoundScalar value, TableValue left, TableValue right)
    {
        if (value is not BoundColumnRef { Column: var column })
            return 0;
        // Late columns belong to the side that made them.
        if (left.Columns.Any(c => c.Id == column.Id) || left.Late?.Columns.Contains(column) == true)
            return 1;
        return right.Columns.Any(c => c.Id == column.Id) || right.Late?.Columns.Contains(column) == true ? 2 : 0;
    }

    private void AddKey(BoundScalar a, BoundScalar b, TextSpan span, List<JoinCondition> conditions)
    {
        if (a.Type == KqlType.Unknown || b.Type == KqlType.Unknown)
            return;
        var comparable = a.Type == b.Type || (a.Type.IsNumeric() && b.Type.IsNumeric()) || a.Type == KqlType.Dynamic || b.Type == KqlType.Dynamic;
        if (!comparable)
            Error("KS242", Of($"Inconsistent data types for join keys: ({a.Type.Name()}, {b.Type.Name()})"), span);
        else
            conditions.Add(new JoinCondition(a, b));
    }
}
