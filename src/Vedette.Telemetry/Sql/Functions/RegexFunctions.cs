using Vedette.Kql;

namespace Vedette.Telemetry.Sql.Functions;

/// <summary>Regular expressions (RE2 on both sides) and trimming.</summary>
internal static class RegexFunctions
{
    public static void Add(IDictionary<string, SqlFunction> table)
    {
        table["extract"] = Extract;
        table["extract_all"] = ExtractAll;
        table["extractall"] = ExtractAll;
        table["replace_regex"] = c => Replace(c, 0, 1, 2);
        table["replace"] = c => Replace(c, 2, 0, 1);
        table["regex_quote"] = c => c.Text($"regexpQuoteMeta({c.S(0)})");
        table["trim"] = c => c.Text($"replaceRegexpOne(replaceRegexpOne({c.S(1)}, {Anchored(c, start: true)}, ''), {Anchored(c, start: false)}, '')");
        table["trim_start"] = c => c.Text($"replaceRegexpOne({c.S(1)}, {Anchored(c, start: true)}, '')");
        table["trim_end"] = c => c.Text($"replaceRegexpOne({c.S(1)}, {Anchored(c, start: false)}, '')");
        table["indexof_regex"] = IndexOf;
    }

    private static string Anchored(SqlCall c, bool start)
    {
        if (c[0].IsConstant)
            return SqlText.Quote(start ? $"^(?:{Re2.Text(c.ConstantText(0))})" : $"(?:{Re2.Text(c.ConstantText(0))})$");
        return start ? $"concat('(?-s)^(?:', {c.S(0)}, ')')" : $"concat('(?-s)(?:', {c.S(0)}, ')$')";
    }

    private static SqlValue Replace(SqlCall c, int source, int pattern, int rewrite)
    {
        // A rewrite that names a group which there is none of leaves the text as it is.
        if (c[pattern].IsConstant && c[rewrite].IsConstant && Named(c.ConstantText(rewrite)) > Groups(c.ConstantText(pattern)))
            return c.Text($"if(match({c.S(source)}, {Re2.Sql(c[pattern], c.S(pattern))}), {c.S(source)}, {c.S(source)})");
        return c.Text($"replaceRegexpAll({c.S(source)}, {Re2.Sql(c[pattern], c.S(pattern))}, {Rewrite(c, rewrite)})");
    }

    /// <summary>The highest group that a rewrite names.</summary>
    private static int Named(string rewrite)
    {
        var most = 0;
        for (var i = 0; i + 1 < rewrite.Length; i++)
        {
            if (rewrite[i] != '\\') continue;
            if (char.IsAsciiDigit(rewrite[++i])) most = Math.Max(most, rewrite[i] - '0');
        }

        return most;
    }

    private static string Rewrite(SqlCall c, int index) => c[index].IsConstant ? SqlText.Quote(c.ConstantText(index)) : c.S(index);

    private static SqlValue Extract(SqlCall c)
    {
        // extract(regex, group, source [, type])
        var source = c.S(2);
        string text;
        if (c[0].IsConstant && c[1].IsConstant)
        {
            var pattern = Re2.Text(c.ConstantText(0));
            var group = c[1].Constant is null ? -1 : c.ConstantLong(1);
            text = group == 0
                ? $"extract({source}, {SqlText.Quote("(" + pattern + ")")})"
                : group < 0 || group > Groups(pattern)
                    ? "''"
                    : group == 1 && Groups(pattern) == 1
                        ? $"extract({source}, {SqlText.Quote(pattern)})"
                        : $"regexpExtract({source}, {SqlText.Quote(pattern)}, {group})";
        }
        else
        {
            text = c[0].IsConstant ? ChosenGroup(source, Re2.Text(c.ConstantText(0)), $"ifNull({c.L(1)}, -1)") : $"extractGroups({source}, concat('(?-s)(', {c.S(0)}, ')'))[{c.L(1)} + 1]";
        }

        return SqlConvert.To(c.Text(text), c.Type is KqlType.Unknown ? KqlType.String : c.Type);
    }

    // The engine refuses the number of a group that there is none of.
    private static string ChosenGroup(string source, string pattern, string group) => SqlLambda.Let(group, g =>
        $"if({g} BETWEEN 0 AND {Groups(pattern)}, regexpExtract({source}, {SqlText.Quote(pattern)}, least(greatest({g}, 0), {Groups(pattern)})), '')");

