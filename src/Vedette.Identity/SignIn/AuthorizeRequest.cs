using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.Resources;

namespace Vedette.Identity.SignIn;

/// <summary>Reads and checks the parameters of an authorize request.</summary>
internal static class AuthorizeRequest
{
    private static readonly string[] ResponseModes = ["query", "fragment", "form_post"];
    private static readonly string[] ResponseTypes = ["code", "id_token", "token", "code id_token", "id_token token", "token id_token"];

    /// <summary>
    /// Reads the request as far as it must be right before the client may be told anything: tenant, client and reply address.
    /// </summary>
    /// <returns>The error to show to the user, or null.</returns>
    public static ProtocolError? Read(AuthorityCall call, DirectorySnapshot directory, DateTimeOffset expiresAt, out Interaction? interaction, out Application? client)
    {
        interaction = null;
        client = null;
        if (call.FormIsMalformed) return ErrorCatalogue.CreateVariant(9002313, "request");
        if (TenantSegment.Resolve(call.TenantSegment, directory, out var segment) is { } badTenant) return badTenant;
        if (call.Field("client_id") is not { } clientId) return ErrorCatalogue.Create(900144, "client_id");
        client = Guid.TryParse(clientId, out var appId) ? directory.Application(appId) : null;

        // A multi-tenant application is let in before anybody of the tenant consented: that is what the consent page is for.
        var isNew = client is { IsMultiTenant: true } && segment.Tenant is not null && directory.Principal(segment.Tenant.Id, appId) is null;
        if (!isNew && ClientLookup.Find(directory, segment, call.TenantSegment, clientId, out client, out _) is { } badClient) return badClient;
        if (FindRedirect(client!, call.Field("redirect_uri"), out var redirect) is { } badRedirect) return badRedirect;
        interaction = new Interaction
        {
            TenantSegment = segment.Tenant?.Id.ToString() ?? call.TenantSegment,
            Version = call.Version,
            AppId = client!.AppId,
            Scope = call.Field("scope") ?? "",
            Resource = call.Field("resource") ?? (call.Version == 1 ? DefaultResource(client!) : null),
            RedirectUri = redirect,
            ResponseMode = call.Field("response_mode") is { } mode && ResponseModes.Contains(mode) ? mode : "query",
            State = call.Field("state"),
            Nonce = call.Field("nonce"),
            Prompt = call.Field("prompt") ?? "",
            LoginHint = call.Field("login_hint"),
            CodeChallenge = call.Field("code_challenge"),
            CodeChallengeMethod = call.Field("code_challenge") is null ? null : call.Field("code_challenge_method") ?? "plain",
            ClientInfo = call.Field("client_info") is not null,
            ExpiresAt = expiresAt,
        };
        return null;
    }

    /// <summary>
    /// Reads an admin consent request as far as it must be right before the client may be told anything. It has no PKCE and no response
    /// mode: its answer is no secret and always goes into the query.
    /// </summary>
    /// <returns>The error to show to the user, or null.</returns>
    public static ProtocolError? ReadAdminConsent(AuthorityCall call, DirectorySnapshot directory, DateTimeOffset expiresAt, out Interaction? interaction, out Application? client)
    {
        if (Read(call, directory, expiresAt, out interaction, out client) is { } error) return error;
        interaction = interaction! with { AdminConsent = true, ResponseMode = "query" };
        return null;
    }

    /// <summary>Checks the rest.</summary>
    /// <returns>The error to send back to the client, or null.</returns>
    public static ProtocolError? Check(AuthorityCall call, DirectorySnapshot directory, Interaction interaction)
    {
        if (call.Field("response_type") is not { } type) return ErrorCatalogue.Create(900144, "response_type");
        if (!ResponseTypes.Contains(type)) return ErrorCatalogue.Create(70005, type);
        if (type != "code") return ErrorCatalogue.Create(700054);
        if (call.Field("response_mode") is { } mode && !ResponseModes.Contains(mode)) return ErrorCatalogue.Create(70007, mode);
        if (interaction.CodeChallenge is null && call.Field("code_challenge_method") is not null) return ErrorCatalogue.Create(50147);
        if (interaction.CodeChallenge is { Length: < 43 or > 128 }) return ErrorCatalogue.Create(501491);
        if (interaction.CodeChallengeMethod is not (null or "S256" or "plain")) return ErrorCatalogue.CreateVariant(9002313, "request");
        if (interaction.Version == 2 && interaction.Scope.Length == 0) return ErrorCatalogue.Create(900144, "scope");

        return DelegatedScopes.Read(interaction.Version, interaction.Scope, interaction.Resource, directory, interaction.TenantSegment, out _);
    }

    // A v1 request, such as the documented consent link, need not name a resource: then it is the first that the registration asks for.
    private static string DefaultResource(Application client) =>
        (client.RequiredPermissions.Count > 0 ? client.RequiredPermissions[0].ResourceAppId : ResourceCatalogue.GraphAppId).ToString();

    private static ProtocolError? FindRedirect(Application client, string? asked, out string? redirect)
    {
        redirect = asked;
        if (client.RedirectUris.Count == 0) return ErrorCatalogue.Create(500113);
        if (asked is null)
        {
            if (client.RedirectUris.Count > 1) return ErrorCatalogue.Create(900971);
            redirect = client.RedirectUris[0].Uri;
            return null;
        }

        return client.RedirectUris.Any(registered => Matches(registered, asked)) ? null : ErrorCatalogue.Create(50011, asked, client.AppId);
    }

    // Letter by letter, but for the port of a native application's loopback address, which it cannot know beforehand (RFC 8252 7.3).
    private static bool Matches(RedirectUri registered, string asked)
    {
        if (registered.Uri == asked) return true;
        if (registered.Kind != RedirectKind.Native || !Uri.TryCreate(registered.Uri, UriKind.Absolute, out var one) || !Uri.TryCreate(asked, UriKind.Absolute, out var other)) return false;
        return one.Scheme == Uri.UriSchemeHttp && other.Scheme == Uri.UriSchemeHttp && one.IsLoopback && other.Host == one.Host && other.UserInfo.Length == 0
            && other.AbsolutePath == one.AbsolutePath && other.Query == one.Query && other.Fragment.Length == 0;
    }
}
