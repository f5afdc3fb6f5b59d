using Microsoft.Extensions.DependencyInjection.Extensions;
using Vedette.Server.Access;
using Vedette.Server.Endpoint.AdvancedHunting;
using Vedette.Server.Endpoint.Alerts;
using Vedette.Server.Endpoint.Baselines;
using Vedette.Server.Endpoint.DeviceHealth;
using Vedette.Server.Endpoint.Domains;
using Vedette.Server.Endpoint.Exports;
using Vedette.Server.Endpoint.Files;
using Vedette.Server.Endpoint.Indicators;
using Vedette.Server.Endpoint.Investigations;
using Vedette.Server.Endpoint.Ips;
using Vedette.Server.Endpoint.Library;
using Vedette.Server.Endpoint.MachineActions;
using Vedette.Server.Endpoint.Machines;
using Vedette.Server.Endpoint.Recommendations;
using Vedette.Server.Endpoint.Remediation;
using Vedette.Server.Endpoint.Scans;
using Vedette.Server.Endpoint.Scores;
using Vedette.Server.Endpoint.Software;
using Vedette.Server.Endpoint.Telemetry;
using Vedette.Server.Endpoint.Users;
using Vedette.Server.Endpoint.Vulnerabilities;
using Vedette.Server.Http;
using Vedette.Server.Http.Steps;

namespace Vedette.Server.Endpoint;

/// <summary>Composes the Defender for Endpoint API.</summary>
public static class EndpointServices
{
    /// <summary>Adds the surface; <see cref="HttpServices.AddVedetteHttp"/> is called for it.</summary>
    public static IServiceCollection AddVedetteEndpoint(this IServiceCollection services)
    {
        services.AddVedetteHttp();
        services.AddDirectoryPeople();
        services.AddSingleton<IEndpointHandlers, AlertHandlers>();
        services.AddSingleton<IEndpointHandlers, AlertChangeHandlers>();
        services.AddSingleton<IEndpointHandlers, AlertCreationHandlers>();
        services.AddSingleton<IEndpointHandlers, MachineHandlers>();
        services.AddSingleton<IEndpointHandlers, MachineChangeHandlers>();
        services.AddSingleton<IEndpointHandlers, MachineActionHandlers>();
        services.AddSingleton<IEndpointHandlers, ActionOrderHandlers>();
        services.AddSingleton<IEndpointHandlers, InvestigationHandlers>();
        services.AddSingleton<IEndpointHandlers, LibraryHandlers>();
        services.AddSingleton<IEndpointHandlers, UserHandlers>();
        services.AddSingleton<IEndpointHandlers, IpHandlers>();
        services.AddSingleton<IEndpointHandlers, AdvancedHuntingHandlers>();
        services.AddSingleton<IEndpointHandlers, IndicatorHandlers>();
        services.AddSingleton<IEndpointHandlers, FileHandlers>();
        services.AddSingleton<IEndpointHandlers, DomainHandlers>();
        services.AddSingleton<IUserAccess, DefenderUserAccess>();
        services.AddSingleton<IEndpointHandlers, SoftwareHandlers>();
        services.AddSingleton<IEndpointHandlers, VulnerabilityHandlers>();
        services.AddSingleton<IEndpointHandlers, MachineHoldingsHandlers>();
        services.AddSingleton<IEndpointHandlers, RecommendationHandlers>();
        services.AddSingleton<IEndpointHandlers, RemediationHandlers>();
        services.AddSingleton<IEndpointHandlers, ScoreHandlers>();
        services.AddSingleton<IEndpointHandlers, BaselineHandlers>();
        services.AddSingleton<IEndpointHandlers, DeviceHealthHandlers>();
        services.AddSingleton<IEndpointHandlers, ScanHandlers>();
        services.AddSingleton<IEndpointHandlers, ExportHandlers>();
        services.AddSingleton<IEndpointHandlers, ExtensionPermissionHandlers>();
        services.TryAddSingleton<TelemetryReader>();
        services.TryAddSingleton<HuntingCalls>();
        services.AddSingleton<Observations>();
        services.AddSingleton<SignedLinks>();
        services.AddSingleton(provider => EndpointSurface.Create(provider.GetServices<IEndpointHandlers>()));
        return services;
    }

    /// <summary>Serves the surface.</summary>
    public static WebApplication MapEndpoint(this WebApplication application)
    {
        application.UseRequestPipeline();
        application.MapDownloads();
        return application;
    }
}

/// <summary>Handlers of one resource of this surface.</summary>
internal interface IEndpointHandlers : IApiHandlers;
