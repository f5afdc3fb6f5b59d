using System.Collections.Frozen;
using System.Text.Json;
using Vedette.Identity.Resources;

namespace Vedette.Identity.Tokens;

/// <summary>Tells which tenants exist. Asked on every token check, so the answer must come from memory.</summary>
public interface ITenantLookup
{
    /// <summary>True when there is a tenant with this id.</summary>
    bool TenantExists(Guid tenantId);
}

/// <summary>
/// Checks access tokens for the resource servers: form, signature, issuer, tenant, lifetime, audience, in that order. Takes v1 and v2
/// tokens and every spelling of an audience. Verified tokens are remembered by hash, so a repeated token costs one hash.
/// </summary>
public sealed class AccessTokenValidator(ISigningKeySource keys, ITenantLookup tenants, TimeProvider clock, ResourceCatalogue? resources = null)
{
    private readonly ResourceCatalogue _resources = resources ?? ResourceCatalogue.Default;
    private readonly VerifiedTokenCache _cache = new(capacity: 20_000);

    /// <summary>Checks a token for one of the given APIs.</summary>
    /// <param name="token">The compact token, without the word Bearer; null or empty when the request had none.</param>
    /// <param name="resourceAppIds">Application ids of the APIs that the caller speaks for; none means any audience will do.</param>
    public AccessTokenResult Validate(string? token, params ReadOnlySpan<Guid> resourceAppIds)
    {
        if (string.IsNullOrWhiteSpace(token)) return Fail(AccessTokenFailure.Missing, "Access token is empty.");
        if (token.Length > JsonWebToken.MaximumLength) return Fail(AccessTokenFailure.Malformed, "The token is too long.");
        var key = VerifiedTokenCache.KeyOf(token);
        if (!_cache.TryGet(key, out var verified) || keys.Current.Find(verified.KeyId) is null)
        {
            var result = Verify(token, out verified);
            if (result.Failure != AccessTokenFailure.None) return result;
            _cache.Add(key, verified!);
        }

        return Check(verified!, resourceAppIds);
    }

    // What can change between two uses of the same token is checked every time.
    private AccessTokenResult Check(AccessToken token, ReadOnlySpan<Guid> resourceAppIds)
    {
        if (!tenants.TenantExists(token.TenantId)) return Fail(AccessTokenFailure.UnknownTenant, $"Tenant '{token.TenantId}' does not exist.");
        var now = clock.GetUtcNow();
        if (token.Expires <= now) return Fail(AccessTokenFailure.Expired, $"The token expired at {token.Expires:yyyy-MM-dd HH:mm:ss}Z.");
        if (token.NotBefore > now) return Fail(AccessTokenFailure.NotYetValid, $"The token is not valid before {token.NotBefore:yyyy-MM-dd HH:mm:ss}Z.");
        if (resourceAppIds.Length > 0 && (token.ResourceAppId is not { } resource || !resourceAppIds.Contains(resource)))
            return new AccessTokenResult(token, AccessTokenFailure.WrongAudience, $"The token's audience is '{token.Audience}'.");
        return new AccessTokenResult(token, AccessTokenFailure.None, null);
    }

    private AccessTokenResult Verify(string text, out AccessToken? token)
    {
        token = null;
        if (!JsonWebToken.TryParse(text, out var jwt)) return Fail(AccessTokenFailure.Malformed, "The token is not a JSON Web Token.");
        if (keys.Current.Find(jwt.KeyId) is not { } key) return Fail(AccessTokenFailure.BadSignature, "The token was signed by an unknown key.");
        if (!key.Verify(jwt)) return Fail(AccessTokenFailure.BadSignature, "The token's signature is invalid.");

        var version = jwt.Claim("ver");
        var client = version == "2.0" ? jwt.Claim("azp") : jwt.Claim("appid");
        if (version is not ("1.0" or "2.0") || jwt.Claim("aud") is not { } audience
            || !Guid.TryParse(jwt.Claim("tid"), out var tenant) || !Guid.TryParse(client, out var clientId) || !Guid.TryParse(jwt.Claim("oid"), out var objectId)
            || !jwt.TryGetTime("exp", out var expires, out _) || !jwt.TryGetTime("nbf", out var notBefore, out _) || !jwt.TryGetTime("iat", out var issuedAt, out _))
            return Fail(AccessTokenFailure.Malformed, "The token lacks a claim that access tokens have.");
        if (!IsOurIssuer(jwt.Claim("iss"), tenant, version)) return Fail(AccessTokenFailure.WrongIssuer, "The token's issuer is not this authority.");

        var scopes = jwt.Claim("scp");
        token = new AccessToken
        {
            TenantId = tenant,
            ClientId = clientId,
            ObjectId = objectId,
            Subject = jwt.Claim("sub") ?? objectId.ToString(),
            Audience = audience,
            ResourceAppId = _resources.TryResolve(audience, out var resource) ? resource.AppId : null,
            Roles = Strings(jwt.Payload, "roles").ToFrozenSet(StringComparer.OrdinalIgnoreCase),
            Scopes = (scopes ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.OrdinalIgnoreCase),
            IsAppOnly = scopes is null && jwt.Claim("idtyp") is null or "app",
            UserPrincipalName = jwt.Claim("upn") ?? jwt.Claim("unique_name") ?? jwt.Claim("preferred_username"),
            DisplayName = jwt.Claim("name") ?? jwt.Claim("app_displayname"),
            DirectoryRoles = [.. Strings(jwt.Payload, "wids").Select(id => Guid.TryParse(id, out var role) ? role : Guid.Empty).Where(id => id != Guid.Empty)],
            AuthenticationMethods = [.. Strings(jwt.Payload, "amr")],
            IssuedAt = issuedAt,
            NotBefore = notBefore,
            Expires = expires,
            Version = version,
            TokenId = jwt.Claim("uti") ?? "",
            KeyId = key.Id,
        };
        return new AccessTokenResult(token, AccessTokenFailure.None, null);
    }

    // A v2 issuer carries the host that the client used; since the signature is ours, tenant and form are what is left to check.
    private static bool IsOurIssuer(string? issuer, Guid tenant, string version) => version == "1.0"
        ? issuer == $"https://sts.windows.net/{tenant}/"
        : issuer is not null && issuer.EndsWith($"/{tenant}/v2.0", StringComparison.Ordinal) && Uri.TryCreate(issuer, UriKind.Absolute, out _);

    private static IEnumerable<string> Strings(JsonElement payload, string name) =>
        payload.TryGetProperty(name, out var array) && array.ValueKind == JsonValueKind.Array
            ? array.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)
            : [];

    private static AccessTokenResult Fail(AccessTokenFailure failure, string detail) => new(null, failure, detail);
}
