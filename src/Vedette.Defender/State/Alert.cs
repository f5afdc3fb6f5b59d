namespace Vedette.Defender.State;

/// <summary>An alert, with every property of the API's alert resource.</summary>
public sealed class Alert
{
    /// <summary>Whose alert.</summary>
    public Guid TenantId { get; set; }

    /// <summary>Identity in the service's form: provider prefix, ticks of the creation, a signed number.</summary>
    public string Id { get; set; } = "";

    /// <summary>The incident that the alert belongs to.</summary>
    public long? IncidentId { get; set; }

    /// <summary>The automated investigation that looks into it.</summary>
    public long? InvestigationId { get; set; }

    /// <summary>State of that investigation.</summary>
    public InvestigationState? InvestigationState { get; set; }

    /// <summary>Owner, usually a user principal name.</summary>
    public string? AssignedTo { get; set; }

    /// <summary>Severity.</summary>
    public AlertSeverity Severity { get; set; }

    /// <summary>Status.</summary>
    public AlertStatus Status { get; set; } = AlertStatus.New;

    /// <summary>What the analyst found it to be.</summary>
    public AlertClassification? Classification { get; set; }

    /// <summary>More exactly, what it was.</summary>
    public AlertDetermination? Determination { get; set; }

    /// <summary>Technology that raised it, such as <c>WindowsDefenderAtp</c> or <c>CustomDetection</c>.</summary>
    public string DetectionSource { get; set; } = "WindowsDefenderAtp";

    /// <summary>Product that raised it, as hunting shows it.</summary>
    public string ServiceSource { get; set; } = "Microsoft Defender for Endpoint";

    /// <summary>The rule that raised it.</summary>
    public Guid? DetectorId { get; set; }

    /// <summary>Category such as <c>Execution</c>.</summary>
    public string Category { get; set; } = "";

    /// <summary>Family of the malware.</summary>
    public string? ThreatFamilyName { get; set; }

    /// <summary>Name of the malware.</summary>
    public string? ThreatName { get; set; }

    /// <summary>Title.</summary>
    public string Title { get; set; } = "";

    /// <summary>What happened.</summary>
    public string Description { get; set; } = "";

    /// <summary>What to do about it; not part of the API's alert resource, shown by the portal and Graph.</summary>
    public string? RecommendedAction { get; set; }

    /// <summary>When it was raised, UTC.</summary>
    public DateTime AlertCreationTime { get; set; }

    /// <summary>First event it stands on, UTC.</summary>
    public DateTime FirstEventTime { get; set; }

    /// <summary>Last event it stands on, UTC.</summary>
    public DateTime LastEventTime { get; set; }

    /// <summary>Last change, UTC.</summary>
    public DateTime LastUpdateTime { get; set; }

    /// <summary>When it was resolved, UTC.</summary>
    public DateTime? ResolvedTime { get; set; }

    /// <summary>The device.</summary>
    public string? MachineId { get; set; }

    /// <summary>The device's name when the alert was raised.</summary>
    public string? ComputerDnsName { get; set; }

    /// <summary>The device's group when the alert was raised; 0 means none.</summary>
    public int RbacGroupId { get; set; }

    /// <summary>Name of that group.</summary>
    public string? RbacGroupName { get; set; }

    /// <summary>MITRE ATT&amp;CK techniques.</summary>
    public string[] MitreTechniques { get; set; } = [];

    /// <summary>Values that the alert shows beside its evidence, by name: the custom details of its rule.</summary>
    public Dictionary<string, string> CustomDetails { get; set; } = [];

    /// <summary>Who is behind it, when that is known.</summary>
    public string? ActorName { get; set; }

    /// <summary>The policy that raised it.</summary>
    public string? AlertPolicyId { get; set; }

    /// <summary>More about it as a JSON object.</summary>
    public string? AdditionalData { get; set; }

    /// <summary>Tags that the service gives.</summary>
    public string[] SystemTags { get; set; } = [];

    /// <summary>The user that the alert is about.</summary>
    public RelatedUser? RelatedUser { get; set; }

    /// <summary>Who was logged on to the device.</summary>
    public List<LoggedOnUser> LoggedOnUsers { get; set; } = [];

    /// <summary>Comments, oldest first.</summary>
    public List<AlertComment> Comments { get; set; } = [];

    /// <summary>Evidence, loaded only when asked for.</summary>
    public List<AlertEvidence> Evidence { get; set; } = [];

    /// <summary>
    /// While set and the alert is open, a further alert with the same key becomes part of this one instead of a new one.
    /// </summary>
    public string? MergeKey { get; set; }

    /// <summary>Unique within the tenant: raising the same key twice changes nothing. Null for alerts that cannot repeat.</summary>
    public string? DeduplicationKey { get; set; }
}

/// <summary>The user that an alert is about.</summary>
public sealed record RelatedUser(string UserName, string DomainName);

/// <summary>A user logged on to the alert's device.</summary>
public sealed record LoggedOnUser(string AccountName, string DomainName);

/// <summary>A comment.</summary>
/// <param name="Comment">Its text.</param>
/// <param name="CreatedBy">Who wrote it.</param>
/// <param name="CreatedTime">When, UTC.</param>
public sealed record AlertComment(string Comment, string CreatedBy, DateTime CreatedTime);

/// <summary>One piece of an alert's evidence. Fields that do not belong to the kind are null.</summary>
public sealed class AlertEvidence
{
    /// <summary>Number of the row, which also gives the order.</summary>
    public long Id { get; set; }

    /// <summary>Whose.</summary>
    public Guid TenantId { get; set; }

    /// <summary>The alert.</summary>
    public string AlertId { get; set; } = "";

