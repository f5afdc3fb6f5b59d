using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Npgsql;
using Vedette.Identity.Security;

namespace Vedette.Identity.SignIn;

/// <summary>Makes and finds opaque values. The values come from the system's random generator and are stored as keyed hashes only.</summary>
public sealed class TicketStore(NpgsqlDataSource database, IdentityKey key, TimeProvider clock)
{
    private const string Prefix = "1.";
    private const int ValueBytes = 48;
    private const string UserCodeLetters = "BCDFGHJKLMNPQRSTVWXYZ23456789";
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
    };

    private static readonly Guid[] Purposes =
    [
        new("6d1f9b0e-0001-4c59-9d0c-1c2f5a7c0001"), new("6d1f9b0e-0002-4c59-9d0c-1c2f5a7c0002"),
        new("6d1f9b0e-0003-4c59-9d0c-1c2f5a7c0003"), new("6d1f9b0e-0004-4c59-9d0c-1c2f5a7c0004"),
    ];

    /// <summary>True when a text has the form of a value that was made here.</summary>
    public static bool IsWellFormed(string value) =>
        value.StartsWith(Prefix, StringComparison.Ordinal) && value.Length == Prefix.Length + Base64Url.GetEncodedLength(ValueBytes) && Base64Url.IsValid(value.AsSpan(Prefix.Length));

    /// <summary>Makes a value and stores its record.</summary>
    public async Task<string> IssueAsync(
        TicketKind kind, Guid? appId, Guid? tenantId, Guid? userId, TimeSpan life, TicketData data, string? userCode = null, CancellationToken cancellationToken = default)
    {
        var value = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(ValueBytes));
        var now = clock.GetUtcNow();
        await using var command = database.CreateCommand(
            "INSERT INTO identity.tickets (hash, kind, app_id, tenant_id, user_id, issued_at, expires_at, user_code, data) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb)");
        foreach (var parameter in new object?[] { Hash(kind, value), kind.ToString(), appId, tenantId, userId, now, now + life, userCode, JsonSerializer.Serialize(data, Json) })
            command.Parameters.Add(new NpgsqlParameter { Value = parameter ?? DBNull.Value });
        await command.ExecuteNonQueryAsync(cancellationToken);
        return value;
    }

    /// <summary>Finds a value's record, whether or not it has ended; null for an unknown value.</summary>
    public Task<Ticket?> FindAsync(TicketKind kind, string value, CancellationToken cancellationToken = default) =>
        ReadAsync("SELECT * FROM identity.tickets WHERE hash = $1 AND kind = $2", cancellationToken, Hash(kind, value), kind.ToString());

    /// <summary>Finds a device's record by what its user types; null for an unknown or ended code.</summary>
    public Task<Ticket?> FindByUserCodeAsync(string userCode, CancellationToken cancellationToken = default) =>
        ReadAsync("SELECT * FROM identity.tickets WHERE user_code = $1 AND expires_at > $2", cancellationToken, NormalizeUserCode(userCode), clock.GetUtcNow());

    /// <summary>Marks a record as used. False when it was used before: of two that try at once, one wins.</summary>
    public async Task<bool> TryUseAsync(Ticket ticket, CancellationToken cancellationToken = default)
    {
        await using var command = database.CreateCommand("UPDATE identity.tickets SET used_at = $2 WHERE hash = $1 AND used_at IS NULL");
        command.Parameters.Add(new NpgsqlParameter { Value = ticket.Hash });
        command.Parameters.Add(new NpgsqlParameter { Value = clock.GetUtcNow() });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Settles a waiting device sign-in. False when it was settled already or has ended.</summary>
    /// <param name="ticket">The device's record.</param>
    /// <param name="tenantId">Tenant of the user.</param>
    /// <param name="userId">Who answered.</param>
    /// <param name="methods">How the user signed in; null when the sign-in was refused.</param>
    /// <param name="cancellationToken">Stops the operation.</param>
    public async Task<bool> SettleDeviceAsync(Ticket ticket, Guid tenantId, Guid userId, IReadOnlyList<string>? methods, CancellationToken cancellationToken = default)
    {
        var data = methods is null ? ticket.Data with { Device = DeviceState.Declined } : ticket.Data with { Device = DeviceState.Approved, Methods = methods };
        await using var command = database.CreateCommand(
            "UPDATE identity.tickets SET tenant_id = $2, user_id = $3, data = $4::jsonb, user_code = NULL WHERE hash = $1 AND user_code IS NOT NULL AND expires_at > $5");
        foreach (var value in new object[] { ticket.Hash, tenantId, userId, JsonSerializer.Serialize(data, Json), clock.GetUtcNow() })
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Notes that a device asks now.</summary>
    /// <returns>False when it asked less than <paramref name="apart"/> ago.</returns>
    public async Task<bool> TryPollAsync(Ticket ticket, TimeSpan apart, CancellationToken cancellationToken = default)
    {
        var now = clock.GetUtcNow();
        await using var command = database.CreateCommand(
            "UPDATE identity.tickets t SET polled_at = $2 FROM (SELECT hash, polled_at FROM identity.tickets WHERE hash = $1) before WHERE t.hash = before.hash RETURNING before.polled_at");
        command.Parameters.Add(new NpgsqlParameter { Value = ticket.Hash });
        command.Parameters.Add(new NpgsqlParameter { Value = now });
        return await command.ExecuteScalarAsync(cancellationToken) is not DateTime before || now.UtcDateTime - before >= apart;
    }

    /// <summary>What applications know a browser's session by: it follows from the session's value and does not tell it.</summary>
    public static Guid SessionIdOf(string session) => new(SHA256.HashData(Encoding.UTF8.GetBytes("sid " + session)).AsSpan(0, 16));

    /// <summary>Applications that were signed in to during a session, with the generation of endpoints that each used.</summary>
    public async Task<IReadOnlyList<(Guid AppId, int Version)>> ApplicationsOfAsync(Guid userId, Guid sessionId, CancellationToken cancellationToken = default)
    {
        await using var command = database.CreateCommand(
            """
            SELECT app_id, max(coalesce((data ->> 'version')::integer, 2)) FROM identity.tickets
            WHERE user_id = $1 AND kind IN ('Code', 'Refresh') AND data ->> 'sessionId' = $2 GROUP BY app_id ORDER BY app_id
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = userId });
        command.Parameters.Add(new NpgsqlParameter { Value = sessionId.ToString() });
        var found = new List<(Guid, int)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) found.Add((reader.GetGuid(0), reader.GetInt32(1)));
        return found;
    }

    /// <summary>Deletes every refresh token that came of one sign-in.</summary>
    public async Task DeleteFamilyAsync(Guid userId, Guid family, CancellationToken cancellationToken = default)
    {
        await using var command = database.CreateCommand("DELETE FROM identity.tickets WHERE user_id = $1 AND kind = 'Refresh' AND data ->> 'family' = $2");
        command.Parameters.Add(new NpgsqlParameter { Value = userId });
        command.Parameters.Add(new NpgsqlParameter { Value = family.ToString() });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Deletes a record, for instance at sign-out.</summary>
    public async Task DeleteAsync(Ticket ticket, CancellationToken cancellationToken = default)
    {
        await using var command = database.CreateCommand("DELETE FROM identity.tickets WHERE hash = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = ticket.Hash });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Deletes records that ended more than a week ago; until then they tell an ended value from an unknown one.</summary>
    public async Task TrimAsync(CancellationToken cancellationToken = default)
    {
        await using var command = database.CreateCommand("DELETE FROM identity.tickets WHERE expires_at < $1");
        command.Parameters.Add(new NpgsqlParameter { Value = clock.GetUtcNow() - TimeSpan.FromDays(7) });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>A code that people can type: nine letters and digits that do not look alike, no vowels.</summary>
    public static string NewUserCode() => RandomNumberGenerator.GetString(UserCodeLetters, 9);

    private static string NormalizeUserCode(string code) => new([.. code.ToUpperInvariant().Where(char.IsAsciiLetterOrDigit).Take(20)]);

    private byte[] Hash(TicketKind kind, string value) => key.HashTicket(Purposes[(int)kind], value);

    private async Task<Ticket?> ReadAsync(string query, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = database.CreateCommand(query.Replace("*", "hash, kind, app_id, tenant_id, user_id, issued_at, expires_at, used_at, data::text", StringComparison.Ordinal));
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) return null;
        return new Ticket(
            reader.GetFieldValue<byte[]>(0), Enum.Parse<TicketKind>(reader.GetString(1)), Id(2), Id(3), Id(4),
            reader.GetFieldValue<DateTimeOffset>(5), reader.GetFieldValue<DateTimeOffset>(6), reader.IsDBNull(7) ? null : reader.GetFieldValue<DateTimeOffset>(7),
            JsonSerializer.Deserialize<TicketData>(reader.GetString(8), Json)!);

        Guid? Id(int column) => reader.IsDBNull(column) ? null : reader.GetGuid(column);
    }
}
