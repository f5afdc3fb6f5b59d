using Vedette.Kql;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Tests.Properties;

/// <summary>Two ways to ask the same of stored rows give the same: however a query is written, and whichever index, count or shortcut answers it.</summary>
public sealed class StoredProperties
{
    // Their value is another each time.
    private static readonly string[] Volatile = ["now(", "ago(", "current_node_id("];

    private static readonly string[] Needles =
        ["", "a", "b", "exe", "powershell", "enc", "aGk=", "x1", "x1_y2", "_", "a_b", "é", "café", "CAFÉ", "ünï", "ÜNÏ", "i", "İ", "k", "ss", "s", "漢", "漢字", "😀", "100%", "%", "server\\share", "\\", "\\\\server", ".", "aa.bb", "\0", "nul", "'", "\"", "{", "\"k\"", " ", "new line", "MIXED", "istanbul", "K", "zero", "right", "-7.5", "1", "01.02", "width", "word", "em", "long text"];

    [Fact]
    public void Two_ways_to_ask_the_same_agree() => FuzzCampaign.Run("stored", 150, random =>
    {
        var (name, one, two) = Pair(random);
        if (Volatile.Any(v => one.Contains(v, StringComparison.Ordinal))) return [];
        var (first, second) = (Answer.Of(one), Answer.Of(two));
        if (first.IsBroken) return [($"{name}: {first.ErrorText}", one)];
        if (second.IsBroken) return [($"{name}: {second.ErrorText}", two)];
        // The grammar is not always right about types.
        if (first.Error is { Failure: HuntingFailure.Semantic or HuntingFailure.Syntax } || second.Error is { Failure: HuntingFailure.Semantic or HuntingFailure.Syntax }) return [];
        if (first.Error is not null || second.Error is not null) return first.Error?.Message == second.Error?.Message ? [] : [($"{name}: {first.ErrorText} / {second.ErrorText}", one + "\n" + two)];
        var (a, b) = (Sorted(first), Sorted(second));
        if (a.Count == b.Count && a.Zip(b).All(p => Answer.Same(p.First, p.Second))) return [];
        return [($"{name} differs", $"{one}\n{string.Join('\n', a.Except(b).Take(3).Select(Short))}\n---- {a.Count} / {b.Count}\n{two}\n{string.Join('\n', b.Except(a).Take(3).Select(Short))}")];
    });

    private static string Short(string text) => text.Length > 400 ? text[..400] + "…" : text;

    private static List<string> Sorted(Answer answer) => [.. answer.Rows.Select(r => string.Join(" | ", r)).Order(StringComparer.Ordinal)];

