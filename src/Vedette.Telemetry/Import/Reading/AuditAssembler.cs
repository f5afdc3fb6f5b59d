using System.Globalization;

namespace Vedette.Telemetry.Import.Reading;

/// <summary>The audit records of one serial number, put together.</summary>
/// <param name="Host">Host name; empty when neither the records nor the syslog header name one.</param>
/// <param name="Records">In the order of the log.</param>
/// <param name="Position">Where the first record stands.</param>
internal sealed record AuditGroup(string Host, List<AuditRecord> Records, LogPosition Position);

/// <summary>
/// Collects audit records until their event is complete: at its end-of-event record, or once <see cref="MaxOpen"/> younger events have begun,
/// because the kernel interleaves the records of events that happen at once.
/// </summary>
internal sealed class AuditAssembler
{
    private const int MaxOpen = 32;
    private const int MaxRecords = 256;

    // Characters that open events may hold together; past it the oldest is taken as complete.
    private const long MaxHeld = 16L * 1024 * 1024;
    private readonly LinkedList<AuditGroup> _open = new();
    private readonly Dictionary<(string Host, long Serial, DateTime Time), LinkedListNode<AuditGroup>> _bySerial = [];
    private readonly Queue<AuditGroup> _complete = new();
    private long _held;

    /// <summary>Adds a record.</summary>
    public void Add(string host, AuditRecord record, LogPosition position)
    {
        var key = (host, record.Serial, record.Time);
        if (_bySerial.TryGetValue(key, out var node))
        {
            if (record.Type == "EOE")
            {
                Complete(key, node);
            }
            else if (node.Value.Records.Count < MaxRecords)
            {
                node.Value.Records.Add(record);
                _held += Size(record);
                while (_held > MaxHeld) CompleteOldest();
            }

            return;
        }

        if (record.Type == "EOE") return;
        _bySerial.Add(key, _open.AddLast(new AuditGroup(host, [record], position)));
        _held += Size(record);

        while (_open.Count > MaxOpen || (_held > MaxHeld && _open.Count > 0)) CompleteOldest();
    }

    /// <summary>Declares every open event complete.</summary>
    public void Finish()
    {
        while (_open.Count > 0) CompleteOldest();
    }

    /// <summary>Takes a complete event.</summary>
    public bool TryTake(out AuditGroup group) => _complete.TryDequeue(out group!);

    private static long Size(AuditRecord record) => record.Fields.Sum(field => 40L + field.Key.Length + field.Value.Length);

    private void CompleteOldest()
    {
        var oldest = _open.First!;
        var first = oldest.Value.Records[0];
        Complete((oldest.Value.Host, first.Serial, first.Time), oldest);
    }

    private void Complete((string, long, DateTime) key, LinkedListNode<AuditGroup> node)
    {
        _bySerial.Remove(key);
        _open.Remove(node);
        _held -= node.Value.Records.Sum(Size);
        _complete.Enqueue(node.Value);
    }
}

/// <summary>Turns an assembled audit event into the fields that the mapping reads.</summary>
internal sealed class AuditEventBuilder(FieldNames names)
{
    /// <summary>
    /// Fills the event: every field of its main record under its own name, <c>argv</c> (the command line), <c>cwd</c>, <c>path0</c> …, the
    /// paths by what happened to them (<c>created</c>, <c>deleted</c>), and the socket address as <c>saddr.ip</c>, <c>saddr.port</c>,
    /// <c>saddr.path</c>.
    /// </summary>
    public void Build(AuditGroup group, LogEvent target)
    {
        var main = group.Records.Find(record => record.Type is "SYSCALL" or "AUOMS_SYSCALL" or "AUOMS_EXECVE") ?? group.Records[0];
        target.Family = "auditd";
        target.Id = IdOf(main);
        target.Host = group.Host;
        target.ExactTime = main.Time;
        target.Position = group.Position;
        foreach (var (name, value) in main.Fields) target.AddText(names.Add(name), value);
        Add(target, "syscall.name", AuditSyscalls.NameOf(main));
        foreach (var record in group.Records)
        {
            if (ReferenceEquals(record, main) && record.Type != "AUOMS_EXECVE") continue;
            AddFurther(record, target);
        }
    }

    private static string IdOf(AuditRecord main) =>
        main.Type is "SYSCALL" or "AUOMS_SYSCALL" or "AUOMS_EXECVE" ? AuditSyscalls.NameOf(main) : main.Type;

    private void AddFurther(AuditRecord record, LogEvent target)
    {
        switch (record.Type)
        {
            case "EXECVE":
                Add(target, "argv", CommandLine(record));
                break;
            case "AUOMS_EXECVE":
                if (record["cmdline"] is { Length: > 0 } line) Add(target, "argv", line);
                break;
            case "CWD":
                Add(target, "cwd", record["cwd"] ?? "");
                break;
            case "PROCTITLE":
                Add(target, "proctitle", record["proctitle"] ?? "");
                break;
            case "SOCKADDR":
                AddAddress(record["saddr"] ?? "", target);
                break;
            case "PATH":
                var path = record["name"] ?? "";
                var kind = record["nametype"] ?? "";
                Add(target, "path" + (record["item"] ?? "0"), path);
                if (kind == "CREATE") Add(target, "created", path);
                else if (kind == "DELETE") Add(target, "deleted", path);
                else if (kind == "NORMAL") Add(target, "normal", path);
                break;
        }
    }

    private void Add(LogEvent target, string name, string value)
    {
        if (value.Length > 0) target.AddText(names.Add(name), value);
    }

