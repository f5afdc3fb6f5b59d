using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vedette.Defender.Actions;
using Vedette.Defender.Alerts;
using Vedette.Defender.Incidents;
using Vedette.Defender.State;
using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Investigations;

/// <summary>
/// Automated investigations. A step goes as far as it can: look at the device, order what may be remediated, close. Each part can be repeated
/// after a crash without doing anything twice.
/// </summary>
public sealed partial class InvestigationService
{
    private const string ManualTitle = "Automated investigation started manually";
    private static readonly Guid Detector = new("5c6b7d86-c91f-4f8c-8aec-9d2086f46527");

    private readonly IDbContextFactory<DefenderDbContext> _states;
    private readonly NpgsqlDataSource _database;
    private readonly AlertIntake _intake;
    private readonly AlertService _alerts;
    private readonly ActionService _actions;
    private readonly TenantSettingsStore _settings;
    private readonly InvestigationCollector _collector;
    private readonly InvestigationSignal _signal;
    private readonly TimeProvider _clock;
    private readonly ILogger<InvestigationService> _log;

    /// <summary>Works on the state and through the alert and action services.</summary>
    public InvestigationService(
        IDbContextFactory<DefenderDbContext> states, NpgsqlDataSource database, AlertIntake intake, AlertService alerts, ActionService actions,
        TenantSettingsStore settings, InvestigationCollector collector, InvestigationSignal signal, TimeProvider clock, ILogger<InvestigationService> log)
    {
        (_states, _database, _intake, _alerts, _actions, _settings, _collector, _signal, _clock, _log) =
            (states, database, intake, alerts, actions, settings, collector, signal, clock, log);
    }

    /// <summary>Starts an investigation of a device, or joins the one that is under way. An alert stands for the request.</summary>
    public async Task<Outcome<Investigation>> StartAsync(Caller caller, string machineId, string? comment, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(comment)) return new DomainError(Refusal.MissingRequiredParameter, "Comment");
        await using var state = await _states.CreateDbContextAsync(cancellationToken);
        var id = machineId.ToLowerInvariant();
        var machine = await state.Machines.AsNoTracking().FirstOrDefaultAsync(m => m.TenantId == caller.TenantId && m.Id == id, cancellationToken);
        if (machine is null || !caller.Sees(machine.RbacGroupId)) return new DomainError(Refusal.MachineNotFound, machineId);
        if (!InvestigationFacts.CanInvestigate(machine)) return new DomainError(Refusal.OsPlatformNotSupported, machine.OsPlatform);
        if (machine.OnboardingStatus != OnboardingStatus.Onboarded)
            return new DomainError(Refusal.DisallowedOperation, $"Operation StartInvestigation is not allowed: machine {machine.Id} is not onboarded.");

