using Vedette.Kql;
using Vedette.Kql.Symbols;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Tests.Properties;

/// <summary>What a wide grammar knows beyond the plain one: every function and aggregate of the function table, the rarer operators, and plug-ins.</summary>
internal sealed partial class QueryGrammar
{
    private static readonly FunctionSymbol[] Aggregates =
        [.. FunctionTable.Aggregates.Values.Where(a => a.Attributes is { IsAbsent: false } && a.Name is not ("passthrough" or "argmax" or "argmin")).OrderBy(a => a.Name, StringComparer.Ordinal)];

    private static readonly ILookup<KqlType, FunctionSymbol> ByResult = FunctionCalls.Steady
        .Where(f => f.Attributes.Tuple is null)
        .SelectMany(f => f.Signatures.Where(s => s.Rule == ResultRule.Declared).Select(s => (s.Type, f))).Distinct().ToLookup(p => p.Type, p => p.f);



    /// <summary>A call of some function that gives a value of the type; null when none was found.</summary>
    private string? AnyFunction(KqlType type, int depth)
    {
        var functions = ByResult[type].ToList();
        if (functions.Count == 0 || FunctionCalls.Make(random, One(functions)) is not { } call) return null;
        return call.Text((argument, _) => random.Next(3) == 0 || depth <= 0 ? argument.Literal : Scalar(argument.Type, depth - 1));
    }

    /// <summary>A condition over columns.</summary>
    public string Condition(IEnumerable<(string Name, KqlType Type)> columns, int depth)
    {
        _scope = [.. columns];
        return Bool(depth);
    }

    /// <summary>A value over columns.</summary>
    public string Value(IEnumerable<(string Name, KqlType Type)> columns, KqlType type, int depth)
    {
        _scope = [.. columns];
        return Scalar(type, depth);
    }

    private string WideSource()
    {
        if (random.Next(3) > 0) return Source();
        var table = One(OddRows.Tables);
        var columns = HuntingSchema.Tables[table].Columns.OrderBy(_ => random.Next()).Take(8).Select(c => (c.Name, c.Type)).ToList();
        _scope = columns;
        return One(
            $"{table}\n| project {Names(columns)}",
            $"{table}\n| where Timestamp > ago(20d)\n| project {Names(columns)}".Replace("| where Timestamp > ago(20d)\n", table.Contains("KB", StringComparison.Ordinal) ? "" : "| where Timestamp > ago(20d)\n", StringComparison.Ordinal),
            $"union {table}, ({table} | take 2)\n| project {Names(columns)}");
    }

    private static string Names(IEnumerable<(string Name, KqlType Type)> columns) => string.Join(", ", columns.Select(c => c.Name));

    private (string Name, KqlType Type, string Text) AnyAggregate()
    {
        var name = NewName();
        for (var attempt = 0; attempt < 10; attempt++)
        {
            var symbol = One(Aggregates);
            if (symbol.Name is "arg_max" or "arg_min" or "any" or "percentiles" or "percentilesw") continue;
            if (FunctionCalls.Make(random, symbol) is not { } call) continue;
            var signature = symbol.Signatures[0];
            var type = signature.Rule switch
            {
                ResultRule.Declared => signature.Type,
                ResultRule.Argument or ResultRule.Percentile or ResultRule.Promoted => KqlType.Unknown,
                _ => KqlType.Unknown,
            };
            return (name, type, call.Text((a, i) => i == 0 || random.Next(2) == 0 || a.Type == KqlType.Bool ? Scalar(a.Type, 2) : a.Literal));
        }

        return (name, KqlType.Long, "count()");
    }

    private string WideSummarize()
    {
        var keys = Some(_scope.Where(c => c.Type != KqlType.Dynamic).ToList(), 2, replace: false);
        var aggregates = Enumerable.Range(0, random.Next(1, 4)).Select(_ => AnyAggregate()).ToList();
        _scope = [.. keys, .. aggregates.Where(a => a.Type != KqlType.Unknown).Select(a => (a.Name, a.Type))];
        var text = $"summarize {string.Join(", ", aggregates.Select(a => $"{a.Name} = {a.Text}"))}{(keys.Count == 0 ? "" : " by " + Names(keys))}";
        return _scope.Count == 0 ? Counted(text) : text;
    }

    // What comes out of it depends on the data.
    private string Counted(string text)
    {
        _scope = [("Count", KqlType.Long)];
        return text + "\n| count";
    }

