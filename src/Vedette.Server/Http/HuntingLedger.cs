using System.Collections.Concurrent;
using Vedette.Foundation.Snapshots;

namespace Vedette.Server.Http;

/// <summary>
/// Sums what a tenant's hunting queries took: run time in sliding windows for each surface, processor time in fixed windows over all surfaces. Source:
/// the published limits.
/// </summary>
internal sealed partial class HuntingLedger(TimeProvider clock, QuotaPolicy policy, HuntingSettings settings, ILogger<HuntingLedger> log) : IStateCache
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly ConcurrentDictionary<(Guid, HuntingSurface), Queue<(DateTime End, TimeSpan Took)>> _runs = new();
    private readonly ConcurrentDictionary<Guid, Processor> _processor = new();

    /// <summary>How long the tenant must wait before its next query; null when it may go on.</summary>
    public TimeSpan? Wait(Guid tenant, HuntingSurface surface)
    {
        if (policy.Mode == QuotaMode.Off) return null;
        var now = clock.GetUtcNow().UtcDateTime;
        var waits = new[] { WaitForRunTime(tenant, surface, now), WaitForProcessor(tenant, now) };
        return waits.Max();
    }

    /// <summary>Notes a query that ran, also one that failed.</summary>
    public void Add(Guid tenant, HuntingSurface surface, TimeSpan took, TimeSpan processor)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        if (surface.RunTimePerHour is not null || surface.RunTimePerDay is not null)
        {
            var runs = _runs.GetOrAdd((tenant, surface), _ => new Queue<(DateTime, TimeSpan)>());
            lock (runs) runs.Enqueue((now, took));
        }

        if (Allowance() is not { } allowance) return;
        var used = _processor.GetOrAdd(tenant, _ => new Processor());
        lock (used)
        {
            used.Enter(WindowOf(now));
            var before = used.Used;
            used.Used += processor;
            var limit = allowance * settings.CpuWarning;
            if (before <= limit && used.Used > limit) LogHeavyUse(tenant, used.Used / allowance);
        }
    }

    /// <inheritdoc/>
    public void Forget()
    {
        _runs.Clear();
        _processor.Clear();
    }

    private TimeSpan? WaitForRunTime(Guid tenant, HuntingSurface surface, DateTime now)
    {
        if (!_runs.TryGetValue((tenant, surface), out var runs)) return null;
        lock (runs)
        {
            while (runs.TryPeek(out var oldest) && oldest.End + Day <= now) runs.Dequeue();
            return new[] { Wait(runs, Hour, surface.RunTimePerHour, now), Wait(runs, Day, surface.RunTimePerDay, now) }.Max();
        }
    }

    private TimeSpan? Wait(Queue<(DateTime End, TimeSpan Took)> runs, TimeSpan window, TimeSpan? allowed, DateTime now)
    {
        if (allowed is null) return null;
        var inside = runs.Where(run => run.End + window > now).ToArray();
        var over = inside.Sum(run => run.Took.Ticks) - (allowed.Value * policy.Scale).Ticks;
        if (over < 0) return null;

        // The wait ends when enough of the oldest runs have left the window.
        foreach (var run in inside)
        {
            over -= run.Took.Ticks;
            if (over < 0) return run.End + window - now;
        }

        return null;
    }

    private TimeSpan? WaitForProcessor(Guid tenant, DateTime now)
    {
        if (Allowance() is not { } allowance || !_processor.TryGetValue(tenant, out var used)) return null;
        lock (used)
        {
            used.Enter(WindowOf(now));
            return used.Used < allowance ? null : new DateTime((used.Window + 1) * settings.CpuWindow.Ticks, DateTimeKind.Utc) - now;
        }
    }

    private TimeSpan? Allowance() => settings.CpuAllowance * policy.Scale;

    private long WindowOf(DateTime time) => time.Ticks / settings.CpuWindow.Ticks;

    [LoggerMessage(LogLevel.Warning, "Hunting queries of tenant {Tenant} have used {Share:P0} of the processor time they may use in this window")]
    private partial void LogHeavyUse(Guid tenant, double share);

    private sealed class Processor
    {
        public long Window { get; private set; }

        public TimeSpan Used { get; set; }

        public void Enter(long window)
        {
            if (Window != window) Used = TimeSpan.Zero;
            Window = window;
        }
    }
}
