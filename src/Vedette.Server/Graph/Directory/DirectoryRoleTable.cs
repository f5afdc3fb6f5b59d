using Vedette.Identity.Directory;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>Directory roles: every role is active in every tenant, and its object's id follows from both (<see cref="DirectoryRole.ObjectId"/>).</summary>
internal static class DirectoryRoleTable
{
    /// <summary>Roles of all tenants as a FROM clause under the alias r.</summary>
    public static string Source { get; } =
        $"""
        (SELECT t.tenant_id, t.template_id, t.name, t.description, (substr(t.h, 1, 12) || '5' || substr(t.h, 14, 3) || '8' || substr(t.h, 18, 15))::uuid AS id
         FROM (SELECT n.id AS tenant_id, v.template_id, v.name, v.description, encode(sha256(uuid_send(n.id) || uuid_send(v.template_id)), 'hex') AS h
               FROM identity.tenants n CROSS JOIN (VALUES {string.Join(", ", DirectoryRole.All.Select(role => $"('{role.TemplateId}'::uuid, '{role.Name}', '{role.Description}')"))}) v(template_id, name, description)) t) r
        """;

    /// <summary>Directory roles by object id.</summary>
    public static EntityTable Roles { get; } = new("directoryRole", Source, "r.tenant_id", "id", "r.id::text",
    [
        new("id", ValueKind.String, "r.id::text") { NotNull = true },
        new("deletedDateTime", ValueKind.Time, "NULL::timestamptz"),
        new("description", ValueKind.String, "r.description"),
        new("displayName", ValueKind.String, "r.name") { NotNull = true },
        new("roleTemplateId", ValueKind.String, "r.template_id::text") { NotNull = true },
    ])
    {
        Namespace = GraphSql.Namespace,
    };
}
