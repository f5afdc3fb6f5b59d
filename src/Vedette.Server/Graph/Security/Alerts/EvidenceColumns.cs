using System.Text.Json.Nodes;
using Vedette.Defender.Alerts.Evidence;
using Vedette.Defender.State;

namespace Vedette.Server.Graph.Security.Alerts;

/// <summary>What the columns of an evidence row mean in Graph's types.</summary>
internal static class EvidenceColumns
{
    /// <summary>Properties of a kind that come from columns.</summary>
    public static IEnumerable<(string Name, JsonNode? Value)> Of(EvidenceKind kind, JsonObject row) => kind switch
    {
        EvidenceKind.User => [("userAccount", Account(row, "accountName"))],
        EvidenceKind.Mailbox =>
        [
            ("displayName", row["accountName"]), ("primaryAddress", row["userPrincipalName"]), ("upn", row["userPrincipalName"]), ("userAccount", Account(row, "")),
        ],
        EvidenceKind.Process =>
        [
            ("detectionStatus", row["detectionStatus"]), ("mdeDeviceId", row["deviceId"]), ("imageFile", File(row, "")), ("parentProcessImageFile", File(row, "parentProcess")),
            ("parentProcessId", row["parentProcessId"]), ("parentProcessCreationDateTime", row["parentProcessCreationTime"]),
            ("processCommandLine", row["processCommandLine"]), ("processCreationDateTime", row["processCreationTime"]), ("processId", row["processId"]),
            ("userAccount", Account(row, "accountName")),
        ],
        EvidenceKind.File => [("detectionStatus", row["detectionStatus"]), ("mdeDeviceId", row["deviceId"]), ("fileDetails", File(row, ""))],
        EvidenceKind.Ip => [("ipAddress", row["ipAddress"])],
        EvidenceKind.Url => [("url", row["url"])],
        EvidenceKind.RegistryKey => [("registryHive", row["registryHive"]), ("registryKey", row["registryKey"])],
        EvidenceKind.RegistryValue =>
        [
            ("mdeDeviceId", row["deviceId"]), ("registryHive", row["registryHive"]), ("registryKey", row["registryKey"]), ("registryValue", row["registryValue"]),
            ("registryValueName", row["registryValueName"]), ("registryValueType", row["registryValueType"]),
        ],
        _ => [],
    };

    private static JsonObject? Account(JsonObject row, string name) => EvidenceKinds.Value(
        ("accountName", Copy(row[name])), ("domainName", Copy(row["domainName"])), ("userSid", Copy(row["userSid"])), ("azureAdUserId", Copy(row["aadUserId"])),
        ("userPrincipalName", Copy(row["userPrincipalName"])));

    private static JsonObject? File(JsonObject row, string prefix) => prefix.Length == 0
        ? EvidenceKinds.Value(("fileName", Copy(row["fileName"])), ("filePath", Copy(row["filePath"])), ("sha1", Copy(row["sha1"])), ("sha256", Copy(row["sha256"])))
        : EvidenceKinds.Value(("fileName", Copy(row[prefix + "FileName"])), ("filePath", Copy(row[prefix + "FilePath"])));

    private static JsonNode? Copy(JsonNode? node) => node?.DeepClone();
}
