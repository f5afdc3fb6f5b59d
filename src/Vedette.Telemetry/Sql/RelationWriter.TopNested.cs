using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>top-nested.</summary>
internal sealed partial class RelationWriter
{
    /// <summary>
    /// Each level groups the rows of the groups that were kept so far one key deeper and keeps the best. Where a level has others, the rows that no kept
    /// group holds make one row more, which carries the others of deeper levels, or nothing where they have none.
    /// </summary>
    /// <param name="node">The operator.</param>
    /// <param name="input">Writes its rows: once a level, and once more for each level with others.</param>
    /// <param name="groups">Columns that part the rows further: each group has its own best.</param>
    /// <param name="carried">Columns with one value in each of these groups, which stay.</param>
    private Select TopNested(TopNestedRelation node, Func<Select> input, IReadOnlyList<int> groups, IReadOnlyList<KqlColumn> carried)
    {
        var flags = node.Levels.Select(l => l.Others is null ? 0 : NewHidden()).ToList();
        var others = new List<Select>();
        Select? above = null;
        for (var depth = 0; depth < node.Levels.Count; depth++)
        {
            var kept = Best(node, depth, input, groups, carried, above);
            if (flags[depth] != 0)
            {
                others.Add(Others(node, depth, input, groups, carried, above, kept.Wrap(), flags));
                kept.Define(flags[depth], SqlConstant.Of(0L, KqlType.Long));
            }

            above = kept.Wrap();
        }

        var result = above!;
        if (others.Count > 0)
        {
            var columns = groups.Concat(carried.Select(c => c.Id)).Distinct().Where(id => result.TryResolve(id) is not null).Select(id => new KqlColumn(id, "", result.Resolve(id).Type))
                .Concat(flags.Where(f => f != 0).Select(f => new KqlColumn(f, "", KqlType.Long))).Concat(node.Columns).ToList();
            result = new Select(new UnionSource([.. others.Prepend(result).Select(rows => (rows, (IReadOnlyList<KqlColumn?>)columns, (SqlValue?)null))], null, columns));
        }

        result.Order = [.. node.Levels.SelectMany((l, i) => (SqlOrder[])
        [
            .. flags[i] != 0 ? [new SqlOrder(flags[i], false, false)] : Array.Empty<SqlOrder>(),
            new SqlOrder(l.Order.Column.Id, l.Descending, false),
            .. i < node.Levels.Count - 1 ? [new SqlOrder(l.Key.Column.Id, false, false)] : Array.Empty<SqlOrder>(),
        ])];
        return result;
    }

    /// <summary>The groups of one level that are kept, with the columns of the levels above.</summary>
    private Select Best(TopNestedRelation node, int depth, Func<Select> input, IReadOnlyList<int> groups, IReadOnlyList<KqlColumn> carried, Select? above)
    {
        var level = node.Levels[depth];
        var rows = Prepare(Open(input().Unordered()), level.Aggregates.SelectMany(a => a.Arguments).Concat(node.Levels.Take(depth + 1).Select(l => l.Key.Value)));
        var keys = Keys(node, depth + 1, rows, groups, keepsGroups: depth == 0);
        var arguments = level.Aggregates.Select(a => a.Arguments.Select(x => Argument(rows, x)).ToList()).ToList();
        var group = Group(rows, keys, level.Aggregates, arguments, ordered: false, depth == 0 ? [.. carried.Where(c => rows.TryResolve(c.Id) is not null)] : null).Wrap();
        group.Define(level.Order.Column.Id, Typed(_scalars.Write(level.Order.Value, group), level.Order.Column.Type));
        if (above is not null)
            group = new Select(new JoinSource("INNER JOIN", above, group, Matches(node, depth, groups, above, keys, group), false, false, _nextJoin++));
        var own = keys[^1].Column;
        if (level.Count is { } count)
        {
            var ranked = group.Wrap();
            var rank = NewHidden();
            var parents = groups.Concat(node.Levels.Take(depth).Select(l => l.Key.Column.Id)).Select(p => ranked.Resolve(p)).Where(v => !v.IsConstant).Select(v => v.Text).ToList();
            // Equals are told apart by the key, so that the same are kept however often the rows are read.
            ranked.DefineAlways(rank, new SqlValue(
                $"row_number() OVER ({(parents.Count > 0 ? "PARTITION BY " + string.Join(", ", parents) + " " : "")}ORDER BY {ranked.Resolve(level.Order.Column.Id).Text}{(level.Descending ? " DESC" : "")}, {ranked.Resolve(own.Id).Text})",
                KqlType.Long, false));
            ranked.HasWindow = true;
            group = ranked.Wrap();
            group.Where($"{group.Resolve(rank).Text} <= {SqlConvert.ToLong(_scalars.Write(count, group)).Text}");
        }

        group.Define(level.Key.Column.Id, group.Resolve(own.Id));
        return group;
    }

