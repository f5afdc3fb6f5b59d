using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Sql.Aggregates;

namespace Vedette.Telemetry.Sql;

/// <summary>Grouping.</summary>
internal sealed partial class RelationWriter
{
    private Select Summarize(SummarizeRelation written)
    {
        var node = ByHours(written);
        var input = Open(Write(node.Input));
        if (!node.Aggregates.Any(a => AggregateTable.DependsOnOrder(a.Function.Name)))
            input = input.Unordered();
        var inner = Prepare(Open(input), node.Keys.Select(k => k.Value).Concat(node.Aggregates.SelectMany(a => a.Arguments)));
        if (inner.HasWindow)
            inner = inner.Wrap();
        var keys = new List<(KqlColumn Column, int Inner)>();
        foreach (var key in node.Keys)
        {
            var value = Typed(_scalars.Write(key.Value, inner), key.Column.Type);
            keys.Add((key.Column, Hide(inner, value.WithoutArray())));

            // Few different values: the engine finds them faster than it groups rows.
            if (node is { Keys.Count: 1, Aggregates.Count: 0 } && value.IsDictionary)
                return Distinct(inner, keys[0]);
        }

        var arguments = node.Aggregates.Select(a => a.Arguments.Select(x => Argument(inner, x)).ToList()).ToList();
        return node.Aggregates.Any(a => LocalAggregation.Find(a.Function.Name) is not null)
            ? GroupLocally(inner, keys, node.Aggregates, arguments)
            : FetchWinners(inner, keys, node.Aggregates, arguments) ?? Group(inner, keys, node.Aggregates, arguments, ordered: true);
    }

    private static Select Distinct(Select inner, (KqlColumn Column, int Inner) key)
    {
        var distinct = inner.Wrap();
        distinct.Order = [];
        distinct.IsNumbered = false;
        distinct.IngestTime = null;
        distinct.ReadsTable = false;
        distinct.Define(key.Column.Id, distinct.Resolve(key.Inner));
        distinct.Require(key.Column.Id);
        distinct.IsDistinct = true;
        return distinct.Wrap();
    }

    /// <summary>Groups when some aggregates are finished in this process.</summary>
    private Select GroupLocally(Select inner, List<(KqlColumn Column, int Inner)> keys, IReadOnlyList<AggregateItem> aggregates, List<List<int>> arguments)
    {
        var items = aggregates.ToList();
        for (var i = 0; i < items.Count; i++)
        {
            if (LocalAggregation.Find(items[i].Function.Name) is not { } local)
                continue;
            if (local.Before is { } before)
            {
                var argument = new KqlColumn(arguments[i][0], "", inner.Resolve(arguments[i][0]).Type);
                inner = LocalColumn(inner, items[i].Function.Name, before, [argument], new KqlColumn(NewHidden(), "", KqlType.Dynamic), out var id);
                arguments[i] = [id];
            }

            items[i] = items[i] with { Outputs = [new KqlColumn(NewHidden(), "", KqlType.Dynamic)] };
        }

        var result = Group(inner, keys, items, arguments, ordered: true);
        for (var i = 0; i < items.Count; i++)
        {
            if (LocalAggregation.Find(items[i].Function.Name) is { } local)
                result = LocalColumn(Open(result), items[i].Function.Name, local.After, items[i].Outputs, aggregates[i].Outputs[0], out _);
        }

        return result;
    }

    /// <summary>Returned columns from which on it pays to find the winning rows first and to fetch their columns after.</summary>
    private const int ManyColumns = 4;

