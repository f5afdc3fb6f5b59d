using Microsoft.EntityFrameworkCore;
using Vedette.Defender.Incidents;
using Vedette.Defender.State;

namespace Vedette.Defender.Alerts;

/// <summary>A change to alerts; null keeps what is there.</summary>
public sealed record AlertUpdate
{
    /// <summary>New status, a word of <see cref="AlertWords.Statuses"/>.</summary>
    public string? Status { get; init; }

    /// <summary>New owner.</summary>
    public string? AssignedTo { get; init; }

    /// <summary>Classification, a word of <see cref="AlertWords.Classifications"/>.</summary>
    public string? Classification { get; init; }

    /// <summary>Determination, a word of <see cref="AlertWords.Determinations"/>.</summary>
    public string? Determination { get; init; }

    /// <summary>A comment to append.</summary>
    public string? Comment { get; init; }

    /// <summary>A determination that has no word in <see cref="AlertWords"/>, or one that is known already; goes before <see cref="Determination"/>.</summary>
    public AlertDetermination? Determined { get; init; }

    /// <summary>All custom details, in place of those there are.</summary>
    public IReadOnlyDictionary<string, string>? CustomDetails { get; init; }

    internal bool IsEmpty => Status is null && AssignedTo is null && Classification is null && Determination is null && Comment is null
        && Determined is null && CustomDetails is null;
}

/// <summary>Alerts: reading one, changing one or many.</summary>
public sealed class AlertService(IDbContextFactory<DefenderDbContext> states, TimeProvider clock)
{
    private const string Kind = "Alert";

    /// <summary>An alert with its evidence.</summary>
    public async Task<Outcome<Alert>> GetAsync(Caller caller, string id, CancellationToken cancellationToken)
    {
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        var alert = await state.Alerts.AsNoTracking().Include(a => a.Evidence.OrderBy(e => e.Id))
            .FirstOrDefaultAsync(a => a.TenantId == caller.TenantId && a.Id == id, cancellationToken);
        return alert is not null && caller.Sees(alert.RbacGroupId) ? alert : new DomainError(Refusal.ResourceNotFound, Kind, id);
    }

    /// <summary>The user that an alert is about, with what is known of that user on the alert's device.</summary>
    public async Task<Outcome<LogonUser>> RelatedUserAsync(Caller caller, string id, CancellationToken cancellationToken)
    {
        var found = await GetAsync(caller, id, cancellationToken);
        if (found.Error is { } error) return error;
        if (found.Value.RelatedUser is not { UserName.Length: > 0 } user) return new DomainError(Refusal.ResourceNotFound, "User of alert", id);
        var (name, domain) = (user.UserName.ToLowerInvariant(), user.DomainName.ToLowerInvariant());
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        return await state.LogonUsers.AsNoTracking()
                .Where(u => u.TenantId == caller.TenantId && u.AccountName == name && (domain == "" || u.AccountDomain == domain))
                .OrderByDescending(u => u.MachineId == found.Value.MachineId).ThenByDescending(u => u.LastSeen)
                .FirstOrDefaultAsync(cancellationToken)
            ?? new LogonUser
            {
                TenantId = caller.TenantId,
                MachineId = found.Value.MachineId ?? "",
                AccountName = user.UserName,
                AccountDomain = user.DomainName,
                FirstSeen = found.Value.FirstEventTime,
                LastSeen = found.Value.LastEventTime,
            };
    }

    /// <summary>Changes an alert and gives it back with its evidence.</summary>
    public async Task<Outcome<Alert>> UpdateAsync(Caller caller, string id, AlertUpdate update, CancellationToken cancellationToken)
    {
        var outcome = await UpdateManyAsync(caller, [id], update, cancellationToken);
        if (outcome.Error is { } error) return error;
        return outcome.Value[0];
    }

