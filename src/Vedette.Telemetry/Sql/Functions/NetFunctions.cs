using Vedette.Kql;

namespace Vedette.Telemetry.Sql.Functions;

/// <summary>Addresses and URLs.</summary>
internal static class NetFunctions
{
    public static void Add(IDictionary<string, SqlFunction> table)
    {
        table["ipv4_is_private"] = c => c.Value(SqlLambda.Let(Address(c.S(0)), a =>
            $"if(isNull({a}), NULL, {a} BETWEEN 167772160 AND 184549375 OR {a} BETWEEN 2886729728 AND 2887778303 OR {a} BETWEEN 3232235520 AND 3232301055)"), KqlType.Bool, true);
        table["ipv4_is_in_range"] = c => c.Value(InRange(c.S(0), c.S(1)), KqlType.Bool, true);
        table["ipv4_is_match"] = c => c.Value(Compare(c, "="), KqlType.Bool, true);
        table["ipv4_compare"] = c => c.Value(Sign(c), KqlType.Long, true);
        table["ipv4_is_in_any_range"] = c => c.Value(
            $"if(isNull({Address(c.S(0))}), NULL, " + (c.Count == 2 && c[1].Type == KqlType.Dynamic
                ? $"arrayExists(r -> ifNull({InRange(c.S(0), "r")}, false), {c.Strings(1)})"
                : "(" + string.Join(" OR ", Enumerable.Range(1, c.Count - 1).Select(i => $"ifNull({InRange(c.S(0), c.S(i))}, false)")) + ")") + ")", KqlType.Bool, true);
        table["ipv4_netmask_suffix"] = c => c.Value(SqlLambda.Let(c.S(0), s => $"if(isNull({Address(s)}), NULL, toInt64({Prefix(s)}))"), KqlType.Long, true);
        table["parse_ipv4"] = c => c.Value(SqlLambda.Let(c.S(0), s => $"toInt64({Masked(s, "32")})"), KqlType.Long, true);
        table["parse_ipv4_mask"] = c => c.Value(SqlLambda.Let(c.S(0), s => $"toInt64(if({Given(c, 1)}, {Masked(s, $"toUInt8(least(greatest({c.L(1)}, 0), 32))")}, NULL))"), KqlType.Long, true);
        table["format_ipv4"] = c => c.Text($"ifNull({Format(c, slash: false)}, '')");
        table["format_ipv4_mask"] = c => c.Text($"ifNull({Format(c, slash: true)}, '')");
        table["parse_url"] = ParseUrl;
        table["parseurl"] = ParseUrl;
        table["parse_urlquery"] = c => new SqlValue($"concat('{{\"Query Parameters\":', {Query(c.S(0))}, '}}')", KqlType.Dynamic, false) { IsPresent = true };
        table["parse_path"] = ParsePath;
        table["parse_version"] = c => c.Value(SqlLambda.Let(c.S(0), v =>
            $"if(match({v}, '^[0-9]{{1,8}}(?:[.][0-9]{{1,8}}){{0,3}}$'), toDecimal256OrNull(arrayStringConcat(arrayMap(p -> leftPad(p, 8, '0'), arrayResize(splitByChar('.', {v}), 4, '0'))), 17), NULL)"), KqlType.Decimal, true);
        table["has_ipv4"] = c => c.Bool(HasAddress(c.S(0), c.S(1), prefix: false));
        table["has_any_ipv4"] = c => c.Bool(HasAny(c, prefix: false));
        table["has_ipv4_prefix"] = c => c.Bool(HasAddress(c.S(0), c.S(1), prefix: true));
        table["has_any_ipv4_prefix"] = c => c.Bool(HasAny(c, prefix: true));
    }

    /// <summary>The number of an address, whose /prefix is ignored; NULL when it is none, or the prefix is none.</summary>
    private static string Address(string text) => $"if(position({text}, '/') = 0 OR match({text}, '/(?:[0-9]|[12][0-9]|3[0-2])$'), IPv4StringToNumOrNull(trimBoth(splitByChar('/', {text})[1])), NULL)";

    private static string Prefix(string text) => $"least(ifNull(toUInt8OrNull(splitByChar('/', {text})[2]), 32), 32)";

    private static string Mask(string prefix) => $"bitShiftLeft(toUInt64(4294967295), 32 - {prefix})";

    private static string Masked(string text, string prefix) => $"bitAnd(toUInt64({Address(text)}), bitAnd({Mask($"least({prefix}, {Prefix(text)})")}, 4294967295))";

    private static string InRange(string address, string range) => SqlLambda.Let(address, range, (a, r) =>
        $"(bitAnd(toUInt64({Address(a)}), bitAnd({Mask(Prefix(r))}, 4294967295)) = bitAnd(toUInt64({Address(r)}), bitAnd({Mask(Prefix(r))}, 4294967295)))");

    /// <summary>Whether a number of bits is one of 0 to 32.</summary>
    private static string Given(SqlCall c, int index) => c.Has(index) ? $"ifNull({c.L(index)} BETWEEN 0 AND 32, false)" : "true";

    private static (string Left, string Right) Both(SqlCall c, string a, string b)
    {
        var prefix = $"least({Prefix(a)}, {Prefix(b)}{(c.Has(2) ? $", toUInt8(least(greatest({c.L(2)}, 0), 32))" : "")})";
        return (Masked(a, prefix), Masked(b, prefix));
    }

