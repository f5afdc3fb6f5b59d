using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;
using Vedette.Server.Control;

namespace Vedette.Server.Cli;

/// <summary>Prints answers of hunting queries: rows on standard output, what there is to say about them on standard error.</summary>
internal static class HuntPrinter
{
    // A table whose columns get less than this is unreadable: rows are printed one below the other then.
    private const int LeastColumnWidth = 12;

    /// <summary>A table, or one record after the other where a table would not fit the terminal.</summary>
    public static void Rows(JsonNode? answer)
    {
        if (answer?["schema"] is not JsonArray { Count: > 0 } schema) return;
        var names = schema.Select(column => Print.Text(column!["name"])).ToArray();
        var rows = (answer["rows"] as JsonArray ?? []).Select(row => ((JsonArray)row!).Select(Cell).ToArray()).ToList();
        if (!Console.IsOutputRedirected && AnsiConsole.Profile.Width / names.Length < LeastColumnWidth) Records(names, rows);
        else Table(names, rows);
        Console.Error.WriteLine(Summary(answer, rows.Count));
    }

    /// <summary>RFC 4180, with a head line; dynamic values as JSON, null as nothing.</summary>
    public static void Csv(JsonNode? answer)
    {
        if (answer?["schema"] is not JsonArray { Count: > 0 } schema) return;
        Console.Out.WriteLine(string.Join(',', schema.Select(column => CsvField(Print.Text(column!["name"])))));
        foreach (var row in answer["rows"] as JsonArray ?? []) Console.Out.WriteLine(string.Join(',', ((JsonArray)row!).Select(cell => CsvField(Cell(cell)))));
    }

    /// <summary>Plan, statements and cost.</summary>
    public static void Explanation(JsonNode? answer)
    {
        if (answer?["explanation"] is not JsonObject explanation) return;
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
        if (!(bool)answer["ok"]!) return;
        Console.Out.WriteLine($"Rows read        {Number(explanation["rowsRead"])}");
        Console.Out.WriteLine($"Bytes read       {Number(explanation["bytesRead"])}");
        Console.Out.WriteLine($"Processor time   {Number(explanation["cpuMs"])} ms");
        if ((long)explanation["peakMemoryBytes"]! > 0) Console.Out.WriteLine($"Peak memory      {Number(explanation["peakMemoryBytes"])} bytes");
        Console.Out.WriteLine($"Understanding    {Number(explanation["bindMs"])} ms, writing the SQL {Number(explanation["writeMs"])} ms");
        Console.Out.WriteLine($"Elapsed          {Number(answer["elapsedMs"])} ms");
        Console.Out.WriteLine($"Rows in answer   {Number((answer["rows"] as JsonArray)?.Count ?? 0)}{(answer["truncated"] is null ? "" : ", cut off at the limit")}");
    }

    /// <summary>Warnings about a query that runs.</summary>
    public static void Warnings(JsonNode? answer)
    {
        foreach (var warning in answer?["explanation"]?["warnings"] as JsonArray ?? [])
            Console.Error.WriteLine($"warning: {Place(warning)}{Print.Text(warning!["message"])}");
    }

    /// <summary>A query's error as people read it.</summary>
    public static string ErrorLine(JsonNode? error) => $"vedette: {Place(error)}{Print.Text(error?["message"])}";

    private static string Place(JsonNode? message) => message?["line"] is { } line ? $"line {line}, column {message["column"]}: " : "";

    private static string Summary(JsonNode answer, int rows)
    {
        var cut = answer["truncated"] is null ? "" : " (there are more: cut off at the limit)";
        return $"{Count(rows)}{cut}, {Number(answer["elapsedMs"])} ms";
    }

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

    private static string Cell(JsonNode? node) => node switch
    {
        null => "",
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        _ => node.ToJsonString(OperationJson.Options),
    };

    private static void Table(string[] names, List<string[]> rows)
    {
        var table = Print.NewTable();
        foreach (var name in names) table.AddColumn(new TableColumn(name.EscapeMarkup()));
        foreach (var row in rows) table.AddRow([.. row.Select(cell => cell.EscapeMarkup())]);
        Print.Write(table);
    }

    private static void Records(string[] names, List<string[]> rows)
    {
        var width = names.Max(name => name.Length);
        for (var i = 0; i < rows.Count; i++)
        {
            Console.Out.WriteLine($"── {i + 1} " + new string('─', Math.Max(0, width - 2)));
            for (var column = 0; column < names.Length; column++)
                if (rows[i][column].Length > 0) Console.Out.WriteLine($"{names[column].PadRight(width)}  {rows[i][column]}");
        }
    }

    private static string CsvField(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
