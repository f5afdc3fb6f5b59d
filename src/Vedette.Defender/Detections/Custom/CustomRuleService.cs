using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Foundation;
using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Detections.Custom;

/// <summary>What became of a wish to make or change a rule.</summary>
/// <param name="Rule">The stored rule; null when it was refused.</param>
/// <param name="Faults">What is wrong with it.</param>
public sealed record CustomRuleOutcome(CustomRule? Rule, IReadOnlyList<RuleFault> Faults);

/// <summary>Makes, changes and deletes the detection rules of tenants.</summary>
public sealed class CustomRuleService
{
    /// <summary>Rules of one tenant, at most.</summary>
    public const int MostRules = 10_000;

    private readonly CustomRuleStore _store;
    private readonly HuntingCatalogue _names;
    private readonly DetectionOptions _options;
    private readonly IIdentifierSource _identifiers;
    private readonly TimeProvider _clock;

    /// <summary>The service over the tenants' rules.</summary>
    internal CustomRuleService(CustomRuleStore store, HuntingCatalogue names, DetectionOptions options, IIdentifierSource identifiers, TimeProvider clock) =>
        (_store, _names, _options, _identifiers, _clock) = (store, names, options, identifiers, clock);

    /// <summary>A tenant's rules by name.</summary>
    public Task<IReadOnlyList<CustomRule>> ListAsync(Guid tenantId, CancellationToken cancellationToken) => _store.ListAsync(tenantId, cancellationToken);

    /// <summary>A rule by its id, without regard to case; null when there is none.</summary>
    public Task<CustomRule?> FindAsync(Guid tenantId, string id, CancellationToken cancellationToken) => _store.FindAsync(tenantId, id, cancellationToken);

    /// <summary>A rule by its id, its name or its detector id, without regard to case; null when there is none.</summary>
    public async Task<CustomRule?> FindByAnyAsync(Guid tenantId, string reference, CancellationToken cancellationToken) =>
        await _store.FindAsync(tenantId, reference, cancellationToken)
        ?? (await _store.ListAsync(tenantId, cancellationToken)).FirstOrDefault(rule =>
            rule.DisplayName.Equals(reference, StringComparison.OrdinalIgnoreCase) || rule.DetectorId.ToString().Equals(reference, StringComparison.OrdinalIgnoreCase));

    /// <summary>A rule as the detection-rule API shows it, without what its runs add; <see cref="CreateAsync"/> takes it back.</summary>
    public static JsonObject Describe(CustomRule rule) => CustomRuleJson.Rule(rule);

    /// <summary>A rule of a file as the detection-rule API takes it: its entities follow from the columns of its query.</summary>
    public static JsonObject Convert(DetectionRule rule) => CustomRuleJson.FromFile(rule);

    /// <summary>Makes a rule. It runs at the next turn, over the last 30 days.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="root">The rule as the detection-rule API takes it, in either of its forms.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<CustomRuleOutcome> CreateAsync(Caller caller, JsonElement root, CancellationToken cancellationToken)
    {
        var faults = new List<RuleFault>();
        var draft = CustomRuleReader.Read(root, null, faults);
        if (faults.Count == 0) faults.AddRange(CustomRuleCheck.Check(draft.Body, _names.Schema, _options.RequireEventColumns));
        if (faults.Count > 0) return new CustomRuleOutcome(null, faults);
        if (await _store.CountAsync(caller.TenantId, cancellationToken) >= MostRules)
            return Refused(new RuleFault("", $"A tenant may have at most {MostRules} custom detection rules."));

        var now = Now();
        var rule = new CustomRule
        {
            TenantId = caller.TenantId, Id = draft.Id ?? await _store.NewIdAsync(cancellationToken), DetectorId = _identifiers.NewGuid(), DisplayName = draft.DisplayName,
            Description = draft.Description, Status = draft.Status, CreatedBy = caller.Name, CreatedAt = now, LastModifiedBy = caller.Name, LastModifiedAt = now, Body = draft.Body,
        };
        return Outcome(rule, await _store.AddAsync(rule, cancellationToken));
    }

    /// <summary>Changes a rule; what is not sent stays as it is. Null when there is none with the id.</summary>
    public async Task<CustomRuleOutcome?> UpdateAsync(Caller caller, string id, JsonElement root, CancellationToken cancellationToken)
    {
        if (await _store.FindAsync(caller.TenantId, id, cancellationToken) is not { } existing) return null;
        var faults = new List<RuleFault>();
        var draft = CustomRuleReader.Read(root, existing, faults);
        if (faults.Count == 0) faults.AddRange(CustomRuleCheck.Check(draft.Body, _names.Schema, _options.RequireEventColumns));
        if (faults.Count > 0) return new CustomRuleOutcome(null, faults);
        var now = Now();
        var rule = existing with
        {
            DisplayName = draft.DisplayName, Description = draft.Description, Status = draft.Status, LastModifiedBy = caller.Name, LastModifiedAt = now, Body = draft.Body,
            QueryModifiedAt = draft.Body.Query == existing.Body.Query ? existing.QueryModifiedAt : now,
        };
        return Outcome(rule, await _store.ChangeAsync(rule, cancellationToken));
    }

    /// <summary>Switches a rule on or off. Null when there is none with the id.</summary>
    public async Task<CustomRule?> SwitchAsync(Caller caller, string id, CustomRuleStatus status, CancellationToken cancellationToken)
    {
        if (await _store.FindAsync(caller.TenantId, id, cancellationToken) is not { } existing) return null;
        if (existing.Status == status) return existing;
        var rule = existing with { Status = status, LastModifiedBy = caller.Name, LastModifiedAt = Now() };
        await _store.ChangeAsync(rule, cancellationToken);
        return rule;
    }

    /// <summary>Deletes a rule; false when there is none with the id. What it raised stays.</summary>
    public Task<bool> DeleteAsync(Guid tenantId, string id, CancellationToken cancellationToken) => _store.DeleteAsync(tenantId, id, cancellationToken);

    private static CustomRuleOutcome Outcome(CustomRule rule, string? conflict) => conflict switch
    {
        null => new CustomRuleOutcome(rule, []),
        "custom_rules_title" => Refused(new RuleFault("detectionAction/alertTemplate/title", $"A custom detection rule with the alert title '{rule.Body.Title}' already exists.")),
        "custom_rules_name" => Refused(new RuleFault("displayName", $"A custom detection rule with the name '{rule.DisplayName}' already exists.") { IsConflict = true }),
        _ => Refused(new RuleFault("id", $"A custom detection rule with the id '{rule.Id}' already exists.") { IsConflict = true }),
    };

    private static CustomRuleOutcome Refused(RuleFault fault) => new(null, [fault]);

    // To the microsecond, as the state keeps times.
    private DateTime Now()
    {
        var now = _clock.GetUtcNow().UtcDateTime;
        return new DateTime(now.Ticks - now.Ticks % TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc);
    }
}
