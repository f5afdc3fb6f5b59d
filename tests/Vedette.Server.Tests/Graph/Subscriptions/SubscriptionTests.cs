using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.Notifications;
using Vedette.Defender.State;
using Vedette.Server.Graph.Subscriptions;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.Graph.Subscriptions;

public sealed class SubscriptionTests(ChangesFixture changes) : IClassFixture<ChangesFixture>
{
    private const string Reader = "SecurityAlert.Read.All";

    [Fact]
    public async Task A_subscription_is_validated_shown_renewed_and_deleted()
    {
        using var receiver = new NotificationReceiver();
        var end = DateTime.UtcNow.AddDays(2);
        var made = await CreateAsync(receiver, new() { ["clientState"] = "secret", ["expirationDateTime"] = end.ToString("O"), ["notificationUrl"] = receiver.Address + "?code=a%2Fb" });
        made.Status.ShouldBe(201, made.Body);
        var id = made.Json.GetProperty("id").GetString();
        made.Headers.Location!.ToString().ShouldEndWith($"/v1.0/subscriptions/{id}");
        made.Json.GetProperty("@odata.context").GetString().ShouldEndWith("/v1.0/$metadata#subscriptions/$entity");
        made.Json.EnumerateObject().Select(p => p.Name).Skip(1).ShouldBe(SubscriptionTable.Subscriptions.Properties.Select(p => p.Name));
        made.Json.GetProperty("changeType").GetString().ShouldBe("created,updated");
        made.Json.GetProperty("clientState").GetString().ShouldBe("secret");
        made.Json.GetProperty("latestSupportedTlsVersion").GetString().ShouldBe("v1_2");
        made.Json.GetProperty("applicationId").GetString().ShouldBe(EndpointHost.Application.ToString());
        receiver.Validated.Single().ShouldStartWith("POST text/plain; charset=utf-8 ?code=a%2Fb&validationToken=Validation%3A%20Testing%20client%20application%20reachability%20for%20subscription%20Request-Id%3A%20");

        (await changes.GetAsync($"/beta/subscriptions/{id}", Reader)).Json.GetProperty("id").GetString().ShouldBe(id);
        (await changes.GetAsync("/v1.0/subscriptions", Reader)).Ids.ShouldContain(id);

        var renewed = await changes.SendAsync(HttpMethod.Patch, $"/v1.0/subscriptions/{id}", new { expirationDateTime = DateTime.UtcNow.AddDays(20) }, Reader);
        renewed.Status.ShouldBe(200, renewed.Body);
        renewed.Json.GetProperty("expirationDateTime").GetDateTime().ShouldBeGreaterThan(end);
        (await changes.SendAsync(HttpMethod.Post, $"/v1.0/subscriptions/{id}/reauthorize", null, Reader)).Status.ShouldBe(204);
        (await changes.SendAsync(HttpMethod.Delete, $"/v1.0/subscriptions/{id}", null, Reader)).Status.ShouldBe(204);
        (await changes.SendAsync(HttpMethod.Delete, $"/v1.0/subscriptions/{id}", null, Reader)).ShouldFail(404, "ResourceNotFound", "The object was not found.");
        (await changes.GetAsync("/v1.0/subscriptions/no-id", Reader)).ShouldFail(404, "ResourceNotFound", "The object was not found.");
    }

    [Fact]
    public async Task Subscriptions_belong_to_the_application_and_in_user_context_to_the_user()
    {
        using var receiver = new NotificationReceiver();
        var (ada, ben) = (Guid.NewGuid(), Guid.NewGuid());
        var own = (await CreateAsync(receiver)).Json.GetProperty("id").GetString();
        var users = (await changes.SendAsync(HttpMethod.Post, "/v1.0/subscriptions", Body(receiver), Reader, user: ada)).Json;
        users.GetProperty("creatorId").GetString().ShouldBe(ada.ToString());
        foreach (var (other, user, seen) in new (bool, Guid?, string?)[] { (false, null, own), (false, ada, users.GetProperty("id").GetString()), (true, null, null), (false, ben, null) })
        {
            var list = (await changes.SendAsync(HttpMethod.Get, "/v1.0/subscriptions", null, Reader, other, user)).Ids;
            new[] { own, users.GetProperty("id").GetString() }.Where(list.Contains).ShouldBe(seen is null ? [] : [seen]);
            foreach (var id in new[] { own, users.GetProperty("id").GetString() }.Where(id => id != seen))
            {
                foreach (var (method, body) in new (HttpMethod, object?)[] { (HttpMethod.Get, null), (HttpMethod.Patch, new { expirationDateTime = DateTime.UtcNow.AddDays(1) }), (HttpMethod.Delete, null) })
                    (await changes.SendAsync(method, $"/v1.0/subscriptions/{id}", body, Reader, other, user)).Status.ShouldBe(404);
            }
        }
    }