    private static SqlValue ExtractAll(SqlCall c)
    {
        // extract_all(regex [, captureGroups], source)
        var pattern = Re2.Text(c.ConstantText(0));
        var source = c.S(c.Count - 1);
        var groups = Groups(pattern);
        IReadOnlyList<int> wanted = c.Count == 3 && SqlJson.ConstantStrings(c[1]) is { } chosen
            ? [.. chosen.Select(g => long.TryParse(g, out var number) ? (int)Math.Clamp(number, 0, 1000) : NamedGroup(pattern, g))]
            : [.. Enumerable.Range(1, Math.Max(groups, 1))];
        if (groups == 0)
            return Present(SqlJson.FromStrings($"extractAll({source}, {SqlText.Quote(pattern)})"));
        if (c.Count == 3 && !c[1].IsConstant)
            return Present(SqlJson.FromElements(Chosen(c.Strings(1), pattern, source)));
        var rows = $"extractAllGroupsVertical({source}, {SqlText.Quote("(" + pattern + ")")})";
        if (wanted.Count == 1)
            return Present(SqlJson.FromStrings($"arrayMap(g -> g[{wanted[0] + 1}], {rows})"));
        var picks = string.Join(", ", wanted.Select(w => $"g[{w + 1}]"));
        return Present(SqlJson.FromElements($"arrayMap(g -> concat('[', arrayStringConcat(arrayMap(s -> toJSONString(s), [{picks}]), ','), ']'), {rows})"));

        // Groups that only the row names, by number or name.
        static string Chosen(string chosen, string pattern, string source)
        {
            // A group goes by its number even if it has a name.
            var names = GroupNames(pattern);
            var numbers = string.Join(", ", Enumerable.Range(1, names.Count).Concat(Enumerable.Range(1, names.Count)));
            names.AddRange(Enumerable.Range(0, names.Count).Select(n => n.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            return SqlLambda.Let($"arrayMap(n -> transform(n, [{string.Join(", ", names.Select(SqlText.Quote))}], [{numbers}], 0), {chosen})", groups =>
                $"arrayMap(g -> if(length({groups}) = 1, toJSONString(g[{groups}[1]]), concat('[', arrayStringConcat(arrayMap(n -> toJSONString(g[n]), {groups}), ','), ']')), "
                + $"extractAllGroupsVertical({source}, {SqlText.Quote("(" + pattern + ")")}))");
        }

        // No match gives null rather than an empty array.
        static SqlValue Present(SqlValue array) => array with { Text = $"ifNull(nullIf({array.Text}, '[]'), '')", IsPresent = false };
    }

    private static SqlValue IndexOf(SqlCall c)
    {
        // What stands before the first match, and the match.
        var pattern = SqlText.Quote($@"\A((?s:.*?))({Re2.Text(c.ConstantText(1))})");
        if (c.Count == 2)
            return c.Long(SqlLambda.Let($"extractGroups({c.S(0)}, {pattern})", g => $"if(notEmpty({g}), toInt64(lengthUTF8({g}[1])), -1)"));

        // Each search for a further occurrence begins behind the one before: at.1 is where that was (-2: nowhere), at.2 where it ended.
        return c.Value(SqlLambda.Let(c.S(0), $"ifNull({c.L(2)}, -1)", (s, start) => SqlLambda.Let($"ifNull({c.L(3, -1)}, -2)", $"ifNull({c.L(4, 1)}, -1)", (length, occurrence) =>
            $"multiIf({start} < 0 OR {length} < -1 OR {occurrence} < 0, NULL, {occurrence} = 0, -1, greatest(-1, arrayFold((at, k) -> if(at.1 = -2, at, "
            + SqlLambda.Let($"extractGroups(substringUTF8({s}, at.2 + 1, if({length} < 0, 1000000000, greatest({start} + {length} - at.2, 0))), {pattern})", g =>
                $"if(empty({g}), (toInt64(-2), toInt64(0)), (at.2 + toInt64(lengthUTF8({g}[1])), at.2 + toInt64(lengthUTF8({g}[1])) + toInt64(greatest(lengthUTF8({g}[2]), 1))))")
            + $"), range(toUInt32(greatest(least({occurrence}, 10000), 0))), (toInt64(-1), toInt64({start}))).1))")), KqlType.Long, true);
    }

    /// <summary>How many capturing groups an expression has.</summary>
    public static int Groups(string pattern) => GroupNames(pattern).Count - 1;

    /// <summary>The names of an expression's capturing groups, in the order of their brackets: numbers for those without; the first stands for the whole match.</summary>
    private static List<string> GroupNames(string pattern)
    {
        var names = new List<string> { "0" };
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '\\':
                    i++;
                    break;
                case '[' when inClass && pattern.AsSpan(i).StartsWith("[:") && pattern.IndexOf(":]", i, StringComparison.Ordinal) is > 0 and var end:
                    i = end + 1;
                    break;
                case '[' when !inClass:
                    inClass = true;
                    i += pattern.AsSpan(i + 1).StartsWith("^]") ? 2 : pattern.AsSpan(i + 1).StartsWith("]") ? 1 : 0;
                    break;
                case ']':
                    inClass = false;
                    break;
                case '(' when !inClass:
                    var named = pattern.AsSpan(i).StartsWith("(?P<") ? i + 4 : pattern.AsSpan(i).StartsWith("(?<") ? i + 3 : -1;
                    if (named > 0 && pattern.IndexOf('>', named) is > 0 and var close)
                        names.Add(pattern[named..close]);
                    else if (i + 1 == pattern.Length || pattern[i + 1] != '?')
                        names.Add(names.Count.ToString(System.Globalization.CultureInfo.InvariantCulture));
                    break;
            }
        }

        return names;
    }

    private static int NamedGroup(string pattern, string name)
    {
        var number = GroupNames(pattern).IndexOf(name);
        return number > 0 ? number : throw SqlCall.Unsupported($"extract_all() names an unknown group '{name}'");
    }
}
