using System.Globalization;
using Vedette.Defender.Alerts;
using Vedette.Server.Endpoint.Machines;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Alerts;

/// <summary>Creates an alert from an event that hunting shows. An open alert of the same title on the device absorbs it.</summary>
internal sealed class AlertCreationHandlers(AlertIntake intake, ReferencedEvents events, EntityReader reader) : IEndpointHandlers
{
    // All alerts that callers create come from one detector.
    private static readonly Guid Detector = new("f0f37cf4-7c3b-4e4d-9f6e-2a3f3f7d2b6c");

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers => [new("POST /api/alerts/CreateAlertByReference", CreateAsync)];

    private async ValueTask<ApiResult> CreateAsync(ApiCall call)
    {
        var body = call.Body;
        if (!long.TryParse(body.Text("reportId"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var report)) return call.Error("InvalidInput", "reportId");
        var machine = body.Text("machineId")!.ToLowerInvariant();
        if (!await reader.ExistsAsync(call, MachineTable.Machines, MachineHandlers.WithId(machine))) return call.Error("MachineNotFound", body.Text("machineId"));
        var time = body.Time("eventTime")!.Value;
        if (await events.FindAsync(call, machine, report, time) is not { } row)
            return call.Error("ResourceNotFound", "Event", $"{report} of machine {machine} at {body.Text("eventTime")}");

        var title = body.Text("title")!;
        var raised = await intake.RaiseAsync(
            new NewAlert
            {
                TenantId = call.Caller.TenantId,
                Title = title,
                Description = body.Text("description")!,
                RecommendedAction = body.Text("recommendedAction"),
                Severity = AlertWords.CreatedSeverities[body.Text("severity")!],
                Category = AlertWords.CreatedCategories[body.Text("category")!],
                MachineId = machine,
                FirstEventTime = time,
                LastEventTime = time,
                DetectionSource = "CustomerTI",
                DetectorId = Detector,
                Evidence = ReferencedEvents.EvidenceOf(row),
                MergeKey = $"created|{machine}|{title}",
            },
            call.Aborted);
        return await reader.EntityAsync(call, AlertTable.Alerts, Where.Equals("a.id", raised.Alert.Id))
            ?? (ApiResult)call.Error("ResourceNotFound", "Alert", raised.Alert.Id);
    }
}
