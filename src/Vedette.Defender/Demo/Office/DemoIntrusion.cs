namespace Vedette.Defender.Demo.Office;

/// <summary>
/// The attack that comes by mail: a false sign-in page, a click, a sign-in from another continent, an application that reads mail, a rule that hides answers,
/// and a document that goes from the captured mailbox to the colleague at whose device the story of the devices begins.
/// </summary>
internal sealed class DemoIntrusion
{
    /// <summary>The false sign-in page.</summary>
    public const string Link = "https://alderfinch-portal.example/signin?return=mail";
    private const string Sender = "hr-portal@alderfinch-portal.example";
    private const string AppName = "Mail Archive Sync";
    private const string GraphId = "00000003-0000-0000-c000-000000000000";
    private readonly DemoOffice _office;
    private (string Sha256, long Size)? _document;

    public DemoIntrusion(DemoOffice office)
    {
        _office = office;
        // The scene on the device is found by its name, so both tell of the same minute.
        var opened = DemoGenerator.SceneTime(office.World.Facts.Stories.First(story => story.Name == "phishing"), 0, office.End);
        Opened = opened;
        Start = opened.AddMinutes(-172);
        Contained = opened.AddHours(27.7);
    }

    /// <summary>The document that the captured mailbox sends on.</summary>
    public string Document => "Remittance_Advice_8841.docm";

    /// <summary>When the first message arrives.</summary>
    public DateTime Start { get; }

    /// <summary>When the colleague opens the document on the device.</summary>
    public DateTime Opened { get; }

    /// <summary>When the link is followed.</summary>
    public DateTime Click => Start.AddMinutes(50);

    /// <summary>When the intruder signs in.</summary>
    public DateTime SignIn => Start.AddMinutes(71);

    /// <summary>When the intruder's next account is contained.</summary>
    public DateTime Contained { get; }

    /// <summary>The address that the intruder comes from.</summary>
    public string Address => _office.Places["intruder"].Addresses;

    /// <summary>Who clicks.</summary>
    public DemoUser Victim => _office.World.ByName["fin-ws03"].User!;

    /// <summary>Who opens the document.</summary>
    private DemoUser Colleague => _office.World.ByName["fin-ws02"].User!;

    private string Session => _office.World.GuidFor("session/intruder").ToString();

    public void Write(DemoSheet sheet)
    {
        var message = Messages(sheet);
        DemoMail.Click(sheet, Victim, Link, message, Click, _office.World.PublicIp, "ClickAllowed", "");
        SignIns(sheet);
        Application(sheet);
        Mailbox(sheet);
        Onward(sheet);
    }

    private string Messages(DemoSheet sheet)
    {
        var recipients = _office.World.Users.Where(user => user.Department is "Finance" or "Human Resources").ToArray();
        var clicked = "";
        for (var index = 0; index < recipients.Length; index++)
        {
            var user = recipients[index];
            // Only some copies are stopped at once; the others are taken away hours later.
            var stopped = index % 3 == 1 && user != Victim;
            var mail = new DemoMessage(Sender, "Alder & Finch HR portal", "91.219.236.77", "Action required: confirm your payroll details")
            {
                EnvelopeAddress = "bounce@mail.alderfinch-portal.example", Authentic = false, FirstContact = true, Links = [Link],
                Threat = stopped ? "Phish" : "", Detection = "Impersonation domain", Action = stopped ? "Blocked" : "Delivered", Location = stopped ? "Quarantine" : "Inbox/folder",
                EmailAction = stopped ? "Send to quarantine" : "No action taken", Policy = stopped ? "Anti-phishing domain impersonation" : "",
            };
            var time = Start.AddSeconds(index * 4);
            var id = DemoMail.Send(sheet, mail, user, user.Account.Upn, time, "intrusion/" + user.Account.Name, _office.World.Facts.Organisation.Domain);
            sheet.Add("CampaignInfo", time, new
            {
                CampaignName = "Phish.Payroll.Portal", CampaignId = sheet.Id("campaign/payroll"), CampaignType = "Phish", CampaignSubtype = "Credential phish", NetworkMessageId = id, RecipientEmailAddress = user.Account.Upn, ReportId = id + "-c",
            });
            if (user == Victim) clicked = id;
            else if (index % 5 == 2) DemoMail.Click(sheet, user, Link, id, Start.AddMinutes(55 + index), _office.World.PublicIp, "ClickBlocked", "Phish");
            if (!stopped) DemoMail.Remove(sheet, id, mail with { Threat = "Phish" }, user.Account.Upn, Start.AddHours(5).AddSeconds(index * 3), "Phish ZAP", "ZAP");
        }

        return clicked;
    }

    private void SignIns(DemoSheet sheet)
    {
        foreach (var (minutes, error, app, risk) in new[] { (0, 50074, 0, 50), (1, 0, 0, 100), (3, 0, 3, 100), (9, 0, 2, 50), (40, 0, 0, 50) })
        {
            DemoSignIns.SignIn(_office, sheet, new DemoSignIn(SignIn.AddMinutes(minutes), Victim, Victim.Account.Upn, Victim.DisplayName, Victim.Account.ObjectId, _office.Facts.Apps[app], "intruder", Address)
            {
                Error = error, MultiFactor = true, System = "Linux", Risk = risk, RiskEvents = "[\"unfamiliarFeatures\",\"anomalousToken\"]", Session = Session, Correlation = sheet.Id("correlation/intruder"),
            });
        }
    }

