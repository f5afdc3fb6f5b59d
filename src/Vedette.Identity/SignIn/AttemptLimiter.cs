using System.Collections.Concurrent;

namespace Vedette.Identity.SignIn;

/// <summary>
/// Counts attempts by somebody (an address, a client) within a minute. A flood from one place is stopped here before it costs password hashes
/// or database rows; accounts have their own lockout besides.
/// </summary>
public sealed class AttemptLimiter(TimeProvider clock)
{
    private const int MostKeys = 20_000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, Count> _counts = new(StringComparer.Ordinal);

    private sealed record Count(DateTimeOffset Ends, int Attempts);

    /// <summary>Whole seconds until another attempt is welcome, or null when it is now.</summary>
    /// <param name="key">Who, with what it is about.</param>
    /// <param name="allowed">Attempts allowed within a minute.</param>
    public int? SecondsToWait(string key, int allowed)
    {
        var now = clock.GetUtcNow();
        return _counts.TryGetValue(key, out var count) && count.Ends > now && count.Attempts >= allowed ? (int)Math.Ceiling((count.Ends - now).TotalSeconds) : null;
    }

    /// <summary>Counts one attempt.</summary>
    public void Add(string key)
    {
        var now = clock.GetUtcNow();
        if (_counts.Count >= MostKeys)
        {
            foreach (var (old, count) in _counts)
                if (count.Ends <= now) _counts.TryRemove(old, out _);
            if (_counts.Count >= MostKeys) _counts.Clear();
        }

        _counts.AddOrUpdate(key, _ => new Count(now + Window, 1), (_, count) => count.Ends > now ? count with { Attempts = count.Attempts + 1 } : new Count(now + Window, 1));
    }
}
