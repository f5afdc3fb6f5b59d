using System.Globalization;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Demo.Office;

/// <summary>What the sensor on the domain controller sees: log-ons, queries and changes of the directory.</summary>
internal sealed class DemoDirectory(DemoOffice office, DemoSheet sheet)
{
    private readonly DemoDevice _controller = office.World.ByName["srv-dc01"];
    private readonly Dictionary<string, DemoDevice> _devices = office.World.Devices.ToDictionary(device => device.Id, StringComparer.Ordinal);
    private readonly Dictionary<string, DemoUser> _users = office.World.Users.ToDictionary(user => user.Account.Name, StringComparer.OrdinalIgnoreCase);

    public void Write(IReadOnlyList<HuntingRow> devices)
    {
        foreach (var row in devices)
        {
            var device = _devices[(string)row["DeviceId"]!];
            if (row.Table.Name == "DeviceLogonEvents") Logon(row, device);
            else if (row.Table.Name == "DeviceNetworkEvents") Connection(row, device);
        }

        var days = office.Days().ToArray();
        foreach (var day in days)
        {
            Printer(day);
            Collector(day);
        }

        Changes(days);
        Memberships(days);
    }

    // A log-on with an account of the domain is told by the controller that vouched for it.
    private void Logon(HuntingRow row, DemoDevice device)
    {
        if (row["AccountDomain"] as string != office.World.Facts.Organisation.Netbios || row["AccountName"] is not string name) return;
        var (time, failed) = ((DateTime)row["Timestamp"]!, row["ActionType"] as string == "LogonFailed");
        var ntlm = row["Protocol"] as string == "NTLM" || failed;
        var remote = row["RemoteIP"] as string is { Length: > 0 } address ? office.World.Devices.FirstOrDefault(other => other.Ip == address) : null;
        var source = remote ?? device;
        sheet.Add("IdentityLogonEvents", time.AddMilliseconds(-40), new
        {
            ActionType = failed ? "LogonFailed" : "LogonSuccess", Application = "Active Directory", LogonType = ntlm ? "Credentials validation" : (row["LogonType"] as string) switch { "Interactive" => "Interactive", "RemoteInteractive" => "Remote desktop", _ => "Resource access" },
            Protocol = ntlm ? "Ntlm" : "Kerberos", FailureReason = failed ? "WrongPassword" : "", AccountName = name, AccountDomain = office.World.Facts.Organisation.Domain, AccountUpn = _users.GetValueOrDefault(name)?.Account.Upn ?? Upn(name),
            AccountSid = row["AccountSid"], AccountObjectId = _users.GetValueOrDefault(name)?.Account.ObjectId ?? (name == office.World.DomainAdmin.Name ? office.World.DomainAdmin.ObjectId : ""), AccountDisplayName = _users.GetValueOrDefault(name)?.DisplayName ?? name, DeviceName = source.DnsName, DeviceType = source.System.Type,
            OSPlatform = source.System.Platform, IPAddress = source.Ip, Port = 49152 + sheet.Random.Next(16000), DestinationDeviceName = remote is null ? _controller.DnsName : device.DnsName, DestinationIPAddress = _controller.Ip,
            DestinationPort = ntlm ? 445 : 88, TargetDeviceName = device.DnsName, TargetAccountDisplayName = "", Location = "NL", Isp = "", AdditionalFields = Details(source, ntlm ? "NtlmLogon" : "KerberosTgs", new { EncryptionType = ntlm ? "" : "Aes256CtsHmacSha196" }),
        });
    }

    private void Connection(HuntingRow row, DemoDevice device)
    {
        if (row["ActionType"] as string != "ConnectionSuccess") return;
        var time = (DateTime)row["Timestamp"]!;
        var local = (int)row["LocalPort"]!;
        if (row["RemoteIP"] as string == _controller.Ip && device != _controller)
        {
            var port = (int)row["RemotePort"]!;
            if (port == 389 && sheet.Chance(0.25)) Query(time, device, local, "LDAP query", "QueryUser", device.User?.Account.Name ?? device.ShortName + "$", "Ldap", device.User?.Account, $"(&(objectCategory=person)(sAMAccountName={device.User?.Account.Name ?? "svc-web"}))", 389);
            // The server that brings accounts into the cloud reads the directory as a controller does.
            if (device.ShortName == "srv-app01" && sheet.Chance(0.5)) Change(time, "Directory Services replication", device, office.World.Users[0], local, port, "Drsr", new { Category = "Credential access" }, office.World.DomainAdmin, "");
            if (device.ShortName == "srv-file01" && port == 135)
                Change(time, "SMB session", device, null, local, port, "Smb", new { Count = "1" }, office.World.DomainAdmin, "");
        }
        else if (device.IsWindows && row["RemoteUrl"] is string { Length: > 0 } url && sheet.Chance(0.04))
        {
            Query(time.AddMilliseconds(-90), device, local, "DNS query", "A", url, "Dns", null, url, 53);
        }
    }

