using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Vedette.Defender.Notifications;

/// <summary>A line of the queue: a change of a resource, or news about the subscription itself.</summary>
/// <param name="Id">Number of the line.</param>
/// <param name="Subscription">Whom it is for.</param>
/// <param name="Change">Kind of change, or of news.</param>
/// <param name="ResourceId">The alert or incident; empty for news about the subscription.</param>
internal sealed record QueuedNotification(long Id, ChangeSubscription Subscription, string Change, string ResourceId)
{
    /// <summary>Whether it is about the subscription itself.</summary>
    public bool IsLifecycle => ResourceId.Length == 0;

    /// <summary>Where it goes.</summary>
    public string Url => IsLifecycle ? Subscription.LifecycleUrl! : Subscription.NotificationUrl;
}

/// <summary>Notifications as Graph writes them.</summary>
internal static class NotificationText
{
    /// <summary>The body of a delivery.</summary>
    public static ReadOnlyMemory<byte> Write(IEnumerable<QueuedNotification> notifications)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("value"u8);
            foreach (var notification in notifications) Write(json, notification);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter json, QueuedNotification notification)
    {
        var subscription = notification.Subscription;
        json.WriteStartObject();
        json.WriteString("subscriptionId"u8, subscription.Id);
        json.WriteString("subscriptionExpirationDateTime"u8, subscription.Expiration.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFFK", CultureInfo.InvariantCulture));
        json.WriteString("tenantId"u8, subscription.TenantId);
        if (subscription.ClientState is { } state) json.WriteString("clientState"u8, state);
        else json.WriteNull("clientState"u8);
        if (notification.IsLifecycle)
        {
            json.WriteString("lifecycleEvent"u8, notification.Change);
            json.WriteString("resource"u8, subscription.Resource);
        }
        else
        {
            var resource = $"{subscription.Kind.Path}/{notification.ResourceId}";
            json.WriteString("changeType"u8, notification.Change);
            json.WriteString("resource"u8, resource);
            json.WriteStartObject("resourceData"u8);
            json.WriteString("@odata.type"u8, subscription.Kind.Type);
            json.WriteString("@odata.id"u8, resource);
            json.WriteString("id"u8, notification.ResourceId);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
