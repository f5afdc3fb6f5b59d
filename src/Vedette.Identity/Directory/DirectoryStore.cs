using System.Data;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Npgsql;
using Vedette.Identity.Resources;

namespace Vedette.Identity.Directory;

/// <summary>
/// The directory in PostgreSQL and its copy in memory. Every change is one transaction that ends with a notification, upon which this and
/// every other server on the database read the directory anew.
/// </summary>
public sealed class DirectoryStore(NpgsqlDataSource database) : Tokens.ITenantLookup
{
    internal const string Channel = "vedette_identity";

    internal static readonly JsonSerializerOptions PermissionJson = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile DirectorySnapshot _current = DirectorySnapshot.Empty;

    /// <summary>The directory as it is now.</summary>
    public DirectorySnapshot Current => _current;

    /// <inheritdoc/>
    public bool TenantExists(Guid tenantId) => _current.TryGetTenant(tenantId, out _);

    /// <summary>Reads the directory from the database.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken = default)
    {
        // One at a time, so that an older reading never replaces a newer one.
        await _gate.WaitAsync(cancellationToken);
        try
        {
            _current = await ReadAsync(cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Follows the changes that other servers make, until cancelled. A lost connection is made again.</summary>
    public async Task FollowAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(cancellationToken);
                var changed = false;
                connection.Notification += (_, _) => changed = true;
                await using (var listen = new NpgsqlCommand($"LISTEN {Channel}", connection)) await listen.ExecuteNonQueryAsync(cancellationToken);
                await LoadAsync(cancellationToken);
                while (true)
                {
                    await connection.WaitAsync(cancellationToken);
                    if (!changed) continue;
                    changed = false;
                    await LoadAsync(cancellationToken);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception is NpgsqlException or IOException or InvalidOperationException or ObjectDisposedException)
            {
                // Awaited without throwing: a stop in this moment ends the loop by its condition.
                await Task.Delay(TimeSpan.FromSeconds(2), cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Makes one change: all of it or nothing. When it returns, <see cref="Current"/> has it.</summary>
    internal async Task WriteAsync(Func<DirectoryTransaction, Task> work, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await work(new DirectoryTransaction(connection, cancellationToken));
            await using (var notify = new NpgsqlCommand($"NOTIFY {Channel}", connection)) await notify.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw DirectoryException.Conflict("Another object with the same identity exists already.");
        }

        await LoadAsync(CancellationToken.None);
    }

    /// <summary>Reads users by a condition with positional parameters.</summary>
    internal Task<IReadOnlyList<User>> ReadUsersAsync(string condition, CancellationToken cancellationToken, params object[] values) => QueryAsync(
        $"""
        SELECT id, tenant_id, user_principal_name, display_name, given_name, surname, account_enabled, password_hash, directory_roles,
               failed_sign_ins, locked_until, created_at
        FROM identity.users WHERE {condition}
        """,
        ReadUser,
        cancellationToken,
        values);

    /// <summary>Runs a query with positional parameters.</summary>
    internal async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = database.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await RowsAsync(reader, read, cancellationToken);
    }

    /// <summary>Runs a statement that changes nothing of what <see cref="Current"/> holds.</summary>
    internal async Task ExecuteAsync(string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = database.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<DirectorySnapshot> ReadAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await using var batch = new NpgsqlBatch(connection, transaction);
        foreach (var query in Queries) batch.BatchCommands.Add(new NpgsqlBatchCommand(query));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);

        var tenants = await RowsAsync(reader, row => (Id: row.GetGuid(0), Name: row.GetString(1), CreatedAt: row.GetFieldValue<DateTimeOffset>(2), RequiresMfa: row.GetBoolean(3)), cancellationToken);
        var domains = (await RowsAsync(reader, row => (Tenant: row.GetGuid(0), Name: row.GetString(1), IsDefault: row.GetBoolean(2)), cancellationToken)).ToLookup(d => d.Tenant);
        var permissions = (await RowsAsync(reader, row => (App: row.GetGuid(0), Permission: new RequiredPermission(row.GetGuid(1), row.GetGuid(2), Enum.Parse<PermissionKind>(row.GetString(3)))), cancellationToken))
            .ToLookup(p => p.App, p => p.Permission);
        var secrets = (await RowsAsync(reader, row => (Owner: row.GetGuid(0), Secret: ReadSecret(row)), cancellationToken)).ToLookup(s => s.Owner, s => s.Secret);
        var certificates = (await RowsAsync(reader, row => (Owner: row.GetGuid(0), Certificate: ReadCertificate(row)), cancellationToken)).ToLookup(c => c.Owner, c => c.Certificate);
        var applications = await RowsAsync(reader, row => ReadApplication(row, permissions, secrets, certificates), cancellationToken);
        var principals = await RowsAsync(
            reader,
            row => new ServicePrincipal(row.GetGuid(0), row.GetGuid(1), row.GetGuid(2), row.GetBoolean(3), row.GetFieldValue<DateTimeOffset>(4))
            {
                AssignmentRequired = row.GetBoolean(5),
                Secrets = [.. secrets[row.GetGuid(0)]],
                Certificates = [.. certificates[row.GetGuid(0)]],
            },
            cancellationToken);
        var assignments = await RowsAsync(reader, row => new AppRoleAssignment(row.GetGuid(0), row.GetGuid(1), row.GetGuid(2), row.GetGuid(3), row.GetFieldValue<DateTimeOffset>(4)), cancellationToken);
        var grants = await RowsAsync(reader, row => new PermissionGrant(row.GetGuid(0), row.GetGuid(1), row.GetGuid(2), row.IsDBNull(3) ? null : row.GetGuid(3), row.GetString(4)), cancellationToken);

        return new DirectorySnapshot(
            [.. tenants.Select(t => new Tenant(t.Id, t.Name, domains[t.Id].FirstOrDefault(d => d.IsDefault).Name ?? "", [.. domains[t.Id].Select(d => d.Name)], t.CreatedAt) { RequiresMfa = t.RequiresMfa })],
            applications, principals, assignments, grants);
    }

    private static readonly string[] Queries =
    [
        "SELECT id, display_name, created_at, requires_mfa FROM identity.tenants ORDER BY created_at, id",
        "SELECT tenant_id, name, is_default FROM identity.domains ORDER BY is_default DESC, name",
        "SELECT application_id, resource_app_id, permission_id, kind FROM identity.required_permissions",
        "SELECT coalesce(application_id, service_principal_id), key_id, display_name, hint, hash, starts_at, ends_at FROM identity.client_secrets ORDER BY starts_at, key_id",
        "SELECT coalesce(application_id, service_principal_id), key_id, display_name, certificate, starts_at, ends_at FROM identity.client_certificates ORDER BY starts_at, key_id",
        """
        SELECT id, app_id, tenant_id, display_name, sign_in_audience, is_public_client, requested_access_token_version, identifier_uris,
               redirect_uris::text, app_roles::text, scopes::text, created_at, description, notes, tags, logout_url
        FROM identity.applications ORDER BY created_at, id
        """,
        "SELECT id, app_id, tenant_id, account_enabled, created_at, app_role_assignment_required FROM identity.service_principals",
        "SELECT id, principal_id, resource_id, app_role_id, created_at FROM identity.app_role_assignments WHERE principal_kind = 'ServicePrincipal'",
        "SELECT id, client_id, resource_id, principal_id, scope FROM identity.permission_grants",
    ];

    private static async Task<List<T>> RowsAsync<T>(NpgsqlDataReader reader, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken)) rows.Add(read(reader));
        await reader.NextResultAsync(cancellationToken);
        return rows;
    }

