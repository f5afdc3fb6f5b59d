using System.Globalization;
using NpgsqlTypes;
using Vedette.Defender.Incidents;
using Vedette.Defender.State;
using Vedette.Server.Endpoint;
using Vedette.Server.Graph.Security.Alerts;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;
using Vedette.Server.ThreatProtection;

namespace Vedette.Server.Graph.Security.Incidents;

/// <summary>Lists, gets and changes incidents, adds comments to them and lists their alerts.</summary>
internal sealed class SecurityIncidentHandlers(EntityReader reader, IncidentService incidents) : IGraphSecurityHandlers
{
    /// <inheritdoc/>
    public IEnumerable<EntityTable> Tables => [SecurityIncidentTable.Incidents];

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /security/incidents", call => reader.CollectionAsync(call, SecurityIncidentTable.For(call.Caller.DeviceGroups), IncidentTable.Seen(call.Caller.DeviceGroups))),
        new("GET /security/incidents/{id}", GetAsync),
        new("PATCH /security/incidents/{id}", UpdateAsync),
        new("POST /security/incidents/{id}/comments", CommentAsync),
        new("GET /security/incidents/{id}/alerts", AlertsAsync),
    ];

    private async ValueTask<ApiResult> GetAsync(ApiCall call) =>
        await reader.EntityAsync(call, SecurityIncidentTable.For(call.Caller.DeviceGroups), One(call)) ?? (ApiResult)NotFound(call);

    private async ValueTask<ApiResult> UpdateAsync(ApiCall call)
    {
        var body = call.Body;
        var story = new IncidentStory
        {
            Name = Clearable(body, "displayName"),
            Description = Clearable(body, "description"),
            Summary = Clearable(body, "summary"),
            ResolvingComment = Clearable(body, "resolvingComment"),
            Severity = body.Member(call, "severity", SecurityWords.Severities) is { } severity ? Severity(severity) : null,
        };
        var update = new IncidentUpdate
        {
            Status = body.Member(call, "status", SecurityWords.IncidentStatuses, ["redirected", "awaitingAction"]),
            Classification = body.Member(call, "classification", SecurityWords.Classifications),
            Determined = body.Determination(call),
            AssignedTo = Clearable(body, "assignedTo"),
            Tags = body.Texts("customTags"),
            Story = story == new IncidentStory() ? null : story,
        };
        var outcome = await incidents.UpdateAsync(call.Asker(), Id(call), update, call.Aborted);
        return outcome.Error is { } error ? call.Refused(error) : await GetAsync(call);
    }

    private async ValueTask<ApiResult> CommentAsync(ApiCall call)
    {
        var outcome = await incidents.UpdateAsync(call.Asker(), Id(call), new IncidentUpdate { Comment = call.Comment() }, call.Aborted);
        return outcome.Error is { } error ? call.Refused(error) : CommentList.Of(call, "security/incidents", outcome.Value.Comments);
    }

    private async ValueTask<ApiResult> AlertsAsync(ApiCall call)
    {
        if (!await reader.ExistsAsync(call, SecurityIncidentTable.Incidents, One(call))) return NotFound(call);
        return await reader.CollectionAsync(call, SecurityAlertTable.Alerts, sql => sql.Add($" AND a.incident_id = {sql.Parameter(Id(call), NpgsqlDbType.Bigint)}"));
    }

    // What is not a number is no incident's id.
    private static long Id(ApiCall call) =>
        long.TryParse(call.Route["id"], NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : throw new ApiException(NotFound(call));

    private static SqlCondition One(ApiCall call)
    {
        var id = Id(call);
        return sql =>
        {
            sql.Add($" AND i.id = {sql.Parameter(id, NpgsqlDbType.Bigint)}");
            IncidentTable.Seen(call.Caller.DeviceGroups)?.Invoke(sql);
        };
    }

    // A key that is there with null clears its value.
    private static string? Clearable(RequestBody body, string key) => body.Has(key) ? body.Text(key) ?? "" : null;

    private static AlertSeverity Severity(string word) =>
        word == SecurityWords.Severities[0] ? AlertSeverity.UnSpecified : Vocabulary.Read<AlertSeverity>(word)!.Value;

    private static ApiError NotFound(ApiCall call) => call.Error("ResourceNotFound", "Incident", call.Route["id"]);
}
