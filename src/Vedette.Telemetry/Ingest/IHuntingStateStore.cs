namespace Vedette.Telemetry.Ingest;

/// <summary>Where hunting tables that show a state, and not events, are kept: the rows of a tenant are replaced as a whole.</summary>
public interface IHuntingStateStore
{
    /// <summary>
    /// Replaces a tenant's rows of a table. The new rows are stored before the old ones go, so for a moment queries may see both and never
    /// neither. With the same token and rows the call may be repeated after a crash.
    /// </summary>
    /// <param name="tenantId">Whose rows.</param>
    /// <param name="table">The table.</param>
    /// <param name="rows">The new rows, always in the same order for a token.</param>
    /// <param name="token">Names this state; another state has another.</param>
    /// <param name="cancellationToken">Stops; old and new rows may then stand side by side until the call is repeated.</param>
    /// <returns>How many rows the tenant has now.</returns>
    Task<long> ReplaceAsync(Guid tenantId, string table, IAsyncEnumerable<HuntingRow> rows, string token, CancellationToken cancellationToken);
}