    /// <summary>Changes alerts, all of them or none, and gives them back with their evidence.</summary>
    public async Task<Outcome<IReadOnlyList<Alert>>> UpdateManyAsync(
        Caller caller, IReadOnlyList<string> ids, AlertUpdate update, CancellationToken cancellationToken)
    {
        if (update.IsEmpty || ids.Count == 0) return new DomainError(Refusal.InvalidRequestBody);
        var change = Read(update);
        if (change.Error is { } wrong) return wrong;

        await using var state = await states.CreateDbContextAsync(cancellationToken);
        await using var transaction = await state.Database.BeginTransactionAsync(cancellationToken);
        var wanted = ids.Distinct(StringComparer.Ordinal).ToArray();
        var now = await UpdateMoment.TakeAsync(state, caller.TenantId, clock.GetUtcNow().UtcDateTime, cancellationToken);
        var alerts = await state.Alerts.Include(a => a.Evidence.OrderBy(e => e.Id))
            .Where(a => a.TenantId == caller.TenantId && wanted.Contains(a.Id))
            .ToDictionaryAsync(a => a.Id, StringComparer.Ordinal, cancellationToken);
        foreach (var id in wanted)
        {
            if (!alerts.TryGetValue(id, out var alert) || !caller.Sees(alert.RbacGroupId)) return new DomainError(Refusal.ResourceNotFound, Kind, id);
        }

        var wasResolved = alerts.Values.Where(alert => alert.Status == AlertStatus.Resolved).ToHashSet();
        foreach (var alert in alerts.Values)
        {
            Apply(alert, change.Value, caller, now);
            alert.Determination = update.Determined ?? alert.Determination;
            if (update.CustomDetails is { } details) alert.CustomDetails = new Dictionary<string, string>(details, StringComparer.Ordinal);
        }

        try
        {
            await state.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException exception) when (exception.InnerException is Npgsql.PostgresException { ConstraintName: "alerts_merge" })
        {
            return new DomainError(Refusal.BadRequest, "The alert cannot be opened again: a newer alert of the same kind is open on the device.");
        }

        await IncidentService.FollowAlertsAsync(
            state, caller.TenantId, alerts.Values, [.. alerts.Values.Where(a => (a.Status == AlertStatus.Resolved) != wasResolved.Contains(a))], now, cancellationToken);
        await AlertIntake.UpdateRiskAsync(state, caller.TenantId, [.. alerts.Values.Select(a => a.MachineId).OfType<string>()], cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return wanted.Select(id => alerts[id]).ToArray();
    }

    private static Outcome<(AlertStatus?, AlertClassification?, AlertDetermination?, string?, string?)> Read(AlertUpdate update)
    {
        AlertStatus? status = null;
        AlertClassification? classification = null;
        AlertDetermination? determination = null;
        if (update.Status is { } statusWord)
        {
            if (!AlertWords.Statuses.TryGetValue(statusWord, out var value)) return new DomainError(Refusal.InvalidRequestBody, "status");
            status = value;
        }

        if (update.Classification is { } classificationWord)
        {
            if (!AlertWords.Classifications.TryGetValue(classificationWord, out var value)) return new DomainError(Refusal.InvalidRequestBody, "classification");
            classification = value;
        }

        if (update.Determination is { } determinationWord)
        {
            if (!AlertWords.Determinations.TryGetValue(determinationWord, out var value)) return new DomainError(Refusal.InvalidRequestBody, "determination");
            determination = value;
        }

        return (status, classification, determination, update.AssignedTo, update.Comment);
    }

    private static void Apply(
        Alert alert, (AlertStatus? Status, AlertClassification? Classification, AlertDetermination? Determination, string? AssignedTo, string? Comment) change, Caller caller, DateTime now)
    {
        if (change.Status is { } status)
        {
            if (status == AlertStatus.Resolved && alert.Status != AlertStatus.Resolved) alert.ResolvedTime = now;
            if (status != AlertStatus.Resolved) alert.ResolvedTime = null;
            alert.Status = status;
        }

        alert.Classification = change.Classification ?? alert.Classification;
        alert.Determination = change.Determination ?? alert.Determination;
        if (change.AssignedTo is { } owner) alert.AssignedTo = owner.Length > 0 ? owner : null;
        if (!string.IsNullOrEmpty(change.Comment)) alert.Comments.Add(new AlertComment(change.Comment, caller.Name, now));
        alert.LastUpdateTime = now;
    }
}
