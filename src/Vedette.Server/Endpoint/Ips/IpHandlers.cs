using Vedette.Server.Endpoint.Alerts;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Ips;

/// <summary>Alerts about an address.</summary>
internal sealed class IpHandlers(EntityReader reader) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers => [new("GET /api/ips/{ip}/alerts", AlertsAsync)];

    private ValueTask<ApiResult> AlertsAsync(ApiCall call)
    {
        var address = call.Route["ip"];
        return System.Net.IPAddress.TryParse(address, out _)
            ? reader.CollectionAsync(call, AlertTable.Alerts, sql => sql
                .Add(" AND EXISTS (SELECT 1 FROM defender.alert_evidence e WHERE e.tenant_id = a.tenant_id AND e.alert_id = a.id")
                .Add(Where.Equals("e.ip_address", address).Invoke).Add(")"))
            : new(call.Error("InvalidIpAddress", address));
    }
}
