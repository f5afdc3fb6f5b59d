namespace Vedette.Server.Http.Steps;

/// <summary>Plays the fault that was ordered for the call, if any.</summary>
internal sealed class ScriptFaults(IFaultScript script) : IRequestStep
{
    /// <inheritdoc/>
    public async ValueTask<ApiError?> RunAsync(ApiCall call)
    {
        var fault = await script.NextAsync(call.Endpoint.Method, call.Endpoint.Path, call.Caller.ApplicationId, call.Aborted);
        if (fault is null) return null;
        if (fault.Status == 0)
        {
            call.Http.Abort();
            throw new OperationCanceledException("The connection was dropped as ordered.", call.Aborted);
        }

        return new ApiError(new ErrorTemplate("Scripted", fault.Status, fault.Code, fault.Message), fault.Message) { RetryAfter = fault.RetryAfter };
    }
}
