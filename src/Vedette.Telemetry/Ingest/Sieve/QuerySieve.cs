using System.Collections.Frozen;
using Vedette.Kql;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Ingest.Sieve;

/// <summary>
/// Many queries, and a quick way to tell which of them can have something to say about rows that arrive: who watches arrivals with a thousand
/// queries runs only those. It never leaves out a query that would give a row; it may name one that gives none.
/// </summary>
public sealed class QuerySieve
{
    private readonly FrozenDictionary<string, TableSieve> _tables;
    private readonly FrozenDictionary<string, int[]> _vague;
    private readonly int[] _restless;
    private readonly string?[] _only;

    /// <summary>Prepares queries.</summary>
    /// <param name="queries">The queries; numbers of queries are places in this list. One that does not bind is named whatever arrives.</param>
    public QuerySieve(IReadOnlyList<KqlCompilation> queries)
    {
        var tables = new Dictionary<string, List<(int, SieveSource)>>(StringComparer.Ordinal);
        var vague = new Dictionary<string, List<int>>(StringComparer.Ordinal);
        var restless = new List<int>();
        _only = new string?[queries.Count];
        for (var number = 0; number < queries.Count; number++)
        {
            if (queries[number].Root is not { } root)
            {
                restless.Add(number);
                continue;
            }

            var all = SieveReader.Tables(root);
            _only[number] = all.Count == 1 ? all.First() : null;
            if (SieveReader.Read(root) is { } sources)
            {
                foreach (var source in sources) Of(tables, source.Table.Name).Add((number, source));
            }
            else if (all.Count == 0) restless.Add(number);
            else
            {
                foreach (var table in all) Of(vague, table).Add(number);
            }
        }

        Count = queries.Count;
        _restless = [.. restless];
        _tables = tables.ToFrozenDictionary(static t => t.Key, static t => new TableSieve(t.Value), StringComparer.Ordinal);
        _vague = vague.ToFrozenDictionary(static t => t.Key, static t => t.Value.ToArray(), StringComparer.Ordinal);
    }

    /// <summary>How many queries there are.</summary>
    public int Count { get; }

    /// <summary>The table that a query reads; null when it reads several, or none.</summary>
    public string? OnlyTable(int query) => _only[query];

    /// <summary>Notes the numbers of the queries that can have something to say about the rows.</summary>
    /// <param name="rows">Rows of any tables.</param>
    /// <param name="found">Queries found so far; those are not looked for again.</param>
    public void Sift(IReadOnlyList<HuntingRow> rows, HashSet<int> found)
    {
        if (rows.Count == 0) return;
        found.UnionWith(_restless);
        foreach (var table in rows.GroupBy(static r => r.Table))
        {
            if (_vague.TryGetValue(table.Key.Name, out var vague)) found.UnionWith(vague);
            if (_tables.TryGetValue(table.Key.Name, out var sieve)) sieve.Sift(table, found);
        }
    }

    private static List<T> Of<T>(Dictionary<string, List<T>> lists, string name)
    {
        if (!lists.TryGetValue(name, out var list)) lists.Add(name, list = []);
        return list;
    }
}
