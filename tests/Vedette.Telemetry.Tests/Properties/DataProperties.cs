using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace Vedette.Telemetry.Tests.Properties;

/// <summary>Rows made at random, and what the language promises about them: conditions add up, joins and summarize do what a plain loop does.</summary>
public sealed class DataProperties
{
    [Fact]
    public void A_condition_its_negation_and_its_null_add_up() => PropertyRuns.Check(200, random => new QueryGrammar(random).Condition(), condition =>
    {
        var row = PropertyRuns.Rows(
            $"{QueryGrammar.Table}let p = (X:(*)) {{ X | where {condition} }}; let n = (X:(*)) {{ X | where not({condition}) }}; let u = (X:(*)) {{ X | where isnull({condition}) }};\n"
            + "print a = toscalar(T | invoke p() | count), b = toscalar(T | invoke n() | count), c = toscalar(T | invoke u() | count), "
            + $"d = toscalar(T | summarize countif({condition})), e = toscalar(T | extend x = {condition} | where x | count)").Single();
        var counts = row.Select(value => Convert.ToInt64(value, CultureInfo.InvariantCulture)).ToArray();
        return counts[0] + counts[1] + counts[2] == 5 && counts[3] == counts[0] && counts[4] == counts[0] ? null : $"{string.Join(", ", counts)}: {condition}";
    });

    [Fact]
    public void Joins_do_what_a_loop_does() => PropertyRuns.Check(90, Seeds, seed =>
    {
        var random = new Random(seed);
        var (left, right) = (Sides.Make(random, "l"), Sides.Make(random, "r"));
        var kind = new[] { "inner", "innerunique", "leftouter", "rightouter", "fullouter", "leftanti", "leftsemi", "rightanti", "rightsemi" }[random.Next(9)];
        var keys = random.Next(3);
        var on = keys switch { 0 => "k", 1 => "s", _ => "k, s" };
        var rows = PropertyRuns.Rows($"{left.Kql("L")}{right.Kql("R")}L | join kind={kind} R on {on}").Select(Show).Order(StringComparer.Ordinal).ToList();
        var wanted = left.Join(right, kind, keys).Select(Show).Order(StringComparer.Ordinal).ToList();

        // Of several left rows with one key any may be the one that innerunique keeps.
        if (kind == "innerunique")
        {
            var all = left.Join(right, "inner", keys).Select(Show).ToHashSet();
            return rows.Count == wanted.Count && rows.All(all.Contains) ? null : Differ(rows, wanted, kind, on, left, right);
        }

        return rows.SequenceEqual(wanted) ? null : Differ(rows, wanted, kind, on, left, right);
    });

    [Fact]
    public void Summarize_does_what_a_loop_does() => PropertyRuns.Check(90, Seeds, seed =>
    {
        var random = new Random(seed);
        var rows = Enumerable.Range(0, random.Next(0, 14)).Select(_ => new Event(
            random.Next(6) == 0 ? null : random.Next(-20, 20), random.Next(5) == 0 ? "" : ((char)('a' + random.Next(3))).ToString(),
            random.Next(6) == 0 ? null : new DateTime(2026, 1, 1).AddMinutes(random.Next(-3000, 3000)))).ToList();
        var table = "datatable(n:long, s:string, t:datetime)["
            + string.Join(", ", rows.Select(r => $"{Number(r.N)}, {PropertyRuns.Literal(r.S)}, {(r.T is { } t ? $"datetime({t:yyyy-MM-ddTHH:mm:ss})" : "datetime(null)")}")) + "]";
        var by = random.Next(4);
        var key = by switch { 0 => "s", 1 => "key = bin(n, 7)", 2 => "key = bin(t, 1d)", _ => "s, key = bin(n, 5)" };
        var found = PropertyRuns.Rows(
            $"{table} | summarize count(), sum(n), min(n), max(n), dcount(n), array_sort_asc(make_set(n)), countif(n > 0), min(t), avg(n), sumif(n, n > 0), dcount(s), array_length(make_list(n)), max(s), "
            + $"count_distinct(n) by {key}").Select(Show).Order(StringComparer.Ordinal).ToList();
        var wanted = rows.GroupBy(r => by switch
            {
                0 => Show([r.S]),
                1 => Show([Floor(r.N, 7)]),
                2 => Show([r.T?.Date]),
                _ => Show([r.S, Floor(r.N, 5)]),
            })
            .Select(group =>
            {
                var numbers = group.Select(r => r.N).OfType<long>().ToList();
                object?[] values =
                [
                    (long)group.Count(), numbers.Sum(), numbers.Count == 0 ? null : numbers.Min(), numbers.Count == 0 ? null : numbers.Max(), (long)numbers.Distinct().Count(),
                    "[" + string.Join(",", numbers.Distinct().Order()) + "]", (long)numbers.Count(n => n > 0), group.Min(r => r.T), numbers.Count == 0 ? double.NaN : numbers.Average(),
                    numbers.Where(n => n > 0).Sum(), (long)group.Select(r => r.S).Distinct().Count(), (long)numbers.Count, group.Max(r => r.S), (long)numbers.Distinct().Count(),
                ];
                return group.Key + "|" + Show(values);
            })
            .Order(StringComparer.Ordinal).ToList();
        return found.SequenceEqual(wanted) ? null : $"found\n{string.Join('\n', found)}\nwanted\n{string.Join('\n', wanted)}\n{table} by {key}";
    });

