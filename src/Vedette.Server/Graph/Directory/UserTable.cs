using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>Users. Only a few properties come unasked; the others have to be selected.</summary>
internal static class UserTable
{
    /// <summary>Users by object id.</summary>
    public static EntityTable Users { get; } = Table("identity.users u", "NULL::timestamptz");

    /// <summary>Deleted ones by object id.</summary>
    public static EntityTable Deleted { get; } = Table($"{GraphSql.Deleted("User", "users")} u", GraphSql.Second("u.deleted_at"));

    private static EntityTable Table(string source, string deletedAt) => new("user", source, "u.tenant_id", "id", "u.id::text",
    [
        new("businessPhones", ValueKind.Strings, "'{}'::text[]"),
        new("displayName", ValueKind.String, "u.display_name") { NotNull = true },
        new("givenName", ValueKind.String, "u.given_name"),
        new("jobTitle", ValueKind.String, "u.job_title"),
        new("mail", ValueKind.String, "u.mail"),
        new("mobilePhone", ValueKind.String, "u.mobile_phone"),
        new("officeLocation", ValueKind.String, "u.office_location"),
        new("preferredLanguage", ValueKind.String, "u.preferred_language"),
        new("surname", ValueKind.String, "u.surname"),
        new("userPrincipalName", ValueKind.String, "u.user_principal_name") { NotNull = true },
        new("id", ValueKind.String, "u.id::text") { NotNull = true },
        new("accountEnabled", ValueKind.Boolean, "u.account_enabled") { NotNull = true, OnlySelected = true },
        new("companyName", ValueKind.String, "u.company_name") { OnlySelected = true },
        new("createdDateTime", ValueKind.Time, GraphSql.Second("u.created_at")) { NotNull = true, OnlySelected = true },
        new("deletedDateTime", ValueKind.Time, deletedAt) { OnlySelected = true },
        new("department", ValueKind.String, "u.department") { OnlySelected = true },
        new("employeeId", ValueKind.String, "u.employee_id") { OnlySelected = true },
        new("identities", ValueKind.Json, "json_build_array(json_build_object('signInType', 'userPrincipalName', 'issuer', (SELECT d.name FROM identity.domains d WHERE d.tenant_id = u.tenant_id AND d.is_default), 'issuerAssignedId', u.user_principal_name))::text") { OnlySelected = true },
        new("mailNickname", ValueKind.String, "coalesce(u.mail_nickname, split_part(u.user_principal_name, '@', 1))") { NotNull = true, OnlySelected = true },
        new("onPremisesSyncEnabled", ValueKind.Boolean, "NULL::boolean") { OnlySelected = true },
        new("usageLocation", ValueKind.String, "u.usage_location") { OnlySelected = true },
        new("userType", ValueKind.String, "'Member'") { NotNull = true, OnlySelected = true },
    ])
    {
        Namespace = GraphSql.Namespace,
    };
}
