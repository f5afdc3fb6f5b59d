namespace Vedette.Telemetry.Import;

/// <summary>A line that could not be read, or not wholly.</summary>
/// <param name="File">File, or archive and member joined by <c>!</c>.</param>
/// <param name="Line">Line from 1.</param>
/// <param name="Reason">What is wrong, for people.</param>
/// <param name="Lost">False when the event was kept and only part of it is missing.</param>
public sealed record ImportProblem(string File, long Line, string Reason, bool Lost)
{
    /// <summary>Byte of the line from 1; 0 when it is the line as a whole.</summary>
    public long Column { get; init; }
}

/// <summary>A member of imported rows that is no column of their table.</summary>
/// <param name="Table">Table.</param>
/// <param name="Column">Name of the member.</param>
/// <param name="Kept">Whether its values are kept in AdditionalFields.</param>
public sealed record UnknownColumn(string Table, string Column, bool Kept)
{
    /// <summary>Rows that had it.</summary>
    public long Rows { get; init; }
}

/// <summary>A person that imported rows of IdentityInfo tell of.</summary>
/// <param name="ObjectId">Identity in the directory.</param>
/// <param name="UserPrincipalName">Name to sign in with.</param>
/// <param name="DisplayName">Full name.</param>
public sealed record ObservedPerson(Guid ObjectId, string UserPrincipalName, string DisplayName)
{
    /// <summary>First name.</summary>
    public string? GivenName { get; init; }

    /// <summary>Family name.</summary>
    public string? Surname { get; init; }

    /// <summary>Department.</summary>
    public string? Department { get; init; }

    /// <summary>Title.</summary>
    public string? JobTitle { get; init; }

    /// <summary>Mail address.</summary>
    public string? Mail { get; init; }

    /// <summary>City.</summary>
    public string? City { get; init; }

    /// <summary>Country.</summary>
    public string? Country { get; init; }
}

/// <summary>What becomes of the events of one kind.</summary>
public enum EventTreatment
{
    /// <summary>Each gives at least one row.</summary>
    Mapped,

    /// <summary>They complete the rows of other events (an elevation, a process that ended) and give none of their own.</summary>
    Merged,

    /// <summary>They have no counterpart in the hunting tables; the report says why.</summary>
    NotMapped,
}

/// <summary>What happened to the events of one kind.</summary>
/// <param name="Type">Family and number, for instance <c>sysmon/1</c>.</param>
/// <param name="Title">What the event is.</param>
/// <param name="Treatment">What becomes of this kind.</param>
/// <param name="Reason">Why a kind gives no rows; empty for one that does.</param>
public sealed record EventTypeReport(string Type, string Title, EventTreatment Treatment, string Reason)
{
    /// <summary>Events read.</summary>
    public long Events { get; internal set; }

    /// <summary>Events that gave rows.</summary>
    public long WithRows { get; internal set; }

    /// <summary>Events that told of something another event already had given rows for.</summary>
    public long Duplicates { get; internal set; }

    /// <summary>Rows given.</summary>
    public long Rows { get; internal set; }

    /// <summary>Events that gave neither rows nor details for other rows: all of kinds that are not mapped, and odd ones of those that are.</summary>
    public long Unmapped => Treatment == EventTreatment.Merged ? 0 : Events - WithRows - Duplicates;
}

/// <summary>What happened to one file.</summary>
/// <param name="File">Path as it was given.</param>
public sealed record FileReport(string File)
{
    /// <summary>SHA-256 of the unpacked text, in lower-case hexadecimal; empty when the file could not be read.</summary>
    public string ContentHash { get; internal set; } = "";

    /// <summary>The same content had been imported before, so nothing was added.</summary>
    public bool AlreadyImported { get; internal set; }

    /// <summary>Chunks that an interrupted import had already stored.</summary>
    public int ChunksResumed { get; internal set; }

    /// <summary>How far every time was moved.</summary>
    public TimeSpan Shift { get; internal set; }

    /// <summary>Time of the first event in UTC, after the move.</summary>
    public DateTime? FirstEvent { get; internal set; }

