using System.Globalization;

namespace Vedette.Defender.Demo.Office;

/// <summary>One sign-in as the identity provider tells it.</summary>
internal sealed record DemoSignIn(DateTime Time, DemoUser? User, string Upn, string DisplayName, string ObjectId, AppFacts App, string Place, string Address)
{
    public int Error { get; init; }

    public bool Interactive { get; init; } = true;

    public bool Guest { get; init; }

    public bool MultiFactor { get; init; }

    public string Client { get; init; } = "Browser";

    public string System { get; init; } = "Windows";

    public int Risk { get; init; }

    public string RiskEvents { get; init; } = "";

    public string Session { get; init; } = "";

    public string? Correlation { get; init; }

    public string? UserAgent { get; init; }

    public DemoDevice? Device { get; init; }
}

/// <summary>Sign-ins of people and of applications, and what applications ask of Graph.</summary>
internal sealed class DemoSignIns(DemoOffice office, DemoSheet sheet)
{
    private static readonly (string Name, string Id)[] Policies = [("Require MFA outside the office", "mfa"), ("Block legacy authentication", "legacy"), ("Require compliant device for administrators", "admins")];

    public void Write()
    {
        var days = office.Days().ToArray();
        var travel = days.Length > 8 ? days[^8] : days[0];
        foreach (var day in days)
        {
            var share = DemoOffice.IsWeekend(day) ? 0.15 : 0.95;
            foreach (var user in office.World.Users.Where(_ => sheet.Chance(share))) Person(user, day);
            foreach (var guest in office.Facts.Guests.Where(_ => !DemoOffice.IsWeekend(day) && sheet.Chance(0.5))) Guest(guest, day);
            Spray(day);
            Scanner(day);
            Principals(day);
        }

        Travel(travel);
        Provider(days);
    }

