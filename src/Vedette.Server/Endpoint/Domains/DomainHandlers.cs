using NpgsqlTypes;
using Vedette.Server.Endpoint.Alerts;
using Vedette.Server.Endpoint.Machines;
using Vedette.Server.Endpoint.Telemetry;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Domains;

/// <summary>Domains: their statistics, and the alerts and machines that name or contact them. An unknown domain gives an empty answer.</summary>
internal sealed class DomainHandlers(EntityReader reader, Observations observations) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /api/domains/{domain}/stats", StatisticsAsync),
        new("GET /api/domains/{domain}/alerts", AlertsAsync),
        new("GET /api/domains/{domain}/machines", MachinesAsync),
    ];

    private async ValueTask<ApiResult> StatisticsAsync(ApiCall call)
    {
        var domain = Observations.Domain(call);
        return SightingResult.Of(call, "host", domain, await observations.DomainAsync(call, domain));
    }

    private ValueTask<ApiResult> AlertsAsync(ApiCall call)
    {
        var domain = Observations.Domain(call);
        return reader.CollectionAsync(call, AlertTable.Alerts, sql => sql
            .Add(" AND EXISTS (SELECT 1 FROM defender.alert_evidence e WHERE e.tenant_id = a.tenant_id AND e.alert_id = a.id AND e.url IS NOT NULL")
            .Add($" AND {AlertTable.HostSql("e.url")} = {sql.Parameter(domain, NpgsqlDbType.Text)})"));
    }

    private async ValueTask<ApiResult> MachinesAsync(ApiCall call) =>
        await reader.CollectionAsync(call, MachineTable.Machines, Where.In("m.id", await observations.DomainMachinesAsync(call, Observations.Domain(call))));
}
