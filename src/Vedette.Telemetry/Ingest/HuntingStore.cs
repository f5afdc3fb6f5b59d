using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Import;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Ingest;

/// <summary>
/// Writes hunting rows. Appends that arrive close together share inserts, so that many small writers do not leave many small parts. A call
/// returns when its rows are stored and visible.
/// </summary>
/// <remarks>
/// Each row carries a number made from its append's deduplication token. Before rows with a token are written, the store looks for that
/// number, day by day, in the days that the rows belong to: an append that a crash cut off continues with the days that are missing. A part
/// of the engine becomes visible as a whole or not at all, and all rows of one token, table and day go into one part, or into several with
/// numbers of their own.
/// </remarks>
public sealed class HuntingStore : IHuntingStore, IHuntingStateStore, IAsyncDisposable
{
    private const int StatePiece = 50_000;

    private readonly IClickHouse _engine;
    private readonly string _database;
    private readonly TimeProvider _time;
    private readonly HuntingStoreOptions _options;
    private readonly IReadOnlyList<IArrivalListener> _listeners;
    private readonly Lock _lock = new();
    private readonly SortedSet<(DateTime Arrival, long Flush)> _running = [];
    private List<Append> _waiting = [];
    private int _waitingRows;
    private Task _flusher = Task.CompletedTask;
    private long _lastFlush;
    private DateTime _lastArrival;
    private TimeSpan _pause;

    /// <summary>Writes into a database that <see cref="HuntingDatabase"/> made.</summary>
    /// <param name="engine">Where the database is.</param>
    /// <param name="database">Its name.</param>
    /// <param name="time">What gives the times of arrival.</param>
    /// <param name="options">How appends are put together.</param>
    /// <param name="listeners">Who hears of arrivals.</param>
    public HuntingStore(
        IClickHouse engine, string database, TimeProvider time, HuntingStoreOptions? options = null, IEnumerable<IArrivalListener>? listeners = null)
    {
        _listeners = [.. listeners ?? []];
        _engine = engine;
        _database = ClickHouseName.Quote(database);
        _time = time;
        _options = options ?? new HuntingStoreOptions();
    }

    /// <inheritdoc/>
    public DateTime CompleteUntil
    {
        get
        {
            lock (_lock)
            {
                // Arrivals go up, also with a clock that stands still or was set back: the next is then one tick after the last.
                if (_running.Count > 0) return _running.Min.Arrival;
                var now = _time.GetUtcNow().UtcDateTime;
                return now > _lastArrival ? now : _lastArrival.AddTicks(1);
            }
        }
    }

    /// <inheritdoc/>
    public Task AppendAsync(Guid tenantId, IReadOnlyList<HuntingRow> rows, string? deduplicationToken, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rows);
        cancellationToken.ThrowIfCancellationRequested();
        if (rows.Count == 0) return Task.CompletedTask;
        var append = new Append(tenantId, rows, deduplicationToken);
        lock (_lock)
        {
            _waiting.Add(append);
            _waitingRows += rows.Count;
            if (_flusher.IsCompleted) _flusher = Task.Run(FlushAsync, CancellationToken.None);
        }

        // Rows that were handed over are written even when the caller leaves: half an append would be worse than a whole one.
        return append.Done.Task.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<long> ReplaceAsync(Guid tenantId, string table, IAsyncEnumerable<HuntingRow> rows, string token, CancellationToken cancellationToken)
    {
        // A piece has one number, because it is never larger than an insert.
        var numbers = new List<ulong>();
        var piece = new List<HuntingRow>();
        var count = 0L;
        await foreach (var row in rows.WithCancellation(cancellationToken))
        {
            piece.Add(row);
            if (piece.Count == Math.Min(StatePiece, _options.RowsPerInsert)) await WritePieceAsync();
        }

        if (piece.Count > 0) await WritePieceAsync();
        var name = $"{_database}.{ClickHouseName.Quote(table)}";
        var others = $"{PhysicalTable.TenantColumn} = {{tenant:UUID}} AND {PhysicalTable.BatchColumn} NOT IN {{numbers:Array(UInt64)}}";
        ClickHouseParameter[] parameters = [new("tenant", tenantId), new("numbers", numbers.ToArray())];
        var old = await _engine.RowsAsync(new ClickHouseStatement($"SELECT 1 FROM {name} WHERE {others} LIMIT 1") { Parameters = parameters }, cancellationToken);
        if (old.Count > 0) await _engine.ExecuteAsync(new ClickHouseStatement($"DELETE FROM {name} WHERE {others}") { Parameters = parameters }, cancellationToken);
        return count;

        async Task WritePieceAsync()
        {
            var pieceToken = $"{token}/{table}/{numbers.Count}";
            await AppendAsync(tenantId, piece, pieceToken, cancellationToken);
            numbers.Add(Append.NumberOf(tenantId, 0, pieceToken));
            count += piece.Count;
            piece = [];
        }
    }

