using Vedette.Defender.Alerts;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Alerts;

/// <summary>Creates an alert from an event that hunting shows. An open alert of the same title on the device absorbs it.</summary>
internal sealed class AlertCreationHandlers(AlertByReference alerts, EntityReader reader) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers => [new("POST /api/alerts/CreateAlertByReference", CreateAsync)];

    private async ValueTask<ApiResult> CreateAsync(ApiCall call)
    {
        var body = call.Body;
        var reference = new EventReference
        {
            EventTime = body.Time("eventTime"),
            ReportId = body.Text("reportId"),
            MachineId = body.Text("machineId"),
            Severity = body.Text("severity"),
            Title = body.Text("title"),
            Description = body.Text("description"),
            RecommendedAction = body.Text("recommendedAction"),
            Category = body.Text("category"),
        };
        var outcome = await alerts.CreateAsync(call.Asker(), reference, call.Aborted);
        if (outcome.Error is { } error) return call.Refused(error);
        return await reader.EntityAsync(call, AlertTable.Alerts, Where.Equals("a.id", outcome.Value.Id))
            ?? (ApiResult)call.Error("ResourceNotFound", "Alert", outcome.Value.Id);
    }
}
