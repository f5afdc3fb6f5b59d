using System.Text.Json;
using System.Threading.Channels;
using Npgsql;
using NpgsqlTypes;

namespace Vedette.Identity.Directory;

/// <summary>Something that happened in the authority and that an administrator may ask about. Holds no secret and no token.</summary>
/// <param name="OccurredAt">When.</param>
/// <param name="Activity">What, for instance <c>Add application</c> or <c>Issue token</c>.</param>
/// <param name="TenantId">Where; null when the tenant is not known.</param>
/// <param name="Actor">Who: a client id, a user name, or <c>administrator</c>.</param>
/// <param name="Target">Upon what: an object id or a resource.</param>
/// <param name="Succeeded">False for a refusal.</param>
/// <param name="Detail">Further facts: names of permissions, an error number, a trace id.</param>
public sealed record AuditEvent(
    DateTimeOffset OccurredAt, string Activity, Guid? TenantId, string Actor, string Target, bool Succeeded, IReadOnlyDictionary<string, string> Detail)
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal string DetailJson() => Detail.Count == 0 ? "{}" : JsonSerializer.Serialize(Detail, Readable);
}

/// <summary>Takes audit events from the token endpoint. Must return at once.</summary>
public interface IAuditSink
{
    /// <summary>Records one event.</summary>
    void Record(AuditEvent audit);
}

/// <summary>
/// Writes audit events to the database in the background, many at a time. When the database cannot keep up, the oldest waiting events are
/// dropped and counted rather than sign-ins being held up.
/// </summary>
public sealed class AuditLog(NpgsqlDataSource database, TimeProvider clock) : IAuditSink, IAsyncDisposable
{
    /// <summary>How long events are kept.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(30);

    private const int Capacity = 100_000;
    private readonly Channel<AuditEvent> _waiting = Channel.CreateBounded<AuditEvent>(
        new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropOldest });

    private readonly SemaphoreSlim _writing = new(1, 1);

    /// <inheritdoc/>
    public void Record(AuditEvent audit) => _waiting.Writer.TryWrite(audit);

    /// <summary>Writes what is waiting, so that a reader sees everything that came before.</summary>
    public async Task SettleAsync(CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            var batch = new List<AuditEvent>();
            while (_waiting.Reader.TryRead(out var audit)) batch.Add(audit);
            await WriteAsync(batch);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Writes what is waiting: a command that opened the data itself has no background work that would.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await SettleAsync();
        }
        catch (Exception exception) when (exception is NpgsqlException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The database went first; there is nobody left to tell.
        }

        _writing.Dispose();
    }

    /// <summary>Writes until cancelled; then writes what is still waiting.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var batch = new List<AuditEvent>();
        while (await WaitAsync(cancellationToken))
        {
            await _writing.WaitAsync(CancellationToken.None);
            try
            {
                while (batch.Count < 5_000 && _waiting.Reader.TryRead(out var audit)) batch.Add(audit);
                await WriteAsync(batch);
                batch.Clear();
            }
            catch (Exception exception) when (exception is NpgsqlException or IOException or ObjectDisposedException or InvalidOperationException)
            {
                if (cancellationToken.IsCancellationRequested) return;
                if (batch.Count >= 5_000) batch.Clear();
            }
            finally
            {
                _writing.Release();
            }

            // Gathers what comes in the meantime, so that a busy endpoint costs a few statements a second.
            await Task.Delay(TimeSpan.FromMilliseconds(250), cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Deletes events older than <see cref="Retention"/>.</summary>
    public async Task TrimAsync(CancellationToken cancellationToken = default)
    {
        await using var command = database.CreateCommand("DELETE FROM identity.audit_events WHERE occurred_at < $1");
        command.Parameters.Add(new NpgsqlParameter { Value = clock.GetUtcNow() - Retention });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _waiting.Reader.WaitToReadAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            return _waiting.Reader.Count > 0;
        }
    }

    private async Task WriteAsync(List<AuditEvent> batch)
    {
        if (batch.Count == 0) return;
        await using var connection = await database.OpenConnectionAsync(CancellationToken.None);
        await using var writer = await connection.BeginBinaryImportAsync(
            "COPY identity.audit_events (occurred_at, activity, tenant_id, actor, target, succeeded, detail) FROM STDIN (FORMAT BINARY)");
        foreach (var audit in batch)
        {
            await writer.StartRowAsync();
            await writer.WriteAsync(audit.OccurredAt, NpgsqlDbType.TimestampTz);
            await writer.WriteAsync(audit.Activity, NpgsqlDbType.Text);
            if (audit.TenantId is { } tenant) await writer.WriteAsync(tenant, NpgsqlDbType.Uuid);
            else await writer.WriteNullAsync();
            await writer.WriteAsync(audit.Actor, NpgsqlDbType.Text);
            await writer.WriteAsync(audit.Target, NpgsqlDbType.Text);
            await writer.WriteAsync(audit.Succeeded, NpgsqlDbType.Boolean);
            await writer.WriteAsync(audit.DetailJson(), NpgsqlDbType.Jsonb);
        }

        await writer.CompleteAsync();
    }
}
