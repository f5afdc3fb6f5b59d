using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>Users, groups, service principals and applications in one list: owners, members, memberships.</summary>
internal static class DirectoryObjectTable
{
    /// <summary>Everything that a reference may mean, by object id.</summary>
    public static EntityTable Objects { get; } = new("directoryObject", Source("d"), "d.tenant_id", "id", "d.id::text",
    [
        new("@odata.type", ValueKind.String, "d.type") { NotNull = true },
        new("id", ValueKind.String, "d.id::text") { NotNull = true },
        new("deletedDateTime", ValueKind.Time, "NULL::timestamptz"),
        new("displayName", ValueKind.String, "d.display_name"),
        new("description", ValueKind.String, "d.document->>'description'") { OmitNull = true },
        new("givenName", ValueKind.String, "d.document->>'givenName'") { OmitNull = true },
        new("surname", ValueKind.String, "d.document->>'surname'") { OmitNull = true },
        new("jobTitle", ValueKind.String, "d.document->>'jobTitle'") { OmitNull = true },
        new("mail", ValueKind.String, "d.document->>'mail'") { OmitNull = true },
        new("userPrincipalName", ValueKind.String, "d.document->>'userPrincipalName'") { OmitNull = true },
        new("appId", ValueKind.String, "d.document->>'appId'") { OmitNull = true },
        new("servicePrincipalType", ValueKind.String, "d.document->>'servicePrincipalType'") { OmitNull = true },
        new("roleTemplateId", ValueKind.String, "d.document->>'roleTemplateId'") { OmitNull = true },
        new("securityEnabled", ValueKind.Boolean, "(d.document->>'securityEnabled')::boolean") { OmitNull = true },
        new("mailEnabled", ValueKind.Boolean, "(d.document->>'mailEnabled')::boolean") { OmitNull = true },
    ])
    {
        Namespace = GraphSql.Namespace,
        DocumentColumn = "convert_to(d.document::text, 'UTF8')",
    };

    /// <summary>The union as a FROM clause under an alias.</summary>
    public static string Source(string alias) =>
        $$"""
        (SELECT u.tenant_id, u.id, '#microsoft.graph.user' AS type, u.display_name,
                json_build_object('@odata.type', '#microsoft.graph.user', 'id', u.id, 'businessPhones', '[]'::json, 'displayName', u.display_name, 'givenName', u.given_name,
                    'jobTitle', u.job_title, 'mail', u.mail, 'mobilePhone', u.mobile_phone, 'officeLocation', u.office_location, 'preferredLanguage', u.preferred_language,
                    'surname', u.surname, 'userPrincipalName', u.user_principal_name) AS document
         FROM identity.users u
         UNION ALL
         SELECT g.tenant_id, g.id, '#microsoft.graph.group', g.display_name,
                json_build_object('@odata.type', '#microsoft.graph.group', 'id', g.id, 'deletedDateTime', NULL, 'createdDateTime', {{GraphSql.Time("g.created_at")}},
                    'description', g.description, 'displayName', g.display_name, 'groupTypes', g.group_types, 'mail', NULL, 'mailEnabled', g.mail_enabled,
                    'mailNickname', g.mail_nickname, 'securityEnabled', g.security_enabled, 'visibility', NULL)
         FROM identity.groups g
         UNION ALL
         SELECT p.tenant_id, p.id, '#microsoft.graph.servicePrincipal', coalesce(a.display_name, f.display_name),
                json_build_object('@odata.type', '#microsoft.graph.servicePrincipal', 'id', p.id, 'deletedDateTime', NULL, 'accountEnabled', p.account_enabled,
                    'appDisplayName', coalesce(a.display_name, f.display_name), 'appId', p.app_id, 'displayName', coalesce(a.display_name, f.display_name),
                    'servicePrincipalType', 'Application', 'createdDateTime', {{GraphSql.Time("p.created_at")}})
         FROM identity.service_principals p
         LEFT JOIN identity.applications a ON a.app_id = p.app_id
         LEFT JOIN identity.first_party_resources f ON f.app_id = p.app_id
         UNION ALL
         SELECT a.tenant_id, a.id, '#microsoft.graph.application', a.display_name,
                json_build_object('@odata.type', '#microsoft.graph.application', 'id', a.id, 'deletedDateTime', NULL, 'appId', a.app_id, 'displayName', a.display_name,
                    'createdDateTime', {{GraphSql.Time("a.created_at")}}, 'signInAudience', a.sign_in_audience)
         FROM identity.applications a
         UNION ALL
         SELECT r.tenant_id, r.id, '#microsoft.graph.directoryRole', r.name,
                json_build_object('@odata.type', '#microsoft.graph.directoryRole', 'id', r.id, 'deletedDateTime', NULL, 'description', r.description, 'displayName', r.name, 'roleTemplateId', r.template_id)
         FROM {{DirectoryRoleTable.Source}}) {{alias}}
        """;
}
