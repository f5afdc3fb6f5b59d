using System.Globalization;

namespace Vedette.Defender.Demo.Office;

/// <summary>What happens in a cloud service: who, where, on what.</summary>
internal sealed record DemoActivity(DateTime Time, DemoUser User, string App, string Action, string Type)
{
    public string Workload { get; init; } = "Exchange";

    public string ObjectName { get; init; } = "";

    public string ObjectType { get; init; } = "";

    public string ObjectId { get; init; } = "";

    public bool Admin { get; init; }

    public string Place { get; init; } = "office";

    public string? Address { get; init; }

    public string? Session { get; init; }

    public string? UserAgent { get; init; }

    public string OAuthApp { get; init; } = "";

    public IReadOnlyDictionary<string, object> Raw { get; init; } = new Dictionary<string, object>();

    public IReadOnlyList<object>? Objects { get; init; }

    public string[] Uncommon { get; init; } = [];
}

/// <summary>Everyday work in Exchange, SharePoint, OneDrive and Teams, and the applications that have access to it.</summary>
internal sealed class DemoCloudApps(DemoOffice office, DemoSheet sheet)
{
    public const string Exchange = "Microsoft Exchange Online";
    public const string SharePoint = "Microsoft SharePoint Online";
    public const string OneDrive = "Microsoft OneDrive for Business";
    public const string Teams = "Microsoft Teams";
    public const string Office365 = "Office 365";
    public const string Azure = "Microsoft Azure";
    private const string GraphId = "00000003-0000-0000-c000-000000000000";

    // The numbers by which the service knows its applications.
    private static readonly Dictionary<string, int> Numbers = new(StringComparer.Ordinal) { [Exchange] = 20893, [SharePoint] = 20892, [OneDrive] = 15600, [Teams] = 28375, [Office365] = 11161, [Azure] = 12260 };

    public void Write()
    {
        foreach (var day in office.Days())
        {
            var share = DemoOffice.IsWeekend(day) ? 0.1 : 0.9;
            foreach (var user in office.World.Users.Where(_ => sheet.Chance(share))) Work(user, day);
            Readers(day);
        }

        Apps();
        MaliciousFiles();
    }

