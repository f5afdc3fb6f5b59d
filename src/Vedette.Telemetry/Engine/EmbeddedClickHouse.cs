using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using Vedette.Telemetry.Engine.Native;

namespace Vedette.Telemetry.Engine;

/// <summary>
/// ClickHouse in this process, through libchdb. A process has one engine and one data folder at a time; opening a second one waits for
/// nothing and fails. Dispose it before the process ends: the library crashes at exit when it is left open.
/// </summary>
public sealed class EmbeddedClickHouse : IClickHouse
{
    // After this long a query's memory and processor time are worth a look at the process list.
    private static readonly TimeSpan WorthMeasuring = TimeSpan.FromMilliseconds(50);

    private static readonly Lock Gate = new();
    private static EmbeddedClickHouse? _open;
    private static long _lastId;

    private readonly ChdbConnection[] _connections;
    private readonly ChdbConnection _control;
    private readonly Channel<ChdbConnection> _idle = Channel.CreateUnbounded<ChdbConnection>();
    private readonly SemaphoreSlim _controlGate = new(1, 1);
    private bool _disposed;

    private EmbeddedClickHouse(string folder, ChdbConnection[] connections, ChdbConnection control)
    {
        Folder = folder;
        _connections = connections;
        _control = control;
        foreach (var connection in connections) _idle.Writer.TryWrite(connection);
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
    }

    /// <summary>The data folder.</summary>
    public string Folder { get; }