    private static (string Name, string One, string Two) Pair(Random random)
    {
        var table = OddRows.Tables[random.Next(OddRows.Tables.Length)];
        var columns = HuntingSchema.Tables[table].Columns.OrderBy(_ => random.Next()).Take(9).Select(c => (c.Name, c.Type)).ToList();
        if (columns.All(c => c.Type != KqlType.String)) columns.Add(HuntingSchema.Tables[table].Columns.Where(c => c.Type == KqlType.String).Select(c => (c.Name, c.Type)).First());
        var time = PhysicalTable.All[table].TimeColumn ?? "now()";
        var grammar = new QueryGrammar(random, wide: random.Next(2) == 0);
        string Condition(int depth = 2) => grammar.Condition(columns, depth);
        var texts = columns.Where(c => c.Type == KqlType.String).Select(c => c.Name).ToList();
        var text = texts[random.Next(texts.Count)];
        var keys = columns.Where(c => c.Type != KqlType.Dynamic).Select(c => c.Name).ToList();
        var key = keys[random.Next(keys.Count)];
        var numbers = columns.Where(c => c.Type is KqlType.Long or KqlType.Int).Select(c => c.Name).DefaultIfEmpty("strlen(" + text + ")").ToList();
        var number = numbers[random.Next(numbers.Count)];
        string Needle() => random.Next(3) > 0 ? PropertyRuns.Literal(Needles[random.Next(Needles.Length)]) : PropertyRuns.Literal(Piece(random));
        var op = One(random, "has", "!has", "has_cs", "contains", "contains_cs", "!contains", "startswith", "startswith_cs", "endswith", "endswith_cs", "hasprefix", "hasprefix_cs", "hassuffix", "hassuffix_cs", "==", "!=", "=~", "!~");
        var needle = Needle();
        var (n1, n2, n3) = (Needle(), Needle(), Needle());
        var rows = string.Join(", ", columns.Select(c => c.Name));
        if (key == text) key = "ReportId";
        if (columns.All(c => c.Name != key)) key = columns.Select(c => c.Name).FirstOrDefault(c => c != text && keys.Contains(c)) ?? text;
        if (key == number) number = $"strlen({text})";
        var condition = Condition();
        var type = OddValues.All[random.Next(OddValues.All.Length)];
        var value = grammar.Value(columns, type, 2);
        var size = One(random, "1h", "1d", "6h");
        switch (random.Next(30))
        {
            case 0: return ("parts", $"{table} | count", $"union ({table} | where {condition}), ({table} | where not({condition})), ({table} | where isnull({condition})) | count");
            case 1: return ("days", $"{table} | project {rows}", $"union ({table} | where {time} >= ago(3d)), ({table} | where {time} < ago(3d)) | project {rows}".Replace("ago(3d)", "datetime(" + DateTime.UtcNow.AddDays(-3).ToString("yyyy-MM-dd") + ")"));
            case 2: return ("groups", $"{table} | summarize count(), min({number}), max({number}), make_set({text}) by {key} | extend set_{text} = array_sort_asc(set_{text})", $"union ({table} | where {condition}), ({table} | where not({condition})), ({table} | where isnull({condition})) | summarize count(), min({number}), max({number}), make_set({text}) by {key} | extend set_{text} = array_sort_asc(set_{text})");
            case 3: return ("in", $"{table} | where {text} in ({n1}, {n2}, {n3}) | project {rows}", $"{table} | where {text} == {n1} or {text} == {n2} or {text} == {n3} | project {rows}");
            case 4: return ("in~", $"{table} | where {text} in~ ({n1}, {n2}, {n3}) | project {rows}", $"{table} | where {text} =~ {n1} or {text} =~ {n2} or {text} =~ {n3} | project {rows}");
            case 5: return ("has_any", $"{table} | where {text} has_any ({n1}, {n2}, {n3}) | project {rows}", $"{table} | where {text} has {n1} or {text} has {n2} or {text} has {n3} | project {rows}");
            case 6: return ("has_all", $"{table} | where {text} has_all ({n1}, {n2}, {n3}) | project {rows}", $"{table} | where {text} has {n1} and {text} has {n2} and {text} has {n3} | project {rows}");
            case 7 or 8 or 9: return ($"computed {op}", $"{table} | where {text} {op} {needle} | project {text}", $"{table} | extend zz = strcat({text}, '') | where zz {op} {needle} | project {text}");
            case 10 or 11: return ($"variable {op}", $"{table} | where {text} {op} {needle} | project {text}", $"{table} | extend zz = iff({time} > datetime(null) or true, {needle}, strcat({text}, 'x')), yy = iff(rand() > 2, 'q', {needle}) | where {text} {op} yy | project {text}");
            case 12: return ("top", $"{table} | sort by {key} desc | take 7 | project {key}", $"{table} | top 7 by {key} desc | project {key}");
            case 13: return ("count", $"{table} | where {condition} | count", $"{table} | where {condition} | summarize Count = count()");
            case 14: return ("countif", $"{table} | where {condition} | count", $"{table} | summarize Count = countif({condition})");
            case 15: return ("let", $"{table} | where {condition} | project {rows}", $"let X = materialize({table} | where {condition} | project {rows}); union X, (X | where false)");
            case 16: return ("function", $"{table} | where {condition} | extend x = {value} | project {rows}, x", $"let F = (A:({string.Join(", ", columns.Select(c => $"{c.Name}:{c.Type.Name()}"))})) {{ A | where {condition} | extend x = {value} }}; F({table}) | project {rows}, x");
            case 17: return ("extend", $"{table} | extend x = {value} | where isnotnull(x) | project x", $"{table} | project x = {value} | where isnotnull(x)");
            case 18: return ("filter over extend", $"{table} | extend x = {value}, y = strcat({text}, '!') | where {condition} | project {rows}, x, y", $"{table} | where {condition} | extend x = {value}, y = strcat({text}, '!') | project {rows}, x, y");
            case 19: return ("filter over union", $"union {table}, DeviceProcessEvents | where {text} {op} {needle} | summarize count()", $"union ({table} | where {text} {op} {needle}), (DeviceProcessEvents | extend {text} = column_ifexists('{text}', '') | where {text} {op} {needle}) | summarize count()");
            case 20: return ("winners", $"{table} | summarize arg_max({number}, {text}) by {key} | project {key}, {number}".Replace($"arg_max(strlen({text}), {text})", $"zz = arg_max(strlen({text}), {text})").Replace($"{key}, strlen({text})", $"{key}, zz"), $"{table} | summarize zz = max({number}) by {key} | where isnotnull(zz) or true | project {key}, zz");
            case 21: return ("winners of all", $"{table} | summarize arg_min({time}, *) by {key} | project {rows}", $"{table} | as T0 | summarize tt = min({time}) by {key} | join kind=inner hint.strategy=broadcast (T0) on {key} | where {time} == tt | project {rows}");
            case 22: return ("distinct", $"{table} | distinct {text}, {key}", $"{table} | summarize by {text}, {key}".Replace($"by {text}, {text}", $"by {text}").Replace("distinct", "distinct"));
            case 23: return ("semi", $"{table} | join kind=leftsemi ({table} | where {condition}) on {text} | project {rows}", $"{table} | where {text} in (({table} | where {condition} | project {text})) | project {rows}");
            case 24: return ("anti", $"{table} | join kind=leftanti ({table} | where {condition}) on {text} | project {rows}", $"{table} | where {text} !in (({table} | where {condition} | project {text})) | project {rows}");
            case 25: return ("hours", $"{table} | where {time} >= datetime({DateTime.UtcNow.AddDays(-4):yyyy-MM-dd}) | summarize count() by h = bin({time}, {size}), {key}", $"{table} | extend q = {time} | where q >= datetime({DateTime.UtcNow.AddDays(-4):yyyy-MM-dd}) | summarize n = count() by h = bin(q, {size}), {key} | summarize count_ = sum(n) by h, {key}");
            case 26: return ("list", $"{table} | project {text}", $"{table} | summarize l = make_list({text}), n = count() | mv-expand l to typeof(string) | project l");
            case 27: return ("not", $"{table} | where not({condition}) | project {rows}", $"{table} | extend c = {condition} | where c == false | project {rows}");
            case 28: return ("typed filter", $"{table} | where {value} == {value} | project {rows}", $"{table} | extend a = {value}, b = {value} | where a == b | project {rows}");
            default: return ("order", $"{table} | order by {key} asc, {text} desc | project {key}, {text}", $"{table} | project {key}, k2 = {text} | order by {key} asc nulls first, k2 desc | project {key}, k2".Replace($"project {text}, k2 = {text}", $"project {text}, k2 = {text}"));
        }
    }

    private static string Piece(Random random)
    {
        var text = OddRows.Texts[random.Next(OddRows.Texts.Length)];
        if (text.Length == 0) return text;
        var at = random.Next(text.Length);
        var piece = text.Substring(at, Math.Min(random.Next(1, 9), text.Length - at));
        return char.IsLowSurrogate(piece[0]) || char.IsHighSurrogate(piece[^1]) ? "x" : piece;
    }

    private static string One(Random random, params string[] choices) => choices[random.Next(choices.Length)];
}
