using System.Collections.Frozen;
using Vedette.Defender.State;

namespace Vedette.Defender.Indicators;

/// <summary>What an indicator does when something matches it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Type">Kind of value.</param>
/// <param name="Value">The value, normalised as events are.</param>
/// <param name="Action">What to do.</param>
/// <param name="Created">When it was submitted, UTC.</param>
/// <param name="Expires">End of its life, UTC.</param>
internal sealed record IndicatorFact(long Id, IndicatorType Type, string Value, IndicatorAction Action, DateTime Created, DateTime? Expires)
{
    public required string Title { get; init; }

    public required string Description { get; init; }

    public string? RecommendedActions { get; init; }

    public AlertSeverity Severity { get; init; }

    public bool GenerateAlert { get; init; }

    public bool HistoricalDetection { get; init; }

    public IReadOnlyList<string> Techniques { get; init; } = [];

    /// <summary>Names of the device groups that it is for; empty with <see cref="GroupIds"/> means all devices.</summary>
    public IReadOnlyList<string> GroupNames { get; init; } = [];

    /// <summary>Numbers of the device groups that it is for.</summary>
    public IReadOnlyList<string> GroupIds { get; init; } = [];

    /// <summary>Whether it keeps devices from going on.</summary>
    public bool Blocks => Action is IndicatorAction.Block or IndicatorAction.BlockAndRemediate;

    /// <summary>Whether it is for a device of a group.</summary>
    public bool IsFor(int groupId, string? groupName) => (GroupNames.Count == 0 && GroupIds.Count == 0)
        || (groupName is not null && GroupNames.Contains(groupName, StringComparer.OrdinalIgnoreCase))
        || GroupIds.Contains(groupId.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Whether it says something of an event of that time, now.</summary>
    public bool AppliesTo(DateTime eventTime, DateTime now) => (Expires is null || Expires > now) && (HistoricalDetection || eventTime >= Created);
}

/// <summary>
/// A tenant's indicators in force as hash sets: asking whether a value is among them costs one look-up for hashes, addresses and certificates,
/// and one for each label of a host name, however many indicators there are.
/// </summary>
internal sealed class IndicatorSets
{
    /// <summary>No indicators.</summary>
    public static readonly IndicatorSets Empty = new([]);

    private readonly FrozenDictionary<string, IndicatorFact[]> _hashes;
    private readonly FrozenDictionary<string, IndicatorFact[]> _addresses;
    private readonly FrozenDictionary<string, IndicatorFact[]> _domains;
    private readonly FrozenDictionary<string, IndicatorFact[]> _urls;
    private readonly FrozenDictionary<string, IndicatorFact[]> _certificates;

    /// <summary>Sorts indicators into sets.</summary>
    public IndicatorSets(IReadOnlyCollection<IndicatorFact> facts)
    {
        _hashes = Set(IndicatorType.FileSha1, IndicatorType.FileSha256, IndicatorType.FileMd5);
        _addresses = Set(IndicatorType.IpAddress);
        _domains = Set(IndicatorType.DomainName);
        _urls = Set(IndicatorType.Url);
        _certificates = Set(IndicatorType.CertificateThumbprint);
        Facts = facts;

        FrozenDictionary<string, IndicatorFact[]> Set(params IndicatorType[] types) => facts.Where(f => types.Contains(f.Type))
            .GroupBy(f => f.Type == IndicatorType.Url ? WithoutScheme(f.Value) : f.Value, StringComparer.OrdinalIgnoreCase)
            .ToFrozenDictionary(g => g.Key, g => g.ToArray(), StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<IndicatorFact> Facts { get; }

    /// <summary>Indicators of a file by any of its hashes.</summary>
    public IReadOnlyList<IndicatorFact> ByHash(string hash) => _hashes.GetValueOrDefault(hash) ?? [];

    /// <summary>Indicators of a signer's or issuer's certificate.</summary>
    public IReadOnlyList<IndicatorFact> ByCertificate(string thumbprint) => _certificates.GetValueOrDefault(thumbprint) ?? [];

    /// <summary>Indicators of an address.</summary>
    public IReadOnlyList<IndicatorFact> ByAddress(string address) => _addresses.GetValueOrDefault(address) ?? [];

    /// <summary>Indicators of a web address or host name: of its host, of the domains above it, of the address itself or the part before its query.</summary>
    public IEnumerable<IndicatorFact> ByUrl(string url)
    {
        if (_domains.Count == 0 && _urls.Count == 0 && _addresses.Count == 0) yield break;
        var text = WithoutScheme(url);
        var end = text.AsSpan().IndexOfAny("/?#:");
        var host = end < 0 ? text : text[..end];
        for (var name = host; name.Contains('.', StringComparison.Ordinal); name = name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..])
            foreach (var fact in _domains.GetValueOrDefault(name) ?? []) yield return fact;
        foreach (var fact in ByAddress(host)) yield return fact;
        if (_urls.Count == 0) yield break;
        foreach (var form in new[] { text, text.Split('?', '#')[0], host }.Select(f => f.TrimEnd('/')).Distinct(StringComparer.OrdinalIgnoreCase))
            foreach (var fact in _urls.GetValueOrDefault(form) ?? []) yield return fact;
    }

    private static string WithoutScheme(string url)
    {
        var at = url.IndexOf("://", StringComparison.Ordinal);
        return (at < 0 ? url : url[(at + 3)..]).TrimEnd('/');
    }
}
