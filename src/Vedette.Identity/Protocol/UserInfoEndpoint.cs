using Vedette.Identity.Directory;
using Vedette.Identity.Resources;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Protocol;

/// <summary>
/// The OpenID Connect userinfo endpoint in its two places: below a tenant (version 1) and on Graph. It tells about the user whom an access
/// token speaks for what an id token would tell.
/// </summary>
public sealed class UserInfoEndpoint(AccessTokenValidator validator, DirectoryService directory, TimeProvider clock)
{
    private const string Scheme = "Bearer ";

    /// <summary>Answers one request.</summary>
    public async ValueTask<AuthorityAnswer> HandleAsync(AuthorityCall call, CancellationToken cancellationToken = default)
    {
        var token = call.Authorization is { } header && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : null;

        // Graph takes its own tokens only; the older place takes those of any API, as it knows no resource of its own.
        var result = call.Version == 2 ? validator.Validate(token, ResourceCatalogue.GraphAppId) : validator.Validate(token);
        if (!result.Succeeded) return Refuse(call, result.Failure, result.Detail);
        if (result.Token!.IsAppOnly) return Refuse(call, AccessTokenFailure.Malformed, "The token speaks for no user.");
        if (await directory.FindUserAsync(result.Token.ObjectId, cancellationToken) is not { AccountEnabled: true } user) return Refuse(call, AccessTokenFailure.Malformed, "The user does not exist any more.");
        return AuthorityAnswer.Json(200, json =>
        {
            json.WriteString("sub", AccessTokenWriter.PairwiseSubject(user.Id, result.Token.ClientId));
            json.WriteString("name", user.DisplayName);
            if (user.Surname is not null) json.WriteString("family_name", user.Surname);
            if (user.GivenName is not null) json.WriteString("given_name", user.GivenName);
            if (call.Version == 2)
            {
                json.WriteString("picture", $"{GraphBase(call.Authority)}/v1.0/me/photo/$value");
                json.WriteString("email", user.UserPrincipalName);
                return;
            }

            json.WriteString("oid", user.Id);
            json.WriteString("tid", user.TenantId);
            json.WriteString("unique_name", user.UserPrincipalName);
            json.WriteString("upn", user.UserPrincipalName);
            json.WriteString("ver", "1.0");
        });
    }

    // Graph has its own form of errors; the older place answers as the authority does.
    private AuthorityAnswer Refuse(AuthorityCall call, AccessTokenFailure failure, string? detail)
    {
        var challenge = $"Bearer realm=\"\", authorization_uri=\"{AuthorityClouds.IssuerBase(call.Authority)}/common/oauth2/authorize\"";
        if (failure != AccessTokenFailure.Missing) challenge += $", error=\"invalid_token\", error_description=\"{detail?.Replace('"', '\'')}\"";
        var now = clock.GetUtcNow();
        var answer = AuthorityAnswer.Json(401, json =>
        {
            if (call.Version == 1)
            {
                json.WriteString("error", "invalid_token");
                json.WriteString("error_description", detail);
                json.WriteString("trace_id", call.TraceId);
                json.WriteString("correlation_id", call.CorrelationId);
                return;
            }

            json.WriteStartObject("error");
            json.WriteString("code", "InvalidAuthenticationToken");
            json.WriteString("message", failure switch
            {
                AccessTokenFailure.Missing => "Access token is empty.",
                AccessTokenFailure.WrongAudience => "Access token validation failure. Invalid audience.",
                AccessTokenFailure.Expired => "Lifetime validation failed, the token is expired.",
                _ => detail,
            });
            json.WriteStartObject("innerError");
            json.WriteString("date", now.ToString("yyyy-MM-dd'T'HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture));
            json.WriteString("request-id", call.TraceId);
            json.WriteString("client-request-id", call.CorrelationId);
            json.WriteEndObject();
            json.WriteEndObject();
        });
        return answer with { Challenge = challenge };
    }

    private static string GraphBase(string authority) =>
        AuthorityClouds.Find(new Uri(authority).Host) is { } cloud ? $"https://{cloud.GraphHost}" : authority;
}
