using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Vedette.Defender.Alerts;
using Vedette.Defender.Machines;
using Vedette.Defender.State;
using Vedette.Defender.Vulnerabilities.Inventory;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Generation;

/// <summary>How much to make.</summary>
/// <param name="Machines">Devices.</param>
/// <param name="Alerts">Alerts, on the tenant's devices in turn.</param>
/// <param name="Evidence">Pieces of evidence of each alert.</param>
public sealed record LoadSize(int Machines, int Alerts, int Evidence);

/// <summary>What was made.</summary>
/// <param name="Machines">New devices.</param>
/// <param name="Alerts">New alerts.</param>
/// <param name="Evidence">New pieces of evidence.</param>
public sealed record LoadMade(int Machines, int Alerts, int Evidence);

/// <summary>
/// Makes many devices and alerts, for clients that must be tried at size. Devices are plain but whole; alerts go through the intake like any
/// other, so they have incidents, hunting rows and risk. Every call adds; the same calls on the same state add the same.
/// </summary>
public sealed class LoadGenerator(
    IDbContextFactory<DefenderDbContext> states, AlertIntake intake, IHuntingStore store, InventoryIntake inventory, TimeProvider clock)
{
    /// <summary>Domain of the devices made here.</summary>
    public const string Domain = "load.example";

    /// <summary>Devices, alerts and evidence of one call, at most.</summary>
    public static readonly LoadSize Largest = new(100_000, 100_000, 200);

    private const int Chunk = 1_000;

    private static readonly (string Title, string Category, AlertSeverity Severity, string Technique)[] Titles =
    [
        ("Suspicious script interpreter activity", "Execution", AlertSeverity.Medium, "T1059"),
        ("Credential store read by an unusual process", "CredentialAccess", AlertSeverity.High, "T1003"),
        ("New service installed from a temporary folder", "Persistence", AlertSeverity.Medium, "T1543"),
        ("Connection to a rarely seen address", "CommandAndControl", AlertSeverity.Low, "T1071"),
        ("Administrative share used for file transfer", "LateralMovement", AlertSeverity.Medium, "T1021"),
        ("Archive of documents written before an upload", "Exfiltration", AlertSeverity.High, "T1560"),
        ("Account enumeration from a workstation", "Discovery", AlertSeverity.Informational, "T1087"),
    ];

    /// <summary>Makes devices, then alerts.</summary>
    /// <param name="tenantId">Whose.</param>
    /// <param name="size">How much.</param>
    /// <param name="progress">Told what is being made, how many there are and how many there will be.</param>
    /// <param name="cancellationToken">Stops; what was made stays.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative or larger than <see cref="Largest"/>.</exception>
    public async Task<LoadMade> MakeAsync(Guid tenantId, LoadSize size, Action<string, int, int> progress, CancellationToken cancellationToken)
    {
        Check(size.Machines, Largest.Machines, "machines");
        Check(size.Alerts, Largest.Alerts, "alerts");
        Check(size.Evidence, Largest.Evidence, "evidence");
        await MakeMachinesAsync(tenantId, size.Machines, progress, cancellationToken);
        await MakeAlertsAsync(tenantId, size.Alerts, size.Evidence, progress, cancellationToken);
        return new LoadMade(size.Machines, size.Alerts, size.Alerts * size.Evidence);
    }

    private static void Check(int wanted, int largest, string what)
    {
        if (wanted < 0 || wanted > largest) throw new ArgumentOutOfRangeException(what, $"The number of {what} must be from 0 to {largest}.");
    }

    private async Task MakeMachinesAsync(Guid tenantId, int count, Action<string, int, int> progress, CancellationToken cancellationToken)
    {
        if (count == 0) return;
        int first;
        await using (var state = await states.CreateDbContextAsync(cancellationToken))
            first = await state.Machines.CountAsync(m => m.TenantId == tenantId && m.ComputerDnsName!.EndsWith("." + Domain), cancellationToken);
        var now = Second(clock.GetUtcNow().UtcDateTime);
        for (var done = 0; done < count; done += Chunk)
        {
            progress("Making devices", done, count);
            var machines = Enumerable.Range(first + done, Math.Min(Chunk, count - done)).Select(number => Machine(tenantId, number, now)).ToArray();
            await using var state = await states.CreateDbContextAsync(cancellationToken);
            state.Machines.AddRange(machines);
            await state.SaveChangesAsync(cancellationToken);
            await store.AppendAsync(tenantId, [.. machines.Select(machine => MachineRows.DeviceInfo(machine, machine.LastSeen))], null, cancellationToken);
            await inventory.StoreAsync(
                tenantId, [.. machines.Select(machine => new MachineInventory(machine.Id, SimulatedInventory.Report(SimulatedDevice.Of(machine), now)))], cancellationToken);
        }
    }

    private static Machine Machine(Guid tenantId, int number, DateTime now)
    {
        var windows = number % 4 != 3;
        var address = string.Create(CultureInfo.InvariantCulture, $"10.{(number >> 16) & 255}.{(number >> 8) & 255}.{number & 255}");
        return new Machine
        {
            TenantId = tenantId,
            Id = Hash(string.Create(CultureInfo.InvariantCulture, $"machine/{tenantId}/{number}"), 40),
            ComputerDnsName = string.Create(CultureInfo.InvariantCulture, $"device-{number:D6}.{Domain}"),
            FirstSeen = now.AddDays(-29),
            LastSeen = now.AddSeconds(-(number % 86_400)),
            OsPlatform = windows ? "Windows11" : "Linux",
            OsProcessor = "x64",
            Version = windows ? "23H2" : "12.0",
            OsBuild = windows ? 22631 : null,
            OsDistribution = windows ? null : "Debian",
            LastIpAddress = address,
            LastExternalIpAddress = "198.51.100.7",
            AgentVersion = windows ? "10.8760.22621.4317" : "101.24082.0004",
            DeviceType = windows ? "Workstation" : "Server",
            IpAddresses = [new MachineIpAddress(address, Hash(address, 12).ToUpperInvariant(), "Ethernet", "Up")],
            Channel = DeviceChannelKind.Simulated,
            LastContact = now,
        };
    }

    private async Task MakeAlertsAsync(Guid tenantId, int count, int evidence, Action<string, int, int> progress, CancellationToken cancellationToken)
    {
        if (count == 0) return;
        string[] machines;
        int first;
        await using (var state = await states.CreateDbContextAsync(cancellationToken))
        {
            machines = await state.Machines.Where(m => m.TenantId == tenantId).OrderBy(m => m.Id).Select(m => m.Id).ToArrayAsync(cancellationToken);
            first = await state.Alerts.CountAsync(a => a.TenantId == tenantId && a.DeduplicationKey!.StartsWith("load/"), cancellationToken);
        }

        if (machines.Length == 0) throw new InvalidOperationException("Alerts need devices: make some as well.");
        var now = Second(clock.GetUtcNow().UtcDateTime);
        for (var done = 0; done < count; done++)
        {
            if (done % 50 == 0) progress("Raising alerts", done, count);
            await intake.RaiseAsync(NewAlert(tenantId, first + done, machines[(first + done) % machines.Length], evidence, now), cancellationToken);
        }
    }

    private static NewAlert NewAlert(Guid tenantId, int number, string machine, int evidence, DateTime now)
    {
        var (title, category, severity, technique) = Titles[number % Titles.Length];
        var last = now.AddSeconds(-(number % 3_600));
        return new NewAlert
        {
            TenantId = tenantId,
            Title = title,
            Description = $"{title}. Made to try clients at size.",
            Severity = severity,
            Category = category,
            MachineId = machine,
            FirstEventTime = last.AddMinutes(-5),
            LastEventTime = last,
            MitreTechniques = [technique],
            Evidence = [.. Enumerable.Range(0, evidence).Select(item => Evidence(number, item, last))],
            DeduplicationKey = string.Create(CultureInfo.InvariantCulture, $"load/{number}"),
        };
    }

    private static AlertEvidence Evidence(int alert, int item, DateTime time)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{alert}-{item}");
        return (item % 5) switch
        {
            0 => new AlertEvidence
            {
                EntityType = EvidenceKind.Process, FileName = "powershell.exe", FilePath = @"C:\Windows\System32\WindowsPowerShell\v1.0",
                ProcessId = 1000 + item, ProcessCreationTime = time, ProcessCommandLine = $"powershell.exe -File task-{name}.ps1",
                Sha1 = Hash("process", 40), Sha256 = Hash("process", 64), ParentProcessId = 900, ParentProcessFileName = "explorer.exe",
                ParentProcessFilePath = @"C:\Windows", ParentProcessCreationTime = time.AddHours(-1), DetectionStatus = "Detected",
            },
            1 => new AlertEvidence
            {
                EntityType = EvidenceKind.File, FileName = $"document-{name}.zip", FilePath = @"C:\Users\Public", Sha1 = Hash(name, 40), Sha256 = Hash(name, 64),
                DetectionStatus = "Detected",
            },
            2 => new AlertEvidence { EntityType = EvidenceKind.Ip, IpAddress = string.Create(CultureInfo.InvariantCulture, $"203.0.{alert % 256}.{item % 256}") },
            3 => new AlertEvidence { EntityType = EvidenceKind.Url, Url = $"https://host-{name}.example/" },
            _ => new AlertEvidence { EntityType = EvidenceKind.User, AccountName = $"user{name}", DomainName = "load", UserSid = $"S-1-5-21-1-2-3-{1000 + item}" },
        };
    }

    private static DateTime Second(DateTime time) => new(time.Ticks - time.Ticks % TimeSpan.TicksPerSecond, DateTimeKind.Utc);

    private static string Hash(string of, int digits) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(of)))[..digits];
}
