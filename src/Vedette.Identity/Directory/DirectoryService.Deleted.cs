using System.Text.Json;

namespace Vedette.Identity.Directory;

/// <summary>What was deleted.</summary>
public enum DeletedKind
{
    /// <summary>A user.</summary>
    User,

    /// <summary>A group.</summary>
    Group,

    /// <summary>An application with its service principals.</summary>
    Application,

    /// <summary>A service principal.</summary>
    ServicePrincipal,
}

/// <summary>Something that was deleted and can be restored.</summary>
/// <param name="Id">Object id.</param>
/// <param name="TenantId">Whose.</param>
/// <param name="Kind">What it was.</param>
/// <param name="DeletedAt">When it was deleted.</param>
public sealed record DeletedItem(Guid Id, Guid TenantId, DeletedKind Kind, DateTimeOffset DeletedAt);

// Deleted objects: their rows are put aside as they are, and put back as they were.
public sealed partial class DirectoryService
{
    /// <summary>How long a deleted object can be restored.</summary>
    public static readonly TimeSpan DeletedLife = TimeSpan.FromDays(30);

    private const string OwnPrincipals = "(SELECT p.id FROM identity.service_principals p JOIN identity.applications a ON a.app_id = p.app_id WHERE a.id = $1)";

    // Table and condition, in the order in which rows can be put back; the first is the object itself, the others are what hangs on it.
    private static readonly Dictionary<DeletedKind, (string Table, string Condition)[]> Belongings = new()
    {
        [DeletedKind.User] =
        [
            ("users", "x.id = $1"), ("second_factors", "x.user_id = $1"), ("group_members", "x.member_id = $1"), ("owners", "x.owner_id = $1"),
            ("permission_grants", "x.principal_id = $1"), ("app_role_assignments", "x.principal_id = $1"),
        ],
        [DeletedKind.Group] =
        [
            ("groups", "x.id = $1"), ("group_members", "x.group_id = $1 OR x.member_id = $1"), ("owners", "x.object_id = $1"), ("app_role_assignments", "x.principal_id = $1"),
        ],
        [DeletedKind.ServicePrincipal] = [("service_principals", "x.id = $1"), .. OfPrincipals("($1::uuid)")],
        [DeletedKind.Application] =
        [
            ("applications", "x.id = $1"), ("required_permissions", "x.application_id = $1"), ("client_secrets", "x.application_id = $1"), ("client_certificates", "x.application_id = $1"),
            ("owners", "x.object_id = $1"), ("service_principals", $"x.id IN {OwnPrincipals}"), .. OfPrincipals(OwnPrincipals),
        ],
    };

    private static IEnumerable<(string, string)> OfPrincipals(string ids) =>
    [
        ("client_secrets", $"x.service_principal_id IN {ids}"), ("client_certificates", $"x.service_principal_id IN {ids}"), ("owners", $"x.object_id IN {ids} OR x.owner_id IN {ids}"),
        ("group_members", $"x.member_id IN {ids}"), ("app_role_assignments", $"x.principal_id IN {ids} OR x.resource_id IN {ids}"),
        ("permission_grants", $"x.client_id IN {ids} OR x.resource_id IN {ids}"),
    ];

    /// <summary>Something that was deleted from a tenant and can be restored; null when there is none.</summary>
    public async Task<DeletedItem?> FindDeletedAsync(Guid tenantId, Guid id, CancellationToken cancellationToken = default)
    {
        await PurgeDeletedAsync(cancellationToken);
        return (await store.QueryAsync(
            "SELECT kind, deleted_at FROM identity.deleted_items WHERE tenant_id = $1 AND id = $2",
            row => new DeletedItem(id, tenantId, Enum.Parse<DeletedKind>(row.GetString(0)), row.GetFieldValue<DateTimeOffset>(1)), cancellationToken, tenantId, id)).FirstOrDefault();
    }

    /// <summary>Forgets what was deleted so long ago that it cannot be restored any more.</summary>
    public Task PurgeDeletedAsync(CancellationToken cancellationToken = default) =>
        store.ExecuteAsync("DELETE FROM identity.deleted_items WHERE deleted_at < $1", cancellationToken, clock.GetUtcNow() - DeletedLife);

    /// <summary>Puts a deleted object back with its memberships, consents and credentials; what these referred to and is gone since stays gone.</summary>
    /// <exception cref="DirectoryException">Something else has taken its name or its place.</exception>
    public async Task RestoreAsync(DeletedItem item, CancellationToken cancellationToken = default)
    {
        var tables = Belongings[item.Kind].Select(entry => entry.Table).ToHashSet(StringComparer.Ordinal);
        var text = (await store.QueryAsync("SELECT rows::text FROM identity.deleted_items WHERE id = $1", row => row.GetString(0), cancellationToken, item.Id)).FirstOrDefault() ?? throw NoSuchObject(item.Id);
        using var rows = JsonDocument.Parse(text);
        await store.WriteAsync(
            async change =>
            {
                var first = true;
                foreach (var entry in rows.RootElement.EnumerateArray())
                {
                    var table = entry.GetProperty("table").GetString()!;
                    if (!tables.Contains(table)) continue;
                    var insert = $"INSERT INTO identity.{table} SELECT * FROM jsonb_populate_record(NULL::identity.{table}, $1::jsonb)";
                    if (first) await change.ExecuteAsync(insert, entry.GetProperty("row").GetRawText());
                    else await change.TryExecuteAsync(insert, entry.GetProperty("row").GetRawText());
                    first = false;
                }

                await change.ExecuteAsync("DELETE FROM identity.deleted_items WHERE id = $1", item.Id);
                await change.AuditAsync(Audit($"Restore {Words(item.Kind)}", item.TenantId, item.Id.ToString()));
            },
            cancellationToken);
    }

    /// <summary>Deletes a deleted object for good.</summary>
    public Task PurgeAsync(DeletedItem item, CancellationToken cancellationToken = default) => store.WriteAsync(
        async change =>
        {
            await change.ExecuteAsync("DELETE FROM identity.deleted_items WHERE id = $1", item.Id);
            await change.AuditAsync(Audit($"Hard delete {Words(item.Kind)}", item.TenantId, item.Id.ToString()));
        },
        cancellationToken);

    // Comes before the rows are deleted, in the same transaction.
    private async Task KeepDeletedAsync(DirectoryTransaction change, DeletedKind kind, Guid tenantId, Guid id)
    {
        var parts = Belongings[kind].Select((entry, n) => $"SELECT {n} AS n, '{entry.Table}' AS name, to_jsonb(x) AS item FROM identity.{entry.Table} x WHERE {entry.Condition}");
        await change.ExecuteAsync(
            $"""
            INSERT INTO identity.deleted_items (id, tenant_id, kind, deleted_at, rows)
            SELECT $1, $2, $3, $4, coalesce(jsonb_agg(jsonb_build_object('table', t.name, 'row', t.item) ORDER BY t.n), '[]') FROM ({string.Join(" UNION ALL ", parts)}) t
            ON CONFLICT (id) DO UPDATE SET deleted_at = excluded.deleted_at, rows = excluded.rows
            """,
            id, tenantId, kind.ToString(), clock.GetUtcNow());
    }

    private static string Words(DeletedKind kind) => kind == DeletedKind.ServicePrincipal ? "service principal" : kind.ToString().ToLowerInvariant();
}
