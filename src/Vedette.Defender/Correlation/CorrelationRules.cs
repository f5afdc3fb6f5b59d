using System.Collections.Frozen;
using System.Text.Json;

namespace Vedette.Defender.Correlation;

/// <summary>A way in which two alerts belong together.</summary>
/// <param name="Entity">Kind of entity that both have.</param>
/// <param name="Window">How far apart their events may lie.</param>
/// <param name="Why">The reason, for people.</param>
internal sealed record CorrelationLink(string Entity, TimeSpan Window, string Why);

/// <summary>Which incidents may be merged although they differ.</summary>
/// <param name="DifferentOwners">In their owners.</param>
/// <param name="DifferentClassifications">In their classifications.</param>
/// <param name="DifferentDeterminations">In their determinations.</param>
internal sealed record MergingRules(bool DifferentOwners, bool DifferentClassifications, bool DifferentDeterminations);

/// <summary>What makes alerts one incident, read once from the embedded <c>correlation.json</c>.</summary>
internal sealed class CorrelationRules
{
    private static readonly Lazy<CorrelationRules> Lazy = new(Load);

    private readonly FrozenDictionary<string, TimeSpan> _windows;
    private readonly FrozenSet<string> _commonAccounts;
    private readonly string[] _commonFolders;
    private readonly FrozenDictionary<string, int> _stages;
    private readonly MergingRules _merging;

    private CorrelationRules(Document document)
    {
        _windows = document.Links.ToFrozenDictionary(link => link.Entity, link => link.Window, StringComparer.Ordinal);
        _commonAccounts = document.CommonAccounts.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        _commonFolders = document.CommonFolders;
        _stages = document.Stages.Select((stage, at) => (stage, at)).ToFrozenDictionary(pair => pair.stage, pair => pair.at, StringComparer.Ordinal);
        Tags = document.Tags;
        MostAlerts = document.MostAlerts;
        _merging = document.Merging;
        Longest = document.Links.Max(link => link.Window);
    }

    public static CorrelationRules Current => Lazy.Value;

    /// <summary>Tag of an incident by the category of any of its alerts.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; }

    /// <summary>An incident with this many alerts takes no more: what goes on is a new incident.</summary>
    public int MostAlerts { get; }

    /// <summary>The longest window of any link.</summary>
    public TimeSpan Longest { get; }

    /// <summary>How far apart events with the same entity may lie; null when the entity does not link alerts.</summary>
    public TimeSpan? Window(string entity) => _windows.TryGetValue(entity, out var window) ? window : null;

    /// <summary>Whether so many unrelated things happen under an account that it links nothing.</summary>
    public bool IsCommonAccount(string name) => _commonAccounts.Contains(name) || name.EndsWith('$');

    /// <summary>Whether a file lies where everybody's software lies, so that sharing it means nothing.</summary>
    public bool IsCommonFolder(string path) => _commonFolders.Any(folder => path.StartsWith(folder, StringComparison.OrdinalIgnoreCase));

    /// <summary>Place of a category in the course of an attack.</summary>
    public int Stage(string category) => _stages.GetValueOrDefault(category, _stages.Count);

    /// <summary>
    /// Whether two open incidents may become one: not when people have said different things of them, and not when they would be too large.
    /// </summary>
    public bool CanMerge(FoundIncident into, FoundIncident other) =>
        into.Alerts + other.Alerts <= MostAlerts
        && (_merging.DifferentOwners || into.AssignedTo is null || other.AssignedTo is null || string.Equals(into.AssignedTo, other.AssignedTo, StringComparison.OrdinalIgnoreCase))
        && (_merging.DifferentClassifications || !into.IsClassified || !other.IsClassified || into.Classification == other.Classification)
        && (_merging.DifferentDeterminations || !into.IsDetermined || !other.IsDetermined || into.Determination == other.Determination);

    private static CorrelationRules Load()
    {
        using var stream = typeof(CorrelationRules).Assembly.GetManifestResourceStream("correlation.json")
            ?? throw new InvalidOperationException("The correlation rules are missing from the assembly.");
        return new CorrelationRules(JsonSerializer.Deserialize<Document>(stream, JsonSerializerOptions.Web)!);
    }

    private sealed record Document(
        CorrelationLink[] Links, string[] Stages, Dictionary<string, string> Tags, string[] CommonAccounts, string[] CommonFolders, int MostAlerts,
        MergingRules Merging);
}
