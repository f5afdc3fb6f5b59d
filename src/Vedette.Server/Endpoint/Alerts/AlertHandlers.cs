using Vedette.Server.Endpoint.Machines;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Alerts;

/// <summary>Reads alerts and what they name: machine, user, files, addresses, domains.</summary>
internal sealed class AlertHandlers(EntityReader reader) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /api/alerts", call => reader.CollectionAsync(call, AlertTable.Alerts)),
        new("GET /api/alerts/{id}", GetAsync),
        new("GET /api/alerts/{id}/machine", MachineAsync),
        new("GET /api/alerts/{id}/ips", call => RelatedAsync(call, AlertTable.Ips)),
        new("GET /api/alerts/{id}/domains", call => RelatedAsync(call, AlertTable.Domains)),
    ];

    private async ValueTask<ApiResult> GetAsync(ApiCall call) =>
        await reader.EntityAsync(call, AlertTable.Alerts, Where.Equals("a.id", call.Route["id"])) ?? (ApiResult)NotFound(call);

    private async ValueTask<ApiResult> MachineAsync(ApiCall call)
    {
        if (await MissingAsync(call) is { } missing) return missing;
        return await reader.EntityAsync(call, MachineTable.Machines, sql => sql
                .Add(" AND m.id = (SELECT a.machine_id FROM defender.alerts a WHERE a.tenant_id = m.tenant_id")
                .Add(Where.Equals("a.id", call.Route["id"]).Invoke)
                .Add(")"))
            ?? (ApiResult)call.Error("ResourceNotFound", "Machine of alert", call.Route["id"]);
    }

    private async ValueTask<ApiResult> RelatedAsync(ApiCall call, EntityTable table) =>
        await MissingAsync(call) ?? await reader.CollectionAsync(call, table, Where.Equals("e.alert_id", call.Route["id"]));

    private async ValueTask<ApiResult?> MissingAsync(ApiCall call) =>
        await reader.ExistsAsync(call, AlertTable.Alerts, Where.Equals("a.id", call.Route["id"])) ? null : (ApiResult)NotFound(call);

    private static ApiError NotFound(ApiCall call) => call.Error("ResourceNotFound", "Alert", call.Route["id"]);
}
