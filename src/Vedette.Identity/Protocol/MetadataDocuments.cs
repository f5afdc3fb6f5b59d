using System.Buffers.Text;
using System.Text.Json;
using Vedette.Identity.Directory;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Protocol;

/// <summary>The documents by which clients and resource servers find their way: OpenID configuration, key set, instance discovery, user realm.</summary>
public sealed class MetadataDocuments(DirectoryStore directory, ISigningKeySource keys, TimeProvider clock)
{
    private const string PersonalAccounts = "9188040d-6c67-4c5b-b112-36a304b66dad";

    /// <summary>The OpenID configuration of a tenant or alias.</summary>
    public AuthorityAnswer OpenIdConfiguration(AuthorityCall call)
    {
        if (Resolve(call, out var segment, out var tenant, out var tenantId) is { } error) return AuthorityAnswer.Refusal(error, call, clock.GetUtcNow());
        var root = $"{call.Authority}/{segment}";
        var cloud = CloudOf(call);
        return AuthorityAnswer.Json(200, json =>
        {
            if (call.Version == 2) WriteVersion2(json, call.Authority, root, tenantId);
            else WriteVersion1(json, call.Authority, root, tenantId);
            json.WriteString("kerberos_endpoint", $"{root}/kerberos");
            if (tenant is null) json.WriteNull("tenant_region_scope");
            else json.WriteString("tenant_region_scope", cloud.RegionScope);
            json.WriteString("cloud_instance_name", cloud.InstanceName);
            json.WriteString("cloud_graph_host_name", "graph.windows.net");
            json.WriteString("msgraph_host", cloud.GraphHost);
            json.WriteString("rbac_url", cloud.RbacUrl);
        });
    }

