using System.Diagnostics;
using System.Text.Json;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Sql;

namespace Vedette.Hunting.Bench;

/// <summary>
/// Times the way from query text to SQL text on one warm thread, for every query of a file of JSON lines (<c>{"id","query"}</c>) that binds.
/// Each query is compiled in several rounds over the whole file; its time is the median of the rounds.
/// </summary>
internal sealed class CompileBench(HuntingCatalogue catalogue, string file)
{
    private const int WarmRounds = 5;
    private const int Rounds = 7;

    /// <summary>What one query costs, milliseconds.</summary>
    private sealed record Cost(string Id, double Bind, double Sql, int Length)
    {
        public double All => Bind + Sql;
    }

    /// <summary>The figures, written to standard output, with the slowest queries.</summary>
    public CompileFigures Run(int slowest)
    {
        var queries = new List<(string Id, string Text)>();
        foreach (var line in File.ReadLines(file).Where(static l => l.Length > 0))
        {
            using var document = JsonDocument.Parse(line);
            var (id, text) = (document.RootElement.GetProperty("id").ToString(), document.RootElement.GetProperty("query").GetString()!);
            if (Compile(text, out _, out _, out _)) queries.Add((id, text));
        }

        var bind = queries.ConvertAll(static _ => new List<double>());
        var sql = queries.ConvertAll(static _ => new List<double>());
        var lengths = new int[queries.Count];
        for (var round = -WarmRounds; round < Rounds; round++)
        {
            for (var i = 0; i < queries.Count; i++)
            {
                Compile(queries[i].Text, out var one, out var two, out lengths[i]);
                if (round < 0) continue;
                bind[i].Add(one);
                sql[i].Add(two);
            }
        }

        var costs = queries.Select((q, i) => new Cost(q.Id, Median(bind[i]), Median(sql[i]), lengths[i])).ToList();
        var figures = new CompileFigures(costs.Count, At(costs, 0.5, c => c.All), At(costs, 0.99, c => c.All), costs.Max(static c => c.All));
        Console.WriteLine($"{costs.Count} queries, milliseconds: median, p90, p99, worst");
        Console.WriteLine($"  bind         {At(costs, 0.5, c => c.Bind),7:F3} {At(costs, 0.9, c => c.Bind),7:F3} {At(costs, 0.99, c => c.Bind),7:F3} {costs.Max(static c => c.Bind),7:F3}");
        Console.WriteLine($"  SQL          {At(costs, 0.5, c => c.Sql),7:F3} {At(costs, 0.9, c => c.Sql),7:F3} {At(costs, 0.99, c => c.Sql),7:F3} {costs.Max(static c => c.Sql),7:F3}");
        Console.WriteLine($"  bind and SQL {figures.Median,7:F3} {At(costs, 0.9, c => c.All),7:F3} {figures.P99,7:F3} {figures.Worst,7:F3}");
        foreach (var cost in costs.OrderByDescending(static c => c.All).Take(slowest))
            Console.WriteLine($"  {cost.Id,-32} bind {cost.Bind,7:F3}  SQL {cost.Sql,7:F3}  {cost.Length,8:N0} characters");
        return figures;
    }

    private bool Compile(string text, out double bind, out double sql, out int length)
    {
        (bind, sql, length) = (0, 0, 0);
        var started = Stopwatch.GetTimestamp();
        var compilation = KqlCompiler.Bind(text, catalogue.Schema);
        var bound = Stopwatch.GetTimestamp();
        bind = Stopwatch.GetElapsedTime(started, bound).TotalMilliseconds;
        if (!compilation.Succeeded) return false;
        try
        {
            var statement = SqlCompiler.Compile(compilation.Root!, new SqlContext { TenantId = Guid.Empty, FindTable = catalogue.FindTable, Now = EventGenerator.End });
            length = statement.LocalSteps.Count == 0 ? statement.Explain().Length : 0;
        }
        catch (HuntingException)
        {
            return false;
        }

        sql = Stopwatch.GetElapsedTime(bound).TotalMilliseconds;
        return true;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    private static double At(IEnumerable<Cost> costs, double share, Func<Cost, double> what)
    {
        var sorted = costs.Select(what).Order().ToArray();
        return sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))];
    }
}

/// <summary>Time from text to SQL, milliseconds, over all queries.</summary>
internal sealed record CompileFigures(int Queries, double Median, double P99, double Worst);
