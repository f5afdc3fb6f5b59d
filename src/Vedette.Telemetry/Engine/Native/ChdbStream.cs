namespace Vedette.Telemetry.Engine.Native;

/// <summary>An answer of libchdb, block by block. Only for the thread of its connection.</summary>
internal sealed unsafe class ChdbStream(nint connection, nint handle) : IDisposable
{
    private readonly NativeBlockReader.FieldCache _fields = new();
    private bool _disposed;

    /// <summary>Blocks that were fetched and not taken yet.</summary>
    public Queue<ClickHouseBlock> Blocks { get; } = new();

    /// <summary>Whether nothing is left to fetch.</summary>
    public bool Finished { get; private set; }

    /// <summary>Rows read from tables so far. The library drops what it counts between two fetches, so this may be too low.</summary>
    public long RowsRead { get; private set; }

    /// <summary>Bytes read from tables so far; see <see cref="RowsRead"/>.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Checks that the query started and fetches its first block.</summary>
    public void Begin()
    {
        ChdbConnection.ThrowIfFailed(handle);
        Fetch();
    }

    /// <summary>Fetches the next block; false at the end.</summary>
    public bool Fetch()
    {
        nint chunk = 0;
        try
        {
            chunk = ChdbLibrary.StreamFetch(connection, handle);
            ChdbConnection.ThrowIfFailed(chunk);
            RowsRead += (long)ChdbLibrary.StorageRowsRead(chunk);
            BytesRead += (long)ChdbLibrary.StorageBytesRead(chunk);
            var length = checked((int)ChdbLibrary.ResultLength(chunk));
            if (length == 0)
            {
                Finished = true;
                return false;
            }

            var reader = new NativeBlockReader(new ReadOnlySpan<byte>(ChdbLibrary.ResultBuffer(chunk), length));
            while (reader.Position < length)
            {
                if (!reader.TryRead(_fields, out var block)) throw new ClickHouseException(0, "", "The engine's answer ended inside a block.");
                if (block!.RowCount > 0) Blocks.Enqueue(block);
            }

            return true;
        }
        finally
        {
            if (chunk != 0) ChdbLibrary.DestroyResult(chunk);
        }
    }

    /// <summary>Ends the query, also before its end.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (!Finished) ChdbLibrary.StreamCancel(connection, handle);
        ChdbLibrary.DestroyResult(handle);
    }
}
