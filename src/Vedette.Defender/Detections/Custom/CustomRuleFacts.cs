using System.Collections.Frozen;

namespace Vedette.Defender.Detections.Custom;

/// <summary>What the service documents about the parts of a custom detection rule. Source: the reference of its detection-rule API.</summary>
public static class CustomRuleFacts
{
    /// <summary>Columns that one title and its description may name together.</summary>
    public const int MostDynamicColumns = 3;

    /// <summary>Custom details of one rule.</summary>
    public const int MostCustomDetails = 20;

    /// <summary>Categories that the API takes: tactics, and the kinds of threat that have none.</summary>
    public static readonly FrozenSet<string> Categories = new[]
    {
        "InitialAccess", "Execution", "Persistence", "PrivilegeEscalation", "DefenseEvasion", "CredentialAccess", "Discovery", "LateralMovement", "Collection",
        "Exfiltration", "CommandAndControl", "Impact", "Reconnaissance", "ResourceDevelopment", "Exploit", "Malware", "Ransomware", "SuspiciousActivity", "UnwantedSoftware",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Identifiers of impacted assets; each is the name of a column with a small first letter, and says which property of the entity the column holds.</summary>
    public static readonly FrozenDictionary<EntityKind, FrozenDictionary<string, string>> Identifiers = new Dictionary<EntityKind, FrozenDictionary<string, string>>
    {
        [EntityKind.Device] = Map("deviceId=id", "deviceName=name", "remoteDeviceName=name", "targetDeviceName=name", "destinationDeviceName=name"),
        [EntityKind.User] = Map(
            "accountObjectId=objectId", "accountSid=sid", "accountUpn=upn", "accountName=name", "accountDomain=domain", "accountId=objectId", "requestAccountSid=sid",
            "requestAccountName=name", "requestAccountDomain=domain", "recipientObjectId=objectId", "processAccountObjectId=objectId", "initiatingAccountSid=sid",
            "initiatingProcessAccountUpn=upn", "initiatingProcessAccountSid=sid", "initiatingProcessAccountObjectId=objectId", "initiatingAccountName=name",
            "initiatingAccountDomain=domain", "servicePrincipalId=objectId", "servicePrincipalName=name", "targetAccountUpn=upn"),
        [EntityKind.Mailbox] = Map(
            "accountUpn=address", "fileOwnerUpn=address", "initiatingProcessAccountUpn=address", "lastModifyingAccountUpn=address", "targetAccountUpn=address",
            "senderFromAddress=address", "senderDisplayName=displayName", "recipientEmailAddress=address", "senderMailFromAddress=address", "senderEmailAddress=address",
            "senderObjectId=objectId", "recipientObjectId=objectId"),
    }.ToFrozenDictionary();

    /// <summary>Columns that belong to the same account as an identifier's column, by the property they hold: they come along when the result has them.</summary>
    public static readonly FrozenDictionary<string, FrozenDictionary<string, string>> AccountFamilies = new Dictionary<string, FrozenDictionary<string, string>>
    {
        ["initiatingprocessaccount"] = Family("InitiatingProcessAccount"),
        ["initiatingaccount"] = Family("InitiatingAccount"),
        ["requestaccount"] = Family("RequestAccount"),
        ["targetaccount"] = Family("TargetAccount"),
        ["account"] = Family("Account"),
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Collections of <c>entityMappings</c>: the evidence they make, null when none can be made, and which property each column holds.</summary>
    public static readonly FrozenDictionary<string, (EntityKind? Kind, FrozenDictionary<string, string> Properties)> Collections =
        new Dictionary<string, (EntityKind?, FrozenDictionary<string, string>)>
        {
            ["hosts"] = (EntityKind.Device, Map("deviceIdColumn=id", "nameColumn=name", "dnsDomainColumn=", "netBiosNameColumn=", "ntDomainColumn=")),
            ["accounts"] = (EntityKind.User, Map("aadUserIdColumn=objectId", "nameColumn=name", "ntDomainColumn=domain", "sidColumn=sid", "upnColumn=upn", "dnsDomainColumn=", "upnSuffixColumn=")),
            ["mailboxes"] = (EntityKind.Mailbox, Map("primaryAddressColumn=address")),
            ["files"] = (EntityKind.File, Map("nameColumn=name", "directoryColumn=folderPath", "sha1Column=sha1", "sha256Column=sha256", "md5Column=")),
            ["processes"] = (EntityKind.Process, Map("sha1Column=sha1", "sha256Column=sha256", "commandLineColumn=commandLine", "processIdColumn=processId", "creationTimeColumn=creationTime")),
            ["ips"] = (EntityKind.Ip, Map("addressColumn=address")),
            ["urls"] = (EntityKind.Url, Map("urlColumn=url")),
            ["registryValues"] = (EntityKind.RegistryValue, Map("keyColumn=key", "valueNameColumn=valueName")),
            ["registryKeys"] = (EntityKind.RegistryValue, Map("keyColumn=key")),
            ["dns"] = (EntityKind.Url, Map("domainNameColumn=url")),
            ["securityGroups"] = (null, Map("distinguishedNameColumn=", "objectIdColumn=", "sidColumn=")),
            ["mailClusters"] = (null, FrozenDictionary<string, string>.Empty),
            ["mailMessages"] = (null, FrozenDictionary<string, string>.Empty),
            ["oAuthApplications"] = (null, FrozenDictionary<string, string>.Empty),
            ["cloudApplications"] = (null, FrozenDictionary<string, string>.Empty),
            ["azureResources"] = (null, FrozenDictionary<string, string>.Empty),
            ["amazonResources"] = (null, FrozenDictionary<string, string>.Empty),
            ["googleCloudResources"] = (null, FrozenDictionary<string, string>.Empty),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Kinds of response as both forms of the API spell them, and the columns they take.</summary>
    public static readonly IReadOnlyList<ResponseFact> Responses =
    [
        new(ResponseKind.IsolateDevice, "isolateDeviceResponseAction", "isolateDevices", Device),
        new(ResponseKind.CollectInvestigationPackage, "collectInvestigationPackageResponseAction", "collectInvestigationPackages", Device),
        new(ResponseKind.RunAntivirusScan, "runAntivirusScanResponseAction", "runAntivirusScans", Device),
        new(ResponseKind.InitiateInvestigation, "initiateInvestigationResponseAction", "initiateInvestigations", Device),
        new(ResponseKind.RestrictAppExecution, "restrictAppExecutionResponseAction", "restrictAppExecutions", Device),
        new(ResponseKind.StopAndQuarantineFile, "stopAndQuarantineFileResponseAction", "stopAndQuarantineFiles", [
            new(ResponseRoles.Device, "deviceIdColumn", ["deviceId"]), new(ResponseRoles.Sha1, "sha1Column", ["sha1", "initiatingProcessSHA1"])]),
        new(ResponseKind.AllowFile, "allowFileResponseAction", "allowFiles", File),
        new(ResponseKind.BlockFile, "blockFileResponseAction", "blockFiles", File),
        new(ResponseKind.DisableUser, "disableUserResponseAction", "disableUsers", Sid),
        new(ResponseKind.ForceUserPasswordReset, "forceUserPasswordResetResponseAction", "forceUserPasswordResets", Sid),
        new(ResponseKind.MarkUserAsCompromised, "markUserAsCompromisedResponseAction", "markUsersAsCompromised", [
            new(ResponseRoles.ObjectId, "accountObjectIdColumn", ["accountObjectId", "initiatingProcessAccountObjectId", "servicePrincipalId", "recipientObjectId"])]),
        new(ResponseKind.HardDelete, "hardDeleteResponseAction", "hardDeleteEmails", Email),
        new(ResponseKind.SoftDelete, "softDeleteResponseAction", "softDeleteEmails", Email),
        new(ResponseKind.MoveToInbox, "moveToInboxResponseAction", "moveEmailsToInbox", Email),
        new(ResponseKind.MoveToDeletedItems, "moveToDeletedItemsResponseAction", "moveEmailsToDeletedItems", Email),
        new(ResponseKind.MoveToJunk, "moveToJunkResponseAction", "moveEmailsToJunk", Email),
    ];

    private static IReadOnlyList<ResponseColumn> Device => [new(ResponseRoles.Device, "deviceIdColumn", ["deviceId"])];

    private static IReadOnlyList<ResponseColumn> File =>
        [new(ResponseRoles.Sha1, "sha1Column", ["sha1", "initiatingProcessSHA1"]) { Alternative = true }, new(ResponseRoles.Sha256, "sha256Column", ["sha256", "initiatingProcessSHA256"]) { Alternative = true }];

    private static IReadOnlyList<ResponseColumn> Sid => [new(ResponseRoles.Sid, "accountSidColumn", ["accountSid", "initiatingProcessAccountSid", "requestAccountSid", "onPremSid"])];

    private static IReadOnlyList<ResponseColumn> Email =>
        [new(ResponseRoles.Message, "networkMessageIdColumn", ["networkMessageId"]), new(ResponseRoles.Recipient, "recipientColumn", ["recipientEmailAddress"])];

    /// <summary>The facts about a kind of response.</summary>
    public static ResponseFact Of(ResponseKind kind) => Responses.First(fact => fact.Kind == kind);

    /// <summary>The column that an identifier names: the service spells identifiers with a small first letter, and hashes in capitals.</summary>
    public static string Column(string identifier) => identifier switch
    {
        "sha1" => "SHA1",
        "sha256" => "SHA256",
        _ => char.ToUpperInvariant(identifier[0]) + identifier[1..],
    };

    private static FrozenDictionary<string, string> Family(string prefix) => Map($"{prefix}Name=name", $"{prefix}Domain=domain", $"{prefix}Sid=sid", $"{prefix}Upn=upn", $"{prefix}ObjectId=objectId");

    private static FrozenDictionary<string, string> Map(params string[] pairs) =>
        pairs.Select(pair => pair.Split('=')).ToFrozenDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
}

/// <summary>How the API spells a kind of response.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="TypeName">Type in <c>responseActions</c>, without its namespace.</param>
/// <param name="Collection">Collection in <c>automatedActions</c>.</param>
/// <param name="Columns">Columns that name what it is done to; all are needed unless they are alternatives.</param>
public sealed record ResponseFact(ResponseKind Kind, string TypeName, string Collection, IReadOnlyList<ResponseColumn> Columns);

/// <summary>A column that names what a response is done to.</summary>
/// <param name="Role">One of <see cref="ResponseRoles"/>.</param>
/// <param name="Property">Property of <c>automatedActions</c> that names the column.</param>
/// <param name="Identifiers">Identifiers of <c>responseActions</c> that mean such a column.</param>
public sealed record ResponseColumn(string Role, string Property, IReadOnlyList<string> Identifiers)
{
    /// <summary>Whether one of several such columns is enough.</summary>
    public bool Alternative { get; init; }
}
