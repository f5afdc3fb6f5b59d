using System.Diagnostics;
using System.Globalization;
using Vedette.Kql;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Sql;

namespace Vedette.Telemetry.Hunting;

/// <summary>
/// Answers hunting queries: text -> bound tree (kept for repeated texts) -> ClickHouse SQL with the tenant and the windows built in -> rows, as
/// far as the limits allow.
/// </summary>
/// <param name="engine">Where the telemetry is.</param>
/// <param name="options">Limits and switches.</param>
/// <param name="catalogue">Tables and functions.</param>
/// <param name="time">What <c>now()</c> goes by.</param>
public sealed class HuntingService(IClickHouse engine, TelemetryOptions options, HuntingCatalogue catalogue, TimeProvider time) : IHuntingService
{
    // Compiled queries longer than this are not worth their memory.
    private const int LongestCachedText = 100_000;

    // The engine looks at the clock between blocks of work, so a query that hangs in one block gets this much longer before it is cancelled.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly QueryCache<KqlCompilation> _compiled = new(options.QueryCacheSize);

    /// <summary>Compiles a query without running it: its columns and everything there is to say about it.</summary>
    public KqlCompilation Compile(string query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return query.Length > LongestCachedText ? Bind(query) : _compiled.GetOrAdd(query, Bind);
    }

    /// <inheritdoc/>
    public async Task<HuntingResult> RunAsync(HuntingRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var started = Stopwatch.GetTimestamp();
        var limits = request.Limits ?? options.Limits;
        using var deadline = new CancellationTokenSource(limits.Timeout + Grace);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            var settings = Settings(limits);
            var context = Context(request, limits);
            var compilation = await LateBinding.CompleteAsync(
                Compiled(request.Query), late => Bind(request.Query, late), context, engine, settings, either.Token);
            var query = await SqlCompiler.Compile(compilation.Root!, context).PrepareAsync(engine, settings, either.Token);
            await using var reader = await engine.QueryAsync(Cut(query.Statement, limits), either.Token);
            var columns = query.Columns.Select(static c => new HuntingResultColumn(c.Name, c.Type)).ToArray();
            var rows = new HuntingRows(columns);
            while (rows.Count < limits.MaxRows && await reader.ReadAsync() is { } block)
            {
                rows.Add(block, Math.Min(block.RowCount, limits.MaxRows - rows.Count));
                if (rows.Bytes > limits.MaxBytes) throw new HuntingException(HuntingFailure.ResultTooLarge, HuntingWords.ResultTooLarge);
            }

            var cost = reader.Statistics;
            return new HuntingResult(columns, rows, new HuntingStatistics(
                Stopwatch.GetElapsedTime(started), cost.CpuTime, cost.PeakMemoryBytes, cost.RowsRead, cost.BytesRead, rows.Bytes));
        }
        catch (OperationCanceledException error) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new HuntingException(HuntingFailure.Timeout, HuntingWords.Timeout, inner: error);
        }
        catch (ClickHouseException error)
        {
            throw HuntingWords.Translate(error);
        }
    }

    /// <summary>The SQL that a query becomes, for people; queries with local steps show the part after the last.</summary>
    /// <exception cref="HuntingException">The query is wrong.</exception>
    public string Explain(HuntingRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var statement = SqlCompiler.Compile(Compiled(request.Query).Root!, Context(request, request.Limits ?? options.Limits));
        return statement.LocalSteps.Count == 0 ? statement.Explain() : "local steps: " + string.Join(", ", statement.LocalSteps);
    }

    private KqlCompilation Compiled(string query)
    {
        var compilation = Compile(query);
        return compilation.Succeeded ? compilation : throw HuntingWords.Translate(compilation);
    }

    private SqlContext Context(HuntingRequest request, HuntingLimits limits)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return new SqlContext
        {
            TenantId = request.TenantId,
            FindTable = catalogue.FindTable,
            Now = now,
            Window = request.Window ?? LookBack(now, limits),
            IngestionWindow = request.IngestionWindow,
            VisibleDevices = request.VisibleDevices,
        };
    }

    // Rows past their retention are dropped with their day, so the look-back needs a condition only when it is shorter.
    private (DateTime From, DateTime To)? LookBack(DateTime now, HuntingLimits limits) =>
        limits.LookBack >= TimeSpan.FromDays(options.RetentionDays) ? null : (now - limits.LookBack, HuntingWords.EndOfTime);

    private KqlCompilation Bind(string query) => Bind(query, KqlOptions.Default);

    private KqlCompilation Bind(string query, KqlOptions late)
    {
        var compilation = KqlCompiler.Bind(query, catalogue.Schema, late);
        if (compilation.Succeeded || !catalogue.HasRetiredColumns) return compilation;
        var tolerant = KqlCompiler.Bind(query, catalogue.TolerantSchema, late);
        return tolerant.Succeeded ? tolerant.WithWarnings(catalogue.Warnings(compilation.Diagnostics)) : compilation;
    }

    private Dictionary<string, string> Settings(HuntingLimits limits) => new(StringComparer.Ordinal)
    {
        ["max_execution_time"] = limits.Timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture),
        ["timeout_before_checking_execution_speed"] = "0",
        ["max_memory_usage"] = options.QueryMemoryBytes.ToString(CultureInfo.InvariantCulture),
    };

    // Only the statement that gives the answer is cut: what local steps read before it must be whole.
    private static ClickHouseStatement Cut(ClickHouseStatement statement, HuntingLimits limits) => statement with
    {
        Settings = new Dictionary<string, string>(statement.Settings, StringComparer.Ordinal)
        {
            ["limit"] = limits.MaxRows.ToString(CultureInfo.InvariantCulture),
        },
    };
}
