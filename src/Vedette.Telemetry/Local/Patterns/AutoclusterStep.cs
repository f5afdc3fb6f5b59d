using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local.Steps;

namespace Vedette.Telemetry.Local.Patterns;

/// <summary>
/// autocluster: a few patterns that are both large and specific. From evenly spread rows, values are added one by one, always the one that gives the best
/// score; the best patterns on these ways are chosen, each of which must cover mostly rows that the better ones do not.
/// </summary>
internal sealed class AutoclusterStep(PluginCall call) : ILocalStep
{
    /// <summary>Distinct rows that a search looks at; of more, evenly spread ones are taken.</summary>
    private const int MaxRows = 50_000;

    /// <summary>Patterns in the result.</summary>
    private const int MaxPatterns = 25;

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
        var found = new Dictionary<string, (int[] Codes, double Score)>(StringComparer.Ordinal);
        var rows = Spread(table.Rows.Length, MaxRows);
        var weight = rows.Sum(r => table.First[r]);
        // Rows of much weight are the better seeds: half of them are these.
        foreach (var seed in rows.OrderByDescending(r => table.First[r]).Take((seeds + 1) / 2).Concat(Spread(table.Rows.Length, seeds)).Distinct().Take(seeds))
        {
            if (Climb(table, rows, weight, table.Rows[seed], sizeWeight, cancellationToken) is { } best)
                found[string.Join(',', best.Codes)] = best;
        }

        var covered = new bool[table.Rows.Length];
        var patterns = new List<Pattern>();
        foreach (var (codes, _) in found.Values.OrderByDescending(f => f.Score))
        {
            var own = Enumerable.Range(0, table.Rows.Length).Where(r => PatternTable.Matches(table.Rows[r], codes)).ToList();
            var total = own.Sum(r => table.First[r]);
            if (total < 2 || own.Where(r => !covered[r]).Sum(r => table.First[r]) < total / 2)
                continue;
            patterns.Add(new Pattern(codes, total, 0));
            foreach (var r in own)
                covered[r] = true;
            if (patterns.Count == MaxPatterns)
                break;
        }

        return PatternRows.Write(call, input, table, columns, patterns, p => [(long)Math.Round(p.First), Math.Round(100 * p.First / table.TotalFirst, 1)]);
    }

    /// <summary>Adds a seed's values one by one and gives the best pattern on the way; null when the seed has no frequent value.</summary>
    private static (int[] Codes, double Score)? Climb(PatternTable table, int[] all, double weight, int[] seed, double sizeWeight, CancellationToken cancellationToken)
    {
        var codes = Enumerable.Repeat(PatternTable.Any, table.Width).ToArray();
        var rows = all;
        (int[] Codes, double Score)? best = null;
        var open = Enumerable.Range(0, table.Width).Where(c => seed[c] != PatternTable.Any).ToList();
        for (var size = 1; open.Count > 0; size++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // Of equally specific patterns the largest is the best.
            var next = open.MaxBy(c => rows.Where(r => table.Rows[r][c] == seed[c]).Sum(r => table.First[r]));
            open.Remove(next);
            codes[next] = seed[next];
            rows = [.. rows.Where(r => table.Rows[r][next] == seed[next])];
            var score = Math.Pow(rows.Sum(r => table.First[r]) / weight, sizeWeight) * Math.Pow((double)size / table.Width, 1 - sizeWeight);
            if (best is null || score >= best.Value.Score)
                best = ([.. codes], score);
        }

        return best;
    }

    private static int[] Spread(int count, int most) =>
        count <= most ? [.. Enumerable.Range(0, count)] : [.. Enumerable.Range(0, most).Select(i => (int)((long)i * count / most))];
}
