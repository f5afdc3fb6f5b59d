using System.Globalization;
using Vedette.Defender.Machines;
using Vedette.Defender.State;
using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Alerts;

/// <summary>An event of advanced hunting that somebody wants an alert for. All of it is required.</summary>
public sealed record EventReference
{
    /// <summary>Exact time of the event, UTC.</summary>
    public DateTime? EventTime { get; init; }

    /// <summary>The event's report id.</summary>
    public string? ReportId { get; init; }

    /// <summary>The event's device.</summary>
    public string? MachineId { get; init; }

    /// <summary>Severity, a word of <see cref="AlertWords.CreatedSeverities"/>.</summary>
    public string? Severity { get; init; }

    /// <summary>Title of the alert.</summary>
    public string? Title { get; init; }

    /// <summary>Description of the alert.</summary>
    public string? Description { get; init; }

    /// <summary>What to do about it.</summary>
    public string? RecommendedAction { get; init; }

    /// <summary>Category, a word of <see cref="AlertWords.CreatedCategories"/>.</summary>
    public string? Category { get; init; }
}

/// <summary>
/// Raises alerts for events that a caller found. The event must be in telemetry; its columns become the evidence. An open alert of the same
/// device and title takes it in.
/// </summary>
public sealed class AlertByReference(IHuntingService hunting, MachineService machines, AlertIntake intake)
{
    // Every alert names its detector; those that callers raise have this one.
    private static readonly Guid Detector = new("f0f37cf4-7c3b-4e4d-9f6e-2a3f3f7d2b6c");

    private static readonly IReadOnlyList<string> Tables =
    [
        "DeviceProcessEvents", "DeviceNetworkEvents", "DeviceFileEvents", "DeviceRegistryEvents", "DeviceLogonEvents", "DeviceImageLoadEvents", "DeviceEvents",
    ];

    /// <summary>Raises the alert, or adds to the open one.</summary>
    public async Task<Outcome<Alert>> CreateAsync(Caller caller, EventReference reference, CancellationToken cancellationToken)
    {
        if (Check(reference) is { } wrong) return wrong;
        var machine = await machines.GetAsync(caller, reference.MachineId!, cancellationToken);
        if (machine.Error is { } unknown) return unknown;
        var time = DateTime.SpecifyKind(reference.EventTime!.Value, DateTimeKind.Utc);
        if (await FindAsync(caller.TenantId, machine.Value.Id, time, reference.ReportId!, cancellationToken) is not { } found)
        {
            return new DomainError(Refusal.ResourceNotFound, "Event", reference.ReportId!);
        }

        var raised = await intake.RaiseAsync(
            new NewAlert
            {
                TenantId = caller.TenantId,
                Title = reference.Title!,
                Description = reference.Description!,
                RecommendedAction = reference.RecommendedAction,
                Severity = AlertWords.CreatedSeverities[reference.Severity!],
                Category = AlertWords.CreatedCategories[reference.Category!],
                DetectorId = Detector,
                MachineId = machine.Value.Id,
                FirstEventTime = time,
                LastEventTime = time,
                Evidence = EventEvidence.Of(found.Table, found.Event),
                MergesByTitle = true,
                Investigate = true,
            },
            cancellationToken);
        return raised.Alert;
    }

    private static DomainError? Check(EventReference reference)
    {
        foreach (var (name, present) in new[]
        {
            ("eventTime", reference.EventTime is not null), ("reportId", !string.IsNullOrWhiteSpace(reference.ReportId)),
            ("machineId", !string.IsNullOrWhiteSpace(reference.MachineId)), ("severity", !string.IsNullOrWhiteSpace(reference.Severity)),
            ("title", !string.IsNullOrWhiteSpace(reference.Title)), ("description", !string.IsNullOrWhiteSpace(reference.Description)),
            ("recommendedAction", !string.IsNullOrWhiteSpace(reference.RecommendedAction)), ("category", !string.IsNullOrWhiteSpace(reference.Category)),
        })
        {
            if (!present) return new DomainError(Refusal.MissingRequiredParameter, name);
        }

        if (!AlertWords.CreatedSeverities.ContainsKey(reference.Severity!)) return new DomainError(Refusal.InvalidInput, "severity");
        if (!AlertWords.CreatedCategories.ContainsKey(reference.Category!)) return new DomainError(Refusal.InvalidInput, "category");
        return long.TryParse(reference.ReportId, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) ? null : new DomainError(Refusal.InvalidInput, "reportId");
    }

    private async Task<(string Table, Dictionary<string, object?> Event)?> FindAsync(
        Guid tenantId, string machineId, DateTime time, string reportId, CancellationToken cancellationToken)
    {
        // The device id came out of the state and the report id is a number, so neither can change the query's meaning.
        var stamp = time.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
        var report = long.Parse(reportId, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture);
        foreach (var table in Tables)
        {
            var query = $"{table} | where Timestamp == datetime({stamp}) and DeviceId == '{machineId}' and ReportId == {report} | take 1";
            var answer = await hunting.RunAsync(new HuntingRequest(tenantId, query), cancellationToken);
            if (answer.Rows.Count == 0) continue;
            return (table, answer.Columns.Select((column, at) => (column.Name, Value: answer.Rows[0][at])).ToDictionary(c => c.Name, c => c.Value, StringComparer.Ordinal));
        }

        return null;
    }
}
