using System.Diagnostics;
using Vedette.Telemetry;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Import;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Detections.Testing;

/// <summary>
/// Runs rule tests: each puts its rows into the real engine under a tenant of its own, runs its query by its own clock, and compares. No alert is
/// stored anywhere.
/// </summary>
/// <param name="engine">The engine, with the hunting tables made.</param>
/// <param name="database">The database that holds them.</param>
public sealed class RuleTestRunner(IClickHouse engine, string database) : IAsyncDisposable
{
    private const int MaxRows = 100_000;

    private readonly TelemetryOptions _options = new() { Database = database, RetentionDays = 36_500 };
    private readonly HuntingStore _store = new(engine, database, TimeProvider.System);

    /// <summary>Runs the tests of files, in order.</summary>
    /// <param name="files">Files as they were read; the problems of a file are a failure.</param>
    /// <param name="progress">Told of each result.</param>
    /// <param name="cancellationToken">Stops the run.</param>
    public async Task<IReadOnlyList<RuleTestResult>> RunAsync(
        IReadOnlyList<RuleTestFile> files, Action<RuleTestResult>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(files);
        var results = new List<RuleTestResult>();
        var catalogue = new HuntingCatalogue(_options);
        foreach (var file in files)
        {
            if (file.Problems.Count > 0) Note(new RuleTestResult(file.File, "(the file)", TimeSpan.Zero, string.Join('\n', file.Problems)));
            foreach (var test in file.Tests)
            {
                var started = Stopwatch.GetTimestamp();
                var failure = await RunAsync(test, catalogue, cancellationToken);
                Note(new RuleTestResult(file.File, test.Name, Stopwatch.GetElapsedTime(started), failure));
            }
        }

        return results;

        void Note(RuleTestResult result)
        {
            results.Add(result);
            progress?.Invoke(result);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private async Task<string?> RunAsync(RuleTest test, HuntingCatalogue catalogue, CancellationToken cancellationToken)
    {
        var problems = new List<RuleProblem>();
        if (test.Rule is { } rule && RuleCompiler.Compile(rule, catalogue.Schema, problems) is null && test.Expected.Error is null) return string.Join('\n', problems);
        var tenant = Guid.NewGuid();
        await _store.AppendAsync(tenant, test.Rows, null, cancellationToken);
        if (test.Imports.Count > 0 && await ImportAsync(tenant, test, cancellationToken) is { } unreadable) return unreadable;

        using var hunting = new HuntingService(engine, _options, catalogue, new StandingClock(test.Now));
        try
        {
            var limits = new HuntingLimits { MaxRows = MaxRows, MaxBytes = 1L << 30, Timeout = TimeSpan.FromMinutes(3), LookBack = TimeSpan.FromDays(36_500) };
            var result = await hunting.RunAsync(new HuntingRequest(tenant, test.Query) { Limits = limits }, cancellationToken);
            if (test.Expected.Error is { } error) return $"an error with '{error}' was expected, but the query gave {result.Rows.Count} rows";
            return RuleTestComparison.Compare(test, tenant, result);
        }
        catch (HuntingException exception)
        {
            var place = exception.Line is { } line ? $"line {line}, column {exception.Column}: " : "";
            if (test.Expected.Error is not { } error) return $"the query failed: {place}{exception.Advice}";
            return exception.Message.Contains(error, StringComparison.OrdinalIgnoreCase) ? null : $"an error with '{error}' was expected, but it is: {place}{exception.Message}";
        }
    }

    private async Task<string?> ImportAsync(Guid tenant, RuleTest test, CancellationToken cancellationToken)
    {
        var importer = new LogImporter(_store, new InMemoryImportJournal(), null, TimeProvider.System);
        var report = await importer.ImportAsync(tenant, test.Imports, new ImportOptions(), null, cancellationToken);
        return report.Files.FirstOrDefault(file => file.Error is not null) is { } failed ? $"{failed.File} cannot be imported: {failed.Error}" : null;
    }

    private sealed class StandingClock(DateTime now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(now, TimeSpan.Zero);
    }
}
