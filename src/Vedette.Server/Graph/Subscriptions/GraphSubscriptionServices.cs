namespace Vedette.Server.Graph.Subscriptions;

/// <summary>Composes change notifications and delta queries of Graph.</summary>
internal static class GraphSubscriptionServices
{
    /// <summary>Adds the handlers.</summary>
    public static IServiceCollection AddGraphSubscriptions(this IServiceCollection services) => services;
}
