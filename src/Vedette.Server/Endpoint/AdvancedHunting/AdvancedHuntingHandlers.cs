using System.Globalization;
using Microsoft.Extensions.Options;
using Vedette.Server.Endpoint.Telemetry;
using Vedette.Server.Http;
using Vedette.Telemetry.Hunting;

namespace Vedette.Server.Endpoint.AdvancedHunting;

/// <summary>Runs hunting queries, in the Endpoint API and in its sibling of the Threat Protection API.</summary>
internal sealed class AdvancedHuntingHandlers(
    TelemetryReader telemetry, RunTimeLedger runTime, IOptionsMonitor<HttpSettings> settings) : IEndpointHandlers
{
    // Source: the two APIs' pages on limits. The Endpoint API allows 200 seconds a query, its sibling three minutes.
    private static readonly HuntingLimits EndpointLimits = new() { Timeout = TimeSpan.FromSeconds(200), MaxBytes = 50L * 1024 * 1024 };
    private static readonly HuntingLimits ThreatProtectionLimits = new() { Timeout = TimeSpan.FromMinutes(3), MaxBytes = 50L * 1024 * 1024 };

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("POST /api/advancedqueries/run", call => RunAsync(call, call.Body.Text("Query")!, EndpointLimits)),
        new("GET /api/advancedqueries", GetAsync),
        new("POST /api/advancedhunting/run", call => RunAsync(call, call.Body.Text("Query")!, ThreatProtectionLimits)),
    ];

    private ValueTask<ApiResult> GetAsync(ApiCall call) => call.Http.Request.Query["key"].ToString() is { Length: > 0 } query
        ? RunAsync(call, query, EndpointLimits)
        : new(call.Error("MissingRequiredParameter", "key"));

    private async ValueTask<ApiResult> RunAsync(ApiCall call, string query, HuntingLimits limits)
    {
        var caller = call.Caller;
        if (settings.CurrentValue.Quotas == QuotaMode.Real && runTime.Wait(caller.TenantId) is { } wait)
            return call.Error("RunTimeExceeded", wait.ToString("hh\\:mm\\:ss", CultureInfo.InvariantCulture)) with { RetryAfter = (int)Math.Ceiling(wait.TotalSeconds) };
        try
        {
            var result = await telemetry.RunAsync(call, query, limits);
            runTime.Add(caller.TenantId, result.Statistics.ExecutionTime);
            return new JsonResult((json, flow) => HuntingWriter.WriteAsync(json, result, HuntingSpelling.Pascal, flow)) { OData = false };
        }
        catch (HuntingException refused)
        {
            return Explain(call, refused);
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
