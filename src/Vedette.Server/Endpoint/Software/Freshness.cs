using Vedette.Defender.Vulnerabilities.Assessment;
using Vedette.Server.Http;

namespace Vedette.Server.Endpoint.Software;

/// <summary>Lets handlers answer from an assessment that follows from the present inventory.</summary>
internal static class Freshness
{
    /// <summary>The handler, preceded by an assessment when one is due.</summary>
    public static ApiHandler BeforeReading(this VulnerabilityAssessment assessment, ApiHandler handler) => async call =>
    {
        await assessment.EnsureFreshAsync(call.Caller.TenantId, call.Aborted);
        return await handler(call);
    };
}
