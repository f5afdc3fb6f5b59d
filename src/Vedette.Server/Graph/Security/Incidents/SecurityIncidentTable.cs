using Vedette.Server.Graph.Security.Alerts;
using Vedette.Server.Http.Entities;
using Vedette.Server.ThreatProtection;

namespace Vedette.Server.Graph.Security.Incidents;

/// <summary>The incident of Graph security over the stored incident that the Threat Protection API shows too.</summary>
internal static class SecurityIncidentTable
{
    /// <summary>Incidents, newest first.</summary>
    public static EntityTable Incidents { get; } = new("incident", "defender.incidents i", "i.tenant_id", "id", "i.created_time DESC, i.id DESC",
    [
        new("id", ValueKind.String, "i.id::text") { NotNull = true },
        new("assignedTo", ValueKind.String, "i.assigned_to"),
        SecurityWords.Enumeration("classification", SecurityWords.Classification("i.classification"), SecurityWords.Classifications),
        new("comments", ValueKind.Json, SecurityAlertTable.Comments("i.comments")) { NotNull = true },
        new("createdDateTime", ValueKind.Time, "i.created_time") { NotNull = true },
        new("customTags", ValueKind.Strings, "i.tags") { NotNull = true },
        new("description", ValueKind.String, "i.description"),
        SecurityWords.Enumeration("determination", SecurityWords.Determination("i.determination"), SecurityWords.Determinations),
        new("displayName", ValueKind.String, "i.name") { NotNull = true },
        new("incidentWebUrl", ValueKind.String, "'https://security.microsoft.com/incidents/' || i.id || '?tid=' || i.tenant_id") { NotNull = true },
        new("lastModifiedBy", ValueKind.String, "i.last_modified_by"),
        new("lastUpdateDateTime", ValueKind.Time, "i.last_update_time") { NotNull = true },
        new("priorityScore", ValueKind.Int32, "NULL::int"),
        new("redirectIncidentId", ValueKind.String, "i.redirect_incident_id::text"),
        new("resolvingComment", ValueKind.String, "i.resolving_comment"),
        SecurityWords.Enumeration("severity", SecurityWords.Severity("i.severity"), SecurityWords.Severities),
        SecurityWords.Enumeration("status", EvidenceSql.Word("i.status"), SecurityWords.IncidentStatuses),
        new("summary", ValueKind.String, "i.summary"),
        new("systemTags", ValueKind.Strings, "i.system_tags") { NotNull = true },
        new("tenantId", ValueKind.String, "i.tenant_id::text") { NotNull = true },
        new("alerts", ValueKind.Json, Alerts(null)) { NotNull = true, OnlyExpanded = true, Rewrite = SecurityAlertTable.WriteAll },
    ])
    {
        Namespace = SecurityAlertTable.Namespace,
        NewestBy = new EntityProperty("createdDateTime", ValueKind.Time, "i.created_time"),
        Tie = new EntityProperty("id", ValueKind.Int64, "i.id"),
    };

    /// <summary>Incidents with only those of their alerts that belong to the device groups; with all of them without groups.</summary>
    public static EntityTable For(IReadOnlyList<int>? groups) => groups is null ? Incidents : Incidents.With("alerts", Alerts(groups));

    private static string Alerts(IReadOnlyList<int>? groups) =>
        $"""
        (SELECT coalesce(json_agg({SecurityAlertTable.Object} ORDER BY a.alert_creation_time DESC, a.id DESC), '[]'::json)::text
            FROM defender.alerts a WHERE a.tenant_id = i.tenant_id AND a.incident_id = i.id{IncidentTable.Within(groups)})
        """;
}
