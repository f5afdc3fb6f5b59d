using System.Collections.Frozen;
using System.Text;

namespace Vedette.Telemetry.Ingest.Sieve;

/// <summary>
/// Tells which of many queries can have something to say about rows of one table. Each query is found by one of its conditions, the rarest as far as
/// can be guessed: texts of a column are looked for together, so a row costs about the same whether ten queries wait for it or a thousand. Only
/// queries that are found have their other conditions looked at.
/// </summary>
internal sealed class TableSieve
{
    // The kind of event is what nearly all conditions name, and what tells least.
    private const string KindColumn = "ActionType";

    private readonly Entry[] _entries;
    private readonly int[] _always;
    private readonly TextColumn[] _texts;
    private readonly (int Ordinal, FrozenDictionary<string, int[]> Entries)[] _equals;
    private readonly (int Ordinal, FrozenDictionary<long, int[]> Entries)[] _numbers;

    /// <summary>Prepares for a table's rows.</summary>
    /// <param name="queries">Numbers of queries, and what a row must fulfil for each.</param>
    public TableSieve(IEnumerable<(int Query, SieveSource Source)> queries)
    {
        _entries = [.. queries.Select(static q => new Entry(q.Query, q.Source.Condition))];
        var texts = new Dictionary<int, Dictionary<string, List<int>>>();
        var equals = new Dictionary<int, Dictionary<string, List<int>>>();
        var numbers = new Dictionary<int, Dictionary<long, List<int>>>();
        var always = new List<int>();
        var kind = queries.Select(static q => q.Source.Table.OrdinalOf(KindColumn)).FirstOrDefault(-1);
        for (var number = 0; number < _entries.Length; number++)
        {
            if (Marks(_entries[number].Condition, kind) is not { Leaves: { } leaves })
            {
                always.Add(number);
                continue;
            }

            foreach (var leaf in leaves)
            {
                switch (leaf)
                {
                    case TextIs { Test: SieveTest.Equal } text: Note(equals, text.Ordinal, text.Values, number, StringComparer.OrdinalIgnoreCase); break;
                    case TextIs text: Note(texts, text.Ordinal, text.Values.Select(static v => v.ToLowerInvariant()), number, StringComparer.Ordinal); break;
                    case NumberIs value: Note(numbers, value.Ordinal, value.Values, number, EqualityComparer<long>.Default); break;
                }
            }
        }

        _always = [.. always];
        _texts = [.. texts.Select(static t => new TextColumn(t.Key, new TextAutomaton([.. t.Value.Keys]), [.. t.Value.Values.Select(static e => e.ToArray())]))];
        _equals = [.. equals.Select(static e => (e.Key, e.Value.ToFrozenDictionary(static v => v.Key, static v => v.Value.ToArray(), StringComparer.OrdinalIgnoreCase)))];
        _numbers = [.. numbers.Select(static e => (e.Key, e.Value.ToFrozenDictionary(static v => v.Key, static v => v.Value.ToArray())))];
    }

    /// <summary>Notes the queries that can have something to say about one of the rows.</summary>
    public void Sift(IEnumerable<HuntingRow> rows, HashSet<int> found)
    {
        var run = new Run(this, found);
        foreach (var row in rows) run.Look(row);
    }

    // The conditions of which one must hold, as the rarest choice; null when no such list is known.
    private static (double Rarity, IReadOnlyList<SieveCondition>? Leaves)? Marks(SieveCondition condition, int kind) => condition switch
    {
        TextIs { Test: SieveTest.Equal } text when !text.Values.Contains("") => (text.Ordinal == kind ? 1 : 8 - Math.Log2(text.Values.Length), [text]),
        TextIs { Test: not SieveTest.Equal } text => (Math.Min(12, text.Values.Min(static v => v.Length)) - Math.Log2(text.Values.Length), [text]),
        NumberIs number => (5 - Math.Log2(number.Values.Length), [number]),
        AllOf all => all.Parts.Select(p => Marks(p, kind)).Where(static m => m is not null).MaxBy(static m => m!.Value.Rarity),
        OneOf one => one.Parts.Select(p => Marks(p, kind)).ToArray() is var parts && Array.TrueForAll(parts, static p => p is not null)
            ? (parts.Select(static p => p!.Value.Rarity).DefaultIfEmpty(100).Min() - Math.Log2(Math.Max(1, parts.Length)), [.. parts.SelectMany(static p => p!.Value.Leaves!)])
            : null,
        _ => null,
    };

    private static void Note<T>(Dictionary<int, Dictionary<T, List<int>>> columns, int ordinal, IEnumerable<T> values, int entry, IEqualityComparer<T> comparer)
        where T : notnull
    {
        if (!columns.TryGetValue(ordinal, out var known)) columns.Add(ordinal, known = new Dictionary<T, List<int>>(comparer));
        foreach (var value in values)
        {
            if (!known.TryGetValue(value, out var entries)) known.Add(value, entries = []);
            if (entries.Count == 0 || entries[^1] != entry) entries.Add(entry);
        }
    }

    private readonly record struct Entry(int Query, SieveCondition Condition);

    private sealed record TextColumn(int Ordinal, TextAutomaton Automaton, int[][] Entries);

    /// <summary>One look through rows. A query that was found is not looked for again.</summary>
    private sealed class Run(TableSieve sieve, HashSet<int> found)
    {
        private readonly List<int> _always = [.. sieve._always];
        private readonly object?[] _empty = new object?[sieve._texts.Length];
        private readonly int[] _seen = new int[sieve._entries.Length];
        private int _number;

        public void Look(HuntingRow row)
        {
            _number++;
            for (var at = _always.Count - 1; at >= 0; at--)
            {
                var entry = sieve._entries[_always[at]];
                if (!found.Contains(entry.Query) && !entry.Condition.Holds(row)) continue;
                found.Add(entry.Query);
                _always.RemoveAt(at);
            }

            foreach (var (ordinal, numbers) in sieve._numbers)
                if (SieveText.Number(row.Values[ordinal]) is { } number && numbers.TryGetValue(number, out var entries)) Try(entries, row);
            foreach (var (ordinal, values) in sieve._equals)
            {
                if (row.Values[ordinal] is null or "") continue;
                if (values.TryGetValue(SieveText.Of(row, ordinal), out var entries)) Try(entries, row);
            }

            for (var column = 0; column < sieve._texts.Length; column++) Search(column, row);
        }

        private void Search(int column, HuntingRow row)
        {
            var (ordinal, automaton, entries) = sieve._texts[column];
            var value = row.Values[ordinal];

            // Rows of one process carry the same texts: what held nothing a row ago holds nothing now.
            if (value is null or "" || ReferenceEquals(value, _empty[column])) return;
            var state = TextAutomaton.Start;
            var any = false;
            foreach (var letter in SieveText.Raw(value))
            {
                state = automaton.Next(state, letter);
                if (automaton.Found(state) is not { } texts) continue;
                any = true;
                foreach (var text in texts) Try(entries[text], row);
            }

            if (!any) _empty[column] = value;
        }

        private void Try(int[] entries, HuntingRow row)
        {
            foreach (var number in entries)
            {
                if (_seen[number] == _number) continue;
                _seen[number] = _number;
                var entry = sieve._entries[number];
                if (found.Contains(entry.Query) || !entry.Condition.Holds(row)) continue;
                found.Add(entry.Query);
            }
        }
    }
}
