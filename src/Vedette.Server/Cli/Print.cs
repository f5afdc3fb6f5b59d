using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Vedette.Server.Cli;

/// <summary>Prints results for people, on standard output.</summary>
internal static class Print
{
    /// <summary>Prints named values, one a line.</summary>
    public static void Fields(JsonNode? result, params (string Label, string Property)[] fields)
    {
        var width = fields.Max(field => field.Label.Length);
        foreach (var (label, property) in fields)
        {
            Console.Out.WriteLine($"{label.PadRight(width)}  {Text(result?[property])}");
        }
    }

    /// <summary>Prints a list of objects as a table.</summary>
    public static void Rows(JsonNode? rows, params (string Title, string Property)[] columns)
    {
        var table = NewTable();
        foreach (var (title, _) in columns) table.AddColumn(new TableColumn(title.EscapeMarkup()).NoWrap());
        foreach (var row in rows as JsonArray ?? [])
        {
            table.AddRow([.. columns.Select(column => Text(row?[column.Property]).EscapeMarkup())]);
        }

        Write(table);
    }

    /// <summary>An empty table in the house style.</summary>
    public static Table NewTable() => new() { Border = Console.IsOutputRedirected ? TableBorder.Ascii2 : TableBorder.Rounded };

    /// <summary>Writes a table at full width: a table in a file or a pipe must not be folded to some terminal's width.</summary>
    public static void Write(Table table)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
        if (Console.IsOutputRedirected) console.Profile.Width = 10_000;
        console.Write(table);
    }

    /// <summary>Places that a text takes on a terminal.</summary>
    public static int Width(string text) => new Segment(text).CellCount();

    /// <summary>Places that a character takes on a terminal.</summary>
    public static int Width(char character) => character is >= ' ' and <= '~' ? 1 : Width(character.ToString());

    /// <summary>
    /// The text without characters that would steer a terminal, line breaks and marks of direction among them: what is hunted was written by attackers. They
    /// become pictures of themselves.
    /// </summary>
    public static string Visible(string text)
    {
        if (!text.Any(IsSteering)) return text;
        return string.Concat(text.ReplaceLineEndings("\n").Select(c => c switch
        {
            '\n' => '⏎',
            '\t' => '\t',
            < ' ' => (char)(0x2400 + c),
            '\u007f' => '\u2421',
            _ when IsSteering(c) => '\uFFFD',
            _ => c,
        }));
    }

    private static bool IsSteering(char c) => (c < ' ' && c != '\t') || c is (>= '\u007f' and < '\u00a0') or (>= '\u200e' and <= '\u200f') or (>= '\u2028' and <= '\u202e') or (>= '\u2066' and <= '\u2069');

    /// <summary>A JSON value as text without quotes.</summary>
    public static string Text(JsonNode? node) => node switch
    {
        null => "",
        JsonArray array => string.Join(", ", array.Select(Text)),
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        JsonValue value when value.GetValueKind() == JsonValueKind.True => "yes",
        JsonValue value when value.GetValueKind() == JsonValueKind.False => "no",
        _ => node.ToJsonString(),
    };
}
