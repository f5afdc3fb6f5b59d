using Npgsql;

namespace Vedette.Foundation.Postgres;

/// <summary>The state database: embedded or external, with its pool of connections. Disposing it stops what it started.</summary>
public sealed class StateDatabase : IAsyncDisposable
{
    private readonly EmbeddedPostgres? _engine;

    private StateDatabase(NpgsqlDataSource dataSource, EmbeddedPostgres? engine)
    {
        DataSource = dataSource;
        _engine = engine;
    }

    /// <summary>Opens connections.</summary>
    public NpgsqlDataSource DataSource { get; }

    /// <summary>Completes when the embedded engine has ended, wanted or not; never for an external one.</summary>
    public Task Ended => _engine?.Ended ?? Task.Delay(Timeout.Infinite);

    /// <summary>Whether the engine is our own child process.</summary>
    public bool IsEmbedded => _engine is not null;

    /// <summary>Starts the embedded engine, or points at the external one (which is not contacted before the first query).</summary>
    /// <exception cref="PostgresStartException">The embedded engine did not start; the message holds what it said.</exception>
    public static async Task<StateDatabase> OpenAsync(PostgresOptions options, CancellationToken cancellationToken = default)
    {
        if (options.ConnectionString is { Length: > 0 } external)
        {
            return new StateDatabase(Source(new NpgsqlConnectionStringBuilder(external), options), null);
        }

        var engine = await EmbeddedPostgres.StartAsync(options, cancellationToken);
        return new StateDatabase(Source(new NpgsqlConnectionStringBuilder(engine.ConnectionString), options), engine);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await DataSource.DisposeAsync();
        if (_engine is not null) await _engine.DisposeAsync();
    }

    private static NpgsqlDataSource Source(NpgsqlConnectionStringBuilder text, PostgresOptions options)
    {
        if (!text.ContainsKey("Maximum Pool Size")) text.MaxPoolSize = options.MaxConnections;
        if (!text.ContainsKey("Max Auto Prepare")) text.MaxAutoPrepare = 100;
        text.AutoPrepareMinUsages = 2;
        text.ApplicationName ??= "vedette";
        return NpgsqlDataSource.Create(text);
    }
}
