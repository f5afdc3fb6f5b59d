using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Vedette.Agent.Contract;
using Vedette.Defender.Actions;
using Vedette.Defender.Indicators;
using Vedette.Defender.LiveResponse;
using Vedette.Defender.Machines;
using Vedette.Defender.Outbox;
using Vedette.Defender.State;
using Vedette.Foundation;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Devices;

/// <summary>The server's side of what agents say, whatever transport they come through.</summary>
internal sealed class DeviceChannel(
    IDbContextFactory<DefenderDbContext> states,
    FileStore files,
    LibraryService library,
    IndicatorCache indicators,
    IHuntingStore hunting,
    OutboxSignal outbox,
    IIdentifierSource identifiers,
    TimeProvider clock) : IDeviceChannel
{
    private const int MostEvents = 20_000;

    public async Task<DeviceSession> EnrolAsync(Guid tenantId, EnrolmentRequest request, CancellationToken cancellationToken)
    {
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        var now = clock.GetUtcNow().UtcDateTime;
        var machine = await state.Machines.FirstOrDefaultAsync(m => m.AgentKeyThumbprint == request.PublicKeyThumbprint, cancellationToken);
        if (machine is not null && machine.TenantId != tenantId) throw new InvalidOperationException("The key belongs to a device of another tenant.");
        if (machine is null)
        {
            machine = new Machine { TenantId = tenantId, Id = identifiers.NewHex(20), FirstSeen = now, AgentKeyThumbprint = request.PublicKeyThumbprint };
            state.Machines.Add(machine);
        }

        machine.Channel = DeviceChannelKind.Agent;
        machine.OnboardingStatus = OnboardingStatus.Onboarded;
        machine.HealthStatus = HealthStatus.Active;
        TakeOver(machine, request.Inventory, now);
        state.AddHuntingRows(tenantId, now, [MachineRows.DeviceInfo(machine, now)]);
        await state.SaveChangesAsync(cancellationToken);
        outbox.Raise();
        return new DeviceSession(tenantId, machine.Id);
    }

    public async Task HeartbeatAsync(DeviceSession device, Heartbeat heartbeat, CancellationToken cancellationToken)
    {
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        await using var transaction = await state.Database.BeginTransactionAsync(cancellationToken);
        var machine = await LockAsync(state, device, cancellationToken);
        var now = clock.GetUtcNow().UtcDateTime;
        machine.LastContact = now;
        var changed = TakeOver(machine, heartbeat.State);
        if (heartbeat.Inventory is { } inventory)
        {
            TakeOver(machine, inventory, now);
            changed = true;
        }

        if (changed) state.AddHuntingRows(device.TenantId, now, [MachineRows.DeviceInfo(machine, now)]);
        await state.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        if (changed) outbox.Raise();
    }

    public async Task<DeviceCommand?> FetchCommandAsync(DeviceSession device, CancellationToken cancellationToken)
    {
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        var now = clock.GetUtcNow().UtcDateTime;
        var action = await state.MachineActions.AsNoTracking()
            .Where(a => a.TenantId == device.TenantId && a.MachineId == device.DeviceId
                && (a.Status == MachineActionStatus.Pending || a.Status == MachineActionStatus.InProgress) && a.ExpiresAt > now)
            .OrderBy(a => a.Sequence)
            .FirstOrDefaultAsync(cancellationToken);
        if (action is null) return null;
        return new DeviceCommand(action.Id, Enum.Parse<CommandKind>(action.Type.ToString()), action.CreationDateTimeUtc)
        {
            StartedAt = action.StartedAt,
            Scope = action.Scope,
            FileSha1 = action.RelatedFileSha1,
            Steps = [.. action.Commands.Select(c => new SessionStep(c.Command.Type, Parameters(c.Command)))],
        };
    }

    public async Task<bool> BeginAsync(DeviceSession device, Guid commandId, CancellationToken cancellationToken)
    {
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        var now = clock.GetUtcNow().UtcDateTime;

        // Only the head of the queue may begin, so the order holds whatever the device asks for. Beginning again changes nothing.
        return await state.Database.ExecuteSqlAsync(
            $"""
            UPDATE defender.machine_actions AS action
            SET status = 'InProgress', started_at = coalesce(started_at, {now}),
                last_update_date_time_utc = CASE WHEN status = 'Pending' THEN {now} ELSE last_update_date_time_utc END
            WHERE id = {commandId} AND tenant_id = {device.TenantId} AND machine_id = {device.DeviceId}
                AND status IN ('Pending', 'InProgress') AND expires_at > {now}
                AND NOT EXISTS (
                    SELECT 1 FROM defender.machine_actions AS earlier
                    WHERE earlier.tenant_id = action.tenant_id AND earlier.machine_id = action.machine_id AND earlier.sequence < action.sequence
                        AND earlier.status IN ('Pending', 'InProgress') AND earlier.expires_at > {now})
            """,
            cancellationToken) == 1;
    }

    public async Task UploadAsync(DeviceSession device, Guid commandId, string fileName, Stream content, CancellationToken cancellationToken)
    {
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        var known = await state.MachineActions.AnyAsync(
            a => a.Id == commandId && a.TenantId == device.TenantId && a.MachineId == device.DeviceId && a.Status == MachineActionStatus.InProgress, cancellationToken);
        if (!known) throw new InvalidOperationException("The device is not executing such a command.");
        await files.SaveAsync(device.TenantId, commandId, fileName, content, cancellationToken);
    }

    public async Task<Stream> DownloadAsync(DeviceSession device, Guid commandId, string fileName, CancellationToken cancellationToken)
    {
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        var action = await state.MachineActions.AsNoTracking().FirstOrDefaultAsync(
            a => a.Id == commandId && a.TenantId == device.TenantId && a.MachineId == device.DeviceId && a.Status == MachineActionStatus.InProgress, cancellationToken);
        var isNamed = action?.Commands.Any(c => c.Command.Params.Any(p => p.Value.Equals(fileName, StringComparison.OrdinalIgnoreCase))) ?? false;
        return isNamed && await library.ReadAsync(device.TenantId, fileName, cancellationToken) is { } content
            ? new MemoryStream(content, writable: false)
            : throw new FileNotFoundException($"The file {fileName} was not found in the library.", fileName);
    }

    public async Task CompleteAsync(DeviceSession device, CommandResult result, CancellationToken cancellationToken)
    {
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        await using var transaction = await state.Database.BeginTransactionAsync(cancellationToken);
        var machine = await LockAsync(state, device, cancellationToken);
        var action = await state.MachineActions
            .FromSql($"SELECT * FROM defender.machine_actions WHERE id = {result.CommandId} AND tenant_id = {device.TenantId} AND machine_id = {device.DeviceId} FOR UPDATE")
            .SingleOrDefaultAsync(cancellationToken);
        var now = clock.GetUtcNow().UtcDateTime;
        machine.LastContact = now;

        // The state is a fact even when the action was withdrawn meanwhile; the result counts once.
        var changed = TakeOver(machine, result.State);
        if (action is not null && !ActionFacts.IsFinal(action.Status)) Finish(action, result, now);
        if (changed) state.AddHuntingRows(device.TenantId, now, [MachineRows.DeviceInfo(machine, now)]);
        await state.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        if (changed) outbox.Raise();
    }

    public async Task<DeviceIndicators?> FetchIndicatorsAsync(DeviceSession device, string? knownVersion, CancellationToken cancellationToken)
    {
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        var machine = await state.Machines.AsNoTracking().FirstOrDefaultAsync(m => m.TenantId == device.TenantId && m.Id == device.DeviceId, cancellationToken);
        var now = clock.GetUtcNow().UtcDateTime;
        var sets = await indicators.GetAsync(device.TenantId, cancellationToken);
        var forDevice = sets.Facts.Where(f => (f.Expires is null || f.Expires > now) && f.IsFor(machine?.RbacGroupId ?? 0, machine?.RbacGroupName)).OrderBy(f => f.Id).ToArray();
        var version = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('|', forDevice.Select(f => $"{f.Id} {f.Action} {f.Value}")))));
        return version == knownVersion ? null : new DeviceIndicators(version, [.. forDevice.Select(f => new DeviceIndicator(f.Type.ToString(), f.Value, f.Action.ToString()))]);
    }

    public Task SendTelemetryAsync(DeviceSession device, TelemetryBatch batch, CancellationToken cancellationToken)
    {
        var rows = HuntingRowText.Read(batch.Rows, strict: true);
        if (rows.Count > MostEvents) throw new InvalidDataException($"A batch holds at most {MostEvents} events.");
        foreach (var row in rows)
        {
            // A device speaks for itself only.
            if (row.Table.OrdinalOf("DeviceId") < 0) throw new InvalidDataException($"A device does not write to {row.Table.Name}.");
            row["DeviceId"] = device.DeviceId;
        }

        return hunting.AppendAsync(device.TenantId, rows, $"device-{device.DeviceId}-{batch.Id}", cancellationToken);
    }

    private static Dictionary<string, string> Parameters(LiveResponseCommand command)
    {
        var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var parameter in command.Params) parameters[parameter.Key] = parameter.Value;
        return parameters;
    }

    private static async Task<Machine> LockAsync(DefenderDbContext state, DeviceSession device, CancellationToken cancellationToken) =>
        await state.Machines.FromSql($"SELECT * FROM defender.machines WHERE tenant_id = {device.TenantId} AND id = {device.DeviceId} FOR UPDATE").SingleOrDefaultAsync(cancellationToken)
        ?? throw new InvalidOperationException($"There is no device {device.DeviceId}.");

    private static bool TakeOver(Machine machine, DeviceState reported)
    {
        var before = (machine.Isolation, machine.IsCodeExecutionRestricted, machine.OnboardingStatus);
        machine.Isolation = (IsolationState)reported.Isolation;
        machine.IsCodeExecutionRestricted = reported.IsCodeExecutionRestricted;
        if (reported.IsOffboarded && machine.OnboardingStatus == OnboardingStatus.Onboarded) machine.OnboardingStatus = OnboardingStatus.CanBeOnboarded;
        return before != (machine.Isolation, machine.IsCodeExecutionRestricted, machine.OnboardingStatus);
    }

    private static void TakeOver(Machine machine, DeviceInventory inventory, DateTime now)
    {
        machine.ComputerDnsName = inventory.Name.ToLowerInvariant();
        machine.OsPlatform = inventory.OsPlatform;
        machine.OsVersion = inventory.OsVersion;
        machine.OsDistribution = inventory.OsDistribution;
        machine.OsBuild = inventory.OsBuild;
        machine.OsProcessor = inventory.OsProcessor;
        machine.Version = ActionFacts.FamilyOf(inventory.OsPlatform) == OsFamily.Windows ? WindowsReleases.Of(inventory.OsBuild) : inventory.OsVersion ?? "";
        machine.AgentVersion = inventory.AgentVersion;
        machine.DeviceType = inventory.DeviceType;
        machine.IpAddresses = [.. inventory.Addresses.Select(a => new MachineIpAddress(a.IpAddress, a.MacAddress, a.Type, a.OperationalStatus))];
        machine.LastIpAddress = inventory.Addresses.FirstOrDefault(a => a is { Type: not "SoftwareLoopback", OperationalStatus: "Up" })?.IpAddress ?? machine.LastIpAddress;
        machine.LastSeen = now;
        machine.LastContact = now;
    }

    private void Finish(MachineAction action, CommandResult result, DateTime now)
    {
        action.Status = result.Succeeded ? MachineActionStatus.Succeeded : MachineActionStatus.Failed;
        action.StartedAt ??= now;
        action.CompletedAt = now;
        action.LastUpdateDateTimeUtc = now;
        action.ErrorHResult = result.ErrorHResult;
        action.TroubleshootInfo = result.Message;
        if (files.Find(action.TenantId, action.Id, ActionService.PackageName) is { } package) (action.ResultFile, action.ResultSize) = (package.Name, package.Size);
        if (action.Commands.Count == 0) return;
        action.Commands =
        [
            .. action.Commands.Select((command, index) => index >= result.Steps.Count
                ? command
                : command with
                {
                    CommandStatus = result.Steps[index].Succeeded ? "Completed" : "Failed",
                    StartTime = result.Steps[index].StartedAt,
                    EndTime = result.Steps[index].EndedAt,
                    Errors = [.. result.Steps[index].Errors],
                    ResultFile = result.Steps[index].ResultFile is { } name ? files.Find(action.TenantId, action.Id, name)?.Name : null,
                }),
        ];
    }
}
