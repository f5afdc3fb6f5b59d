using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>SQL that writes parts of directory objects as Graph shows them.</summary>
internal static class GraphSql
{
    /// <summary>Namespace of Graph's types.</summary>
    public const string Namespace = "microsoft.graph";

    /// <summary>App roles from their stored form.</summary>
    public static string AppRoles(string column) => List(
        column,
        "json_build_object('allowedMemberTypes', coalesce(e->'allowedMemberTypes', '[\"Application\"]'::jsonb), 'description', coalesce(e->>'description', e->>'displayName'), "
        + "'displayName', e->>'displayName', 'id', e->>'id', 'isEnabled', coalesce((e->>'isEnabled')::boolean, true), 'origin', 'Application', 'value', nullif(e->>'value', ''))");

    /// <summary>Scopes from their stored form.</summary>
    public static string Scopes(string column) => List(
        column,
        "json_build_object('adminConsentDescription', coalesce(e->>'description', e->>'displayName'), 'adminConsentDisplayName', e->>'displayName', 'id', e->>'id', "
        + "'isEnabled', coalesce((e->>'isEnabled')::boolean, true), 'type', coalesce(e->>'consentType', 'Admin'), 'userConsentDescription', e->>'userConsentDescription', "
        + "'userConsentDisplayName', e->>'userConsentDisplayName', 'value', e->>'value')");

    /// <summary>Reply addresses of a kind.</summary>
    public static string Redirects(string column, string kind) =>
        $"coalesce((SELECT json_agg(e->>'uri' ORDER BY n) FROM jsonb_array_elements({column}) WITH ORDINALITY AS l(e, n) WHERE e->>'kind' = '{kind}'), '[]'::json)";

    /// <summary>Secrets of a holder, without values.</summary>
    public static string Secrets(string holder) =>
        "coalesce((SELECT json_agg(json_build_object('customKeyIdentifier', NULL, 'displayName', k.display_name, 'endDateTime', " + Time("k.ends_at")
        + ", 'hint', k.hint, 'keyId', k.key_id, 'secretText', NULL, 'startDateTime', " + Time("k.starts_at")
        + $") ORDER BY k.starts_at, k.key_id) FROM identity.client_secrets k WHERE k.{holder}), '[]'::json)::text";

    /// <summary>Certificates of a holder, without their contents.</summary>
    public static string Certificates(string holder) =>
        "coalesce((SELECT json_agg(json_build_object('customKeyIdentifier', k.thumbprint, 'displayName', k.display_name, 'endDateTime', " + Time("k.ends_at")
        + ", 'key', NULL, 'keyId', k.key_id, 'startDateTime', " + Time("k.starts_at")
        + $", 'type', 'AsymmetricX509Cert', 'usage', 'Verify') ORDER BY k.starts_at, k.key_id) FROM identity.client_certificates k WHERE k.{holder}), '[]'::json)::text";

    /// <summary>Owners of an object, as a list of directory objects.</summary>
    public static string Owners(string id, string tenant) =>
        $"coalesce((SELECT json_agg(d.document ORDER BY d.id) FROM identity.owners w JOIN {DirectoryObjectTable.Source("d")} ON d.id = w.owner_id AND d.tenant_id = {tenant} WHERE w.object_id = {id}), '[]'::json)::text";

    /// <summary>Deleted objects of a kind as a FROM clause without its alias: the columns that they had in their table, and <c>deleted_at</c>.</summary>
    public static string Deleted(string kind, string table) =>
        $"(SELECT r.*, d.deleted_at FROM identity.deleted_items d CROSS JOIN LATERAL jsonb_populate_record(NULL::identity.{table}, d.rows->0->'row') r WHERE d.kind = '{kind}')";

    /// <summary>A moment as JSON text, with whole seconds.</summary>
    public static string Time(string sql) => $"to_char({sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";

    /// <summary>A moment cut to whole seconds, which is how the directory shows its own.</summary>
    public static string Second(string sql) => $"date_trunc('second', {sql})";

    private static string List(string column, string element) =>
        $"coalesce((SELECT json_agg({element} ORDER BY n) FROM jsonb_array_elements({column}) WITH ORDINALITY AS l(e, n)), '[]'::json)::text";
}
