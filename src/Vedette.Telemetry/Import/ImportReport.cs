namespace Vedette.Telemetry.Import;

/// <summary>A line that could not be read, or not wholly.</summary>
/// <param name="File">File, or archive and member joined by <c>!</c>.</param>
/// <param name="Line">Line from 1.</param>
/// <param name="Reason">What is wrong, for people.</param>
/// <param name="Lost">False when the event was kept and only part of it is missing.</param>
public sealed record ImportProblem(string File, long Line, string Reason, bool Lost);

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

    /// <summary>Time taken.</summary>
    public TimeSpan Elapsed { get; internal set; }

    /// <summary>Rows of all tables.</summary>
    public long Rows => RowCounts.Values.Sum();
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
