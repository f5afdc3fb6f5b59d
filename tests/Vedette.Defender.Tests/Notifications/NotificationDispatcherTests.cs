using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vedette.Defender.Alerts;
using Vedette.Defender.Correlation;
using Vedette.Defender.Incidents;
using Vedette.Defender.Notifications;
using Vedette.Defender.State;
using Vedette.Defender.Tests.Alerts;
using Vedette.Defender.Tests.Correlation;
using Vedette.Defender.Tests.Streaming;
using Vedette.Foundation;
using Vedette.Foundation.Snapshots;

namespace Vedette.Defender.Tests.Notifications;

public sealed class NotificationDispatcherTests
{
    private static readonly Guid Application = Guid.Parse("aaaaaaaa-0000-4000-8000-000000000001");

    [Fact]
    public async Task Each_transaction_is_told_once_for_each_resource_in_batches()
    {
        await using var world = await CreateAsync();
        using var receiver = new WebhookReceiver();
        var alerts = await SubscribeAsync(world, receiver, SubscribedResource.Alerts, s => s with { ClientState = "secret" });
        await SubscribeAsync(world, receiver, SubscribedResource.Incidents, s => s with { ChangeTypes = ["updated"] });
        var first = await RaiseAsync(world, 1);
        var second = await RaiseAsync(world, 1);
        (await DispatchAsync(world)).ShouldBe(3);

        // Both subscriptions share the receiver, so one delivery holds it all; that an incident was opened is not an update of it.
        var told = Told(receiver);
        receiver.Taken.Count.ShouldBe(1);
        told.Select(n => $"{n["changeType"]} {n["resource"]}").ShouldBe(
            [$"created security/alerts_v2/{first.Id}", $"updated security/incidents/{first.IncidentId}", $"created security/alerts_v2/{second.Id}"]);
        var one = told[0];
        ((string)one["subscriptionId"]!).ShouldBe(alerts.Id.ToString());
        ((string)one["clientState"]!).ShouldBe("secret");
        ((string)one["tenantId"]!).ShouldBe(DefenderWorld.Tenant.ToString());
        ((string)one["subscriptionExpirationDateTime"]!).ShouldBe("2026-03-04T06:06:07Z");
        one["resourceData"]!.ToJsonString().ShouldBe(
            $$"""{"@odata.type":"#microsoft.graph.security.alert","@odata.id":"security/alerts_v2/{{first.Id}}","id":"{{first.Id}}"}""");

        receiver.Taken.Clear();
        (await world.Get<IncidentService>().UpdateAsync(DefenderWorld.Caller, first.IncidentId!.Value, new IncidentUpdate { Status = "Resolved" }, default)).Error.ShouldBeNull();
        (await DispatchAsync(world)).ShouldBe(3);
        Told(receiver).Select(n => $"{n["changeType"]} {n["resource"]}").Order(StringComparer.Ordinal).ShouldBe(
            [$"updated security/alerts_v2/{first.Id}", $"updated security/alerts_v2/{second.Id}", $"updated security/incidents/{first.IncidentId}"]);
        (await DispatchAsync(world)).ShouldBe(0);
    }

    [Fact]
    public async Task What_is_refused_comes_again_after_a_pause_and_a_restart_and_others_do_not_wait()
    {
        await using var world = await CreateAsync();
        using var broken = new WebhookReceiver(500, 503);
        using var well = new WebhookReceiver();
        await SubscribeAsync(world, broken, SubscribedResource.Alerts);
        await SubscribeAsync(world, well, SubscribedResource.Alerts);
        var alert = await RaiseAsync(world, 1);
        (await DispatchAsync(world)).ShouldBe(1);
        (broken.Taken.Count, well.Taken.Count).ShouldBe((0, 1));

        // The pause is not over; when it is, a dispatcher of a new process goes on.
        (await DispatchAsync(world)).ShouldBe(0);
        await EndPausesAsync(world);
        (await DispatchAsync(world)).ShouldBe(0);
        await EndPausesAsync(world);
        using var next = ActivatorUtilities.CreateInstance<NotificationDispatcher>(world.Get<IServiceProvider>());
        (await next.DispatchAsync(default)).ShouldBe(1);
        Told(broken).Single()["resource"]!.ToString().ShouldEndWith(alert.Id);
        (await CountAsync(world, "SELECT sum(failures)::int FROM changes.subscriptions")).ShouldBe(0);
    }