    /// <summary>Writes a sign-in into the present table and the one it replaced.</summary>
    public static void SignIn(DemoOffice office, DemoSheet sheet, DemoSignIn signIn)
    {
        var place = office.Places[signIn.Place];
        var browser = office.Facts.Browsers[signIn.System];
        var id = sheet.Id(string.Create(CultureInfo.InvariantCulture, $"request/{signIn.Upn}/{signIn.Time.Ticks}/{signIn.App.Name}/{signIn.Error}"));
        var correlation = signIn.Correlation ?? sheet.Id("correlation/" + id);
        var managed = signIn.Device is { } device && signIn.System == "Windows" ? device : null;
        var outside = signIn.Place != "office";
        var policies = DemoSheet.ToJson(Policies.Select((policy, index) => new
        {
            id = sheet.Id("policy/" + policy.Id),
            displayName = policy.Name,
            enforcedGrantControls = new[] { index == 0 ? "Mfa" : index == 1 ? "Block" : "RequireCompliantDevice" },
            result = signIn.Error == 53003 && (index == 1) == IsLegacy(signIn) ? "failure" : index == 0 && outside && signIn.Error == 0 ? "success" : index == 2 ? "notEnabled" : "notApplied",
        }));
        var conditional = signIn.Error == 53003 ? 1 : outside && signIn.Error == 0 ? 0 : 2;
        var logon = signIn.Interactive ? "[\"interactiveUser\"]" : "[\"nonInteractiveUser\"]";
        var network = DemoSheet.ToJson(outside ? [] : new[] { new { networkType = "trustedNamedLocation", networkNames = new[] { "Rotterdam office" } } });
        var requirement = signIn.MultiFactor ? "multiFactorAuthentication" : "singleFactorAuthentication";
        var changed = office.Since("password/" + signIn.Upn);
        var agent = signIn.UserAgent ?? browser[0];
        sheet.Add("EntraIdSignInEvents", signIn.Time, new
        {
            Application = signIn.App.Name, ApplicationId = signIn.App.Id, LogonType = logon, EndpointCall = "OAuth2:Authorize", ErrorCode = signIn.Error, CorrelationId = correlation,
            SessionId = signIn.Session, AccountDisplayName = signIn.DisplayName, AccountObjectId = signIn.ObjectId, AccountUpn = signIn.Upn, IsExternalUser = signIn.Guest ? 1 : 0,
            IsGuestUser = signIn.Guest, AlternateSignInName = signIn.Upn, LastPasswordChangeTimestamp = changed, ResourceDisplayName = signIn.App.Resource, signIn.App.ResourceId,
            ResourceTenantId = office.World.TenantId.ToString(), DeviceName = managed?.DnsName ?? "", OSPlatform = signIn.System, DeviceTrustType = managed is null ? "" : "ServerAd",
            IsManaged = managed is null ? 0 : 1, IsCompliant = managed is null ? 0 : 1, AuthenticationProcessingDetails = Processing(signIn), AuthenticationRequirement = requirement,
            TokenIssuerType = "AzureAD", RiskLevelAggregated = signIn.Risk, RiskLevelDuringSignIn = signIn.Risk, RiskEventTypes = signIn.RiskEvents, RiskState = signIn.Risk >= 50 ? 4 : 0,
            UserAgent = agent, ClientAppUsed = signIn.Client, Browser = browser[1], ConditionalAccessPolicies = policies, ConditionalAccessStatus = conditional, IPAddress = signIn.Address,
            place.Country, place.State, place.City, place.Latitude, place.Longitude, NetworkLocationDetails = network, RequestId = id, ReportId = id,
            EntraIdDeviceId = managed?.AadId.ToString() ?? "", GatewayJA4 = "t13d1516h2_8daaf6152771_02713d6af862", UniqueTokenId = sheet.Id("token/" + id)[..22], IsSignInThroughGlobalSecureAccess = false,
        });
        sheet.Add("AADSignInEventsBeta", signIn.Time, new
        {
            Application = signIn.App.Name, ApplicationId = signIn.App.Id, LogonType = logon, EndpointCall = "OAuth2:Authorize", ErrorCode = signIn.Error, CorrelationId = correlation,
            SessionId = signIn.Session, AccountDisplayName = signIn.DisplayName, AccountObjectId = signIn.ObjectId, AccountUpn = signIn.Upn, IsExternalUser = signIn.Guest ? 1 : 0,
            IsGuestUser = signIn.Guest, AlternateSignInName = signIn.Upn, LastPasswordChangeTimestamp = changed, ResourceDisplayName = signIn.App.Resource, signIn.App.ResourceId,
            ResourceTenantId = office.World.TenantId.ToString(), DeviceName = managed?.DnsName ?? "", OSPlatform = signIn.System, DeviceTrustType = managed is null ? "" : "ServerAd",
            IsManaged = managed is null ? 0 : 1, IsCompliant = managed is null ? 0 : 1, AuthenticationProcessingDetails = Processing(signIn), AuthenticationRequirement = requirement,
            TokenIssuerType = 0, RiskLevelAggregated = signIn.Risk, RiskDetails = 0, RiskState = signIn.Risk >= 50 ? 4 : 0,
            UserAgent = agent, ClientAppUsed = signIn.Client, Browser = browser[1], ConditionalAccessPolicies = policies, ConditionalAccessStatus = conditional, IPAddress = signIn.Address,
            place.Country, place.State, place.City, place.Latitude, place.Longitude, NetworkLocationDetails = network, RequestId = id, ReportId = id,
            AadDeviceId = managed?.AadId.ToString() ?? "", EntraIdDeviceId = managed?.AadId.ToString() ?? "",
        });
        if (!signIn.Interactive) return;

        // The directory's sensor tells interactive sign-ins too.
        sheet.Add("IdentityLogonEvents", signIn.Time, new
        {
            ActionType = signIn.Error == 0 ? "LogonSuccess" : "LogonFailed", Application = "Office 365", LogonType = "OAuth2:Authorize", Protocol = "OAuth2:Authorize",
            FailureReason = signIn.Error switch { 0 => "", 50126 => "InvalidUserNameOrPassword", 53003 => "BlockedByConditionalAccess", 50053 => "AccountLocked", _ => "SignInFailed" },
            AccountName = signIn.User?.Account.Name ?? signIn.Upn.Split('@')[0], AccountDomain = signIn.Guest ? signIn.Upn.Split('@')[1] : office.World.Facts.Organisation.Domain,
            AccountUpn = signIn.Upn, AccountSid = signIn.User?.Account.Sid ?? "", AccountObjectId = signIn.ObjectId, AccountDisplayName = signIn.DisplayName,
            DeviceName = managed?.DnsName ?? "", DeviceType = signIn.System is "Ios" or "Android" ? "Mobile" : "Desktop", OSPlatform = signIn.System, IPAddress = signIn.Address,
            DestinationDeviceName = "", TargetAccountDisplayName = signIn.DisplayName, TargetDeviceName = "", Location = place.Country, place.Isp, ReportId = "l-" + id,
            AdditionalFields = new { Category = "Sign-in", ResourceName = signIn.App.Resource, RequestId = id, Count = "1" },
        });
    }

