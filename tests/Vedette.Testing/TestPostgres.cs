using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;
using Vedette.Foundation.Migrations;
using Vedette.Foundation.Postgres;

namespace Vedette.Testing;

/// <summary>
/// A real PostgreSQL for tests: one engine for each test process, started by the first test that needs it, and a database of its own for each
/// test, copied from a template in some 50 ms.
/// </summary>
public static class TestPostgres
{
    private static readonly Lazy<Task<EmbeddedPostgres>> Engine = new(StartAsync);
    private static readonly ConcurrentDictionary<string, Lazy<Task<string>>> Templates = new(StringComparer.Ordinal);
    private static int _count;

    /// <summary>A new database with the given schemas. Dispose it when the test is over.</summary>
    public static async Task<TestDatabase> CreateAsync(params MigrationSet[] sets)
    {
        var key = string.Join('|', sets.Select(s => $"{s.Schema}:{string.Join(',', s.Migrations.Select(m => m.Id))}"));
        var template = await Templates.GetOrAdd(key, _ => new Lazy<Task<string>>(() => MakeTemplateAsync(sets))).Value;
        var name = NewName("test");
        await AdministerAsync($"CREATE DATABASE {name} TEMPLATE {template}");
        return new TestDatabase(name, await ConnectionStringAsync(name));
    }

    internal static async Task AdministerAsync(string statement)
    {
        var engine = await Engine.Value;
        await using var connection = new NpgsqlConnection(engine.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string> MakeTemplateAsync(MigrationSet[] sets)
    {
        var name = NewName("model");
        await AdministerAsync($"CREATE DATABASE {name}");
        if (sets.Length > 0)
        {
            await using var source = NpgsqlDataSource.Create(await ConnectionStringAsync(name) + ";Pooling=false");
            await MigrationRunner.ApplyAsync(source, sets);
        }

        return name;
    }

    private static async Task<string> ConnectionStringAsync(string database) =>
        new NpgsqlConnectionStringBuilder((await Engine.Value).ConnectionString) { Database = database, MaxPoolSize = 20, IncludeErrorDetail = true }.ConnectionString;

    private static string NewName(string kind) => kind + Interlocked.Increment(ref _count).ToString(CultureInfo.InvariantCulture);

    private static async Task<EmbeddedPostgres> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("vedette-test-").FullName;
        var engine = await EmbeddedPostgres.StartAsync(new PostgresOptions { DataFolder = folder, Durable = false, MaxConnections = 200 });
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            engine.DisposeAsync().AsTask().GetAwaiter().GetResult();
            Directory.Delete(folder, recursive: true);
        };
        return engine;
    }
}

/// <summary>A test's own database.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly string _name;

    internal TestDatabase(string name, string connectionString)
    {
        _name = name;
        ConnectionString = connectionString;
        DataSource = NpgsqlDataSource.Create(connectionString);
    }

    /// <summary>How to reach it, also from another process.</summary>
    public string ConnectionString { get; }

    /// <summary>Opens connections to it.</summary>
    public NpgsqlDataSource DataSource { get; }

    /// <summary>Ends the connections and drops the database.</summary>
    public async ValueTask DisposeAsync()
    {
        await DataSource.DisposeAsync();
        await TestPostgres.AdministerAsync($"DROP DATABASE IF EXISTS {_name} WITH (FORCE)");
    }
}
