using Microsoft.Extensions.DependencyInjection.Extensions;
using Vedette.Server.Endpoint.Telemetry;
using Vedette.Server.Graph.Security.Alerts;
using Vedette.Server.Graph.Security.Hunting;
using Vedette.Server.Graph.Security.Incidents;
using Vedette.Server.Graph.Security.ThreatIntelligence;

namespace Vedette.Server.Graph.Security;

/// <summary>Composes alerts, incidents, hunting and threat intelligence of Graph.</summary>
internal static class GraphSecurityServices
{
    /// <summary>Adds the handlers.</summary>
    public static IServiceCollection AddGraphSecurity(this IServiceCollection services)
    {
        services.AddSingleton<IGraphSecurityHandlers, SecurityAlertHandlers>();
        services.AddSingleton<IGraphSecurityHandlers, SecurityIncidentHandlers>();
        services.AddSingleton<IGraphSecurityHandlers, HuntingHandlers>();
        services.AddSingleton<IGraphSecurityHandlers, ThreatIndicatorHandlers>();
        services.TryAddSingleton<TelemetryReader>();
        services.TryAddSingleton<HuntingCalls>();
        return services;
    }
}
