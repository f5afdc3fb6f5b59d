using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Security.Alerts;

/// <summary>The alert of Graph security over the stored alert that the other APIs show too.</summary>
internal static class SecurityAlertTable
{
    /// <summary>Namespace of the types.</summary>
    public const string Namespace = "microsoft.graph.security";

    /// <summary>Alerts, newest first.</summary>
    public static EntityTable Alerts { get; } = new("alert", "defender.alerts a", "a.tenant_id", "id", "a.alert_creation_time DESC, a.id DESC",
    [
        new("id", ValueKind.String, "a.id") { NotNull = true },
        new("actorDisplayName", ValueKind.String, "a.actor_name"),
        new("additionalData", ValueKind.Json, "a.additional_data::text"),
        new("alertPolicyId", ValueKind.String, "a.alert_policy_id"),
        new("alertWebUrl", ValueKind.String, "'https://security.microsoft.com/alerts/' || a.id || '?tid=' || a.tenant_id") { NotNull = true },
        new("assignedTo", ValueKind.String, "a.assigned_to"),
        new("categories", ValueKind.Strings, "ARRAY[a.category]") { NotNull = true },
        new("category", ValueKind.String, "a.category") { NotNull = true },
        SecurityWords.Enumeration("classification", SecurityWords.Classification("a.classification"), SecurityWords.Classifications),
        new("comments", ValueKind.Json, Comments("a.comments")) { NotNull = true },
        new("createdDateTime", ValueKind.Time, "a.alert_creation_time") { NotNull = true },
        new("customDetails", ValueKind.Json, "nullif(a.custom_details, '{}')::text"),
        new("description", ValueKind.String, "a.description") { NotNull = true },
        SecurityWords.Enumeration("detectionSource", SecurityWords.DetectionSource("a.detection_source"), SecurityWords.DetectionSources),
        new("detectorId", ValueKind.String, "a.detector_id::text"),
        SecurityWords.Enumeration("determination", SecurityWords.Determination("a.determination"), SecurityWords.Determinations),
        new("evidence", ValueKind.Json, $"({EvidenceSql.List})::text") { NotNull = true, Rewrite = WriteEvidence },
        new("firstActivityDateTime", ValueKind.Time, "a.first_event_time") { NotNull = true },
        new("incidentId", ValueKind.String, "a.incident_id::text"),
        new("incidentWebUrl", ValueKind.String, "'https://security.microsoft.com/incidents/' || a.incident_id || '?tid=' || a.tenant_id"),
        SecurityWords.Enumeration("investigationState", $"coalesce({EvidenceSql.Word("a.investigation_state")}, 'unknown')", SecurityWords.InvestigationStates),
        new("lastActivityDateTime", ValueKind.Time, "a.last_event_time") { NotNull = true },
        new("lastUpdateDateTime", ValueKind.Time, "a.last_update_time") { NotNull = true },
        new("mitreTechniques", ValueKind.Strings, "a.mitre_techniques") { NotNull = true },
        new("productName", ValueKind.String, "a.service_source") { NotNull = true },
        new("providerAlertId", ValueKind.String, "substr(a.id, 3)") { NotNull = true },
        new("recommendedActions", ValueKind.String, "a.recommended_action"),
        new("resolvedDateTime", ValueKind.Time, "a.resolved_time"),
        SecurityWords.Enumeration("serviceSource", SecurityWords.ServiceSource("a.service_source"), SecurityWords.ServiceSources),
        SecurityWords.Enumeration("severity", SecurityWords.Severity("a.severity"), SecurityWords.Severities),
        SecurityWords.Enumeration("status", EvidenceSql.Word("a.status"), SecurityWords.AlertStatuses),
        new("systemTags", ValueKind.Strings, "a.system_tags") { NotNull = true },
        new("tenantId", ValueKind.String, "a.tenant_id::text") { NotNull = true },
        new("threatDisplayName", ValueKind.String, "a.threat_name"),
        new("threatFamilyName", ValueKind.String, "a.threat_family_name"),
        new("title", ValueKind.String, "a.title") { NotNull = true },
    ])
    {
        Namespace = Namespace,
        DeviceGroupColumn = "a.rbac_group_id",
        NewestBy = new EntityProperty("createdDateTime", ValueKind.Time, "a.alert_creation_time"),
    };

    /// <summary>SQL for comments as Graph shows them, from a column that holds them.</summary>
    public static string Comments(string column) =>
        $"""
        (SELECT coalesce(json_agg(json_build_object('comment', c->>'comment', 'createdByDisplayName', c->>'createdBy', 'createdDateTime', c->>'createdTime') ORDER BY at), '[]'::json)::text
            FROM jsonb_array_elements({column}) WITH ORDINALITY AS comments(c, at))
        """;

    /// <summary>SQL for an alert as one JSON object, for lists inside other entities; <see cref="WriteAll"/> writes them.</summary>
    public static string Object { get; } = $"json_build_object({Pairs()})";

    /// <summary>Writes alerts that were read as <see cref="Object"/>.</summary>
    public static void WriteAll(Utf8JsonWriter json, string text, bool all)
    {
        json.WriteStartArray();
        foreach (var alert in JsonNode.Parse(text)!.AsArray())
        {
            json.WriteStartObject();
            foreach (var property in Alerts.Properties)
            {
                json.WritePropertyName(property.Encoded);
                var value = alert![property.Name];
                if (value is null) json.WriteNullValue();
                else if (property.Name == "evidence") EvidenceWriter.Write(json, value.AsArray(), all);
                else if (property.Values is { } members) json.WriteStringValue(EvidenceWriter.Member(members, value.ToString(), all));
                else value.WriteTo(json);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteEvidence(Utf8JsonWriter json, string text, bool all) => EvidenceWriter.Write(json, JsonNode.Parse(text)!.AsArray(), all);

    // A function takes a hundred arguments at most, which fifty properties are.
    private static string Pairs() => string.Join(", ", Alerts.Properties.Select(property => $"'{property.Name}', {property.Kind switch
    {
        ValueKind.Time => EntityTable.TimeText(property.Sql),
        ValueKind.Json => $"({property.Sql})::json",
        _ => property.Sql,
    }}"));
}
