using System.Globalization;
using Vedette.Defender.Detections;
using Vedette.Defender.Import;
using Vedette.Identity.Directory;
using Vedette.Telemetry.Import;
using Vedette.Telemetry.Import.Tables;
using Vedette.Telemetry.Ingest;

namespace Vedette.Server.Control.Operations;

/// <summary><c>import</c>: reads logs or exports of hunting tables into a tenant's telemetry and lets the detections look at the new rows.</summary>
internal sealed class ImportOperation(
    DirectoryService directory, IHuntingStore store, IImportJournal journal, IDeviceObserver observer, StoredRows stored, ImportedAlerts importedAlerts, DetectionEngine detections, TimeProvider clock)
    : Operation<ImportOperation.Input>("import")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var tenant = directory.FindTenant(input.Tenant);
        var files = input.Files.SelectMany(Expand).ToArray();
        if (input.ReplaySpeed is not null && (input.ShiftToNow || input.ShiftTime is not null || input.DryRun || input.SkipKnown || input.Table is not null))
            throw new OperationException("bad_input", "A replay gives the events of logs times of its own: it goes with none of --shift-to-now, --shift-time, --dry-run, --skip-known and --table.");
        var before = detections.Tally(tenant.Id);
        var options = new ImportOptions
        {
            ShiftToNow = input.ShiftToNow, ShiftBy = Shift(input.ShiftTime), DeviceName = input.DeviceName, Table = input.Table, DryRun = input.DryRun, SkipKnown = input.SkipKnown,
            Replay = Replay(input.ReplaySpeed),
        };
        ImportReport report;
        try
        {
            report = await new ImportService(store, journal, observer, stored, clock).ImportAsync(tenant.Id, files, options, new Relay(progress), cancellationToken);
        }
        catch (ArgumentException exception)
        {
            throw new OperationException("bad_input", exception.Message.Split(" (Parameter")[0], exception);
        }

        var imported = 0;
        if (!input.DryRun)
        {
            if (report.People.Count > 0) await directory.EnsurePeopleAsync(tenant.Id, [.. report.People.Select(Known)], cancellationToken);
            if (report.Alerts.Count > 0) imported = await importedAlerts.RaiseAsync(tenant.Id, report.Alerts, cancellationToken);
        }

        var alerts = 0L;
        var failedRules = 0L;
        if (input.Detections && !input.DryRun && report.Rows > 0)
        {
            progress.Report(new OperationProgress("Running the detection rules", 0, null));
            await detections.RunNowAsync(tenant.Id, cancellationToken, AlertTime.Now);

            // A running server looked at the rows as they came in.
            var after = detections.Tally(tenant.Id);
            (alerts, failedRules) = (after.Alerts - before.Alerts, after.Failures - before.Failures);
        }

        var failed = Readable(report).Files.Where(file => file.Error is not null).ToArray();
        return new
        {
            eventsRead = report.EventsRead,
            rowsStored = report.Rows,
            filesAlreadyImported = report.Files.Count(file => file.AlreadyImported),
            devices = report.Devices.Select(device => device.Name).Distinct(StringComparer.Ordinal).ToArray(),
            firstEvent = report.Files.Min(file => file.FirstEvent),
            lastEvent = report.Files.Max(file => file.LastEvent),
            dryRun = input.DryRun,
            rowsKnown = report.RowsKnown,
            rowsLost = report.RowsLost,
            people = report.People.Select(person => person.UserPrincipalName).Distinct(StringComparer.Ordinal).Count(),
            alertsImported = imported,
            alertsRaised = alerts,
            rulesFailed = failedRules,
            seconds = Math.Round(report.Elapsed.TotalSeconds, 2),
            eventsPerSecond = report.Elapsed > TimeSpan.Zero ? Math.Round(report.EventsRead / report.Elapsed.TotalSeconds) : 0,
            tables = report.RowsPerTable.Select(table => new { name = table.Key, rows = table.Value }).ToArray(),
            notMapped = report.EventTypes.Where(type => type.Unmapped > 0)
                .OrderByDescending(type => type.Unmapped).Select(type => new { name = type.Type, events = type.Unmapped }).ToArray(),
            unknownColumns = report.UnknownColumns.OrderBy(column => column.Table, StringComparer.Ordinal).ThenBy(column => column.Column, StringComparer.Ordinal)
                .Select(column => new { table = column.Table, column = column.Column, rows = column.Rows, kept = column.Kept ? "in AdditionalFields" : "no" }).ToArray(),
            unreadableLines = report.ProblemCount,
            unreadable = report.Problems.Select(problem => new { file = problem.File, line = problem.Line, column = problem.Column, reason = problem.Reason })
                .Concat(failed.Select(file => new { file = file.File, line = 0L, column = 0L, reason = file.Error! })).ToArray(),
        };
    }

    private static ReplayOptions? Replay(double? speed) => speed switch
    {
        null => null,
        > 0 and var times => new ReplayOptions { Speed = times },
        _ => throw new OperationException("bad_input", "The speed of a replay must be a number above 0."),
    };

    /// <summary>The report, unless not one of the files could be read.</summary>
    /// <exception cref="OperationException">None could.</exception>
    internal static ImportReport Readable(ImportReport report) => report.Files.All(file => file.Error is not null)
        ? throw new OperationException("unreadable", string.Join("\n", report.Files.Select(file => $"{file.File}: {file.Error}")))
        : report;

    /// <summary>A file itself, or the files of a folder and those below it.</summary>
    /// <exception cref="OperationException">There is neither.</exception>
    internal static IEnumerable<string> Expand(string path)
    {
        if (Directory.Exists(path)) return Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal);
        return File.Exists(path) ? [path] : throw new OperationException("bad_input", $"There is no file or folder '{path}'.");
    }

    // "3d", "-36h", "90m", "45s" or a timespan such as "-1.12:00:00".
    private static TimeSpan? Shift(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return null;
        var word = text.Trim().TrimStart('+');
        if (word.Length > 1 && double.TryParse(word.AsSpan(0, word.Length - 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var amount) && Math.Abs(amount) < 100_000)
        {
            switch (word[^1])
            {
                case 'd': return TimeSpan.FromDays(amount);
                case 'h': return TimeSpan.FromHours(amount);
                case 'm': return TimeSpan.FromMinutes(amount);
                case 's': return TimeSpan.FromSeconds(amount);
            }
        }

        return TimeSpan.TryParse(word, CultureInfo.InvariantCulture, out var span) && word.Contains(':', StringComparison.Ordinal)
            ? span
            : throw new OperationException("bad_input", $"'{text}' is no span of time: write it as 3d, -36h, 90m, 45s or -1.12:00:00.");
    }

    // They have no password: nobody signs in as an imported person until somebody gives one.
    private static KnownPerson Known(ObservedPerson person) => KnownPerson.Of(
        person.ObjectId, person.UserPrincipalName, person.DisplayName, person.GivenName, person.Surname, person.Mail, person.JobTitle, person.Department);

    internal sealed record Input(
        string[] Files, bool ShiftToNow, bool Detections, string? DeviceName, string? Tenant, string? Table = null, string? ShiftTime = null, bool DryRun = false, bool SkipKnown = false,
        double? ReplaySpeed = null);

    /// <summary>Tells how far an import is.</summary>
    internal sealed class Relay(IProgress<OperationProgress> progress) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value) => progress.Report(new OperationProgress(
            $"{(value.Phase == ImportPhase.Survey ? "Reading" : "Importing")} {Path.GetFileName(value.File)}",
            value.EventsDone,
            value.EventsTotal > 0 ? value.EventsTotal : null));
    }
}
