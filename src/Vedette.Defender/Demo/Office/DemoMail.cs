using System.Globalization;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Demo.Office;

/// <summary>A message on its way to one recipient.</summary>
internal sealed record DemoMessage(string Address, string Display, string Ip, string Subject)
{
    public string? EnvelopeAddress { get; init; }

    public string Ipv6 { get; init; } = "";

    public DemoUser? Sender { get; init; }

    public string Action { get; init; } = "Delivered";

    public string Location { get; init; } = "Inbox/folder";

    public string Threat { get; init; } = "";

    public string Detection { get; init; } = "";

    public string Family { get; init; } = "";

    public int Bulk { get; init; }

    public bool Authentic { get; init; } = true;

    public bool FirstContact { get; init; }

    public IReadOnlyList<string> Links { get; init; } = [];

    public IReadOnlyList<(string Name, string Sha256, long Size)> Files { get; init; } = [];

    public string Policy { get; init; } = "";

    public string EmailAction { get; init; } = "No action taken";
}

/// <summary>Mail in and out: what people write each other, what companies send, newsletters and what filters stop.</summary>
internal sealed class DemoMail(DemoOffice office, DemoSheet sheet)
{
    private readonly string _domain = office.World.Facts.Organisation.Domain;
    private int _number;

    public void Write(IReadOnlyList<HuntingRow> devices)
    {
        Opened(devices);
        foreach (var day in office.Days())
        {
            var share = DemoOffice.IsWeekend(day) ? 0.12 : 1;
            foreach (var user in office.World.Users)
            {
                FromCompanies(user, day, share);
                FromColleagues(user, day, share);
            }

            Bulk(day, share);
            Spam(day);
            Outbound(day, share);
        }
    }

