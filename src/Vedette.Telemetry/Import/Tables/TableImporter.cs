using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Vedette.Kql;
using Vedette.Telemetry.Import.Mapping;
using Vedette.Telemetry.Import.Reading;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Import.Tables;

/// <summary>
/// Imports exports of hunting tables. As with logs, each file is read twice: once for its fingerprint, its times and the devices and people it speaks of,
/// and once for its rows, which are stored in chunks that depend on the content alone.
/// </summary>
/// <param name="store">Where rows go.</param>
/// <param name="journal">What remembers imports.</param>
/// <param name="observer">Who hears of devices.</param>
/// <param name="stored">What knows the rows that are there; null when nothing is to be compared.</param>
/// <param name="time">The clock that says what now is.</param>
internal sealed class TableImporter(IHuntingStore store, IImportJournal journal, IDeviceObserver? observer, StoredRows? stored, TimeProvider time)
{
    private readonly Dictionary<string, HashSet<UInt128>> _taken = new(StringComparer.Ordinal);

    /// <summary>Imports files of tables into a report.</summary>
    public async Task ImportAsync(
        Guid tenantId, IReadOnlyList<(string Path, TableFile Form)> files, ImportOptions options, ImportReport report, IProgress<ImportProgress>? progress, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var surveys = new List<Survey>();
        foreach (var (path, form) in files)
        {
            var fileReport = new FileReport(path);
            report.FileList.Add(fileReport);
            try
            {
                surveys.Add(await Task.Run(() => Look(path, form, options, fileReport, progress, cancellationToken), cancellationToken));
            }
            catch (Exception exception) when (exception is IOException or InvalidDataException or UnauthorizedAccessException or NotSupportedException)
            {
                fileReport.Error = exception.Message;
            }
        }

        // Exports belong to one tenant's life, so they are all moved by the same amount.
        var last = surveys.Where(survey => survey.Last > default(DateTime)).Select(survey => survey.Last).DefaultIfEmpty().Max();
        var shift = options.ShiftBy ?? (options.ShiftToNow && last > default(DateTime) ? time.GetUtcNow().UtcDateTime - last : TimeSpan.Zero);
        foreach (var survey in surveys)
        {
            if (await journal.FindAsync(tenantId, survey.ContentHash, cancellationToken) is { Complete: false } known) shift = known.Shift;
        }

        foreach (var survey in surveys) await StoreAsync(tenantId, survey, shift, options, report, progress, cancellationToken);
        report.Elapsed += clock.Elapsed;
    }

    private static Survey Look(string path, TableFile form, ImportOptions options, FileReport report, IProgress<ImportProgress>? progress, CancellationToken cancellationToken)
    {
        var survey = new Survey(path, form, report);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (row, bytes) in Rows(path, form, options, survey.Observed, null, hash, cancellationToken))
        {
            survey.Rows++;
            if (survey.Rows % 10_000 == 0) progress?.Report(new ImportProgress(path, ImportPhase.Survey, survey.Rows, 0, bytes));
            if (Time(row) is not { } moment) continue;
            if (moment < survey.First) survey.First = moment;
            if (moment > survey.Last) survey.Last = moment;
        }

