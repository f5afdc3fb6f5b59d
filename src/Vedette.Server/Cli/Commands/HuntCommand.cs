using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Vedette.Server.Control;
using Vedette.Server.Hosting;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette hunt</c>: one query, or a file of them.</summary>
internal static class HuntCommand
{
    private const int ProblemsShown = 5;

    private delegate Task<JsonNode?> Run(string operation, object input, IProgress<OperationProgress> progress);

    public static Command Create()
    {
        var query = new Argument<string?>("query") { Description = "The KQL query; '-' reads it from standard input, '@FILE' from a file, also from a rule in YAML.", Arity = ArgumentArity.ZeroOrOne };
        var input = new Option<string?>("--in") { Description = "A file of queries, one JSON object {\"id\",\"query\"} a line; '-' reads standard input.", HelpName = "FILE" };
        var output = new Option<string?>("--out") { Description = "Where the answers to --in go, one JSON object a line; standard output when left out or '-'.", HelpName = "FILE" };
        var import = new Option<string[]>("--import") { Description = "Hunt in these logs or exports alone, in a throw-away store, instead of in the data folder.", HelpName = "FILE", AllowMultipleArgumentsPerToken = true };
        var shift = new Option<bool>("--shift-to-now") { Description = "With --import: move the recordings in time so that their last event is now and ago(…) finds them." };
        var table = new Option<string?>("--table") { Description = "With --import: hunting table whose rows the files hold; found from their content and names when left out.", HelpName = "NAME" };
        var empty = new Option<bool>("--empty") { Description = "Hunt in empty tables, in a throw-away store: does each query run at all?" };
        var demo = new Option<bool>("--demo") { Description = "Hunt in the demo organisation, in a throw-away store; with --import in both." };
        var parameter = new Option<string[]>("--parameter", "-p") { Description = "A value for what the query declares with 'declare query_parameters'.", HelpName = "NAME=VALUE" };
        var csv = new Option<bool>("--csv") { Description = "Print the rows as CSV." };
        var json = OperationCommand.JsonOption();
        var explain = new Option<bool>("--explain") { Description = "Run the query and show how: the plan, the SQL, what ran in this process, rows and bytes read, warnings." };
        var strict = CommonWords.Strict();
        var data = OperationCommand.DataOption();
        var tenant = CommonWords.Tenant();
        var command = new Command("hunt", "Run a hunting query in KQL.")
        {
            query, input, output, import, shift, table, empty, demo, parameter, csv, json, explain, strict, data, tenant,
        };
        command.Validators.Add(result =>
        {
            var isBatch = result.GetValue(input) is not null;
            var imports = result.GetValue(import) is { Length: > 0 };
            if (Asked(result.GetValue(query), result.GetValue(import), isBatch).Query is null != isBatch) result.AddError("hunt takes either a query or --in FILE.");
            if (result.GetValue(output) is not null && !isBatch) result.AddError("--out belongs to --in; redirect standard output instead.");
            if (isBatch && (result.GetValue(csv) || result.GetValue(explain))) result.AddError("--in answers in JSON lines; --csv and --explain belong to a single query.");
            if (isBatch && result.GetValue(parameter) is { Length: > 0 }) result.AddError("--parameter belongs to a single query.");
            if (result.GetValue(csv) && result.GetValue(json)) result.AddError("--csv and --json exclude each other.");
            if (result.GetValue(csv) && result.GetValue(explain)) result.AddError("--csv prints rows alone; use --explain with --json.");
            if (!imports && (result.GetValue(shift) || result.GetValue(table) is not null)) result.AddError("--shift-to-now and --table belong to --import.");
            if (result.GetValue(empty) && (imports || result.GetValue(demo))) result.AddError("--empty hunts in empty tables: it goes with neither --import nor --demo.");
            if (result.GetValue(tenant) is not null && (imports || result.GetValue(empty))) result.AddError("--tenant belongs to a data folder: a throw-away store has one tenant.");
            if (result.GetValue(parameter)?.FirstOrDefault(given => given.IndexOf('=', StringComparison.Ordinal) < 1) is { } odd) result.AddError($"--parameter takes NAME=VALUE, not '{odd}'.");
        });
        command.SetAction((parsed, cancellationToken) => OperationCommand.ReportAsync(async () =>
        {
            using var bar = new ProgressLine();
            var parameters = parsed.GetValue(parameter) is { Length: > 0 } given
                ? given.Select(pair => pair.Split('=', 2)).GroupBy(pair => pair[0], StringComparer.Ordinal).ToDictionary(pairs => pairs.Key, pairs => pairs.Last()[1], StringComparer.Ordinal)
                : null;
            var question = new Question(parsed.GetValue(tenant), parsed.GetValue(strict), parsed.GetValue(explain), parsed.GetValue(json), parsed.GetValue(csv), parameters);

            // Everything that can be wrong with files is found before an engine is started.
            using var queries = parsed.GetValue(input) is { } file ? await BatchFiles.OpenAsync(file, parsed.GetValue(output), cancellationToken) : null;
            var (words, files) = Asked(parsed.GetValue(query), parsed.GetValue(import), queries is not null);
            var text = queries is null ? await QueryText.ReadAsync(words!, cancellationToken) : "";
            var imports = files.Select(Path.GetFullPath).ToArray();
            if (imports.FirstOrDefault(path => !File.Exists(path) && !Directory.Exists(path)) is { } missing)
                throw new OperationException("bad_input", $"There is no file or folder '{missing}'.");

            Task<int> Answer(Run run) => queries is null ? AnswerAsync(run, text, question, bar, cancellationToken) : BatchAsync(run, queries, question, bar);
            if (parsed.GetValue(demo))
                return await InDemoAsync(
                    imports.Length > 0 ? new { files = imports, shiftToNow = parsed.GetValue(shift), detections = false, table = parsed.GetValue(table) } : null, Answer, bar, cancellationToken);
            if (imports.Length > 0 || parsed.GetValue(empty)) return await InThrowAwayStoreAsync(imports, parsed.GetValue(shift), parsed.GetValue(table), Answer, bar, cancellationToken);

            var options = new ServerOptions { Data = parsed.GetValue(data)! };
            if (!Directory.Exists(options.Data))
                bar.Report(new OperationProgress($"The data folder '{options.Data}' is new and empty: 'vedette up' makes a demo organisation in it, 'vedette import' brings logs, --demo and --import hunt without it", 0, null));
            return await Answer((operation, arguments, progress) => OperationClient.RunAsync(options, operation, arguments, progress, cancellationToken));
        }));
        return command;
    }