    private string WideStep()
    {
        switch (random.Next(34))
        {
            case 0 or 1 or 2 or 3: return WideSummarize();
            case 4: return Counted($"summarize {One("arg_max", "arg_min")}({Orderable()}, *) by {One(_scope.Where(c => c.Type != KqlType.Dynamic).Select(c => c.Name).DefaultIfEmpty("x = 1").ToList())}");
            case 5: return Counted($"summarize {One("percentiles", "percentilesw")}({Scalar(KqlType.Real, 1)}, {Scalar(KqlType.Long, 1)}, 5, 50, 99.9)".Replace("percentiles(", "take_any(", StringComparison.Ordinal).Replace(", 5, 50, 99.9", "", StringComparison.Ordinal));
            case 6: return Counted($"mv-expand {One("", "bagexpansion=array ", "with_itemindex=ix ")}{NewName()} = {Scalar(KqlType.Dynamic, 2)}, {NewName()} = {Scalar(KqlType.Dynamic, 2)}");
            case 7: return Counted($"top-nested {random.Next(1, 3)} of {NewName()} = {Orderable()} with others = {Literal(KqlType.String)} by sum({Scalar(KqlType.Real, 1)}) desc, top-nested of {NewName()} = {Orderable()} by count()".Replace($" with others = ", One(" with others = "), StringComparison.Ordinal));
            case 8: return Counted($"parse kind={One("regex", "relaxed", "simple")} {Scalar(KqlType.String, 0)} with * 'a' {NewName()}:{One("string", "long", "datetime", "real", "guid")} {One("' '", "'b'", "'.'")} *");
            case 9: return Counted($"parse-where {Scalar(KqlType.String, 0)} with {NewName()} ' ' {NewName()}:{One("int", "string")}");
            case 10: return Counted($"parse-kv {Texts()} as ({NewName()}:string, {NewName()}:long) with ({One("pair_delimiter=',', kv_delimiter='='", "pair_delimiter=' ', kv_delimiter=':', quote='\"'", "regex=@'(\\w+)=(\\w+)'", "greedy=true, pair_delimiter=' ', kv_delimiter='='")})");
            case 11: return Counted($"union kind={One("inner", "outer")} withsource={NewName()} (T | project s, l, t), (T | extend s = l)");
            case 12: return Counted($"join kind={One("inner", "leftouter", "fullouter", "leftanti", "rightsemi", "innerunique")} (T) on $left.{AnyKey(out var right)} == $right.{right}");
            case 13: return Counted($"partition {One("hint.strategy=native ", "hint.strategy=shuffle ", "hint.strategy=legacy ", "")}by {Keys()} ({One($"summarize count() by {Keys()}", $"top 1 by {Orderable()}", $"extend q = {Scalar(KqlType.Dynamic, 2)} | mv-expand q | take 3", "sort by " + Orderable() + " asc | extend w = row_number()", "count")})");
            case 14: return Counted($"mv-apply {NewName()} = {Scalar(KqlType.Dynamic, 2)} on ({One($"where {Bool(2)}", $"top 1 by {Orderable()}", $"summarize make_list({Scalar(KqlType.Long, 1)})", $"extend x9 = {Scalar(KqlType.String, 2)}", "sort by " + Orderable() + " asc | extend w = row_number()", "take 2 | count")})");
            case 15: return Counted($"sort by {Orderable()} asc | scan declare (v:long = 0, w:string) with (step s1: {Bool(2)} => v = s1.v + {Scalar(KqlType.Long, 1)}; step s2 output=all: {Bool(2)} => w = {Scalar(KqlType.String, 2)}, v = s1.v;)");
            case 16: return Counted($"make-graph {Keys()} --> {Keys()} | {One("graph-match (a)-[e]->(b) where isnotempty(tostring(e)) project x = labels(a)", "graph-match cycles=none (a)-[e*1..3]->(b) project n = array_length(e)", "graph-to-table nodes", "graph-to-table edges", "graph-shortest-paths (a)-[e*1..4]->(b) project l = array_length(e)", "graph-mark-components | graph-to-table nodes")}");
            case 17: return Counted("evaluate " + Plugins());
            case 18: return Counted($"reduce by {Texts()}{One("", " with threshold=0.3", " with characters='-.'")}");
            case 19: return Counted($"sample-distinct {random.Next(0, 4)} of {Orderable()}");
            case 20: return Counted(One("distinct *", "getschema", "consume", "project-reorder * desc", "serialize", "sample 2", "fork (count) (take 1)", "facet by " + Keys(), "limit 2 | as Z"));
            case 21: return Counted($"top-hitters {random.Next(1, 4)} of {Orderable()} by {Scalar(KqlType.Long, 1)}");
            case 22: return Counted($"make-series {NewName()} = {AnyAggregate().Text}, {NewName()} = count() on {Times()} from datetime(2026-01-01) to datetime(2026-01-04) step {One("1d", "6h", "7h")}{One("", " by " + Keys())}");
            case 23: return Counted($"make-series {NewName()} = avg({Scalar(KqlType.Real, 1)}) default={One("0", "real(null)")} on l from {random.Next(-5, 2)} to {random.Next(3, 90)} step {random.Next(1, 9)}").Replace("on l", "on " + NumberColumn(), StringComparison.Ordinal);
            case 24: return Counted($"sort by {Orderable()} asc | extend a1 = row_cumsum({Scalar(KqlType.Real, 1)}, {Bool(1)}), a2 = row_rank_min({Orderable()}), a3 = row_window_session({Times()}, 1h, 5m, {Bool(1)}), a4 = prev({Orderable()}, 2)");
            case 25: return Counted($"where {Texts()} {One("has_any", "has_all", "in~", "!in", "in")} (dynamic(['a', 'beta', 5]))");
            case 26: return Counted($"where {Scalar(One(OddValues.All), 2)} in ((T | project {One("s", "l", "d", "t", "g", "r", "p")}))");
            case 27: return Counted($"lookup (T | project s, x8 = l, x9 = d) on $left.{AnyKey(out _, KqlType.String)} == $right.s");
            case 28: return Counted($"extend {NewName()} = toscalar(T | where {One("l", "i")} > 0 | summarize {One("max(s)", "make_set(l)", "take_any(d)", "max(t)", "avg(r)")})");
            case 29: return $"where {Bool(6)}";
            case 30: return Added($"extend {Fresh(out var deep)} = {Scalar(KqlType.Dynamic, 6)}", deep, KqlType.Dynamic);
            case 31: return Added($"extend {Fresh(out var text)} = {Scalar(KqlType.String, 6)}", text, KqlType.String);
            case 32: return Counted($"project {NewName()} = {Scalar(One(OddValues.All), 4)}, {NewName()} = {Scalar(One(OddValues.All), 4)} | distinct *");
            default: return Counted($"sort by {Scalar(One(OddValues.All), 3)} {One("asc", "desc")} nulls {One("first", "last")} | take 3");
        }
    }

