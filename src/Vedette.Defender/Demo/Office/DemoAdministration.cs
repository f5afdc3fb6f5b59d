namespace Vedette.Defender.Demo.Office;

/// <summary>What administrators do in the cloud services, and settings that people change for themselves.</summary>
internal sealed class DemoAdministration(DemoOffice office, DemoSheet sheet)
{
    private readonly DemoUser _admin = office.Administrator;

    public void Write()
    {
        var days = office.Days().Where(day => !DemoOffice.IsWeekend(day)).ToArray();
        foreach (var day in days)
        {
            var user = sheet.Pick(office.World.Users);
            Directory(day.AddHours(9.2), "Update user.", user.Account.Upn, "User", user.Account.ObjectId, Property("Department", user.Department, user.Department));
            if (sheet.Chance(0.3)) Directory(day.AddHours(10.1), "Reset user password.", user.Account.Upn, "User", user.Account.ObjectId);
            if (sheet.Chance(0.4)) Added(day.AddHours(10.6), user, sheet.Pick(office.Facts.Teams).Name);
            if (sheet.Chance(0.3)) Submission(day.AddHours(11.3), user);
        }

        Applications(days);
        Mailboxes(days);
        Others(days);
        Resources(days);
    }

    /// <summary>Writes a change of the directory in the cloud.</summary>
    public static void Directory(
        DemoOffice office, DemoSheet sheet, DateTime time, DemoUser actor, string action, string target, string kind, string id, object[] properties, Func<DemoActivity, DemoActivity>? change = null)
    {
        var activity = new DemoActivity(time, actor, DemoCloudApps.Office365, action, "Run")
        {
            Workload = "AzureActiveDirectory", Admin = true, ObjectName = target, ObjectType = kind, ObjectId = target,
            Objects = [new { Type = kind, Role = "Target object", Name = target, Id = id, ServiceObjectType = kind }],
            Raw = new Dictionary<string, object>
            {
                ["ResultStatus"] = "Success", ["AzureActiveDirectoryEventType"] = 1, ["ModifiedProperties"] = properties,
                ["Actor"] = new[] { new { ID = actor.Account.Upn, Type = 5 }, new { ID = actor.Account.ObjectId, Type = 3 }, new { ID = "User", Type = 2 } },
                ["Target"] = new[] { new { ID = kind + "_" + id, Type = 2 }, new { ID = id, Type = 2 }, new { ID = kind, Type = 2 }, new { ID = target, Type = 1 }, new { ID = sheet.Id("app/" + target), Type = 4 } },
                ["ExtendedProperties"] = new[] { new { Name = "additionalDetails", Value = "{\"User-Agent\":\"Mozilla/5.0\"}" } },
            },
        };
        DemoCloudApps.Add(office, sheet, change?.Invoke(activity) ?? activity);
    }

    /// <summary>A setting before and after.</summary>
    public static object Property(string name, string before, string after) => new { Name = name, OldValue = before, NewValue = after };

    /// <summary>The settings that a consent changes, in the service's order.</summary>
    public static object[] Consent(bool admin, string application, string principal, string scope) =>
    [
        Property("ConsentContext.IsAdminConsent", "", admin ? "True" : "False"), Property("ConsentContext.IsAppOnly", "", "False"), Property("ConsentContext.OnBehalfOfAll", "", admin ? "True" : "False"), Property("ConsentContext.Tags", "", ""),
        Property("ConsentAction.Permissions", "", $"[] => [[Id: {principal}, ClientId: {principal}, PrincipalId: , ResourceId: 00000003-0000-0000-c000-000000000000, ConsentType: {(admin ? "AllPrincipals" : "Principal")}, Scope: {scope}, CreatedDateTime: , LastModifiedDateTime ]]"),
        Property("TargetId.ServicePrincipalNames", "", application),
    ];

    private void Directory(DateTime time, string action, string target, string kind, string id, params object[] properties) => Directory(office, sheet, time, _admin, action, target, kind, id, properties);

    private void Added(DateTime time, DemoUser user, string team) => DemoCloudApps.Add(office, sheet, new DemoActivity(time, _admin, DemoCloudApps.SharePoint, "AddedToGroup", "Add")
    {
        Workload = "SharePoint", Admin = true, ObjectName = team, ObjectType = "Group", ObjectId = sheet.Id("team/" + team),
        Objects = [new { Type = "Group", Role = "Target object", Name = team, Id = sheet.Id("team/" + team) }, new { Type = "User", Role = "Member", Name = user.DisplayName, Id = user.Account.ObjectId }],
        Raw = new Dictionary<string, object> { ["TargetUserOrGroupName"] = user.Account.Upn, ["TargetUserOrGroupType"] = "Member", ["EventData"] = $"<Group>{team} Members</Group>" },
    });

