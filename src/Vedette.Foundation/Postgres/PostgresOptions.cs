namespace Vedette.Foundation.Postgres;

/// <summary>How the state database is had.</summary>
public sealed record PostgresOptions
{
    /// <summary>The server's data folder; the embedded engine keeps everything below it. Needed unless <see cref="ConnectionString"/> is set.</summary>
    public string DataFolder { get; init; } = "";

    /// <summary>An external PostgreSQL (an Npgsql connection string); null means the embedded engine.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>Where the embedded engine's <c>bin</c>, <c>lib</c> and <c>share</c> are; null means <see cref="EngineFiles.PostgresFolder"/>.</summary>
    public string? EngineFolder { get; init; }

    /// <summary>
    /// Where engine and cluster go when the server is root and the user that the engine runs as cannot pass through the folders above.
    /// </summary>
    public string SharedFolder { get; init; } = "/var/lib/vedette";

    /// <summary>A loopback TCP port for the embedded engine besides its Unix socket; null (the default) opens none.</summary>
    public int? TcpPort { get; init; }

    /// <summary>
    /// Whether a commit waits until it is on disk. Off only for throw-away databases: a killed server loses nothing either way, a power cut does.
    /// </summary>
    public bool Durable { get; init; } = true;

    /// <summary>Connections that the pool opens, at most.</summary>
    public int MaxConnections { get; init; } = 40;

    /// <summary>How long a start may take, recovery after a crash included.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Receives the engine's own log, line by line; null drops it.</summary>
    public Action<string>? Log { get; init; }
}
