using System.Security.Cryptography;
using Npgsql;
using Vedette.Identity.Security;

namespace Vedette.Identity.Tokens;

/// <summary>
/// The signing keys as the database keeps them, their private parts encrypted. Keys outlive restarts and are shared by all servers on one
/// database; a new one takes over on schedule, published ahead of its time, and the old one stays published until its last token is over.
/// </summary>
public sealed class SigningKeys(NpgsqlDataSource database, IdentityKey protection, TimeProvider clock) : ISigningKeySource
{
    /// <summary>How long a key signs.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromDays(90);

    /// <summary>How long a key is published before it signs.</summary>
    public static readonly TimeSpan PublishAhead = TimeSpan.FromHours(24);

    /// <summary>How long a key stays published after another one took over.</summary>
    public static readonly TimeSpan KeepAfter = TimeSpan.FromDays(2);

    private const long LockKey = 0x5665_6465_7474_66;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile SigningKeyRing? _current;

    /// <inheritdoc/>
    public SigningKeyRing Current => _current ?? throw new InvalidOperationException("The signing keys were not loaded yet.");

    /// <summary>Reads the keys, and makes the first one where there is none.</summary>
    /// <exception cref="CryptographicException">The key file is not the one that the database's keys were stored with.</exception>
    public Task LoadAsync(CancellationToken cancellationToken = default) => UpdateAsync(static (keys, now) => keys.Count == 0 ? SigningKey.Create(now) : null, cancellationToken);

    /// <summary>Makes a new key. It signs after <see cref="PublishAhead"/>, or at once when a key must be replaced in a hurry.</summary>
    public Task RotateAsync(bool atOnce, CancellationToken cancellationToken = default) =>
        UpdateAsync((_, now) => SigningKey.Create(atOnce ? now : now + PublishAhead), cancellationToken);

    /// <summary>Rotates when it is time to, drops keys that nobody needs, and takes up what other servers did. To be called now and then.</summary>
    public Task MaintainAsync(CancellationToken cancellationToken = default) =>
        UpdateAsync(static (keys, now) => keys.Count == 0 || keys.Max(key => key.SignsFrom) + Life - PublishAhead <= now ? SigningKey.Create(now + PublishAhead) : null, cancellationToken);

    private async Task UpdateAsync(Func<IReadOnlyList<SigningKey>, DateTimeOffset, SigningKey?> next, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            var now = clock.GetUtcNow();
            var keys = await ReadAsync(connection, cancellationToken);
            if (next(keys, now) is { } wanted)
            {
                wanted.Dispose();
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                await ExecuteAsync(connection, "SELECT pg_advisory_xact_lock($1)", cancellationToken, LockKey);
                keys = await ReadAsync(connection, cancellationToken);
                if (next(keys, now) is { } key)
                {
                    await ExecuteAsync(
                        connection, "INSERT INTO identity.signing_keys (id, private_key, certificate, signs_from) VALUES ($1, $2, $3, $4)", cancellationToken,
                        key.Id, protection.Protect(key.ExportPrivateKey()), key.Certificate, key.SignsFrom);
                    keys.Add(key);
                }

                await transaction.CommitAsync(cancellationToken);
            }

            await DropOldAsync(connection, keys, now, cancellationToken);
            _current = new SigningKeyRing(keys);
        }
        finally
        {
            _gate.Release();
        }
    }

    private static async Task DropOldAsync(NpgsqlConnection connection, List<SigningKey> keys, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (keys.Where(key => key.SignsFrom + KeepAfter <= now).MaxBy(key => key.SignsFrom) is not { } successor) return;
        foreach (var old in keys.Where(key => key.SignsFrom < successor.SignsFrom).ToArray())
        {
            await ExecuteAsync(connection, "DELETE FROM identity.signing_keys WHERE id = $1", cancellationToken, old.Id);
            keys.Remove(old);
        }
    }

    private async Task<List<SigningKey>> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // Keys that are loaded already are kept: they hold prepared key objects.
        var known = _current?.Keys.ToDictionary(key => key.Id, StringComparer.Ordinal) ?? [];
        var keys = new List<SigningKey>();
        await using var command = new NpgsqlCommand("SELECT id, private_key, certificate, signs_from FROM identity.signing_keys", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (known.TryGetValue(reader.GetString(0), out var loaded)) keys.Add(loaded);
            else keys.Add(SigningKey.Import(Decrypt(reader.GetFieldValue<byte[]>(1)), reader.GetFieldValue<byte[]>(2), reader.GetFieldValue<DateTimeOffset>(3)));
        }

        return keys;
    }

    private byte[] Decrypt(byte[] data)
    {
        try
        {
            return protection.Unprotect(data);
        }
        catch (CryptographicException exception)
        {
            throw new CryptographicException(
                "The signing keys in the database cannot be decrypted: the authority's key file is not the one they were stored with. Restore it from a backup of the data folder.",
                exception);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
