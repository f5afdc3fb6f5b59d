namespace Vedette.Defender;

/// <summary>Tells a background worker that there is something to do.</summary>
public abstract class WorkSignal
{
    private readonly SemaphoreSlim _raised = new(0);

    /// <summary>There is work.</summary>
    public void Raise() => _raised.Release();

    /// <summary>Waits for work, or until a time has passed.</summary>
    internal async Task WaitAsync(TimeSpan longest, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(_raised.WaitAsync(stop.Token), Task.Delay(longest, clock, stop.Token));
        await stop.CancelAsync();
        while (_raised.CurrentCount > 0) await _raised.WaitAsync(CancellationToken.None);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
