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

    // Of a join that keeps rows of its right side, both sides are what the query is about.
    private Select Join(JoinRelation join) => Join(
        join,
        Write(join.Left),
        join.Kind is JoinKind.RightOuter or JoinKind.FullOuter or JoinKind.RightSemi or JoinKind.RightAnti ? Write(join.Right) : WriteBeside(join.Right));

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
        var keys = new List<JoinKey>();
        foreach (var condition in join.Conditions)
        {
            var (a, b) = ScalarWriter.Align(_scalars.Write(condition.Left, left), _scalars.Write(condition.Right, right));
            keys.Add(new JoinKey(Key(left, a), Key(right, b), a, b, (condition.Left as BoundColumnRef)?.Column.Id, (condition.Right as BoundColumnRef)?.Column.Id));
        }

        var number = _nextJoin++;
        if (keys.Count > 0)
        {
            // One left row for each key: the engine's semi join keeps just that, seen from the right side.
            if (join.Kind is JoinKind.InnerUnique or JoinKind.RightSemi or JoinKind.RightAnti)
                return new Select(new SemiJoinSource(right, left, keys.ConvertAll(static k => k.Turned()), join.Kind == JoinKind.RightAnti, number));
            if (join.Kind is JoinKind.LeftSemi or JoinKind.LeftAnti)
                return new Select(new SemiJoinSource(left, right, keys, join.Kind == JoinKind.LeftAnti, number));
        }

        var on = keys.Count == 0 ? "1 = 1" : string.Join(" AND ", keys.Select(static k => k.Condition));
        JoinSource source = join.Kind switch
        {
            JoinKind.InnerUnique or JoinKind.Inner when keys.Count == 0 => new JoinSource("CROSS JOIN", left, right, "", false, false, number),
            JoinKind.Inner => new JoinSource("INNER JOIN", left, right, on, false, false, number),
            JoinKind.LeftOuter => new JoinSource("LEFT JOIN", left, right, on, false, true, number),
            JoinKind.RightOuter => new JoinSource("RIGHT JOIN", left, right, on, true, false, number),
            JoinKind.FullOuter => new JoinSource("FULL JOIN", left, right, on, true, true, number),
            _ => throw ScalarWriter.Unsupported($"The join kind {join.Kind} is not supported"),
        };
        return new Select(source);
    }

    /// <summary>A join key as an output column of its side.</summary>
    private int Key(Select side, SqlValue value)
    {
        var id = NewHidden();
        side.DefineAlways(id, value);
        side.Require(id);
        return id;
    }
}
