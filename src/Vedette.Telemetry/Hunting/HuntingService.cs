using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Vedette.Kql;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Local;
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
public sealed class HuntingService(IClickHouse engine, TelemetryOptions options, HuntingCatalogue catalogue, TimeProvider time) : IHuntingService, IDisposable
{
    // Compiled queries longer than this are not worth their memory.
    private const int LongestCachedText = 100_000;

    // From so many tables in unions on it pays to ask which of them are empty, which takes about a millisecond.
    private const int ManyTables = 6;

    // The engine looks at the clock between blocks of work, so a query that hangs in one block gets this much longer before it is cancelled.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly ExternalConnector? _external = options.ExternalData.AllowedHosts.Count == 0 ? null : new ExternalConnector(options.ExternalData);
    // A tenant's queries leave room in the embedded engine for those of others.
    private readonly ConcurrentDictionary<Guid, SemaphoreSlim> _turns = new();
    private readonly QueryCache<KqlCompilation> _compiled = new(options.QueryCacheSize);

    /// <summary>A service whose queries reach the network in another way.</summary>
    internal HuntingService(IClickHouse engine, TelemetryOptions options, HuntingCatalogue catalogue, TimeProvider time, ExternalConnector external)
        : this(engine, options, catalogue, time) => _external = external;

    /// <summary>Compiles a query without running it: its columns and everything there is to say about it.</summary>
    /// <param name="query">KQL text.</param>
    /// <param name="strict">Whether retired columns are unknown whatever the settings say.</param>
    public KqlCompilation Compile(string query, bool strict = false)
    {
        ArgumentNullException.ThrowIfNull(query);
        if (strict) return catalogue.Bind(query, strict: true);
        return query.Length > LongestCachedText ? catalogue.Bind(query) : _compiled.GetOrAdd(query, text => catalogue.Bind(text));
    }

