using System.Globalization;
using Vedette.Telemetry.Import.Reading;

namespace Vedette.Telemetry.Import.Mapping;

/// <summary>A logon session of a device.</summary>
internal sealed class LogonSession
{
    public string? Type { get; set; }

    public string? RemoteAddress { get; set; }

    public string? RemoteDevice { get; set; }

    public bool? IsAdministrator { get; set; }
}

/// <summary>The logon sessions of a device by their number. Bounded: past the limit further sessions are not kept.</summary>
internal sealed class LogonSessions
{
    private const int Capacity = 200_000;
    private readonly Dictionary<long, LogonSession> _sessions = [];

    /// <summary>A session; null when its logon was not recorded.</summary>
    public LogonSession? Find(long logonId) => _sessions.GetValueOrDefault(logonId);

    /// <summary>A session to write to.</summary>
    public LogonSession For(long logonId)
    {
        if (_sessions.TryGetValue(logonId, out var session)) return session;
        session = new LogonSession();
        if (_sessions.Count < Capacity) _sessions.Add(logonId, session);
        return session;
    }
}

/// <summary>
/// What to add to the times of a host's events to get UTC. Exporters write local times, even with a Z behind them and even on a clock of
/// twelve hours; Sysmon's events carry their time twice, so the difference of the two tells.
/// </summary>
internal sealed class HostClock
{
    private readonly Dictionary<TimeSpan, int> _votes = [];

    /// <summary>The offset that most events agree on; zero while nothing is known.</summary>
    public TimeSpan Offset { get; private set; }

    /// <summary>Whether any event told the offset.</summary>
    public bool IsKnown => _votes.Count > 0;

    /// <summary>Hears an event.</summary>
    public void Hear(LogEvent heard)
    {
        if (heard is { ExactTime: { } exact, EnvelopeTime: { } envelope }) Vote(EventTimes.RoundToZone(exact - envelope), 100);
        else if (heard.EnvelopeOffset is { } offset) Vote(offset, 1);
    }

    private void Vote(TimeSpan offset, int weight)
    {
        if (_votes.Count > 64 && !_votes.ContainsKey(offset)) return;
        var votes = _votes[offset] = _votes.GetValueOrDefault(offset) + weight;
        if (offset == Offset || votes > _votes.GetValueOrDefault(Offset)) Offset = offset;
    }
}

/// <summary>Names that a device asked for and the addresses it was told. Bounded: when it is full it begins anew.</summary>
internal sealed class ResolvedNames
{
    private const int Capacity = 50_000;
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    /// <summary>The name that last led to an address; null when none did.</summary>
    public string? Find(string address) => _names.GetValueOrDefault(address);

    /// <summary>Hears the answer to a question, as Sysmon writes it.</summary>
    public void Hear(string? name, string? results)
    {
        if (name is null || results is null) return;
        foreach (var answer in results.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            if (IpKinds.Normalise(answer) is not { } address || IpKinds.IsLoopback(address)) continue;
            if (_names.Count >= Capacity) _names.Clear();
            _names[address] = name.TrimEnd('.').ToLowerInvariant();
        }
    }
}

/// <summary>All that is known of one device while its logs are imported.</summary>
internal sealed class DeviceState
{
    private const int MaxAccounts = 100_000;
    private const int MaxAddresses = 64;
    private const int MaxSoftware = 5_000;
    private readonly Dictionary<(string Company, string Product, string Version), string> _software = [];
    private readonly Dictionary<string, int> _addresses = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _sids = new(StringComparer.Ordinal)
    {
        [@"nt authority\system"] = "S-1-5-18", [@"nt authority\local service"] = "S-1-5-19", [@"nt authority\network service"] = "S-1-5-20",
    };

    private readonly string _shortName;

    public DeviceState(Guid tenantId, string host, ProcessBudget processes)
    {
        Name = host.ToLowerInvariant();
        Id = DeviceIdentity.FromHostName(tenantId, host);
        Processes = new ProcessTable(processes);
        _shortName = Name.Split('.')[0];
    }

    /// <summary>Name in lower case.</summary>
    public string Name { get; }

    /// <summary>Device id.</summary>
    public string Id { get; }

    /// <summary>Clock of its log.</summary>
    public HostClock Clock { get; } = new();

    /// <summary>Its processes.</summary>
    public ProcessTable Processes { get; }

    /// <summary>Its logon sessions.</summary>
    public LogonSessions Sessions { get; } = new();

    /// <summary>Names that it resolved so far.</summary>
    public ResolvedNames Names { get; } = new();

    /// <summary>Remote desktop sessions by number, and the host at the other end.</summary>
    public Dictionary<long, string> RemoteDesktops { get; } = [];

    /// <summary>Users seen, by domain and name.</summary>
    public Dictionary<string, UserState> Users { get; } = new(StringComparer.Ordinal);

    /// <summary>Keys of rows that are given once, as hashes.</summary>
    public HashSet<ulong> GivenOnce { get; } = [];

    /// <summary>Time of the earliest event, UTC, not moved.</summary>
    public DateTime FirstSeen { get; set; } = DateTime.MaxValue;

    /// <summary>Time of the latest event, UTC, not moved.</summary>
    public DateTime LastSeen { get; set; } = DateTime.MinValue;

    /// <summary>Time of the event that last gave rows about the device itself, UTC, not moved.</summary>
    public DateTime? Recorded { get; set; }

    /// <summary>What its logs tell of the operating system.</summary>
    public PlatformGuess Platform { get; } = new();

    /// <summary>Its own addresses, most used first.</summary>
    public IReadOnlyList<string> Addresses =>
        [.. _addresses.OrderByDescending(item => item.Value).ThenBy(item => item.Key, StringComparer.Ordinal).Select(item => item.Key)];

