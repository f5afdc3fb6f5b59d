using Vedette.Defender.Detections;
using Vedette.Identity.Directory;
using Vedette.Telemetry.Import;
using Vedette.Telemetry.Ingest;

namespace Vedette.Server.Control.Operations;

/// <summary><c>import</c>: reads log files into a tenant's telemetry and lets the detections look at the new rows.</summary>
internal sealed class ImportOperation(
    DirectoryService directory, IHuntingStore store, IImportJournal journal, IDeviceObserver observer, DetectionEngine detections, TimeProvider clock)
    : Operation<ImportOperation.Input>("import")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var tenant = directory.FindTenant(input.Tenant);
        var files = input.Files.SelectMany(Expand).ToArray();
        var before = detections.Tally(tenant.Id);
        var importer = new LogImporter(store, journal, observer, clock);
        var report = await importer.ImportAsync(
            tenant.Id, files, new ImportOptions { ShiftToNow = input.ShiftToNow, DeviceName = input.DeviceName }, new Relay(progress), cancellationToken);

        var alerts = 0L;
        var failedRules = 0L;
        if (input.Detections && report.Rows > 0)
        {
            progress.Report(new OperationProgress("Running the detection rules", 0, null));
            await detections.RunNowAsync(tenant.Id, cancellationToken, AlertTime.Now);

            // A running server looked at the rows as they came in.
            var after = detections.Tally(tenant.Id);
            (alerts, failedRules) = (after.Alerts - before.Alerts, after.Failures - before.Failures);
        }

        var failed = report.Files.Where(file => file.Error is not null).ToArray();
        if (failed.Length == report.Files.Count)
        {
            throw new OperationException("unreadable", string.Join("\n", failed.Select(file => $"{file.File}: {file.Error}")));
        }

        return new
        {
            eventsRead = report.EventsRead,
            rowsStored = report.Rows,
            filesAlreadyImported = report.Files.Count(file => file.AlreadyImported),
            devices = report.Devices.Select(device => device.Name).Distinct(StringComparer.Ordinal).ToArray(),
            alertsRaised = alerts,
            rulesFailed = failedRules,
            seconds = Math.Round(report.Elapsed.TotalSeconds, 2),
            eventsPerSecond = report.Elapsed > TimeSpan.Zero ? Math.Round(report.EventsRead / report.Elapsed.TotalSeconds) : 0,
            tables = report.RowsPerTable.Select(table => new { name = table.Key, rows = table.Value }).ToArray(),
            notMapped = report.EventTypes.Where(type => type.Unmapped > 0)
                .OrderByDescending(type => type.Unmapped).Select(type => new { name = type.Type, events = type.Unmapped }).ToArray(),
            unreadableLines = report.ProblemCount,
            unreadable = report.Problems.Select(problem => new { file = problem.File, line = problem.Line, reason = problem.Reason })
                .Concat(failed.Select(file => new { file = file.File, line = 0L, reason = file.Error! })).ToArray(),
        };
    }

    private static IEnumerable<string> Expand(string path)
    {
        if (Directory.Exists(path)) return Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal);
        return File.Exists(path) ? [path] : throw new OperationException("bad_input", $"There is no file or folder '{path}'.");
    }

    internal sealed record Input(string[] Files, bool ShiftToNow, bool Detections, string? DeviceName, string? Tenant);

    private sealed class Relay(IProgress<OperationProgress> progress) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value) => progress.Report(new OperationProgress(
            $"{(value.Phase == ImportPhase.Survey ? "Reading" : "Importing")} {Path.GetFileName(value.File)}",
            value.EventsDone,
            value.EventsTotal > 0 ? value.EventsTotal : null));
    }
}
