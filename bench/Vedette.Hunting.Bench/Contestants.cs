using System.Diagnostics;
using System.Text.Json;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;

namespace Vedette.Hunting.Bench;

/// <summary>One run of one question.</summary>
/// <param name="Milliseconds">Wall time until the last row was there.</param>
/// <param name="Cpu">Processor time of the process meanwhile, milliseconds.</param>
/// <param name="Rows">Rows of the answer, or <see cref="NotRead"/>.</param>
/// <param name="Value">The first cell when there is just one row.</param>
internal readonly record struct Timing(double Milliseconds, double Cpu, long Rows, string? Value)
{
    /// <summary>In place of a number of rows: nobody read the answer.</summary>
    public const long NotRead = -1;
}

/// <summary>Someone who answers the questions.</summary>
internal interface IContestant : IAsyncDisposable
{
    /// <summary>Heading of the column.</summary>
    string Name { get; }

    /// <summary>Answers a question.</summary>
    /// <exception cref="NotSupportedException">It cannot; the message says why.</exception>
    Task<Timing> RunAsync(Workload work);
}

/// <summary>KQL through the hunting service.</summary>
internal sealed class CompiledContestant(HuntingService service, Guid tenant) : IContestant
{
    public string Name => "Vedette";

    public async Task<Timing> RunAsync(Workload work)
    {
        try
        {
            // The connection takes on the settings outside the measured time: in a server all hunting queries have the same.
            await service.RunAsync(new HuntingRequest(tenant, "print 1"), default);
            var (started, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            var result = await service.RunAsync(new HuntingRequest(tenant, work.Kql), default);
            return new Timing(
                Stopwatch.GetElapsedTime(started).TotalMilliseconds, (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds,
                result.Rows.Count, result.Rows.Count == 1 ? result.Rows[0][0]?.ToString() : null);
        }
        catch (HuntingException error)
        {
            throw new NotSupportedException(error.Message + " " + error.InnerException?.Message, error);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>Statements of our own on the same tables of the same engine.</summary>
internal sealed class ClickHouseContestant(IClickHouse engine, string name, IReadOnlyDictionary<string, string> settings, Func<Workload, string> text) : IContestant
{
    public string Name => name;

    public async Task<Timing> RunAsync(Workload work)
    {
        try
        {
            await engine.RowsAsync(new ClickHouseStatement("SELECT 1") { Settings = settings });
            var (started, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            var (rows, value) = (0L, default(string));
            await using (var reader = await engine.QueryAsync(new ClickHouseStatement(text(work)) { Settings = settings }))
            {
                while (await reader.ReadAsync() is { } block)
                {
                    if (rows == 0 && block.RowCount > 0) value = block.Columns[0][0]?.ToString();
                    rows += block.RowCount;
                }
            }

            return new Timing(
                Stopwatch.GetElapsedTime(started).TotalMilliseconds, (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds, rows, rows == 1 ? value : null);
        }
        catch (ClickHouseException error)
        {
            throw new NotSupportedException(error.Message, error);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>The engine's own KQL dialect. It needs a session whose database is set, and its answers are made but not read.</summary>
internal sealed class DialectContestant(IClickHouse engine, IReadOnlyDictionary<string, string> settings) : IContestant
{
    public string Name => "kusto";

    public async Task<Timing> RunAsync(Workload work)
    {
        try
        {
            await engine.ExecuteAsync(new ClickHouseStatement("print 1") { Settings = settings });
            var (started, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            await engine.ExecuteAsync(new ClickHouseStatement(work.Kql) { Settings = settings });
            return new Timing(Stopwatch.GetElapsedTime(started).TotalMilliseconds, (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds, Timing.NotRead, null);
        }
        catch (ClickHouseException error)
        {
            throw new NotSupportedException(error.Message, error);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>DuckDB on two threads in a child process, over the line protocol of <c>duckdb.mjs</c>.</summary>
internal sealed class DuckDbContestant : IContestant
{
    private readonly Process _process;

    /// <param name="packages">Folder whose <c>node_modules</c> holds <c>@duckdb/node-api</c>.</param>
    /// <param name="file">The database.</param>
    public DuckDbContestant(string packages, string file) => _process = Process.Start(
        new ProcessStartInfo("node", [Path.Combine(AppContext.BaseDirectory, "duckdb.mjs"), Path.GetFullPath(file)])
        {
            WorkingDirectory = packages,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        }) ?? throw new InvalidOperationException("node does not start.");

    public string Name => "DuckDB";

    public Task<Timing> RunAsync(Workload work) => RunAsync(work.Duck);

    /// <summary>Runs a statement.</summary>
    public async Task<Timing> RunAsync(string sql)
    {
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(new { sql }));
        var line = await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("DuckDB's process has ended.");
        using var answer = JsonDocument.Parse(line);
        var root = answer.RootElement;
        if (root.TryGetProperty("error", out var error)) throw new NotSupportedException(error.GetString());
        return new Timing(
            root.GetProperty("ms").GetDouble(), root.GetProperty("cpuMs").GetDouble(), root.GetProperty("rows").GetInt64(), root.GetProperty("first").GetString());
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
