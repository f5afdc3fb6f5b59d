using System.Globalization;
using System.Net;
using System.Text.Json;
using Vedette.Defender.Notifications;
using Vedette.Foundation;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Subscriptions;

/// <summary>Subscriptions to changes of alerts and incidents.</summary>
internal sealed class SubscriptionHandlers(SubscriptionStore subscriptions, NotificationSender sender, IIdentifierSource identifiers, TimeProvider clock) : IGraphSecurityHandlers
{
    /// <inheritdoc/>
    public IEnumerable<EntityTable> Tables => [SubscriptionTable.Subscriptions];

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /subscriptions", ListAsync),
        new("POST /subscriptions", CreateAsync),
        new("GET /subscriptions/{id}", async call => One(call, await FindAsync(call))),
        new("PATCH /subscriptions/{id}", UpdateAsync),
        new("DELETE /subscriptions/{id}", DeleteAsync),
        new("POST /subscriptions/{id}/reauthorize", ReauthorizeAsync),
    ];

    private async ValueTask<ApiResult> ListAsync(ApiCall call)
    {
        var own = await subscriptions.ListAsync(Owner(call), call.Aborted);
        return new JsonResult((json, _) =>
        {
            json.WriteStartObject();
            json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#{call.Endpoint.Context}");
            json.WriteStartArray("value"u8);
            foreach (var subscription in own)
            {
                json.WriteStartObject();
                Write(json, subscription);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
            return ValueTask.CompletedTask;
        });
    }

    private async ValueTask<ApiResult> CreateAsync(ApiCall call)
    {
        var subscription = SubscriptionDraft.Read(call, identifiers.NewGuid(), clock.GetUtcNow().UtcDateTime);
        await ValidateAsync(call, subscription.NotificationUrl);
        if (subscription.LifecycleUrl is { } lifecycle) await ValidateAsync(call, lifecycle);
        if (!await subscriptions.AddAsync(subscription, call.Aborted)) return call.Error("SubscriptionsExhausted", SubscriptionStore.MostPerApplication);
        call.Http.Response.Headers.Location = $"{call.ServiceRoot}/subscriptions/{subscription.Id}";
        return One(call, subscription);
    }

    private async ValueTask<ApiResult> UpdateAsync(ApiCall call)
    {
        var known = await FindAsync(call);
        SubscriptionDraft.MayRead(call, known.Kind);
        if (!call.Body.Has("expirationDateTime") && !call.Body.Has("notificationUrl")) throw call.Refuse("SubscriptionInvalid", "expirationDateTime is a required property for subscription renewal");
        var end = call.Body.Has("expirationDateTime") ? SubscriptionDraft.Expiration(call, clock.GetUtcNow().UtcDateTime) : known.Expiration;
        var url = SubscriptionDraft.Url(call, "notificationUrl", "NotificationUrl") ?? known.NotificationUrl;
        if (url != known.NotificationUrl) await ValidateAsync(call, url);
        if (!await subscriptions.UpdateAsync(Owner(call), known.Id, end, url, call.Aborted)) return call.Error("SubscriptionNotFound");
        return One(call, known with { Expiration = end, NotificationUrl = url });
    }

    private async ValueTask<ApiResult> DeleteAsync(ApiCall call) =>
        Guid.TryParse(call.Route["id"], out var id) && await subscriptions.RemoveAsync(Owner(call), id, call.Aborted) ? EmptyResult.Instance : call.Error("SubscriptionNotFound");

    private async ValueTask<ApiResult> ReauthorizeAsync(ApiCall call)
    {
        var known = await FindAsync(call);
        SubscriptionDraft.MayRead(call, known.Kind);
        return await subscriptions.ReauthorizeAsync(Owner(call), known.Id, call.Aborted) ? EmptyResult.Instance : call.Error("SubscriptionNotFound");
    }

    private async Task<ChangeSubscription> FindAsync(ApiCall call) =>
        (Guid.TryParse(call.Route["id"], out var id) ? await subscriptions.FindAsync(Owner(call), id, call.Aborted) : null) ?? throw call.Refuse("SubscriptionNotFound");

    // The receiver proves that it wants to be one.
    private async Task ValidateAsync(ApiCall call, string url)
    {
        var token = $"Validation: Testing client application reachability for subscription Request-Id: {call.Id}";
        var (result, status) = await sender.ValidateAsync(url, token, call.Aborted);
        if (result == ValidationResult.Passed) return;
        throw result switch
        {
            ValidationResult.TimedOut => call.Refuse("SubscriptionTimedOut"),
            ValidationResult.WrongAnswer => call.Refuse("SubscriptionWrongAnswer"),
            _ => call.Refuse("SubscriptionRefused", status is { } code ? $" HTTP status code is '{Enum.GetName(code) ?? ((int)code).ToString(CultureInfo.InvariantCulture)}'." : ""),
        };
    }

    private static SubscriptionOwner Owner(ApiCall call) => new(call.Caller.TenantId, call.Caller.ApplicationId, call.Caller.IsUser ? call.Caller.ObjectId : null);

    private static JsonResult One(ApiCall call, ChangeSubscription subscription) => new((json, _) =>
    {
        json.WriteStartObject();
        json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#subscriptions/$entity");
        Write(json, subscription);
        json.WriteEndObject();
        return ValueTask.CompletedTask;
    });

    private static void Write(Utf8JsonWriter json, ChangeSubscription subscription)
    {
        json.WriteString("id"u8, subscription.Id);
        json.WriteString("resource"u8, subscription.Resource);
        json.WriteString("applicationId"u8, subscription.ApplicationId);
        json.WriteString("changeType"u8, string.Join(',', subscription.ChangeTypes));
        json.WriteString("clientState"u8, subscription.ClientState);
        json.WriteString("notificationUrl"u8, subscription.NotificationUrl);
        json.WriteNull("notificationQueryOptions"u8);
        json.WriteString("lifecycleNotificationUrl"u8, subscription.LifecycleUrl);
        json.WriteString("expirationDateTime"u8, subscription.Expiration);
        json.WriteString("creatorId"u8, subscription.CreatorId.ToString());
        json.WriteNull("includeResourceData"u8);
        json.WriteString("latestSupportedTlsVersion"u8, subscription.TlsVersion);
        json.WriteNull("encryptionCertificate"u8);
        json.WriteNull("encryptionCertificateId"u8);
        json.WriteNull("notificationUrlAppId"u8);
    }
}