    /// <summary>Opens a data folder, made when it does not exist. Takes about 100 ms for the first folder of a process.</summary>
    /// <param name="folder">Where tables are kept.</param>
    /// <param name="connections">Statements that may run at the same time; others wait.</param>
    /// <param name="extraArguments">More arguments of the engine, for instance <c>--config-file=…</c>.</param>
    /// <exception cref="ClickHouseException">The folder cannot be opened.</exception>
    /// <exception cref="InvalidOperationException">This process has an engine open already.</exception>
    public static EmbeddedClickHouse Open(string folder, int connections = 8, params string[] extraArguments)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(connections, 1);
        lock (Gate)
        {
            if (_open is not null) throw new InvalidOperationException($"The telemetry engine is open already, on {_open.Folder}.");
            Directory.CreateDirectory(folder);
            SignalGuard.Run(static () =>
            {
                ChdbLibrary.SetSignalHandlersEnabled(0);
                return true;
            });
            string[] arguments = [$"--path={Path.GetFullPath(folder)}", .. extraArguments];
            var opened = new List<ChdbConnection>();
            try
            {
                for (var i = 0; i <= connections; i++) opened.Add(ChdbConnection.Open(arguments, i));
            }
            catch
            {
                opened.ForEach(static c => c.Dispose());
                throw;
            }

            return _open = new EmbeddedClickHouse(folder, [.. opened.Skip(1)], opened[0]);
        }
    }

    /// <inheritdoc/>
    public async Task<ClickHouseStatistics> ExecuteAsync(ClickHouseStatement statement, CancellationToken cancellationToken = default)
    {
        var started = Stopwatch.GetTimestamp();
        var connection = await RentAsync(cancellationToken);
        try
        {
            var id = NextId();
            var statistics = await WatchAsync(connection.RunAsync(c => c.Execute(statement, id)), id, cancellationToken);
            var elapsed = Stopwatch.GetElapsedTime(started);
            return statistics with { Elapsed = elapsed, CpuTime = elapsed };
        }
        finally
        {
            Return(connection);
        }
    }

    /// <inheritdoc/>
    public async Task<ClickHouseReader> QueryAsync(ClickHouseStatement statement, CancellationToken cancellationToken = default)
    {
        var started = Stopwatch.GetTimestamp();
        var connection = await RentAsync(cancellationToken);
        try
        {
            var id = NextId();
            var stream = await WatchAsync(connection.RunAsync(c => c.OpenStream(statement, id)), id, cancellationToken);
            return new Reader(this, connection, stream, id, started, cancellationToken);
        }
        catch
        {
            Return(connection);
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<ClickHouseStatistics> InsertAsync(
        ClickHouseStatement statement, IAsyncEnumerable<ReadOnlyMemory<byte>> nativeBlocks, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(nativeBlocks);
        var started = Stopwatch.GetTimestamp();
        var connection = await RentAsync(cancellationToken);
        try
        {
            var id = NextId();
            nint insert = 0;
            try
            {
                await foreach (var block in nativeBlocks.WithCancellation(cancellationToken))
                {
                    if (insert == 0) insert = await WatchAsync(connection.RunAsync(c => c.OpenInsert(statement, id)), id, cancellationToken);
                    await WatchAsync(connection.RunAsync(_ => ChdbConnection.Append(insert, block)), id, cancellationToken);
                }

                if (insert == 0) return default;
                var finishing = insert;
                insert = 0;
                var statistics = await WatchAsync(connection.RunAsync(_ => ChdbConnection.FinishInsert(finishing)), id, cancellationToken);
                var elapsed = Stopwatch.GetElapsedTime(started);
                return statistics with { Elapsed = elapsed, CpuTime = elapsed };
            }
            catch when (insert != 0)
            {
                await connection.RunAsync(_ => ChdbConnection.AbortInsert(insert));
                throw;
            }
        }
        finally
        {
            Return(connection);
        }
    }

    /// <summary>Waits for running statements, closes all connections and ends the engine's threads.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        for (var i = 0; i < _connections.Length; i++) await _idle.Reader.ReadAsync();
        _idle.Writer.Complete();
        Close();
    }

    private static string NextId() => string.Create(CultureInfo.InvariantCulture, $"vedette:{Interlocked.Increment(ref _lastId)}");

    private async ValueTask<ChdbConnection> RentAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return await _idle.Reader.ReadAsync(cancellationToken);
    }

    private void Return(ChdbConnection connection) => _idle.Writer.TryWrite(connection);

    // Waits for a native call. When the token is cancelled the statement is killed inside the engine, and the call then ends with an error;
    // the connection is never abandoned.
    private async Task<T> WatchAsync<T>(Task<T> call, string id, CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled) return await call;
        try
        {
            return await call.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (!call.IsCompleted)
        {
            while (!call.IsCompleted)
            {
                // Repeated because the statement may not have reached the process list yet.
                await KillAsync(id);
                await Task.WhenAny(call, Task.Delay(20, CancellationToken.None));
            }
        }

        try
        {
            return await call;
        }
        catch (ClickHouseException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    private async Task KillAsync(string id)
    {
        await _controlGate.WaitAsync();
        try
        {
            await _control.RunAsync(c => c.Execute(new ClickHouseStatement("KILL QUERY WHERE startsWith(query, {id:String}) ASYNC")
            {
                Parameters = [new("id", $"/*{id}*/")],
            }, ""));
        }
        catch (ClickHouseException)
        {
            // The statement ended by itself meanwhile.
        }
        finally
        {
            _controlGate.Release();
        }
    }

    private async Task<(long PeakMemory, TimeSpan Cpu)?> MeasureAsync(string id)
    {
        await _controlGate.WaitAsync();
        try
        {
            var fields = new NativeBlockReader.FieldCache();
            return await _control.RunAsync<(long, TimeSpan)?>(c =>
            {
                var stream = c.OpenStream(new ClickHouseStatement(
                    "SELECT peak_memory_usage, ProfileEvents['UserTimeMicroseconds'] + ProfileEvents['SystemTimeMicroseconds'] "
                    + "FROM system.processes WHERE startsWith(query, {id:String})") { Parameters = [new("id", $"/*{id}*/")] }, "");
                try
                {
                    var (blocks, _, _) = c.Fetch(stream, fields);
                    if (blocks.Count == 0) return null;
                    return (Convert.ToInt64(blocks[0].Columns[0][0], CultureInfo.InvariantCulture),
                        TimeSpan.FromMicroseconds(Convert.ToInt64(blocks[0].Columns[1][0], CultureInfo.InvariantCulture)));
                }
                finally
                {
                    c.CloseStream(stream, finished: false);
                }
            });
        }
        finally
        {
            _controlGate.Release();
        }
    }

    private void OnProcessExit(object? sender, EventArgs e)
    {
        // The process ends without having disposed the engine: close what is idle. Closing a connection under a running query aborts.
        if (_disposed) return;
        _disposed = true;
        for (var i = 0; i < _connections.Length; i++)
        {
            var wait = Stopwatch.StartNew();
            while (!_idle.Reader.TryRead(out _))
            {
                if (wait.Elapsed > TimeSpan.FromSeconds(5)) return;
                Thread.Sleep(10);
            }
        }

        Close();
    }

    private void Close()
    {
        lock (Gate)
        {
            foreach (var connection in _connections) connection.Dispose();
            _control.Dispose();
            _ = ChdbLibrary.Shutdown();
            if (_open == this) _open = null;
        }
    }

    private sealed class Reader(
        EmbeddedClickHouse engine, ChdbConnection connection, nint stream, string id, long started, CancellationToken cancellationToken)
        : ClickHouseReader
    {
        private readonly NativeBlockReader.FieldCache _fields = new();
        private readonly Queue<ClickHouseBlock> _blocks = new();
        private bool _finished;
        private bool _disposed;
        private long _rowsRead;
        private long _bytesRead;
        private long _measured;
        private long _peakMemory;
        private TimeSpan? _cpu;

        public override ClickHouseStatistics Statistics
        {
            get
            {
                var elapsed = Stopwatch.GetElapsedTime(started);
                return new ClickHouseStatistics(elapsed, _rowsRead, _bytesRead, 0, _peakMemory, _cpu ?? elapsed);
            }
        }

        public override async ValueTask<ClickHouseBlock?> ReadAsync()
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_blocks.TryDequeue(out var ready)) return ready;
            if (_finished) return null;
            try
            {
                var (blocks, rows, bytes) = await engine.WatchAsync(connection.RunAsync(c => c.Fetch(stream, _fields)), id, cancellationToken);
                _rowsRead += rows;
                _bytesRead += bytes;
                foreach (var block in blocks) _blocks.Enqueue(block);
            }
            catch
            {
                _finished = true;
                throw;
            }

            if (_blocks.Count == 0)
            {
                _finished = true;
                return null;
            }

            // An aggregation has done all its work before its first block, so that is the time to look; then once a second.
            if (Stopwatch.GetElapsedTime(_measured == 0 ? started : _measured) > (_measured == 0 ? WorthMeasuring : TimeSpan.FromSeconds(1)))
            {
                _measured = Stopwatch.GetTimestamp();
                if (await engine.MeasureAsync(id) is { } usage) (_peakMemory, _cpu) = usage;
            }

            return _blocks.Dequeue();
        }

        public override async ValueTask DisposeAsync()
        {
            if (_disposed) return;
            _disposed = true;
            try
            {
                await connection.RunAsync(c => c.CloseStream(stream, _finished));
            }
            finally
            {
                engine.Return(connection);
            }
        }
    }
}
