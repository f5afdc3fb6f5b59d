using Vedette.Server.Endpoint.Alerts;
using Vedette.Server.Endpoint.Telemetry;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Ips;

/// <summary>Addresses: their statistics and the alerts that name them. A valid unknown address gives an empty answer.</summary>
internal sealed class IpHandlers(EntityReader reader, Observations observations) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /api/ips/{ip}/stats", StatisticsAsync),
        new("GET /api/ips/{ip}/alerts", AlertsAsync),
    ];

    private async ValueTask<ApiResult> StatisticsAsync(ApiCall call)
    {
        var address = Observations.Address(call);
        return SightingResult.Of(call, "ipAddress", address, await observations.AddressAsync(call, address));
    }

    private ValueTask<ApiResult> AlertsAsync(ApiCall call)
    {
        var address = Observations.Address(call);
        return reader.CollectionAsync(call, AlertTable.Alerts, sql => sql
            .Add(" AND EXISTS (SELECT 1 FROM defender.alert_evidence e WHERE e.tenant_id = a.tenant_id AND e.alert_id = a.id")
            .Add(Where.Equals("e.ip_address", address).Invoke).Add(")"));
    }
}
