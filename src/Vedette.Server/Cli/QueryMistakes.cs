using System.Globalization;
using System.Text.Json.Nodes;

namespace Vedette.Server.Cli;

/// <summary>
/// Shows what is wrong with a query as people read it: place and words, the line of the query, and a caret under what is meant.
/// </summary>
internal static class QueryMistakes
{
    // A longer line is shown as a window around the place.
    private const int LongestLine = 160;
    private const int Before = 60;

    // What a setting would change, by a part of the message.
    private static readonly (string Part, string Hint)[] Hints =
    [
        ("'TimeGenerated'", "VEDETTE__TimeGenerated=true lets tables answer to TimeGenerated (docs/limits.md)"),
        ("is switched off", "ExternalData:AllowedHosts names the hosts that queries may reach: VEDETTE__ExternalData__AllowedHosts__0=HOST for one command (docs/limits.md)"),
        ("exceeded the timeout period", "Hunting:CommandLine:Timeout is the time that a query of a command may take: VEDETTE__Hunting__CommandLine__Timeout=00:30:00 (docs/limits.md)"),
        ("exceeded the allowed result size", "Hunting:CommandLine:MaxBytes bounds an answer (docs/limits.md)"),
    ];

    /// <summary>What could be set otherwise so that the mistakes go away; each is told once.</summary>
    public static IEnumerable<string> Settings(IEnumerable<JsonNode?> mistakes)
    {
        var words = mistakes.Select(mistake => Print.Text(mistake?["message"])).ToArray();
        return Hints.Where(hint => words.Any(text => text.Contains(hint.Part, StringComparison.Ordinal))).Select(hint => "hint: " + hint.Hint);
    }

    /// <summary>The lines to print for one diagnostic or error.</summary>
    /// <param name="mistake">An object with <c>message</c>, and <c>line</c>, <c>column</c> and <c>length</c> where they are known.</param>
    /// <param name="query">The text that it is about.</param>
    /// <param name="prefix">What stands before the words: the program or file and the severity.</param>
    public static IEnumerable<string> Lines(JsonNode? mistake, string query, string prefix = "vedette: ")
    {
        var words = Print.Visible(Print.Text(mistake?["message"]));
        if (mistake?["line"] is not { } place || mistake["column"] is not { } start)
        {
            yield return prefix + words;
            yield break;
        }

        var (line, column) = ((int)place, (int)start);
        yield return string.Create(CultureInfo.InvariantCulture, $"{prefix}line {line}, column {column}: {words}");
        foreach (var shown in Excerpt(query, line, column, mistake["length"] is { } length ? (int)length : 1)) yield return shown;
    }

    /// <summary>The line of a text and the carets under a part of it; nothing when there is no such line.</summary>
    public static IEnumerable<string> Excerpt(string text, int line, int column, int length)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        if (line < 1 || line > lines.Length) yield break;
        var shown = lines[line - 1];
        var at = Math.Clamp(column - 1, 0, shown.Length);
        if (shown.Length > LongestLine)
        {
            var from = Math.Max(0, at - Before);
            var to = Math.Min(shown.Length, from + LongestLine);
            shown = $"{(from > 0 ? "… " : "")}{shown[from..to]}{(to < shown.Length ? " …" : "")}";
            at = at - from + (from > 0 ? 2 : 0);
        }

        if (shown.Trim().Length == 0) yield break;

        // Tabs stay tabs above and below, wide characters get two places below.
        var margin = string.Concat(shown[..Math.Min(at, shown.Length)].Select(c => c == '\t' ? "\t" : char.IsLowSurrogate(c) ? "" : new string(' ', Print.Width(c))));
        yield return "    " + Print.Visible(shown);
        yield return "    " + margin + new string('^', Math.Clamp(length, 1, Math.Max(1, shown.Length - at)));
    }
}
