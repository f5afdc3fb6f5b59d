using System.Globalization;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace Vedette.Defender.Detections;

/// <summary>
/// Reads one rule file. Every key is checked, unknown keys are refused, and each finding names its line and column, so that a file with
/// several mistakes shows them all at once.
/// </summary>
public static partial class RuleFileParser
{
    /// <summary>Largest rule file, in characters.</summary>
    public const int MaxLength = 256 * 1024;

    /// <summary>Longest query, in characters: lists of indicators make long ones.</summary>
    public const int MaxQueryLength = 100_000;

    private const int MaxDepth = 12;
    private static readonly TimeSpan ShortestFrequency = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongestFrequency = TimeSpan.FromDays(14);
    private static readonly TimeSpan LongestLookBack = TimeSpan.FromDays(30);

    private static readonly HashSet<string> Keys =
        ["id", "title", "description", "finds", "falsePositives", "severity", "category", "techniques", "frequency", "lookBack", "enabled", "query", "entities", .. RuleFileExtras.Keys, "author", "license", "references", "source"];

    /// <summary>Reads a rule.</summary>
    /// <param name="text">The file's text.</param>
    /// <param name="file">Its name, for messages and for the rule's short name.</param>
    /// <param name="shipped">Whether the file belongs to the product.</param>
    /// <param name="problems">Receives what is wrong.</param>
    /// <returns>The rule, or null when anything is wrong.</returns>
    public static DetectionRule? Parse(string text, string file, bool shipped, ICollection<RuleProblem> problems)
    {
        if (YamlText.Root(text, file, MaxLength, MaxDepth, problems) is not { } root) return null;
        // Tests of rules may lie beside them.
        return Testing.RuleTestParser.IsTestFile(root) ? null : Parse(root, file, shipped, problems);
    }

    /// <summary>Reads a rule that stands inside another document.</summary>
    internal static DetectionRule? Parse(YamlMappingNode root, string file, bool shipped, ICollection<RuleProblem> problems)
    {
        var before = problems.Count;
        var reader = new YamlReader(file, root, problems);
        reader.RefuseOtherKeys(Keys, "a rule");
        var id = Identity(reader);
        var frequency = reader.Required("frequency", ReadFrequency);
        var rule = new DetectionRule
        {
            Id = id,
            Name = Path.GetFileNameWithoutExtension(file),
            Title = reader.Text("title", 256),
            Description = reader.Text("description", 4000),
            Finds = reader.Text("finds", 4000),
            FalsePositives = reader.List("falsePositives", required: false),
            Severity = reader.OneOf("severity", DetectionVocabulary.Severities),
            Category = reader.OneOf("category", DetectionVocabulary.Categories.Keys),
            Techniques = Techniques(reader),
            Query = reader.Text("query", MaxQueryLength),
            QueryLine = reader.ContentPlace("query").Line,
            QueryColumn = reader.ContentPlace("query").Column,
            Entities = Entities(reader),
            Schedule = new DetectionSchedule(frequency, LookBack(reader, frequency)),
            Enabled = reader.Flag("enabled", true),
            Author = reader.Has("author") ? reader.Text("author", 4000) : null,
            License = reader.Has("license") ? reader.Text("license", 256) : null,
            Source = reader.Has("source") ? reader.Text("source", 1000) : null,
            References = reader.List("references", required: false),
            Shipped = shipped,
            File = file,
        };
        rule = RuleFileExtras.Read(rule, reader, root);
        if (DetectionRule.TitleColumns(rule.Title).Count() > 3) reader.Report("title", "a title takes at most three columns in double braces");
        return problems.Count == before ? rule : null;
    }

    private static Guid Identity(YamlReader reader)
    {
        var text = reader.Text("id", 64);
        if (text.Length == 0 || (Guid.TryParse(text, out var id) && id != Guid.Empty)) return text.Length == 0 ? Guid.Empty : Guid.Parse(text);
        reader.Report("id", $"'{text}' is not a GUID");
        return Guid.Empty;
    }

    private static List<string> Techniques(YamlReader reader)
    {
        var techniques = reader.List("techniques", required: false);
        foreach (var technique in techniques)
            if (!Technique().IsMatch(technique)) reader.Report("techniques", $"'{technique}' is not a technique id such as T1003 or T1003.001");
        return techniques;
    }

