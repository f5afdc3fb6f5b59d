namespace Vedette.Server.Http.Steps;

/// <summary>Counts the call against its limits and refuses it with 429, the literal quota text and <c>Retry-After</c>.</summary>
internal sealed class Throttle(QuotaLedger ledger, QuotaPolicy policy) : IRequestStep
{
    /// <inheritdoc/>
    public ValueTask<ApiError?> RunAsync(ApiCall call)
    {
        if (policy.Mode == QuotaMode.Off) return default;
        if (ledger.Take(call.Endpoint, call.Caller.TenantId, call.Caller.ApplicationId) is not { } excess) return default;
        return new(call.Error("QuotaExceeded", excess.Maximum, excess.WindowText, excess.RetryAfter) with { RetryAfter = excess.RetryAfter });
    }
}
