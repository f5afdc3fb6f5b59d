using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>App role assignments and delegated permission grants.</summary>
internal static class GrantTables
{
    private const string AssignmentSource =
        """
        (SELECT g.*, r.tenant_id, coalesce(pa.display_name, pf.display_name, pu.display_name, pg.display_name) AS principal_name, coalesce(ra.display_name, rf.display_name) AS resource_name
         FROM identity.app_role_assignments g
         LEFT JOIN identity.users pu ON pu.id = g.principal_id
         LEFT JOIN identity.groups pg ON pg.id = g.principal_id
         LEFT JOIN identity.service_principals p ON p.id = g.principal_id
         LEFT JOIN identity.applications pa ON pa.app_id = p.app_id
         LEFT JOIN identity.first_party_resources pf ON pf.app_id = p.app_id
         JOIN identity.service_principals r ON r.id = g.resource_id
         LEFT JOIN identity.applications ra ON ra.app_id = r.app_id
         LEFT JOIN identity.first_party_resources rf ON rf.app_id = r.app_id) g
        """;

    /// <summary>App role assignments by id.</summary>
    public static EntityTable Assignments { get; } = new("appRoleAssignment", AssignmentSource, "g.tenant_id", "id", "g.id::text",
    [
        new("id", ValueKind.String, "g.id::text") { NotNull = true },
        new("deletedDateTime", ValueKind.Time, "NULL::timestamptz"),
        new("appRoleId", ValueKind.Guid, "g.app_role_id") { NotNull = true },
        new("createdDateTime", ValueKind.Time, "g.created_at") { NotNull = true },
        new("principalDisplayName", ValueKind.String, "g.principal_name"),
        new("principalId", ValueKind.Guid, "g.principal_id") { NotNull = true },
        new("principalType", ValueKind.String, "g.principal_kind") { NotNull = true },
        new("resourceDisplayName", ValueKind.String, "g.resource_name"),
        new("resourceId", ValueKind.Guid, "g.resource_id") { NotNull = true },
    ])
    {
        Namespace = GraphSql.Namespace,
    };

    /// <summary>Delegated permission grants by id.</summary>
    public static EntityTable Grants { get; } = new(
        "oAuth2PermissionGrant", "(SELECT g.*, p.tenant_id FROM identity.permission_grants g JOIN identity.service_principals p ON p.id = g.client_id) g", "g.tenant_id", "id", "g.id::text",
    [
        new("clientId", ValueKind.String, "g.client_id::text") { NotNull = true },
        new("consentType", ValueKind.String, "CASE WHEN g.principal_id IS NULL THEN 'AllPrincipals' ELSE 'Principal' END") { NotNull = true },
        new("id", ValueKind.String, "g.id::text") { NotNull = true },
        new("principalId", ValueKind.String, "g.principal_id::text"),
        new("resourceId", ValueKind.String, "g.resource_id::text") { NotNull = true },
        new("scope", ValueKind.String, "g.scope"),
    ])
    {
        Namespace = GraphSql.Namespace,
    };
}
