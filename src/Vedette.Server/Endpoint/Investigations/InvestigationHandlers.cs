using Vedette.Defender.Investigations;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Investigations;

/// <summary>Reads automated investigations and starts them.</summary>
internal sealed class InvestigationHandlers(InvestigationService investigations, EntityReader reader) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /api/investigations", call => reader.CollectionAsync(call, InvestigationTable.Investigations)),
        new("GET /api/investigations/{id}", GetAsync),
        new("POST /api/machines/{id}/startInvestigation", StartAsync),
    ];

    private async ValueTask<ApiResult> StartAsync(ApiCall call)
    {
        var outcome = await investigations.StartAsync(call.Asker(), call.Route["id"], call.Body.Text("Comment"), call.Aborted);
        if (outcome.Error is { } error) return call.Refused(error);
        var id = outcome.Value.Id;
        return await reader.EntityAsync(call, InvestigationTable.Investigations, sql => sql.Add($" AND v.id = {sql.Parameter(id)}"))
            ?? (ApiResult)call.Error("ResourceNotFound", "Investigation", id);
    }

    // Either the investigation's own id or that of the alert that started it.
    private async ValueTask<ApiResult> GetAsync(ApiCall call)
    {
        var id = call.Route["id"];
        var condition = long.TryParse(id, out var number)
            ? sql => sql.Add($" AND v.id = {sql.Parameter(number)}")
            : Where.Equals("v.triggering_alert_id", id);
        return await reader.EntityAsync(call, InvestigationTable.Investigations, condition)
            ?? (ApiResult)call.Error("ResourceNotFound", "Investigation", id);
    }
}
