using System.Globalization;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Demo.Office;

/// <summary>
/// What sensors tell beside processes, files and connections: names looked up, drives, scans, warnings. A row that a process caused takes the process from
/// a row of the device's life at that time.
/// </summary>
internal sealed class DemoSensorEvents(DemoOffice office, DemoSheet sheet)
{
    private static readonly string[] Shared =
    [
        "DeviceId", "DeviceName", .. HuntingSchema.Tables["DeviceEvents"].Columns.Select(column => column.Name).Where(name => name.StartsWith("InitiatingProcess", StringComparison.Ordinal)),
    ];

    private static readonly (string Product, string Vendor, string Serial)[] Drives = [("Ultra Fit", "SanDisk", "4C530001"), ("DataTraveler 3.0", "Kingston", "E0D55EA5"), ("Portable SSD T7", "Samsung", "S5SXNS0R")];

    public void Write(IReadOnlyList<HuntingRow> devices)
    {
        foreach (var row in devices)
        {
            if (row.Table.Name == "DeviceNetworkEvents") Network(row);
            else if (row.Table.Name == "DeviceProcessEvents") Process(row);
        }

        foreach (var device in office.World.Devices.Where(device => device.IsWindows))
        {
            foreach (var day in office.Days().Where(day => device.User is null || !DemoOffice.IsWeekend(day))) Daily(device, day);
        }

        Found();
        Accounts();
        Clicked(devices);
    }

    private void Network(HuntingRow row)
    {
        if (row["RemoteUrl"] is string { Length: > 0 } name && row["ActionType"] as string == "ConnectionSuccess" && sheet.Chance(0.05))
        {
            Like(row, "DnsQueryResponse", -0.2, new { DnsQueryString = name, DnsQueryResult = DemoSheet.ToJson(new[] { new { Result = row["RemoteIP"], DnsQueryType = "A" } }) }, ("RemoteUrl", ""));
        }
        else if (row["ActionType"] as string == "InboundConnectionAccepted" && row["RemoteIPType"] as string == "Public" && sheet.Chance(0.03))
        {
            Like(
                row, "FirewallInboundConnectionBlocked", 3, new { FirewallRuleName = "Default inbound", Profile = "Public" },
                ("RemoteIP", office.AddressAt("spray", null, sheet.Random)), ("RemotePort", 40_000 + sheet.Random.Next(9000)), ("LocalIP", row["LocalIP"]!), ("LocalPort", 3389));
        }
    }

    private void Process(HuntingRow row)
    {
        var (program, parent) = (row["FileName"] as string, row["InitiatingProcessFileName"] as string);
        if (parent == "WINWORD.EXE" && program is "mshta.exe")
            Like(row, "AsrOfficeChildProcessAudited", 0.1, new { RuleId = "d4f940ab-401b-4efc-aadc-ad5f3c50688a", IsAudit = true }, ("FileName", program), ("FolderPath", row["FolderPath"]!), ("ProcessCommandLine", row["ProcessCommandLine"]!), ("SHA256", row["SHA256"]!));
        else if (program == "powershell.exe" && row["ProcessIntegrityLevel"] as string == "System" && sheet.Chance(0.2))
            Like(row, "PowerShellCommand", 2, new { Command = sheet.Pick(["Get-CimInstance", "Get-Service", "Import-Module", "Write-Output", "Test-Path"]) });
        else if (program == "mstsc.exe")
            Like(row, "RemoteDesktopConnection", 6, new { Direction = "Outbound" }, ("RemoteIP", office.World.ByName["srv-app01"].Ip));
    }

