using System.Collections.Frozen;
using Vedette.Kql;
using Vedette.Kql.Symbols;

namespace Vedette.Telemetry.Tests.Properties;

/// <summary>Literals that are likely to trip a function: ends of ranges, nulls, broken texts, and values of the form that a parameter asks for.</summary>
internal static class OddValues
{
    private static readonly string Deep = string.Concat(Enumerable.Repeat("[", 120)) + string.Concat(Enumerable.Repeat("]", 120));

    private const string Polygon = "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[0,4],[4,4],[4,0],[0,0]]]}";

    private const string Line = "{\"type\":\"LineString\",\"coordinates\":[[0,0],[1,1],[2,1]]}";

    private static readonly FrozenDictionary<KqlType, string[]> ByType = new Dictionary<KqlType, string[]>
    {
        [KqlType.Bool] = ["true", "false", "bool(null)"],
        [KqlType.Int] = ["int(0)", "int(1)", "int(-5)", "int(null)", "int(2147483647)", "int(-2147483648)", "int(7)"],
        [KqlType.Long] = ["0", "1", "2", "3", "10", "(-3)", "long(null)", "9223372036854775807", "long(-9223372036854775808)", "1000000007", "4294967296", "16"],
        [KqlType.Real] = ["0.5", "0.0", "1.0", "(-2.25)", "real(null)", "1e10", "real(nan)", "real(+inf)", "real(-inf)", "1.7976931348623157e308", "5e-324", "1e18", "99.9"],
        [KqlType.Decimal] = ["decimal(1.5)", "decimal(null)", "decimal(-3)", "decimal(0)", "decimal(12345678901234567890.12345)", "decimal(0.00000001)"],
        [KqlType.String] =
        [
            "''", "'a'", "'beta gamma'", "@'c:\\x y\\z.exe'", "'it\\'s'", "'line\\nbreak'", "'ünï'", "'12'", "'-7.5'", "'2026-01-02'", "'%_'", "'{\"k\":[1,{\"z\":null}]}'", "'*'", "'漢字😀'", "'{\"broken\":'", "'[1,2'",
            "'\\0'", "'  '", "'\\u202e'", "'NaN'", "'1e400'", "'9223372036854775808'", "'10.0.0.1'", "'::1'", "'true'", "'1.02:03:04'", "'00000000-0000-0000-0000-000000000001'", "'" + string.Concat(Enumerable.Repeat("ab ", 500)) + "'",
            "'\\\\'", "'('", "'null'", "'\"q\"'", "'İıßſK'", "'e\\u0301'", "'{x:String}'", "'https://a.example:99/p/q?x=1&y=%zz#f'",
        ],
        [KqlType.DateTime] =
        [
            "datetime(2026-01-01)", "datetime(2025-12-31 23:59:59.9999999)", "datetime(null)", "datetime(1970-01-01)", "datetime(0001-01-01)", "datetime(9999-12-31 23:59:59.9999999)", "datetime(1899-12-31)",
            "datetime(2262-04-12)", "datetime(2024-02-29 12:30)", "datetime(2300-01-01)", "datetime(1600-06-01)",
        ],
        [KqlType.TimeSpan] = ["1h", "time(0s)", "(-1d)", "timespan(null)", "1.5s", "100ms", "time(1.02:03:04)", "1tick", "time(10675199.02:48:05.4775807)", "365d", "7d"],
        [KqlType.Guid] = ["guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", "guid(null)", "guid(00000000-0000-0000-0000-000000000000)"],
        [KqlType.Dynamic] =
        [
            "dynamic({'k':1,'a':[1,2]})", "dynamic([3,1,2])", "dynamic(null)", "dynamic('v')", "dynamic({})", "dynamic([])", "dynamic([{'q':1},null,'x',2.5])", "dynamic(5)", "dynamic(1.5)", "dynamic(true)",
            "dynamic(['a','b','a',''])", "dynamic([1.5,2.5,-1,0,7])", "dynamic([null,null])", "dynamic([[1,2],[3],[]])", "dynamic({'':{'':[{}]}})", "dynamic([1,2,3,4,5,6,7,8,9,10,9,8,7,6,5,4,3,2,1])",
            "parse_json('{\"broken\":')", $"parse_json('{Deep}')", "dynamic(['2026-01-01','x'])", "dynamic([9223372036854775807,1e308,-1])", "parse_json('{\"a.b\":1,\"a b\":{\"c\\'d\":2}}')", "range(1, 2000)",
            "dynamic(['ü','漢','\\u0000'])", "dynamic({'k':null})", "dynamic('')", "dynamic(\"{'x':1}\")", "dynamic([true,false])", "dynamic({'a':{'b':{'c':[0,1]}},'k':'v'})",
        ],
    }.ToFrozenDictionary();

