using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>mv-expand, mv-apply, partition.</summary>
internal sealed partial class RelationWriter
{
    private Select Expand(MvExpandRelation node)
    {
        var scope = Prepare(Open(Write(node.Input)), node.Items.Select(i => i.Value).OfType<BoundScalar>());
        return Expand(scope, node.Items, node.ItemIndex, node.BagAsArray, node.RowLimit, keepEmpty: true);
    }

    /// <summary>Expands arrays and bags to rows, one level above.</summary>
    private Select Expand(Select input, IReadOnlyList<ExpandItem> items, KqlColumn? itemIndex, bool bagAsArray, long? rowLimit, bool keepEmpty)
    {
        var inner = input.HasWindow ? input.Wrap() : input;
        var arrays = new List<int>();
        foreach (var item in items)
        {
            var value = item.Value is null ? SqlConstant.Dynamic("") : _scalars.Write(item.Value, inner);
            var id = NewHidden();
            inner.DefineAlways(id, new SqlValue(Parts(value, bagAsArray), KqlType.Unknown, false));
            arrays.Add(id);
        }

        var middle = inner.Wrap();
        var names = arrays.Select(a => middle.Resolve(a).Text).ToList();
        var position = NewHidden();
        var size = names.Count == 1 ? $"length({names[0]})" : $"greatest({string.Join(", ", names.Select(n => $"length({n})"))})";
        if (keepEmpty)
            size = $"greatest({size}, 1)";
        if (rowLimit is { } limit)
            size = $"least({size}, {Count(limit)})";
        middle.DefineAlways(position, new SqlValue($"range(toUInt32({size}))", KqlType.Unknown, false));
        var outer = middle.Wrap();
        var index = Select.Name(NewHidden());
        outer.ArrayJoin = $"ARRAY JOIN {outer.Resolve(position).Text} AS {index}";
        for (var i = 0; i < items.Count; i++)
        {
            var element = SqlJson.FromJsonText($"arrayElement({outer.Resolve(arrays[i]).Text}, {index} + 1)");
            outer.Define(items[i].Column.Id, Typed(element, items[i].Column.Type));
        }

        if (itemIndex is not null)
            outer.Define(itemIndex.Id, new SqlValue($"toInt64({index})", KqlType.Long, false));
        return outer;
    }

    /// <summary>Array(String) of the JSON texts that a value expands to.</summary>
    private static string Parts(SqlValue value, bool bagAsArray)
    {
        if (value.Elements is not null || value.Strings is not null)
            return SqlJson.Elements(value);
        var dynamic = SqlConvert.ToDynamic(value.Type == KqlType.String ? Functions.FunctionTable.Find("parse_json")!(new Functions.SqlCall("parse_json", [value], KqlType.Dynamic, null!)) : value);
        return SqlLambda.Let(dynamic.Text, d =>
            $"multiIf({d} = '', []::Array(String), startsWith({d}, '['), JSONExtractArrayRaw({d}), startsWith({d}, '{{'), "
            + (bagAsArray
                ? $"arrayMap(p -> concat('[', toJSONString(p.1), ',', p.2, ']'), JSONExtractKeysAndValuesRaw({d}))"
                : $"arrayMap(p -> concat('{{', toJSONString(p.1), ':', p.2, '}}'), JSONExtractKeysAndValuesRaw({d}))")
            + $", [{d}])");
    }

    private Select Apply(MvApplyRelation node, Select input, IReadOnlyList<KqlColumn> groups)
    {
        // Rows are numbered, so that the body can run once over all of them, grouped by the row they came from.
        var scope = Prepare(Open(input), node.Items.Select(i => i.Value).OfType<BoundScalar>());
        var numbered = scope.Wrap();
        var row = NewHidden();
        numbered.Order = [];
        numbered.IsNumbered = false;
        numbered.DefineAlways(row, new SqlValue("rowNumberInAllBlocks()", KqlType.Long, false));
        var expanded = Expand(numbered.Wrap(), node.Items, node.ItemIndex, false, node.RowLimit, keepEmpty: false);
        var outer = _carried;
        _carried = [.. outer, .. groups, .. node.Input.Columns];
        var result = PerGroup(expanded, [row], null, node.Context, node.Body);
        _carried = outer;
        return result;
    }

    private Select Partition(PartitionRelation node, Select input, IReadOnlyList<int> outer)
    {
        var scope = Prepare(Open(input), [node.Key]);
        if (scope.HasWindow)
            scope = scope.Wrap();
        var key = NewHidden();
        scope.DefineAlways(key, Typed(_scalars.Write(node.Key, scope), node.Key.Type));
        return PerGroup(scope.Wrap(), [.. outer, key], (node.Key as BoundColumnRef)?.Column, node.Context, node.Body);
    }

    /// <summary>
    /// Runs a body for each group of rows: every operator of the body that looks at several rows does so within the group.
    /// </summary>
    /// <param name="rows">The rows outside, with the columns that say which group they belong to.</param>
    /// <param name="group">These columns.</param>
    /// <param name="key">The column outside that the body may name, when its rows come from elsewhere.</param>
    /// <param name="context">Where the body reads the rows.</param>
    /// <param name="body">The body.</param>
    private Select PerGroup(Select rows, IReadOnlyList<int> group, KqlColumn? key, ContextRelation context, BoundRelation body)
    {
        _contexts[context] = rows;
        var result = new GroupedBody(this, group, key, context).Write(body);
        if (group.All(g => result.TryResolve(g) is not null))
            result.Order = [.. group.Select(g => new SqlOrder(g, false, true)), .. result.Order];
        return result;
    }
}
