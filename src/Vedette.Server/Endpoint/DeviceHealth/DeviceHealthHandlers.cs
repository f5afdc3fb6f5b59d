using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.DeviceHealth;

/// <summary>Reads the antivirus health of devices.</summary>
internal sealed class DeviceHealthHandlers(EntityReader reader) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        // The service gives no link past its page: clients go on with $skip.
        new("GET /api/deviceavinfo", call => reader.CollectionAsync(
            call, AntivirusTable.Devices, sql => sql.Add(" AND d.antivirus IS NOT NULL"), linkNextPage: false)),
    ];
}
