using System.Globalization;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local.Steps;

namespace Vedette.Telemetry.Local.Patterns;

/// <summary>basket: all frequent patterns that say something of their own, most frequent first.</summary>
internal sealed class BasketStep(PluginCall call) : ILocalStep
{
    public string Name => "basket";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var threshold = PatternArguments.Threshold(call, input);
        var (columns, weigh) = PatternArguments.Read(call, input, []);
        var table = PatternTable.Read(input.Rows, columns, r => (weigh(r), 0), (w, total) => w.First >= threshold * total.First, cancellationToken);
        var patterns = new ClosedPatterns(table, (first, _) => first >= threshold * table.TotalFirst, (int)Math.Clamp(call.Long(input, "MaxDimensions", 5), 1, 1000), cancellationToken).Find();
        return PatternRows.Write(call, input, table, columns, patterns.OrderByDescending(p => p.First).ThenByDescending(p => p.Size), p =>
            [(long)Math.Round(p.First), Math.Round(100 * p.First / table.TotalFirst, 1)]);
    }
}

/// <summary>
/// diffpatterns: patterns whose part of one set differs most from their part of the other. A pattern that says less, or more, than a better one is left out.
/// </summary>
internal sealed class DiffPatternsStep(PluginCall call) : ILocalStep
{
    public string Name => "diffpatterns";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var threshold = PatternArguments.Threshold(call, input);
        var split = call.ColumnOf("SplitColumn");
        var type = input.Columns[split].Type;
        var (a, b) = (Text("SplitValueA"), Text("SplitValueB"));
        var (columns, weigh) = PatternArguments.Read(call, input, [split]);
        var table = PatternTable.Read(input.Rows, columns, Weigh, (w, total) => Above(w, total, threshold), cancellationToken);
        if (input.Rows.Count > 0 && (table.TotalFirst == 0 || table.TotalSecond == 0))
            throw new HuntingException(HuntingFailure.Semantic, $"evaluate diffpatterns(): the column {input.Columns[split].Name} must hold both '{a}' and '{b}'.");
        var patterns = Differences.Find(table, threshold, (int)Math.Clamp(call.Long(input, "MaxDimensions", 1000), 1, 1000), cancellationToken);
        return PatternRows.Write(call, input, table, columns, patterns, p =>
        {
            var (partA, partB) = (100 * p.First / table.TotalFirst, 100 * p.Second / table.TotalSecond);
            return [(long)Math.Round(p.First), (long)Math.Round(p.Second), Math.Round(partA, 2), Math.Round(partB, 2), Math.Round(Math.Abs(partA - partB), 2)];
        });

        string Text(string name) => Convert.ToString(call.Value(input, name), CultureInfo.InvariantCulture) ?? "";

        (double, double) Weigh(object?[] row)
        {
            var set = LocalValues.ToText(row[split], type);
            return (set == a ? weigh(row) : 0, set == b ? weigh(row) : 0);
        }
    }

    /// <summary>Whether a weight is a threshold's part of either set.</summary>
    internal static bool Above((double First, double Second) weight, (double First, double Second) total, double threshold) =>
        (total.First > 0 && weight.First >= threshold * total.First) || (total.Second > 0 && weight.Second >= threshold * total.Second);
}

/// <summary>diffpatterns_text: as diffpatterns, over the words of a text.</summary>
internal sealed class DiffPatternsTextStep(PluginCall call) : ILocalStep
{
    /// <summary>Words of a text that are looked at.</summary>
    private const int MaxWords = 60;

    public string Name => "diffpatterns_text";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var text = call.ColumnOf("TextColumn");
        var condition = call.Arguments.First(a => a.Parameter == "BooleanCondition");
        var threshold = PatternArguments.Threshold(call, input);
        var least = call.Long(input, "MinTokens", 1);
        var words = input.Rows.Select(r => ((object?[])[r, .. LocalValues.ToText(r[text], input.Columns[text].Type).Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(MaxWords)])).ToList();
        var width = words.Select(w => w.Length).DefaultIfEmpty(1).Max();
        foreach (var at in Enumerable.Range(0, words.Count))
        {
            var row = words[at];
            Array.Resize(ref row, width);
            words[at] = row;
        }

