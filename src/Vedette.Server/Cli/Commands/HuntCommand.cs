using System.CommandLine;
using System.Text.Json.Nodes;
using Spectre.Console;
using Vedette.Server.Control;
using Vedette.Server.Hosting;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette hunt</c>: one query, or a file of them.</summary>
internal static class HuntCommand
{
    private delegate Task<JsonNode?> Run(string operation, object input);

    public static Command Create()
    {
        var query = new Argument<string?>("query") { Description = "The KQL query; '-' reads it from standard input.", Arity = ArgumentArity.ZeroOrOne };
        var input = new Option<string?>("--in") { Description = "A file of queries, one JSON object {\"id\",\"query\"} a line.", HelpName = "FILE" };
        var output = new Option<string?>("--out") { Description = "Where the answers to --in go, one JSON object a line; standard output when left out.", HelpName = "FILE" };
        var import = new Option<string[]>("--import") { Description = "Hunt in these logs alone, in a throw-away store, instead of in the data folder.", HelpName = "FILE", AllowMultipleArgumentsPerToken = true };
        var empty = new Option<bool>("--empty") { Description = "Hunt in empty tables, in a throw-away store: does each query run at all?" };
        var csv = new Option<bool>("--csv") { Description = "Print the rows as CSV." };
        var json = OperationCommand.JsonOption();
        var explain = new Option<bool>("--explain") { Description = "Show how the query runs: the SQL that it becomes." };
        var data = OperationCommand.DataOption();
        var tenant = new Option<string?>("--tenant") { Description = "Tenant id or domain; the first tenant when left out.", HelpName = "TENANT" };
        var command = new Command("hunt", "Run a hunting query in KQL.") { query, input, output, import, empty, csv, json, explain, data, tenant };
        command.Validators.Add(result =>
        {
            if (result.GetValue(query) is null == (result.GetValue(input) is null)) result.AddError("hunt takes a query, or --in FILE.");
        });
        command.SetAction((parsed, cancellationToken) => OperationCommand.ReportAsync(async () =>
        {
            using var bar = new ProgressLine();
            if (parsed.GetValue(import) is { Length: > 0 } || parsed.GetValue(empty))
            {
                var files = (parsed.GetValue(import) ?? []).Select(Path.GetFullPath).ToArray();
                return await InThrowAwayStoreAsync(files, AnswerAsync, bar, cancellationToken);
            }

            var options = new ServerOptions { Data = parsed.GetValue(data)! };
            return await AnswerAsync((operation, arguments) => OperationClient.RunAsync(options, operation, arguments, bar, cancellationToken));

            async Task<int> AnswerAsync(Run run)
            {
                if (parsed.GetValue(input) is { } file)
                {
                    var batch = new
                    {
                        queries = Path.GetFullPath(file),
                        answers = parsed.GetValue(output) is { } target ? Path.GetFullPath(target) : null,
                        tenant = parsed.GetValue(tenant),
                    };
                    return PrintBatch(await run("hunt.batch", batch), bar);
                }

                var text = parsed.GetValue(query) is "-" ? await Console.In.ReadToEndAsync(cancellationToken) : parsed.GetValue(query)!;
                var answer = await run("hunt", new { query = text, tenant = parsed.GetValue(tenant), explain = parsed.GetValue(explain) });
                bar.Clear();
                if (parsed.GetValue(json)) Console.Out.WriteLine(answer?.ToJsonString(OperationJson.Options));
                else if (parsed.GetValue(explain)) Console.Out.WriteLine(Print.Text(answer?["explanation"]));
                else if (parsed.GetValue(csv)) PrintCsv(answer);
                else PrintTable(answer);
                if (answer?["ok"]?.GetValue<bool>() == true) return ExitCode.Success;
                Console.Error.WriteLine(ErrorLine(answer?["error"]));
                return ExitCode.Failure;
            }
        }));
        return command;
    }

    /// <summary>A query's error as people read it.</summary>
    public static string ErrorLine(JsonNode? error)
    {
        var place = error?["line"] is { } line ? $"line {line}, column {error["column"]}: " : "";
        return $"vedette: {place}{Print.Text(error?["message"])}";
    }

    private static async Task<int> InThrowAwayStoreAsync(
        string[] files, Func<Run, Task<int>> answer, ProgressLine bar, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("vedette-hunt-");
        try
        {
            await using var house = await House.OpenAsync(new ServerOptions { Data = folder.FullName, Serve = false }, cancellationToken, bar);
            Run run = (operation, arguments) => OperationClient.RunHereAsync(house, operation, arguments, bar, cancellationToken);
            if (files.Length > 0) await run("import", new { files, shiftToNow = false, detections = false });
            return await answer(run);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static int PrintBatch(JsonNode? summary, ProgressLine bar)
    {
        bar.Clear();
        foreach (var line in summary?["lines"] as JsonArray ?? []) Console.Out.WriteLine(line!.ToJsonString(OperationJson.Options));
        Console.Error.WriteLine($"{Print.Text(summary?["ok"])} of {Print.Text(summary?["total"])} queries answered");
        return (long)summary!["ok"]! == (long)summary["total"]! ? ExitCode.Success : ExitCode.Failure;
    }

    private static void PrintTable(JsonNode? answer)
    {
        if (answer?["schema"] is not JsonArray { Count: > 0 } schema) return;
        var table = Print.NewTable();
        foreach (var column in schema) table.AddColumn(new TableColumn(Print.Text(column!["name"]).EscapeMarkup()));
        var rows = answer["rows"] as JsonArray ?? [];
        foreach (var row in rows) table.AddRow([.. ((JsonArray)row!).Select(cell => Print.Text(cell).EscapeMarkup())]);
        Print.Write(table);
        Console.Error.WriteLine($"{rows.Count} rows, {Print.Text(answer["elapsedMs"])} ms");
    }

    private static void PrintCsv(JsonNode? answer)
    {
        if (answer?["schema"] is not JsonArray { Count: > 0 } schema) return;
        Console.Out.WriteLine(string.Join(',', schema.Select(column => CsvField(Print.Text(column!["name"])))));
        foreach (var row in answer["rows"] as JsonArray ?? [])
        {
            Console.Out.WriteLine(string.Join(',', ((JsonArray)row!).Select(cell =>
                CsvField(cell is JsonArray or JsonObject ? cell.ToJsonString(OperationJson.Options) : Print.Text(cell)))));
        }
    }

    // RFC 4180.
    private static string CsvField(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
