using System.Globalization;
using Vedette.Defender.State;
using Vedette.Server.Endpoint.Telemetry;
using Vedette.Server.Http;

namespace Vedette.Server.Endpoint.Alerts;

/// <summary>Finds the event that an alert is to be made from, and makes evidence of it.</summary>
internal sealed class ReferencedEvents(TelemetryReader telemetry)
{
    // The tables whose events can be named by device, time and report.
    private static readonly string[] Tables =
    [
        "DeviceProcessEvents", "DeviceNetworkEvents", "DeviceFileEvents", "DeviceRegistryEvents", "DeviceLogonEvents", "DeviceImageLoadEvents", "DeviceEvents",
    ];

    /// <summary>The event's values by column; null when there is none.</summary>
    public async Task<IReadOnlyDictionary<string, object?>?> FindAsync(ApiCall call, string machineId, long reportId, DateTime time)
    {
        var moment = time.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
        var window = (time.AddSeconds(-1), time.AddSeconds(1));
        foreach (var table in Tables)
        {
            var query = $"{table} | where DeviceId == {TelemetryReader.Quote(machineId)} and ReportId == {reportId.ToString(CultureInfo.InvariantCulture)} and Timestamp == datetime({moment}) | take 1";
            if (await telemetry.OneAsync(call, query, window) is { } row) return new Dictionary<string, object?>(row, StringComparer.Ordinal) { ["$table"] = table };
        }

        return null;
    }

    /// <summary>What the event names: processes, the file, the address, the registry value, the account.</summary>
    public static IReadOnlyList<AlertEvidence> EvidenceOf(IReadOnlyDictionary<string, object?> row)
    {
        var evidence = new List<AlertEvidence>();
        string? Text(string column) => row.GetValueOrDefault(column) is string { Length: > 0 } text ? text : null;
        long? Number(string column) => row.GetValueOrDefault(column) is { } value ? Convert.ToInt64(value, CultureInfo.InvariantCulture) : null;
        DateTime? Time(string column) => row.GetValueOrDefault(column) as DateTime?;

        var table = (string)row["$table"]!;
        if (table == "DeviceProcessEvents") evidence.Add(Process("", Text("ProcessCommandLine")));
        if (Text("InitiatingProcessFileName") is not null) evidence.Add(Process("InitiatingProcess", Text("InitiatingProcessCommandLine")));
        if (Text("FileName") is { } file && table is not "DeviceProcessEvents")
            evidence.Add(new AlertEvidence { EntityType = EvidenceKind.File, FileName = file, FilePath = Text("FolderPath"), Sha1 = Text("SHA1"), Sha256 = Text("SHA256"), DetectionStatus = "Detected" });
        if (Text("RemoteIP") is { } address) evidence.Add(new AlertEvidence { EntityType = EvidenceKind.Ip, IpAddress = address, DetectionStatus = "Detected" });
        if (Text("RemoteUrl") is { } url) evidence.Add(new AlertEvidence { EntityType = EvidenceKind.Url, Url = url, DetectionStatus = "Detected" });
        if (Text("RegistryKey") is { } key)
        {
            var end = key.IndexOf('\\', StringComparison.Ordinal);
            evidence.Add(new AlertEvidence
            {
                EntityType = EvidenceKind.RegistryValue,
                RegistryHive = end < 0 ? key : key[..end],
                RegistryKey = end < 0 ? "" : key[(end + 1)..],
                RegistryValueType = Text("RegistryValueType"),
                RegistryValueName = Text("RegistryValueName"),
                RegistryValue = Text("RegistryValueData"),
                DetectionStatus = "Detected",
            });
        }

        var account = Text("AccountName") is not null ? "Account" : "InitiatingProcessAccount";
        if (Text(account + "Name") is { } name)
        {
            evidence.Add(new AlertEvidence
            {
                EntityType = EvidenceKind.User,
                AccountName = name,
                DomainName = Text(account + "Domain"),
                UserSid = Text(account + "Sid"),
                UserPrincipalName = Text(account + "Upn"),
                AadUserId = Guid.TryParse(Text(account + "ObjectId"), out var id) ? id : null,
            });
        }

        return evidence;

        AlertEvidence Process(string prefix, string? commandLine) => new()
        {
            EntityType = EvidenceKind.Process,
            FileName = Text(prefix + "FileName"),
            FilePath = Text(prefix + "FolderPath"),
            Sha1 = Text(prefix + "SHA1"),
            Sha256 = Text(prefix + "SHA256"),
            ProcessId = Number(prefix.Length == 0 ? "ProcessId" : prefix + "Id"),
            ProcessCommandLine = commandLine,
            ProcessCreationTime = Time(prefix.Length == 0 ? "ProcessCreationTime" : prefix + "CreationTime"),
            ParentProcessId = Number(prefix.Length == 0 ? "InitiatingProcessId" : prefix + "ParentId"),
            ParentProcessCreationTime = Time(prefix.Length == 0 ? "InitiatingProcessCreationTime" : prefix + "ParentCreationTime"),
            ParentProcessFileName = Text(prefix.Length == 0 ? "InitiatingProcessFileName" : prefix + "ParentFileName"),
            ParentProcessFilePath = prefix.Length == 0 ? Text("InitiatingProcessFolderPath") : null,
            DetectionStatus = "Detected",
        };
    }
}