    private void Application(DemoSheet sheet)
    {
        var (app, principal, time) = (sheet.Id("app/" + AppName), sheet.Id("principal/" + AppName), SignIn.AddMinutes(6));
        DemoActivity FromAfar(DemoActivity activity) => activity with { Place = "intruder", Address = Address, Session = Session, Admin = false, UserAgent = _office.Facts.Browsers["Linux"][0], Uncommon = ["IPAddress", "CountryCode", "ISP", "UserAgent", "ActionType"], OAuthApp = app };
        DemoAdministration.Directory(_office, sheet, time, Victim, "Add service principal.", AppName, "ServicePrincipal", principal, [DemoAdministration.Property("AccountEnabled", "[]", "[true]")], FromAfar);
        DemoAdministration.Directory(_office, sheet, time.AddSeconds(2), Victim, "Add delegated permission grant.", AppName, "ServicePrincipal", principal, [DemoAdministration.Property("DelegatedPermissionGrant.Scope", "", "Mail.ReadWrite Mail.Send offline_access")], FromAfar);
        DemoAdministration.Directory(_office, sheet, time.AddSeconds(3), Victim, "Consent to application.", AppName, "ServicePrincipal", principal, DemoAdministration.Consent(false, app, principal, "Mail.ReadWrite Mail.Send offline_access"), FromAfar);
        DemoCloudApps.App(sheet, _office, new OAuthFacts(AppName, "", "External", "High", ["Mail.ReadWrite", "Mail.Send", "offline_access"], 1, false, 92), time.AddMinutes(50), time, "Enabled", time.AddHours(3));
        DemoCloudApps.App(sheet, _office, new OAuthFacts(AppName, "", "External", "High", ["Mail.ReadWrite", "Mail.Send", "offline_access"], 1, false, 92), time.AddHours(30), time, "DisabledByUser", time.AddHours(29));
        for (var number = 0; number < 12; number++)
        {
            DemoSignIns.Request(
                sheet, time.AddMinutes(4 + number * 3), app, principal, Victim.Account.ObjectId, number == 11 ? "POST" : "GET", number == 11 ? "me/sendMail" : $"me/mailFolders/inbox/messages?$top=250&$skip={number * 250}", "Mail.ReadWrite Mail.Send offline_access",
                Address, sheet.Id("token/intruder")[..22], number == 11 ? 202 : 200);
        }
    }

    private void Mailbox(DemoSheet sheet)
    {
        DemoActivity FromAfar(DemoActivity activity) => activity with { Place = "intruder", Address = Address, Session = Session, UserAgent = _office.Facts.Browsers["Linux"][0], Uncommon = ["IPAddress", "CountryCode", "ISP"] };
        DemoCloudApps.Add(_office, sheet, FromAfar(DemoAdministration.Command(
            SignIn.AddMinutes(12), Victim, "New-InboxRule", ("Name", ".."), ("SubjectOrBodyContainsWords", "remittance;payroll;invoice"), ("MoveToFolder", "RSS Feeds"), ("MarkAsRead", "True"), ("StopProcessingRules", "True"))));
        DemoCloudApps.Add(_office, sheet, FromAfar(DemoAdministration.Command(
            SignIn.AddMinutes(14), Victim, "Set-Mailbox", ("Identity", Victim.Account.Upn), ("ForwardingSmtpAddress", "smtp:archive.8841@freemail.example"), ("DeliverToMailboxAndForward", "True")) with { Admin = false }));
        foreach (var (minutes, path) in new[] { (16, "\\Inbox"), (21, "\\Sent Items"), (33, "\\Inbox\\Payments") })
        {
            var activity = DemoCloudApps.Mail(Victim, Victim, SignIn.AddMinutes(minutes), "Client=REST;Client=RESTSystem;", 240, path);
            DemoCloudApps.Add(_office, sheet, FromAfar(activity) with
            {
                OAuthApp = sheet.Id("app/" + AppName), Raw = new Dictionary<string, object>(activity.Raw) { ["AppId"] = GraphId, ["ClientAppId"] = sheet.Id("app/" + AppName), ["ClientIPAddress"] = Address },
            });
        }

        DemoCloudApps.Add(_office, sheet, FromAfar(new DemoActivity(Opened.AddMinutes(-5), Victim, DemoCloudApps.Exchange, "HardDelete", "Delete")
        {
            ObjectName = "Remittance advice 8841", ObjectType = "Email",
            Objects = [new { Type = "Email", Role = "Target object", Name = "Remittance advice 8841", Id = sheet.Id("message/intrusion/onward") }, new { Type = "Folder", Role = "Parent", Name = "\\Sent Items", Id = "LgAAAAC" }],
        }));
    }

    // The document is the one that the device's mail program lays into its cache.
    private void Onward(DemoSheet sheet)
    {
        var file = DocumentFile();
        var mail = new DemoMessage(Victim.Account.Upn, Victim.DisplayName, "", "Remittance advice 8841") { Sender = Victim, Files = [(Document, file.Sha256, file.Size)] };
        var id = DemoMail.Send(sheet, mail, Colleague, Colleague.Account.Upn, Opened.AddMinutes(-7), "intrusion/onward", _office.World.Facts.Organisation.Domain);
        DemoMail.Remove(sheet, id, mail with { Threat = "Malware", Detection = "File detonation" }, Colleague.Account.Upn, Opened.AddHours(4), "Malware ZAP", "ZAP");
    }

    private (string Sha256, long Size) DocumentFile() => _document ?? (DemoHashes.Of(Document).Sha256, 48_211);

    /// <summary>Tells the document as the device found it.</summary>
    public void Found(string sha256, long size) => _document = (sha256, size);
}
