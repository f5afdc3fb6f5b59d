using Vedette.Kql;

namespace Vedette.Telemetry.Sql.Functions;

/// <summary>Dynamic arrays and sets.</summary>
internal static class ArrayFunctions
{
    public static void Add(IDictionary<string, SqlFunction> table)
    {
        table["array_length"] = Length;
        table["arraylength"] = Length;
        table["pack_array"] = c => c.Count == 0 ? SqlConstant.Dynamic("[]") : SqlJson.FromElements("[" + string.Join(", ", Enumerable.Range(0, c.Count).Select(c.J)) + "]");
        table["array_concat"] = c => SqlJson.FromElements(c.Count == 1 ? c.Elements(0) : "arrayConcat(" + string.Join(", ", Enumerable.Range(0, c.Count).Select(c.Elements)) + ")");
        table["array_slice"] = Slice;
        table["array_reverse"] = c => OfArray(c, a => $"arrayReverse({a})");
        table["array_sum"] = Sum;
        table["array_index_of"] = IndexOf;
        table["array_rotate_left"] = c => OfArray(c, a => Turned("arrayRotateLeft", a, c));
        table["array_rotate_right"] = c => OfArray(c, a => Turned("arrayRotateRight", a, c));
        table["array_shift_left"] = c => OfArray(c, a => Shifted("arrayShiftLeft", a, c));
        table["array_shift_right"] = c => OfArray(c, a => Shifted("arrayShiftRight", a, c));
        table["array_split"] = SplitAt;
        table["set_has_element"] = c => c.Bool(Forms(c, 1) is { } forms ? $"hasAny({c.Elements(0)}, {forms})" : $"has({c.Elements(0)}, {c.J(1)})");
        table["set_union"] = c => SqlJson.FromElements("arrayDistinct(arrayConcat(" + string.Join(", ", Enumerable.Range(0, c.Count).Select(c.Elements)) + "))");
        table["set_intersect"] = Intersect;
        table["set_difference"] = c => SqlJson.FromElements(
            $"arrayFilter(e -> NOT has({(c.Count == 2 ? c.Elements(1) : "arrayConcat(" + string.Join(", ", Enumerable.Range(1, c.Count - 1).Select(c.Elements)) + ")")}, e), arrayDistinct({c.Elements(0)}))");
        table["set_equals"] = c => c.Bool($"(arraySort(arrayDistinct({c.Elements(0)})) = arraySort(arrayDistinct({c.Elements(1)})))");
        table["jaccard_index"] = c => c.Real(SqlLambda.Let($"arrayDistinct({c.Elements(0)})", $"arrayDistinct({c.Elements(1)})", (a, b) =>
            $"(length(arrayIntersect({a}, {b})) / length(arrayDistinct(arrayConcat({a}, {b}))))"));
        table["dcount_hll"] = c => c.Long(Aggregates.HllSketch.Count(c[0]));
        table["hll_merge"] = c => Aggregates.HllSketch.Of(
            $"arrayDistinct(arrayConcat({string.Join(", ", c.Arguments.Select(Aggregates.HllSketch.Hashes))}))",
            $"greatest(12, {string.Join(", ", Enumerable.Range(0, c.Count).Select(i => $"JSONExtractInt({c.D(i)}, 1, 2)"))})");
        table["zip"] = c =>
        {
            var arrays = Enumerable.Range(0, c.Count).Select(c.Elements).ToList();
            var size = "greatest(" + string.Join(", ", arrays.Select(a => $"length({a})")) + ", 0)";
            return SqlJson.FromElements($"arrayMap(i -> concat('[', arrayStringConcat([{string.Join(", ", arrays.Select(a => $"ifNull(arrayElementOrNull({a}, i), 'null')"))}], ','), ']'), range(1, toUInt32({size} + 1)))");
        };
    }

    /// <summary>A function of one array: null when the argument is no array.</summary>
    private static SqlValue OfArray(SqlCall c, Func<string, string> write)
    {
        if (c[0].IsConstant && SqlJson.ConstantElements(c[0]) is null)
            return SqlConstant.Dynamic("");
        var elements = write(c.Elements(0));
        return c[0].IsPresent || SqlJson.ConstantElements(c[0]) is not null
            ? SqlJson.FromElements(elements)
            : c.Json($"if(startsWith({c.D(0)}, '['), concat('[', arrayStringConcat({elements}, ','), ']'), '')");
    }

    // The engine refuses numbers that are far beyond the array.
    private static string Turned(string function, string array, SqlCall c) =>
        SqlLambda.Let(array, a => $"{function}({a}, {c.L(1)} % toInt64(greatest(length({a}), 1)))");

    private static string Shifted(string function, string array, SqlCall c) =>
        SqlLambda.Let(array, a => $"{function}({a}, greatest(least({c.L(1)}, toInt64(length({a}))), 0 - toInt64(length({a}))), {Fill(c)})");

