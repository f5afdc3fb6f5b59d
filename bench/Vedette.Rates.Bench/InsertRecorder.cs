using System.Diagnostics;
using System.Runtime.CompilerServices;
using Vedette.Telemetry.Engine;

namespace Vedette.Rates.Bench;

/// <summary>Passes statements on to an engine and keeps some inserts, to give them to the bare engine again.</summary>
internal sealed class InsertRecorder(IClickHouse engine) : IClickHouse
{
    private readonly List<(ClickHouseStatement Statement, List<byte[]> Blocks, long Rows)> _kept = [];
    private int _wanted;

    /// <summary>Keeps the next inserts into tables of events.</summary>
    public void Keep(int inserts) => _wanted = inserts;

    public Task<ClickHouseStatistics> ExecuteAsync(ClickHouseStatement statement, CancellationToken cancellationToken = default) =>
        engine.ExecuteAsync(statement, cancellationToken);

    public Task<ClickHouseReader> QueryAsync(ClickHouseStatement statement, CancellationToken cancellationToken = default) =>
        engine.QueryAsync(statement, cancellationToken);

    public async Task<ClickHouseStatistics> InsertAsync(
        ClickHouseStatement statement, IAsyncEnumerable<ReadOnlyMemory<byte>> nativeBlocks, CancellationToken cancellationToken = default)
    {
        if (_wanted <= 0) return await engine.InsertAsync(statement, nativeBlocks, cancellationToken);
        _wanted--;
        var blocks = new List<byte[]>();
        var written = await engine.InsertAsync(statement, CopyAsync(nativeBlocks, blocks, cancellationToken), cancellationToken);
        _kept.Add((statement, blocks, written.RowsWritten));
        return written;
    }

    /// <summary>Rows a second when the engine is given the kept inserts one after the other.</summary>
    public async Task<double> ReplayAsync()
    {
        _wanted = 0;
        var watch = Stopwatch.StartNew();
        var rows = 0L;
        foreach (var (statement, blocks, _) in _kept)
        {
            await engine.InsertAsync(statement, AgainAsync(blocks));
            rows += blocks.Sum(RowsOf);
        }

        var rate = rows / watch.Elapsed.TotalSeconds;
        _kept.Clear();
        return rate;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // A block begins with its number of columns and its number of rows.
    private static long RowsOf(byte[] block)
    {
        var at = 0;
        _ = Number(block, ref at);
        return Number(block, ref at);
    }

    private static long Number(byte[] block, ref int at)
    {
        var value = 0L;
        for (var shift = 0; ; shift += 7)
        {
            var part = block[at++];
            value |= (long)(part & 0x7F) << shift;
            if (part < 0x80) return value;
        }
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> CopyAsync(
        IAsyncEnumerable<ReadOnlyMemory<byte>> blocks, List<byte[]> copies, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var block in blocks.WithCancellation(cancellationToken))
        {
            copies.Add(block.ToArray());
            yield return block;
        }
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> AgainAsync(List<byte[]> blocks)
    {
        foreach (var block in blocks) yield return block;
        await Task.CompletedTask;
    }
}
