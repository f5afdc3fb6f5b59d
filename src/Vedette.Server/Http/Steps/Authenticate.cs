using Microsoft.Extensions.Options;
using Vedette.Identity.Tokens;
using Vedette.Identity.Resources;
using Vedette.Server.Hosting;

namespace Vedette.Server.Http.Steps;

/// <summary>
/// Checks the bearer token: signature, issuer, tenant, lifetime (else 401) and audience (else 403, as the service answers a good token of
/// another API). The tenant of the call is the token's.
/// </summary>
internal sealed class Authenticate(AccessTokenValidator validator, IOptionsMonitor<HttpSettings> settings) : IRequestStep
{
    private const string Scheme = "Bearer ";

    /// <inheritdoc/>
    public ValueTask<ApiError?> RunAsync(ApiCall call)
    {
        var resource = call.Endpoint.Resource ?? call.Surface.Resource;
        var bearer = TokenOf(call.Http.Request.Headers.Authorization.ToString(), settings.CurrentValue.BareGraphTokens && resource == ResourceCatalogue.GraphAppId);
        var result = validator.Validate(bearer, resource);
        if (result is { Failure: AccessTokenFailure.WrongAudience } && call.Endpoint.OtherResource is { } other) result = validator.Validate(bearer, other);
        if (result.Succeeded)
        {
            call.Caller = new ApiCaller(result.Token!);
            return default;
        }

        if (result is { Failure: AccessTokenFailure.WrongAudience, Token: { } token })
        {
            call.Caller = new ApiCaller(token);
            var expected = ResourceCatalogue.Default.TryGet(resource, out var known) ? known.ResourceUri : resource.ToString();
            var refusal = call.Error("WrongAudience", token.Audience, expected) with { Explanation = $"needed audience {expected}, had {token.Audience}" };
            return new(refusal.Template.Status == StatusCodes.Status401Unauthorized ? refusal with { Challenge = Challenge(call, result) } : refusal);
        }

        return new(call.Error(call.Surface.Dialect.TokenError(result.Failure)) with
        {
            Challenge = Challenge(call, result),
            Explanation = $"token refused: {result.Failure}: {result.Detail}",
        });
    }

    /// <summary>The token of an Authorization header; null when there is none.</summary>
    /// <param name="header">The header.</param>
    /// <param name="takesBare">Whether the word <c>Bearer</c> may be missing: clients of Graph in the field leave it out.</param>
    internal static string? TokenOf(string header, bool takesBare)
    {
        if (header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return header[Scheme.Length..].Trim();
        return takesBare && header.Length > 0 && !header.Contains(' ', StringComparison.Ordinal) ? header : null;
    }

    private static string Challenge(ApiCall call, AccessTokenResult result)
    {
        var request = call.Http.Request;
        var home = EmulatedHosts.Find(request.Host.Host) is { } host ? $"https://{host.Cloud.PreferredNetwork}" : $"{request.Scheme}://{request.Host.Value}";
        var authority = $"{home}/common/oauth2/authorize";
        var challenge = $"Bearer realm=\"\", authorization_uri=\"{authority}\"";
        return result.Failure == AccessTokenFailure.Missing
            ? challenge
            : $"{challenge}, error=\"invalid_token\", error_description=\"{result.Detail?.Replace('"', '\'')}\"";
    }
}
