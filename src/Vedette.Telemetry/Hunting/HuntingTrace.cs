using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Sql;

namespace Vedette.Telemetry.Hunting;

/// <summary>
/// How a query ran: what it was understood as, what the engine was given, what ran in this process, and what each part cost. Filled in as the
/// query proceeds, so that a query that fails half way shows how far it came. Not for concurrent use.
/// </summary>
public sealed class HuntingTrace
{
    private const int LongestSql = 40_000;

    private readonly List<HuntingStage> _stages = [];
    private bool _pending;

    /// <summary>The bound plan as text, one line an operator; null when the query does not bind.</summary>
    public string? Plan { get; private set; }

    /// <summary>What there is to say about the query besides errors.</summary>
    public IReadOnlyList<KqlDiagnostic> Warnings { get; private set; } = [];

    /// <summary>Time to understand the query: text to bound tree. Near 0 for a text that was compiled before.</summary>
    public TimeSpan BindTime { get; private set; }

    /// <summary>Time to write the SQL.</summary>
    public TimeSpan WriteTime { get; private set; }

    /// <summary>Parts that ran, in order; the last one gave the answer.</summary>
    public IReadOnlyList<HuntingStage> Stages => _stages;

    internal void Bound(KqlCompilation compilation, TimeSpan took)
    {
        BindTime = took;
        Warnings = [.. compilation.Diagnostics.Where(static d => d.Severity != KqlSeverity.Error)];
        Plan = compilation.Root is { } root ? PlanText.Write(root) : null;
    }

    /// <summary>The plan with the columns that only running revealed.</summary>
    internal void Completed(KqlCompilation compilation) => Plan = compilation.Root is { } root ? PlanText.Write(root) : Plan;

    internal void Written(TimeSpan took) => WriteTime = took;

    /// <summary>The statement of the answer is about to run: should it fail, it is seen all the same.</summary>
    internal void Started(SqlQuery query)
    {
        _stages.Add(HuntingStage.Engine(query, 0, default) with { Sql = Short(query.Statement.Sql) });
        _pending = true;
    }

    internal void Ran(HuntingStage stage)
    {
        if (_pending) _stages.RemoveAt(_stages.Count - 1);
        _pending = false;
        _stages.Add(stage with { Sql = Short(stage.Sql) });
    }

    /// <summary>Lays the SQL out over lines, as the engine does it.</summary>
    internal async Task FormatAsync(IClickHouse engine, CancellationToken cancellationToken)
    {
        for (var i = 0; i < _stages.Count; i++)
        {
            if (_stages[i].Sql is not { } sql || sql.Length >= LongestSql) continue;
            try
            {
                if (await engine.ScalarAsync("SELECT formatQuery({sql:String})", cancellationToken, new ClickHouseParameter("sql", sql)) is string laidOut)
                    _stages[i] = _stages[i] with { Sql = laidOut };
            }
            catch (ClickHouseException)
            {
                // Then it stays on one line.
            }
        }
    }

    private static string? Short(string? sql) => sql is null || sql.Length < LongestSql ? sql : sql[..LongestSql] + " …";
}

/// <summary>One part of a query's run.</summary>
/// <param name="Name"><c>engine</c>, or the name of the step that ran in this process.</param>
/// <param name="IsLocal">Whether it ran in this process.</param>
/// <param name="Sql">The statement, of a part that the engine ran.</param>
/// <param name="Parameters">Its parameters, as the engine reads them.</param>
/// <param name="Rows">Rows that came out.</param>
/// <param name="Cost">What the engine spent; only the elapsed time for a local step.</param>
public sealed record HuntingStage(
    string Name, bool IsLocal, string? Sql, IReadOnlyDictionary<string, string> Parameters, long Rows, ClickHouseStatistics Cost)
{
    internal static HuntingStage Engine(SqlQuery query, long rows, ClickHouseStatistics cost) => Engine(query.Statement, rows, cost);

    internal static HuntingStage Engine(ClickHouseStatement statement, long rows, ClickHouseStatistics cost) =>
        new("engine", false, statement.Sql, statement.Parameters.ToDictionary(p => p.Name, p => ParameterText.Format(p.Value)), rows, cost);

    internal static HuntingStage Local(string name, long rows, TimeSpan elapsed) =>
        new(name, true, null, new Dictionary<string, string>(), rows, new ClickHouseStatistics(elapsed, 0, 0, 0, 0, elapsed));
}

/// <summary>Sums what the parts of a query cost.</summary>
internal sealed class HuntingCost(HuntingTrace? trace)
{
    private long _rows;
    private long _bytes;
    private long _memory;
    private TimeSpan _cpu;

    public void Add(HuntingStage stage)
    {
        _rows += stage.Cost.RowsRead;
        _bytes += stage.Cost.BytesRead;
        _memory = Math.Max(_memory, stage.Cost.PeakMemoryBytes);
        _cpu += stage.Cost.CpuTime;
        trace?.Ran(stage);
    }

    public HuntingStatistics Total(TimeSpan elapsed, long resultBytes) => new(elapsed, _cpu, _memory, _rows, _bytes, resultBytes);
}
