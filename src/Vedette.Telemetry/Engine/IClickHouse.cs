namespace Vedette.Telemetry.Engine;

/// <summary>
/// A ClickHouse engine: the one in this process or a server behind HTTP. Safe for concurrent use; every call takes a connection of its own.
/// </summary>
public interface IClickHouse : IAsyncDisposable
{
    /// <summary>Runs a statement that returns nothing of interest: DDL, ALTER, OPTIMIZE, INSERT … SELECT.</summary>
    /// <exception cref="ClickHouseException">The engine refused or failed the statement.</exception>
    Task<ClickHouseStatistics> ExecuteAsync(ClickHouseStatement statement, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs a SELECT and streams its blocks. The reader holds a connection: dispose it, also to stop a query early. Cancelling the token stops
    /// the query inside the engine, at any time until the reader is disposed.
    /// </summary>
    /// <exception cref="ClickHouseException">The engine refused or failed the statement.</exception>
    Task<ClickHouseReader> QueryAsync(ClickHouseStatement statement, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs <c>INSERT INTO table (columns)</c>, without a FORMAT clause, with blocks in ClickHouse's Native format (see
    /// <see cref="NativeBlockBuilder"/>). Nothing is stored when the sequence throws before its first block was handed over.
    /// </summary>
    /// <exception cref="ClickHouseException">The engine refused or failed the statement.</exception>
    Task<ClickHouseStatistics> InsertAsync(
        ClickHouseStatement statement, IAsyncEnumerable<ReadOnlyMemory<byte>> nativeBlocks, CancellationToken cancellationToken = default);
}

/// <summary>A statement with its parameters and settings.</summary>
/// <param name="Sql">ClickHouse SQL. Parameters appear as <c>{name:Type}</c>.</param>
public sealed record ClickHouseStatement(string Sql)
{
    /// <summary>Values of the parameters: never part of the text.</summary>
    public IReadOnlyList<ClickHouseParameter> Parameters { get; init; } = [];

    /// <summary>Engine settings of this statement by name, for instance <c>max_execution_time</c>.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = ClickHouseSettings.None;
}

/// <summary>
/// A value for <c>{name:Type}</c>. Null, strings, numbers, booleans, <see cref="DateTime"/> (UTC), <see cref="Guid"/>, and sequences of those
/// for Array types.
/// </summary>
public readonly record struct ClickHouseParameter(string Name, object? Value);

/// <summary>What a statement cost.</summary>
/// <param name="Elapsed">Wall time inside the engine and in transit.</param>
/// <param name="RowsRead">Rows read from tables.</param>
/// <param name="BytesRead">Uncompressed bytes read from tables.</param>
/// <param name="RowsWritten">Rows written.</param>
/// <param name="PeakMemoryBytes">Peak memory of the query; 0 when it ended before it was worth looking.</param>
/// <param name="CpuTime">User and system time of the query's threads; the elapsed time when it ended before it was worth looking.</param>
public readonly record struct ClickHouseStatistics(
    TimeSpan Elapsed, long RowsRead, long BytesRead, long RowsWritten, long PeakMemoryBytes, TimeSpan CpuTime);

/// <summary>The engine refused or failed a statement.</summary>
public sealed class ClickHouseException(int code, string name, string message) : Exception(message)
{
    /// <summary>ClickHouse's error number, for instance 159; 0 when the engine gave none.</summary>
    public int Code { get; } = code;

    /// <summary>ClickHouse's error name, for instance <c>TIMEOUT_EXCEEDED</c>; empty when the engine gave none.</summary>
    public string Name { get; } = name;

    /// <summary>Reads an error text of the form <c>Code: 159. DB::Exception: … (TIMEOUT_EXCEEDED)</c>.</summary>
    internal static ClickHouseException Parse(string text)
    {
        var code = 0;
        var message = text.AsSpan().Trim();
        const string codeWord = "Code: ";
        const string exceptionWord = "DB::Exception: ";
        while (message.StartsWith(codeWord))
        {
            var end = message.IndexOf('.');
            if (end < 0 || !int.TryParse(message[codeWord.Length..end], out var number)) break;
            code = number;
            message = message[(end + 1)..].TrimStart();
            if (message.StartsWith(exceptionWord)) message = message[exceptionWord.Length..];
        }

        var version = message.LastIndexOf(" (version ");
        if (version > 0) message = message[..version].TrimEnd();
        var name = "";
        var open = message.LastIndexOf('(');
        if (open > 0 && message[^1] == ')' && message[(open + 1)..^1].IndexOfAnyExcept(NameCharacters) < 0)
        {
            name = message[(open + 1)..^1].ToString();
            message = message[..open].TrimEnd();
        }

        return new ClickHouseException(code, name, message.ToString());
    }

    private const string NameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
}

/// <summary>Helpers for the settings of a statement.</summary>
public static class ClickHouseSettings
{
    /// <summary>No settings beyond the connection's.</summary>
    public static IReadOnlyDictionary<string, string> None { get; } = new Dictionary<string, string>();

    /// <summary>Settings that every connection starts with: what the reader can decode, and inserts that are done when the call returns.</summary>
    internal static IReadOnlyDictionary<string, string> Connection { get; } = new Dictionary<string, string>
    {
        ["output_format_native_write_json_as_string"] = "1",
        ["async_insert"] = "0",
        ["max_query_size"] = "16777216",
        ["max_parser_depth"] = "2000",
        ["query_profiler_real_time_period_ns"] = "0",
        ["query_profiler_cpu_time_period_ns"] = "0",
        ["session_timezone"] = "UTC",
        ["log_queries"] = "0",
    };
}