    // A multifunction printer looks up addresses without encryption.
    private void Printer(DateTime day)
    {
        if (DemoOffice.IsWeekend(day)) return;
        var account = office.World.Users.First(user => user.Title == "Warehouse lead").Account;
        sheet.Add("IdentityLogonEvents", day.AddHours(9.4), new
        {
            ActionType = "LogonSuccess", Application = "Active Directory", LogonType = "LDAP cleartext", Protocol = "Ldap", AccountName = account.Name, AccountDomain = office.World.Facts.Organisation.Domain, AccountUpn = account.Upn,
            AccountSid = account.Sid, AccountObjectId = account.ObjectId, AccountDisplayName = _users[account.Name].DisplayName, DeviceName = "mfp-hall2", DeviceType = "Printer", OSPlatform = "", IPAddress = "10.20.30.12", Port = 50122,
            DestinationDeviceName = _controller.DnsName, DestinationIPAddress = _controller.Ip, DestinationPort = 389, Location = "NL", AdditionalFields = new { Count = "1" },
        });
    }

    // The administrators' inventory tool asks for much every night; the scanner asks for accounts with weak settings.
    private void Collector(DateTime day)
    {
        var device = office.World.ByName["srv-app01"];
        string[] filters =
        [
            "(&(objectCategory=computer)(operatingSystem=*server*))", "(&(samAccountType=805306368)(servicePrincipalName=*))", "(admincount=1)", "(&(objectClass=group)(member=*))", "(objectClass=organizationalUnit)",
            "(&(objectCategory=person)(userAccountControl:1.2.840.113556.1.4.803:=4194304))", "(&(objectCategory=person)(objectClass=user)(description=*pass*))", "(objectClass=groupPolicyContainer)", "(objectClass=trustedDomain)",
            "(&(objectClass=user)(lastLogon<=133))", "(objectClass=printQueue)", "(objectClass=subnet)",
        ];
        for (var index = 0; index < filters.Length; index++)
        {
            Query(day.AddHours(2).AddSeconds(5 + index * 2), device, 50200 + index, "LDAP query", index == 3 ? "QueryGroup" : "EnumerateUsers", index == 2 ? "Domain Admins" : office.World.Facts.Organisation.Domain, "Ldap", office.World.DomainAdmin, filters[index], 389);
        }

        Query(day.AddHours(2.1), device, 50300, "SAMR query", "EnumerateUsers", "Administrators", "Samr", office.World.DomainAdmin, "EnumerateUsers", 445);
    }

    private void Query(DateTime time, DemoDevice device, int port, string action, string type, string target, string protocol, DemoAccount? account, string filter, int destination) => sheet.Add("IdentityQueryEvents", time, new
    {
        ActionType = action, Application = "Active Directory", QueryType = type, QueryTarget = target,
        Query = action == "LDAP query" ? $"Search Scope: WholeSubtree, Base Object: DC={office.World.Facts.Organisation.Domain.Replace(".", ",DC=", StringComparison.Ordinal)}, Search Filter: {filter}" : filter, Protocol = protocol,
        AccountName = account?.Name ?? "", AccountDomain = account is null ? "" : office.World.Facts.Organisation.Domain, AccountUpn = account?.Upn ?? "", AccountSid = account?.Sid ?? "", AccountObjectId = account?.ObjectId ?? "",
        AccountDisplayName = account is null ? "" : _users.GetValueOrDefault(account.Name)?.DisplayName ?? account.Name, DeviceName = device.DnsName, IPAddress = device.Ip, Port = port, DestinationDeviceName = _controller.DnsName,
        DestinationIPAddress = _controller.Ip, DestinationPort = destination, TargetDeviceName = "", TargetAccountUpn = "", TargetAccountDisplayName = "", Location = "NL", AdditionalFields = Details(device, action.Replace(" ", "", StringComparison.Ordinal), new { Count = "1" }),
    });

