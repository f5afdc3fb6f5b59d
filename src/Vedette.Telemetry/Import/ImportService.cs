using Vedette.Telemetry.Import.Tables;
using Vedette.Telemetry.Ingest;

namespace Vedette.Telemetry.Import;

/// <summary>Imports files, whatever they are: exports of hunting tables, or logs that other tools recorded.</summary>
/// <param name="store">Where rows go.</param>
/// <param name="journal">What remembers imports.</param>
/// <param name="observer">Who hears of devices.</param>
/// <param name="stored">What knows the rows that are there.</param>
/// <param name="time">The clock that says what now is.</param>
public sealed class ImportService(IHuntingStore store, IImportJournal journal, IDeviceObserver? observer, StoredRows? stored, TimeProvider time)
{
    /// <summary>Imports files.</summary>
    /// <param name="tenantId">Whose telemetry.</param>
    /// <param name="files">Paths: plain, gzip or zip.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Hears how far it is.</param>
    /// <param name="cancellationToken">Stops after the chunk at hand; a later import goes on from there.</param>
    /// <returns>What was done. A file that cannot be opened is told there and does not stop the others.</returns>
    /// <exception cref="ArgumentException">The options name a table that there is not.</exception>
    public async Task<ImportReport> ImportAsync(Guid tenantId, IReadOnlyList<string> files, ImportOptions options, IProgress<ImportProgress>? progress, CancellationToken cancellationToken)
    {
        var table = options.Table is { } name ? TableFile.Find(name) ?? throw new ArgumentException($"There is no hunting table '{name}'.", nameof(options)) : null;
        var (exports, logs, report) = (new List<(string, TableFile)>(), new List<string>(), new ImportReport());
        foreach (var file in files)
        {
            try
            {
                if (TableFile.Recognise(file, table, options.Limits) is { } form) exports.Add((file, form));
                else logs.Add(file);
            }
            catch (Exception exception) when (exception is IOException or InvalidDataException or UnauthorizedAccessException or NotSupportedException)
            {
                report.FileList.Add(new FileReport(file) { Error = exception.Message });
            }
        }

        if (options.DryRun)
        {
            foreach (var log in logs) report.FileList.Add(new FileReport(log) { Error = "only exports of hunting tables can be tried without storing them" });
            logs.Clear();
        }

        if (exports.Count > 0) await new TableImporter(store, journal, observer, stored, time).ImportAsync(tenantId, exports, options, report, progress, cancellationToken);
        if (logs.Count > 0) await new LogImporter(store, journal, observer, time).ImportAsync(tenantId, logs, options, report, progress, cancellationToken);
        return report;
    }
}
