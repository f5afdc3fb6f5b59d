using Vedette.Defender.Vulnerabilities.Posture;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Exports;

/// <summary>Permissions that browser extensions ask for: the same facts for every tenant.</summary>
internal static class ExtensionPermissionTable
{
    /// <summary>The dictionary.</summary>
    public static EntityTable Permissions { get; } = new("BrowserExtensionPermissionInfo", ExtensionPermissions.Rows("p"), "", "key", "p.key",
    [
        new("key", ValueKind.String, "p.key") { NotNull = true },
        new("permissionName", ValueKind.String, "p.name") { NotNull = true },
        new("description", ValueKind.String, "p.description") { NotNull = true },
    ]);
}