    private static Application ReadApplication(
        NpgsqlDataReader row, ILookup<Guid, RequiredPermission> permissions, ILookup<Guid, ClientSecret> secrets, ILookup<Guid, ClientCertificate> certificates)
    {
        var id = row.GetGuid(0);
        return new Application
        {
            Id = id,
            AppId = row.GetGuid(1),
            TenantId = row.GetGuid(2),
            DisplayName = row.GetString(3),
            SignInAudience = row.GetString(4),
            IsPublicClient = row.GetBoolean(5),
            RequestedAccessTokenVersion = row.IsDBNull(6) ? null : row.GetInt32(6),
            IdentifierUris = row.GetFieldValue<string[]>(7),
            RedirectUris = ReadArray(row.GetString(8), item => new RedirectUri(item.GetProperty("uri").GetString()!, Enum.Parse<RedirectKind>(item.GetProperty("kind").GetString()!))),
            AppRoles = ReadArray(row.GetString(9), item => ReadPermission(item, PermissionKind.Role)),
            Scopes = ReadArray(row.GetString(10), item => ReadPermission(item, PermissionKind.Scope)),
            CreatedAt = row.GetFieldValue<DateTimeOffset>(11),
            Description = row.IsDBNull(12) ? null : row.GetString(12),
            Notes = row.IsDBNull(13) ? null : row.GetString(13),
            Tags = row.GetFieldValue<string[]>(14),
            LogoutUrl = row.IsDBNull(15) ? null : row.GetString(15),
            RequiredPermissions = [.. permissions[id]],
            Secrets = [.. secrets[id]],
            Certificates = [.. certificates[id]],
        };
    }

