using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>Registered applications, in their home tenant.</summary>
internal static class ApplicationTable
{
    private const string Resources =
        """
        coalesce((SELECT json_agg(json_build_object('resourceAppId', r.resource_app_id, 'resourceAccess', r.access) ORDER BY r.resource_app_id)
            FROM (SELECT q.resource_app_id, json_agg(json_build_object('id', q.permission_id, 'type', q.kind) ORDER BY q.kind, q.permission_id) AS access
                  FROM identity.required_permissions q WHERE q.application_id = a.id GROUP BY q.resource_app_id) r), '[]'::json)::text
        """;

    /// <summary>Applications by object id.</summary>
    public static EntityTable Applications { get; } = Table("identity.applications a", "NULL::timestamptz");

    /// <summary>Deleted ones by object id.</summary>
    public static EntityTable Deleted { get; } = Table($"{GraphSql.Deleted("Application", "applications")} a", GraphSql.Second("a.deleted_at"));

    private static EntityTable Table(string source, string deletedAt) => new("application", source, "a.tenant_id", "id", "a.id::text",
    [
        new("id", ValueKind.String, "a.id::text") { NotNull = true },
        new("deletedDateTime", ValueKind.Time, deletedAt),
        new("appId", ValueKind.String, "a.app_id::text") { NotNull = true },
        new("applicationTemplateId", ValueKind.String, "NULL::text"),
        new("disabledByMicrosoftStatus", ValueKind.String, "NULL::text"),
        new("createdDateTime", ValueKind.Time, GraphSql.Second("a.created_at")) { NotNull = true },
        new("displayName", ValueKind.String, "a.display_name") { NotNull = true },
        new("description", ValueKind.String, "a.description"),
        new("groupMembershipClaims", ValueKind.String, "NULL::text"),
        new("identifierUris", ValueKind.Strings, "a.identifier_uris") { NotNull = true },
        new("isDeviceOnlyAuthSupported", ValueKind.Boolean, "NULL::boolean"),
        new("isFallbackPublicClient", ValueKind.Boolean, "CASE WHEN a.is_public_client THEN true END"),
        new("notes", ValueKind.String, "a.notes"),
        new("publisherDomain", ValueKind.String, "(SELECT d.name FROM identity.domains d WHERE d.tenant_id = a.tenant_id AND d.is_default)"),
        new("serviceManagementReference", ValueKind.String, "NULL::text"),
        new("signInAudience", ValueKind.String, "a.sign_in_audience") { NotNull = true },
        new("tags", ValueKind.Strings, "a.tags") { NotNull = true },
        new("tokenEncryptionKeyId", ValueKind.String, "NULL::text"),
        new("optionalClaims", ValueKind.Json, "NULL::text"),
        new("addIns", ValueKind.Json, "'[]'"),
        new("api", ValueKind.Json, $"json_build_object('acceptMappedClaims', NULL, 'knownClientApplications', '[]'::json, 'requestedAccessTokenVersion', a.requested_access_token_version, 'oauth2PermissionScopes', ({GraphSql.Scopes("a.scopes")})::json, 'preAuthorizedApplications', '[]'::json)::text"),
        new("appRoles", ValueKind.Json, GraphSql.AppRoles("a.app_roles")),
        new("info", ValueKind.Json, """'{"logoUrl":null,"marketingUrl":null,"privacyStatementUrl":null,"supportUrl":null,"termsOfServiceUrl":null}'"""),
        new("keyCredentials", ValueKind.Json, GraphSql.Certificates("application_id = a.id")),
        new("parentalControlSettings", ValueKind.Json, """'{"countriesBlockedForMinors":[],"legalAgeGroupRule":"Allow"}'"""),
        new("passwordCredentials", ValueKind.Json, GraphSql.Secrets("application_id = a.id")),
        new("publicClient", ValueKind.Json, $"json_build_object('redirectUris', {GraphSql.Redirects("a.redirect_uris", "Native")})::text"),
        new("requiredResourceAccess", ValueKind.Json, Resources),
        new("verifiedPublisher", ValueKind.Json, """'{"displayName":null,"verifiedPublisherId":null,"addedDateTime":null}'"""),
        new("web", ValueKind.Json, $$"""json_build_object('homePageUrl', NULL, 'logoutUrl', a.logout_url, 'redirectUris', {{GraphSql.Redirects("a.redirect_uris", "Web")}}, 'implicitGrantSettings', '{"enableAccessTokenIssuance":false,"enableIdTokenIssuance":false}'::json)::text"""),
        new("spa", ValueKind.Json, $"json_build_object('redirectUris', {GraphSql.Redirects("a.redirect_uris", "Spa")})::text"),
        new("owners", ValueKind.Json, GraphSql.Owners("a.id", "a.tenant_id")) { OnlyExpanded = true },
    ])
    {
        Namespace = GraphSql.Namespace,
    };
}
