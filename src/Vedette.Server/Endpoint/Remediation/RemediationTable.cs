using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Remediation;

/// <summary>Remediation activities. Where nothing is said they have null, unlike recommendations, which have empty texts.</summary>
internal static class RemediationTable
{
    /// <summary>Activities, newest first.</summary>
    public static EntityTable Tasks { get; } = new("RemediationTask", "defender.remediation_tasks k", "k.tenant_id", "id", "k.created_on DESC, k.id",
    [
        new("id", ValueKind.Guid, "k.id") { NotNull = true },
        new("title", ValueKind.String, "k.title") { NotNull = true },
        new("createdOn", ValueKind.Time, "k.created_on") { NotNull = true },
        new("requesterId", ValueKind.Guid, "k.requester_id") { NotNull = true },
        new("requesterEmail", ValueKind.String, "k.requester_email") { NotNull = true },
        new("status", ValueKind.String, "k.status") { Values = ["Active", "Completed"], NotNull = true },
        new("statusLastModifiedOn", ValueKind.Time, "k.status_last_modified_on") { NotNull = true },
        new("description", ValueKind.String, "k.description") { NotNull = true },
        new("relatedComponent", ValueKind.String, "k.related_component") { NotNull = true },
        new("targetDevices", ValueKind.Int64, "(SELECT count(*) FROM defender.remediation_targets g WHERE g.tenant_id = k.tenant_id AND g.task_id = k.id)") { NotNull = true },
        new("rbacGroupNames", ValueKind.Strings, "k.rbac_group_names") { NotNull = true },
        new("fixedDevices", ValueKind.Int32, "(SELECT count(*) FROM defender.remediation_targets g WHERE g.tenant_id = k.tenant_id AND g.task_id = k.id AND g.is_fixed)::int") { NotNull = true },
        new("requesterNotes", ValueKind.String, "k.requester_notes"),
        new("dueOn", ValueKind.Time, "k.due_on") { NotNull = true },
        new("category", ValueKind.String, "k.category") { NotNull = true },
        new("productivityImpactRemediationType", ValueKind.String, "k.productivity_impact_remediation_type"),
        new("priority", ValueKind.String, "k.priority") { NotNull = true },
        new("completionMethod", ValueKind.String, "k.completion_method"),
        new("completerId", ValueKind.String, "k.completer_id"),
        new("completerEmail", ValueKind.String, "k.completer_email"),
        new("scid", ValueKind.String, "k.scid"),
        new("type", ValueKind.String, "k.type") { NotNull = true },
        new("productId", ValueKind.String, "k.product_id"),
        new("vendorId", ValueKind.String, "k.vendor_id"),
        new("nameId", ValueKind.String, "k.name_id"),
        new("recommendedVersion", ValueKind.String, "k.recommended_version"),
        new("recommendedVendor", ValueKind.String, "k.recommended_vendor"),
        new("recommendedProgram", ValueKind.String, "k.recommended_program"),
    ]);
}
