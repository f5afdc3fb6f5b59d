using NpgsqlTypes;
using Vedette.Defender;
using Vedette.Defender.Detections.Custom;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.DetectionRules;

/// <summary>Custom detection rules.</summary>
internal sealed class DetectionRuleHandlers(EntityReader reader, CustomRuleService rules) : IGraphSecurityHandlers
{
    private const string Collection = "security/rules/detectionRules";

    /// <inheritdoc/>
    public IEnumerable<EntityTable> Tables => [DetectionRuleTable.Beta];

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new($"GET /{Collection}", call => reader.CollectionAsync(call, TableOf(call))),
        new($"POST /{Collection}", CreateAsync),
        new($"GET /{Collection}/{{id}}", call => OneAsync(call, call.Route["id"])),
        new($"PATCH /{Collection}/{{id}}", UpdateAsync),
        new($"DELETE /{Collection}/{{id}}", DeleteAsync),
    ];

    private static EntityTable TableOf(ApiCall call) =>
        call.ServiceRoot.EndsWith("/v1.0", StringComparison.OrdinalIgnoreCase) ? DetectionRuleTable.First : DetectionRuleTable.Beta;

    private async ValueTask<ApiResult> CreateAsync(ApiCall call)
    {
        var outcome = await rules.CreateAsync(CallerOf(call), call.Body.Root, call.Aborted);
        if (outcome.Rule is not { } rule) return Refused(call, outcome);
        call.Http.Response.Headers.Location = $"{call.ServiceRoot}/{Collection}/{rule.Id}";
        return await OneAsync(call, rule.Id);
    }

    private async ValueTask<ApiResult> UpdateAsync(ApiCall call)
    {
        var id = call.Route["id"];
        if (await rules.UpdateAsync(CallerOf(call), id, call.Body.Root, call.Aborted) is not { } outcome) return call.Error("RuleNotFound", id);
        return outcome.Rule is { } rule ? await OneAsync(call, rule.Id) : Refused(call, outcome);
    }

    private async ValueTask<ApiResult> DeleteAsync(ApiCall call) =>
        await rules.DeleteAsync(call.Caller.TenantId, call.Route["id"], call.Aborted) ? EmptyResult.Instance : call.Error("RuleNotFound", call.Route["id"]);

    private async ValueTask<ApiResult> OneAsync(ApiCall call, string id) =>
        await reader.EntityAsync(call, TableOf(call), sql => sql.Add($" AND lower(r.id) = lower({sql.Parameter(id, NpgsqlDbType.Text)})")) ?? call.Error("RuleNotFound", id);

    private static ApiError Refused(ApiCall call, CustomRuleOutcome outcome) => call.Error(
        outcome.Faults.Any(fault => fault.IsConflict) ? "RuleConflict" : "InvalidRule",
        string.Join('\n', outcome.Faults.Select(fault => fault.Message)));

    private static Caller CallerOf(ApiCall call) => new(call.Caller.TenantId, call.Caller.Requestor) { DeviceGroups = call.Caller.DeviceGroups };
}
