using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Subscriptions;

/// <summary>
/// The subscription resource as the reference pages and the metadata show it. The handlers write it themselves, because client states lie
/// encrypted.
/// </summary>
internal static class SubscriptionTable
{
    /// <summary>Subscriptions.</summary>
    public static EntityTable Subscriptions { get; } = new("subscription", "changes.subscriptions s", "s.tenant_id", "id", "s.created_at, s.id",
    [
        new("id", ValueKind.String, "s.id::text") { NotNull = true },
        new("resource", ValueKind.String, "s.resource") { NotNull = true },
        new("applicationId", ValueKind.String, "s.application_id::text"),
        new("changeType", ValueKind.String, "array_to_string(s.change_types, ',')") { NotNull = true },
        new("clientState", ValueKind.String, "NULL::text"),
        new("notificationUrl", ValueKind.String, "s.notification_url") { NotNull = true },
        new("notificationQueryOptions", ValueKind.String, "NULL::text"),
        new("lifecycleNotificationUrl", ValueKind.String, "s.lifecycle_url"),
        new("expirationDateTime", ValueKind.Time, "s.expiration") { NotNull = true },
        new("creatorId", ValueKind.String, "s.creator_id::text"),
        new("includeResourceData", ValueKind.Boolean, "NULL::boolean"),
        new("latestSupportedTlsVersion", ValueKind.String, "s.tls_version"),
        new("encryptionCertificate", ValueKind.String, "NULL::text"),
        new("encryptionCertificateId", ValueKind.String, "NULL::text"),
        new("notificationUrlAppId", ValueKind.String, "NULL::text"),
    ])
    {
        Namespace = "microsoft.graph",
    };
}