    /// <summary>Waits until what was handed over is stored.</summary>
    public async ValueTask DisposeAsync()
    {
        Task flusher;
        lock (_lock) flusher = _flusher;
        await flusher.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task FlushAsync()
    {
        while (true)
        {
            await PauseAsync();
            List<Append> appends;
            lock (_lock)
            {
                if (_waiting.Count == 0)
                {
                    _flusher = Task.CompletedTask;
                    return;
                }

                (appends, _waiting) = TakeDistinct(_waiting);
                _waitingRows = _waiting.Sum(static a => a.RowCount);
                _lastFlush = Stopwatch.GetTimestamp();
            }

            await WriteAsync(appends);
            lock (_lock)
            {
                // The engine merges small parts in the background: the longer a write took, the more room it gets.
                var took = Stopwatch.GetElapsedTime(_lastFlush);
                _pause = took < _options.ShortestPause ? _options.ShortestPause : took > _options.LongestPause ? _options.LongestPause : took;
            }
        }
    }

    // Appends with the same token take turns, so that the later one finds the number of the earlier.
    private static (List<Append> Taken, List<Append> Left) TakeDistinct(List<Append> waiting)
    {
        var tokens = new HashSet<(Guid, string)>();
        var left = new List<Append>();
        var taken = new List<Append>(waiting.Count);
        foreach (var append in waiting)
            (append.Token is null || tokens.Add((append.TenantId, append.Token)) ? taken : left).Add(append);
        return (taken, left);
    }

    // Pacing goes by the machine's clock, whatever time the product is told.
    private async Task PauseAsync()
    {
        TimeSpan left;
        lock (_lock)
        {
            if (_lastFlush == 0 || _waitingRows >= _options.RowsWithoutPause) return;
            left = _pause - Stopwatch.GetElapsedTime(_lastFlush);
        }

        if (left > TimeSpan.Zero) await Task.Delay(left);
    }

    private async Task WriteAsync(List<Append> appends)
    {
        (DateTime Arrival, long Flush) mark;
        lock (_lock)
        {
            // Arrival times never go back, so that a window of arrivals, once complete, stays complete.
            var now = _time.GetUtcNow().UtcDateTime;
            _lastArrival = now > _lastArrival ? now : _lastArrival.AddTicks(1);
            mark = (_lastArrival, _lastFlush);
            _running.Add(mark);
        }

        var told = _listeners.Count == 0 ? Task.CompletedTask : Task.Run(() => Tell(appends, mark.Arrival));
        var failures = await TryWriteAsync(appends, mark.Arrival);
        await told.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock) _running.Remove(mark);

        // Who waits goes on only now, and finds its rows counted as complete.
        for (var index = 0; index < appends.Count; index++)
        {
            if (failures[index] is { } failure) appends[index].Done.TrySetException(failure);
            else appends[index].Done.TrySetResult();
        }

        if (_listeners.Count == 0) return;
        foreach (var tenant in appends.Select(static a => a.TenantId).Distinct())
            foreach (var listener in _listeners) listener.Arrived(tenant);
    }

