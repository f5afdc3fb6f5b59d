using System.Security.Cryptography;
using Dapper;
using Npgsql;
using Vedette.Foundation;
using Vedette.Foundation.Storage;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Streaming;

/// <summary>The exports and how far they are.</summary>
public sealed class DataExportStore(NpgsqlDataSource database, ISecretBox secrets, TimeProvider clock, IIdentifierSource identifiers)
{
    /// <summary>Exports of one tenant, at most. Source: the service's published limit is 5; tests may want a few more.</summary>
    public const int MostPerTenant = 20;

    private const string Columns =
        "id, tenant_id AS TenantId, name, kind, target, tables, enabled, created_at AS CreatedAt, records, last_delivery AS LastDelivery, last_error AS LastError";

    /// <summary>The exports of all tenants, or of one.</summary>
    public async Task<IReadOnlyList<DataExport>> ListAsync(Guid? tenantId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<Row>(new CommandDefinition(
            $"SELECT {Columns} FROM defender.data_exports WHERE @tenantId::uuid IS NULL OR tenant_id = @tenantId ORDER BY tenant_id, name",
            new { tenantId },
            cancellationToken: cancellationToken));
        return [.. rows.Select(row => new DataExport(
            row.Id, row.TenantId, row.Name, Enum.Parse<ExportKind>(row.Kind), row.Target, row.Tables, row.Enabled, row.CreatedAt, row.Records, row.LastDelivery, row.LastError))];
    }

    /// <summary>Adds an export.</summary>
    /// <returns>The export, and the secret that signs a webhook's deliveries, the only time it is shown.</returns>
    /// <exception cref="ArgumentException">Something about it is wrong; the message says what.</exception>
    public async Task<(DataExport Export, string? Secret)> AddAsync(NewDataExport wanted, CancellationToken cancellationToken)
    {
        var (target, secret) = Check(wanted);
        var id = identifiers.NewGuid();
        var now = clock.GetUtcNow().UtcDateTime;
        var tables = StreamedTables.Of(wanted.Tables);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await connection.ExecuteScalarAsync<long>(new CommandDefinition(
            "SELECT count(*) FROM defender.data_exports WHERE tenant_id = @TenantId", wanted, transaction, cancellationToken: cancellationToken)) >= MostPerTenant)
        {
            throw new ArgumentException($"A tenant has at most {MostPerTenant} exports.");
        }

        try
        {
            await connection.ExecuteAsync(new CommandDefinition(
                """
                INSERT INTO defender.data_exports (id, tenant_id, name, kind, target, secret, tables, created_at)
                VALUES (@id, @TenantId, @Name, @kind, @target, @box, @tables, @now)
                """,
                new { id, wanted.TenantId, wanted.Name, kind = wanted.Kind.ToString(), target, box = secret is null ? null : secrets.Close(secret, Purpose(id)), tables = tables.ToArray(), now },
                transaction,
                cancellationToken: cancellationToken));
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw new ArgumentException($"There is an export '{wanted.Name}' already.", exception);
        }

