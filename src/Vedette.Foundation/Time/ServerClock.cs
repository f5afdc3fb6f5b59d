namespace Vedette.Foundation.Time;

/// <summary>
/// The time that the whole server goes by. It runs with the machine's clock until it is moved or stopped. Timers keep running on the machine's
/// time, so that nothing stands still with a stopped clock; moving the clock forward brings them closer by as much.
/// </summary>
public sealed class ServerClock(TimeProvider machine) : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly HashSet<ServerTimer> _timers = [];
    private TimeSpan _offset;
    private DateTimeOffset? _frozen;

    /// <summary>True while the clock stands still.</summary>
    public bool IsFrozen
    {
        get
        {
            lock (_lock) return _frozen is not null;
        }
    }

    /// <summary>How far the clock is from the machine's.</summary>
    public TimeSpan Offset => GetUtcNow() - machine.GetUtcNow();

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => machine.LocalTimeZone;

    /// <inheritdoc/>
    public override long TimestampFrequency => machine.TimestampFrequency;

    /// <inheritdoc/>
    public override long GetTimestamp() => machine.GetTimestamp();

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock) return _frozen ?? machine.GetUtcNow() + _offset;
    }

    /// <summary>Sets the time. A stopped clock stands still at the new time.</summary>
    public void Set(DateTimeOffset time) => Move(_ => time.ToUniversalTime());

    /// <summary>Moves the time; backwards when negative.</summary>
    public void Advance(TimeSpan by) => Move(now => now + by);

    /// <summary>Stops the clock where it is.</summary>
    public void Freeze()
    {
        lock (_lock) _frozen ??= machine.GetUtcNow() + _offset;
    }

    /// <summary>Lets a stopped clock run on from where it stands.</summary>
    public void Run()
    {
        lock (_lock)
        {
            if (_frozen is not { } frozen) return;
            _offset = frozen - machine.GetUtcNow();
            _frozen = null;
        }
    }

    /// <summary>Goes back to the machine's time.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            _frozen = null;
            _offset = TimeSpan.Zero;
        }
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new ServerTimer(this, callback, state, dueTime, period);

    private void Move(Func<DateTimeOffset, DateTimeOffset> to)
    {
        ServerTimer[] timers;
        TimeSpan forward;
        lock (_lock)
        {
            var before = _frozen ?? machine.GetUtcNow() + _offset;
            var after = to(before);
            forward = after - before;
            if (_frozen is not null) _frozen = after;
            else _offset += forward;
            timers = forward > TimeSpan.Zero ? [.. _timers] : [];
        }

        foreach (var timer in timers) timer.ComeCloser(forward);
    }

    private sealed class ServerTimer : ITimer
    {
        private readonly ServerClock _clock;
        private readonly ITimer _timer;
        private readonly Lock _lock = new();
        private TimeSpan _left;
        private TimeSpan _period;
        private long _since;

        public ServerTimer(ServerClock clock, TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _clock = clock;
            _timer = clock.Machine.CreateTimer(
                _ =>
                {
                    Fired();
                    callback(state);
                },
                null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Change(dueTime, period);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (_lock)
            {
                _left = dueTime;
                _period = period;
                _since = _clock.Machine.GetTimestamp();
                Remember(dueTime != Timeout.InfiniteTimeSpan);
                return _timer.Change(dueTime, period);
            }
        }

        public void ComeCloser(TimeSpan by)
        {
            lock (_lock)
            {
                if (_left == Timeout.InfiniteTimeSpan) return;
                var left = _left - _clock.Machine.GetElapsedTime(_since) - by;
                _left = left > TimeSpan.Zero ? left : TimeSpan.Zero;
                _since = _clock.Machine.GetTimestamp();
                _timer.Change(_left, _period);
            }
        }

        public void Dispose()
        {
            Remember(false);
            _timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Remember(false);
            return _timer.DisposeAsync();
        }

        private void Fired()
        {
            lock (_lock)
            {
                _left = _period;
                _since = _clock.Machine.GetTimestamp();
                if (_period == Timeout.InfiniteTimeSpan || _period == TimeSpan.Zero)
                {
                    _left = Timeout.InfiniteTimeSpan;
                    Remember(false);
                }
            }
        }

        private void Remember(bool due)
        {
            lock (_clock._lock)
            {
                if (due) _clock._timers.Add(this);
                else _clock._timers.Remove(this);
            }
        }
    }

    private TimeProvider Machine => machine;
}
