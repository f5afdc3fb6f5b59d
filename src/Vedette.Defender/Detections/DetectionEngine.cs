using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vedette.Defender.Alerts;
using Vedette.Defender.Detections.Custom;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Detections;

/// <summary>What running a tenant's rules did.</summary>
/// <param name="Runs">One entry for each rule that ran.</param>
/// <param name="Elapsed">Time taken.</param>
public sealed record DetectionSummary(IReadOnlyList<DetectionRun> Runs, TimeSpan Elapsed)
{
    /// <summary>New alerts.</summary>
    public int Alerts => Runs.Sum(run => run.Alerts);

    /// <summary>Rules that failed.</summary>
    public int Failures => Runs.Count(run => run.Status == RunStatus.Failed);
}

/// <summary>
/// Runs detection rules over telemetry that newly arrived and raises alerts. Each rule remembers up to which time of arrival it has looked;
/// that is moved on only after its alerts are stored, and alerts carry keys by which a repetition is recognised, so that a crash at any
/// moment neither loses an alert nor raises one twice.
/// </summary>
public sealed partial class DetectionEngine
{
    // Events of any age: what counts is when they arrived.
    private static readonly HuntingLimits AllTimes = new() { LookBack = TimeSpan.FromDays(36_500) };

    private readonly IHuntingService _hunting;
    private readonly IHuntingStore _store;
    private readonly AlertIntake _intake;
    private readonly RuleCatalogue _catalogue;
    private readonly DetectionJournal _journal;
    private readonly RuleDevices _devices;
    private readonly IRuleResponder? _responder;
    private readonly DetectionOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<DetectionEngine> _log;
    private readonly ConcurrentDictionary<Guid, SemaphoreSlim> _turns = new();

    /// <summary>An engine over a tenant's telemetry and state.</summary>
    public DetectionEngine(
        IHuntingService hunting, IHuntingStore store, AlertIntake intake, RuleCatalogue catalogue, NpgsqlDataSource database, DetectionOptions options,
        TimeProvider clock, ILogger<DetectionEngine> log, IRuleResponder? responder = null)
    {
        (_hunting, _store, _intake, _catalogue, _options, _clock, _log) = (hunting, store, intake, catalogue, options, clock, log);
        _journal = new DetectionJournal(database);
        (_devices, _responder) = (new RuleDevices(database), responder);
    }

    /// <summary>Runs every enabled rule at once over what it has not seen: after an import, or when a person asks.</summary>
    public async Task<DetectionSummary> RunNowAsync(Guid tenantId, CancellationToken cancellationToken, AlertTime alertTime = AlertTime.Now) =>
        await RunAsync(tenantId, everything: true, alertTime, cancellationToken) ?? throw new InvalidOperationException("The claim of the tenant was not waited for.");

    /// <summary>
    /// Runs the rules that are due: continuous ones when rows have arrived, others by their frequency. Null when another server is at it.
    /// </summary>
    public Task<DetectionSummary?> RunDueAsync(Guid tenantId, CancellationToken cancellationToken) =>
        RunAsync(tenantId, everything: false, AlertTime.Now, cancellationToken);

    /// <summary>The latest runs of a tenant's rules, the newest first.</summary>
    public Task<IReadOnlyList<DetectionRun>> RunsAsync(Guid tenantId, Guid? ruleId, int top, CancellationToken cancellationToken) =>
        _journal.RunsAsync(tenantId, ruleId, top, cancellationToken);

