using System.Globalization;
using Vedette.Kql;
using Vedette.Telemetry.Local.Steps;

namespace Vedette.Telemetry.Local.Patterns;

/// <summary>
/// Rows for the search for patterns: every value is a number, rare values are none (-1), and equal rows are one with a weight. There are two weights,
/// for the sets that are compared; a search over one set uses the first.
/// </summary>
internal sealed class PatternTable
{
    /// <summary>No restriction on a column.</summary>
    public const int Any = -1;

    private readonly object?[][] _values;

    private PatternTable(int[][] rows, double[] first, double[] second, object?[][] values, double totalFirst, double totalSecond)
    {
        Rows = rows;
        First = first;
        Second = second;
        _values = values;
        TotalFirst = totalFirst;
        TotalSecond = totalSecond;
    }

    /// <summary>Distinct rows: for each column a value's number, or <see cref="Any"/> for a rare value.</summary>
    public int[][] Rows { get; }

    public double[] First { get; }

    public double[] Second { get; }

    public double TotalFirst { get; }

    public double TotalSecond { get; }

    public int Width => _values.Length;

    /// <summary>The value behind a number.</summary>
    public object? Value(int column, int number) => _values[column][number];

    /// <summary>Numbers the values of some columns.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="columns">Positions of the columns to look at.</param>
    /// <param name="weigh">A row's weight in the first and in the second set.</param>
    /// <param name="isFrequent">Whether a value of that weight in each set, of that total, is worth looking at.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public static PatternTable Read(
        IReadOnlyList<object?[]> rows,
        IReadOnlyList<int> columns,
        Func<object?[], (double First, double Second)> weigh,
        Func<(double First, double Second), (double First, double Second), bool> isFrequent,
        CancellationToken cancellationToken)
    {
        var (totalFirst, totalSecond) = (0d, 0d);
        var weights = new (double First, double Second)[rows.Count];
        for (var r = 0; r < rows.Count; r++)
        {
            weights[r] = weigh(rows[r]);
            totalFirst += weights[r].First;
            totalSecond += weights[r].Second;
        }

        var numbers = new Dictionary<object, int>[columns.Count];
        var values = new object?[columns.Count][];
        for (var c = 0; c < columns.Count; c++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var counts = new Dictionary<object, (double First, double Second)>();
            for (var r = 0; r < rows.Count; r++)
            {
                // Null and empty stand for "any" in the result, so they are no values.
                if (rows[r][columns[c]] is not { } value || value is "")
                    continue;
                var (first, second) = counts.GetValueOrDefault(value);
                counts[value] = (first + weights[r].First, second + weights[r].Second);
            }

            var frequent = counts.Where(p => isFrequent(p.Value, (totalFirst, totalSecond)))
                .OrderByDescending(p => p.Value.First + p.Value.Second)
                .ThenBy(p => Convert.ToString(p.Key, CultureInfo.InvariantCulture), StringComparer.Ordinal).ToList();
            numbers[c] = frequent.Select((p, i) => (p.Key, i)).ToDictionary(p => p.Key, p => p.i);
            values[c] = [.. frequent.Select(p => p.Key)];
        }

        var distinct = new Dictionary<CodeKey, int>();
        var codes = new List<int[]>();
        var (firsts, seconds) = (new List<double>(), new List<double>());
        var code = new int[columns.Count];
        for (var r = 0; r < rows.Count; r++)
        {
            if ((r & 0xFFF) == 0)
                cancellationToken.ThrowIfCancellationRequested();
            if (weights[r] is (0, 0))
                continue;
            for (var c = 0; c < code.Length; c++)
                code[c] = rows[r][columns[c]] is { } value && numbers[c].TryGetValue(value, out var number) ? number : Any;
            if (!distinct.TryGetValue(new CodeKey(code), out var at))
            {
                at = codes.Count;
                codes.Add([.. code]);
                firsts.Add(0);
                seconds.Add(0);
                distinct.Add(new CodeKey(codes[at]), at);
            }

            firsts[at] += weights[r].First;
            seconds[at] += weights[r].Second;
        }

        return new PatternTable([.. codes], [.. firsts], [.. seconds], values, totalFirst, totalSecond);
    }

    /// <summary>The weight of rows that match a pattern.</summary>
    public (double First, double Second) Count(int[] pattern)
    {
        var (first, second) = (0d, 0d);
        for (var r = 0; r < Rows.Length; r++)
        {
            if (!Matches(Rows[r], pattern))
                continue;
            first += First[r];
            second += Second[r];
        }

        return (first, second);
    }

    /// <summary>Whether a row has the values of a pattern.</summary>
    public static bool Matches(int[] row, int[] pattern)
    {
        for (var c = 0; c < pattern.Length; c++)
        {
            if (pattern[c] != Any && row[c] != pattern[c])
                return false;
        }

        return true;
    }

    private readonly struct CodeKey(int[] code) : IEquatable<CodeKey>
    {
        private readonly int[] _code = code;

        public bool Equals(CodeKey other) => _code.AsSpan().SequenceEqual(other._code);

        public override bool Equals(object? obj) => obj is CodeKey other && Equals(other);

        public override int GetHashCode()
        {
            var hash = default(HashCode);
            foreach (var value in _code)
                hash.Add(value);
            return hash.ToHashCode();
        }
    }
}

/// <summary>A pattern: for each column a value's number or <see cref="PatternTable.Any"/>, and the weight of its rows in each set.</summary>
internal sealed record Pattern(int[] Codes, double First, double Second)
{
    /// <summary>Columns that it restricts.</summary>
    public int Size { get; } = Codes.Count(c => c != PatternTable.Any);

    /// <summary>Whether every restriction of this pattern is one of the other's.</summary>
    public bool IsPartOf(Pattern other)
    {
        for (var c = 0; c < Codes.Length; c++)
        {
            if (Codes[c] != PatternTable.Any && Codes[c] != other.Codes[c])
                return false;
        }

        return true;
    }
}

/// <summary>The columns of the result of a plug-in that gives patterns.</summary>
internal static class PatternRows
{
    /// <summary>Writes patterns: the measures, then for each input column the value or its wildcard.</summary>
    public static LocalTable Write(PluginCall call, LocalTable input, PatternTable table, IReadOnlyList<int> columns, IEnumerable<Pattern> patterns, Func<Pattern, object?[]> measures)
    {
        var wildcards = new Dictionary<KqlType, object?>();
        foreach (var custom in call.Arguments.Where(a => a.Parameter == "CustomWildcard" && a.Column < 0 && a.Constant is not "~"))
            wildcards[custom.Type] = custom.Constant;
        var rows = new List<object?[]>();
        foreach (var pattern in patterns)
        {
            var values = new object?[call.Width];
            for (var i = 0; i < values.Length; i++)
                values[i] = wildcards.TryGetValue(input.Columns[i].Type, out var wildcard) ? wildcard : LocalValues.To(null, KqlType.String, input.Columns[i].Type);
            for (var c = 0; c < columns.Count; c++)
            {
                if (pattern.Codes[c] != PatternTable.Any)
                    values[columns[c]] = table.Value(c, pattern.Codes[c]);
            }

            rows.Add([(long)rows.Count, .. measures(pattern), .. values]);
        }

        return new LocalTable([.. call.Columns.Select(c => new LocalColumn(c.Name, c.Type))], rows);
    }
}
