using Vedette.Server.Http;

namespace Vedette.Server.Endpoint;

/// <summary>Composes the Defender for Endpoint API.</summary>
public static class EndpointServices
{
    /// <summary>Adds the surface; <see cref="HttpServices.AddVedetteHttp"/> is called for it.</summary>
    public static IServiceCollection AddVedetteEndpoint(this IServiceCollection services)
    {
        services.AddVedetteHttp();
        services.AddSingleton(provider => EndpointSurface.Create(provider.GetServices<IEndpointHandlers>()));
        return services;
    }

    /// <summary>Serves the surface.</summary>
    public static WebApplication MapEndpoint(this WebApplication application)
    {
        application.UseRequestPipeline();
        return application;
    }
}

/// <summary>Handlers of one resource of this surface.</summary>
internal interface IEndpointHandlers : IApiHandlers;
