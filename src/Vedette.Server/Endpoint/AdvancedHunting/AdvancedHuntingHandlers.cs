using System.Globalization;
using Vedette.Server.Endpoint.Telemetry;
using Vedette.Server.Http;
using Vedette.Telemetry.Hunting;

namespace Vedette.Server.Endpoint.AdvancedHunting;

/// <summary>Runs hunting queries, in the Endpoint API and in its sibling of the Threat Protection API.</summary>
internal sealed class AdvancedHuntingHandlers(TelemetryReader telemetry, HuntingLedger ledger, HuntingSettings settings, TimeProvider clock) : IEndpointHandlers
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

    private async ValueTask<ApiResult> RunAsync(ApiCall call, string query, HuntingSurface surface)
    {
        var tenant = call.Caller.TenantId;
        if (ledger.Wait(tenant, surface) is { } wait)
        {
            // The number of seconds is the last word but one: clients read it from there.
            var seconds = (int)Math.Ceiling(wait.TotalSeconds);
            return call.Error("RunTimeExceeded", seconds.ToString(CultureInfo.InvariantCulture)) with { RetryAfter = seconds };
        }

        var started = clock.GetTimestamp();
        HuntingResult? result = null;
        try
        {
            result = await telemetry.RunAsync(call, query, surface.Limits);
            return new JsonResult((json, flow) => HuntingWriter.WriteAsync(json, result, HuntingSpelling.Pascal, flow)) { OData = false };
        }
        catch (HuntingException refused)
        {
            return Explain(call, refused);
        }
        finally
        {
            // A query that failed or was left by its client has cost what it took.
            var elapsed = clock.GetElapsedTime(started);
            ledger.Add(tenant, surface, result?.Statistics.ExecutionTime ?? elapsed, result?.Statistics.CpuTime ?? elapsed);
        }
    }

    private static ApiError Explain(ApiCall call, HuntingException refused) => refused.Failure switch
    {
        HuntingFailure.Syntax => call.Error("BadRequest", Advise(refused.Message, "Fix syntax errors in your query.")),
        HuntingFailure.Semantic => call.Error("BadRequest", Advise(refused.Message, "Fix semantic errors in your query.")),
        HuntingFailure.Timeout => call.Error("BadRequest", "Query exceeded the timeout period."),
        HuntingFailure.ExcessiveResources => call.Error("LimitsExceeded", refused.Message),
        HuntingFailure.ResultTooLarge => call.Error("ResultTooLarge"),
        HuntingFailure.Unsupported => call.Error("BadRequest", refused.Message),
        _ => call.Error("InternalServerError") with { Explanation = refused.Message },
    };

    // The engine's text comes first and verbatim; clients look for the advice at the end.
    private static string Advise(string message, string advice) =>
        message.EndsWith(advice, StringComparison.Ordinal) ? message : $"{message.TrimEnd()}{(message.TrimEnd().EndsWith('.') ? "" : ".")} {advice}";
}