        var table = PatternTable.Read(words, [.. Enumerable.Range(1, width - 1)], Weigh, (w, total) => DiffPatternsStep.Above(w, total, threshold), cancellationToken);
        var patterns = Differences.Find(table, threshold, (int)Math.Clamp(call.Long(input, "MaxTokens", 20), 1, 1000), cancellationToken).Where(p => p.Size >= least);
        return new LocalTable([.. call.Columns.Select(c => new LocalColumn(c.Name, c.Type))], [.. patterns.Select(p => (object?[])
        [
            (long)p.First, (long)p.Second,
            table.TotalFirst == 0 ? 0d : Math.Round(100 * p.First / table.TotalFirst, 2),
            table.TotalSecond == 0 ? 0d : Math.Round(100 * p.Second / table.TotalSecond, 2),
            Words(p, table),
        ])]);

        (double, double) Weigh(object?[] row) =>
            (condition.Column >= 0 ? ((object?[])row[0]!)[condition.Column] : condition.Constant) is true ? (1, 0) : (0, 1);
    }

    private static string Words(Pattern pattern, PatternTable table)
    {
        var last = Array.FindLastIndex(pattern.Codes, c => c != PatternTable.Any);
        return string.Join(' ', pattern.Codes.Take(last + 1).Select((c, i) => c == PatternTable.Any ? "*" : (string)table.Value(i, c)!));
    }
}

/// <summary>The choice of patterns that tell two sets apart.</summary>
internal static class Differences
{
    /// <summary>Patterns whose parts of the two sets differ by a threshold at least, largest difference first.</summary>
    public static List<Pattern> Find(PatternTable table, double threshold, int maxDimensions, CancellationToken cancellationToken)
    {
        var total = (table.TotalFirst, table.TotalSecond);
        var candidates = new ClosedPatterns(table, (first, second) => DiffPatternsStep.Above((first, second), total, threshold), maxDimensions, cancellationToken).Find()
            .Where(p => Math.Abs(Difference(p)) >= threshold)
            .OrderByDescending(p => Math.Abs(Difference(p))).ThenByDescending(p => p.Size);
        var chosen = new List<Pattern>();
        foreach (var pattern in candidates)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!chosen.Exists(c => Math.Sign(Difference(c)) == Math.Sign(Difference(pattern)) && (c.IsPartOf(pattern) || pattern.IsPartOf(c))))
                chosen.Add(pattern);
        }

        return chosen;

        double Difference(Pattern p) => Part(p.First, table.TotalFirst) - Part(p.Second, table.TotalSecond);
    }

    private static double Part(double weight, double total) => total == 0 ? 0 : weight / total;
}

/// <summary>Arguments that the plug-ins for patterns share.</summary>
internal static class PatternArguments
{
    /// <summary>The argument Threshold, 0.05 if it is absent.</summary>
    /// <exception cref="HuntingException">It is out of range.</exception>
    public static double Threshold(PluginCall call, LocalTable input) => call.Real(input, "Threshold", 0.05) is >= 0.015 and <= 1 and var threshold
        ? threshold
        : throw new HuntingException(HuntingFailure.Semantic, $"evaluate {call.Name}(): the threshold must lie between 0.015 and 1.");

    /// <summary>The columns to look at, all but the weight and the given ones, and how much a row weighs.</summary>
    public static (IReadOnlyList<int> Columns, Func<object?[], double> Weigh) Read(PluginCall call, LocalTable input, IReadOnlyList<int> without)
    {
        var weight = call.Arguments.FirstOrDefault(a => a.Parameter == "WeightColumn" && a.Column >= 0)?.Column ?? -1;
        var columns = Enumerable.Range(0, call.Width).Where(i => i != weight && !without.Contains(i)).ToList();
        return (columns, weight < 0 ? _ => 1 : r => Math.Max(0, LocalValues.To(r[weight], input.Columns[weight].Type, KqlType.Real) as double? ?? 0));
    }
}