    private static bool IsLegacy(DemoSignIn signIn) => signIn.Client is not ("Browser" or "Mobile Apps and Desktop clients");

    private static string Processing(DemoSignIn signIn) => DemoSheet.ToJson(new[]
    {
        new { key = "Legacy TLS (TLS 1.0, 1.1, 3DES)", value = "False" },
        new { key = "Oauth Scope Info", value = "[\"openid\",\"profile\",\"User.Read\"]" },
        new { key = "Is CAE Token", value = signIn.Interactive ? "False" : "True" },
    });

    private void Person(DemoUser user, DateTime day)
    {
        var random = sheet.Random;
        var apps = office.Facts.Apps.Where(app => app.Departments.Length == 0 || app.Departments.Contains(user.Department)).ToArray();
        var total = apps.Sum(app => app.Weight);
        var device = office.DeviceOf(user);
        var place = DemoOffice.IsWeekend(day) || sheet.Chance(0.25) ? "home" : "office";
        for (var number = random.Next(3, 8); number > 0; number--)
        {
            var ticket = random.Next(total);
            var app = apps.First(candidate => (ticket -= candidate.Weight) < 0);
            var phone = device is null || sheet.Chance(0.15);
            var where = phone && place == "office" && sheet.Chance(0.3) ? "train" : place;
            var time = DemoOffice.WorkTime(day, random);
            var correlation = sheet.Id(string.Create(CultureInfo.InvariantCulture, $"correlation/{user.Account.Name}/{time.Ticks}"));
            var signIn = new DemoSignIn(time, user, user.Account.Upn, user.DisplayName, user.Account.ObjectId, app, where, office.AddressAt(where, user, random))
            {
                Interactive = !app.Silent,
                MultiFactor = where != "office" || user.Department == "IT" && app.Name != "Microsoft Azure CLI",
                Client = app.Silent || phone ? "Mobile Apps and Desktop clients" : "Browser",
                System = phone ? user.Account.Name.Length % 2 == 0 ? "Ios" : "Android" : device!.IsWindows ? "Windows" : "MacOs",
                Session = office.Session(user, day),
                Correlation = correlation,
                Device = phone ? null : device,
            };
            var slip = random.NextDouble();
            // Mistyped passwords, prompts for a second factor, codes that were not given, and apps that a person was not assigned.
            int? before = slip switch { < 0.03 => 50126, < 0.09 when signIn.MultiFactor => 50074, < 0.10 when signIn.MultiFactor => 500121, < 0.11 => 50055, _ => null };
            if (before is { } error) SignIn(office, sheet, signIn with { Time = time.AddSeconds(-random.Next(9, 60)), Error = error, Interactive = true });
            SignIn(office, sheet, slip is > 0.985 and < 0.99 ? signIn with { Error = 50105 } : signIn);
        }
    }

    private void Guest(GuestFacts guest, DateTime day)
    {
        foreach (var name in new[] { "Microsoft Teams", "Office 365 SharePoint Online", "OfficeHome", "Azure Portal" })
        {
            var app = office.Facts.Apps.First(candidate => candidate.Name == name);
            // Guests are kept out of the administration.
            var refused = name is "Azure Portal" or "OfficeHome" && sheet.Chance(0.5);
            SignIn(office, sheet, new DemoSignIn(
                DemoOffice.WorkTime(day, sheet.Random), null, guest.Address, guest.Name, sheet.Id("guest/" + guest.Address), app, "antwerp", office.AddressAt("antwerp", null, sheet.Random))
            {
                Guest = true, MultiFactor = true, Error = refused ? 53003 : 0, Session = sheet.Id(string.Create(CultureInfo.InvariantCulture, $"guest/{guest.Address}/{day:yyyyMMdd}")),
            });
        }
    }

