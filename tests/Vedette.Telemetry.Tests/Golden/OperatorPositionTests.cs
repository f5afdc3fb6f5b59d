using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests.Golden;

/// <summary>
/// Operators in all places where a query may have them: in a body that runs for each group of rows they give what they give over the rows of each group alone.
/// </summary>
public sealed class OperatorPositionTests
{
    // Three groups by k, with ties, nulls and bags of several properties.
    private const string Constant = """
        let T = datatable(k:string, t:datetime, s:string, n:long, d:dynamic, x:real)[
        "g", datetime(2026-01-01 00:00), "alpha one=1", 1, dynamic({"a":1,"b":"x"}), 1.5,
        "g", datetime(2026-01-01 01:00), "alpha two=2", 2, dynamic({"a":2,"c":true}), 2.5,
        "g", datetime(2026-01-01 01:30), "beta one=3", 2, dynamic({"b":"y"}), 0.5,
        "h", datetime(2026-01-01 02:00), "alpha one=4", 3, dynamic({"a":5}), 7.0,
        "h", datetime(2026-01-01 03:00), "gamma", 1, dynamic({"z":"q"}), 3.0,
        "i", datetime(2026-01-01 04:00), "beta two=9", 4, dynamic(null), 1.0];
        let U = datatable(k:string, r:string, n:long)["g", "G", 1, "h", "H", 3, "j", "J", 2];

        """;

    private const string Stored = """
        let T = DeviceProcessEvents | project k = DeviceId, t = Timestamp, s = FileName, n = tolong(ProcessId), d = parse_json(AdditionalFields), x = FileSize / 2.0;
        let U = datatable(k:string, r:string, n:long)["g", "G", 1, "h", "H", 3, "j", "J", 2];

        """;

