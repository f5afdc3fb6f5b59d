namespace Vedette.Defender.Indicators;

/// <summary>An indicator as a caller sends it; texts of enumerations are still unread.</summary>
public sealed record IndicatorDraft
{
    /// <summary>The value looked for.</summary>
    public string? IndicatorValue { get; init; }

    /// <summary>Kind of value.</summary>
    public string? IndicatorType { get; init; }

    /// <summary>What to do on a match.</summary>
    public string? Action { get; init; }

    /// <summary>Title of the alerts.</summary>
    public string? Title { get; init; }

    /// <summary>Description of the alerts.</summary>
    public string? Description { get; init; }

    /// <summary>Application that the indicator came from; kept from the first time on.</summary>
    public string? Application { get; init; }

    /// <summary>End of its life, UTC; null means never.</summary>
    public DateTime? ExpirationTime { get; init; }

    /// <summary>Severity of the alerts.</summary>
    public string? Severity { get; init; }

    /// <summary>What to do about a match.</summary>
    public string? RecommendedActions { get; init; }

    /// <summary>Device groups it applies to, by name.</summary>
    public IReadOnlyList<string> RbacGroupNames { get; init; } = [];

    /// <summary>Device groups it applies to, by number.</summary>
    public IReadOnlyList<string> RbacGroupIds { get; init; } = [];

    /// <summary>Page shown to a warned user.</summary>
    public string? EducateUrl { get; init; }

    /// <summary>How long a warned user may go on, in hours.</summary>
    public int? BypassDurationHours { get; init; }

    /// <summary>Whether a match raises an alert.</summary>
    public bool? GenerateAlert { get; init; }

    /// <summary>The caller's own correlation identifier.</summary>
    public string? ExternalId { get; init; }

    /// <summary>Number of the category.</summary>
    public int? Category { get; init; }

    /// <summary>MITRE ATT&amp;CK techniques.</summary>
    public IReadOnlyList<string> MitreTechniques { get; init; } = [];

    /// <summary>Whether events of the past are matched too.</summary>
    public bool? HistoricalDetection { get; init; }

    /// <summary>What Graph tells of it beyond these properties, as a JSON object.</summary>
    public string? Graph { get; init; }
}
