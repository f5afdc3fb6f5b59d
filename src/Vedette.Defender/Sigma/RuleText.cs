using System.Globalization;
using System.Text;

namespace Vedette.Defender.Sigma;

/// <summary>Writes a rule file of ours.</summary>
internal static class RuleText
{
    private const int MaxDescription = 3900;
    private const int MaxTitle = 240;

    /// <summary>What is written besides the document's own texts.</summary>
    /// <param name="Title">Title, unique among all rules.</param>
    /// <param name="Finds">What the query is meant to find.</param>
    /// <param name="Level">Level; null when unknown.</param>
    /// <param name="Tags">Tags.</param>
    /// <param name="Query">The query.</param>
    /// <param name="Frequency">Time between runs; null for continuous.</param>
    /// <param name="LookBack">How far back a run looks; null when continuous.</param>
    /// <param name="Entities">Evidence, in the mapping's short form.</param>
    internal sealed record Content(
        string Title, string Finds, string? Level, IReadOnlyList<string> Tags, string Query, TimeSpan? Frequency, TimeSpan? LookBack, IReadOnlyList<string> Entities);

    /// <summary>The file's text.</summary>
    public static string Write(SigmaDocument document, Content content)
    {
        var text = new StringBuilder();
        Line(text, "id", document.Id.ToString());
        Line(text, "title", Quote(Cut(content.Title, MaxTitle)));
        Line(text, "description", Quote(Cut(document.Description.Length > 0 ? document.Description : document.Title, MaxDescription)));
        Line(text, "finds", Quote(Cut(content.Finds, MaxDescription)));
        List(text, "falsePositives", document.FalsePositives);
        Line(text, "severity", SigmaTags.Severity(content.Level));
        Line(text, "category", SigmaTags.Category(content.Tags));
        if (SigmaTags.Techniques(content.Tags) is { Count: > 0 } techniques) Line(text, "techniques", $"[{string.Join(", ", techniques)}]");
        Line(text, "frequency", content.Frequency is { } frequency ? Time(frequency) : "Continuous");
        if (content.LookBack is { } lookBack) Line(text, "lookBack", Time(lookBack));
        if (document.Author is { } author) Line(text, "author", Quote(Cut(author, MaxDescription)));
        if (document.License is { } license) Line(text, "license", Quote(license));
        List(text, "references", document.References);
        Line(text, "source", Quote($"Sigma rule {document.Id}{(document.Status is { } status ? $", status {status}" : "")}"));
        text.Append("query: |\n");
        foreach (var line in content.Query.Split('\n')) text.Append(line.Length == 0 ? "" : "  ").Append(line).Append('\n');
        text.Append("entities:\n");
        foreach (var entity in content.Entities) text.Append("  - ").Append(Entity(entity)).Append('\n');
        return text.ToString();
    }

    /// <summary>A time as rule files write it, rounded up to whole minutes.</summary>
    public static string Time(TimeSpan time)
    {
        var minutes = (long)Math.Ceiling(time.TotalMinutes);
        return minutes % 1440 == 0 ? string.Create(CultureInfo.InvariantCulture, $"{minutes / 1440}d")
            : minutes % 60 == 0 || minutes > 9999 ? string.Create(CultureInfo.InvariantCulture, $"{(minutes + 59) / 60}h")
            : string.Create(CultureInfo.InvariantCulture, $"{minutes}m");
    }

    // Device · Process:created · Ip@address=IPAddress
    private static string Entity(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0) return $"{{ type: {text[..at]}, columns: {{ {string.Join(", ", text[(at + 1)..].Split(',').Select(static pair => pair.Replace("=", ": ", StringComparison.Ordinal)))} }} }}";
        return text.Split(':') is [var kind, var from] ? $"{{ type: {kind}, from: {from} }}" : $"{{ type: {text} }}";
    }

    private static void Line(StringBuilder text, string key, string value) => text.Append(key).Append(": ").Append(value).Append('\n');

    private static void List(StringBuilder text, string key, IReadOnlyList<string> items)
    {
        if (items.Count == 0) return;
        text.Append(key).Append(":\n");
        foreach (var item in items) text.Append("  - ").Append(Quote(item)).Append('\n');
    }

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..(length - 1)] + "…";

    private static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                _ when KqlText.IsHidden(c) => "\\u" + ((int)c).ToString("x4", CultureInfo.InvariantCulture),
                _ => c.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }
}
