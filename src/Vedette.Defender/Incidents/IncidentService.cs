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

/// <summary>Incidents: changing one. Resolving an incident resolves its open alerts with the incident's classification.</summary>
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
        var incident = await state.Incidents
            .FromSql($"SELECT * FROM defender.incidents WHERE tenant_id = {caller.TenantId} AND id = {id} FOR UPDATE")
            .FirstOrDefaultAsync(cancellationToken);
        if (incident is null || !await IsSeenAsync(state, caller, id, cancellationToken)) return new DomainError(Refusal.ResourceNotFound, Kind, $"{id}");
        if (incident.RedirectIncidentId is { } target)
            return new DomainError(Refusal.BadRequest, $"Incident {id} was merged into incident {target}, which is the one to update.");

        var now = clock.GetUtcNow().UtcDateTime;
        var wasResolved = incident.Status == IncidentStatus.Resolved;
        Apply(incident, update, caller, now);
        await state.SaveChangesAsync(cancellationToken);
        if (incident.Status == IncidentStatus.Resolved && !wasResolved) await ResolveAlertsAsync(state, incident, now, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return incident;
    }

    /// <summary>Notes that something about the incidents' alerts changed, so that who follows incidents hears of it.</summary>
    internal static Task TouchAsync(DefenderDbContext state, Guid tenantId, IEnumerable<long> incidents, DateTime now, CancellationToken cancellationToken)
    {
        var ids = incidents.Distinct().Order().ToArray();
        return state.Database.ExecuteSqlAsync(
            $"UPDATE defender.incidents SET last_update_time = greatest(last_update_time, {now}) WHERE tenant_id = {tenantId} AND id = ANY({ids})", cancellationToken);
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
