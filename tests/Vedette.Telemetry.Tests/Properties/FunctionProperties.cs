using Vedette.Kql;
using Vedette.Kql.Symbols;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Tests.Properties;

/// <summary>Every function of the function table gives the same whether its arguments are literals or columns, and wherever these come from.</summary>
public sealed class FunctionProperties
{
    private const int Together = 6;

    // Values that a function refuses in words.
    private static readonly string[] Refused = ["is not known", "The JSON path", "bin_auto()", "current_node_id", "_isvalid", "unknown group", "Regex pattern", "needs a constant as"];

    private static readonly string[] Forms = ["columns", "mixed", "dynamic", "outer", "union", "any", "function", "scan", "where", "materialized", "packed"];

    [Fact]
    public void Functions_give_the_same_for_literals_and_columns() => FuzzCampaign.Run("functions", 60, random =>
    {
        var calls = new List<OddCall>();
        while (calls.Count < Together)
        {
            if (FunctionCalls.Make(random, FunctionCalls.Steady[random.Next(FunctionCalls.Steady.Count)]) is { } call) calls.Add(call);
        }

        var wrong = new List<(string, string)>();
        var plain = Each(calls, set => Answer.Of("print " + string.Join(", ", set.Select((c, i) => $"r{i} = {c}"))));
        var sound = new List<(OddCall Call, string Value, KqlType Type)>();
        foreach (var (call, answer, at) in plain)
        {
            if (answer.IsBroken) wrong.Add(($"literal {call.Name}: {answer.ErrorText}", $"print r = {call}"));
            else if (answer.Error is { Failure: HuntingFailure.Unsupported } error && !Refused.Any(r => error.Message.Contains(r, StringComparison.Ordinal))) wrong.Add(($"literal {call.Name}: {answer.ErrorText}", $"print r = {call}"));
            else if (answer.Error is null) sound.Add((call, answer.Rows[0][at], answer.Columns[at].Type));
        }

        if (sound.Count == 0) return wrong;
        for (var n = 0; n < 2; n++)
        {
            var form = Forms[random.Next(Forms.Length)];
            if (form is "scan" or "function" or "where" or "packed") sound.RemoveAll(s => FunctionTable.Scalars[s.Call.Name].Canonical.Attributes.Tuple is not null);
            if (form == "any") sound.RemoveAll(s => s.Call.Arguments.All(a => a.IsFixed));
            if (sound.Count == 0) return wrong;
            var seed = random.Next();
            foreach (var (call, answer, at) in Each([.. sound.Select(s => s.Call)], set => Answer.Of(Query(form, [.. set.Select(c => (c, sound.First(s => s.Call == c).Type))], new Random(seed)))))
            {
                var query = Query(form, [(call, sound.First(s => s.Call == call).Type)], new Random(seed));
                var wanted = sound.First(s => s.Call == call).Value;
                if (answer.Error is { } failed && Refused.Any(r => failed.Message.Contains(r, StringComparison.Ordinal))) continue;
                if (answer.Error is { Failure: HuntingFailure.ExcessiveResources }) continue;
                if (answer.Error is not null) wrong.Add(($"{form} {call.Name}: {answer.ErrorText}", query));
                else if (answer.Rows.Count == 0) wrong.Add(($"{form} {call.Name}: no row", query));
                else if (form is "where" or "packed" ? answer.Rows[0][at] is not ("1" or "true") : !Answer.Same(answer.Rows[0][at], wanted))
                    wrong.Add(($"{form} {call.Name} differs", $"{query}\n literals: {Short(wanted)}\n {form}: {Short(answer.Rows[0][at])}"));
            }
        }

        return wrong;
    });

    private static string Short(string text) => text.Length > 300 ? text[..300] + "…" : text;

    // Together they are fast; one by one when something is wrong, so that it is known with which.
    private static IEnumerable<(OddCall Call, Answer Answer, int At)> Each(IReadOnlyList<OddCall> calls, Func<IReadOnlyList<OddCall>, Answer> run)
    {
        var all = run(calls);
        if (all.Error is null) return calls.Select((c, i) => (c, all, all.Columns.Select(column => column.Name).ToList().IndexOf($"r{i}")));
        return calls.Count == 1 ? [(calls[0], all, 0)] : calls.SelectMany(c => Each([c], run));
    }

