using System.Security.Cryptography;
using Dapper;
using Npgsql;
using Vedette.Foundation;

namespace Vedette.Defender.Notifications;

/// <summary>The subscriptions to changes. An application reaches its own only, and in user context those that the user made.</summary>
public sealed class SubscriptionStore(NpgsqlDataSource database, Lazy<ISecretBox> secrets, TimeProvider clock)
{
    /// <summary>Subscriptions of an application in a tenant, at most. Source: the service's published limit for security alerts.</summary>
    public const int MostPerApplication = 1_000;

    private const string Columns =
        """
        id, tenant_id AS TenantId, application_id AS ApplicationId, creator_id AS CreatorId, is_user AS IsUser, device_groups AS DeviceGroups, kind, resource, resource_id AS ResourceId, filter,
        change_types AS ChangeTypes, notification_url AS NotificationUrl, lifecycle_url AS LifecycleUrl, client_state AS ClientState, tls_version AS TlsVersion, expiration
        """;

    private const string Own =
        "tenant_id = @TenantId AND application_id = @ApplicationId AND (@UserId::uuid IS NULL AND NOT is_user OR creator_id = @UserId) AND expiration > @now";

    /// <summary>Stores a subscription; false when the application has as many as it may.</summary>
    public async Task<bool> AddAsync(ChangeSubscription subscription, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var added = await connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO changes.subscriptions (id, tenant_id, application_id, creator_id, is_user, device_groups, kind, resource, resource_id, filter, change_types, notification_url,
                lifecycle_url, client_state, tls_version, expiration, created_at)
            SELECT @Id, @TenantId, @ApplicationId, @CreatorId, @IsUser, @groups, @kind, @Resource, @ResourceId, @Filter, @types, @NotificationUrl, @LifecycleUrl, @box, @TlsVersion, @Expiration, @now
            WHERE (SELECT count(*) FROM changes.subscriptions WHERE tenant_id = @TenantId AND application_id = @ApplicationId AND expiration > @now) < @most
            """,
            new
            {
                subscription.Id, subscription.TenantId, subscription.ApplicationId, subscription.CreatorId, subscription.IsUser, groups = subscription.DeviceGroups?.ToArray(),
                kind = subscription.Kind.Kind, subscription.Resource, subscription.ResourceId, subscription.Filter, types = subscription.ChangeTypes.ToArray(), subscription.NotificationUrl,
                subscription.LifecycleUrl, box = subscription.ClientState is { } state ? secrets.Value.Close(state, Purpose(subscription.Id)) : null, subscription.TlsVersion, subscription.Expiration,
                now = Now, most = MostPerApplication,
            },
            cancellationToken: cancellationToken));
        return added > 0;
    }

    /// <summary>The owner's subscriptions, oldest first.</summary>
    public Task<IReadOnlyList<ChangeSubscription>> ListAsync(SubscriptionOwner owner, CancellationToken cancellationToken) =>
        ReadAsync($"SELECT {Columns} FROM changes.subscriptions WHERE {Own} ORDER BY created_at, id", Values(owner, null), cancellationToken);

    /// <summary>One of the owner's subscriptions; null when there is none of that id.</summary>
    public async Task<ChangeSubscription?> FindAsync(SubscriptionOwner owner, Guid id, CancellationToken cancellationToken) =>
        (await ReadAsync($"SELECT {Columns} FROM changes.subscriptions WHERE {Own} AND id = @id", Values(owner, id), cancellationToken)).FirstOrDefault();

    /// <summary>Changes until when a subscription lasts and where its notifications go; false when there is none of that id.</summary>
    public async Task<bool> UpdateAsync(SubscriptionOwner owner, Guid id, DateTime expiration, string url, CancellationToken cancellationToken)
    {
        var values = Values(owner, id);
        values.Add("expiration", expiration);
        values.Add("url", url);
        return await ExecuteAsync(
            $"""
            UPDATE changes.subscriptions SET expiration = @expiration, reauthorization_asked = false,
                not_before = CASE WHEN notification_url = @url THEN not_before ELSE '-infinity' END, notification_url = @url WHERE {Own} AND id = @id
            """,
            values,
            cancellationToken) > 0;
    }

    /// <summary>Notes that the application may still read what it subscribed to; false when there is none of that id.</summary>
    public async Task<bool> ReauthorizeAsync(SubscriptionOwner owner, Guid id, CancellationToken cancellationToken) =>
        await ExecuteAsync($"UPDATE changes.subscriptions SET reauthorization_asked = false WHERE {Own} AND id = @id", Values(owner, id), cancellationToken) > 0;

    /// <summary>Ends a subscription, with what was still to be told; false when there is none of that id.</summary>
    public async Task<bool> RemoveAsync(SubscriptionOwner owner, Guid id, CancellationToken cancellationToken)
    {
        var removed = await ExecuteAsync($"DELETE FROM changes.subscriptions WHERE {Own} AND id = @id", Values(owner, id), cancellationToken) > 0;
        if (removed) await ExecuteAsync("DELETE FROM changes.notifications WHERE subscription_id = @id", Values(owner, id), cancellationToken);
        return removed;
    }

    internal async Task<IReadOnlyList<ChangeSubscription>> ReadAsync(string statement, object values, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<Row>(new CommandDefinition(statement, values, cancellationToken: cancellationToken));
        return [.. rows.Select(Subscription)];
    }

    internal Task<IReadOnlyList<ChangeSubscription>> WaitingAsync(CancellationToken cancellationToken) => ReadAsync(
        $"SELECT {Columns} FROM changes.subscriptions AS s WHERE not_before <= clock_timestamp() AND EXISTS (SELECT FROM changes.notifications WHERE subscription_id = s.id)",
        new { },
        cancellationToken);

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    private static string Purpose(Guid id) => $"client state of subscription {id}";

    private DynamicParameters Values(SubscriptionOwner owner, Guid? id)
    {
        var values = new DynamicParameters();
        values.Add("TenantId", owner.TenantId);
        values.Add("ApplicationId", owner.ApplicationId);
        values.Add("UserId", owner.UserId);
        values.Add("id", id);
        values.Add("now", Now);
        return values;
    }

    private ChangeSubscription Subscription(Row row) => new()
    {
        Id = row.Id,
        TenantId = row.TenantId,
        ApplicationId = row.ApplicationId,
        CreatorId = row.CreatorId,
        IsUser = row.IsUser,
        DeviceGroups = row.DeviceGroups,
        Kind = SubscribedResource.Of(row.Kind),
        Resource = row.Resource,
        ResourceId = row.ResourceId,
        Filter = row.Filter,
        ChangeTypes = row.ChangeTypes,
        NotificationUrl = row.NotificationUrl,
        LifecycleUrl = row.LifecycleUrl,
        ClientState = row.ClientState is { } box ? Open(box, row.Id) : null,
        TlsVersion = row.TlsVersion,
        Expiration = row.Expiration,
    };

    // A state that was closed under another key is lost; its subscription must not keep the others from being read.
    private string? Open(byte[] box, Guid id)
    {
        try
        {
            return secrets.Value.Open(box, Purpose(id));
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private async Task<int> ExecuteAsync(string statement, object values, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteAsync(new CommandDefinition(statement, values, cancellationToken: cancellationToken));
    }

    private sealed class Row
    {
        public Guid Id { get; set; }

        public Guid TenantId { get; set; }

        public Guid ApplicationId { get; set; }

        public Guid CreatorId { get; set; }

        public bool IsUser { get; set; }

        public int[]? DeviceGroups { get; set; }

        public string Kind { get; set; } = "";

        public string Resource { get; set; } = "";

        public string? ResourceId { get; set; }

        public string? Filter { get; set; }

        public string[] ChangeTypes { get; set; } = [];

        public string NotificationUrl { get; set; } = "";

        public string? LifecycleUrl { get; set; }

        public byte[]? ClientState { get; set; }

        public string TlsVersion { get; set; } = "";

        public DateTime Expiration { get; set; }
    }
}
