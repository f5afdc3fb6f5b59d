namespace Vedette.Identity.Protocol;

/// <summary>Rules for single-page applications, which run in a browser under an origin of their own and can keep no secret.</summary>
internal static class SinglePages
{
    /// <summary>
    /// What a browser's page may redeem: a code or refresh token of a single-page reply address only through cross-origin requests, which
    /// carry an Origin header, and any other only without one.
    /// </summary>
    public static ProtocolError? CheckOrigin(AuthorityCall call, bool singlePage)
    {
        if (singlePage) return call.Origin is null ? ErrorCatalogue.Create(9002327) : null;
        return call.Origin is null ? null : ErrorCatalogue.Create(9002326, call.Origin);
    }
}
