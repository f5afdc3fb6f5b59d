using Vedette.Identity.Resources;
using Vedette.Server.Endpoint;
using Vedette.Server.Http;

namespace Vedette.Server.ThreatProtection;

/// <summary>Handlers of one resource of this surface.</summary>
internal interface IThreatProtectionHandlers : IApiHandlers;

/// <summary>
/// The Microsoft 365 Defender (Threat Protection) API: incidents. It lies under the same prefix as the Endpoint API and takes tokens of its own
/// resource; advanced hunting of this API stands in the Endpoint table, next to its sibling.
/// </summary>
internal static class ThreatProtectionSurface
{
    private static readonly Lazy<IReadOnlyList<ApiEndpoint>> Table = new(() => ApiEndpoint.Load("Vedette.Server.ThreatProtection.endpoints.json"));

    /// <summary>Every documented call.</summary>
    public static IReadOnlyList<ApiEndpoint> Endpoints => Table.Value;

    /// <summary>Joins the table with the handlers. Errors are those of the Endpoint API, whose text and form the two share.</summary>
    public static ApiSurface Create(IEnumerable<IApiHandlers> handlers) =>
        new("Threat Protection", EndpointSurface.Prefix, ResourceCatalogue.ThreatProtectionAppId, Endpoints, EndpointSurface.Errors, [IncidentTable.Incidents], handlers);

    /// <summary>Adds the surface.</summary>
    public static IServiceCollection AddVedetteThreatProtection(this IServiceCollection services)
    {
        services.AddVedetteHttp();
        services.AddSingleton<IThreatProtectionHandlers, IncidentHandlers>();
        services.AddSingleton<IThreatProtectionHandlers, MetadataHandlers>();
        services.AddSingleton(provider => Create(provider.GetServices<IThreatProtectionHandlers>()));
        return services;
    }
}
