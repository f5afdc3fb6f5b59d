using System.Globalization;
using System.Text;

namespace Vedette.Defender.Detections;

/// <summary>Writes the part of <c>docs/detections.md</c> that follows from the rule files.</summary>
internal static class RuleDocument
{
    /// <summary>The line after which the document is generated.</summary>
    public const string Mark = "<!-- From here on generated from the files in rules/. -->";

    /// <summary>The shipped rules as Markdown: one table to choose from, then one section each.</summary>
    public static string Write(IReadOnlyList<DetectionRule> rules)
    {
        var text = new StringBuilder();
        var ordered = rules.OrderBy(rule => rule.Category, StringComparer.Ordinal).ThenBy(rule => rule.Title, StringComparer.Ordinal).ToArray();
        text.Append(CultureInfo.InvariantCulture, $"{Mark}\n\n## The {ordered.Length} shipped rules\n\n| category | rule | severity | techniques | runs |\n|---|---|---|---|---|\n");
        foreach (var rule in ordered)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {rule.Category} | [{rule.Title}](#{rule.Name}) | {rule.Severity} | {string.Join(", ", rule.Techniques)} | {Runs(rule)} |\n");
        }

        foreach (var rule in ordered)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n<a id=\"{rule.Name}\"></a>\n\n### {rule.Title}\n\n{rule.Description}\n\n");
            text.Append(CultureInfo.InvariantCulture, $"*Finds:* {rule.Finds}\n\n*Known harmless causes:* {string.Join(" ", rule.FalsePositives)}\n\n");
            text.Append(CultureInfo.InvariantCulture, $"*File:* `rules/{rule.Name}.yaml`\n\n```kusto\n{rule.Query}\n```\n");
        }

        return text.ToString();
    }

    private static string Runs(DetectionRule rule) => rule.Schedule.Frequency is { } time ? $"every {Time(time)} over {Time(rule.Schedule.LookBack)}" : "continuously";

    private static string Time(TimeSpan time) => time switch
    {
        { TotalDays: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:0.#} d"),
        { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.#} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0.#} min"),
    };
}
