using System.CommandLine;
using System.Text.Json.Nodes;
using Vedette.Server.Control;
using Vedette.Telemetry;
using Vedette.Telemetry.Hunting;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette kql …</c>: work on queries without data.</summary>
internal static class KqlCommands
{
    public static Command Create() => new("kql", "Check queries without running them.") { Check() };

    private static Command Check()
    {
        var query = new Argument<string?>("query") { Description = "The KQL query; '-' reads it from standard input, '@FILE' from a file.", Arity = ArgumentArity.ZeroOrOne };
        var input = new Option<string?>("--in") { Description = "A file of queries, one JSON object {\"id\",\"query\"} a line; '-' reads standard input.", HelpName = "FILE" };
        var output = new Option<string?>("--out") { Description = "Where the answers to --in go, one JSON object a line; standard output when left out.", HelpName = "FILE" };
        var strict = CommonWords.Strict();
        var json = OperationCommand.JsonOption();
        var command = new Command("check", "Bind a query against the hunting schema: its columns and types, or what is wrong with it.") { query, input, output, strict, json };
        command.Validators.Add(result =>
        {
            if (result.GetValue(query) is null == (result.GetValue(input) is null)) result.AddError("kql check takes either a query or --in FILE.");
            if (result.GetValue(output) is not null && result.GetValue(input) is null) result.AddError("--out belongs to --in; redirect standard output instead.");
        });
        command.SetAction((parsed, cancellationToken) => OperationCommand.ReportAsync(async () =>
        {
            var catalogue = new HuntingCatalogue(new TelemetryOptions { RetiredColumns = parsed.GetValue(strict) ? RetiredColumns.Reject : RetiredColumns.Warn });
            if (parsed.GetValue(input) is { } file) return await CheckAllAsync(file, parsed.GetValue(output), catalogue, cancellationToken);
            var answer = KqlCheck.Run(null, await QueryText.ReadAsync(parsed.GetValue(query)!, cancellationToken), catalogue);
            if (parsed.GetValue(json)) Console.Out.WriteLine(answer.ToJsonString(OperationJson.Options));
            else if (answer["ok"]!.GetValue<bool>()) Print.Rows(answer["schema"], ("Column", "name"), ("Type", "type"));
            foreach (var diagnostic in (JsonArray)answer["diagnostics"]!) Console.Error.WriteLine(HuntPrinter.ErrorLine(diagnostic));
            return answer["ok"]!.GetValue<bool>() ? ExitCode.Success : ExitCode.Failure;
        }));
        return command;
    }

    private static async Task<int> CheckAllAsync(string input, string? output, HuntingCatalogue catalogue, CancellationToken cancellationToken)
    {
        if (input != "-" && !File.Exists(input)) throw new OperationException("bad_input", $"There is no file '{input}'.");
        using var reader = input == "-" ? Console.In : File.OpenText(input);
        await using var writer = output is null ? Console.Out : new StreamWriter(output);
        var (sound, total, number) = (0, 0, 0);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line)) continue;
            var answer = HuntBatch.TryParse(line, out var query)
                ? KqlCheck.Run(query.Id, query.Query, catalogue)
                : JsonNode.Parse(HuntBatch.Refusal(number))!;
            total++;
            if ((bool)answer["ok"]!) sound++;
            await writer.WriteLineAsync(answer.ToJsonString(OperationJson.Options).AsMemory(), cancellationToken);
        }

        await writer.FlushAsync(cancellationToken);
        await Console.Error.WriteLineAsync($"{sound} of {total} queries are sound");
        return sound == total ? ExitCode.Success : ExitCode.Failure;
    }
}