    private static SqlValue Length(SqlCall c)
    {
        if (c[0] is { Strings: not null } or { Elements: not null })
            return c.Long($"toInt64(length({c[0].Strings ?? c[0].Elements}))");
        var value = SqlConvert.ToDynamic(c[0]);
        return value.Json is { Steps.Count: > 0 } path
            ? c.Value($"if(JSONType({path.Root}{path.Arguments}) = 'Array', toInt64(JSONLength({path.Root}{path.Arguments})), NULL)", KqlType.Long, true)
            : c.Value(SqlLambda.Let(value.Text, d => $"if(startsWith({d}, '['), toInt64(JSONLength({d})), NULL)"), KqlType.Long, true);
    }

    private static SqlValue Slice(SqlCall c) => OfArray(c, a => SqlLambda.Let(a, x => SqlLambda.Let(c.L(1), c.L(2), (s, e) =>
    {
        var from = $"if({s} < 0, greatest(toInt64(length({x})) + {s}, 0), {s})";
        var to = $"if({e} < 0, toInt64(length({x})) + {e}, least({e}, toInt64(length({x})) - 1))";
        return $"arraySlice({x}, {from} + 1, greatest({to} - {from} + 1, 0))";
    })));

    /// <summary>Null when an element is no number; nulls count nothing.</summary>
    private static SqlValue Sum(SqlCall c)
    {
        var sum = SqlLambda.Let(c.Elements(0), a => $"if(arrayExists(e -> NOT match(e, '^(-?[0-9]|null$)'), {a}), NULL, arraySum(arrayMap(e -> toFloat64OrZero(e), {a})))");
        return c.Value(c[0].IsPresent || SqlJson.ConstantElements(c[0]) is not null ? sum : $"if(startsWith({c.D(0)}, '['), {sum}, NULL)", KqlType.Real, true);
    }

    /// <summary>For a whole number its texts as an integer and as a real, which are equal as values; null for anything else.</summary>
    private static string? Forms(SqlCall c, int index) => c[index].Type switch
    {
        KqlType.Int or KqlType.Long => $"[{c.J(index)}, concat({c.J(index)}, '.0')]",
        KqlType.Real => $"[{c.J(index)}, replaceRegexpOne({c.J(index)}, '[.]0$', '')]",
        KqlType.Decimal => $"[{c.J(index)}, if(match({c.J(index)}, '[.]'), {c.J(index)}, concat({c.J(index)}, '.0'))]",
        _ => null,
    };

    private static SqlValue IndexOf(SqlCall c)
    {
        if (c.Count == 2)
        {
            return Forms(c, 1) is { } forms
                ? c.Long($"(toInt64(arrayFirstIndex(e -> has({forms}, e), {c.Elements(0)})) - 1)")
                : c.Long($"(toInt64(indexOf({c.Elements(0)}, {c.J(1)})) - 1)");
        }

        var length = c.Has(3) ? c.L(3) : "-1";
        var occurrence = c.Has(4) ? c.L(4) : "1";
        var values = Forms(c, 1) ?? $"[{c.J(1)}]";
        return c.Value(SqlLambda.Let(c.Elements(0), a => SqlLambda.Let(c.L(2), start => SqlLambda.Let(length, occurrence, (l, n) =>
        {
            var from = $"if({start} < 0, greatest(toInt64(length({a})) + {start}, 0), {start})";
            return $"if({l} < -1 OR {n} < 0, NULL, ifNull(toInt64(arrayElementOrNull(arrayFilter(i -> has({values}, {a}[i]) AND i > {from} AND ({l} < 0 OR i <= {from} + {l}), arrayEnumerate({a})), {n})), 0) - 1)";
        }))), KqlType.Long, true);
    }

    /// <summary>What an array of strings lacks is an empty string.</summary>
    private static string Fill(SqlCall c) => c.Has(2) ? c.J(2)
        : SqlJson.ConstantElements(c[0]) is { } elements ? elements.Count > 0 && elements.All(e => e.StartsWith('"')) ? "'\"\"'" : "'null'"
        : c[0].Strings is not null ? "'\"\"'"
        : SqlLambda.Let(c.Elements(0), a => $"if(notEmpty({a}) AND arrayAll(e -> startsWith(e, '\"'), {a}), '\"\"', 'null')");

    private static SqlValue Intersect(SqlCall c)
    {
        // The order of the first set is kept.
        var others = string.Join(" AND ", Enumerable.Range(1, c.Count - 1).Select(i => $"has({c.Elements(i)}, e)"));
        return SqlJson.FromElements($"arrayFilter(e -> {others}, arrayDistinct({c.Elements(0)}))");
    }

    private static SqlValue SplitAt(SqlCall c)
    {
        var cuts = c[1].Type == KqlType.Dynamic ? $"arrayMap(e -> toInt64OrZero(e), {c.Elements(1)})" : $"[{c.L(1)}]";
        return SqlJson.FromElements(SqlLambda.Let(c.Elements(0), a =>
        {
            var bounded = $"arrayMap(k -> if(k < 0, greatest(toInt64(length({a})) + k, 0), least(k, toInt64(length({a})))), {cuts})";
            return SqlLambda.Let($"arrayConcat([toInt64(0)], {bounded}, [toInt64(length({a}))])", b =>
                $"arrayMap(k -> concat('[', arrayStringConcat(arraySlice({a}, {b}[k] + 1, greatest({b}[k + 1] - {b}[k], 0)), ','), ']'), range(1, toUInt32(length({b}))))");
        }));
    }
}
