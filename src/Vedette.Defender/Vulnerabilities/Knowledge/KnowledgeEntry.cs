namespace Vedette.Defender.Vulnerabilities.Knowledge;

/// <summary>What a feed says of one vulnerability. What is null or empty the feed does not tell.</summary>
/// <param name="Id">CVE identifier, or the feed's own where there is no CVE.</param>
public sealed record KnowledgeEntry(string Id)
{
    /// <summary>The feed's own record that says so; a later import of the same record replaces what it said of affected versions.</summary>
    public string Record { get; init; } = Id;

    /// <summary>What it is.</summary>
    public string Description { get; init; } = "";

    /// <summary><c>Low</c>, <c>Medium</c>, <c>High</c> or <c>Critical</c>.</summary>
    public string? Severity { get; init; }

    /// <summary>CVSS base score, 0 to 10.</summary>
    public double? Cvss { get; init; }

    /// <summary>CVSS vector.</summary>
    public string? CvssVector { get; init; }

    /// <summary>When it was published, UTC.</summary>
    public DateTime? PublishedOn { get; init; }

    /// <summary>When its description was last changed, UTC.</summary>
    public DateTime? UpdatedOn { get; init; }

    /// <summary>Whether anybody can get an exploit.</summary>
    public bool PublicExploit { get; init; }

    /// <summary>Whether an exploit is known to work.</summary>
    public bool ExploitVerified { get; init; }

    /// <summary>Whether an exploit is part of a kit.</summary>
    public bool ExploitInKit { get; init; }

    /// <summary>Kinds of exploit.</summary>
    public IReadOnlyList<string> ExploitTypes { get; init; } = [];

    /// <summary>Addresses of exploits.</summary>
    public IReadOnlyList<string> ExploitUris { get; init; } = [];

    /// <summary>Probability of exploitation within 30 days, 0 to 1.</summary>
    public double? Epss { get; init; }

    /// <summary>Tags.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>What it affects; null when the feed does not speak of that.</summary>
    public IReadOnlyList<AffectedRange>? Affected { get; init; }

    /// <summary>True when the feed has withdrawn it: what the feed said before is forgotten.</summary>
    public bool IsWithdrawn { get; init; }
}

/// <summary>Versions of a package that are affected.</summary>
/// <param name="Scheme">Where the versions belong; see <see cref="Vedette.Agent.Contract.SoftwareItem.Scheme"/>.</param>
/// <param name="Package">Name in that scheme, lower case.</param>
public sealed record AffectedRange(string Scheme, string Package)
{
    /// <summary>First version that is affected; null means from the beginning.</summary>
    public string? Introduced { get; init; }

    /// <summary>First version that is not affected any more; null means none is known.</summary>
    public string? Fixed { get; init; }

    /// <summary>Last version that is affected, where the feed tells this instead.</summary>
    public string? LastAffected { get; init; }

    /// <summary>Affected versions one by one; when there are any, these are all and the range says nothing.</summary>
    public IReadOnlyList<string> Versions { get; init; } = [];

    /// <summary>Number of the update that repairs it, digits only.</summary>
    public string? FixId { get; init; }

    /// <summary>Title of that update.</summary>
    public string? FixName { get; init; }

    /// <summary>Where to get it.</summary>
    public string? FixUrl { get; init; }
}