    // a0, a1 …; a long argument comes in pieces a1[0], a1[1] ….
    private static string CommandLine(AuditRecord record)
    {
        var words = new List<string>();
        foreach (var (name, value) in record.Fields)
        {
            if (name.Length < 2 || name[0] != 'a' || !char.IsAsciiDigit(name[1]) || name.EndsWith("_len", StringComparison.Ordinal)) continue;
            var bracket = name.IndexOf('[', StringComparison.Ordinal);
            if (bracket > 0 && !name.EndsWith("[0]", StringComparison.Ordinal) && words.Count > 0) words[^1] += value;
            else words.Add(value);
        }

        return string.Join(' ', words.Select(Quoted));
    }

    private static string Quoted(string word) =>
        word.Length > 0 && !word.AsSpan().ContainsAny(" \t\n\"'") ? word
        : !word.Contains('"', StringComparison.Ordinal) ? $"\"{word}\""
        : $"'{word}'";

    // The kernel's sockaddr in hexadecimal: family in host order, then port and address in network order.
    private void AddAddress(string text, LogEvent target)
    {
        if (text.Length < 4 || text.Length % 2 != 0 || text.Length > 512 || text.AsSpan().ContainsAnyExcept("0123456789ABCDEFabcdef")) return;
        var bytes = Convert.FromHexString(text);
        switch (bytes[0] | (bytes[1] << 8))
        {
            case 2 when bytes.Length >= 8:
                Add(target, "saddr.ip", new System.Net.IPAddress(bytes.AsSpan(4, 4)).ToString());
                Add(target, "saddr.port", ((bytes[2] << 8) | bytes[3]).ToString(CultureInfo.InvariantCulture));
                break;
            case 10 when bytes.Length >= 24:
                Add(target, "saddr.ip", new System.Net.IPAddress(bytes.AsSpan(8, 16)).ToString());
                Add(target, "saddr.port", ((bytes[2] << 8) | bytes[3]).ToString(CultureInfo.InvariantCulture));
                break;
            case 1:
                Add(target, "saddr.path", System.Text.Encoding.UTF8.GetString(bytes.AsSpan(2)).TrimEnd('\0').TrimStart('\0'));
                break;
        }
    }
}

/// <summary>Names of the system calls that audit rules watch. Source: the kernel's tables for x86-64, i386 and AArch64.</summary>
internal static class AuditSyscalls
{
    private static readonly Dictionary<string, string> X64 = new()
    {
        ["59"] = "execve", ["322"] = "execveat", ["42"] = "connect", ["43"] = "accept", ["288"] = "accept4", ["49"] = "bind",
        ["50"] = "listen", ["2"] = "open", ["257"] = "openat", ["437"] = "openat2", ["85"] = "creat", ["87"] = "unlink",
        ["263"] = "unlinkat", ["82"] = "rename", ["264"] = "renameat", ["316"] = "renameat2", ["83"] = "mkdir", ["258"] = "mkdirat",
        ["84"] = "rmdir", ["86"] = "link", ["265"] = "linkat", ["88"] = "symlink", ["266"] = "symlinkat", ["76"] = "truncate",
        ["77"] = "ftruncate", ["90"] = "chmod", ["91"] = "fchmod", ["268"] = "fchmodat", ["92"] = "chown", ["93"] = "fchown",
        ["260"] = "fchownat", ["101"] = "ptrace", ["175"] = "init_module", ["313"] = "finit_module", ["176"] = "delete_module",
        ["62"] = "kill", ["105"] = "setuid", ["165"] = "mount", ["41"] = "socket", ["44"] = "sendto", ["310"] = "process_vm_readv",
        ["311"] = "process_vm_writev",
    };

    private static readonly Dictionary<string, string> X86 = new()
    {
        ["11"] = "execve", ["358"] = "execveat", ["362"] = "connect", ["364"] = "accept4", ["361"] = "bind", ["363"] = "listen",
        ["5"] = "open", ["295"] = "openat", ["8"] = "creat", ["10"] = "unlink", ["301"] = "unlinkat", ["38"] = "rename",
        ["302"] = "renameat", ["353"] = "renameat2", ["15"] = "chmod", ["26"] = "ptrace", ["128"] = "init_module", ["350"] = "finit_module",
        ["129"] = "delete_module", ["37"] = "kill",
    };

    private static readonly Dictionary<string, string> Arm64 = new()
    {
        ["221"] = "execve", ["281"] = "execveat", ["203"] = "connect", ["202"] = "accept", ["242"] = "accept4", ["200"] = "bind",
        ["201"] = "listen", ["56"] = "openat", ["437"] = "openat2", ["35"] = "unlinkat", ["38"] = "renameat", ["276"] = "renameat2",
        ["34"] = "mkdirat", ["37"] = "linkat", ["36"] = "symlinkat", ["52"] = "fchmod", ["53"] = "fchmodat", ["54"] = "fchownat",
        ["117"] = "ptrace", ["105"] = "init_module", ["273"] = "finit_module", ["106"] = "delete_module", ["129"] = "kill",
        ["146"] = "setuid", ["40"] = "mount",
    };

    /// <summary>The name of a record's system call: resolved by the collector, or looked up by architecture and number.</summary>
    public static string NameOf(AuditRecord record)
    {
        if (record["SYSCALL"] is { Length: > 0 } resolved) return resolved;
        if (record["syscall"] is not { Length: > 0 } number) return record.Type == "AUOMS_EXECVE" ? "execve" : "";
        var table = record["arch"] switch
        {
            "40000003" => X86,
            "c00000b7" => Arm64,
            _ => X64,
        };
        return !char.IsAsciiDigit(number[0]) ? number : table.GetValueOrDefault(number, $"syscall {number}");
    }
}
