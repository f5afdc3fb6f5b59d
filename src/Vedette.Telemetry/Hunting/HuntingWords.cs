using Vedette.Kql;
using Vedette.Telemetry.Engine;

namespace Vedette.Telemetry.Hunting;

/// <summary>What the service says when a query cannot be answered.</summary>
internal static class HuntingWords
{
    public const string Timeout = "Query exceeded the timeout period.";

    public const string ExcessiveResources = "Query stopped due to excessive resource consumption.";

    public const string ResultTooLarge =
        "Query execution has exceeded the allowed result size. Optimize your query by limiting the number of results and try again.";

    public const string QueryTooLarge = "The query cannot run because it exceeds the allowed size limit when processed.";

    public const string Unexpected = "An unexpected error occurred during query execution. Please try again in a few minutes.";

    private const int LongestDetail = 300;

    /// <summary>The last instant that the engine can hold.</summary>
    public static DateTime EndOfTime { get; } = new(2299, 12, 31, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>The beginning of a text that may be long: the engine repeats whole patterns.</summary>
    public static string Short(string text) => text.Length <= LongestDetail ? text : text[..LongestDetail] + " …";

    /// <summary>The first error of a compilation.</summary>
    public static HuntingException Translate(KqlCompilation compilation)
    {
        var error = compilation.Diagnostics.FirstOrDefault(static d => d.Severity == KqlSeverity.Error);
        if (error is null) return new HuntingException(HuntingFailure.Semantic, "The query has no result.");
        return new HuntingException(
            error.IsSyntax ? HuntingFailure.Syntax : HuntingFailure.Semantic, error.Message, error.Line, error.Column) { Hint = error.Hint };
    }

    /// <summary>An error of the engine. Its text may hold SQL and values, so people see it only where it is about their query.</summary>
    public static HuntingException Translate(ClickHouseException error) => error.Name switch
    {
        "TIMEOUT_EXCEEDED" or "TOO_SLOW" => new HuntingException(HuntingFailure.Timeout, Timeout, inner: error),
        "MEMORY_LIMIT_EXCEEDED" or "TOO_MANY_ROWS" or "TOO_MANY_BYTES" or "TOO_MANY_ROWS_OR_BYTES" or "SET_SIZE_LIMIT_EXCEEDED"
            or "LIMIT_EXCEEDED" or "TOO_LARGE_ARRAY_SIZE" or "TOO_LARGE_STRING_SIZE" or "CANNOT_ALLOCATE_MEMORY" =>
            new HuntingException(HuntingFailure.ExcessiveResources, ExcessiveResources, inner: error),
        "TOO_BIG_AST" or "TOO_DEEP_AST" or "TOO_DEEP_RECURSION" or "TOO_DEEP_SUBQUERIES" or "QUERY_IS_TOO_LARGE" or "TOO_MANY_COLUMNS"
            or "TOO_DEEP_PIPELINE" or "TOO_MANY_QUERY_PLAN_OPTIMIZATIONS" => new HuntingException(HuntingFailure.ExcessiveResources, QueryTooLarge, inner: error),
        _ when error.Message.Contains("re2 pattern", StringComparison.Ordinal) || error.Name == "CANNOT_COMPILE_REGEXP" =>
            new HuntingException(HuntingFailure.Semantic, $"Regex pattern is ill-formed ({RegexFault(error.Message)}).", inner: error),
        "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO" => new HuntingException(HuntingFailure.Semantic, Short(error.Message.Split(": while executing")[0]), inner: error),
        _ => new HuntingException(HuntingFailure.Internal, Unexpected, inner: error),
    };

    /// <summary>What the engine finds wrong with a regular expression, without its advice on SQL.</summary>
    private static string RegexFault(string message)
    {
        var start = message.IndexOf("error: ", StringComparison.Ordinal);
        var text = start < 0 ? message : message[(start + 7)..];
        var end = text.IndexOf(". Look at", StringComparison.Ordinal);
        return Short(end < 0 ? text : text[..end]);
    }
}
