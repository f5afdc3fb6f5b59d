using System.Globalization;
using System.Security.Cryptography;
using Npgsql;

namespace Vedette.Foundation.Postgres;

/// <summary>
/// PostgreSQL as a child process: made on first use, reached over a Unix socket that only its owner can open, ended with this process however
/// that ends. As root it runs as an unprivileged user.
/// </summary>
public sealed class EmbeddedPostgres : IAsyncDisposable
{
    private const string Superuser = "vedette";
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(10);
    private readonly EnginePlace _place;
    private readonly EngineProcess _process;

    private EmbeddedPostgres(EnginePlace place, EngineProcess process, string connectionString)
    {
        _place = place;
        _process = process;
        ConnectionString = connectionString;
    }

    /// <summary>An Npgsql connection string for the state database. It holds the password: keep it out of logs.</summary>
    public string ConnectionString { get; }

    /// <summary>The engine's process.</summary>
    public int ProcessId => _process.Id;

    /// <summary>Completes when the engine has ended, wanted or not.</summary>
    public Task Ended => _process.Ended;

    /// <summary>Makes the cluster when there is none, clears what a killed server left, starts the engine and waits until it answers.</summary>
    /// <exception cref="PostgresStartException">It did not start; the message holds what the engine said.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(PostgresOptions options, CancellationToken cancellationToken = default)
    {
        var place = EnginePlace.Choose(options);
        if (File.Exists(Path.Combine(place.Cluster, "PG_VERSION"))) await Leftovers.ClearAsync(place, cancellationToken);
        else await CreateAsync(place, options, cancellationToken);

        place.PrepareSocketFolder();
        var process = EngineProcess.Start(
            Path.Combine(place.Engine, "bin", "postgres"),
            ["-D", place.Cluster, .. Settings(place, options).SelectMany(s => new[] { "-c", $"{s.Name}={s.Value}" })],
            place.Account,
            "INT",
            place.Cluster,
            "database system is ready to accept connections",
            options.Log);
        var connectionString = new NpgsqlConnectionStringBuilder
        {
            Host = place.SocketFolder,
            Username = Superuser,
            Password = (await File.ReadAllTextAsync(place.PasswordFile, cancellationToken)).Trim(),
            Database = "postgres",
        }.ConnectionString;

        var engine = new EmbeddedPostgres(place, process, connectionString);
        try
        {
            var first = await Task.WhenAny(process.Ready, process.Ended).WaitAsync(options.StartTimeout, cancellationToken);
            if (first != process.Ready) throw new PostgresStartException($"PostgreSQL ended at once. It said:\n{process.LastWords}");
            return engine;
        }
        catch (TimeoutException exception)
        {
            await engine.DisposeAsync();
            throw new PostgresStartException($"PostgreSQL was not ready after {options.StartTimeout.TotalSeconds} s. It said:\n{process.LastWords}", exception);
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the engine: it ends open sessions, writes a checkpoint and goes.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var signal in new[] { Posix.Interrupt, Posix.Quit, Posix.Kill })
        {
            _process.Signal(signal);
            try
            {
                await _process.Ended.WaitAsync(StopPatience);
                break;
            }
            catch (TimeoutException)
            {
                // It takes too long: the next signal is a sterner one.
            }
        }

        _place.RemoveSocketFolder();
    }

    private static IEnumerable<(string Name, string Value)> Settings(EnginePlace place, PostgresOptions options)
    {
        yield return ("cluster_name", place.ClusterName);
        yield return ("unix_socket_directories", place.SocketFolder);
        yield return ("unix_socket_permissions", "0700");
        yield return ("listen_addresses", options.TcpPort is null ? "" : "127.0.0.1");
        if (options.TcpPort is { } port) yield return ("port", port.ToString(CultureInfo.InvariantCulture));
        yield return ("max_connections", (options.MaxConnections + 10).ToString(CultureInfo.InvariantCulture));

        // One small server on one machine: no replication, little memory, few helper processes, and a quick start also after a crash.
        yield return ("shared_buffers", "64MB");
        yield return ("wal_level", "minimal");
        yield return ("max_wal_senders", "0");
        yield return ("max_wal_size", "512MB");
        yield return ("io_method", "sync");
        yield return ("jit", "off");
        yield return ("max_worker_processes", "2");
        yield return ("max_logical_replication_workers", "0");
        yield return ("max_parallel_workers_per_gather", "0");
        yield return ("random_page_cost", "1.1");
        yield return ("huge_pages", "off");
        yield return ("log_checkpoints", "off");
        yield return ("log_line_prefix", "");
        yield return ("log_statement", "none");
        yield return ("log_min_error_statement", "panic");
        if (options.Durable)
        {
            yield return ("recovery_init_sync_method", "syncfs");
        }
        else
        {
            yield return ("fsync", "off");
            yield return ("synchronous_commit", "off");
            yield return ("full_page_writes", "off");
        }
    }

    private static async Task CreateAsync(EnginePlace place, PostgresOptions options, CancellationToken cancellationToken)
    {
        // Made under another name and then renamed: a crash in between leaves nothing that looks like a cluster.
        var next = place.Cluster + ".new";
        if (Directory.Exists(next)) Directory.Delete(next, recursive: true);
        Files.CreateFolder(next);

        // The password is 256 random bits, so stretching it would only make each new connection slower.
        var password = RandomNumberGenerator.GetHexString(64, lowercase: true);
        Files.Write(place.PasswordFile, password);
        var handover = Path.Combine(place.Home, "postgres.handover");
        Files.Write(handover, password);
        try
        {
            place.Own(next);
            place.Own(handover);
            string[] arguments =
            [
                "--pgdata", next, "--username", Superuser, "--auth", "scram-sha-256", "--pwfile", handover, "--encoding", "UTF8",
                "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-sync", "--no-instructions",
                "--wal-segsize", "4", "-c", "scram_iterations=1", "-c", "max_connections=20", "-c", "shared_buffers=16MB",
                "-c", "dynamic_shared_memory_type=posix", "-c", "log_timezone=UTC", "-c", "timezone=UTC",
            ];
            var process = EngineProcess.Start(Path.Combine(place.Engine, "bin", "initdb"), arguments, place.Account, "KILL", next, null, options.Log);
            int code;
            try
            {
                code = await process.Ended.WaitAsync(options.StartTimeout, cancellationToken);
            }
            catch
            {
                process.Signal(Posix.Kill);
                throw;
            }

            if (code != 0) throw new PostgresStartException($"PostgreSQL's data folder cannot be made (initdb answered {code}). It said:\n{process.LastWords}");
        }
        finally
        {
            File.Delete(handover);
        }

        Directory.Move(next, place.Cluster);
    }
}