    // Every operator, as it stands behind a pipe.
    private static string[] Operators { get; } =
    [
        "where n > 1", "extend y = n * 2", "project k, n", "project-away t", "project-keep k, n", "project-rename kk = k", "project-reorder n", "sort by x asc | take 1",
        "top 1 by x desc", "distinct s", "count", "summarize c = count(), m = max(x) by n", "summarize arg_max(x, *) by n", "summarize percentiles(x, 25, 75)",
        "sort by x asc | extend r = row_number(), p = prev(n), q = next(s), c = row_cumsum(n)", "sort by x asc | extend p = prev(x, n), q = next(s, n - 1, 'none')",
        "sort by n asc, s asc | extend r = row_rank_dense(n), q = row_rank_min(n)", "sort by t asc | extend w = row_window_session(t, 1h, 30m)",
        "sort by tostring(parse_user_agent(s, 'browser')) asc, s desc | take 1", "sample 100", "serialize r = row_number() | summarize max(r)", "getschema | project ColumnName",
        "top-nested 1 of n by sum(x), top-nested 1 of s by max(x)", "top-nested 1 of n with others = -1 by sum(x)", "sample-distinct 10 of s", "top-hitters 1 of n by x",
        "sort by x asc | scan declare (c:long = 0) with (step a: true => c = a.c + n;)", "sort by t asc | scan with_match_id = m with (step a: n >= 1; step b: x > 1;)",
        "sort by t asc | project s, x | scan with (step a output = last: true; step b: x > 1;)",
        "make-series c = count() default = 0 on t from datetime(2026-01-01) to datetime(2026-01-02) step 6h by n", "make-series c = count() on t step 1h",
        "parse s with w ' ' kk '=' v:long", "parse-where s with w ' ' kk '=' v:long", "parse-kv s as (one:long, two:long) with (pair_delimiter = ' ', kv_delimiter = '=')",
        "mv-expand d", "mv-expand l = parse_csv(s)", "mv-apply d on (extend z = tostring(d))", "mv-apply e = d on (where isnotempty(e) | evaluate bag_unpack(e)) | project-away d", "search 'alpha' | project-away $table",
        "reduce by s", "reduce kind=source by s", "as Z | where n > 1 | union Z", "as Z | join kind=inner (Z | project s, m = n) on s",
        "join kind=inner (U) on k", "join kind=leftouter (U) on k", "join kind=leftanti (U) on n", "join kind=fullouter (U) on n", "lookup (U) on k", "union (U | where n == 3)",
        "where k in ((U | project k))", "where s has_any ((U | project r)) or n > 0", "extend m = toscalar(U | summarize max(n))", "partition by n (top 1 by x)",
        "partition hint.strategy=native by n (summarize sum(x) by s)", "invoke both(2)",
        "evaluate bag_unpack(d)", "evaluate bag_unpack(d) | extend aa = a + 1 | where isnotnull(aa)", "evaluate bag_unpack(d, 'p_') | project-away t",
        "extend e = bag_pack('w', n) | evaluate bag_unpack(d) | evaluate bag_unpack(e)", "evaluate bag_unpack(d) : (k:string, a:long, b:string)",
        "evaluate pivot(s, sum(n), k)", "project s, n | evaluate pivot(s) | project n", "project s, n | evaluate narrow()", "project s, n | evaluate autocluster()", "project s, n | evaluate basket()",
        "extend f = n > 1 | project s, n, f = iff(f, 'p', 'q') | union (print s = 'u', n = 0, f = 'p'), (print s = 'u', n = 0, f = 'q') | evaluate diffpatterns(f, 'p', 'q')",
        "extend ip = strcat('10.0.0.', n) | evaluate ipv4_lookup(datatable(net:string, w:long)['10.0.0.0/30', 1], ip, net) | project ip, w",
        "sort by x asc | evaluate rows_near(n == 2, 1)", "evaluate sequence_detect(t, 1d, 1d, a = n == 1, b = n == 2)",
        "evaluate activity_metrics(s, t, datetime(2026-01-01), datetime(2026-01-02), 12h)", "evaluate sliding_window_counts(s, t, datetime(2026-01-01), datetime(2026-01-02), 1d, 12h)",
        "evaluate funnel_sequence(k, t, datetime(2026-01-01), datetime(2026-01-02), 1h, 1d, n, dynamic(['1', '2']))", "evaluate rolling_percentile(x, 50, t, 1h, 2)",
        "make-graph k --> s | graph-match (a)-[e]->(b) where e.n >= 1 project e.n, bb = e.s", "make-graph k --> s with (U | project k, r) on k | graph-match (a)-[e]->(b) project a.r, e.s",
        "make-graph k --> s | graph-shortest-paths (a)-[e*1..3]->(b) project f = e.n", "make-graph k --> s with_node_id=id | graph-mark-components | graph-to-table nodes",
        "make-graph k --> s | graph-to-table edges", "make-graph k --> s with_node_id=id | graph-to-table nodes with_node_id=nid", "make-graph k --> s partitioned-by n (graph-match (a)-[e]->(b) project e.s)",
    ];

    // Around an operator O. Behind the colon: whose rows come out, of all groups or of g alone.
    private static (string Text, string Groups)[] Positions { get; } =
    [
        ("T | partition hint.strategy=native by k (O)", "ghi"),
        ("let V = T | project-rename kk = k; T | distinct k | partition by k { V | where kk == k | project-rename k = kk | O }", "ghi"),
        ("T | summarize all_ = make_list(pack_all()) by key_ = k | mv-apply e_ = all_ on (project k = tostring(e_.k), t = todatetime(e_.t), s = tostring(e_.s), n = tolong(e_.n), d = todynamic(e_.d), x = toreal(e_.x) | O) | project-away key_, all_", "ghi"),
        ("T | where k == 'g' | fork (O)", "g"),
        ("T | where k == 'g' | facet by k with (O)", "g"),
        ("let f = (A:(k:string, t:datetime, s:string, n:long, d:dynamic, x:real)) { A | O }; f(T | where k == 'g')", "g"),
        ("union (T | where k == 'g' | O), (T | where k == 'h' | O), (T | where k == 'i' | O)", "ghi"),
        ("let M = materialize(T | where k == 'g' | O); union M, (M | take 0)", "g"),
        ("print j_ = 1 | join kind=inner (T | where k == 'g' | O | extend j_ = 1) on j_ | project-away j_, j_1", "g"),
        ("print j_ = 1 | lookup kind=inner (T | where k == 'g' | O | extend j_ = 1) on j_ | project-away j_", "g"),
        ("T | where k == 'g' | O | where toscalar(T | where k == 'g' | O | extend q_ = 1 | project q_) == 1 and '1' in ((T | where k == 'g' | O | extend q_ = '1' | project q_)) and 'a 1' has_any ((T | where k == 'g' | O | extend q_ = '1' | project q_))", "g"),
    ];

