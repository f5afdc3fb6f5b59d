namespace Vedette.Defender.State;

/// <summary>An indicator of compromise that the tenant's devices act on, with every property of the API's resource.</summary>
public sealed class Indicator
{
    /// <summary>Number of the indicator.</summary>
    public long Id { get; set; }

    /// <summary>Whose.</summary>
    public Guid TenantId { get; set; }

    /// <summary>The value looked for.</summary>
    public string IndicatorValue { get; set; } = "";

    /// <summary>Kind of value.</summary>
    public IndicatorType IndicatorType { get; set; }

    /// <summary>What to do on a match.</summary>
    public IndicatorAction Action { get; set; }

    /// <summary>Application id or user principal name of the creator.</summary>
    public string CreatedBy { get; set; } = "";

    /// <summary>Name of the creator.</summary>
    public string? CreatedByDisplayName { get; set; }

    /// <summary>Which door it came through.</summary>
    public string CreatedBySource { get; set; } = "PublicApi";

    /// <summary>Severity of the alerts it raises.</summary>
    public AlertSeverity Severity { get; set; } = AlertSeverity.Informational;

    /// <summary>Number of the category; 1 in the service.</summary>
    public int Category { get; set; } = 1;

    /// <summary>Application that the indicator came from.</summary>
    public string? Application { get; set; }

    /// <summary>Page shown to a warned user.</summary>
    public string? EducateUrl { get; set; }

    /// <summary>How long a warned user may go on, in hours.</summary>
    public int? BypassDurationHours { get; set; }

    /// <summary>Title of the alerts.</summary>
    public string Title { get; set; } = "";

    /// <summary>Description of the alerts.</summary>
    public string Description { get; set; } = "";

    /// <summary>What to do about a match.</summary>
    public string? RecommendedActions { get; set; }

    /// <summary>Creation, UTC.</summary>
    public DateTime CreationTimeDateTimeUtc { get; set; }

    /// <summary>End of its life, UTC.</summary>
    public DateTime? ExpirationTime { get; set; }

    /// <summary>Last change, UTC.</summary>
    public DateTime LastUpdateTime { get; set; }

    /// <summary>Who changed it last.</summary>
    public string? LastUpdatedBy { get; set; }

    /// <summary>Device groups it applies to, by name; empty means all devices.</summary>
    public string[] RbacGroupNames { get; set; } = [];

    /// <summary>Device groups it applies to, by number; empty means all devices.</summary>
    public string[] RbacGroupIds { get; set; } = [];

    /// <summary>MITRE ATT&amp;CK techniques.</summary>
    public string[] MitreTechniques { get; set; } = [];

    /// <summary>Whether a match raises an alert.</summary>
    public bool GenerateAlert { get; set; }

    /// <summary>The caller's own correlation identifier.</summary>
    public string? ExternalId { get; set; }

    /// <summary>Whether events of the past are matched too.</summary>
    public bool HistoricalDetection { get; set; }

    /// <summary>Whether the past is still to be searched for it.</summary>
    public bool HistoryDue { get; set; }

    /// <summary>What Graph tells of it beyond these properties, as a JSON object; null when it did not come through Graph.</summary>
    public string? Graph { get; set; }
}