    /// <summary>Writes the rows of one message to one recipient.</summary>
    /// <returns>The message's network message id.</returns>
    public static string Send(DemoSheet sheet, DemoMessage mail, DemoUser? to, string toAddress, DateTime time, string name, string organisation)
    {
        var id = sheet.Id("message/" + name);
        var domain = After(mail.Address);
        var recipientDomain = After(toAddress);
        var direction = domain == organisation ? recipientDomain == organisation ? "Intra-org" : "Outbound" : "Inbound";
        var report = $"{id}-{(uint)StringHash(toAddress)}-1";
        var check = mail.Authentic ? "pass" : "fail";
        sheet.Add("EmailEvents", time, new
        {
            NetworkMessageId = id,
            InternetMessageId = $"<{id.Replace("-", "", StringComparison.Ordinal)}@{domain}>",
            SenderMailFromAddress = mail.EnvelopeAddress ?? mail.Address,
            SenderFromAddress = mail.Address,
            SenderDisplayName = mail.Display,
            SenderObjectId = mail.Sender?.Account.ObjectId ?? "",
            SenderMailFromDomain = After(mail.EnvelopeAddress ?? mail.Address),
            SenderFromDomain = domain,
            SenderIPv4 = mail.Ip,
            SenderIPv6 = mail.Ipv6,
            RecipientEmailAddress = toAddress,
            RecipientObjectId = to?.Account.ObjectId ?? "",
            mail.Subject,
            EmailClusterId = (long)(uint)StringHash(mail.Subject + domain),
            EmailDirection = direction,
            DeliveryAction = mail.Action,
            DeliveryLocation = direction == "Outbound" ? "On-premises/external" : mail.Location,
            ThreatTypes = mail.Threat,
            ThreatNames = mail.Family,
            DetectionMethods = mail.Threat.Length == 0 ? "" : DemoSheet.ToJson(new Dictionary<string, string[]> { [mail.Threat] = [mail.Detection] }),
            ConfidenceLevel = mail.Threat.Length == 0 ? "" : DemoSheet.ToJson(new Dictionary<string, string> { [mail.Threat] = mail.Location == "Quarantine" ? "High" : "Normal" }),
            BulkComplaintLevel = mail.Bulk,
            mail.EmailAction,
            EmailActionPolicy = mail.Policy,
            EmailActionPolicyGuid = mail.Policy.Length == 0 ? "" : sheet.Id("policy/" + mail.Policy),
            AuthenticationDetails = direction == "Intra-org" ? "" : DemoSheet.ToJson(new { SPF = check, DKIM = check, DMARC = check, CompAuth = check }),
            AttachmentCount = mail.Files.Count,
            UrlCount = mail.Links.Count,
            EmailLanguage = "en",
            Connectors = direction == "Inbound" ? "" : "Relay of " + organisation,
            OrgLevelAction = mail.Action == "Blocked" ? "Block" : "Allow",
            OrgLevelPolicy = mail.Policy.Length == 0 ? "" : "Standard preset",
            UserLevelAction = mail.Location == "Junk" ? "Block" : "",
            UserLevelPolicy = mail.Location == "Junk" ? "Junk mail folder" : "",
            ReportId = report,
            AdditionalFields = DemoSheet.ToJson(new { MessageTraceId = id, Direction = direction }),
            LatestDeliveryLocation = mail.Location,
            LatestDeliveryAction = mail.Action,
            OriginalThreatTypes = mail.Threat,
            OriginalDetectionMethods = mail.Detection,
            OriginalConfidenceLevel = mail.Threat.Length == 0 ? "" : "High",
            DistributionList = "",
            ExchangeTransportRule = direction == "Inbound" ? "External sender banner" : "",
            ForwardingInformation = "",
            Context = "",
            To = DemoSheet.ToJson(new[] { toAddress }),
            Cc = "[]",
            ThreatClassification = mail.Threat == "Phish" ? "Business intelligence" : "",
            RecipientDomain = recipientDomain,
            EmailSize = 4_000L + mail.Files.Sum(file => file.Size) + mail.Subject.Length * 211L,
            IsFirstContact = mail.FirstContact ? 1 : 0,
            Topics = mail.Subject.Contains("nvoice", StringComparison.Ordinal) ? "Finance" : "",
        });
        for (var position = 0; position < mail.Links.Count; position++)
        {
            var link = mail.Links[position];
            sheet.Add("EmailUrlInfo", time, new
            {
                NetworkMessageId = id,
                Url = link,
                UrlDomain = DomainOf(link),
                UrlLocation = position == 0 ? "Body" : "Subject",
                UrlChainId = sheet.Id("chain/" + link),
                UrlChainPosition = 0,
                ReportId = report,
            });
        }

        foreach (var (file, sha256, size) in mail.Files)
        {
            sheet.Add("EmailAttachmentInfo", time, new
            {
                NetworkMessageId = id,
                SenderFromAddress = mail.Address,
                SenderDisplayName = mail.Display,
                SenderObjectId = mail.Sender?.Account.ObjectId ?? "",
                RecipientEmailAddress = toAddress,
                RecipientObjectId = to?.Account.ObjectId ?? "",
                FileName = file,
                FileType = FileType(file),
                SHA256 = sha256,
                FileSize = size,
                ThreatTypes = mail.Threat == "Malware" ? "Malware" : "",
                ThreatNames = mail.Threat == "Malware" ? mail.Family : "",
                DetectionMethods = mail.Threat == "Malware" ? DemoSheet.ToJson(new { Malware = new[] { mail.Detection } }) : "",
                ReportId = report,
            });
        }

        return id;
    }

    /// <summary>Writes what the service did to a message after its delivery.</summary>
    public static void Remove(DemoSheet sheet, string id, DemoMessage mail, string to, DateTime time, string kind, string trigger) => sheet.Add("EmailPostDeliveryEvents", time, new
    {
        NetworkMessageId = id,
        InternetMessageId = $"<{id.Replace("-", "", StringComparison.Ordinal)}@{After(mail.Address)}>",
        Action = kind == "Manual remediation" ? "Soft delete" : "Moved to quarantine",
        ActionType = kind,
        ActionTrigger = trigger,
        ActionResult = "Success",
        RecipientEmailAddress = to,
        DeliveryLocation = kind == "Manual remediation" ? "Deleted items" : "Quarantine",
        ThreatTypes = mail.Threat,
        DetectionMethods = mail.Threat.Length == 0 ? "" : DemoSheet.ToJson(new Dictionary<string, string[]> { [mail.Threat] = [mail.Detection] }),
        ReportId = $"{id}-{(uint)StringHash(to)}-2",
        SenderFromAddress = mail.Address,
        EmailDirection = "Inbound",
        SourceLocation = "Inbox/folder",
    });

