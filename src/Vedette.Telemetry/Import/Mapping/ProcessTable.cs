using System.Globalization;

namespace Vedette.Telemetry.Import.Mapping;

/// <summary>What is known of one process. Times are UTC, not moved.</summary>
internal sealed class ProcessInfo
{
    public string? Guid { get; set; }

    public long Pid { get; set; }

    public DateTime? Created { get; set; }

    /// <summary>The creation time is to the fraction of a second, not taken from Sysmon's process identity.</summary>
    public bool CreatedExactly { get; set; }

    public DateTime? Ended { get; set; }

    public string? Image { get; set; }

    public string? CommandLine { get; set; }

    public string? Account { get; set; }

    public string? Domain { get; set; }

    public string? Sid { get; set; }

    public long? LogonId { get; set; }

    public long? SessionId { get; set; }

    public string? Integrity { get; set; }

    public string? Elevation { get; set; }

    public string? Sha1 { get; set; }

    public string? Sha256 { get; set; }

    public string? Md5 { get; set; }

    public string? Company { get; set; }

    public string? Product { get; set; }

    public string? Version { get; set; }

    public string? OriginalName { get; set; }

    public string? Description { get; set; }

    public ProcessInfo? Parent { get; set; }

    /// <summary>Texts and boxed numbers for rows, made once; null after something changed.</summary>
    public ProcessCells? Cells { get; set; }
}

/// <summary>
/// How many processes the tables of one import may hold together.
/// </summary>
internal sealed class ProcessBudget(int capacity)
{
    /// <summary>Processes held.</summary>
    public int Used { get; set; }

    /// <summary>Whether a table should let go of some.</summary>
    public bool IsSpent => Used > capacity;
}

