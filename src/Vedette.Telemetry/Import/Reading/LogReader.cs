using System.Security.Cryptography;
using System.Text;

namespace Vedette.Telemetry.Import.Reading;

/// <summary>Reads the events of a recording, whatever its form, in the order of the log.</summary>
/// <param name="names">Field names; written while reading.</param>
/// <param name="families">Provider families of the mapping.</param>
/// <param name="limits">What bounds the readers.</param>
/// <param name="fallbackHost">Host of events that name none; null means the name of the file without its endings.</param>
internal sealed class LogReader(FieldNames names, ProviderFamilies families, ImportLimits limits, string? fallbackHost)
{
    private readonly JsonRecordParser _json = new(names, limits);
    private readonly EventXmlParser _xml = new(names, limits);
    private readonly AuditEventBuilder _audit = new(names);
    private readonly EventHeader _header = new(names);
    private readonly int[] _syslogMessage = [names.Add("SyslogMessage")];
    private readonly int[] _journalHost = [names.Add("_HOSTNAME")];
    private readonly int[] _message = Numbers(names, "Message", "event.original", "log", "RawData");
    private readonly int[] _wrapperHost = Numbers(names, "HostName", "Computer", "host.name", "host.hostname", "agent.hostname", "host");
    private readonly int[] _wrapperProgram = Numbers(names, "ProcessName", "SYSLOG_IDENTIFIER", "process.name", "program", "ident");
    private readonly int[] _wrapperTime = Numbers(names, "TimeGenerated", "@timestamp", "EventTime", "timestamp");
    private readonly int[] _wrapperAddress = [names.Add("HostIP")];
    private readonly int _messageText = names.Add("Message");
    private readonly int _exactTime = names.Add("UtcTime");
    private readonly int _programText = names.Add("Program");
    private readonly int _hostAddress = names.Add("HostIP");
    private AuditAssembler _assembler = new();
    private EventBatch _batch = new();
    private long _ordinal;
    private string _member = "";
    private string _memberHost = "";

    /// <summary>Events given out so far.</summary>
    public long Events => _ordinal;

    /// <summary>Bytes of text read so far, unpacked.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Where unreadable lines are reported; null drops them.</summary>
    public Action<ImportProblem>? OnProblem { get; init; }

    /// <summary>Reads every log of a file.</summary>
    /// <param name="file">The open file.</param>
    /// <param name="rent">Gives an empty batch.</param>
    /// <param name="hash">Gets every byte of text, when given.</param>
    public IEnumerable<EventBatch> Read(LogFileHandle file, Func<EventBatch> rent, IncrementalHash? hash)
    {
        _batch = rent();
        foreach (var member in file.Members)
        {
            _member = member.Name;
            _memberHost = fallbackHost ?? HostFromFile(member.Name);
            _assembler = new AuditAssembler();
            using var raw = member.Open();
            using var stream = hash is null ? raw : new HashingStream(raw, hash);
            var records = new RecordReader(stream, limits.MaxRecordBytes);
            var before = BytesRead;
            while (TryNext(records))
            {
                BytesRead = before + records.BytesRead;
                if (!_batch.IsFull) continue;
                _batch.BytesRead = BytesRead;
                yield return _batch;
                _batch = rent();
            }

            _assembler.Finish();
            while (_assembler.TryTake(out var group))
            {
                if (_batch.IsFull)
                {
                    yield return _batch;
                    _batch = rent();
                }

                CommitAudit(group);
            }
        }

        _batch.BytesRead = BytesRead;
        yield return _batch;
    }

    private static int[] Numbers(FieldNames names, params string[] fields) => [.. fields.Select(names.Add)];

    private static string HostFromFile(string member)
    {
        var name = member[(member.LastIndexOfAny(['!', '/', '\\']) + 1)..];
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 ? name[..dot] : name;
    }

    // Reads one record and adds the events that it completes. A damaged archive ends its member, and says so.
    private bool TryNext(RecordReader records)
    {
        try
        {
            if (!records.TryRead(out var record)) return false;
            if (records.TooLong) Problem(records.Line, $"longer than {limits.MaxRecordBytes} bytes");
            else Handle(record.Trim(" \t\r\n\0"u8), records.Line);
            return true;
        }
        catch (InvalidDataException exception)
        {
            Problem(records.Line, $"the file cannot be unpacked further: {exception.Message}");
            return false;
        }
    }

    private void Handle(ReadOnlySpan<byte> record, long line)
    {
        if (record.IsEmpty) return;
        if (record[0] == '{') HandleJson(record, line);
        else if (record.StartsWith("<Event"u8)) HandleXml(Encoding.UTF8.GetString(record), line, SyslogHeaderless);
        else HandleText(Encoding.UTF8.GetString(record), line);
    }

    private static SyslogLine SyslogHeaderless => new("", "", null, "");

