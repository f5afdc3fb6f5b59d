using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry;

/// <summary>
/// The engine of a running product: opened by <see cref="StartAsync"/>, with its schema brought up to date and old days dropped from time to
/// time. Calls that come before it is open wait for it, so that everything else can start meanwhile.
/// </summary>
public sealed class TelemetryEngine(TelemetryOptions options, TimeProvider time) : IClickHouse
{
    // Loading every table competes with the rest of the start for the processor, so it waits.
    private static readonly TimeSpan LoadDelay = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource<IClickHouse> _engine = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private Task? _started;
    private Task _background = Task.CompletedTask;

    /// <summary>Opens the engine and brings the schema up to date. Later calls wait for the first.</summary>
    /// <exception cref="ClickHouseException">The folder or the server cannot be opened.</exception>
    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock) return _started ??= Task.Run(() => OpenAsync(cancellationToken), CancellationToken.None);
    }

    /// <summary>Waits for running statements and closes the engine.</summary>
    public async Task StopAsync()
    {
        Task started;
        lock (_lock) started = _started ??= Task.CompletedTask;
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();

        // Whoever waits for an engine that was never started must not wait for ever.
        if (started == Task.CompletedTask) _engine.TrySetException(new ObjectDisposedException(nameof(TelemetryEngine)));
        await started.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _background.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_engine.Task.IsCompletedSuccessfully) await (await _engine.Task).DisposeAsync();
    }

    /// <inheritdoc/>
    public async Task<ClickHouseStatistics> ExecuteAsync(ClickHouseStatement statement, CancellationToken cancellationToken = default) =>
        await (await OpenedAsync(cancellationToken)).ExecuteAsync(statement, cancellationToken);

    /// <inheritdoc/>
    public async Task<ClickHouseReader> QueryAsync(ClickHouseStatement statement, CancellationToken cancellationToken = default) =>
        await (await OpenedAsync(cancellationToken)).QueryAsync(statement, cancellationToken);

    /// <inheritdoc/>
    public async Task<ClickHouseStatistics> InsertAsync(
        ClickHouseStatement statement, IAsyncEnumerable<ReadOnlyMemory<byte>> nativeBlocks, CancellationToken cancellationToken = default) =>
        await (await OpenedAsync(cancellationToken)).InsertAsync(statement, nativeBlocks, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stopping.Dispose();
    }

    private async ValueTask<IClickHouse> OpenedAsync(CancellationToken cancellationToken) => _engine.Task.IsCompletedSuccessfully
        ? _engine.Task.Result
        : await _engine.Task.WaitAsync(cancellationToken);

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        IClickHouse? engine = null;
        try
        {
            engine = options.ClusterUrl is { } url
                ? new HttpClickHouse(url)
                : EmbeddedClickHouse.Open(options.Folder, options.Connections, options.Database);
            var database = new HuntingDatabase(engine, options.Database);
            await database.EnsureAsync(cancellationToken);
            _engine.SetResult(engine);
            _background = Task.WhenAll(LoadTablesAsync(engine), DropOldDaysAsync(database));
        }
        catch (Exception error)
        {
            _engine.TrySetException(error);
            if (engine is not null) await engine.DisposeAsync();
            throw;
        }
    }

    private async Task LoadTablesAsync(IClickHouse engine)
    {
        if (engine is not EmbeddedClickHouse embedded) return;
        await Task.Delay(LoadDelay, _stopping.Token);
        await embedded.LoadTablesAsync(_stopping.Token);
    }

    private async Task DropOldDaysAsync(HuntingDatabase database)
    {
        await Task.Delay(LoadDelay * 5, _stopping.Token);
        using var timer = new PeriodicTimer(options.RetentionInterval, time);
        do
        {
            try
            {
                await database.DropLeftoversAsync(_stopping.Token);
                await database.DropBeforeAsync(time.GetUtcNow().UtcDateTime.AddDays(-options.RetentionDays), _stopping.Token);
            }
            catch (ClickHouseException)
            {
                // Tried again at the next turn.
            }
        }
        while (await timer.WaitForNextTickAsync(_stopping.Token));
    }
}
