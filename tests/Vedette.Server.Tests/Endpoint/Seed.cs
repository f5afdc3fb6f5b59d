using Vedette.Defender.State;

namespace Vedette.Server.Tests.Endpoint;

/// <summary>Entities for tests.</summary>
internal static class Seed
{
    public static readonly DateTime Start = new(2026, 11, 1, 8, 0, 0, DateTimeKind.Utc);

    public static string MachineId(int number) => number.ToString("x40", System.Globalization.CultureInfo.InvariantCulture);

    public static Machine Machine(int number, Action<Machine>? change = null)
    {
        var machine = new Machine
        {
            TenantId = EndpointHost.Tenant,
            Id = MachineId(number),
            ComputerDnsName = $"pc-{number:00}.contoso.example",
            FirstSeen = Start,
            LastSeen = Start.AddHours(number),
            OsPlatform = number % 2 == 0 ? "Windows11" : "Linux",
            OsProcessor = "x64",
            Version = "23H2",
            LastIpAddress = $"10.0.0.{number}",
            OsBuild = 22631,
            RbacGroupId = 7,
            RbacGroupName = "Lab",
            RiskScore = (RiskScore)(number % 5),
            MachineTags = ["all", $"tag{number}"],
            IpAddresses = [new MachineIpAddress($"10.0.0.{number}", "02AABBCCDD01", "Ethernet", "Up")],
        };
        change?.Invoke(machine);
        return machine;
    }

    public static Alert Alert(int number, Action<Alert>? change = null)
    {
        var alert = new Alert
        {
            TenantId = EndpointHost.Tenant,
            Id = $"da{637000000000000000 + number}_{-1000 - number}",
            IncidentId = 100 + number,
            Severity = (AlertSeverity)(1 + (number % 4)),
            Category = "Execution",
            Title = $"Alert {number}",
            Description = "It's a \"test\" <alert> & more: ä",
            AlertCreationTime = Start.AddMinutes(number).AddTicks(1_234_560),
            FirstEventTime = Start,
            LastEventTime = Start.AddMinutes(number),
            LastUpdateTime = Start.AddMinutes(number),
            MachineId = MachineId(1 + (number % 3)),
            ComputerDnsName = "pc-01.contoso.example",
            DetectorId = new Guid(number, 0, 0, new byte[8]),
            MitreTechniques = ["T1059"],
            RelatedUser = new RelatedUser("dana", "CONTOSO"),
            LoggedOnUsers = [new LoggedOnUser("dana", "CONTOSO")],
            DeduplicationKey = $"test {number}",
        };
        change?.Invoke(alert);
        return alert;
    }

    public static AlertEvidence Evidence(Alert alert, EvidenceKind kind, Action<AlertEvidence>? change = null)
    {
        var evidence = new AlertEvidence
        {
            TenantId = alert.TenantId,
            AlertId = alert.Id,
            EntityType = kind,
            EvidenceCreationTime = alert.AlertCreationTime,
            DetectionStatus = "Detected",
        };
        change?.Invoke(evidence);
        return evidence;
    }
}
