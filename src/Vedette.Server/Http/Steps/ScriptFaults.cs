using System.Globalization;

namespace Vedette.Server.Http.Steps;

/// <summary>Plays the fault that was ordered for the call, if any.</summary>
internal sealed class ScriptFaults(IFaultScript script) : IRequestStep
{
    private const int DefaultMaximum = 100;

    /// <inheritdoc/>
    public async ValueTask<ApiError?> RunAsync(ApiCall call)
    {
        if (await script.NextAsync(call.Http, call.Caller.ApplicationId) is not { } fault) return null;
        if (fault.Status == 0)
        {
            call.Http.Abort();
            throw new OperationCanceledException("The connection was dropped as ordered.", call.Aborted);
        }

        foreach (var (name, value) in fault.Headers) call.Http.Response.Headers[name] = value;

        // Partial content is the real answer: a provider that failed is told of in a header.
        if (fault is { Status: StatusCodes.Status206PartialContent, Body: null, Code: null, Message: null })
        {
            call.Status = fault.Status;
            return null;
        }

        return Error(call, fault) with { RetryAfter = fault.RetryAfter, RawBody = fault.Body, Explanation = "this answer was ordered by a scripted fault" };
    }

    // What the surface itself answers with the status, unless the script says otherwise.
    private static ApiError Error(ApiCall call, ScriptedFault fault)
    {
        if (fault is { Code: null, Message: null } && Usual(call, fault) is { } usual) return usual;
        var template = new ErrorTemplate("Scripted", fault.Status, fault.Code ?? fault.Status.ToString(CultureInfo.InvariantCulture), "");
        return new ApiError(template, fault.Message ?? "The request failed as ordered.");
    }

    private static ApiError? Usual(ApiCall call, ScriptedFault fault)
    {
        var (name, particulars) = fault.Status switch
        {
            StatusCodes.Status401Unauthorized => ("Unauthorized", Array.Empty<object?>()),
            StatusCodes.Status429TooManyRequests => ("QuotaExceeded", [call.Endpoint.Limits.PerMinute ?? DefaultMaximum, "00:01:00", fault.RetryAfter ?? 1]),
            StatusCodes.Status500InternalServerError => ("InternalServerError", []),
            _ => ("", []),
        };
        return call.Surface.Errors.Has(name) ? call.Error(name, particulars) : null;
    }
}
