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
        var query = new Argument<string>("query") { Description = "The KQL query; '-' reads it from standard input." };
        var json = OperationCommand.JsonOption();
        var command = new Command("check", "Bind a query against the hunting schema: its columns and types, or what is wrong with it.") { query, json };
        command.SetAction((parsed, cancellationToken) => OperationCommand.ReportAsync(async () =>
        {
            var text = parsed.GetValue(query) is "-" ? await Console.In.ReadToEndAsync(cancellationToken) : parsed.GetValue(query)!;
            var answer = KqlCheck.Run(text, new HuntingCatalogue(new TelemetryOptions()));
            if (parsed.GetValue(json)) Console.Out.WriteLine(answer.ToJsonString(OperationJson.Options));
            else if (answer["ok"]!.GetValue<bool>()) Print.Rows(answer["schema"], ("Column", "name"), ("Type", "type"));
            foreach (var diagnostic in (JsonArray)answer["diagnostics"]!) Console.Error.WriteLine(HuntCommand.ErrorLine(diagnostic));
            return answer["ok"]!.GetValue<bool>() ? ExitCode.Success : ExitCode.Failure;
        }));
        return command;
    }
}
