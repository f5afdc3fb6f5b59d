using Vedette.Kql;

namespace Vedette.Telemetry.Sql.Functions;

/// <summary>Strings. Positions and lengths count characters.</summary>
internal static class StringFunctions
{
    public static void Add(IDictionary<string, SqlFunction> table)
    {
        table["tolower"] = c => c.Text($"lowerUTF8({c.S(0)})");
        table["toupper"] = c => c.Text($"upperUTF8({c.S(0)})");
        table["strlen"] = c => c.Long($"toInt64(lengthUTF8({c.S(0)}))");
        table["string_size"] = c => c.Long($"toInt64(length({c.S(0)}))");
        table["strcat"] = c => c.Count == 1 ? SqlConvert.ToText(c[0]) : c.Text("concat(" + Texts(c, 0) + ")");
        table["strcat_delim"] = c => c.Text(Joined($"[{Texts(c, 1)}]", c, 0));
        table["strcat_array"] = c => c.Text(Joined(c.Strings(0), c, 1));
        table["array_strcat"] = table["strcat_array"];
        table["strrep"] = c => c.Text(c.Has(2)
            ? Joined($"arrayWithConstant(toUInt32(least(greatest(ifNull({c.L(1)}, 0), 0), 1048576)), {c.S(0)})", c, 2)
            : $"repeat({c.S(0)}, greatest({c.L(1)}, 0))");
        table["substring"] = Substring;
        table["split"] = Split;
        table["reverse"] = c => c.Text($"reverseUTF8({c.S(0)})");
        table["replace_string"] = c => c.Text($"replaceAll({c.S(0)}, {c.S(1)}, {c.S(2)})");
        table["translate"] = c => c.Text(SqlLambda.Let(c.S(0), c.S(1), (from, to) =>
            $"arrayStringConcat(arrayMap(ch -> if(positionUTF8({from}, ch) = 0, ch, if({to} = '', '', substringUTF8({to}, least(positionUTF8({from}, ch), lengthUTF8({to})), 1))), "
            + $"ngrams({c.S(2)}, 1)))"));
        table["indexof"] = IndexOf;
        table["countof"] = CountOf;
        table["strcmp"] = c => c.Long(SqlLambda.Let(c.S(0), c.S(1), (a, b) => $"toInt64(multiIf({a} = {b}, 0, {a} < {b}, -1, 1))"));
        table["isascii"] = c => c.Bool($"match({c.S(0)}, '^[\\\\x00-\\\\x7F]*$')");
        table["isutf8"] = c => c.Bool($"isValidUTF8({c.S(0)})");
        table["has_any_index"] = c => c.Long($"toInt64(arrayFirstIndex(n -> {TermSearch.Variable(c.S(0), "n")}, {c.Strings(1)}) - 1)");
        table["unicode_codepoints_from_string"] = c => SqlJson.FromElements(
            $"arrayMap(ch -> toString(if(length(ch) = 1, ascii(ch), reinterpretAsUInt32(reverse(convertCharset(ch, 'UTF-8', 'UTF-32BE'))))), ngrams({c.S(0)}, 1))");
        table["make_string"] = FromCodePoints;
        table["unicode_codepoints_to_string"] = FromCodePoints;
        table["parse_version"] = c => c.Value(SqlLambda.Let(c.S(0), s => $"if(match({s}, '^[0-9]{{1,8}}([.][0-9]{{1,8}}){{0,3}}$'), "
            + $"toDecimal256OrNull(concat({string.Join(", ", Enumerable.Range(1, 4).Select(i => i == 1 ? $"splitByChar('.', {s})[1]" : $"leftPad(splitByChar('.', {s})[{i}], 8, '0')"))}), 17), NULL)"), KqlType.Decimal, true);
        table["repeat"] = Repeat;
        table["string_size_bytes"] = table["string_size"];
    }

    private static string Texts(SqlCall c, int from) => string.Join(", ", Enumerable.Range(from, c.Count - from).Select(c.S));

    private static SqlValue Substring(SqlCall c)
    {
        // A negative start counts from the end, and not beyond the beginning; a negative length stands for none.
        if (c[1] is { IsConstant: true, Constant: int or long } && c.ConstantLong(1) is >= 0 and var at)
            return Part(c.S(0), SqlText.Long(at + 1));
        return c.Text(SqlLambda.Let(c.S(0), c.L(1), (s, i) => Part(s, $"if({i} >= 0, {i}, greatest(toInt64(lengthUTF8({s})) + {i}, 0)) + 1").Text));

        SqlValue Part(string text, string start) => c.Text(c.Has(2) ? $"substringUTF8({text}, {start}, greatest({c.L(2)}, 0))" : $"substringUTF8({text}, {start})");
    }

    // The engine joins by a constant only.
    private static string Joined(string array, SqlCall c, int separator) => c[separator] is { IsConstant: true, Type: KqlType.String }
        ? $"arrayStringConcat({array}, {c.S(separator)})"
        : SqlLambda.Let(c.S(separator), s => $"substringUTF8(arrayStringConcat(arrayMap(e -> concat({s}, e), {array})), lengthUTF8({s}) + 1)");