    private async Task<DetectionSummary?> RunAsync(Guid tenantId, bool everything, AlertTime alertTime, CancellationToken cancellationToken)
    {
        var turn = _turns.GetOrAdd(tenantId, _ => new SemaphoreSlim(1, 1));
        await turn.WaitAsync(cancellationToken);
        try
        {
            await using var claim = await _journal.ClaimAsync(tenantId, everything, cancellationToken);
            return claim is null ? null : await RunClaimedAsync(tenantId, everything, alertTime, cancellationToken);
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task<DetectionSummary> RunClaimedAsync(Guid tenantId, bool everything, AlertTime alertTime, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var progress = await _journal.ProgressAsync(tenantId, cancellationToken);
        var until = _store.CompleteUntil;
        var now = _clock.GetUtcNow().UtcDateTime;
        var rules = await _catalogue.ForAsync(tenantId, cancellationToken);
        var work = rules.Rules.Where(rule => rule.Enabled)
            .Select(rule => RuleWork.For(rule, progress.GetValueOrDefault(rule.Id), QueryHash(rule), until))
            .Where(item => everything || item.IsDue(now))
            .ToList();
        if (work.Count == 0 || (!everything && !await HasNewsAsync(tenantId, work, cancellationToken))) return new DetectionSummary([], Stopwatch.GetElapsedTime(started));

        await Parallel.ForEachAsync(
            work,
            new ParallelOptions { MaxDegreeOfParallelism = _options.Parallelism, CancellationToken = cancellationToken },
            async (item, stop) => await QueryAsync(tenantId, item, alertTime, stop));
        await RaiseAsync(work, investigates: !everything, cancellationToken);
        await _journal.RecordAsync(
            tenantId,
            [.. work.Select(item => item.Run(now))],
            [.. work.Where(item => item.Failure is null).Select(item => new RuleProgress(item.Rule.Id, item.QueryHash, until, item.NextRun(now)))],
            _options.RunsKept,
            cancellationToken);
        if (_responder is not null) await _responder.RunsEndedAsync(tenantId, [.. work.Select(item => item.Run(now))], cancellationToken);
        return new DetectionSummary([.. work.Select(item => item.Run(now))], Stopwatch.GetElapsedTime(started));
    }

    // Continuous rules have nothing to do while nothing arrives; one cheap look at their tables saves one query for each of them.
    private async Task<bool> HasNewsAsync(Guid tenantId, List<RuleWork> work, CancellationToken cancellationToken)
    {
        if (work.Any(item => !item.Rule.Schedule.IsContinuous)) return true;
        var tables = work.SelectMany(item => Identifier().Matches(item.Rule.Query).Select(match => match.Value))
            .Where(HuntingSchema.Tables.ContainsKey).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        if (tables.Length == 0) return true;
        var query = $"union {string.Join(", ", tables)} | take 1 | project Arrived = 1";
        var answer = await _hunting.RunAsync(Request(tenantId, query, (work.Min(item => item.Window.From), work[0].Window.To)), cancellationToken);
        return answer.Rows.Count > 0;
    }

    private async Task QueryAsync(Guid tenantId, RuleWork item, AlertTime alertTime, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            var request = Request(tenantId, item.Rule.NarrowQuery ?? item.Rule.Query, item.Window);
            var result = await _hunting.RunAsync(request with { VisibleDevices = await _devices.VisibleAsync(tenantId, item.Rule, cancellationToken) }, cancellationToken);
            item.Matches = RuleMatches.From(
                item.Rule, tenantId, result, item.Window, alertTime, _options, await _devices.ByNameAsync(tenantId, item.Rule, cancellationToken));
        }
        catch (HuntingException exception)
        {
            item.ErrorCode = RunErrors.Code(exception.Failure);
            item.Failure = Explain(item.Rule, exception);
            LogFailure(item.Rule.Name, item.Failure);
        }

        item.Elapsed = Stopwatch.GetElapsedTime(started);
    }

    // In order of events across all rules, so that incidents grow as the attack did.
    // What the schedule finds is investigated; what somebody imports or runs on request is theirs to look at.
    private async Task RaiseAsync(List<RuleWork> work, bool investigates, CancellationToken cancellationToken)
    {
        var alerts = work.SelectMany(item => item.Matches.Alerts.Select(alert => (Item: item, Alert: alert)))
            .OrderBy(entry => entry.Alert.FirstEventTime).ThenBy(entry => entry.Alert.MergeKey, StringComparer.Ordinal);
        foreach (var (item, alert) in alerts)
        {
            var raised = await _intake.RaiseAsync(alert with { Investigate = investigates || alert.InvestigationRequest is not null }, cancellationToken);
            if (raised.Intake == Intake.Raised) item.Raised++;
            else if (raised.Intake == Intake.Merged) item.Merged++;
            if (_responder is not null && item.Matches.TargetsOf(alert) is { Count: > 0 } targets)
                await _responder.RespondAsync(item.Rule, raised.Alert, targets, cancellationToken);
        }
    }

    private HuntingRequest Request(Guid tenantId, string query, (DateTime From, DateTime To) arrived) => new(tenantId, query)
    {
        IngestionWindow = arrived,
        Limits = AllTimes with { MaxRows = _options.MaxRowsPerRun, Timeout = _options.RuleTimeout },
    };

    private static string Explain(DetectionRule rule, HuntingException exception) => exception.Line is { } line
        ? $"{rule.File}({rule.QueryLine + line - 1}): {exception.Failure}: {exception.Message}"
        : $"{exception.Failure}: {exception.Message}";

    private static string QueryHash(DetectionRule rule) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(rule.Query)))[..16];

    [GeneratedRegex("[A-Za-z][A-Za-z0-9]*")]
    private static partial Regex Identifier();

    [LoggerMessage(LogLevel.Warning, "The detection rule {Rule} failed: {Failure}")]
    private partial void LogFailure(string rule, string failure);

    /// <summary>One rule's turn.</summary>
    private sealed class RuleWork(DetectionRule rule, string queryHash, (DateTime From, DateTime To) window, DateTime due)
    {
        public DetectionRule Rule => rule;

        public string QueryHash => queryHash;

        public (DateTime From, DateTime To) Window => window;

        public RuleMatches Matches { get; set; } = new([], 0, 0);

        public string? Failure { get; set; }

        public string? ErrorCode { get; set; }

        public TimeSpan Elapsed { get; set; }

        public int Raised { get; set; }

        public int Merged { get; set; }

        public static RuleWork For(DetectionRule rule, RuleProgress? progress, string queryHash, DateTime until)
        {
            // A new or changed rule begins like a new one, and so does everything when the clock was set back.
            if (progress is not { SeenUntil: var seen } || progress.QueryHash != queryHash || seen > until)
                return new RuleWork(rule, queryHash, (until - DetectionSchedule.FirstRun, until), DateTime.MinValue);
            var from = rule.Schedule.IsContinuous ? seen : Earlier(seen, until - rule.Schedule.LookBack);
            return new RuleWork(rule, queryHash, (from, until), progress.NextRun);
        }

        public bool IsDue(DateTime now) => rule.Schedule.IsContinuous || due <= now;

        public DateTime NextRun(DateTime now) => now + (rule.Schedule.Frequency ?? TimeSpan.Zero);

        public DetectionRun Run(DateTime now) => new(
            rule.Id, rule.Title, now, (int)Elapsed.TotalMilliseconds, window.From, window.To, Failure is null ? RunStatus.Completed : RunStatus.Failed,
            Matches.Rows, Raised, Merged, Matches.Dropped, Failure, ErrorCode);

        private static DateTime Earlier(DateTime one, DateTime other) => one < other ? one : other;
    }
}
