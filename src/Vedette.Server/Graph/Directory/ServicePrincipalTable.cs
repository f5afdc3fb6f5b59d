using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>Applications as they stand in a tenant: its own, those of other tenants, and the first-party APIs.</summary>
internal static class ServicePrincipalTable
{
    // The tenant that first-party APIs belong to is the same everywhere.
    private static string Source(string principals) =>
        $"""
        (SELECT p.*, coalesce(a.display_name, f.display_name) AS display_name, a.description AS app_description, a.sign_in_audience,
                CASE WHEN f.app_id IS NULL THEN a.tenant_id ELSE 'f8cdef31-a31e-4b4a-93e4-5f571e91255a'::uuid END AS owner_tenant,
                coalesce(a.app_roles, f.app_roles) AS app_roles, coalesce(a.scopes, f.scopes) AS scopes,
                ARRAY[p.app_id::text] || coalesce(a.identifier_uris, f.resource_uris) AS names, coalesce(a.redirect_uris, '[]'::jsonb) AS redirect_uris
         FROM {principals} p
         LEFT JOIN identity.applications a ON a.app_id = p.app_id
         LEFT JOIN identity.first_party_resources f ON f.app_id = p.app_id) s
        """;

    /// <summary>Service principals by object id.</summary>
    public static EntityTable Principals { get; } = Table(Source("identity.service_principals"), "NULL::timestamptz");

    /// <summary>Deleted ones by object id.</summary>
    public static EntityTable Deleted { get; } = Table(Source(GraphSql.Deleted("ServicePrincipal", "service_principals")), GraphSql.Second("s.deleted_at"));

    private static EntityTable Table(string source, string deletedAt) => new("servicePrincipal", source, "s.tenant_id", "id", "s.id::text",
    [
        new("id", ValueKind.String, "s.id::text") { NotNull = true },
        new("deletedDateTime", ValueKind.Time, deletedAt),
        new("accountEnabled", ValueKind.Boolean, "s.account_enabled") { NotNull = true },
        new("alternativeNames", ValueKind.Strings, "'{}'::text[]"),
        new("appDisplayName", ValueKind.String, "s.display_name"),
        new("appDescription", ValueKind.String, "s.app_description"),
        new("appId", ValueKind.String, "s.app_id::text") { NotNull = true },
        new("applicationTemplateId", ValueKind.String, "NULL::text"),
        new("appOwnerOrganizationId", ValueKind.Guid, "s.owner_tenant"),
        new("appRoleAssignmentRequired", ValueKind.Boolean, "s.app_role_assignment_required") { NotNull = true },
        new("createdDateTime", ValueKind.Time, GraphSql.Second("s.created_at")) { NotNull = true },
        new("description", ValueKind.String, "NULL::text"),
        new("disabledByMicrosoftStatus", ValueKind.String, "NULL::text"),
        new("displayName", ValueKind.String, "s.display_name"),
        new("homepage", ValueKind.String, "NULL::text"),
        new("loginUrl", ValueKind.String, "NULL::text"),
        new("logoutUrl", ValueKind.String, "NULL::text"),
        new("notes", ValueKind.String, "s.notes"),
        new("notificationEmailAddresses", ValueKind.Strings, "'{}'::text[]"),
        new("preferredSingleSignOnMode", ValueKind.String, "NULL::text"),
        new("preferredTokenSigningKeyThumbprint", ValueKind.String, "NULL::text"),
        new("replyUrls", ValueKind.Json, "coalesce((SELECT json_agg(e->>'uri' ORDER BY n) FROM jsonb_array_elements(s.redirect_uris) WITH ORDINALITY AS l(e, n)), '[]'::json)::text"),
        new("servicePrincipalNames", ValueKind.Strings, "s.names") { NotNull = true },
        new("servicePrincipalType", ValueKind.String, "'Application'") { NotNull = true },
        new("signInAudience", ValueKind.String, "coalesce(s.sign_in_audience, 'AzureADMultipleOrgs')"),
        new("tags", ValueKind.Strings, "s.tags") { NotNull = true },
        new("tokenEncryptionKeyId", ValueKind.String, "NULL::text"),
        new("addIns", ValueKind.Json, "'[]'"),
        new("appRoles", ValueKind.Json, GraphSql.AppRoles("s.app_roles")),
        new("info", ValueKind.Json, """'{"logoUrl":null,"marketingUrl":null,"privacyStatementUrl":null,"supportUrl":null,"termsOfServiceUrl":null}'"""),
        new("keyCredentials", ValueKind.Json, GraphSql.Certificates("service_principal_id = s.id")),
        new("oauth2PermissionScopes", ValueKind.Json, GraphSql.Scopes("s.scopes")),
        new("passwordCredentials", ValueKind.Json, GraphSql.Secrets("service_principal_id = s.id")),
        new("resourceSpecificApplicationPermissions", ValueKind.Json, "'[]'"),
        new("verifiedPublisher", ValueKind.Json, """'{"displayName":null,"verifiedPublisherId":null,"addedDateTime":null}'"""),
        new("owners", ValueKind.Json, GraphSql.Owners("s.id", "s.tenant_id")) { OnlyExpanded = true },
    ])
    {
        Namespace = GraphSql.Namespace,
    };
}
