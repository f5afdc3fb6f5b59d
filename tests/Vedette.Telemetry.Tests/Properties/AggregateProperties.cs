using Vedette.Kql;
using Vedette.Kql.Symbols;

namespace Vedette.Telemetry.Tests.Properties;

/// <summary>Every aggregate gives the same wherever it may stand, and its conditional form the same as the rows that meet the condition.</summary>
public sealed class AggregateProperties
{
    private static readonly FunctionSymbol[] All =
        [.. FunctionTable.Aggregates.Values.Where(a => a.Attributes.IsAbsent is false && a.Name is not ("passthrough" or "any" or "anyif" or "argmax" or "argmin")).OrderBy(a => a.Name, StringComparer.Ordinal)];

    // Which value is taken depends on the order of rows, or it is an estimate.
    private static readonly string[] Unsteady = ["take_any", "tdigest", "make_bag", "make_dictionary", "arg_m"];

    // Values that an aggregate refuses in words.
    private static readonly string[] Refused = ["needs a constant percentile", "must be a constant", "needs an array of numbers", "is not known", "_isvalid", "current_node_id"];

    [Fact]
    public void Aggregates_give_the_same_wherever_they_stand() => FuzzCampaign.Run("aggregates", 100, random =>
    {
        var symbol = All[random.Next(All.Length)];
        var grammar = new QueryGrammar(random, wide: random.Next(3) == 0);
        if (FunctionCalls.Make(random, symbol) is not { } made) return [];
        var spelled = made.Text((a, i) => i == 0 || a.Type == KqlType.Bool ? grammar.Value(QueryGrammar.Columns, a.Type, random.Next(3)) : a.Literal);
        var aggregate = spelled;
        var table = random.Next(6) == 0 ? "T | where false" : "T";
        var plain = $"{QueryGrammar.Table}{table} | summarize r = {aggregate} | project r";
        var first = Answer.Of(plain);
        if (first.IsBroken) return [($"{symbol.Name}: {first.ErrorText}", Query(plain))];
        if (first.Error is { } error) return error.Failure == Hunting.HuntingFailure.Unsupported && !Refused.Any(r => error.Message.Contains(r, StringComparison.Ordinal)) ? [($"{symbol.Name}: {first.ErrorText}", Query(plain))] : [];
        if ((made.Arguments.Count > 1 && symbol.Name == "take_any") || symbol.Name is "count" or "cnt") return [];
        var condition = grammar.Condition(QueryGrammar.Columns, 2);
        var (name, one, two) = random.Next(9) switch
        {
            0 when table == "T" => ("by constant", plain, $"{QueryGrammar.Table}{table} | summarize r = {aggregate} by kk = strlen(tostring(b)) * 0 | project r"),
            1 when If(symbol) is { } conditional => ($"{conditional}", $"{QueryGrammar.Table}{table} | where {condition} | summarize r = {aggregate} | project r", $"{QueryGrammar.Table}{table} | summarize r = {With(conditional, aggregate, condition)} | project r"),
            2 => ("partition", $"{QueryGrammar.Table}{table} | summarize r = {aggregate} by u", $"{QueryGrammar.Table}{table} | partition hint.strategy=native by u (summarize r = {aggregate} by u)"),
            3 => ("mv-apply", $"{QueryGrammar.Table}{table} | summarize r = {aggregate} by s | project r", $"{QueryGrammar.Table}{table} | summarize make_list(i) by s | project s | join kind=inner (T) on s | mv-apply zz = dynamic([1]) on (where true) | summarize r = {aggregate} by s | project r"),
            4 => ("shared", plain, $"{QueryGrammar.Table}let M = materialize({table}); union (M | summarize r = {aggregate} | project r), (M | where false | project r = 1 | take 0 | project zz = r) | project r"),
            5 => ("twice", plain, $"{QueryGrammar.Table}{table} | summarize r = {aggregate}, r2 = {aggregate}, c = count() | project r"),
            6 => ("toscalar", plain, $"{QueryGrammar.Table}print r = toscalar({table} | summarize r = {aggregate} | project r)"),
            7 => ("union", plain, $"{QueryGrammar.Table}union ({table} | where {condition}), ({table} | where not({condition})), ({table} | where isnull({condition})) | sort by s asc, i asc | summarize r = {aggregate} | project r"),
            _ => ("stored", $"{QueryGrammar.Table}{table} | sort by s asc, i asc | summarize r = {aggregate} | project r", $"{QueryGrammar.Table}{table} | sort by s asc, i asc | extend k9 = 1 | join kind=leftouter (print k9 = 1) on k9 | sort by s asc, i asc | summarize r = {aggregate} | project r"),
        };
        if ((one + two).Replace(QueryGrammar.Table, "", StringComparison.Ordinal) is var both && (both.Contains("now(", StringComparison.Ordinal) || both.Contains("ago(", StringComparison.Ordinal))) return [];
        var (x, y) = (Answer.Of(one), Answer.Of(two));
        if (x.IsBroken || y.IsBroken) return [($"{name} {symbol.Name}: {(x.IsBroken ? x : y).ErrorText}", Query(x.IsBroken ? one : two))];
        if (x.Error is { Failure: Hunting.HuntingFailure.Unsupported or Hunting.HuntingFailure.Semantic } || y.Error is { Failure: Hunting.HuntingFailure.Unsupported or Hunting.HuntingFailure.Semantic }) return [];
        if (x.Error is not null || y.Error is not null) return x.Error?.Failure == y.Error?.Failure ? [] : [($"{name} {symbol.Name}: {x.ErrorText} / {y.ErrorText}", Query(one) + "\n" + Query(two))];
        if (Unsteady.Any(u => symbol.Name.Contains(u, StringComparison.Ordinal))) return [];
        var (a, b) = (Sorted(x), Sorted(y));
        return a.Count == b.Count && a.Zip(b).All(p => Answer.Same(p.First, p.Second)) ? [] : [($"{name} {symbol.Name} differs", $"{Query(one)}\n {string.Join('\n', a.Take(4))}\n{Query(two)}\n {string.Join('\n', b.Take(4))}")];
    });