    private string Fresh(out string name) => name = NewName();

    private string Keys() => One(_scope.Where(c => c.Type is not (KqlType.Dynamic or KqlType.Real)).Select(c => c.Name).DefaultIfEmpty(_scope[0].Name).ToList());

    private string Texts() => One(_scope.Where(c => c.Type == KqlType.String).Select(c => c.Name).DefaultIfEmpty("tostring(1)").ToList());

    private string Times() => One(_scope.Where(c => c.Type == KqlType.DateTime).Select(c => c.Name).DefaultIfEmpty("datetime(2026-01-01)").ToList());

    private string NumberColumn() => One(_scope.Where(c => c.Type is KqlType.Long or KqlType.Int or KqlType.Real).Select(c => c.Name).DefaultIfEmpty("none").ToList());

    private string AnyKey(out string right, KqlType only = KqlType.Unknown)
    {
        var keys = _scope.Where(c => only == KqlType.Unknown ? c.Type is not (KqlType.Dynamic or KqlType.Real or KqlType.Decimal or KqlType.TimeSpan) : c.Type == only).DefaultIfEmpty(("none", KqlType.String)).ToList();
        var (name, type) = One(keys);
        right = type switch { KqlType.String => "s", KqlType.Long => "l", KqlType.Int => "i", KqlType.Guid => "g", KqlType.DateTime => "t", _ => "b" };
        return name;
    }

    private string Plugins() => One(
        "autocluster()", "basket(0.2)", "narrow()", $"diffpatterns({Keys()}, 'a', 'b')", $"pivot({Texts()}, count())", $"rows_near({Bool(1)}, 2)", "preview(3)", "schema_merge()", $"bag_unpack({Dynamics()}, 'p_')",
        $"sliding_window_counts({Keys()}, {Times()}, datetime(2026-01-01), datetime(2026-01-05), 2d, 1d)", $"activity_counts_metrics({Keys()}, {Times()}, datetime(2026-01-01), datetime(2026-01-05), 1d)",
        $"session_count({Keys()}, {Times()}, datetime(2026-01-01), datetime(2026-01-05), 1d, 12h)", $"active_users_count({Keys()}, {Times()}, datetime(2026-01-01), datetime(2026-01-05), 2d, 1d, 1, 1d)",
        $"activity_engagement({Keys()}, {Times()}, 1d, 2d)", $"activity_metrics({Keys()}, {Times()}, datetime(2026-01-01), datetime(2026-01-05), 1d)", $"new_activity_metrics({Keys()}, {Times()}, datetime(2026-01-01), datetime(2026-01-05), 1d)",
        $"funnel_sequence({Keys()}, {Times()}, datetime(2026-01-01), datetime(2026-01-05), 1d, 1d, {Texts()}, dynamic(['x','y']))",
        $"funnel_sequence_completion({Keys()}, {Times()}, datetime(2026-01-01), datetime(2026-01-05), 1d, {Texts()}, dynamic(['x','y']), dynamic([1d, 2d]))",
        $"rolling_percentile({NumberColumn()}, 50, {Times()}, 1d, 2)", $"sequence_detect({Times()}, 1d, 2d, a1 = {Bool(1)}, a2 = {Bool(1)}, {Keys()})", $"diffpatterns_text({Texts()}, {Bool(1)})",
        $"ipv4_lookup((T | project net = s, x7 = l), {Texts()}, net)");

    private string Dynamics() => One(_scope.Where(c => c.Type == KqlType.Dynamic).Select(c => c.Name).DefaultIfEmpty("none").ToList());
}
