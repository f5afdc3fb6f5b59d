using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>The caller's own tenant and its domains.</summary>
internal static class OrganizationTables
{
    private const string DomainList =
        """
        coalesce((SELECT json_agg(json_build_object('capabilities', 'Email, OfficeCommunicationsOnline', 'isDefault', d.is_default, 'isInitial', d.name LIKE '%.onmicrosoft.com',
            'name', d.name, 'type', 'Managed') ORDER BY d.is_default DESC, d.name) FROM identity.domains d WHERE d.tenant_id = t.id), '[]'::json)::text
        """;

    /// <summary>The organisation: one for each tenant.</summary>
    public static EntityTable Organizations { get; } = new("organization", "identity.tenants t", "t.id", "id", "t.id::text",
    [
        new("id", ValueKind.String, "t.id::text") { NotNull = true },
        new("deletedDateTime", ValueKind.Time, "NULL::timestamptz"),
        new("businessPhones", ValueKind.Strings, "'{}'::text[]"),
        new("city", ValueKind.String, "NULL::text"),
        new("country", ValueKind.String, "NULL::text"),
        new("countryLetterCode", ValueKind.String, "NULL::text"),
        new("createdDateTime", ValueKind.Time, GraphSql.Second("t.created_at")) { NotNull = true },
        new("displayName", ValueKind.String, "t.display_name") { NotNull = true },
        new("marketingNotificationEmails", ValueKind.Strings, "'{}'::text[]"),
        new("onPremisesSyncEnabled", ValueKind.Boolean, "NULL::boolean"),
        new("securityComplianceNotificationMails", ValueKind.Strings, "'{}'::text[]"),
        new("technicalNotificationMails", ValueKind.Strings, "'{}'::text[]"),
        new("tenantType", ValueKind.String, "'AAD'"),
        new("assignedPlans", ValueKind.Json, "'[]'"),
        new("provisionedPlans", ValueKind.Json, "'[]'"),
        new("verifiedDomains", ValueKind.Json, DomainList),
    ])
    {
        Namespace = GraphSql.Namespace,
    };

    /// <summary>Domains by name.</summary>
    public static EntityTable Domains { get; } = new("domain", "identity.domains d", "d.tenant_id", "id", "d.name",
    [
        new("authenticationType", ValueKind.String, "'Managed'"),
        new("availabilityStatus", ValueKind.String, "NULL::text"),
        new("id", ValueKind.String, "d.name") { NotNull = true },
        new("isAdminManaged", ValueKind.Boolean, "true"),
        new("isDefault", ValueKind.Boolean, "d.is_default") { NotNull = true },
        new("isInitial", ValueKind.Boolean, "d.name LIKE '%.onmicrosoft.com'"),
        new("isRoot", ValueKind.Boolean, "true"),
        new("isVerified", ValueKind.Boolean, "true"),
        new("manufacturer", ValueKind.String, "NULL::text"),
        new("model", ValueKind.String, "NULL::text"),
        new("passwordNotificationWindowInDays", ValueKind.Int32, "14"),
        new("passwordValidityPeriodInDays", ValueKind.Int32, "2147483647"),
        new("state", ValueKind.Json, "NULL::text"),
        new("supportedServices", ValueKind.Strings, "'{Email,OfficeCommunicationsOnline}'::text[]"),
    ])
    {
        Namespace = GraphSql.Namespace,
    };
}
