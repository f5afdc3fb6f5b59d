using System.Text.Json;
using Vedette.Defender;
using Vedette.Defender.Vulnerabilities.Scans;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Scans;

/// <summary>Authenticated scans: definitions, the devices that scan, and what scans found.</summary>
internal sealed class ScanHandlers(ScanService scans, EntityReader reader) : IEndpointHandlers
{
    private const string Definitions = "/api/DeviceAuthenticatedScanDefinitions";

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new($"GET {Definitions}", AfterRuns(call => reader.CollectionAsync(call, ScanTable.Definitions))),
        new($"POST {Definitions}", CreateAsync),
        new($"PATCH {Definitions}/{{id}}", UpdateAsync),
        new($"POST {Definitions}/BatchDelete", DeleteAsync),
        new($"POST {Definitions}/GetScanHistoryByScanDefinitionId", AfterRuns(HistoryByDefinitionAsync)),
        new($"POST {Definitions}/GetScanHistoryBySessionId", AfterRuns(HistoryBySessionAsync)),
        new("GET /api/DeviceAuthenticatedScanAgents", AfterRuns(call => reader.CollectionAsync(call, ScanTable.Agents))),
        new("GET /api/DeviceAuthenticatedScanAgents/{id}", AfterRuns(AgentAsync)),
    ];

    private ApiHandler AfterRuns(ApiHandler handler) => async call =>
    {
        await scans.RunDueAsync(call.Caller.TenantId, call.Aborted);
        return await handler(call);
    };

    private async ValueTask<ApiResult> CreateAsync(ApiCall call)
    {
        if (call.Body.Value("scannerAgent") is not { ValueKind: JsonValueKind.Object } agent || !agent.TryGetProperty("machineId", out var machine) || machine.ValueKind != JsonValueKind.String)
            return call.Error("MissingRequiredParameter", "scannerAgent.machineId");
        var type = Canonical(call.Body.Text("scanType"), "Windows", "Network");
        var draft = Draft(call) with { ScanType = type, ScannerMachineId = machine.GetString(), Authentication = ScanAuthentication.Read(call, call.Body.Value("scanAuthenticationParams")!.Value, type) };
        return await AnswerAsync(call, await scans.CreateAsync(call.Asker(), draft, call.Aborted));
    }

    private async ValueTask<ApiResult> UpdateAsync(ApiCall call)
    {
        if (call.Body.Root.ValueKind != JsonValueKind.Object) return call.Error("InvalidRequestBody") with { Explanation = "the body is empty" };
        var id = Guid.TryParse(call.Route["id"], out var key) ? key : throw call.Refuse("InvalidKey", call.Route["id"], "Edm.Guid");
        var draft = Draft(call);
        if (call.Body.Value("scanAuthenticationParams") is { ValueKind: JsonValueKind.Object } given) draft = draft with { Authentication = ScanAuthentication.Read(call, given, null) };
        return await AnswerAsync(call, await scans.UpdateAsync(call.Asker(), id, draft, call.Aborted));
    }

    private async ValueTask<ApiResult> AnswerAsync(ApiCall call, Outcome<Guid> outcome) => outcome.Error is { } error
        ? call.Refused(error)
        : await reader.EntityAsync(call, ScanTable.Changed, Where.Equals("d.id", outcome.Value)) ?? (ApiResult)call.Error("ResourceNotFound", "Scan definition", outcome.Value);

    private async ValueTask<ApiResult> DeleteAsync(ApiCall call)
    {
        var outcome = await scans.DeleteAsync(call.Asker(), Ids(call), call.Aborted);
        return outcome.Error is { } error ? call.Refused(error) : EmptyResult.Instance;
    }

    private async ValueTask<ApiResult> HistoryByDefinitionAsync(ApiCall call)
    {
        var ids = Ids(call).ToArray();
        return await reader.CollectionAsync(call, ScanTable.HistoryByDefinition, sql => sql.Add($" AND s.definition_id = ANY({sql.Parameter(ids, NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Uuid)})"), linkNextPage: false);
    }

    private async ValueTask<ApiResult> HistoryBySessionAsync(ApiCall call) =>
        await reader.CollectionAsync(call, ScanTable.HistoryBySession, Where.In("s.id", call.Body.Texts("SessionIds")!.Select(id => id.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant())));

    // The agent's id is made of the organisation's and the device's; the page's sample gives the device's alone.
    private async ValueTask<ApiResult> AgentAsync(ApiCall call)
    {
        var id = call.Route["id"].ToLowerInvariant();
        var machine = id[(id.IndexOf('_', StringComparison.Ordinal) + 1)..];
        return await reader.EntityAsync(call, ScanTable.Agents, Where.Equals("a.machine_id", machine)) ?? (ApiResult)call.Error("ResourceNotFound", "Scan agent", call.Route["id"]);
    }

    private static ScanDraft Draft(ApiCall call) => new()
    {
        ScanName = call.Body.Text("scanName"),
        IsActive = call.Body.Flag("isActive"),
        Target = call.Body.Text("target"),
        TargetType = Canonical(call.Body.Text("targetType"), "Ip", "Hostname"),
        IntervalInHours = call.Body.Number("intervalInHours"),
    };

    private static string? Canonical(string? text, params string[] words) => words.FirstOrDefault(word => word.Equals(text, StringComparison.OrdinalIgnoreCase));

    private static List<Guid> Ids(ApiCall call)
    {
        var ids = new List<Guid>();
        foreach (var text in call.Body.Texts("ScanDefinitionIds")!)
            ids.Add(Guid.TryParse(text, out var id) ? id : throw new ApiException(call.Error("InvalidRequestBody") with { Explanation = $"'{text}' in ScanDefinitionIds is not a GUID" }));
        return ids;
    }
}