    private void Daily(DemoDevice device, DateTime day)
    {
        var time = day.AddHours(12 + sheet.Random.NextDouble() * 3);
        if (sheet.Chance(0.5)) Plain(device, time, "AntivirusDefinitionsUpdated", new { PreviousVersion = "1.431.12.0", CurrentVersion = string.Create(CultureInfo.InvariantCulture, $"1.431.{12 + day.DayOfYear % 90}.0") });
        if (day.DayOfWeek == DayOfWeek.Wednesday) Plain(device, time.AddMinutes(20), "AntivirusScanCompleted", new { ScanTypeIndex = "Quick", ScanId = sheet.Id(string.Create(CultureInfo.InvariantCulture, $"scan/{device.ShortName}/{day:yyyyMMdd}")) });
        if (device.User is null || !sheet.Chance(0.04)) return;
        var (product, vendor, serial) = sheet.Pick(Drives);
        Plain(device, time.AddMinutes(31), "PnpDeviceConnected", new { ClassName = "DiskDrive", DeviceDescription = $"{vendor} {product} USB Device", DeviceId = $"USBSTOR\\DISK&VEN_{vendor.ToUpperInvariant()}\\{serial}", VendorIds = "[\"USBSTOR\"]" });
        Plain(device, time.AddMinutes(31.1), "UsbDriveMounted", new { ProductName = product, Manufacturer = vendor, SerialNumber = serial, DriveLetter = "E:", BusType = "7", LoggedOnUsers = device.User.Account.Name });
    }

    // Ordinary finds: a key generator that the antivirus takes away, warnings of the browser's filter, an address that network protection blocks.
    private void Found()
    {
        var clients = office.World.Devices.Where(device => device.Has("client")).ToArray();
        (int Day, string Action, string File, string Url, object Details)[] found =
        [
            (6, "AntivirusDetection", "crack_setup.exe", "", new { ThreatName = "HackTool:Win32/Keygen", Action = "Quarantine", WasRemediated = true, WasExecutingWhileDetected = false }),
            (12, "AntivirusDetection", "toolbar_setup.exe", "", new { ThreatName = "PUA:Win32/InstallCore", Action = "Quarantine", WasRemediated = true, WasExecutingWhileDetected = false }),
            (4, "SmartScreenUrlWarning", "", "http://prizes4u.example/claim/", new { Experience = "Phishing", ActivityId = sheet.Id("smartscreen/1") }),
            (9, "SmartScreenAppWarning", "free-converter.exe", "https://free-converter.example/", new { Experience = "Malicious", ActivityId = sheet.Id("smartscreen/2") }),
            (2, "ExploitGuardNetworkProtectionBlocked", "", "coin-club.example", new { IsAudit = false, ResponseCategory = "CustomBlockList" }),
            (1, "ExploitGuardNetworkProtectionBlocked", "", "prizes4u.example", new { IsAudit = false, ResponseCategory = "Phishing" }),
            (3, "ScreenshotTaken", "", "", new { Source = "SnippingTool.exe" }),
            (5, "AppControlExecutableAudited", "portable-editor.exe", "", new { PolicyName = "AllowMicrosoft" }),
        ];
        foreach (var (day, action, file, url, details) in found)
        {
            var device = clients[day * 2 % clients.Length];
            var user = device.User!.Account;
            var time = office.End.Date.AddDays(-day).AddHours(10.3);
            while (DemoOffice.IsWeekend(time)) time = time.AddDays(-1);
            sheet.Add("DeviceEvents", time, new
            {
                DeviceId = device.Id, DeviceName = device.DnsName, ActionType = action, FileName = file, FolderPath = file.Length == 0 ? "" : $"C:\\Users\\{user.Name}\\Downloads\\{file}",
                SHA1 = file.Length == 0 ? "" : DemoHashes.Of(file).Sha1, SHA256 = file.Length == 0 ? "" : DemoHashes.Of(file).Sha256, MD5 = file.Length == 0 ? "" : DemoHashes.Of(file).Md5, FileSize = file.Length == 0 ? 0L : 4_812_800L,
                FileOriginUrl = file.Length == 0 ? "" : url, RemoteUrl = url, AccountDomain = user.Domain, AccountName = user.Name, AccountSid = user.Sid, InitiatingProcessFileName = "msedge.exe", InitiatingProcessAccountName = user.Name,
                InitiatingProcessAccountDomain = user.Domain, InitiatingProcessAccountSid = user.Sid, InitiatingProcessAccountUpn = user.Upn, AdditionalFields = DemoSheet.ToJson(details), ReportId = 700_000L + day,
            });
        }
    }

