using Vedette.Identity.Directory;

namespace Vedette.Identity.Protocol;

/// <summary>Finds the application that a client id names, the same way for every endpoint.</summary>
internal static class ClientLookup
{
    /// <summary>Finds a client and, in a particular tenant, its service principal.</summary>
    /// <returns>An error, or null.</returns>
    public static ProtocolError? Find(
        DirectorySnapshot directory, TenantSegment segment, string segmentText, string clientId, out Application? client, out ServicePrincipal? principal)
    {
        principal = null;
        client = Guid.TryParse(clientId, out var appId) ? directory.Application(appId) : null;
        if (segment.Tenant is not { } tenant)
        {
            if (client is null) return ErrorCatalogue.Create(700016, clientId, segmentText);
            if (segment.Alias == TenantAlias.Consumers) return ErrorCatalogue.Create(9002332, client.AppId, client.DisplayName);
            return client.IsMultiTenant ? null : ErrorCatalogue.Create(50194, client.AppId, client.DisplayName);
        }

        principal = client is null ? null : directory.Principal(tenant.Id, appId);
        if (client is null || principal is null) return ErrorCatalogue.Create(700016, clientId, tenant.DisplayName);
        return principal.AccountEnabled ? null : ErrorCatalogue.Create(7000112, client.AppId, client.DisplayName);
    }
}
