using System.CommandLine;
using System.Text.Json.Nodes;
using Vedette.Server.Control;
using Vedette.Server.Hosting;

namespace Vedette.Server.Cli;

/// <summary>Builds commands that run one operation: the shared options, the error report, the two ways of printing.</summary>
internal static class OperationCommand
{
    /// <summary><c>--data</c>: the data folder.</summary>
    public static Option<string> DataOption() => new("--data")
    {
        Description = "The data folder.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("VEDETTE_DATA") ?? ".vedette",
        HelpName = "DIR",
    };

    /// <summary><c>--json</c>: print JSON.</summary>
    public static Option<bool> JsonOption() => new("--json") { Description = "Print the result as JSON." };

    /// <summary>Adds the shared options to a command and lets it run an operation.</summary>
    /// <param name="command">The command.</param>
    /// <param name="operation">The operation's name.</param>
    /// <param name="input">Its arguments, from the parsed words.</param>
    /// <param name="print">Prints a result for people.</param>
    public static Command Runs(this Command command, string operation, Func<ParseResult, object> input, Action<JsonNode?> print)
    {
        var data = DataOption();
        var json = JsonOption();
        command.Options.Add(data);
        command.Options.Add(json);
        command.SetAction((parsed, cancellationToken) => ReportAsync(async () =>
        {
            var asJson = parsed.GetValue(json);
            var options = new ServerOptions { Data = parsed.GetValue(data)! };
            using var bar = new ProgressLine();
            var result = await OperationClient.RunAsync(options, operation, input(parsed), bar, cancellationToken);
            bar.Clear();
            if (asJson) Console.Out.WriteLine(result?.ToJsonString(OperationJson.Options) ?? "null");
            else print(result);
            return ExitCode.Success;
        }));
        return command;
    }

    /// <summary>Runs an action and turns what can go wrong into a message and an exit code.</summary>
    public static async Task<int> ReportAsync(Func<Task<int>> action)
    {
        try
        {
            return await action();
        }
        catch (OperationException exception)
        {
            await Console.Error.WriteLineAsync($"vedette: {exception.Message}");
            return exception.Code is "bad_input" ? ExitCode.Usage : ExitCode.Failure;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidOperationException or TimeoutException)
        {
            await Console.Error.WriteLineAsync($"vedette: {exception.Message}");
            return ExitCode.Failure;
        }
    }
}