    /// <inheritdoc/>
    public async Task<HuntingResult> RunAsync(HuntingRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var started = Stopwatch.GetTimestamp();
        var limits = request.Limits ?? options.Limits;
        using var deadline = new CancellationTokenSource(limits.Timeout + Grace);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        LocalWork.EndsWith(either.Token);
        var cost = new HuntingCost(request.Trace);
        SemaphoreSlim? turn = null;
        try
        {
            turn = await TurnAsync(request.TenantId, either.Token);
            var settings = Settings(limits);
            var compiled = Compiled(request);
            var context = Context(request, limits) with { EmptyTables = await EmptyTablesAsync(compiled, either.Token) };
            var compilation = await LateBinding.CompleteAsync(
                compiled, late => catalogue.Bind(request.Query, WithParameters(late, request), request.Strict), context, engine, settings, cost.Add, either.Token);
            request.Trace?.Completed(compilation);
            var writing = Stopwatch.GetTimestamp();
            await using var statement = SqlCompiler.Compile(compilation.Root!, context);
            request.Trace?.Written(Stopwatch.GetElapsedTime(writing));
            var query = await statement.PrepareAsync(engine, settings, cost.Add, either.Token);
            request.Trace?.Started(query);
            var result = await ReadAsync(query, limits, cost, either.Token);
            if (request.Trace is { } trace) await trace.FormatAsync(engine, either.Token);
            return result with
            {
                Statistics = cost.Total(Stopwatch.GetElapsedTime(started), result.Statistics.ResultBytes),
                Warnings = [.. compiled.Diagnostics.Where(static d => d.Severity == KqlSeverity.Warning)],
            };
        }
        catch (OperationCanceledException error) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new HuntingException(HuntingFailure.Timeout, HuntingWords.Timeout, inner: error);
        }
        catch (HuntingException refused) when (refused is { Line: null, Place: not null })
        {
            throw refused.In(request.Query);
        }
        catch (ClickHouseException error)
        {
            throw HuntingWords.Translate(error);
        }
        catch (OutOfMemoryException error)
        {
            throw new HuntingException(HuntingFailure.ExcessiveResources, HuntingWords.ExcessiveResources, inner: error);
        }
        catch (Exception error) when (error is not (HuntingException or OperationCanceledException or ObjectDisposedException))
        {
            // A local step that trips over a value costs its own query, never the process.
            throw new HuntingException(HuntingFailure.Internal, HuntingWords.Unexpected, inner: error);
        }
        finally
        {
            turn?.Release();
        }
    }

    /// <summary>The SQL that a query becomes, for people; queries with local steps show the part after the last.</summary>
    /// <exception cref="HuntingException">The query is wrong.</exception>
    public string Explain(HuntingRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var statement = SqlCompiler.Compile(Compiled(request).Root!, Context(request, request.Limits ?? options.Limits));
        return statement.LocalSteps.Count == 0 ? statement.Explain() : "local steps: " + string.Join(", ", statement.LocalSteps);
    }

    /// <inheritdoc/>
    public void Dispose() => _external?.Dispose();

    /// <summary>Waits until a tenant has not too many queries running; null where the engine is a server of its own, which has its own rules.</summary>
    private async Task<SemaphoreSlim?> TurnAsync(Guid tenant, CancellationToken cancellationToken)
    {
        if (options.ClusterUrl is not null) return null;
        var turn = _turns.GetOrAdd(tenant, _ => new SemaphoreSlim(Math.Max(1, options.Connections * 3 / 4)));
        await turn.WaitAsync(cancellationToken);
        return turn;
    }

    private async Task<HuntingResult> ReadAsync(SqlQuery query, HuntingLimits limits, HuntingCost cost, CancellationToken cancellationToken)
    {
        await using var reader = await engine.QueryAsync(Cut(query.Statement, limits), cancellationToken);
        var columns = query.Columns.Select(static c => new HuntingResultColumn(c.Name, c.Type)).ToArray();
        var rows = new HuntingRows(columns);
        var isCut = false;
        while (!isCut && await reader.ReadAsync() is { } block)
        {
            var taken = Math.Min(block.RowCount, limits.MaxRows - rows.Count);
            isCut = taken < block.RowCount;
            if (taken > 0) rows.Add(block, taken);
            if (rows.Bytes <= limits.MaxBytes) continue;
            if (!limits.CutsLargeAnswers) throw new HuntingException(HuntingFailure.ResultTooLarge, HuntingWords.ResultTooLarge);
            rows.CutToFit(limits.MaxBytes);
            isCut = true;
        }

        cost.Add(HuntingStage.Engine(query, rows.Count, reader.Statistics));
        return new HuntingResult(columns, rows, new HuntingStatistics(default, default, 0, 0, 0, rows.Bytes)) { IsCut = isCut };
    }

    // A search through everything meets many tables that this installation never fills, and the engine plans each of them.
    private async Task<HashSet<string>?> EmptyTablesAsync(KqlCompilation compilation, CancellationToken cancellationToken)
    {
        if (BoundTree.UnitedTables(compilation.Root!) < ManyTables) return null;
        var rows = await engine.RowsAsync(new ClickHouseStatement("SELECT name FROM system.tables WHERE database = {database:String} AND total_rows = 0")
        {
            Parameters = [new("database", options.Database)],
        }, cancellationToken);
        return rows.Select(static r => (string)r[0]!).ToHashSet(StringComparer.Ordinal);
    }

    private KqlCompilation Compiled(HuntingRequest request)
    {
        var started = Stopwatch.GetTimestamp();
        var compilation = request.Parameters is { Count: > 0 }
            ? catalogue.Bind(request.Query, WithParameters(KqlOptions.Default, request), request.Strict)
            : Compile(request.Query, request.Strict);
        request.Trace?.Bound(compilation, Stopwatch.GetElapsedTime(started));
        return compilation.Succeeded ? compilation : throw HuntingWords.Translate(compilation);
    }

    private static KqlOptions WithParameters(KqlOptions options, HuntingRequest request) =>
        request.Parameters is { Count: > 0 } given ? options with { Parameters = given } : options;

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
            BesideLookBack = request.BesideLookBack,
            VisibleDevices = request.VisibleDevices,
            OpenExternal = _external is null ? null : _external.OpenAsync,
            External = _external is null ? null : new ExternalSession(_external, time),
            ExternalCharacters = options.ExternalData.MaxCharacters,
        };
    }

    // Rows past their retention are dropped with their day, so the look-back needs a condition only when it is shorter.
    private (DateTime From, DateTime To)? LookBack(DateTime now, HuntingLimits limits) =>
        limits.LookBack >= TimeSpan.FromDays(options.RetentionDays) ? null : (now - limits.LookBack, HuntingWords.EndOfTime);

    private Dictionary<string, string> Settings(HuntingLimits limits) => new(StringComparer.Ordinal)
    {
        ["max_execution_time"] = limits.Timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture),
        ["timeout_before_checking_execution_speed"] = "0",
        ["max_memory_usage"] = options.QueryMemoryBytes.ToString(CultureInfo.InvariantCulture),
    };

    // Only the statement that gives the answer is cut: what local steps read before it must be whole. One row more shows that there are more.
    private static ClickHouseStatement Cut(ClickHouseStatement statement, HuntingLimits limits) => statement with
    {
        Settings = new Dictionary<string, string>(statement.Settings, StringComparer.Ordinal)
        {
            ["limit"] = (limits.MaxRows + 1L).ToString(CultureInfo.InvariantCulture),
        },
    };
}
