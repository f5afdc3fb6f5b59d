using NpgsqlTypes;
using Vedette.Defender.Vulnerabilities.Assessment;
using Vedette.Server.Endpoint.Machines;
using Vedette.Server.Endpoint.Recommendations;
using Vedette.Server.Endpoint.Software;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Vulnerabilities;

/// <summary>Reads the software, vulnerabilities, recommendations and missing updates of one device.</summary>
internal sealed class MachineHoldingsHandlers(VulnerabilityAssessment assessment, EntityReader reader) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers => new Dictionary<string, ApiHandler>
    {
        ["GET /api/machines/{id}/software"] = call => OfAsync(call, id => reader.CollectionAsync(call, SoftwareTable.Products, sql => sql.Add(
            $"""
             AND p.id IN (SELECT v.vendor || '-_-' || v.name FROM defender.installations i JOIN defender.software_versions v ON v.id = i.version_id
                WHERE i.tenant_id = p.tenant_id AND i.machine_id = {sql.Parameter(id, NpgsqlDbType.Text)} AND i.removed_at IS NULL)
            """))),
        ["GET /api/machines/{id}/vulnerabilities"] = call => OfAsync(call, id => reader.CollectionAsync(call, VulnerabilityTable.Found, VulnerabilityTable.OnMachine(id))),
        ["GET /api/machines/{id}/recommendations"] = call => OfAsync(call, id => reader.CollectionAsync(call, RecommendationTable.Recommendations, RecommendationTable.ForMachine(id))),
        ["GET /api/machines/{id}/getmissingkbs"] = call => OfAsync(call, id => reader.CollectionAsync(call, SoftwareTable.ProductFixes, sql => sql.Add(
            $"""
             AND EXISTS (SELECT 1 FROM defender.installations i WHERE i.tenant_id = f.tenant_id AND i.machine_id = {sql.Parameter(id, NpgsqlDbType.Text)}
                AND i.removed_at IS NULL AND i.version_id = ANY(f.versions))
            """))),
    }.Select(pair => new KeyValuePair<string, ApiHandler>(pair.Key, assessment.BeforeReading(pair.Value)));

    private async ValueTask<ApiResult> OfAsync(ApiCall call, Func<string, ValueTask<ApiResult>> read)
    {
        var id = call.Route["id"];
        return await reader.ExistsAsync(call, MachineTable.Machines, MachineHandlers.WithId(id)) ? await read(id.ToLowerInvariant()) : call.Error("MachineNotFound", id);
    }
}
