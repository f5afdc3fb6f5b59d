using Vedette.Kql;

namespace Vedette.Telemetry.Tests.Properties;

/// <summary>
/// Makes queries at random that mean something: it knows the columns at each place and their types, so that most of what it makes is right. The
/// same random source makes the same query.
/// </summary>
/// <param name="random">The source.</param>
/// <param name="wide">Whether all functions, aggregates and operators may stand in it, also where their arguments may turn out wrong.</param>
internal sealed partial class QueryGrammar(Random random, bool wide = false)
{
    /// <summary>A table with a column of each type, nulls and odd values, for queries that need no stored rows.</summary>
    public const string Table =
        "let T = datatable(b:bool, i:int, l:long, r:real, m:decimal, s:string, u:string, t:datetime, p:timespan, g:guid, d:dynamic)["
        + "true, 1, 10, 1.5, decimal(2.25), 'alpha beta', 'x', datetime(2026-01-01 10:00:00.1234567), 1h, guid(74be27de-1e4e-49d9-b579-fe0b331d3642), dynamic({'k':1,'n':{'z':[1,2]},'w':'v'}),"
        + "false, -7, 9223372036854775807, real(nan), decimal(-1), 'Beta-gamma', 'y', datetime(2026-01-02), time(-1d), guid(null), dynamic([1,'two',3.5,null]),"
        + "bool(null), int(null), long(null), real(null), decimal(null), '', '', datetime(null), timespan(null), guid(11111111-2222-3333-4444-555555555555), dynamic(null),"
        + "true, 0, -1, real(+inf), decimal(0), 'ünï \"q\" \\\\ \\'', 'x', datetime(1970-01-01), 0s, guid(74be27de-1e4e-49d9-b579-fe0b331d3642), dynamic('text'),"
        + "false, 2147483647, 42, -0.001, decimal(12345.678), 'a.b/c?d=e&f', 'z', datetime(2026-01-02 23:59:59), time(1.02:03:04.5), guid(null), dynamic({'k':'1','list':[{'q':1},{'q':2}]})];\nlet Same = (X:(*)) { X | where true };\n";

    private static readonly KqlType[] Types =
        [KqlType.Bool, KqlType.Int, KqlType.Long, KqlType.Real, KqlType.Decimal, KqlType.String, KqlType.DateTime, KqlType.TimeSpan, KqlType.Guid, KqlType.Dynamic];

    /// <summary>The columns of <see cref="Table"/>.</summary>
    public static IReadOnlyList<(string Name, KqlType Type)> Columns => TableColumns;

    private static readonly (string, KqlType)[] TableColumns =
    [
        ("b", KqlType.Bool), ("i", KqlType.Int), ("l", KqlType.Long), ("r", KqlType.Real), ("m", KqlType.Decimal), ("s", KqlType.String), ("u", KqlType.String),
        ("t", KqlType.DateTime), ("p", KqlType.TimeSpan), ("g", KqlType.Guid), ("d", KqlType.Dynamic),
    ];

    private static readonly (string, KqlType)[] ProcessColumns =
    [
        ("Timestamp", KqlType.DateTime), ("DeviceId", KqlType.String), ("DeviceName", KqlType.String), ("FileName", KqlType.String), ("ProcessCommandLine", KqlType.String),
        ("ProcessId", KqlType.Long), ("ReportId", KqlType.Long), ("AdditionalFields", KqlType.String), ("InitiatingProcessFileName", KqlType.String), ("SHA1", KqlType.String),
    ];

    private int _names;

    private List<(string Name, KqlType Type)> _scope = [];

    /// <summary>A whole query.</summary>
    public string Query()
    {
        var steps = new List<string> { wide ? WideSource() : Source() };
        var count = 1 + random.Next(5);
        for (var i = 0; i < count; i++) steps.Add(Step());
        return Table + string.Join("\n| ", steps);
    }

    /// <summary>A condition over <see cref="Table"/>.</summary>
    public string Condition()
    {
        _scope = [.. TableColumns];
        return Bool(3);
    }