        // The same rows for another table are another content.
        if (form.Table is { } table) hash.AppendData(Encoding.UTF8.GetBytes("\0" + table.Name));
        survey.ContentHash = Convert.ToHexStringLower(hash.GetHashAndReset());
        report.ContentHash = survey.ContentHash;
        report.Events = survey.Rows;
        return survey;
    }

    private async Task StoreAsync(
        Guid tenantId, Survey survey, TimeSpan shift, ImportOptions options, ImportReport report, IProgress<ImportProgress>? progress, CancellationToken cancellationToken)
    {
        var known = options.DryRun
            ? await journal.FindAsync(tenantId, survey.ContentHash, cancellationToken) ?? new ImportState(shift, 0, false)
            : await journal.BeginAsync(tenantId, survey.ContentHash, Path.GetFileName(survey.Path), shift, cancellationToken);
        survey.Report.Shift = known.Shift;
        survey.Report.FirstEvent = survey.Last == default ? null : EventClock.Move(survey.First, known.Shift);
        survey.Report.LastEvent = survey.Last == default ? null : EventClock.Move(survey.Last, known.Shift);
        if (known.Complete)
        {
            survey.Report.AlreadyImported = true;
            return;
        }

        var devices = survey.Observed.Devices(known.Shift);
        if (!options.DryRun && observer is not null && devices.Count > 0) await observer.ObserveAsync(tenantId, devices, cancellationToken);
        var mapper = new TableRowMapper(Path.GetFileName(survey.Path), options.Limits, problem => report.Note(problem, options.Limits));
        var chunk = new List<HuntingRow>(options.ChunkEvents);
        var (number, done, rows, bytesRead) = (0, 0L, 0L, 0L);
        var pending = Task.CompletedTask;
        foreach (var (row, bytes) in Rows(survey.Path, survey.Form, options, null, mapper, null, cancellationToken))
        {
            if (known.Shift != TimeSpan.Zero) Move(row, known.Shift);
            bytesRead = bytes;
            chunk.Add(row);
            if (chunk.Count < options.ChunkEvents) continue;
            await FlushAsync();
        }

        if (chunk.Count > 0) await FlushAsync();
        await pending;
        if (!options.DryRun) await journal.CompleteAsync(tenantId, survey.ContentHash, done, rows, cancellationToken);
        report.EventsRead += done + mapper.Lost;
        report.RowsLost += mapper.Lost;
        report.DeviceList.AddRange(devices);
        report.PersonList.AddRange(survey.Observed.People);
        report.AlertSet.UnionWith(survey.Observed.Alerts);
        foreach (var column in mapper.Unknown) report.Add(column);

        async Task FlushAsync()
        {
            await pending;
            var (full, index) = (chunk, number++);
            chunk = new List<HuntingRow>(options.ChunkEvents);
            done += full.Count;
            var whole = full.Count;
            if (options.SkipKnown && stored is not null) full = await NewAsync(tenantId, full, cancellationToken);
            report.RowsKnown += whole - full.Count;
            rows += full.Count;
            foreach (var row in full) report.RowCounts[row.Table.Name] = report.RowCounts.GetValueOrDefault(row.Table.Name) + 1;
            progress?.Report(new ImportProgress(survey.Path, ImportPhase.Import, done, survey.Rows, bytesRead));
            if (!options.DryRun && index >= known.ChunksDone) pending = AppendAsync(full, index);
        }

        async Task AppendAsync(List<HuntingRow> full, int index)
        {
            if (full.Count > 0) await store.AppendAsync(tenantId, full, $"import/{survey.ContentHash}/{known.Shift.Ticks}/{options.ChunkEvents}/{index}", cancellationToken);
            await journal.ChunkDoneAsync(tenantId, survey.ContentHash, index, cancellationToken);
        }
    }

    // Rows that neither the tenant has nor an earlier row of this import repeats.
    private async Task<List<HuntingRow>> NewAsync(Guid tenantId, List<HuntingRow> rows, CancellationToken cancellationToken)
    {
        var result = new List<HuntingRow>(rows.Count);
        foreach (var group in rows.GroupBy(row => row.Table.Name))
        {
            var table = HuntingSchema.Tables[group.Key];
            var (from, until) = (group.Min(Time) ?? default, group.Max(Time) ?? default);
            var known = await stored!.HashesAsync(tenantId, table, from, until, cancellationToken);
            if (!_taken.TryGetValue(group.Key, out var taken)) _taken[group.Key] = taken = [];
            foreach (var row in group)
            {
                var hash = StoredRows.Hash(row.Values);
                if (!known.Contains(hash) && taken.Add(hash)) result.Add(row);
            }
        }

        return result;
    }

    private static IEnumerable<(HuntingRow Row, long Bytes)> Rows(
        string path, TableFile form, ImportOptions options, TableObservations? observed, TableRowMapper? mapper, IncrementalHash? hash, CancellationToken cancellationToken)
    {
        mapper ??= new TableRowMapper(path, options.Limits, null);
        using var handle = LogFiles.Open(path, options.Limits);
        foreach (var member in handle.Members)
        {
            using var stream = new HashingStream(member.Open(), hash);
            foreach (var row in form.Form == TableForm.Separated ? Separated(stream, form.Table!, options, mapper) : Json(stream, form, options, mapper))
            {
                cancellationToken.ThrowIfCancellationRequested();
                observed?.See(row, Time(row));
                yield return (row, stream.Count);
            }
        }
    }

    private static IEnumerable<HuntingRow> Json(Stream stream, TableFile form, ImportOptions options, TableRowMapper mapper)
    {
        var reader = new JsonRowReader(stream, options.Limits.MaxRecordBytes);
        while (Next(reader, form, mapper, out var row))
            if (row is not null) yield return row;
    }

    private static bool Next(JsonRowReader reader, TableFile form, TableRowMapper mapper, out HuntingRow? row)
    {
        row = null;
        if (!reader.TryRead(out var value)) return false;
        if (reader.Problem is { } problem) mapper.Lose(reader.Place, problem);
        else row = form.Table is { } table ? mapper.Row(table, value, reader.Place) : mapper.Record(value, reader.Place);
        return true;
    }

    private static IEnumerable<HuntingRow> Separated(Stream stream, HuntingTable table, ImportOptions options, TableRowMapper mapper)
    {
        var reader = new CsvRowReader(stream, options.Limits.MaxRecordBytes);
        if (!reader.TryRead(out var head)) yield break;
        var columns = TableRowMapper.Columns(head);
        if (!columns.Any(column => table.OrdinalOf(column) >= 0)) throw new InvalidDataException($"its first line names no column of {table.Name}");
        while (reader.TryRead(out var fields))
        {
            if (reader.Problem is { } problem) mapper.Lose(fields[0].Place, problem);
            else if (mapper.Row(table, columns, fields) is { } row) yield return row;
        }
    }

    private static void Move(HuntingRow row, TimeSpan shift)
    {
        for (var index = 0; index < row.Values.Length; index++)
            if (row.Values[index] is DateTime moment && row.Table.Columns[index].Type == KqlType.DateTime) row.Values[index] = EventClock.Move(moment, shift);
    }

    private static DateTime? Time(HuntingRow row) => PhysicalTable.All[row.Table.Name].TimeColumn is { } column ? (DateTime?)row[column] : null;

    /// <summary>What the first reading of a file found.</summary>
    private sealed class Survey(string path, TableFile form, FileReport report)
    {
        public string Path { get; } = path;

        public TableFile Form { get; } = form;

        public FileReport Report { get; } = report;

        public TableObservations Observed { get; } = new();

        public string ContentHash { get; set; } = "";

        public long Rows { get; set; }

        public DateTime First { get; set; } = DateTime.MaxValue;

        public DateTime Last { get; set; }
    }

    /// <summary>Counts and hashes what goes through.</summary>
    private sealed class HashingStream(Stream inner, IncrementalHash? hash) : ReadThroughStream(inner)
    {
        public long Count { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            var count = Inner.Read(buffer);
            hash?.AppendData(buffer[..count]);
            Count += count;
            return count;
        }
    }
}
