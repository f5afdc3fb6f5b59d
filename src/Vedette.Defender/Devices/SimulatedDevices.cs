using System.Threading.Channels;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Vedette.Agent.Contract;
using Vedette.Defender.Actions;
using Vedette.Defender.State;

namespace Vedette.Defender.Devices;

/// <summary>
/// Plays the agents of devices that have none. Each device takes its commands one by one through the same contract that a real agent uses, at
/// the pace of the tenant's <see cref="ActionTiming"/>. What a device does next follows from the queue alone, so a server that was killed goes
/// on where it was.
/// </summary>
internal sealed partial class SimulatedDevices : BackgroundService
{
    private const int Stripes = 64;
    private static readonly TimeSpan Sweep = TimeSpan.FromSeconds(30);
    private readonly Channel<DeviceSession> _wakes = Channel.CreateUnbounded<DeviceSession>(new UnboundedChannelOptions { SingleReader = true });
    private readonly SemaphoreSlim[] _turns = [.. Enumerable.Range(0, Stripes).Select(_ => new SemaphoreSlim(1, 1))];
    private readonly IDbContextFactory<DefenderDbContext> _states;
    private readonly IDeviceChannel _channel;
    private readonly SimulatedAgent _agent;
    private readonly ActionService _actions;
    private readonly TenantSettingsStore _settings;
    private readonly TimeProvider _clock;
    private readonly ILogger<SimulatedDevices> _log;

    /// <summary>Listens for changes of queues.</summary>
    public SimulatedDevices(
        IDbContextFactory<DefenderDbContext> states,
        IDeviceChannel channel,
        SimulatedAgent agent,
        ActionService actions,
        DeviceWake wake,
        TenantSettingsStore settings,
        TimeProvider clock,
        ILogger<SimulatedDevices> log)
    {
        (_states, _channel, _agent, _actions, _settings, _clock, _log) = (states, channel, agent, actions, settings, clock, log);
        wake.Listen(WakeAsync);
    }

