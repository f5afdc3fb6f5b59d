using System.Globalization;
using System.Text.Json;

namespace Vedette.Hunting.Bench;

/// <summary>
/// Lets the contestants answer each question in turns, so that the state of caches and of the machine is the same for all; the first round is for
/// warming up. What counts is each one's fastest round, which other work on the machine disturbs least.
/// </summary>
internal sealed class Contest(IReadOnlyList<IContestant> contestants, int rounds)
{
    /// <summary>What a contestant needed for a question.</summary>
    internal sealed record Result(double Best, double Median, double Cpu, long Rows, string? Value);

    /// <summary>Runs all questions, prints a table and gives the figures.</summary>
    public async Task<ContestFigures> RunAsync(IEnumerable<Workload> works)
    {
        Console.WriteLine($"{"milliseconds",-12}" + string.Concat(contestants.Select(static c => $"{c.Name,11}"))
            + string.Concat(contestants.Skip(1).Select(static c => $"{"/ " + c.Name,10}")) + string.Concat(contestants.Skip(1).Select(static c => $"{"cpu / " + c.Name,13}")));
        var figures = new List<(string Name, Result?[] Results)>();
        foreach (var work in works)
        {
            var results = await RunAsync(work);
            figures.Add((work.Name, results));
            Console.WriteLine($"{work.Name,-12}" + string.Concat(results.Select(static r => r is null ? $"{"-",11}" : $"{r.Best,11:F1}"))
                + string.Concat(results.Skip(1).Select(r => r is null || results[0] is null ? $"{"-",10}" : $"{results[0]!.Best / r.Best,10:F2}"))
                + string.Concat(results.Skip(1).Select(r => r is null || results[0] is null ? $"{"-",13}" : $"{results[0]!.Cpu / r.Cpu,13:F2}")));
            foreach (var other in results.Skip(1).Where(r => r is not null && results[0] is not null))
            {
                var (mine, its) = (results[0]!, other!);
                if (its.Rows != Timing.NotRead && (mine.Rows != its.Rows || mine.Value != its.Value))
                    Console.WriteLine($"    {contestants[Array.IndexOf(results, its)].Name} answers otherwise: {its.Rows:N0} rows {its.Value}, here {mine.Rows:N0} rows {mine.Value}");
            }
        }

        var means = contestants.Skip(1).Select((c, i) =>
        {
            var pairs = figures.Where(f => f.Results[0] is not null && f.Results[i + 1] is not null).Select(f => (Ours: f.Results[0]!, Theirs: f.Results[i + 1]!)).ToList();
            return new Mean(c.Name, pairs.ConvertAll(static p => p.Ours.Best / p.Theirs.Best), pairs.ConvertAll(static p => p.Ours.Cpu / p.Theirs.Cpu));
        }).ToList();
        foreach (var mean in means.Where(static m => m.Times.Count > 0))
        {
            Console.WriteLine($"time / {mean.Name}: geometric mean {mean.Time:F2}, worst {mean.Times.Max():F2}, {mean.Times.Count(static r => r > 1)} of {mean.Times.Count} slower; "
                + $"processor time / {mean.Name}: geometric mean {mean.Cpu:F2}, worst {mean.Cpus.Max():F2}");
        }

        return new ContestFigures(
            figures.ToDictionary(static f => f.Name, f => contestants.Zip(f.Results).Where(static p => p.Second is not null).ToDictionary(static p => p.First.Name, static p => p.Second!)),
            means.ToDictionary(static m => m.Name, static m => new ContestMeans(m.Time, m.Cpu)));
    }

    private async Task<Result?[]> RunAsync(Workload work)
    {
        var times = contestants.Select(static _ => new List<Timing>()).ToArray();
        var failed = new bool[contestants.Count];
        for (var round = 0; round <= rounds; round++)
        {
            Console.Error.Write($"\r{work.Name} {round}/{rounds}      ");
            for (var place = 0; place < contestants.Count; place++)
            {
                // There and back, so that nobody always finds the caches as the same rival left them: whoever comes right after one that read the same rows is faster.
                var i = round % 2 == 0 ? place : contestants.Count - 1 - place;
                if (failed[i]) continue;
                try
                {
                    var time = await contestants[i].RunAsync(work);
                    if (round > 0) times[i].Add(time);
                }
                catch (NotSupportedException error)
                {
                    failed[i] = true;
                    Console.Error.WriteLine($"\r{work.Name}: {contestants[i].Name} cannot: {error.Message[..Math.Min(error.Message.Length, 160)].ReplaceLineEndings(" ")}");
                }
            }
        }

        Console.Error.Write("\r                              \r");
        return [.. times.Select((t, i) => failed[i] ? null : new Result(
            t.Min(static x => x.Milliseconds), t.Select(static x => x.Milliseconds).Order().ElementAt(t.Count / 2), t.Min(static x => x.Cpu), t[0].Rows, t[0].Value))];
    }

    private sealed record Mean(string Name, IReadOnlyList<double> Times, IReadOnlyList<double> Cpus)
    {
        public double Time => Of(Times);

        public double Cpu => Of(Cpus);

        private static double Of(IReadOnlyList<double> ratios) => ratios.Count == 0 ? double.NaN : Math.Exp(ratios.Average(static r => Math.Log(r)));
    }
}

/// <summary>Geometric means of our time, and of our processor time, over a rival's.</summary>
internal sealed record ContestMeans(double Time, double Cpu);

/// <summary>The figures of a contest: by question and contestant, and the geometric mean of our time over each rival's.</summary>
internal sealed record ContestFigures(
    IReadOnlyDictionary<string, Dictionary<string, Contest.Result>> Workloads, IReadOnlyDictionary<string, ContestMeans> Means);