    /// <summary>The published keys (JSON Web Key Set).</summary>
    public AuthorityAnswer KeySet(AuthorityCall call)
    {
        if (Resolve(call, out _, out _, out var tenantId) is { } error) return AuthorityAnswer.Refusal(error, call, clock.GetUtcNow());
        return AuthorityAnswer.Json(200, json =>
        {
            json.WriteStartArray("keys");
            foreach (var key in keys.Current.Keys)
            {
                json.WriteStartObject();
                json.WriteString("kty", "RSA");
                json.WriteString("use", "sig");
                json.WriteString("kid", key.Id);
                json.WriteString("x5t", key.Id);
                json.WriteString("n", Base64Url.EncodeToString(key.Modulus));
                json.WriteString("e", Base64Url.EncodeToString(key.Exponent));
                json.WriteStartArray("x5c");
                json.WriteStringValue(Convert.ToBase64String(key.Certificate));
                json.WriteEndArray();
                if (call.Version == 2)
                {
                    json.WriteString("cloud_instance_name", CloudOf(call).InstanceName);
                    json.WriteString("issuer", $"{AuthorityClouds.IssuerBase(call.Authority)}/{tenantId}/v2.0");
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    /// <summary>Tells whether a host belongs to this authority, and where its metadata is.</summary>
    /// <param name="call">The request.</param>
    /// <param name="apiVersion">The <c>api-version</c> parameter.</param>
    /// <param name="authorizationEndpoint">The <c>authorization_endpoint</c> parameter.</param>
    public AuthorityAnswer InstanceDiscovery(AuthorityCall call, string? apiVersion, string? authorizationEndpoint)
    {
        var now = clock.GetUtcNow();
        if (apiVersion is not ("1.0" or "1.1") || !Uri.TryCreate(authorizationEndpoint, UriKind.Absolute, out var endpoint)
            || endpoint.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries) is not [var tenant, ..])
            return AuthorityAnswer.Refusal(ErrorCatalogue.Create(50050), call, now);
        var own = new Uri(call.Authority);
        var cloud = AuthorityClouds.Find(endpoint.Host);
        if (cloud is null && !string.Equals(endpoint.Host, own.Host, StringComparison.OrdinalIgnoreCase))
            return AuthorityAnswer.Refusal(ErrorCatalogue.Create(50049), call, now);
        var version2 = endpoint.AbsolutePath.Contains("/oauth2/v2.0/", StringComparison.OrdinalIgnoreCase) ? "v2.0/" : "";

        // Whoever reaches this server by a name of its own stays there; behind the names of a cloud, each cloud has its own.
        var emulates = AuthorityClouds.Find(own.Host) is not null;
        var home = emulates && cloud is not null ? $"https://{endpoint.Host.ToLowerInvariant()}" : call.Authority;
        return AuthorityAnswer.Json(200, json =>
        {
            json.WriteString("tenant_discovery_endpoint", $"{home}/{tenant}/{version2}.well-known/openid-configuration");
            json.WriteString("api-version", apiVersion);
            json.WriteStartArray("metadata");
            if (!emulates) WriteCloud(json, own.Host, own.Host, [own.Host]);
            foreach (var known in AuthorityClouds.All) WriteCloud(json, known.PreferredNetwork, known.PreferredCache, known.Hosts);
            json.WriteEndArray();
        });
    }

    /// <summary>Tells how a user signs in: here always with a password of this authority, when the domain is known.</summary>
    public AuthorityAnswer UserRealm(AuthorityCall call, string userPrincipalName)
    {
        var domain = userPrincipalName[(userPrincipalName.LastIndexOf('@') + 1)..];
        var known = directory.Current.TryGetTenant(domain, out _) && !Guid.TryParse(domain, out _);
        return AuthorityAnswer.Json(200, json =>
        {
            json.WriteString("ver", "1.0");
            json.WriteString("account_type", known ? "Managed" : "Unknown");
            if (known)
            {
                json.WriteString("domain_name", domain);
                json.WriteString("cloud_audience_urn", "urn:federation:MicrosoftOnline");
            }

            json.WriteString("cloud_instance_name", CloudOf(call).InstanceName);
        });
    }

    private static AuthorityCloud CloudOf(AuthorityCall call) => AuthorityClouds.Find(new Uri(call.Authority).Host) ?? AuthorityClouds.Public;

    // Behind a cloud's names Graph has a host of its own; else it is where the client already is.
    private static string UserInfoEndpoint(string authority) =>
        AuthorityClouds.Find(new Uri(authority).Host) is { } cloud ? $"https://{cloud.GraphHost}/oidc/userinfo" : $"{authority}/oidc/userinfo";

    private ProtocolError? Resolve(AuthorityCall call, out string segment, out Tenant? tenant, out string tenantId)
    {
        segment = tenantId = "";
        tenant = null;
        if (TenantSegment.Resolve(call.TenantSegment, directory.Current, out var resolved) is { } error)
            return error.Number == 90002 ? ErrorCatalogue.CreateVariant(90002, "metadata", call.TenantSegment) : error;
        tenant = resolved.Tenant;
        (segment, tenantId) = resolved switch
        {
            { Tenant: { } one } => (one.Id.ToString(), one.Id.ToString()),
            { Alias: TenantAlias.Consumers } => ("consumers", PersonalAccounts),
            _ => (resolved.Alias == TenantAlias.Common ? "common" : "organizations", "{tenantid}"),
        };
        return null;
    }

    private static void WriteVersion2(Utf8JsonWriter json, string authority, string root, string tenantId)
    {
        json.WriteString("token_endpoint", $"{root}/oauth2/v2.0/token");
        WriteStrings(json, "token_endpoint_auth_methods_supported", ["client_secret_post", "private_key_jwt", "client_secret_basic"]);
        json.WriteString("jwks_uri", $"{root}/discovery/v2.0/keys");
        WriteStrings(json, "response_modes_supported", ["query", "fragment", "form_post"]);
        WriteStrings(json, "subject_types_supported", ["pairwise"]);
        WriteStrings(json, "id_token_signing_alg_values_supported", ["RS256"]);
        WriteStrings(json, "response_types_supported", ["code", "id_token", "code id_token", "id_token token"]);
        WriteStrings(json, "scopes_supported", ["openid", "profile", "email", "offline_access"]);
        json.WriteString("issuer", $"{AuthorityClouds.IssuerBase(authority)}/{tenantId}/v2.0");
        json.WriteBoolean("request_uri_parameter_supported", false);
        json.WriteString("userinfo_endpoint", UserInfoEndpoint(authority));
        json.WriteString("authorization_endpoint", $"{root}/oauth2/v2.0/authorize");
        json.WriteString("device_authorization_endpoint", $"{root}/oauth2/v2.0/devicecode");
        json.WriteBoolean("http_logout_supported", true);
        json.WriteBoolean("frontchannel_logout_supported", true);
        json.WriteString("end_session_endpoint", $"{root}/oauth2/v2.0/logout");
        WriteStrings(json, "claims_supported", ["sub", "iss", "cloud_instance_name", "cloud_graph_host_name", "msgraph_host", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email"]);
    }

    private static void WriteVersion1(Utf8JsonWriter json, string authority, string root, string tenantId)
    {
        json.WriteString("token_endpoint", $"{root}/oauth2/token");
        WriteStrings(json, "token_endpoint_auth_methods_supported", ["client_secret_post", "private_key_jwt", "client_secret_basic"]);
        json.WriteString("jwks_uri", $"{authority}/common/discovery/keys");
        WriteStrings(json, "response_modes_supported", ["query", "fragment", "form_post"]);
        WriteStrings(json, "subject_types_supported", ["pairwise"]);
        WriteStrings(json, "id_token_signing_alg_values_supported", ["RS256"]);
        WriteStrings(json, "response_types_supported", ["code", "id_token", "code id_token", "token id_token", "token"]);
        WriteStrings(json, "scopes_supported", ["openid"]);
        json.WriteString("issuer", $"https://sts.windows.net/{tenantId}/");
        json.WriteBoolean("microsoft_multi_refresh_token", true);
        json.WriteString("authorization_endpoint", $"{root}/oauth2/authorize");
        json.WriteString("device_authorization_endpoint", $"{root}/oauth2/devicecode");
        json.WriteBoolean("request_uri_parameter_supported", false);
        json.WriteBoolean("http_logout_supported", true);
        json.WriteBoolean("frontchannel_logout_supported", true);
        json.WriteString("end_session_endpoint", $"{root}/oauth2/logout");
        WriteStrings(json, "claims_supported", ["sub", "iss", "cloud_instance_name", "cloud_graph_host_name", "msgraph_host", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "email", "given_name", "family_name", "nickname"]);
        json.WriteString("check_session_iframe", $"{root}/oauth2/checksession");
        json.WriteString("userinfo_endpoint", $"{root}/openid/userinfo");
    }

    private static void WriteCloud(Utf8JsonWriter json, string network, string cache, IEnumerable<string> aliases)
    {
        json.WriteStartObject();
        json.WriteString("preferred_network", network);
        json.WriteString("preferred_cache", cache);
        WriteStrings(json, "aliases", aliases);
        json.WriteEndObject();
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