    // The world knocks on every door.
    private void Spray(DateTime day)
    {
        if (!sheet.Chance(0.6)) return;
        var (start, app, address) = (day.AddHours(sheet.Random.NextDouble() * 22), office.Facts.Apps[0], office.AddressAt("spray", null, sheet.Random));
        for (var number = sheet.Random.Next(4, 14); number > 0; number--)
        {
            var user = sheet.Pick(office.World.Users);
            SignIn(office, sheet, new DemoSignIn(start.AddSeconds(number * 11), user, user.Account.Upn, user.DisplayName, user.Account.ObjectId, app, "spray", address)
            {
                Error = sheet.Chance(0.1) ? 50053 : 50126, Client = sheet.Pick(["IMAP4", "Authenticated SMTP", "Browser"]), System = "Linux", Risk = 10, UserAgent = "BAV2ROPC",
            });
        }
    }

    // A scanner that mails its scans signs in the old way; a calendar on a wall does not get in any more.
    private void Scanner(DateTime day)
    {
        var (user, app) = (office.World.Users.First(person => person.Title == "Warehouse lead"), office.Facts.Apps[0]);
        var hour = day.AddHours(8.2);
        var signIn = new DemoSignIn(hour, user, user.Account.Upn, user.DisplayName, user.Account.ObjectId, app, "office", office.World.PublicIp) { System = "Linux", UserAgent = "MFP/4.2" };
        if (!DemoOffice.IsWeekend(day)) SignIn(office, sheet, signIn with { Client = "Authenticated SMTP" });
        SignIn(office, sheet, signIn with { Time = hour.AddHours(1), Client = "IMAP4", Error = 53003 });
    }

    // A salesman visits customers in three countries.
    private void Travel(DateTime day)
    {
        var (user, hour) = (office.World.Users.First(person => person.Department == "Sales"), day.AddHours(6.5));
        foreach (var place in new[] { "home", "duisburg", "basel" })
        {
            SignIn(office, sheet, new DemoSignIn(hour, user, user.Account.Upn, user.DisplayName, user.Account.ObjectId, office.Facts.Apps[0], place, office.AddressAt(place, user, sheet.Random))
            {
                MultiFactor = true, Client = "Mobile Apps and Desktop clients", System = "Ios", Session = office.Session(user, day), Risk = place == "basel" ? 10 : 0,
            });
            hour = hour.AddHours(5.5);
        }
    }

    private void Principals(DateTime day)
    {
        foreach (var principal in office.Facts.Principals)
        {
            var (place, since) = (office.Places[principal.From], office.Since("secret/" + principal.Name));
            var address = office.AddressAt(principal.From, null, office.World.RandomFor("address/" + principal.Name));
            for (var number = 0; number < principal.PerDay; number++)
            {
                var time = day.AddHours((number + sheet.Random.NextDouble()) * 24 / principal.PerDay);
                var id = sheet.Id(string.Create(CultureInfo.InvariantCulture, $"spn/{principal.Name}/{time.Ticks}"));
                // A pipeline that still holds last year's secret beside the new one.
                var error = principal.FailsWith ?? (principal.Name == "Build deployment" && number == 0 ? 7000222 : 0);
                var (application, servicePrincipal) = (sheet.Id("app/" + principal.Name), sheet.Id("principal/" + principal.Name));
                var from = principal.Name == "Build deployment" && number == 1 ? office.Places["ireland"] : place;
                sheet.Add("EntraIdSpnSignInEvents", time, new
                {
                    Application = principal.Name, ApplicationId = application, IsManagedIdentity = principal.Managed, ErrorCode = error, CorrelationId = sheet.Id("correlation/" + id), ServicePrincipalName = principal.Name,
                    ServicePrincipalId = servicePrincipal, ResourceDisplayName = principal.Resource, principal.ResourceId, ResourceTenantId = office.World.TenantId.ToString(), IPAddress = address,
                    from.Country, from.State, from.City, from.Latitude, from.Longitude, RequestId = id, ReportId = id, IsConfidentialClient = true, GatewayJA4 = "t13d1517h2_8daaf6152771_b0da82dd1658",
                    SessionId = "", UserAgent = principal.Managed ? "azsdk-net-Identity/1.12.0" : "python-requests/2.32.3", UniqueTokenId = sheet.Id("token/" + id)[..22],
                });
                sheet.Add("AADSpnSignInEventsBeta", time, new
                {
                    Application = principal.Name, ApplicationId = application, IsManagedIdentity = principal.Managed, ErrorCode = error, CorrelationId = sheet.Id("correlation/" + id), ServicePrincipalName = principal.Name,
                    ServicePrincipalId = servicePrincipal, ResourceDisplayName = principal.Resource, principal.ResourceId, ResourceTenantId = office.World.TenantId.ToString(), IPAddress = address,
                    from.Country, from.State, from.City, from.Latitude, from.Longitude, RequestId = id, ReportId = id,
                });
                if (error == 0 && principal.ResourceId == "00000003-0000-0000-c000-000000000000" && day > office.End.Date.AddDays(-10)) Graph(principal, time, address, application, servicePrincipal, sheet.Id("token/" + id)[..22]);
            }
        }
    }

