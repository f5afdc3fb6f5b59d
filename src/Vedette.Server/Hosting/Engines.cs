using Npgsql;
using Vedette.Defender.State;
using Vedette.Foundation.Migrations;
using Vedette.Foundation.Postgres;
using Vedette.Identity;
using Vedette.Telemetry;

namespace Vedette.Server.Hosting;

/// <summary>
/// Both engines, started side by side on threads of their own while the web host is being built. Each is ready when its schema is up to date.
/// </summary>
internal sealed class Engines : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();

    private Engines(ServerOptions options, DataFolder folder, TimeProvider clock)
    {
        State = Task.Run(() => OpenStateAsync(options, folder, _stopping.Token));
        TelemetryOptions = OptionsOf(options, folder.Telemetry);
        Telemetry = new TelemetryEngine(TelemetryOptions, clock);
        TelemetryReady = Telemetry.StartAsync(_stopping.Token);
    }

    /// <summary>The state database.</summary>
    public Task<StateDatabase> State { get; }

    /// <summary>The telemetry engine; statements that come before it is open wait for it.</summary>
    public TelemetryEngine Telemetry { get; }

    /// <summary>Settings of the telemetry engine.</summary>
    public TelemetryOptions TelemetryOptions { get; }

    /// <summary>Completes when the telemetry engine is open and its schema up to date.</summary>
    public Task TelemetryReady { get; }

    /// <summary>What the options and settings say about telemetry.</summary>
    public static TelemetryOptions OptionsOf(ServerOptions options, string folder) => new()
    {
        Folder = folder,
        ClusterUrl = options.ClickHouse is { } url ? new Uri(url) : null,
        RetentionDays = options.RetentionDays,
        ExternalData = options.Settings.ExternalData,
        TimeGenerated = options.Settings.TimeGenerated,
        RetiredColumns = options.Settings.Hunting.RetiredColumns,
    };

    /// <summary>Starts both and returns at once.</summary>
    public static Engines Start(ServerOptions options, DataFolder folder, TimeProvider clock) => new(options, folder, clock);

    /// <summary>Stops both, also when one of them did not start.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Telemetry.DisposeAsync();
        try
        {
            await (await State).DisposeAsync();
        }
        catch (Exception exception) when (State.IsFaulted || State.IsCanceled)
        {
            // Whoever awaited the database has reported this already.
            _ = exception;
        }

        _stopping.Dispose();
    }

    private static async Task<StateDatabase> OpenStateAsync(ServerOptions options, DataFolder folder, CancellationToken cancellationToken)
    {
        var database = await StateDatabase.OpenAsync(
            new PostgresOptions { DataFolder = folder.Root, ConnectionString = options.Postgres }, cancellationToken);
        try
        {
            await MigrationRunner.ApplyAsync(database.DataSource, [IdentityServices.Migrations, DefenderState.Migrations], cancellationToken);
            return database;
        }
        catch (Exception exception)
        {
            await database.DisposeAsync();
            if (exception is NpgsqlException) throw new InvalidOperationException($"The state database could not be brought up to date: {exception.Message}", exception);
            throw;
        }
    }
}
