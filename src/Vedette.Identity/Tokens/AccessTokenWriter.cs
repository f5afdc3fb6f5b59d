using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Vedette.Identity.Tokens;

/// <summary>How a client proved who it is (<c>appidacr</c> in v1, <c>azpacr</c> in v2).</summary>
public enum ClientProof
{
    /// <summary>A public client: no proof.</summary>
    None = 0,

    /// <summary>A client secret.</summary>
    Secret = 1,

    /// <summary>A client assertion signed with a certificate.</summary>
    Certificate = 2,
}

/// <summary>The user a token speaks for.</summary>
/// <param name="ObjectId">Object id of the user.</param>
/// <param name="UserPrincipalName">Sign-in name.</param>
/// <param name="DisplayName">Name for people.</param>
/// <param name="GivenName">First name, or null.</param>
/// <param name="Surname">Family name, or null.</param>
/// <param name="AuthenticationMethods">How the user signed in (<c>amr</c>): <c>pwd</c>, <c>mfa</c>.</param>
/// <param name="Address">The user's IP address, or null.</param>
public sealed record TokenUser(
    Guid ObjectId, string UserPrincipalName, string DisplayName, string? GivenName, string? Surname, IReadOnlyList<string> AuthenticationMethods, string? Address);

/// <summary>Everything an access token says.</summary>
public sealed record AccessTokenDescription
{
    /// <summary>Tenant the token acts in.</summary>
    public required Guid TenantId { get; init; }

    /// <summary>Application the token is given to.</summary>
    public required Guid ClientId { get; init; }

    /// <summary>Object id of the application's service principal in the tenant.</summary>
    public required Guid ServicePrincipalId { get; init; }

    /// <summary>Display name of the application.</summary>
    public required string ClientDisplayName { get; init; }

    /// <summary>How the client proved who it is.</summary>
    public ClientProof Proof { get; init; }

    /// <summary>The <c>aud</c> claim: for v1 the resource as it was asked for, for v2 its GUID.</summary>
    public required string Audience { get; init; }

    /// <summary>True for a v2 token.</summary>
    public bool Version2 { get; init; }

    /// <summary>Base address of the authority as the client sees it, without a trailing slash: part of a v2 issuer.</summary>
    public required string Authority { get; init; }

    /// <summary>App roles, or empty: then the claim is left out.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary>Delegated scopes in user context.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>The user, or null in application context.</summary>
    public TokenUser? User { get; init; }

    /// <summary>Directory roles (template ids) of the user or service principal.</summary>
    public IReadOnlyList<Guid> DirectoryRoles { get; init; } = [];

    /// <summary>True to write <c>idtyp</c> and <c>app_displayname</c>, as Graph's tokens have them.</summary>
    public bool GraphClaims { get; init; }

    /// <summary>Client capabilities that the client announced, for <c>xms_cc</c>.</summary>
    public IReadOnlyList<string> ClientCapabilities { get; init; } = [];

    /// <summary>Start of validity.</summary>
    public required DateTimeOffset NotBefore { get; init; }

    /// <summary>End of validity.</summary>
    public required DateTimeOffset Expires { get; init; }
}

