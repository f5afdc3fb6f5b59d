using Microsoft.EntityFrameworkCore;
using Vedette.Defender.Outbox;
using Vedette.Defender.State;

namespace Vedette.Defender.Machines;

/// <summary>Devices: finding, tagging and valuing them.</summary>
public sealed class MachineService(IDbContextFactory<DefenderDbContext> states, OutboxSignal outbox, TimeProvider clock)
{
    /// <summary>Devices that one call may tag, at most. Source: the service's published limit.</summary>
    public const int MaxBulk = 500;

    /// <summary>Length of a tag, at most. Source: the service's page on device tags.</summary>
    public const int MaxTagLength = 200;

    /// <summary>A device by id or by computer name (of several, the one seen last).</summary>
    public async Task<Outcome<Machine>> FindAsync(Caller caller, string idOrName, CancellationToken cancellationToken)
    {
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        var machine = await ById(state, caller.TenantId, idOrName).FirstOrDefaultAsync(cancellationToken);
        if (machine is null)
        {
            var name = idOrName.ToLowerInvariant();
            machine = await state.Machines.AsNoTracking()
                .Where(m => m.TenantId == caller.TenantId && m.ComputerDnsName!.ToLower() == name)
                .OrderByDescending(m => m.LastSeen)
                .FirstOrDefaultAsync(cancellationToken);
        }

        return machine is not null && caller.Sees(machine.RbacGroupId) ? machine : new DomainError(Refusal.MachineNotFound, idOrName);
    }

    /// <summary>A device by id alone, as the routes below a device need it.</summary>
    public async Task<Outcome<Machine>> GetAsync(Caller caller, string id, CancellationToken cancellationToken)
    {
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        var machine = await ById(state, caller.TenantId, id).FirstOrDefaultAsync(cancellationToken);
        return machine is not null && caller.Sees(machine.RbacGroupId) ? machine : new DomainError(Refusal.MachineNotFound, id);
    }

    /// <summary>Who logged on to a device, the latest first.</summary>
    public async Task<Outcome<IReadOnlyList<LogonUser>>> LogonUsersAsync(Caller caller, string id, CancellationToken cancellationToken)
    {
        var machine = await GetAsync(caller, id, cancellationToken);
        if (machine.Error is { } error) return error;
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        return await state.LogonUsers.AsNoTracking()
            .Where(u => u.TenantId == caller.TenantId && u.MachineId == machine.Value.Id)
            .OrderByDescending(u => u.LastSeen).ThenBy(u => u.AccountName)
            .ToArrayAsync(cancellationToken);
    }

    /// <summary>Adds a tag to a device or takes it away; doing so twice changes nothing.</summary>
    public async Task<Outcome<Machine>> SetTagAsync(Caller caller, string id, string tag, bool add, CancellationToken cancellationToken)
    {
        var outcome = await SetTagOnManyAsync(caller, [id], tag, add, cancellationToken);
        if (outcome.Error is { } error) return error;
        return outcome.Value[0];
    }

    /// <summary>Adds a tag to devices or takes it away, on all of them or none.</summary>
    public Task<Outcome<IReadOnlyList<Machine>>> SetTagOnManyAsync(
        Caller caller, IReadOnlyList<string> ids, string tag, bool add, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(tag)) return Task.FromResult<Outcome<IReadOnlyList<Machine>>>(new DomainError(Refusal.MissingRequiredParameter, "Value"));
        if (tag.Length > MaxTagLength) return Task.FromResult<Outcome<IReadOnlyList<Machine>>>(new DomainError(Refusal.InvalidInput, "Value"));
        return ChangeAsync(
            caller,
            ids,
            machine => machine.MachineTags = add
                ? machine.MachineTags.Contains(tag, StringComparer.OrdinalIgnoreCase) ? machine.MachineTags : [.. machine.MachineTags, tag]
                : [.. machine.MachineTags.Where(t => !t.Equals(tag, StringComparison.OrdinalIgnoreCase))],
            cancellationToken);
    }

    /// <summary>Replaces the tags (null keeps them) and the value (null keeps it) of a device.</summary>
    public async Task<Outcome<Machine>> UpdateAsync(
        Caller caller, string id, IReadOnlyList<string>? tags, DeviceValue? value, CancellationToken cancellationToken)
    {
        if (tags is not null && tags.Any(t => string.IsNullOrWhiteSpace(t) || t.Length > MaxTagLength)) return new DomainError(Refusal.InvalidInput, "machineTags");
        var outcome = await ChangeAsync(
            caller,
            [id],
            machine =>
            {
                if (tags is not null) machine.MachineTags = [.. tags.Distinct(StringComparer.OrdinalIgnoreCase)];
                if (value is { } worth) machine.DeviceValue = worth;
            },
            cancellationToken);
        if (outcome.Error is { } error) return error;
        return outcome.Value[0];
    }

    private static IQueryable<Machine> ById(DefenderDbContext state, Guid tenantId, string id)
    {
        var lower = id.ToLowerInvariant();
        return state.Machines.AsNoTracking().Where(m => m.TenantId == tenantId && m.Id == lower);
    }

    private async Task<Outcome<IReadOnlyList<Machine>>> ChangeAsync(
        Caller caller, IReadOnlyList<string> ids, Action<Machine> change, CancellationToken cancellationToken)
    {
        if (ids.Count > MaxBulk) return new DomainError(Refusal.MaximumBatchSizeExceeded, $"{ids.Count}", $"{MaxBulk}");
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        await using var transaction = await state.Database.BeginTransactionAsync(cancellationToken);
        var wanted = ids.Select(id => id.ToLowerInvariant()).Distinct(StringComparer.Ordinal).ToArray();

        // Locked in one order, so that calls which meet on the same devices wait for each other and never for ever.
        var machines = await state.Machines
            .FromSql($"SELECT * FROM defender.machines WHERE tenant_id = {caller.TenantId} AND id = ANY({wanted}) ORDER BY id FOR UPDATE")
            .ToDictionaryAsync(m => m.Id, StringComparer.Ordinal, cancellationToken);
        foreach (var id in ids)
        {
            if (!machines.TryGetValue(id.ToLowerInvariant(), out var machine) || !caller.Sees(machine.RbacGroupId)) return new DomainError(Refusal.MachineNotFound, id);
        }

        var now = clock.GetUtcNow().UtcDateTime;
        foreach (var machine in machines.Values) change(machine);
        state.AddHuntingRows(caller.TenantId, now, [.. machines.Values.Where(m => state.Entry(m).State == EntityState.Modified).Select(m => MachineRows.DeviceInfo(m, now))]);
        await state.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        outbox.Raise();
        return wanted.Select(id => machines[id]).ToArray();
    }
}
