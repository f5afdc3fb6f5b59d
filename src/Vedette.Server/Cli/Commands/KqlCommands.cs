using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Vedette.Defender.Detections;
using Vedette.Defender.Detections.Testing;
using Vedette.Server.Control;
using Vedette.Server.Hosting;
using Vedette.Telemetry;
using Vedette.Telemetry.Hunting;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette kql …</c>: work on queries without data.</summary>
internal static class KqlCommands
{
    public static Command Create() => new("kql", "Check queries without running them.") { Check() };

    private static Command Check()
    {
        var query = new Argument<string[]>("query")
        {
            Description = "The KQL query, '-' for one on standard input, '@FILE' for one in a file; or files and folders of queries and rules: .kql, YAML and JSON with the key 'query', Markdown with blocks of KQL.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var input = new Option<string?>("--in") { Description = "A file of queries, one JSON object {\"id\",\"query\"} a line; '-' reads standard input.", HelpName = "FILE" };
        var output = new Option<string?>("--out") { Description = "Where the answers to --in go, one JSON object a line; standard output when left out or '-'.", HelpName = "FILE" };
        var junit = new Option<string?>("--junit") { Description = "For files and folders: also write the results as JUnit XML, for CI.", HelpName = "FILE" };
        var strict = CommonWords.Strict();
        var timeGenerated = new Option<bool>("--time-generated") { Description = "Let tables answer to TimeGenerated as well, for queries written for a workspace." };
        var json = OperationCommand.JsonOption();
        var data = OperationCommand.DataOption();
        var command = new Command("check", "Bind queries against the hunting schema: their columns and types, or what is wrong with them. Nothing runs.")
        {
            query, input, output, junit, strict, timeGenerated, json, data,
        };
        command.Validators.Add(result =>
        {
            var words = result.GetValue(query) ?? [];
            if (words.Length > 0 == result.GetValue(input) is not null) result.AddError("kql check takes either a query, files, or --in FILE.");
            if (result.GetValue(output) is not null && result.GetValue(input) is null) result.AddError("--out belongs to --in; redirect standard output instead.");
        });
        command.SetAction((parsed, cancellationToken) => OperationCommand.ReportAsync(async () =>
        {
            // The settings of the data folder hold for checks, too, but no folder is made for them.
            var settings = ServerSettings.Read(DataFolder.At(parsed.GetValue(data)!));
            var catalogue = new HuntingCatalogue(new TelemetryOptions
            {
                RetiredColumns = parsed.GetValue(strict) ? RetiredColumns.Reject : settings.Hunting.RetiredColumns,
                TimeGenerated = settings.TimeGenerated || parsed.GetValue(timeGenerated),
            });
            if (parsed.GetValue(input) is { } file) return await CheckAllAsync(file, parsed.GetValue(output), catalogue, cancellationToken);
            var words = parsed.GetValue(query)!;
            if (Paths(words) is { } paths) return CheckFiles(paths, catalogue, parsed.GetValue(json), parsed.GetValue(junit));
            if (parsed.GetValue(junit) is not null) throw new OperationException("bad_input", "--junit belongs to files and folders.");
            return CheckOne(await QueryText.ReadAsync(words[0], cancellationToken), catalogue, parsed.GetValue(json));
        }));
        return command;
    }

    // A word that names something on the disk is meant so; several can only be names.
    private static string[]? Paths(string[] words)
    {
        var names = words.Select(word => word is ['@', .. var file] && (words.Length > 1 || Directory.Exists(file) || QueryFiles.LooksLikeFile(file)) ? file : word).ToArray();
        if (names is [var one] && !File.Exists(one) && !Directory.Exists(one) && (one.AsSpan().IndexOfAny(" \t\r\n|(") >= 0 || !QueryFiles.LooksLikeFile(one))) return null;
        return names.FirstOrDefault(name => !File.Exists(name) && !Directory.Exists(name)) is { } missing
            ? throw new OperationException("bad_input", $"There is no file or folder '{missing}'{(words.Length > 1 ? "; a query is one word, in quotes" : "")}.")
            : names;
    }

    private static int CheckOne(string text, HuntingCatalogue catalogue, bool json)
    {
        var answer = KqlCheck.Run(null, text, catalogue);
        var ok = answer["ok"]!.GetValue<bool>();
        if (json) Console.Out.WriteLine(answer.ToJsonString(OperationJson.Options));
        else if (ok) Print.Rows(answer["schema"], ("Column", "name"), ("Type", "type"));
        var diagnostics = (JsonArray)answer["diagnostics"]!;
        foreach (var line in diagnostics.SelectMany(diagnostic => QueryMistakes.Lines(diagnostic, text, Prefix(diagnostic))).Concat(QueryMistakes.Settings(diagnostics)))
            Console.Error.WriteLine(line);

        return ok ? ExitCode.Success : ExitCode.Failure;
    }

    private static string Prefix(JsonNode? diagnostic) => (string)diagnostic!["severity"]! is "Error" ? "vedette: " : $"{((string)diagnostic["severity"]!).ToLowerInvariant()}: ";

    private static async Task<int> CheckAllAsync(string input, string? output, HuntingCatalogue catalogue, CancellationToken cancellationToken)
    {
        var target = BatchFiles.Check(input, output);
        using var reader = input == "-" ? Console.In : File.OpenText(input);
        await using var writer = new StreamWriter(BatchFiles.Create(target));
        var (sound, total, number) = (0, 0, 0);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line)) continue;
            var query = HuntBatchQuery.Parse(line, number);
            var answer = query.Problem is null ? KqlCheck.Run(query.Id, query.Query, catalogue) : JsonNode.Parse(query.Refusal())!;
            total++;
            if ((bool)answer["ok"]!) sound++;
            await writer.WriteLineAsync(answer.ToJsonString(OperationJson.Options).AsMemory(), cancellationToken);