    /// <summary>Writes a click that Safe Links saw.</summary>
    public static void Click(DemoSheet sheet, DemoUser user, string url, string? message, DateTime time, string address, string action, string threat) => sheet.Add("UrlClickEvents", time, new
    {
        Url = url,
        ActionType = action,
        AccountUpn = user.Account.Upn,
        Workload = message is null ? "Teams" : "Email",
        NetworkMessageId = message ?? "",
        ThreatTypes = threat,
        DetectionMethods = threat.Length == 0 ? "" : DemoSheet.ToJson(new { Phish = new[] { "URL detonation" } }),
        IPAddress = address,
        IsClickedThrough = action is "ClickAllowed" or "ClickBlockedByTenantPolicyOverride",
        UrlChain = DemoSheet.ToJson(new[] { url }),
        AppName = message is null ? "Teams" : "Outlook",
        AppVersion = "16.0.18324.20194",
        SourceId = message ?? "",
    });

    // A document that a device's mail program laid into its cache came with a message a little earlier.
    private void Opened(IReadOnlyList<HuntingRow> devices)
    {
        foreach (var row in devices.Where(row => row.Table.Name == "DeviceFileEvents"))
        {
            if (row["FolderPath"] is not string path || !path.Contains("Content.Outlook", StringComparison.Ordinal) || row["InitiatingProcessAccountUpn"] is not string upn) continue;
            if (office.World.Users.FirstOrDefault(user => user.Account.Upn == upn) is not { } user || office.Intrusion.Document == (string)row["FileName"]!) continue;
            var sender = Sender(user);
            var mail = new DemoMessage(Person(sender, out var display), display, sender.Ip, DemoOffice.Fill(sheet.Pick(sender.Subjects), sheet.Random))
            {
                Ipv6 = sender.Ipv6 ?? "",
                Files = [((string)row["FileName"]!, (string)row["SHA256"]!, (long)row["FileSize"]!)],
            };
            Send(sheet, mail, user, user.Account.Upn, ((DateTime)row["Timestamp"]!).AddMinutes(-2 - sheet.Random.Next(40)), Next(), _domain);
        }
    }

    private void FromCompanies(DemoUser user, DateTime day, double share)
    {
        for (var number = sheet.Random.Next(2, 5); number > 0; number--)
        {
            if (!sheet.Chance(share)) continue;
            var sender = Sender(user);
            var time = DemoOffice.WorkTime(day, sheet.Random);
            var address = Person(sender, out var display);
            var links = sender.Links.Length > 0 && sheet.Chance(0.6) ? new[] { DemoOffice.Fill(sheet.Pick(sender.Links), sheet.Random) } : [];
            var mail = new DemoMessage(address, display, sender.Ip, DemoOffice.Fill(sheet.Pick(sender.Subjects), sheet.Random))
            {
                Ipv6 = sender.Ipv6 ?? "",
                Links = links,
                Files = sheet.Chance(sender.Attachments) ? [File()] : [],
                FirstContact = sheet.Chance(0.03),
            };
            var id = Send(sheet, mail, user, user.Account.Upn, time, Next(), _domain);
            if (links.Length > 0 && sheet.Chance(0.35))
                Click(sheet, user, links[0], id, time.AddMinutes(sheet.Random.Next(1, 200)), office.AddressAt("office", user, sheet.Random), "ClickAllowed", "");
        }
    }

