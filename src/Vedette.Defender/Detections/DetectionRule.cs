using System.Text.RegularExpressions;

namespace Vedette.Defender.Detections;

/// <summary>A rule in KQL that raises alerts, as one rule file describes it.</summary>
public sealed partial record DetectionRule
{
    /// <summary>Identity of the rule: alerts carry it as their detector id.</summary>
    public required Guid Id { get; init; }

    /// <summary>Short name: the file's name without its ending.</summary>
    public required string Name { get; init; }

    /// <summary>Name for people; the title where a rule has no other.</summary>
    public string Label
    {
        get => field ?? Title;
        init;
    }

    /// <summary>Title of the alerts. <c>{{Column}}</c> is replaced by a value of the result row, at most three times.</summary>
    public required string Title { get; init; }

    /// <summary>What happened and why it matters; becomes the description of the alerts.</summary>
    public required string Description { get; init; }

    /// <summary>What the query is meant to find, for people who read the rule.</summary>
    public required string Finds { get; init; }

    /// <summary>Known harmless causes.</summary>
    public IReadOnlyList<string> FalsePositives { get; init; } = [];

    /// <summary>Severity of the alerts: one of <see cref="DetectionVocabulary.Severities"/>.</summary>
    public required string Severity { get; init; }

    /// <summary>Category of the alerts: one of <see cref="DetectionVocabulary.Categories"/>.</summary>
    public required string Category { get; init; }

    /// <summary>MITRE ATT&amp;CK technique ids such as <c>T1003.001</c>.</summary>
    public IReadOnlyList<string> Techniques { get; init; } = [];

    /// <summary>The query, in KQL.</summary>
    public required string Query { get; init; }

    /// <summary>Line of the file, from 1, where the query's first line stands.</summary>
    public int QueryLine { get; init; } = 1;

    /// <summary>Column of that line, from 1, where the query begins.</summary>
    public int QueryColumn { get; init; } = 1;

    /// <summary>The query narrowed to the columns that alerts need; null when it runs as it is written.</summary>
    internal string? NarrowQuery { get; init; }

    /// <summary>Which columns of a result row become evidence of the alert, in order.</summary>
    public required IReadOnlyList<EntityMapping> Entities { get; init; }

    /// <summary>When the rule runs and how far back it looks.</summary>
    public required DetectionSchedule Schedule { get; init; }

    /// <summary>What to do about its alerts.</summary>
    public string? RecommendedActions { get; init; }

    /// <summary>Columns whose values the alerts show beside their evidence, by the names they are shown under.</summary>
    public IReadOnlyList<CustomDetail> CustomDetails { get; init; } = [];

    /// <summary>Names of the device groups whose devices the rule sees and acts on; null means all devices.</summary>
    public IReadOnlyList<string>? DeviceGroups { get; init; }

    /// <summary>What is done to the devices, files and users of a match.</summary>
    public IReadOnlyList<RuleResponse> Responses { get; init; } = [];

    /// <summary>Whether the description may name columns in double braces, as the title may.</summary>
    public bool DynamicDescription { get; init; }

    /// <summary>Whether its alerts are kept out of correlation: each gets an incident of its own.</summary>
    public bool Uncorrelated { get; init; }

    /// <summary>Whether the rule runs at all.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>True for rules that ship with the product; false for those of a user's own folder.</summary>
    public bool Shipped { get; init; }

    /// <summary>Who wrote the rule; null when the file does not say.</summary>
    public string? Author { get; init; }

    /// <summary>License of the rule; null when the file does not say.</summary>
    public string? License { get; init; }

    /// <summary>What the rule was made from, such as a rule in another format; null when it was written by hand.</summary>
    public string? Source { get; init; }

    /// <summary>Where to read more.</summary>
    public IReadOnlyList<string> References { get; init; } = [];

    /// <summary>The file that holds the rule.</summary>
    public string File { get; init; } = "";

