using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Local.Patterns;

/// <summary>
/// Finds the frequent closed patterns of a table: those to which no value can be added without losing rows. Each is found once, by extending
/// patterns only with values behind the last one added and leaving out what another order of additions finds.
/// </summary>
/// <param name="table">The rows.</param>
/// <param name="isFrequent">Whether a pattern of that weight in each set is wanted; it must hold for every part of a pattern for which it holds.</param>
/// <param name="maxDimensions">Values that may be added one by one; those that come along with them do not count.</param>
/// <param name="cancellationToken">Stops the search.</param>
internal sealed class ClosedPatterns(PatternTable table, Func<double, double, bool> isFrequent, int maxDimensions, CancellationToken cancellationToken)
{
    /// <summary>Patterns that a search finds at most.</summary>
    private const int MaxPatterns = 50_000;

    private readonly List<Pattern> _found = [];

    /// <summary>Searches.</summary>
    /// <exception cref="HuntingException">There are too many patterns.</exception>
    public IReadOnlyList<Pattern> Find()
    {
        var all = Enumerable.Range(0, table.Rows.Length).ToArray();
        var root = Closure(all, out var first, out var second);
        if (all.Length > 0 && isFrequent(first, second))
            Grow(root, all, -1, 0, first, second);
        return _found;
    }

    private void Grow(int[] pattern, int[] rows, int after, int depth, double first, double second)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (pattern.Any(c => c != PatternTable.Any))
        {
            if (_found.Count == MaxPatterns)
                throw new HuntingException(HuntingFailure.ExcessiveResources, $"More than {MaxPatterns} patterns were found. Raise the threshold, or project fewer columns.");
            _found.Add(new Pattern(pattern, first, second));
        }

        if (depth == maxDimensions)
            return;
        for (var column = after + 1; column < table.Width; column++)
        {
            if (pattern[column] != PatternTable.Any)
                continue;
            foreach (var (_, own) in rows.Where(r => table.Rows[r][column] != PatternTable.Any).GroupBy(r => table.Rows[r][column]).OrderBy(g => g.Key).Select(g => (g.Key, g.ToArray())))
            {
                var closed = Closure(own, out var ownFirst, out var ownSecond);
                if (!isFrequent(ownFirst, ownSecond) || !KeepsPrefix(pattern, closed, column))
                    continue;
                Grow(closed, own, column, depth + 1, ownFirst, ownSecond);
            }
        }
    }

    /// <summary>Whether nothing was added in front of a column: if so, that order of additions finds the pattern.</summary>
    private static bool KeepsPrefix(int[] pattern, int[] closed, int column)
    {
        for (var c = 0; c < column; c++)
        {
            if (closed[c] != pattern[c])
                return false;
        }

        return true;
    }

    /// <summary>The values that all rows have, and the rows' weight.</summary>
    private int[] Closure(int[] rows, out double first, out double second)
    {
        first = second = 0;
        var common = rows.Length == 0 ? new int[table.Width] : [.. table.Rows[rows[0]]];
        foreach (var r in rows)
        {
            first += table.First[r];
            second += table.Second[r];
            var row = table.Rows[r];
            for (var c = 0; c < common.Length; c++)
            {
                if (row[c] != common[c])
                    common[c] = PatternTable.Any;
            }
        }

        return common;
    }
}
