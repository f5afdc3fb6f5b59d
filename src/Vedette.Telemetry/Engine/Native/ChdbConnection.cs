using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;

namespace Vedette.Telemetry.Engine.Native;

/// <summary>
/// One connection of libchdb and the thread that alone talks to it. Native calls block for as long as a query runs, so they never run on the
/// thread pool.
/// </summary>
internal sealed unsafe class ChdbConnection : IDisposable
{
    private static readonly byte[] NativeFormat = "Native"u8.ToArray();

    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;
    private readonly Dictionary<string, string> _settings = new(StringComparer.Ordinal);
    private nint* _handle;

    private ChdbConnection(nint* handle, int number)
    {
        _handle = handle;
        _thread = new Thread(Work) { IsBackground = true, Name = $"ClickHouse {number}" };
        _thread.Start();
    }

    /// <summary>Opens a connection. All connections of a process share one data folder.</summary>
    /// <exception cref="ClickHouseException">The folder cannot be opened, for instance because another process has it open.</exception>
    public static ChdbConnection Open(IReadOnlyList<string> arguments, int number)
    {
        var texts = new nint[arguments.Count + 1];
        for (var i = 0; i < texts.Length; i++) texts[i] = Marshal.StringToCoTaskMemUTF8(i == 0 ? "vedette" : arguments[i - 1]);
        try
        {
            var address = SignalGuard.Run(() =>
            {
                fixed (nint* pointers = texts) return (nint)ChdbLibrary.Connect(texts.Length, (byte**)pointers);
            });
            var handle = (nint*)address;
            if (handle is null || *handle == 0)
            {
                throw new ClickHouseException(0, "", "The telemetry folder could not be opened: " + string.Join(' ', arguments)
                    + ". Another process may have it open, or it is not writable.");
            }

            var connection = new ChdbConnection(handle, number);
            connection.Apply(ClickHouseSettings.Connection);
            return connection;
        }
        finally
        {
            foreach (var text in texts) Marshal.FreeCoTaskMem(text);
        }
    }

