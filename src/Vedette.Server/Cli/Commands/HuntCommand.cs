using System.CommandLine;
using System.Text.Json.Nodes;
using Vedette.Server.Control;
using Vedette.Server.Hosting;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette hunt</c>: one query, or a file of them.</summary>
internal static class HuntCommand
{
    private delegate Task<JsonNode?> Run(string operation, object input);

    public static Command Create()
    {
        var query = new Argument<string?>("query") { Description = "The KQL query; '-' reads it from standard input, '@FILE' from a file.", Arity = ArgumentArity.ZeroOrOne };
        var input = new Option<string?>("--in") { Description = "A file of queries, one JSON object {\"id\",\"query\"} a line; '-' reads standard input.", HelpName = "FILE" };
        var output = new Option<string?>("--out") { Description = "Where the answers to --in go, one JSON object a line; standard output when left out.", HelpName = "FILE" };
        var import = new Option<string[]>("--import") { Description = "Hunt in these logs alone, in a throw-away store, instead of in the data folder.", HelpName = "FILE", AllowMultipleArgumentsPerToken = true };
        var empty = new Option<bool>("--empty") { Description = "Hunt in empty tables, in a throw-away store: does each query run at all?" };
        var csv = new Option<bool>("--csv") { Description = "Print the rows as CSV." };
        var json = OperationCommand.JsonOption();
        var explain = new Option<bool>("--explain") { Description = "Run the query and show how: the plan, the SQL, what ran in this process, rows and bytes read, warnings." };
        var strict = CommonWords.Strict();
        var data = OperationCommand.DataOption();
        var tenant = CommonWords.Tenant();
        var command = new Command("hunt", "Run a hunting query in KQL.") { query, input, output, import, empty, csv, json, explain, strict, data, tenant };
        command.Validators.Add(result =>
        {
            var isBatch = result.GetValue(input) is not null;
            if (result.GetValue(query) is null != isBatch) result.AddError("hunt takes either a query or --in FILE.");
            if (result.GetValue(output) is not null && !isBatch) result.AddError("--out belongs to --in; redirect standard output instead.");
            if (isBatch && (result.GetValue(csv) || result.GetValue(explain))) result.AddError("--in answers in JSON lines; --csv and --explain belong to a single query.");
            if (result.GetValue(csv) && result.GetValue(json)) result.AddError("--csv and --json exclude each other.");
            if (result.GetValue(csv) && result.GetValue(explain)) result.AddError("--csv prints rows alone; use --explain with --json.");
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
                        queries = file == "-" ? null : Path.GetFullPath(file),
                        lines = file == "-" ? await Console.In.ReadToEndAsync(cancellationToken) : null,
                        answers = parsed.GetValue(output) is { } target ? Path.GetFullPath(target) : null,
                        tenant = parsed.GetValue(tenant),
                        strict = parsed.GetValue(strict),
                    };
                    return PrintBatch(await run("hunt.batch", batch), bar);
                }

                var text = await QueryText.ReadAsync(parsed.GetValue(query)!, cancellationToken);
                var answer = await run("hunt", new { query = text, tenant = parsed.GetValue(tenant), explain = parsed.GetValue(explain), strict = parsed.GetValue(strict) });
                bar.Clear();
                if (parsed.GetValue(json)) Console.Out.WriteLine(answer?.ToJsonString(OperationJson.Options));
                else if (parsed.GetValue(explain)) HuntPrinter.Explanation(answer);
                else if (parsed.GetValue(csv)) HuntPrinter.Csv(answer);
                else HuntPrinter.Rows(answer);
                HuntPrinter.Warnings(answer);
                if (answer?["ok"]?.GetValue<bool>() == true) return ExitCode.Success;
                Console.Error.WriteLine(HuntPrinter.ErrorLine(answer?["error"]));
                return ExitCode.Failure;
            }
        }));
        return command;
    }

    private static async Task<int> InThrowAwayStoreAsync(
        string[] files, Func<Run, Task<int>> answer, ProgressLine bar, CancellationToken cancellationToken)
    {
        // Before any engine is started for nothing.
        if (files.FirstOrDefault(file => !File.Exists(file) && !Directory.Exists(file)) is { } missing)
            throw new OperationException("bad_input", $"There is no file or folder '{missing}'.");
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
}
