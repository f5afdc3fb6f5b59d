namespace Vedette.Kql.Binding;

/// <summary>"Did you mean": the nearest known name to one that is not known.</summary>
internal static class Hints
{
    /// <summary>The candidate nearest to the name: equal but for case, else within a third of its length in edits; null when none is near.</summary>
    public static string? Nearest(string name, IEnumerable<string> candidates)
    {
        if (name.Length is 0 or > 128)
            return null;
        var limit = name.Length / 3;
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

    private static int Distance(string a, string b, int limit)
    {
        Span<int> previous = stackalloc int[b.Length < 256 ? b.Length + 1 : 0];
        if (previous.IsEmpty)
            return limit;
        for (var j = 0; j <= b.Length; j++)
            previous[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = previous[0];
            previous[0] = i;
            var least = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1;
                var value = Math.Min(Math.Min(previous[j] + 1, previous[j - 1] + 1), diagonal + cost);
                diagonal = previous[j];
                previous[j] = value;
                least = Math.Min(least, value);
            }

            if (least >= limit)
                return limit;
        }

        return previous[b.Length];
    }
}
