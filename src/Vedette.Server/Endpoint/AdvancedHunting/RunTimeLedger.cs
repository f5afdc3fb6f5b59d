using System.Collections.Concurrent;

namespace Vedette.Server.Endpoint.AdvancedHunting;

/// <summary>
/// Sums the run time of a tenant's queries. Source: the published limits, 10 minutes an hour and 3 hours a day.
/// </summary>
internal sealed class RunTimeLedger(TimeProvider clock)
{
    private static readonly (TimeSpan Window, TimeSpan Allowed)[] Limits =
    [
        (TimeSpan.FromHours(1), TimeSpan.FromMinutes(10)),
        (TimeSpan.FromDays(1), TimeSpan.FromHours(3)),
    ];

    private readonly ConcurrentDictionary<Guid, Queue<(DateTime End, TimeSpan Took)>> _runs = new();

    /// <summary>How long the tenant must wait before its next query; null when it may go on.</summary>
    public TimeSpan? Wait(Guid tenant)
    {
        if (!_runs.TryGetValue(tenant, out var runs)) return null;
        var now = clock.GetUtcNow().UtcDateTime;
        lock (runs)
        {
            while (runs.TryPeek(out var oldest) && oldest.End + Limits[^1].Window <= now) runs.Dequeue();
            foreach (var (window, allowed) in Limits)
            {
                var inside = runs.Where(run => run.End + window > now).ToArray();
                var over = inside.Sum(run => run.Took.Ticks) - allowed.Ticks;
                if (over < 0) continue;
                // The wait ends when enough of the oldest runs have left the window.
                foreach (var run in inside)
                {
                    over -= run.Took.Ticks;
                    if (over < 0) return run.End + window - now;
                }
            }

            return null;
        }
    }

    /// <summary>Notes a query that ran.</summary>
    public void Add(Guid tenant, TimeSpan took)
    {
        var runs = _runs.GetOrAdd(tenant, _ => new Queue<(DateTime, TimeSpan)>());
        lock (runs) runs.Enqueue((clock.GetUtcNow().UtcDateTime, took));
    }
}
