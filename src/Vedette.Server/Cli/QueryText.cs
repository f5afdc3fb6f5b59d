using Vedette.Server.Control;

namespace Vedette.Server.Cli;

/// <summary>Query texts from the command line.</summary>
internal static class QueryText
{
    /// <summary>The words themselves; <c>-</c> reads standard input, <c>@file</c> a file.</summary>
    /// <exception cref="OperationException">There is no such file, or no text.</exception>
    public static async Task<string> ReadAsync(string words, CancellationToken cancellationToken)
    {
        var text = words switch
        {
            "-" => await Console.In.ReadToEndAsync(cancellationToken),
            ['@', .. var file] => await ReadFileAsync(file, cancellationToken),
            _ => words,
        };
        return string.IsNullOrWhiteSpace(text) ? throw new OperationException("bad_input", "The query is empty.") : text;
    }

    private static async Task<string> ReadFileAsync(string file, CancellationToken cancellationToken) => File.Exists(file)
        ? await File.ReadAllTextAsync(file, cancellationToken)
        : throw new OperationException("bad_input", $"There is no file '{file}'.");
}