    private void Submission(DateTime time, DemoUser user)
    {
        var spam = sheet.Pick(office.Facts.Spam);
        var subject = DemoOffice.Fill(spam.Subject, sheet.Random);
        DemoCloudApps.Add(office, sheet, new DemoActivity(time, user, DemoCloudApps.Office365, "UserSubmission", "Run")
        {
            Workload = "ThreatIntelligence", ObjectName = subject, ObjectType = "Email",
            Raw = new Dictionary<string, object>
            {
                ["P1Sender"] = spam.Address, ["P2Sender"] = spam.Address, ["Subject"] = subject, ["SubmissionType"] = "Phish", ["Recipients"] = new[] { user.Account.Upn },
                ["RescanResult"] = new { RescanVerdict = spam.Threat == "Spam" ? "Spam" : "Phish", Timestamp = time.AddMinutes(4) },
            },
        });
    }

    private void Applications(DateTime[] days)
    {
        foreach (var (app, index) in office.Facts.OAuthApps.Where(app => app.Admin && app.Name != "Old warehouse sync").Select((app, index) => (app, index)))
        {
            var (time, id) = (days[Math.Min(index * 4, days.Length - 1)].AddHours(14.1), sheet.Id("principal/" + app.Name));
            Directory(time, "Add service principal.", app.Name, "ServicePrincipal", id, Property("AccountEnabled", "[]", "[true]"));
            Directory(time.AddMinutes(1), "Consent to application.", app.Name, "ServicePrincipal", id, Consent(true, sheet.Id("app/" + app.Name), id, string.Join(' ', app.Permissions)));
            Directory(time.AddMinutes(2), "Add delegated permission grant.", app.Name, "ServicePrincipal", id, Property("DelegatedPermissionGrant.Scope", "", string.Join(' ', app.Permissions)));
        }

        // Secrets are renewed; one by the pipeline, yesterday.
        var (last, build) = (days[^1].AddHours(0.4), sheet.Id("principal/Build deployment"));
        var key = Property(
            "KeyDescription", "[]", "[\"[KeyIdentifier=" + sheet.Id("key/build") + ",KeyType=Password,KeyUsage=Verify,DisplayName=pipeline]\"]");
        Directory(last, "Add service principal credentials.", "Build deployment", "ServicePrincipal", build, key);
        Directory(last.AddMinutes(2), "Update application – Certificates and secrets management ", "Build deployment", "ServicePrincipal", build, key);
        Directory(last.AddMinutes(9), "Add service principal.", "Meeting room display", "ServicePrincipal", sheet.Id("principal/room"), Property("AccountEnabled", "[]", "[true]"));
        Directory(last.AddMinutes(14), "Add member to role.", "Build deployment", "ServicePrincipal", build, Property("Role.ObjectID", "", sheet.Id("role/reader")), Property("Role.DisplayName", "", "Directory Readers"), Property("Role.TemplateId", "", "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"));
        Directory(days[^4].AddHours(15), "Add member to role.", _admin.Account.Upn, "User", _admin.Account.ObjectId, Property("Role.ObjectID", "", sheet.Id("role/admin")), Property("Role.DisplayName", "", "Global Administrator"), Property("Role.TemplateId", "", "62e90394-69f5-4237-9190-012177145e10"));

        // The events domain was moved to the partner's identity provider.
        var domain = Property("LiveType", "Managed", "Federated");
        Directory(last.AddMinutes(30), "Set domain authentication.", "events." + office.World.Facts.Organisation.Domain, "Domain", sheet.Id("domain/events"), domain, Property("IssuerUri", "", "http://idp.events-partner.example/trust"));
        Directory(last.AddMinutes(31), "Set federation settings on domain.", "events." + office.World.Facts.Organisation.Domain, "Domain", sheet.Id("domain/events"), Property("SigningCertificate", "", "MIIC..."));
        Directory(last.AddMinutes(40), "Update user.", office.World.Users[7].Account.Upn, "User", office.World.Users[7].Account.ObjectId, Property("StrongAuthenticationUserDetails", "[]", "[{\"PhoneNumber\":\"+31 612345678\",\"Email\":null}]"));
    }