    private static string Compare(SqlCall c, string op) => SqlLambda.Let(c.S(0), c.S(1), (a, b) =>
    {
        var (left, right) = Both(c, a, b);
        return c.Has(2) ? $"if({Given(c, 2)}, {left} {op} {right}, NULL)" : $"({left} {op} {right})";
    });

    private static string Sign(SqlCall c) => SqlLambda.Let(c.S(0), c.S(1), (a, b) =>
    {
        var (left, right) = Both(c, a, b);
        var sign = $"toInt64(sign(toInt64({left}) - toInt64({right})))";
        return c.Has(2) ? $"if({Given(c, 2)}, {sign}, NULL)" : sign;
    });

    private static string Format(SqlCall c, bool slash)
    {
        var text = c[0].Type == KqlType.String ? c.S(0) : $"IPv4NumToString(toUInt32(bitAnd({c.L(0)}, 4294967295)))";
        return SqlLambda.Let(text, s =>
        {
            var valid = c.Has(1) ? $"{c.L(1)} BETWEEN 0 AND 32" : "true";
            var prefix = c.Has(1) ? $"toUInt8(greatest(least({c.L(1)}, 32), 0))" : "32";
            var shown = c.Has(1) ? $"least({prefix}, {Prefix(s)})" : Prefix(s);
            return $"if({valid}, concat(IPv4NumToString(toUInt32({Masked(s, prefix)})){(slash ? $", '/', toString({shown})" : "")}), NULL)";
        });
    }

    private const string Split = @"'^(?:([A-Za-z][A-Za-z0-9+.\\-]*)://)?(?:([^:@/?#]*)(?::([^@/?#]*))?@)?(\\[[^\\]]*\\]|[^:/?#]*)(?::([0-9]+))?([^?#]*)(?:\\?([^#]*))?(?:#(.*))?$'";

    private static SqlValue ParseUrl(SqlCall c)
    {
        var json = SqlLambda.Let($"extractGroups({c.S(0)}, {Split})", g =>
            $"concat('{{\"Scheme\":', toJSONString({g}[1]), ',\"Host\":', toJSONString({g}[4]), ',\"Port\":', toJSONString({g}[5]), ',\"Path\":', toJSONString({g}[6]), "
            + $"',\"Username\":', toJSONString({g}[2]), ',\"Password\":', toJSONString({g}[3]), ',\"Query Parameters\":', {Query($"{g}[7]")}, ',\"Fragment\":', toJSONString({g}[8]), '}}')");
        return new SqlValue(json, KqlType.Dynamic, false) { IsPresent = true };
    }

    private static string Query(string text) =>
        $"concat('{{', arrayStringConcat(arrayMap(p -> concat(toJSONString(splitByChar('=', p)[1]), ':', toJSONString(substring(p, position(p, '=') + 1))), "
        + $"arrayFilter(p -> position(p, '=') > 0, splitByChar('&', {text}))), ','), '}}')";

    private static SqlValue ParsePath(SqlCall c)
    {
        var json = SqlLambda.Let(c.S(0), p =>
        {
            var scheme = $"extract({p}, '^([A-Za-z][A-Za-z0-9+.\\\\-]+)://')";
            var path = $"replaceRegexpOne({p}, '^[A-Za-z][A-Za-z0-9+.\\\\-]+://', '')";
            var root = $"extract({path}, '^(?:[\\\\\\\\/]{{2}}[?.][\\\\\\\\/])?([A-Za-z]:)')";
            var name = $"extract({p}, '([^\\\\\\\\/:]*)(?:::?[^\\\\\\\\/:]+)?$')";
            var stream = $"extract({p}, '[^\\\\\\\\/:]+::?([^\\\\\\\\/:]+)$')";
            var directory = $"replaceRegexpOne({path}, '[\\\\\\\\/]?[^\\\\\\\\/]*$', '')";
            var parent = $"extract({directory}, '([^\\\\\\\\/]*)$')";
            return $"concat('{{\"Scheme\":', toJSONString({scheme}), ',\"RootPath\":', toJSONString({root}), ',\"DirectoryPath\":', toJSONString({directory}), "
                + $"',\"DirectoryName\":', toJSONString({parent}), ',\"Filename\":', toJSONString({name}), ',\"Extension\":', toJSONString(extract({name}, '\\\\.([^.]*)$')), "
                + $"',\"AlternateDataStreamName\":', toJSONString({stream}), '}}')";
        });
        return new SqlValue(json, KqlType.Dynamic, false) { IsPresent = true };
    }

    private static string HasAddress(string text, string address, bool prefix) => SqlLambda.Let(text, address, (t, a) => prefix
        ? $"(match({a}, '^[0-9.]+$') AND (endsWith({a}, '.') OR isIPv4String({a})) "
            + $"AND arrayExists(x -> startsWith(x, {a}) AND isIPv4String(x), extractAll({t}, '(?:^|[^0-9A-Za-z.])([0-9]+[.][0-9]+[.][0-9]+[.][0-9]+)(?:[^0-9A-Za-z.]|$)')))"
        : $"(isIPv4String({a}) AND match({t}, concat('(?:^|[^0-9A-Za-z.])', regexpQuoteMeta({a}), '(?:[^0-9A-Za-z.]|$)')))");

    private static string HasAny(SqlCall c, bool prefix) => c.Count == 2 && c[1].Type == KqlType.Dynamic
        ? $"arrayExists(a -> {HasAddress(c.S(0), "a", prefix)}, {c.Strings(1)})"
        : "(" + string.Join(" OR ", Enumerable.Range(1, c.Count - 1).Select(i => HasAddress(c.S(0), c.S(i), prefix))) + ")";
}
