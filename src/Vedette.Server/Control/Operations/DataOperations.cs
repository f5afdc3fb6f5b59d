using Vedette.Defender;
using Vedette.Defender.Generation;
using Vedette.Defender.State;
using Vedette.Foundation.Snapshots;
using Vedette.Identity.Directory;
using Vedette.Server.Control.Scripting;
using Vedette.Server.Hosting;

namespace Vedette.Server.Control.Operations;

/// <summary><c>data.reset</c>: deletes all devices, alerts, actions, telemetry and files; with <c>seed</c> makes the demo organisation anew.</summary>
internal sealed class ResetData(ServerSnapshots snapshots, DirectoryService directory, IServiceProvider services) : Operation<ResetData.Input>("data.reset")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        progress.Report(new OperationProgress("Deleting all data", 0, null));
        await snapshots.EmptyAsync(cancellationToken);
        if (input.Seed) await DemoOrganisation.EnsureAsync(services, directory.FindTenant(null).Id, progress, cancellationToken);
        return new { reset = true, seeded = input.Seed };
    }

    internal sealed record Input(bool Seed = false);
}

/// <summary><c>data.seed</c>: makes sure of the demo organisation.</summary>
internal sealed class SeedData(DirectoryService directory, IServiceProvider services) : Operation<SeedData.Input>("data.seed")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var tenant = directory.FindTenant(input.Tenant).Id;
        await DemoOrganisation.EnsureAsync(services, tenant, progress, cancellationToken);
        return new { seeded = true, tenantId = tenant };
    }

    internal sealed record Input(string? Tenant = null);
}

/// <summary><c>data.generate</c>: makes many devices and alerts.</summary>
internal sealed class GenerateData(LoadGenerator generator, DirectoryService directory) : Operation<GenerateData.Input>("data.generate")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        try
        {
            return await generator.MakeAsync(
                directory.FindTenant(input.Tenant).Id,
                new LoadSize(input.Machines, input.Alerts, input.Evidence),
                (text, done, total) => progress.Report(new OperationProgress(text, done, total)),
                cancellationToken);
        }
        catch (Exception exception) when (exception is ArgumentOutOfRangeException or InvalidOperationException)
        {
            throw new OperationException("bad_input", exception.Message.Split(" (Parameter", 2)[0], exception);
        }
    }

    internal sealed record Input(int Machines = 0, int Alerts = 0, int Evidence = 3, string? Tenant = null);
}

/// <summary><c>snapshots.list</c>: the copies of all data that were taken.</summary>
internal sealed class ListSnapshots(ServerSnapshots snapshots) : Operation<ListSnapshots.Input>("snapshots.list")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        new { snapshots = (await snapshots.ListAsync(cancellationToken)).Select(copy => new { name = copy.Name, takenAt = copy.TakenAt }).ToArray() };

    internal sealed record Input;
}

/// <summary><c>snapshots.take</c>: copies all data under a name.</summary>
internal sealed class TakeSnapshot(ServerSnapshots snapshots) : Operation<SnapshotName>("snapshots.take")
{
    protected override async Task<object?> RunAsync(SnapshotName input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        await snapshots.TakeAsync(input.Checked(), cancellationToken);
        return new { name = input.Name, taken = true };
    }
}

/// <summary><c>snapshots.restore</c>: puts all data back as it was when the copy was taken.</summary>
internal sealed class RestoreSnapshot(ServerSnapshots snapshots) : Operation<SnapshotName>("snapshots.restore")
{
    protected override async Task<object?> RunAsync(SnapshotName input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        try
        {
            await snapshots.RestoreAsync(input.Checked(), cancellationToken);
            return new { name = input.Name, restored = true };
        }
        catch (KeyNotFoundException exception)
        {
            throw new OperationException("not_found", exception.Message, exception);
        }
        catch (InvalidOperationException exception)
        {
            throw new OperationException("conflict", exception.Message, exception);
        }
    }
}

/// <summary><c>snapshots.delete</c>: deletes a copy.</summary>
internal sealed class DeleteSnapshot(ServerSnapshots snapshots) : Operation<SnapshotName>("snapshots.delete")
{
    protected override async Task<object?> RunAsync(SnapshotName input, IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        await snapshots.DeleteAsync(input.Checked(), cancellationToken)
            ? new { name = input.Name, deleted = true }
            : throw new OperationException("not_found", $"There is no snapshot '{input.Name}'.");
}

/// <summary>Names a copy of all data.</summary>
/// <param name="Name">Lower-case letters, digits and underscores, a letter first, 31 at most.</param>
internal sealed record SnapshotName(string Name)
{
    public string Checked() => SchemaSnapshots.IsName(Name ?? "")
        ? Name!
        : throw new OperationException("bad_input", $"'{Name}' cannot name a snapshot: use up to 31 lower-case letters, digits and underscores, a letter first.");
}

/// <summary><c>timing.set</c>: how simulated devices pace their actions.</summary>
internal sealed class SetActionTiming(TenantSettingsStore settings, DirectoryService directory) : Operation<SetActionTiming.Input>("timing.set")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var timing = input.Timing == "never" ? new ActionTiming(ActionTimingMode.Never, 0, 0) : ActionPace.Parse(input.Timing ?? "");
        if (timing is null) throw new OperationException("bad_input", "timing is 'at-once', 'never', seconds ('5s') or reads of the action ('3r').");
        if (input.Outcome is { } outcome)
        {
            if (outcome is not (MachineActionStatus.Succeeded or MachineActionStatus.Failed)) throw new OperationException("bad_input", "outcome is Succeeded or Failed.");
            timing = timing with { Outcome = outcome };
        }

        await settings.SetAsync(directory.FindTenant(input.Tenant).Id, tenant => tenant.ActionTiming = timing, cancellationToken);
        return new { timing = input.Timing, outcome = timing.Outcome };
    }

    internal sealed record Input(string? Timing, MachineActionStatus? Outcome = null, string? Tenant = null);
}