    private void HandleJson(ReadOnlySpan<byte> record, long line)
    {
        var next = _batch.Next();
        var start = _batch.Append(record);
        if (_json.Parse(next, start, record.Length) is { } error)
        {
            _batch.Forget(start);
            Problem(line, error);
            return;
        }

        if (next.Text(_syslogMessage) is { } carried)
        {
            Unwrap(next, carried, start, line);
        }
        else if (_header.Fill(next, families))
        {
            var isBare = next.Family == "sysmon" && next.Count < 16 && next.Text(_exactTime) is null;
            if (isBare && next.Text(_messageText) is { } rendered) ReadRendered(next, rendered);
            Commit(next, line);
        }
        else if (next.Text(_message) is { } message)
        {
            Unwrap(next, message, start, line);
        }
        else
        {
            _batch.Forget(start);
            Problem(line, "the JSON object has neither an event number nor a message");
        }
    }

    // Exports that carry only the rendered message: Sysmon's is the event's own fields, one a line.
    private void ReadRendered(LogEvent target, string message)
    {
        foreach (var line in message.AsSpan().EnumerateLines())
        {
            var colon = line.IndexOf(':');
            if (colon <= 0 || line[..colon].Contains(' ') || target.Count >= limits.MaxFields) continue;
            target.AddText(names.Add(line[..colon].ToString()), line[(colon + 1)..].Trim().ToString());
        }

        if (target.Text(_exactTime) is { } time) target.ExactTime = EventTimes.Parse(time);
    }

    // A syslog message inside JSON, as collectors of Azure Monitor, Beats and journald store it.
    private void Unwrap(LogEvent wrapper, string message, int start, long line)
    {
        var host = wrapper.Text(_journalHost) ?? wrapper.Text(_wrapperHost) ?? "";
        var time = wrapper.Text(_wrapperTime) is { } text ? EventTimes.Parse(text) : null;
        var header = new SyslogLine(host, wrapper.Text(_wrapperProgram) ?? "", time, message);
        var address = wrapper.Text(_wrapperAddress);
        _batch.Forget(start);
        HandleMessage(header, line, address);
    }

    private void HandleText(string text, long line)
    {
        if (AuditRecord.Looks(text)) HandleMessage(new SyslogLine("", "", null, text), line, null);
        else HandleMessage(SyslogLine.Parse(text), line, null);
    }

    private void HandleMessage(SyslogLine header, long line, string? address)
    {
        var message = header.Message;
        var xml = message.IndexOf("<Event>", StringComparison.Ordinal);
        if (xml < 0) xml = message.IndexOf("<Event ", StringComparison.Ordinal);
        if (xml >= 0)
        {
            HandleXml(message[xml..], line, header, address);
            return;
        }

        var audit = message.IndexOf("type=", StringComparison.Ordinal);
        var node = message.IndexOf("node=", StringComparison.Ordinal);
        if (node >= 0 && node < audit) audit = node;
        if (audit >= 0 && AuditRecord.Looks(message.AsSpan(audit)))
        {
            HandleAudit(message[audit..], header, line);
            return;
        }

        if (header.Host.Length == 0 && header.Program.Length == 0)
        {
            Problem(line, "not JSON, not an XML event, not an audit record and not a syslog line");
            return;
        }

        var next = _batch.Next();
        next.Family = "syslog";
        next.Id = header.Program.Length > 0 ? header.Program.ToLowerInvariant() : "unknown";
        next.Host = header.Host;
        next.EnvelopeTime = header.Time;
        next.AddText(_messageText, message);
        next.AddText(_programText, header.Program);
        if (address is not null) next.AddText(_hostAddress, address);
        Commit(next, line);
    }

    private void HandleXml(string xml, long line, SyslogLine header, string? address = null)
    {
        var next = _batch.Next();
        var error = _xml.Parse(next, xml, out var warning);
        if (error is null && !_header.Fill(next, families)) error = "the XML event has no event number";
        if (error is not null)
        {
            Problem(line, error);
            return;
        }

        if (warning is not null) Problem(line, warning, lost: false);
        if (next.Host.Length == 0) next.Host = header.Host;
        next.EnvelopeTime ??= header.Time;
        if (address is not null) next.AddText(_hostAddress, address);
        Commit(next, line);
    }

    private void HandleAudit(string text, SyslogLine header, long line)
    {
        if (AuditRecord.Parse(text, limits.MaxFields, out var error) is not { } record)
        {
            Problem(line, error ?? "not an audit record");
            return;
        }

        _assembler.Add(record.Node.Length > 0 ? record.Node : header.Host, record, new LogPosition(_member, line, 0));
        while (_assembler.TryTake(out var group)) CommitAudit(group);
    }

    private void CommitAudit(AuditGroup group)
    {
        var next = _batch.Next();
        _audit.Build(group, next);
        Commit(next, group.Position.Line);
    }

    private void Commit(LogEvent next, long line)
    {
        if (next.Host.Length == 0) next.Host = _memberHost;
        next.Position = new LogPosition(_member, line, _ordinal++);
        _batch.Commit();
    }

    private void Problem(long line, string reason, bool lost = true) => OnProblem?.Invoke(new ImportProblem(_member, line, reason, lost));
}

/// <summary>Hashes what is read.</summary>
internal sealed class HashingStream(Stream inner, IncrementalHash hash) : ReadThroughStream(inner)
{
    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        var count = Inner.Read(buffer);
        hash.AppendData(buffer[..count]);
        return count;
    }
}
