using System.Data;
using Npgsql;

namespace Vedette.Foundation.Migrations;

/// <summary>
/// Brings schemas up to date. On the start path it costs one query when nothing is to do; otherwise the missing steps run under one advisory lock,
/// each in a transaction of its own, so that several servers on one database may start together.
/// </summary>
public static class MigrationRunner
{
    private const long LockKey = 0x5665_6465_7474_65;

    /// <summary>Applies what is missing; returns how many steps ran.</summary>
    /// <exception cref="InvalidOperationException">The database holds steps that this version does not know: it is newer.</exception>
    /// <exception cref="PostgresException">A script failed; nothing of that step stays.</exception>
    public static async Task<int> ApplyAsync(NpgsqlDataSource database, IReadOnlyList<MigrationSet> sets, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (await IsCurrentAsync(connection, sets, cancellationToken)) return 0;

        // The lock is taken before any transaction begins: a session that waited for it inside one would still look names up in a catalogue
        // cache from before the wait, and would create what another server has just created.
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock({LockKey})", cancellationToken);
        try
        {
            return await ApplyMissingAsync(connection, sets, cancellationToken);
        }
        finally
        {
            if (connection.State is ConnectionState.Open) await ExecuteAsync(connection, $"SELECT pg_advisory_unlock({LockKey})", CancellationToken.None);
        }
    }

    private static async Task<int> ApplyMissingAsync(NpgsqlConnection connection, IReadOnlyList<MigrationSet> sets, CancellationToken cancellationToken)
    {
        var applied = 0;
        foreach (var set in sets)
        {
            await PrepareAsync(connection, set.Schema, cancellationToken);
            foreach (var migration in set.Migrations)
            {
                if (await ApplyOneAsync(connection, set.Schema, migration, cancellationToken)) applied++;
            }
        }

        return applied;
    }

    private static async Task<bool> IsCurrentAsync(NpgsqlConnection connection, IReadOnlyList<MigrationSet> sets, CancellationToken cancellationToken)
    {
        var query = string.Join(" UNION ALL ", sets.Select(s => $"SELECT '{s.Schema}', id FROM {s.Schema}.migrations"));
        await using var command = new NpgsqlCommand(query, connection);
        var seen = sets.ToDictionary(s => s.Schema, _ => new HashSet<string>(StringComparer.Ordinal), StringComparer.Ordinal);
        try
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken)) seen[reader.GetString(0)].Add(reader.GetString(1));
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            return false;
        }

        foreach (var set in sets)
        {
            var unknown = seen[set.Schema].Except(set.Migrations.Select(m => m.Id), StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
            if (unknown.Length > 0)
            {
                throw new InvalidOperationException(
                    $"The database was made by a newer version: schema {set.Schema} has the step {unknown[^1]}, which this version does not know.");
            }
        }

        return sets.All(s => s.Migrations.All(m => seen[s.Schema].Contains(m.Id)));
    }

    private static async Task PrepareAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(
            connection,
            $"""
            CREATE SCHEMA IF NOT EXISTS {schema};
            CREATE TABLE IF NOT EXISTS {schema}.migrations (id text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
            """,
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task<bool> ApplyOneAsync(NpgsqlConnection connection, string schema, Migration migration, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, $"SET LOCAL search_path = {schema}, public;", cancellationToken);
        await using (var claim = new NpgsqlCommand($"INSERT INTO {schema}.migrations (id) VALUES ($1) ON CONFLICT DO NOTHING", connection))
        {
            claim.Parameters.Add(new NpgsqlParameter<string> { TypedValue = migration.Id });
            if (await claim.ExecuteNonQueryAsync(cancellationToken) == 0) return false;
        }

        await ExecuteAsync(connection, migration.ReadScript(), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string script, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlCommand(script, connection);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}