    /// <summary>Kind of evidence.</summary>
    public EvidenceKind EntityType { get; set; }

    /// <summary>When it was added, UTC.</summary>
    public DateTime EvidenceCreationTime { get; set; }

    /// <summary>SHA-1, lower case.</summary>
    public string? Sha1 { get; set; }

    /// <summary>SHA-256, lower case.</summary>
    public string? Sha256 { get; set; }

    /// <summary>File name (of the process's image, for a process).</summary>
    public string? FileName { get; set; }

    /// <summary>Folder of the file.</summary>
    public string? FilePath { get; set; }

    /// <summary>Process number.</summary>
    public long? ProcessId { get; set; }

    /// <summary>Command line.</summary>
    public string? ProcessCommandLine { get; set; }

    /// <summary>Start of the process, UTC.</summary>
    public DateTime? ProcessCreationTime { get; set; }

    /// <summary>Process number of the parent.</summary>
    public long? ParentProcessId { get; set; }

    /// <summary>Start of the parent, UTC.</summary>
    public DateTime? ParentProcessCreationTime { get; set; }

    /// <summary>File name of the parent.</summary>
    public string? ParentProcessFileName { get; set; }

    /// <summary>Folder of the parent.</summary>
    public string? ParentProcessFilePath { get; set; }

    /// <summary>Address.</summary>
    public string? IpAddress { get; set; }

    /// <summary>Web address.</summary>
    public string? Url { get; set; }

    /// <summary>Registry key.</summary>
    public string? RegistryKey { get; set; }

    /// <summary>Registry hive.</summary>
    public string? RegistryHive { get; set; }

    /// <summary>Type of the registry value.</summary>
    public string? RegistryValueType { get; set; }

    /// <summary>Data of the registry value.</summary>
    public string? RegistryValue { get; set; }

    /// <summary>Name of the registry value.</summary>
    public string? RegistryValueName { get; set; }

    /// <summary>Account name.</summary>
    public string? AccountName { get; set; }

    /// <summary>Account domain.</summary>
    public string? DomainName { get; set; }

    /// <summary>Security identifier.</summary>
    public string? UserSid { get; set; }

    /// <summary>Identity in the directory.</summary>
    public Guid? AadUserId { get; set; }

    /// <summary>User principal name.</summary>
    public string? UserPrincipalName { get; set; }

    /// <summary><c>Detected</c>, <c>Blocked</c>, <c>Prevented</c>; null for users.</summary>
    public string? DetectionStatus { get; set; }

    /// <summary><c>Impacted</c> or <c>Related</c>, as hunting shows it.</summary>
    public string EvidenceRole { get; set; } = "Related";

    /// <summary>
    /// What belongs to the kind and has no property here, as a JSON object with the names of <c>evidence-kinds.json</c>; also <c>verdict</c>,
    /// <c>roles</c>, <c>tags</c> and <c>remediationStatus</c> when they are known.
    /// </summary>
    public string? Details { get; set; }
}

/// <summary>Alerts that belong together.</summary>
public sealed class Incident
{
    /// <summary>Number of the incident.</summary>
    public long Id { get; set; }

    /// <summary>Whose.</summary>
    public Guid TenantId { get; set; }

    /// <summary>Its name.</summary>
    public string Name { get; set; } = "";

    /// <summary>The gravest of its alerts.</summary>
    public AlertSeverity Severity { get; set; }

    /// <summary>Status.</summary>
    public IncidentStatus Status { get; set; } = IncidentStatus.Active;

    /// <summary>What it was found to be.</summary>
    public AlertClassification? Classification { get; set; }

    /// <summary>More exactly, what it was.</summary>
    public AlertDetermination? Determination { get; set; }

    /// <summary>Owner.</summary>
    public string? AssignedTo { get; set; }

    /// <summary>Tags that people gave.</summary>
    public string[] Tags { get; set; } = [];

    /// <summary>Tags that the service gave.</summary>
    public string[] SystemTags { get; set; } = [];

    /// <summary>What happened.</summary>
    public string? Description { get; set; }

    /// <summary>What happened, in short.</summary>
    public string? Summary { get; set; }

    /// <summary>Why it was resolved.</summary>
    public string? ResolvingComment { get; set; }

    /// <summary>Who changed it last.</summary>
    public string? LastModifiedBy { get; set; }

    /// <summary>Comments, oldest first.</summary>
    public List<AlertComment> Comments { get; set; } = [];

    /// <summary>When it was opened, UTC.</summary>
    public DateTime CreatedTime { get; set; }

    /// <summary>Last change, UTC.</summary>
    public DateTime LastUpdateTime { get; set; }

    /// <summary>The incident that took over its alerts.</summary>
    public long? RedirectIncidentId { get; set; }
}

/// <summary>An automated investigation.</summary>
public sealed class Investigation
{
    /// <summary>Number of the investigation.</summary>
    public long Id { get; set; }

    /// <summary>Whose.</summary>
    public Guid TenantId { get; set; }

    /// <summary>Start, UTC.</summary>
    public DateTime StartTime { get; set; }

    /// <summary>End, UTC.</summary>
    public DateTime? EndTime { get; set; }

    /// <summary>State.</summary>
    public InvestigationState State { get; set; }

    /// <summary>Who cancelled it.</summary>
    public string? CancelledBy { get; set; }

    /// <summary>More about the state.</summary>
    public string? StatusDetails { get; set; }

    /// <summary>The device.</summary>
    public string MachineId { get; set; } = "";

    /// <summary>The device's name.</summary>
    public string? ComputerDnsName { get; set; }

    /// <summary>The alert that started it; null when a person did.</summary>
    public string? TriggeringAlertId { get; set; }
}