    /// <summary>Names of the detection source that the alerts report.</summary>
    public string DetectionSource => Shipped ? "WindowsDefenderAtp" : "CustomDetection";

    /// <summary>Product that the alerts report: rules that are about no device are not the endpoint product's.</summary>
    public string ServiceSource => Entities.Any(entity => entity.Kind == EntityKind.Device) ? "Microsoft Defender for Endpoint" : "Microsoft 365 Defender";

    /// <summary>Every column of the result that an alert or a response of this rule needs, in a fixed order, each once.</summary>
    internal IEnumerable<string> NeededColumns() => Entities.SelectMany(entity => entity.Columns.Values)
        .Concat(["Timestamp", "ReportId"])
        .Concat(TitleColumns(Title))
        .Concat(DynamicDescription ? TitleColumns(Description) : [])
        .Concat(CustomDetails.Select(detail => detail.Column))
        .Concat(Responses.SelectMany(response => response.Columns.Values))
        .Concat(Shipped ? [] : Alerts.Evidence.ColumnEvidence.Columns)
        .Distinct(StringComparer.Ordinal);

    /// <summary>The columns that a title names in double braces.</summary>
    internal static IEnumerable<string> TitleColumns(string title) => TitleColumn().Matches(title).Select(match => match.Groups[1].Value);

    /// <summary>A title with the columns in double braces replaced.</summary>
    internal static string FillTitle(string title, Func<string, string?> value) => TitleColumn().Replace(title, match => value(match.Groups[1].Value) ?? "unknown");

    [GeneratedRegex(@"\{\{\s*(\w+)\s*\}\}")]
    private static partial Regex TitleColumn();
}

/// <summary>When a rule runs and which rows it sees, both by the time of ingestion.</summary>
/// <param name="Frequency">Time between runs; null means continuous: the rule sees each row once, soon after it arrived.</param>
/// <param name="LookBack">How far back a run looks; for a continuous rule, how far its first run looks.</param>
public sealed record DetectionSchedule(TimeSpan? Frequency, TimeSpan LookBack)
{
    /// <summary>How far the first run of any rule looks back, as in the service.</summary>
    public static readonly TimeSpan FirstRun = TimeSpan.FromDays(30);

    /// <summary>True when the rule sees each row once, soon after it arrived.</summary>
    public bool IsContinuous => Frequency is null;

    /// <summary>
    /// The look-back that belongs to a frequency when a rule names none: 30 days for daily runs, 48 hours for 12 hours, else four times
    /// the frequency. Source: the service's table of frequencies.
    /// </summary>
    public static TimeSpan DefaultLookBack(TimeSpan? frequency) => frequency switch
    {
        null => FirstRun,
        { TotalHours: >= 24 } => FirstRun,
        { } time => time * 4,
    };
}

/// <summary>A value that alerts show beside their evidence.</summary>
/// <param name="Name">What it is shown under.</param>
/// <param name="Column">Column of the result that holds it.</param>
public sealed record CustomDetail(string Name, string Column);

/// <summary>How columns of a result row become one piece of evidence.</summary>
/// <param name="Kind">Kind of evidence.</param>
/// <param name="Columns">Column that holds each field, by the field's name in <see cref="EntityFields"/>.</param>
public sealed record EntityMapping(EntityKind Kind, IReadOnlyDictionary<string, string> Columns);

/// <summary>Kinds of evidence that a rule can produce.</summary>
public enum EntityKind
{
    /// <summary>The device on which it happened: rules in files name exactly one, others at most one.</summary>
    Device,

    /// <summary>A process.</summary>
    Process,

    /// <summary>A file.</summary>
    File,

    /// <summary>An account.</summary>
    User,

    /// <summary>An IP address.</summary>
    Ip,

    /// <summary>A web address.</summary>
    Url,

    /// <summary>A registry key and value.</summary>
    RegistryValue,

    /// <summary>A mailbox.</summary>
    Mailbox,
}
