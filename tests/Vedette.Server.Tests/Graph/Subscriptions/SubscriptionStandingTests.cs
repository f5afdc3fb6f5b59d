using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender;
using Vedette.Defender.Alerts;
using Vedette.Defender.Notifications;
using Vedette.Defender.State;
using Vedette.Identity.Directory;
using Vedette.Server.Tests.Access;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.Graph.Subscriptions;

/// <summary>Who may no longer read a resource hears no more of it, whatever was so when they subscribed.</summary>
public sealed class SubscriptionStandingTests
{
    [Fact]
    public async Task Subscriptions_end_with_the_right_to_read()
    {
        await using var host = await DirectoryHost.StartAsync();
        var tenant = host.Tenant.Id;
        var alert = Seed.Alert(1, a => a.TenantId = tenant);
        await host.SeedAsync(alert);
        var client = await host.AddClientAsync(["SecurityAlert.Read.All"], "graph", ["SecurityAlert.Read.All"]);
        var reader = await host.AddUserAsync("reader", null, DirectoryRole.SecurityReader);
        using var receiver = new NotificationReceiver();
        using var lifecycle = new NotificationReceiver();
        foreach (var token in new[] { await host.TokenAsync(client, GraphFixture.Resource), await host.UserTokenAsync(client, reader, GraphFixture.Resource) })
        {
            var made = await host.SendAsync(HttpMethod.Post, "/v1.0/subscriptions", token, new
            {
                changeType = "updated", notificationUrl = receiver.Address, lifecycleNotificationUrl = lifecycle.Address, resource = "security/alerts_v2",
                expirationDateTime = DateTime.UtcNow.AddHours(1),
            });
            made.Status.ShouldBe(201, made.Body);
        }

        await ChangeAsync();
        receiver.Told.Count.ShouldBe(2);

        await host.Directory.DeleteUserAsync(await host.Directory.FindUserAsync(reader.Id) ?? throw new InvalidOperationException("The user is gone."));
        await ChangeAsync();
        receiver.Told.Count.ShouldBe(3);
        lifecycle.Told.ShouldHaveSingleItem().GetProperty("lifecycleEvent").GetString().ShouldBe("subscriptionRemoved");

        await host.Directory.DeleteApplicationAsync(client.Id);
        await ChangeAsync();
        receiver.Told.Count.ShouldBe(3);
        lifecycle.Told.Count.ShouldBe(2);

        async Task ChangeAsync()
        {
            var caller = new Caller(tenant, "soc");
            (await host.Services.GetRequiredService<AlertService>().UpdateAsync(caller, alert.Id, new AlertUpdate { Comment = "c" }, default)).Error.ShouldBeNull();
            await host.Services.GetRequiredService<NotificationDispatcher>().DispatchAsync(default);
        }
    }
}