    private void Changes(DateTime[] days)
    {
        var (admin, it) = (office.World.DomainAdmin, office.World.ByName["it-ws01"]);
        (int Day, string Action, string? Device, int? User, object Details)[] changes =
        [
            (2, "Account Password Never Expires changed", null, 40, new Dictionary<string, string> { ["FROM Account Password Never Expires"] = "False", ["TO Account Password Never Expires"] = "True" }),
            (4, "Account Constrained Delegation changed", "srv-app02", null, new Dictionary<string, string> { ["FROM AccountConstrainedDelegationState"] = "NoDelegation", ["TO AccountConstrainedDelegationState"] = "ConstrainedDelegation", ["TargetComputerOperatingSystem"] = "Windows Server 2019" }),
            (5, "Account Supported Encryption Types changed", "srv-sql01", null, new Dictionary<string, string> { ["FROM AccountSupportedEncryptionTypes"] = "RC4, AES128, AES256", ["TO AccountSupportedEncryptionTypes"] = "AES128, AES256" }),
            (0, "SAM Account Name changed", "log-ws05", null, new Dictionary<string, string> { ["FROM SAM Account Name"] = "LOG-WS05-OLD$", ["TO SAM Account Name"] = "LOG-WS05" }),
            (9, "Account Display Name changed", null, 21, new Dictionary<string, string> { ["FROM Account Display Name"] = "E. Peeters", ["TO Account Display Name"] = "Eva Peeters" }),
            (11, "Account Disabled changed", null, 33, new Dictionary<string, string> { ["FROM Account Disabled"] = "False", ["TO Account Disabled"] = "True" }),
            (6, "Account Password changed", null, 12, new Dictionary<string, string> { ["Category"] = "Account management" }),
            (3, "Account Password changed", null, 3, new Dictionary<string, string> { ["Category"] = "Account management" }),
            (13, "Device Operating System changed", "log-ws02", null, new Dictionary<string, string> { ["FROM Device Operating System"] = "Windows 10 Pro 21H2", ["TO Device Operating System"] = "Windows 10 Pro 22H2" }),
            (7, "PowerShell execution", "it-ws01", null, new Dictionary<string, string> { ["Command"] = "Get-ADUser -Filter *" }),
            (8, "Private data retrieval", "srv-app01", null, new Dictionary<string, string> { ["Count"] = "1" }),
            (10, "Service creation", "srv-file01", null, new Dictionary<string, string> { ["ServiceName"] = "BackupKeeper", ["ServiceCommand"] = "C:\\Program Files\\Backup Keeper\\bk.exe" }),
            (1, "Task scheduling", "srv-sql01", null, new Dictionary<string, string> { ["TaskName"] = "Nightly index", ["Command"] = "sqlcmd -i reindex.sql" }),
        ];
        foreach (var (day, action, target, user, details) in changes)
        {
            if (days.Length <= day) continue;
            var time = days[^(day + 1)].AddHours(day == 0 ? 0.2 : 10 + day * 0.3);
            Change(time, action, it, user is { } index ? office.World.Users[index] : null, 50900 + day, 389, "Ldap", details, admin, target is null ? "" : office.World.ByName[target].DnsName);
        }
    }

    private void Memberships(DateTime[] days)
    {
        var it = office.World.ByName["it-ws01"];
        (int Day, string Group, int User, bool Added)[] changes =
            [(19, "Domain Admins", 53, true), (18, "Domain Admins", 53, false), (14, "Backup Operators", 54, true), (8, "Warehouse", 30, true), (6, "Sales", 12, true), (3, "Finance", 2, true), (0, "Project North", 25, true)];
        foreach (var (day, group, index, added) in changes)
        {
            if (days.Length <= day) continue;
            var user = office.World.Users[index];
            var details = new Dictionary<string, string>
            {
                [added ? "TO.GROUP" : "FROM.GROUP"] = group, ["TARGET_OBJECT.USER"] = user.DisplayName, ["ACTOR.ACCOUNT"] = office.World.DomainAdmin.Name, ["TARGET_OBJECT.GROUP"] = "",
            };
            Change(days[^(day + 1)].AddHours(day == 0 ? 0.3 : 11), "Group Membership changed", it, user, 51000 + day, 389, "Ldap", details, office.World.DomainAdmin, "");
        }
    }

    private void Change(DateTime time, string action, DemoDevice device, DemoUser? target, int port, int destination, string protocol, object details, DemoAccount actor, string targetDevice) => sheet.Add("IdentityDirectoryEvents", time, new
    {
        ActionType = action, Application = "Active Directory", TargetAccountUpn = target?.Account.Upn ?? "", TargetAccountDisplayName = target?.DisplayName ?? "", TargetDeviceName = targetDevice, DestinationDeviceName = _controller.DnsName,
        DestinationIPAddress = _controller.Ip, DestinationPort = destination, Protocol = protocol, AccountName = actor.Name, AccountDomain = office.World.Facts.Organisation.Domain, AccountUpn = actor.Upn, AccountSid = actor.Sid,
        AccountObjectId = actor.ObjectId, AccountDisplayName = actor.Name, DeviceName = device.DnsName, IPAddress = device.Ip, Port = port, Location = "NL", ISP = "", AdditionalFields = details,
    });

    private static object Details(DemoDevice device, string kind, object more) => new { SourceComputerId = device.AadId, SourceComputerOperatingSystem = device.System.Platform, AttackTechniques = "", Kind = kind, More = more };

    private string Upn(string name) => string.Create(CultureInfo.InvariantCulture, $"{name}@{office.World.Facts.Organisation.Domain}");
}