    [Fact]
    public async Task Who_may_not_read_a_resource_cannot_hear_of_it()
    {
        using var receiver = new NotificationReceiver();
        (await changes.SendAsync(HttpMethod.Post, "/v1.0/subscriptions", Body(receiver, resource: "security/incidents"), Reader)).ShouldFail(
            403, "Forbidden", "Missing application roles. API required roles: SecurityIncident.Read.All,SecurityIncident.ReadWrite.All, application roles: SecurityAlert.Read.All.");
        (await changes.SendAsync(HttpMethod.Post, "/v1.0/subscriptions", Body(receiver), "User.Read", user: Guid.NewGuid())).Status.ShouldBe(403);
        receiver.Validated.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_wrong_subscription_is_refused_in_words()
    {
        using var receiver = new NotificationReceiver();
        var cases = new (string Key, object? Value, string Code, string Message)[]
        {
            ("changeType", null, "InvalidRequest", "changeType is a required property for subscription creation"),
            ("notificationUrl", null, "InvalidRequest", "notificationUrl is a required property for subscription creation"),
            ("resource", "", "InvalidRequest", "resource is a required property for subscription creation"),
            ("expirationDateTime", null, "InvalidRequest", "expirationDateTime is a required property for subscription creation"),
            ("expirationDateTime", "soon", "InvalidRequest", "expirationDateTime is not a date and time."),
            ("expirationDateTime", "2020-01-01T00:00:00Z", "InvalidRequest", "expirationDateTime must be in the future."),
            ("expirationDateTime", DateTime.UtcNow.AddDays(31), "ExtensionError", "Subscription expiration can only be 43200 minutes in the future."),
            ("changeType", "created,moved", "InvalidRequest", "changeType 'moved' is not supported."),
            ("resource", "me/messages", "InvalidRequest", "Resource 'me/messages' is not supported."),
            ("resource", "security/alerts_v2x", "InvalidRequest", "Resource 'security/alerts_v2x' is not supported."),
            ("resource", "security/alerts_v2/a/comments", "InvalidRequest", "Resource 'security/alerts_v2/a/comments' is not supported."),
            ("resource", "security/alerts_v2?$top=5", "InvalidRequest", "Query option '$top' is not supported for subscriptions."),
            ("resource", "security/alerts_v2?$filter=title eq 'x'", "InvalidRequest", "Invalid filter clause: The property 'title' cannot be used in the $filter query option."),
            ("notificationUrl", "http://receiver.example/", "InvalidRequest", "NotificationUrl scheme='http' is not supported."),
            ("notificationUrl", "receiver", "InvalidRequest", "NotificationUrl is not a valid URL."),
            ("lifecycleNotificationUrl", "ftp://receiver.example/", "InvalidRequest", "LifecycleNotificationUrl scheme='ftp' is not supported."),
            ("clientState", new string('x', 129), "InvalidRequest", "clientState must not be longer than 128 characters."),
            ("latestSupportedTlsVersion", "v2", "InvalidRequest", "latestSupportedTlsVersion 'v2' is not supported."),
            ("includeResourceData", true, "InvalidRequest", "includeResourceData is not supported for resource 'security/alerts_v2'."),
        };
        foreach (var (key, value, code, message) in cases) (await CreateAsync(receiver, new() { [key] = value })).ShouldFail(400, code, message);
        (await CreateAsync(receiver, new() { ["resource"] = "security/alerts_v2?$filter=severity eq" })).Message!.ShouldStartWith("Invalid filter clause: ");
        receiver.Validated.ShouldBeEmpty();
        (await changes.SendAsync(HttpMethod.Post, "/v1.0/subscriptions", Body(receiver), "")).Status.ShouldBe(403);
    }

    [Fact]
    public async Task A_receiver_that_does_not_give_the_token_back_is_none()
    {
        var released = new TaskCompletionSource();
        (Func<System.Net.HttpListenerContext, string, Task> Validate, string Message)[] cases =
        [
            ((c, _) => NotificationReceiver.AnswerAsync(c, 404, ""), "Subscription validation request failed. HTTP status code is 'NotFound'. Notification endpoint must respond with 200 OK to validation request."),
            ((c, t) => NotificationReceiver.AnswerAsync(c, 202, t), "Subscription validation request failed. HTTP status code is 'Accepted'. Notification endpoint must respond with 200 OK to validation request."),
            ((c, _) => NotificationReceiver.AnswerAsync(c, 302, ""), "Subscription validation request failed. HTTP status code is 'Found'. Notification endpoint must respond with 200 OK to validation request."),
            ((c, t) => NotificationReceiver.AnswerAsync(c, 200, t + "!"), "Subscription validation request failed. Response must exactly match validationToken query parameter."),
            ((c, t) => NotificationReceiver.AnswerAsync(c, 200, t, "text/html"), "Subscription validation request failed. Response must exactly match validationToken query parameter."),
            ((c, _) => NotificationReceiver.AnswerAsync(c, 200, new string('x', 100_000)), "Subscription validation request failed. Response must exactly match validationToken query parameter."),
            ((_, _) => released.Task, "Subscription validation request timed out."),
        ];
        foreach (var (validate, message) in cases)
        {
            using var receiver = new NotificationReceiver(validate);
            (await CreateAsync(receiver)).ShouldFail(400, "ValidationError", message);
            if (message.EndsWith("timed out.", StringComparison.Ordinal)) released.SetResult();
        }

        var gone = new NotificationReceiver();
        gone.Dispose();
        (await CreateAsync(gone)).ShouldFail(400, "ValidationError", "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.");
    }

    [Fact]
    public async Task Changes_are_told_with_filters_and_for_single_resources_until_the_subscription_is_deleted()
    {
        using var high = new NotificationReceiver();
        using var single = new NotificationReceiver();
        var one = await changes.AlertAsync(AlertSeverity.High);
        var two = await changes.AlertAsync(AlertSeverity.Low);
        var filtered = await CreateAsync(high, new() { ["resource"] = "/security/alerts_v2?$filter=severity eq 'high' and status ne 'resolved'", ["changeType"] = "updated" });
        filtered.Status.ShouldBe(201, filtered.Body);
        (await CreateAsync(single, new() { ["resource"] = $"security/incidents/{two.IncidentId}" }, ChangesFixture.Readers)).Status.ShouldBe(201);
        foreach (var alert in new[] { one, two })
            (await changes.SendAsync(HttpMethod.Patch, $"/v1.0/security/alerts_v2/{alert.Id}", new { status = "inProgress" }, "SecurityAlert.ReadWrite.All")).Status.ShouldBe(200);
        await DispatchAsync();
        high.Told.ShouldHaveSingleItem().GetProperty("resource").GetString().ShouldBe($"security/alerts_v2/{one.Id}");
        var told = single.Told.ShouldHaveSingleItem();
        told.GetProperty("changeType").GetString().ShouldBe("updated");
        told.GetProperty("resourceData").GetProperty("id").GetString().ShouldBe($"{two.IncidentId}");

        (await changes.SendAsync(HttpMethod.Patch, $"/v1.0/security/alerts_v2/{one.Id}", new { status = "resolved" }, "SecurityAlert.ReadWrite.All")).Status.ShouldBe(200);
        await DispatchAsync();
        high.Told.Count.ShouldBe(1);
        (await changes.SendAsync(HttpMethod.Patch, $"/v1.0/security/alerts_v2/{one.Id}", new { status = "new" }, "SecurityAlert.ReadWrite.All")).Status.ShouldBe(200);
        (await changes.SendAsync(HttpMethod.Delete, $"/v1.0/subscriptions/{filtered.Json.GetProperty("id").GetString()}", null, Reader)).Status.ShouldBe(204);
        await DispatchAsync();
        high.Told.Count.ShouldBe(1);
    }

    private async Task DispatchAsync() => await changes.Host.Services.GetRequiredService<NotificationDispatcher>().DispatchAsync(default);

    private Task<Answer> CreateAsync(NotificationReceiver receiver, Dictionary<string, object?>? change = null, string roles = Reader) =>
        changes.SendAsync(HttpMethod.Post, "/v1.0/subscriptions", Body(receiver, change), roles);

    private static Dictionary<string, object?> Body(NotificationReceiver receiver, Dictionary<string, object?>? change = null, string resource = "security/alerts_v2")
    {
        var body = new Dictionary<string, object?>
        {
            ["changeType"] = "updated,created",
            ["notificationUrl"] = receiver.Address,
            ["resource"] = resource,
            ["expirationDateTime"] = DateTime.UtcNow.AddHours(2),
        };
        foreach (var (key, value) in change ?? []) body[key] = value;
        return body;
    }
}
