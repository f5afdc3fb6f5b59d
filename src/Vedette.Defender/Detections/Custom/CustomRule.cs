namespace Vedette.Defender.Detections.Custom;

/// <summary>Whether a tenant's rule runs.</summary>
public enum CustomRuleStatus
{
    /// <summary>It runs.</summary>
    Enabled,

    /// <summary>Somebody switched it off.</summary>
    Disabled,

    /// <summary>It was switched off because its runs failed again and again.</summary>
    AutoDisabled,
}

/// <summary>A detection rule that a tenant made.</summary>
public sealed record CustomRule
{
    /// <summary>Whose.</summary>
    public required Guid TenantId { get; init; }

    /// <summary>Identity within the tenant: a number, or what its maker chose. Found without regard to case.</summary>
    public required string Id { get; init; }

    /// <summary>Identity that alerts carry as their detector id.</summary>
    public required Guid DetectorId { get; init; }

    /// <summary>Its name, unique within the tenant without regard to case.</summary>
    public required string DisplayName { get; init; }

    /// <summary>What the rule is for.</summary>
    public string? Description { get; init; }

    /// <summary>Whether it runs.</summary>
    public CustomRuleStatus Status { get; init; }

    /// <summary>Name of who made it.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>When it was made, UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>Name of who changed it last.</summary>
    public required string LastModifiedBy { get; init; }

    /// <summary>Last change, UTC.</summary>
    public required DateTime LastModifiedAt { get; init; }

    /// <summary>Last change of the query, UTC; null when it is as it was made.</summary>
    public DateTime? QueryModifiedAt { get; init; }

    /// <summary>What it looks for and what it does.</summary>
    public required CustomRuleBody Body { get; init; }
}

/// <summary>What a tenant's rule looks for and what it does.</summary>
public sealed record CustomRuleBody
{
    /// <summary>The query, in KQL.</summary>
    public required string Query { get; init; }

    /// <summary>Minutes between runs; 0 means continuously.</summary>
    public int Frequency { get; init; }

    /// <summary>Minutes that a run looks back; null takes what belongs to the frequency.</summary>
    public int? LookBack { get; init; }

    /// <summary>Title of the alerts; may name columns in double braces.</summary>
    public required string Title { get; init; }

    /// <summary>Description of the alerts; may name columns in double braces.</summary>
    public string AlertDescription { get; init; } = "";

    /// <summary>Severity of the alerts, one of <see cref="DetectionVocabulary.Severities"/>.</summary>
    public required string Severity { get; init; }

    /// <summary>Category of the alerts.</summary>
    public required string Category { get; init; }

    /// <summary>MITRE ATT&amp;CK techniques.</summary>
    public IReadOnlyList<string> Techniques { get; init; } = [];

    /// <summary>What to do about the alerts.</summary>
    public string? RecommendedActions { get; init; }

    /// <summary>Columns that are shown beside the evidence.</summary>
    public IReadOnlyList<CustomDetail> CustomDetails { get; init; } = [];

    /// <summary>Assets that a match impacts, each by one identifier that names a column.</summary>
    public IReadOnlyList<ImpactedAsset> ImpactedAssets { get; init; } = [];

    /// <summary>Entities of a match, each by the columns that hold its properties.</summary>
    public IReadOnlyList<MappedEntity> EntityMappings { get; init; } = [];

    /// <summary>Device groups that the rule sees and acts on; null means all devices.</summary>
    public IReadOnlyList<string>? DeviceGroups { get; init; }

    /// <summary>What is done to the devices, files, users and messages of a match.</summary>
    public IReadOnlyList<RuleResponse> Responses { get; init; } = [];

    /// <summary>Whether its alerts are kept out of correlation.</summary>
    public bool Uncorrelated { get; init; }
}

/// <summary>An asset that a match impacts.</summary>
/// <param name="Kind"><c>Device</c>, <c>User</c> or <c>Mailbox</c>.</param>
/// <param name="Identifier">One of the identifiers that the service knows for the kind: a column's name with a small first letter.</param>
public sealed record ImpactedAsset(EntityKind Kind, string Identifier);

/// <summary>An entity of a match.</summary>
/// <param name="Collection">Its kind as the service's <c>entityMappings</c> spell it, such as <c>hosts</c>.</param>
/// <param name="Columns">Column of the result by property, as the service spells that: <c>deviceIdColumn</c>.</param>
public sealed record MappedEntity(string Collection, IReadOnlyDictionary<string, string> Columns);
