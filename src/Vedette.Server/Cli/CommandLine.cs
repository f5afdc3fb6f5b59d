namespace Vedette.Server.Cli;

/// <summary>Parses the words after <c>vedette</c> and runs the command they name.</summary>
public static class CommandLine
{
    /// <summary>Runs one command line and returns the process exit code.</summary>
    public static Task<int> RunAsync(string[] args)
    {
        Console.Error.WriteLine($"vedette: no command named '{string.Join(' ', args)}'");
        return Task.FromResult(2);
    }
}
