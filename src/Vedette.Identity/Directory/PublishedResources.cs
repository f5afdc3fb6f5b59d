using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Vedette.Identity.Resources;

namespace Vedette.Identity.Directory;

/// <summary>
/// Keeps the database's copy of the catalogue of first-party APIs, which queries over service principals join with. It is written only when
/// the program's catalogue differs from it.
/// </summary>
internal static class PublishedResources
{
    /// <summary>Makes sure that the copy is the catalogue's.</summary>
    public static async Task EnsureAsync(DirectoryStore store, CancellationToken cancellationToken)
    {
        var known = (await store.QueryAsync("SELECT app_id, fingerprint FROM identity.first_party_resources", row => (Id: row.GetGuid(0), Text: row.GetString(1)), cancellationToken))
            .ToDictionary(row => row.Id, row => row.Text);
        foreach (var api in ResourceCatalogue.Default.All)
        {
            var fingerprint = Fingerprint(api);
            if (known.GetValueOrDefault(api.AppId) == fingerprint) continue;
            await store.ExecuteAsync(
                """
                INSERT INTO identity.first_party_resources (app_id, display_name, resource_uris, app_roles, scopes, fingerprint)
                VALUES ($1, $2, $3, $4::jsonb, $5::jsonb, $6)
                ON CONFLICT (app_id) DO UPDATE SET display_name = excluded.display_name, resource_uris = excluded.resource_uris,
                    app_roles = excluded.app_roles, scopes = excluded.scopes, fingerprint = excluded.fingerprint
                """,
                cancellationToken,
                api.AppId, api.DisplayName, api.Audiences.ToArray(), Json(api.AppRoles), Json(api.Scopes), fingerprint);
        }
    }

    private static string Json(IReadOnlyList<Permission> permissions) => JsonSerializer.Serialize(permissions.Select(StoredPermission.Of), DirectoryStore.PermissionJson);

    private static string Fingerprint(FirstPartyResource api)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var text in api.Audiences.Prepend(api.DisplayName)) hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        foreach (var permission in api.AppRoles.Concat(api.Scopes)) hash.AppendData(Encoding.UTF8.GetBytes($"{permission.Kind} {permission.Id} {permission.Value} {permission.DisplayName}\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