    /// <summary>Lets a device do all that is due now; returns when its next step is due, or null when it waits for something else.</summary>
    public async Task<DateTime?> StepAsync(DeviceSession device, CancellationToken cancellationToken)
    {
        var turn = _turns[(uint)device.GetHashCode() % Stripes];
        await turn.WaitAsync(cancellationToken);
        try
        {
            while (await ReadyAsync(device, cancellationToken) is { } ready)
            {
                if (ready.Due is { } due && due > _clock.GetUtcNow().UtcDateTime) return due;
                if (ready.Command.StartedAt is null) await _channel.BeginAsync(device, ready.Command.Id, cancellationToken);
                else await _agent.ExecuteAsync(device, ready.Machine, ready.Command, ready.Timing, cancellationToken);
            }

            return null;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var due = new Dictionary<DeviceSession, DateTime>();
        var nextSweep = DateTime.MinValue;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var now = _clock.GetUtcNow().UtcDateTime;
                if (now >= nextSweep)
                {
                    await _actions.ExpireAsync(stoppingToken);
                    foreach (var device in await WaitingAsync(stoppingToken))
                        if ((await _settings.GetAsync(device.TenantId, stoppingToken)).ActionTiming.Mode != ActionTimingMode.Never) due.TryAdd(device, now);
                    nextSweep = now + Sweep;
                }

                foreach (var device in due.Where(d => d.Value <= now).Select(d => d.Key).ToArray())
                {
                    due.Remove(device);
                    if (await TryStepAsync(device, stoppingToken) is { } next) due[device] = next;
                }

                await WaitAsync(due.Count == 0 ? nextSweep : Earlier(nextSweep, due.Values.Min()), stoppingToken);
                while (_wakes.Reader.TryRead(out var woken)) due[woken] = _clock.GetUtcNow().UtcDateTime;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                LogFailure(exception);
                await Task.Delay(TimeSpan.FromSeconds(1), stoppingToken);
            }
        }
    }

    private static DateTime Earlier(DateTime one, DateTime other) => one < other ? one : other;

    private static bool IsOn(Machine machine, DeviceCommand command)
    {
        // What is not onboarded has no sensor: it can only be contained by its neighbours, and released.
        var byNeighbours = command.Kind == CommandKind.Unisolate || command is { Kind: CommandKind.Isolate, Scope: "UnManagedDevice" };
        if (machine.OnboardingStatus != OnboardingStatus.Onboarded) return byNeighbours;
        return machine is { Channel: DeviceChannelKind.Simulated, HealthStatus: HealthStatus.Active };
    }

    private async ValueTask WakeAsync(DeviceSession device, CancellationToken cancellationToken)
    {
        // Steps that wait for no time are done at once, so that whoever ordered or read sees their effect with the next call.
        var mode = (await _settings.GetAsync(device.TenantId, cancellationToken)).ActionTiming.Mode;
        if (mode is ActionTimingMode.AtOnce or ActionTimingMode.AfterReads) await TryStepAsync(device, CancellationToken.None);
        else if (mode != ActionTimingMode.Never) _wakes.Writer.TryWrite(device);
    }

    private async Task WaitAsync(DateTime until, CancellationToken cancellationToken)
    {
        var span = until - _clock.GetUtcNow().UtcDateTime;
        if (span <= TimeSpan.Zero) return;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(_wakes.Reader.WaitToReadAsync(stop.Token).AsTask(), Task.Delay(span, _clock, stop.Token));
        await stop.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private async Task<DateTime?> TryStepAsync(DeviceSession device, CancellationToken cancellationToken)
    {
        try
        {
            return await StepAsync(device, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // One device's trouble is not the others': it tries again with the next sweep.
            LogDeviceFailure(exception, device.DeviceId);
            return null;
        }
    }

    /// <summary>The command at the head of the queue and when it is due; null when there is nothing that time alone brings on.</summary>
    private async Task<(Machine Machine, DeviceCommand Command, ActionTiming Timing, DateTime? Due)?> ReadyAsync(DeviceSession device, CancellationToken cancellationToken)
    {
        if (await _channel.FetchCommandAsync(device, cancellationToken) is not { } command) return null;
        await using var state = await _states.CreateDbContextAsync(cancellationToken);
        var machine = await state.Machines.AsNoTracking().FirstOrDefaultAsync(m => m.TenantId == device.TenantId && m.Id == device.DeviceId, cancellationToken);
        if (machine is null || machine.Channel == DeviceChannelKind.Agent || !IsOn(machine, command)) return null;

        var timing = (await _settings.GetAsync(device.TenantId, cancellationToken)).ActionTiming;
        switch (timing.Mode)
        {
            case ActionTimingMode.AtOnce:
                return (machine, command, timing, null);
            case ActionTimingMode.AfterSeconds:
                return (machine, command, timing, command.StartedAt is { } started ? started.AddSeconds(timing.Finish) : command.CreatedAt.AddSeconds(timing.Start));
            case ActionTimingMode.AfterReads:
                var reads = await state.MachineActions.Where(a => a.Id == command.Id).Select(a => a.Reads).FirstOrDefaultAsync(cancellationToken);
                return reads >= timing.Start + (command.StartedAt is null ? 0 : timing.Finish) ? (machine, command, timing, null) : null;
            default:
                return null;
        }
    }

    private async Task<List<DeviceSession>> WaitingAsync(CancellationToken cancellationToken)
    {
        await using var state = await _states.CreateDbContextAsync(cancellationToken);
        var waiting = await state.MachineActions
            .Where(a => a.Status == MachineActionStatus.Pending || a.Status == MachineActionStatus.InProgress)
            .Select(a => new { a.TenantId, a.MachineId }).Distinct().ToListAsync(cancellationToken);
        return [.. waiting.Select(w => new DeviceSession(w.TenantId, w.MachineId))];
    }

    [LoggerMessage(LogLevel.Error, "Simulated devices stopped for a moment.")]
    private partial void LogFailure(Exception exception);

    [LoggerMessage(LogLevel.Error, "Simulated device {Device} could not take its next step.")]
    private partial void LogDeviceFailure(Exception exception, string device);
}