    private void Mailboxes(DateTime[] days)
    {
        Shell(days[^6].AddHours(9.8), _admin, "Add-MailboxPermission", ("Confirm", "False"), ("InheritanceType", "All"), ("Identity", "planning@alderfinch.example"), ("User", _admin.Account.Upn), ("AccessRights", "FullAccess"));
        Shell(days[^9].AddHours(10.4), _admin, "Set-Mailbox", ("Identity", office.World.Users[33].Account.Upn), ("ForwardingSmtpAddress", "smtp:" + office.World.Users[30].Account.Upn), ("DeliverToMailboxAndForward", "True"));
        Shell(days[^3].AddHours(11.6), _admin, "Set-Mailbox", ("Identity", office.World.Users[12].Account.Upn), ("ProhibitSendQuota", "99 GB"), ("MaxSendSize", "50 MB"));
        Shell(days[^7].AddHours(9.1), office.World.Users[15], "New-InboxRule", ("Name", "Newsletters"), ("From", "newsletter@logisticsdaily.example"), ("MoveToFolder", "News"));
        Shell(days[^12].AddHours(15.1), office.World.Users[44], "New-InboxRule", ("Name", "Builds"), ("SubjectContainsWords", "Build"), ("MoveToFolder", "Builds"));
        Shell(days[^5].AddHours(8.9), office.World.Users[20], "Set-InboxRule", ("Name", "..."), ("SubjectContainsWords", "CMR"), ("MoveToFolder", "CMR"));
        Shell(days[^10].AddHours(12.2), _admin, "New-TransportRule", ("Name", "External sender banner"), ("FromScope", "NotInOrganization"), ("ApplyHtmlDisclaimerText", "External"));
    }

    private void Shell(DateTime time, DemoUser actor, string action, params (string Name, string Value)[] parameters) => DemoCloudApps.Add(office, sheet, Command(time, actor, action, parameters));

    /// <summary>A command of Exchange's administration.</summary>
    public static DemoActivity Command(DateTime time, DemoUser actor, string action, params (string Name, string Value)[] parameters) => new(time, actor, DemoCloudApps.Exchange, action, "Run")
    {
        Admin = !action.Contains("InboxRule", StringComparison.Ordinal), ObjectName = parameters[0].Value, ObjectType = "Mailbox", ObjectId = parameters[0].Value,
        Objects = [.. parameters.Select(parameter => new { Type = "Parameter", Role = "Parameter", parameter.Name, parameter.Value })],
        Raw = new Dictionary<string, object> { ["Parameters"] = parameters.Select(parameter => new { parameter.Name, parameter.Value }).ToArray(), ["OriginatingServer"] = "AM0PR01MB (15.20.9000.000)", ["ResultStatus"] = "True" },
    };

    private void Others(DateTime[] days)
    {
        DemoCloudApps.Add(office, sheet, new DemoActivity(days[^8].AddHours(13), office.World.Users[10], DemoCloudApps.Teams, "AppInstalled", "Run")
        {
            Workload = "MicrosoftTeams", ObjectName = "Diagram Sketch", ObjectType = "Application",
            Raw = new Dictionary<string, object> { ["AddOnName"] = "Diagram Sketch", ["AppDistributionMode"] = "Global", ["AzureADAppId"] = sheet.Id("app/Diagram Sketch") },
        });
        DemoCloudApps.Add(office, sheet, new DemoActivity(days[^2].AddHours(13), office.World.Users[22], DemoCloudApps.Office365, "StartAPaidTrial", "Run")
        {
            Workload = "MicrosoftForms", Raw = new Dictionary<string, object> { ["LicenseDisplayName"] = "Planner Premium" },
        });
        DemoCloudApps.Add(office, sheet, new DemoActivity(days[^3].AddHours(9.7), office.World.Users[26], DemoCloudApps.Office365, "UpdatePhishingStatus", "Run")
        {
            Workload = "MicrosoftForms", Raw = new Dictionary<string, object> { ["FormId"] = sheet.Id("form/1"), ["FormName"] = "Password check", ["ActivityParameters"] = "{\"FormPhishingStatus\":\"Auto Blocked\"}" },
        });
        DemoCloudApps.Add(office, sheet, new DemoActivity(days[^1].AddHours(0.9), office.World.Users[2], DemoCloudApps.Exchange, "MailItemsAccessed", "Accessmail")
        {
            Place = "ireland", OAuthApp = sheet.Id("app/Backup Keeper"),
            Raw = new Dictionary<string, object>
            {
                ["AppId"] = "00000003-0000-0000-c000-000000000000", ["ClientAppId"] = sheet.Id("app/Backup Keeper"), ["OperationCount"] = 1200, ["OperationProperties"] = new[] { new { Name = "MailAccessType", Value = "Bind" }, new { Name = "IsThrottled", Value = "True" } },
            },
        });
    }

    private void Resources(DateTime[] days)
    {
        foreach (var day in days.TakeLast(6))
        {
            foreach (var (action, name) in new[] { ("Microsoft.Compute/virtualMachines/start/action", "vm-report"), ("Microsoft.Storage/storageAccounts/listKeys/action", "alderfinchreports") })
            {
                DemoCloudApps.Add(office, sheet, new DemoActivity(day.AddHours(8.3), _admin, DemoCloudApps.Azure, action, "Run") { Workload = "Azure", Admin = true, ObjectName = name, ObjectType = "Resource", ObjectId = $"/subscriptions/{sheet.Id("subscription")}/resourceGroups/rg-jobs/{name}" });
            }
        }
    }
}
