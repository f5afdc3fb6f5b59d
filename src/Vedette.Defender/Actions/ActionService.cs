using Microsoft.EntityFrameworkCore;
using Npgsql;
using Vedette.Agent.Contract;
using Vedette.Defender.Devices;
using Vedette.Defender.State;
using Vedette.Foundation;

namespace Vedette.Defender.Actions;

/// <summary>Machine actions from the side of who orders them.</summary>
public sealed class ActionService(
    IDbContextFactory<DefenderDbContext> states,
    TenantSettingsStore settings,
    DefenderOptions options,
    DeviceWake wake,
    FileStore files,
    IIdentifierSource identifiers,
    TimeProvider clock)
{
    internal const string PackageName = "package.zip";

    /// <summary>HRESULT of a time-out (<c>ERROR_TIMEOUT</c>).</summary>
    private const int TimedOut = unchecked((int)0x800705B4);
    private const string Kind = "Machine action";

    /// <summary>
    /// Puts an order into the device's queue. While the same kind is under way on the device (for a file: on the same file) it is refused, or
    /// answered with the action that is under way, as the tenant's settings say.
    /// </summary>
    public async Task<Outcome<MachineAction>> RequestAsync(Caller caller, string machineId, ActionOrder order, CancellationToken cancellationToken)
    {
        var body = OrderCheck.Body(order);
        if (body.Error is { } wrong) return wrong;

        // Before the lock below is waited for: whoever holds it must not need a second connection.
        var tenant = await settings.GetAsync(caller.TenantId, cancellationToken);
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        var id = machineId.ToLowerInvariant();
        var machine = await state.Machines.AsNoTracking().FirstOrDefaultAsync(m => m.TenantId == caller.TenantId && m.Id == id, cancellationToken);
        if (machine is null || !caller.Sees(machine.RbacGroupId)) return new DomainError(Refusal.MachineNotFound, machineId);
        if (OrderCheck.Device(order, body.Value, machine) is { } impossible) return impossible;
        await using var session = order.Type == MachineActionType.LiveResponse ? await CountSessionsAsync(state, caller.TenantId, cancellationToken) : null;
        if (session is not null && await LiveResponseLimitAsync(state, machine, cancellationToken) is { } refused) return refused;

        var action = Create(caller, machine, order, body.Value);
        for (var attempt = 0; ; attempt++)
        {
            if (await UnderWayAsync(state, action, cancellationToken) is { } same)
            {
                if (tenant.DuplicateOrders == DuplicateOrders.ReturnPending && order.Type != MachineActionType.LiveResponse) return same;
                return new DomainError(ActionFacts.Table[order.Type].Repeated);
            }

            state.MachineActions.Add(action);
            try
            {
                await state.SaveChangesAsync(cancellationToken);
                break;
            }
            catch (DbUpdateException exception) when (exception.InnerException is PostgresException { ConstraintName: "machine_actions_once" } && attempt < 5)
            {
                // Another call was a moment faster: look again, and answer for its action.
                state.ChangeTracker.Clear();
            }
        }

        if (session is not null) await session.CommitAsync(cancellationToken);

        // The order stands from here on, whether or not the caller still listens.
        await wake.RaiseAsync(new DeviceSession(caller.TenantId, machine.Id), CancellationToken.None);
        return action;
    }

    /// <summary>Withdraws an action that is not final; the device is not to begin it, or its result no longer counts.</summary>
    public async Task<Outcome<MachineAction>> CancelAsync(Caller caller, Guid id, string? comment, CancellationToken cancellationToken)
    {
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        await using var transaction = await state.Database.BeginTransactionAsync(cancellationToken);
        var action = await state.MachineActions
            .FromSql($"SELECT * FROM defender.machine_actions WHERE id = {id} AND tenant_id = {caller.TenantId} FOR UPDATE")
            .SingleOrDefaultAsync(cancellationToken);
        if (action is null || !await SeesAsync(state, caller, action, cancellationToken)) return new DomainError(Refusal.ResourceNotFound, Kind, id.ToString());
        if (ActionFacts.IsFinal(action.Status))
        {
            return new DomainError(Refusal.BadRequest, $"Machine action {id} cannot be cancelled: its status is {action.Status}.");
        }

        var now = clock.GetUtcNow().UtcDateTime;
        action.Status = MachineActionStatus.Cancelled;
        action.CancellationRequestor = caller.Name;
        action.CancellationComment = comment;
        action.CancellationDateTimeUtc = now;
        action.LastUpdateDateTimeUtc = now;
        action.CompletedAt = now;
        await state.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        await wake.RaiseAsync(new DeviceSession(caller.TenantId, action.MachineId), CancellationToken.None);
        return action;
    }

    /// <summary>An action.</summary>
    public async Task<Outcome<MachineAction>> GetAsync(Caller caller, Guid id, CancellationToken cancellationToken)
    {
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        var action = await state.MachineActions.AsNoTracking().FirstOrDefaultAsync(a => a.TenantId == caller.TenantId && a.Id == id, cancellationToken);
        return action is not null && await SeesAsync(state, caller, action, cancellationToken) ? action : new DomainError(Refusal.ResourceNotFound, Kind, id.ToString());
    }

    /// <summary>
    /// Tells that a client has read actions. Surfaces call it after they have read what they answer with; where the tenant lets actions proceed
    /// by reads, the step that this read brings is done when the call returns.
    /// </summary>
    public async ValueTask NoteReadsAsync(Guid tenantId, IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken)
    {
        if (ids.Count == 0 || (await settings.GetAsync(tenantId, cancellationToken)).ActionTiming.Mode != ActionTimingMode.AfterReads) return;
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        var machines = await state.Database.SqlQuery<string>(
            $"""
            UPDATE defender.machine_actions SET reads = reads + 1
            WHERE tenant_id = {tenantId} AND id = ANY({ids.ToArray()}) AND status IN ('Pending', 'InProgress')
            RETURNING machine_id AS "Value"
            """).ToListAsync(cancellationToken);
        foreach (var machine in machines.Distinct(StringComparer.Ordinal)) await wake.RaiseAsync(new DeviceSession(tenantId, machine), cancellationToken);
    }

    /// <summary>The investigation package of an action; not found before the collection has ended well.</summary>
    public async Task<Outcome<StoredFile>> PackageAsync(Caller caller, Guid id, CancellationToken cancellationToken)
    {
        var found = await GetAsync(caller, id, cancellationToken);
        if (found.Error is { } error) return error;
        var action = found.Value;
        if (action is { Type: MachineActionType.CollectInvestigationPackage, Status: MachineActionStatus.Succeeded, ResultFile: { } file })
        {
            return new StoredFile(file, action.ResultSize ?? 0);
        }

        return new DomainError(Refusal.NotFound, $"The investigation package of machine action {id} is not available: the action is of type {action.Type} and its status is {action.Status}.");
    }

    /// <summary>Opens a stored file.</summary>
    public Stream OpenFile(StoredFile file) => files.OpenRead(file.Name);

    /// <summary>Gives up actions that have waited too long for their device; returns how many.</summary>
    public async Task<int> ExpireAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        return await state.Database.ExecuteSqlAsync(
            $"""
            UPDATE defender.machine_actions
            SET status = 'TimeOut', error_hresult = {TimedOut}, completed_at = {now}, last_update_date_time_utc = {now},
                troubleshoot_info = 'The device did not take the action in time.'
            WHERE status IN ('Pending', 'InProgress') AND expires_at <= {now}
            """,
            cancellationToken);
    }

    private static async Task<bool> SeesAsync(DefenderDbContext state, Caller caller, MachineAction action, CancellationToken cancellationToken) =>
        caller.DeviceGroups is null
        || await state.Machines.AnyAsync(m => m.TenantId == action.TenantId && m.Id == action.MachineId && caller.DeviceGroups.Contains(m.RbacGroupId), cancellationToken);

    private static Task<MachineAction?> UnderWayAsync(DefenderDbContext state, MachineAction action, CancellationToken cancellationToken) =>
        state.MachineActions.AsNoTracking().FirstOrDefaultAsync(
            a => a.TenantId == action.TenantId && a.MachineId == action.MachineId && a.Type == action.Type && a.RelatedFileSha1 == action.RelatedFileSha1
                && (a.Status == MachineActionStatus.Pending || a.Status == MachineActionStatus.InProgress),
            cancellationToken);

    // Sessions of a tenant are ordered one at a time, so that the limit holds whatever happens at the same moment.
    private static async Task<Microsoft.EntityFrameworkCore.Storage.IDbContextTransaction> CountSessionsAsync(
        DefenderDbContext state, Guid tenantId, CancellationToken cancellationToken)
    {
        var transaction = await state.Database.BeginTransactionAsync(cancellationToken);
        await state.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(hashtextextended({"sessions/" + tenantId}, 0))", cancellationToken);
        return transaction;
    }

    private async Task<DomainError?> LiveResponseLimitAsync(DefenderDbContext state, Machine machine, CancellationToken cancellationToken)
    {
        if (machine.RbacGroupId > 0
            && await state.DeviceGroups.AnyAsync(g => g.TenantId == machine.TenantId && g.Id == machine.RbacGroupId && g.AutomationLevel == AutomationLevel.None, cancellationToken))
        {
            return new DomainError(Refusal.DisallowedOperation, $"Operation LiveResponse is not allowed: the device group {machine.RbacGroupName} has no automated remediation level.");
        }

        var running = await state.MachineActions.CountAsync(
            a => a.TenantId == machine.TenantId && a.Type == MachineActionType.LiveResponse && (a.Status == MachineActionStatus.Pending || a.Status == MachineActionStatus.InProgress),
            cancellationToken);
        return running >= options.LiveResponseSessions
            ? new DomainError(Refusal.TooManySessions, $"The maximum number of concurrent live response sessions ({options.LiveResponseSessions}) was reached.")
            : null;
    }

    private MachineAction Create(Caller caller, Machine machine, ActionOrder order, string? scope)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        return new MachineAction
        {
            Id = identifiers.NewGuid(),
            TenantId = caller.TenantId,
            Type = order.Type,
            Requestor = caller.Name,
            RequestorComment = order.Comment,
            RequestSource = caller.Source,
            MachineId = machine.Id,
            ComputerDnsName = machine.ComputerDnsName,
            CreationDateTimeUtc = now,
            LastUpdateDateTimeUtc = now,
            ExpiresAt = now + options.ActionLifetime,
            Scope = scope,
            ExternalId = order.ExternalId,
            RelatedFileSha1 = order.Type == MachineActionType.StopAndQuarantineFile ? order.Sha1!.ToLowerInvariant() : null,
            Commands = order.Type == MachineActionType.LiveResponse
                ? [.. order.Commands.Select((command, index) => new LiveResponseCommandStatus { Index = index, Command = command })]
                : [],
        };
    }
}
