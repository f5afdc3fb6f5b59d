using Npgsql;
using Vedette.Defender.State;
using Vedette.Foundation.Migrations;
using Vedette.Foundation.Postgres;
using Vedette.Identity;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Schema;

namespace Vedette.Server.Hosting;

/// <summary>
/// Both engines, started side by side on threads of their own while the web host is being built. Each is ready when its schema is up to date.
/// </summary>
internal sealed class Engines : IAsyncDisposable
{
    /// <summary>Name of the telemetry database.</summary>
    public const string TelemetryDatabase = "vedette";

    private readonly CancellationTokenSource _stopping = new();

    private Engines(ServerOptions options, DataFolder folder)
    {
        State = Task.Run(() => OpenStateAsync(options, folder, _stopping.Token));
        Telemetry = Task.Run(() => OpenTelemetryAsync(folder, _stopping.Token));
    }

    /// <summary>The state database.</summary>
    public Task<StateDatabase> State { get; }

    /// <summary>The telemetry engine.</summary>
    public Task<IClickHouse> Telemetry { get; }

    /// <summary>Starts both and returns at once.</summary>
    public static Engines Start(ServerOptions options, DataFolder folder) => new(options, folder);

    /// <summary>Stops both, also when one of them did not start.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        foreach (var engine in new[] { Close(Telemetry), Close(State) }) await engine;
        _stopping.Dispose();
    }

    private static async Task Close<T>(Task<T> opening)
        where T : IAsyncDisposable
    {
        try
        {
            await (await opening).DisposeAsync();
        }
        catch (Exception exception) when (opening.IsFaulted || opening.IsCanceled)
        {
            // Whoever awaited the engine has reported this already.
            _ = exception;
        }
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

    private static async Task<IClickHouse> OpenTelemetryAsync(DataFolder folder, CancellationToken cancellationToken)
    {
        IClickHouse engine = EmbeddedClickHouse.Open(folder.Telemetry);
        try
        {
            await new HuntingDatabase(engine, TelemetryDatabase).EnsureAsync(cancellationToken);
            return engine;
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }
}
