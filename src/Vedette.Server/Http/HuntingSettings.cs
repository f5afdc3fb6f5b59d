using Vedette.Telemetry.Hunting;

namespace Vedette.Server.Http;

/// <summary>
/// What hunting may cost, by the place it is asked from: the section <c>Hunting</c> of the settings. The defaults are the service's published limits;
/// <c>docs/limits.md</c> tells their sources.
/// </summary>
public sealed record HuntingSettings
{
    /// <summary>What becomes of queries that use columns which were renamed or retired.</summary>
    public RetiredColumns RetiredColumns { get; init; } = RetiredColumns.Warn;

    /// <summary>The Endpoint API, <c>/api/advancedqueries/run</c>.</summary>
    public HuntingSurface Endpoint { get; init; } = new()
    {
        Timeout = TimeSpan.FromSeconds(200),
        RunTimePerHour = TimeSpan.FromMinutes(10),
        RunTimePerDay = TimeSpan.FromHours(3),
    };

    /// <summary>The Threat Protection API, <c>/api/advancedhunting/run</c>.</summary>
    public HuntingSurface ThreatProtection { get; init; } = new() { Timeout = TimeSpan.FromMinutes(3) };

    /// <summary>Graph, <c>/security/runHuntingQuery</c>.</summary>
    public HuntingSurface Graph { get; init; } = new() { Timeout = TimeSpan.FromMinutes(3) };

    /// <summary>The portal: an answer that is too large is cut instead of refused.</summary>
    public HuntingSurface Portal { get; init; } = new() { Timeout = TimeSpan.FromMinutes(10), MaxBytes = 64L * 1024 * 1024, CutsLargeAnswers = true };

    /// <summary>The <c>hunt</c> command. Processor time and run time of the others are not touched by it.</summary>
    public HuntingSurface CommandLine { get; init; } = new() { Timeout = TimeSpan.FromMinutes(10), MaxBytes = 1L << 30 };

    /// <summary>Length of the windows in which a tenant's processor time is summed; they begin at midnight UTC.</summary>
    public TimeSpan CpuWindow { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Share of the machine's processor time that a tenant's queries through the APIs may use in a window; 0 for no limit.</summary>
    public double CpuShare { get; init; } = 0.5;

    /// <summary>Part of that share from which on the log warns.</summary>
    public double CpuWarning { get; init; } = 0.1;

    /// <summary>Processor time of a tenant in a window; null for no limit.</summary>
    internal TimeSpan? CpuAllowance => CpuShare > 0 ? CpuWindow * CpuShare * Environment.ProcessorCount : null;

    /// <summary>What is wrong with the values; empty when they can be used.</summary>
    internal IEnumerable<string> Problems()
    {
        foreach (var (name, surface) in new[]
                 {
                     (nameof(Endpoint), Endpoint), (nameof(ThreatProtection), ThreatProtection), (nameof(Graph), Graph), (nameof(Portal), Portal),
                     (nameof(CommandLine), CommandLine),
                 })
        {
            if (surface.MaxRows is < 1 or > 10_000_000) yield return $"Hunting:{name}:MaxRows is a number from 1 to 10000000.";
            if (surface.MaxBytes is < 1 or > 2L << 30) yield return $"Hunting:{name}:MaxBytes is a number from 1 to {2L << 30}.";
            if (surface.Timeout <= TimeSpan.Zero || surface.Timeout > TimeSpan.FromDays(1)) yield return $"Hunting:{name}:Timeout is a time above 0 and up to one day.";
            if (surface.LookBack <= TimeSpan.Zero) yield return $"Hunting:{name}:LookBack is a time above 0.";
            if (surface.RunTimePerHour <= TimeSpan.Zero || surface.RunTimePerDay <= TimeSpan.Zero) yield return $"Hunting:{name}: run times are above 0; leave them out for no limit.";
        }

        if (CpuWindow < TimeSpan.FromSeconds(1) || CpuWindow > TimeSpan.FromDays(1)) yield return "Hunting:CpuWindow is a time from one second to one day.";
        if (CpuShare is < 0 or > 1 || CpuWarning is < 0 or > 1) yield return "Hunting:CpuShare and Hunting:CpuWarning are numbers from 0 to 1.";
    }
}

/// <summary>Limits of one place that hunting queries come from.</summary>
public sealed class HuntingSurface
{
    /// <summary>Rows in an answer.</summary>
    public int MaxRows { get; init; } = 100_000;

    /// <summary>Bytes of an answer.</summary>
    public long MaxBytes { get; init; } = 124L * 1024 * 1024;

    /// <summary>Whether a larger answer is cut; else it is refused.</summary>
    public bool CutsLargeAnswers { get; init; }

    /// <summary>Run time of one query.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>How far back rows are visible.</summary>
    public TimeSpan LookBack { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Run time of a tenant's queries in an hour; null for no limit.</summary>
    public TimeSpan? RunTimePerHour { get; init; }

    /// <summary>Run time of a tenant's queries in a day; null for no limit.</summary>
    public TimeSpan? RunTimePerDay { get; init; }

    /// <summary>The part that bounds one query.</summary>
    internal HuntingLimits Limits => new() { MaxRows = MaxRows, MaxBytes = MaxBytes, CutsLargeAnswers = CutsLargeAnswers, Timeout = Timeout, LookBack = LookBack };
}
