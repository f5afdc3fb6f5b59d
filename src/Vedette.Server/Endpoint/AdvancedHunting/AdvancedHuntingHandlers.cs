using Vedette.Server.Endpoint.Telemetry;
using Vedette.Server.Http;

namespace Vedette.Server.Endpoint.AdvancedHunting;

/// <summary>Runs hunting queries, in the Endpoint API and in its sibling of the Threat Protection API.</summary>
internal sealed class AdvancedHuntingHandlers(HuntingCalls hunting, HuntingSettings settings) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("POST /api/advancedqueries/run", call => RunAsync(call, call.Body.Text("Query")!, settings.Endpoint)),
        new("GET /api/advancedqueries", GetAsync),
        new("POST /api/advancedhunting/run", call => RunAsync(call, call.Body.Text("Query")!, settings.ThreatProtection)),
    ];

    private ValueTask<ApiResult> GetAsync(ApiCall call) => call.Http.Request.Query["key"].ToString() is { Length: > 0 } query
        ? RunAsync(call, query, settings.Endpoint)
        : new(call.Error("MissingRequiredParameter", "key"));

    private ValueTask<ApiResult> RunAsync(ApiCall call, string query, HuntingSurface surface) => hunting.RunAsync(call, query, surface, HuntingSpelling.Pascal);
}