    private static User ReadUser(NpgsqlDataReader row) => new()
    {
        Id = row.GetGuid(0),
        TenantId = row.GetGuid(1),
        UserPrincipalName = row.GetString(2),
        DisplayName = row.GetString(3),
        GivenName = row.IsDBNull(4) ? null : row.GetString(4),
        Surname = row.IsDBNull(5) ? null : row.GetString(5),
        AccountEnabled = row.GetBoolean(6),
        PasswordHash = row.IsDBNull(7) ? null : row.GetString(7),
        DirectoryRoles = row.GetFieldValue<Guid[]>(8),
        FailedSignIns = row.GetInt32(9),
        LockedUntil = row.IsDBNull(10) ? null : row.GetFieldValue<DateTimeOffset>(10),
        CreatedAt = row.GetFieldValue<DateTimeOffset>(11),
    };

    private static Permission ReadPermission(JsonElement item, PermissionKind kind) => JsonSerializer.Deserialize<StoredPermission>(item, PermissionJson)!.ToPermission(kind);

    private static T[] ReadArray<T>(string json, Func<JsonElement, T> read)
    {
        if (json == "[]") return [];
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateArray().Select(read)];
    }

    private static ClientSecret ReadSecret(NpgsqlDataReader row) => new(
        row.GetGuid(1), row.IsDBNull(2) ? null : row.GetString(2), row.GetString(3), row.GetFieldValue<byte[]>(4), row.GetFieldValue<DateTimeOffset>(5), row.GetFieldValue<DateTimeOffset>(6));

    private static ClientCertificate ReadCertificate(NpgsqlDataReader row) => new(
        row.GetGuid(1), row.IsDBNull(2) ? null : row.GetString(2), X509CertificateLoader.LoadCertificate(row.GetFieldValue<byte[]>(3)),
        row.GetFieldValue<DateTimeOffset>(4), row.GetFieldValue<DateTimeOffset>(5));
}

/// <summary>Statements of one change.</summary>
internal sealed class DirectoryTransaction(NpgsqlConnection connection, CancellationToken cancellationToken)
{
    /// <summary>Runs a statement with positional parameters; null stands for NULL.</summary>
    public async Task<int> ExecuteAsync(string sql, params object?[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Runs a statement that may clash with what is there, or refer to what is gone; then it changes nothing.</summary>
    /// <returns>Whether it ran.</returns>
    public async Task<bool> TryExecuteAsync(string sql, params object?[] values)
    {
        await ExecuteAsync("SAVEPOINT attempt");
        try
        {
            await ExecuteAsync(sql, values);
            await ExecuteAsync("RELEASE SAVEPOINT attempt");
            return true;
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.ForeignKeyViolation)
        {
            await ExecuteAsync("ROLLBACK TO SAVEPOINT attempt");
            return false;
        }
    }

    /// <summary>Writes an audit event in the same transaction.</summary>
    public Task AuditAsync(AuditEvent audit) => ExecuteAsync(
        "INSERT INTO identity.audit_events (occurred_at, activity, tenant_id, actor, target, succeeded, detail) VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb)",
        audit.OccurredAt, audit.Activity, audit.TenantId, audit.Actor, audit.Target, audit.Succeeded, audit.DetailJson());
}