    private void Tell(List<Append> appends, DateTime arrival)
    {
        foreach (var part in appends.GroupBy(static a => (a.TenantId, a.Imported)))
        {
            var rows = part.Count() == 1 ? part.First().Rows : [.. part.SelectMany(static a => a.Rows)];
            foreach (var listener in _listeners) listener.Arriving(new Arrivals(part.Key.TenantId, arrival, rows, part.Key.Imported));
        }
    }

    // What became of each append: null when it is stored.
    private async Task<Exception?[]> TryWriteAsync(List<Append> appends, DateTime arrival)
    {
        var failures = new Exception?[appends.Count];
        try
        {
            await WriteTogetherAsync(appends, arrival);
            return failures;
        }
        catch (Exception error) when (appends.Count == 1)
        {
            return [error];
        }
        catch (Exception)
        {
            // One bad append must not fail its neighbours. What was written has its number, except rows without a token: those were
            // written table by table, and the tables that are done are remembered in the append.
            for (var index = 0; index < appends.Count; index++)
            {
                try
                {
                    await WriteTogetherAsync([appends[index]], arrival);
                }
                catch (Exception error)
                {
                    failures[index] = error;
                }
            }

            return failures;
        }
    }

    private async Task WriteTogetherAsync(List<Append> appends, DateTime arrival)
    {
        var tables = new Dictionary<string, List<StoredRow>>(StringComparer.Ordinal);
        foreach (var append in appends)
        {
            foreach (var (table, rows) in append.Tables)
            {
                if (append.Written.Contains(table)) continue;
                if (!tables.TryGetValue(table, out var all)) tables.Add(table, all = []);
                all.AddRange(append.Number(table, rows, _options.RowsPerInsert));
            }
        }

        foreach (var (name, rows) in tables)
        {
            var table = PhysicalTable.All[name];
            var missing = await MissingAsync(table, rows);
            for (var start = 0; start < missing.Count;)
            {
                // A number is never split between inserts: its rows of one day must become visible together.
                var end = Math.Min(start + _options.RowsPerInsert, missing.Count);
                while (end < missing.Count && missing[end].Batch != 0 && missing[end].Batch == missing[end - 1].Batch) end++;
                await InsertAsync(table, missing, start, end, arrival);
                start = end;
            }

            foreach (var append in appends) append.Written.Add(name);
        }
    }

    private async Task InsertAsync(PhysicalTable table, List<StoredRow> rows, int start, int end, DateTime arrival)
    {
        var slice = start == 0 && end == rows.Count ? rows : rows.GetRange(start, end - start);
        var encoder = new RowEncoder(table, slice);
        var columns = string.Join(", ", encoder.ColumnNames.Select(ClickHouseName.Quote));
        await _engine.InsertAsync(
            new ClickHouseStatement($"INSERT INTO {_database}.{ClickHouseName.Quote(table.Table.Name)} ({columns})") { Settings = InsertSettings },
            Blocks(encoder, slice, arrival));
    }

    // All blocks of an insert are put together into one part for each day, whatever their number.
    private static readonly Dictionary<string, string> InsertSettings = new()
    {
        ["max_partitions_per_insert_block"] = "0",
        ["min_insert_block_size_rows"] = "2000000",
        ["min_insert_block_size_bytes"] = "2000000000",
        ["max_insert_threads"] = "1",
    };

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> Blocks(
        RowEncoder encoder, List<StoredRow> rows, DateTime arrival, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var buffer = new NativeBuffer();
        for (var start = 0; start < rows.Count; start += _options.RowsPerBlock)
        {
            cancellationToken.ThrowIfCancellationRequested();
            buffer.Clear();
            encoder.Encode(rows, start, Math.Min(_options.RowsPerBlock, rows.Count - start), arrival, buffer);
            yield return buffer.Written;
            await Task.CompletedTask;
        }
    }

