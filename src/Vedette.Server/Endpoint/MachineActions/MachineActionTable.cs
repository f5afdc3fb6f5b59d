using Vedette.Defender.State;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.MachineActions;

/// <summary>The machine action resource.</summary>
internal static class MachineActionTable
{
    /// <summary>Machine actions, newest first.</summary>
    public static EntityTable Actions { get; } = new("MachineAction", "defender.machine_actions x", "x.tenant_id", "id", "x.creation_date_time_utc DESC, x.sequence DESC",
    [
        new("id", ValueKind.Guid, "x.id") { NotNull = true },
        new("type", ValueKind.String, "x.type") { Values = Vocabulary.Of<MachineActionType>(), NotNull = true },
        new("title", ValueKind.String, "x.title"),
        new("requestor", ValueKind.String, "x.requestor") { NotNull = true },
        new("requestorComment", ValueKind.String, "x.requestor_comment"),
        new("status", ValueKind.String, "x.status") { Values = Vocabulary.Of<MachineActionStatus>(), NotNull = true },
        new("machineId", ValueKind.String, "x.machine_id") { NotNull = true },
        new("computerDnsName", ValueKind.String, "x.computer_dns_name"),
        new("creationDateTimeUtc", ValueKind.Time, "x.creation_date_time_utc") { NotNull = true },
        new("lastUpdateDateTimeUtc", ValueKind.Time, "x.last_update_date_time_utc") { NotNull = true },
        new("cancellationRequestor", ValueKind.String, "x.cancellation_requestor"),
        new("cancellationComment", ValueKind.String, "x.cancellation_comment"),
        new("cancellationDateTimeUtc", ValueKind.Time, "x.cancellation_date_time_utc"),
        new("errorHResult", ValueKind.Int32, "x.error_hresult") { NotNull = true },
        new("scope", ValueKind.String, "x.scope"),
        new("externalId", ValueKind.String, "x.external_id"),
        new("requestSource", ValueKind.String, "x.request_source") { NotNull = true },
        new("relatedFileInfo", ValueKind.Json,
            "CASE WHEN x.related_file_sha1 IS NULL THEN NULL ELSE json_build_object('fileIdentifier', x.related_file_sha1, 'fileIdentifierType', 'Sha1')::text END"),
        // Where the result of a command is kept is the server's own business.
        new("commands", ValueKind.Json,
            "CASE WHEN x.commands = '[]' THEN '[]' ELSE (SELECT jsonb_agg(c - 'resultFile')::text FROM jsonb_array_elements(x.commands) c) END") { NotNull = true },
        new("troubleshootInfo", ValueKind.String, "x.troubleshoot_info"),
    ]);
}
