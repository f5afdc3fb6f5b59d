using Vedette.Kql;

namespace Vedette.Telemetry.Sql.Functions;

/// <summary>Dynamic property bags.</summary>
internal static class BagFunctions
{
    public static void Add(IDictionary<string, SqlFunction> table)
    {
        foreach (var name in new[] { "bag_pack", "pack", "pack_dictionary" })
            table[name] = Pack;
        table["pack_all"] = PackPresent;
        table["bag_keys"] = c => c.Json($"if(startsWith({c.D(0)}, '{{'), concat('[', arrayStringConcat(arrayMap(k -> toJSONString(k), JSONExtractKeys({c.D(0)})), ','), ']'), '')");
        table["bag_has_key"] = HasKey;
        table["bag_merge"] = c =>
        {
            var merged = SqlJson.FromProperties(SqlLambda.Let(
                "arrayConcat(" + string.Join(", ", c.Arguments.Select(SqlJson.Properties)) + ")",
                all => $"arrayFilter((p, i) -> indexOf(arrayMap(q -> q.1, {all}), p.1) = i, {all}, arrayEnumerate({all}))"));
            return c.Arguments.Any(IsBag) ? merged : c.Json($"if({string.Join(" OR ", Enumerable.Range(0, c.Count).Select(i => $"startsWith({c.D(i)}, '{{')"))}, {merged.Text}, '')");
        };
        table["bag_remove_keys"] = RemoveKeys;
        table["bag_set_key"] = SetKey;
        table["extract_json"] = ExtractJson;
        table["extractjson"] = ExtractJson;
    }

