using Microsoft.EntityFrameworkCore;
using Vedette.Defender.Alerts;
using Vedette.Defender.State;

namespace Vedette.Defender.Incidents;

/// <summary>A change to an incident; null keeps what is there.</summary>
public sealed record IncidentUpdate
{
    /// <summary>New status, a word of <see cref="IncidentWords.Statuses"/>.</summary>
    public string? Status { get; init; }

    /// <summary>New owner; empty for none.</summary>
    public string? AssignedTo { get; init; }

    /// <summary>Classification, a word of <see cref="AlertWords.Classifications"/>.</summary>
    public string? Classification { get; init; }

    /// <summary>Determination, a word of <see cref="IncidentWords.Determinations"/>.</summary>
    public string? Determination { get; init; }

    /// <summary>All tags, in place of those there are.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>A comment to append.</summary>
    public string? Comment { get; init; }

    /// <summary>A determination that is known already; goes before <see cref="Determination"/>.</summary>
    public AlertDetermination? Determined { get; init; }

    /// <summary>What only Graph may change.</summary>
    public IncidentStory? Story { get; init; }

    internal bool IsEmpty => Status is null && AssignedTo is null && Classification is null && Determination is null && Tags is null && Comment is null
        && Determined is null && Story is null;
}

/// <summary>
/// Incidents: changing one. What is said of an incident goes on to its alerts: resolving it resolves those that are open, with the incident's
/// classification where they have none of their own, and its owner becomes theirs. And back: an incident whose last open alert is resolved is
/// resolved too, and opening one of its alerts again opens it again.
/// </summary>
public sealed class IncidentService(IDbContextFactory<DefenderDbContext> states, TimeProvider clock)
{
    private const string Kind = "Incident";
    private const int LongestTag = 200;
    private const int MostTags = 100;
    private const int LongestComment = 30_000;

    /// <summary>Changes an incident.</summary>
    public async Task<Outcome<Incident>> UpdateAsync(Caller caller, long id, IncidentUpdate update, CancellationToken cancellationToken)
    {
        if (update.IsEmpty) return new DomainError(Refusal.InvalidRequestBody);
        if (Problem(update) is { } problem) return problem;
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        await using var transaction = await state.Database.BeginTransactionAsync(cancellationToken);
        var now = await UpdateMoment.TakeAsync(state, caller.TenantId, clock.GetUtcNow().UtcDateTime, cancellationToken);
        var incident = await state.Incidents.FirstOrDefaultAsync(i => i.TenantId == caller.TenantId && i.Id == id, cancellationToken);
        if (incident is null || !await IsSeenAsync(state, caller, id, cancellationToken)) return new DomainError(Refusal.ResourceNotFound, Kind, $"{id}");
        if (incident.RedirectIncidentId is { } target)
            return new DomainError(Refusal.BadRequest, $"Incident {id} was merged into incident {target}, which is the one to update.");

        var (wasResolved, owner) = (incident.Status == IncidentStatus.Resolved, incident.AssignedTo);
        Apply(incident, update, caller, now);
        await state.SaveChangesAsync(cancellationToken);
        if (incident.AssignedTo != owner) await AssignAlertsAsync(state, incident, now, cancellationToken);
        if (incident.Status == IncidentStatus.Resolved && !wasResolved) await ResolveAlertsAsync(state, incident, now, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return incident;
    }

    /// <summary>Lets incidents follow a change of their alerts: who follows incidents hears of it, and their status goes with that of the alerts.</summary>
    /// <param name="state">The unit of work, in which the alerts are changed already.</param>
    /// <param name="tenantId">Whose.</param>
    /// <param name="alerts">Alerts that changed.</param>
    /// <param name="turned">Those of them that were resolved or opened again.</param>
    /// <param name="now">The transaction's moment.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    internal static Task FollowAlertsAsync(
        DefenderDbContext state, Guid tenantId, IEnumerable<Alert> alerts, IReadOnlyList<Alert> turned, DateTime now, CancellationToken cancellationToken)
    {
        var incidents = Of(alerts);
        var closing = Of(turned.Where(alert => alert.Status == AlertStatus.Resolved));
        var opening = Of(turned.Where(alert => alert.Status != AlertStatus.Resolved));
        return state.Database.ExecuteSqlAsync(
            $"""
            UPDATE defender.incidents AS incident SET
                last_update_time = {now},
                status = CASE
                    WHEN status = 'Resolved' AND id = ANY({opening}) THEN 'Active'
                    WHEN status IN ('Active', 'InProgress') AND id = ANY({closing}) AND NOT EXISTS (
                        SELECT FROM defender.alerts AS open WHERE open.tenant_id = {tenantId} AND open.incident_id = incident.id AND open.status <> 'Resolved') THEN 'Resolved'
                    ELSE status END
            WHERE tenant_id = {tenantId} AND id = ANY({incidents})
            """,
            cancellationToken);

        static long[] Of(IEnumerable<Alert> alerts) => [.. alerts.Select(alert => alert.IncidentId).OfType<long>().Distinct().Order()];
    }

