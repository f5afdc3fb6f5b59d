using Vedette.Defender.Alerts.Evidence;
using Vedette.Defender.State;

namespace Vedette.Defender.Alerts;

/// <summary>Reads the evidence out of an event of a device.</summary>
internal static class EventEvidence
{
    /// <summary>The process, file, user, address and registry value that an event names.</summary>
    /// <param name="table">Hunting table of the event.</param>
    /// <param name="row">Its values by column.</param>
    /// <param name="status">What became of it: <c>Detected</c>, <c>Blocked</c>, <c>Prevented</c>.</param>
    internal static AlertEvidence[] Of(string table, IReadOnlyDictionary<string, object?> row, string status = "Detected")
    {
        string? Text(string column) => row.GetValueOrDefault(column) is string { Length: > 0 } text ? text : null;
        long? Number(string column) => row.GetValueOrDefault(column) switch { long number => number, int number => number, _ => null };
        DateTime? Time(string column) => row.GetValueOrDefault(column) as DateTime?;

        var evidence = new List<AlertEvidence>();
        var created = table == "DeviceProcessEvents" ? "" : "InitiatingProcess";
        if (Text(created + "FileName") is { } image)
        {
            evidence.Add(new AlertEvidence
            {
                EntityType = EvidenceKind.Process,
                FileName = image,
                FilePath = Text(created + "FolderPath"),
                Sha1 = Text(created + "SHA1"),
                Sha256 = Text(created + "SHA256"),
                ProcessId = Number(created.Length == 0 ? "ProcessId" : "InitiatingProcessId"),
                ProcessCommandLine = Text(created.Length == 0 ? "ProcessCommandLine" : "InitiatingProcessCommandLine"),
                ProcessCreationTime = Time(created.Length == 0 ? "ProcessCreationTime" : "InitiatingProcessCreationTime"),
                ParentProcessId = Number(created.Length == 0 ? "InitiatingProcessId" : "InitiatingProcessParentId"),
                ParentProcessFileName = Text(created.Length == 0 ? "InitiatingProcessFileName" : "InitiatingProcessParentFileName"),
                ParentProcessCreationTime = Time(created.Length == 0 ? "InitiatingProcessCreationTime" : "InitiatingProcessParentCreationTime"),
                ParentProcessFilePath = created.Length == 0 ? Text("InitiatingProcessFolderPath") : null,
                DetectionStatus = status,
            });
        }

        if (created.Length > 0 && Text("FileName") is { } file)
        {
            evidence.Add(new AlertEvidence { EntityType = EvidenceKind.File, FileName = file, FilePath = Text("FolderPath"), Sha1 = Text("SHA1"), Sha256 = Text("SHA256"), DetectionStatus = status });
        }

        var account = Text("AccountName") is null ? "InitiatingProcessAccount" : "Account";
        if (Text(account + "Name") is { } user)
        {
            evidence.Add(new AlertEvidence { EntityType = EvidenceKind.User, AccountName = user, DomainName = Text(account + "Domain"), UserSid = Text(account + "Sid"), UserPrincipalName = Text(account + "Upn") });
        }

        if (Text("RemoteIP") is { } address) evidence.Add(new AlertEvidence { EntityType = EvidenceKind.Ip, IpAddress = address, DetectionStatus = status });
        if (Text("RemoteUrl") is { } url) evidence.Add(new AlertEvidence { EntityType = EvidenceKind.Url, Url = url, DetectionStatus = status });
        if (Text("RegistryKey") is { } key)
        {
            var hive = key.Split('\\', 2);
            evidence.Add(new AlertEvidence
            {
                EntityType = EvidenceKind.RegistryValue,
                RegistryHive = hive.Length == 2 ? hive[0] : null,
                RegistryKey = hive[^1],
                RegistryValueName = Text("RegistryValueName"),
                RegistryValue = Text("RegistryValueData"),
                RegistryValueType = Text("RegistryValueType"),
                DetectionStatus = status,
            });
        }

        // Other tables tell of things that events on devices do not have.
        if (!table.StartsWith("Device", StringComparison.Ordinal)) evidence.AddRange(ColumnEvidence.Of(new HuntingValues(Text, Number, Time)));
        return [.. evidence];
    }
}