    [Fact]
    public async Task A_change_that_is_undone_is_not_told_and_a_removed_resource_is()
    {
        await using var world = await CreateAsync();
        using var receiver = new WebhookReceiver();
        await SubscribeAsync(world, receiver, SubscribedResource.Alerts, s => s with { ChangeTypes = ["deleted"] });
        var alert = await RaiseAsync(world, 1);
        var database = world.Get<NpgsqlDataSource>();
        await database.ExecuteAsync("BEGIN; DELETE FROM defender.alerts; ROLLBACK;");
        (await DispatchAsync(world)).ShouldBe(0);
        await database.ExecuteAsync("DELETE FROM defender.alerts");
        (await DispatchAsync(world)).ShouldBe(1);
        Told(receiver).Single()["changeType"]!.ToString().ShouldBe("deleted");
        (await CountAsync(world, $"SELECT count(*)::int FROM changes.removed WHERE resource_id = '{alert.Id}'")).ShouldBe(1);
    }

    [Fact]
    public async Task A_filter_and_a_single_resource_narrow_what_is_told()
    {
        await using var world = await CreateAsync();
        var first = await RaiseAsync(world, 1);
        var second = await RaiseAsync(world, 2);
        using var filtered = new WebhookReceiver();
        using var single = new WebhookReceiver();

        // A filter that cannot be asked keeps nobody else from being told.
        await SubscribeAsync(world, single, SubscribedResource.Alerts, s => s with { Filter = ById.Broken });
        await SubscribeAsync(world, filtered, SubscribedResource.Alerts, s => s with { Filter = second.Id });
        await SubscribeAsync(world, single, SubscribedResource.Alerts, s => s with { ResourceId = first.Id });
        foreach (var alert in new[] { first, second })
            (await world.Get<AlertService>().UpdateAsync(DefenderWorld.Caller, alert.Id, new AlertUpdate { Comment = "c" }, default)).Error.ShouldBeNull();
        (await DispatchAsync(world)).ShouldBe(2);
        Told(filtered).Single()["resource"]!.ToString().ShouldEndWith(second.Id);
        Told(single).Single()["resource"]!.ToString().ShouldEndWith(first.Id);
        (await CountAsync(world, "SELECT count(*)::int FROM changes.notifications")).ShouldBe(2);
        (await CountAsync(world, $"SELECT failures FROM changes.subscriptions WHERE filter = '{ById.Broken}'")).ShouldBe(1);
    }

    [Fact]
    public async Task Owners_are_asked_to_renew_and_told_of_what_was_missed_and_what_has_ended_is_silent()
    {
        await using var world = await CreateAsync();
        using var receiver = new WebhookReceiver();
        using var lifecycle = new WebhookReceiver();
        var subscription = await SubscribeAsync(world, receiver, SubscribedResource.Alerts, s => s with { LifecycleUrl = lifecycle.Address, ClientState = "secret" });
        await RaiseAsync(world, 1);
        await world.Get<NpgsqlDataSource>().ExecuteAsync("UPDATE changes.notifications SET changed_at = changed_at - interval '5 hours'");
        (await DispatchAsync(world)).ShouldBe(1);
        Told(lifecycle).Single()["lifecycleEvent"]!.ToString().ShouldBe("missed");

        world.Clock.Advance(TimeSpan.FromMinutes(50));
        (await DispatchAsync(world)).ShouldBe(1);
        (await DispatchAsync(world)).ShouldBe(0);
        var asked = Told(lifecycle)[1];
        (asked["lifecycleEvent"]!.ToString(), asked["resource"]!.ToString(), asked["clientState"]!.ToString()).ShouldBe(("reauthorizationRequired", "security/alerts_v2", "secret"));
        receiver.Taken.ShouldBeEmpty();

        var owner = new SubscriptionOwner(subscription.TenantId, subscription.ApplicationId, null);
        (await world.Get<SubscriptionStore>().UpdateAsync(owner, subscription.Id, world.Now.AddHours(1), receiver.Address, default)).ShouldBeTrue();
        world.Clock.Advance(TimeSpan.FromMinutes(30));
        await RaiseAsync(world, 2);
        (await DispatchAsync(world)).ShouldBe(1);
        world.Clock.Advance(TimeSpan.FromMinutes(31));
        await RaiseAsync(world, 3);
        (await DispatchAsync(world)).ShouldBe(0);
        (await world.Get<SubscriptionStore>().FindAsync(owner, subscription.Id, default)).ShouldBeNull();
        (await CountAsync(world, "SELECT count(*)::int FROM changes.notifications")).ShouldBe(0);
    }

    [Fact]
    public async Task Putting_a_state_back_is_nobodys_news_and_leaves_subscriptions_alone()
    {
        await using var world = await CreateAsync();
        using var receiver = new WebhookReceiver();
        var snapshots = new SchemaSnapshots(world.Get<NpgsqlDataSource>(), "defender");
        await RaiseAsync(world, 1);
        await snapshots.TakeAsync("before", world.Now, default);
        await SubscribeAsync(world, receiver, SubscribedResource.Alerts);
        var epoch = await CountAsync(world, "SELECT last_value::int FROM changes.epoch");
        await snapshots.RestoreAsync("before", default);
        (await DispatchAsync(world)).ShouldBe(0);
        (await CountAsync(world, "SELECT last_value::int FROM changes.epoch")).ShouldBeGreaterThan(epoch);
        await RaiseAsync(world, 2);
        (await DispatchAsync(world)).ShouldBe(1);
    }

