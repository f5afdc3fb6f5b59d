using System.Text.Json;
using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.Resources;
using Vedette.Identity.SignIn;
using Vedette.Identity.Tokens;
using Vedette.Server.Http;

namespace Vedette.Server.Insight;

/// <summary>A call that a token can make, or why not.</summary>
/// <param name="Call">Verb and path.</param>
/// <param name="Name">Title in the reference.</param>
/// <param name="Missing">Permissions any one of which is missing; empty for a call that can be made.</param>
internal sealed record ReachableCall(string Call, string Name, IReadOnlyList<string> Missing);

/// <summary>What a token says, in words. Nothing of it is stored or logged.</summary>
internal sealed record TokenStory
{
    /// <summary>What it is: <c>access token (v1.0)</c>, <c>id token</c>, <c>opaque value</c> …</summary>
    public required string Kind { get; init; }

    /// <summary>True when an API of this server would take it now.</summary>
    public required bool Usable { get; init; }

    /// <summary>Who it speaks for.</summary>
    public string? Who { get; init; }

    /// <summary><c>application</c> or <c>user</c>.</summary>
    public string? Context { get; init; }

    /// <summary>The application it was given to.</summary>
    public string? Application { get; init; }

    /// <summary>Tenant it acts in.</summary>
    public string? Tenant { get; init; }

    /// <summary>The API it is for.</summary>
    public string? Resource { get; init; }

    /// <summary>The audience as it stands in the token.</summary>
    public string? Audience { get; init; }

    /// <summary>How the application proved who it is, and how the user signed in.</summary>
    public string? Proof { get; init; }

    /// <summary>Start of validity.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>End of validity.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Application permissions.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary>Delegated permissions.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>What is wrong, or worth knowing, most important first.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];

    /// <summary>Calls that the token can make.</summary>
    public IReadOnlyList<ReachableCall> CanCall { get; init; } = [];

    /// <summary>Calls of the same API that it cannot make, with what is missing.</summary>
    public IReadOnlyList<ReachableCall> CannotCall { get; init; } = [];

    /// <summary>The header.</summary>
    public JsonElement? Header { get; init; }

    /// <summary>The claims.</summary>
    public JsonElement? Claims { get; init; }
}

