using System.Diagnostics;
using System.Security.Cryptography;
using System.Threading.Channels;
using Vedette.Telemetry.Import.Mapping;
using Vedette.Telemetry.Import.Reading;
using Vedette.Telemetry.Ingest;

namespace Vedette.Telemetry.Import;

/// <summary>How to import.</summary>
public sealed record ImportOptions
{
    /// <summary>
    /// Moves every recording so that its last event happens now; recordings whose times overlap are moved together, so that what happened at
    /// once still does.
    /// </summary>
    public bool ShiftToNow { get; init; }

    /// <summary>Name of the device for events that name none; null takes the file's name.</summary>
    public string? DeviceName { get; init; }

    /// <summary>Moves every time by this much; null leaves times alone, or to <see cref="ShiftToNow"/>.</summary>
    public TimeSpan? ShiftBy { get; init; }

    /// <summary>Hunting table that the files hold rows of; null finds it from their content and names.</summary>
    public string? Table { get; init; }

    /// <summary>Only says what an import of hunting tables would do.</summary>
    public bool DryRun { get; init; }

    /// <summary>Leaves out rows of hunting tables that the tenant has already, and those that the files repeat.</summary>
    public bool SkipKnown { get; init; }

    /// <summary>
    /// Feeds the events as devices would have sent them: in small batches, each when its time has come. The recording is moved so that it begins now. Null imports
    /// as fast as can be.
    /// </summary>
    public ReplayOptions? Replay { get; init; }

    /// <summary>Events in one chunk: what is stored, and after a crash resumed, as a whole.</summary>
    public int ChunkEvents { get; init; } = 5000;

    /// <summary>What bounds the readers.</summary>
    public ImportLimits Limits { get; init; } = new();
}

/// <summary>How a recording is fed as if it happened now.</summary>
public sealed record ReplayOptions
{
    /// <summary>Events in one batch.</summary>
    public const int BatchEvents = 50;

    /// <summary>How many times as fast as it happened; infinity leaves no time between batches. At higher speeds events lie before the time of their arrival.</summary>
    public double Speed { get; init; } = 1;

    /// <summary>Time that events take which lie so far apart.</summary>
    internal TimeSpan Of(TimeSpan recorded) => TimeSpan.FromTicks((long)(recorded.Ticks / Speed));
}

/// <summary>
/// Imports log files into a tenant's telemetry. The steps for each file: survey (fingerprint, time span, clocks, processes), begin in the
/// journal, tell the devices, map and store chunk by chunk, complete. Chunks depend on the content alone and carry a deduplication token, so
/// an import that was cut off anywhere goes on where it was, and one that was complete adds nothing.
/// </summary>
/// <param name="store">Where rows go.</param>
/// <param name="journal">What remembers imports.</param>
/// <param name="observer">Who hears of devices.</param>
/// <param name="time">The clock that says what now is.</param>
public sealed class LogImporter(IHuntingStore store, IImportJournal journal, IDeviceObserver? observer, TimeProvider time)
{
    /// <summary>How the deduplication tokens of imported rows begin.</summary>
    internal const string TokenPrefix = "import/";

    private const string ReplayPrefix = "replay/";

    private static readonly TimeSpan SameRecording = TimeSpan.FromHours(1);

    /// <summary>Imports files.</summary>
    /// <param name="tenantId">Whose telemetry.</param>
    /// <param name="files">Paths of logs: plain, gzip or zip.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Hears how far it is.</param>
    /// <param name="cancellationToken">Stops after the chunk at hand; a later import goes on from there.</param>
    /// <returns>What was done. A file that cannot be opened is told there and does not stop the others.</returns>
    public async Task<ImportReport> ImportAsync(
        Guid tenantId, IReadOnlyList<string> files, ImportOptions options, IProgress<ImportProgress>? progress, CancellationToken cancellationToken)
    {
        var report = new ImportReport();
        await ImportAsync(tenantId, files, options, report, progress, cancellationToken);
        return report;
    }

