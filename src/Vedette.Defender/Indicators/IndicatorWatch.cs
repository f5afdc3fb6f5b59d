using System.Collections.Frozen;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Indicators;

/// <summary>An event and an indicator that it matches.</summary>
internal readonly record struct IndicatorHit(IndicatorFact Indicator, HuntingRow Row);

/// <summary>
/// Stands in front of the telemetry store and looks at every event on its way in, whoever sends it. Matches are dealt with before the events
/// are stored: a caller that is interrupted sends them again, and repeated matches fall into the same alert, so that none is lost.
/// </summary>
internal sealed class IndicatorWatch(IHuntingStore store, IndicatorCache cache, IndicatorMatches matches, TimeProvider clock)
    : IHuntingStore, IHuntingStateStore, IAsyncDisposable
{
    /// <summary>What a column holds.</summary>
    internal enum Kind
    {
        Hash,
        Address,
        Url,
        Certificate,
    }

    // The columns to look at, by the values they hold.
    private static readonly Dictionary<string, Kind> Columns = new(StringComparer.Ordinal)
    {
        ["SHA1"] = Kind.Hash, ["SHA256"] = Kind.Hash, ["MD5"] = Kind.Hash,
        ["InitiatingProcessSHA1"] = Kind.Hash, ["InitiatingProcessSHA256"] = Kind.Hash, ["InitiatingProcessMD5"] = Kind.Hash,
        ["RemoteIP"] = Kind.Address, ["FileOriginIP"] = Kind.Address, ["RemoteUrl"] = Kind.Url, ["FileOriginUrl"] = Kind.Url,
        ["SignerHash"] = Kind.Certificate, ["IssuerHash"] = Kind.Certificate,
    };

    /// <summary>The tables and columns that are looked at.</summary>
    internal static FrozenDictionary<HuntingTable, (int Ordinal, Kind Kind)[]> Watched { get; } = HuntingSchema.Tables.Values
        .Where(table => table.Name.StartsWith("Device", StringComparison.Ordinal) && table.OrdinalOf("DeviceId") >= 0)
        .Select(table => (table, places: Columns.Select(c => (Ordinal: table.OrdinalOf(c.Key), Kind: c.Value)).Where(p => p.Ordinal >= 0).ToArray()))
        .Where(pair => pair.places.Length > 0)
        .ToFrozenDictionary(pair => pair.table, pair => pair.places);

    /// <inheritdoc/>
    public Task<long> ReplaceAsync(Guid tenantId, string table, IAsyncEnumerable<HuntingRow> rows, string token, CancellationToken cancellationToken) =>
        store is IHuntingStateStore states
            ? states.ReplaceAsync(tenantId, table, rows, token, cancellationToken)
            : throw new NotSupportedException("The hunting store keeps events only.");

    /// <inheritdoc/>
    public DateTime CompleteUntil => store.CompleteUntil;

    /// <inheritdoc/>
    public async Task AppendAsync(Guid tenantId, IReadOnlyList<HuntingRow> rows, string? deduplicationToken, CancellationToken cancellationToken)
    {
        var sets = await cache.GetAsync(tenantId, cancellationToken);
        var hits = sets.Facts.Count == 0 ? [] : Find(sets, rows, clock.GetUtcNow().UtcDateTime);
        var consequences = hits.Count == 0 ? [] : await matches.RaiseAsync(tenantId, hits, cancellationToken);
        await store.AppendAsync(tenantId, rows, deduplicationToken, cancellationToken);
        if (consequences.Count > 0)
            await store.AppendAsync(tenantId, consequences, deduplicationToken is null ? null : deduplicationToken + "/indicators", cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => store is IAsyncDisposable disposable ? disposable.DisposeAsync() : default;

    /// <summary>All matches, each indicator once for each event. Where an indicator allows the event's file or address, the others on it are silent.</summary>
    internal static List<IndicatorHit> Find(IndicatorSets sets, IReadOnlyList<HuntingRow> rows, DateTime now)
    {
        var hits = new List<IndicatorHit>();
        foreach (var row in rows)
        {
            if (!Watched.TryGetValue(row.Table, out var places)) continue;
            foreach (var (ordinal, kind) in places)
            {
                if (row.Values[ordinal] is not string { Length: > 0 } value) continue;
                var found = kind switch
                {
                    Kind.Hash => sets.ByHash(value),
                    Kind.Address => sets.ByAddress(value),
                    Kind.Certificate => sets.ByCertificate(value),
                    _ => sets.ByUrl(value),
                };
                Add(hits, row, found, now);
            }
        }

        return hits;
    }

    private static void Add(List<IndicatorHit> hits, HuntingRow row, IEnumerable<IndicatorFact> found, DateTime now)
    {
        List<IndicatorFact>? applying = null;
        foreach (var fact in found)
        {
            if (!fact.AppliesTo(row["Timestamp"] as DateTime? ?? now, now)) continue;
            (applying ??= []).Add(fact);
        }

        if (applying is null || applying.Exists(f => f.Action == State.IndicatorAction.Allowed)) return;
        foreach (var fact in applying)
            if (!hits.Exists(h => ReferenceEquals(h.Row, row) && h.Indicator.Id == fact.Id)) hits.Add(new IndicatorHit(fact, row));
    }
}