    private static string Query(string form, IReadOnlyList<(OddCall Call, KqlType Type)> calls, Random random)
    {
        var arguments = calls.SelectMany(c => c.Call.Arguments).Where(a => !a.IsFixed).ToList();
        var names = new Dictionary<OddArgument, string>(ReferenceEqualityComparer.Instance);
        foreach (var argument in arguments) names[argument] = $"a{names.Count}";
        var literal = arguments.Where(a => !IsComputed(a)).ToList();
        var rows = $"datatable(k:int{string.Concat(literal.Select(a => $", {names[a]}:{a.Type.Name()}"))})[1{Cells(literal.Select(a => a.Literal))},\n 2{Cells(literal.Select(a => Null(a.Type)))},\n 3{Cells(literal.Select(a => Other(random, a.Type)))}]"
            + string.Concat(arguments.Where(IsComputed).Select(a => $" | extend {names[a]} = iff(k == 1, {a.Literal}, {Null(a.Type)})"));
        string Column(OddArgument a, int i) => names[a];
        string Project(Func<OddArgument, int, string> spell) => "project k" + string.Concat(calls.Select((c, i) => $", r{i} = {c.Call.Text(spell)}"));
        const string End = " | order by k asc";
        return form switch
        {
            "columns" => $"{rows} | {Project(Column)}{End}",
            "mixed" => $"{rows} | {Project((a, i) => random.Next(2) == 0 ? names[a] : a.Literal)}{End}",
            "dynamic" => $"{rows} | extend d = bag_pack('z', 1{string.Concat(names.Select(n => $", '{n.Value}', {n.Value}"))}) | {Project((a, i) => FromBag(a, names[a]))}{End}",
            "outer" => $"print k = int(1) | join kind=leftouter ({rows}) on k | {Project(Column)}",
            "union" => $"union ({rows}), (print k = int(9)) | {Project(Column)}{End}",
            "any" => $"{rows} | summarize take_any(*) by k | {Project(Column)}{End}",
            "materialized" => $"let M = materialize({rows}); M | where k in ((M | project k)) | {Project(Column)}{End}",
            "function" => string.Concat(calls.Select((c, n) => $"let F{n} = ({string.Join(", ", c.Call.Arguments.Where(a => !a.IsFixed).Select(a => $"{names[a]}:{a.Type.Name()}"))}) {{ {c.Call.Text(Column)} }};\n"))
                + $"{rows} | project k{string.Concat(calls.Select((c, n) => $", r{n} = F{n}({string.Join(", ", c.Call.Arguments.Where(a => !a.IsFixed).Select(a => names[a]))})"))}{End}",
            "scan" => $"{rows} | sort by k asc | scan declare ({string.Join(", ", calls.Select((c, i) => $"r{i}:{c.Type.Name()}"))}) with (step s: true => {string.Join(", ", calls.Select((c, i) => $"r{i} = {c.Call.Text(Column)}"))};) | project k{string.Concat(calls.Select((_, i) => $", r{i}"))}{End}",
            "packed" => $"print k = 1{string.Concat(calls.Select((c, i) => $", r{i} = tostring(bag_merge(bag_pack('m', {c.Call}), dynamic({{'a':1}})).m) == tostring({c.Call}) or array_length(array_concat(pack_array({c.Call}), dynamic([1]))) == 2"))} | project k{string.Concat(calls.Select((_, i) => $", r{i}"))}",
            _ => $"{rows} | where k == 1 | summarize k = 0{string.Concat(calls.Select((c, i) => $", r{i} = countif(tostring({c.Call.Text(Column)}) == tostring({c.Call}))"))}",
        };
    }

    private static string Cells(IEnumerable<string> cells) => string.Concat(cells.Select(c => ", " + c));

    // A datatable takes literals only.
    private static bool IsComputed(OddArgument argument) => argument.Literal.StartsWith("parse_json", StringComparison.Ordinal) || argument.Literal.StartsWith("strrep", StringComparison.Ordinal)
        || argument.Literal.StartsWith("range", StringComparison.Ordinal);

    private static string Other(Random random, KqlType type)
    {
        while (true)
        {
            var literal = OddValues.Literal(random, type);
            if (!IsComputed(new OddArgument(type, literal, false))) return literal;
        }
    }

    private static string Null(KqlType type) => type switch { KqlType.String => "''", KqlType.Dynamic => "dynamic(null)", _ => $"{type.Name()}(null)" };

    private static string FromBag(OddArgument argument, string name) => argument.Type switch
    {
        KqlType.Dynamic => $"d.{name}",
        KqlType.Real or KqlType.Decimal or KqlType.Unknown or KqlType.DateTime => name,
        _ => $"to{argument.Type.Name()}(d.{name})",
    };
}
