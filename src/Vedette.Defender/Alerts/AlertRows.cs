using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;
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
        var row = Entity(alert, KindOf(item.EntityType), item.EvidenceRole);
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

        else if (item.Details is { } details)
        {
            row["AdditionalFields"] = details;
            Tell(row, item.EntityType, JsonNode.Parse(details)!.AsObject());
        }

        return row;
    });

    // Resources of all clouds are one kind there.
    private static string KindOf(EvidenceKind kind) => kind switch
    {
        EvidenceKind.Device => "Machine",
        EvidenceKind.AzureResource or EvidenceKind.AmazonResource or EvidenceKind.GoogleCloudResource => "CloudResource",
        _ => kind.ToString(),
    };

    private static void Tell(HuntingRow row, EvidenceKind kind, JsonObject details)
    {
        string? Text(params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
                if (details[name]?.ToString() is { Length: > 0 } text) return text;
            return null;
        }

        switch (kind)
        {
            case EvidenceKind.MailMessage or EvidenceKind.SubmissionMail:
                row["NetworkMessageId"] = Text("networkMessageId");
                row["EmailSubject"] = Text("subject");
                break;
            case EvidenceKind.CloudApplication:
                row["Application"] = Text("displayName");
                row["ApplicationId"] = int.TryParse(Text("appId"), out var id) ? id : null;
                break;
            case EvidenceKind.OAuthApplication:
                row["Application"] = Text("displayName");
                row["OAuthApplicationId"] = Text("appId");
                break;
            case EvidenceKind.AzureResource or EvidenceKind.AmazonResource or EvidenceKind.GoogleCloudResource:
                row["CloudPlatform"] = kind switch { EvidenceKind.AzureResource => "Azure", EvidenceKind.AmazonResource => "Amazon Web Services", _ => "Google Cloud Platform" };
                row["CloudResource"] = Text("resourceName");
                row["ResourceType"] = Text("resourceType");
                row["ResourceID"] = Text("resourceId", "amazonResourceId", "fullResourceName");
                row["SubscriptionId"] = kind == EvidenceKind.AzureResource ? Text("resourceId")?.Split('/').ElementAtOrDefault(2) : Text("amazonAccountId", "projectId");
                break;
        }
    }

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
