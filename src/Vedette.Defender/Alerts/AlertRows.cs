using System.Collections.Frozen;
using System.Text.Json;
using Vedette.Defender.State;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Alerts;

/// <summary>Hunting rows that tell of alerts.</summary>
internal static class AlertRows
{
    /// <summary>How hunting names the technologies that the alert resource names. Source: the hunting schema reference.</summary>
    private static readonly FrozenDictionary<string, string> DetectionSources = new Dictionary<string, string>
    {
        ["WindowsDefenderAtp"] = "EDR",
        ["WindowsDefenderAv"] = "Antivirus",
        ["WindowsDefenderSmartScreen"] = "SmartScreen",
        ["CustomerTI"] = "Custom TI",
        ["CustomDetection"] = "Custom detection",
        ["AutomatedInvestigation"] = "Automated investigation",
        ["ThreatExperts"] = "Microsoft Threat Experts",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Rows of a new alert: one of AlertInfo, and one of AlertEvidence for the device and for each piece of evidence.</summary>
    internal static List<HuntingRow> Raised(Alert alert)
    {
        var info = HuntingRow.For("AlertInfo");
        info["Timestamp"] = alert.AlertCreationTime;
        info["AlertId"] = alert.Id;
        info["Title"] = alert.Title;
        info["Category"] = alert.Category;
        info["Severity"] = alert.Severity.ToString();
        info["ServiceSource"] = alert.ServiceSource;
        info["DetectionSource"] = Source(alert);
        info["AttackTechniques"] = Techniques(alert);
        var rows = new List<HuntingRow> { info };
        if (alert.MachineId is not null) rows.Add(Entity(alert, "Machine", "Impacted"));
        rows.AddRange(Evidence(alert, alert.Evidence));
        return rows;
    }

    /// <summary>Rows of evidence.</summary>
    internal static IEnumerable<HuntingRow> Evidence(Alert alert, IEnumerable<AlertEvidence> evidence) => evidence.Select(item =>
    {
        var row = Entity(alert, item.EntityType.ToString(), item.EvidenceRole);
        row["FileName"] = item.FileName;
        row["FolderPath"] = item.FilePath;
        row["SHA1"] = item.Sha1;
        row["SHA256"] = item.Sha256;
        row["RemoteIP"] = item.IpAddress;
        row["RemoteUrl"] = item.Url;
        row["AccountName"] = item.AccountName;
        row["AccountDomain"] = item.DomainName;
        row["AccountSid"] = item.UserSid;
        row["AccountUpn"] = item.UserPrincipalName;
        row["AccountObjectId"] = item.AadUserId?.ToString();
        row["ProcessCommandLine"] = item.ProcessCommandLine;
        row["RegistryKey"] = item.RegistryHive is null ? item.RegistryKey : $@"{item.RegistryHive}\{item.RegistryKey}";
        row["RegistryValueName"] = item.RegistryValueName;
        row["RegistryValueData"] = item.RegistryValue;
        if (item.ProcessId is not null)
        {
            row["AdditionalFields"] = JsonSerializer.Serialize(new Dictionary<string, object?>
            {
                ["ProcessId"] = item.ProcessId,
                ["CreationTimeUtc"] = item.ProcessCreationTime,
                ["ParentProcessId"] = item.ParentProcessId,
                ["ParentFileName"] = item.ParentProcessFileName,
            });
        }

        return row;
    });

    private static HuntingRow Entity(Alert alert, string kind, string role)
    {
        var row = HuntingRow.For("AlertEvidence");
        row["Timestamp"] = alert.LastEventTime;
        row["AlertId"] = alert.Id;
        row["Title"] = alert.Title;
        row["Categories"] = JsonSerializer.Serialize(new[] { alert.Category });
        row["AttackTechniques"] = Techniques(alert);
        row["ServiceSource"] = alert.ServiceSource;
        row["DetectionSource"] = Source(alert);
        row["Severity"] = alert.Severity.ToString();
        row["EntityType"] = kind;
        row["EvidenceRole"] = role;
        row["DeviceId"] = alert.MachineId;
        row["DeviceName"] = alert.ComputerDnsName;
        return row;
    }

    /// <summary>How the alert resource names a technology that hunting names; the name itself when it has no other.</summary>
    internal static string SourceOf(string huntingName) => DetectionSources.FirstOrDefault(pair => string.Equals(pair.Value, huntingName, StringComparison.OrdinalIgnoreCase)).Key ?? huntingName;

    private static string Source(Alert alert) => DetectionSources.GetValueOrDefault(alert.DetectionSource, alert.DetectionSource);

    private static string? Techniques(Alert alert) => alert.MitreTechniques.Length == 0 ? null : JsonSerializer.Serialize(alert.MitreTechniques);
}
