namespace Vedette.Defender.Notifications;

/// <summary>A resource whose changes can be heard of.</summary>
/// <param name="Kind">What the database calls it.</param>
/// <param name="Path">Its collection, as subscriptions name it.</param>
/// <param name="Type">Its type in notifications.</param>
public sealed record SubscribedResource(string Kind, string Path, string Type)
{
    /// <summary>Alerts.</summary>
    public static SubscribedResource Alerts { get; } = new("alert", "security/alerts_v2", "#microsoft.graph.security.alert");

    /// <summary>Incidents.</summary>
    public static SubscribedResource Incidents { get; } = new("incident", "security/incidents", "#microsoft.graph.security.incident");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SubscribedResource> All { get; } = [Alerts, Incidents];

    /// <summary>Kinds of changes.</summary>
    public static IReadOnlyList<string> ChangeTypes { get; } = ["created", "updated", "deleted"];

    /// <summary>Longest time that a subscription lasts without renewal. Source: the service's published 43,200 minutes for security alerts.</summary>
    public static TimeSpan Longest { get; } = TimeSpan.FromMinutes(43_200);

    /// <summary>Shortest time; less is taken as this. Source: the service's reference of subscriptions.</summary>
    public static TimeSpan Shortest { get; } = TimeSpan.FromMinutes(45);

    /// <summary>The resource of a kind.</summary>
    public static SubscribedResource Of(string kind) => All.First(resource => resource.Kind == kind);
}

/// <summary>A wish to hear of changes.</summary>
public sealed record ChangeSubscription
{
    /// <summary>Identity.</summary>
    public required Guid Id { get; init; }

    /// <summary>Whose data.</summary>
    public required Guid TenantId { get; init; }

    /// <summary>The application that subscribed; nobody else sees the subscription.</summary>
    public required Guid ApplicationId { get; init; }

    /// <summary>The user, or the application's service principal.</summary>
    public required Guid CreatorId { get; init; }

    /// <summary>Whether a user subscribed by way of the application.</summary>
    public bool IsUser { get; init; }

    /// <summary>Device groups that the user sees; null for all.</summary>
    public IReadOnlyList<int>? DeviceGroups { get; init; }

    /// <summary>What is subscribed to.</summary>
    public required SubscribedResource Kind { get; init; }

    /// <summary>The resource as the application wrote it.</summary>
    public required string Resource { get; init; }

    /// <summary>One alert or incident; null for all.</summary>
    public string? ResourceId { get; init; }

    /// <summary>OData filter of those that count; null for all.</summary>
    public string? Filter { get; init; }

    /// <summary>Changes that count, of <see cref="SubscribedResource.ChangeTypes"/>.</summary>
    public required IReadOnlyList<string> ChangeTypes { get; init; }

    /// <summary>Where notifications go.</summary>
    public required string NotificationUrl { get; init; }

    /// <summary>Where notifications about the subscription itself go.</summary>
    public string? LifecycleUrl { get; init; }

    /// <summary>What every notification repeats, so that the receiver knows who sends.</summary>
    public string? ClientState { get; init; }

    /// <summary>Oldest version of TLS that the receiver speaks.</summary>
    public string TlsVersion { get; init; } = "v1_2";

    /// <summary>End, UTC.</summary>
    public required DateTime Expiration { get; init; }
}

/// <summary>Who asks for subscriptions: an application, for itself or for a user.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="ApplicationId">The application.</param>
/// <param name="UserId">The user; null in application context.</param>
public sealed record SubscriptionOwner(Guid TenantId, Guid ApplicationId, Guid? UserId);

/// <summary>Tells which of a tenant's alerts or incidents a subscription is about.</summary>
public interface INotificationFilter
{
    /// <summary>Those of the given resources that the subscription's filter and device groups let through.</summary>
    Task<IReadOnlySet<string>> MatchAsync(ChangeSubscription subscription, IReadOnlyCollection<string> ids, CancellationToken cancellationToken);
}

/// <summary>What a subscriber may do at the moment when something is to be told.</summary>
/// <param name="MayRead">Whether what the subscription is about may still be read.</param>
/// <param name="DeviceGroups">Device groups that are seen; null for all.</param>
public sealed record SubscriberStanding(bool MayRead, IReadOnlyList<int>? DeviceGroups);

/// <summary>Tells what subscribers may do now, whatever was so when they subscribed.</summary>
public interface ISubscriberCheck
{
    /// <summary>The standing of a subscription's application, or of its user.</summary>
    ValueTask<SubscriberStanding> OfAsync(ChangeSubscription subscription, CancellationToken cancellationToken);
}

/// <summary>Where there is no directory: subscribers may do what they could when they subscribed.</summary>
public sealed class UncheckedSubscribers : ISubscriberCheck
{
    /// <inheritdoc/>
    public ValueTask<SubscriberStanding> OfAsync(ChangeSubscription subscription, CancellationToken cancellationToken) => new(new SubscriberStanding(true, subscription.DeviceGroups));
}

/// <summary>Settings of change notifications.</summary>
public sealed record NotificationOptions
{
    /// <summary>Whether receivers may have addresses of private networks. Addresses of the link (where clouds keep metadata) never count as receivers.</summary>
    public bool PrivateAddresses { get; init; } = true;

    /// <summary>How long a receiver has for the validation request. Source: the service's published ten seconds.</summary>
    public TimeSpan ValidationTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a receiver has for a notification.</summary>
    public TimeSpan DeliveryTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a notification is tried. Source: the service's published four hours.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(4);

    /// <summary>Notifications in one delivery, at most.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>What is wrong with the values; empty when they can be used.</summary>
    public IEnumerable<string> Problems()
    {
        if (ValidationTimeout <= TimeSpan.Zero || ValidationTimeout > TimeSpan.FromMinutes(1)) yield return "Notifications:ValidationTimeout is a time above 0 and up to a minute.";
        if (DeliveryTimeout <= TimeSpan.Zero || DeliveryTimeout > TimeSpan.FromMinutes(1)) yield return "Notifications:DeliveryTimeout is a time above 0 and up to a minute.";
        if (Lifetime <= TimeSpan.Zero || Lifetime > TimeSpan.FromDays(7)) yield return "Notifications:Lifetime is a time above 0 and up to seven days.";
        if (BatchSize is < 1 or > 1000) yield return "Notifications:BatchSize is a number from 1 to 1000.";
    }
}
