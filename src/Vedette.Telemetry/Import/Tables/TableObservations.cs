using System.Text.Json;
using Vedette.Telemetry.Ingest;

namespace Vedette.Telemetry.Import.Tables;

/// <summary>Gathers the devices, people and alerts that imported rows speak of.</summary>
internal sealed class TableObservations
{
    private readonly Dictionary<string, Device> _devices = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ObservedPerson> _people = new(StringComparer.Ordinal);

    /// <summary>Alerts that rows of AlertInfo and AlertEvidence name.</summary>
    public HashSet<string> Alerts { get; } = new(StringComparer.Ordinal);

    /// <summary>People that rows of IdentityInfo tell of.</summary>
    public IReadOnlyCollection<ObservedPerson> People => _people.Values;

    /// <summary>The devices that have a name and were seen at some time, with times moved.</summary>
    public IReadOnlyList<ObservedDevice> Devices(TimeSpan shift) => [.. _devices.Values.Where(device => device.Name.Length > 0 && device.IsSeen).Select(device => device.Observed(shift))];

    /// <summary>Looks at a row.</summary>
    public void See(HuntingRow row, DateTime? time)
    {
        var table = row.Table;
        if (table.Name is "AlertInfo" or "AlertEvidence")
        {
            if (row["AlertId"] is string { Length: > 0 } alert) Alerts.Add(alert);
        }
        else if (table.Name == "IdentityInfo")
        {
            Person(row);
        }

        if (!table.Name.StartsWith("Device", StringComparison.Ordinal) || table.OrdinalOf("DeviceId") is not (>= 0 and var id) || row.Values[id] is not string { Length: > 0 } deviceId) return;
        if (!_devices.TryGetValue(deviceId, out var device)) _devices[deviceId] = device = new Device(deviceId);
        if (table.OrdinalOf("DeviceName") is >= 0 and var named && row.Values[named] is string { Length: > 0 } name) device.Name = name;
        if (time is { } seen) device.SeenAt(seen);
        switch (table.Name)
        {
            case "DeviceInfo":
                device.Describe(row);
                break;
            case "DeviceNetworkInfo":
                device.Addresses(row);
                break;
            case "DeviceLogonEvents" when row["ActionType"] as string == "LogonSuccess":
                device.User(row["AccountName"] as string, row["AccountDomain"] as string, row["AccountSid"] as string, row["LogonType"] as string, time);
                break;
        }
    }

    private void Person(HuntingRow row)
    {
        if (row["AccountUpn"] is not string { Length: > 0 } upn || !Guid.TryParse(row["AccountObjectId"] as string, out var id)) return;
        string? Text(string column) => row[column] is string { Length: > 0 } text ? text : null;
        _people[upn] = new ObservedPerson(id, upn, Text("AccountDisplayName") ?? upn)
        {
            GivenName = Text("GivenName"), Surname = Text("Surname"), Department = Text("Department"), JobTitle = Text("JobTitle"), Mail = Text("EmailAddress"), City = Text("City"), Country = Text("Country"),
        };
    }

    private sealed class Device(string id)
    {
        private readonly List<string> _addresses = [];
        private readonly List<string> _hardware = [];
        private readonly Dictionary<(string, string), ObservedUser> _users = [];
        private DateTime _first = DateTime.MaxValue;
        private DateTime _last;
        private string _platform = "";
        private string _version = "";
        private long? _build;

        public string Name { get; set; } = "";

        public bool IsSeen => _last != default;

        public void SeenAt(DateTime time)
        {
            if (time < _first) _first = time;
            if (time > _last) _last = time;
        }

        public void Describe(HuntingRow row)
        {
            if (row["OSPlatform"] is string { Length: > 0 } platform) _platform = platform;
            if (row["OSVersion"] is string { Length: > 0 } version) _version = version;
            if (row["OSBuild"] is { } build && long.TryParse(Convert.ToString(build, System.Globalization.CultureInfo.InvariantCulture), out var number)) _build = number;
            foreach (var user in Elements(row["LoggedOnUsers"] as string)) User(Member(user, "UserName"), Member(user, "DomainName"), Member(user, "Sid"), "Interactive", row["Timestamp"] as DateTime?);
        }

        public void Addresses(HuntingRow row)
        {
            foreach (var address in Elements(row["IPAddresses"] as string))
                if (Member(address, "IPAddress") is { Length: > 0 } text && !_addresses.Contains(text) && _addresses.Count < 64) _addresses.Add(text);
            if (row["MacAddress"] is string { Length: > 0 } mac && !_hardware.Contains(mac) && _hardware.Count < 64) _hardware.Add(mac);
        }

        public void User(string? name, string? domain, string? sid, string? type, DateTime? time)
        {
            if (name is not { Length: > 0 } || _users.Count >= 1000) return;
            var (key, seen) = ((name.ToLowerInvariant(), (domain ?? "").ToLowerInvariant()), time ?? _last);
            _users[key] = _users.TryGetValue(key, out var known)
                ? known with { FirstSeen = seen < known.FirstSeen ? seen : known.FirstSeen, LastSeen = seen > known.LastSeen ? seen : known.LastSeen, LogonTypes = type is null || known.LogonTypes.Contains(type) ? known.LogonTypes : [.. known.LogonTypes, type] }
                : new ObservedUser(key.Item1, key.Item2, sid ?? "") { FirstSeen = seen, LastSeen = seen, LogonTypes = type is null ? [] : [type] };
        }

        public ObservedDevice Observed(TimeSpan shift) => new()
        {
            DeviceId = id, Name = Name, OsPlatform = _platform, OsVersion = _version, OsBuild = _build, IpAddresses = _addresses, MacAddresses = _hardware, FirstSeen = _first + shift, LastSeen = _last + shift,
            LoggedOnUsers = [.. _users.Values.Select(user => user with { FirstSeen = Moved(user.FirstSeen, shift), LastSeen = Moved(user.LastSeen, shift) })],
        };

        private static DateTime Moved(DateTime time, TimeSpan shift) => time == default ? time : time + shift;

        private static List<JsonElement> Elements(string? json)
        {
            if (string.IsNullOrEmpty(json)) return [];
            try
            {
                using var document = JsonDocument.Parse(json);
                return document.RootElement.ValueKind == JsonValueKind.Array ? [.. document.RootElement.EnumerateArray().Where(element => element.ValueKind == JsonValueKind.Object).Select(element => element.Clone())] : [];
            }
            catch (JsonException)
            {
                return [];
            }
        }

        private static string? Member(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }
}
