using Vedette.Identity.Directory;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Protocol;

/// <summary>Where a token request stands on its way through the steps.</summary>
public sealed class TokenContext(AuthorityCall call, DirectorySnapshot directory, DateTimeOffset now)
{
    /// <summary>The request.</summary>
    public AuthorityCall Call { get; } = call;

    /// <summary>The directory, the same for the whole request.</summary>
    public DirectorySnapshot Directory { get; } = directory;

    /// <summary>The time, the same for the whole request.</summary>
    public DateTimeOffset Now { get; } = now;

    /// <summary>What the tenant segment means.</summary>
    public TenantSegment Segment { get; set; }

    /// <summary>The tenant, once it is known.</summary>
    public Tenant Tenant => Segment.Tenant ?? throw new InvalidOperationException("The tenant is not known yet.");

    /// <summary>What was asked for.</summary>
    public IGrant Grant { get; set; } = null!;

    /// <summary>Name and proof of the client, as sent.</summary>
    public ClientCredentials Credentials { get; set; } = null!;

    /// <summary>The client.</summary>
    public Application Client { get; set; } = null!;

    /// <summary>The client's service principal in the tenant.</summary>
    public ServicePrincipal Principal { get; set; } = null!;

    /// <summary>How the client proved who it is.</summary>
    public ClientProof Proof { get; set; }

    /// <summary>What will be answered.</summary>
    public TokenResult? Result { get; set; }
}

/// <summary>A successful answer of the token endpoint.</summary>
/// <param name="AccessToken">The access token.</param>
/// <param name="Resource">The resource as it was asked for, which v1 answers echo.</param>
/// <param name="NotBefore">Start of validity.</param>
/// <param name="Expires">End of validity.</param>
public sealed record TokenResult(string AccessToken, string Resource, DateTimeOffset NotBefore, DateTimeOffset Expires)
{
    /// <summary>Delegated scopes that were granted; null in application context.</summary>
    public string? Scope { get; init; }

    /// <summary>A refresh token, or null.</summary>
    public string? RefreshToken { get; init; }

    /// <summary>An id token, or null.</summary>
    public string? IdToken { get; init; }

    /// <summary>The client_info value, or null.</summary>
    public string? ClientInfo { get; init; }
}

/// <summary>One way to get a token. A new grant is a new class with this interface, added to the list of the token endpoint.</summary>
public interface IGrant
{
    /// <summary>Values of <c>grant_type</c> that mean this grant.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>True when a public client, which has no proof, may use it.</summary>
    bool AllowsPublicClients { get; }

    /// <summary>Checks what belongs to the grant alone and sets <see cref="TokenContext.Result"/>.</summary>
    /// <returns>An error, or null.</returns>
    ValueTask<ProtocolError?> ExecuteAsync(TokenContext context, CancellationToken cancellationToken);

    /// <summary>Checks the tenant segment: an alias is refused by grants that need one particular tenant.</summary>
    /// <returns>An error, or null.</returns>
    ProtocolError? CheckTenant(TenantAlias alias);
}