    /// <summary>Imports files into a report that others write too.</summary>
    internal async Task ImportAsync(
        Guid tenantId, IReadOnlyList<string> files, ImportOptions options, ImportReport report, IProgress<ImportProgress>? progress, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();

        // With ShiftToNow all files are surveyed first, because files that overlap move together; otherwise one after the other, so that only
        // one file's processes are in memory.
        if (options.Replay is not null) options = options with { ShiftToNow = false, ChunkEvents = ReplayOptions.BatchEvents };
        var groups = options.ShiftToNow ? [files.ToArray()] : files.Select(file => new[] { file }).ToArray();
        foreach (var group in groups)
        {
            var recordings = new List<Recording>();
            foreach (var file in group)
            {
                if (await SurveyAsync(tenantId, file, options, report, progress, cancellationToken) is { } recording) recordings.Add(recording);
            }

            var shifts = await ShiftsAsync(tenantId, recordings, options, cancellationToken);
            for (var index = 0; index < recordings.Count; index++)
            {
                await StoreAsync(tenantId, recordings[index], shifts[index], options, report, progress, cancellationToken);
            }
        }

        report.Elapsed += clock.Elapsed;
    }

    private async Task<Recording?> SurveyAsync(
        Guid tenantId,
        string file,
        ImportOptions options,
        ImportReport report,
        IProgress<ImportProgress>? progress,
        CancellationToken cancellationToken)
    {
        var fileReport = new FileReport(file);
        report.FileList.Add(fileReport);
        try
        {
            var recording = await Task.Run(
                () => Recording.Survey(tenantId, file, options, problem => report.Note(problem, options.Limits), progress, cancellationToken),
                cancellationToken);
            recording.Report = fileReport;
            fileReport.ContentHash = recording.ContentHash;
            fileReport.Events = recording.Events;
            return recording;
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or UnauthorizedAccessException or NotSupportedException)
        {
            fileReport.Error = exception.Message;
            return null;
        }
    }

    // Recordings that overlap, or nearly touch, are one story: they share the shift of whichever was begun before.
    private async Task<TimeSpan[]> ShiftsAsync(Guid tenantId, List<Recording> recordings, ImportOptions options, CancellationToken cancellationToken)
    {
        var shifts = new TimeSpan[recordings.Count];
        if (options.ShiftBy is { } fixedShift) Array.Fill(shifts, fixedShift);
        var now = time.GetUtcNow().UtcDateTime;
        if (options.Replay is { } replay && recordings is [{ Mapper: { First: { } begin, Last: { } finish } } only])
        {
            var known = await journal.FindAsync(tenantId, only.ContentHash, cancellationToken);
            return [known is { Complete: false } ? known.Shift : now + replay.Of(finish - begin) - finish];
        }

        if (!options.ShiftToNow || options.ShiftBy is not null) return shifts;
        var order = Enumerable.Range(0, recordings.Count).Where(index => recordings[index].Mapper.Last is not null)
            .OrderBy(index => recordings[index].Mapper.First).ToArray();
        for (var start = 0; start < order.Length;)
        {
            var last = recordings[order[start]].Mapper.Last!.Value;
            var end = start + 1;
            for (; end < order.Length && recordings[order[end]].Mapper.First <= last + SameRecording; end++)
            {
                if (recordings[order[end]].Mapper.Last > last) last = recordings[order[end]].Mapper.Last!.Value;
            }

            var shift = now - last;
            foreach (var index in order[start..end])
            {
                var known = await journal.FindAsync(tenantId, recordings[index].ContentHash, cancellationToken);
                if (known is { Complete: false }) shift = known.Shift;
            }

            foreach (var index in order[start..end]) shifts[index] = shift;
            start = end;
        }

        return shifts;
    }