    /// <summary>Texts that parameters of a name understand.</summary>
    private static readonly (string[] Names, string[] Literals)[] Texts =
    [
        (["regex", "lookup_regex"], ["'[a-z]+'", "@'(\\d+)([a-z])?'", "'^a|b$'", "''", "'(?i)BETA'", "@'\\w+\\s'", "'.'", "@'(\\w)(\\w)'"]),
        (["rewrite", "rewrite_pattern"], ["'<\\\\0>'", "'\\\\1'", "''", "'$1'", "'x'", "'\\\\9'"]),
        (["ip", "ip1", "ip2", "ip_range", "ranges", "start_ip", "end_ip", "ip_prefix", "ip_prefixes", "ips"],
            ["'10.0.0.1'", "'192.168.1.77/24'", "'10.0.0.0/8'", "'255.255.255.255'", "'0.0.0.0'", "'999.1.1.1'", "'10.0.'", "'::1'", "'fe80::85d:e82c:9446:7994/120'", "'::ffff:10.0.0.1'", "'1.2.3.4/33'", "''"]),
        (["timezone"], ["'Europe/Berlin'", "'US/Pacific'", "'UTC'", "'nowhere'", "''", "'Asia/Kathmandu'"]),
        (["format"], ["'yyyy-MM-dd HH:mm:ss.fffffff'", "'y-M-d [h:m:s tt]'", "'d.hh:mm:ss.FFF'", "'KB'", "'MB'", "'yy'", "''"]),
        (["wkt"], ["'POINT(1 2)'", "'POLYGON((0 0,0 4,4 4,4 0,0 0))'", "'LINESTRING(0 0,1 1'", "'GEOMETRYCOLLECTION EMPTY'", "''"]),
        (["geohash"], ["'sqb'", "'u4pruydqqvj'", "'a'", "'ezs42'"]),
        (["h3cell"], ["'862a1072fffffff'", "'8f2a1072b59e2cb'", "'80dbfffffffffff'"]),
        (["s2cell"], ["'47ae46c'", "'1234567'", "'89c25a30'"]),
        (["url", "encoded_url", "query"], ["'https://u:p@host.example:8443/a/b%20c?x=1&x=2&=3#frag'", "'http://[::1]/'", "'x=1&y=a%zz'", "'%e4%b8'", "'ftp:'", "'//x'"]),
        (["path"], ["@'C:\\a\\b.tar.gz'", "'/etc/x.conf'", "@'\\\\srv\\share\\f'", "'a:'", "@'C:\\a:stream'"]),
        (["version"], ["'1.2.3.40'", "'1.2'", "'1.2.3.4.5'", "'99999999.1'", "'x.1'"]),
        (["xml_text"], ["'<a x=\"1\"><b>t</b><b/></a>'", "'<a><b></a>'", "'<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>'", "'<a>&lt;</a>'"]),
        (["json_text", "jsonText"], ["'{\"k\":[1,{\"z\":2}],\"s\":\"v\"}'", "'[1,2,'", "'\"x\"'", "'nul'", "'{\"k\":1,\"k\":2}'", "'1e999'"]),
        (["jsonPath"], ["'$.k'", "'$.k[0]'", "'$[\"k\"][1].z'", "'$'", "'$..z'", "'$.k[?(@>1)]'", "''", "'x'"]),
        (["csv_text"], ["'a,\"b,\"\"c\",d'", "'\"open'", "',,'", "'a\\nb,c'"]),
        (["base64_string", "base64_string_decoded_as_array"], ["'aGVsbG8='", "'aGVsbG8'", "'!!'", "'////'", "'AAECAwQFBgcICQoLDA0ODw=='"]),
        (["user_agent"], ["'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36'", "'curl/8'"]),
        (["look_for"], ["'browser'", "'os'", "'device'"]),
        (["command"], ["'cmd.exe /c \"a b\" c\\\\\"d'", "'\"open'"]),
        (["parser"], ["'windows'"]),
        (["trend"], ["'linefit'", "'avg'", "'none'", "'x'"]),
        (["method", "kind"], ["'ctukey'", "'tukey'", "'normal'", "'regex'"]),
        (["key"], ["'k'", "'a b'", "''", "'a.b'", "'k\\'\\\\'"]),
        (["column_name"], ["'nothing'"]),
        (["searchList", "replacementList"], ["'abc'", "'xyz'", "''", "'a-c'", "'ü'"]),
        (["delimiter"], ["','", "' '", "''", "'ab'"]),
        (["cursor", "group", "message"], ["''", "'x'"]),
    ];

