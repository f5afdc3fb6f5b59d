using System.Text.Json;
using Vedette.Defender.Alerts;
using Vedette.Server.Endpoint;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Security.Alerts;

/// <summary>Lists, gets and changes alerts, and adds comments to them.</summary>
internal sealed class SecurityAlertHandlers(EntityReader reader, AlertService alerts) : IGraphSecurityHandlers
{
    /// <inheritdoc/>
    public IEnumerable<EntityTable> Tables => [SecurityAlertTable.Alerts];

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /security/alerts_v2", call => reader.CollectionAsync(call, SecurityAlertTable.Alerts)),
        new("GET /security/alerts_v2/{id}", GetAsync),
        new("PATCH /security/alerts_v2/{id}", UpdateAsync),
        new("POST /security/alerts_v2/{id}/comments", CommentAsync),
    ];

    private async ValueTask<ApiResult> GetAsync(ApiCall call) =>
        await reader.EntityAsync(call, SecurityAlertTable.Alerts, Where.Equals("a.id", call.Route["id"])) ?? (ApiResult)NotFound(call);

    private async ValueTask<ApiResult> UpdateAsync(ApiCall call)
    {
        var body = call.Body;
        var update = new AlertUpdate
        {
            Status = body.Member(call, "status", SecurityWords.AlertStatuses, ["unknown"]),
            Classification = body.Member(call, "classification", SecurityWords.Classifications),
            Determined = body.Determination(call),
            // A key that is there with null clears the owner.
            AssignedTo = body.Has("assignedTo") ? body.Text("assignedTo") ?? "" : null,
            CustomDetails = Details(call),
        };
        var outcome = await alerts.UpdateAsync(call.Asker(), call.Route["id"], update, call.Aborted);
        return outcome.Error is { } error ? call.Refused(error) : await GetAsync(call);
    }

    private async ValueTask<ApiResult> CommentAsync(ApiCall call)
    {
        var outcome = await alerts.UpdateAsync(call.Asker(), call.Route["id"], new AlertUpdate { Comment = call.Comment() }, call.Aborted);
        return outcome.Error is { } error ? call.Refused(error) : CommentList.Of(call, "security/alerts_v2", outcome.Value.Comments);
    }

    // Names and texts, in place of those there are.
    private static Dictionary<string, string>? Details(ApiCall call)
    {
        if (call.Body.Value("customDetails") is not { ValueKind: JsonValueKind.Object } given) return null;
        var details = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in given.EnumerateObject().Where(pair => !pair.Name.StartsWith('@')))
            details[pair.Name] = pair.Value.ValueKind == JsonValueKind.String ? pair.Value.GetString()! : throw call.Refuse("InvalidValue", "customDetails");
        return details;
    }

    private static ApiError NotFound(ApiCall call) => call.Error("ResourceNotFound", "Alert", call.Route["id"]);
}
