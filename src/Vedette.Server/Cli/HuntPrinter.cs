using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Vedette.Server.Cli;

/// <summary>Prints answers of hunting queries: rows on standard output, what there is to say about them on standard error.</summary>
internal static class HuntPrinter
{
    private static readonly Frame Ascii = new(('+', '+', '+'), ('|', '+', '|'), ('+', '+', '+'), '-', '|');
    private static readonly Frame Rounded = new(('╭', '┬', '╮'), ('├', '┼', '┤'), ('╰', '┴', '╯'), '─', '│');

    /// <summary>A table, or one record after the other where a table would not fit the terminal.</summary>
    public static void Rows(JsonElement answer)
    {
        if (Schema(answer) is not { } names) return;
        var rows = answer.GetProperty("rows");
        if (Console.IsOutputRedirected) Table(names, rows, Ascii);
        else if (Fits(names, rows)) Table(names, rows, Rounded);
        else Records(names, rows);
        Console.Error.WriteLine(Summary(answer, rows.GetArrayLength()));
    }

    /// <summary>RFC 4180, with a head line; dynamic values as JSON, null as nothing.</summary>
    public static void Csv(JsonElement answer)
    {
        if (Schema(answer) is not { } names) return;
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 1 << 16) { NewLine = "\r\n" };
        output.WriteLine(string.Join(',', names.Select(CsvField)));
        foreach (var row in answer.GetProperty("rows").EnumerateArray())
        {
            var first = true;
            foreach (var cell in row.EnumerateArray())
            {
                if (!first) output.Write(',');
                output.Write(CsvField(Cell(cell)));
                first = false;
            }

            output.WriteLine();
        }
    }

    /// <summary>Plan, statements and cost.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="explanation">How the query ran.</param>
    public static void Explanation(JsonElement answer, JsonNode? explanation)
    {
        if (explanation is null) return;
        if (explanation["plan"] is { } plan) Console.Out.WriteLine($"Plan\n{Indented(Print.Text(plan))}\n");
        var number = 0;
        var stages = (JsonArray)explanation["stages"]!;
        foreach (var stage in stages)
        {
            number++;
            var place = stages.Count > 1 ? $"{number} of {stages.Count}, " : "";
            if ((bool)stage!["local"]!) Console.Out.WriteLine($"Step {place}in this process: {Print.Text(stage["name"])}");
            else Console.Out.WriteLine($"{(stages.Count > 1 ? "Step " : "")}{place}{(place.Length > 0 ? "e" : "E")}ngine\n{Indented(Print.Text(stage["sql"]))}{Parameters(stage["parameters"])}");
            Console.Out.WriteLine($"  -> {Cost(stage)}\n");
        }

        if (stages.Count == 0) return;
        var local = stages.Where(stage => (bool)stage!["local"]!).Select(stage => Print.Text(stage!["name"])).ToArray();
        Console.Out.WriteLine($"Ran locally      {(local.Length == 0 ? "nothing: one statement" : string.Join(", ", local))}");
        if (!answer.GetProperty("ok").GetBoolean()) return;
        Console.Out.WriteLine($"Rows read        {Number(explanation["rowsRead"])}");
        Console.Out.WriteLine($"Bytes read       {Number(explanation["bytesRead"])}");
        Console.Out.WriteLine($"Processor time   {Number(explanation["cpuMs"])} ms");
        if ((long)explanation["peakMemoryBytes"]! > 0) Console.Out.WriteLine($"Peak memory      {Number(explanation["peakMemoryBytes"])} bytes");
        Console.Out.WriteLine($"Understanding    {Number(explanation["bindMs"])} ms, writing the SQL {Number(explanation["writeMs"])} ms");
        Console.Out.WriteLine($"Elapsed          {Number(answer.GetProperty("elapsedMs").GetDecimal())} ms");
        Console.Out.WriteLine($"Rows in answer   {Number(answer.GetProperty("rows").GetArrayLength())}{(IsCut(answer) ? ", cut off at the limit" : "")}");
    }

    private static bool IsCut(JsonElement answer) => answer.TryGetProperty("truncated", out _);

    private static string[]? Schema(JsonElement answer) =>
        answer.TryGetProperty("schema", out var schema) ? [.. schema.EnumerateArray().Select(column => column.GetProperty("name").GetString()!)] : null;

    private static string Summary(JsonElement answer, int rows) =>
        $"{Count(rows)}{(IsCut(answer) ? " (there are more: cut off at the limit)" : "")}, {Number(answer.GetProperty("elapsedMs").GetDecimal())} ms";

    private static string Cost(JsonNode stage)
    {
        var read = stage["rowsRead"] is null ? "" : $", {Count(stage["rowsRead"])} and {Number(stage["bytesRead"])} bytes read";
        return $"{Count(stage["rows"])}{read}, {Number(stage["elapsedMs"])} ms";
    }

    private static string Count(JsonNode? rows) => $"{Number(rows)} {(rows?.ToString() == "1" ? "row" : "rows")}";

    private static string Parameters(JsonNode? parameters) => parameters is JsonObject { Count: > 0 } values
        ? "\n  with " + string.Join(", ", values.Select(value => $"{value.Key} = {Cut(Print.Text(value.Value))}"))
        : "";

    private static string Cut(string text) => text.Length <= 200 ? text : text[..200] + " …";

    private static string Indented(string text) => "  " + text.Replace("\n", "\n  ", StringComparison.Ordinal);

    private static string Number(JsonNode? node) =>
        node is null ? "" : decimal.Parse(node.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture).ToString("#,0.###", CultureInfo.InvariantCulture);

    private static string Cell(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => "",
        JsonValueKind.String => value.GetString()!,
        _ => value.GetRawText(),
    };

    private static string[] Cells(JsonElement row) => [.. row.EnumerateArray().Select(cell => Print.Visible(Cell(cell)).Replace("\t", "    ", StringComparison.Ordinal))];

    private static int[] Widths(string[] names, JsonElement rows)
    {
        var widths = names.Select(Print.Width).ToArray();
        foreach (var row in rows.EnumerateArray())
        {
            var i = 0;
            foreach (var cell in Cells(row)) widths[i] = Math.Max(widths[i++], Print.Width(cell));
        }

        return widths;
    }

    private static bool Fits(string[] names, JsonElement rows) => Widths(names, rows).Sum() + (3 * names.Length) + 1 <= AnsiConsole.Profile.Width;

    private static void Table(string[] names, JsonElement rows, Frame frame)
    {
        var widths = Widths(names, rows);
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 1 << 16);
        Rule(frame.Top);
        Line(names);
        Rule(frame.Middle);
        foreach (var row in rows.EnumerateArray()) Line(Cells(row));
        Rule(frame.Bottom);

        void Rule((char Left, char Cross, char Right) ends) =>
            output.WriteLine(ends.Left + string.Join(ends.Cross, widths.Select(width => new string(frame.Across, width + 2))) + ends.Right);

        void Line(string[] cells)
        {
            for (var i = 0; i < cells.Length; i++)
            {
                output.Write(frame.Down);
                output.Write(' ');
                output.Write(cells[i]);
                for (var fill = widths[i] - Print.Width(cells[i]); fill >= 0; fill--) output.Write(' ');
            }

            output.Write(frame.Down);
            output.WriteLine();
        }
    }

    // A name and a value a line; values of several lines are indented.
    private static void Records(string[] names, JsonElement rows)
    {
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 1 << 16);
        var width = names.Max(Print.Width);
        var indent = "\n" + new string(' ', width + 2);
        var number = 0;
        foreach (var row in rows.EnumerateArray())
        {
            output.WriteLine($"── {++number} " + new string('─', Math.Max(0, width - 2)));
            var i = 0;
            foreach (var cell in row.EnumerateArray())
            {
                var name = names[i++];
                if (Cell(cell) is { Length: > 0 } text)
                    output.WriteLine(name + new string(' ', width - Print.Width(name) + 2) + string.Join(indent, text.ReplaceLineEndings("\n").Split('\n').Select(Print.Visible)));
            }
        }
    }

    private static string CsvField(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private sealed record Frame((char, char, char) Top, (char, char, char) Middle, (char, char, char) Bottom, char Across, char Down);
}
