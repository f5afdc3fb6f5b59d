using NpgsqlTypes;
using Vedette.Defender.Vulnerabilities.Assessment;
using Vedette.Server.Endpoint.Software;
using Vedette.Server.Endpoint.Vulnerabilities;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Recommendations;

/// <summary>Reads recommendations and what they are about.</summary>
internal sealed class RecommendationHandlers(VulnerabilityAssessment assessment, EntityReader reader) : IEndpointHandlers
{
    private const string SoftwarePrefix = "va-_-";

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers => new Dictionary<string, ApiHandler>
    {
        ["GET /api/recommendations"] = call => reader.CollectionAsync(call, RecommendationTable.Recommendations),
        ["GET /api/recommendations/{id}"] = GetAsync,
        ["GET /api/recommendations/{id}/software"] = SoftwareAsync,
        ["GET /api/recommendations/{id}/machineReferences"] = call => OfAsync(call, id => reader.CollectionAsync(call, SoftwareTable.MachineReferences, sql => sql.Add(
            $" AND EXISTS (SELECT 1 FROM defender.tvm_recommendations r WHERE r.tenant_id = m.tenant_id AND r.id = {sql.Parameter(id, NpgsqlDbType.Text)} AND {RecommendationTable.Exposed})"))),
        ["GET /api/recommendations/{id}/vulnerabilities"] = call => OfAsync(call, id => reader.CollectionAsync(call, VulnerabilityTable.Found, VulnerabilityTable.OfProduct(Product(id)))),
    }.Select(pair => new KeyValuePair<string, ApiHandler>(pair.Key, assessment.BeforeReading(pair.Value)));

    private async ValueTask<ApiResult> GetAsync(ApiCall call) =>
        await reader.EntityAsync(call, RecommendationTable.Recommendations, Where.Equals("r.id", Id(call))) ?? NotFound(call);

    // One product, although the page calls it a list. A recommendation about a configuration is about none.
    private async ValueTask<ApiResult> SoftwareAsync(ApiCall call)
    {
        if (!await ExistsAsync(call)) return NotFound(call);
        var product = Product(Id(call));
        return await reader.EntityAsync(call, SoftwareTable.Products, Where.Equals("p.id", product)) ?? (ApiResult)call.Error("ResourceNotFound", "Software", product);
    }

    private async ValueTask<ApiResult> OfAsync(ApiCall call, Func<string, ValueTask<ApiResult>> read) => await ExistsAsync(call) ? await read(Id(call)) : NotFound(call);

    private ValueTask<bool> ExistsAsync(ApiCall call) => reader.ExistsAsync(call, RecommendationTable.Recommendations, Where.Equals("r.id", Id(call)));

    private static string Product(string id) => id.StartsWith(SoftwarePrefix, StringComparison.Ordinal) ? id[SoftwarePrefix.Length..] : "";

    private static ApiResult NotFound(ApiCall call) => call.Error("ResourceNotFound", "Recommendation", call.Route["id"]);

    private static string Id(ApiCall call) => call.Route["id"].ToLowerInvariant();
}