    private static TimeSpan? ReadFrequency(string text, Action<string> report)
    {
        if (string.Equals(text, "Continuous", StringComparison.OrdinalIgnoreCase)) return null;
        if (!TryReadTime(text, out var time) || time < ShortestFrequency || time > LongestFrequency)
            report($"'{text}' is not a frequency: use Continuous, or a time from 5m to 14d such as 1h, 12h or 1d");
        return time;
    }

    private static TimeSpan LookBack(YamlReader reader, TimeSpan? frequency)
    {
        var lookBack = DetectionSchedule.DefaultLookBack(frequency);
        if (!reader.Has("lookBack")) return lookBack;
        var text = reader.Text("lookBack", 16);
        if (!TryReadTime(text, out lookBack)) reader.Report("lookBack", $"'{text}' is not a time such as 4h or 2d");
        else if (frequency is null) reader.Report("lookBack", "a continuous rule has no lookBack: it sees each row once");
        else if (lookBack < frequency) reader.Report("lookBack", "lookBack is shorter than the frequency, so rows would be missed");
        else if (lookBack > LongestLookBack) reader.Report("lookBack", "lookBack is longer than 30 days");
        return lookBack;
    }

    private static bool TryReadTime(string text, out TimeSpan time)
    {
        time = default;
        var match = Time().Match(text);
        if (!match.Success) return false;
        var number = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        time = match.Groups[2].Value switch
        {
            "m" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            _ => TimeSpan.FromDays(number),
        };
        return number > 0;
    }

    private static List<EntityMapping> Entities(YamlReader reader)
    {
        var result = new List<EntityMapping>();
        foreach (var item in reader.Items("entities"))
        {
            if (item is not YamlMappingNode mapping)
            {
                reader.Report(item, "an entity is a mapping such as { type: Process, from: created }");
                continue;
            }

            if (Entity(new YamlReader(reader.File, mapping, reader.Problems), mapping) is { } entity) result.Add(entity);
        }

        var devices = result.Count(entity => entity.Kind == EntityKind.Device);
        if (reader.Has("entities") && devices > 1) reader.Report("entities", $"a rule maps at most one Device; this one maps {devices}");
        if (reader.Has("entities") && !result.Any(entity => entity.Kind is EntityKind.Device or EntityKind.User or EntityKind.Mailbox))
            reader.Report("entities", "a rule maps a Device, a User or a Mailbox, so that its alerts are about something");
        return result;
    }

    private static EntityMapping? Entity(YamlReader reader, YamlMappingNode node)
    {
        reader.RefuseOtherKeys(["type", "from", "columns"], "an entity");
        var type = reader.OneOf("type", Enum.GetNames<EntityKind>());
        if (!Enum.TryParse<EntityKind>(type, out var kind)) return null;
        var from = reader.Has("from") ? reader.Text("from", 32) : EntityFields.DefaultSource(kind);
        if (EntityFields.Columns(kind, from) is not { } preset)
        {
            reader.Report("from", $"'{from}' is not known for {kind}; use {string.Join(" or ", EntityFields.Sources(kind))}");
            return null;
        }

        if (!node.Children.TryGetValue("columns", out var columns)) return new EntityMapping(kind, preset);
        if (columns is not YamlMappingNode pairs)
        {
            reader.Report("columns", "columns maps fields to columns, such as { name: AccountName }");
            return null;
        }

        var merged = reader.Has("from") ? new Dictionary<string, string>(preset, StringComparer.Ordinal) : [];
        foreach (var (key, value) in pairs)
        {
            var field = (key as YamlScalarNode)?.Value ?? "";
            if (!EntityFields.Of(kind).Contains(field))
                reader.Report(key, $"{kind} has no field '{field}'; it has {string.Join(", ", EntityFields.Of(kind).Order())}");
            else if (value is YamlScalarNode { Value: { Length: > 0 } column }) merged[field] = column;
            else reader.Report(value, $"the column for '{field}' is missing");
        }

        return new EntityMapping(kind, merged);
    }

    [GeneratedRegex(@"^T\d{4}(\.\d{3})?$")]
    private static partial Regex Technique();

    [GeneratedRegex(@"^(\d{1,4})([mhd])$")]
    private static partial Regex Time();
}
