using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Vedette.Telemetry.Import.Reading;
using Vedette.Telemetry.Ingest;

namespace Vedette.Telemetry.Import.Mapping;

/// <summary>
/// Turns the events of one recording into hunting rows, in two passes over the same events: <see cref="Survey"/> learns what later events
/// tell about earlier ones (creation times, command lines, accounts, clocks, twins), <see cref="Map"/> gives the rows. Both depend on the
/// recording alone, so a repeated import gives the same rows in the same order.
/// </summary>
internal sealed class EventMapper
{
    private const int MaxDevices = 20_000;
    private const int MaxTwins = 4_000_000;
    private const int MaxGivenOnce = 1_000_000;
    private const int MaxProcesses = 1_000_000;
    private const int TwinSeconds = 10;
    private const int MaxTypes = 10_000;
    private const long ReportIdMask = (1L << 53) - 1;

    // More rows than one event ever gives: keeps the report ids of its rows apart from the next event's.
    private const ulong RowsPerEvent = 1024;
    private static readonly JsonWriterOptions FieldOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly Guid _tenantId;
    private readonly MappingTable _table;
    private readonly Dictionary<string, DeviceState> _devices = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<ulong> _twins = [];
    private readonly Dictionary<(string, string), TypeState> _types = [];
    private readonly SessionFacts _sessions;
    private readonly ProcessBudget _processes;
    private readonly MemoryStream _fieldBytes = new();
    private readonly Utf8JsonWriter _fieldWriter;
    private readonly int _workingDirectory;
    private readonly int _hostVersion;
    private readonly int _imageLoaded;
    private readonly int _fileVersion;
    private readonly int _hostAddress;
    private readonly int _queryName;
    private readonly int _queryResults;
    private MappingScope? _scope;
    private ulong _seed;

    public EventMapper(Guid tenantId, MappingTable table, FieldNames names, int maxProcesses = MaxProcesses)
    {
        _processes = new ProcessBudget(maxProcesses);
        _tenantId = tenantId;
        _table = table;
        _sessions = new SessionFacts(names);
        _fieldWriter = new Utf8JsonWriter(_fieldBytes, FieldOptions);
        _workingDirectory = names.Add("cwd");
        _hostVersion = names.Add("Message:HostVersion");
        _imageLoaded = names.Add("ImageLoaded");
        _fileVersion = names.Add("FileVersion");
        _hostAddress = names.Add("HostIP");
        _queryName = names.Add("QueryName");
        _queryResults = names.Add("QueryResults");
    }

    /// <summary>How far every time is moved; set before <see cref="Map"/>.</summary>
    public TimeSpan Shift { get; private set; }

    /// <summary>Time of the first event, UTC, not moved; null when no event has a time.</summary>
    public DateTime? First { get; private set; }

    /// <summary>Time of the last event, UTC, not moved.</summary>
    public DateTime? Last { get; private set; }

    /// <summary>Devices seen.</summary>
    public IReadOnlyCollection<DeviceState> Devices => _devices.Values;

    /// <summary>What became of each kind of event in the second pass.</summary>
    public IEnumerable<EventTypeReport> Types => _types.Values.Select(state => state.Report);

    /// <summary>Hears the clocks only: run over the first events before the first pass, so that it starts with known offsets.</summary>
    public void HearClock(LogEvent source) => DeviceOf(source.Host)?.Clock.Hear(source);