    private void FromColleagues(DemoUser user, DateTime day, double share)
    {
        for (var number = sheet.Random.Next(1, 4); number > 0; number--)
        {
            if (!sheet.Chance(share)) continue;
            var colleague = sheet.Pick(office.World.Users);
            if (colleague == user) continue;
            var mail = new DemoMessage(colleague.Account.Upn, colleague.DisplayName, "", DemoOffice.Fill(sheet.Pick(office.Facts.InternalSubjects), sheet.Random))
            {
                Sender = colleague,
                Files = sheet.Chance(0.2) ? [File()] : [],
                Links = sheet.Chance(0.15) ? [DemoOffice.Fill("https://alderfinch.sharepoint.com/sites/all/Shared%20Documents/{n}.docx", sheet.Random)] : [],
            };
            Send(sheet, mail, user, user.Account.Upn, DemoOffice.WorkTime(day, sheet.Random), Next(), _domain);
        }
    }

    private void Bulk(DateTime day, double share)
    {
        foreach (var sender in office.Facts.Senders)
        {
            if (sender.Bulk is not { } level || !sheet.Chance(share * 0.5)) continue;
            var (subject, time) = (DemoOffice.Fill(sheet.Pick(sender.Subjects), sheet.Random), DemoOffice.WorkTime(day, sheet.Random));
            foreach (var user in office.World.Users.Where(user => sender.Departments.Length == 0 ? sheet.Chance(0.3) : sender.Departments.Contains(user.Department)))
            {
                var junk = level > 4 && sheet.Chance(0.4);
                var mail = new DemoMessage($"{sender.People[0]}@{sender.Domain}", sender.Name, sender.Ip, subject)
                {
                    EnvelopeAddress = $"bounce-{sheet.Random.Next(100000)}@mailer.{sender.Domain}",
                    Bulk = level + 2,
                    Links = [.. sender.Links.Select(link => DemoOffice.Fill(link, sheet.Random))],
                    Action = junk ? "Junked" : "Delivered",
                    Location = junk ? "Junk" : "Inbox/folder",
                    EmailAction = junk ? "Move message to junk mail folder" : "No action taken",
                    Policy = junk ? "Antispam bulk mail" : "",
                };
                Send(sheet, mail, user, user.Account.Upn, time.AddSeconds(sheet.Random.Next(90)), Next(), _domain);
            }
        }
    }

    private void Spam(DateTime day)
    {
        var total = office.Facts.Spam.Sum(spam => spam.Weight);
        for (var number = sheet.Random.Next(6, 18); number > 0; number--)
        {
            var ticket = sheet.Random.Next(total);
            var spam = office.Facts.Spam.First(kind => (ticket -= kind.Weight) < 0);
            var user = sheet.Pick(office.World.Users);
            // Now and then a message is known for what it is only after it was delivered.
            var late = spam.Location == "Quarantine" && sheet.Chance(0.08);
            var mail = new DemoMessage(spam.Address, spam.Display, spam.Ip, DemoOffice.Fill(spam.Subject, sheet.Random))
            {
                EnvelopeAddress = spam.Threat == "Phish" ? $"mail{sheet.Random.Next(100)}@{After(spam.Address)}" : null,
                Authentic = spam.Threat != "Phish",
                FirstContact = true,
                Threat = spam.Threat,
                Detection = spam.Detection,
                Family = spam.Family ?? "",
                Links = spam.Link is null ? [] : [DemoOffice.Fill(spam.Link, sheet.Random)],
                Files = spam.File is null ? [] : [(DemoOffice.Fill(spam.File, sheet.Random), DemoHashes.Of($"{spam.Address}/{day:yyyyMMdd}").Sha256, 21_000 + sheet.Random.Next(80_000))],
                Action = late ? "Delivered" : spam.Location == "Junk" ? "Junked" : "Blocked",
                Location = late ? "Inbox/folder" : spam.Location,
                EmailAction = late ? "No action taken" : spam.Action,
                Policy = late ? "" : spam.Threat switch { "Malware" => "Antimalware", "Phish" => "Antispam phishing", _ => "Antispam" },
            };
            var time = day.AddHours(sheet.Random.NextDouble() * 24);
            var id = Send(sheet, mail, user, user.Account.Upn, time, Next(), _domain);
            if (spam.Threat is not "Spam")
            {
                sheet.Add("CampaignInfo", time, new
                {
                    CampaignName = $"{spam.Threat}.{spam.Display.Replace(' ', '.')}.{(spam.Family is null ? "Generic" : "Donoff")}",
                    CampaignId = sheet.Id("campaign/" + spam.Address),
                    CampaignType = spam.Threat,
                    CampaignSubtype = spam.Detection,
                    NetworkMessageId = id,
                    RecipientEmailAddress = user.Account.Upn,
                    ReportId = id + "-c",
                });
            }

            if (late) Remove(sheet, id, mail, user.Account.Upn, time.AddMinutes(sheet.Random.Next(8, 190)), spam.Threat == "Malware" ? "Malware ZAP" : "Phish ZAP", "ZAP");
            if (spam is { Threat: "Phish", Location: "Junk" } && sheet.Chance(0.3))
                Click(sheet, user, mail.Links.Count > 0 ? mail.Links[0] : "https://" + After(spam.Address), id, time.AddHours(1), office.AddressAt("office", user, sheet.Random), "ClickBlocked", "Phish");
        }
    }

