using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>The caller's own tenant and its domains.</summary>
internal sealed class OrganizationHandlers(EntityReader reader) : DirectoryHandlers
{
    /// <inheritdoc/>
    protected override IEnumerable<KeyValuePair<string, ApiHandler>> Rows =>
    [
        new("GET /organization", call => ListAsync(call, reader, OrganizationTables.Organizations)),
        new("GET /organization/{id}", call => OneAsync(call, reader, OrganizationTables.Organizations, DirectoryObjects.Id(call, call.Route["id"]))),
        new("GET /domains", call => ListAsync(call, reader, OrganizationTables.Domains)),
        new("GET /domains/{id}", call => OneAsync(call, reader, OrganizationTables.Domains, call.Route["id"].ToLowerInvariant())),
    ];
}