    /// <summary>First pass.</summary>
    public void Survey(LogEvent source)
    {
        if (DeviceOf(source.Host) is not { } device) return;
        device.Clock.Hear(source);
        if (device.TimeOf(source) is not { } time) return;
        if (time < device.FirstSeen) device.FirstSeen = time;
        if (time > device.LastSeen) device.LastSeen = time;
        device.Platform.HearFamily(source);
        device.NoteAddress(IpKinds.Normalise(source.Text(_hostAddress)));
        var mapping = _table.Find(source.Family, source.Id);
        if (mapping is null) return;
        foreach (var parser in mapping.Parsers) parser.Apply(source);
        var scope = ScopeFor(source, device, time);
        var (actor, _, created) = Processes(mapping, source, device, time);
        if (mapping.Twin is { IsPrimary: true } twin && _twins.Count < MaxTwins)
        {
            var isWhole = Array.TrueForAll(twin.Key, part => part.Evaluate(scope) is not null);
            if (isWhole || twin.Otherwise.Length > 0) _twins.Add(TwinKey(twin, isWhole ? twin.Key : twin.Otherwise, source, scope, 0));
        }

        if (mapping.LocalAddress is { } local && local.When.Holds(scope)) device.NoteAddress(local.Address.EvaluateText(scope));
        _sessions.Hear(source, device, time);
        if (created is not null)
        {
            NoteUser(device, created, time);
            device.NoteSoftware(created);
        }

        device.NoteSid(actor?.Domain, actor?.Account, actor?.Sid);
        device.Platform.HearImage(source.Text(_imageLoaded) ?? created?.Image ?? actor?.Image, source.Text(_fileVersion));
        if (source.Text(_hostVersion) is { } version) device.Platform.HearVersion(version);
    }

    /// <summary>Ends the first pass.</summary>
    /// <param name="contentHash">Fingerprint of the recording, from which report ids are made.</param>
    public void EndSurvey(string contentHash)
    {
        _seed = StableHash.Of(contentHash);
        foreach (var device in _devices.Values.Where(device => device.LastSeen >= device.FirstSeen))
        {
            First = First is null || device.FirstSeen < First ? device.FirstSeen : First;
            Last = Last is null || device.LastSeen > Last ? device.LastSeen : Last;
        }
    }

    /// <summary>Says how far every time is moved. Called once, before the second pass.</summary>
    public void MoveBy(TimeSpan shift)
    {
        Shift = shift;
        _scope = null;
    }

    /// <summary>Second pass: adds the rows of an event.</summary>
    public void Map(LogEvent source, List<HuntingRow> rows)
    {
        var type = TypeOf(source);
        type.Report.Events++;
        if (DeviceOf(source.Host) is not { } device || device.TimeOf(source) is not { } time) return;
        DeviceRows.AddIfDue(device, time, Shift, rows);
        if (type.Mapping is not { } mapping) return;
        foreach (var parser in mapping.Parsers) parser.Apply(source);
        var (actor, subject, created) = Processes(mapping, source, device, time);
        if (mapping.Rows.Length == 0) return;
        if (source is { Family: "sysmon", Id: "22" }) device.Names.Hear(source.Text(_queryName), source.Text(_queryResults));
        var scope = ScopeFor(source, device, time);
        if (mapping.Twin is { IsPrimary: false } twin && IsTold(twin, source, scope))
        {
            type.Report.Duplicates++;
            return;
        }

        var before = rows.Count;
        var number = _seed + ((ulong)source.Position.Ordinal * RowsPerEvent);
        foreach (var row in mapping.Rows)
        {
            if (!Holds(row, scope) || (row.Once is { } once && !IsFirst(device, row, once, scope))) continue;
            if (row.Each is null)
            {
                rows.Add(Build(row, scope, actor, created ?? subject, number++));
            }
            else if (row.Each.Evaluate(scope) is IReadOnlyList<string> items)
            {
                foreach (var item in items)
                {
                    scope.Item = item;
                    rows.Add(Build(row, scope, actor, created ?? subject, number++));
                }
            }
        }

        if (rows.Count == before) return;
        type.Report.WithRows++;
        type.Report.Rows += rows.Count - before;
    }

