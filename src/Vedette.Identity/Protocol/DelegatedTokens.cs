using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Vedette.Identity.Directory;
using Vedette.Identity.Resources;
using Vedette.Identity.SignIn;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Protocol;

/// <summary>Writes the answer of every grant in user context: access token, and refresh token, id token and client_info where they are due.</summary>
public sealed class DelegatedTokens(ISigningKeySource keys, TicketStore tickets, SecondFactors factors, DirectoryService directory)
{
    /// <summary>How long a refresh token may lie unused.</summary>
    public static readonly TimeSpan RefreshLife = TimeSpan.FromDays(90);

    /// <summary>How long the refresh tokens of a single-page application live.</summary>
    public static readonly TimeSpan SinglePageRefreshLife = TimeSpan.FromHours(24);

    // The role template that every member of a directory carries in real tokens.
    private static readonly Guid MemberRole = new("b79fbf4d-3ef9-4689-8143-76b194e85509");

    /// <summary>Finds the client in a user's tenant, for requests that came through an alias.</summary>
    public static ProtocolError? EnterTenant(TokenContext context, Guid tenantId)
    {
        if (context.Segment.Tenant is { } named) return named.Id == tenantId ? null : ErrorCatalogue.Create(700005);
        if (!context.Directory.TryGetTenant(tenantId, out var tenant)) return ErrorCatalogue.Create(90002, tenantId);
        if (context.Directory.Principal(tenantId, context.Client.AppId) is not { } principal) return ErrorCatalogue.Create(700016, context.Client.AppId, tenant.DisplayName);
        if (!principal.AccountEnabled) return ErrorCatalogue.Create(7000112, context.Client.AppId, context.Client.DisplayName);
        context.Segment = new TenantSegment(tenant, TenantAlias.None);
        context.Principal = principal;
        return null;
    }

    /// <summary>Issues tokens for a user.</summary>
    /// <param name="context">The request; tenant and client are known.</param>
    /// <param name="user">The user.</param>
    /// <param name="scopes">What is asked for.</param>
    /// <param name="data">What a refresh token remembers.</param>
    /// <param name="cancellationToken">Stops the operation.</param>
    /// <returns>An error, or null.</returns>
    public async ValueTask<ProtocolError?> IssueAsync(TokenContext context, User user, DelegatedScopes scopes, TicketData data, CancellationToken cancellationToken)
    {
        if (!user.AccountEnabled) return ErrorCatalogue.Create(50057);
        if (scopes.Granted(context.Directory, context.Principal, context.Tenant.Id, user.Id) is not { } granted) return NoConsent(context, scopes);
        if (context.Tenant.RequiresMfa && !data.Methods.Contains("mfa")) return await NeedFactorAsync(context, user, scopes.Resource, cancellationToken);
        var api = context.Directory.Principal(context.Tenant.Id, scopes.Resource.AppId);
        var roles = await directory.RolesOfUserAsync(user, api is null ? [context.Principal] : [context.Principal, api], cancellationToken);
        if (roles.Error is not null) return roles.Error;
        var call = context.Call;
        var isGraph = scopes.Resource.AppId == ResourceCatalogue.GraphAppId;
        var description = new AccessTokenDescription
        {
            TenantId = context.Tenant.Id,
            ClientId = context.Client.AppId,
            ServicePrincipalId = context.Principal.Id,
            ClientDisplayName = context.Client.DisplayName,
            Proof = context.Proof,
            Audience = scopes.Resource.TokenVersion == 2 ? scopes.Resource.AppId.ToString() : scopes.AskedResource,
            Version2 = scopes.Resource.TokenVersion == 2,
            Authority = call.Authority,
            Scopes = isGraph && scopes.OpenId ? [.. granted.Union(["openid", "profile", "email"], StringComparer.OrdinalIgnoreCase)] : granted,
            Roles = roles.On(api),
            User = new TokenUser(user.Id, user.UserPrincipalName, user.DisplayName, user.GivenName, user.Surname, data.Methods, call.RemoteAddress),
            DirectoryRoles = [.. user.DirectoryRoles.Append(MemberRole).Distinct()],
            GraphClaims = isGraph,
            ClientCapabilities = ClientCapabilities.Read(call.Field("claims")),
            NotBefore = context.Now - TokenLifetimes.Backdate,
            Expires = context.Now + TokenLifetimes.AccessToken,
        };
        var key = keys.Current.Signer(context.Now);
        var refreshToken = scopes.OfflineAccess
            ? await tickets.IssueAsync(
                TicketKind.Refresh, context.Client.AppId, context.Tenant.Id, user.Id, data.SinglePageUntil is { } end ? end - context.Now : RefreshLife,
                data with { Family = data.Family ?? Guid.NewGuid(), RedirectUri = null, CodeChallenge = null, CodeChallengeMethod = null, Nonce = null }, null, cancellationToken)
            : null;
        context.Result = new TokenResult(AccessTokenWriter.Write(description, key), scopes.AskedResource, description.NotBefore, description.Expires)
        {
            Scope = scopes.Describe(call.Version, granted),
            RefreshToken = refreshToken,
            IdToken = scopes.OpenId ? WriteIdToken(context, user, roles.On(context.Principal), data, key) : null,
            ClientInfo = call.Field("client_info") is null ? null : ClientInfo(user),
        };
        return null;
    }

