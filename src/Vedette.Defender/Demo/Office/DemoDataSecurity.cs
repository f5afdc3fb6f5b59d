using System.Globalization;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Demo.Office;

/// <summary>Data that people move, what insider risk makes of it, behaviours of accounts, and what attack disruption blocked.</summary>
internal sealed class DemoDataSecurity(DemoOffice office, DemoSheet sheet)
{
    private readonly Dictionary<string, DemoUser> _users = office.World.Users.ToDictionary(user => user.Account.Upn, StringComparer.Ordinal);

    public void Write(IReadOnlyList<HuntingRow> devices)
    {
        foreach (var row in devices.Where(row => row.Table.Name == "DeviceFileEvents" && row["ActionType"] as string is "FileModified" or "FileRenamed" && row["InitiatingProcessAccountUpn"] is string { Length: > 0 })
            .Where(row => (DateTime)row["Timestamp"]! > office.End.AddDays(-9)).Where((_, index) => index % 6 == 0)) File(row);
        Behaviours();
        Disruption();
        Insider();
    }

    private void File(HuntingRow row)
    {
        if (!_users.TryGetValue((string)row["InitiatingProcessAccountUpn"]!, out var user)) return;
        var device = office.World.Devices.First(device => device.Id == (string)row["DeviceId"]!);
        var (path, time, renamed) = ((string)row["FolderPath"]!, (DateTime)row["Timestamp"]!, row["ActionType"] as string == "FileRenamed");
        var sensitive = path.Contains("Contract", StringComparison.Ordinal) || path.Contains("Customer", StringComparison.Ordinal);
        sheet.Add("DataSecurityEvents", time, new
        {
            ApplicationNames = row["InitiatingProcessFileName"], DeviceId = device.Id, DeviceName = device.DnsName, AadDeviceId = device.AadId, IsManagedDevice = true, DlpPolicyMatchInfo = sensitive ? "[{\"PolicyName\":\"Customer data\"}]" : "",
            DlpPolicyEnforcementMode = sensitive ? 1 : 0, DlpPolicyRuleMatchInfo = sensitive ? new[] { new { RuleName = "Customer numbers" } } : [], FileRenameInfo = renamed ? DemoSheet.ToJson(new { PreviousFileName = row["PreviousFileName"] }) : "",
            AccountUpn = user.Account.Upn, AccountObjectId = user.Account.ObjectId, user.Department, IPAddress = device.Ip, DeviceSourceLocationType = 1, DeviceDestinationLocationType = 1,
            IrmPolicyMatchInfo = sensitive ? new[] { new { PolicyName = "Data leaks" } } : [], ObjectId = path, ObjectName = row["FileName"], ObjectType = "File", ObjectSize = (int)(long)row["FileSize"]!, IsHidden = false,
            ActivityId = sheet.Id(string.Create(CultureInfo.InvariantCulture, $"data/{device.Id}/{row["ReportId"]}")), ActionType = renamed ? "File renamed on device" : "File modified on device",
            SensitiveInfoTypeInfo = sensitive ? new[] { new { Name = "Customer number", Count = 12, Confidence = 85 } } : [], SensitivityLabelId = sensitive ? sheet.Id("label/confidential") : "", Operation = renamed ? "FileRenamed" : "FileModified",
            IrmActionCategory = "Obfuscation",
        });
    }

    // Somebody who is about to leave copies much; the salesman's journey looks odd at first.
    private void Behaviours()
    {
        var traveller = office.World.Users.First(user => user.Department == "Sales");
        (int Day, DemoUser User, string Action, string Title, string Category, string Techniques, string Address)[] behaviours =
        [
            (8, traveller, "ImpossibleTravelActivity", "Impossible travel activity", "InitialAccess", "Valid Accounts (T1078)", "85.3.164.9"),
            (5, office.World.Users[18], "MassDownload", "Mass download", "Exfiltration", "Exfiltration to Cloud Storage (T1567.002)", office.World.PublicIp),
            (2, office.World.Users[40], "MultipleFailedLoginAttempts", "Multiple failed login attempts", "CredentialAccess", "Brute Force (T1110)", office.World.PublicIp),
            (3, office.Intrusion.Victim, "ActivityFromInfrequentCountry", "Activity from infrequent country", "InitialAccess", "Valid Accounts (T1078)", office.Intrusion.Address),
        ];
        foreach (var (day, user, action, title, category, techniques, address) in behaviours)
        {
            var time = user == office.Intrusion.Victim ? office.Intrusion.SignIn.AddMinutes(9) : office.End.Date.AddDays(-day).AddHours(12.2);
            var (id, categories, attack) = (sheet.Id("behaviour/" + action), DemoSheet.ToJson(new[] { category }), DemoSheet.ToJson(new[] { techniques }));
            sheet.Add("BehaviorInfo", time, new
            {
                BehaviorId = id, Title = title, Description = $"{title} by {user.DisplayName}.", Categories = categories, AttackTechniques = attack, ServiceSource = "Microsoft Cloud App Security", DetectionSource = "Microsoft Cloud App Security",
                DataSources = "[\"Microsoft 365\"]", DeviceId = office.DeviceOf(user)?.Id ?? "", AccountUpn = user.Account.Upn, AccountObjectId = user.Account.ObjectId, StartTime = time.AddHours(-1), EndTime = time, AdditionalFields = DemoSheet.ToJson(new { Location = new { CountryCode = "NL" } }), ActionType = action,
            });
            foreach (var entity in new[] { "User", "Ip", "CloudApplication" })
            {
                sheet.Add("BehaviorEntities", time, new
                {
                    BehaviorId = id, Categories = categories, ServiceSource = "Microsoft Cloud App Security", DetectionSource = "Microsoft Cloud App Security", DataSources = "[\"Microsoft 365\"]", EntityType = entity, EntityRole = entity == "User" ? "Impacted" : "Related",
                    DetailedEntityRole = entity == "User" ? "Actor" : "Source", RemoteIP = entity == "Ip" ? address : "", AccountName = entity == "User" ? user.Account.Name : "", AccountDomain = entity == "User" ? office.World.Facts.Organisation.Netbios : "",
                    AccountSid = entity == "User" ? user.Account.Sid : "", AccountObjectId = entity == "User" ? user.Account.ObjectId : "", AccountUpn = entity == "User" ? user.Account.Upn : "", Application = entity == "CloudApplication" ? "Microsoft 365" : "",
                    ApplicationId = entity == "CloudApplication" ? 11161 : 0, AdditionalFields = DemoSheet.ToJson(new { Type = entity }), ActionType = action,
                });
            }
        }
    }