    private void Graph(PrincipalFacts principal, DateTime time, string address, string application, string servicePrincipal, string token)
    {
        for (var number = 0; number < 3; number++)
        {
            var path = sheet.Pick(["users?$top=100", "groups", $"users/{sheet.Pick(office.World.Users).Account.ObjectId}/calendar/events", "sites/root"]);
            Request(sheet, time.AddSeconds(2 + number * 3), application, servicePrincipal, "", "GET", path, "Calendars.ReadWrite User.Read.All", address, token, 200 + (sheet.Chance(0.05) ? 229 : 0));
        }
    }

    /// <summary>Writes a request of an application or a person to Graph.</summary>
    public static void Request(
        DemoSheet sheet, DateTime time, string application, string servicePrincipal, string user, string method, string path, string scopes, string address, string token, int status)
    {
        var id = sheet.Id(string.Create(CultureInfo.InvariantCulture, $"graph/{application}/{time.Ticks}/{path}"));
        sheet.Add("GraphAPIAuditEvents", time, new
        {
            IdentityProvider = "https://sts.windows.net/", ApiVersion = "v1.0", ApplicationId = application, ClientRequestId = sheet.Id("client/" + id), OperationId = id, AccountObjectId = user, Location = "West Europe",
            RequestDuration = (400_000 + sheet.Random.Next(3_000_000)).ToString(CultureInfo.InvariantCulture), RequestMethod = method, ResponseStatusCode = status.ToString(CultureInfo.InvariantCulture), Scopes = scopes,
            EntityType = user.Length > 0 ? "user" : "app", ReportId = id, RequestUri = "https://graph.microsoft.com/v1.0/" + path, UniqueTokenIdentifier = token, RequestId = id, IpAddress = address,
            ServicePrincipalId = servicePrincipal, TargetWorkload = path.Contains("essages", StringComparison.Ordinal) ? "Microsoft.Exchange" : "Microsoft.DirectoryServices", ResponseSize = (long)sheet.Random.Next(300, 90_000),
        });
    }

    // The drivers' portal of a partner uses another identity provider.
    private void Provider(DateTime[] days)
    {
        foreach (var day in days.TakeLast(8))
        {
            foreach (var user in office.World.Users.Where(user => user.Department == "Logistics" && sheet.Chance(0.6)))
            {
                var (time, failed) = (DemoOffice.WorkTime(day, sheet.Random), sheet.Chance(0.06));
                var session = sheet.Id(string.Create(CultureInfo.InvariantCulture, $"okta/{user.Account.Name}/{time.Ticks}"));
                sheet.Add("IdentityEvents", time, new
                {
                    AccountId = sheet.Id("okta/" + user.Account.Name)[..20], AccountType = "User", AccountDisplayName = user.DisplayName, AccountUpn = user.Account.Upn, ActionType = failed ? "Logon failed" : "Logon",
                    ActionResult = failed ? "FAILURE" : "SUCCESS", ActionFailureReason = failed ? "INVALID_CREDENTIALS" : "", IPAddress = office.AddressAt("office", user, sheet.Random),
                    UserAgent = office.Facts.Browsers["Windows"][0], TargetObjects = new[] { new { type = "AppInstance", displayName = "Driver portal", id = "0oa8driver" } }, Application = "Okta",
                    ApplicationInstanceId = "0oa8alderfinch", ApplicationEventId = session, ApplicationSessionId = "trs" + session[..12],
                    RawEventData = new { eventType = "user.session.start", severity = failed ? "WARN" : "INFO", outcome = new { result = failed ? "FAILURE" : "SUCCESS" } }, AdditionalFields = new { legacyEventType = "core.user_auth.login_success" },
                });
            }
        }
    }
}
