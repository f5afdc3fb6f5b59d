using System.Globalization;
using Vedette.Defender.Incidents;
using Vedette.Server.Endpoint;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.ThreatProtection;

/// <summary>Lists, gets and changes incidents.</summary>
internal sealed class IncidentHandlers(EntityReader reader, IncidentService incidents) : IThreatProtectionHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /api/incidents", call => reader.CollectionAsync(call, IncidentTable.For(call.Caller.DeviceGroups), IncidentTable.Seen(call.Caller.DeviceGroups))),
        new("GET /api/incidents/{id}", call => Id(call) is { } id ? GetAsync(call, id) : new(NotANumber(call))),
        new("PATCH /api/incidents/{id}", call => Id(call) is { } id ? UpdateAsync(call, id) : new(NotANumber(call))),
    ];

    private async ValueTask<ApiResult> GetAsync(ApiCall call, long id) =>
        await reader.EntityAsync(call, IncidentTable.For(call.Caller.DeviceGroups), sql =>
        {
            sql.Add($" AND i.id = {sql.Parameter(id, NpgsqlTypes.NpgsqlDbType.Bigint)}");
            IncidentTable.Seen(call.Caller.DeviceGroups)?.Invoke(sql);
        })
        ?? (ApiResult)call.Error("ResourceNotFound", "Incident", call.Route["id"]);

    private async ValueTask<ApiResult> UpdateAsync(ApiCall call, long id)
    {
        var body = call.Body;
        var update = new IncidentUpdate
        {
            Status = body.Text("status"),
            // A key that is there with null clears the owner, as an empty text does.
            AssignedTo = body.Has("assignedTo") ? body.Text("assignedTo") ?? "" : null,
            Classification = body.Text("classification"),
            Determination = body.Text("determination"),
            Tags = body.Texts("tags"),
            Comment = body.Text("comment"),
        };
        var outcome = await incidents.UpdateAsync(call.Asker(), id, update, call.Aborted);
        return outcome.Error is { } error ? call.Refused(error) : await GetAsync(call, id);
    }

    private static long? Id(ApiCall call) =>
        long.TryParse(call.Route["id"], NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;

    private static ApiResult NotANumber(ApiCall call) => call.Error("InvalidKey", call.Route["id"], "Edm.Int64");
}