    private static DomainError? Problem(IncidentUpdate update)
    {
        if (update.Status is { } status && !IncidentWords.Statuses.ContainsKey(status)) return new DomainError(Refusal.InvalidInput, "status");
        if (update.Classification is { } classification && !AlertWords.Classifications.ContainsKey(classification)) return new DomainError(Refusal.InvalidInput, "classification");
        if (update.Determination is { } determination && !IncidentWords.Determinations.ContainsKey(determination)) return new DomainError(Refusal.InvalidInput, "determination");
        if (update.Tags is { } tags && (tags.Count > MostTags || tags.Any(tag => string.IsNullOrWhiteSpace(tag) || tag.Length > LongestTag))) return new DomainError(Refusal.InvalidInput, "tags");
        if (update.Comment?.Length > LongestComment) return new DomainError(Refusal.InvalidInput, "comment");
        return update.Story?.Problem();
    }

    private static async Task<bool> IsSeenAsync(DefenderDbContext state, Caller caller, long id, CancellationToken cancellationToken)
    {
        if (caller.DeviceGroups is not { } groups) return true;
        return await state.Alerts.AnyAsync(alert => alert.TenantId == caller.TenantId && alert.IncidentId == id && groups.Contains(alert.RbacGroupId), cancellationToken);
    }

    private static void Apply(Incident incident, IncidentUpdate update, Caller caller, DateTime now)
    {
        if (update.Status is { } status) incident.Status = IncidentWords.Statuses[status];
        if (update.AssignedTo is { } owner) incident.AssignedTo = owner.Length > 0 ? owner : null;
        if (update.Classification is { } classification) incident.Classification = AlertWords.Classifications[classification];
        if (update.Determination is { } determination) incident.Determination = IncidentWords.Determinations[determination];
        if (update.Tags is { } tags) incident.Tags = [.. tags.Distinct(StringComparer.OrdinalIgnoreCase)];
        if (!string.IsNullOrEmpty(update.Comment)) incident.Comments.Add(new AlertComment(update.Comment, caller.Name, now));
        incident.Determination = update.Determined ?? incident.Determination;
        update.Story?.Apply(incident);
        incident.LastModifiedBy = caller.Name;
        incident.LastUpdateTime = now;
    }

    private static Task AssignAlertsAsync(DefenderDbContext state, Incident incident, DateTime now, CancellationToken cancellationToken) =>
        state.Alerts.Where(alert => alert.TenantId == incident.TenantId && alert.IncidentId == incident.Id && alert.AssignedTo != incident.AssignedTo)
            .ExecuteUpdateAsync(change => change.SetProperty(alert => alert.AssignedTo, incident.AssignedTo).SetProperty(alert => alert.LastUpdateTime, now), cancellationToken);

    private static async Task ResolveAlertsAsync(DefenderDbContext state, Incident incident, DateTime now, CancellationToken cancellationToken)
    {
        var open = await state.Alerts.Where(alert => alert.TenantId == incident.TenantId && alert.IncidentId == incident.Id && alert.Status != AlertStatus.Resolved)
            .OrderBy(alert => alert.Id).ToListAsync(cancellationToken);
        foreach (var alert in open)
        {
            alert.Status = AlertStatus.Resolved;
            alert.ResolvedTime = now;
            alert.LastUpdateTime = now;
            alert.Classification ??= incident.Classification;
            alert.Determination ??= incident.Determination;
        }

        await state.SaveChangesAsync(cancellationToken);
        await AlertIntake.UpdateRiskAsync(state, incident.TenantId, [.. open.Select(alert => alert.MachineId).OfType<string>()], cancellationToken);
    }
}