    /// <summary>A text that is probably no query: one with something taken out, doubled or put in.</summary>
    public string Broken()
    {
        var text = Query();
        for (var i = 0; i <= random.Next(3); i++)
        {
            var at = random.Next(text.Length);
            var length = Math.Min(random.Next(1, 12), text.Length - at);
            text = random.Next(4) switch
            {
                0 => text.Remove(at, length),
                1 => text.Insert(at, text.Substring(at, length)),
                2 => text.Insert(at, One("|", "(", ")", "[", "'", "\"", ";", "let ", " by ", "..", "@", "```", "\0", "\u202e", "\ud83d", "//", " in (", "dynamic(", "-", "{", "}", "\n")),
                _ => text.Remove(at, length).Insert(at, One("x", "1", "null", "where", "summarize", "*", "$left.", "'a'")),
            };
        }

        return text;
    }

    private string Source()
    {
        switch (random.Next(6))
        {
            case 0:
                _scope = [.. ProcessColumns];
                return "DeviceProcessEvents\n| project " + string.Join(", ", ProcessColumns.Select(c => c.Item1));
            case 1:
                _scope = [("x", KqlType.Long)];
                return $"range x from {random.Next(-3, 3)} to {random.Next(4, 12)} step {random.Next(1, 3)}";
            case 2:
                _scope = [.. TableColumns];
                return "union (T | where l > 0), (T | take 2)";
            default:
                _scope = [.. TableColumns];
                return "T";
        }
    }

    private string Step()
    {
        if (_scope.Count == 0) return "count";
        if (wide && random.Next(2) == 0) return WideStep();
        switch (random.Next(32))
        {
            case 0 or 1 or 2 or 3: return "where " + Bool(3);
            case 4 or 5 or 6: return Extend();
            case 7: return Project();
            case 8: return Away();
            case 9: return Rename();
            case 10 or 11 or 12: return Summarize();
            case 13: return Distinct();
            case 14: return $"sort by {Orderable()} {One("asc", "desc", "asc nulls last", "desc nulls first")}, {Orderable()}";
            case 15: return $"top {random.Next(1, 5)} by {Orderable()} {One("", "asc", "desc")}";
            case 16: return $"take {random.Next(0, 6)}";
            case 17 or 18: return Join();
            case 19: return $"union kind={One("inner", "outer")} (T | project s, l, x = 'v')".Replace("kind=inner", "kind=outer", StringComparison.Ordinal) + AfterUnion();
            case 20: return Expand();
            case 21: return Parse();
            case 22: return Numbered();
            case 23: return MakeSeries();
            case 24: return Partition();
            case 25: return Lookup();
            case 26: return Nested();
            case 27: return Apply();
            case 28: return Plugin();
            case 29: return Neighbours();
            default: return One("as Q", "sample 3", "serialize", "where true", "project-reorder *", "where 1 in ((T | project i))", "limit 4", "invoke Same()", "where isnotempty(toscalar(T | summarize take_any(s)))");
        }
    }

    private string Distinct()
    {
        var columns = _scope.Where(c => c.Type != KqlType.Dynamic).ToList();
        if (columns.Count == 0) return "take 2";
        _scope = [.. columns.Take(random.Next(1, 4))];
        return "distinct " + string.Join(", ", _scope.Select(c => c.Name));
    }

    private string AfterUnion()
    {
        // Which columns a union has depends on the types on both sides: go on with a count.
        _scope = [("Count", KqlType.Long)];
        return "\n| count";
    }

    private string Extend()
    {
        var type = One(Types);
        var value = Scalar(type, 3);
        var name = random.Next(4) == 0 ? One(_scope).Name : NewName();
        return Added($"extend {name} = {value}", name, type);
    }

    private string Project()
    {
        var kept = Some(_scope, 4, replace: false);
        var name = NewName();
        var type = One(Types);
        var value = Scalar(type, 2);
        _scope = [.. kept, (name, type)];
        return $"project {string.Concat(kept.Select(c => c.Name + ", "))}{name} = {value}";
    }

    private string Away()
    {
        if (_scope.Count < 2) return "where true";
        var gone = One(_scope).Name;
        _scope.RemoveAll(c => c.Name == gone);
        return "project-away " + gone;
    }

    private string Rename()
    {
        var at = random.Next(_scope.Count);
        var name = NewName();
        var text = $"project-rename {name} = {_scope[at].Name}";
        _scope[at] = (name, _scope[at].Type);
        return text;
    }

