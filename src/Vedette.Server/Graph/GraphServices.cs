using Vedette.Server.Access;
using Vedette.Server.Graph.Batch;
using Vedette.Server.Graph.Directory;
using Vedette.Server.Http;
using Vedette.Server.Http.Steps;

namespace Vedette.Server.Graph;

/// <summary>Composes Microsoft Graph.</summary>
public static class GraphServices
{
    /// <summary>Adds the surface; <see cref="HttpServices.AddVedetteHttp"/> is called for it.</summary>
    public static IServiceCollection AddVedetteGraph(this IServiceCollection services)
    {
        services.AddVedetteHttp();
        services.AddDirectoryPeople();
        services.AddSingleton<IUserAccess, GraphUserAccess>();
        services.AddSingleton<DirectoryObjects>();
        services.AddSingleton<IGraphHandlers, ApplicationHandlers>();
        services.AddSingleton<IGraphHandlers, ServicePrincipalHandlers>();
        services.AddSingleton<CredentialHandlers>();
        services.AddSingleton<IGraphHandlers>(provider => provider.GetRequiredService<CredentialHandlers>());
        services.AddSingleton<IGraphHandlers, OwnerHandlers>();
        services.AddSingleton<IGraphHandlers, GrantHandlers>();
        services.AddSingleton<IGraphHandlers, UserHandlers>();
        services.AddSingleton<IGraphHandlers, GroupHandlers>();
        services.AddSingleton<IGraphHandlers, DirectoryRoleHandlers>();
        services.AddSingleton<IGraphHandlers, OrganizationHandlers>();
        services.AddSingleton<IGraphHandlers, BatchHandlers>();
        services.AddSingleton(provider => GraphSurface.Create(provider.GetServices<IGraphHandlers>()));
        return services;
    }

    /// <summary>Serves the surface.</summary>
    public static WebApplication MapGraph(this WebApplication application)
    {
        application.UseRequestPipeline();
        return application;
    }
}

/// <summary>Handlers of one resource of this surface.</summary>
internal interface IGraphHandlers : IApiHandlers;