    private static string Query(string text) => text.Replace(QueryGrammar.Table, "", StringComparison.Ordinal);

    // Lists come in any order.
    private static List<string> Sorted(Answer answer) => [.. answer.Rows.Select(r => string.Join(" | ", r.Select(c => c.StartsWith('[') ? string.Join(',', c.Trim('[', ']').Split(',').Order(StringComparer.Ordinal)) : c))).Order(StringComparer.Ordinal)];

    private static string? If(FunctionSymbol symbol) => new[] { symbol.Name + "if", symbol.Name + "_if" }.FirstOrDefault(n => FunctionTable.Aggregates.ContainsKey(n));

    private static string With(string name, string aggregate, string condition)
    {
        // The condition stands behind the value, or behind both of a covariance.
        var inside = aggregate[(aggregate.IndexOf('(', StringComparison.Ordinal) + 1)..^1];
        var parts = Split(inside);
        var values = name.StartsWith("covariance", StringComparison.Ordinal) ? 2 : name.StartsWith("count", StringComparison.Ordinal) && parts.Count == 0 ? 0 : 1;
        return $"{name}({string.Join(", ", parts.Take(values).Append(condition).Concat(parts.Skip(values)))})";
    }

    private static List<string> Split(string text)
    {
        var parts = new List<string>();
        var (depth, start, quote) = (0, 0, '\0');
        for (var i = 0; i < text.Length; i++)
        {
            if (quote != '\0')
            {
                if (text[i] == '\\') i++;
                else if (text[i] == quote) quote = '\0';
            }
            else if (text[i] is '\'' or '"')
            {
                quote = text[i];
            }
            else if (text[i] is '(' or '[' or '{')
            {
                depth++;
            }
            else if (text[i] is ')' or ']' or '}')
            {
                depth--;
            }
            else if (text[i] == ',' && depth == 0)
            {
                parts.Add(text[start..i]);
                start = i + 1;
            }
        }

        if (text.Length > 0) parts.Add(text[start..]);
        return parts;
    }
}