    /// <summary>Time of the last event in UTC, after the move.</summary>
    public DateTime? LastEvent { get; internal set; }

    /// <summary>Events read.</summary>
    public long Events { get; internal set; }

    /// <summary>Why the file could not be imported at all; null when it could.</summary>
    public string? Error { get; internal set; }
}

/// <summary>What an import did.</summary>
public sealed class ImportReport
{
    internal List<FileReport> FileList { get; } = [];

    internal List<ImportProblem> ProblemList { get; } = [];

    internal SortedDictionary<string, long> RowCounts { get; } = new(StringComparer.Ordinal);

    internal SortedDictionary<string, EventTypeReport> TypeReports { get; } = new(StringComparer.Ordinal);

    internal List<ObservedDevice> DeviceList { get; } = [];

    internal List<ObservedPerson> PersonList { get; } = [];

    internal HashSet<string> AlertSet { get; } = new(StringComparer.Ordinal);

    internal Dictionary<(string Table, string Column), UnknownColumn> Unknown { get; } = [];

    /// <summary>Each file, in the order given.</summary>
    public IReadOnlyList<FileReport> Files => FileList;

    /// <summary>Events read, those of files that had been imported before excepted.</summary>
    public long EventsRead { get; internal set; }

    /// <summary>Rows per table, including those that an interrupted import had stored.</summary>
    public IReadOnlyDictionary<string, long> RowsPerTable => RowCounts;

    /// <summary>Every kind of event that was read, whether mapped or not.</summary>
    public IReadOnlyCollection<EventTypeReport> EventTypes => TypeReports.Values;

    /// <summary>Unreadable lines, up to the listing limit.</summary>
    public IReadOnlyList<ImportProblem> Problems => ProblemList;

    /// <summary>Unreadable lines altogether.</summary>
    public long ProblemCount { get; internal set; }

    /// <summary>Devices seen, with what was learnt of each.</summary>
    public IReadOnlyList<ObservedDevice> Devices => DeviceList;

    /// <summary>People that rows of IdentityInfo tell of.</summary>
    public IReadOnlyList<ObservedPerson> People => PersonList;

    /// <summary>Alerts that rows of AlertInfo and AlertEvidence name.</summary>
    public IReadOnlySet<string> Alerts => AlertSet;

    /// <summary>Members of rows that are no column of their table, each once.</summary>
    public IReadOnlyCollection<UnknownColumn> UnknownColumns => Unknown.Values;

    /// <summary>Records of hunting tables that gave no row; <see cref="Problems"/> says why.</summary>
    public long RowsLost { get; internal set; }

    /// <summary>Rows that the tenant had already and that were therefore left out.</summary>
    public long RowsKnown { get; internal set; }

    /// <summary>Time taken.</summary>
    public TimeSpan Elapsed { get; internal set; }

    /// <summary>Rows of all tables.</summary>
    public long Rows => RowCounts.Values.Sum();

    internal void Note(ImportProblem problem, ImportLimits limits)
    {
        ProblemCount++;
        if (ProblemList.Count < limits.MaxListedProblems) ProblemList.Add(problem);
    }

    internal void Add(UnknownColumn column)
    {
        var key = (column.Table, column.Column);
        Unknown[key] = Unknown.TryGetValue(key, out var known) ? known with { Rows = known.Rows + column.Rows } : column;
    }
}

/// <summary>How far an import is.</summary>
/// <param name="File">File being worked on.</param>
/// <param name="Phase">What is done with it.</param>
/// <param name="EventsDone">Events of this file through this phase.</param>
/// <param name="EventsTotal">Events of this file; 0 while they are being counted.</param>
/// <param name="BytesRead">Bytes of unpacked text read in this phase.</param>
public sealed record ImportProgress(string File, ImportPhase Phase, long EventsDone, long EventsTotal, long BytesRead);

/// <summary>The two passes over a file.</summary>
public enum ImportPhase
{
    /// <summary>Fingerprint, time span, clock offsets, twins.</summary>
    Survey,

    /// <summary>Rows.</summary>
    Import,
}
