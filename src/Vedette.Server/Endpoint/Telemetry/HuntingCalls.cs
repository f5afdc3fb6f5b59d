using System.Globalization;
using Vedette.Server.Http;
using Vedette.Telemetry.Hunting;

namespace Vedette.Server.Endpoint.Telemetry;

/// <summary>Answers a call that runs a hunting query: what it may cost, what it answers, what it says when it cannot be answered.</summary>
internal sealed class HuntingCalls(TelemetryReader telemetry, HuntingLedger ledger, TimeProvider clock)
{
    /// <summary>Runs a query.</summary>
    /// <param name="call">The call.</param>
    /// <param name="query">KQL text.</param>
    /// <param name="surface">The limits of the place it is asked from.</param>
    /// <param name="spelling">How the answer is spelled.</param>
    /// <param name="window">The time that is looked at; null for all that the look-back lets through.</param>
    public async ValueTask<ApiResult> RunAsync(ApiCall call, string query, HuntingSurface surface, HuntingSpelling spelling, (DateTime From, DateTime To)? window = null)
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
            result = await telemetry.RunAsync(call, query, surface.Limits, window);
            var context = call.Endpoint.Context is { } entity ? $"{call.ServiceRoot}/$metadata#{entity}" : null;
            return new JsonResult((json, flow) => HuntingWriter.WriteAsync(json, result, spelling, flow, context)) { OData = context is not null };
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
