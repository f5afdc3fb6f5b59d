using FsCheck;
using FsCheck.Fluent;

namespace Vedette.Kql.Tests.Binding;

/// <summary>Queries made at random from the grammar over known columns bind, and their trees are sound.</summary>
public sealed class GeneratedQueryTests
{
    private static readonly Gen<string> Number = Gen.OneOf(
        Gen.Elements("l", "i", "r", "1", "2.5", "int(3)", "strlen(s)", "array_length(d.a)"), Gen.Choose(-100, 100).Select(n => $"({n})"));

    private static readonly Gen<string> Text = Gen.Elements("s", "'x'", "\"y z\"", "tolower(s)", "tostring(d.a['b'])", "strcat(s, '-', l)", "@'a\\b'", "substring(s, 1, 2)");

    private static readonly Gen<string> Time = Gen.Elements("t", "now()", "ago(1d)", "datetime(2026-01-02)", "bin(t, 1h)", "t + 1h", "startofday(t)");

    private static Gen<string> Arithmetic =>
        from a in Number
        from op in Gen.Elements("+", "-", "*", "/", "%")
        from b in Number
        select $"({a} {op} {b})";

    private static Gen<string> Comparison => Gen.OneOf(
        from a in Arithmetic from op in Gen.Elements("==", "!=", "<", "<=", ">", ">=") from b in Number select $"{a} {op} {b}",
        from a in Text
        from op in Gen.Elements("==", "=~", "!~", "has", "!has", "contains_cs", "startswith", "!endswith", "hasprefix", "matches regex")
        from b in Text
        select $"{a} {op} {b}",
        from a in Time from op in Gen.Elements("<", ">=", "==") from b in Time select $"{a} {op} {b}",
        from a in Text from op in Gen.Elements("in", "!in", "in~", "has_any", "has_all") from b in Text.NonEmptyListOf() select $"{a} {op} ({string.Join(", ", b)})",
        from a in Time from b in Time select $"{a} between ({b} .. 2d)",
        Gen.Elements("b", "isnull(l)", "isempty(s)", "not(b)", "d.flag == true"));

    private static Gen<string> Predicate => Gen.Sized(size => PredicateOf(Math.Min(size, 4)));

    /// <summary>Operators that keep the columns of the table, so that any order of them is valid.</summary>
    private static Gen<string> Keeping => Gen.OneOf(
        Predicate.Select(p => $"where {p}"),
        Arithmetic.Select(a => $"extend x = {a}"),
        Text.Select(a => $"extend s = {a}, y = iff(b, {a}, '')"),
        Gen.Elements(
            "sort by l asc, t desc nulls first", "take 10", "top 5 by t", "as Q", "serialize n = row_number()", "mv-expand e = d.items to typeof(string)",
            "project-reorder s, t*", "parse s with * 'a' p:long *", "extend k = pack_all()", "mv-apply q = d.items on (where q.k > 1 | project v = q.v)",
            "join kind=leftouter (DT | project s, other = l) on s", "lookup (DT | project s, looked = r) on s", "project-away x*", "invoke same()",
            "join kind=leftanti (DT) on $left.s == $right.s, l", "union (DT | where l > 1)", "partition by s (top 2 by l)"));

    private static Gen<string> Closing => Gen.OneOf(
        Gen.Elements(
            "count", "distinct s, l", "project s, l2 = l + 1", "getschema", "make-series avg(l), c = count() on t from ago(7d) to now() step 1d by s",
            "top-nested 3 of s by sum(l)", "render timechart", "sample-distinct 3 of s", "evaluate pivot(s, sum(l), b)"),
        from a in Gen.Elements("count()", "sum(l)", "dcount(s)", "make_set(s, 5)", "arg_max(t, *)", "percentile(l, 95)", "avg(r) + 1", "countif(b)", "take_any(s)")
        from k in Gen.Elements("s", "bin(t, 1h)", "l, s", "day = startofday(t)", "tostring(d.a)")
        select $"summarize {a} by {k}");

    [Fact]
    public void Generated_queries_bind_to_sound_trees()
    {
        var queries =
            from steps in Keeping.ListOf(4)
            from close in Closing
            select "let same = (T:(*)) { T | where true }; DT\n| " + string.Join("\n| ", steps.Append(close));
        Prop.ForAll(queries.ToArbitrary(), query =>
        {
            var compilation = TestSchema.Bind(query);
            // Names may clash by chance, which is an error of the query and is reported as such.
            var errors = compilation.Diagnostics.Where(d => d.Severity == KqlSeverity.Error && d.Code != "KS171").Select(d => d.Message).ToList();
            return (errors.Count == 0 && TreeValidator.Problems(compilation).Count == 0)
                .Label(string.Join('\n', errors.Concat(TreeValidator.Problems(compilation))) + "\n" + query);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1_500));
    }

    private static Gen<string> PredicateOf(int depth) => depth <= 0
        ? Comparison
        : Gen.OneOf(
            Comparison,
            from a in PredicateOf(depth - 1) from op in Gen.Elements("and", "or") from b in PredicateOf(depth - 1) select $"({a} {op} {b})",
            PredicateOf(depth - 1).Select(p => $"not({p})"));
}
