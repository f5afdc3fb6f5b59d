using System.Text.RegularExpressions;
using Npgsql;

namespace Vedette.Foundation.Snapshots;

/// <summary>
/// Copies of everything in one schema of the state database, kept in schemas of their own next to it. Taking, restoring and emptying are one
/// transaction each. The schema's record of migrations is never changed, and a copy is only restored into the tables it was made from.
/// </summary>
public sealed partial class SchemaSnapshots(NpgsqlDataSource database, string schema)
{
    private const string Migrations = "migrations";
    private const string Sequences = "kept_sequences";
    private const int MostAttempts = 8;

    /// <summary>True for a name that a copy can have: a letter and up to 30 more letters, digits and underscores, all lower case.</summary>
    public static bool IsName(string name) => NamePattern().IsMatch(name);

    /// <summary>The names of all copies with the moment they were taken, oldest first.</summary>
    public async Task<IReadOnlyList<(string Name, DateTime TakenAt)>> ListAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            "SELECT nspname, obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE starts_with(nspname, $1)", connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Prefix });
        var found = new List<(string, DateTime)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var taken = reader.IsDBNull(1) ? default : DateTime.Parse(reader.GetString(1), null, System.Globalization.DateTimeStyles.RoundtripKind);
            found.Add((reader.GetString(0)[Prefix.Length..], taken));
        }

        return [.. found.OrderBy(copy => copy.Item2)];
    }

    /// <summary>Takes a copy, in place of one of the same name.</summary>
    public Task TakeAsync(string name, DateTime now, CancellationToken cancellationToken) => InTransactionAsync(
        async connection =>
        {
            var copy = CopyOf(name);
            await ExecuteAsync(connection, $"DROP SCHEMA IF EXISTS {copy} CASCADE; CREATE SCHEMA {copy}; COMMENT ON SCHEMA {copy} IS '{now:O}';", cancellationToken);
            foreach (var table in (await TablesAsync(connection, cancellationToken)).Append(Migrations))
                await ExecuteAsync(connection, $"CREATE TABLE {copy}.{table} AS TABLE {schema}.{table}", cancellationToken);
            await ExecuteAsync(
                connection,
                $"CREATE TABLE {copy}.{Sequences} AS SELECT sequencename, start_value, last_value FROM pg_sequences WHERE schemaname = '{schema}'",
                cancellationToken);
        },
        cancellationToken);

    /// <summary>Puts the state back as it was.</summary>
    /// <exception cref="KeyNotFoundException">There is no copy of that name.</exception>
    /// <exception cref="InvalidOperationException">The copy was taken before the tables changed.</exception>
    public Task RestoreAsync(string name, CancellationToken cancellationToken) => InTransactionAsync(
        async connection =>
        {
            var copy = CopyOf(name);
            if (!await ScalarAsync<bool>(connection, $"SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = '{copy}')", cancellationToken))
                throw new KeyNotFoundException($"There is no snapshot '{name}'.");
            if (!await ScalarAsync<bool>(
                connection,
                $"SELECT (SELECT array_agg(id ORDER BY id) FROM {schema}.{Migrations}) = (SELECT array_agg(id ORDER BY id) FROM {copy}.{Migrations})",
                cancellationToken))
            {
                throw new InvalidOperationException($"The snapshot '{name}' was taken by another version of the server and cannot be restored.");
            }

            var tables = await TablesAsync(connection, cancellationToken);
            await TruncateAsync(connection, tables, cancellationToken);
            foreach (var table in await InOrderOfReferencesAsync(connection, tables, cancellationToken))
            {
                var columns = await ColumnsAsync(connection, table, cancellationToken);
                await ExecuteAsync(connection, $"INSERT INTO {schema}.{table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {copy}.{table}", cancellationToken);
            }

            await ExecuteAsync(
                connection,
                $"SELECT setval(format('{schema}.%I', sequencename)::regclass, coalesce(last_value, start_value), last_value IS NOT NULL) FROM {copy}.{Sequences}",
                cancellationToken);
        },
        cancellationToken);

    /// <summary>Empties every table.</summary>
    public Task EmptyAsync(CancellationToken cancellationToken) => InTransactionAsync(
        async connection => await TruncateAsync(connection, await TablesAsync(connection, cancellationToken), cancellationToken), cancellationToken);

    /// <summary>Deletes a copy; false when there is none of that name.</summary>
    public async Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        var copy = CopyOf(name);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (!await ScalarAsync<bool>(connection, $"SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = '{copy}')", cancellationToken)) return false;
        await ExecuteAsync(connection, $"DROP SCHEMA {copy} CASCADE", cancellationToken);
        return true;
    }

    private string Prefix => $"snapshot_{schema}_";

    private string CopyOf(string name) => IsName(name) ? Prefix + name : throw new ArgumentException($"'{name}' cannot be the name of a snapshot.", nameof(name));

    // Emptying wants every table for itself; work in the background that has one and wants another may stand in the way. The database then ends
    // one of the two, and what was undone is simply done again.
    private async Task InTransactionAsync(Func<NpgsqlConnection, Task> work, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(cancellationToken);
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                await work(connection);
                await transaction.CommitAsync(cancellationToken);
                return;
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.DeadlockDetected && attempt < MostAttempts)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50 * attempt), cancellationToken);
            }
        }
    }

    private async Task<string[]> TablesAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await ListAsync(connection, $"SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = '{schema}' AND tablename <> '{Migrations}' ORDER BY 1", cancellationToken);

    private async Task<string> ColumnsAsync(NpgsqlConnection connection, string table, CancellationToken cancellationToken) => string.Join(", ", await ListAsync(
        connection,
        $"SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = '{schema}.{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
        cancellationToken));

    // A table comes after those that it refers to.
    private async Task<IReadOnlyList<string>> InOrderOfReferencesAsync(NpgsqlConnection connection, string[] tables, CancellationToken cancellationToken)
    {
        var references = (await ListAsync(
            connection,
            $"""
            SELECT DISTINCT quote_ident(child.relname) || ' ' || quote_ident(parent.relname)
            FROM pg_constraint JOIN pg_class child ON child.oid = conrelid JOIN pg_class parent ON parent.oid = confrelid
            WHERE contype = 'f' AND connamespace = '{schema}'::regnamespace AND conrelid <> confrelid
            """,
            cancellationToken)).Select(pair => pair.Split(' ')).ToLookup(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
        var ordered = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var table in tables) Visit(table);
        return ordered;

        void Visit(string table)
        {
            if (!seen.Add(table)) return;
            foreach (var parent in references[table]) Visit(parent);
            ordered.Add(table);
        }
    }

    private Task TruncateAsync(NpgsqlConnection connection, string[] tables, CancellationToken cancellationToken) =>
        tables.Length == 0
            ? Task.CompletedTask
            : ExecuteAsync(connection, $"TRUNCATE {string.Join(", ", tables.Select(table => $"{schema}.{table}"))} RESTART IDENTITY", cancellationToken);

    private static async Task<string[]> ListAsync(NpgsqlConnection connection, string query, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(query, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<string>();
        while (await reader.ReadAsync(cancellationToken)) found.Add(reader.GetString(0));
        return [.. found];
    }

    private static async Task<T> ScalarAsync<T>(NpgsqlConnection connection, string query, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(query, connection);
        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string script, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(script, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [GeneratedRegex("^[a-z][a-z0-9_]{0,30}$")]
    private static partial Regex NamePattern();
}
