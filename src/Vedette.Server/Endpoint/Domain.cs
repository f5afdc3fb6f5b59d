using Vedette.Defender;
using Vedette.Server.Http;

namespace Vedette.Server.Endpoint;

/// <summary>Between the surface and the domain: who asks, and how a refusal reads.</summary>
internal static class Domain
{
    /// <summary>The caller as the domain knows it.</summary>
    public static Caller Asker(this ApiCall call) => new(call.Caller.TenantId, call.Caller.Requestor)
    {
        DeviceGroups = call.Caller.DeviceGroups,
    };

    /// <summary>The domain's refusal as an error of the catalogue, which has an entry of the same name for each.</summary>
    public static ApiError Refused(this ApiCall call, DomainError error) => call.Error(error.Refusal.ToString(), [.. error.Details]);
}
