using Vedette.Defender.State;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Indicators;

/// <summary>The indicator resource.</summary>
internal static class IndicatorTable
{
    /// <summary>Indicators by number.</summary>
    public static EntityTable Indicators { get; } = new("Indicator", "defender.indicators i", "i.tenant_id", "id", "i.id",
    [
        new("id", ValueKind.String, "i.id::text") { NotNull = true },
        new("indicatorValue", ValueKind.String, "i.indicator_value") { NotNull = true },
        new("indicatorType", ValueKind.String, "i.indicator_type") { Values = Vocabulary.Of<IndicatorType>(), NotNull = true },
        new("action", ValueKind.String, "i.action") { Values = Vocabulary.Of<IndicatorAction>(), NotNull = true },
        new("createdBy", ValueKind.String, "i.created_by") { NotNull = true },
        new("severity", ValueKind.String, "i.severity") { Values = Vocabulary.Of<AlertSeverity>(), NotNull = true },
        new("category", ValueKind.Int32, "i.category") { NotNull = true },
        new("application", ValueKind.String, "i.application"),
        new("educateUrl", ValueKind.String, "i.educate_url"),
        new("bypassDurationHours", ValueKind.Int32, "i.bypass_duration_hours"),
        new("title", ValueKind.String, "i.title") { NotNull = true },
        new("description", ValueKind.String, "i.description") { NotNull = true },
        new("recommendedActions", ValueKind.String, "i.recommended_actions"),
        new("creationTimeDateTimeUtc", ValueKind.Time, "i.creation_time_date_time_utc") { NotNull = true },
        new("expirationTime", ValueKind.Time, "i.expiration_time"),
        new("lastUpdateTime", ValueKind.Time, "i.last_update_time") { NotNull = true },
        new("lastUpdatedBy", ValueKind.String, "i.last_updated_by"),
        new("rbacGroupNames", ValueKind.Strings, "i.rbac_group_names") { NotNull = true },
        new("rbacGroupIds", ValueKind.Strings, "i.rbac_group_ids") { NotNull = true },
        new("notificationId", ValueKind.String, "NULL::text"),
        new("notificationBody", ValueKind.String, "NULL::text"),
        new("version", ValueKind.String, "NULL::text"),
        new("mitreTechniques", ValueKind.Strings, "i.mitre_techniques") { NotNull = true },
        new("historicalDetection", ValueKind.Boolean, "i.historical_detection") { NotNull = true },
        new("lookBackPeriod", ValueKind.String, "NULL::text"),
        new("generateAlert", ValueKind.Boolean, "i.generate_alert") { NotNull = true },
        new("additionalInfo", ValueKind.String, "NULL::text"),
        new("createdByDisplayName", ValueKind.String, "i.created_by_display_name"),
        new("externalId", ValueKind.String, "i.external_id"),
        new("createdBySource", ValueKind.String, "i.created_by_source") { NotNull = true },
        new("certificateInfo", ValueKind.String, "NULL::text"),
    ]);
}
