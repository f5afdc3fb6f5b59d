using System.Globalization;
using System.IO.Compression;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Vedette.Defender.State;
using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Devices;

/// <summary>
/// Makes a simulated device's investigation package: the folders of the service's package, filled with what telemetry and state know of the
/// device. A section that cannot be read does not spoil the others; the summary tells.
/// </summary>
public sealed class InvestigationPackage(IHuntingService hunting, IDbContextFactory<DefenderDbContext> states)
{
    /// <summary>File in the package, and the query (after the restriction to the device) whose rows fill it.</summary>
    private static readonly IReadOnlyList<(string File, string Table, string Query)> Sections =
    [
        ("Processes/Processes.csv", "DeviceProcessEvents",
            "where ActionType == 'ProcessCreated' | top 5000 by Timestamp desc | project Timestamp, ProcessId, FileName, FolderPath, ProcessCommandLine, ProcessCreationTime, AccountDomain, AccountName, SHA1, SHA256, ParentProcessId = InitiatingProcessId, ParentFileName = InitiatingProcessFileName"),
        ("Autoruns/Autoruns.csv", "DeviceRegistryEvents",
            @"where RegistryKey contains @'\CurrentVersion\Run' or RegistryKey contains @'\Winlogon' or RegistryKey contains @'\Image File Execution Options' | top 2000 by Timestamp desc | project Timestamp, ActionType, RegistryKey, RegistryValueName, RegistryValueData, InitiatingProcessFileName"),
        ("Network connections/ActiveNetConnections.csv", "DeviceNetworkEvents",
            "top 5000 by Timestamp desc | project Timestamp, ActionType, Protocol, LocalIP, LocalPort, RemoteIP, RemotePort, RemoteUrl, InitiatingProcessId, InitiatingProcessFileName"),
        ("Network connections/Dnscache.csv", "DeviceEvents",
            "where ActionType == 'DnsQueryResponse' | top 2000 by Timestamp desc | project Timestamp, RemoteUrl, AdditionalFields, InitiatingProcessFileName"),
        ("SMB sessions/SMBOutboundSession.csv", "DeviceNetworkEvents",
            "where RemotePort == 445 | top 2000 by Timestamp desc | project Timestamp, LocalIP, RemoteIP, InitiatingProcessFileName"),
        ("Services/Services.csv", "DeviceEvents",
            "where ActionType == 'ServiceInstalled' | top 2000 by Timestamp desc | project Timestamp, FileName, FolderPath, AdditionalFields"),
        ("Scheduled tasks/ScheduledTasks.csv", "DeviceEvents",
            "where ActionType startswith 'ScheduledTask' | top 2000 by Timestamp desc | project Timestamp, ActionType, AdditionalFields, InitiatingProcessFileName"),
        ("Security event log/Logons.csv", "DeviceLogonEvents",
            "top 5000 by Timestamp desc | project Timestamp, ActionType, LogonType, AccountDomain, AccountName, AccountSid, RemoteIP, RemoteDeviceName"),
        ("Temp Directories/TempFiles.csv", "DeviceFileEvents",
            @"where FolderPath contains @'\Temp\' or FolderPath startswith '/tmp/' | top 2000 by Timestamp desc | project Timestamp, ActionType, FolderPath, FileName, SHA1, InitiatingProcessFileName"),
        ("Installed programs/InstalledPrograms.csv", "DeviceTvmSoftwareInventory",
            "project SoftwareVendor, SoftwareName, SoftwareVersion | order by SoftwareVendor asc, SoftwareName asc"),
    ];

