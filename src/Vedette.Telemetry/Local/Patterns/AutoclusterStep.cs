using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local.Steps;

namespace Vedette.Telemetry.Local.Patterns;

/// <summary>
/// autocluster: a few patterns that are both large and telling. From evenly spread rows, values are added one by one, always the one that gives the best
/// score: a weighted geometric mean of the part of all rows and of the information in the values, so that common values say little. The best pattern is
/// taken, and the search goes on in the rows that it leaves.
/// </summary>
internal sealed class AutoclusterStep(PluginCall call) : ILocalStep
{
    /// <summary>Distinct rows that a search looks at; of more, evenly spread ones are taken.</summary>
    private const int MaxRows = 20_000;

    /// <summary>Patterns in the result.</summary>
    private const int MaxPatterns = 20;

    /// <summary>The part of all rows that a further pattern has to add.</summary>
    private const double MinGain = 0.03;

    public string Name => "autocluster";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var sizeWeight = call.Real(input, "SizeWeight", 0.5);
        if (sizeWeight is < 0 or > 1)
            throw new HuntingException(HuntingFailure.Semantic, "evaluate autocluster(): the weight of size must lie between 0 and 1.");
        var seeds = (int)Math.Clamp(call.Long(input, "NumSeeds", 25), 1, 1000);
        var (columns, weigh) = PatternArguments.Read(call, input, []);
        var table = PatternTable.Read(input.Rows, columns, r => (weigh(r), 0), static (w, total) => w.First >= Math.Max(2, 0.01 * total.First), cancellationToken);
        var left = Spread([.. Enumerable.Range(0, table.Rows.Length)], MaxRows);
        var search = new Search(table, left.Sum(r => table.First[r]), Information(table), sizeWeight, cancellationToken);
        var patterns = new List<Pattern>();
        while (patterns.Count < MaxPatterns && left.Length > 0)
        {
            // Rows of much weight are the better seeds: half of them are these.
            var best = left.OrderByDescending(r => table.First[r]).Take((seeds + 1) / 2).Concat(Spread(left, seeds)).Distinct().Take(seeds)
                .Select(seed => search.Climb(left, table.Rows[seed])).MaxBy(p => p.Score);
            if (best.Codes is not { } codes || best.Gain < MinGain)
                break;
            var (size, _) = table.Count(codes);
            if (size < 2)
                break;
            patterns.Add(new Pattern(codes, size, 0));
            left = [.. left.Where(r => !PatternTable.Matches(table.Rows[r], codes))];
        }

        return PatternRows.Write(call, input, table, columns, patterns, p => [(long)Math.Round(p.First), Math.Round(100 * p.First / table.TotalFirst, 1)]);
    }

    /// <summary>The bits that each value of each column says.</summary>
    private static double[][] Information(PatternTable table)
    {
        var counts = new Dictionary<int, double>[table.Width];
        for (var c = 0; c < counts.Length; c++)
        {
            counts[c] = [];
            for (var r = 0; r < table.Rows.Length; r++)
            {
                if (table.Rows[r][c] is not PatternTable.Any and var number)
                    counts[c][number] = counts[c].GetValueOrDefault(number) + table.First[r];
            }
        }

        return [.. counts.Select(own => own.Count == 0 ? [] : Enumerable.Range(0, own.Keys.Max() + 1)
            .Select(n => own.TryGetValue(n, out var weight) && weight > 0 ? -Math.Log2(weight / table.TotalFirst) : 0).ToArray())];
    }

    private static int[] Spread(int[] rows, int most) =>
        rows.Length <= most ? rows : [.. Enumerable.Range(0, most).Select(i => rows[(int)((long)i * rows.Length / most)])];

    private sealed class Search(PatternTable table, double total, double[][] information, double sizeWeight, CancellationToken cancellationToken)
    {
        /// <summary>Adds a seed's values one by one and gives the best pattern on the way, its score, and its part of all rows.</summary>
        public (int[]? Codes, double Score, double Gain) Climb(int[] rows, int[] seed)
        {
            var codes = Enumerable.Repeat(PatternTable.Any, table.Width).ToArray();
            (int[]? Codes, double Score, double Gain) best = (null, -1, 0);
            var open = Enumerable.Range(0, table.Width).Where(c => seed[c] != PatternTable.Any).ToList();
            var bits = 0d;
            while (open.Count > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var weights = new double[table.Width];
                foreach (var r in rows)
                {
                    var row = table.Rows[r];
                    foreach (var c in open)
                    {
                        if (row[c] == seed[c])
                            weights[c] += table.First[r];
                    }
                }

                var next = open.MaxBy(c => Score(weights[c], bits + information[c][seed[c]]));
                open.Remove(next);
                codes[next] = seed[next];
                bits += information[next][seed[next]];
                var score = Score(weights[next], bits);
                if (score > best.Score || (score == best.Score && weights[next] > 0))
                    best = ([.. codes], score, weights[next] / total);
                rows = [.. rows.Where(r => table.Rows[r][next] == seed[next])];
            }

            return best;
        }

        private double Score(double weight, double bits) => Math.Pow(weight / total, sizeWeight) * Math.Pow(bits, 1 - sizeWeight);
    }
}