    /// <summary>
    /// arg_max(t, *) over a table: reading all columns of all rows to keep one row a group is many times slower than finding the extremum by reading
    /// keys and t only, and then reading the rows that have it. Null when the query is not of that kind.
    /// </summary>
    private Select? FetchWinners(Select inner, IReadOnlyList<(KqlColumn Column, int Inner)> keys, IReadOnlyList<AggregateItem> aggregates, IReadOnlyList<List<int>> arguments)
    {
        if (!inner.ReadsTable || keys.Count == 0 || aggregates is not [{ Function.Name: "arg_max" or "arg_min" } item] || item.Outputs.Count <= ManyColumns)
            return null;
        var (winners, outer) = (inner.Wrap(), inner.Wrap());
        var groups = keys.Select(k => outer.Resolve(k.Inner)).ToList();
        var by = outer.Resolve(arguments[0][0]);
        if (by.IsConstant || by.Nullable || by.Type == KqlType.Dynamic || groups.Any(g => g.IsConstant || g.Nullable))
            return null;
        winners.Order = [];
        outer.Order = [];
        outer.IsNumbered = false;
        outer.IngestTime = null;
        winners.GroupBy = [.. keys.Select(k => winners.Resolve(k.Inner).Text)];
        var extreme = $"{(item.Function.Name == "arg_max" ? "max" : "min")}({winners.Resolve(arguments[0][0]).Text}) AS {Select.Name(NewHidden())}";
        var row = string.Join(", ", groups.Select(g => g.Text).Append(by.Text));
        outer.WhereLater(() => $"({row}) IN ({winners.Assemble([.. winners.GroupBy, extreme], ordered: false)})");
        outer.LimitBy = string.Join(", ", groups.Select(g => g.Text));
        var map = keys.ToDictionary(k => k.Column.Id, k => k.Inner);
        for (var i = 0; i < item.Outputs.Count; i++)
            map[item.Outputs[i].Id] = arguments[0][i];
        return new Select(new SharedSource(null, outer, map));
    }

    /// <summary>An aggregate's argument as a column of the level below.</summary>
    private int Argument(Select inner, BoundScalar scalar) => Hide(inner, _scalars.Write(scalar, inner));

    /// <summary>Whether a value may differ from row to row.</summary>
    public static bool IsOfRow(BoundScalar scalar) => scalar is BoundColumnRef || BoundTree.Children(scalar).Any(IsOfRow);

    /// <summary>Groups a select by columns of it.</summary>
    private Select Group(Select inner, IReadOnlyList<(KqlColumn Column, int Inner)> keys, IReadOnlyList<AggregateItem> aggregates, IReadOnlyList<List<int>> arguments, bool ordered, IReadOnlyList<KqlColumn>? carried = null)
    {
        var needsOrder = ordered && inner.Order.Count > 0 && aggregates.Any(a => AggregateTable.DependsOnOrder(a.Function.Name));
        inner.KeepOrder = needsOrder;
        // A table's rows are grouped where they are read: each level more takes the engine a while to plan.
        var group = inner.IsPlain && !needsOrder ? inner : inner.Wrap();
        group.Order = [];
        group.IsNumbered = false;
        group.IngestTime = null;
        group.ReadsTable = false;
        var terms = new List<string>();
        foreach (var (column, id) in keys)
        {
            var value = group.Resolve(id);
            group.Define(column.Id, value);
            if (!value.IsConstant)
                terms.Add(value.Text);
        }

        // One value for the whole group, under another name so that no aggregate sees it; the tuple keeps nulls.
        var held = new List<(int Id, int Hidden)>();
        foreach (var column in carried ?? [])
        {
            var value = group.Resolve(column.Id);
            if (value.IsConstant)
                continue;
            var hidden = NewHidden();
            group.DefineAlways(hidden, value with { Text = $"any(tuple({value.Text})).1" });
            held.Add((column.Id, hidden));
        }

        // A constant key is still a key: no rows, no group.
        group.GroupBy = terms;
        if (keys.Count > 0 && terms.Count == 0)
            group.GroupBy = ["tuple()"];
        var tuples = new List<(AggregateItem Item, int Tuple, IReadOnlyList<SqlValue> Elements)>();
        for (var i = 0; i < aggregates.Count; i++)
        {
            var item = aggregates[i];
            var values = arguments[i].Select(group.Resolve).ToList();
            if (item.Function.Name is "arg_max" or "arg_min" || item.Outputs.Count > 1)
            {
                tuples.Add(Winners(group, item, values, keys.Count == 0));
                continue;
            }

            if (AggregateTable.ConstantFrom(item.Function.Name) is { } first && item.Arguments.Skip(first).FirstOrDefault(IsOfRow) is { } varying)
                throw ScalarWriter.Unsupported($"{item.Function.Name}(): the percentile must be a constant", varying.Span);
            var collected = item.Outputs[0].Id < 0 ? LocalAggregation.Find(item.Function.Name)?.Collect(values[0]) : null;
            var value = collected ?? AggregateTable.Write(item.Function.Name, values, item.Type, keys.Count == 0)
                ?? throw ScalarWriter.Unsupported($"The aggregate {item.Function.Name}() is not supported", item.Arguments.FirstOrDefault()?.Span);
            group.Define(item.Outputs[0].Id, Typed(value, item.Outputs[0].Type), 1);
        }

        if (tuples.Count == 0 && held.Count == 0)
            return group;
        var outer = group.Wrap();
        foreach (var (id, hidden) in held)
            outer.Define(id, outer.Resolve(hidden));
        foreach (var (item, tuple, elements) in tuples.Where(t => t.Elements.Count > 0))
        {
            var text = outer.Resolve(tuple).Text;
            for (var i = 0; i < elements.Count; i++)
            {
                var output = item.Outputs[item.Outputs.Count - elements.Count + i];
                outer.Define(output.Id, Typed(new SqlValue($"tupleElement({text}, {i + 1})", elements[i].Type, elements[i].Nullable), output.Type));
            }
        }

        return outer;
    }

