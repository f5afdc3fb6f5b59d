namespace Vedette.Telemetry.Ingest.Sieve;

/// <summary>
/// Finds many ASCII texts in another at once, without regard to case, in one step for each character (the algorithm of Aho and Corasick). Long
/// texts are looked for by their beginning.
/// </summary>
internal sealed class TextAutomaton
{
    private const int Longest = 20;
    private const int LongestOfMany = 8;
    private const int Many = 50_000;

    private readonly byte[] _classes = new byte[128];
    private readonly int _width;
    private readonly int[] _next;
    private readonly int[]?[] _found;

    /// <summary>Prepares the texts; none may be empty.</summary>
    public TextAutomaton(IReadOnlyList<string> texts)
    {
        var length = texts.Sum(static t => Math.Min(t.Length, Longest)) > Many ? LongestOfMany : Longest;
        var width = 1;
        foreach (var letter in texts.SelectMany(t => t.Take(length)))
        {
            ref var known = ref _classes[char.ToLowerInvariant(letter)];
            if (known == 0) known = (byte)width++;
        }

        for (var letter = 'a'; letter <= 'z'; letter++) _classes[char.ToUpperInvariant(letter)] = _classes[letter];
        _width = width;
        var next = new List<int>(new int[width]);
        var found = new List<List<int>?> { null };
        for (var number = 0; number < texts.Count; number++)
        {
            var state = 0;
            foreach (var letter in texts[number].Take(length))
            {
                var edge = (state * width) + _classes[letter];
                if (next[edge] == 0)
                {
                    next[edge] = found.Count;
                    found.Add(null);
                    next.AddRange(new int[width]);
                }

                state = next[edge];
            }

            (found[state] ??= []).Add(number);
        }

        _next = [.. next];
        _found = Complete(_next, found, width);
    }

    /// <summary>The state before the first character.</summary>
    public const int Start = 0;

    /// <summary>The state after another character.</summary>
    public int Next(int state, char letter) =>
        _next[(state * _width) + (letter < 128 ? _classes[letter] : SieveText.Fold(letter) is < (char)128 and var folded ? _classes[folded] : 0)];

    /// <summary>Numbers of the texts that end here; null when none does.</summary>
    public int[]? Found(int state) => _found[state];

    // Missing edges lead where the longest end of what was read leads, so that no character is looked at twice.
    private static int[]?[] Complete(int[] next, List<List<int>?> found, int width)
    {
        var fallback = new int[found.Count];
        var queue = new Queue<int>();
        for (var edge = 0; edge < width; edge++)
            if (next[edge] != 0) queue.Enqueue(next[edge]);
        while (queue.TryDequeue(out var state))
        {
            if (found[fallback[state]] is { } shorter) (found[state] ??= []).AddRange(shorter);
            for (var edge = 0; edge < width; edge++)
            {
                ref var target = ref next[(state * width) + edge];
                var other = next[(fallback[state] * width) + edge];
                if (target == 0)
                {
                    target = other;
                    continue;
                }

                fallback[target] = other;
                queue.Enqueue(target);
            }
        }

        return [.. found.Select(static f => f?.ToArray())];
    }
}