    [Fact]
    public void Sorting_taking_and_counting_agree() => PropertyRuns.Check(60, Seeds, seed =>
    {
        var random = new Random(seed);
        var side = Sides.Make(random, "v");
        var count = random.Next(0, 8);
        var table = side.Kql("L");
        var sorted = PropertyRuns.Rows($"{table}L | sort by k asc, v desc").Select(r => $"{r[0]}/{r[2]}").ToList();
        var wanted = side.Rows.OrderBy(r => r.K is null ? long.MinValue : r.K).ThenByDescending(r => r.V, StringComparer.Ordinal).Select(r => $"{r.K}/{r.V}").ToList();
        var top = PropertyRuns.Rows($"{table}L | top {count} by k asc, v desc").Select(r => $"{r[0]}/{r[2]}").ToList();
        var numbered = PropertyRuns.Rows($"{table}L | sort by k asc, v desc | extend n = row_number() | where n <= {count} | count").Single()[0];
        if (!sorted.SequenceEqual(wanted)) return $"sort: {string.Join(' ', sorted)}; wanted {string.Join(' ', wanted)}";
        if (!top.SequenceEqual(wanted.Take(count))) return $"top {count}: {string.Join(' ', top)}; wanted {string.Join(' ', wanted.Take(count))}";
        return (long)numbered! == Math.Min(count, wanted.Count) ? null : $"row_number: {numbered}";
    });

    private static readonly Arbitrary<int> Seeds = Gen.Choose(0, int.MaxValue).ToArbitrary();

    private static long? Floor(long? value, long size) => value is { } number ? number - (((number % size) + size) % size) : null;

    private static string Number(long? value) => value is { } number ? $"long({number.ToString(CultureInfo.InvariantCulture)})" : "long(null)";

    private static string Show(IReadOnlyList<object?> row) => string.Join('|', row.Select(value => value switch
    {
        null => "null",
        DateTime time => time.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture),
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    }));

    private static string Differ(List<string> found, List<string> wanted, string kind, string on, Sides left, Sides right) =>
        $"{kind} on {on}: found\n{string.Join('\n', found)}\nwanted\n{string.Join('\n', wanted)}\n{left.Kql("L")}\n{right.Kql("R")}";

    private sealed record Event(long? N, string S, DateTime? T);

    /// <summary>A side of a join: a number that may be null, a text, and a value that is unique.</summary>
    private sealed record Sides(IReadOnlyList<(long? K, string S, string V)> Rows)
    {
        public static Sides Make(Random random, string mark) => new([.. Enumerable.Range(0, random.Next(0, 9))
            .Select(i => (random.Next(5) == 0 ? (long?)null : random.Next(0, 4), random.Next(4) == 0 ? "" : new[] { "a", "A", "b" }[random.Next(3)], mark + i.ToString(CultureInfo.InvariantCulture)))]);

        public string Kql(string name) => $"let {name} = datatable(k:long, s:string, v:string)["
            + string.Join(", ", Rows.Select(r => $"{Number(r.K)}, '{r.S}', '{r.V}'")) + "];\n";

        public IEnumerable<object?[]> Join(Sides other, string kind, int keys)
        {
            // Null equals null in a join's keys.
            bool Same((long? K, string S, string V) a, (long? K, string S, string V) b) => (keys == 1 || a.K == b.K) && (keys == 0 || a.S == b.S);
            object?[] Both((long? K, string S, string V)? a, (long? K, string S, string V)? b) =>
                [a?.K, a?.S ?? "", a?.V ?? "", b?.K, b?.S ?? "", b?.V ?? ""];
            var left = kind == "innerunique" ? Rows.Where((row, i) => !Rows.Take(i).Any(earlier => Same(earlier, row))).ToList() : Rows;
            return kind switch
            {
                "leftsemi" => Rows.Where(a => other.Rows.Any(b => Same(a, b))).Select(a => new object?[] { a.K, a.S, a.V }),
                "leftanti" => Rows.Where(a => !other.Rows.Any(b => Same(a, b))).Select(a => new object?[] { a.K, a.S, a.V }),
                "rightsemi" => other.Rows.Where(b => Rows.Any(a => Same(a, b))).Select(b => new object?[] { b.K, b.S, b.V }),
                "rightanti" => other.Rows.Where(b => !Rows.Any(a => Same(a, b))).Select(b => new object?[] { b.K, b.S, b.V }),
                _ => left.SelectMany(a => other.Rows.Where(b => Same(a, b)).Select(b => Both(a, b)))
                    .Concat(kind is "leftouter" or "fullouter" ? left.Where(a => !other.Rows.Any(b => Same(a, b))).Select(a => Both(a, null)) : [])
                    .Concat(kind is "rightouter" or "fullouter" ? other.Rows.Where(b => !left.Any(a => Same(a, b))).Select(b => Both(null, b)) : []),
            };
        }
    }
}
