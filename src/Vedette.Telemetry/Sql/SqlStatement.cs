using Vedette.Kql;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Local;

namespace Vedette.Telemetry.Sql;

/// <summary>An output column of a statement.</summary>
/// <param name="Name">The name the user sees.</param>
/// <param name="Type">KQL type. Values arrive as its physical form: see <see cref="SqlStatement"/>.</param>
public sealed record SqlColumn(string Name, KqlType Type);

/// <summary>
/// A compiled query. Without <see cref="Stages"/> it is one statement, <see cref="Text"/>. With stages, each stage's statement is run in order, its rows
/// go through the stage's step, and the step's rows are handed to the statements after it (<see cref="SqlRunner"/> does all that).
/// Output columns are o1, o2 … in the order of <see cref="Columns"/>; strings and dynamics (JSON text, '' for null) are String, timespans Int64 ticks,
/// all others the engine's own types; everything but strings and dynamics may be NULL.
/// </summary>
public sealed class SqlStatement
{
    internal SqlStatement(
        SqlComposition main, IReadOnlyList<ClickHouseParameter> parameters, IReadOnlyList<SqlColumn> columns, IReadOnlyList<SqlStage> stages, bool isOpen)
    {
        Main = main;
        Parameters = parameters;
        Columns = columns;
        Stages = stages;
        IsOpen = isOpen;
    }

    /// <summary>Settings that the text relies on.</summary>
    public static IReadOnlyDictionary<string, string> Settings { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["join_use_nulls"] = "0",
        ["enable_materialized_cte"] = "1",
        ["output_format_json_escape_forward_slashes"] = "0",
        ["output_format_json_quote_64bit_integers"] = "0",
        ["output_format_json_named_tuples_as_objects"] = "1",
        ["enable_extended_results_for_datetime_functions"] = "1",
        ["joined_subquery_requires_alias"] = "0",
        ["short_circuit_function_evaluation"] = "enable",
        ["transform_null_in"] = "0",
        ["cast_keep_nullable"] = "0",
        ["session_timezone"] = "UTC",
        ["prefer_column_name_to_alias"] = "0",
        ["group_by_use_nulls"] = "0",
        ["union_default_mode"] = "ALL",
        ["join_default_strictness"] = "ALL",
        ["any_join_distinct_right_table_keys"] = "0",
        ["max_query_size"] = "268435456",
        ["max_ast_elements"] = "1000000",
        ["max_expanded_ast_elements"] = "5000000",
        ["max_ast_depth"] = "5000",
        ["max_parser_depth"] = "10000",
        ["max_parser_backtracks"] = "10000000",
        ["max_subquery_depth"] = "1000",
        ["aggregate_functions_null_for_empty"] = "0",
        ["empty_result_for_aggregation_by_empty_set"] = "0",
        ["input_format_json_read_numbers_as_strings"] = "1",
        ["function_json_value_return_type_allow_nullable"] = "0",
        ["date_time_output_format"] = "simple",
        ["regexp_max_matches_per_row"] = "100000",
    };

    internal SqlComposition Main { get; }

    /// <summary>The statement, or of a query with stages the last one, whose stage rows are still to be put in.</summary>
    public string Text => Main.Compose(static _ => null);

    /// <summary>Values of the parameters in all texts.</summary>
    public IReadOnlyList<ClickHouseParameter> Parameters { get; }

    /// <summary>Output columns. When <see cref="IsOpen"/>, those known before the query runs.</summary>
    public IReadOnlyList<SqlColumn> Columns { get; }

    /// <summary>What runs in this process, in order; empty for most queries.</summary>
    public IReadOnlyList<SqlStage> Stages { get; }

    /// <summary>Whether the last stage decides the columns: its rows, then, are the result, and <see cref="Text"/> is not run.</summary>
    public bool IsOpen { get; }
}
