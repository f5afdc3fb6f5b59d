using System.Globalization;

namespace Vedette.Defender.Demo.Office;

/// <summary>Who there is: snapshots of people's identities and of their accounts at each provider.</summary>
internal sealed class DemoIdentities(DemoOffice office, DemoSheet sheet)
{
    public void Write()
    {
        foreach (var day in office.Days())
            for (var index = 0; index < office.World.Users.Count; index++) Identity(office.World.Users[index], index, day);
        foreach (var day in office.Days(3))
        {
            foreach (var user in office.World.Users) Accounts(user, day.AddHours(4));
            Service("svc-sql", day.AddHours(4));
            Service("svc-web", day.AddHours(4));
        }
    }

    private DemoUser Manager(DemoUser user) => office.World.Users.First(other => other.Department == user.Department);

    private void Identity(DemoUser user, int index, DateTime day)
    {
        var (organisation, manager) = (office.World.Facts.Organisation, Manager(user));
        var admin = user.Department == "IT";
        var risky = user == office.Intrusion.Victim && day > office.Intrusion.Start;
        sheet.Add("IdentityInfo", day.AddHours(3).AddSeconds(index), new
        {
            ReportId = sheet.Id(string.Create(CultureInfo.InvariantCulture, $"identity/{day:yyyyMMdd}/{index}")), AccountObjectId = user.Account.ObjectId, AccountUpn = user.Account.Upn, OnPremSid = user.Account.Sid,
            AccountDisplayName = user.DisplayName, AccountName = user.Account.Name, AccountDomain = organisation.Domain, CriticalityLevel = admin || user.Department == "Management" ? 1 : 3, Type = "User",
            DistinguishedName = $"CN={user.DisplayName},OU={user.Department},DC={organisation.Domain.Replace(".", ",DC=", StringComparison.Ordinal)}",
            CloudSid = "S-1-12-1-" + string.Join('-', Enumerable.Range(0, 4).Select(part => BitConverter.ToUInt32(Guid.Parse(user.Account.ObjectId).ToByteArray(), part * 4))), user.GivenName, user.Surname, user.Department,
            JobTitle = user.Title, EmailAddress = user.Account.Upn, SipProxyAddress = "sip:" + user.Account.Upn, Address = "Waalhaven 12", organisation.City, organisation.Country, IsAccountEnabled = true,
            Manager = manager == user ? "" : manager.DisplayName, Phone = "+31 10 555 01" + user.Account.Sid[^2..], CreatedDateTime = office.Since(user.Account.Name), ChangeSource = "AzureActiveDirectory",
            BlastRadius = admin ? "High" : user.Department == "Management" ? "Medium" : "Low", CompanyName = organisation.Name, EmployeeId = user.Account.Sid[(user.Account.Sid.LastIndexOf('-') + 1)..],
            OtherMailAddresses = Array.Empty<string>(), RiskLevel = risky ? "High" : "None", RiskLevelDetails = risky ? "none" : "", State = "Zuid-Holland", Tags = user.Department == "Management" ? new[] { "Sensitive" } : [],
            AssignedRoles = admin ? new[] { "Global Reader", "Security Administrator" } : [], PrivilegedEntraPimRoles = user == office.Administrator ? new[] { "Global Administrator" } : [],
            TenantId = office.World.TenantId.ToString(), SourceSystem = "AzureActiveDirectory", OnPremObjectId = sheet.Id("on-premises/" + user.Account.Name), TenantMembershipType = "Member",
            RiskStatus = risky ? "AtRisk" : "None", UserAccountControl = "NormalAccount", IdentityEnvironment = "Hybrid", SourceProviders = new[] { "ActiveDirectory", "EntraID" },
            GroupMembership = new[] { "Everybody", user.Department },
        });
    }

    private void Accounts(DemoUser user, DateTime time)
    {
        var manager = Manager(user);
        foreach (var provider in new[] { "EntraID", "ActiveDirectory" })
        {
            var cloud = provider == "EntraID";
            sheet.Add("IdentityAccountInfo", time, new
            {
                SourceProviderAccountId = cloud ? user.Account.ObjectId : user.Account.Sid, AccountId = sheet.Id($"account/{provider}/{user.Account.Name}"), IdentityId = sheet.Id("identity/" + user.Account.Name),
                IsPrimary = cloud, IdentityLinkType = "Strong identifiers", IdentityLinkReason = "Sid", IdentityLinkTime = office.Since(user.Account.Name), IdentityLinkBy = "System", user.DisplayName, AccountUpn = user.Account.Upn,
                EmailAddress = user.Account.Upn, CriticalityLevel = user.Department is "IT" or "Management" ? 1 : 3, DefenderRiskLevel = user == office.Intrusion.Victim ? 3 : 0, Type = "User", user.GivenName, user.Surname,
                EmployeeId = user.Account.Sid[(user.Account.Sid.LastIndexOf('-') + 1)..], user.Department, JobTitle = user.Title, Address = "Waalhaven 12", office.World.Facts.Organisation.City, office.World.Facts.Organisation.Country,
                Phone = "+31 10 555 01" + user.Account.Sid[^2..], Manager = manager == user ? "" : manager.DisplayName, user.Account.Sid, AccountStatus = "Enabled", SourceProvider = provider,
                SourceProviderInstanceId = cloud ? office.World.TenantId.ToString() : office.World.Facts.Organisation.Domain, SourceProviderInstanceDisplayName = office.World.Facts.Organisation.Name,
                AuthenticationMethod = cloud ? "Hybrid" : "Credentials", EnrolledMfas = cloud ? new[] { "Authenticator app", "SMS" } : [], LastPasswordChangeTime = office.Since("password/" + user.Account.Upn),
                GroupMembership = new[] { "Everybody", user.Department }, AssignedRoles = cloud && user.Department == "IT" ? new[] { "Global Reader", "Security Administrator" } : [], EligibleRoles = cloud && user == office.Administrator ? new[] { "Global Administrator" } : [],
                TenantMembershipType = "Member", CreatedDateTime = office.Since(user.Account.Name), Tags = user.Department == "Management" ? new[] { "Sensitive" } : [], SourceProvderRiskLevel = "\"Low\"", AdditionalFields = new { OnPremisesSync = true },
                TenantId = office.World.TenantId.ToString(),
            });
        }
    }

    private void Service(string name, DateTime time) => sheet.Add("IdentityAccountInfo", time, new
    {
        SourceProviderAccountId = name, AccountId = sheet.Id("account/ActiveDirectory/" + name), IdentityId = sheet.Id("identity/" + name), IsPrimary = true, IdentityLinkType = "Strong identifiers", DisplayName = name,
        AccountUpn = $"{name}@{office.World.Facts.Organisation.Domain}", CriticalityLevel = 1, Type = "ServiceAccount", AccountStatus = "Enabled", SourceProvider = "ActiveDirectory",
        SourceProviderInstanceId = office.World.Facts.Organisation.Domain, AuthenticationMethod = "Credentials", CreatedDateTime = office.Since(name), GroupMembership = new[] { "Service accounts" },
        AdditionalFields = new { ServicePrincipalNames = new[] { $"MSSQLSvc/srv-sql01.{office.World.Facts.Organisation.Domain}:1433" } }, TenantId = office.World.TenantId.ToString(),
    });
}