    // Not a character of any language: two noncharacters of Unicode around one of private use.
    private const string Mark = "'\\xEF\\xB7\\x90\\xEE\\x80\\x80\\xEF\\xB7\\x91'";

    private static SqlValue Split(SqlCall c)
    {
        // The engine splits by a constant only: a delimiter of each row's own becomes one that no text has.
        var parts = !c[1].IsConstant ? $"splitByString({Mark}, replaceAll({c.S(0)}, {c.S(1)}, {Mark}))"
            : c[1] is { IsConstant: true, Constant: "" } ? $"[{c.S(0)}]" : $"splitByString({c.S(1)}, {c.S(0)})";
        if (!c.Has(2))
            return SqlJson.FromStrings(parts);
        // With an index the result is an array of that one part.
        return SqlJson.FromStrings(SqlLambda.Let(c.L(2), i => $"arraySlice({parts}, if({i} >= 0, {i} + 1, 1000000), 1)"));
    }

    private static SqlValue IndexOf(SqlCall c)
    {
        if (c.Count == 2)
            return c.Long($"(toInt64(positionUTF8({c.S(0)}, {c.S(1)})) - 1)");
        if (c.Count == 3)
        {
            return c.Long(SqlLambda.Let(c.S(0), c.L(2), (s, from) => SqlLambda.Let($"if({from} >= 0, {from}, greatest(toInt64(lengthUTF8({s})) + {from}, 0))", start =>
                SqlLambda.Let($"toInt64(positionUTF8(substringUTF8({s}, {start} + 1), {c.S(1)}))", found => $"if({found} = 0, -1, {found} - 1 + {start})"))));
        }

        // Each search for a further occurrence begins behind the start of the one before; the length bounds where a match begins, not where it ends.
        return c.Value(SqlLambda.Let(c.S(0), c.S(1), (s, n) => SqlLambda.Let(c.L(3, -1), c.L(4, 1), (length, occurrence) =>
            SqlLambda.Let(SqlLambda.Let(c.L(2), i => $"if({i} >= 0, {i}, greatest(toInt64(lengthUTF8({s})) + {i}, 0))"), from =>
                $"multiIf({length} < -1 OR {occurrence} < 0, NULL, {occurrence} = 0, -1, greatest(-1, arrayFold((at, k) -> if(at = -2, -2, "
                + SqlLambda.Let($"toInt64(positionUTF8(substringUTF8({s}, at + 2), {n}))", found => $"if({found} = 0 OR ({length} >= 0 AND at + {found} >= {from} + {length}), -2, at + {found})")
                + $"), range(toUInt32(greatest(least({occurrence}, 10000), 0))), {from} - 1)))"))), KqlType.Long, true);
    }

    /// <summary>Null when the count is negative or null.</summary>
    private static SqlValue Repeat(SqlCall c)
    {
        var array = SqlJson.FromElements($"arrayWithConstant(toUInt32(greatest(ifNull({SqlConvert.ToLong(c[1]).Text}, 0), 0)), {c.J(0)})");
        return c[1] is { IsConstant: true, Constant: int or long } && c.ConstantLong(1) >= 0 ? array : c.Json($"if(ifNull({SqlConvert.ToLong(c[1]).Text}, -1) < 0, '', {array.Text})");
    }

    private static SqlValue CountOf(SqlCall c)
    {
        if (c.Has(2) && string.Equals(c.ConstantText(2), "regex", StringComparison.OrdinalIgnoreCase))
        {
            // Where the expression is no constant each match gets a mark, and marks are counted.
            return c[1].IsConstant
                ? c.Long($"toInt64(countMatches({c.S(0)}, {Re2.Sql(c[1], c.S(1))}))")
                : c.Long(SqlLambda.Let(c.S(0), s => $"toInt64(countSubstrings(replaceRegexpAll({s}, {Re2.Sql(c[1], c.S(1))}, '\\\\0\\x01'), '\\x01')) - toInt64(countSubstrings({s}, '\\x01'))"));
        }

        // Kusto counts overlapping occurrences of plain text.
        return c.Long(SqlLambda.Let(c.S(0), c.S(1), (s, n) =>
            $"toInt64(arrayCount(i -> substring({s}, i, length({n})) = {n}, range(1, toUInt32(length({s}) + 1))))"));
    }

    private static SqlValue FromCodePoints(SqlCall c)
    {
        // Arguments are code points or arrays of them.
        var numbers = "arrayConcat(" + string.Join(", ", c.Arguments.Select((a, i) => a.Type == KqlType.Dynamic
            ? $"arrayMap(e -> ifNull(toInt64OrNull(e), -1), {c.Elements(i)})"
            : $"[ifNull({SqlConvert.ToLong(a).Text}, -1)]")) + ")";
        return c.Text(SqlLambda.Let(numbers, all =>
            $"if(arrayExists(p -> p NOT BETWEEN 0 AND 1114111 OR p BETWEEN 55296 AND 57343, {all}), '', "
            + $"arrayStringConcat(arrayMap(p -> convertCharset(char(0, intDiv(p, 65536), intDiv(p, 256) % 256, p % 256), 'UTF-32BE', 'UTF-8'), {all})))"));
    }
}
