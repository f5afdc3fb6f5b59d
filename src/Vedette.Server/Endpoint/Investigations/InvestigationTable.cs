using Vedette.Defender.State;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Investigations;

/// <summary>The investigation resource.</summary>
internal static class InvestigationTable
{
    /// <summary>Investigations, newest first.</summary>
    public static EntityTable Investigations { get; } = new("Investigation", "defender.investigations v", "v.tenant_id", "id", "v.start_time DESC, v.id DESC",
    [
        new("id", ValueKind.String, "v.id::text") { NotNull = true },
        new("startTime", ValueKind.Time, "v.start_time") { NotNull = true },
        new("endTime", ValueKind.Time, "v.end_time"),
        new("state", ValueKind.String, "v.state") { Values = Vocabulary.Of<InvestigationState>(), NotNull = true },
        new("cancelledBy", ValueKind.String, "v.cancelled_by"),
        new("statusDetails", ValueKind.String, "v.status_details"),
        new("machineId", ValueKind.String, "v.machine_id") { NotNull = true },
        new("computerDnsName", ValueKind.String, "v.computer_dns_name"),
        new("triggeringAlertId", ValueKind.String, "v.triggering_alert_id"),
    ]);
}
