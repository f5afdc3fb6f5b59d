using Npgsql;
using Vedette.Identity.Directory;
using Vedette.Identity.Security;

namespace Vedette.Identity.SignIn;

/// <summary>The authenticator apps that people registered, for tenants that require a second factor.</summary>
public sealed class SecondFactors(NpgsqlDataSource database, IdentityKey key, TimeProvider clock, IAuditSink audit)
{
    private const string Purpose = "second factor";

    /// <summary>True when a user has registered an app.</summary>
    public async Task<bool> IsEnrolledAsync(Guid userId, CancellationToken cancellationToken = default)
    {
        await using var command = Command("SELECT 1 FROM identity.second_factors WHERE user_id = $1", userId);
        return await command.ExecuteScalarAsync(cancellationToken) is not null;
    }

    /// <summary>Registers an app whose first code was typed.</summary>
    /// <returns>False when the code is wrong, or an app is registered already.</returns>
    public async Task<bool> EnrolAsync(User user, byte[] secret, string code, CancellationToken cancellationToken = default)
    {
        var now = clock.GetUtcNow();
        var step = TimeBasedCodes.FindStep(secret, code, now);
        var enrolled = false;
        if (step is { } used)
        {
            await using var command = Command(
                "INSERT INTO identity.second_factors (user_id, secret, last_step, enrolled_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                user.Id, key.Protect(secret, Purpose), used, now);
            enrolled = await command.ExecuteNonQueryAsync(cancellationToken) == 1;
        }

        Record("Register second factor", user, enrolled);
        return enrolled;
    }

    /// <summary>Checks a code. Each code is good once.</summary>
    public async Task<bool> VerifyAsync(User user, string code, CancellationToken cancellationToken = default)
    {
        var verified = await ReadSecretAsync(user.Id, cancellationToken) is { } secret
            && TimeBasedCodes.FindStep(secret, code, clock.GetUtcNow()) is { } step
            && await TakeStepAsync(user.Id, step, cancellationToken);
        Record("Verify second factor", user, verified);
        return verified;
    }

    /// <summary>Forgets a user's app, so that another one can be registered at the next sign-in.</summary>
    /// <returns>False when there was none.</returns>
    public async Task<bool> RemoveAsync(User user, CancellationToken cancellationToken = default)
    {
        await using var command = Command("DELETE FROM identity.second_factors WHERE user_id = $1", user.Id);
        var removed = await command.ExecuteNonQueryAsync(cancellationToken) == 1;
        if (removed) Record("Remove second factor", user, succeeded: true);
        return removed;
    }

    private async Task<byte[]?> ReadSecretAsync(Guid userId, CancellationToken cancellationToken)
    {
        await using var command = Command("SELECT secret FROM identity.second_factors WHERE user_id = $1", userId);
        return await command.ExecuteScalarAsync(cancellationToken) is byte[] secret ? key.Unprotect(secret, Purpose) : null;
    }

    // Of two that bring the same code at once, one wins.
    private async Task<bool> TakeStepAsync(Guid userId, long step, CancellationToken cancellationToken)
    {
        await using var command = Command("UPDATE identity.second_factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2", userId, step);
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = database.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }

    private void Record(string activity, User user, bool succeeded) =>
        audit.Record(new AuditEvent(clock.GetUtcNow(), activity, user.TenantId, user.UserPrincipalName, user.Id.ToString(), succeeded, new Dictionary<string, string>()));
}
