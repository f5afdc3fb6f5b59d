using NpgsqlTypes;
using Vedette.Defender.Vulnerabilities.Assessment;
using Vedette.Server.Endpoint.Vulnerabilities;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Software;

/// <summary>Reads the organisation's software.</summary>
internal sealed class SoftwareHandlers(VulnerabilityAssessment assessment, EntityReader reader) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers => new Dictionary<string, ApiHandler>
    {
        ["GET /api/Software"] = call => reader.CollectionAsync(call, SoftwareTable.Products),
        ["GET /api/Software/{id}"] = GetAsync,
        ["GET /api/Software/{id}/distributions"] = call => OfAsync(call, id => reader.CollectionAsync(call, SoftwareTable.Distributions, Where.Equals("d.product", id))),
        ["GET /api/Software/{id}/machineReferences"] = call => OfAsync(call, id => reader.CollectionAsync(call, SoftwareTable.MachineReferences, Have(id))),
        ["GET /api/Software/{id}/vulnerabilities"] = call => OfAsync(call, id => reader.CollectionAsync(call, VulnerabilityTable.Found, VulnerabilityTable.OfProduct(id))),
        ["GET /api/Software/{id}/getmissingkbs"] = call => OfAsync(call, id => reader.CollectionAsync(call, SoftwareTable.MissingUpdates, sql =>
            sql.Add($" AND f.machines > 0 AND {sql.Parameter(id, NpgsqlDbType.Text)} = ANY(f.product_ids)"))),
    }.Select(pair => new KeyValuePair<string, ApiHandler>(pair.Key, assessment.BeforeReading(pair.Value)));

    private async ValueTask<ApiResult> GetAsync(ApiCall call) =>
        await reader.EntityAsync(call, SoftwareTable.Products, Where.Equals("p.id", Id(call))) ?? NotFound(call);

    private async ValueTask<ApiResult> OfAsync(ApiCall call, Func<string, ValueTask<ApiResult>> read) =>
        await reader.ExistsAsync(call, SoftwareTable.Products, Where.Equals("p.id", Id(call))) ? await read(Id(call)) : NotFound(call);

    private static SqlCondition Have(string product) => sql => sql.Add(
        $"""
         AND EXISTS (SELECT 1 FROM defender.installations i JOIN defender.software_versions v ON v.id = i.version_id
            WHERE i.tenant_id = m.tenant_id AND i.machine_id = m.id AND i.removed_at IS NULL AND v.vendor || '-_-' || v.name = {sql.Parameter(product, NpgsqlDbType.Text)})
        """);

    private static ApiResult NotFound(ApiCall call) => call.Error("ResourceNotFound", "Software", call.Route["id"]);

    private static string Id(ApiCall call) => call.Route["id"].ToLowerInvariant();
}
