using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>Joins.</summary>
internal sealed partial class RelationWriter
{
    /// <summary>
    /// Conditions over an innerunique join that look at the left side only hold before one row of each key is chosen, as in the language: the row that is
    /// chosen is one that the condition keeps. Null when there are none.
    /// </summary>
    private static BoundRelation? IntoUniqueJoin(FilterRelation filter)
    {
        var input = filter.Input is FilterRelation inner ? IntoUniqueJoin(inner) ?? inner.Input : filter.Input;
        if (input is not JoinRelation { Kind: JoinKind.InnerUnique, Conditions.Count: > 0 } join || (filter.Input is FilterRelation && input == ((FilterRelation)filter.Input).Input))
            return null;
        var ids = join.Left.Columns.Select(c => c.Id).ToHashSet();
        var conditions = ScalarWriter.Conjuncts(filter.Predicate).ToLookup(c => OnlyColumns(c, ids));
        if (!conditions[true].Any())
            return null;
        var left = conditions[true].Aggregate(join.Left, (rows, condition) => new FilterRelation(rows, condition));
        BoundRelation result = new JoinRelation(join.Kind, left, join.Right, join.Conditions, join.IsLookup, join.Columns);
        return conditions[false].Aggregate(result, (rows, condition) => new FilterRelation(rows, condition));
    }

    private static bool OnlyColumns(BoundScalar scalar, HashSet<int> ids) => scalar switch
    {
        BoundColumnRef reference => ids.Contains(reference.Column.Id),
        BoundCall { Function.IsWindow: true } or BoundIn { Subquery: not null } or BoundScalarSubquery => false,
        _ => BoundTree.Children(scalar).All(child => OnlyColumns(child, ids)),
    };

    private Select Join(JoinRelation join) => Join(join, Write(join.Left), Write(join.Right));

    private Select Join(JoinRelation join, Select leftRows, Select rightRows)
    {
        var left = Open(leftRows.Unordered());
        var right = Open(rightRows.Unordered());
        left = Prepare(left, join.Conditions.Select(c => c.Left));
        right = Prepare(right, join.Conditions.Select(c => c.Right));
        if (left.HasWindow)
            left = left.Wrap();
        if (right.HasWindow)
            right = right.Wrap();
        var terms = new List<string>();
        foreach (var condition in join.Conditions)
        {
            var (a, b) = ScalarWriter.Align(_scalars.Write(condition.Left, left), _scalars.Write(condition.Right, right));
            var (x, y) = (Key(left, a), Key(right, b));
            terms.Add($"{x} {(a.Nullable && b.Nullable ? "<=>" : "=")} {y}");
        }

        var on = string.Join(" AND ", terms);
        var cross = terms.Count == 0;
        var number = _nextJoin++;
        JoinSource source = join.Kind switch
        {
            // One left row for each key: the engine's semi join keeps just that, seen from the right side.
            JoinKind.InnerUnique when !cross => new JoinSource("LEFT SEMI JOIN", right, left, on, false, false, number),
            JoinKind.InnerUnique or JoinKind.Inner => new JoinSource(cross ? "CROSS JOIN" : "INNER JOIN", left, right, on, false, false, number),
            JoinKind.LeftOuter => new JoinSource("LEFT JOIN", left, right, cross ? "1 = 1" : on, false, true, number),
            JoinKind.RightOuter => new JoinSource("RIGHT JOIN", left, right, cross ? "1 = 1" : on, true, false, number),
            JoinKind.FullOuter => new JoinSource("FULL JOIN", left, right, cross ? "1 = 1" : on, true, true, number),
            JoinKind.LeftSemi => new JoinSource("LEFT SEMI JOIN", left, right, on, false, false, number),
            JoinKind.LeftAnti => new JoinSource("LEFT ANTI JOIN", left, right, on, false, false, number),
            JoinKind.RightSemi => new JoinSource("LEFT SEMI JOIN", right, left, on, false, false, number),
            JoinKind.RightAnti => new JoinSource("LEFT ANTI JOIN", right, left, on, false, false, number),
            _ => throw ScalarWriter.Unsupported($"The join kind {join.Kind} is not supported"),
        };
        return new Select(source);
    }

    /// <summary>A join key as an output column of its side.</summary>
    private string Key(Select side, SqlValue value)
    {
        var id = NewHidden();
        side.DefineAlways(id, value);
        side.Require(id);
        return Select.Name(id);
    }
}