    [Fact]
    public async Task Bodies_give_what_the_operator_gives_over_each_group()
    {
        var database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, database).EnsureAsync();
        await using var services = new ServiceCollection().AddSingleton(TestEngine.Shared).AddVedetteTelemetry(new TelemetryOptions { Database = database }).BuildServiceProvider();
        var tenant = Guid.NewGuid();
        await services.GetRequiredService<IHuntingStore>().AppendAsync(tenant,
        [
            Row("g", 0, "alpha one=1", 1, """{"a":1,"b":"x"}""", 3), Row("g", 60, "alpha two=2", 2, """{"a":2,"c":true}""", 5), Row("g", 90, "beta one=3", 2, """{"b":"y"}""", 1),
            Row("h", 120, "alpha one=4", 3, """{"a":5}""", 14), Row("h", 180, "gamma", 1, """{"z":"q"}""", 6), Row("i", 240, "beta two=9", 4, "", 2),
        ], null, default);
        var hunting = services.GetRequiredService<IHuntingService>();
        var failures = new StringBuilder();
        foreach (var op in Operators)
        {
            var alone = new Dictionary<char, List<string>>();
            foreach (var group in "ghi")
                alone[group] = await RowsAsync(hunting, tenant, Constant, $"T | where k == '{group}' | O", op);
            foreach (var (text, groups) in Positions)
                Compare(await RowsAsync(hunting, tenant, Constant, text, op), text, groups);
            // Rows of a table come from elsewhere than constants, and their plans differ.
            foreach (var (text, groups) in Positions.Take(3))
                Compare(await RowsAsync(hunting, tenant, Stored, text, op), "stored: " + text, groups);

            void Compare(List<string> rows, string text, string groups)
            {
                var expected = groups.SelectMany(g => alone[g]).Order(StringComparer.Ordinal).ToList();
                if (!rows.SequenceEqual(expected) || expected.Exists(e => e.StartsWith("error: ", StringComparison.Ordinal)))
                    failures.AppendLine($"{text.Replace("O", op, StringComparison.Ordinal)}\n--- expected\n{string.Join('\n', expected)}\n--- actual\n{string.Join('\n', rows)}\n");
            }
        }

        failures.ToString().ShouldBeEmpty();
    }

    /// <summary>Rows as their cells by name; an empty cell is the same as one that a union adds.</summary>
    private static async Task<List<string>> RowsAsync(IHuntingService hunting, Guid tenant, string tables, string text, string op)
    {
        var query = $$"""
            {{tables}}let both = (A:(*), m:long) { A | take 100 * m };
            {{System.Text.RegularExpressions.Regex.Replace(text, @"\bO\b", op.Replace("$", "$$", StringComparison.Ordinal))}}
            """;
        try
        {
            var result = await hunting.RunAsync(new HuntingRequest(tenant, query), default);
            return
            [
                .. result.Rows.Select(r => string.Join(" | ", r.Select((v, i) => (result.Columns[i].Name, Text: Convert.ToString(v, CultureInfo.InvariantCulture)))
                    .Where(c => !string.IsNullOrEmpty(c.Text)).OrderBy(c => c.Name, StringComparer.Ordinal).Select(c => $"{c.Name}={c.Text}"))).Order(StringComparer.Ordinal),
            ];
        }
        catch (HuntingException error)
        {
            return ["error: " + error.Message];
        }
    }

    private static HuntingRow Row(string key, int minutes, string text, long number, string bag, long size)
    {
        var row = HuntingRow.For("DeviceProcessEvents");
        row["Timestamp"] = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddMinutes(minutes);
        row["DeviceId"] = key;
        row["FileName"] = text;
        row["ProcessId"] = number;
        row["AdditionalFields"] = bag;
        row["FileSize"] = size;
        return row;
    }
}