    private string Summarize()
    {
        var keys = Some(_scope.Where(c => c.Type != KqlType.Dynamic).ToList(), 2, replace: false).Select(c => (c.Name, c.Type, Text: c.Name)).ToList();
        if (random.Next(3) == 0)
        {
            var type = One(KqlType.String, KqlType.Long, KqlType.DateTime, KqlType.Bool);
            var name = NewName();
            keys.Add((name, type, $"{name} = {(type == KqlType.DateTime ? $"bin({Scalar(type, 1)}, {One("1h", "1d")})" : Scalar(type, 2))}"));
        }

        var aggregates = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Aggregate()).ToList();
        _scope = [.. keys.Select(k => (k.Name, k.Type)), .. aggregates.Select(a => (a.Name, a.Type))];
        return $"summarize {string.Join(", ", aggregates.Select(a => $"{a.Name} = {a.Text}"))}{(keys.Count == 0 ? "" : " by " + string.Join(", ", keys.Select(k => k.Text)))}";
    }

    private (string Name, KqlType Type, string Text) Aggregate()
    {
        var name = NewName();
        var number = One(KqlType.Long, KqlType.Real, KqlType.Int);
        var any = One(KqlType.Long, KqlType.String, KqlType.DateTime, KqlType.TimeSpan);
        return random.Next(16) switch
        {
            0 => (name, KqlType.Long, "count()"),
            1 => (name, KqlType.Long, $"countif({Bool(2)})"),
            2 => (name, number == KqlType.Real ? KqlType.Real : KqlType.Long, $"sum({Scalar(number, 1)})"),
            3 => (name, any, $"min({Scalar(any, 1)})"),
            4 => (name, any, $"max({Scalar(any, 1)})"),
            5 => (name, KqlType.Real, $"avg({Scalar(number, 1)})"),
            6 => (name, KqlType.Long, $"dcount({Scalar(any, 1)})"),
            7 => (name, KqlType.Dynamic, $"make_set({Scalar(any, 1)}, 5)"),
            8 => (name, KqlType.Dynamic, $"make_list({Scalar(any, 1)})"),
            9 => (name, KqlType.Real, $"stdev({Scalar(number, 1)})"),
            10 => (name, KqlType.Long, $"dcountif({Scalar(any, 1)}, {Bool(1)})"),
            11 => (name, KqlType.Dynamic, $"make_bag(bag_pack('k', {Scalar(any, 1)}))"),
            12 => (name, any, $"take_any({Scalar(any, 1)})"),
            13 => (name, any, $"take_anyif({Scalar(any, 1)}, {Bool(1)})"),
            14 => (name, KqlType.Dynamic, $"make_list_if({Scalar(any, 1)}, {Bool(1)}, 3)"),
            _ => (name, number == KqlType.Real ? KqlType.Real : KqlType.Long, $"sumif({Scalar(number, 1)}, {Bool(1)})"),
        };
    }

    private string Join()
    {
        var key = _scope.Where(c => c.Type is KqlType.String or KqlType.Long or KqlType.Int or KqlType.Guid or KqlType.DateTime or KqlType.Bool).ToList();
        if (key.Count == 0) return "take 3";
        var (name, type) = One(key);
        var right = type switch { KqlType.String => "s", KqlType.Long => "l", KqlType.Int => "i", KqlType.Guid => "g", KqlType.DateTime => "t", _ => "b" };
        var kind = One("inner", "innerunique", "leftouter", "rightouter", "fullouter", "leftanti", "leftsemi", "rightanti", "rightsemi");
        var (one, two) = (NewName(), NewName());
        var text = $"join kind={kind} (T | project {one} = {right}, {two} = strcat(u, '!')) on $left.{name} == $right.{one}";
        if (kind is "rightanti" or "rightsemi") _scope = [(one, type), (two, KqlType.String)];
        else if (kind is not ("leftanti" or "leftsemi")) _scope = [.. _scope, (one, type), (two, KqlType.String)];
        return text;
    }

    private string Expand()
    {
        var name = NewName();
        var type = One(KqlType.String, KqlType.Long, KqlType.Dynamic);
        return Added($"mv-expand {name} = {Scalar(KqlType.Dynamic, 1)} to typeof({type.Name()}) limit {random.Next(1, 9)}", name, type);
    }

    private string Lookup()
    {
        var keys = _scope.Where(c => c.Type == KqlType.String).ToList();
        if (keys.Count == 0) return "take 6";
        var (one, two) = (NewName(), NewName());
        var key = One(keys).Name;
        _scope.Add((two, KqlType.Long));
        return $"lookup kind={One("leftouter", "inner")} (T | summarize {two} = sum(l) by {one} = u) on $left.{key} == $right.{one}";
    }

    private string Nested()
    {
        var keys = _scope.Where(c => c.Type is KqlType.String or KqlType.Long or KqlType.Bool).ToList();
        if (keys.Count == 0) return "take 7";
        var (key, count) = (One(keys), NewName());
        var name = NewName();
        _scope = [(name, key.Type), (count, KqlType.Long)];
        return $"top-nested {random.Next(1, 4)} of {name} = {key.Name} by {count} = count()";
    }

    private string Apply()
    {
        var (element, total) = (NewName(), NewName());
        var array = Scalar(KqlType.Dynamic, 1);
        _scope.Add((total, KqlType.Long));
        return $"mv-apply {element} = {array} to typeof(string) on (summarize {total} = {One("count()", $"sum(strlen({element}))", $"countif({element} has 'a')")})";
    }

    private string Plugin()
    {
        var keys = _scope.Where(c => c.Type == KqlType.String).ToList();
        if (keys.Count == 0) return "take 8";
        var (count, key) = (NewName(), One(keys).Name);
        _scope = [(count, KqlType.Long)];
        return One(
            $"project {key} = strcat('c_', {key}) | evaluate pivot({key}) | summarize {count} = count()",
            $"project q = bag_pack('a', {key}, 'b', 1) | evaluate bag_unpack(q) | summarize {count} = countif(isnotempty(a))",
            $"evaluate narrow() | summarize {count} = count() by Column | project {count}");
    }

    private string Parse()
    {
        var (one, two) = (NewName(), NewName());
        var text = $"parse {Scalar(KqlType.String, 0)} with * {One("'a'", "'-'", "' '")} {one}:{One("string", "long")} {One("'b' *", "' ' *", "'=' " + two + ":string", "'/' " + two + ":long ':' *")}";
        _scope.Add((one, text.Contains(one + ":long", StringComparison.Ordinal) ? KqlType.Long : KqlType.String));
        if (text.Contains(two, StringComparison.Ordinal)) _scope.Add((two, text.Contains(two + ":long", StringComparison.Ordinal) ? KqlType.Long : KqlType.String));
        return text;
    }

    private string Numbered()
    {
        var name = NewName();
        var type = One(KqlType.Long, KqlType.String);
        var value = type == KqlType.Long ? One("row_number()", $"row_cumsum({Scalar(KqlType.Long, 1)})", "row_number(5)") : $"strcat('#', row_rank_dense({Orderable()}))";
        return Added($"sort by {Orderable()} asc\n| extend {name} = {value}", name, type);
    }

    private string Neighbours() => Orderable() is var column && column != "1"
        ? $"sort by {Orderable()} asc | extend {NewName()} = prev({column}), {NewName()} = next({column}, 2)"
        : "take 9";

    private string MakeSeries()
    {
        var name = NewName();
        var time = Scalar(KqlType.DateTime, 0);
        if (_scope.All(c => c.Name != time)) return "take 4";
        _scope = [(name, KqlType.Dynamic), (time, KqlType.Dynamic)];
        return $"make-series {name} = count() default=0 on {time} from datetime(2026-01-01) to datetime(2026-01-04) step {One("1d", "6h")}";
    }

    private string Partition()
    {
        var keys = _scope.Where(c => c.Type is KqlType.String or KqlType.Long).ToList();
        if (keys.Count == 0) return "take 5";
        return $"partition hint.strategy=native by {One(keys).Name} (top 2 by {Orderable()})";
    }

    private string Orderable()
    {
        var columns = _scope.Where(c => c.Type is not (KqlType.Dynamic or KqlType.Guid)).ToList();
        return columns.Count == 0 ? "1" : One(columns).Name;
    }

    private string Scalar(KqlType type, int depth)
    {
        var columns = _scope.Where(c => c.Type == type).ToList();
        if (columns.Count > 0 && (depth <= 0 || random.Next(3) == 0)) return One(columns).Name;
        if (depth <= 0) return wide ? OddValues.Literal(random, type) : Literal(type);
        if (wide && random.Next(2) == 0 && AnyFunction(type, depth) is { } call) return call;
        return type switch
        {
            KqlType.Bool => Bool(depth),
            KqlType.Int => One(Literal(type), $"toint({Number(depth - 1)})", $"hourofday({Scalar(KqlType.DateTime, depth - 1)})", $"dayofmonth({Scalar(KqlType.DateTime, depth - 1)})"),
            KqlType.Long => Long(depth - 1),
            KqlType.Real => Real(depth - 1),
            KqlType.Decimal => One(Literal(type), $"todecimal({Scalar(KqlType.Long, depth - 1)})"),
            KqlType.String => Text(depth - 1),
            KqlType.DateTime => Time(depth - 1),
            KqlType.TimeSpan => Span(depth - 1),
            KqlType.Guid => One(Literal(type), $"toguid({Scalar(KqlType.String, depth - 1)})"),
            _ => Dynamic(depth - 1),
        };
    }

    private string Number(int depth) => Scalar(One(KqlType.Long, KqlType.Int, KqlType.Real), depth);

    private string Bool(int depth)
    {
        var columns = _scope.Where(c => c.Type == KqlType.Bool).ToList();
        if (depth <= 0) return columns.Count > 0 && random.Next(2) == 0 ? One(columns).Name : One("true", "false", $"isnull({Number(0)})");
        var deeper = depth - 1;
        var text = Scalar(KqlType.String, deeper);
        return random.Next(14) switch
        {
            0 => $"({Bool(deeper)} and {Bool(deeper)})",
            1 => $"({Bool(deeper)} or {Bool(deeper)})",
            2 => $"not({Bool(deeper)})",
            3 or 4 => $"({Number(deeper)} {One("==", "!=", "<", "<=", ">", ">=")} {Number(deeper)})",
            5 or 6 => $"({text} {One("==", "!=", "=~", "!~", "has", "!has", "contains", "contains_cs", "!contains", "startswith", "!startswith_cs", "endswith", "hasprefix", "hassuffix_cs")} {Scalar(KqlType.String, deeper)})",
            7 => $"({text} {One("in", "!in", "in~", "has_any", "has_all", "!in~")} ({Literal(KqlType.String)}, {Literal(KqlType.String)}))",
            8 => $"({Scalar(KqlType.DateTime, deeper)} {One("<", ">=", "==", "!=")} {Scalar(KqlType.DateTime, deeper)})",
            9 => $"({Number(deeper)} between ({random.Next(-9, 2)} .. {random.Next(2, 99)}))",
            10 => $"{One("isempty", "isnotempty")}({text})",
            11 => $"{One("isnull", "isnotnull")}({Scalar(One(KqlType.Long, KqlType.DateTime, KqlType.Dynamic, KqlType.Guid, KqlType.Real), deeper)})",
            12 => $"({text} matches regex {One("@'^a'", "'[0-9]+'", "@'\\w+\\s'", "'(?i)BETA'")})",
            _ => $"({Scalar(KqlType.TimeSpan, deeper)} {One("<", ">", "==")} {Scalar(KqlType.TimeSpan, deeper)})",
        };
    }

    private string Long(int depth) => random.Next(14) switch
    {
        0 or 1 => $"({Scalar(KqlType.Long, depth)} {One("+", "-", "*", "/", "%")} {Scalar(One(KqlType.Long, KqlType.Int), depth)})",
        2 => $"strlen({Scalar(KqlType.String, depth)})",
        3 => $"tolong({Scalar(One(KqlType.String, KqlType.Real, KqlType.Dynamic, KqlType.Bool), depth)})",
        4 => $"array_length({Scalar(KqlType.Dynamic, depth)})",
        5 => $"indexof({Scalar(KqlType.String, depth)}, {Literal(KqlType.String)})",
        6 => $"countof({Scalar(KqlType.String, depth)}, {One("'a'", "'b'")})",
        7 => $"iff({Bool(depth)}, {Scalar(KqlType.Long, depth)}, {Scalar(KqlType.Long, depth)})",
        8 => $"datetime_diff('{One("day", "hour", "month", "second", "week", "year")}', {Scalar(KqlType.DateTime, depth)}, {Scalar(KqlType.DateTime, depth)})",
        9 => $"coalesce({Scalar(KqlType.Long, depth)}, {Scalar(KqlType.Long, depth)})",
        10 => $"bin({Scalar(KqlType.Long, depth)}, {random.Next(1, 9)})",
        11 => $"binary_and({Scalar(KqlType.Long, depth)}, {random.Next(0, 99)})",
        12 => $"case({Bool(depth)}, {Scalar(KqlType.Long, depth)}, {Bool(depth)}, {Literal(KqlType.Long)}, {Literal(KqlType.Long)})",
        _ => $"abs({Scalar(KqlType.Long, depth)})",
    };

    private string Real(int depth) => random.Next(8) switch
    {
        0 or 1 => $"({Scalar(KqlType.Real, depth)} {One("+", "-", "*", "/", "%")} {Number(depth)})",
        2 => $"sqrt({Number(depth)})",
        3 => $"round({Scalar(KqlType.Real, depth)}, {random.Next(0, 4)})",
        4 => $"toreal({Scalar(KqlType.String, depth)})",
        5 => $"({Scalar(KqlType.TimeSpan, depth)} / {One("1h", "7s")})",
        6 => $"pow({Number(depth)}, 2)",
        _ => $"log({Number(depth)})",
    };

    private string Text(int depth) => random.Next(18) switch
    {
        0 => $"strcat({Scalar(KqlType.String, depth)}, {Literal(KqlType.String)}, {Scalar(One(Types), depth)})",
        1 => $"tostring({Scalar(One(Types), depth)})",
        2 => $"{One("tolower", "toupper")}({Scalar(KqlType.String, depth)})",
        3 => $"substring({Scalar(KqlType.String, depth)}, {random.Next(-2, 5)}, {random.Next(0, 5)})",
        4 => $"extract({One("'([a-z]+)'", "@'(\\d)'")}, 1, {Scalar(KqlType.String, depth)})",
        5 => $"replace_string({Scalar(KqlType.String, depth)}, {Literal(KqlType.String)}, {Literal(KqlType.String)})",
        6 => $"replace_regex({Scalar(KqlType.String, depth)}, '[aeiou]', '<\\\\0>')",
        7 => $"trim({One("' '", "'[a-c]+'")}, {Scalar(KqlType.String, depth)})",
        8 => $"iff({Bool(depth)}, {Scalar(KqlType.String, depth)}, {Scalar(KqlType.String, depth)})",
        9 => $"format_datetime({Scalar(KqlType.DateTime, depth)}, 'yyyy-MM-dd HH')",
        10 => $"tostring(split({Scalar(KqlType.String, depth)}, ' ')[{random.Next(-1, 2)}])",
        11 => $"strcat_array({Scalar(KqlType.Dynamic, depth)}, ',')",
        12 => $"reverse({Scalar(KqlType.String, depth)})",
        13 => $"hash_md5({Scalar(KqlType.String, depth)})",
        14 => $"base64_encode_tostring({Scalar(KqlType.String, depth)})",
        15 => $"tostring({Scalar(KqlType.Dynamic, depth)}.k)",
        16 => $"parse_path({Scalar(KqlType.String, depth)}).Filename".Insert(0, "tostring(") + ")",
        _ => $"url_decode({Scalar(KqlType.String, depth)})",
    };

    private string Time(int depth) => random.Next(7) switch
    {
        0 => $"({Scalar(KqlType.DateTime, depth)} {One("+", "-")} {Scalar(KqlType.TimeSpan, depth)})",
        1 => $"bin({Scalar(KqlType.DateTime, depth)}, {One("1h", "1d", "15m", "7d")})",
        2 => $"{One("startofday", "endofmonth", "startofweek", "endofday", "startofyear")}({Scalar(KqlType.DateTime, depth)})",
        3 => $"ago({One("1d", "3h", "-2m")})",
        4 => $"todatetime({Scalar(One(KqlType.String, KqlType.Dynamic), depth)})",
        5 => $"datetime_add('{One("day", "month", "hour", "year")}', {random.Next(-20, 20)}, {Scalar(KqlType.DateTime, depth)})",
        _ => $"unixtime_seconds_todatetime({random.Next(0, 2_000_000_000)})",
    };

    private string Span(int depth) => random.Next(5) switch
    {
        0 => $"({Scalar(KqlType.DateTime, depth)} - {Scalar(KqlType.DateTime, depth)})",
        1 => $"({Scalar(KqlType.TimeSpan, depth)} * {random.Next(-3, 4)})",
        2 => $"totimespan({Scalar(KqlType.String, depth)})",
        3 => $"bin({Scalar(KqlType.TimeSpan, depth)}, 1m)",
        _ => $"({Scalar(KqlType.TimeSpan, depth)} {One("+", "-")} {Literal(KqlType.TimeSpan)})",
    };

    private string Dynamic(int depth) => random.Next(14) switch
    {
        0 => $"bag_pack('a', {Scalar(One(Types), depth)}, 'b c', {Scalar(One(Types), depth)})",
        1 => $"pack_array({Scalar(One(Types), depth)}, {Scalar(One(Types), depth)})",
        2 => $"split({Scalar(KqlType.String, depth)}, {One("' '", "'a'", "'.'")})",
        3 => $"{Scalar(KqlType.Dynamic, depth)}.n",
        4 => $"{Scalar(KqlType.Dynamic, depth)}[{One("0", "-1", "'k'", "'w'", "2")}]",
        5 => $"parse_json({Scalar(KqlType.String, depth)})",
        6 => $"bag_keys({Scalar(KqlType.Dynamic, depth)})",
        7 => $"array_slice({Scalar(KqlType.Dynamic, depth)}, 0, 1)",
        8 => $"array_concat({Scalar(KqlType.Dynamic, depth)}, pack_array(1))",
        9 => $"set_union({Scalar(KqlType.Dynamic, depth)}, pack_array('x'))",
        10 => $"extract_all(@'([a-z])', {Scalar(KqlType.String, depth)})",
        11 => $"array_sort_asc({Scalar(KqlType.Dynamic, depth)})",
        12 => $"zip({Scalar(KqlType.Dynamic, depth)}, pack_array(1, 2))",
        _ => $"bag_merge({Scalar(KqlType.Dynamic, depth)}, bag_pack('m', {Scalar(KqlType.Long, depth)}))",
    };

    private string Literal(KqlType type) => type switch
    {
        KqlType.Bool => One("true", "false", "bool(null)"),
        KqlType.Int => One("int(0)", "int(-5)", "int(null)", "int(2147483647)"),
        KqlType.Long => One("0", "1", "7", "(-3)", "long(null)", "9223372036854775807", "1000000007"),
        KqlType.Real => One("0.5", "(-2.25)", "real(null)", "1e10", "real(nan)", "0.0"),
        KqlType.Decimal => One("decimal(1.5)", "decimal(null)", "decimal(-3)"),
        KqlType.String => One("''", "'a'", "\"beta\"", "@'c:\\x'", "'it''s'", "'line\\nbreak'", "'ü'", "'12'", "'2026-01-02'", "'%_'", "'{\"k\":[1]}'", "'*'").Replace("'it''s'", "'it\\'s'", StringComparison.Ordinal),
        KqlType.DateTime => One("datetime(2026-01-01)", "datetime(2025-12-31 23:59:59.9999999)", "datetime(null)", "now()", "datetime(1970-01-01)"),
        KqlType.TimeSpan => One("1h", "time(0s)", "(-1d)", "timespan(null)", "1.5s", "100ms", "time(1.02:03:04)"),
        KqlType.Guid => One("guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", "guid(null)"),
        _ => One("dynamic({'k':1,'a':[1,2]})", "dynamic([3,1,2])", "dynamic(null)", "dynamic('v')", "dynamic({})", "dynamic([])", "dynamic([{'q':1},null,'x',2.5])"),
    };

    private string Added(string text, string name, KqlType type)
    {
        _scope.RemoveAll(c => c.Name == name);
        _scope.Add((name, type));
        return text;
    }

    private string NewName() => $"n{++_names}";

    private T One<T>(params IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];

    private List<(string Name, KqlType Type)> Some(List<(string Name, KqlType Type)> from, int most, bool replace)
    {
        var chosen = from.OrderBy(_ => random.Next()).Take(random.Next(replace ? 1 : 0, most + 1)).ToList();
        if (replace) _scope = chosen;
        return chosen;
    }
}
