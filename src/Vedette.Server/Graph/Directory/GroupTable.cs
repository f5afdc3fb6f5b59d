using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>Groups.</summary>
internal static class GroupTable
{
    /// <summary>Groups by object id.</summary>
    public static EntityTable Groups { get; } = Table("identity.groups g", "NULL::timestamptz");

    /// <summary>Deleted ones by object id.</summary>
    public static EntityTable Deleted { get; } = Table($"{GraphSql.Deleted("Group", "groups")} g", GraphSql.Second("g.deleted_at"));

    private static EntityTable Table(string source, string deletedAt) => new("group", source, "g.tenant_id", "id", "g.id::text",
    [
        new("id", ValueKind.String, "g.id::text") { NotNull = true },
        new("deletedDateTime", ValueKind.Time, deletedAt),
        new("classification", ValueKind.String, "NULL::text"),
        new("createdDateTime", ValueKind.Time, GraphSql.Second("g.created_at")) { NotNull = true },
        new("description", ValueKind.String, "g.description"),
        new("displayName", ValueKind.String, "g.display_name") { NotNull = true },
        new("expirationDateTime", ValueKind.Time, "NULL::timestamptz"),
        new("groupTypes", ValueKind.Strings, "g.group_types") { NotNull = true },
        new("isAssignableToRole", ValueKind.Boolean, "NULL::boolean"),
        new("mail", ValueKind.String, "CASE WHEN g.mail_enabled THEN g.mail_nickname || '@' || (SELECT d.name FROM identity.domains d WHERE d.tenant_id = g.tenant_id AND d.is_default) END"),
        new("mailEnabled", ValueKind.Boolean, "g.mail_enabled") { NotNull = true },
        new("mailNickname", ValueKind.String, "g.mail_nickname") { NotNull = true },
        new("membershipRule", ValueKind.String, "NULL::text"),
        new("membershipRuleProcessingState", ValueKind.String, "NULL::text"),
        new("onPremisesSyncEnabled", ValueKind.Boolean, "NULL::boolean"),
        new("preferredDataLocation", ValueKind.String, "NULL::text"),
        new("preferredLanguage", ValueKind.String, "NULL::text"),
        new("proxyAddresses", ValueKind.Strings, "'{}'::text[]"),
        new("renewedDateTime", ValueKind.Time, GraphSql.Second("g.created_at")) { NotNull = true },
        new("resourceBehaviorOptions", ValueKind.Strings, "'{}'::text[]"),
        new("resourceProvisioningOptions", ValueKind.Strings, "'{}'::text[]"),
        new("securityEnabled", ValueKind.Boolean, "g.security_enabled") { NotNull = true },
        new("theme", ValueKind.String, "NULL::text"),
        new("visibility", ValueKind.String, "NULL::text"),
        new("owners", ValueKind.Json, GraphSql.Owners("g.id", "g.tenant_id")) { OnlyExpanded = true },
    ])
    {
        Namespace = GraphSql.Namespace,
    };
}
