namespace Vedette.Telemetry.Ingest;

/// <summary>Rows of one tenant that are stored together.</summary>
/// <param name="TenantId">Whose.</param>
/// <param name="Arrived">Their time of arrival, UTC.</param>
/// <param name="Rows">The rows. Those that turn out to be stored already are among them.</param>
/// <param name="Imported">Whether they are of a log that somebody imports, and not what happens now.</param>
public sealed record Arrivals(Guid TenantId, DateTime Arrived, IReadOnlyList<HuntingRow> Rows, bool Imported = false);

/// <summary>
/// Hears of all rows that this process stores. Who reads arrivals window by window learns here that there is something to read, and may look at
/// rows without reading them again. Calls come one after the other, in the order of arrival.
/// </summary>
public interface IArrivalListener
{
    /// <summary>
    /// Rows are being stored. They are not counted as complete (<see cref="IHuntingStore.CompleteUntil"/>) before the call has returned. It runs beside the
    /// write and must not throw.
    /// </summary>
    void Arriving(Arrivals arrivals);

    /// <summary>Rows of a tenant, told of before, are visible to queries and counted as complete; or could not be stored.</summary>
    void Arrived(Guid tenantId);
}