        var now = _clock.GetUtcNow().UtcDateTime;
        var raised = await _intake.RaiseAsync(
            new NewAlert
            {
                TenantId = caller.TenantId,
                Title = ManualTitle,
                Description = $"{caller.Name} started an automated investigation: {comment}",
                Severity = AlertSeverity.Informational,
                Category = "SuspiciousActivity",
                DetectionSource = "AutomatedInvestigation",
                DetectorId = Detector,
                MachineId = machine.Id,
                FirstEventTime = now,
                LastEventTime = now,
                Investigate = true,
                InvestigationRequest = new InvestigationRequest(caller.Name, comment),
            },
            cancellationToken);
        return await state.Investigations.AsNoTracking().SingleAsync(i => i.TenantId == caller.TenantId && i.Id == raised.Alert.InvestigationId, cancellationToken);
    }

    /// <summary>Investigations that the caller may see, newest first.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="waiting">Only those that wait for a person.</param>
    /// <param name="top">At most so many, 1 to 10,000.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<IReadOnlyList<Investigation>> ListAsync(Caller caller, bool waiting, int top, CancellationToken cancellationToken)
    {
        await using var state = await _states.CreateDbContextAsync(cancellationToken);
        return await state.Investigations.AsNoTracking()
            .Where(i => i.TenantId == caller.TenantId && (!waiting || i.State == InvestigationState.PendingApproval))
            .OrderByDescending(i => i.Id).Take(Math.Clamp(top, 1, 10_000)).ToArrayAsync(cancellationToken);
    }

    /// <summary>One investigation of the caller's tenant.</summary>
    public async Task<Outcome<Investigation>> GetAsync(Caller caller, long id, CancellationToken cancellationToken)
    {
        await using var state = await _states.CreateDbContextAsync(cancellationToken);
        var investigation = await state.Investigations.AsNoTracking().FirstOrDefaultAsync(i => i.TenantId == caller.TenantId && i.Id == id, cancellationToken);
        return investigation is null ? new DomainError(Refusal.ResourceNotFound, "Investigation", $"{id}") : investigation;
    }

    /// <summary>Decides about remediation that waits for a person.</summary>
    public async Task<Outcome<Investigation>> DecideAsync(Caller caller, long id, bool approve, CancellationToken cancellationToken)
    {
        var found = await GetAsync(caller, id, cancellationToken);
        if (found.Error is not null) return found;
        var investigation = found.Value;
        if (investigation.State != InvestigationState.PendingApproval) return new DomainError(Refusal.BadRequest, $"Investigation {id} does not wait for approval: its state is {investigation.State}.");
        await using var state = await _states.CreateDbContextAsync(cancellationToken);
        await using var transaction = await state.Database.BeginTransactionAsync(cancellationToken);
        await state.Database.ExecuteSqlAsync($"UPDATE defender.investigation_work SET decision = {(approve ? "Approved" : "Rejected")} WHERE investigation_id = {id}", cancellationToken);
        if (!approve) await state.Database.ExecuteSqlAsync($"UPDATE defender.investigations SET cancelled_by = {caller.Name} WHERE id = {id}", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        _signal.Raise();
        return investigation;
    }

    /// <summary>What an investigation looked at.</summary>
    public async Task<IReadOnlyList<InvestigatedEntity>> EntitiesAsync(Guid tenantId, long id, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<EntityRow>(new CommandDefinition(
            """
            SELECT id, kind, value, name, path, verdict, reason, remediation, action_id AS actionid FROM defender.investigation_entities
            WHERE tenant_id = @Tenant AND investigation_id = @Id ORDER BY id
            """,
            new { Tenant = tenantId, Id = id },
            cancellationToken: cancellationToken));
        return [.. rows.Select(row => row.ToEntity())];
    }

    /// <summary>Takes every open investigation as far as it can go now; returns how many are still open and not waiting for a person.</summary>
    public async Task<int> RunOpenAsync(CancellationToken cancellationToken)
    {
        Investigation[] open;
        await using (var state = await _states.CreateDbContextAsync(cancellationToken))
        {
            open = await state.Investigations.AsNoTracking().Where(i => InvestigationFacts.Open.Contains(i.State)).OrderBy(i => i.Id).ToArrayAsync(cancellationToken);
        }

        var underWay = 0;
        foreach (var investigation in open)
        {
            var timing = (await _settings.GetAsync(investigation.TenantId, cancellationToken)).ActionTiming;
            var due = investigation.StartTime.AddSeconds(timing.Mode == ActionTimingMode.AfterSeconds ? timing.Start : 0);
            if (timing.Mode == ActionTimingMode.Never) continue;
            try
            {
                if (due > _clock.GetUtcNow().UtcDateTime || await StepAsync(investigation, cancellationToken) is InvestigationState.Running or InvestigationState.PendingResource) underWay++;
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // One investigation's trouble is not the others': it is tried again with the next round.
                LogFailure(exception, investigation.Id);
            }
        }

        return underWay;
    }

    private async Task<InvestigationState> StepAsync(Investigation investigation, CancellationToken cancellationToken)
    {
        var work = await WorkAsync(investigation, cancellationToken);
        if (work is null) return investigation.State;
        if (!work.Collected)
        {
            try
            {
                await StoreAsync(investigation, await _collector.CollectAsync(investigation, cancellationToken), cancellationToken);
            }
            catch (HuntingException exception)
            {
                await CloseAsync(investigation, InvestigationState.InnerFailure, $"The device's telemetry cannot be read: {exception.Message}", resolves: false, cancellationToken);
                return InvestigationState.InnerFailure;
            }
        }

        Machine machine;
        AutomationLevel level;
        await using (var state = await _states.CreateDbContextAsync(cancellationToken))
        {
            machine = await state.Machines.AsNoTracking().SingleAsync(m => m.TenantId == investigation.TenantId && m.Id == investigation.MachineId, cancellationToken);
            level = await InvestigationStarter.LevelAsync(state, machine, cancellationToken);
        }

        foreach (var entity in await EntitiesAsync(investigation.TenantId, investigation.Id, cancellationToken)) await RemediateAsync(investigation, entity, level, work.Decision, cancellationToken);
        return await ConcludeAsync(investigation, machine, await EntitiesAsync(investigation.TenantId, investigation.Id, cancellationToken), cancellationToken);
    }

    private async Task RemediateAsync(Investigation investigation, InvestigatedEntity entity, AutomationLevel level, string? decision, CancellationToken cancellationToken)
    {
        if (entity is { Remediation: Remediation.Ordered, ActionId: { } ordered })
        {
            var action = (await _actions.GetAsync(Automation(investigation), ordered, cancellationToken)).Value;
            if (ActionFacts.IsFinal(action.Status)) await SetAsync(entity, action.Status == MachineActionStatus.Succeeded ? Remediation.Done : Remediation.Failed, ordered, cancellationToken);
            return;
        }

        if (entity.Remediation != Remediation.Pending) return;
        if (!InvestigationFacts.ActsAlone(level, entity.Path) && decision != "Approved")
        {
            if (decision == "Rejected") await SetAsync(entity, Remediation.Rejected, null, cancellationToken);
            return;
        }

        var order = new ActionOrder(MachineActionType.StopAndQuarantineFile, $"Automated investigation {investigation.Id}: {entity.Reason}") { Sha1 = entity.Value };
        var outcome = await _actions.RequestAsync(Automation(investigation), investigation.MachineId, order, cancellationToken);
        if (outcome.Error is null) await SetAsync(entity, Remediation.Ordered, outcome.Value.Id, cancellationToken);
        else if (outcome.Error.Refusal != Refusal.ActionInProgress) await SetAsync(entity, Remediation.Failed, null, cancellationToken);
        else if (await UnderWayAsync(investigation, entity, cancellationToken) is { } same) await SetAsync(entity, Remediation.Ordered, same, cancellationToken);
    }

    private async Task<InvestigationState> ConcludeAsync(Investigation investigation, Machine machine, IReadOnlyList<InvestigatedEntity> entities, CancellationToken cancellationToken)
    {
        int Count(Verdict verdict) => entities.Count(e => e.Verdict == verdict);
        var details = $"{entities.Count} entities examined: {Count(Verdict.Malicious)} malicious, {Count(Verdict.Suspicious)} suspicious, {Count(Verdict.NoThreatsFound)} without threats.";
        if (entities.Any(e => e.Remediation == Remediation.Ordered))
            return await MoveAsync(investigation, machine.HealthStatus == HealthStatus.Active ? InvestigationState.Running : InvestigationState.PendingResource, details, cancellationToken);
        if (entities.Any(e => e.Remediation == Remediation.Pending)) return await MoveAsync(investigation, InvestigationState.PendingApproval, details, cancellationToken);

        var remediable = entities.Where(e => e.Remediation != Remediation.NotNeeded).ToArray();
        var state = remediable switch
        {
            [] when Count(Verdict.Suspicious) > 0 || Count(Verdict.Malicious) > 0 => InvestigationState.PartiallyInvestigated,
            [] => InvestigationState.Benign,
            _ when remediable.All(e => e.Remediation == Remediation.Done) => InvestigationState.SuccessfullyRemediated,
            _ when remediable.All(e => e.Remediation == Remediation.Failed) => InvestigationState.Failed,
            _ when remediable.All(e => e.Remediation == Remediation.Rejected) => InvestigationState.TerminatedByUser,
            _ => InvestigationState.PartiallyRemediated,
        };
        await CloseAsync(investigation, state, details, state is InvestigationState.Benign or InvestigationState.SuccessfullyRemediated, cancellationToken);
        return state;
    }

    // Alerts first: an investigation that is interrupted in between is open still and closes again.
    private async Task CloseAsync(Investigation investigation, InvestigationState end, string details, bool resolves, CancellationToken cancellationToken)
    {
        await using var state = await _states.CreateDbContextAsync(cancellationToken);
        var open = await state.Alerts.AsNoTracking().Where(a => a.TenantId == investigation.TenantId && a.InvestigationId == investigation.Id && a.Status != AlertStatus.Resolved)
            .Select(a => a.Id).ToListAsync(cancellationToken);
        if (resolves && open.Count > 0)
        {
            var update = new AlertUpdate { Status = "Resolved", AssignedTo = "Automation", Comment = $"Automated investigation {investigation.Id} ended as {end}. {details}" };
            await _alerts.UpdateManyAsync(Automation(investigation), open, update, cancellationToken);
        }

        await MoveAsync(investigation, end, details, cancellationToken);
    }

    private async Task<InvestigationState> MoveAsync(Investigation investigation, InvestigationState to, string details, CancellationToken cancellationToken)
    {
        await using var state = await _states.CreateDbContextAsync(cancellationToken);
        await using var transaction = await state.Database.BeginTransactionAsync(cancellationToken);
        var present = _clock.GetUtcNow().UtcDateTime;
        var now = await UpdateMoment.TakeAsync(state, investigation.TenantId, present, cancellationToken);
        DateTime? end = InvestigationFacts.Open.Contains(to) ? null : present;
        var name = to.ToString();

        // An alert that joined meanwhile keeps the investigation open: then there is more to look at.
        var moved = await state.Database.ExecuteSqlAsync(
            $"""
            UPDATE defender.investigations SET state = {name}, status_details = {details}, end_time = {end}
            WHERE id = {investigation.Id} AND EXISTS (SELECT FROM defender.investigation_work WHERE investigation_id = {investigation.Id} AND collected)
            """,
            cancellationToken);
        if (moved == 0) return InvestigationState.Running;
        await state.Database.ExecuteSqlAsync(
            $"""
            UPDATE defender.alerts SET investigation_state = {name}, last_update_time = {now}
            WHERE tenant_id = {investigation.TenantId} AND investigation_id = {investigation.Id} AND investigation_state IS DISTINCT FROM {name}
            """,
            cancellationToken);
        await state.Database.ExecuteSqlAsync(
            $"""
            UPDATE defender.incidents SET last_update_time = {now}
            WHERE tenant_id = {investigation.TenantId} AND id IN (
                SELECT incident_id FROM defender.alerts WHERE tenant_id = {investigation.TenantId} AND investigation_id = {investigation.Id} AND last_update_time = {now})
            """,
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return to;
    }

    private async Task<WorkRow?> WorkAsync(Investigation investigation, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenConnectionAsync(cancellationToken);
        return await connection.QueryFirstOrDefaultAsync<WorkRow>(new CommandDefinition(
            "SELECT collected, decision FROM defender.investigation_work WHERE investigation_id = @Id", new { investigation.Id }, cancellationToken: cancellationToken));
    }

    private async Task StoreAsync(Investigation investigation, IReadOnlyList<InvestigatedEntity> entities, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        foreach (var entity in entities)
        {
            // A verdict may get worse when a further alert joins; what was remediated stays so.
            await connection.ExecuteAsync(new CommandDefinition(
                """
                INSERT INTO defender.investigation_entities AS known (investigation_id, tenant_id, kind, value, name, path, verdict, reason, remediation)
                VALUES (@Investigation, @Tenant, @Kind, @Value, @Name, @Path, @Verdict, @Reason, @Remediation)
                ON CONFLICT (investigation_id, kind, value) DO UPDATE SET verdict = excluded.verdict, reason = excluded.reason, remediation = excluded.remediation
                WHERE known.remediation = 'NotNeeded'
                """,
                new
                {
                    Investigation = investigation.Id, Tenant = investigation.TenantId, entity.Kind, entity.Value, entity.Name, entity.Path, Verdict = entity.Verdict.ToString(), entity.Reason,
                    Remediation = entity.Remediation.ToString(),
                },
                transaction,
                cancellationToken: cancellationToken));
        }

        await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE defender.investigation_work SET collected = true WHERE investigation_id = @Id", new { investigation.Id }, transaction, cancellationToken: cancellationToken));
        await transaction.CommitAsync(cancellationToken);
    }

    private async Task SetAsync(InvestigatedEntity entity, Remediation remediation, Guid? action, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE defender.investigation_entities SET remediation = @Remediation, action_id = @Action WHERE id = @Id",
            new { Remediation = remediation.ToString(), Action = action, entity.Id },
            cancellationToken: cancellationToken));
    }

    private async Task<Guid?> UnderWayAsync(Investigation investigation, InvestigatedEntity entity, CancellationToken cancellationToken)
    {
        await using var state = await _states.CreateDbContextAsync(cancellationToken);
        return await state.MachineActions.AsNoTracking()
            .Where(a => a.TenantId == investigation.TenantId && a.MachineId == investigation.MachineId && a.RelatedFileSha1 == entity.Value
                && (a.Status == MachineActionStatus.Pending || a.Status == MachineActionStatus.InProgress))
            .Select(a => (Guid?)a.Id).FirstOrDefaultAsync(cancellationToken);
    }

    private static Caller Automation(Investigation investigation) => new(investigation.TenantId, "Automation") { Source = "AutomatedInvestigation" };

    [LoggerMessage(LogLevel.Error, "Investigation {Investigation} could not go on; it will be tried again.")]
    private partial void LogFailure(Exception exception, long investigation);

    private sealed class WorkRow
    {
        public bool Collected { get; init; }

        public string? Decision { get; init; }
    }

    private sealed class EntityRow
    {
        public long Id { get; init; }

        public string Kind { get; init; } = "";

        public string Value { get; init; } = "";

        public string? Name { get; init; }

        public string? Path { get; init; }

        public string Verdict { get; init; } = "";

        public string Reason { get; init; } = "";

        public string Remediation { get; init; } = "";

        public Guid? ActionId { get; init; }

        public InvestigatedEntity ToEntity() => new(Kind, Value, Enum.Parse<Verdict>(Verdict), Reason)
        {
            Id = Id, Name = Name, Path = Path, Remediation = Enum.Parse<Remediation>(Remediation), ActionId = ActionId,
        };
    }
}
