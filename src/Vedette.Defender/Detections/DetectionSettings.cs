namespace Vedette.Defender.Detections;

/// <summary>What whoever runs the server may set about detections.</summary>
public sealed record DetectionSettings
{
    private static readonly DetectionOptions Defaults = new();

    /// <summary>See <see cref="DetectionOptions.MaxAlertsPerRun"/>.</summary>
    public int MaxAlertsPerRun { get; init; } = Defaults.MaxAlertsPerRun;

    /// <summary>See <see cref="DetectionOptions.RuleTimeout"/>.</summary>
    public TimeSpan RuleTimeout { get; init; } = Defaults.RuleTimeout;

    /// <summary>See <see cref="DetectionOptions.RunsKept"/>.</summary>
    public int RunsKept { get; init; } = Defaults.RunsKept;

    /// <summary>See <see cref="DetectionOptions.RequireEventColumns"/>.</summary>
    public bool RequireEventColumns { get; init; } = Defaults.RequireEventColumns;

    /// <summary>See <see cref="DetectionOptions.FailuresUntilDisabled"/>.</summary>
    public int FailuresUntilDisabled { get; init; } = Defaults.FailuresUntilDisabled;

    /// <summary>What cannot be used.</summary>
    public IEnumerable<string> Problems()
    {
        if (MaxAlertsPerRun is < 1 or > 10_000) yield return "Detections:MaxAlertsPerRun is a number from 1 to 10000.";
        if (RuleTimeout <= TimeSpan.Zero || RuleTimeout > TimeSpan.FromHours(1)) yield return "Detections:RuleTimeout is a time above 0 and up to 01:00:00.";
        if (RunsKept is < 1 or > 10_000) yield return "Detections:RunsKept is a number from 1 to 10000.";
        if (FailuresUntilDisabled < 0 || FailuresUntilDisabled > RunsKept) yield return "Detections:FailuresUntilDisabled is a number from 0 to RunsKept.";
    }

    /// <summary>The options of the detections.</summary>
    /// <param name="ownRules">Folder of the user's own rules.</param>
    public DetectionOptions ToOptions(string ownRules) => new()
    {
        OwnRules = ownRules, MaxAlertsPerRun = MaxAlertsPerRun, RuleTimeout = RuleTimeout, RunsKept = RunsKept, RequireEventColumns = RequireEventColumns,
        FailuresUntilDisabled = FailuresUntilDisabled,
    };
}