    /// <summary>Dynamic values that parameters of a name understand.</summary>
    private static readonly (string[] Names, string[] Literals)[] Bags =
    [
        (["polygon", "polygon1", "polygon2"],
        [
            $"dynamic({Polygon})", "dynamic({\"type\":\"Polygon\",\"coordinates\":[[[1,1],[1,6],[6,6],[6,1],[1,1]]]})", "dynamic({\"type\":\"MultiPolygon\",\"coordinates\":[[[[0,0],[0,1],[1,1],[0,0]]],[[[5,5],[5,6],[6,6],[5,5]]]]})",
            "dynamic({\"type\":\"Polygon\",\"coordinates\":[]})", "dynamic({\"type\":\"Polygon\",\"coordinates\":[[[0,0],[200,0],[0,95],[0,0]]]})", $"dynamic({Line})",
        ]),
        (["lineString", "lineString1", "lineString2"],
        [
            $"dynamic({Line})", "dynamic({\"type\":\"LineString\",\"coordinates\":[[0,2],[3,0]]})", "dynamic({\"type\":\"MultiLineString\",\"coordinates\":[[[0,0],[1,0]],[[5,5],[6,7]]]})",
            "dynamic({\"type\":\"LineString\",\"coordinates\":[[0,0]]})", "dynamic({\"type\":\"LineString\",\"coordinates\":[[0,0],[0,0]]})", $"dynamic({Polygon})",
        ]),
        (["polygons"], [$"dynamic([{Polygon},{Polygon}])", "dynamic([])", $"dynamic([{Line}])"]),
        (["lineStrings"], [$"dynamic([{Line},{Line}])", "dynamic([])"]),
        (["ip", "ips", "ranges", "ip_prefixes"], ["dynamic(['10.0.0.0/8','192.168.1.1'])", "dynamic(['::/0','x',5])", "dynamic([])"]),
        (["wkt"], ["dynamic(['POINT(1 2)','x'])"]),
        (["series", "series1", "series2", "y_series", "x_series", "filter", "series_imaginary", "numerators", "denominators"],
        [
            "dynamic([1,2,3,4,5,6,7,8,9,10,9,8,7,6,5,4,3,2,1])", "dynamic([1.5,null,3,'x',5])", "dynamic([])", "dynamic([0])", "range(1, 300)", "dynamic([1,1,1,1])", "dynamic([1e308,-1e308,5])", "dynamic([0,0,0])", "dynamic([2,1])",
        ]),
        (["string", "array"], ["dynamic([97,98,19968])", "dynamic([1114112,-1])"]),
        (["keys", "lookups", "rewrites"], ["dynamic(['a','k'])", "dynamic([])", "dynamic(['$.a.b','k'])", "dynamic([1,null])"]),
        (["indices", "captureGroups", "percentiles"], ["dynamic([1,2])", "dynamic([0,50,100])", "dynamic([-1,9999999999])"]),
        (["look_for"], ["dynamic(['browser','os','device'])"]),
    ];

    private static readonly (string[] Names, string[] Literals)[] Numbers =
    [
        (["longitude", "p_longitude", "pc_longitude", "p1_longitude", "p2_longitude", "p3_longitude"], ["0.0", "1.5", "-74.006", "179.99", "-200.0", "3.0"]),
        (["latitude", "p_latitude", "pc_latitude", "p1_latitude", "p2_latitude", "p3_latitude"], ["0.0", "1.5", "40.7128", "89.9", "95.0", "2.0"]),
        (["radius", "c_radius", "tolerance"], ["0.5", "1000.0", "100000.0", "-1.0", "0.0", "1e9"]),
        (["probability", "alpha", "beta", "fraction"], ["0.5", "0.1", "1.0", "0.0", "2.0", "-1.0"]),
        (["percentile", "percentile1"], ["50.0", "99.9", "0.0", "100.0", "-1.0", "101.0"]),
        (["year"], ["2026.0", "0.0", "99999.0"]),
        (["month", "day", "hour", "minute"], ["1.0", "12.0", "31.0", "60.0"]),
        (["degrees", "number", "x", "y"], ["1.0", "0.3", "100.0", "171.5"]),
    ];