        await connection.ExecuteAsync(new CommandDefinition(
            "INSERT INTO defender.data_export_cursors (export_id, table_name, delivered_until) SELECT @id, name, @from FROM unnest(@tables) AS name",
            new { id, tables = tables.ToArray(), from = wanted.FromStart ? 0L : now.Ticks },
            transaction,
            cancellationToken: cancellationToken));
        await transaction.CommitAsync(cancellationToken);
        return (new DataExport(id, wanted.TenantId, wanted.Name, wanted.Kind, target, tables, true, now, 0, null, null), wanted.Kind == ExportKind.Webhook ? secret : null);
    }

    /// <summary>Removes an export; false when there is none of that name.</summary>
    public async Task<bool> RemoveAsync(Guid tenantId, string name, CancellationToken cancellationToken) =>
        await ExecuteAsync("DELETE FROM defender.data_exports WHERE tenant_id = @tenantId AND name = @name", new { tenantId, name }, cancellationToken) > 0;

    /// <summary>Pauses an export or lets it go on; false when there is none of that name.</summary>
    public async Task<bool> EnableAsync(Guid tenantId, string name, bool enabled, CancellationToken cancellationToken) =>
        await ExecuteAsync("UPDATE defender.data_exports SET enabled = @enabled WHERE tenant_id = @tenantId AND name = @name", new { tenantId, name, enabled }, cancellationToken) > 0;

    internal async Task<string?> SecretAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var box = await connection.ExecuteScalarAsync<byte[]?>(new CommandDefinition(
            "SELECT secret FROM defender.data_exports WHERE id = @id", new { id }, cancellationToken: cancellationToken));
        return box is null ? null : secrets.Open(box, Purpose(id));
    }

    internal async Task<Dictionary<string, DateTime>> CursorsAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(string Table, long Ticks)>(new CommandDefinition(
            "SELECT table_name, delivered_until FROM defender.data_export_cursors WHERE export_id = @id", new { id }, cancellationToken: cancellationToken));
        return rows.ToDictionary(row => row.Table, row => new DateTime(row.Ticks, DateTimeKind.Utc), StringComparer.Ordinal);
    }

    internal async Task DeliveredAsync(Guid id, string table, DateTime until, int records, CancellationToken cancellationToken) => await ExecuteAsync(
        """
        UPDATE defender.data_export_cursors SET delivered_until = @ticks WHERE export_id = @id AND table_name = @table;
        UPDATE defender.data_exports SET records = records + @records, last_delivery = CASE WHEN @records > 0 THEN @now ELSE last_delivery END, last_error = NULL WHERE id = @id
        """,
        new { id, table, ticks = until.Ticks, records, now = clock.GetUtcNow().UtcDateTime },
        cancellationToken);

    internal async Task FailedAsync(Guid id, string reason, CancellationToken cancellationToken) =>
        await ExecuteAsync("UPDATE defender.data_exports SET last_error = @reason WHERE id = @id", new { id, reason }, cancellationToken);

    private static string Purpose(Guid id) => $"data export {id}";

    private static (string Target, string? Secret) Check(NewDataExport wanted)
    {
        if (wanted.Name is not { Length: > 0 and <= 100 } || wanted.Name.Any(char.IsControl)) throw new ArgumentException("A name has from 1 to 100 printable characters.");
        foreach (var table in StreamedTables.Of(wanted.Tables))
            if (!HuntingSchema.Tables.ContainsKey(table)) throw new ArgumentException($"There is no hunting table '{table}'.");
        switch (wanted.Kind)
        {
            case ExportKind.Folder:
                return Path.IsPathFullyQualified(wanted.Target) ? (Path.GetFullPath(wanted.Target), null) : throw new ArgumentException($"'{wanted.Target}' is not an absolute folder.");
            case ExportKind.Webhook:
                if (!Uri.TryCreate(wanted.Target, UriKind.Absolute, out var address) || !(address.Scheme == "https" || address is { Scheme: "http", IsLoopback: true }) || address.UserInfo.Length > 0)
                    throw new ArgumentException($"'{wanted.Target}' is not an https address (http is for this machine only).");
                return (address.AbsoluteUri, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
            default:
                var account = StorageAccount.Parse(wanted.Target);
                return (account.BlobEndpoint.AbsoluteUri, wanted.Target);
        }
    }

    private async Task<int> ExecuteAsync(string sql, object values, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteAsync(new CommandDefinition(sql, values, cancellationToken: cancellationToken));
    }

    private sealed class Row
    {
        public Guid Id { get; set; }

        public Guid TenantId { get; set; }

        public string Name { get; set; } = "";

        public string Kind { get; set; } = "";

        public string Target { get; set; } = "";

        public string[] Tables { get; set; } = [];

        public bool Enabled { get; set; }

        public DateTime CreatedAt { get; set; }

        public long Records { get; set; }

        public DateTime? LastDelivery { get; set; }

        public string? LastError { get; set; }
    }
}