    // The rows whose number is not stored yet for their day.
    private async Task<List<StoredRow>> MissingAsync(PhysicalTable table, List<StoredRow> rows)
    {
        var numbers = rows.Select(static r => r.Batch).Where(static b => b != 0).Distinct().ToArray();
        if (numbers.Length == 0) return rows;
        var timeOrdinal = table.TimeColumn is null ? -1 : table.Table.OrdinalOf(table.TimeColumn);
        var days = timeOrdinal < 0 ? [] : rows.Where(static r => r.Batch != 0).Select(r => Day(r, timeOrdinal)).Distinct().ToArray();
        var day = timeOrdinal < 0 ? "toUInt32(0)" : $"toYYYYMMDD({ClickHouseName.Quote(table.TimeColumn!)})";
        var inDays = timeOrdinal < 0 ? "" : $" AND {day} IN {{days:Array(UInt32)}}";
        var found = await _engine.RowsAsync(new ClickHouseStatement(
            $"SELECT DISTINCT {PhysicalTable.BatchColumn}, {day} FROM {_database}.{ClickHouseName.Quote(table.Table.Name)} "
            + $"WHERE {PhysicalTable.BatchColumn} IN {{numbers:Array(UInt64)}}{inDays}")
        {
            Parameters = timeOrdinal < 0 ? [new("numbers", numbers)] : [new("numbers", numbers), new("days", days)],
        });
        if (found.Count == 0) return rows;
        var stored = found.Select(static r => ((ulong)r[0]!, (uint)r[1]!)).ToHashSet();
        return rows.Where(r => !stored.Contains((r.Batch, timeOrdinal < 0 ? 0 : Day(r, timeOrdinal)))).ToList();
    }

    private static uint Day(StoredRow row, int timeOrdinal)
    {
        var time = row.Row.Values[timeOrdinal] is DateTime t ? DateTime.UnixEpoch.AddTicks(RowEncoder.Ticks(t)) : DateTime.UnixEpoch;
        return (uint)(time.Year * 10000 + time.Month * 100 + time.Day);
    }

    private sealed class Append(Guid tenantId, IReadOnlyList<HuntingRow> rows, string? token)
    {
        private List<(string Table, List<HuntingRow> Rows)>? _tables;

        public Guid TenantId => tenantId;

        public string? Token => token;

        public bool Imported { get; } = token?.StartsWith(LogImporter.TokenPrefix, StringComparison.Ordinal) ?? false;

        public IReadOnlyList<HuntingRow> Rows => rows;

        public int RowCount => rows.Count;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Tables that are stored already, by name.</summary>
        public HashSet<string> Written { get; } = new(StringComparer.Ordinal);

        public List<(string Table, List<HuntingRow> Rows)> Tables => _tables ??= rows
            .GroupBy(static r => r.Table.Name, StringComparer.Ordinal)
            .Select(static g => (g.Key, g.ToList()))
            .ToList();

        public IEnumerable<StoredRow> Number(string table, List<HuntingRow> tableRows, int rowsPerNumber)
        {
            for (var i = 0; i < tableRows.Count; i++)
                yield return new StoredRow(tableRows[i], tenantId, token is null ? 0 : Number(table, i / rowsPerNumber));
        }

        private (string Table, int Piece, ulong Number) _last;

        private ulong Number(string table, int piece)
        {
            if (_last.Number != 0 && _last.Piece == piece && _last.Table == table) return _last.Number;
            _last = (table, piece, NumberOf(tenantId, piece, token!));
            return _last.Number;
        }

        /// <summary>The number of a piece of an append's rows.</summary>
        internal static ulong NumberOf(Guid tenantId, int piece, string token) =>
            Math.Max(1, BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{tenantId:N}/{piece}/{token}"))));
    }
}

/// <summary>How appends are put together.</summary>
public sealed record HuntingStoreOptions
{
    /// <summary>Rows in one insert, at most; larger appends take several.</summary>
    public int RowsPerInsert { get; init; } = 131_072;

    /// <summary>Rows encoded at a time.</summary>
    public int RowsPerBlock { get; init; } = 8_192;

    /// <summary>This many waiting rows are written without waiting for more.</summary>
    public int RowsWithoutPause { get; init; } = 20_000;

    /// <summary>The least time from one write to the next, while few rows are waiting.</summary>
    public TimeSpan ShortestPause { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <summary>The most that rows wait for others.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMilliseconds(500);
}
