using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Investigations;

/// <summary>Reads automated investigations.</summary>
internal sealed class InvestigationHandlers(EntityReader reader) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /api/investigations", call => reader.CollectionAsync(call, InvestigationTable.Investigations)),
        new("GET /api/investigations/{id}", GetAsync),
    ];

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