    /// <summary>One row for all that a level did not keep, in each group of the level above.</summary>
    private Select Others(
        TopNestedRelation node, int depth, Func<Select> input, IReadOnlyList<int> groups, IReadOnlyList<KqlColumn> carried, Select? above, Select kept, List<int> flags)
    {
        var levels = node.Levels.Where((l, i) => i >= depth && l.Others is not null).ToList();
        var rows = Prepare(Open(input().Unordered()), levels.SelectMany(l => l.Aggregates).SelectMany(a => a.Arguments).Concat(node.Levels.Take(depth + 1).Select(l => l.Key.Value)));
        var all = Keys(node, depth + 1, rows, groups, keepsGroups: depth == 0);
        var arguments = levels.SelectMany(l => l.Aggregates).Select(a => a.Arguments.Select(x => Argument(rows, x)).ToList()).ToList();
        var rest = rows.Wrap();
        if (above?.Wrap() is { } parents)
            rest = new Select(new SemiJoinSource(rest, parents, Pairs(node, depth, groups, rest, all, parents), anti: false, _nextJoin++)).Wrap();
        rest = new Select(new SemiJoinSource(rest, kept, Pairs(node, depth + 1, groups, rest, all, kept), anti: true, _nextJoin++));
        var keys = all[..^1];
        if (keys.Count == 0)
            keys.Add((new KqlColumn(NewHidden(), "", KqlType.Long), Hide(rest, SqlConstant.Of(1L, KqlType.Long))));
        var group = Group(rest, keys, [.. levels.SelectMany(l => l.Aggregates)], arguments, ordered: false, depth == 0 ? [.. carried.Where(c => rest.TryResolve(c.Id) is not null)] : null).Wrap();
        if (above?.Wrap() is { } outer)
            group = new Select(new JoinSource("INNER JOIN", outer, group, Matches(node, depth, groups, outer, keys, group), false, false, _nextJoin++));
        for (var i = depth; i < node.Levels.Count; i++)
        {
            var level = node.Levels[i];
            group.Define(level.Key.Column.Id, level.Others is { } name ? Typed(_scalars.Write(name, group), level.Key.Column.Type) : SqlConstant.Null(level.Key.Column.Type));
            group.Define(level.Order.Column.Id, level.Others is null ? SqlConstant.Null(level.Order.Column.Type) : Typed(_scalars.Write(level.Order.Value, group), level.Order.Column.Type));
            if (flags[i] != 0)
                group.Define(flags[i], SqlConstant.Of(1L, KqlType.Long));
        }

        return group.Wrap();
    }

    /// <summary>The columns that rows are grouped by: those from outside, and the keys of the first levels.</summary>
    private List<(KqlColumn Column, int Inner)> Keys(TopNestedRelation node, int levels, Select rows, IReadOnlyList<int> groups, bool keepsGroups)
    {
        var keys = groups.Select(g => (new KqlColumn(keepsGroups ? g : NewHidden(), "", rows.Resolve(g).Type), g)).ToList();
        foreach (var key in node.Levels.Take(levels).Select(l => l.Key))
            keys.Add((new KqlColumn(NewHidden(), "", key.Column.Type), Hide(rows, Typed(_scalars.Write(key.Value, rows), key.Column.Type).WithoutArray())));
        return keys;
    }

    /// <summary>That a group one key deeper belongs to a group above, as a join's condition.</summary>
    private string Matches(TopNestedRelation node, int depth, IReadOnlyList<int> groups, Select above, List<(KqlColumn Column, int Inner)> keys, Select group)
    {
        var terms = groups.Concat(node.Levels.Take(depth).Select(l => l.Key.Column.Id)).Select((id, i) =>
        {
            var (a, b) = (above.Resolve(id), group.Resolve(keys[i].Column.Id));
            return new JoinKey(Key(above, a), Key(group, b), a, b, null).Condition;
        }).ToList();
        return terms.Count == 0 ? "1 = 1" : string.Join(" AND ", terms);
    }

    /// <summary>That a row belongs to a group of the first levels.</summary>
    private List<JoinKey> Pairs(TopNestedRelation node, int levels, IReadOnlyList<int> groups, Select rows, List<(KqlColumn Column, int Inner)> keys, Select kept) =>
        [.. groups.Concat(node.Levels.Take(levels).Select(l => l.Key.Column.Id)).Select((id, i) =>
        {
            var (row, group) = (rows.Resolve(keys[i].Inner), kept.Resolve(id));
            return new JoinKey(Key(rows, row), Key(kept, group), row, group, null);
        })];
}
