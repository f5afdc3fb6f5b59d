using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Vedette.Defender.State;

namespace Vedette.Defender.Indicators;

/// <summary>Indicators of compromise: submitting, replacing and deleting them.</summary>
public sealed class IndicatorService(IDbContextFactory<DefenderDbContext> states, IndicatorCache cache, IndicatorHistorySignal history, TimeProvider clock)
{
    /// <summary>Indicators in force in a tenant, at most. Source: the service's published limit.</summary>
    public const int MaxActive = 15_000;

    /// <summary>Indicators that one call may carry, at most. Source: the service's published limit.</summary>
    public const int MaxBatch = 500;

    private const string Kind = "Indicator";

    /// <summary>
    /// Submits indicators, each on its own: one with the same value, type and action is replaced, any other is new. Gives an outcome for each.
    /// </summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="creator">Application id or user principal name to record.</param>
    /// <param name="drafts">What is sent.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<IReadOnlyList<Outcome<Indicator>>> SubmitAsync(
        Caller caller, string creator, IReadOnlyList<IndicatorDraft> drafts, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        await using var transaction = await LockAsync(state, caller.TenantId, cancellationToken);
        var active = await state.Indicators.CountAsync(i => i.TenantId == caller.TenantId && (i.ExpirationTime == null || i.ExpirationTime > now), cancellationToken);
        var read = drafts.Select(draft => IndicatorCheck.Read(draft, now)).ToArray();
        var values = read.Where(r => r.Error is null).Select(r => r.Value.Value).Distinct(StringComparer.Ordinal).ToArray();
        var known = (await state.Indicators.Where(i => i.TenantId == caller.TenantId && values.Contains(i.IndicatorValue)).ToListAsync(cancellationToken))
            .DistinctBy(i => (i.IndicatorType, i.Action, i.IndicatorValue)).ToDictionary(i => (i.IndicatorType, i.Action, i.IndicatorValue));
        var outcomes = new List<Outcome<Indicator>>(drafts.Count);
        foreach (var (draft, reading) in drafts.Zip(read))
        {
            if (reading.Error is { } wrong)
            {
                outcomes.Add(wrong);
                continue;
            }

            var (type, action, severity, value) = reading.Value;
            var indicator = known.GetValueOrDefault((type, action, value));
            if (indicator is null)
            {
                if (active >= MaxActive)
                {
                    outcomes.Add(new DomainError(Refusal.BadRequest, $"The limit of {MaxActive} active indicators per tenant was reached."));
                    continue;
                }

                active++;
                indicator = new Indicator
                {
                    TenantId = caller.TenantId, IndicatorType = type, Action = action, IndicatorValue = value, Application = draft.Application, CreatedBy = creator,
                    CreatedByDisplayName = caller.Name, CreatedBySource = caller.Source, CreationTimeDateTimeUtc = now,
                };
                state.Indicators.Add(indicator);
                known.Add((type, action, value), indicator);
            }
            else
            {
                indicator.LastUpdatedBy = creator;
            }

            Apply(indicator, draft, severity, now);
            outcomes.Add(indicator);
        }

        await state.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        cache.Changed(caller.TenantId);
        if (known.Values.Any(indicator => indicator.HistoryDue)) history.Raise();
        return outcomes;
    }

    /// <summary>Deletes indicators, all of them or none.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="onlyOf">Only indicators of this creator are the caller's to delete; null means all.</param>
    /// <param name="ids">Numbers of the indicators.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<Outcome<int>> DeleteAsync(Caller caller, string? onlyOf, IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        if (ids.Count == 0) return new DomainError(Refusal.MissingRequiredParameter, "IndicatorIds");
        if (ids.Count > MaxBatch) return new DomainError(Refusal.MaximumBatchSizeExceeded, $"{ids.Count}", $"{MaxBatch}");
        var wanted = new HashSet<long>();
        foreach (var id in ids)
        {
            if (!long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return new DomainError(Refusal.InvalidInput, $"IndicatorIds: {id}");
            wanted.Add(number);
        }

        await using var state = await states.CreateDbContextAsync(cancellationToken);
        await using var transaction = await LockAsync(state, caller.TenantId, cancellationToken);
        var numbers = wanted.ToArray();
        var found = await state.Indicators
            .Where(i => i.TenantId == caller.TenantId && numbers.Contains(i.Id) && (onlyOf == null || i.CreatedBy == onlyOf))
            .ToListAsync(cancellationToken);
        var known = found.Select(i => i.Id).ToHashSet();
        foreach (var id in ids)
        {
            if (!known.Contains(long.Parse(id, CultureInfo.InvariantCulture))) return new DomainError(Refusal.ResourceNotFound, Kind, id);
        }

        if (found.FirstOrDefault(i => !Sees(caller, i)) is { } hidden)
            return new DomainError(Refusal.DisallowedOperation, $"Operation DeleteIndicator is not allowed: the caller is not exposed to all device groups of indicator {hidden.Id}.");
        state.RemoveRange(found);
        await state.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        cache.Changed(caller.TenantId);
        return found.Count;
    }

    private static bool Sees(Caller caller, Indicator indicator) => caller.DeviceGroups is not { } groups
        || indicator.RbacGroupIds.All(id => int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && groups.Contains(number));

    private static void Apply(Indicator indicator, IndicatorDraft draft, AlertSeverity severity, DateTime now)
    {
        indicator.Title = draft.Title!;
        indicator.Description = draft.Description!;
        indicator.Severity = severity;
        indicator.Category = draft.Category ?? 1;
        indicator.ExpirationTime = draft.ExpirationTime;
        indicator.RecommendedActions = draft.RecommendedActions;
        indicator.RbacGroupNames = [.. draft.RbacGroupNames];
        indicator.RbacGroupIds = [.. draft.RbacGroupIds];
        indicator.EducateUrl = draft.EducateUrl;
        indicator.BypassDurationHours = draft.BypassDurationHours;
        indicator.GenerateAlert = draft.GenerateAlert ?? false;
        indicator.ExternalId = draft.ExternalId;
        indicator.MitreTechniques = [.. draft.MitreTechniques];
        indicator.HistoryDue = draft.HistoricalDetection is true && (indicator.HistoryDue || !indicator.HistoricalDetection);
        indicator.HistoricalDetection = draft.HistoricalDetection ?? false;
        indicator.Graph = draft.Graph;
        indicator.LastUpdateTime = now;
    }

    // One change of a tenant's indicators at a time: looking for the same one and adding it must not be parted.
    private static async Task<Microsoft.EntityFrameworkCore.Storage.IDbContextTransaction> LockAsync(
        DefenderDbContext state, Guid tenantId, CancellationToken cancellationToken)
    {
        var transaction = await state.Database.BeginTransactionAsync(cancellationToken);
        await state.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(hashtextextended({"indicators/" + tenantId}, 0))", cancellationToken);
        return transaction;
    }
}