    private static SqlValue Pack(SqlCall c)
    {
        if (c.Count == 0)
            return SqlConstant.Dynamic("{}");
        var parts = new List<string>();
        for (var i = 0; i + 1 < c.Count; i += 2)
        {
            var key = c[i].IsConstant
                ? SqlText.Quote((i == 0 ? "{" : ",") + KqlJson.Quote(c.ConstantText(i)) + ":")
                : $"'{(i == 0 ? "{" : ",")}', toJSONString({c.S(i)}), ':'";
            parts.Add(key);
            parts.Add(c.J(i + 1));
        }

        parts.Add("'}'");
        return new SqlValue("concat(" + string.Join(", ", parts) + ")", KqlType.Dynamic, false) { IsPresent = true };
    }

    /// <summary>A bag of the values that are neither null nor empty. The last argument is the flag that asks for this.</summary>
    private static SqlValue PackPresent(SqlCall c)
    {
        var parts = new List<string>();
        for (var i = 0; i + 2 < c.Count; i += 2)
        {
            var key = SqlText.Quote(KqlJson.Quote(c.ConstantText(i)) + ":");
            parts.Add(SqlLambda.Let(c.J(i + 1), j => $"if({j} IN ('null', '\"\"'), '', concat({key}, {j}))"));
        }

        return parts.Count == 0 ? SqlConstant.Dynamic("{}")
            : new SqlValue($"concat('{{', arrayStringConcat(arrayFilter(p -> p != '', [{string.Join(", ", parts)}]), ','), '}}')", KqlType.Dynamic, false) { IsPresent = true };
    }

    private static SqlValue HasKey(SqlCall c)
    {
        if (c[1].IsConstant && c.ConstantText(1).StartsWith('$'))
            return c.Bool($"JSONHas({c.D(0)}{string.Concat(JsonPath.Steps(c.ConstantText(1)).Select(s => ", " + s))})");
        var plain = $"JSONHas({c.D(0)}, {c.S(1)})";
        // A key that only the row names may be a path of names, too.
        return c[1].IsConstant
            ? c.Bool(plain)
            : c.Bool($"if(startsWith({c.S(1)}, '$.'), arrayFold((bag, name) -> JSONExtractRaw(bag, name), splitByChar('.', substring({c.S(1)}, 3)), {c.D(0)}) != '', {plain})");
    }

    private static SqlValue RemoveKeys(SqlCall c)
    {
        if (c[1].IsConstant && SqlJson.ConstantStrings(c[1]) is { } keys && keys.Any(k => k.StartsWith('$')))
        {
            var plain = $"[{string.Join(", ", keys.Where(k => !k.StartsWith('$')).Select(SqlText.Quote))}]::Array(String)";
            var rest = SqlJson.FromProperties($"arrayFilter(p -> NOT has({plain}, p.1), {SqlJson.Properties(c[0])})").Text;
            return OfBag(c, SqlJson.FromJsonText(keys.Where(k => k.StartsWith('$')).Select(JsonPath.Steps).Where(p => p.Count > 0).Aggregate(rest, RemovePath)));
        }

        return OfBag(c, SqlJson.FromProperties($"arrayFilter(p -> NOT has({c.Strings(1)}, p.1), {SqlJson.Properties(c[0])})"));
    }

    /// <summary>Whether a value is known to be a bag.</summary>
    private static bool IsBag(SqlValue value) => value is { IsConstant: true, Constant: string text } && text.StartsWith('{');

    /// <summary>A function of one bag: null when the argument is no bag.</summary>
    private static SqlValue OfBag(SqlCall c, SqlValue bag) => IsBag(c[0]) ? bag : c.Json($"if(startsWith({c.D(0)}, '{{'), {bag.Text}, '')");

    /// <summary>The bag without what is at a path of names; where the path leads nowhere, the bag as it is.</summary>
    private static string RemovePath(string bag, IReadOnlyList<string> path) => SqlLambda.Let(bag, b =>
    {
        if (path.Count > 1)
            return $"if(JSONType({b}, {path[0]}) = 'Object', {SetPath(b, [path[0]], RemovePath($"JSONExtractRaw({b}, {path[0]})", [.. path.Skip(1)]))}, {b})";
        var properties = $"arrayFilter(q -> q.1 != {path[0]}, JSONExtractKeysAndValuesRaw({b}))";
        return $"if({b} = '', '', concat('{{', arrayStringConcat(arrayMap(q -> concat(toJSONString(q.1), ':', q.2), {properties}), ','), '}}'))";
    });

    private static SqlValue SetKey(SqlCall c)
    {
        if (c[1].IsConstant && c.ConstantText(1).StartsWith('$'))
            return OfBag(c, SqlJson.FromJsonText(SetPath(c.D(0), JsonPath.Steps(c.ConstantText(1)), c.J(2))));
        return OfBag(c, SqlJson.FromProperties(SqlLambda.Let(SqlJson.Properties(c[0]), p =>
            $"if(has(arrayMap(q -> q.1, {p}), {c.S(1)}), arrayMap(q -> if(q.1 = {c.S(1)}, (q.1, {c.J(2)}), q), {p}), arrayPushBack({p}, ({c.S(1)}, {c.J(2)})))")));
    }

    /// <summary>The bag with the value at a path of names set; names on the way that are missing become bags.</summary>
    private static string SetPath(string bag, IReadOnlyList<string> path, string value) => SqlLambda.Let(bag, b =>
    {
        var inner = path.Count == 1 ? value : SetPath($"if(JSONType({b}, {path[0]}) = 'Object', JSONExtractRaw({b}, {path[0]}), '{{}}')", [.. path.Skip(1)], value);
        return SqlLambda.Let($"JSONExtractKeysAndValuesRaw({b})", p =>
            $"concat('{{', arrayStringConcat(arrayMap(q -> concat(toJSONString(q.1), ':', q.2), if(has(arrayMap(q -> q.1, {p}), {path[0]}), "
            + $"arrayMap(q -> if(q.1 = {path[0]}, ({path[0]}, {inner}), q), {p}), arrayPushBack({p}, ({path[0]}, {inner})))), ','), '}}')");
    });

    private static SqlValue ExtractJson(SqlCall c)
    {
        // extract_json(path, source [, type])
        var path = JsonPath.Steps(c.ConstantText(0));
        var source = c[1].Type == KqlType.Dynamic ? c.D(1) : c.S(1);
        var steps = string.Concat(path.Select(s => ", " + s));
        var value = SqlJson.FromJsonText($"JSONExtractRaw({source}{steps})") with { Json = new SqlJsonPath(source, path) };
        return SqlConvert.To(value, c.Type is KqlType.Unknown ? KqlType.String : c.Type);
    }
}

/// <summary>JSONPath of the simple kind: <c>$.a.b[0]['c']</c>.</summary>
internal static class JsonPath
{
    /// <summary>Steps as SQL arguments.</summary>
    public static IReadOnlyList<string> Steps(string path)
    {
        var steps = new List<string>();
        var i = path.StartsWith('$') ? 1 : 0;
        while (i < path.Length)
        {
            if (path[i] == '.')
            {
                i++;
                continue;
            }

            if (path[i] == '[')
            {
                var end = path.IndexOf(']', i);
                if (end < 0)
                    throw SqlCall.Unsupported($"The JSON path '{path}' is not supported: it may hold names and numbers of elements only");
                var inner = path[(i + 1)..end].Trim();
                if (inner.Length >= 2 && inner[0] is '\'' or '"')
                    steps.Add(SqlText.Quote(inner[1..^1]));
                else if (long.TryParse(inner, out var index))
                    steps.Add(SqlText.Long(index >= 0 ? index + 1 : index));
                else
                    throw SqlCall.Unsupported($"The JSON path '{path}' is not supported: it may hold names and numbers of elements only");
                i = end + 1;
                continue;
            }

            var stop = path.IndexOfAny(['.', '['], i);
            stop = stop < 0 ? path.Length : stop;
            steps.Add(SqlText.Quote(path[i..stop]));
            i = stop;
        }

        return steps;
    }
}
