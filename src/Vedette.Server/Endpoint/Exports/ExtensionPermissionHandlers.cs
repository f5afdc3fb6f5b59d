using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Exports;

/// <summary>Reads the dictionary of browser extension permissions.</summary>
internal sealed class ExtensionPermissionHandlers(EntityReader reader) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /api/browserextensions/permissionsinfo", call => reader.CollectionAsync(call, ExtensionPermissionTable.Permissions)),
    ];
}