    // --import takes all words behind it, so the query may be the last of them.
    private static (string? Query, string[] Imports) Asked(string? query, string[]? imports, bool isBatch) => imports switch
    {
        null => (query, []),
        [_, .., var last] when query is null && !isBatch && !File.Exists(last) && !Directory.Exists(last) => (last, imports[..^1]),
        _ => (query, imports),
    };

    private static async Task<int> AnswerAsync(Run run, string query, Question question, ProgressLine bar, CancellationToken cancellationToken)
    {
        using var line = new MemoryStream();
        using var answer = new HuntAnswer(bar, line);
        var result = await run("hunt", new { query, tenant = question.Tenant, explain = question.Explain, strict = question.Strict, parameters = question.Parameters }, answer);
        bar.Clear();
        cancellationToken.ThrowIfCancellationRequested();
        using var document = HuntAnswer.Read(line);
        var root = document.RootElement;
        if (question.Json) WriteJson(line, result);
        else if (question.Explain) HuntPrinter.Explanation(root, result?["explanation"]);
        else if (question.Csv) HuntPrinter.Csv(root);
        else HuntPrinter.Rows(root);

        if (root.TryGetProperty("warnings", out var warnings)) Tell(JsonNode.Parse(warnings.GetRawText())!.AsArray(), query, "warning: ");
        if (root.GetProperty("ok").GetBoolean()) return ExitCode.Success;
        if (result?["diagnostics"] is JsonArray { Count: > 0 } diagnostics) Tell(diagnostics, query, "vedette: ");
        else Tell([JsonNode.Parse(root.GetProperty("error").GetRawText())], query, "vedette: ");
        return ExitCode.Failure;
    }

    private static void Tell(JsonArray mistakes, string query, string prefix)
    {
        foreach (var line in mistakes.SelectMany(mistake => QueryMistakes.Lines(mistake, query, prefix)).Concat(QueryMistakes.Settings(mistakes))) Console.Error.WriteLine(line);
    }

