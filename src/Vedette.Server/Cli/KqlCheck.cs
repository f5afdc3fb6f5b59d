using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;

namespace Vedette.Server.Cli;

/// <summary>Binds a query against the hunting schema, without an engine.</summary>
internal static class KqlCheck
{
    /// <summary>Columns and types of the result, and every diagnostic, in the form of a batch line.</summary>
    public static JsonObject Run(string query, HuntingCatalogue catalogue)
    {
        var compilation = KqlCompiler.Bind(query, catalogue.Schema, KqlOptions.Default);
        var answer = new JsonObject { ["ok"] = compilation.Succeeded };
        if (compilation.Succeeded)
        {
            answer["schema"] = new JsonArray([.. compilation.Columns.Select(column =>
                new JsonObject { ["name"] = column.Name, ["type"] = HuntBatch.TypeName(column.Type) })]);
        }

        answer["diagnostics"] = new JsonArray([.. compilation.Diagnostics.Select(diagnostic => new JsonObject
        {
            ["code"] = diagnostic.Code,
            ["severity"] = diagnostic.Severity.ToString(),
            ["message"] = diagnostic.FullMessage,
            ["line"] = diagnostic.Line,
            ["column"] = diagnostic.Column,
        })]);
        return answer;
    }
}
