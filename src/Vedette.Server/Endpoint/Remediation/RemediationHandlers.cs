using NpgsqlTypes;
using Vedette.Defender.Vulnerabilities.Assessment;
using Vedette.Server.Endpoint.Software;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Remediation;

/// <summary>Reads remediation activities and the devices that they have still to fix.</summary>
internal sealed class RemediationHandlers(VulnerabilityAssessment assessment, EntityReader reader) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers => new Dictionary<string, ApiHandler>
    {
        ["GET /api/remediationTasks"] = call => reader.CollectionAsync(call, RemediationTable.Tasks),
        ["GET /api/remediationTasks/{id}"] = GetAsync,
        ["GET /api/remediationTasks/{id}/machineReferences"] = MachinesAsync,
    }.Select(pair => new KeyValuePair<string, ApiHandler>(pair.Key, assessment.BeforeReading(pair.Value)));

    private async ValueTask<ApiResult> GetAsync(ApiCall call)
    {
        var id = Key(call);
        return await reader.EntityAsync(call, RemediationTable.Tasks, Where.Equals("k.id", id)) ?? NotFound(call, id);
    }

    private async ValueTask<ApiResult> MachinesAsync(ApiCall call)
    {
        var id = Key(call);
        if (!await reader.ExistsAsync(call, RemediationTable.Tasks, Where.Equals("k.id", id))) return NotFound(call, id);
        return await reader.CollectionAsync(call, SoftwareTable.MachineReferences, sql => sql.Add(
            $" AND m.id IN (SELECT g.machine_id FROM defender.remediation_targets g WHERE g.tenant_id = t.tenant_id AND NOT g.is_fixed AND g.task_id = {sql.Parameter(id, NpgsqlDbType.Uuid)})"));
    }

    private static Guid Key(ApiCall call) => Guid.TryParse(call.Route["id"], out var id) ? id : throw call.Refuse("InvalidKey", call.Route["id"], "Edm.Guid");

    private static ApiResult NotFound(ApiCall call, Guid id) => call.Error("ResourceNotFound", "Remediation activity", id);
}