    private async Task StoreAsync(
        Guid tenantId,
        Recording recording,
        TimeSpan shift,
        ImportOptions options,
        ImportReport report,
        IProgress<ImportProgress>? progress,
        CancellationToken cancellationToken)
    {
        var fileReport = recording.Report!;
        var state = await journal.BeginAsync(tenantId, recording.ContentHash, Path.GetFileName(recording.File), shift, cancellationToken);
        fileReport.Shift = state.Shift;
        fileReport.FirstEvent = recording.Mapper.First is { } first ? EventClock.Move(first, state.Shift) : null;
        fileReport.LastEvent = recording.Mapper.Last is { } last ? EventClock.Move(last, state.Shift) : null;
        if (state.Complete)
        {
            fileReport.AlreadyImported = true;
            return;
        }

        recording.Mapper.MoveBy(state.Shift);

        // Before the rows, so that who acts on rows finds the devices they name.
        var devices = recording.Mapper.Observations();
        if (observer is not null && devices.Count > 0) await observer.ObserveAsync(tenantId, devices, cancellationToken);
        fileReport.ChunksResumed = state.ChunksDone;
        report.EventsRead += recording.Events;
        long rowCount = 0;
        var pace = options.Replay is { } replay && fileReport.FirstEvent is { } begin ? new Pace(replay, begin, time) : null;
        var prefix = pace is null ? TokenPrefix : ReplayPrefix;
        var chunks = Channel.CreateBounded<Chunk>(new BoundedChannelOptions(2) { SingleReader = true, SingleWriter = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var mapping = Task.Run(() => recording.MapAsync(chunks.Writer, options.ChunkEvents, stop.Token), stop.Token);
        try
        {
            await foreach (var chunk in chunks.Reader.ReadAllAsync(cancellationToken))
            {
                if (chunk.Number >= state.ChunksDone)
                {
                    if (pace is not null) await pace.WaitAsync(chunk.Rows, cancellationToken);
                    var token = $"{prefix}{recording.ContentHash}/{state.Shift.Ticks}/{options.ChunkEvents}/{chunk.Number}";
                    if (chunk.Rows.Count > 0) await store.AppendAsync(tenantId, chunk.Rows, token, cancellationToken);
                    await journal.ChunkDoneAsync(tenantId, recording.ContentHash, chunk.Number, cancellationToken);
                }

                rowCount += chunk.Rows.Count;
                foreach (var row in chunk.Rows) report.RowCounts[row.Table.Name] = report.RowCounts.GetValueOrDefault(row.Table.Name) + 1;
                progress?.Report(new ImportProgress(recording.File, ImportPhase.Import, chunk.EventsDone, recording.Events, chunk.BytesRead));
            }

            await mapping;
        }
        finally
        {
            await stop.CancelAsync();
            await ((Task)mapping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await journal.CompleteAsync(tenantId, recording.ContentHash, recording.Events, rowCount, cancellationToken);
        report.DeviceList.AddRange(devices);
        foreach (var type in recording.Mapper.Types) Add(report, type);
    }

    private static void Add(ImportReport report, EventTypeReport type)
    {
        if (!report.TypeReports.TryGetValue(type.Type, out var sum))
        {
            sum = type with { Events = 0, WithRows = 0, Duplicates = 0, Rows = 0 };
            report.TypeReports.Add(type.Type, sum);
        }

        sum.Events += type.Events;
        sum.WithRows += type.WithRows;
        sum.Duplicates += type.Duplicates;
        sum.Rows += type.Rows;
    }
}

/// <summary>Holds batches of a replayed recording back until their time has come.</summary>
/// <param name="replay">How fast.</param>
/// <param name="first">Time of the first event, as it is stored.</param>
/// <param name="time">The clock.</param>
internal sealed class Pace(ReplayOptions replay, DateTime first, TimeProvider time)
{
    private DateTime? _begun;

    /// <summary>Waits until the last of the rows would have happened. The first batch, also of a replay that goes on, sets the time.</summary>
    public async Task WaitAsync(IReadOnlyList<HuntingRow> rows, CancellationToken cancellationToken)
    {
        var last = rows.Select(static row => row.Table.OrdinalOf("Timestamp") is >= 0 and var at ? row.Values[at] as DateTime? : null).Max();
        if (last is not { } moment || moment < first) return;
        var now = time.GetUtcNow().UtcDateTime;
        _begun ??= now - replay.Of(moment - first);
        var wait = _begun.Value + replay.Of(moment - first) - now;
        if (wait > TimeSpan.Zero) await Task.Delay(wait, time, cancellationToken);
    }
}

/// <summary>Rows that are stored as a whole.</summary>
/// <param name="Number">Number from 0.</param>
/// <param name="Rows">The rows, perhaps none.</param>
/// <param name="EventsDone">Events of the file up to and including this chunk.</param>
/// <param name="BytesRead">Bytes of text up to and including this chunk.</param>
internal sealed record Chunk(int Number, List<HuntingRow> Rows, long EventsDone, long BytesRead);

/// <summary>One file on its way through the two passes.</summary>
internal sealed class Recording
{
    // Enough events to hear every host's clock before the first pass relies on them.
    private const int ClockEvents = 4096;
    private readonly ImportOptions _options;
    private readonly FieldNames _names;

    private Recording(string file, ImportOptions options, EventMapper mapper, FieldNames names)
    {
        File = file;
        Mapper = mapper;
        _options = options;
        _names = names;
    }

    /// <summary>Path as given.</summary>
    public string File { get; }

    /// <summary>What was learnt and what maps.</summary>
    public EventMapper Mapper { get; }

    /// <summary>SHA-256 of the unpacked text.</summary>
    public string ContentHash { get; private set; } = "";

    /// <summary>Events in the file.</summary>
    public long Events { get; private set; }

    /// <summary>The file's part of the report.</summary>
    public FileReport? Report { get; set; }

    /// <summary>First pass over a file.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is a damaged archive.</exception>
    public static Recording Survey(
        Guid tenantId,
        string file,
        ImportOptions options,
        Action<ImportProblem> onProblem,
        IProgress<ImportProgress>? progress,
        CancellationToken cancellationToken)
    {
        var table = MappingTable.Default;
        var names = table.Names.Fork();
        var mapper = new EventMapper(tenantId, table, names);
        var recording = new Recording(file, options, mapper, names);
        var batch = new EventBatch();
        EventBatch Rent()
        {
            batch.Clear();
            return batch;
        }

        using (var handle = LogFiles.Open(file, options.Limits))
        {
            var seen = 0;
            foreach (var part in recording.Reader(null).Read(handle, Rent, hash: null))
            {
                for (var index = 0; index < part.Count; index++) mapper.HearClock(part[index]);
                seen += part.Count;
                if (seen >= ClockEvents || cancellationToken.IsCancellationRequested) break;
            }
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var handle = LogFiles.Open(file, options.Limits))
        {
            var reader = recording.Reader(onProblem);
            foreach (var part in reader.Read(handle, Rent, hash))
            {
                cancellationToken.ThrowIfCancellationRequested();
                for (var index = 0; index < part.Count; index++) mapper.Survey(part[index]);
                progress?.Report(new ImportProgress(file, ImportPhase.Survey, reader.Events, 0, part.BytesRead));
            }

            recording.Events = reader.Events;
        }

        recording.ContentHash = Convert.ToHexStringLower(hash.GetHashAndReset());
        mapper.EndSurvey(recording.ContentHash);
        return recording;
    }

    /// <summary>Second pass: reads on one thread, maps on another, and writes chunks.</summary>
    public async Task MapAsync(ChannelWriter<Chunk> chunks, int chunkEvents, CancellationToken cancellationToken)
    {
        var full = Channel.CreateBounded<EventBatch>(new BoundedChannelOptions(2) { SingleReader = true, SingleWriter = true });
        var empty = Channel.CreateUnbounded<EventBatch>();
        for (var index = 0; index < 4; index++) empty.Writer.TryWrite(new EventBatch());
        var reading = Task.Run(() => ReadBatchesAsync(full.Writer, empty.Reader, cancellationToken), cancellationToken);
        Exception? failure = null;
        try
        {
            var rows = new List<HuntingRow>();
            var number = 0;
            long done = 0;
            var inChunk = 0;
            long bytes = 0;
            await foreach (var batch in full.Reader.ReadAllAsync(cancellationToken))
            {
                bytes = batch.BytesRead;
                for (var index = 0; index < batch.Count; index++)
                {
                    Mapper.Map(batch[index], rows);
                    done++;
                    if (++inChunk < chunkEvents) continue;
                    await chunks.WriteAsync(new Chunk(number++, rows, done, bytes), cancellationToken);
                    rows = new List<HuntingRow>(rows.Count);
                    inChunk = 0;
                }

                batch.Clear();
                empty.Writer.TryWrite(batch);
            }

            await reading;
            if (inChunk > 0) await chunks.WriteAsync(new Chunk(number, rows, done, bytes), cancellationToken);
        }
        catch (Exception exception)
        {
            failure = exception;
            throw;
        }
        finally
        {
            chunks.TryComplete(failure);
        }
    }

    private async Task ReadBatchesAsync(ChannelWriter<EventBatch> full, ChannelReader<EventBatch> empty, CancellationToken cancellationToken)
    {
        Exception? failure = null;
        try
        {
            using var handle = LogFiles.Open(File, _options.Limits);
            EventBatch Rent()
            {
                // Waits on a thread of the pool for the mapper to give a batch back.
                var next = empty.ReadAsync(cancellationToken).AsTask().GetAwaiter().GetResult();
                next.Clear();
                return next;
            }

            foreach (var batch in Reader(null).Read(handle, Rent, hash: null)) await full.WriteAsync(batch, cancellationToken);
        }
        catch (Exception exception)
        {
            failure = exception;
            throw;
        }
        finally
        {
            full.TryComplete(failure);
        }
    }

    private LogReader Reader(Action<ImportProblem>? onProblem) =>
        new(_names, new ProviderFamilies(MappingTable.Default.Families), _options.Limits, _options.DeviceName) { OnProblem = onProblem };
}