    // A local account for a machine in the hall, and a colleague who becomes administrator of a workstation for a day.
    private void Accounts()
    {
        var (device, admin, helped) = (office.World.ByName["log-ws03"], office.World.DomainAdmin, office.World.ByName["log-ws03"].User!.Account);
        foreach (var (days, action, name, sid, details) in new (int, string, string, string, object)[]
        {
            (10, "UserAccountCreated", "scan-hall", "S-1-5-21-900-900-900-1003", new { }),
            (10, "UserAccountModified", "scan-hall", "S-1-5-21-900-900-900-1003", new { }),
            (9, "UserAccountAddedToLocalGroup", helped.Name, helped.Sid, new { GroupName = "Administrators", GroupDomainName = "Builtin", GroupSid = "S-1-5-32-544" }),
            (8, "UserAccountRemovedFromLocalGroup", helped.Name, helped.Sid, new { GroupName = "Administrators", GroupDomainName = "Builtin", GroupSid = "S-1-5-32-544" }),
            (3, "PasswordChangeAttempt", helped.Name, helped.Sid, new { }),
        })
        {
            sheet.Add("DeviceEvents", office.End.Date.AddDays(-days).AddHours(11.2), new
            {
                DeviceId = device.Id, DeviceName = device.DnsName, ActionType = action, AccountDomain = action.StartsWith("UserAccount", StringComparison.Ordinal) && name == "scan-hall" ? device.ShortName : helped.Domain, AccountName = name, AccountSid = sid,
                InitiatingProcessAccountDomain = admin.Domain, InitiatingProcessAccountName = admin.Name, InitiatingProcessAccountSid = admin.Sid, InitiatingProcessFileName = "mmc.exe", AdditionalFields = DemoSheet.ToJson(details), ReportId = 710_000L + days,
            });
        }
    }

    // The click of the captured mailbox's owner, as the mail program told the sensor.
    private void Clicked(IReadOnlyList<HuntingRow> devices)
    {
        var device = office.DeviceOf(office.Intrusion.Victim)!;
        var mail = devices.LastOrDefault(row => row.Table.Name == "DeviceFileEvents" && (string)row["DeviceId"]! == device.Id && (row["InitiatingProcessFileName"] as string)?.Equals("OUTLOOK.EXE", StringComparison.OrdinalIgnoreCase) == true && (DateTime)row["Timestamp"]! < office.Intrusion.SignIn);
        if (mail is not null) Like(mail, "BrowserLaunchedToOpenUrl", (office.Intrusion.Click - (DateTime)mail["Timestamp"]!).TotalSeconds, new { }, ("RemoteUrl", DemoIntrusion.Link));
    }

    private void Plain(DemoDevice device, DateTime time, string action, object details) => sheet.Add("DeviceEvents", time, new
    {
        DeviceId = device.Id, DeviceName = device.DnsName, ActionType = action, InitiatingProcessAccountDomain = "nt authority", InitiatingProcessAccountName = "system", InitiatingProcessAccountSid = "S-1-5-18",
        AdditionalFields = DemoSheet.ToJson(details), ReportId = 720_000L + sheet.Rows.Count,
    });

    private void Like(HuntingRow other, string action, double seconds, object details, params (string Column, object Value)[] values)
    {
        var time = ((DateTime)other["Timestamp"]!).AddSeconds(seconds);
        if (time < office.Begin || time > office.End) return;
        var row = HuntingRow.For("DeviceEvents");
        foreach (var column in Shared) if (other.Table.OrdinalOf(column) is >= 0 and var ordinal) row[column] = other.Values[ordinal];
        (row["Timestamp"], row["ActionType"], row["AdditionalFields"], row["ReportId"]) = (time, action, DemoSheet.ToJson(details), 730_000L + sheet.Rows.Count);
        foreach (var (column, value) in values) DemoRows.Put(row, column, value);
        sheet.Rows.Add(row);
    }
}
