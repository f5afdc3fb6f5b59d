using Vedette.Defender.Notifications;
using Vedette.Server.Access;
using Vedette.Server.Graph.Batch;
using Vedette.Server.Graph.DetectionRules;
using Vedette.Server.Graph.Directory;
using Vedette.Server.Graph.Security;
using Vedette.Server.Graph.Subscriptions;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;
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
        services.AddSingleton<IGraphHandlers, MembershipHandlers>();
        services.AddSingleton<IGraphHandlers, DeletedItemHandlers>();
        services.AddSingleton<IGraphHandlers, OrganizationHandlers>();
        services.AddSingleton<IGraphHandlers, BatchHandlers>();
        services.AddSingleton(provider => GraphSurface.Create(provider.GetServices<IGraphHandlers>()));
        services.AddSingleton<ISubscriberCheck, DirectorySubscribers>();
        services.AddVedetteGraphSecurity();
        return services;
    }

    /// <summary>Adds the security part alone.</summary>
    public static IServiceCollection AddVedetteGraphSecurity(this IServiceCollection services)
    {
        services.AddVedetteHttp();
        services.AddGraphSecurity();
        services.AddGraphSubscriptions();
        services.AddGraphDetectionRules();
        services.AddSingleton(provider => GraphSecuritySurface.Create(provider.GetServices<IGraphSecurityHandlers>()));
        return services;
    }

    /// <summary>Serves the surface.</summary>
    public static WebApplication MapGraph(this WebApplication application)
    {
        application.UseRequestPipeline();
        return application;
    }
}

/// <summary>Handlers of one directory resource.</summary>
internal interface IGraphHandlers : IApiHandlers;

/// <summary>Handlers of one resource whose rows stand in the <c>endpoints.json</c> of a folder below this one.</summary>
internal interface IGraphSecurityHandlers : IApiHandlers
{
    /// <summary>Entity tables of the resource, by whose names the rows' <c>returns</c> begin.</summary>
    IEnumerable<EntityTable> Tables => [];
}