    private void Insider()
    {
        var user = office.World.ByName["sal-ws04"].User!;
        foreach (var (day, action, count) in new[] { (4, "Downloading content from SharePoint", 64), (2, "Copying files to network shares", 31), (1, "Archiving files", 12) })
        {
            var time = office.End.Date.AddDays(-day).AddHours(2);
            sheet.Add("DataSecurityBehaviors", time, new
            {
                BehaviorId = sheet.Id("insider/" + action), ActionType = action, StartTime = time.AddHours(-18), EndTime = time.AddHours(-8), AttackTechniques = "[\"Data Staged (T1074)\"]", Categories = "[\"Collection\"]", ActionCategory = "Exfiltration",
                Description = $"{user.DisplayName}: {action.ToLowerInvariant()}, {count} times.", ServiceSource = "Microsoft Purview", DetectionSource = "Insider risk management", ActivityCount = count, IsAnomalous = count > 20, IsContentHidden = false,
                AccountUpn = user.Account.Upn, AccountEmail = user.Account.Upn, Application = "SharePoint", PolicyInfo = new[] { new { PolicyName = "Data theft by departing users" } }, Policies = "Data theft by departing users",
                DeviceInfo = new[] { new { DeviceName = "sal-ws04" } }, SensitivityLabelInfo = new[] { new { Label = "Confidential", Count = count / 4 } }, SensitiveInfoTypesInfo = new[] { new { Name = "Customer number", Count = count / 2 } },
                SharepointSiteInfo = new[] { new { Url = "https://alderfinch.sharepoint.com/sites/sales", Count = count } },
            });
        }
    }

    // The account that the intruder used was contained on other devices.
    private void Disruption()
    {
        var (admin, source, time) = (office.World.DomainAdmin, office.World.ByName["srv-file01"], office.Intrusion.Contained);
        foreach (var (minutes, action, target) in new[] { (0, "ContainedUserLogonBlocked", "srv-sql01"), (1, "ContainedUserSmbSessionStopped", "srv-app01"), (4, "ContainedUserRpcAccessBlocked", "srv-sql01"), (9, "ContainedUserLogonBlockedByDomainController", "srv-dc01") })
        {
            var device = office.World.ByName[target];
            sheet.Add("DisruptionAndResponseEvents", time.AddMinutes(minutes), new
            {
                ActionType = action, DeviceId = device.Id, SourceDeviceId = source.Id, TargetDeviceId = device.Id, TargetDeviceName = device.DnsName, TargetDomainName = office.World.Facts.Organisation.Domain, DeviceName = device.DnsName,
                DomainName = office.World.Facts.Organisation.Domain, InitiatingProcessId = 712, InitiatingProcessFileName = "lsass.exe", SourceUserSid = admin.Sid, SourceUserName = admin.Name, SourceUserDomainName = admin.Domain, SourceIPAddress = source.Ip,
                SourcePort = 50711 + minutes, IPAddress = device.Ip, Port = "445", SourceDeviceName = source.DnsName, SourceDomainName = office.World.Facts.Organisation.Domain, AuthenticationProtocol = minutes == 0 ? "NTLM" : "Kerberos",
                Service = "cifs", InterfaceFriendlyName = minutes == 4 ? "Service Control Manager" : "", LogonType = "network", LogonId = 0L, SessionId = 0L, CompromisedAccountCount = 1, PolicyId = sheet.Id("policy/contain"), PolicyName = "Contain user",
                PolicyVersion = "1", PolicyHash = DemoHashes.Of("policy/contain").Sha1, DataSources = new[] { "Microsoft Defender for Endpoint" }, IsPolicyOn = true, ReportType = "Blocked",
            });
        }
    }
}
