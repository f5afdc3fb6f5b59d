using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local;

namespace Vedette.Telemetry.Sql;

/// <summary>An output column of a statement.</summary>
/// <param name="Name">The name the user sees.</param>
/// <param name="Type">KQL type.</param>
public sealed record SqlColumn(string Name, KqlType Type);

/// <summary>
/// A statement ready to run. Its columns are o1, o2 … in the order of <paramref name="Columns"/>: strings and dynamics (JSON text, '' for null) are String,
/// timespans Nullable(Int64) ticks, all others the Nullable engine type of their KQL type.
/// </summary>
public sealed record SqlQuery(ClickHouseStatement Statement, IReadOnlyList<SqlColumn> Columns);

/// <summary>
/// A compiled query. Most are one statement. Where SQL cannot say something, local steps run before it: the engine runs the part below a step, the step
/// runs over the rows in this process, and its rows are handed to the statements above. An instance runs once, and is disposed
/// when its answer has been read.
/// </summary>
public sealed class SqlStatement : IAsyncDisposable
{
    private readonly SqlProgram _program;
    private readonly Select _main;
    private readonly IReadOnlyList<KqlColumn> _columns;
    private readonly bool _open;

    internal SqlStatement(SqlProgram program, Select main, BoundRelation root)
    {
        _program = program;
        _main = main;
        _columns = root.Columns;
        _open = OpenColumns.Reach(root);
        Columns = [.. _columns.Select(c => new SqlColumn(c.Name, c.Type))];
    }

    /// <summary>Settings that the texts rely on.</summary>
    public static IReadOnlyDictionary<string, string> Settings { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["any_join_distinct_right_table_keys"] = "0",
        ["aggregate_functions_null_for_empty"] = "0",
        ["cast_keep_nullable"] = "0",
        ["empty_result_for_aggregation_by_empty_set"] = "0",
        ["enable_extended_results_for_datetime_functions"] = "1",
        ["enable_materialized_cte"] = "1",
        ["group_by_use_nulls"] = "0",
        ["join_default_strictness"] = "ALL",
        ["join_use_nulls"] = "0",
        ["max_ast_depth"] = "5000",
        ["max_ast_elements"] = "1000000",
        ["max_expanded_ast_elements"] = "5000000",
        ["max_parser_backtracks"] = "10000000",
        ["max_parser_depth"] = "10000",
        ["max_query_size"] = "268435456",
        ["max_subquery_depth"] = "1000",
        // What an unfiltered table knows of itself answers no query here, as each has a tenant's filter; looking for it costs a millisecond.
        ["optimize_use_implicit_projections"] = "0",
        ["output_format_json_escape_forward_slashes"] = "0",
        ["output_format_json_quote_64bit_integers"] = "0",
        ["prefer_column_name_to_alias"] = "0",
        ["query_plan_max_optimizations_to_apply"] = "1000000",
        ["regexp_max_matches_per_row"] = "100000",
        ["session_timezone"] = "UTC",
        ["transform_null_in"] = "0",
        ["union_default_mode"] = "ALL",
    };

    /// <summary>Output columns as far as they are known before the query runs.</summary>
    public IReadOnlyList<SqlColumn> Columns { get; }

    /// <summary>What runs in this process, in order; empty for most queries.</summary>
    public IReadOnlyList<string> LocalSteps => [.. _program.Stages.Select(s => s.Step.Name)];

    /// <summary>Runs the local steps and the statements below them, if there are any, and gives the statement whose rows are the answer.</summary>
    /// <param name="engine">Where the parts below local steps run.</param>
    /// <param name="settings">Further settings for those parts: limits of time and memory.</param>
    /// <param name="ran">Hears of each part that has run.</param>
    /// <param name="cancellationToken">Stops the query.</param>
    /// <exception cref="Hunting.HuntingException">A step was given too many rows, or failed.</exception>
    /// <exception cref="ClickHouseException">The engine failed.</exception>
    public async Task<SqlQuery> PrepareAsync(
        IClickHouse engine, IReadOnlyDictionary<string, string>? settings = null, Action<HuntingStage>? ran = null, CancellationToken cancellationToken = default)
    {
        var all = Settings.Concat(_program.Settings).Concat(settings ?? new Dictionary<string, string>()).GroupBy(p => p.Key).ToDictionary(g => g.Key, g => g.Last().Value, StringComparer.Ordinal);
        // A limit on the answer is none on what steps are given.
        var below = all.Where(p => p.Key is not ("limit" or "max_result_rows")).ToDictionary(p => p.Key, p => p.Value, StringComparer.Ordinal);
        _program.Engine = new StepEngine(engine, below, ran);
        var done = 0;
        for (var i = 0; i < _program.Stages.Count; i++)
        {
            // A step that finds columns at run time has to run before what stands above it can be written.
            if (!_program.Stages[i].Step.FindsColumns)
                continue;
            await RunAsync(engine, below, done, i + 1, ran, cancellationToken);
            done = i + 1;
        }

        var columns = _columns.ToList();
        if (_open)
            columns.AddRange(_program.Stages.SelectMany(s => s.Found).Where(found => _main.TryResolve(found.Id) is not null && !columns.Exists(c => c.Name == found.Name)));
        var body = Body(columns);
        await RunAsync(engine, below, done, _program.Stages.Count, ran, cancellationToken);
        return new SqlQuery(
            new ClickHouseStatement(_program.Compose(body)) { Parameters = _program.Parameters, Settings = all },
            [.. columns.Select(c => new SqlColumn(c.Name, c.Type))]);
    }

    /// <summary>Takes away what local steps have put into the engine; no sooner than the answer has been read.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var stage in _program.Stages)
            await stage.DisposeAsync();
    }

    /// <summary>The statement's text, for people, of a query without local steps.</summary>
    public string Explain() => _program.Compose(Body(_columns));

    private string Body(IReadOnlyList<KqlColumn> columns)
    {
        var terms = columns.Select((column, i) =>
        {
            var value = _main.Resolve(column.Id);
            return $"CAST({value.Text}, {SqlText.Quote(ConstantRows.TypeOf(column.Type))}) AS o{i + 1}";
        }).ToList();
        return _main.Assemble(terms, ordered: true);
    }

    private async Task RunAsync(
        IClickHouse engine, IReadOnlyDictionary<string, string> settings, int from, int to, Action<HuntingStage>? ran, CancellationToken cancellationToken)
    {
        // Later steps decide which columns earlier ones must pass on.
        var texts = new string[to];
        for (var i = to - 1; i >= from; i--)
            texts[i] = _program.Stages[i].Render();
        for (var i = from; i < to; i++)
        {
            var statement = new ClickHouseStatement(_program.Compose(texts[i])) { Parameters = _program.Parameters, Settings = settings };
            await _program.Stages[i].RunAsync(engine, statement, ran, cancellationToken);
        }
    }
}

/// <summary>Whether columns that a plug-in finds at run time reach the result.</summary>
internal static class OpenColumns
{
    public static bool Reach(BoundRelation relation) => relation switch
    {
        EvaluateRelation evaluate => evaluate.IsOpen,
        PartitionRelation partition => Reach(partition.Body),
        // With columns of its own, mv-apply has names that those of its body may clash with.
        MvApplyRelation apply => apply.Columns == apply.Body.Columns && Reach(apply.Body),
        FilterRelation or ExtendRelation or SortRelation or TakeRelation or SampleRelation or SerializeRelation or RenderRelation => Reach(((UnaryRelation)relation).Input),
        _ => false,
    };
}
