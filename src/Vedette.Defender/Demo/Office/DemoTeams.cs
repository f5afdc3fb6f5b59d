using System.Globalization;

namespace Vedette.Defender.Demo.Office;

/// <summary>Chat and calls of the last ten days.</summary>
internal sealed class DemoTeams(DemoOffice office, DemoSheet sheet)
{
    public void Write()
    {
        foreach (var day in office.Days(10).Where(day => !DemoOffice.IsWeekend(day)))
        {
            for (var number = 0; number < 70; number++) Message(day, number);
            for (var number = 0; number < 8; number++) Call(day, number);
        }

        Phish();
    }

    private void Message(DateTime day, int number)
    {
        var team = sheet.Pick(office.Facts.Teams);
        var members = office.World.Users.Where(user => team.Departments.Length == 0 || team.Departments.Contains(user.Department)).ToArray();
        var text = DemoOffice.Fill(sheet.Pick(office.Facts.Chat), sheet.Random);
        Post(DemoOffice.WorkTime(day, sheet.Random), string.Create(CultureInfo.InvariantCulture, $"{day:yyyyMMdd}/{number}"), sheet.Pick(members), team, sheet.Pick(team.Channels), text, "", members.Take(4));
    }

    private string Post(DateTime time, string name, DemoUser? sender, TeamFacts team, string channel, string text, string threat, IEnumerable<DemoUser> recipients, GuestFacts? guest = null)
    {
        var (id, thread) = (sheet.Id("chat/" + name), $"19:{sheet.Id($"channel/{team.Name}/{channel}").Replace("-", "", StringComparison.Ordinal)}@thread.tacv2");
        var (address, display, account) = sender is null ? (guest!.Address, guest.Name, "") : (sender.Account.Upn, sender.DisplayName, sender.Account.ObjectId);
        var detection = threat.Length == 0 ? new Dictionary<string, string[]>() : new Dictionary<string, string[]> { [threat] = ["URL malicious reputation"] };
        sheet.Add("MessageEvents", time, new
        {
            LastEditedTime = "", TeamsMessageId = id, SenderEmailAddress = address, SenderDisplayName = display, SenderObjectId = account, SenderType = "User",
            RecipientDetails = recipients.Select(user => new { RecipientSmtpAddress = user.Account.Upn, RecipientDisplayName = user.DisplayName, RecipientType = "User", RecipientObjectId = user.Account.ObjectId }),
            IsOwnedThread = true, MessageId = time.Ticks.ToString(CultureInfo.InvariantCulture)[..13], ParentMessageId = "", GroupId = sheet.Id("team/" + team.Name), GroupName = team.Name, ThreadId = thread,
            ThreadSubtype = "None", IsExternalThread = guest is not null, MessageFormatType = "RichText", MessageFormatSubtype = "HTML", MessageVersion = "1", MessageSubject = "", ThreatTypes = threat, DetectionMethods = detection,
            ConfidenceLevel = threat.Length == 0 ? new Dictionary<string, string>() : new Dictionary<string, string> { [threat] = "High" }, DeliveryAction = "Delivered", DeliveryLocation = "Teams", SafetyTip = "",
        });
        sheet.Add("MessageContents", time, new { TeamsMessageId = id, ThreadId = thread, ThreadName = channel, MessageSnippet = text, ThreadType = "Channel", SenderEmailAddress = address, SenderObjectId = account });
        if (text.IndexOf("https://", StringComparison.Ordinal) is >= 0 and var start)
            sheet.Add("MessageUrlInfo", time, new { TeamsMessageId = id, Url = text[start..], UrlDomain = new Uri(text[start..]).Host, ThreatTypes = threat });
        return id;
    }

    // A partner's account that was taken over writes to a channel; the message is withdrawn.
    private void Phish()
    {
        var (time, team, guest) = (office.End.Date.AddDays(-6).AddHours(10.9), office.Facts.Teams.First(team => team.Name == "Logistics"), office.Facts.Guests[0]);
        while (DemoOffice.IsWeekend(time)) time = time.AddDays(-1);
        const string link = "https://tariff-share.example/open/7731";
        var members = office.World.Users.Where(user => user.Department == "Logistics").ToArray();
        var id = Post(time, "phish", null, team, "Customs", "New tariffs, sign in to see: " + link, "Phish", members, guest);
        DemoMail.Click(sheet, members[3], link, null, time.AddMinutes(4), office.AddressAt("office", members[3], sheet.Random), "ClickBlocked", "Phish");
        foreach (var (minutes, kind, action) in new[] { (6, "Phish ZAP", "Blocked"), (95, "Manual remediation", "Moved to quarantine") })
        {
            sheet.Add("MessagePostDeliveryEvents", time.AddMinutes(minutes), new
            {
                TeamsMessageId = id, Action = action, ActionType = kind, ActionTrigger = kind == "Phish ZAP" ? "ZAP" : "Admin action", ActionResult = "Success", SenderEmailAddress = guest.Address,
                RecipientDetails = members.Take(4).Select(user => new { RecipientSmtpAddress = user.Account.Upn, RecipientObjectId = user.Account.ObjectId }), ThreatTypes = "Phish", ConfidenceLevel = new { Phish = "High" },
                DetectionMethods = "{\"Phish\":[\"URL malicious reputation\"]}", LatestDeliveryLocation = action == "Blocked" ? "Failed" : "Quarantine", IsExternalThread = true, SafetyTip = "",
            });
        }
    }

    private void Call(DateTime day, int number)
    {
        var (organizer, time) = (sheet.Pick(office.World.Users), DemoOffice.WorkTime(day, sheet.Random));
        var call = sheet.Id(string.Create(CultureInfo.InvariantCulture, $"call/{day:yyyyMMdd}/{number}"));
        var thread = $"19:meeting_{call.Replace("-", "", StringComparison.Ordinal)}@thread.v2";
        foreach (var (activity, minutes) in new[] { ("CallStarted", 0), ("ParticipantJoined", 1), ("ScreenShareStarted", 6), ("ParticipantLeft", 38), ("CallEnded", 40) })
        {
            var actor = activity is "ParticipantJoined" or "ParticipantLeft" ? office.World.Users[(number * 7 + day.Day) % office.World.Users.Count] : organizer;
            sheet.Add("CallActivityEvents", time.AddMinutes(minutes), new
            {
                CallId = call, ActivityId = sheet.Id($"{call}/{activity}"), ActivityInitiatorId = actor.Account.ObjectId, ActivityType = activity, ThreadId = thread, ActivityInitiatorUpn = actor.Account.Upn,
                ActivityInitiatorDisplayName = actor.DisplayName, CallSchedulingType = number % 3 == 0 ? "Recurring" : number % 3 == 1 ? "Scheduled" : "Adhoc", CallJoinUrl = "https://teams.microsoft.com/l/meetup-join/" + call,
                OriginatorUserDisplayName = organizer.DisplayName, OriginatorUpn = organizer.Account.Upn,
            });
        }
    }
}
