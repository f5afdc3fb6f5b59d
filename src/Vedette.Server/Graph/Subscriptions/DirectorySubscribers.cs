using Vedette.Defender.Access;
using Vedette.Defender.Notifications;
using Vedette.Identity.Directory;
using Vedette.Identity.Resources;
using Vedette.Server.Access;

namespace Vedette.Server.Graph.Subscriptions;

/// <summary>
/// What the directory says of subscribers: an application needs the permission that the list of the resource needs, and in user context the
/// consent and the user's own right to it.
/// </summary>
internal sealed class DirectorySubscribers(DirectoryService directory, DirectoryPeople people, AccessService access) : ISubscriberCheck
{
    private static readonly SubscriberStanding None = new(false, null);

    /// <inheritdoc/>
    public async ValueTask<SubscriberStanding> OfAsync(ChangeSubscription subscription, CancellationToken cancellationToken)
    {
        var (snapshot, row) = (directory.Directory, SubscriptionDraft.List(subscription.Kind));
        if (snapshot.Principal(subscription.TenantId, subscription.ApplicationId) is not { } client) return None;
        if (snapshot.Principal(subscription.TenantId, ResourceCatalogue.GraphAppId) is not { } graph) return None;
        if (!subscription.IsUser) return IsMet(row.Application, snapshot.Roles(client.Id, graph.Id)) ? new SubscriberStanding(true, null) : None;

        var scopes = snapshot.Grants(client.Id).Where(grant => grant.ResourceId == graph.Id && (grant.PrincipalId is null || grant.PrincipalId == subscription.CreatorId))
            .SelectMany(grant => grant.Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var standing = await people.OfAsync(subscription.TenantId, subscription.CreatorId, cancellationToken);
        var user = DefenderUserAccess.Of(standing, await access.RulesAsync(subscription.TenantId, cancellationToken));
        return IsMet(row.Delegated, [.. scopes]) && (row.UserRole is not { } role || user.Roles.Contains(role)) ? new SubscriberStanding(true, user.DeviceGroups) : None;
    }

    private static bool IsMet(IReadOnlyList<IReadOnlyList<string>> groups, IReadOnlyList<string> held) =>
        groups.All(group => group.Any(permission => held.Contains(permission, StringComparer.OrdinalIgnoreCase)));
}
