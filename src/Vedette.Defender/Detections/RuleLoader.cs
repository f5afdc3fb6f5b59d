namespace Vedette.Defender.Detections;

/// <summary>Reads the rule files of folders. A faulty file costs its own rule only.</summary>
public static class RuleLoader
{
    /// <summary>Most rule files that one folder may hold.</summary>
    public const int MaxFiles = 5000;

    /// <summary>
    /// The folder of the rules that ship with the product: <c>rules</c> beside the program, or the nearest one above it in a source tree.
    /// </summary>
    public static string? ShippedFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "rules");
            if (Directory.Exists(candidate) && Directory.EnumerateFiles(candidate, "*.yaml").Any()) return candidate;
        }

        return null;
    }

    /// <summary>Reads every <c>.yaml</c> and <c>.yml</c> file of the shipped folder and of a user's own folder.</summary>
    /// <param name="shipped">Folder of the product's rules; null when there is none.</param>
    /// <param name="own">Folder of the user's rules; null when there is none. A rule here replaces a shipped rule with the same id.</param>
    public static RuleSet Load(string? shipped, string? own)
    {
        var problems = new List<RuleProblem>();
        var rules = Read(shipped, true, problems).Concat(Read(own, false, problems)).ToList();
        return Check(rules, problems);
    }

    /// <summary>Checks what only shows across rules: ids and titles are unique; of two, the later own rule wins over a shipped one.</summary>
    internal static RuleSet Check(IEnumerable<DetectionRule> rules, List<RuleProblem> problems)
    {
        var byId = new Dictionary<Guid, DetectionRule>();
        foreach (var rule in rules)
        {
            if (byId.TryGetValue(rule.Id, out var other) && other.Shipped == rule.Shipped)
                problems.Add(new RuleProblem(rule.File, 1, 1, $"the id {rule.Id} is already taken by {other.File}"));
            else if (byId.Values.FirstOrDefault(known => known.Id != rule.Id && string.Equals(known.Title, rule.Title, StringComparison.OrdinalIgnoreCase)) is { } same)
                problems.Add(new RuleProblem(rule.File, 1, 1, $"the title '{rule.Title}' is already taken by {same.File}"));
            else byId[rule.Id] = rule;
        }

        return new RuleSet([.. byId.Values.OrderBy(rule => rule.Title, StringComparer.Ordinal)], problems);
    }

    private static IEnumerable<DetectionRule> Read(string? folder, bool shipped, List<RuleProblem> problems)
    {
        if (folder is null || !Directory.Exists(folder)) yield break;
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".yaml" or ".yml")
            .Order(StringComparer.Ordinal)
            .Take(MaxFiles);
        foreach (var file in files)
            if (ReadFile(folder, file, shipped, problems) is { } rule) yield return rule;
    }

    private static DetectionRule? ReadFile(string folder, string file, bool shipped, List<RuleProblem> problems)
    {
        var name = Path.GetRelativePath(folder, file);
        try
        {
            if (new FileInfo(file).Length > RuleFileParser.MaxLength * 4L)
            {
                problems.Add(new RuleProblem(name, 1, 1, $"the file is longer than {RuleFileParser.MaxLength / 1024} KiB"));
                return null;
            }

            return RuleFileParser.Parse(File.ReadAllText(file), name, shipped, problems);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            problems.Add(new RuleProblem(name, 1, 1, "the file cannot be read: " + exception.Message));
            return null;
        }
    }
}