    [Theory]
    [InlineData("https://receiver.example/path?x=1", null)]
    [InlineData("http://localhost:5000/hook", null)]
    [InlineData("http://127.0.0.1/hook", null)]
    [InlineData("http://receiver.example/hook", "http")]
    [InlineData("ftp://receiver.example/hook", "ftp")]
    [InlineData("https://user:password@receiver.example/", "")]
    [InlineData("https://receiver.example/#part", "")]
    [InlineData("/hook", "file")]
    [InlineData("", "")]
    public void Addresses_of_receivers_are_https_or_on_this_machine(string url, string? problem) => NotificationSender.Problem(url).ShouldBe(problem);

    [Theory]
    [InlineData("203.0.113.7", true, true)]
    [InlineData("127.0.0.1", true, true)]
    [InlineData("10.1.2.3", true, false)]
    [InlineData("::ffff:192.168.1.1", true, false)]
    [InlineData("fd00::1", true, false)]
    [InlineData("169.254.169.254", false, false)]
    [InlineData("::ffff:169.254.169.254", false, false)]
    [InlineData("fe80::1", false, false)]
    [InlineData("0.0.0.0", false, false)]
    [InlineData("::", false, false)]
    [InlineData("224.0.0.1", false, false)]
    public void Addresses_of_the_link_are_never_receivers_and_private_ones_only_when_the_setting_says_so(string address, bool open, bool closed)
    {
        using var lenient = new NotificationSender(new NotificationOptions());
        using var strict = new NotificationSender(new NotificationOptions { PrivateAddresses = false });
        (lenient.IsAllowed(IPAddress.Parse(address)), strict.IsAllowed(IPAddress.Parse(address))).ShouldBe((open, closed));
    }

    private static Task<DefenderWorld> CreateAsync() => DefenderWorld.CreateAsync(services => services
        .AddSingleton<IAlertCorrelator, AlertCorrelator>()
        .AddSingleton<ISecretBox, PlainBox>()
        .AddSingleton<INotificationFilter, ById>()
        .AddVedetteSubscriptions());

    private static async Task<ChangeSubscription> SubscribeAsync(
        DefenderWorld world, WebhookReceiver receiver, SubscribedResource kind, Func<ChangeSubscription, ChangeSubscription>? change = null)
    {
        var subscription = new ChangeSubscription
        {
            Id = Guid.NewGuid(),
            TenantId = DefenderWorld.Tenant,
            ApplicationId = Application,
            CreatorId = Application,
            Kind = kind,
            Resource = kind.Path,
            ChangeTypes = ["created", "updated"],
            NotificationUrl = receiver.Address,
            Expiration = world.Now.AddHours(1),
        };
        subscription = change?.Invoke(subscription) ?? subscription;
        (await world.Get<SubscriptionStore>().AddAsync(subscription, default)).ShouldBeTrue();
        return subscription;
    }

    private static async Task<Alert> RaiseAsync(DefenderWorld world, int device)
    {
        var raised = await world.Get<AlertIntake>().RaiseAsync(AlertIntakeTests.Example(world) with { MachineId = DefenderWorld.MachineId(device), Evidence = [] }, default);
        return raised.Alert;
    }

    private static Task<int> DispatchAsync(DefenderWorld world) => world.Get<NotificationDispatcher>().DispatchAsync(default);

    private static Task EndPausesAsync(DefenderWorld world) => world.Get<NpgsqlDataSource>().ExecuteAsync("UPDATE changes.subscriptions SET not_before = '-infinity'");

    private static JsonNode[] Told(WebhookReceiver receiver) => [.. receiver.Taken.SelectMany(delivery => JsonNode.Parse(delivery.Body)!["value"]!.AsArray().Select(n => n!))];

    private static async Task<int> CountAsync(DefenderWorld world, string statement)
    {
        await using var command = world.Get<NpgsqlDataSource>().CreateCommand(statement);
        return (int)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Lets through the resource that the filter names.</summary>
    private sealed class ById : INotificationFilter
    {
        public const string Broken = "broken";

        public Task<IReadOnlySet<string>> MatchAsync(ChangeSubscription subscription, IReadOnlyCollection<string> ids, CancellationToken cancellationToken) =>
            subscription.Filter == Broken ? throw new FormatException(Broken) : Task.FromResult<IReadOnlySet<string>>(ids.Where(id => id == subscription.Filter).ToHashSet());
    }
}
