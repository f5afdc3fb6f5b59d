using System.Collections.Frozen;

namespace Vedette.Defender.ThreatIntelligence;

/// <summary>Type of a property of a threat indicator.</summary>
public enum ThreatFieldType
{
    /// <summary>Text.</summary>
    Text,

    /// <summary>One of <see cref="ThreatField.Members"/>.</summary>
    Member,

    /// <summary>Whole number.</summary>
    Number,

    /// <summary>Truth value.</summary>
    Flag,

    /// <summary>Moment.</summary>
    Time,

    /// <summary>List of texts, of <see cref="ThreatField.Members"/> when there are any.</summary>
    Texts,
}

/// <summary>A property of a threat indicator.</summary>
/// <param name="Name">Name on the wire.</param>
/// <param name="Type">Its type.</param>
public sealed record ThreatField(string Name, ThreatFieldType Type)
{
    /// <summary>Members of the enumeration.</summary>
    public IReadOnlyList<string> Members { get; init; } = [];

    /// <summary>Largest number or length.</summary>
    public int? Most { get; init; }

    /// <summary>True for what is looked for: mail, file or network.</summary>
    public bool IsObservable { get; init; }

    /// <summary>True for what may be changed later, for products other than the endpoint's.</summary>
    public bool IsEditable { get; init; }
}

/// <summary>The properties of threat indicators in the order of the reference, except those that the system stamps.</summary>
public static class ThreatIndicatorFields
{
    /// <summary>Product whose devices act on indicators.</summary>
    public const string Endpoint = "Microsoft Defender ATP";

    /// <summary>Product that matches logs.</summary>
    public const string Sentinel = "Azure Sentinel";

    /// <summary>All properties.</summary>
    public static readonly IReadOnlyList<ThreatField> All =
    [
        Member("action", "unknown", "allow", "block", "alert") with { IsEditable = true },
        Of(ThreatFieldType.Texts, "activityGroupNames"), Text("additionalInformation") with { IsEditable = true },
        Number("confidence", 100) with { IsEditable = true }, Text("description") with { IsEditable = true, Most = 100 },
        Member("diamondModel", "unknown", "adversary", "capability", "infrastructure", "victim") with { IsEditable = true },
        Of(ThreatFieldType.Time, "expirationDateTime"), Text("externalId") with { IsEditable = true }, Of(ThreatFieldType.Flag, "isActive"),
        Of(ThreatFieldType.Texts, "killChain") with
        {
            Members = ["Actions", "C2", "Delivery", "Exploitation", "Installation", "Reconnaissance", "Weaponization"],
        },
        Text("knownFalsePositives") with { IsEditable = true }, Of(ThreatFieldType.Time, "lastReportedDateTime"), Of(ThreatFieldType.Texts, "malwareFamilyNames"),
        Of(ThreatFieldType.Flag, "passiveOnly"), Number("severity", 5) with { IsEditable = true }, Of(ThreatFieldType.Texts, "tags"),
        Member("targetProduct", Sentinel, Endpoint),
        Member("threatType", "Botnet", "C2", "CryptoMining", "Darknet", "DDoS", "MaliciousUrl", "Malware", "Phishing", "Proxy", "PUA", "WatchList"),
        Member("tlpLevel", "unknown", "white", "green", "amber", "red") with { IsEditable = true },
        Seen("emailEncoding"), Seen("emailLanguage"), Seen("emailRecipient"), Seen("emailSenderAddress"), Seen("emailSenderName"), Seen("emailSourceDomain"),
        Seen("emailSourceIpAddress"), Seen("emailSubject"), Seen("emailXMailer"),
        Of(ThreatFieldType.Time, "fileCompileDateTime") with { IsEditable = false, IsObservable = true },
        Of(ThreatFieldType.Time, "fileCreatedDateTime") with { IsEditable = false, IsObservable = true },
        Member("fileHashType", "unknown", "sha1", "sha256", "md5", "authenticodeHash256", "lsHash", "ctph"), Seen("fileHashValue"), Seen("fileMutexName"), Seen("fileName"),
        Seen("filePacker"), Seen("filePath"), Count("fileSize"), Seen("fileType"),
        Seen("domainName"), Seen("networkCidrBlock"), Count("networkDestinationAsn"), Seen("networkDestinationCidrBlock"), Seen("networkDestinationIPv4"),
        Seen("networkDestinationIPv6"), Count("networkDestinationPort"), Seen("networkIPv4"), Seen("networkIPv6"), Count("networkPort"), Count("networkProtocol"),
        Count("networkSourceAsn"), Seen("networkSourceCidrBlock"), Seen("networkSourceIPv4"), Seen("networkSourceIPv6"), Count("networkSourcePort"), Seen("url"),
        Seen("userAgent"),
    ];

    /// <summary>Observables that devices look for; an indicator for them has one of these.</summary>
    public static readonly IReadOnlyList<string> Enforceable = ["fileHashValue", "networkDestinationIPv4", "networkDestinationIPv6", "url", "domainName"];

    /// <summary>What may be changed of an indicator that devices act on.</summary>
    public static readonly FrozenSet<string> EndpointEditable = FrozenSet.Create(StringComparer.Ordinal, "expirationDateTime", "severity", "description");

    private static readonly FrozenDictionary<string, ThreatField> ByName = All.ToFrozenDictionary(field => field.Name, StringComparer.Ordinal);

    /// <summary>A property by name; null when there is none.</summary>
    public static ThreatField? Find(string name) => ByName.GetValueOrDefault(name);

    private static ThreatField Of(ThreatFieldType type, string name) => new(name, type) { IsEditable = true };

    private static ThreatField Text(string name) => new(name, ThreatFieldType.Text);

    private static ThreatField Seen(string name) => new(name, ThreatFieldType.Text) { IsObservable = true };

    private static ThreatField Count(string name) => new(name, ThreatFieldType.Number) { IsObservable = true };

    private static ThreatField Number(string name, int most) => new(name, ThreatFieldType.Number) { Most = most };

    private static ThreatField Member(string name, params string[] members) => new(name, ThreatFieldType.Member) { Members = members };
}