    private void Outbound(DateTime day, double share)
    {
        foreach (var user in office.World.Users.Where(user => user.Department is "Sales" or "Logistics" or "Finance" or "Human Resources"))
        {
            if (!sheet.Chance(0.8 * share)) continue;
            var company = office.Facts.Senders.Where(sender => sender.Bulk is null && sender.Departments.Contains(user.Department)).ToArray();
            var mail = new DemoMessage(user.Account.Upn, user.DisplayName, office.World.PublicIp, DemoOffice.Fill("RE: " + sheet.Pick(office.Facts.InternalSubjects), sheet.Random))
            {
                Sender = user,
                Files = sheet.Chance(0.4) ? [File()] : [],
            };
            Send(sheet, mail, null, Person(sheet.Pick(company), out _), DemoOffice.WorkTime(day, sheet.Random), Next(), _domain);
        }
    }

    private (string Name, string Sha256, long Size) File()
    {
        var kind = sheet.Pick(office.Facts.FileKinds);
        var name = DemoOffice.Fill($"{sheet.Pick(office.World.Facts.Organisation.Documents)} {{n}}.{kind}", sheet.Random);
        return (name, DemoHashes.Of($"attachment/{name}/{sheet.Random.Next()}").Sha256, 9_000 + sheet.Random.Next(1_400_000));
    }

    private SenderFacts Sender(DemoUser user)
    {
        var choices = office.Facts.Senders.Where(sender => sender.Bulk is null && (sender.Departments.Length == 0 || sender.Departments.Contains(user.Department))).ToArray();
        if (choices.Length == 0) choices = [.. office.Facts.Senders.Where(sender => sender.Departments.Length == 0)];
        var ticket = sheet.Random.Next(choices.Sum(choice => choice.Weight));
        return choices.First(choice => (ticket -= choice.Weight) < 0);
    }

    private string Person(SenderFacts sender, out string display)
    {
        var person = sheet.Pick(sender.People);
        display = person.Contains(' ', StringComparison.Ordinal) ? person : sender.Name;
        return $"{person.Replace(' ', '.').ToLowerInvariant()}@{sender.Domain}";
    }

    private string Next() => (++_number).ToString(CultureInfo.InvariantCulture);

    private static string After(string address) => address[(address.IndexOf('@', StringComparison.Ordinal) + 1)..];

    private static string DomainOf(string url) => Uri.TryCreate(url, UriKind.Absolute, out var address) ? address.Host : "";

    private static string FileType(string name) => name[(name.LastIndexOf('.') + 1)..] switch
    {
        "xlsm" or "docm" => "Office;WordStorage;Zip",
        "xlsx" or "docx" => "WordStorage;Zip",
        "zip" => "Zip",
        "png" => "Image",
        "html" => "Html",
        var other => other.ToUpperInvariant(),
    };

    // The same in every process, as ReportIds must be.
    private static int StringHash(string text)
    {
        unchecked
        {
            var hash = (int)2166136261;
            foreach (var letter in text) hash = (hash ^ letter) * 16777619;
            return hash;
        }
    }
}
