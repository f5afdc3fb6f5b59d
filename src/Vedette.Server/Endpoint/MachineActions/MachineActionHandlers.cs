using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.MachineActions;

/// <summary>Reads machine actions.</summary>
internal sealed class MachineActionHandlers(EntityReader reader) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /api/machineactions", call => reader.CollectionAsync(call, MachineActionTable.Actions)),
        new("GET /api/machineactions/{id}", GetAsync),
    ];

    private async ValueTask<ApiResult> GetAsync(ApiCall call)
    {
        var id = Key(call);
        return await reader.EntityAsync(call, MachineActionTable.Actions, Where.Equals("x.id", id)) ?? (ApiResult)NotFound(call, id);
    }

    /// <summary>The action's id from the path.</summary>
    /// <exception cref="ApiException">It is not a GUID.</exception>
    public static Guid Key(ApiCall call) =>
        Guid.TryParse(call.Route["id"], out var id) ? id : throw call.Refuse("InvalidKey", call.Route["id"], "Edm.Guid");

    /// <summary>There is no such action.</summary>
    public static ApiError NotFound(ApiCall call, Guid id) => call.Error("ResourceNotFound", "Machine action", id);
}
