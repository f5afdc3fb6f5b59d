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

    // Beside this engine the same machine runs the rest of the product, PostgreSQL and whatever else its owner does.
    private const string ServerSettings = """
        <clickhouse>
          <max_server_memory_usage_to_ram_ratio>0.5</max_server_memory_usage_to_ram_ratio>
          <mark_cache_size>536870912</mark_cache_size>
          <primary_index_cache_size>536870912</primary_index_cache_size>
        </clickhouse>

        """;

    private static readonly Lock Gate = new();
    private static EmbeddedClickHouse? _open;
    private static long _lastId;

    private readonly ChdbConnection[] _connections;
    private readonly ChdbConnection _control;
    // A query may keep what it reads in a table while it still reads: with connections of their own, writes never wait for readers that wait for them.
    private readonly Channel<ChdbConnection> _readers = Channel.CreateUnbounded<ChdbConnection>();
    private readonly Channel<ChdbConnection> _writers = Channel.CreateUnbounded<ChdbConnection>();
    private readonly int _readerCount;
    private readonly SemaphoreSlim _controlGate = new(1, 1);
    private readonly DeferredTables? _deferred;
    private bool _disposed;

    private EmbeddedClickHouse(string folder, string? deferredDatabase, IReadOnlyList<string> arguments, int connections)
    {
        Folder = folder;
        if (deferredDatabase is not null)
            _deferred = DeferredTables.Mark(folder, deferredDatabase, sql => RunAsync(new ClickHouseStatement(sql), CancellationToken.None));
        var opened = new List<ChdbConnection>();
        try
        {
            for (var i = 0; i <= connections + Writers(connections); i++) opened.Add(ChdbConnection.Open(arguments, i));
        }
        catch
        {
            opened.ForEach(static c => c.Dispose());
            throw;
        }

        _control = opened[0];
        _connections = [.. opened.Skip(1)];
        _readerCount = connections;
        for (var i = 0; i < _connections.Length; i++) Return(i < connections ? _readers : _writers, _connections[i]);
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
    }

    /// <summary>The data folder.</summary>
    public string Folder { get; }

    /// <summary>Opens a data folder, made when it does not exist. Takes about 100 ms for the first folder of a process.</summary>
    /// <param name="folder">Where tables are kept.</param>
    /// <param name="connections">Queries that may run at the same time; others wait. Statements that write have half as many beside them.</param>
    /// <param name="deferredDatabase">A database whose tables are loaded when they are first named in a statement; see <see cref="LoadTablesAsync"/>.</param>
    /// <param name="extraArguments">Arguments of the engine instead of its usual server settings, for instance <c>--config-file=…</c>.</param>
    /// <exception cref="ClickHouseException">The folder cannot be opened.</exception>
    /// <exception cref="InvalidOperationException">This process has an engine open already.</exception>
    public static EmbeddedClickHouse Open(
        string folder, int connections = 8, string? deferredDatabase = null, IReadOnlyList<string>? extraArguments = null)
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
            return _open = new EmbeddedClickHouse(
                folder,
                deferredDatabase,
                [$"--path={Path.GetFullPath(folder)}", .. extraArguments ?? [$"--config-file={WriteSettings(folder)}"]],
                connections);
        }
    }

    /// <summary>Loads the tables that no statement has needed yet, one after the other.</summary>
    public Task LoadTablesAsync(CancellationToken cancellationToken = default) => _deferred?.LoadAllAsync(cancellationToken) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public async Task<ClickHouseStatistics> ExecuteAsync(ClickHouseStatement statement, CancellationToken cancellationToken = default)
    {
        await RequireTablesAsync(statement);
        return await RunAsync(statement, cancellationToken);
    }

    private async Task<ClickHouseStatistics> RunAsync(ClickHouseStatement statement, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var connection = await RentAsync(_writers, cancellationToken);
        try
        {
            var id = NextId();
            var statistics = await WatchAsync(connection.RunAsync(c => c.Execute(statement, id)), id, cancellationToken);
            var elapsed = Stopwatch.GetElapsedTime(started);
            return statistics with { Elapsed = elapsed, CpuTime = elapsed };
        }
        finally
        {
            Return(_writers, connection);
        }
    }

    /// <inheritdoc/>
    public async Task<ClickHouseReader> QueryAsync(ClickHouseStatement statement, CancellationToken cancellationToken = default)
    {
        await RequireTablesAsync(statement);
        var started = Stopwatch.GetTimestamp();
        var connection = await RentAsync(_readers, cancellationToken);
        try
        {
            var id = NextId();
            var stream = await WatchAsync(connection.RunAsync(c => c.OpenStream(statement, id)), id, cancellationToken);
            return new Reader(this, connection, stream, id, started, cancellationToken);
        }
        catch
        {
            Return(_readers, connection);
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<ClickHouseStatistics> InsertAsync(
        ClickHouseStatement statement, IAsyncEnumerable<ReadOnlyMemory<byte>> nativeBlocks, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(nativeBlocks);
        await RequireTablesAsync(statement);
        var started = Stopwatch.GetTimestamp();
        var connection = await RentAsync(_writers, cancellationToken);
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
            Return(_writers, connection);
        }
    }

    /// <summary>Waits for running statements, closes all connections and ends the engine's threads.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        for (var i = 0; i < _connections.Length; i++) await (i < _readerCount ? _readers : _writers).Reader.ReadAsync();
        _readers.Writer.Complete();
        _writers.Writer.Complete();
        Close();
    }

    private static string WriteSettings(string folder)
    {
        var file = Path.GetFullPath(Path.Combine(folder, "engine.xml"));
        if (!File.Exists(file) || File.ReadAllText(file) != ServerSettings) File.WriteAllText(file, ServerSettings);
        return file;
    }

    private Task RequireTablesAsync(ClickHouseStatement statement) => _deferred?.RequireAsync(statement.Sql) ?? Task.CompletedTask;

    private static string NextId() => string.Create(CultureInfo.InvariantCulture, $"vedette:{Interlocked.Increment(ref _lastId)}");

    private static int Writers(int connections) => Math.Max(1, connections / 2);

    private async ValueTask<ChdbConnection> RentAsync(Channel<ChdbConnection> pool, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return await pool.Reader.ReadAsync(cancellationToken);
    }

    private static void Return(Channel<ChdbConnection> pool, ChdbConnection connection) => pool.Writer.TryWrite(connection);

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

    private async Task<Usage?> MeasureAsync(string id)
    {
        await _controlGate.WaitAsync();
        try
        {
            return await _control.RunAsync<Usage?>(c =>
            {
                using var stream = c.OpenStream(new ClickHouseStatement(
                    "SELECT toInt64(peak_memory_usage), toInt64(ProfileEvents['UserTimeMicroseconds'] + ProfileEvents['SystemTimeMicroseconds']), "
                    + "toInt64(read_rows), toInt64(read_bytes) FROM system.processes WHERE startsWith(query, {id:String})")
                {
                    Parameters = [new("id", $"/*{id}*/")],
                }, "");
                if (!stream.Blocks.TryDequeue(out var block)) return null;
                var numbers = block.Columns.Select(static column => (long)column[0]!).ToArray();
                return new Usage(numbers[0], TimeSpan.FromMicroseconds(numbers[1]), numbers[2], numbers[3]);
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
            while (!(i < _readerCount ? _readers : _writers).Reader.TryRead(out _))
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

    private sealed record Usage(long PeakMemory, TimeSpan Cpu, long RowsRead, long BytesRead);

    private sealed class Reader(
        EmbeddedClickHouse engine, ChdbConnection connection, ChdbStream stream, string id, long started, CancellationToken cancellationToken)
        : ClickHouseReader
    {
        private bool _disposed;
        private long _measured;
        private Usage? _usage;

        public override ClickHouseStatistics Statistics
        {
            get
            {
                var elapsed = Stopwatch.GetElapsedTime(started);
                return new ClickHouseStatistics(
                    elapsed,
                    Math.Max(stream.RowsRead, _usage?.RowsRead ?? 0),
                    Math.Max(stream.BytesRead, _usage?.BytesRead ?? 0),
                    0,
                    _usage?.PeakMemory ?? 0,
                    _usage?.Cpu ?? elapsed);
            }
        }

        public override async ValueTask<ClickHouseBlock?> ReadAsync()
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            while (stream.Blocks.Count == 0 && !stream.Finished)
                await engine.WatchAsync(connection.RunAsync(_ => stream.Fetch()), id, cancellationToken);

            // An aggregation has done all its work before its first block, so that is the time to look; then once a second.
            if (!stream.Finished
                && Stopwatch.GetElapsedTime(_measured == 0 ? started : _measured) > (_measured == 0 ? WorthMeasuring : TimeSpan.FromSeconds(1)))
            {
                _measured = Stopwatch.GetTimestamp();
                _usage = await engine.MeasureAsync(id) ?? _usage;
            }

            return stream.Blocks.TryDequeue(out var block) ? block : null;
        }

        public override async ValueTask DisposeAsync()
        {
            if (_disposed) return;
            _disposed = true;
            try
            {
                await connection.RunAsync(_ =>
                {
                    stream.Dispose();
                    return true;
                });
            }
            finally
            {
                Return(engine._readers, connection);
            }
        }
    }
}