    // A password alone, or a token that stands for one: the user has to come to the sign-in page, to use the second factor or to register one.
    private async ValueTask<ProtocolError> NeedFactorAsync(TokenContext context, User user, Resource resource, CancellationToken cancellationToken)
    {
        var number = await factors.IsEnrolledAsync(user.Id, cancellationToken) ? 50076 : 50079;
        return context.Grant is OnBehalfOfGrant
            ? ErrorCatalogue.CreateVariant(number, "delegation", resource.AppId) with { Claims = """{"access_token":{"acrs":{"essential":true,"value":"c1"}}}""" }
            : ErrorCatalogue.Create(number, resource.AppId);
    }

    // v1 requests name a resource only; one that the application never asked for is a mistake in the registration, not a lack of consent.
    private static ProtocolError NoConsent(TokenContext context, DelegatedScopes scopes)
    {
        var client = context.Client;
        var required = client.RequiredPermissions.Select(permission => permission.ResourceAppId).Distinct().ToArray();
        return context.Call.Version == 1 && !required.Contains(scopes.Resource.AppId)
            ? ErrorCatalogue.Create(650057, client.AppId, client.DisplayName, scopes.AskedResource, scopes.Resource.AppId, string.Join(", ", required))
            : ErrorCatalogue.Create(65001, client.AppId, client.DisplayName);
    }

    /// <summary>The client_info value: which account of which tenant signed in.</summary>
    public static string ClientInfo(User user) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"uid":"{{user.Id}}","utid":"{{user.TenantId}}"}"""));

    private static string WriteIdToken(TokenContext context, User user, IReadOnlyList<string> roles, TicketData data, SigningKey key)
    {
        var version2 = context.Call.Version == 2;
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();

            // Some libraries compare the audience with the client id they sent letter by letter.
            json.WriteString("aud", context.Credentials.ClientId);
            json.WriteString("iss", version2 ? AccessTokenWriter.IssuerV2(context.Call.Authority, user.TenantId) : AccessTokenWriter.IssuerV1(user.TenantId));
            json.WriteNumber("iat", (context.Now - TokenLifetimes.Backdate).ToUnixTimeSeconds());
            json.WriteNumber("nbf", (context.Now - TokenLifetimes.Backdate).ToUnixTimeSeconds());
            json.WriteNumber("exp", (context.Now + TokenLifetimes.AccessToken).ToUnixTimeSeconds());
            if (!version2)
            {
                json.WriteStartArray("amr");
                foreach (var method in data.Methods) json.WriteStringValue(method);
                json.WriteEndArray();
                if (user.Surname is not null) json.WriteString("family_name", user.Surname);
                if (user.GivenName is not null) json.WriteString("given_name", user.GivenName);
            }

            json.WriteString("name", user.DisplayName);
            if (data.Nonce is not null) json.WriteString("nonce", data.Nonce);
            json.WriteString("oid", user.Id);
            if (version2) json.WriteString("preferred_username", user.UserPrincipalName);
            json.WriteString("rh", "1." + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(24)) + ".");
            if (roles.Count > 0)
            {
                json.WriteStartArray("roles");
                foreach (var role in roles) json.WriteStringValue(role);
                json.WriteEndArray();
            }

            if (data.SessionId is { } session) json.WriteString("sid", session);
            json.WriteString("sub", AccessTokenWriter.PairwiseSubject(user.Id, context.Client.AppId));
            json.WriteString("tid", user.TenantId);
            if (!version2)
            {
                json.WriteString("unique_name", user.UserPrincipalName);
                json.WriteString("upn", user.UserPrincipalName);
            }

            json.WriteString("uti", Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)));
            json.WriteString("ver", version2 ? "2.0" : "1.0");
            json.WriteEndObject();
        }

        return key.Sign(buffer.WrittenSpan, version1: !version2);
    }
}