            // Who asks query by query, as an editor does, waits for the answer.
            if (target is null) await writer.FlushAsync(cancellationToken);
        }

        await writer.FlushAsync(cancellationToken);
        await Console.Error.WriteLineAsync($"{sound} of {total} queries are sound");
        return sound == total ? ExitCode.Success : ExitCode.Failure;
    }

    private static int CheckFiles(string[] paths, HuntingCatalogue catalogue, bool json, string? junit)
    {
        var (sound, results, files) = (0, new List<RuleTestResult>(), new HashSet<string>(StringComparer.Ordinal));
        var mistakes = new List<JsonNode?>();
        foreach (var path in paths)
        {
            var problems = new List<RuleProblem>();
            foreach (var query in QueryFiles.Find(path, problems))
            {
                Refuse(problems);
                files.Add(query.File);
                var started = Stopwatch.GetTimestamp();
                var lines = Check(query, catalogue, json, mistakes, out var ok);
                if (ok) sound++;
                results.Add(new RuleTestResult(query.File, query.Line == 1 ? "query" : $"query in line {query.Line}", Stopwatch.GetElapsedTime(started), ok ? null : string.Join('\n', lines)));
            }

            Refuse(problems);
        }

        if (results.Count == 0) throw new OperationException("bad_input", $"There are no queries in {string.Join(", ", paths.Select(path => $"'{path}'"))}.");
        if (junit is not null) JUnitReport.Save(junit, "vedette kql check", results);
        Console.Error.WriteLine($"{sound} of {results.Count} {(results.Count == 1 ? "query" : "queries")} in {files.Count} {(files.Count == 1 ? "file" : "files")} {(sound == 1 ? "is" : "are")} sound");
        foreach (var hint in QueryMistakes.Settings(mistakes)) Console.Error.WriteLine(hint);
        return results.All(result => result.Passed) ? ExitCode.Success : ExitCode.Failure;

        void Refuse(List<RuleProblem> problems)
        {
            foreach (var problem in problems)
            {
                files.Add(problem.File);
                if (json) Console.Out.WriteLine(FileProblem(problem).ToJsonString(OperationJson.Options));
                else Console.Out.WriteLine($"{problem.File}:{problem.Line}:{problem.Column}: error: {problem.Message}");
                results.Add(new RuleTestResult(problem.File, "(the file)", TimeSpan.Zero, problem.ToString()));
            }

            problems.Clear();
        }
    }

    private static JsonObject FileProblem(RuleProblem problem) => new()
    {
        ["id"] = problem.File,
        ["ok"] = false,
        ["error"] = new JsonObject { ["code"] = "BadInput", ["message"] = problem.Message, ["line"] = problem.Line, ["column"] = problem.Column },
    };

    // Compilers' form, which editors and CI systems make links of; places are those of the file.
    private static List<string> Check(StoredQuery query, HuntingCatalogue catalogue, bool json, List<JsonNode?> mistakes, out bool ok)
    {
        var answer = KqlCheck.Run(JsonValue.Create(query.Line == 1 ? query.File : $"{query.File}:{query.Line}").ToJsonString(OperationJson.Options), query.Text, catalogue);
        ok = answer["ok"]!.GetValue<bool>();
        var lines = new List<string>();
        foreach (var diagnostic in ((JsonArray)answer["diagnostics"]!).OfType<JsonObject>().Append(answer["error"] as JsonObject).OfType<JsonObject>())
        {
            var (line, column) = ((int)diagnostic["line"]!, (int)diagnostic["column"]!);
            var place = query.Place(line, column);
            if (diagnostic["severity"] is { } severity)
            {
                lines.Add($"{query.File}:{place.Line}:{place.Column}: {((string)severity!).ToLowerInvariant()}: {Print.Visible((string)diagnostic["message"]!)}");
                mistakes.Add(diagnostic);
                lines.AddRange(QueryMistakes.Excerpt(query.Text, line, column, (int)diagnostic["length"]!));
            }

            (diagnostic["line"], diagnostic["column"]) = (place.Line, place.Column);
        }

        if (json) Console.Out.WriteLine(answer.ToJsonString(OperationJson.Options));
        else lines.ForEach(Console.Out.WriteLine);
        return lines;
    }
}
