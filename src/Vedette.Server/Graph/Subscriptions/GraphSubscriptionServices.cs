using Microsoft.Extensions.DependencyInjection.Extensions;
using Vedette.Defender.Notifications;
using Vedette.Foundation;
using Vedette.Server.Hosting;

namespace Vedette.Server.Graph.Subscriptions;

/// <summary>Composes change notifications and delta queries of Graph.</summary>
internal static class GraphSubscriptionServices
{
    /// <summary>Adds the handlers.</summary>
    public static IServiceCollection AddGraphSubscriptions(this IServiceCollection services)
    {
        services.TryAddSingleton<ISecretBox, SecretBox>();
        services.AddVedetteSubscriptions();
        services.AddSingleton<INotificationFilter, SubscriptionFilter>();
        services.AddSingleton<IGraphSecurityHandlers, SubscriptionHandlers>();
        services.AddSingleton<IGraphSecurityHandlers, DeltaHandlers>();
        return services;
    }
}
