namespace Vedette.Defender.Demo.Office;

/// <summary>What the demo organisation's mail, sign-ins and cloud services are made of.</summary>
internal sealed record OfficeFacts(
    SenderFacts[] Senders,
    SpamFacts[] Spam,
    string[] InternalSubjects,
    string[] FileKinds,
    AppFacts[] Apps,
    PlaceFacts[] Places,
    PrincipalFacts[] Principals,
    GuestFacts[] Guests,
    Dictionary<string, string[]> Browsers,
    TeamFacts[] Teams,
    string[] Chat,
    OAuthFacts[] OAuthApps,
    WorkloadFacts[] Workloads,
    AgentFacts[] Agents);

/// <summary>A company that writes to people of the organisation.</summary>
internal sealed record SenderFacts(string Domain, string Name, string Ip, string[] People, string[] Subjects, string[] Departments, int Weight)
{
    public string? Ipv6 { get; init; }

    public string[] Links { get; init; } = [];

    public double Attachments { get; init; }

    /// <summary>Whether it writes to everybody at once; null for letters between people.</summary>
    public int? Bulk { get; init; }
}

/// <summary>A wave of unwanted mail.</summary>
internal sealed record SpamFacts(string Address, string Display, string Ip, string Subject, string Threat, string Detection, string Action, string Location, int Weight)
{
    public string? Link { get; init; }

    public string? File { get; init; }

    public string? Family { get; init; }
}

/// <summary>An application that people sign in to.</summary>
internal sealed record AppFacts(string Name, string Id, string Resource, string ResourceId, int Weight)
{
    public string[] Departments { get; init; } = [];

    public bool Silent { get; init; }
}

/// <summary>A place that sign-ins come from.</summary>
internal sealed record PlaceFacts(string Name, string Country, string State, string City, string Latitude, string Longitude, string Isp, string Addresses);

/// <summary>A service principal.</summary>
internal sealed record PrincipalFacts(string Name, string Resource, string ResourceId, string From, int PerDay)
{
    public bool Managed { get; init; }

    public int? FailsWith { get; init; }
}

internal sealed record GuestFacts(string Name, string Address);

internal sealed record TeamFacts(string Name, string[] Departments, string[] Channels);

/// <summary>An application with access to the organisation's data.</summary>
internal sealed record OAuthFacts(string Name, string Publisher, string Origin, string Privilege, string[] Permissions, int Users, bool Admin, int Risk);

/// <summary>A cloud workload.</summary>
internal sealed record WorkloadFacts(string Namespace, string Pod, string Container, string Image, string[] Processes, string[] Names);

internal sealed record AgentFacts(string Name, string Description, string Platform, string Status, string Authentication, string Access, string Model, string[] Tools, string[] Sources);