    // The line of a batch without its id, which a single query has none of.
    private static void WriteJson(MemoryStream line, JsonNode? result)
    {
        using var output = Console.OpenStandardOutput();
        var text = line.GetBuffer().AsSpan(0, (int)line.Length).TrimEnd("\n"u8);
        output.Write("{"u8);
        output.Write(text["{\"id\":null,"u8.Length..^1]);
        if (result?["explanation"] is { } explanation) output.Write(Encoding.UTF8.GetBytes($",\"explanation\":{explanation.ToJsonString(OperationJson.Options)}"));
        if (result?["diagnostics"] is JsonArray { Count: > 0 } diagnostics) output.Write(Encoding.UTF8.GetBytes($",\"diagnostics\":{diagnostics.ToJsonString(OperationJson.Options)}"));
        output.Write("}\n"u8);
    }

    private static async Task<int> BatchAsync(Run run, BatchFiles files, Question question, ProgressLine bar)
    {
        using var answer = new HuntAnswer(bar, files.Answers());
        var started = TimeProvider.System.GetTimestamp();
        var summary = await run("hunt.batch", new { queries = files.Queries, tenant = question.Tenant, strict = question.Strict }, answer);
        bar.Clear();
        var (sound, total) = ((long)summary!["ok"]!, (long)summary["total"]!);
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sound} of {total} queries answered in {seconds:0.0} s"));
        return sound == total ? ExitCode.Success : ExitCode.Failure;
    }

    private static async Task<int> InThrowAwayStoreAsync(string[] imports, bool shift, string? table, Func<Run, Task<int>> answer, ProgressLine bar, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("vedette-hunt-");
        try
        {
            await using var store = await ThrowAwayStore.OpenAsync(folder, cancellationToken);
            if (imports.Length > 0)
            {
                var report = await store.ImportAsync(imports, shift, table, bar, cancellationToken);
                bar.Clear();
                Tell(
                    [.. report.Files.Where(file => file.Error is not null).Select(file => $"{file.File}: {file.Error}"), .. report.Problems.Select(problem => $"{problem.File}({problem.Line}): {problem.Reason}")],
                    report.Files.Max(file => file.LastEvent), report.Rows);
            }

            return await answer((operation, arguments, progress) => store.RunAsync(operation, arguments, progress, cancellationToken));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // The demo organisation is more than telemetry: its alerts come from the domain.
    private static async Task<int> InDemoAsync(object? import, Func<Run, Task<int>> answer, ProgressLine bar, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("vedette-hunt-");
        try
        {
            await using var house = await House.OpenAsync(new ServerOptions { Data = folder.FullName, Serve = false, Demo = true }, cancellationToken, bar);
            Run run = (operation, arguments, progress) => OperationClient.RunHereAsync(house, operation, arguments, progress, cancellationToken);
            if (import is not null)
            {
                var report = await run("import", import, bar);
                bar.Clear();
                Tell(
                    [.. (report?["unreadable"] as JsonArray ?? []).Select(problem => $"{Print.Text(problem!["file"])}({Print.Text(problem["line"])}): {Print.Text(problem["reason"])}")],
                    DateTime.TryParse(Print.Text(report?["lastEvent"]), CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out var last) ? last : null, (long?)report?["rowsStored"] ?? 0);
            }

            return await answer(run);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // What an import leaves out must not look like a query that finds nothing.
    private static void Tell(IReadOnlyCollection<string> problems, DateTime? last, long rows)
    {
        foreach (var problem in problems.Take(ProblemsShown)) Console.Error.WriteLine("warning: " + Print.Visible(problem));
        if (problems.Count > ProblemsShown) Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"warning: … and {problems.Count - ProblemsShown} more lines that could not be read; 'vedette import' lists them"));
        if (rows == 0) Console.Error.WriteLine("warning: the files gave no rows");
        if (last < DateTime.UtcNow.AddDays(-1))
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"note: the imported events end on {last:yyyy-MM-dd}: time filters such as ago(7d) count from now; --shift-to-now moves the events to the present"));
    }

    private sealed record Question(string? Tenant, bool Strict, bool Explain, bool Json, bool Csv, Dictionary<string, string>? Parameters);
}
