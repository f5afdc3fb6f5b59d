using System.Collections.Concurrent;
using System.Diagnostics;
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
    /// <summary>Whether there are continuous rules that have to catch up before they go with the others.</summary>
    internal bool SomeAreBehind { get; init; }

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
    private readonly DetectionArrivals _arrivals;
    private readonly RuleDevices _devices;
    private readonly IRuleResponder? _responder;
    private readonly DetectionOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<DetectionEngine> _log;
    private readonly AlertBudget _budget;
    private readonly ConcurrentDictionary<(Guid Tenant, DetectionTurn Turn), SemaphoreSlim> _turns = new();
    private readonly ConcurrentDictionary<Guid, (long Alerts, long Failures)> _tallies = new();

    /// <summary>An engine over a tenant's telemetry and state.</summary>
    internal DetectionEngine(
        IHuntingService hunting, IHuntingStore store, AlertIntake intake, RuleCatalogue catalogue, DetectionArrivals arrivals, NpgsqlDataSource database,
        DetectionOptions options, TimeProvider clock, ILogger<DetectionEngine> log, IRuleResponder? responder = null)
    {
        (_hunting, _store, _intake, _catalogue, _arrivals, _options, _clock, _log) = (hunting, store, intake, catalogue, arrivals, options, clock, log);
        _journal = new DetectionJournal(database);
        (_devices, _responder, _budget) = (new RuleDevices(database), responder, new AlertBudget(options.MaxAlertsPerRun));
    }

    /// <summary>Runs every enabled rule at once over what it has not seen: after an import, or when a person asks.</summary>
    public async Task<DetectionSummary> RunNowAsync(Guid tenantId, CancellationToken cancellationToken, AlertTime alertTime = AlertTime.Now)
    {
        await using var due = await TakeAsync(tenantId, DetectionTurn.Due, wait: true, cancellationToken);
        await using var arrived = await TakeAsync(tenantId, DetectionTurn.Arrived, wait: true, cancellationToken);
        return await RunEverythingAsync(tenantId, alertTime, cancellationToken);
    }

    /// <summary>Runs one rule at once over what it has not seen, whether or not it is switched on. No run means that the tenant has no such rule.</summary>
    public async Task<DetectionSummary> RunOneAsync(Guid tenantId, Guid ruleId, CancellationToken cancellationToken)
    {
        await using var due = await TakeAsync(tenantId, DetectionTurn.Due, wait: true, cancellationToken);
        await using var arrived = await TakeAsync(tenantId, DetectionTurn.Arrived, wait: true, cancellationToken);
        var started = Stopwatch.GetTimestamp();
        var (rules, progress, until, now) = await LookUpAsync(tenantId, cancellationToken);
        if (rules.FirstOrDefault(rule => rule.Id == ruleId) is not { } rule) return new DetectionSummary([], Stopwatch.GetElapsedTime(started));
        var seen = progress.SeenBy(rule);
        var item = new DetectionWork(rule, (DetectionWork.Begin(rule, seen, until), until)) { IsFirst = seen is null, Investigates = false };
        await RunAsync(tenantId, [item], AlertTime.Now, cancellationToken);
        await RecordAsync(tenantId, null, [item], [.. new[] { Place(item, until, now, follows: false) }.OfType<RuleProgress>()], now, cancellationToken);
        return new DetectionSummary([item.Run(now)], Stopwatch.GetElapsedTime(started));
    }

    /// <summary>
    /// Runs the rules that are due by their frequency, and continuous ones that are new or far behind. Null when another server is at it, or the tenant is a
    /// demo that is still being filled.
    /// </summary>
    public async Task<DetectionSummary?> RunDueAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        await using var turn = await TakeAsync(tenantId, DetectionTurn.Due, wait: false, cancellationToken);
        return turn is null ? null : await RunDueRulesAsync(tenantId, cancellationToken);
    }

    /// <summary>
    /// Runs the continuous rules that can have something to say about what arrived since they last looked. Null as for <see cref="RunDueAsync"/>.
    /// </summary>
    public async Task<DetectionSummary?> RunArrivedAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        if (_arrivals.IsQuiet(tenantId, _store.CompleteUntil, _options.QuietMark)) return new DetectionSummary([], TimeSpan.Zero);
        await using var turn = await TakeAsync(tenantId, DetectionTurn.Arrived, wait: false, cancellationToken);
        return turn is null ? null : await RunContinuousAsync(tenantId, cancellationToken);
    }

    /// <summary>The latest runs of a tenant's rules, the newest first. A continuous rule's runs are listed where they found something or failed.</summary>
    public Task<IReadOnlyList<DetectionRun>> RunsAsync(Guid tenantId, Guid? ruleId, int top, CancellationToken cancellationToken) =>
        _journal.RunsAsync(tenantId, ruleId, top, cancellationToken);

    /// <summary>The time of arrival up to which the tenant's continuous rules have looked, UTC; null before they have.</summary>
    public async Task<DateTime?> LookedUntilAsync(Guid tenantId, CancellationToken cancellationToken) => (await _journal.ProgressAsync(tenantId, cancellationToken)).Mark;

    /// <summary>Alerts that the tenant's rules have raised, and runs that have failed, since the server started.</summary>
    public (long Alerts, long Failures) Tally(Guid tenantId) => _tallies.GetValueOrDefault(tenantId);

    private async Task<DetectionSummary> RunEverythingAsync(Guid tenantId, AlertTime alertTime, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var settlement = _arrivals.Settlement(tenantId);
        var (rules, progress, until, now) = await LookUpAsync(tenantId, cancellationToken);
        var work = new List<DetectionWork>();
        foreach (var rule in rules.Where(rule => rule.Enabled))
        {
            var from = DetectionWork.Begin(rule, progress.SeenBy(rule), until);
            var news = rule.Schedule.IsContinuous ? _arrivals.NewsFor(tenantId, rule, from, until) : null;
            work.Add(new DetectionWork(rule, (from, until)) { IsFirst = progress.SeenBy(rule) is null, Investigates = false, Idle = news is { Any: false }, Events = news?.Events });
        }

        await RunAsync(tenantId, [.. work.Where(item => !item.Idle)], alertTime, cancellationToken);
        await RecordAsync(
            tenantId,
            until,
            work,
            [.. work.Select(item => Place(item, until, now, follows: true)).OfType<RuleProgress>().Where(place => !IsKnown(progress, place)), .. Halted(rules, progress)],
            now,
            cancellationToken);
        _arrivals.Marked(tenantId, until, settlement);
        return new DetectionSummary([.. work.Select(item => item.Run(now))], Stopwatch.GetElapsedTime(started));
    }

    private async Task<DetectionSummary> RunDueRulesAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var (rules, progress, until, now) = await LookUpAsync(tenantId, cancellationToken);
        var work = rules.Where(rule => rule.Enabled && progress.NextRun(rule) <= now && (!rule.Schedule.IsContinuous || IsBehind(rule, progress, until)))
            .Select(rule => new DetectionWork(rule, (DetectionWork.Begin(rule, progress.SeenBy(rule), until), until)) { IsFirst = progress.SeenBy(rule) is null })
            .ToList();
        if (work.Count == 0) return new DetectionSummary([], Stopwatch.GetElapsedTime(started));

        await RunAsync(tenantId, work, AlertTime.Now, cancellationToken, inBackground: true);
        await RecordAsync(tenantId, null, work, [.. work.Select(item => Place(item, until, now, follows: false)).OfType<RuleProgress>()], now, cancellationToken);

        // Who has caught up goes with the others from the next look on.
        if (work.Exists(item => item.Rule.Schedule.IsContinuous)) _arrivals.Unsettle(tenantId);
        return new DetectionSummary([.. work.Select(item => item.Run(now))], Stopwatch.GetElapsedTime(started));
    }

    private async Task<DetectionSummary> RunContinuousAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var settlement = _arrivals.Settlement(tenantId);
        var (rules, progress, until, now) = await LookUpAsync(tenantId, cancellationToken);
        var work = new List<DetectionWork>();
        var unsure = new List<DetectionWork>();
        var joining = new List<RuleProgress>();
        var behind = false;
        foreach (var rule in rules.Where(rule => rule.Enabled && rule.Schedule.IsContinuous))
        {
            if (!progress.Follows(rule) && progress.NextRun(rule) > now) continue;
            if (IsBehind(rule, progress, until))
            {
                behind = true;
                continue;
            }

            var from = DetectionWork.Begin(rule, progress.SeenBy(rule), until);
            var news = _arrivals.NewsFor(tenantId, rule, from, until);
            var item = new DetectionWork(rule, (from, until)) { Events = news?.Events, Investigates = news is not { Imported: true }, Idle = news is { Any: false } };
            if (!progress.Follows(rule)) joining.Add(Place(item, until, now, follows: true)!);
            if (news is null) unsure.Add(item);
            else if (!item.Idle) work.Add(item);
        }

        if (unsure.Count > 0 && await HasNewsAsync(tenantId, unsure, cancellationToken)) work.AddRange(unsure);
        await RunAsync(tenantId, work, AlertTime.Now, cancellationToken);
        var failed = work.Where(item => item.Failure is not null).Select(item => Place(item, until, now, follows: false)!).ToList();
        await RecordAsync(
            tenantId,
            until,
            work,
            [.. failed, .. joining.ExceptBy(failed.Select(place => place.RuleId), place => place.RuleId), .. Halted(rules, progress)],
            now,
            cancellationToken);
        _arrivals.Marked(tenantId, until, behind ? null : settlement);
        return new DetectionSummary([.. work.Select(item => item.Run(now))], Stopwatch.GetElapsedTime(started)) { SomeAreBehind = behind };
    }

    private async Task<(IReadOnlyList<DetectionRule> Rules, TenantProgress Progress, DateTime Until, DateTime Now)> LookUpAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        var rules = await _catalogue.ForAsync(tenantId, cancellationToken);
        _arrivals.Watch(tenantId, rules);
        var progress = await _journal.ProgressAsync(tenantId, cancellationToken);
        return (rules.Rules, progress, _store.CompleteUntil, _clock.GetUtcNow().UtcDateTime);
    }

    private bool IsBehind(DetectionRule rule, TenantProgress progress, DateTime until) =>
        !progress.Follows(rule) && (progress.SeenBy(rule) is not { } seen || seen > until || until - seen > _options.Near);

    // Where a rule stands after its turn. A rule that failed keeps its place: one with a frequency waits for its next turn, others a little.
    private RuleProgress? Place(DetectionWork item, DateTime until, DateTime now, bool follows) => (item.Failure, item.Rule.Schedule.Frequency) switch
    {
        (null, { } frequency) => new RuleProgress(item.Rule.Id, item.QueryHash, until, now + frequency),
        (null, null) => new RuleProgress(item.Rule.Id, item.QueryHash, until, DateTime.UnixEpoch, follows),
        (_, null) => new RuleProgress(item.Rule.Id, item.QueryHash, item.Window.From, now + _options.Interval),
        (_, { } frequency) => new RuleProgress(item.Rule.Id, item.QueryHash, item.Window.From, now + (frequency < _options.LongestRetry ? frequency : _options.LongestRetry)),
    };

    private static bool IsKnown(TenantProgress progress, RuleProgress place) =>
        place.Follows && progress.Rules.GetValueOrDefault(place.RuleId) is { Follows: true } known && known.QueryHash == place.QueryHash && progress.Mark is not null;

    // Rules that followed the mark and are switched off keep the place where it was, and go on from there when they are switched on again.
    private static IEnumerable<RuleProgress> Halted(IReadOnlyList<DetectionRule> rules, TenantProgress progress)
    {
        if (progress.Mark is not { } mark) return [];
        var running = rules.Where(rule => rule.Enabled && rule.Schedule.IsContinuous).Select(rule => rule.Id).ToHashSet();
        return progress.Rules.Values.Where(place => place.Follows && !running.Contains(place.RuleId)).Select(place => place with { Follows = false, SeenUntil = mark });
    }

    private async Task RunAsync(
        Guid tenantId, IReadOnlyList<DetectionWork> work, AlertTime alertTime, CancellationToken cancellationToken, bool inBackground = false)
    {
        await Parallel.ForEachAsync(
            work,
            new ParallelOptions { MaxDegreeOfParallelism = inBackground ? Math.Max(1, _options.Parallelism / 2) : _options.Parallelism, CancellationToken = cancellationToken },
            async (item, stop) => await QueryAsync(tenantId, item, alertTime, stop));
        await RaiseAsync(tenantId, work, cancellationToken);
    }

    private async Task RecordAsync(
        Guid tenantId, DateTime? mark, IReadOnlyList<DetectionWork> work, IReadOnlyList<RuleProgress> progress, DateTime now, CancellationToken cancellationToken)
    {
        // Continuous rules run all the time: what is worth telling is what they found.
        var runs = work.Where(item => !item.Idle && (!item.Rule.Schedule.IsContinuous || item.Matches.Rows > 0 || item.Failure is not null || item.IsFirst)).Select(item => item.Run(now)).ToArray();
        await _journal.RecordAsync(tenantId, mark, runs, progress, _options.RunsKept, cancellationToken);
        _tallies.AddOrUpdate(
            tenantId,
            _ => (work.Sum(item => item.Raised), work.Count(item => item.Failure is not null)),
            (_, known) => (known.Alerts + work.Sum(item => item.Raised), known.Failures + work.Count(item => item.Failure is not null)));
        if (_responder is not null && runs.Length > 0) await _responder.RunsEndedAsync(tenantId, runs, cancellationToken);
    }

    // One cheap look at the tables of rules of whose rows nothing is known saves one query for each of them.
    private async Task<bool> HasNewsAsync(Guid tenantId, List<DetectionWork> work, CancellationToken cancellationToken)
    {
        var tables = work.SelectMany(item => Identifier().Matches(item.Rule.Query).Select(match => match.Value))
            .Where(HuntingSchema.Tables.ContainsKey).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        if (tables.Length == 0) return true;
        var query = $"union {string.Join(", ", tables)} | take 1 | project Arrived = 1";
        var answer = await _hunting.RunAsync(Request(tenantId, query, (work.Min(item => item.Window.From), work[0].Window.To)), cancellationToken);
        return answer.Rows.Count > 0;
    }

    private async Task QueryAsync(Guid tenantId, DetectionWork item, AlertTime alertTime, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            var request = Request(tenantId, item.Rule.NarrowQuery ?? item.Rule.Query, item.Window) with
            {
                Window = item.Events is { } events ? (events.From, events.To.AddTicks(1)) : null,
                BesideLookBack = item.Rule.Schedule.IsContinuous ? _options.BesideLookBack : TimeSpan.Zero,
                VisibleDevices = await _devices.VisibleAsync(tenantId, item.Rule, cancellationToken),
            };
            var result = await _hunting.RunAsync(request, cancellationToken);
            if (result.Rows.Count == 0) return;
            item.Matches = RuleMatches.From(
                item.Rule, tenantId, result, item.Window, alertTime, _options, await _devices.ByNameAsync(tenantId, item.Rule, cancellationToken));
        }
        catch (HuntingException exception)
        {
            item.Fail(exception);
            LogFailure(item.Rule.Label, item.Failure!);
        }
        finally
        {
            item.Elapsed = Stopwatch.GetElapsedTime(started);
        }
    }

    // In order of events across all rules, so that incidents grow as the attack did.
    // What the schedule finds is investigated; what somebody imports or runs on request is theirs to look at.
    private async Task RaiseAsync(Guid tenantId, IReadOnlyList<DetectionWork> work, CancellationToken cancellationToken)
    {
        var alerts = work.SelectMany(item => Allowed(tenantId, item).Select(alert => (Item: item, Alert: alert)))
            .OrderBy(entry => entry.Alert.FirstEventTime).ThenBy(entry => entry.Alert.MergeKey, StringComparer.Ordinal).ToArray();
        foreach (var (item, alert) in alerts)
        {
            var raised = await _intake.RaiseAsync(alert with { Investigate = item.Investigates || alert.InvestigationRequest is not null }, cancellationToken);
            if (raised.Intake == Intake.Raised) item.Raised++;
            else if (raised.Intake == Intake.Merged) item.Merged++;
            if (_responder is not null && item.Matches.TargetsOf(alert) is { Count: > 0 } targets)
                await _responder.RespondAsync(item.Rule, raised.Alert, targets, cancellationToken);
        }

        foreach (var item in work.Where(item => item.Raised > 0)) _budget.Spend(tenantId, item.Rule.Id, item.Raised);
    }

    private IEnumerable<NewAlert> Allowed(Guid tenantId, DetectionWork item)
    {
        if (!item.Rule.Schedule.IsContinuous || item.Matches.Alerts.Count == 0) return item.Matches.Alerts;
        var left = _budget.Left(tenantId, item.Rule.Id);
        item.Held = Math.Max(0, item.Matches.Alerts.Count - left);
        return item.Matches.Alerts.Take(left);
    }

    private HuntingRequest Request(Guid tenantId, string query, (DateTime From, DateTime To) arrived) => new(tenantId, query)
    {
        IngestionWindow = arrived,
        Limits = AllTimes with { MaxRows = _options.MaxRowsPerRun, Timeout = _options.RuleTimeout },
    };

    // Within this process a turn is waited for; another server's is only when it must be.
    private async Task<IAsyncDisposable?> TakeAsync(Guid tenantId, DetectionTurn kind, bool wait, CancellationToken cancellationToken)
    {
        var turn = _turns.GetOrAdd((tenantId, kind), static _ => new SemaphoreSlim(1, 1));
        await turn.WaitAsync(cancellationToken);
        try
        {
            if (await _journal.ClaimAsync(tenantId, kind, wait, cancellationToken) is { } claim) return new Turn(turn, claim);
        }
        catch
        {
            turn.Release();
            throw;
        }

        turn.Release();
        return null;
    }

    [GeneratedRegex("[A-Za-z][A-Za-z0-9]*")]
    private static partial Regex Identifier();

    [LoggerMessage(LogLevel.Warning, "The detection rule {Rule} failed: {Failure}")]
    private partial void LogFailure(string rule, string failure);

    private sealed class Turn(SemaphoreSlim turn, IAsyncDisposable claim) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            try
            {
                await claim.DisposeAsync();
            }
            finally
            {
                turn.Release();
            }
        }
    }
}
