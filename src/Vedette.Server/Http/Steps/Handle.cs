namespace Vedette.Server.Http.Steps;

/// <summary>Lets the resource's handler answer.</summary>
internal sealed class Handle : IRequestStep
{
    /// <inheritdoc/>
    public async ValueTask<ApiError?> RunAsync(ApiCall call)
    {
        call.Result = await call.Handler(call);
        return call.Result is ErrorResult refused ? refused.Error : null;
    }
}
