using Vedette.Defender.Detections;
using Vedette.Defender.Detections.Testing;
using Vedette.Server.Control;

namespace Vedette.Server.Cli;

/// <summary>Query texts from the command line.</summary>
internal static class QueryText
{
    /// <summary>The words themselves; <c>-</c> reads standard input, <c>@file</c> a file, and so does the name of a file with queries that is there.</summary>
    /// <exception cref="OperationException">There is no such file, or no text.</exception>
    public static async Task<string> ReadAsync(string words, CancellationToken cancellationToken)
    {
        var text = words switch
        {
            "-" => await Console.In.ReadToEndAsync(cancellationToken),
            ['@', .. var file] => ReadFile(file),
            _ when QueryFiles.LooksLikeFile(words) && File.Exists(words) => ReadFile(words),
            _ => words,
        };
        return string.IsNullOrWhiteSpace(text) ? throw new OperationException("bad_input", "The query is empty.") : text;
    }

    // A rule in YAML holds one query among other things.
    private static string ReadFile(string file)
    {
        if (Directory.Exists(file)) throw new OperationException("bad_input", $"'{file}' is a folder.");
        if (!File.Exists(file)) throw new OperationException("bad_input", $"There is no file '{file}'.");
        var problems = new List<RuleProblem>();
        var found = QueryFiles.Read(file, problems);
        if (problems.Count > 0) throw new OperationException("bad_input", string.Join('\n', problems));
        return found switch
        {
            [] => "",
            [var one] => one.Text,
            _ => throw new OperationException("bad_input", $"The file '{file}' holds {found.Count} queries; 'hunt' takes one, 'kql check' takes them all."),
        };
    }
}
