using Npgsql;
using Vedette.Identity.Directory;

namespace Vedette.Identity.SignIn;

/// <summary>How a tenant's sign-ins behave.</summary>
/// <param name="SingleUseRefreshTokens">
/// True when a refresh token is good once, and using it again ends all that came of the same sign-in (RFC 9700 4.14). The real service lets old
/// ones stay good, which is the default.
/// </param>
public sealed record TenantSignInSettings(bool SingleUseRefreshTokens);

/// <summary>Reads and writes these settings.</summary>
public sealed class SignInSettings(NpgsqlDataSource database, TimeProvider clock, IAuditSink audit)
{
    /// <summary>The settings of a tenant.</summary>
    public async Task<TenantSignInSettings> OfAsync(Guid tenantId, CancellationToken cancellationToken = default)
    {
        await using var command = database.CreateCommand("SELECT single_use_refresh_tokens FROM identity.sign_in_settings WHERE tenant_id = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = tenantId });
        return new TenantSignInSettings(await command.ExecuteScalarAsync(cancellationToken) is true);
    }

    /// <summary>Changes the settings of a tenant.</summary>
    public async Task SetAsync(Guid tenantId, TenantSignInSettings settings, CancellationToken cancellationToken = default)
    {
        await using var command = database.CreateCommand(
            """
            INSERT INTO identity.sign_in_settings (tenant_id, single_use_refresh_tokens) VALUES ($1, $2)
            ON CONFLICT (tenant_id) DO UPDATE SET single_use_refresh_tokens = excluded.single_use_refresh_tokens
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = tenantId });
        command.Parameters.Add(new NpgsqlParameter { Value = settings.SingleUseRefreshTokens });
        await command.ExecuteNonQueryAsync(cancellationToken);
        audit.Record(new AuditEvent(
            clock.GetUtcNow(), "Update sign-in settings", tenantId, "administrator", tenantId.ToString(), true,
            new Dictionary<string, string> { ["singleUseRefreshTokens"] = settings.SingleUseRefreshTokens ? "true" : "false" }));
    }
}
