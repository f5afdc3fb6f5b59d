namespace Vedette.Kql.Binding;

/// <summary>"Did you mean": the nearest known name to one that is not known.</summary>
internal static class Hints
{
    /// <summary>The candidate nearest to the name: equal but for case, else within a third of its length in edits; null when none is near.</summary>
    public static string? Nearest(string name, IEnumerable<string> candidates)
    {
        if (name.Length is 0 or > 128)
            return null;
        var limit = name.Length >= 3 ? Math.Max(1, name.Length / 3) : 0;
        string? best = null;
        var bestDistance = limit + 1;
        foreach (var candidate in candidates)
        {
            if (candidate.Equals(name, StringComparison.OrdinalIgnoreCase))
                return candidate;
            if (Math.Abs(candidate.Length - name.Length) >= bestDistance)
                continue;
            var distance = Distance(name, candidate, bestDistance);
            if (distance < bestDistance)
            {
                bestDistance = distance;
                best = candidate;
            }
        }

        return best;
    }

    /// <summary>Edits that make one name of the other: a letter more, less or other, or two neighbours swapped. Never more than the limit.</summary>
    private static int Distance(string a, string b, int limit)
    {
        if (b.Length >= 256)
            return limit;
        Span<int> beforeLast = stackalloc int[b.Length + 1];
        Span<int> last = stackalloc int[b.Length + 1];
        Span<int> row = stackalloc int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
            last[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            var least = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = Same(a[i - 1], b[j - 1]) ? 0 : 1;
                var value = Math.Min(Math.Min(last[j] + 1, row[j - 1] + 1), last[j - 1] + cost);
                if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1]))
                    value = Math.Min(value, beforeLast[j - 2] + 1);
                row[j] = value;
                least = Math.Min(least, value);
            }

            if (least >= limit)
                return limit;
            var spare = beforeLast;
            beforeLast = last;
            last = row;
            row = spare;
        }

        return last[b.Length];
    }

    private static bool Same(char x, char y) => char.ToLowerInvariant(x) == char.ToLowerInvariant(y);
}
