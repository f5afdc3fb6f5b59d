using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Options;
using Vedette.Foundation.Snapshots;

namespace Vedette.Server.Http;

/// <summary>Whether calls are counted against their limits.</summary>
public enum QuotaMode
{
    /// <summary>As the service does.</summary>
    Real,

    /// <summary>No limits.</summary>
    Off,
}

/// <summary>How strictly calls are counted, as it is now; begins as the settings say and can be changed while the server runs.</summary>
public sealed class QuotaPolicy(IOptions<HttpSettings> settings)
{
    /// <summary>Whether calls are counted.</summary>
    public QuotaMode Mode { get; set; } = settings.Value.Quotas;

    /// <summary>What every limit is multiplied with; a limit is never less than one call.</summary>
    public double Scale { get; set; } = 1;

    /// <summary>How often a call may be made: as the settings say, else as its table says.</summary>
    internal CallLimits LimitsOf(ApiEndpoint endpoint) => settings.Value.Calls.GetValueOrDefault(endpoint.Key) ?? endpoint.Limits;

    internal int? Scaled(int? limit) => limit is { } calls ? (int)Math.Clamp(Math.Round(calls * Scale), 1, 1_000_000) : null;
}

/// <summary>A limit that a call ran into.</summary>
/// <param name="Maximum">Calls allowed.</param>
/// <param name="Window">In what time.</param>
/// <param name="RetryAfter">Whole seconds until the next call is allowed, at least 1.</param>
internal sealed record QuotaExcess(int Maximum, TimeSpan Window, int RetryAfter)
{
    /// <summary>The window as the service writes it: <c>00:01:00</c>.</summary>
    public string WindowText => Window.ToString("c", CultureInfo.InvariantCulture);
}

/// <summary>
/// Counts calls per route, tenant and application in sliding windows. One ring of times per key serves both windows: a limit of n in a
/// window is exceeded when the n-th latest call is younger than the window. Refused calls are not counted.
/// </summary>
internal sealed class QuotaLedger(TimeProvider clock, QuotaPolicy policy) : IStateCache
{
    private const int SweepEvery = 4096;
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);
    private readonly ConcurrentDictionary<(ApiEndpoint, Guid, Guid), Ring> _rings = new();
    private int _sinceSweep;

    /// <summary>Counts a call, or tells which limit refuses it.</summary>
    public QuotaExcess? Take(ApiEndpoint endpoint, Guid tenant, Guid application)
    {
        var limits = policy.LimitsOf(endpoint);
        if (limits.PerMinute is null && limits.PerHour is null) return null;
        var key = (endpoint, tenant, limits.PerTenant ? Guid.Empty : application);
        var (perMinute, perHour) = (policy.Scaled(limits.PerMinute), policy.Scaled(limits.PerHour));
        var ring = _rings.GetOrAdd(key, _ => new Ring(Math.Max(perMinute ?? 0, perHour ?? 0)));
        var now = clock.GetUtcNow().UtcTicks;
        if (Interlocked.Increment(ref _sinceSweep) % SweepEvery == 0) Sweep(now);
        return ring.Take(now, perMinute, perHour);
    }

    /// <summary>Forgets all counts; needed after the scale changed, because each count has room for its limit.</summary>
    public void Forget() => _rings.Clear();

    private void Sweep(long now)
    {
        foreach (var (key, ring) in _rings)
            if (now - ring.Latest > Longest.Ticks) _rings.TryRemove(key, out _);
    }

    private sealed class Ring(int capacity)
    {
        private readonly Lock _lock = new();
        private long[] _times = new long[Math.Min(capacity, 16)];
        private int _next;
        private int _count;

        public long Latest { get; private set; }

        public QuotaExcess? Take(long now, int? perMinute, int? perHour)
        {
            lock (_lock)
            {
                var excess = Check(now, perMinute, TimeSpan.FromMinutes(1)) ?? Check(now, perHour, Longest);
                if (excess is not null) return excess;
                if (_count == _times.Length && _times.Length < capacity) Grow();
                _times[_next] = now;
                _next = (_next + 1) % _times.Length;
                _count = Math.Min(_count + 1, _times.Length);
                Latest = now;
                return null;
            }
        }

        private QuotaExcess? Check(long now, int? maximum, TimeSpan window)
        {
            if (maximum is not { } max || _count < max) return null;
            var oldest = _times[(_next - max + _times.Length * 2) % _times.Length];
            var wait = oldest + window.Ticks - now;
            return wait <= 0 ? null : new QuotaExcess(max, window, (int)Math.Max(1, (wait + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond));
        }

        private void Grow()
        {
            var grown = new long[Math.Min(capacity, _times.Length * 4)];
            for (var i = 0; i < _count; i++) grown[i] = _times[(_next + i) % _times.Length];
            _times = grown;
            _next = _count;
        }
    }
}
