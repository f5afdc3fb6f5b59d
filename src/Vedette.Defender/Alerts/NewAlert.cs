using Vedette.Defender.Investigations;
using Vedette.Defender.State;

namespace Vedette.Defender.Alerts;

/// <summary>An alert to be raised.</summary>
public sealed record NewAlert
{
    /// <summary>Whose.</summary>
    public required Guid TenantId { get; init; }

    /// <summary>The identity that it has already where it comes from; null gives it a new one.</summary>
    public string? Id { get; init; }

    /// <summary>Whether the hunting rows that tell of it are stored, so that none are written.</summary>
    public bool RowsAreStored { get; init; }

    /// <summary>Title.</summary>
    public required string Title { get; init; }

    /// <summary>What happened.</summary>
    public required string Description { get; init; }

    /// <summary>Severity.</summary>
    public required AlertSeverity Severity { get; init; }

    /// <summary>Category such as <c>Execution</c>.</summary>
    public required string Category { get; init; }

    /// <summary>The device; null for alerts that are not about one.</summary>
    public string? MachineId { get; init; }

    /// <summary>First event it stands on, UTC.</summary>
    public required DateTime FirstEventTime { get; init; }

    /// <summary>Last event it stands on, UTC.</summary>
    public required DateTime LastEventTime { get; init; }

    /// <summary>Technology that raises it.</summary>
    public string DetectionSource { get; init; } = "WindowsDefenderAtp";

    /// <summary>Product that raises it.</summary>
    public string ServiceSource { get; init; } = "Microsoft Defender for Endpoint";

    /// <summary>The rule that raises it.</summary>
    public Guid? DetectorId { get; init; }

    /// <summary>What to do about it.</summary>
    public string? RecommendedAction { get; init; }

    /// <summary>MITRE ATT&amp;CK techniques.</summary>
    public IReadOnlyList<string> MitreTechniques { get; init; } = [];

    /// <summary>Values that the alert shows beside its evidence, by name.</summary>
    public IReadOnlyDictionary<string, string> CustomDetails { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether it gets an incident of its own, whatever it shares with others.</summary>
    public bool Uncorrelated { get; init; }

    /// <summary>Name of the malware.</summary>
    public string? ThreatName { get; init; }

    /// <summary>Family of the malware.</summary>
    public string? ThreatFamilyName { get; init; }

    /// <summary>The user that it is about; null takes the first user among the evidence.</summary>
    public RelatedUser? RelatedUser { get; init; }

    /// <summary>Evidence. Tenant, alert and time are filled in.</summary>
    public IReadOnlyList<AlertEvidence> Evidence { get; init; } = [];

    /// <summary>Unique within the tenant: raising the same key again gives the alert that there is. Null when it cannot repeat.</summary>
    public string? DeduplicationKey { get; init; }

    /// <summary>While an alert with the same key is open, this one becomes part of it. Null keeps them apart.</summary>
    public string? MergeKey { get; init; }

    /// <summary>Whether it becomes part of any open alert of the same device and title.</summary>
    public bool MergesByTitle { get; init; }

    /// <summary>When it is raised, UTC; null means now.</summary>
    public DateTime? CreationTime { get; init; }

    /// <summary>Whether an automated investigation looks into it, where the tenant and the device allow one.</summary>
    public bool Investigate { get; init; }

    /// <summary>Who asked for the investigation; null when it starts by itself.</summary>
    public InvestigationRequest? InvestigationRequest { get; init; }
}

/// <summary>What became of an alert.</summary>
public enum Intake
{
    /// <summary>It is a new alert.</summary>
    Raised,

    /// <summary>It became part of an open alert.</summary>
    Merged,

    /// <summary>It had been raised before; nothing changed.</summary>
    Known,
}

/// <summary>What became of an alert.</summary>
/// <param name="Alert">The alert that holds it, with its evidence.</param>
/// <param name="Intake">What happened.</param>
public sealed record RaisedAlert(Alert Alert, Intake Intake);

/// <summary>Puts alerts into incidents.</summary>
public interface IAlertCorrelator
{
    /// <summary>
    /// Sets <see cref="Alert.IncidentId"/> of a new alert (whose device, user and evidence are filled in), or brings that of an alert which
    /// has become more (and has an incident already) up to date, making, changing and merging incidents as needed. Runs within the transaction
    /// that stores the alert, one alert of a tenant at a time; the caller saves.
    /// </summary>
    Task CorrelateAsync(DefenderDbContext state, Alert alert, CancellationToken cancellationToken);
}
