using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using Vedette.Foundation;

namespace Vedette.Defender.Notifications;

/// <summary>Composes change notifications.</summary>
public static class NotificationServices
{
    /// <summary>
    /// Adds subscriptions and what sends to receivers. Needs what <see cref="DefenderServices.AddVedetteDefender"/> needs, and an
    /// <see cref="ISecretBox"/>.
    /// </summary>
    public static IServiceCollection AddVedetteSubscriptions(this IServiceCollection services)
    {
        services.TryAddSingleton(new NotificationOptions());

        // The box is opened when a subscription has a secret: hosts that answer no subscriptions need none.
        services.TryAddSingleton(provider => new SubscriptionStore(
            provider.GetRequiredService<NpgsqlDataSource>(), new Lazy<ISecretBox>(provider.GetRequiredService<ISecretBox>), provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<ISubscriberCheck, UncheckedSubscribers>();
        services.TryAddSingleton<NotificationSender>();
        services.TryAddSingleton<NotificationDispatcher>();
        return services;
    }

    /// <summary>Adds the worker that sends. Needs an <see cref="INotificationFilter"/>.</summary>
    public static IServiceCollection AddVedetteNotifications(this IServiceCollection services)
    {
        services.AddVedetteSubscriptions();
        services.AddHostedService(provider => provider.GetRequiredService<NotificationDispatcher>());
        return services;
    }
}
