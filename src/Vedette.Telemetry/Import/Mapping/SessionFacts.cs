using Vedette.Telemetry.Import.Reading;

namespace Vedette.Telemetry.Import.Mapping;

/// <summary>
/// Learns logon sessions, their users and whether those are administrators from Windows' security log, and remote desktops from Sysmon's
/// clipboard events, which name the client at the other end.
/// </summary>
internal sealed class SessionFacts(FieldNames names)
{
    private const string Administrators = "S-1-5-32-544";

    // Privileges that only administrators hold.
    private static readonly string[] AdministratorPrivileges = ["SeDebugPrivilege", "SeTakeOwnershipPrivilege", "SeLoadDriverPrivilege"];

    // Accounts that Windows makes for itself, by domain.
    private static readonly HashSet<string> ServiceDomains =
        new(StringComparer.Ordinal) { "nt authority", "nt service", "window manager", "font driver host", "iis apppool" };

    private readonly int _targetLogon = names.Add("TargetLogonId");
    private readonly int _linkedLogon = names.Add("TargetLinkedLogonId");
    private readonly int _subjectLogon = names.Add("SubjectLogonId");
    private readonly int _type = names.Add("LogonType");
    private readonly int _address = names.Add("IpAddress");
    private readonly int _workstation = names.Add("WorkstationName");
    private readonly int _groups = names.Add("GroupMembership");
    private readonly int _privileges = names.Add("PrivilegeList");
    private readonly int _name = names.Add("TargetUserName");
    private readonly int _domain = names.Add("TargetDomainName");
    private readonly int _sessionNumber = names.Add("Session");
    private readonly int _clientInfo = names.Add("ClientInfo");
    private readonly int _sid = names.Add("TargetUserSid");

    /// <summary>Hears an event.</summary>
    public void Hear(LogEvent source, DeviceState device, DateTime time)
    {
        switch (source.Id)
        {
            case "24" when source.Family == "sysmon":
                HearClipboard(source, device);
                break;
            case var _ when source.Family != "security":
                break;
            case "4624":
                HearLogon(source, device, time);
                break;
            case "4627" when Session(source, device, _targetLogon) is { } session && source.Text(_groups) is { } groups:
                session.IsAdministrator = groups.Contains(Administrators + "}", StringComparison.Ordinal) || groups.EndsWith(Administrators, StringComparison.Ordinal);
                break;
            case "4672" when Session(source, device, _subjectLogon) is { } session && source.Text(_privileges) is { } privileges:
                session.IsAdministrator ??= Array.Exists(AdministratorPrivileges, privilege => privileges.Contains(privilege, StringComparison.Ordinal));
                break;
        }
    }

    /// <summary>Notes that an account was signed in.</summary>
    public static void NoteUser(DeviceState device, string domain, string name, string? sid, string type, DateTime time)
    {
        // Computers, services, and the bare numbers of audit logs are no people.
        if (name.Length == 0 || name.EndsWith('$') || name is "anonymous logon" || ServiceDomains.Contains(domain)) return;
        if (!name.AsSpan().ContainsAnyExceptInRange('0', '9')) return;
        var key = $"{domain}\\{name}";
        if (!device.Users.TryGetValue(key, out var user))
        {
            if (device.Users.Count >= 10_000) return;
            device.Users.Add(key, user = new UserState { Name = name, Domain = domain, FirstSeen = time, LastSeen = time });
        }

        user.Sid ??= sid;
        user.LogonTypes.Add(type);
        if (time < user.FirstSeen) user.FirstSeen = time;
        if (time > user.LastSeen) user.LastSeen = time;
    }

    private static LogonSession? Session(LogEvent source, DeviceState device, int field) =>
        LogNumbers.Parse(source.Text(field)) is { } logon and not 0 ? device.Sessions.For(logon) : null;

    // "user: DOMAIN\name hostname: host" is written for sessions of a remote desktop only.
    private void HearClipboard(LogEvent source, DeviceState device)
    {
        const string mark = "hostname:";
        if (LogNumbers.Parse(source.Text(_sessionNumber)) is not { } session || source.Text(_clientInfo) is not { } client) return;
        var at = client.IndexOf(mark, StringComparison.OrdinalIgnoreCase);
        var host = at < 0 ? "" : client[(at + mark.Length)..].Trim().ToLowerInvariant();
        if (host.Length > 0 && !device.IsNamed(host) && device.RemoteDesktops.Count < 1000) device.RemoteDesktops[session] = host;
    }

    private void HearLogon(LogEvent source, DeviceState device, DateTime time)
    {
        var name = source.Text(_name)?.ToLowerInvariant();
        var domain = source.Text(_domain)?.ToLowerInvariant() ?? "";
        var sid = source.Text(_sid) is { } text and not "S-1-0-0" ? text : null;
        var type = source.Text(_type) is { } number ? Converters.LogonTypeName(number) : "Unknown";
        device.NoteSid(domain, name, sid);
        if (name is not null) NoteUser(device, domain, name, sid, type, time);
        foreach (var field in (ReadOnlySpan<int>)[_targetLogon, _linkedLogon])
        {
            if (Session(source, device, field) is not { } session) continue;
            session.Type = type;
            session.RemoteAddress = IpKinds.Normalise(source.Text(_address));
            session.RemoteDevice = source.Text(_workstation)?.ToLowerInvariant();
        }
    }
}
