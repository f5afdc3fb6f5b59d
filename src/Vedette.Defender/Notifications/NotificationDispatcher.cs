using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Vedette.Defender.Notifications;

/// <summary>
/// Tells receivers of the changes that wait in the queue, which the database itself fills in the transaction of the change. A line leaves the queue
/// when its receiver has taken it, so after a crash or a refusal it comes again: at least once, never less, until it is too old. A receiver that
/// refuses is left alone for a while that doubles each time; the others do not wait for it. One dispatcher works at a time, whatever the number of
/// servers on the database.
/// <list type="number">
/// <item>drop subscriptions that have ended, and ask for those that soon will</item>
/// <item>read what waits for receivers that may be asked</item>
/// <item>end the subscriptions of those who may no longer read what they are about, and leave out what the filters do</item>
/// <item>send, receiver by receiver, in the order of the changes</item>
/// </list>
/// </summary>
public sealed partial class NotificationDispatcher(
    NpgsqlDataSource database, SubscriptionStore subscriptions, NotificationSender sender, INotificationFilter filter, ISubscriberCheck check, NotificationOptions options,
    TimeProvider clock,    ILogger<NotificationDispatcher> log) : BackgroundService
{
    private const long LockKey = 0x5665_6e6f_7469;
    private const int LinesPerRound = 1_000;
    private const int ReceiversAtOnce = 8;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    /// <summary>How long before the end of a subscription its owner is asked to renew it.</summary>
    internal static readonly TimeSpan Notice = TimeSpan.FromMinutes(15);

    /// <summary>Sends what there is now; returns the number of notifications that were taken. Also for tests, which must not wait.</summary>
    public async Task<int> DispatchAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (!await connection.ExecuteScalarAsync<bool>(Command("SELECT EXISTS (SELECT FROM changes.subscriptions) OR EXISTS (SELECT FROM changes.notifications)", cancellationToken))) return 0;
        if (!await connection.ExecuteScalarAsync<bool>(Command($"SELECT pg_try_advisory_lock({LockKey})", cancellationToken))) return 0;
        try
        {
            var now = clock.GetUtcNow().UtcDateTime;
            await connection.ExecuteAsync(Command(Upkeep, cancellationToken, new { now, soon = now + Notice, options.Lifetime }));
            var sent = 0;
            while (true)
            {
                var (taken, goesOn) = await RoundAsync(connection, cancellationToken);
                sent += taken;
                if (!goesOn) return sent;
            }
        }
        finally
        {
            await connection.ExecuteAsync($"SELECT pg_advisory_unlock({LockKey})");
        }
    }

    // What is told once too late is told as having been missed, to those who want to know.
    private const string Upkeep =
        """
        DELETE FROM changes.subscriptions WHERE expiration <= @now;
        DELETE FROM changes.notifications AS n WHERE NOT wanted OR NOT EXISTS (SELECT FROM changes.subscriptions WHERE id = n.subscription_id);
        WITH asked AS (UPDATE changes.subscriptions SET reauthorization_asked = true WHERE lifecycle_url IS NOT NULL AND NOT reauthorization_asked AND expiration <= @soon RETURNING id)
        INSERT INTO changes.notifications (subscription_id, change, resource_id, wanted, matched) SELECT id, 'reauthorizationRequired', '', true, true FROM asked;
        WITH late AS (DELETE FROM changes.notifications WHERE changed_at < clock_timestamp() - @Lifetime RETURNING subscription_id, resource_id)
        INSERT INTO changes.notifications (subscription_id, change, resource_id, wanted, matched)
            SELECT DISTINCT s.id, 'missed', '', true, true FROM late JOIN changes.subscriptions AS s ON s.id = late.subscription_id WHERE s.lifecycle_url IS NOT NULL AND late.resource_id <> '';
        """;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Pacing goes by the machine's clock, whatever time the product is told.
        using var timer = new PeriodicTimer(Pause);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await DispatchAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                LogFailure(exception);
            }
        }
    }

    private async Task<(int Taken, bool GoesOn)> RoundAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var known = (await subscriptions.WaitingAsync(cancellationToken)).ToDictionary(subscription => subscription.Id);
        if (known.Count == 0) return (0, false);

        // Each subscription has its share of a round, so that one with very many changes does not keep the others waiting.
        var lines = (await connection.QueryAsync<(long Id, Guid Subscription, string Change, string Resource, bool? Matched)>(Command(
            """
            SELECT n.id, n.subscription_id, n.change, n.resource_id, n.matched FROM unnest(@ids) AS s(id)
            CROSS JOIN LATERAL (SELECT * FROM changes.notifications WHERE subscription_id = s.id AND wanted ORDER BY id LIMIT @share) AS n
            ORDER BY n.id LIMIT @most
            """,
            cancellationToken,
            new { ids = known.Keys.ToArray(), share = Math.Max(options.BatchSize, LinesPerRound / known.Count), most = LinesPerRound }))).AsList();
        var waiting = new List<QueuedNotification>(lines.Count);
        foreach (var part in lines.GroupBy(line => line.Subscription))
        {
            var standing = await check.OfAsync(known[part.Key], cancellationToken);
            var subscription = known[part.Key] with { DeviceGroups = standing.DeviceGroups };
            if (!standing.MayRead)
            {
                await EndAsync(connection, subscription, cancellationToken);
                continue;
            }

            var fresh = part.Where(line => line.Matched is null).ToList();
            HashSet<string>? let;
            try
            {
                let = fresh.Count == 0 ? null : await MatchAsync(subscription, fresh, cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // One filter that cannot be asked must not keep the others from being told.
                LogFilter(subscription.Id, exception);
                await PauseAsync([subscription.Id], null, cancellationToken);
                continue;
            }

            long[] dropped = [.. fresh.Where(line => !let!.Contains(line.Resource)).Select(line => line.Id)];
            await connection.ExecuteAsync(Command(
                "DELETE FROM changes.notifications WHERE id = ANY(@dropped); UPDATE changes.notifications SET matched = true WHERE id = ANY(@kept) AND matched IS NULL",
                cancellationToken,
                new { dropped, kept = fresh.Select(line => line.Id).ToArray() }));
            waiting.AddRange(part.Where(line => !dropped.Contains(line.Id)).Select(line => new QueuedNotification(line.Id, subscription, line.Change, line.Resource)));
        }

        using var places = new SemaphoreSlim(ReceiversAtOnce);
        var taken = await Task.WhenAll(waiting.GroupBy(line => line.Url).Select(async receiver =>
        {
            await places.WaitAsync(cancellationToken);
            try
            {
                return await SendAsync(receiver.Key, [.. receiver.OrderBy(line => line.Id)], cancellationToken);
            }
            finally
            {
                places.Release();
            }
        }));
        return (taken.Sum(), lines.Count == LinesPerRound && taken.Sum() > 0);
    }

    private async Task EndAsync(NpgsqlConnection connection, ChangeSubscription subscription, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(Command(
            "DELETE FROM changes.subscriptions WHERE id = @Id; DELETE FROM changes.notifications WHERE subscription_id = @Id", cancellationToken, new { subscription.Id }));
        LogEnded(subscription.Id);
        if (subscription.LifecycleUrl is { } url) await sender.PostAsync(url, NotificationText.Write([new QueuedNotification(0, subscription, "subscriptionRemoved", "")]), cancellationToken);
    }

    // What was deleted can no longer be looked at: who asked to hear of deletions hears of all, unless their view is a narrowed one.
    private async Task<HashSet<string>> MatchAsync(
        ChangeSubscription subscription, List<(long Id, Guid Subscription, string Change, string Resource, bool? Matched)> lines, CancellationToken cancellationToken)
    {
        if (subscription.Filter is null && subscription.DeviceGroups is null) return [.. lines.Select(line => line.Resource)];
        var gone = subscription.DeviceGroups is null ? lines.Where(line => line.Change == "deleted").Select(line => line.Resource) : [];
        return [.. await filter.MatchAsync(subscription, [.. lines.Select(line => line.Resource).Distinct()], cancellationToken), .. gone];
    }

    // Returns how many were taken.
    private async Task<int> SendAsync(string url, QueuedNotification[] lines, CancellationToken cancellationToken)
    {
        var taken = 0;
        foreach (var batch in lines.Chunk(options.BatchSize))
        {
            var result = await sender.PostAsync(url, NotificationText.Write(batch), cancellationToken);
            Guid[] told = [.. batch.Select(line => line.Subscription.Id).Distinct()];
            if (!result.Taken)
            {
                LogRefused(new Uri(url).GetLeftPart(UriPartial.Authority), result.Reason!, await PauseAsync(told, result.RetryAfter, cancellationToken));
                return taken;
            }

            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            await connection.ExecuteAsync(Command(
                "DELETE FROM changes.notifications WHERE id = ANY(@ids); UPDATE changes.subscriptions SET failures = 0, not_before = '-infinity' WHERE id = ANY(@told) AND failures > 0",
                cancellationToken,
                new { ids = batch.Select(line => line.Id).ToArray(), told }));
            taken += batch.Length;
        }

        return taken;
    }

    // Leaves subscriptions alone for a while that doubles each time, or that was asked for; returns its seconds.
    private async Task<double> PauseAsync(Guid[] ids, TimeSpan? asked, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<double>(Command(
            """
            WITH refused AS (
                UPDATE changes.subscriptions SET failures = least(failures + 1, 30),
                    not_before = clock_timestamp() + coalesce(@asked, least(@longest, interval '1 second' * power(2, least(failures + 1, 12)))) WHERE id = ANY(@ids) RETURNING not_before)
            SELECT coalesce(extract(epoch FROM max(not_before) - clock_timestamp()), 0)::float8 FROM refused
            """,
            cancellationToken,
            new { ids, asked = asked < LongestPause ? asked : null, longest = LongestPause }));
    }

    private static CommandDefinition Command(string text, CancellationToken cancellationToken, object? values = null) => new(text, values, cancellationToken: cancellationToken);

    [LoggerMessage(LogLevel.Error, "Change notifications could not be sent; they will be tried again.")]
    private partial void LogFailure(Exception exception);

    [LoggerMessage(LogLevel.Warning, "Subscription {Id} was ended: who made it may no longer read what it is about.")]
    private partial void LogEnded(Guid id);

    [LoggerMessage(LogLevel.Error, "The filter of subscription {Id} could not be asked; it will be tried again.")]
    private partial void LogFilter(Guid id, Exception exception);

    [LoggerMessage(LogLevel.Warning, "The receiver of change notifications at {Address} {Reason}. It is asked again in {Seconds:N0} s.")]
    private partial void LogRefused(string address, string reason, double seconds);
}
