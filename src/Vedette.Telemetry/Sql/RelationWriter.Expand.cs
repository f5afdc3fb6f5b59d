using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>mv-expand, mv-apply, partition.</summary>
internal sealed partial class RelationWriter
{
    private Select Expand(MvExpandRelation node)
    {
        var scope = Prepare(Open(Write(node.Input)), node.Items.Select(i => i.Value).OfType<BoundScalar>());
        return Expand(scope, node.Items, node.ItemIndex, node.BagAsArray, node.RowLimit);
    }

    /// <summary>Expands arrays and bags to rows, one level above: no row for what is empty, one for null.</summary>
    private Select Expand(Select input, IReadOnlyList<ExpandItem> items, KqlColumn? itemIndex, bool bagAsArray, long? rowLimit)
    {
        var inner = input.HasWindow ? input.Wrap() : input;
        var arrays = new List<int>();
        foreach (var item in items)
        {
            var value = item.Value is null ? SqlConstant.Dynamic("") : _scalars.Write(item.Value, inner);
            var id = NewHidden();
            inner.DefineAlways(id, new SqlValue(Parts(value, bagAsArray, IsText(item)), KqlType.Unknown, false));
            arrays.Add(id);
        }

        // All arrays get the length of the longest; a row whose arrays are all empty goes.
        var middle = inner.Wrap();
        middle.ReadsTable = false;
        var names = arrays.Select(a => middle.Resolve(a).Text).ToList();
        var size = names.Count == 1 ? $"length({names[0]})" : $"greatest({string.Join(", ", names.Select(n => $"length({n})"))})";
        if (rowLimit is { } limit)
            size = $"least({size}, {Count(limit)})";
        var joined = new List<string>();
        var elements = new List<int>();
        foreach (var array in arrays)
        {
            var text = middle.Resolve(array).Text;
            var filled = names.Count > 1 || rowLimit is not null ? $"arrayResize({text}, {size}, '')" : text;
            elements.Add(NewHidden());
            joined.Add($"{filled} AS {Select.Name(elements[^1])}");
        }

        var index = Select.Name(NewHidden());
        if (itemIndex is not null)
            joined.Add($"range(toUInt32({size})) AS {index}");
        middle.ArrayJoin = "ARRAY JOIN " + string.Join(", ", joined);
        for (var i = 0; i < items.Count; i++)
        {
            var element = Select.Name(elements[i]);
            var value = IsText(items[i]) ? new SqlValue($"toJSONString({element})", KqlType.Dynamic, false) { PlainText = element } : SqlJson.FromJsonText(element);
            var typed = Typed(value, items[i].Column.Type);

            // Elements are cast, not parsed: a text is no number and no truth, whatever it says, and a truth is no number.
            if (typed.Type is KqlType.Int or KqlType.Long or KqlType.Real or KqlType.Decimal)
                typed = new SqlValue($"if(match({element}, '^[-0-9]'), {typed.Text}, NULL)", typed.Type, true);
            else if (typed.Type == KqlType.Bool)
                typed = new SqlValue($"multiIf({element} IN ('true', 'false'), {element} = 'true', match({element}, '^-?[0-9]+([.]0*)?$'), NOT match({element}, '^-?0+([.]0*)?$'), NULL)", typed.Type, true);
            middle.Define(items[i].Column.Id, typed);
        }

        if (itemIndex is not null)
            middle.Define(itemIndex.Id, new SqlValue($"toInt64({index})", KqlType.Long, false));
        return middle;
    }

    /// <summary>Whether only the texts of the expanded elements are asked for above, so that they need not be kept as JSON.</summary>
    private bool IsText(ExpandItem item) => item.Column.Type == KqlType.String || (item.Column.Type == KqlType.Dynamic && _program.IsText(item.Column.Id));

    /// <summary>Array(String) of the JSON texts that a value expands to, or of their texts as tostring() gives them.</summary>
    private static string Parts(SqlValue value, bool bagAsArray, bool asText)
    {
        if (value.Elements is not null || value.Strings is not null)
        {
            // An array that may be absent has no elements then.
            var elements = asText ? SqlJson.Strings(value) : SqlJson.Elements(value);
            return value.IsPresent ? elements : SqlLambda.Let(elements, e => $"if(empty({e}), [''], {e})");
        }

        var dynamic = SqlConvert.ToDynamic(value.Type == KqlType.String ? Functions.FunctionTable.Find("parse_json")!(new Functions.SqlCall("parse_json", [value], KqlType.Dynamic, null!)) : value);
        var others = SqlLambda.Let(dynamic.Text, d =>
            $"multiIf({d} = '', [''], startsWith({d}, '['), {(asText ? Texts(d) : $"JSONExtractArrayRaw({d})")}, startsWith({d}, '{{'), "
            + (bagAsArray
                ? $"arrayMap(p -> concat('[', toJSONString(p.1), ',', p.2, ']'), JSONExtractKeysAndValuesRaw({d}))"
                : $"arrayMap(p -> concat('{{', toJSONString(p.1), ':', p.2, '}}'), JSONExtractKeysAndValuesRaw({d}))")
            + $", [{(asText ? SqlConvert.ToText(new SqlValue(d, KqlType.Dynamic, false)).Text : d)}])");

        // The engine takes an array of nulls alone for an empty one.
        static string Texts(string d) => $"if(notEmpty(JSONExtract({d}, 'Array(String)')), JSONExtract({d}, 'Array(String)'), arrayResize([]::Array(String), JSONLength({d}), ''))";

        // Most values are arrays, and those are read in one go; the rest is looked at only where there is none.
        if (dynamic.Json is not { Steps.Count: > 0 } path)
            return others;
        var array = asText ? $"JSONExtract({path.Root}{path.Arguments}, 'Array(String)')" : $"JSONExtractArrayRaw({path.Root}{path.Arguments})";
        return $"if(notEmpty({array}), {array}, {others})";
    }

    private Select Apply(MvApplyRelation node, Select input, IReadOnlyList<KqlColumn> groups)
    {
        // Rows are numbered, so that the body can run once over all of them, grouped by the row they came from.
        var scope = Prepare(Open(input), node.Items.Select(i => i.Value).OfType<BoundScalar>());
        var numbered = scope.Wrap();
        var row = NewHidden();
        numbered.Order = [];
        numbered.IsNumbered = false;
        numbered.DefineAlways(row, new SqlValue("toInt64(rowNumberInAllBlocks())", KqlType.Long, false));
        var expanded = Expand(numbered.Wrap(), node.Items, node.ItemIndex, false, node.RowLimit);
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
        // Rows that are read several times have to be the same rows, with the same numbers.
        _contexts[context] = GroupedBody.Reads(body, context) > 1 ? _program.Once(rows) : rows;
        var around = _body;
        _body = new GroupedBody(this, group, key, context, around);
        var result = _body.Write(body);
        _body = around;
        if (group.All(g => result.TryResolve(g) is not null))
            result.Order = [.. group.Select(g => new SqlOrder(g, false, true)), .. result.Order];
        return result;
    }
}