/// <summary>
/// The processes of one device, found by Sysmon's identity or by process id and time, each sighting adding what it knows. The table is
/// bounded by the import's budget: when it is spent, processes that ended go first, then the oldest.
/// </summary>
internal sealed class ProcessTable(ProcessBudget budget)
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(10);

    // Windows' security log names the computer's account where the service names the account that the identifier stands for.
    private static readonly Dictionary<string, string> ServiceAccounts = new(StringComparer.Ordinal)
    {
        ["S-1-5-18"] = "system", ["S-1-5-19"] = "local service", ["S-1-5-20"] = "network service",
    };

    private readonly Dictionary<string, ProcessInfo> _byGuid = new(StringComparer.Ordinal);
    private readonly Dictionary<long, List<ProcessInfo>> _byPid = [];
    private readonly Dictionary<string, ProcessInfo> _byCommandLine = new(StringComparer.Ordinal);
    private readonly Queue<ProcessInfo> _order = new();

    /// <summary>The process that a sighting speaks of; null when it says nothing to tell it by.</summary>
    /// <param name="sighting">What the event says.</param>
    /// <param name="time">When it happened.</param>
    /// <param name="creation">The sighting is the process's creation.</param>
    public ProcessInfo? Resolve(ProcessSighting sighting, DateTime time, bool creation = false)
    {
        // Sysmon for Linux gives two runs of a program in one second the same identity; the process id tells them apart.
        if (sighting is { Guid: { } guid, Pid: not 0 } && _byGuid.TryGetValue(guid, out var known) && known.Pid != 0 && known.Pid != sighting.Pid)
        {
            sighting.Guid = string.Create(CultureInfo.InvariantCulture, $"{guid}/{sighting.Pid}");
        }

        var process = Find(sighting, time, creation);
        if (process is null)
        {
            if (sighting is { Guid: null, Pid: 0, Image: null, CommandLine: null, Account: null, Sid: null }) return null;
            process = new ProcessInfo { Guid = sighting.Guid, Pid = sighting.Pid };

            // A sighting by account alone is no process to remember.
            if (sighting.Guid is not null || sighting.Pid != 0 || sighting.CommandLine is not null) Remember(process);
        }

        Learn(process, sighting, time, creation);
        return process;
    }

    /// <summary>Notes that a process ended.</summary>
    public void End(in ProcessSighting sighting, DateTime time)
    {
        if (Find(sighting, time, creation: false) is { } process) process.Ended ??= time;
    }

    private ProcessInfo? Find(in ProcessSighting sighting, DateTime time, bool creation)
    {
        if (sighting.Guid is { } guid)
        {
            if (_byGuid.TryGetValue(guid, out var known)) return known;
            var began = CreationFromGuid(guid) ?? time;
            var adopted = sighting.Pid != 0 ? FindByPid(sighting, began, withoutGuid: true, creation) : creation ? FindCreation(sighting, time) : null;
            if (adopted is null || adopted.Guid is not null) return null;
            adopted.Guid = guid;
            _byGuid.Add(guid, adopted);
            return adopted;
        }

        if (sighting.Pid != 0) return FindByPid(sighting, time, withoutGuid: false, creation) ?? (creation ? FindCreation(sighting, time) : null);
        return sighting.CommandLine is { } line && _byCommandLine.TryGetValue(line, out var named) ? named : null;
    }

    // Some forwarders lose the process id, or the identity is not recorded: the same program with the same command line at the same moment,
    // told once by id and once by identity, is the same process.
    private ProcessInfo? FindCreation(in ProcessSighting sighting, DateTime time)
    {
        if (sighting is not { CommandLine: { } line, Image: { } image } || !_byCommandLine.TryGetValue(line, out var found)) return null;
        var isHalf = sighting.Pid == 0 ? found.Guid is null : found.Pid == 0;
        var isThen = found.Created is { } created && (created - time).Duration() <= Tolerance;
        return isHalf && isThen && found.Image is { } known && LogPaths.SameFile(image, known) ? found : null;
    }

    /// <summary>Notes that two sightings of a parent, one by identity and one by process id, are one process.</summary>
    public void Unify(ProcessInfo first, ProcessInfo second)
    {
        var (kept, gone) = first.Guid is not null ? (first, second) : (second, first);
        if (kept.Guid is null || kept.Pid != 0 || gone.Guid is not null || gone.Pid == 0) return;
        if (kept.Image is null || gone.Image is null || !LogPaths.SameFile(kept.Image, gone.Image)) return;
        if (!_byPid.TryGetValue(gone.Pid, out var list) || list.IndexOf(gone) is not (>= 0 and var index)) return;
        list[index] = kept;
        kept.Pid = gone.Pid;
        kept.CommandLine ??= gone.CommandLine;
        if (gone.CommandLine is { } line) _byCommandLine[line] = kept;
        kept.Account ??= gone.Account;
        kept.Domain ??= gone.Domain;
        kept.Sid ??= gone.Sid;
        kept.LogonId ??= gone.LogonId;
        kept.SessionId ??= gone.SessionId;
        kept.Integrity ??= gone.Integrity;
        kept.Elevation ??= gone.Elevation;
        kept.Parent ??= gone.Parent;
        kept.Ended ??= gone.Ended;
        kept.Cells = null;
    }

    private ProcessInfo? FindByPid(in ProcessSighting sighting, DateTime time, bool withoutGuid, bool creation)
    {
        if (!_byPid.TryGetValue(sighting.Pid, out var candidates)) return null;
        ProcessInfo? best = null;
        foreach (var candidate in candidates)
        {
            if (withoutGuid && candidate.Guid is not null) continue;
            if (sighting.Image is not null && candidate.Image is not null && !LogPaths.SameFile(sighting.Image, candidate.Image)) continue;
            if (candidate.Created is { } created && created > time + Tolerance) continue;
            if (candidate.Ended is { } ended && ended + Tolerance < time) continue;

            // Two creations with one process id are two processes unless they are two reports of the same moment.
            if (creation && !(candidate.Created is { } start && (start - time).Duration() <= Tolerance)) continue;
            if (withoutGuid && candidate.Created is { } began && (began - time).Duration() > Tolerance) continue;
            if (best?.Created is null || candidate.Created >= best.Created) best = candidate;
        }

        return best;
    }

    private void Learn(ProcessInfo process, in ProcessSighting sighting, DateTime time, bool creation)
    {
        var changed = false;
        if (creation && !process.CreatedExactly)
        {
            process.Created = time;
            process.CreatedExactly = true;
            changed = true;
        }
        else if (process.Created is null && process.Guid is { } guid && CreationFromGuid(guid) is { } created)
        {
            process.Created = created;
            changed = true;
        }

        // Sysmon gives the image's true path; other logs give device paths or file names only.
        if (sighting.Image is { } image
            && (process.Image is null || (process.Image.Length < image.Length && !process.Image.Contains(':', StringComparison.Ordinal))))
        {
            process.Image = image;
            changed = true;
        }

        if (process.CommandLine is null && sighting.CommandLine is { } line)
        {
            process.CommandLine = line;
            _byCommandLine[line] = process;
            changed = true;
        }

        // Sysmon reads the account from the process itself; the security log may name the one that created it.
        if (creation && sighting is { Guid: not null, Account: { } own }
            && process.Account is { } other && !own.Equals(other, StringComparison.OrdinalIgnoreCase))
        {
            process.Account = process.Domain = process.Sid = null;
        }

        if (process.Account is null && sighting.Sid is { } known && ServiceAccounts.TryGetValue(known, out var service))
        {
            process.Account = service;
            process.Domain = "nt authority";
            changed = true;
        }
        else if (process.Account is null && sighting.Account is { } account)
        {
            process.Account = account.ToLowerInvariant();
            process.Domain ??= sighting.Domain?.ToLowerInvariant();
            changed = true;
        }

        if (process.Pid == 0 && sighting.Pid != 0)
        {
            process.Pid = sighting.Pid;
            IndexByPid(process);
            changed = true;
        }

        if (process.Sid is null && sighting.Sid is { } sid)
        {
            process.Sid = sid;
            changed = true;
        }

        if (process.LogonId is null && sighting.LogonId is { } logon)
        {
            process.LogonId = logon;
            changed = true;
        }

        if (changed) process.Cells = null;
    }

    private void Remember(ProcessInfo process)
    {
        if (process.Guid is { } guid) _byGuid[guid] = process;
        if (process.Pid != 0) IndexByPid(process);
        _order.Enqueue(process);
        budget.Used++;
        if (budget.IsSpent) Shrink();
    }

    private void IndexByPid(ProcessInfo process)
    {
        if (!_byPid.TryGetValue(process.Pid, out var list)) _byPid.Add(process.Pid, list = []);
        list.Add(process);
    }

    // Drops a quarter: first what has ended, oldest first.
    private void Shrink()
    {
        var drop = (_order.Count / 4) + 1;
        budget.Used -= drop;
        var kept = new List<ProcessInfo>(_order.Count);
        foreach (var process in _order)
        {
            if (drop > 0 && process.Ended is not null)
            {
                Forget(process);
                drop--;
            }
            else
            {
                kept.Add(process);
            }
        }

        _order.Clear();
        foreach (var process in kept)
        {
            if (drop-- > 0) Forget(process);
            else _order.Enqueue(process);
        }
    }

    private void Forget(ProcessInfo process)
    {
        if (process.Guid is { } guid) _byGuid.Remove(guid);
        if (process.CommandLine is { } line && _byCommandLine.TryGetValue(line, out var named) && named == process) _byCommandLine.Remove(line);
        if (!_byPid.TryGetValue(process.Pid, out var list)) return;
        list.Remove(process);
        if (list.Count == 0) _byPid.Remove(process.Pid);
    }

    // The second and third group of Sysmon's process identity are the low and high word of the creation time in Unix seconds.
    private static DateTime? CreationFromGuid(string guid)
    {
        if (!ushort.TryParse(guid.AsSpan(9, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low)
            || !ushort.TryParse(guid.AsSpan(14, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high))
        {
            return null;
        }

        var time = DateTime.UnixEpoch.AddSeconds(((uint)high << 16) | low);
        return time.Year is >= 2000 and < 2100 ? time : null;
    }
}