    /// <summary>Writes the package as a zip file.</summary>
    public async Task WriteAsync(Machine machine, DateTime collectedAt, Stream content, CancellationToken cancellationToken)
    {
        await using var zip = await ZipArchive.CreateAsync(content, ZipArchiveMode.Create, leaveOpen: true, Encoding.UTF8, cancellationToken);
        var summary = new StringBuilder("File,Rows,Result\r\n");
        foreach (var (file, table, query) in Sections)
        {
            try
            {
                var answer = await hunting.RunAsync(new HuntingRequest(machine.TenantId, $"{table} | where DeviceId == '{machine.Id}' | {query}"), cancellationToken);
                await AddAsync(zip, file, Table(answer.Columns.Select(c => c.Name), answer.Rows), cancellationToken);
                Line(summary, file, answer.Rows.Count, "Collected");
            }
            catch (HuntingException exception)
            {
                Line(summary, file, 0, $"Failed: {exception.Message}");
            }
        }

        await AddStateAsync(zip, machine, summary, cancellationToken);
        await AddAsync(zip, "System Information/SystemInformation.txt", SystemInformation(machine, collectedAt), cancellationToken);
        Line(summary, "System Information/SystemInformation.txt", 1, "Collected");
        await AddAsync(zip, "Forensics Collection Summary.csv", summary.ToString(), cancellationToken);
    }

    private static void Line(StringBuilder text, params object?[] fields) => text.AppendJoin(',', fields.Select(Field)).Append("\r\n");

    private static string Field(object? value)
    {
        var text = value switch
        {
            null => "",
            DateTime time => time.ToString("o", CultureInfo.InvariantCulture),
            IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? "",
        };
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static string Table(IEnumerable<string> header, IEnumerable<object?[]> rows)
    {
        var text = new StringBuilder();
        Line(text, [.. header]);
        foreach (var row in rows) Line(text, row);
        return text.ToString();
    }

    private static string SystemInformation(Machine machine, DateTime collectedAt)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in new (string, object?)[]
        {
            ("Host Name", machine.ComputerDnsName), ("Device Id", machine.Id), ("OS Platform", machine.OsPlatform), ("OS Release", machine.Version),
            ("OS Build", machine.OsBuild), ("OS Distribution", machine.OsDistribution), ("System Type", machine.OsProcessor), ("First Seen", machine.FirstSeen),
            ("Last Seen", machine.LastSeen), ("Health", machine.HealthStatus), ("Isolation", machine.Isolation),
            ("Code Execution Restricted", machine.IsCodeExecutionRestricted), ("Collected At", collectedAt),
        })
        {
            text.Append(CultureInfo.InvariantCulture, $"{name,-28}").Append(Field(value)).Append("\r\n");
        }

        return text.ToString();
    }

    private static async Task AddAsync(ZipArchive zip, string name, string text, CancellationToken cancellationToken)
    {
        await using var entry = await zip.CreateEntry(name, CompressionLevel.Optimal).OpenAsync(cancellationToken);
        await entry.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
    }

    private async Task AddStateAsync(ZipArchive zip, Machine machine, StringBuilder summary, CancellationToken cancellationToken)
    {
        await AddAsync(
            zip,
            "Network connections/IpConfig.csv",
            Table(["IpAddress", "MacAddress", "Type", "OperationalStatus"], machine.IpAddresses.Select(a => new object?[] { a.IpAddress, a.MacAddress, a.Type, a.OperationalStatus })),
            cancellationToken);
        Line(summary, "Network connections/IpConfig.csv", machine.IpAddresses.Count, "Collected");

        await using var state = await states.CreateDbContextAsync(cancellationToken);
        var users = await state.LogonUsers.AsNoTracking().Where(u => u.TenantId == machine.TenantId && u.MachineId == machine.Id)
            .OrderBy(u => u.AccountDomain).ThenBy(u => u.AccountName).ToListAsync(cancellationToken);
        await AddAsync(
            zip,
            "Users and Groups/Users.csv",
            Table(
                ["AccountDomain", "AccountName", "AccountSid", "FirstSeen", "LastSeen", "LogonTypes"],
                users.Select(u => new object?[] { u.AccountDomain, u.AccountName, u.AccountSid, u.FirstSeen, u.LastSeen, string.Join(' ', u.LogonTypes) })),
            cancellationToken);
        Line(summary, "Users and Groups/Users.csv", users.Count, "Collected");
    }
}
