using System.Diagnostics;
using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;

namespace Vedette.Server.Cli;

/// <summary>Binds a query against the hunting schema, without an engine.</summary>
internal static class KqlCheck
{
    /// <summary>
    /// Columns and types of the result, and every diagnostic, in the form of a batch line: <c>{"id","ok","schema","error","diagnostics",
    /// "elapsedMs"}</c>, where the error is the first of the diagnostics that stops the query.
    /// </summary>
    /// <param name="id">The query's name as JSON; null for none.</param>
    /// <param name="query">KQL text.</param>
    /// <param name="catalogue">What it may name.</param>
    public static JsonObject Run(string? id, string query, HuntingCatalogue catalogue)
    {
        var started = Stopwatch.GetTimestamp();
        var compilation = catalogue.Bind(query);
        var elapsed = Stopwatch.GetElapsedTime(started);
        var answer = new JsonObject();
        if (id is not null) answer["id"] = JsonNode.Parse(id);
        answer["ok"] = compilation.Succeeded;
        if (compilation.Succeeded)
        {
            answer["schema"] = new JsonArray([.. compilation.Columns.Select(column =>
                new JsonObject { ["name"] = column.Name, ["type"] = column.Type.Name() })]);
        }
        else if (compilation.Diagnostics.FirstOrDefault(diagnostic => diagnostic.Severity == KqlSeverity.Error) is { } error)
        {
            answer["error"] = new JsonObject
            {
                ["code"] = (error.IsSyntax ? HuntingFailure.Syntax : HuntingFailure.Semantic).ToString(),
                ["message"] = error.FullMessage,
                ["line"] = error.Line,
                ["column"] = error.Column,
            };
        }

        answer["diagnostics"] = new JsonArray([.. compilation.Diagnostics.Select(diagnostic => new JsonObject
        {
            ["code"] = diagnostic.Code,
            ["severity"] = diagnostic.Severity.ToString(),
            ["message"] = diagnostic.FullMessage,
            ["line"] = diagnostic.Line,
            ["column"] = diagnostic.Column,
            ["length"] = diagnostic.Span.Length,
        })]);
        answer["elapsedMs"] = Math.Round(elapsed.TotalMilliseconds, 3);
        return answer;
    }
}
