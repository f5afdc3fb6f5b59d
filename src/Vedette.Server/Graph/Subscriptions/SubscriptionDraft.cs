using System.Collections.Frozen;
using Vedette.Defender.Notifications;
using Vedette.Server.Graph.Security;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;
using Vedette.Server.Http.OData;

namespace Vedette.Server.Graph.Subscriptions;

/// <summary>Reads what a request says of a subscription. Everything that is wrong with it is thrown as the answer.</summary>
internal static class SubscriptionDraft
{
    private const int LongestState = 128;
    private const int LongestResource = 2_048;
    private static readonly FrozenSet<string> TlsVersions = new[] { "v1_0", "v1_1", "v1_2", "v1_3" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>A new subscription, for the caller.</summary>
    /// <exception cref="ApiException">Something is missing or wrong, or the caller may not read what it wants to hear of.</exception>
    public static ChangeSubscription Read(ApiCall call, Guid id, DateTime now)
    {
        var body = call.Body;
        foreach (var name in new[] { "changeType", "notificationUrl", "resource", "expirationDateTime" })
            if (string.IsNullOrWhiteSpace(body.Text(name))) throw call.Refuse("SubscriptionRequired", name);
        var text = body.Text("resource")!;
        var (kind, item, filter) = Resource(call, text);
        MayRead(call, kind);
        if (body.Flag("includeResourceData") ?? false) throw call.Refuse("SubscriptionInvalid", $"includeResourceData is not supported for resource '{kind.Path}'.");
        if (body.Text("clientState") is { Length: > LongestState }) throw call.Refuse("SubscriptionInvalid", $"clientState must not be longer than {LongestState} characters.");
        var tls = body.Text("latestSupportedTlsVersion") ?? "v1_2";
        if (!TlsVersions.Contains(tls)) throw call.Refuse("SubscriptionInvalid", $"latestSupportedTlsVersion '{tls}' is not supported.");
        return new ChangeSubscription
        {
            Id = id,
            TenantId = call.Caller.TenantId,
            ApplicationId = call.Caller.ApplicationId,
            CreatorId = call.Caller.ObjectId,
            IsUser = call.Caller.IsUser,
            DeviceGroups = call.Caller.DeviceGroups,
            Kind = kind,
            Resource = text,
            ResourceId = item,
            Filter = filter,
            ChangeTypes = ChangeTypes(call, body.Text("changeType")!),
            NotificationUrl = Url(call, "notificationUrl", "NotificationUrl")!,
            LifecycleUrl = Url(call, "lifecycleNotificationUrl", "LifecycleNotificationUrl"),
            ClientState = body.Text("clientState"),
            TlsVersion = tls.ToLowerInvariant(),
            Expiration = Expiration(call, now),
        };
    }

    /// <summary>The end that a request asks for; what is too soon is put off.</summary>
    public static DateTime Expiration(ApiCall call, DateTime now)
    {
        if (call.Body.Time("expirationDateTime") is not { } end) throw call.Refuse("SubscriptionInvalid", "expirationDateTime is not a date and time.");
        if (end <= now) throw call.Refuse("SubscriptionInvalid", "expirationDateTime must be in the future.");

        // A minute of grace: who asks for the longest time has spent some of it on the way.
        if (end > now + SubscribedResource.Longest + TimeSpan.FromMinutes(1)) throw call.Refuse("SubscriptionTooLong", (long)SubscribedResource.Longest.TotalMinutes);
        return end < now + SubscribedResource.Shortest ? now + SubscribedResource.Shortest : end;
    }

    /// <summary>An address that notifications may go to; null when the request names none.</summary>
    public static string? Url(ApiCall call, string property, string spoken)
    {
        if (call.Body.Text(property) is not { Length: > 0 } url) return null;
        return NotificationSender.Problem(url) switch
        {
            null => url,
            "" => throw call.Refuse("SubscriptionInvalid", $"{spoken} is not a valid URL."),
            var scheme => throw call.Refuse("SubscriptionScheme", spoken, scheme),
        };
    }

    /// <summary>Makes sure that the caller may read what a subscription is about.</summary>
    public static void MayRead(ApiCall call, SubscribedResource kind)
    {
        var row = List(kind);
        var caller = call.Caller;
        foreach (var group in caller.IsUser ? row.Delegated : row.Application)
        {
            if (group.Any(caller.Permissions.Contains)) continue;
            throw call.Refuse(caller.IsUser ? "MissingScopes" : "MissingRoles", string.Join(',', group), string.Join(',', caller.Permissions.Order(StringComparer.Ordinal)));
        }

        if (row.UserRole is { } role && caller.UserRoles is { } roles && !roles.Contains(role)) throw call.Refuse("MissingUserRole", role);
    }

    /// <summary>The call that lists a resource: who may read it and what can be filtered stand there.</summary>
    public static ApiEndpoint List(SubscribedResource kind) => GraphSecuritySurface.Endpoints.First(row => row.Key == "GET /" + kind.Path);

    /// <summary>The table of a resource.</summary>
    public static EntityTable Table(ApiSurface surface, SubscribedResource kind) => surface.Entities[List(kind).Entity];

    private static (SubscribedResource Kind, string? Id, string? Filter) Resource(ApiCall call, string text)
    {
        var unsupported = $"Resource '{text}' is not supported.";
        if (text.Length > LongestResource) throw call.Refuse("SubscriptionInvalid", $"resource must not be longer than {LongestResource} characters.");
        var question = text.IndexOf('?', StringComparison.Ordinal);
        var path = (question < 0 ? text : text[..question]).Trim('/');
        var kind = SubscribedResource.All.FirstOrDefault(known => path.StartsWith(known.Path, StringComparison.OrdinalIgnoreCase) && (path.Length == known.Path.Length || path[known.Path.Length] is '/' or '('))
            ?? throw call.Refuse("SubscriptionInvalid", unsupported);
        var rest = path[kind.Path.Length..];
        string? id = rest switch
        {
            "" => null,
            ['/', .. var key] when key.Length > 0 && !key.Contains('/', StringComparison.Ordinal) => key,
            ['(', '\'', .. var key, '\'', ')'] when key.Length > 0 => key,
            _ => throw call.Refuse("SubscriptionInvalid", unsupported),
        };
        if (question < 0) return (kind, id, null);
        string? filter = null;
        foreach (var (name, values) in Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(text[question..]))
        {
            if (!name.Equals("$filter", StringComparison.OrdinalIgnoreCase) || id is not null) throw call.Refuse("SubscriptionInvalid", $"Query option '{name}' is not supported for subscriptions.");
            filter = values.ToString();
        }

        if (filter is { Length: > 0 }) Check(call, kind, filter);
        return (kind, id, filter is { Length: > 0 } ? filter : null);
    }

    private static void Check(ApiCall call, SubscribedResource kind, string filter)
    {
        try
        {
            SubscriptionFilter.Translate(Table(call.Surface, kind), kind, filter, new SqlText());
        }
        catch (FormatException problem)
        {
            throw call.Refuse("SubscriptionInvalid", problem.Message);
        }
    }

    private static string[] ChangeTypes(ApiCall call, string text)
    {
        var types = text.Split(',', StringSplitOptions.TrimEntries).Select(type => type.ToLowerInvariant()).Distinct().ToArray();
        return Array.Find(types, type => !SubscribedResource.ChangeTypes.Contains(type)) is { } unknown
            ? throw call.Refuse("SubscriptionInvalid", $"changeType '{unknown}' is not supported.")
            : [.. SubscribedResource.ChangeTypes.Where(types.Contains)];
    }
}