    /// <summary>The devices seen, for those who keep machines.</summary>
    public IReadOnlyList<ObservedDevice> Observations() =>
    [
        .. _devices.Values.Where(device => device.LastSeen >= device.FirstSeen)
            .OrderBy(device => device.Name, StringComparer.Ordinal)
            .Select(device => DeviceRows.Observe(device, Shift)),
    ];

    private static bool Holds(RowMapping row, MappingScope scope)
    {
        foreach (var condition in row.When)
        {
            if (!condition.Holds(scope)) return false;
        }

        return true;
    }

    private static bool IsFirst(DeviceState device, RowMapping row, ValueExpression once, MappingScope scope)
    {
        if (once.EvaluateText(scope) is not { } key) return false;

        // Past the limit a row may be given again, which costs space and is not wrong.
        var hash = StableHash.Of(row.Table.Name, key);
        return device.GivenOnce.Count >= MaxGivenOnce ? !device.GivenOnce.Contains(hash) : device.GivenOnce.Add(hash);
    }

    private static (ProcessInfo? Actor, ProcessInfo? Subject, ProcessInfo? Created) Processes(
        EventMapping mapping, LogEvent source, DeviceState device, DateTime time)
    {
        if (mapping.Ends is { } ends) device.Processes.End(ends.See(source), time);
        var actor = mapping.Actor is { } who ? device.Processes.Resolve(who.See(source), time) : null;
        var subject = mapping.Subject is { } whom ? device.Processes.Resolve(whom.See(source), time) : null;
        if (mapping.Creates is not { } creates) return (actor, subject, null);
        var scope = new MappingScope { Event = source, Device = device };
        if (Array.Exists(mapping.CreatesWhen, condition => !condition.Holds(scope))) return (actor, subject, null);
        var created = device.Processes.Resolve(creates.See(source), time, creation: true);
        if (created is not null)
        {
            creates.Describe(source, created);
            if (actor is not null && !ReferenceEquals(created, actor))
            {
                if (created.Parent is { } parent && !ReferenceEquals(parent, actor)) device.Processes.Unify(parent, actor);
                created.Parent ??= actor;
            }
        }

        return (actor, subject, created);
    }

    private static void NoteUser(DeviceState device, ProcessInfo process, DateTime time)
    {
        if (process.Account is not { } name || process.SessionId is null or 0) return;
        var type = process.LogonId is { } logon && device.Sessions.Find(logon)?.Type is { } known ? known : "Interactive";
        SessionFacts.NoteUser(device, process.Domain ?? "", name, process.Sid, type, time);
    }

    private DeviceState? DeviceOf(string host)
    {
        if (_devices.TryGetValue(host, out var device)) return device;
        if (host.Length is 0 or > 255 || _devices.Count >= MaxDevices) return null;
        device = new DeviceState(_tenantId, host, _processes);
        _devices.Add(host, device);
        return device;
    }

    private TypeState TypeOf(LogEvent source)
    {
        if (_types.TryGetValue((source.Family, source.Id), out var state)) return state;
        var mapping = _table.Find(source.Family, source.Id);

        // A file that makes up kinds without end gets one line for all of them.
        var (family, id) = mapping is null && _types.Count >= MaxTypes ? ("other", "other") : (source.Family, source.Id);
        if (_types.TryGetValue((family, id), out state)) return state;
        var report = mapping is null
            ? new EventTypeReport($"{family}/{id}", "", EventTreatment.NotMapped, "the mapping does not know this kind of event")
            : new EventTypeReport($"{family}/{id}", mapping.Title, mapping.Treatment, mapping.Reason);
        state = new TypeState(mapping, report);
        _types.Add((family, id), state);
        return state;
    }

    private MappingScope ScopeFor(LogEvent source, DeviceState device, DateTime time)
    {
        var scope = _scope ??= new MappingScope { Event = source, Device = device, Shift = Shift, WorkingDirectory = _workingDirectory };
        scope.Event = source;
        scope.Device = device;
        scope.Time = EventClock.Move(time, Shift);
        scope.Item = null;
        return scope;
    }

