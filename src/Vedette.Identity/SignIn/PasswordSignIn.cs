using Npgsql;
using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.Security;

namespace Vedette.Identity.SignIn;

/// <summary>Checks a user's name and password, and locks an account for a while after too many wrong ones.</summary>
public sealed class PasswordSignIn(DirectoryStore store, DirectoryService directory, NpgsqlDataSource database, AttemptLimiter limiter, IdentityOptions options, TimeProvider clock, IAuditSink audit) : IDisposable
{
    private const int AllowedFailures = 10;
    private static readonly TimeSpan Lockout = TimeSpan.FromSeconds(60);

    // A password check costs a tenth of a second of processor time on purpose; this keeps a flood of them from taking all of it.
    private readonly SemaphoreSlim _gate = new(Math.Max(1, Environment.ProcessorCount / 2));

    /// <summary>Checks a name and password.</summary>
    /// <param name="userPrincipalName">Sign-in name.</param>
    /// <param name="password">Password.</param>
    /// <param name="tenant">The tenant the user must belong to; null for whichever the name belongs to.</param>
    /// <param name="address">Address it comes from, or null: too many wrong ones from there are refused for a while (90055).</param>
    /// <param name="cancellationToken">Stops the check.</param>
    public async Task<(User? User, ProtocolError? Error)> CheckAsync(
        string userPrincipalName, string password, Tenant? tenant, string? address = null, CancellationToken cancellationToken = default)
    {
        var key = $"sign-in {address}";
        if (limiter.SecondsToWait(key, options.FailedSignInsPerMinute) is { } seconds)
            return Refuse(null, userPrincipalName, tenant, ErrorCatalogue.Create(90055) with { RetryAfter = seconds });
        var result = await CheckAsync(userPrincipalName, password, tenant, cancellationToken);
        if (result.User is null) limiter.Add(key);
        return result;
    }

    private async Task<(User? User, ProtocolError? Error)> CheckAsync(string userPrincipalName, string password, Tenant? tenant, CancellationToken cancellationToken)
    {
        var user = await directory.FindUserAsync(userPrincipalName, cancellationToken);
        if (user is null || (tenant is not null && user.TenantId != tenant.Id))
        {
            // Takes as long as a wrong password does, so that a page which shows no difference has none in time either.
            await VerifyAsync(password, null, cancellationToken);
            return Refuse(null, userPrincipalName, tenant, ErrorCatalogue.Create(50034, "{EUII Hidden}", tenant?.DisplayName ?? DomainOf(userPrincipalName)));
        }

        var now = clock.GetUtcNow();
        if (user.LockedUntil > now) return Refuse(user, userPrincipalName, tenant, ErrorCatalogue.Create(50053));
        if (!user.AccountEnabled) return Refuse(user, userPrincipalName, tenant, ErrorCatalogue.Create(50057));
        if (user.PasswordHash is null) return Refuse(user, userPrincipalName, tenant, ErrorCatalogue.Create(50056));
        if (!await VerifyAsync(password, user.PasswordHash, cancellationToken))
        {
            await CountFailureAsync(user.Id, now, cancellationToken);
            return Refuse(user, userPrincipalName, tenant, ErrorCatalogue.Create(50126));
        }

        if (user.FailedSignIns > 0 || user.LockedUntil is not null) await ClearFailuresAsync(user.Id, cancellationToken);
        Record(user, userPrincipalName, user.TenantId, null);
        return (user, null);
    }

    /// <summary>The tenant that a sign-in name belongs to, by its domain.</summary>
    public Tenant? TenantOf(string userPrincipalName) => store.Current.TryGetTenant(DomainOf(userPrincipalName), out var tenant) ? tenant : null;

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    private async Task<bool> VerifyAsync(string password, string? hash, CancellationToken cancellationToken)
    {
        if (password.Length > 256) return false;
        await _gate.WaitAsync(cancellationToken);
        try
        {
            return Passwords.Verify(password, hash);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Counts a wrong password or code; too many lock the account for a while.</summary>
    internal async Task CountFailureAsync(Guid userId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            UPDATE identity.users SET failed_sign_ins = CASE WHEN failed_sign_ins + 1 >= $2 THEN 0 ELSE failed_sign_ins + 1 END,
                locked_until = CASE WHEN failed_sign_ins + 1 >= $2 THEN $3 ELSE locked_until END
            WHERE id = $1
            """);
        foreach (var value in new object[] { userId, AllowedFailures, now + Lockout }) command.Parameters.Add(new NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task ClearFailuresAsync(Guid userId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("UPDATE identity.users SET failed_sign_ins = 0, locked_until = NULL WHERE id = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = userId });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private (User? User, ProtocolError? Error) Refuse(User? user, string name, Tenant? tenant, ProtocolError error)
    {
        Record(user, name, tenant?.Id ?? user?.TenantId, error);
        return (null, error);
    }

    private void Record(User? user, string name, Guid? tenantId, ProtocolError? error)
    {
        var detail = error is null ? [] : new Dictionary<string, string> { ["error"] = $"AADSTS{error.Number}" };
        audit.Record(new AuditEvent(clock.GetUtcNow(), "Sign in", tenantId, name.Length > 113 ? name[..113] : name, user?.Id.ToString() ?? "", error is null, detail));
    }

    private static string DomainOf(string name) => name[(name.LastIndexOf('@') + 1)..];
}
