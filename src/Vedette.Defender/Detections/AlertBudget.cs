using System.Collections.Concurrent;

namespace Vedette.Defender.Detections;

/// <summary>Counts the alerts that each continuous rule raises in a minute of the machine's clock, so that one that matches everything floods nobody.</summary>
internal sealed class AlertBudget(int most)
{
    private readonly ConcurrentDictionary<(Guid Tenant, Guid Rule), (long Minute, int Used)> _used = new();

    private static long Minute => Environment.TickCount64 / 60_000;

    /// <summary>Alerts that a rule may still raise in this minute.</summary>
    public int Left(Guid tenantId, Guid ruleId) => _used.TryGetValue((tenantId, ruleId), out var used) && used.Minute == Minute ? Math.Max(0, most - used.Used) : most;

    /// <summary>Notes alerts that a rule raised.</summary>
    public void Spend(Guid tenantId, Guid ruleId, int alerts) =>
        _used.AddOrUpdate((tenantId, ruleId), _ => (Minute, alerts), (_, used) => used.Minute == Minute ? (Minute, used.Used + alerts) : (Minute, alerts));
}