/// <summary>Explains tokens: who, which API, which permissions, which calls they can make, and what is missing.</summary>
internal sealed class TokenInspector(
    AccessTokenValidator validator, ISigningKeySource keys, DirectoryStore directory, IEnumerable<ApiSurface> surfaces, TimeProvider clock)
{
    /// <summary>Explains one token.</summary>
    /// <param name="text">The token, with or without the word Bearer before it.</param>
    public TokenStory Inspect(string? text)
    {
        var token = (text ?? "").Trim().Trim('"');
        if (token.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) token = token[7..].Trim();
        if (token.Length == 0) return Opaque("nothing", "There is no token.");
        if (token.Length > JsonWebToken.MaximumLength) return Opaque("not a token", $"It is longer than {JsonWebToken.MaximumLength} characters.");
        if (!JsonWebToken.TryParse(token, out var jwt))
        {
            return TicketStore.IsWellFormed(token)
                ? Opaque("opaque value", "This is a code or a refresh token of this authority. Only the token endpoint can read it; APIs take access tokens.")
                : Opaque("not a token", "It is not a JSON Web Token: three parts of base64url with dots between them. A token that was cut off looks like this, too.");
        }

        var result = validator.Validate(token);
        var signed = keys.Current.Find(jwt.KeyId) is { } key && key.Verify(jwt);
        return result.Succeeded ? Tell(jwt, result.Token!) : TellRefused(jwt, result, signed);
    }

    private static TokenStory Opaque(string kind, string finding) => new() { Kind = kind, Usable = false, Findings = [finding] };

    private TokenStory Tell(JsonWebToken jwt, AccessToken token)
    {
        var snapshot = directory.Current;
        var findings = new List<string>();
        var client = snapshot.Application(token.ClientId);
        var calls = Calls(token).ToArray();
        if (token.ResourceAppId is null)
            findings.Add($"It is for the API of another application ('{token.Audience}'): the emulated APIs refuse it with 401 or 403.");
        if (token.IsAppOnly && token.Roles.Count == 0)
            findings.Add("It has no application permissions ('roles'), so almost every call answers 403. Grant some and consent ('./vedette app grant', './vedette app consent'), then get a new token.");
        if (!token.IsAppOnly && token.Scopes.Count == 0)
            findings.Add("It has no delegated permissions ('scp'), so almost every call answers 403.");
        if (client is null) findings.Add("Its application does not exist any more.");
        if (Newer(snapshot, token) is { Length: > 0 } newer) findings.Add($"Granted since it was issued, and therefore not in it: {string.Join(", ", newer)}. Get a new token.");
        if (token.Expires - clock.GetUtcNow() < TimeSpan.FromMinutes(5)) findings.Add("It ends within five minutes.");
        return Common(jwt, token) with
        {
            Usable = token.ResourceAppId is not null,
            Findings = findings,
            CanCall = [.. calls.Where(call => call.Missing.Count == 0)],
            CannotCall = [.. calls.Where(call => call.Missing.Count > 0)],
        };
    }

    // What the directory knows is told only of tokens that were really signed here; of others, what stands in them.
    private TokenStory TellRefused(JsonWebToken jwt, AccessTokenResult result, bool signed)
    {
        var ends = jwt.TryGetTime("exp", out var expires, out _) ? expires : (DateTimeOffset?)null;
        var begins = jwt.TryGetTime("nbf", out var start, out _) ? start : (DateTimeOffset?)null;
        var idToken = jwt.Claim("appid") is null && jwt.Claim("azp") is null && Guid.TryParse(jwt.Claim("aud"), out _);
        var finding = result.Failure switch
        {
            AccessTokenFailure.Expired => $"It expired at {ends:yyyy-MM-dd HH:mm:ss}Z. Get a new one: tokens are good for an hour.",
            AccessTokenFailure.NotYetValid => $"It is not valid before {begins:yyyy-MM-dd HH:mm:ss}Z. Compare the clocks.",
            AccessTokenFailure.BadSignature => jwt.Claim("iss") is { } issuer && keys.Current.Find(jwt.KeyId) is null
                ? $"It was not signed by this server's keys: it names the issuer '{issuer}' and the key '{jwt.KeyId}'. A token of the real service, of another server, or from before its data was made anew looks like this."
                : "Its signature is wrong: it was changed or cut off.",
            AccessTokenFailure.UnknownTenant => "Its tenant does not exist here any more.",
            AccessTokenFailure.WrongIssuer => "It was signed here, but names another issuer.",
            _ => idToken ? "It is an id token, which tells an application who signed in. APIs take access tokens." : result.Detail ?? "It cannot be used.",
        };
        var seconds = jwt.Claim("ver");
        return new TokenStory
        {
            Kind = idToken ? $"id token (v{seconds})" : $"access token (v{seconds})",
            Usable = false,
            Who = jwt.Claim("upn") ?? jwt.Claim("preferred_username") ?? jwt.Claim("oid"),
            Context = jwt.Claim("scp") is not null || idToken ? "user" : "application",
            Application = jwt.Claim("appid") ?? jwt.Claim("azp"),
            Tenant = jwt.Claim("tid"),
            Audience = jwt.Claim("aud"),
            NotBefore = begins,
            Expires = ends,
            Findings = [finding, .. signed ? Array.Empty<string>() : ["Everything below stands in it but is not proven."]],
            Header = jwt.Header,
            Claims = jwt.Payload,
        };
    }

    private TokenStory Common(JsonWebToken jwt, AccessToken token)
    {
        var snapshot = directory.Current;
        var application = snapshot.Application(token.ClientId) is { } client ? $"{client.DisplayName} ({token.ClientId})" : token.ClientId.ToString();
        var proof = (jwt.Claim("appidacr") ?? jwt.Claim("azpacr")) switch
        {
            "1" => "a client secret",
            "2" => "a certificate",
            _ => "none (public client)",
        };
        return new TokenStory
        {
            Kind = $"access token (v{token.Version})",
            Usable = true,
            Who = token.IsAppOnly ? application : token.UserPrincipalName ?? token.ObjectId.ToString(),
            Context = token.IsAppOnly ? "application" : "user",
            Application = application,
            Tenant = snapshot.TryGetTenant(token.TenantId, out var tenant) ? $"{tenant.DisplayName} ({token.TenantId})" : token.TenantId.ToString(),
            Resource = snapshot.Resource(token.Audience)?.DisplayName,
            Audience = token.Audience,
            Proof = token.AuthenticationMethods.Count > 0 ? $"{proof}; user by {string.Join(", ", token.AuthenticationMethods)}" : proof,
            NotBefore = token.NotBefore,
            Expires = token.Expires,
            Roles = [.. token.Roles.Order(StringComparer.Ordinal)],
            Scopes = [.. token.Scopes.Order(StringComparer.Ordinal)],
            Header = jwt.Header,
            Claims = jwt.Payload,
        };
    }

    private IEnumerable<ReachableCall> Calls(AccessToken token)
    {
        var held = token.IsAppOnly ? token.Roles : token.Scopes;
        return
            from surface in surfaces
            from endpoint in surface.Handlers.Keys
            where (endpoint.Resource ?? surface.Resource) == token.ResourceAppId
            orderby endpoint.Path, endpoint.Method
            let groups = token.IsAppOnly ? endpoint.Application : endpoint.Delegated
            let missing = groups.FirstOrDefault(any => !any.Any(held.Contains))
            select new ReachableCall(
                endpoint.Key, endpoint.Name,
                groups.Count == 0 ? [token.IsAppOnly ? "not offered in application context" : "not offered in user context"] : missing ?? []);
    }

    private static string[] Newer(DirectorySnapshot snapshot, AccessToken token)
    {
        if (token.ResourceAppId is not { } api || snapshot.Principal(token.TenantId, token.ClientId) is not { } principal || snapshot.Principal(token.TenantId, api) is not { } resource) return [];
        var now = token.IsAppOnly
            ? snapshot.Roles(principal.Id, resource.Id)
            : snapshot.Grants(principal.Id).Where(grant => grant.ResourceId == resource.Id && (grant.PrincipalId is null || grant.PrincipalId == token.ObjectId)).SelectMany(grant => grant.Scope.Split(' '));
        var held = token.IsAppOnly ? token.Roles : token.Scopes;
        return [.. now.Where(name => name.Length > 0 && !held.Contains(name)).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal)];
    }
}