    /// <summary>Runs a call on the connection's thread.</summary>
    public Task<T> RunAsync<T>(Func<ChdbConnection, T> call)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(call(this));
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        });
        return done.Task;
    }

    /// <summary>Runs a statement to its end and drops its output.</summary>
    public ClickHouseStatistics Execute(ClickHouseStatement statement, string id)
    {
        Apply(statement.Settings);
        var result = Start(statement, id, &ChdbLibrary.Query);
        try
        {
            ThrowIfFailed(result);
            return new ClickHouseStatistics(
                default, (long)ChdbLibrary.StorageRowsRead(result), (long)ChdbLibrary.StorageBytesRead(result), (long)ChdbLibrary.RowsWritten(result), 0, default);
        }
        finally
        {
            ChdbLibrary.DestroyResult(result);
        }
    }

    /// <summary>Starts a SELECT and reads its first block, so that errors show here and no progress report is missed.</summary>
    public ChdbStream OpenStream(ClickHouseStatement statement, string id)
    {
        Apply(statement.Settings);
        var stream = new ChdbStream(*_handle, Start(statement, id, &ChdbLibrary.StreamQuery));
        try
        {
            stream.Begin();
            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Starts an INSERT; the handle goes to <see cref="Append"/>, then to <see cref="FinishInsert"/> or <see cref="AbortInsert"/>.</summary>
    public nint OpenInsert(ClickHouseStatement statement, string id)
    {
        Apply(statement.Settings);
        var insert = Start(statement, id, &ChdbLibrary.StreamInsert);
        var error = ChdbLibrary.InsertError(insert);
        if (error is null) return insert;
        var failure = ClickHouseException.Parse(Marshal.PtrToStringUTF8((nint)error) ?? "");
        ChdbLibrary.DestroyInsert(insert);
        throw failure;
    }

    /// <summary>Hands over a block; waits while the engine is behind.</summary>
    public static bool Append(nint insert, ReadOnlyMemory<byte> block)
    {
        fixed (byte* data = block.Span)
        {
            if (ChdbLibrary.InsertAppend(insert, data, (nuint)block.Length) == 0) return true;
        }

        throw ClickHouseException.Parse(Marshal.PtrToStringUTF8((nint)ChdbLibrary.InsertError(insert)) ?? "The insert failed.");
    }

    /// <summary>Stores what was appended.</summary>
    public static ClickHouseStatistics FinishInsert(nint insert)
    {
        var result = ChdbLibrary.InsertDone(insert);
        try
        {
            ThrowIfFailed(result);
            return new ClickHouseStatistics(default, 0, 0, (long)ChdbLibrary.RowsWritten(result), 0, default);
        }
        finally
        {
            ChdbLibrary.DestroyResult(result);
            ChdbLibrary.DestroyInsert(insert);
        }
    }

    /// <summary>Gives an INSERT up.</summary>
    public static bool AbortInsert(nint insert)
    {
        ChdbLibrary.InsertCancel(insert);
        ChdbLibrary.DestroyInsert(insert);
        return true;
    }

    /// <summary>Closes the connection. The last one closed ends the engine's work.</summary>
    public void Dispose()
    {
        if (_handle is null) return;
        _work.CompleteAdding();
        _thread.Join();
        ChdbLibrary.CloseConnection(_handle);
        _handle = null;
        _work.Dispose();
    }

    private void Work()
    {
        foreach (var work in _work.GetConsumingEnumerable()) work();
    }

    // Settings last as long as the connection, so only what differs from the statement before is sent.
    private void Apply(IReadOnlyDictionary<string, string> wanted)
    {
        List<string>? changes = null;
        List<string>? resets = null;
        foreach (var (name, value) in wanted)
        {
            if (_settings.TryGetValue(name, out var current) && current == value) continue;
            (changes ??= []).Add(name);
        }

        foreach (var name in _settings.Keys)
        {
            if (!wanted.ContainsKey(name) && !ClickHouseSettings.Connection.ContainsKey(name)) (resets ??= []).Add(name);
        }

        if (changes is null && resets is null) return;
        var text = new StringBuilder("SET ");
        foreach (var name in changes ?? []) text.Append(SettingName(name)).Append(" = '").Append(SettingValue(wanted[name])).Append("', ");
        foreach (var name in resets ?? []) text.Append(SettingName(name)).Append(" = DEFAULT, ");
        text.Length -= 2;
        var result = Start(new ClickHouseStatement(text.ToString()), "", &ChdbLibrary.Query);
        try
        {
            ThrowIfFailed(result);
        }
        finally
        {
            ChdbLibrary.DestroyResult(result);
        }

        foreach (var name in changes ?? []) _settings[name] = wanted[name];
        foreach (var name in resets ?? []) _settings.Remove(name);
    }

    private static string SettingName(string name) =>
        name.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_') ? name : throw new ArgumentException($"'{name}' is not a setting.");

    private static string SettingValue(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal);

    private nint Start(
        ClickHouseStatement statement,
        string id,
        delegate*<nint, byte*, nuint, byte*, nuint, byte**, nuint*, byte**, nuint*, nuint, nint> call)
    {
        // The id in front is how KILL QUERY finds the statement.
        var sql = Encoding.UTF8.GetBytes(id.Length == 0 ? statement.Sql : $"/*{id}*/ {statement.Sql}");
        var count = statement.Parameters.Count;
        var texts = new byte[count * 2][];
        var pins = new GCHandle[count * 2];
        var addresses = new nint[count * 2];
        var lengths = new nuint[count * 2];
        for (var i = 0; i < count; i++)
        {
            texts[i] = Encoding.UTF8.GetBytes(statement.Parameters[i].Name);
            texts[count + i] = Encoding.UTF8.GetBytes(ParameterText.Format(statement.Parameters[i].Value));
        }

        try
        {
            for (var i = 0; i < texts.Length; i++)
            {
                pins[i] = GCHandle.Alloc(texts[i], GCHandleType.Pinned);
                addresses[i] = pins[i].AddrOfPinnedObject();
                lengths[i] = (nuint)texts[i].Length;
            }

            fixed (byte* query = sql, format = NativeFormat)
            fixed (nint* address = addresses)
            fixed (nuint* length = lengths)
            {
                return call(
                    *_handle, query, (nuint)sql.Length, format, (nuint)NativeFormat.Length,
                    (byte**)address, length, (byte**)(address + count), length + count, (nuint)count);
            }
        }
        finally
        {
            foreach (var pin in pins)
            {
                if (pin.IsAllocated) pin.Free();
            }
        }
    }

    internal static void ThrowIfFailed(nint result)
    {
        if (result == 0) throw new ClickHouseException(0, "", "The engine gave no answer.");
        var error = ChdbLibrary.ResultError(result);
        if (error is not null) throw ClickHouseException.Parse(Marshal.PtrToStringUTF8((nint)error) ?? "");
    }
}
