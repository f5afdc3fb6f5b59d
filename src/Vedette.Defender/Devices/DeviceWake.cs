using Vedette.Agent.Contract;

namespace Vedette.Defender.Devices;

/// <summary>Tells those who wait for a device's queue (simulated devices, agents' open calls) that it changed.</summary>
public sealed class DeviceWake
{
    private Func<DeviceSession, CancellationToken, ValueTask>[] _listeners = [];

    /// <summary>Adds a listener; what it does is done when <see cref="RaiseAsync"/> returns.</summary>
    public void Listen(Func<DeviceSession, CancellationToken, ValueTask> listener) => _listeners = [.. _listeners, listener];

    /// <summary>The device's queue changed.</summary>
    public async ValueTask RaiseAsync(DeviceSession device, CancellationToken cancellationToken)
    {
        foreach (var listener in _listeners) await listener(device, cancellationToken);
    }
}
