using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Vedette.Defender.State;

namespace Vedette.Defender.Incidents;

/// <summary>
/// The moment at which a transaction changes alerts and incidents. Taking it is the first thing such a transaction does: the transactions of a
/// tenant then go one after the other, and the times of their changes become visible in ascending order. Who polls by
/// <c>lastUpdateTime ge</c> the highest time seen therefore misses nothing, and each change of one incident has a time of its own.
/// </summary>
internal static class UpdateMoment
{
    /// <summary>Takes the tenant's next moment and holds the tenant's turn until the transaction ends.</summary>
    /// <param name="state">The unit of work, whose transaction has begun.</param>
    /// <param name="tenantId">Whose alerts.</param>
    /// <param name="present">What the clock says.</param>
    /// <param name="cancellationToken">Ends the wait for the turn.</param>
    /// <returns>The present, or a little later when the last change says so.</returns>
    public static Task<DateTime> TakeAsync(DefenderDbContext state, Guid tenantId, DateTime present, CancellationToken cancellationToken) =>
        state.Database.GetDbConnection().ExecuteScalarAsync<DateTime>(new CommandDefinition(
            "SELECT defender.update_moment(@tenantId, @present)",
            new { tenantId, present },
            state.Database.CurrentTransaction!.GetDbTransaction(),
            cancellationToken: cancellationToken));
}