    /// <summary>Whether a name means this device, with or without domain.</summary>
    public bool IsNamed(string name) => name.Split('.')[0].Equals(_shortName, StringComparison.OrdinalIgnoreCase);

    /// <summary>The UTC time of an event of this device; null when it has none.</summary>
    public DateTime? TimeOf(LogEvent source)
    {
        if (source.ExactTime is { } exact) return exact;
        var offset = Clock.IsKnown ? Clock.Offset : source.EnvelopeOffset ?? TimeSpan.Zero;
        return source.EnvelopeTime is { } envelope ? EventClock.Move(envelope, offset) : null;
    }

    /// <summary>Notes an address of the device.</summary>
    public void NoteAddress(string? address)
    {
        if (address is null || IpKinds.Kind(address) is not ("Private" or "Public")) return;
        if (_addresses.TryGetValue(address, out var uses)) _addresses[address] = uses + 1;
        else if (_addresses.Count < MaxAddresses) _addresses.Add(address, 1);
    }

    /// <summary>Programs that ran and that tell who made them, with the first file seen of each.</summary>
    public IReadOnlyList<ObservedSoftware> Software =>
    [
        .. _software.OrderBy(item => item.Key.Company, StringComparer.Ordinal).ThenBy(item => item.Key.Product, StringComparer.Ordinal).ThenBy(item => item.Key.Version, StringComparer.Ordinal)
            .Select(item => new ObservedSoftware(item.Key.Company, item.Key.Product, item.Key.Version, item.Value)),
    ];

    /// <summary>Notes the product that a process's file belongs to. Bounded: past the limit further products are not kept.</summary>
    public void NoteSoftware(ProcessInfo process)
    {
        // Logs write a dash where the file says nothing.
        if (process is not { Company: { Length: > 1 } company, Product: { Length: > 1 } product, Version: { Length: > 1 } version, Image: { } image } || _software.Count >= MaxSoftware) return;
        _software.TryAdd((company, product, version), image);
    }

    /// <summary>Notes which identifier an account has.</summary>
    public void NoteSid(string? domain, string? account, string? sid)
    {
        if (account is null || sid is null || _sids.Count >= MaxAccounts) return;
        _sids.TryAdd($"{domain}\\{account}", sid);
    }

    /// <summary>The identifier of an account; null when no event told it.</summary>
    public string? SidOf(string? domain, string? account) => account is null ? null : _sids.GetValueOrDefault($"{domain}\\{account}");

    /// <summary>A process's values for rows.</summary>
    public ProcessCells CellsOf(ProcessInfo process, TimeSpan shift)
    {
        if (process.Cells is { } cells) return cells;
        var session = process.LogonId is { } logon ? Sessions.Find(logon) : null;
        var desktop = process.SessionId is { } number ? RemoteDesktops.GetValueOrDefault(number) : null;
        var isRemote = desktop is not null ? true
            : session?.Type is { } type ? type is "RemoteInteractive" or "CachedRemoteInteractive"
            : process.LogonId is 0x3e7 or 0x3e4 or 0x3e5 ? false
            : (bool?)null;
        return process.Cells = new ProcessCells
        {
            Pid = process.Pid == 0 ? null : process.Pid,
            Created = process.Created is { } created ? EventClock.Move(created, shift) : null,
            FileName = process.Image is { } image ? LogPaths.FileName(image) : null,
            FolderPath = process.Image,
            FolderPathLower = process.Image is { } path && path.Contains('\\', StringComparison.Ordinal) ? path.ToLowerInvariant() : process.Image,
            LogonId = process.LogonId,
            SessionId = process.SessionId,
            UniqueId = UniqueId(process),

            // Accounts of Linux are the device's own, which the service writes as their domain.
            Domain = process.Domain ?? (process.Account is not null && process.Image?.StartsWith('/') == true ? Name : null),
            Sid = process.Sid ?? SidOf(process.Domain, process.Account),
            IsRemoteSession = isRemote,
            RemoteDevice = isRemote == true ? session?.RemoteDevice ?? desktop : null,
            RemoteAddress = isRemote == true ? session?.RemoteAddress : null,
        };
    }

    // A number for people and joins: the same for every event of the process on this device.
    private string? UniqueId(ProcessInfo process)
    {
        if (process.Guid is null && process.Created is null) return null;
        var key = process.Guid ?? string.Create(CultureInfo.InvariantCulture, $"{process.Pid}/{process.Created!.Value.Ticks}");
        return (StableHash.Of(Id, key) >> 1).ToString(CultureInfo.InvariantCulture);
    }
}

/// <summary>An account that was signed in.</summary>
internal sealed class UserState
{
    public required string Name { get; init; }

    public required string Domain { get; init; }

    public string? Sid { get; set; }

    public DateTime FirstSeen { get; set; }

    public DateTime LastSeen { get; set; }

    public SortedSet<string> LogonTypes { get; } = new(StringComparer.Ordinal);
}

/// <summary>A hash that is the same on every machine and in every run. Source: FNV-1a with a final mix.</summary>
internal static class StableHash
{
    /// <summary>Hash of texts, each ended so that their order and borders count.</summary>
    public static ulong Of(params ReadOnlySpan<string?> texts)
    {
        var hash = 14695981039346656037UL;
        foreach (var text in texts)
        {
            foreach (var value in text.AsSpan()) hash = (hash ^ value) * 1099511628211UL;
            hash = (hash ^ 0xFFFF) * 1099511628211UL;
        }

        return Mix(hash);
    }

    /// <summary>Spreads a number over all bits.</summary>
    public static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }
}
