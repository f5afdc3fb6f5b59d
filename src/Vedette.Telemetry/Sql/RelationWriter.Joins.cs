using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>Joins.</summary>
internal sealed partial class RelationWriter
{
    private Select Join(JoinRelation join)
    {
        var left = Open(Write(join.Left).Unordered());
        var right = Open(Write(join.Right).Unordered());
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
