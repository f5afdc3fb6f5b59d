using System.Collections.Frozen;

namespace Vedette.Defender.Detections;

/// <summary>
/// The fields of each kind of evidence, and the columns of the hunting tables that usually hold them: a rule says <c>from: created</c> for
/// the subject of a process event, <c>from: initiating</c> for the process that acted, <c>target</c> for the file or value acted upon and
/// <c>remote</c> for the other end of a connection.
/// </summary>
public static class EntityFields
{
    private static readonly FrozenDictionary<(EntityKind Kind, string From), FrozenDictionary<string, string>> Presets = new Dictionary<(EntityKind, string), FrozenDictionary<string, string>>
    {
        [(EntityKind.Device, "device")] = Map("id=DeviceId", "name=DeviceName"),
        [(EntityKind.Process, "created")] = Map(
            "processId=ProcessId", "commandLine=ProcessCommandLine", "creationTime=ProcessCreationTime", "fileName=FileName", "folderPath=FolderPath",
            "sha1=SHA1", "sha256=SHA256", "parentProcessId=InitiatingProcessId", "parentCreationTime=InitiatingProcessCreationTime",
            "parentFileName=InitiatingProcessFileName", "parentFolderPath=InitiatingProcessFolderPath",
            "accountName=AccountName", "accountDomain=AccountDomain", "accountSid=AccountSid"),
        [(EntityKind.Process, "initiating")] = Map(
            "processId=InitiatingProcessId", "commandLine=InitiatingProcessCommandLine", "creationTime=InitiatingProcessCreationTime",
            "fileName=InitiatingProcessFileName", "folderPath=InitiatingProcessFolderPath", "sha1=InitiatingProcessSHA1",
            "sha256=InitiatingProcessSHA256", "parentProcessId=InitiatingProcessParentId",
            "parentCreationTime=InitiatingProcessParentCreationTime", "parentFileName=InitiatingProcessParentFileName",
            "accountName=InitiatingProcessAccountName", "accountDomain=InitiatingProcessAccountDomain", "accountSid=InitiatingProcessAccountSid"),
        [(EntityKind.User, "created")] = Map("name=AccountName", "domain=AccountDomain", "sid=AccountSid", "upn=AccountUpn", "objectId=AccountObjectId"),
        [(EntityKind.User, "initiating")] = Map(
            "name=InitiatingProcessAccountName", "domain=InitiatingProcessAccountDomain", "sid=InitiatingProcessAccountSid",
            "upn=InitiatingProcessAccountUpn", "objectId=InitiatingProcessAccountObjectId"),
        [(EntityKind.File, "target")] = Map("name=FileName", "folderPath=FolderPath", "sha1=SHA1", "sha256=SHA256"),
        [(EntityKind.File, "initiating")] = Map(
            "name=InitiatingProcessFileName", "folderPath=InitiatingProcessFolderPath", "sha1=InitiatingProcessSHA1", "sha256=InitiatingProcessSHA256"),
        [(EntityKind.Ip, "remote")] = Map("address=RemoteIP"),
        [(EntityKind.Url, "remote")] = Map("url=RemoteUrl"),
        [(EntityKind.RegistryValue, "target")] = Map(
            "key=RegistryKey", "valueName=RegistryValueName", "valueData=RegistryValueData", "valueType=RegistryValueType"),
        [(EntityKind.Mailbox, "recipient")] = Map("address=RecipientEmailAddress", "objectId=RecipientObjectId"),
        [(EntityKind.Mailbox, "sender")] = Map("address=SenderFromAddress", "objectId=SenderObjectId", "displayName=SenderDisplayName"),
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<EntityKind, string> Defaults = new Dictionary<EntityKind, string>
    {
        [EntityKind.Device] = "device",
        [EntityKind.Process] = "created",
        [EntityKind.User] = "created",
        [EntityKind.File] = "target",
        [EntityKind.Ip] = "remote",
        [EntityKind.Url] = "remote",
        [EntityKind.RegistryValue] = "target",
        [EntityKind.Mailbox] = "recipient",
    }.ToFrozenDictionary();

    /// <summary>What a mapping without <c>from</c> means for a kind.</summary>
    public static string DefaultSource(EntityKind kind) => Defaults[kind];

    /// <summary>The words that <c>from</c> accepts for a kind.</summary>
    public static IEnumerable<string> Sources(EntityKind kind) => Presets.Keys.Where(key => key.Kind == kind).Select(key => key.From).Order();

    /// <summary>The fields of a kind.</summary>
    public static IReadOnlyCollection<string> Of(EntityKind kind) =>
        [.. Presets.Where(preset => preset.Key.Kind == kind).SelectMany(preset => preset.Value.Keys).Distinct(StringComparer.Ordinal)];

    /// <summary>Columns by field for a kind and a word of <c>from</c>; null when the kind does not know the word.</summary>
    public static IReadOnlyDictionary<string, string>? Columns(EntityKind kind, string from) => Presets.GetValueOrDefault((kind, from));

    private static FrozenDictionary<string, string> Map(params string[] pairs) =>
        pairs.Select(pair => pair.Split('=')).ToFrozenDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
}