    private bool IsTold(TwinMapping twin, LogEvent source, MappingScope scope)
    {
        for (var step = -1; step <= 1; step++)
        {
            if (_twins.Contains(TwinKey(twin, twin.Key, source, scope, step))) return true;
            if (twin.Otherwise.Length > 0 && _twins.Contains(TwinKey(twin, twin.Otherwise, source, scope, step))) return true;
        }

        return false;
    }

    private static ulong TwinKey(TwinMapping twin, ValueExpression[] parts, LogEvent source, MappingScope scope, int step)
    {
        // Both tellers' envelopes come from the same clock, whatever its zone.
        var time = source.EnvelopeTime ?? source.ExactTime ?? DateTime.MinValue;
        var key = StableHash.Of(twin.Group, scope.Device.Name, ReferenceEquals(parts, twin.Key) ? "" : "otherwise");
        foreach (var part in parts) key = StableHash.Mix(key ^ StableHash.Of(part.EvaluateText(scope)?.ToLowerInvariant()));
        return StableHash.Mix(key + (ulong)((time.Ticks / TimeSpan.TicksPerSecond / TwinSeconds) + step));
    }

    private HuntingRow Build(RowMapping mapping, MappingScope scope, ProcessInfo? actor, ProcessInfo? subject, ulong number)
    {
        var reportId = (long)(StableHash.Mix(number) & ReportIdMask);
        var row = new HuntingRow(mapping.Table);
        var values = row.Values;
        var layout = mapping.Layout;
        values[layout.Timestamp] = scope.Time;
        if (layout.DeviceId >= 0) values[layout.DeviceId] = scope.Device.Id;
        if (layout.DeviceName >= 0) values[layout.DeviceName] = scope.Device.Name;
        if (layout.ActionType >= 0) values[layout.ActionType] = mapping.Action;
        if (layout.ReportId >= 0) values[layout.ReportId] = layout.ReportIdIsText ? reportId.ToString(CultureInfo.InvariantCulture) : reportId;
        if (subject is not null) layout.WriteSubject(values, subject, scope.Device.CellsOf(subject, Shift));
        if (actor is not null)
        {
            var parent = actor.Parent is { } ancestor ? scope.Device.CellsOf(ancestor, Shift) : null;
            layout.WriteActor(values, actor, scope.Device.CellsOf(actor, Shift), parent);
        }

        foreach (var (ordinal, value) in mapping.Columns)
        {
            if (value.Evaluate(scope) is { } cell) values[ordinal] = cell;
        }

        if (mapping.Fields.Length > 0 && layout.AdditionalFields >= 0) values[layout.AdditionalFields] = FieldsOf(mapping, scope);
        return row;
    }

    private string? FieldsOf(RowMapping mapping, MappingScope scope)
    {
        _fieldBytes.SetLength(0);
        _fieldWriter.Reset();
        _fieldWriter.WriteStartObject();
        var any = false;
        foreach (var (name, expression) in mapping.Fields)
        {
            if (expression.Evaluate(scope) is not { } value) continue;
            any = true;
            switch (value)
            {
                case bool flag:
                    _fieldWriter.WriteBoolean(name, flag);
                    break;
                case long number:
                    _fieldWriter.WriteNumber(name, number);
                    break;
                case int number:
                    _fieldWriter.WriteNumber(name, number);
                    break;
                case DateTime time:
                    _fieldWriter.WriteString(name, time);
                    break;
                default:
                    _fieldWriter.WriteString(name, value as string ?? "");
                    break;
            }
        }

        if (!any) return null;
        _fieldWriter.WriteEndObject();
        _fieldWriter.Flush();
        return Encoding.UTF8.GetString(_fieldBytes.GetBuffer(), 0, (int)_fieldBytes.Length);
    }

    private sealed record TypeState(EventMapping? Mapping, EventTypeReport Report);
}