    /// <summary>Writes an activity.</summary>
    public static void Add(DemoOffice office, DemoSheet sheet, DemoActivity activity)
    {
        var user = activity.User;
        var place = office.Places[activity.Place];
        var address = activity.Address ?? office.AddressAt(activity.Place, user, sheet.Random);
        var session = activity.Session ?? office.Session(user, activity.Time.Date);
        var id = sheet.Id(string.Create(CultureInfo.InvariantCulture, $"activity/{user.Account.Name}/{activity.Time.Ticks}/{activity.Action}/{activity.ObjectId}"));
        var raw = new Dictionary<string, object>
        {
            ["CreationTime"] = activity.Time.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture), ["Id"] = id, ["Operation"] = activity.Action, ["OrganizationId"] = office.World.TenantId.ToString(), ["RecordType"] = 1,
            ["ResultStatus"] = "Succeeded", ["UserKey"] = user.Account.ObjectId, ["UserType"] = activity.Admin ? 2 : 0, ["Version"] = 1, ["Workload"] = activity.Workload, ["ClientIP"] = address, ["UserId"] = user.Account.Upn,
            ["SessionId"] = session, ["ObjectId"] = activity.ObjectId,
        };
        foreach (var (name, value) in activity.Raw) raw[name] = value;
        object[] objects =
        [
            new { Type = "User", Role = "Actor", Name = user.DisplayName, Id = user.Account.ObjectId, ApplicationId = Numbers[Office365], ApplicationInstance = 0, ServiceObjectType = "Microsoft 365 user" },
            .. activity.Objects ?? (activity.ObjectType.Length == 0 ? [] : [new { Type = activity.ObjectType, Role = "Target object", Name = activity.ObjectName, Id = activity.ObjectId, ApplicationId = Numbers[activity.App], ApplicationInstance = 0 }]),
        ];
        sheet.Add("CloudAppEvents", activity.Time, new
        {
            ActionType = activity.Action, Application = activity.App, ApplicationId = Numbers[activity.App], AppInstanceId = 0, AccountObjectId = user.Account.ObjectId, AccountId = user.Account.Upn, AccountDisplayName = user.DisplayName,
            IsAdminOperation = activity.Admin, DeviceType = activity.Place == "train" ? "Mobile" : "Desktop", OSPlatform = office.DeviceOf(user)?.System.Platform ?? "iOS", IPAddress = address, IsAnonymousProxy = false,
            CountryCode = place.Country, place.City, place.Isp, UserAgent = activity.UserAgent ?? office.Facts.Browsers["Windows"][0], ActivityType = activity.Type, ActivityObjects = objects, activity.ObjectName, activity.ObjectType,
            activity.ObjectId, ReportId = "c-" + id, AccountType = activity.Admin && user.Department == "IT" ? "Admin" : "Regular", IsExternalUser = false, IsImpersonated = false,
            IPTags = activity.Place == "intruder" ? new[] { "Risky IP" } : [], IPCategory = activity.Place switch { "office" => "Corporate", "intruder" => "Risky", _ => "None" }, UserAgentTags = Array.Empty<string>(), RawEventData = raw,
            AdditionalFields = new { ReportName = "AuditLogs" }, LastSeenForUser = activity.Uncommon.ToDictionary(name => name, _ => -1), UncommonForUser = activity.Uncommon,
            AuditSource = "Defender for Cloud Apps app connector", SessionData = new { InLineSessionId = session }, OAuthAppId = activity.OAuthApp,
        });
    }

    private void Work(DemoUser user, DateTime day)
    {
        var place = sheet.Chance(0.2) ? "home" : "office";
        for (var number = sheet.Random.Next(2, 7); number > 0; number--)
        {
            var time = DemoOffice.WorkTime(day, sheet.Random);
            var document = DemoOffice.Fill($"{sheet.Pick(office.World.Facts.Organisation.Documents)} {{n}}.{sheet.Pick(["docx", "xlsx", "pptx", "pdf"])}", sheet.Random);
            var site = $"https://alderfinch.sharepoint.com/sites/{user.Department.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant()}/Shared Documents/{document}";
            Add(office, sheet, (sheet.Random.Next(14) switch
            {
                < 3 => new DemoActivity(time, user, SharePoint, "FileAccessed", "Accessfile") { Workload = "SharePoint", ObjectName = document, ObjectType = "File", ObjectId = site },
                3 or 4 => new DemoActivity(time, user, SharePoint, "FileModified", "Modify") { Workload = "SharePoint", ObjectName = document, ObjectType = "File", ObjectId = site },
                5 => new DemoActivity(time, user, OneDrive, "FileUploaded", "Upload") { Workload = "OneDrive", ObjectName = document, ObjectType = "File", ObjectId = site.Replace("/sites/", "/personal/", StringComparison.Ordinal) },
                6 => new DemoActivity(time, user, SharePoint, "FileDownloaded", "Download") { Workload = "SharePoint", ObjectName = document, ObjectType = "File", ObjectId = site },
                7 => new DemoActivity(time, user, SharePoint, "SharingSet", "Share") { Workload = "SharePoint", ObjectName = document, ObjectType = "File", ObjectId = site },
                8 => Deleted(user, time, sheet.Pick(["MoveToDeletedItems", "SoftDelete", "HardDelete"])),
                9 => new DemoActivity(time, user, Teams, "MessageSent", "Sendmessage") { Workload = "MicrosoftTeams", ObjectName = "General", ObjectType = "Channel", ObjectId = "19:" + sheet.Id("channel/General") },
                10 => new DemoActivity(time, user, Teams, "ReactedToMessage", "Run") { Workload = "MicrosoftTeams", Raw = new Dictionary<string, object> { ["MessageReactionType"] = sheet.Pick(["like", "heart", "laugh", "1f44d_thumbsup"]) } },
                11 => new DemoActivity(time, user, Exchange, "Send", "Sendemail") { ObjectName = DemoOffice.Fill(sheet.Pick(office.Facts.InternalSubjects), sheet.Random), ObjectType = "Email" },
                12 => Mail(user, user, time, "Client=OWA;Action=ViaProxy"),
                _ => new DemoActivity(time, user, Teams, "TeamsSessionStarted", "Logon") { Workload = "MicrosoftTeams" },
            }) with { Place = place });
        }
    }

    private DemoActivity Deleted(DemoUser user, DateTime time, string action)
    {
        var subject = DemoOffice.Fill(sheet.Pick(office.Facts.InternalSubjects), sheet.Random);
        return new DemoActivity(time, user, Exchange, action, "Delete")
        {
            ObjectName = subject, ObjectType = "Email",
            Objects = [new { Type = "Email", Role = "Target object", Name = subject, Id = sheet.Id("deleted/" + subject + time.Ticks) }, new { Type = "Folder", Role = "Parent", Name = "\\Inbox", Id = "LgAAAAB" }],
            Raw = new Dictionary<string, object> { ["AffectedItems"] = new[] { new { Subject = subject, ParentFolder = new { Path = "\\Inbox" } } }, ["Folder"] = new { Path = "\\Inbox" } },
        };
    }

    /// <summary>Reading of mail, by its owner, a delegate or an application.</summary>
    public static DemoActivity Mail(DemoUser owner, DemoUser reader, DateTime time, string client, int items = 3, string path = "\\Inbox") => new(time, reader, Exchange, "MailItemsAccessed", "Accessmail")
    {
        ObjectName = owner.Account.Upn, ObjectType = "Mailbox", ObjectId = owner.Account.Upn,
        Raw = new Dictionary<string, object>
        {
            ["MailboxOwnerUPN"] = owner.Account.Upn, ["MailboxGuid"] = owner.Account.ObjectId, ["LogonType"] = owner == reader ? 0 : 2, ["ClientInfoString"] = client, ["OperationCount"] = items,
            ["OperationProperties"] = new[] { new { Name = "MailAccessType", Value = "Bind" }, new { Name = "IsThrottled", Value = items > 500 ? "True" : "False" } }, ["ClientIPAddress"] = "192.0.2.200",
            ["Folders"] = new[] { new { Path = path, FolderItems = Enumerable.Range(0, Math.Min(items, 4)).Select(item => new { InternetMessageId = $"<{owner.Account.ObjectId[..8]}{time.Ticks:x}{item}@alderfinch.example>", SizeInBytes = 20_000 + item * 811 }).ToArray() } },
            ["AppId"] = "00000002-0000-0ff1-ce00-000000000000",
        },
    };

    // A director's office reads the director's mail; the backup reads everybody's through Graph.
    private void Readers(DateTime day)
    {
        var (director, assistant) = (office.World.Users.First(user => user.Title == "Director"), office.World.Users.First(user => user.Title == "Office manager"));
        if (!DemoOffice.IsWeekend(day))
        {
            foreach (var folder in new[] { "\\Inbox", "\\Calendar", "\\Sent Items", "\\Inbox\\Board", "\\Archive", "\\Contracts" })
                Add(office, sheet, Mail(director, assistant, DemoOffice.WorkTime(day, sheet.Random), "Client=MSExchangeRPC", 2, folder));
        }

        for (var number = 0; number < 6; number++)
        {
            var owner = sheet.Pick(office.World.Users);
            var time = day.AddHours(number * 4).AddMinutes(sheet.Random.Next(40));
            var activity = Mail(owner, owner, time, "Client=REST;Client=RESTSystem;", sheet.Random.Next(20, 90));
            Add(office, sheet, activity with
            {
                Place = "ireland", Session = "", UserAgent = "BackupKeeper/7.1", OAuthApp = sheet.Id("app/Backup Keeper"),
                Raw = new Dictionary<string, object>(activity.Raw) { ["AppId"] = GraphId, ["ClientAppId"] = sheet.Id("app/Backup Keeper") },
            });
        }
    }

    private void Apps()
    {
        foreach (var day in office.Days().Where((_, index) => index % 15 == 0).Append(office.End.Date.AddDays(-1)))
            foreach (var app in office.Facts.OAuthApps) App(sheet, office, app, day.AddHours(2), office.Since("consent/" + app.Name), "Enabled", day);
    }

    /// <summary>Writes the state of an application that has access.</summary>
    public static void App(DemoSheet sheet, DemoOffice office, OAuthFacts app, DateTime time, DateTime added, string status, DateTime lastUsed) => sheet.Add("OAuthAppInfo", time, new
    {
        OAuthAppId = sheet.Id("app/" + app.Name), ServicePrincipalId = sheet.Id("principal/" + app.Name), AppName = app.Name, AddedOnTime = added, LastModifiedTime = added.AddHours(1), AppStatus = status,
        VerifiedPublisher = app.Publisher.Length == 0 ? new Dictionary<string, string>() : new Dictionary<string, string> { ["displayName"] = app.Publisher, ["verifiedPublisherId"] = "5206095" }, PrivilegeLevel = app.Privilege,
        Permissions = app.Permissions.Select(permission => new
        {
            PermissionName = permission, TargetAppId = GraphId, TargetAppDisplayName = "Microsoft Graph", PermissionType = app.Admin ? "Application" : "Delegated",
            PrivilegeLevel = permission.Contains("All", StringComparison.Ordinal) || permission.StartsWith("Mail", StringComparison.Ordinal) ? "High" : "Low", UsageStatus = "InUse",
        }),
        ConsentedUsersCount = app.Users, IsAdminConsented = app.Admin, AppOrigin = app.Origin, LastUsedTime = lastUsed, AppOwnerTenantId = app.Origin == "Internal" ? office.World.TenantId.ToString() : sheet.Id("tenant/" + app.Name),
        RiskScore = app.Risk, AssignedRoles = Array.Empty<string>(),
    });

    private void MaliciousFiles()
    {
        (int Day, string Workload, string Name, string Family)[] found = [(6, "OneDrive", "crack_setup.zip", "HackTool:Win32/Keygen"), (11, "SharePoint", "Price list old.xlsm", "Trojan:O97M/Donoff!MSR"), (3, "Teams", "invoice_2291.html", "Trojan:HTML/Phish!MSR")];
        foreach (var (day, workload, name, family) in found)
        {
            var (owner, time) = (office.World.Users[day * 3], office.End.Date.AddDays(-day).AddHours(13.5));
            sheet.Add("FileMaliciousContentInfo", time, new
            {
                Workload = workload, FileName = name, FolderPath = $"https://alderfinch.sharepoint.com/personal/{owner.Account.Name}/Documents/{name}", FileSize = 182_000L + day, SHA256 = DemoHashes.Of("malicious/" + name).Sha256,
                FileOwnerDisplayName = owner.DisplayName, FileOwnerUpn = owner.Account.Upn, DocumentId = sheet.Id("document/" + name), ThreatTypes = new[] { "Malware" }, ThreatNames = family, DetectionMethods = "Antimalware protection",
                LastModifyingAccountUpn = owner.Account.Upn, LastModifiedTime = time.AddMinutes(-12), FileCreationTime = time.AddMinutes(-13),
            });
        }
    }
}
