namespace Vedette.Identity.Protocol;

/// <summary>How long what the authority issues is valid.</summary>
public static class TokenLifetimes
{
    /// <summary>Life of an access token from its issue.</summary>
    public static readonly TimeSpan AccessToken = TimeSpan.FromHours(1);

    /// <summary>How far <c>nbf</c> and <c>iat</c> lie in the past, so that a resource server whose clock is behind takes a fresh token.</summary>
    public static readonly TimeSpan Backdate = TimeSpan.FromMinutes(5);
}