    private static readonly (string[] Names, string[] Literals)[] Integers =
    [
        (["resolution", "level", "accuracy", "distance"], ["0", "3", "7", "15", "31", "-1"]),
        (["prefix"], ["24", "32", "0", "33", "-1", "128"]),
        (["degree", "period", "test_points", "num_periods"], ["1", "2", "5", "0", "-1", "100"]),
        (["count", "multiplier"], ["3", "0", "-1"]),
        (["captureGroup"], ["0", "1", "2", "9", "-1"]),
        (["start", "length", "occurrence", "index", "requestedIndex", "rotate_count", "shift_count", "precision", "shift"], ["0", "1", "2", "-1", "-2", "63", "64", "100"]),
    ];

    /// <summary>Types that a parameter takes.</summary>
    public static KqlType[] Types(FunctionParameterSymbol parameter, KqlType common) => parameter.Class switch
    {
        ParameterClass.Declared => [.. parameter.Types],
        ParameterClass.Integer => [KqlType.Int, KqlType.Long],
        ParameterClass.RealOrDecimal => [KqlType.Real, KqlType.Decimal],
        ParameterClass.StringOrDynamic or ParameterClass.StringOrArray => [KqlType.String, KqlType.Dynamic],
        ParameterClass.IntegerOrArray => [KqlType.Int, KqlType.Long, KqlType.Dynamic],
        ParameterClass.Array or ParameterClass.Bag => [KqlType.Dynamic],
        ParameterClass.Number => [KqlType.Int, KqlType.Long, KqlType.Real, KqlType.Decimal],
        ParameterClass.NumberOrBool => [KqlType.Int, KqlType.Long, KqlType.Real, KqlType.Decimal, KqlType.Bool],
        ParameterClass.Summable => Summable,
        ParameterClass.Orderable => [.. Summable, KqlType.Bool, KqlType.String],
        ParameterClass.NotRealOrBool => [KqlType.Int, KqlType.Long, KqlType.String, KqlType.DateTime, KqlType.TimeSpan, KqlType.Guid, KqlType.Dynamic, KqlType.Decimal],
        ParameterClass.NotDynamic => [.. All.Where(t => t != KqlType.Dynamic)],
        ParameterClass.NotBool => [.. All.Where(t => t != KqlType.Bool)],
        ParameterClass.Same0 or ParameterClass.Common or ParameterClass.CommonNumber or ParameterClass.CommonSummable or ParameterClass.CommonOrderable or ParameterClass.CommonOrDynamic => [common],
        _ => All,
    };

    public static readonly KqlType[] All =
        [KqlType.Bool, KqlType.Int, KqlType.Long, KqlType.Real, KqlType.Decimal, KqlType.String, KqlType.DateTime, KqlType.TimeSpan, KqlType.Guid, KqlType.Dynamic];

    private static readonly KqlType[] Summable = [KqlType.Int, KqlType.Long, KqlType.Real, KqlType.Decimal, KqlType.DateTime, KqlType.TimeSpan];

    /// <summary>A literal of a type; null where nothing is as interesting as a value of the form that the parameter's name asks for.</summary>
    public static string Literal(Random random, KqlType type, string parameter = "")
    {
        var hints = type switch
        {
            KqlType.String => Texts,
            KqlType.Dynamic => Bags,
            KqlType.Real => Numbers,
            KqlType.Long or KqlType.Int => Integers,
            _ => [],
        };
        if (parameter.Length > 0 && random.Next(10) < 7 && hints.FirstOrDefault(h => h.Names.Contains(parameter)).Literals is { } fitting)
        {
            var text = fitting[random.Next(fitting.Length)];
            return type == KqlType.Int ? $"int({text})" : text;
        }

        var all = ByType[type];
        return all[random.Next(all.Length)];
    }

    /// <summary>All literals of a type.</summary>
    public static IReadOnlyList<string> Of(KqlType type) => ByType[type];
}
