namespace Vedette.Telemetry.Ingest;

/// <summary>Where hunting rows are kept. Implemented over the embedded engine and over a cluster.</summary>
public interface IHuntingStore
{
    /// <summary>
    /// Appends rows, of any mixture of tables, to a tenant's telemetry. With a deduplication token the call may be repeated after a crash:
    /// the same token with the same rows is stored once.
    /// </summary>
    Task AppendAsync(Guid tenantId, IReadOnlyList<HuntingRow> rows, string? deduplicationToken, CancellationToken cancellationToken);

    /// <summary>
    /// Every row that arrived before this time (UTC) is visible to queries. Who looks at arrivals window by window ends its window here and
    /// not at the present, or it misses rows whose write was under way.
    /// </summary>
    DateTime CompleteUntil { get; }
}
