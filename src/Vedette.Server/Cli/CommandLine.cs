using System.CommandLine;
using Vedette.Server.Cli.Commands;

namespace Vedette.Server.Cli;

/// <summary>The words after <c>vedette</c>. Each command is a file under Commands.</summary>
public static class CommandLine
{
    // Both engines are closed in order; a query that is under way may take a while to be cancelled.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    /// <summary>Runs one command line.</summary>
    /// <returns>The process exit code: see <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("Vedette: a self-hosted Defender API. Without a server running, commands open the data folder themselves.")
        {
            UpCommand.Create(),
            AppCommands.Create(),
            UserCommands.Create(),
            GroupCommands.Create(),
            RoleCommands.Create(),
            DeviceGroupCommands.Create(),
            TenantCommands.Create(),
            TokenCommand.Create(),
            ImportCommand.Create(),
            HuntCommand.Create(),
            KqlCommands.Create(),
            RuleCommands.Create(),
            KnowledgeCommands.Create(),
            TrustCommand.Create(),
            SignInCommands.Create(),
            InsightCommands.Why(),
            InsightCommands.Audit(),
            InsightCommands.Certificates(),
            ExportCommands.Create(),
            InvestigationCommands.Create(),
            ControlCommands.Create(),
            StatusCommand.Create(),
        };
        
        // '@FILE' is a query in a file here, not a file of arguments.
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync($"vedette: {error.Message}");
            await Console.Error.WriteLineAsync($"Try 'vedette {string.Join(' ', args.TakeWhile(word => !word.StartsWith('-')))} --help'.");
            return ExitCode.Usage;
        }

        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = StopLimit });
    }
}

/// <summary>What a command's exit code means.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Success = 0;

    /// <summary>The command ran and failed; standard error says why.</summary>
    public const int Failure = 1;

    /// <summary>The command line itself is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Stopped by Ctrl-C.</summary>
    public const int Interrupted = 130;
}