/// <summary>Writes and signs access tokens with the claims, and in the order, that clients know.</summary>
public static class AccessTokenWriter
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes one token.</summary>
    public static string Write(AccessTokenDescription token, SigningKey key)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("aud", token.Audience);
            json.WriteString("iss", token.Version2 ? IssuerV2(token.Authority, token.TenantId) : IssuerV1(token.TenantId));
            json.WriteNumber("iat", token.NotBefore.ToUnixTimeSeconds());
            json.WriteNumber("nbf", token.NotBefore.ToUnixTimeSeconds());
            json.WriteNumber("exp", token.Expires.ToUnixTimeSeconds());
            if (token.User is not null) json.WriteString("acr", "1");
            json.WriteString("aio", RandomText(18));
            if (token.User is { } signedIn) WriteStrings(json, "amr", signedIn.AuthenticationMethods);
            if (token.GraphClaims && !token.Version2) json.WriteString("app_displayname", token.ClientDisplayName);
            json.WriteString(token.Version2 ? "azp" : "appid", token.ClientId);
            json.WriteString(token.Version2 ? "azpacr" : "appidacr", ((int)token.Proof).ToString(System.Globalization.CultureInfo.InvariantCulture));
            if (token.User is null)
            {
                json.WriteString("idp", IssuerV1(token.TenantId));
                if (token.GraphClaims) json.WriteString("idtyp", "app");
                json.WriteString("oid", token.ServicePrincipalId);
            }
            else
            {
                WriteUser(json, token, token.User);
            }

            json.WriteString("rh", ResourceHandle(token.TenantId, token.ClientId));
            if (token.Roles.Count > 0) WriteStrings(json, "roles", token.Roles);
            if (token.User is not null) json.WriteString("scp", string.Join(' ', token.Scopes));
            json.WriteString("sub", token.User is null ? token.ServicePrincipalId.ToString() : PairwiseSubject(token.User.ObjectId, token.ClientId));
            json.WriteString("tenant_region_scope", "NA");
            json.WriteString("tid", token.TenantId);
            if (token.User is { } user && !token.Version2)
            {
                json.WriteString("unique_name", user.UserPrincipalName);
                json.WriteString("upn", user.UserPrincipalName);
            }

            json.WriteString("uti", RandomText(16));
            json.WriteString("ver", token.Version2 ? "2.0" : "1.0");
            if (token.DirectoryRoles.Count > 0) WriteStrings(json, "wids", token.DirectoryRoles.Select(role => role.ToString()));
            if (token.ClientCapabilities.Count > 0) WriteStrings(json, "xms_cc", token.ClientCapabilities);
            json.WriteEndObject();
        }

        return key.Sign(buffer.WrittenSpan, version1: !token.Version2);
    }

    /// <summary>The v1 issuer of a tenant, the same on every host.</summary>
    public static string IssuerV1(Guid tenantId) => $"https://sts.windows.net/{tenantId}/";

    /// <summary>The v2 issuer of a tenant, on the host of the cloud that is asked.</summary>
    public static string IssuerV2(string authority, Guid tenantId) => $"{Protocol.AuthorityClouds.IssuerBase(authority)}/{tenantId}/v2.0";

    /// <summary>The subject of a user towards one application: stable for the pair, and telling nothing about the user.</summary>
    public static string PairwiseSubject(Guid userId, Guid clientId)
    {
        Span<byte> pair = stackalloc byte[32];
        userId.TryWriteBytes(pair);
        clientId.TryWriteBytes(pair[16..]);
        return Base64Url.EncodeToString(SHA256.HashData(pair));
    }

    private static void WriteUser(Utf8JsonWriter json, AccessTokenDescription token, TokenUser user)
    {
        if (user.Surname is not null) json.WriteString("family_name", user.Surname);
        if (user.GivenName is not null) json.WriteString("given_name", user.GivenName);
        if (user.Address is not null) json.WriteString("ipaddr", user.Address);
        json.WriteString("name", user.DisplayName);
        json.WriteString("oid", user.ObjectId);
        if (token.Version2) json.WriteString("preferred_username", user.UserPrincipalName);
        else json.WriteString("puid", "1003" + Convert.ToHexString(user.ObjectId.ToByteArray().AsSpan(0, 6)));
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }

    // Opaque to everybody; carries nothing but must look alike for the same tenant and client.
    private static string ResourceHandle(Guid tenantId, Guid clientId)
    {
        Span<byte> pair = stackalloc byte[35];
        pair[0] = 0x01;
        tenantId.TryWriteBytes(pair[1..]);
        clientId.TryWriteBytes(pair[17..]);
        return "1." + Base64Url.EncodeToString(pair) + ".";
    }

    private static string RandomText(int bytes)
    {
        Span<byte> random = stackalloc byte[bytes];
        RandomNumberGenerator.Fill(random);
        return Base64Url.EncodeToString(random);
    }
}
