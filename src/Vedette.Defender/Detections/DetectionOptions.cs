namespace Vedette.Defender.Detections;

/// <summary>Settings of the detections.</summary>
public sealed record DetectionOptions
{
    /// <summary>Folder of the rules that ship with the product; null means the one beside the program.</summary>
    public string? ShippedRules { get; init; }

    /// <summary>Folder of the user's own rules; null means none.</summary>
    public string? OwnRules { get; init; }

    /// <summary>
    /// Alerts that one run of a rule raises, at most; a continuous rule, which runs whenever something arrives, in a minute. Source: the service's
    /// published limit.
    /// </summary>
    public int MaxAlertsPerRun { get; init; } = 150;

    /// <summary>Result rows that one run of a rule looks at, at most.</summary>
    public int MaxRowsPerRun { get; init; } = 10_000;

    /// <summary>Events that one alert collects as evidence in one run, at most.</summary>
    public int MaxEventsPerAlert { get; init; } = 20;

    /// <summary>
    /// Events with the same entities within one such period become one alert as long as that is open. Periods are cut at midnight UTC of
    /// their first day.
    /// </summary>
    public TimeSpan CollapsePeriod { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How often the schedule looks for rules that are due. Continuous rules do not wait for it: they run when rows arrive.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time from the start to the first look for rules that are due, by the machine's clock: a server that starts has other things to do.</summary>
    public TimeSpan FirstLook { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The least time between two looks of a tenant's continuous rules at arrivals, by the machine's clock.</summary>
    public TimeSpan ShortestPause { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The most time between two looks when rows keep arriving, by the machine's clock.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How far behind arrivals a continuous rule may be and still go with the others; further back it catches up by itself first.</summary>
    public TimeSpan Near { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How much earlier rows may have arrived that a continuous rule joins its own with.</summary>
    public TimeSpan BesideLookBack { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How long a mark may lag behind while nothing arrives that a rule could match.</summary>
    public TimeSpan QuietMark { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long one rule may run.</summary>
    public TimeSpan RuleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Runs that the history keeps of each rule.</summary>
    public int RunsKept { get; init; } = 50;

    /// <summary>Rules that run at the same time.</summary>
    public int Parallelism { get; init; } = Math.Max(1, Environment.ProcessorCount);

    /// <summary>
    /// Whether tenants' rules must return the columns that trace a result to its event: <c>Timestamp</c>, <c>ReportId</c> and, over device
    /// tables, <c>DeviceId</c>. The service's newest page recommends them, earlier ones and its API demand them.
    /// </summary>
    public bool RequireEventColumns { get; init; } = true;

    /// <summary>How long a rule with a frequency waits at most after a run that failed; one that runs more often waits for its next turn.</summary>
    public TimeSpan LongestRetry { get; init; } = TimeSpan.FromHours(1);

    /// <summary>After so many failed runs in a row a tenant's rule is switched off; 0 never does.</summary>
    public int FailuresUntilDisabled { get; init; } = 10;
}