    /// <summary>arg_max, arg_min, and take_any of several columns: all outputs come from one row.</summary>
    private (AggregateItem, int, IReadOnlyList<SqlValue>) Winners(Select group, AggregateItem item, IReadOnlyList<SqlValue> values, bool mayBeEmpty)
    {
        var any = item.Function.Name == "take_any";
        var elements = values.Skip(any ? 0 : 1)
            .Select(v => v.Type is KqlType.String or KqlType.Dynamic || v.Nullable ? v : v with { Text = $"toNullable({v.Text})", Nullable = true })
            .ToList();
        var tuple = NewHidden();
        if (!any)
        {
            var by = values[0];
            if (by.Type == KqlType.Dynamic)
                by = SqlConvert.ToReal(by);
            // Rows without a key lose to all others, but win when there are no others.
            var key = !by.Nullable ? by.Text
                : item.Function.Name == "arg_max" ? $"tuple(isNotNull({by.Text}), ifNull({by.Text}, {Zero(by)}))" : $"tuple(isNull({by.Text}), ifNull({by.Text}, {Zero(by)}))";
            var extreme = AggregateTable.Write(item.Function.Name == "arg_max" ? "max" : "min", [by], by.Type, mayBeEmpty)!;
            group.Define(item.Outputs[0].Id, Typed(extreme, item.Outputs[0].Type));
            if (elements.Count == 0)
                return (item, tuple, []);
            var function = item.Function.Name == "arg_max" ? "argMax" : "argMin";
            group.Define(tuple, new SqlValue($"{function}(tuple({string.Join(", ", elements.Select(e => e.Text))}), {key})", KqlType.Unknown, false));
        }
        else
        {
            group.Define(tuple, new SqlValue($"any(tuple({string.Join(", ", elements.Select(e => e.Text))}))", KqlType.Unknown, false));
        }

        return (item, tuple, elements);
    }

    private static string Zero(SqlValue value) => value.Type switch
    {
        KqlType.DateTime => "toDateTime64(0, 7, 'UTC')",
        KqlType.Guid => "toUUID('00000000-0000-0000-0000-000000000000')",
        KqlType.Bool => "false",
        _ => "0",
    };
}
